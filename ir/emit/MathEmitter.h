//===- ir/emit/MathEmitter.h - arithmetic on one float type ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Private to ElementaryMath: short names for instructions on one type (float, double, or a vector of either), so that the
// functions read like their formulas.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_MATHEMITTER_H
#define PANTILE_IR_EMIT_MATHEMITTER_H

#include "ir/emit/ElementaryMath.h"

#include "llvm/IR/IRBuilder.h"

#include <limits>
#include <span>

namespace pantile {

class MathEmitter {
public:
  using V = llvm::Value *;

  MathEmitter(llvm::IRBuilderBase &b, llvm::Type *type, const MathTarget &target);

  // Arithmetic.
  V constant(double value) const { return llvm::ConstantFP::get(type, value); }
  V bitsConstant(uint64_t value) const { return llvm::ConstantInt::get(bitsType, value); }
  V add(V x, V y) { return b.CreateFAdd(x, y); }
  V add(V x, double y) { return add(x, constant(y)); }
  V sub(V x, V y) { return b.CreateFSub(x, y); }
  V sub(V x, double y) { return sub(x, constant(y)); }
  V mul(V x, V y) { return b.CreateFMul(x, y); }
  V mul(V x, double y) { return mul(x, constant(y)); }
  V div(V x, V y) { return b.CreateFDiv(x, y); }
  V neg(V x) { return b.CreateFNeg(x); }
  V fma(V x, V y, V z);
  V fma(V x, double y, V z) { return fma(x, constant(y), z); }
  /// coefficients[0] + coefficients[1] x + ...
  V polynomial(V x, std::span<const double> coefficients);

  // Comparison (false for NaN) and choice.
  V less(V x, V y) { return b.CreateFCmpOLT(x, y); }
  V less(V x, double y) { return less(x, constant(y)); }
  V equal(V x, V y) { return b.CreateFCmpOEQ(x, y); }
  V equal(V x, double y) { return equal(x, constant(y)); }
  V isNaN(V x) { return b.CreateFCmpUNO(x, x); }
  V select(V condition, V x, V y) { return b.CreateSelect(condition, x, y); }
  V select(V condition, double x, V y) { return select(condition, constant(x), y); }
  V min(V x, double y) { return select(less(x, y), x, constant(y)); }                      ///< y for NaN
  V max(V x, double y) { return select(b.CreateFCmpOGT(x, constant(y)), x, constant(y)); } ///< y for NaN

  // Bits.
  V bits(V x) { return b.CreateBitCast(x, bitsType); }
  V real(V x) { return b.CreateBitCast(x, type); }
  V signBit(V x) { return b.CreateAnd(bits(x), bitsConstant(kSign())); }
  V abs(V x) { return real(b.CreateAnd(bits(x), bitsConstant(kSign() - 1))); }
  V copySign(V magnitude, V sign) { return real(b.CreateOr(b.CreateAnd(bits(magnitude), bitsConstant(kSign() - 1)), signBit(sign))); }
  /// 2^n for an integer-valued n in the normal exponent range.
  V powerOfTwo(V n);
  /// x 2^n for an integer-valued |n| <= 2 * bias: right into the subnormals and to infinity. n must not be NaN without `scalef`.
  V scale(V x, V n);

  // Rounding; exact, signed zeros kept.
  V roundEven(V x);
  V floor(V x);
  V ceil(V x);
  V trunc(V x);
  V roundAway(V x);

  // MathExponential.cpp
  V exp(V x);
  V exp2(V x);
  V expm1(V x);
  V log(V x) { return logarithm(x, 1.0); }
  V log2(V x) { return logarithm(x, 1.4426950408889634); }
  V log10(V x) { return logarithm(x, 0.4342944819032518); }
  V log1p(V x);
  V tanh(V x);
  V sigmoid(V x);
  V pow(V x, V y);

  // MathSpecial.cpp
  V erf(V x);
  V erfc(V x);
  V sin(V x) { return trigonometric(x, 0); }
  V cos(V x) { return trigonometric(x, 1); }
  V tan(V x) { return trigonometric(x, 2); }
  V rem(V x, V y);

  // f32 computed in f64.
  V widened(V x) { return b.CreateFPExt(x, wideType); }
  V narrowed(V x) { return b.CreateFPTrunc(x, type); }
  MathEmitter wide() { return MathEmitter(b, wideType, target); }

  llvm::IRBuilderBase &b;
  llvm::Type *type, *bitsType, *wideType;
  const MathTarget &target;
  bool isDouble;
  unsigned mantissaBits, bias;
  unsigned lanes; ///< 0: scalar
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

private:
  uint64_t kSign() const { return isDouble ? 1ull << 63 : 1ull << 31; }
  bool hasScalef() const { return target.canScale && target.canScale(type); }
  /// e^r - 1 on the reduced range, r + r^2 p(r).
  V expm1Reduced(V r);
  /// r = x - n ln2 and n.
  std::pair<V, V> reduceExp(V x);
  /// NaN passes where scale takes it (the order of the comparison is that of vminps), else it becomes `high`.
  V clamp(V x, double low, double high) {
    if (!hasScalef()) return max(min(x, high), low);
    x = select(less(constant(high), x), constant(high), x);
    return select(b.CreateFCmpOGT(constant(low), x), constant(low), x);
  }
  /// Finishes exp-like functions: NaN stays where the path through integers lost it.
  V keepNaN(V x, V result) { return hasScalef() ? result : select(isNaN(x), x, result); }
  V logarithm(V x, double factor);
  V trigonometric(V x, int function);
  /// erf for |x| below 1 (f64) or 0.921875 (f32).
  V erfNear(V x);
};

} // namespace pantile

#endif // PANTILE_IR_EMIT_MATHEMITTER_H
