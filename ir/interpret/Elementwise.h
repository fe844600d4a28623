//===- ir/interpret/Elementwise.h - arith, math and casts over whole tiles ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_ELEMENTWISE_H
#define PANTILE_IR_INTERPRET_ELEMENTWISE_H

#include "ir/interpret/Value.h"

#include "llvm/ADT/StringRef.h"

namespace pantile::interpreter {

/// The logical elements with `extents`, each at most the tile's. A scalar is every tile.
TilePtr crop(const TilePtr &tile, llvm::ArrayRef<int64_t> extents);
/// Crops all to their common extents; scalars stay.
Sizes cropTogether(llvm::MutableArrayRef<TilePtr> tiles);

/// Whether `name` ("arith.addf") is one of the operations below.
bool isElementwise(llvm::StringRef name);
/// Evaluates an operation of arith or math on tiles and scalars (a scalar stands for a tile of itself). `predicate`: of cmpi and
/// cmpf. Errors: integer division by zero.
Expected<TilePtr> evaluate(llvm::StringRef name, int64_t predicate, llvm::MutableArrayRef<TilePtr> operands, DType result);

/// tile.cast and the casts of arith. `isUnsigned`: integers extend and convert as unsigned.
TilePtr castTo(const Tile &source, DType result, bool isUnsigned);
TilePtr bitcastTo(const Tile &source, DType result);

/// Arrays with a step: 0 repeats a scalar.
template <typename T> struct Array {
  const T *data;
  ptrdiff_t step;
};
using FloatBinary = void (*)(Array<double>, Array<double>, double *, size_t);
using IntegerBinary = void (*)(Array<int64_t>, Array<int64_t>, int64_t *, size_t, unsigned bits);

/// A kind of tile.reduce and tile.scan ("addf"): into[i] = kind(into[i], from[i]); floats are rounded to `dtype` on demand,
/// integers wrap.
class Combine {
public:
  Combine(llvm::StringRef kind, DType dtype, bool rounds);
  bool isKnown() const { return floats || integers; }
  void operator()(double *into, const double *from, size_t count) const;
  void operator()(int64_t *into, const int64_t *from, size_t count) const;

private:
  DType dtype;
  bool rounds;
  FloatBinary floats = nullptr;
  IntegerBinary integers = nullptr;
};
/// The identity, as one element of a tile of `dtype`.
TilePtr identityOf(llvm::StringRef kind, DType dtype);

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_ELEMENTWISE_H
