//===- ir/interpret/Shape.h - operations that move elements ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// `block`: the extents of the result's type with symbols bound: what a dimension has where nothing clips it.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_SHAPE_H
#define PANTILE_IR_INTERPRET_SHAPE_H

#include "ir/interpret/Value.h"

namespace pantile::interpreter {

TilePtr splat(const Tile &scalar, llvm::ArrayRef<int64_t> block);
/// first, first + 1, ... wrapped to the dtype.
TilePtr positions(DType dtype, int64_t first, int64_t count);
TilePtr broadcast(const Tile &source, llvm::ArrayRef<int64_t> along, llvm::ArrayRef<int64_t> block);
/// The tile with zeros beyond its elements; `extents` are at least its own.
TilePtr grow(const TilePtr &source, llvm::ArrayRef<int64_t> extents);
TilePtr transpose(const Tile &source, llvm::ArrayRef<int64_t> permutation);
TilePtr cat(std::vector<TilePtr> sources, int64_t dim);
TilePtr join(TilePtr lhs, TilePtr rhs);
/// Half 0 or 1 of the last dimension of 2.
TilePtr split(const Tile &source, int64_t half);

/// Dimensions [sourceBegin, sourceEnd) of a reshape's source that become [resultBegin, resultEnd) of its result.
struct Group {
  int64_t sourceBegin, sourceEnd, resultBegin, resultEnd;
};
/// Merges and splits: what is logical must be a prefix of each group, in row-major order. `from`: the source's block.
Expected<TilePtr> reshape(const Tile &source, llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to, llvm::ArrayRef<Group> groups);

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_SHAPE_H
