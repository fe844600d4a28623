//===- cpu/compiler/Compile.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/Compile.h"

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"
#include "backends/cpu/compiler/lower/LowerKernel.h"
#include "ir/dialect/Parse.h"
#include "ir/specialize/Specialize.h"

using namespace pantile::tile;

namespace pantile::cpu {

Expected<CompileRequest> CompileRequest::fromABI(const pantile_compile_request &request) {
  if (!request.ir || !request.target) return Status(PANTILE_INVALID_ARGUMENT, "a compile request needs `ir` and `target`");
  PANTILE_ASSIGN(CpuTarget target, parseTarget(request.target));
  CompileRequest result{{request.ir, request.ir_size}, {}, {}, target};
  if (request.facts) result.facts.arguments.assign(request.facts->arguments, request.facts->arguments + request.facts->argument_count);
  if (request.configuration) result.configuration = Configuration::fromABI(*request.configuration);
  return result;
}

namespace {

struct Scheduled {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> portable, module;
};

Status schedule(const CompileRequest &request, Scheduled &scheduled) {
  loadDialects(scheduled.context);
  PANTILE_ASSIGN(scheduled.portable, parseKernel(scheduled.context, request.ir));
  if (kernelOf(*scheduled.portable).isScheduled())
    return Status(PANTILE_INVALID_ARGUMENT, "the kernel is scheduled already").withFix("compile its portable text");
  PANTILE_ASSIGN(scheduled.module, specialize(*scheduled.portable, request.facts, request.configuration));
  return {};
}

CodeKnobs knobsOf(const Configuration &configuration) {
  CodeKnobs knobs;
  knobs.unroll = configuration.integer("unroll", 0);
  knobs.streamingStores = configuration.integer("streaming_stores", 0) != 0;
  knobs.mr = configuration.integer("mr", 0);
  knobs.nr = configuration.integer("nr", 0);
  knobs.packB = CodeKnobs::PackB(std::clamp<int64_t>(configuration.integer("pack_b", CodeKnobs::Column), 0, CodeKnobs::Column));
  return knobs;
}

std::string textOf(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

Status unknownStage(std::string_view stage) {
  return Status(PANTILE_INVALID_ARGUMENT, "unknown stage '" + std::string(stage) + "'")
      .withFix("the CPU has portable, scheduled, llvm, assembly");
}

} // namespace

Expected<Artifact> compileKernel(const CompileRequest &request, std::string_view finalStage) {
  if (!finalStage.empty() && finalStage != "portable" && finalStage != "scheduled" && finalStage != "llvm" && finalStage != "assembly")
    return unknownStage(finalStage);
  Scheduled scheduled;
  PANTILE_RETURN_IF_ERROR(schedule(request, scheduled));
  if (finalStage == "portable" || finalStage == "scheduled") {
    Artifact artifact;
    artifact.code = printKernel(finalStage == "portable" ? *scheduled.portable : *scheduled.module);
    return artifact;
  }
  llvm::LLVMContext context;
  context.setDiscardValueNames(finalStage.empty());
  PANTILE_ASSIGN(LoweredKernel lowered,
                 lowerKernel(kernelOf(*scheduled.module), request.facts, request.target, knobsOf(request.configuration), context));
  Artifact artifact = std::move(lowered.artifact);
  std::vector<std::string> entries;
  for (LaunchDescription &launch : artifact.launches) {
    entries.push_back(launch.entry);
    launch.extras[2] = "c.chunk";
    launch.extras[3] = "c.num_threads";
    if (!request.configuration.find("chunk")) launch.extras[2] = "0";
    if (!request.configuration.find("num_threads")) launch.extras[3] = "0";
  }
  if (finalStage == "llvm") {
    PANTILE_RETURN_IF_ERROR(optimizeModule(*lowered.module, request.target));
    artifact.code = textOf(*lowered.module);
  } else if (finalStage == "assembly") {
    PANTILE_ASSIGN(artifact.code, emitAssembly(*lowered.module, request.target));
  } else {
    PANTILE_ASSIGN(std::string object, emitObject(*lowered.module, request.target));
    PANTILE_ASSIGN(artifact.code, linkSharedObject(object, entries));
  }
  artifact.resources.push_back({"code_bytes", int64_t(artifact.code.size())});
  return artifact;
}

Expected<std::string> inspectKernel(const CompileRequest &request, std::string_view stage) {
  if (stage.empty()) return unknownStage(stage);
  PANTILE_ASSIGN(Artifact artifact, compileKernel(request, stage));
  return std::move(artifact.code);
}

} // namespace pantile::cpu
