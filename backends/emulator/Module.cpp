//===- emulator/Module.cpp ------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Module.h"

#include "backends/emulator/Rewrite.h"
#include "backends/emulator/Services.h"

#include <fmt/format.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>

namespace pantile::emulator {

struct CodeModule::Code {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  Rewritten rewritten;
  std::vector<void (*)(const void *const *)> entries;
  std::vector<Region> regions;
  uint32_t lanesPerWarp = 32;
};

CodeModule::CodeModule() = default;
CodeModule::~CodeModule() = default;

namespace {

Status statusOf(llvm::Error error, const char *what) { return Status(PANTILE_INTERNAL, what).withCause(llvm::toString(std::move(error))); }

} // namespace

Expected<std::shared_ptr<CodeModule>> CodeModule::load(std::string_view text, const Dialect &dialect, const std::string &target) {
  static const bool ready = !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  if (!ready) return Status(PANTILE_UNSUPPORTED, "this LLVM has no code generator for this processor");
  auto context = std::make_unique<llvm::LLVMContext>();
  llvm::SMDiagnostic problem;
  auto module = llvm::parseAssemblyString(llvm::StringRef(text.data(), text.size()), problem, *context);
  if (!module)
    return Status(PANTILE_DATA_ERROR,
                  fmt::format("the LLVM IR of a kernel does not parse: line {}: {}", problem.getLineNo(), problem.getMessage().str()));

  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder) return statusOf(builder.takeError(), "this processor is unknown to LLVM");
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  // Contraction would give other roundings than the device.
  builder->getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const std::string triple = builder->getTargetTriple().str();
  auto jit = llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*builder)).create();
  if (!jit) return statusOf(jit.takeError(), "the emulator's compiler cannot be made");

  std::shared_ptr<CodeModule> loaded(new CodeModule);
  loaded->code = std::make_unique<Code>();
  Code &code = *loaded->code;
  code.jit = std::move(*jit);
  code.lanesPerWarp = dialect.lanesPerWarp(target);
  PANTILE_ASSIGN(code.rewritten, rewrite(*module, dialect, dialect.traits(text), triple, code.jit->getDataLayout()));

  llvm::orc::SymbolMap symbols;
  for (const HostSymbol &symbol : hostSymbols())
    symbols[code.jit->mangleAndIntern(symbol.name)] = {llvm::orc::ExecutorAddr::fromPtr(symbol.address), llvm::JITSymbolFlags::Exported};
  auto &library = code.jit->getMainJITDylib();
  if (auto error = library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return statusOf(std::move(error), "the emulator's functions clash");
  if (auto error = code.jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), std::move(context))))
    return statusOf(std::move(error), "the emulator cannot take the kernel's code");
  for (size_t k = 0; k < code.rewritten.kernels.size(); ++k) {
    auto address = code.jit->lookup(fmt::format("pantile.entry.{}", k));
    if (!address) return statusOf(address.takeError(), "the kernel's code cannot be compiled for this processor");
    code.entries.push_back(address->toPtr<void (*)(const void *const *)>());
  }
  for (const auto &global : code.rewritten.globals) {
    auto address = code.jit->lookup(global.symbol);
    if (!address) return statusOf(address.takeError(), "a global of the kernel's module is missing");
    const char *low = address->toPtr<const char *>();
    code.regions.push_back({low, low + global.bytes, global.writable});
  }
  return loaded;
}

const KernelInfo *CodeModule::kernel(std::string_view name) const {
  for (const KernelInfo &kernel : code->rewritten.kernels)
    if (kernel.name == name) return &kernel;
  return nullptr;
}

Status CodeModule::launch(const KernelInfo &kernel, const LaunchDimensions &dimensions, std::span<const void *const> parameters,
                          std::span<const Region> parameterBytes, const DeviceMemory &memory, const ExecutionOptions &options) const {
  if (parameters.size() != kernel.parameters.size())
    return {PANTILE_INVALID_ARGUMENT,
            fmt::format("kernel '{}' takes {} parameters, given are {}", kernel.name, kernel.parameters.size(), parameters.size())};
  Execution execution;
  for (int d = 0; d < 3; ++d) {
    execution.grid[d] = dimensions.grid[d];
    execution.block[d] = dimensions.block[d];
    execution.cluster[d] = kernel.cluster[d];
  }
  const uint64_t threads = uint64_t(dimensions.block[0]) * dimensions.block[1] * dimensions.block[2];
  if (threads > kernel.maxThreads)
    return {PANTILE_INVALID_ARGUMENT, fmt::format("kernel '{}' was compiled for blocks of at most {} threads, launched are {}", kernel.name,
                                                  kernel.maxThreads, threads)};
  execution.lanesPerWarp = code->lanesPerWarp;
  execution.dynamicShared = code->rewritten.dynamicShared;
  execution.sharedBytes = code->rewritten.dynamicShared - SharedMemory::kFirst + dimensions.dynamicShared;
  execution.entry = code->entries[size_t(&kernel - code->rewritten.kernels.data())];
  execution.parameters = parameters.data();
  execution.memory = memory;
  execution.regions = code->regions;
  execution.regions.insert(execution.regions.end(), parameterBytes.begin(), parameterBytes.end());
  execution.options = options;
  return execution.run().in(fmt::format("kernel '{}'", kernel.name));
}

} // namespace pantile::emulator
