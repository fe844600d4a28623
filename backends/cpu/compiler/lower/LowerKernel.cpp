//===- cpu/compiler/lower/LowerKernel.cpp ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/LowerKernel.h"

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"
#include "backends/cpu/compiler/lower/Estimate.h"
#include "backends/cpu/compiler/lower/HostExpression.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"

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

  // Workspaces one after the other, each on a cache line.
  llvm::DenseMap<Value, std::string> workspaces;
  std::string used = "0";
  for (auto workspace : body.getOps<WorkspaceOp>()) {
    auto type = cast<ViewType>(workspace.getResult().getType());
    std::string bytes =
        std::to_string(std::max<unsigned>(8, type.getElementType().isIndex() ? 64 : type.getElementType().getIntOrFloatBitWidth()) / 8);
    unsigned dynamic = 0;
    bool all = workspace.getSizes().size() == type.getShape().size();
    for (int64_t size : type.getShape()) {
      if (!all && !ShapedType::isDynamic(size)) {
        bytes += " " + std::to_string(size) + " *";
        continue;
      }
      auto text = hostExpression(workspace.getSizes()[dynamic++]);
      if (!text) return Status(PANTILE_UNSUPPORTED, "a workspace's size is not an expression of sizes");
      bytes += " " + *text + " *";
    }
    workspaces[workspace.getResult()] = used == "0" ? "w" : "w " + used + " +";
    used = (used == "0" ? bytes : used + " " + bytes + " +") + " 63 + 64 / 64 *";
  }
  result.artifact.workspaceBytes = used;

  unsigned phase = 0;
  for (Operation &op : body) {
    if (auto assume = dyn_cast<AssumeOp>(op)) {
      if (auto condition = hostExpression(assume.getCondition())) result.artifact.checks.push_back({*condition, assume.getMessage().str()});
      continue;
    }
    auto grid = dyn_cast<GridOp>(op);
    if (!grid) {
      if (isa<StoreOp, ScatterOp>(op)) return Status(PANTILE_UNSUPPORTED, "a store outside tile.grid");
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
