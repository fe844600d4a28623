//===- cpu/compiler/lower/LowerKernel.cpp ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/LowerKernel.h"

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"
#include "backends/cpu/compiler/lower/Estimate.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"
#include "ir/emit/HostExpression.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

Expected<LoweredKernel> lowerKernel(KernelOp kernel, const Facts &facts, const CpuTarget &target, const CodeKnobs &knobs,
                                    llvm::LLVMContext &context) {
  LoweredKernel result;
  result.module = std::make_unique<llvm::Module>(kernel.getSymName(), context);
  PANTILE_RETURN_IF_ERROR(prepareModule(*result.module, target));
  ExtentAnalysis extents(kernel);
  Block &body = kernel.getBody().front();

  PANTILE_ASSIGN(WorkspacePlan workspaces, WorkspacePlan::of(kernel));
  result.artifact.workspaceBytes = workspaces.bytes;

  Status unsupported;
  kernel.walk([&](AtomicRMWOp atomic) {
    if (atomic.getOld() && isTile(atomic.getOld().getType()))
      unsupported = Status(PANTILE_UNSUPPORTED, "the CPU backend gives the old value of a tile.atomic_rmw of one element only")
                        .withFix("leave its result out, or index the view by positions alone");
  });
  PANTILE_RETURN_IF_ERROR(unsupported);
  unsigned phase = 0;
  for (Operation &op : body) {
    if (auto assume = dyn_cast<AssumeOp>(op)) {
      if (auto condition = hostExpression(assume.getCondition())) result.artifact.checks.push_back({*condition, assume.getMessage().str()});
      continue;
    }
    auto grid = dyn_cast<GridOp>(op);
    if (!grid) {
      if (writesView(&op)) return Status(PANTILE_UNSUPPORTED, "a store outside tile.grid");
      continue;
    }
    std::string name = kernel.getSymName().str() + "_" + std::to_string(phase++);
    PhaseLowering lowering(grid, extents, facts, target, knobs, *result.module, name, workspaces);
    PANTILE_ASSIGN(LaunchDescription launch, lowering.run());
    launch.extras[1] = estimatedNanoseconds(grid, target);
    result.artifact.launches.push_back(std::move(launch));
  }
  return result;
}

} // namespace pantile::cpu
