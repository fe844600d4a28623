//===- cpu/compiler/codegen/ObjectEmitter.cpp - LLVM module to object ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"

#include "backends/cpu/compiler/codegen/MaskedLogic.h"

#include "llvm/CodeGen/CodeGenTargetMachineImpl.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace pantile::cpu {

namespace {

void initializeTargets() {
  static const bool once = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    return true;
  }();
  (void)once;
}

Expected<std::unique_ptr<TargetMachine>> machineFor(const CpuTarget &target) {
  initializeTargets();
  Triple triple{StringRef(target.triple)};
  std::string error;
  const Target *registered = TargetRegistry::lookupTarget(triple, error);
  if (!registered) return Status(PANTILE_INTERNAL, "LLVM lacks the target " + std::string(target.triple)).withCause(error);
  TargetOptions options;
  options.UniqueSectionNames = false;
  std::unique_ptr<TargetMachine> machine(registered->createTargetMachine(triple, StringRef(target.cpu), StringRef(target.features), options,
                                                                         Reloc::PIC_, CodeModel::Small, CodeGenOptLevel::Default));
  if (!machine) return Status(PANTILE_INTERNAL, "LLVM made no target machine for " + std::string(target.name));
  return machine;
}

void applyTarget(Module &module, const CpuTarget &target, const TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (module.getPICLevel() == PICLevel::NotPIC) module.setPICLevel(PICLevel::BigPIC);
  for (Function &function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", StringRef(target.cpu));
    if (!target.features.empty()) function.addFnAttr("target-features", StringRef(target.features));
    if (target.isX86()) {
      std::string bits = std::to_string(target.vectorBits);
      function.addFnAttr("prefer-vector-width", bits);
      function.addFnAttr("min-legal-vector-width", bits);
    }
    function.addFnAttr("frame-pointer", "none");
    function.addFnAttr("no-builtins");
    function.addFnAttr(Attribute::NoUnwind);
    function.setDSOLocal(true);
  }
}

void optimize(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  FunctionPassManager passes;
  passes.addPass(EarlyCSEPass());
  passes.addPass(InstCombinePass(InstCombineOptions().setMaxIterations(1)));
  passes.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), /*UseMemorySSA=*/true));
  passes.addPass(SimplifyCFGPass(SimplifyCFGOptions().hoistCommonInsts(false).sinkCommonInsts(false)));
  for (Function &function : module)
    if (!function.isDeclaration()) {
      passes.run(function, functions);
      rewriteMaskedLogic(function);
    }
}

/// Collects what code generation reports instead of printing it and exiting.
struct Diagnostics : DiagnosticHandler {
  std::string *text;
  explicit Diagnostics(std::string *text) : text(text) {}
  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error && text->empty()) {
      raw_string_ostream stream(*text);
      DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
};

Status generate(Module &module, TargetMachine &machine, CodeGenFileType fileType, SmallVectorImpl<char> &output) {
  raw_svector_ostream stream(output);
  legacy::PassManager passes;
  auto &generator = static_cast<CodeGenTargetMachineImpl &>(machine);
  // What addPassesToEmitFile does, with access to the pass configuration.
  TargetPassConfig *configuration = generator.createPassConfig(passes);
  configuration->setDisableVerify(true);
  configuration->disablePass(&MachineSchedulerID);
  configuration->disablePass(&PostMachineSchedulerID);
  configuration->disablePass(&PostRASchedulerID);
  passes.add(configuration);
  auto *machineModule = new MachineModuleInfoWrapperPass(&generator);
  passes.add(machineModule);
  if (configuration->addISelPasses()) return Status(PANTILE_INTERNAL, "LLVM has no instruction selector for this target");
  configuration->addMachinePasses();
  configuration->setInitialized();
  if (generator.addAsmPrinter(passes, stream, nullptr, fileType, machineModule->getMMI().getContext()))
    return Status(PANTILE_INTERNAL, "LLVM cannot write this kind of file");
  passes.add(createFreeMachineFunctionPass());

  std::string report;
  LLVMContext &context = module.getContext();
  std::unique_ptr<DiagnosticHandler> previous = context.getDiagnosticHandler();
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(&report));
  passes.run(module);
  context.setDiagnosticHandler(std::move(previous));
  if (!report.empty()) return Status(PANTILE_COMPILE_ERROR, "code generation failed").withCause(report);
  return Status::ok();
}

Expected<std::string> emit(Module &module, const CpuTarget &target, const EmitOptions &options, CodeGenFileType fileType) {
  PANTILE_ASSIGN(std::unique_ptr<TargetMachine> machine, machineFor(target));
  applyTarget(module, target, *machine);
  if (options.verify) {
    std::string report;
    raw_string_ostream stream(report);
    if (verifyModule(module, &stream)) return Status(PANTILE_INTERNAL, "the generated LLVM IR is malformed").withCause(report);
  }
  if (options.optimize) optimize(module, *machine);
  if (fileType == CodeGenFileType::AssemblyFile) machine->Options.MCOptions.AsmVerbose = options.keepIntermediates;
  SmallVector<char, 0> output;
  PANTILE_RETURN_IF_ERROR(generate(module, *machine, fileType, output));
  return std::string(output.begin(), output.end());
}

} // namespace

Status prepareModule(Module &module, const CpuTarget &target) {
  PANTILE_ASSIGN(std::unique_ptr<TargetMachine> machine, machineFor(target));
  applyTarget(module, target, *machine);
  return Status::ok();
}

Status optimizeModule(Module &module, const CpuTarget &target) {
  PANTILE_ASSIGN(std::unique_ptr<TargetMachine> machine, machineFor(target));
  applyTarget(module, target, *machine);
  optimize(module, *machine);
  return Status::ok();
}

Expected<std::string> emitObject(Module &module, const CpuTarget &target, const EmitOptions &options) {
  return emit(module, target, options, CodeGenFileType::ObjectFile);
}

Expected<std::string> emitAssembly(Module &module, const CpuTarget &target, const EmitOptions &options) {
  return emit(module, target, options, CodeGenFileType::AssemblyFile);
}

} // namespace pantile::cpu
