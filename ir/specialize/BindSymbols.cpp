//===- ir/specialize/BindSymbols.cpp - extents for symbols ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. A block symbol's extent is its setting in the configuration, else the default.
// 2. A full extent's is the size that a fact gives it (a symbol of the attribute `static` must have one), else a setting of
//    the same name (a size that no call exceeds), else it stays dynamic.
// 3. Every tile and range type with a bound symbol gets its extent; #tile.dims keeps the symbol.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"
#include "ir/specialize/Passes.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace pantile::specialization {

Symbols symbolsOf(tile::KernelOp kernel) {
  Symbols symbols;
  auto stepBy = [&](Operation *loop, tile::DimsAttr dims) {
    for (const tile::Dim &dim : dims.getDims())
      if (!dim.isConstant()) symbols.blocks[dim.symbol.getValue()].push_back(loop);
  };
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto parallel = dyn_cast<tile::ParallelOp>(op))
      stepBy(op, parallel.getBlocks());
    else if (auto loop = dyn_cast<tile::LoopOp>(op))
      stepBy(op, loop.getBlocks());
    Value view = tile::viewOf(op);
    if (!view) return;
    for (auto [dim, subscript] : llvm::enumerate(tile::subscriptsOf(op))) {
      if (subscript.kind != tile::Subscript::Full || subscript.symbol.empty()) continue;
      auto [known, isNew] = symbols.fulls.try_emplace(subscript.symbol, view, int64_t(dim));
      if (!isNew && !isa<BlockArgument>(known->second.first) && isa<BlockArgument>(view)) known->second = {view, int64_t(dim)};
    }
  });
  return symbols;
}

int64_t staticSize(const Facts &facts, Value view, int64_t dim) {
  auto argument = dyn_cast<BlockArgument>(view);
  int64_t declared = cast<tile::ViewType>(view.getType()).getShape()[dim];
  if (!ShapedType::isDynamic(declared)) return declared;
  if (!argument || !isa<tile::KernelOp>(argument.getOwner()->getParentOp())) return -1;
  unsigned number = argument.getArgNumber();
  return number < facts.arguments.size() && dim < facts.arguments[number].rank ? facts.arguments[number].static_size[dim] : -1;
}

Status bindSymbols(tile::KernelOp kernel, const Facts &facts, const Configuration &configuration, const SpecializeOptions &options) {
  Symbols symbols = symbolsOf(kernel);
  llvm::StringMap<int64_t> extents;
  for (auto &[symbol, loops] : symbols.blocks) {
    int64_t extent = blockExtent(kernel, symbols, symbol, configuration);
    if (extent < 1) return settingError(symbol.str(), "a block has at least 1 element, given " + std::to_string(extent));
    extents[symbol] = extent;
  }

  llvm::StringSet<> statics;
  if (auto names = kernel->getAttrOfType<ArrayAttr>("static"))
    for (auto name : names.getAsRange<FlatSymbolRefAttr>()) statics.insert(name.getValue());
  for (auto &[symbol, dimension] : symbols.fulls) {
    auto [view, dim] = dimension;
    int64_t size = staticSize(facts, view, dim);
    if (size >= 0) {
      extents[symbol] = size;
    } else if (statics.contains(symbol)) {
      return Status(PANTILE_INVALID_ARGUMENT, "@" + symbol.str() + " is static, but the facts do not give its size")
          .withFix("state the size of the dimension it names as a static fact");
    } else if (int64_t bound = configuration.integer({symbol.data(), symbol.size()}, 0); bound > 0) {
      extents[symbol] = bound;
    } else if (!options.dynamicFullExtents && configuration.integer("reduction_loops." + symbol.str(), 0) <= 0) {
      return Status(PANTILE_INVALID_ARGUMENT, "full extent @" + symbol.str() + " has no bound")
          .withFix("set " + symbol.str() + " to a size no call exceeds, make its size a fact, or roll it (reduction_loops." + symbol.str() +
                   ")");
    }
  }

  AttrTypeReplacer replacer;
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<Type> {
    if (!tile::isTile(type)) return std::nullopt;
    SmallVector<int64_t, 4> shape(type.getShape());
    for (auto [extent, dim] : llvm::zip(shape, tile::dimsOf(type)))
      if (auto bound = dim.isConstant() ? extents.end() : extents.find(dim.symbol.getValue()); bound != extents.end())
        extent = bound->second * dim.factor;
    return tile::tileOf(type.getElementType(), tile::dimsOf(type), shape);
  });
  replacer.addReplacement([&](tile::RangeType type) -> std::optional<Type> {
    const tile::Dim &dim = type.getDim();
    if (dim.isConstant()) return std::nullopt;
    auto bound = extents.find(dim.symbol.getValue());
    if (bound == extents.end()) return std::nullopt;
    return tile::RangeType::get(type.getContext(), dim, bound->second * dim.factor);
  });
  replacer.recursivelyReplaceElementsIn(kernel, /*replaceAttrs=*/false, /*replaceLocs=*/false, /*replaceTypes=*/true);
  return {};
}

} // namespace pantile::specialization
