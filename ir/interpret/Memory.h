//===- ir/interpret/Memory.h - checked reads and writes of views ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_MEMORY_H
#define PANTILE_IR_INTERPRET_MEMORY_H

#include "ir/interpret/Value.h"

#include <functional>

namespace pantile::interpreter {

/// One subscript, evaluated: a position (drops the dimension), a run of positions, or a tile of positions.
struct Selector {
  enum Kind : uint8_t { Position, Run, Positions } kind = Position;
  int64_t begin = 0, count = 1;
  TilePtr positions;
};
using Selectors = llvm::SmallVector<Selector, 4>;

/// The box that an access without tiles of positions covers, clipped to the view.
struct Box {
  Sizes begin, count; ///< of the view's dimensions
  bool isEmpty() const { return llvm::is_contained(count, 0); }
};

/// Positions outside the view read as `pad`; without one they are an error that names the first of them.
Expected<TilePtr> load(const View &view, const Selectors &selectors, const Tile *pad);
/// Writes what lies inside the view and says which box that was.
Box store(const View &view, const Selectors &selectors, TilePtr value);

/// Tiles of positions, all of one shape, and a mask of that shape or null. Positions outside or masked read as `pad` or zero.
TilePtr gather(const View &view, const Selectors &selectors, TilePtr mask, const Tile *pad);
/// Calls `written` for each run of elements along the last dimension.
void scatter(const View &view, const Selectors &selectors, TilePtr mask, TilePtr value, const std::function<void(const Box &)> &written);

/// A zeroed workspace. Fails above 2^40 bytes.
/// Combines `value` into the view by a kind of tile.reduce, or `exchange`, one element after another. Gives what was there.
TilePtr atomic(const View &view, const Selectors &selectors, TilePtr mask, TilePtr value, llvm::StringRef kind,
               const std::function<void(const Box &)> &written);

Expected<ViewPtr> allocateWorkspace(DType dtype, llvm::ArrayRef<int64_t> sizes);

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_MEMORY_H
