//===- ir/specialize/OnlineSums.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/OnlineSums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pantile::specialization {

namespace {

/// The scalar constant that a tile repeats, or null.
FloatAttr splatOf(Value value) {
  auto splat = value.getDefiningOp<tile::SplatOp>();
  auto constant = splat ? splat.getScalar().getDefiningOp<arith::ConstantOp>() : arith::ConstantOp();
  return constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
}

bool isNamed(Value value, llvm::StringRef name) {
  Operation *op = value.getDefiningOp();
  return op && op->getName().getStringRef() == name;
}

/// (x - m) where m is the maximum of x.
tile::ReduceOp maximumOf(Value difference) {
  auto minus = difference.getDefiningOp<arith::SubFOp>();
  if (!minus) return {};
  Value subtracted;
  if (auto broadcast = minus.getRhs().getDefiningOp<tile::BroadcastOp>())
    subtracted = broadcast.getSource();
  else if (auto splat = minus.getRhs().getDefiningOp<tile::SplatOp>())
    subtracted = splat.getScalar();
  auto reduce = subtracted ? subtracted.getDefiningOp<tile::ReduceOp>() : tile::ReduceOp();
  if (!reduce || !reduce.getKind() || (*reduce.getKind() != "maximumf" && *reduce.getKind() != "maxnumf")) return {};
  if (reduce.getSources()[0] != minus.getLhs()) return {};
  if (auto broadcast = minus.getRhs().getDefiningOp<tile::BroadcastOp>();
      broadcast && broadcast.getAlong() != ArrayRef<int64_t>(int64_t(reduce.getDim())))
    return {};
  return reduce;
}

/// exp of a difference, times whatever is ready. `narrows`: roundings of the terms are let through.
bool matchTerms(Value terms, bool narrows, llvm::function_ref<bool(Value, Operation *)> isReady, OnlineSum &found) {
  if (isNamed(terms, "arith.mulf")) {
    Operation *product = terms.getDefiningOp();
    for (unsigned side : {0u, 1u})
      if (matchTerms(product->getOperand(side), narrows, isReady, found) && isReady(product->getOperand(1 - side), found.maximum))
        return true;
    return false;
  }
  if (narrows && (isNamed(terms, "arith.truncf") || isNamed(terms, "tile.cast")) && isa<FloatType>(tile::elementOf(terms.getType())))
    return matchTerms(terms.getDefiningOp()->getOperand(0), narrows, isReady, found);
  found.base2 = isNamed(terms, "math.exp2");
  if (!found.base2 && !isNamed(terms, "math.exp")) return false;
  Value exponent = terms.getDefiningOp()->getOperand(0);
  found.scale = {};
  if (auto product = exponent.getDefiningOp<arith::MulFOp>()) {
    for (auto [one, other] : {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())})
      if (FloatAttr factor = splatOf(one); factor && factor.getValueAsDouble() > 0) {
        found.scale = factor;
        exponent = other;
        break;
      }
  }
  found.maximum = maximumOf(exponent);
  Type element = tile::elementOf(terms.getType());
  return found.maximum && (element.isF32() || element.isF64());
}

} // namespace

std::optional<OnlineSum> OnlineSum::match(Operation *sum, llvm::function_ref<bool(Value, Operation *)> isReady) {
  OnlineSum found{sum, {}, false, {}, 0};
  if (auto reduce = dyn_cast<tile::ReduceOp>(sum)) {
    if (!reduce.getKind() || *reduce.getKind() != "addf") return std::nullopt;
    if (!matchTerms(reduce.getSources()[0], /*narrows=*/false, isReady, found)) return std::nullopt;
    return found.maximum.getDim() == reduce.getDim() ? std::optional(found) : std::nullopt;
  }
  auto dot = dyn_cast<tile::DotOp>(sum);
  FloatAttr start = dot ? splatOf(dot.getAcc()) : FloatAttr();
  if (!start || !start.getValue().isPosZero()) return std::nullopt;
  auto rank = unsigned(cast<RankedTensorType>(dot.getType()).getRank());
  for (bool left : {true, false}) {
    Value terms = left ? dot.getLhs() : dot.getRhs(), other = left ? dot.getRhs() : dot.getLhs();
    unsigned contracted = left == (left ? dot.getTransposeLhs() : dot.getTransposeRhs()) ? rank - 2 : rank - 1;
    if (!matchTerms(terms, /*narrows=*/true, isReady, found) || !isReady(other, found.maximum)) continue;
    Type element = tile::elementOf(found.maximum.getResults()[0].getType());
    if (found.maximum.getDim() != contracted || element != tile::elementOf(dot.getType())) continue;
    found.along = left ? rank - 1 : rank - 2;
    return found;
  }
  return std::nullopt;
}

Value OnlineSum::spread(OpBuilder &builder, Location loc, Value narrow, Type to) const {
  if (narrow.getType() == to) return narrow;
  if (!tile::isTile(narrow.getType())) return tile::SplatOp::create(builder, loc, to, narrow);
  return tile::BroadcastOp::create(builder, loc, to, narrow, ArrayRef<int64_t>(int64_t(along)));
}

static Value constantOf(OpBuilder &builder, Location loc, double value, Type like) {
  Value scalar = arith::ConstantOp::create(builder, loc, builder.getFloatAttr(tile::elementOf(like), value));
  return tile::isTile(like) ? tile::SplatOp::create(builder, loc, like, scalar).getResult() : scalar;
}

Value OnlineSum::reference(OpBuilder &builder, Location loc, Value running) {
  Value lowest = constantOf(builder, loc, -std::numeric_limits<double>::infinity(), running.getType());
  Value unseen = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, running, lowest);
  return arith::SelectOp::create(builder, loc, unseen, constantOf(builder, loc, 0, running.getType()), running);
}

Value OnlineSum::rescale(OpBuilder &builder, Location loc, Value total, Value before, Value now) const {
  // Equal maxima, infinite ones too, leave the sum as it is.
  Value same = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, before, now);
  Value exponent = arith::SubFOp::create(builder, loc, before, now);
  if (scale)
    exponent =
        arith::MulFOp::create(builder, loc, exponent, constantOf(builder, loc, cast<FloatAttr>(scale).getValueAsDouble(), now.getType()));
  OperationState power(loc, base2 ? "math.exp2" : "math.exp", exponent, exponent.getType());
  Value factor =
      arith::SelectOp::create(builder, loc, same, constantOf(builder, loc, 1, now.getType()), builder.create(power)->getResult(0));
  return arith::MulFOp::create(builder, loc, total, spread(builder, loc, factor, total.getType()));
}

Value OnlineSum::finish(OpBuilder &builder, Location loc, Value total, Value highest, Value size) const {
  Value zeroOrNan = arith::SubFOp::create(builder, loc, highest, highest);
  Value sum = arith::AddFOp::create(builder, loc, total, spread(builder, loc, zeroOrNan, total.getType()));
  Value any = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sgt, size, arith::ConstantIndexOp::create(builder, loc, 0));
  return arith::SelectOp::create(builder, loc, any, sum, total);
}

} // namespace pantile::specialization
