//===- cuda/compiler/Compile.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Compile.h"

#include "backends/cuda/compiler/Assembler.h"
#include "backends/cuda/compiler/NvvmTarget.h"
#include "backends/cuda/compiler/Ptx.h"
#include "ir/dialect/Parse.h"
#include "ir/simt/LowerSimt.h"
#include "ir/specialize/Specialize.h"

#include <algorithm>

using namespace pantile::tile;

namespace pantile::cuda {

Expected<CompileRequest> CompileRequest::fromABI(const pantile_compile_request &request) {
  if (!request.ir || !request.target) return Status(PANTILE_INVALID_ARGUMENT, "a compile request needs `ir` and `target`");
  PANTILE_ASSIGN(Target target, parseTarget(request.target));
  CompileRequest result{{request.ir, request.ir_size}, {}, {}, target};
  if (request.facts) result.facts.arguments.assign(request.facts->arguments, request.facts->arguments + request.facts->argument_count);
  if (request.configuration) result.configuration = Configuration::fromABI(*request.configuration);
  return result;
}

namespace {

constexpr std::string_view kStages[] = {"portable", "scheduled", "simt", "llvm", "assembly"};

Status unknownStage(std::string_view stage) {
  return Status(PANTILE_INVALID_ARGUMENT, "unknown stage '" + std::string(stage) + "'")
      .withFix("a GPU has portable, scheduled, simt, llvm, assembly");
}

std::string textOf(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

/// A cubin and what it takes, or PTX where nothing assembles it.
Status finish(const CompileRequest &request, std::string ptx, int64_t dynamicShared, Artifact &artifact) {
  std::erase_if(artifact.resources, [](const auto &resource) { return resource.first == "shared_bytes"; });
  std::string program = request.target.ptxas;
  if (program.empty()) {
    auto found = findAssembler();
    if (!found) artifact.log += found.status().text() + ": the driver compiles the PTX; " + found.status().fix() + "\n";
    program = found ? *found : "none";
  }
  if (program == "none") {
    artifact.code = std::move(ptx);
    artifact.resources.push_back({"shared_bytes", dynamicShared});
  } else {
    PANTILE_ASSIGN(Assembled assembled,
                   assemble(program, ptx, request.target.row->name, std::chrono::seconds(request.target.ptxasSeconds)));
    artifact.code = std::move(assembled.cubin);
    artifact.log += assembled.warnings;
    FunctionResources most;
    for (const FunctionResources &function : assembled.functions) {
      most.registers = std::max(most.registers, function.registers);
      most.spillBytes = std::max(most.spillBytes, function.spillBytes);
      most.stackBytes = std::max(most.stackBytes, function.stackBytes);
      most.sharedBytes = std::max(most.sharedBytes, function.sharedBytes);
    }
    artifact.resources.push_back({"registers", most.registers});
    artifact.resources.push_back({"spill_bytes", most.spillBytes});
    artifact.resources.push_back({"stack_bytes", most.stackBytes});
    artifact.resources.push_back({"shared_bytes", most.sharedBytes + dynamicShared});
  }
  artifact.resources.push_back({"code_bytes", int64_t(artifact.code.size())});
  return {};
}

} // namespace

Expected<Artifact> compileKernel(const CompileRequest &request, std::string_view finalStage) {
  if (!finalStage.empty() && std::find(std::begin(kStages), std::end(kStages), finalStage) == std::end(kStages))
    return unknownStage(finalStage);
  mlir::MLIRContext mlirContext(mlir::MLIRContext::Threading::DISABLED);
  loadDialects(mlirContext);
  PANTILE_ASSIGN(auto portable, parseKernel(mlirContext, request.ir));
  if (kernelOf(*portable).isScheduled())
    return Status(PANTILE_INVALID_ARGUMENT, "the kernel is scheduled already").withFix("compile its portable text");
  Artifact text;
  if (finalStage == "portable") {
    text.code = printKernel(*portable);
    return text;
  }
  PANTILE_ASSIGN(auto scheduled, specialize(*portable, request.facts, request.configuration));
  if (finalStage == "scheduled") {
    text.code = printKernel(*scheduled);
    return text;
  }
  llvm::LLVMContext context;
  context.setDiscardValueNames(finalStage.empty());
  auto target = createNvvmTarget(request.target);
  PANTILE_ASSIGN(auto lowered,
                 simt::lowerSimt(kernelOf(*scheduled), request.facts, *target, simt::SimtSchedule::of(request.configuration), context));
  Artifact artifact = std::move(lowered.artifact);
  if (finalStage == "simt") {
    artifact.code = textOf(*lowered.module);
    return artifact;
  }
  PANTILE_RETURN_IF_ERROR(optimizeModule(*lowered.module, request.target));
  if (finalStage == "llvm") {
    artifact.code = textOf(*lowered.module);
    return artifact;
  }
  PANTILE_ASSIGN(std::string ptx, emitPtx(*lowered.module, request.target));
  if (finalStage == "assembly") {
    artifact.code = std::move(ptx);
    return artifact;
  }
  PANTILE_RETURN_IF_ERROR(finish(request, std::move(ptx), lowered.sharedBytes, artifact));
  return artifact;
}

Expected<std::string> inspectKernel(const CompileRequest &request, std::string_view stage) {
  if (stage.empty()) return unknownStage(stage);
  PANTILE_ASSIGN(Artifact artifact, compileKernel(request, stage));
  return std::move(artifact.code);
}

} // namespace pantile::cuda
