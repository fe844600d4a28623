//===- cuda/compiler/Ptx.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Ptx.h"

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace pantile::cuda {

namespace {

Expected<std::unique_ptr<TargetMachine>> machineFor(const Module &module, const Target &target) {
  static const bool once = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)once;
  std::string error;
  const llvm::Target *registered = TargetRegistry::lookupTarget(module.getTargetTriple(), error);
  if (!registered) return Status(PANTILE_INTERNAL, "LLVM has no NVPTX target").withCause(error);
  std::unique_ptr<TargetMachine> machine(registered->createTargetMachine(module.getTargetTriple(), target.row->name, target.row->ptx,
                                                                         TargetOptions(), std::nullopt, std::nullopt,
                                                                         CodeGenOptLevel::Aggressive));
  if (!machine) return Status(PANTILE_INTERNAL, std::string("LLVM makes no target machine for ") + target.row->name);
  if (machine->createDataLayout() != module.getDataLayout())
    return Status(PANTILE_INTERNAL, "the module's data layout is not NVPTX's: " + machine->createDataLayout().getStringRepresentation());
  return machine;
}

/// Collects what code generation reports instead of printing it and exiting.
struct Diagnostics : DiagnosticHandler {
  std::string &text;
  explicit Diagnostics(std::string &text) : text(text) {}
  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() != DS_Error) return true;
    raw_string_ostream out(text);
    DiagnosticPrinterRawOStream printer(out);
    info.print(printer);
    out << "\n";
    return true;
  }
};

} // namespace

Status optimizeModule(Module &module, const Target &target) {
  std::string wrong;
  raw_string_ostream out(wrong);
  if (verifyModule(module, &out)) return Status(PANTILE_INTERNAL, "the lowering made invalid LLVM IR").withCause(wrong);
  PANTILE_ASSIGN(auto machine, machineFor(module, target));
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PipelineTuningOptions tuning;
  tuning.LoopUnrolling = tuning.LoopInterleaving = tuning.LoopVectorization = tuning.SLPVectorization = false;
  PassBuilder builder(machine.get(), tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
  return {};
}

Expected<std::string> emitPtx(Module &module, const Target &target) {
  PANTILE_ASSIGN(auto machine, machineFor(module, target));
  std::string errors;
  auto previous = module.getContext().getDiagnosticHandler();
  module.getContext().setDiagnosticHandler(std::make_unique<Diagnostics>(errors));
  SmallString<0> text;
  raw_svector_ostream out(text);
  legacy::PassManager passes;
  const bool impossible = machine->addPassesToEmitFile(passes, out, nullptr, CodeGenFileType::AssemblyFile);
  if (!impossible) passes.run(module);
  module.getContext().setDiagnosticHandler(std::move(previous));
  if (impossible) return Status(PANTILE_INTERNAL, "LLVM emits no PTX");
  if (!errors.empty())
    return Status(PANTILE_COMPILE_ERROR, std::string("LLVM cannot generate PTX for ") + target.row->name).withCause(errors);
  return std::string(text);
}

} // namespace pantile::cuda
