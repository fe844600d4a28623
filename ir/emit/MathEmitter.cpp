//===- ir/emit/MathEmitter.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/MathEmitter.h"

using namespace llvm;

namespace pantile {

using V = MathEmitter::V;

MathEmitter::MathEmitter(IRBuilderBase &b, Type *type, const MathTarget &target)
    : b(b), type(type), target(target), isDouble(type->getScalarType()->isDoubleTy()), mantissaBits(isDouble ? 52 : 23),
      bias(isDouble ? 1023 : 127) {
  assert((isDouble || type->getScalarType()->isFloatTy()) && "extend f16 and bf16 first");
  auto *vector = dyn_cast<FixedVectorType>(type);
  lanes = vector ? vector->getNumElements() : 0;
  auto like = [&](Type *element) -> Type * { return vector ? FixedVectorType::get(element, lanes) : element; };
  bitsType = like(isDouble ? b.getInt64Ty() : b.getInt32Ty());
  wideType = like(b.getDoubleTy());
}

V MathEmitter::fma(V x, V y, V z) {
  if (!target.fma) return add(mul(x, y), z);
  return b.CreateIntrinsic(type, Intrinsic::fma, {x, y, z});
}

V MathEmitter::polynomial(V x, std::span<const double> coefficients) {
  V result = constant(coefficients.back());
  for (size_t i = coefficients.size() - 1; i-- > 0;) result = fma(result, x, constant(coefficients[i]));
  return result;
}

V MathEmitter::powerOfTwo(V n) {
  // Through 32 bits, where every target converts vectors.
  Type *narrow = bitsType->getWithNewType(b.getInt32Ty());
  V integer = b.CreateAdd(b.CreateFPToSI(n, narrow), ConstantInt::get(narrow, bias));
  if (isDouble) integer = b.CreateZExt(integer, bitsType);
  return real(b.CreateShl(integer, bitsConstant(mantissaBits)));
}

V MathEmitter::scale(V x, V n) {
  if (!hasScalef()) {
    // Two factors: one alone would leave the exponent range before the product does.
    V first = trunc(mul(n, 0.5));
    return mul(mul(x, powerOfTwo(first)), powerOfTwo(sub(n, first)));
  }
  return target.scale(b, x, n);
}

V MathEmitter::roundEven(V x) {
  if (target.round) return b.CreateUnaryIntrinsic(Intrinsic::roundeven, x);
  // Adding 2^23 (2^52) leaves no room for a fraction.
  V magic = constant(isDouble ? 0x1p52 : 0x1p23);
  V magnitude = abs(x);
  V rounded = sub(add(magnitude, magic), magic);
  return select(less(magnitude, magic), copySign(rounded, x), x);
}

V MathEmitter::trunc(V x) {
  if (target.round) return b.CreateUnaryIntrinsic(Intrinsic::trunc, x);
  V magnitude = abs(x);
  V rounded = roundEven(magnitude);
  return copySign(select(less(magnitude, rounded), sub(rounded, 1), rounded), x);
}

V MathEmitter::floor(V x) {
  if (target.round) return b.CreateUnaryIntrinsic(Intrinsic::floor, x);
  V rounded = roundEven(x);
  return copySign(select(less(x, rounded), sub(rounded, 1), rounded), x);
}

V MathEmitter::ceil(V x) { return target.round ? b.CreateUnaryIntrinsic(Intrinsic::ceil, x) : neg(floor(neg(x))); }

V MathEmitter::roundAway(V x) {
  // The largest number below one half: adding one half itself would round 0.49999997 up.
  V half = constant(isDouble ? 0x1.fffffffffffffp-2 : 0x1.fffffep-2);
  return trunc(add(x, copySign(half, x)));
}

Value *emitMath(IRBuilderBase &builder, MathOp op, ArrayRef<Value *> operands, const MathTarget &target) {
  // No fast-math flag of the caller may reach these formulas.
  IRBuilderBase::FastMathFlagGuard guard(builder);
  builder.clearFastMathFlags();
  Value *x = operands[0];
  MathEmitter m(builder, x->getType(), target);
  switch (op) {
  case MathOp::Exp:
    return m.exp(x);
  case MathOp::Exp2:
    return m.exp2(x);
  case MathOp::Expm1:
    return m.expm1(x);
  case MathOp::Log:
    return m.log(x);
  case MathOp::Log2:
    return m.log2(x);
  case MathOp::Log10:
    return m.log10(x);
  case MathOp::Log1p:
    return m.log1p(x);
  case MathOp::Tanh:
    return m.tanh(x);
  case MathOp::Sigmoid:
    return m.sigmoid(x);
  case MathOp::Erf:
    return m.erf(x);
  case MathOp::Erfc:
    return m.erfc(x);
  case MathOp::Sin:
    return m.sin(x);
  case MathOp::Cos:
    return m.cos(x);
  case MathOp::Tan:
    return m.tan(x);
  case MathOp::Sqrt:
    return builder.CreateUnaryIntrinsic(Intrinsic::sqrt, x);
  case MathOp::Rsqrt:
    return m.div(m.constant(1), builder.CreateUnaryIntrinsic(Intrinsic::sqrt, x));
  case MathOp::Floor:
    return m.floor(x);
  case MathOp::Ceil:
    return m.ceil(x);
  case MathOp::Trunc:
    return m.trunc(x);
  case MathOp::Round:
    return m.roundAway(x);
  case MathOp::RoundEven:
    return m.roundEven(x);
  case MathOp::Abs:
    return m.abs(x);
  case MathOp::Pow:
    return m.pow(x, operands[1]);
  case MathOp::CopySign:
    return m.copySign(x, operands[1]);
  case MathOp::Rem:
    return m.rem(x, operands[1]);
  case MathOp::Fma:
    return m.fma(x, operands[1], operands[2]);
  }
  llvm_unreachable("all operations");
}

Value *emitExtend(IRBuilderBase &builder, Value *value, const MathTarget &target) {
  Type *type = value->getType(), *element = type->getScalarType();
  Type *i16 = type->getWithNewType(builder.getInt16Ty()), *i32 = type->getWithNewType(builder.getInt32Ty());
  Type *f32 = type->getWithNewType(builder.getFloatTy());
  if (element->isHalfTy() && target.half) return builder.CreateFPExt(value, f32);
  Value *bits = builder.CreateZExt(builder.CreateBitCast(value, i16), i32);
  auto constant = [&](uint32_t number) { return ConstantInt::get(i32, number); };
  if (element->isBFloatTy()) return builder.CreateBitCast(builder.CreateShl(bits, constant(16)), f32);
  // Exponent and mantissa into place, then the difference of the biases by a multiplication (exact, subnormals too).
  Value *magnitude = builder.CreateAnd(bits, constant(0x7fff));
  Value *scaled = builder.CreateFMul(builder.CreateBitCast(builder.CreateShl(magnitude, constant(13)), f32), ConstantFP::get(f32, 0x1p112));
  Value *special = builder.CreateOr(builder.CreateShl(magnitude, constant(13)), constant(0x7f800000));
  Value *result = builder.CreateSelect(builder.CreateICmpUGE(magnitude, constant(0x7c00)), special, builder.CreateBitCast(scaled, i32));
  Value *sign = builder.CreateShl(builder.CreateAnd(bits, constant(0x8000)), constant(16));
  return builder.CreateBitCast(builder.CreateOr(result, sign), f32);
}

Value *emitTruncate(IRBuilderBase &builder, Value *value, Type *element, const MathTarget &target) {
  Type *type = value->getType();
  Type *i16 = type->getWithNewType(builder.getInt16Ty()), *i32 = type->getWithNewType(builder.getInt32Ty());
  Type *result = type->getWithNewType(element);
  if (element->isHalfTy() && target.half) return builder.CreateFPTrunc(value, result);
  auto constant = [&](uint32_t number) { return ConstantInt::get(i32, number); };
  Value *bits = builder.CreateBitCast(value, i32);
  if (element->isBFloatTy()) {
    if (target.bfloatVectors && type->isVectorTy()) return builder.CreateFPTrunc(value, result);
    Value *odd = builder.CreateAnd(builder.CreateLShr(bits, constant(16)), constant(1));
    Value *rounded = builder.CreateAdd(bits, builder.CreateAdd(odd, constant(0x7fff)));
    Value *quiet = builder.CreateOr(bits, constant(0x400000));
    Value *chosen = builder.CreateSelect(builder.CreateFCmpUNO(value, value), quiet, rounded);
    return builder.CreateBitCast(builder.CreateTrunc(builder.CreateLShr(chosen, constant(16)), i16), result);
  }
  // f16 by integers: normal results round by addition, subnormal ones by adding a number whose last bit has their weight.
  Value *sign = builder.CreateAnd(bits, constant(0x80000000));
  Value *magnitude = builder.CreateXor(bits, sign);
  Value *odd = builder.CreateAnd(builder.CreateLShr(magnitude, constant(13)), constant(1));
  Value *normal = builder.CreateLShr(builder.CreateAdd(magnitude, builder.CreateAdd(odd, constant(0xc8000fff))), constant(13));
  Type *f32 = type;
  Value *shifted = builder.CreateFAdd(builder.CreateBitCast(magnitude, f32), ConstantFP::get(f32, 0.5));
  Value *subnormal = builder.CreateSub(builder.CreateBitCast(shifted, i32), constant(0x3f000000));
  Value *half = builder.CreateSelect(builder.CreateICmpULT(magnitude, constant(0x38800000)), subnormal, normal);
  half = builder.CreateSelect(builder.CreateICmpUGE(magnitude, constant(0x47800000)), constant(0x7c00), half);
  half = builder.CreateSelect(builder.CreateICmpUGT(magnitude, constant(0x7f800000)), constant(0x7e00), half);
  half = builder.CreateOr(half, builder.CreateLShr(sign, constant(16)));
  return builder.CreateBitCast(builder.CreateTrunc(half, i16), result);
}

} // namespace pantile
