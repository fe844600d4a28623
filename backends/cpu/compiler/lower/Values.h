//===- cpu/compiler/lower/Values.h - tiles as functions of their positions -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A tile is never a whole vector. It is either a buffer, or lazy: an expression that loop nests evaluate at positions.
// A position is one dimension's index, the same for all lanes (uniform), one more each lane (consecutive), or any vector
// of indices (scattered). A value whose positions are all uniform evaluates to a scalar, otherwise to a vector.
//
// Scopes are the straight-line stretches of a nest: one a loop level. Whatever depends only on outer positions is
// evaluated in the outer scope, so loop invariants are hoisted by construction, and each scope remembers what it
// computed, so a value that several consumers share is computed once.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_VALUES_H
#define PANTILE_CPU_LOWER_VALUES_H

#include "ir/emit/PhaseScalars.h"

#include "llvm/IR/IRBuilder.h"

#include <map>
#include <memory>

namespace pantile::cpu {

using tile::RangeNumbers;
using tile::View;

struct Scope;

enum class PositionKind : uint8_t { Uniform, Consecutive, Scattered };

struct Position {
  PositionKind kind = PositionKind::Uniform;
  llvm::Value *base = nullptr; ///< i64; scattered: a vector of i64 (offset 0); null: only the offset
  int64_t offset = 0;          ///< added to base
  int64_t multiple = 1;        ///< known divisor of base
  Scope *scope = nullptr;      ///< where base was computed; null: a constant
  tile::Extent bounds;         ///< what the position is known to lie below (its logical lanes)
  bool isConstant() const { return !base && kind == PositionKind::Uniform; }
  static Position constant(int64_t offset) { return {PositionKind::Uniform, nullptr, offset, 1, nullptr, {}}; }
};
using Positions = llvm::SmallVector<Position, 4>;

/// A straight-line stretch of code that dominates the scopes inside it.
struct Scope {
  Scope(llvm::BasicBlock *block, Scope *parent) : builder(block), parent(parent), depth(parent ? parent->depth + 1 : 0) {
    // Products and sums may fuse.
    llvm::FastMathFlags flags;
    flags.setAllowContract();
    builder.setFastMathFlags(flags);
    if (parent) {
      lanes = parent->lanes;
      mask = parent->mask;
    }
  }
  /// Leaves the block through `branch`; what is still evaluated here goes before it.
  void seal(llvm::Instruction *branch) { builder.SetInsertPoint(branch); }

  using Key = std::pair<void *, llvm::SmallVector<std::pair<llvm::Value *, int64_t>, 4>>;
  llvm::IRBuilder<> builder;
  Scope *parent;
  unsigned depth;
  unsigned lanes = 1;          ///< of vectors evaluated here
  llvm::Value *mask = nullptr; ///< lanes that are logical elements; null: all
  std::map<Key, llvm::Value *> memo;
};

/// A tile in memory, row-major, the last dimension padded to whole vectors.
struct Buffer {
  llvm::Value *pointer = nullptr;
  mlir::Type element;
  llvm::SmallVector<llvm::Value *, 4> strides; ///< i64, elements; last: 1
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_VALUES_H
