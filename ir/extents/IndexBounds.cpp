//===- ir/extents/IndexBounds.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/IndexBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::tile {

namespace {

/// The power of two that divides a value, as far as anyone cares (128 bytes).
int64_t lowBit(int64_t value) { return value == 0 ? 128 : std::min<int64_t>(128, value & -value); }

} // namespace

int64_t IndexBounds::divisorOf(Value index) const {
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

int64_t IndexBounds::divisorOfBegin(Value range) const {
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

bool IndexBounds::insideView(Operation *access, unsigned dim, Value given) const {
  Value view = pantile::tile::viewOf(access);
  int64_t factor = 1;
  while (auto scale = given.getDefiningOp<ScaleOp>()) {
    factor *= int64_t(scale.getFactor());
    given = scale.getRange();
  }
  Value upper;
  if (auto argument = dyn_cast<BlockArgument>(given)) {
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    if (!loop || (loop.getLower() && !isNonNegative(loop.getLower()))) return false;
    upper = loop.getUpper();
  } else if (auto make = given.getDefiningOp<MakeRangeOp>()) {
    if (!isNonNegative(make.getBegin())) return false;
    upper = make.getEnd();
  } else {
    return false;
  }
  return factor == 1 ? isAtMostSize(upper, view, dim) : assumesMultiple(upper, factor, view, dim);
}

bool IndexBounds::assumesMultiple(Value upper, int64_t factor, Value view, unsigned dim) const {
  auto isSize = [&](Value value, Value ofView, int64_t ofDim) {
    auto size = value.getDefiningOp<DimOp>();
    return size && extents.atomOfSize(size.getView(), size.getDim()) == extents.atomOfSize(ofView, ofDim);
  };
  auto counted = upper.getDefiningOp<DimOp>();
  if (!counted) return false;
  auto isProduct = [&](Value value) {
    auto product = value.getDefiningOp<arith::MulIOp>();
    if (!product) return false;
    for (auto [size, number] : {std::pair{product.getLhs(), product.getRhs()}, {product.getRhs(), product.getLhs()}}) {
      auto constantOp = number.getDefiningOp<arith::ConstantOp>();
      if (constantOp && isSize(size, counted.getView(), counted.getDim()) && cast<IntegerAttr>(constantOp.getValue()).getInt() == factor)
        return true;
    }
    return false;
  };
  for (auto assume : KernelOp(kernel).getBody().getOps<AssumeOp>()) {
    auto equal = assume.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!equal || equal.getPredicate() != arith::CmpIPredicate::eq) continue;
    if ((isSize(equal.getLhs(), view, dim) && isProduct(equal.getRhs())) ||
        (isSize(equal.getRhs(), view, dim) && isProduct(equal.getLhs())))
      return true;
  }
  return false;
}

bool IndexBounds::isAtMostSize(Value upper, Value view, unsigned dim) const {
  if (auto size = upper.getDefiningOp<DimOp>()) return extents.atomOfSize(size.getView(), size.getDim()) == extents.atomOfSize(view, dim);
  if (auto constantOp = upper.getDefiningOp<arith::ConstantOp>()) {
    int64_t size = extents.staticSize(view, dim);
    return cast<IntegerAttr>(constantOp.getValue()).getInt() <= std::max<int64_t>(size, 0);
  }
  if (isa_and_nonnull<arith::MinSIOp, arith::MinUIOp>(upper.getDefiningOp()))
    return isAtMostSize(upper.getDefiningOp()->getOperand(0), view, dim) || isAtMostSize(upper.getDefiningOp()->getOperand(1), view, dim);
  if (isa_and_nonnull<arith::MaxSIOp>(upper.getDefiningOp()))
    return isAtMostSize(upper.getDefiningOp()->getOperand(0), view, dim) && isAtMostSize(upper.getDefiningOp()->getOperand(1), view, dim);
  if (auto end = upper.getDefiningOp<EndOp>()) {
    Value range = end.getRange();
    if (auto make = range.getDefiningOp<MakeRangeOp>()) return isAtMostSize(make.getEnd(), view, dim);
    if (auto argument = dyn_cast<BlockArgument>(range))
      if (auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp())) return isAtMostSize(loop.getUpper(), view, dim);
  }
  return false;
}

bool IndexBounds::isNonNegative(Value index) const {
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
  if (isa<arith::AddIOp, arith::MulIOp, arith::DivSIOp, arith::RemSIOp, arith::CeilDivUIOp, arith::CeilDivSIOp, arith::MinSIOp,
          arith::FloorDivSIOp>(op))
    return isNonNegative(op->getOperand(0)) && isNonNegative(op->getOperand(1));
  // Unsigned: no larger than the dividend, smaller than the divisor, no larger than either.
  if (isa<arith::DivUIOp>(op)) return isNonNegative(op->getOperand(0));
  if (isa<arith::RemUIOp, arith::MinUIOp, arith::MaxSIOp>(op)) return isNonNegative(op->getOperand(0)) || isNonNegative(op->getOperand(1));
  if (auto begin = dyn_cast<BeginOp>(op)) {
    if (auto make = begin.getRange().getDefiningOp<MakeRangeOp>()) return isNonNegative(make.getBegin());
    if (auto argument = dyn_cast<BlockArgument>(begin.getRange()))
      if (auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp())) return !loop.getLower() || isNonNegative(loop.getLower());
  }
  return false;
}

bool IndexBounds::isKnownIndex(Value index, Value view, unsigned dim) const {
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    return loop && argument.getArgNumber() == 0 && isAtMostSize(loop.getUpper(), view, dim) &&
           (!loop.getLower() || isNonNegative(loop.getLower()));
  }
  if (auto constantOp = index.getDefiningOp<arith::ConstantOp>()) {
    int64_t size = extents.staticSize(view, dim), at = cast<IntegerAttr>(constantOp.getValue()).getInt();
    return at >= 0 && at < size;
  }
  if (auto remainder = index.getDefiningOp<arith::RemUIOp>()) return isAtMostSize(remainder.getRhs(), view, dim);
  return false;
}

int64_t IndexBounds::knownSize(Value view, int64_t dim) const {
  ExtentAtom atom = extents.atomOfSize(view, dim);
  if (int64_t size = extents.staticSize(atom.source, atom.dim); size >= 0) return size;
  auto argument = dyn_cast<BlockArgument>(atom.source);
  if (!argument || argument.getArgNumber() >= facts.arguments.size()) return -1;
  return facts.arguments[argument.getArgNumber()].static_size[atom.dim];
}

int64_t IndexBounds::divisorOfSize(Value view, int64_t dim) const {
  if (int64_t size = knownSize(view, dim); size >= 0) return lowBit(size);
  ExtentAtom atom = extents.atomOfSize(view, dim);
  auto argument = dyn_cast<BlockArgument>(atom.source);
  if (!argument || argument.getArgNumber() >= facts.arguments.size()) return 1;
  return std::max<int64_t>(1, facts.arguments[argument.getArgNumber()].size_divisor[atom.dim]);
}

int64_t IndexBounds::divisorOf(const ExtentAtom &atom) const {
  if (atom.divide != 1) return 1;
  int64_t divisor = 1;
  if (atom.dim >= 0) {
    divisor = divisorOfSize(atom.source, atom.dim);
  } else {
    // min(begin + extent, upper) - begin
    Value upper;
    if (auto make = Value(atom.source).getDefiningOp<MakeRangeOp>())
      upper = make.getEnd();
    else if (auto argument = dyn_cast<BlockArgument>(atom.source))
      if (auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp())) upper = loop.getUpper();
    if (!upper) return 1;
    int64_t extent = cast<RangeType>(atom.source.getType()).getExtent();
    divisor = std::min({lowBit(extent), divisorOf(upper), divisorOfBegin(atom.source)});
  }
  return std::min<int64_t>(128, divisor * lowBit(atom.multiply));
}

bool IndexBounds::isMultiple(Value value, int64_t of) const {
  if (of == 1) return true;
  Operation *op = value.getDefiningOp();
  if (!op) return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](arith::ConstantIndexOp constant) { return constant.value() % of == 0; })
      .Case([&](DimOp dim) {
        auto argument = dyn_cast<BlockArgument>(dim.getView());
        if (!argument || argument.getArgNumber() >= facts.arguments.size()) return false;
        const pantile_argument_facts &known = facts.arguments[argument.getArgNumber()];
        return int64_t(dim.getDim()) < known.rank && known.size_divisor[dim.getDim()] % uint32_t(of) == 0 &&
               known.size_divisor[dim.getDim()] != 0;
      })
      .Case([&](arith::MulIOp product) { return isMultiple(product.getLhs(), of) || isMultiple(product.getRhs(), of); })
      .Case<arith::AddIOp, arith::SubIOp, arith::MinSIOp>(
          [&](auto both) { return isMultiple(both.getLhs(), of) && isMultiple(both.getRhs(), of); })
      .Default([](Operation *) { return false; });
}

bool IndexBounds::isWhole(const Extent &extent, int64_t size) const {
  if (ShapedType::isDynamic(size)) return true;
  return llvm::all_of(extent.atoms, [&](const ExtentAtom &atom) {
    if (atom.dim >= 0) {
      int64_t known = knownSize(atom.source, atom.dim);
      return known >= 0 && known * atom.multiply >= size * atom.divide;
    }
    auto type = cast<RangeType>(atom.source.getType());
    int64_t block = type.getExtent();
    if (block * atom.multiply < size * atom.divide) return false;
    if (auto make = Value(atom.source).getDefiningOp<MakeRangeOp>())
      return isMultiple(make.getBegin(), block) && isMultiple(make.getEnd(), block);
    auto argument = dyn_cast<BlockArgument>(atom.source);
    auto loop = argument ? dyn_cast<LoopOp>(argument.getOwner()->getParentOp()) : LoopOp();
    return loop && isMultiple(loop.getUpper(), block) && (!loop.getLower() || isMultiple(loop.getLower(), block));
  });
}

} // namespace pantile::tile
