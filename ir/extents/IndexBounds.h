//===- ir/extents/IndexBounds.h - what is known of indices --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Proofs from the way a kernel is written: a grid or loop over [0, size) makes ranges and indices inside that size, and
// sizes of one name are equal. What is not proven is checked at run time.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EXTENTS_INDEXBOUNDS_H
#define PANTILE_IR_EXTENTS_INDEXBOUNDS_H

#include "core/Artifact.h"
#include "ir/extents/Extents.h"

namespace pantile::tile {

class IndexBounds {
public:
  /// Of a scheduled kernel; all must outlive it.
  IndexBounds(KernelOp kernel, const ExtentAnalysis &extents, const Facts &facts) : kernel(kernel), extents(extents), facts(facts) {}

  /// Whether every logical element of the range lies inside dimension `dim` of the access's view.
  bool insideView(mlir::Operation *access, unsigned dim, mlir::Value range) const;
  bool isAtMostSize(mlir::Value upper, mlir::Value view, unsigned dim) const;
  bool isNonNegative(mlir::Value index) const;
  /// An index that a grid or loop over this very dimension counts.
  bool isKnownIndex(mlir::Value index, mlir::Value view, unsigned dim) const;
  /// A power of two, at most 128, that divides it.
  int64_t divisorOf(mlir::Value index) const;
  int64_t divisorOfBegin(mlir::Value range) const;
  /// A power of two, at most 128, that divides the number of elements of an atom, or the size of a view's dimension.
  int64_t divisorOf(const ExtentAtom &atom) const;
  int64_t divisorOfSize(mlir::Value view, int64_t dim) const;
  /// From the view's type, its name, or a fact; -1: dynamic.
  int64_t knownSize(mlir::Value view, int64_t dim) const;
  /// Whether facts prove that no atom takes anything from a block of `size`.
  bool isWhole(const Extent &extent, int64_t size) const;

private:
  bool isMultiple(mlir::Value value, int64_t of) const;
  /// Whether the kernel assumes that `factor` times the size a range counts up to is the view's size.
  bool assumesMultiple(mlir::Value upper, int64_t factor, mlir::Value view, unsigned dim) const;

  KernelOp kernel;
  const ExtentAnalysis &extents;
  const Facts &facts;
};

} // namespace pantile::tile

#endif // PANTILE_IR_EXTENTS_INDEXBOUNDS_H
