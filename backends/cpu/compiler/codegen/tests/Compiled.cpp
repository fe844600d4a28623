//===- cpu/compiler/codegen/tests/Compiled.cpp ----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/tests/Compiled.h"

#include <cstdio>

using namespace llvm;

namespace pantile::cpu {

Compiled::Compiled(const CpuTarget &target, std::function<std::vector<Type *>(LLVMContext &)> parameters, const Body &body)
    : target(target), context(std::make_unique<LLVMContext>()), module(std::make_unique<Module>("test", *context)) {
  Status prepared = prepareModule(*module, target);
  if (!prepared.isOk()) std::fprintf(stderr, "%s\n", prepared.message().c_str());
  auto *type = FunctionType::get(Type::getVoidTy(*context), parameters(*context), false);
  auto *function = Function::Create(type, Function::ExternalLinkage, "entry", *module);
  IRBuilder<> builder(BasicBlock::Create(*context, "entry", function));
  body(builder, function);
  builder.CreateRetVoid();
}

Expected<std::string> Compiled::library() {
  PANTILE_ASSIGN(std::string object, emitObject(*module, target));
  return linkSharedObject(object, {"entry"});
}

void *Compiled::loadSymbol() {
  auto bytes = library();
  if (!bytes.isOk()) {
    std::fprintf(stderr, "%s\n", bytes.status().message().c_str());
    return nullptr;
  }
  auto object = LoadedObject::load(*bytes);
  if (!object.isOk()) {
    std::fprintf(stderr, "%s\n", object.status().message().c_str());
    return nullptr;
  }
  loaded.push_back(*std::move(object));
  return loaded.back().symbol("entry");
}

std::string Compiled::assembly() {
  auto text = emitAssembly(*module, target);
  return text.isOk() ? *text : text.status().message();
}

std::vector<CpuTarget> runnableTargets() {
  std::vector<CpuTarget> targets;
  for (const CpuTarget &target : allTargets())
    if (runsHere(target)) targets.push_back(target);
  return targets;
}

} // namespace pantile::cpu
