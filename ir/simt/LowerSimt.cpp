//===- ir/simt/LowerSimt.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/LowerSimt.h"

#include "ir/emit/HostExpression.h"
#include "ir/simt/PhaseLowering.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

SimtSchedule SimtSchedule::of(const Configuration &configuration) {
  SimtSchedule schedule;
  auto number = [&](const char *name, unsigned fallback) {
    return unsigned(std::clamp<int64_t>(configuration.integer(name, fallback), 0, 1 << 16));
  };
  schedule.warps = number("num_warps", 0);
  schedule.stages = std::max(1u, number("num_stages", 1));
  schedule.maxRegisters = number("maxnreg", 0);
  schedule.blocksPerUnit = std::max(1u, number("occupancy", 1));
  schedule.engine = number("tensor_engine", 0) != 0;
  return schedule;
}

Expected<LoweredSimt> lowerSimt(KernelOp kernel, const Facts &facts, const SimtTarget &target, const SimtSchedule &schedule,
                                llvm::LLVMContext &context) {
  if (schedule.stages > 16) return Status(PANTILE_UNSUPPORTED, "num_stages is " + std::to_string(schedule.stages)).withFix("use 1 to 16");
  LoweredSimt result;
  result.module = std::make_unique<llvm::Module>(kernel.getSymName(), context);
  target.prepare(*result.module);
  ExtentAnalysis extents(kernel);
  PANTILE_ASSIGN(WorkspacePlan workspaces, WorkspacePlan::of(kernel));
  result.artifact.workspaceBytes = workspaces.bytes;
  unsigned phase = 0, warps = 0;
  for (Operation &op : kernel.getBody().front()) {
    if (auto assume = dyn_cast<AssumeOp>(op)) {
      if (auto condition = hostExpression(assume.getCondition())) result.artifact.checks.push_back({*condition, assume.getMessage().str()});
      continue;
    }
    auto grid = dyn_cast<GridOp>(op);
    if (!grid) {
      if (isa<StoreOp, ScatterOp>(op)) return Status(PANTILE_UNSUPPORTED, "a store outside tile.grid");
      continue;
    }
    PhaseLowering lowering(grid, extents, facts, target, schedule, *result.module,
                           kernel.getSymName().str() + "_" + std::to_string(phase++), workspaces);
    PANTILE_ASSIGN(LaunchDescription launch, lowering.run());
    result.artifact.launches.push_back(std::move(launch));
    result.sharedBytes = std::max(result.sharedBytes, lowering.sharedBytes());
    warps = std::max(warps, lowering.warpsUsed());
  }
  result.artifact.resources.push_back({"shared_bytes", result.sharedBytes});
  result.artifact.resources.push_back({"warps", int64_t(warps)});
  return result;
}

} // namespace pantile::simt
