//===- ir/simt/Space.cpp - the knobs of SIMT targets -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// portableSpace with defaults for SIMT targets:
// 1. A full extent that nothing binds is a setting by its own name, a bound that the size rounds up to; where it may be rolled,
//    it is by default as soon as a row no longer fits the registers of a block.
// 2. Rows beside a full extent: as many as make a tile of about 4096 elements.
// 3. Products of 16 bits or less: blocks of 128 and eight blocks side by side, so that operands are shared.
// 4. Blocks counted in groups (quantized weights) that dots contract: 64 elements.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/LowerSimt.h"
#include "ir/specialize/Specialize.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

namespace {

constexpr int64_t kRowElements = 32768; ///< of a row that is kept whole
constexpr int64_t kTileElements = 4096;
constexpr int64_t kDotStep = 64; ///< elements along k

/// Full-extent symbols of arguments: the size each names, as an expression; fixed ones are left out.
llvm::MapVector<StringRef, std::string> fullExtents(KernelOp kernel, const Facts &facts) {
  llvm::MapVector<StringRef, std::string> result;
  kernel.walk([&](Operation *op) {
    auto kinds = op->getAttrOfType<ArrayAttr>("kinds");
    if (!kinds) return;
    Value view = op->getOperand(isa<StoreOp, ScatterOp>(op) ? 1 : 0);
    auto argument = dyn_cast<BlockArgument>(view);
    if (!argument) return;
    unsigned number = argument.getArgNumber();
    for (auto [d, kind] : llvm::enumerate(kinds)) {
      auto symbol = dyn_cast<FlatSymbolRefAttr>(kind);
      if (!symbol) continue;
      bool isStatic = !ShapedType::isDynamic(cast<ViewType>(view.getType()).getShape()[d]) ||
                      (number < facts.arguments.size() && facts.arguments[number].static_size[d] >= 0);
      result.try_emplace(symbol.getValue(), isStatic ? "" : "s" + std::to_string(number) + "." + std::to_string(d));
    }
  });
  return result;
}

/// Block symbols that share a tile with a full extent.
std::string fullBeside(KernelOp kernel, StringRef block, const llvm::MapVector<StringRef, std::string> &fulls) {
  std::string size;
  kernel.walk([&](Operation *op) {
    for (Type type : op->getResultTypes()) {
      if (!isTile(type) || !size.empty()) continue;
      auto dims = dimsOf(cast<RankedTensorType>(type));
      auto names = [&](StringRef symbol) {
        return llvm::any_of(dims, [&](const Dim &dim) { return !dim.isConstant() && dim.symbol.getValue() == symbol; });
      };
      if (!names(block)) continue;
      for (auto &[symbol, expression] : fulls)
        if (!expression.empty() && names(symbol)) size = expression;
    }
  });
  return size;
}

/// The largest multiple of a symbol that is an extent: 32 for `@kb * 32`.
int64_t factorOf(KernelOp kernel, StringRef symbol) {
  int64_t factor = 1;
  kernel.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (isTile(type))
        for (const Dim &dim : dimsOf(cast<RankedTensorType>(type)))
          if (!dim.isConstant() && dim.symbol.getValue() == symbol) factor = std::max(factor, dim.factor);
  });
  return factor;
}

} // namespace

SpaceDescription simtSpace(KernelOp kernel, const Facts &facts, const SimtTarget &target) {
  SpaceDescription space = portableSpace(kernel, facts);
  const SimtLimits &limits = target.limits();
  auto fulls = fullExtents(kernel, facts);
  bool hasDot = false, hasLoop = false;
  kernel.walk([&](DotOp) { hasDot = true; });
  kernel.walk([&](LoopOp) { hasLoop = true; });
  auto add = [&](std::string name, pantile_parameter_kind kind, std::vector<int64_t> values, std::string usual) {
    ParameterDescription &parameter = space.parameters.emplace_back();
    parameter.name = std::move(name);
    parameter.kind = kind;
    parameter.values = std::move(values);
    parameter.defaultValue = std::move(usual);
  };
  // Blocks of products of narrow elements are larger, and share operands in the second cache.
  unsigned widest = 0;
  kernel.walk([&](DotOp dot) { widest = std::max(widest, elementOf(dot.getLhs().getType()).getIntOrFloatBitWidth()); });
  llvm::StringSet<> spread;
  kernel.walk([&](ParallelOp nest) {
    for (const Dim &dim : nest.getBlocks().getDims())
      if (!dim.isConstant()) spread.insert(dim.symbol.getValue());
  });
  for (ParameterDescription &parameter : space.parameters) {
    StringRef name = parameter.name;
    if (hasDot && widest <= 16 && name.starts_with("l2_groupings.")) {
      auto nests = kernel.getBody().getOps<ParallelOp>();
      unsigned number = 0;
      name.drop_front(13).getAsInteger(10, number);
      auto dims = (*std::next(nests.begin(), number)).getBlocks().getDims();
      if (dims.size() >= 2 && !dims[dims.size() - 1].isConstant() && !dims[dims.size() - 2].isConstant()) parameter.defaultValue = "8";
      continue;
    }
    if (size_t usual = parameter.defaultValue.find(" 64 min");
        hasDot && widest <= 16 && spread.contains(name) && usual != std::string::npos)
      parameter.defaultValue.replace(usual, 7, " 128 min");
    if (name.consume_front("reduction_loops.")) {
      auto found = fulls.find(name);
      if (found == fulls.end() || found->second.empty()) continue;
      parameter.defaultValue = found->second + " " + std::to_string(kRowElements) + " > " + std::to_string(kTileElements) + " 0 select";
      continue;
    }
    if (parameter.kind != PANTILE_PARAMETER_POW2) continue;
    if (int64_t factor = factorOf(kernel, name); factor > 1 && hasDot) {
      parameter.defaultValue = std::to_string(std::max<int64_t>(1, kDotStep / factor));
      parameter.values.front() = 1;
      continue;
    }
    if (std::string size = fullBeside(kernel, name, fulls); !size.empty() && !hasDot)
      parameter.defaultValue =
          std::to_string(kTileElements) + " " + size + " 1 max pow2ceil / 1 max " + std::to_string(parameter.values.back()) + " min";
  }
  for (auto &[symbol, size] : fulls)
    if (!size.empty()) add(symbol.str(), PANTILE_PARAMETER_POW2, {1, 1 << 20}, size + " 1 max pow2ceil");
  int64_t most = std::min<int64_t>(32, limits.threads / limits.lanes);
  std::vector<int64_t> warps{0};
  for (int64_t count = 1; count <= most; count *= 2) warps.push_back(count);
  add("num_warps", PANTILE_PARAMETER_ORDERED, warps, "0");
  if (hasDot && hasLoop && limits.asyncCopyBytes)
    add("num_stages", PANTILE_PARAMETER_INTEGER, {1, 6}, limits.sharedBytes >= 128 << 10 ? "3" : "2");
  // Off until somebody asks: not every kernel gains.
  if (hasDot && hasLoop && target.engine()) add("tensor_engine", PANTILE_PARAMETER_BOOL, {}, "0");
  add("occupancy", PANTILE_PARAMETER_ORDERED, {1, 2, 3, 4, 6, 8}, "1");
  return space;
}

} // namespace pantile::simt
