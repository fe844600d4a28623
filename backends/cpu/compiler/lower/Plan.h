//===- cpu/compiler/lower/Plan.h - which nests compute what ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Turns the operations of each block into steps: scalar operations, loop nests with one or more roots, dots, scans and
// control flow. A root is what makes a nest necessary: a store, a reduction, or a tile that must lie in a buffer. Roots
// over the same elements share a nest as long as none needs another's finished result:
//
//   softmax:  nest {max = reduce x}   nest {e -> buffer, total = reduce e}   nest {store e / total}
//
// Every other tile is lazy. A lazy value is given a buffer where recomputing it costs more than reading it back: it is
// expensive and several nests, or a deeper loop, use it; a dot wants it contiguous; or the view it was loaded from is
// written before its last use. Buffers are shared in place along accumulators (a dot's acc, what a loop carries) where
// nothing reads the old value later.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_PLAN_H
#define PANTILE_CPU_LOWER_PLAN_H

#include "ir/extents/Extents.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

#include <functional>
#include <map>
#include <vector>

namespace pantile::cpu {

struct Root {
  enum Kind : uint8_t { Store, Scatter, Fill, Reduce } kind;
  mlir::Operation *op; ///< of Store, Scatter, Reduce
  mlir::Value value;   ///< of Fill: what is computed
  mlir::Value target;  ///< of Fill: whose buffer receives it
};

struct Step {
  enum Kind : uint8_t { Scalar, Nest, Dot, Scan, TopK, Control } kind;
  mlir::Operation *op = nullptr; ///< not of Nest
  llvm::SmallVector<Root, 2> roots;
};

/// The elements a root ranges over.
struct Domain {
  mlir::RankedTensorType type;
  tile::Extents extents;
  int64_t reduced = -1; ///< dimension that a Reduce folds
};

/// Whether a dot can read this operand in place (a load whose layout its kernel accepts).
using ReadsInPlace = std::function<bool(tile::DotOp, mlir::Value operand, bool isLhs)>;

class Plan {
public:
  Plan(tile::GridOp grid, const tile::ExtentAnalysis &extents, ReadsInPlace readsInPlace);

  const std::vector<Step> &steps(mlir::Block *block) const { return blocks.at(block); }
  /// Whether the tile lies in a buffer (else it is lazy).
  bool isBuffered(mlir::Value tile) const;
  /// The value whose buffer it shares (itself where it has its own).
  mlir::Value owner(mlir::Value tile) const;
  Domain domain(const Root &root) const;

private:
  struct Leaf {
    mlir::Value value; ///< a buffered tile, a scalar, a range, or a load's result
    bool shifted;      ///< read at other positions than the root's
  };
  using Leaves = llvm::SmallVector<Leaf, 4>;

  void build();
  void buildBlock(mlir::Block &block);
  void addRoot(std::vector<Step> &steps, Root root);
  void close() { open = false; }
  bool joins(const Step &group, const Root &root);
  void visitOp(std::vector<Step> &steps, mlir::Operation *op);
  void visitTerminator(std::vector<Step> &steps, mlir::Operation *terminator);
  /// Elects further buffers from what the last build used where; false: none.
  bool elect();
  bool unshareConflicts();
  const Leaves &leaves(mlir::Value value);
  void collect(mlir::Value value, bool shifted, Leaves &into, llvm::DenseSet<mlir::Value> &seen);
  Leaves rootLeaves(const Root &root);
  void noteUses(mlir::Value value, unsigned step, mlir::Block *block, bool shifted);
  unsigned cost(mlir::Value value, llvm::DenseMap<mlir::Value, unsigned> &memo);

  tile::GridOp grid;
  const tile::ExtentAnalysis &extents;
  ReadsInPlace readsInPlace;
  std::map<mlir::Block *, std::vector<Step>> blocks;
  llvm::DenseSet<mlir::Value> elected;
  llvm::DenseSet<mlir::Value> unshared; ///< accumulators that may not share
  llvm::DenseMap<mlir::Value, mlir::Value> owners;
  llvm::DenseMap<mlir::Value, Leaves> leafCache;
  struct Use {
    unsigned step;
    mlir::Block *block;
    bool shifted;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Use, 4>> uses;
  bool open = false;
  unsigned nextStep = 0;
};

/// A tile computed on demand at positions (else it is computed whole by a step of its own).
/// What a store, scatter or atomic_rmw writes.
mlir::Value writtenValue(mlir::Operation *write);
bool isLazyOperation(mlir::Operation *op);
/// A tile of zeros.
bool isZeroSplat(mlir::Value value);
/// The dot whose sums `carry` is, where it starts from zeros and nothing else touches it: the loop's first pass may overwrite
/// whatever is in its buffer. Null: no such dot.
tile::DotOp overwritingDot(mlir::Value carry);

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_PLAN_H
