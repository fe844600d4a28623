//===- ir/emit/ElementEmitter.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/ElementEmitter.h"
#include "ir/emit/Random.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::tile {

namespace {

llvm::Type *shapedLike(llvm::Value *value, llvm::Type *element) {
  auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  return vector ? llvm::FixedVectorType::get(element, vector->getNumElements()) : element;
}

/// A divisor that cannot trap: lanes beyond the tile hold anything.
llvm::Value *safeDivisor(llvm::Value *left, llvm::Value *right, bool isSigned, llvm::IRBuilderBase &b) {
  auto *one = llvm::ConstantInt::get(right->getType(), 1);
  if (auto *constant = llvm::dyn_cast<llvm::Constant>(right); constant && !constant->containsUndefOrPoisonElement()) {
    llvm::Constant *element = constant->getType()->isVectorTy() ? constant->getSplatValue() : constant;
    if (auto *integer = llvm::dyn_cast_or_null<llvm::ConstantInt>(element); integer && !integer->isZero() && !integer->isMinusOne())
      return right;
  }
  llvm::Value *bad = b.CreateICmpEQ(right, llvm::Constant::getNullValue(right->getType()));
  if (isSigned) {
    llvm::Value *least = llvm::ConstantInt::get(right->getType(), llvm::APInt::getSignedMinValue(right->getType()->getScalarSizeInBits()));
    bad =
        b.CreateOr(bad, b.CreateAnd(b.CreateICmpEQ(left, least), b.CreateICmpEQ(right, llvm::Constant::getAllOnesValue(right->getType()))));
  }
  return b.CreateSelect(bad, one, right);
}

llvm::CmpInst::Predicate predicateOf(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return llvm::CmpInst::ICMP_EQ;
  case arith::CmpIPredicate::ne:
    return llvm::CmpInst::ICMP_NE;
  case arith::CmpIPredicate::slt:
    return llvm::CmpInst::ICMP_SLT;
  case arith::CmpIPredicate::sle:
    return llvm::CmpInst::ICMP_SLE;
  case arith::CmpIPredicate::sgt:
    return llvm::CmpInst::ICMP_SGT;
  case arith::CmpIPredicate::sge:
    return llvm::CmpInst::ICMP_SGE;
  case arith::CmpIPredicate::ult:
    return llvm::CmpInst::ICMP_ULT;
  case arith::CmpIPredicate::ule:
    return llvm::CmpInst::ICMP_ULE;
  case arith::CmpIPredicate::ugt:
    return llvm::CmpInst::ICMP_UGT;
  case arith::CmpIPredicate::uge:
    return llvm::CmpInst::ICMP_UGE;
  }
  llvm_unreachable("all predicates");
}

llvm::CmpInst::Predicate predicateOf(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
    return llvm::CmpInst::FCMP_FALSE;
  case arith::CmpFPredicate::OEQ:
    return llvm::CmpInst::FCMP_OEQ;
  case arith::CmpFPredicate::OGT:
    return llvm::CmpInst::FCMP_OGT;
  case arith::CmpFPredicate::OGE:
    return llvm::CmpInst::FCMP_OGE;
  case arith::CmpFPredicate::OLT:
    return llvm::CmpInst::FCMP_OLT;
  case arith::CmpFPredicate::OLE:
    return llvm::CmpInst::FCMP_OLE;
  case arith::CmpFPredicate::ONE:
    return llvm::CmpInst::FCMP_ONE;
  case arith::CmpFPredicate::ORD:
    return llvm::CmpInst::FCMP_ORD;
  case arith::CmpFPredicate::UEQ:
    return llvm::CmpInst::FCMP_UEQ;
  case arith::CmpFPredicate::UGT:
    return llvm::CmpInst::FCMP_UGT;
  case arith::CmpFPredicate::UGE:
    return llvm::CmpInst::FCMP_UGE;
  case arith::CmpFPredicate::ULT:
    return llvm::CmpInst::FCMP_ULT;
  case arith::CmpFPredicate::ULE:
    return llvm::CmpInst::FCMP_ULE;
  case arith::CmpFPredicate::UNE:
    return llvm::CmpInst::FCMP_UNE;
  case arith::CmpFPredicate::UNO:
    return llvm::CmpInst::FCMP_UNO;
  case arith::CmpFPredicate::AlwaysTrue:
    return llvm::CmpInst::FCMP_TRUE;
  }
  llvm_unreachable("all predicates");
}

std::optional<MathOp> mathOpOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<MathOp>>(op)
      .Case<math::ExpOp>([](auto) { return MathOp::Exp; })
      .Case<math::Exp2Op>([](auto) { return MathOp::Exp2; })
      .Case<math::ExpM1Op>([](auto) { return MathOp::Expm1; })
      .Case<math::LogOp>([](auto) { return MathOp::Log; })
      .Case<math::Log2Op>([](auto) { return MathOp::Log2; })
      .Case<math::Log10Op>([](auto) { return MathOp::Log10; })
      .Case<math::Log1pOp>([](auto) { return MathOp::Log1p; })
      .Case<math::TanhOp>([](auto) { return MathOp::Tanh; })
      .Case<math::ErfOp>([](auto) { return MathOp::Erf; })
      .Case<math::ErfcOp>([](auto) { return MathOp::Erfc; })
      .Case<math::SinOp>([](auto) { return MathOp::Sin; })
      .Case<math::CosOp>([](auto) { return MathOp::Cos; })
      .Case<math::TanOp>([](auto) { return MathOp::Tan; })
      .Case<math::SqrtOp>([](auto) { return MathOp::Sqrt; })
      .Case<math::RsqrtOp>([](auto) { return MathOp::Rsqrt; })
      .Case<math::FloorOp>([](auto) { return MathOp::Floor; })
      .Case<math::CeilOp>([](auto) { return MathOp::Ceil; })
      .Case<math::TruncOp>([](auto) { return MathOp::Trunc; })
      .Case<math::RoundOp>([](auto) { return MathOp::Round; })
      .Case<math::RoundEvenOp>([](auto) { return MathOp::RoundEven; })
      .Case<math::AbsFOp>([](auto) { return MathOp::Abs; })
      .Case<math::PowFOp>([](auto) { return MathOp::Pow; })
      .Case<math::CopySignOp>([](auto) { return MathOp::CopySign; })
      .Case<math::FmaOp>([](auto) { return MathOp::Fma; })
      .Case<arith::RemFOp>([](auto) { return MathOp::Rem; })
      .Default(std::nullopt);
}

} // namespace

llvm::Type *ElementEmitter::registerType(mlir::Type type) {
  type = elementOf(type);
  if (isa<IndexType>(type)) return llvm::Type::getInt64Ty(context);
  if (type.isF32()) return llvm::Type::getFloatTy(context);
  if (type.isF64()) return llvm::Type::getDoubleTy(context);
  return llvm::IntegerType::get(context, type.getIntOrFloatBitWidth());
}

llvm::Type *ElementEmitter::memoryType(mlir::Type type) {
  llvm::Type *element = registerType(type);
  return element->isIntegerTy(1) ? llvm::Type::getInt8Ty(context) : element;
}

llvm::Value *ElementEmitter::constant(mlir::Attribute value, mlir::Type type) {
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    if (!dense.isSplat()) {
      fail("constant tiles of different elements are not supported by " + backend);
      return llvm::PoisonValue::get(registerType(type));
    }
    return constant(dense.getSplatValue<Attribute>(), elementOf(type));
  }
  llvm::Type *element = registerType(type);
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return llvm::ConstantInt::get(element, integer.getValue().sextOrTrunc(element->getIntegerBitWidth()));
  if (auto boolean = dyn_cast<BoolAttr>(value)) return llvm::ConstantInt::get(element, boolean.getValue());
  auto real = cast<FloatAttr>(value).getValue();
  if (element->isIntegerTy()) return llvm::ConstantInt::get(element, real.bitcastToAPInt());
  return llvm::ConstantFP::get(element, real);
}

llvm::Value *ElementEmitter::widen(llvm::Value *value, mlir::Type type, llvm::IRBuilderBase &b) {
  type = elementOf(type);
  if (!isNarrowFloat(type)) return value;
  llvm::Type *narrowType = type.isBF16() ? b.getBFloatTy() : b.getHalfTy();
  if (!type.isBF16() && !type.isF16()) {
    fail("element type of " + std::to_string(type.getIntOrFloatBitWidth()) + "-bit floats is not supported by " + backend);
    return llvm::PoisonValue::get(shapedLike(value, b.getFloatTy()));
  }
  return extend(b, b.CreateBitCast(value, shapedLike(value, narrowType)));
}

llvm::Value *ElementEmitter::narrow(llvm::Value *value, mlir::Type type, llvm::IRBuilderBase &b) {
  type = elementOf(type);
  if (!isNarrowFloat(type)) return value;
  llvm::Type *bits = shapedLike(value, registerType(type));
  if (!type.isBF16() && !type.isF16()) {
    fail("element type of " + std::to_string(type.getIntOrFloatBitWidth()) + "-bit floats is not supported by " + backend);
    return llvm::PoisonValue::get(bits);
  }
  if (value->getType()->getScalarType()->isDoubleTy()) value = b.CreateFPTrunc(value, shapedLike(value, b.getFloatTy()));
  return b.CreateBitCast(truncate(b, value, type.isBF16() ? b.getBFloatTy() : b.getHalfTy()), bits);
}

llvm::Value *ElementEmitter::convert(llvm::Value *value, mlir::Type from, mlir::Type to, bool isUnsigned, llvm::IRBuilderBase &b) {
  from = elementOf(from);
  to = elementOf(to);
  if (from == to) return value;
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  isUnsigned |= from.isInteger(1);
  llvm::Type *result = shapedLike(value, registerType(to));
  if (fromFloat) value = widen(value, from, b);
  if (fromFloat && toFloat) {
    llvm::Type *wide = shapedLike(value, to.isF64() ? b.getDoubleTy() : b.getFloatTy());
    if (value->getType() != wide) value = to.isF64() ? b.CreateFPExt(value, wide) : b.CreateFPTrunc(value, wide);
    return narrow(value, to, b);
  }
  if (fromFloat)
    return b.CreateIntrinsic(isUnsigned || to.isInteger(1) ? llvm::Intrinsic::fptoui_sat : llvm::Intrinsic::fptosi_sat,
                             {result, value->getType()}, {value});
  if (toFloat) {
    llvm::Type *wide = shapedLike(value, to.isF64() ? b.getDoubleTy() : b.getFloatTy());
    value = isUnsigned ? b.CreateUIToFP(value, wide) : b.CreateSIToFP(value, wide);
    return narrow(value, to, b);
  }
  return isUnsigned ? b.CreateZExtOrTrunc(value, result) : b.CreateSExtOrTrunc(value, result);
}

llvm::Value *ElementEmitter::elementwise(Operation *op, llvm::ArrayRef<llvm::Value *> given, llvm::IRBuilderBase &b) {
  mlir::Type from = op->getNumOperands() ? elementOf(op->getOperand(op->getNumOperands() - 1).getType()) : mlir::Type();
  mlir::Type to = elementOf(op->getResult(0).getType());
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) return constant(constantOp.getValue(), constantOp.getType());
  if (auto cast = dyn_cast<CastOp>(op)) return convert(given[0], from, to, cast.getIsUnsigned(), b);
  if (isa<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::FPToSIOp, arith::TruncIOp, arith::ExtSIOp, arith::IndexCastOp>(op)) {
    if (isa<arith::ExtSIOp>(op) && from.isInteger(1)) return b.CreateSExt(given[0], shapedLike(given[0], registerType(to)));
    if (isa<arith::SIToFPOp>(op) && from.isInteger(1))
      return narrow(b.CreateSIToFP(given[0], shapedLike(given[0], to.isF64() ? b.getDoubleTy() : b.getFloatTy())), to, b);
    return convert(given[0], from, to, false, b);
  }
  if (isa<arith::ExtUIOp, arith::UIToFPOp, arith::FPToUIOp, arith::IndexCastUIOp>(op)) return convert(given[0], from, to, true, b);
  if (auto random = dyn_cast<RandomOp>(op)) return emitPhilox(b, given[0], given[1], unsigned(random.getWord()));
  if (isa<arith::BitcastOp>(op)) {
    llvm::Type *result = shapedLike(given[0], registerType(to));
    return b.CreateBitCast(given[0], result);
  }
  if (isa<arith::SelectOp>(op)) {
    llvm::Value *condition = given[0];
    if (condition->getType()->isVectorTy() != given[1]->getType()->isVectorTy() && !condition->getType()->isVectorTy())
      return b.CreateSelect(condition, given[1], given[2]);
    return b.CreateSelect(condition, given[1], given[2]);
  }
  if (!isNarrowFloat(from)) return arithmetic(op, given, b);
  SmallVector<llvm::Value *, 4> wide;
  for (auto [value, operand] : llvm::zip(given, op->getOperands())) wide.push_back(widen(value, operand.getType(), b));
  llvm::Value *result = arithmetic(op, wide, b);
  return isNarrowFloat(to) ? narrow(result, to, b) : result;
}

llvm::Value *ElementEmitter::arithmetic(Operation *op, llvm::ArrayRef<llvm::Value *> v, llvm::IRBuilderBase &b) {
  auto binary = [&](llvm::Intrinsic::ID id) { return b.CreateBinaryIntrinsic(id, v[0], v[1]); };
  auto noSignedZeros = [&](llvm::Intrinsic::ID id) {
    llvm::IRBuilderBase::FastMathFlagGuard guard(b);
    llvm::FastMathFlags flags = b.getFastMathFlags();
    flags.setNoSignedZeros();
    b.setFastMathFlags(flags);
    return b.CreateBinaryIntrinsic(id, v[0], v[1]);
  };
  return llvm::TypeSwitch<Operation *, llvm::Value *>(op)
      .Case([&](arith::AddFOp) { return b.CreateFAdd(v[0], v[1]); })
      .Case([&](arith::SubFOp) { return b.CreateFSub(v[0], v[1]); })
      .Case([&](arith::MulFOp) { return b.CreateFMul(v[0], v[1]); })
      .Case([&](arith::DivFOp) { return b.CreateFDiv(v[0], v[1]); })
      .Case([&](arith::NegFOp) { return b.CreateFNeg(v[0]); })
      .Case([&](arith::MaximumFOp) { return noSignedZeros(llvm::Intrinsic::maximum); })
      .Case([&](arith::MinimumFOp) { return noSignedZeros(llvm::Intrinsic::minimum); })
      .Case([&](arith::MaxNumFOp) { return noSignedZeros(llvm::Intrinsic::maxnum); })
      .Case([&](arith::MinNumFOp) { return noSignedZeros(llvm::Intrinsic::minnum); })
      .Case([&](arith::CmpFOp cmp) { return b.CreateFCmp(predicateOf(cmp.getPredicate()), v[0], v[1]); })
      .Case([&](arith::AddIOp) { return b.CreateAdd(v[0], v[1]); })
      .Case([&](arith::SubIOp) { return b.CreateSub(v[0], v[1]); })
      .Case([&](arith::MulIOp) { return b.CreateMul(v[0], v[1]); })
      .Case([&](arith::DivSIOp) { return b.CreateSDiv(v[0], safeDivisor(v[0], v[1], true, b)); })
      .Case([&](arith::DivUIOp) { return b.CreateUDiv(v[0], safeDivisor(v[0], v[1], false, b)); })
      .Case([&](arith::RemSIOp) { return b.CreateSRem(v[0], safeDivisor(v[0], v[1], true, b)); })
      .Case([&](arith::RemUIOp) { return b.CreateURem(v[0], safeDivisor(v[0], v[1], false, b)); })
      .Case([&](arith::CeilDivUIOp) {
        llvm::Value *divisor = safeDivisor(v[0], v[1], false, b), *quotient = b.CreateUDiv(v[0], divisor);
        return b.CreateAdd(quotient, b.CreateZExt(b.CreateICmpNE(b.CreateMul(quotient, divisor), v[0]), v[0]->getType()));
      })
      .Case<arith::CeilDivSIOp, arith::FloorDivSIOp>([&](Operation *which) {
        llvm::Value *divisor = safeDivisor(v[0], v[1], true, b), *quotient = b.CreateSDiv(v[0], divisor);
        llvm::Value *inexact = b.CreateICmpNE(b.CreateMul(quotient, divisor), v[0]);
        auto *zero = llvm::Constant::getNullValue(v[0]->getType());
        llvm::Value *negative = b.CreateXor(b.CreateICmpSLT(v[0], zero), b.CreateICmpSLT(divisor, zero));
        if (isa<arith::CeilDivSIOp>(which))
          return b.CreateAdd(quotient, b.CreateZExt(b.CreateAnd(inexact, b.CreateNot(negative)), v[0]->getType()));
        return b.CreateSub(quotient, b.CreateZExt(b.CreateAnd(inexact, negative), v[0]->getType()));
      })
      .Case([&](arith::AndIOp) { return b.CreateAnd(v[0], v[1]); })
      .Case([&](arith::OrIOp) { return b.CreateOr(v[0], v[1]); })
      .Case([&](arith::XOrIOp) { return b.CreateXor(v[0], v[1]); })
      .Case([&](arith::ShLIOp) { return b.CreateShl(v[0], v[1]); })
      .Case([&](arith::ShRSIOp) { return b.CreateAShr(v[0], v[1]); })
      .Case([&](arith::ShRUIOp) { return b.CreateLShr(v[0], v[1]); })
      .Case([&](arith::MaxSIOp) { return binary(llvm::Intrinsic::smax); })
      .Case([&](arith::MinSIOp) { return binary(llvm::Intrinsic::smin); })
      .Case([&](arith::MaxUIOp) { return binary(llvm::Intrinsic::umax); })
      .Case([&](arith::MinUIOp) { return binary(llvm::Intrinsic::umin); })
      .Case([&](arith::CmpIOp cmp) { return b.CreateICmp(predicateOf(cmp.getPredicate()), v[0], v[1]); })
      .Default([&](Operation *other) { return mathFunction(other, v, b); });
}

llvm::Value *ElementEmitter::mathFunction(Operation *op, llvm::ArrayRef<llvm::Value *> v, llvm::IRBuilderBase &b) {
  return llvm::TypeSwitch<Operation *, llvm::Value *>(op)
      .Case([&](math::AbsIOp) { return b.CreateIntrinsic(llvm::Intrinsic::abs, {v[0]->getType()}, {v[0], b.getFalse()}); })
      .Case([&](math::IsNaNOp) { return b.CreateFCmpUNO(v[0], v[0]); })
      .Case([&](math::IsInfOp) {
        llvm::Value *magnitude = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v[0]);
        return b.CreateFCmpOEQ(magnitude, llvm::ConstantFP::getInfinity(v[0]->getType()));
      })
      .Default([&](Operation *other) -> llvm::Value * {
        if (std::optional<MathOp> function = mathOpOf(other)) {
          // Approximations rely on every rounding; only what surrounds them may be contracted.
          llvm::IRBuilderBase::FastMathFlagGuard guard(b);
          b.clearFastMathFlags();
          return math(b, *function, v);
        }
        fail("operation '" + other->getName().getStringRef().str() + "' is not supported by " + backend, other);
        return llvm::PoisonValue::get(shapedLike(v.empty() ? b.getInt32(0) : v[0], registerType(op->getResult(0).getType())));
      });
}

} // namespace pantile::tile
