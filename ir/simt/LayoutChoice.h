//===- ir/simt/LayoutChoice.h - where each tile of a phase is computed -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Lazy values have no layout: splats, positions, broadcasts, transposes, constants, splits and elementwise operations on
//    lazy operands alone. Everything else belongs to a group.
// 2. Values that an elementwise operation, a loop's carry, an scf.if or a dot's accumulator ties together are one group: one layout.
// 3. Groups with a dot take its accumulator's layout. The others, largest first, take the layout that a decided neighbour
//    gives them (a reduction's result and a broadcast's source: a slice; gather's positions: a slice; join, reshape: the
//    source's with another dimension), else one for their memory accesses: lanes and vectors along the dimension that is
//    contiguous in memory.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_LAYOUTCHOICE_H
#define PANTILE_IR_SIMT_LAYOUTCHOICE_H

#include "ir/extents/IndexBounds.h"
#include "ir/simt/SimtTarget.h"

namespace pantile::simt {

/// Of an element in memory.
inline unsigned bytesOf(mlir::Type element) { return std::max(8u, element.isIndex() ? 64u : element.getIntOrFloatBitWidth()) / 8; }

/// How a dot is computed: by one atom, or (NULL) by multiply-adds. Layouts over the dot's own dimensions: batches, then (m, n),
/// (m, k) and (n, k) for one k-step.
struct DotPlan {
  const DotAtom *atom = nullptr;
  Layout acc, lhs, rhs;
  unsigned warpsM = 1, warpsN = 1;
  /// The atom is of warp groups (four warps): the right operand, and the left one where no thread holds it, are in shared memory.
  /// warpsM and warpsN count groups; piecesM and piecesN what each does.
  bool group = false;
  unsigned piecesM = 1, piecesN = 1;
};

class LayoutChoice {
public:
  LayoutChoice(tile::GridOp grid, const tile::ExtentAnalysis &extents, const tile::IndexBounds &bounds, const Facts &facts,
               const SimtTarget &target, unsigned warps, bool groupDots);

  bool isLazy(mlir::Value tile) const;
  /// Of a value that is not lazy; of a lazy one: a layout by its shape.
  const Layout &of(mlir::Value tile);
  const DotPlan &planOf(tile::DotOp dot) const { return plans.find(dot)->second; }
  /// A layout for reaching the elements of a load, store, gather or scatter.
  Layout forAccess(mlir::Operation *access, mlir::RankedTensorType type) const;
  /// Elements of one vector access, as facts allow, and the tile's dimension it runs along (-1: none).
  std::pair<unsigned, int> vectorOf(mlir::Operation *access) const;

  /// Warps so that a thread holds a reasonable number of registers.
  static unsigned warpsFor(tile::GridOp grid, const SimtTarget &target);

private:
  unsigned find(unsigned group) const;
  void unite(mlir::Value a, mlir::Value b);
  unsigned groupOf(mlir::Value value);
  void collect();
  void planDots();
  DotPlan planDot(tile::DotOp dot, bool rowsByWarp);
  std::optional<DotPlan> planGroupDot(tile::DotOp dot, bool rowsByWarp);
  void decide();
  std::optional<Layout> fromNeighbours(unsigned group);
  /// The layout a lazy value would be wanted in, by its first decided user.
  std::optional<Layout> wantedOf(mlir::Value lazy, unsigned depth);
  Layout byShape(mlir::RankedTensorType type) const;

  tile::GridOp grid;
  const tile::ExtentAnalysis &extents;
  const tile::IndexBounds &bounds;
  const Facts &facts;
  const SimtTarget &target;
  unsigned warps;
  bool groupDots;
  mutable llvm::DenseMap<mlir::Value, bool> lazy;
  llvm::DenseMap<mlir::Value, unsigned> numbers;
  mutable std::vector<unsigned> parents;
  std::vector<llvm::SmallVector<mlir::Value, 4>> members;
  std::vector<std::optional<Layout>> layouts; ///< by the group's root
  llvm::DenseMap<mlir::Operation *, DotPlan> plans;
  llvm::DenseMap<mlir::Value, Layout> shapes;
};

/// A reshape's result layout where its registers stay where they are; nullopt: elements must move.
std::optional<Layout> reshapedLayout(tile::ReshapeOp reshape, const Layout &source);
/// A join's: the new last dimension in registers, fastest.
Layout joinedLayout(const Layout &source);

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_LAYOUTCHOICE_H
