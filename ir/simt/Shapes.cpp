//===- ir/simt/Shapes.cpp - reshape, join, cat -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

void PhaseLowering::lowerReshape(ReshapeOp reshape) {
  Value source = reshape.getSource(), result = reshape.getResult();
  const PlacedLayout *from = baseOf(source);
  Registers registers = registersOf(source, from);
  if (auto moved = reshapedLayout(reshape, from->layout)) return define(result, placed(*moved), std::move(registers));
  // Row-major shared memory is the same for both shapes.
  auto wide = [](RankedTensorType type) {
    SmallVector<unsigned, 4> order;
    for (unsigned d = unsigned(type.getRank()); d-- > 0;) order.push_back(d);
    return order;
  };
  auto fromType = cast<RankedTensorType>(source.getType()), toType = cast<RankedTensorType>(result.getType());
  int64_t mark = sharedTop;
  SharedTile written = makeShared(fromType.getElementType(), fromType.getShape(), wide(fromType), 0);
  SharedLayout reread = written.layout;
  reread.shape.assign(toType.getShape().begin(), toType.getShape().end());
  reread.order = wide(toType);
  reread.pitch = toType.getRank() ? toType.getShape().back() : 1;
  SharedTile read = sharedTile(reread, written.pointer, toType.getElementType());
  storeShared(written, registers, from);
  const PlacedLayout *to = home(result);
  Registers moved = loadShared(read, to);
  sharedTop = mark;
  define(result, to, std::move(moved));
}

void PhaseLowering::lowerJoin(JoinOp join) {
  const PlacedLayout *narrow = baseOf(join.getLhs()), *layout = placed(joinedLayout(narrow->layout));
  Registers left = registersOf(join.getLhs(), narrow), right = registersOf(join.getRhs(), narrow), both;
  for (auto [l, r] : llvm::zip(left, right)) {
    both.push_back(l);
    both.push_back(r);
  }
  define(join.getResult(), layout, std::move(both));
}

void PhaseLowering::lowerCat(CatOp cat) {
  auto type = cast<RankedTensorType>(cat.getResult().getType());
  SmallVector<unsigned, 4> order;
  for (unsigned d = unsigned(type.getRank()); d-- > 0;) order.push_back(d);
  SmallVector<std::pair<Registers, const PlacedLayout *>, 4> parts;
  for (Value source : cat.getSources()) {
    const PlacedLayout *from = baseOf(source);
    parts.push_back({registersOf(source, from), from});
  }
  int64_t mark = sharedTop, begin = 0;
  SharedTile tile = makeShared(type.getElementType(), type.getShape(), order, 0);
  for (auto [source, part] : llvm::zip(cat.getSources(), parts)) {
    auto partType = cast<RankedTensorType>(source.getType());
    // A tile of the part's shape at its place: writes end at its edge.
    SharedTile window = tile;
    window.layout.shape.assign(partType.getShape().begin(), partType.getShape().end());
    int64_t offset = begin * tile.strides[size_t(cat.getDim())];
    if (offset) window.alignment = unsigned(std::min<int64_t>(16, offset & -offset));
    window.pointer = b.CreateConstGEP1_64(b.getInt8Ty(), tile.pointer, uint64_t(offset));
    storeShared(window, part.first, part.second);
    begin += partType.getDimSize(unsigned(cat.getDim()));
  }
  const PlacedLayout *to = home(cat.getResult());
  Registers moved = loadShared(tile, to);
  sharedTop = mark;
  define(cat.getResult(), to, std::move(moved));
}

} // namespace pantile::simt
