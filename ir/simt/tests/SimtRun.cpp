//===- ir/simt/tests/SimtRun.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/tests/SimtRun.h"

#include "ir/dialect/Parse.h"
#include "ir/simt/LowerSimt.h"
#include "ir/specialize/Specialize.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/TargetSelect.h"

namespace pantile::simt {

SimtRun::SimtRun(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars, ViewLayout layout,
                 bool atoms)
    : target(createTestTarget(atoms)) {
  readLibrary(name, options, sizes, scalars, layout, 1);
}

SimtRun::~SimtRun() = default;

Expected<SpaceDescription> SimtRun::describeSpace() {
  mlir::MLIRContext mlirContext(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(mlirContext);
  PANTILE_ASSIGN(auto portable, tile::parseKernel(mlirContext, kernel.canonical));
  return simtSpace(tile::kernelOf(*portable), facts, *target);
}

Expected<Artifact> SimtRun::build() {
  mlir::MLIRContext mlirContext(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(mlirContext);
  PANTILE_ASSIGN(auto portable, tile::parseKernel(mlirContext, kernel.canonical));
  PANTILE_ASSIGN(auto scheduled, specialize(*portable, facts, settings));
  context = std::make_unique<llvm::LLVMContext>();
  PANTILE_ASSIGN(LoweredSimt lowered, lowerSimt(tile::kernelOf(*scheduled), facts, *target, SimtSchedule::of(settings), *context));
  std::string text;
  llvm::raw_string_ostream out(text);
  if (llvm::verifyModule(*lowered.module, &out)) return Status(PANTILE_INTERNAL, "the module does not verify").withCause(text);
  module = std::move(lowered.module);
  return std::move(lowered.artifact);
}

std::string SimtRun::load() {
  static bool ready = !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  if (!ready) return "no native target";
  auto failed = [](llvm::Error error) { return "jit: " + llvm::toString(std::move(error)); };
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!host) return failed(host.takeError());
  host->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  auto made = llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(*host).create();
  if (!made) return failed(made.takeError());
  jit = std::move(*made);
  llvm::orc::SymbolMap symbols;
  for (auto [name, address] : machineSymbols())
    symbols[jit->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
  // Where the processor lacks them, conversions are calls.
  for (auto [name, alias] : {std::pair{"__truncsfbf2", "sim_to_bfloat"}, {"__truncsfhf2", "sim_to_half"}})
    symbols[jit->mangleAndIntern(name)] = symbols[jit->mangleAndIntern(alias)];
  if (auto error = jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(symbols))) return failed(std::move(error));
  module->setDataLayout(jit->getDataLayout());
  if (auto error = jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), std::move(context)))) return failed(std::move(error));
  entries.clear();
  for (const Launch &launch : launches) {
    auto entry = jit->lookup(launch.entry + "_entry");
    if (!entry) return failed(entry.takeError());
    entries.push_back(entry->toPtr<void (*)(const uint64_t *)>());
  }
  return "";
}

std::string SimtRun::execute() {
  for (size_t i = 0; i < launches.size(); ++i) {
    const Launch &launch = launches[i];
    std::string error = runOnMachine({entries[i], launch.slots.data(), launch.grid, launch.block, launch.shared}, i + 1);
    if (!error.empty()) return launch.entry + ": " + error;
  }
  return "";
}

} // namespace pantile::simt
