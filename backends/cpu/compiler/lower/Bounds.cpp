//===- cpu/compiler/lower/Bounds.cpp - what is known of indices ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Proofs from the way a kernel is written: a grid or loop over [0, size) makes ranges and indices inside that size, and
// sizes of one name are equal. What is not proven is checked at run time.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/PhaseLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

/// The power of two that divides a value, as far as anyone cares (128 bytes).
int64_t lowBit(int64_t value) { return value == 0 ? 128 : std::min<int64_t>(128, value & -value); }

} // namespace

int64_t PhaseLowering::divisorOf(Value index) {
  Operation *op = index.getDefiningOp();
  if (!op) return 1;
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
    if (auto integer = dyn_cast<IntegerAttr>(constantOp.getValue())) return lowBit(integer.getInt());
  if (isa<arith::MulIOp>(op)) return std::min<int64_t>(128, divisorOf(op->getOperand(0)) * divisorOf(op->getOperand(1)));
  if (isa<arith::AddIOp, arith::SubIOp>(op)) return std::min(divisorOf(op->getOperand(0)), divisorOf(op->getOperand(1)));
  if (auto dim = dyn_cast<DimOp>(op))
    if (auto argument = dyn_cast<BlockArgument>(dim.getView()); argument && argument.getArgNumber() < facts.arguments.size())
      return std::max<int64_t>(1, facts.arguments[argument.getArgNumber()].size_divisor[dim.getDim()]);
  if (isa<BeginOp>(op)) return divisorOfBegin(op->getOperand(0));
  return 1;
}

int64_t PhaseLowering::divisorOfBegin(Value range) {
  Operation *op = range.getDefiningOp();
  if (auto argument = dyn_cast<BlockArgument>(range)) {
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    if (!loop) return 1;
    int64_t extent = cast<RangeType>(range.getType()).getExtent();
    return loop.getLower() ? std::min(lowBit(extent), divisorOf(loop.getLower())) : lowBit(extent);
  }
  if (auto make = dyn_cast<MakeRangeOp>(op)) return divisorOf(make.getBegin());
  if (auto scale = dyn_cast<ScaleOp>(op)) return std::min<int64_t>(128, divisorOfBegin(scale.getRange()) * lowBit(scale.getFactor()));
  if (auto shift = dyn_cast<ShiftOp>(op)) return std::min(divisorOfBegin(shift.getRange()), divisorOf(shift.getOffset()));
  return 1;
}

/// Whether every logical element of the range lies inside dimension `dim` of the view: a grid's or loop's range from 0 to a
/// size equal to the view's.
bool PhaseLowering::insideView(Operation *access, unsigned dim, Value given) {
  Value view = pantile::tile::viewOf(access);
  // Scaling [0, n) by f needs a view of n * f: what `tile.sizes` cannot say, so it is checked.
  Value upper, lower;
  if (auto argument = dyn_cast<BlockArgument>(given)) {
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    if (!loop) return false;
    upper = loop.getUpper();
    lower = loop.getLower();
    if (lower) {
      // From a non-negative begin: another range's begin, or a product of ids.
      if (!isNonNegative(lower)) return false;
    }
  } else if (auto make = given.getDefiningOp<MakeRangeOp>()) {
    upper = make.getEnd();
    if (!isNonNegative(make.getBegin())) return false;
  } else {
    return false;
  }
  return isAtMostSize(upper, view, dim);
}

bool PhaseLowering::isAtMostSize(Value upper, Value view, unsigned dim) {
  if (auto size = upper.getDefiningOp<DimOp>()) return extents.atomOfSize(size.getView(), size.getDim()) == extents.atomOfSize(view, dim);
  if (auto constantOp = upper.getDefiningOp<arith::ConstantOp>()) {
    int64_t size = extents.staticSize(view, dim);
    return size >= 0 && cast<IntegerAttr>(constantOp.getValue()).getInt() <= size;
  }
  if (isa_and_nonnull<arith::MinSIOp, arith::MinUIOp>(upper.getDefiningOp()))
    return isAtMostSize(upper.getDefiningOp()->getOperand(0), view, dim) || isAtMostSize(upper.getDefiningOp()->getOperand(1), view, dim);
  if (auto end = upper.getDefiningOp<EndOp>()) {
    Value range = end.getRange();
    if (auto make = range.getDefiningOp<MakeRangeOp>()) return isAtMostSize(make.getEnd(), view, dim);
    if (auto argument = dyn_cast<BlockArgument>(range))
      if (auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp())) return isAtMostSize(loop.getUpper(), view, dim);
  }
  return false;
}

bool PhaseLowering::isNonNegative(Value index) {
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    if (isa<GridOp>(argument.getOwner()->getParentOp())) return true;
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    return loop && argument.getArgNumber() == 0 && isa<IndexType>(index.getType()) && (!loop.getLower() || isNonNegative(loop.getLower()));
  }
  Operation *op = index.getDefiningOp();
  if (isa<DimOp, IdOp>(op)) return true;
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    auto integer = dyn_cast<IntegerAttr>(constantOp.getValue());
    return integer && !integer.getValue().isNegative();
  }
  if (isa<arith::AddIOp, arith::MulIOp, arith::DivUIOp, arith::RemUIOp, arith::DivSIOp, arith::RemSIOp, arith::CeilDivUIOp, arith::CeilDivSIOp, arith::MinSIOp, arith::MinUIOp,
          arith::FloorDivSIOp>(op))
    return isNonNegative(op->getOperand(0)) && isNonNegative(op->getOperand(1));
  if (isa<arith::MaxSIOp>(op)) return isNonNegative(op->getOperand(0)) || isNonNegative(op->getOperand(1));
  if (auto begin = dyn_cast<BeginOp>(op)) {
    if (auto make = begin.getRange().getDefiningOp<MakeRangeOp>()) return isNonNegative(make.getBegin());
    if (auto argument = dyn_cast<BlockArgument>(begin.getRange()))
      if (auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp())) return !loop.getLower() || isNonNegative(loop.getLower());
  }
  return false;
}

bool PhaseLowering::isKnownIndex(Value index, Value view, unsigned dim) {
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    return loop && argument.getArgNumber() == 0 && isAtMostSize(loop.getUpper(), view, dim) && (!loop.getLower() || isNonNegative(loop.getLower()));
  }
  if (auto constantOp = index.getDefiningOp<arith::ConstantOp>()) {
    int64_t size = extents.staticSize(view, dim), at = cast<IntegerAttr>(constantOp.getValue()).getInt();
    return at >= 0 && at < size;
  }
  if (auto remainder = index.getDefiningOp<arith::RemUIOp>()) return isAtMostSize(remainder.getRhs(), view, dim);
  return false;
}

} // namespace pantile::cpu
