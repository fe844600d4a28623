//===- ir/interpret/Value.h - what an SSA value is while interpreted ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_VALUE_H
#define PANTILE_IR_INTERPRET_VALUE_H

#include "core/DType.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <variant>
#include <vector>

namespace mlir {
class Type;
}

namespace pantile::interpreter {

using Sizes = llvm::SmallVector<int64_t, 4>;

inline int64_t product(llvm::ArrayRef<int64_t> sizes) {
  int64_t result = 1;
  for (int64_t size : sizes) result *= size;
  return result;
}

/// A dense row-major array of logical elements; a scalar has rank 0 and one element. Floats are kept as f64, already rounded
/// to the dtype; integers sign-extended from their width (i1: 0 or 1).
struct Tile {
  DType dtype = PANTILE_DTYPE_INVALID;
  Sizes extents;
  std::vector<double> floats;
  std::vector<int64_t> integers;

  Tile(DType dtype, llvm::ArrayRef<int64_t> extents);
  bool isFloat() const { return info(dtype).kind == DTypeClass::Float; }
  int64_t count() const { return product(extents); }
  int64_t rank() const { return int64_t(extents.size()); }
  /// Calls f(array of this, array of other) on whichever arrays the dtype uses.
  template <typename F> void with(const Tile &other, F &&f) {
    if (isFloat())
      f(floats, other.floats);
    else
      f(integers, other.integers);
  }
};
using TilePtr = std::shared_ptr<const Tile>;

TilePtr integerScalar(int64_t value, DType dtype = PANTILE_INDEX);

/// Positions [begin, end) of a block of `block`; `id`: its ordinal in the loop.
struct Range {
  int64_t begin = 0, end = 0, block = 0, id = 0;
  int64_t count() const { return end > begin ? end - begin : 0; }
};

struct View {
  char *data = nullptr;
  DType dtype = PANTILE_DTYPE_INVALID;
  Sizes sizes, strides;
  int argument = -1;             ///< -1: a workspace
  std::shared_ptr<char[]> owner; ///< of a workspace
};
using ViewPtr = std::shared_ptr<const View>;

using Value = std::variant<std::monostate, TilePtr, Range, ViewPtr>;

/// The dtype of an element type, or of a tile's elements.
DType dtypeOf(mlir::Type type);

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_VALUE_H
