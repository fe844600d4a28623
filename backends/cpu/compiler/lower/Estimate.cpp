//===- cpu/compiler/lower/Estimate.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/Estimate.h"

#include "ir/emit/HostExpression.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringMap.h"

#include <map>

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

std::string estimatedNanoseconds(GridOp grid, const CpuTarget &target) {
  KernelOp kernel = grid->getParentOfType<KernelOp>();
  // Full extents by symbol.
  llvm::StringMap<std::string> fulls;
  kernel.walk([&](Operation *op) {
    ArrayAttr kinds;
    Value view;
    if (auto load = dyn_cast<LoadOp>(op))
      kinds = load.getKinds(), view = load.getView();
    else if (auto store = dyn_cast<StoreOp>(op))
      kinds = store.getKinds(), view = store.getView();
    else if (auto gather = dyn_cast<GatherOp>(op))
      kinds = gather.getKinds(), view = gather.getView();
    else
      return;
    if (auto argument = dyn_cast<BlockArgument>(view))
      for (auto [dim, kind] : llvm::enumerate(kinds))
        if (auto symbol = dyn_cast<FlatSymbolRefAttr>(kind))
          fulls.try_emplace(symbol.getValue(), "s" + std::to_string(argument.getArgNumber()) + "." + std::to_string(dim));
  });

  // Picoseconds a program, constant factors gathered by what they multiply.
  std::map<std::string, int64_t> terms;
  grid.walk([&](Operation *op) {
    Value tile = op->getNumResults() ? op->getResult(0) : isa<StoreOp>(op) ? cast<StoreOp>(op).getValue() : Value();
    if (isa<ReduceOp>(op)) tile = op->getOperand(0);
    if (!tile || !isTile(tile.getType())) return;
    auto type = cast<RankedTensorType>(tile.getType());
    int64_t elements = 1;
    std::string factor;
    auto times = [&](RankedTensorType of, unsigned dim) {
      if (!of.isDynamicDim(dim)) {
        elements *= of.getDimSize(dim);
      } else if (Dim entry = dimsOf(of)[dim]; entry.symbol) {
        auto found = fulls.find(entry.symbol.getValue());
        if (found != fulls.end()) factor += " " + found->second + " *";
        elements *= entry.factor;
      }
    };
    for (unsigned dim = 0; dim < type.getRank(); ++dim) times(type, dim);
    int64_t picoseconds = 40;
    if (auto dot = dyn_cast<DotOp>(op)) {
      auto lhs = cast<RankedTensorType>(dot.getLhs().getType());
      times(lhs, unsigned(lhs.getRank()) - (dot.getTransposeLhs() ? 2 : 1));
      picoseconds = std::max<int64_t>(5, 320 / target.lanes(32));
    } else if (op->getDialect() && op->getDialect()->getNamespace() == "math") {
      picoseconds = 300;
    } else if (isa<LoadOp, StoreOp, GatherOp, ScatterOp>(op)) {
      picoseconds = 200;
    }
    for (Operation *parent = op->getParentOp(); parent && parent != grid.getOperation(); parent = parent->getParentOp())
      if (auto loop = dyn_cast<LoopOp>(parent)) {
        Type counter = loop.getBody().getArgument(0).getType();
        int64_t extent = isa<RangeType>(counter) ? cast<RangeType>(counter).getExtent() : 1;
        auto upper = hostExpression(loop.getUpper());
        if (upper && !loop.getLower()) factor += " " + *upper + " " + std::to_string(extent) + " ceildiv *";
      }
    terms[factor] += elements * picoseconds;
  });
  std::string sum;
  for (auto &[factor, picoseconds] : terms)
    sum = (sum.empty() ? "" : sum + " ") + std::to_string(picoseconds) + factor + (sum.empty() ? "" : " +");
  auto count = hostExpression(grid.getCount());
  if (sum.empty() || !count) return "0";
  return *count + " " + sum + " * 1000 /";
}

} // namespace pantile::cpu
