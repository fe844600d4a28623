//===- ir/extents/Extents.h - how much of a tile is there -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A tile of block extent 64 at the edge of a matrix has fewer *logical* elements. This analysis gives each dimension of
// each tile its logical extent as the least of some atoms:
//
//   %x = tile.load %X[%i, full @cols]      dimension 0: elements of range %i, dimension 1: size 1 of view %X
//   %w = tile.broadcast %b along 0         dimension 0: no atom (the whole block), dimension 1: that of %b
//   %y = arith.addf %x, %w                 dimension 0: %i, dimension 1: least of both
//   %z = tile.reshape %q : @kb x 32 -> @kb * 32            32 times the atom of @kb
//
// The join is the union of the atoms, unknown is the empty set: the whole block. Equal sizes are one atom: a view's size
// is named by its `tile.sizes`, and a range that `tile.shift` moved counts as many elements as its source. What a loop
// carries is solved by iteration; atoms made inside a loop do not leave it.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EXTENTS_EXTENTS_H
#define PANTILE_IR_EXTENTS_EXTENTS_H

#include "ir/dialect/Tile.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace pantile::tile {

/// `multiply / divide` times the elements of a range (dim < 0) or of dimension `dim` of a view.
struct ExtentAtom {
  mlir::Value source;
  int64_t dim = -1;
  int64_t multiply = 1, divide = 1;
  bool operator==(const ExtentAtom &) const = default;
};

/// The least of its atoms; none: the whole block.
struct Extent {
  llvm::SmallVector<ExtentAtom, 2> atoms;
  bool isWhole() const { return atoms.empty(); }
  bool contains(const ExtentAtom &atom) const { return llvm::is_contained(atoms, atom); }
  /// Whether every atom of `other` bounds this extent as well.
  bool within(const Extent &other) const;
  /// Adds the atoms of `other`; true if that changed anything.
  bool join(const Extent &other);
  /// times multiply / divide.
  Extent scaled(int64_t multiply, int64_t divide) const;
  bool operator==(const Extent &other) const { return within(other) && other.within(*this); }
};

using Extents = llvm::SmallVector<Extent, 4>;

/// Dimensions of a reshape that correspond: [sourceBegin, sourceEnd) <-> [resultBegin, resultEnd).
struct ReshapeGroup {
  unsigned sourceBegin, sourceEnd, resultBegin, resultEnd;
};
/// The finest grouping; empty if the shapes do not correspond (a verifier error).
llvm::SmallVector<ReshapeGroup, 4> reshapeGroups(ReshapeOp op);

class ExtentAnalysis {
public:
  /// Of a verified kernel of either level.
  explicit ExtentAnalysis(KernelOp kernel);
  /// One entry a dimension. `tile` is a value of tile type of the kernel.
  const Extents &of(mlir::Value tile) const;
  /// The dimensions a load, store, gather or scatter keeps of its view, as its subscripts bound them.
  Extents ofSubscripts(mlir::Operation *access) const;
  /// The one view dimension that stands for all of equal name.
  ExtentAtom atomOfSize(mlir::Value view, int64_t dim) const;
  /// A size known when the kernel is compiled: from the view's type, or a `tile.sizes` entry that is a number; else -1.
  int64_t staticSize(mlir::Value view, int64_t dim) const;
  /// The atom of a range after removing shifts and scales.
  ExtentAtom atomOfRange(mlir::Value range) const;
  /// The atom that bounds a full extent's symbol, where any access of the kernel names it.
  const ExtentAtom *atomOfSymbol(llvm::StringRef symbol) const;

private:
  Extents visit(mlir::Operation *op, unsigned result) const;
  void solve(mlir::Region &region);
  void solveLoop(mlir::Operation *loop, mlir::ValueRange inits, mlir::ValueRange carries, mlir::ValueRange yields);
  bool update(mlir::Value value, const Extents &extents);

  KernelOp kernel;
  llvm::DenseMap<mlir::Value, Extents> extents;
  llvm::DenseMap<mlir::StringRef, ExtentAtom> symbols;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, ExtentAtom> sizes;
};

/// One subscript of an access.
struct Subscript {
  enum Kind : uint8_t { Index, Range, Tile, Full } kind;
  mlir::Value value;      ///< not of Full
  llvm::StringRef symbol; ///< of Full: its symbol, or empty
  int64_t extent = 0;     ///< of Full without a symbol
};
/// The subscripts of a load, store, gather, scatter or atomic_rmw, one a dimension of its view.
llvm::SmallVector<Subscript, 4> subscriptsOf(mlir::Operation *access);
/// The view of an access; null of other operations.
mlir::Value viewOf(mlir::Operation *access);
/// Whether an operation writes to a view: store, scatter, atomic_rmw.
bool writesView(mlir::Operation *op);

} // namespace pantile::tile

#endif // PANTILE_IR_EXTENTS_EXTENTS_H
