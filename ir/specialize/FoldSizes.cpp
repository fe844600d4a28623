//===- ir/specialize/FoldSizes.cpp - sizes that are facts -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. `tile.dim %A, d` becomes a constant where the facts (or A's type) give the size.
// 2. Sizes of one name in `tile.sizes` are one size: a fact about any of them counts for all.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pantile::specialization {

void foldSizes(tile::KernelOp kernel, const Facts &facts) {
  llvm::StringMap<int64_t> named;
  auto nameOf = [&](Value view, int64_t dim) -> llvm::StringRef {
    auto argument = dyn_cast<BlockArgument>(view);
    if (!argument || argument.getOwner() != &kernel.getBody().front()) return {};
    auto names = kernel.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tile.sizes");
    return names ? cast<StringAttr>(names[size_t(dim)]).getValue() : llvm::StringRef();
  };
  for (BlockArgument argument : kernel.getBody().front().getArguments()) {
    auto type = dyn_cast<tile::ViewType>(argument.getType());
    if (!type) continue;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (int64_t size = staticSize(facts, argument, dim); size >= 0)
        if (llvm::StringRef name = nameOf(argument, dim); !name.empty()) named[name] = size;
  }
  kernel.walk([&](tile::DimOp op) {
    int64_t size = staticSize(facts, op.getView(), int64_t(op.getDim()));
    if (auto known = named.find(nameOf(op.getView(), int64_t(op.getDim()))); size < 0 && known != named.end()) size = known->second;
    if (size < 0) return;
    OpBuilder builder(op);
    op.replaceAllUsesWith(arith::ConstantIndexOp::create(builder, op.getLoc(), size).getResult());
    op.erase();
  });
}

} // namespace pantile::specialization
