//===- ir/interpret/Contract.h - dot, reduce, scan of whole tiles ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_CONTRACT_H
#define PANTILE_IR_INTERPRET_CONTRACT_H

#include "ir/interpret/Value.h"

#include "llvm/ADT/StringRef.h"

namespace pantile::interpreter {

struct DotOptions {
  bool transposeLhs = false, transposeRhs = false;
  bool tf32 = false;     ///< operands are rounded to tf32 first
  bool declared = false; ///< every product and sum is rounded to acc's dtype; else f64, rounded once
};
/// acc + lhs x rhs over the last two dimensions, on the extents that all have.
TilePtr dot(TilePtr lhs, TilePtr rhs, TilePtr acc, const DotOptions &options);

/// A dimension of a tile as three nested loops: outer, along, inner.
struct Along {
  int64_t outer, length, inner;
  Along(llvm::ArrayRef<int64_t> extents, int64_t dim)
      : outer(product(extents.take_front(dim))), length(extents[dim]), inner(product(extents.drop_front(dim + 1))) {}
};

/// By kind ("addf"); rank 0 where the source has rank 1.
TilePtr reduce(const Tile &source, int64_t dim, llvm::StringRef kind, bool declared);
TilePtr scan(const Tile &source, int64_t dim, llvm::StringRef kind, bool reverse, bool exclusive, bool declared);

/// One position along a dimension, as a tile without it; and back.
TilePtr slice(const Tile &source, int64_t dim, int64_t position);
void insert(Tile &into, int64_t dim, int64_t position, const Tile &part);

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_CONTRACT_H
