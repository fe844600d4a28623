//===- ir/emit/MathSpecial.cpp - erf, trigonometry, remainder -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/MathEmitter.h"
#include "ir/emit/Polynomials.h"

namespace pantile {

using V = MathEmitter::V;

V MathEmitter::erfNear(V x) {
  V z = mul(x, x);
  return fma(x, isDouble ? polynomial(z, kErfNear) : polynomial(z, kErfNearF), x);
}

V MathEmitter::erf(V x) {
  V t = abs(x);
  V nearby = less(t, isDouble ? 1.0 : 0.921875);
  V small = select(nearby, x, constant(0)); // so that the unused half cannot overflow
  V far;
  if (isDouble) {
    far = sub(constant(1), erfc(t));
  } else {
    V inside = min(t, 4); // erf is 1 in f32 beyond 3.92
    far = sub(constant(1), exp(mul(inside, polynomial(inside, kErfFarF))));
  }
  V result = select(nearby, erfNear(small), copySign(far, x));
  return select(isNaN(x), x, result);
}

V MathEmitter::erfc(V x) {
  if (!isDouble) return narrowed(wide().erfc(widened(x)));
  V t = min(abs(x), 28);
  V q = div(sub(t, 3), add(t, 3));
  V scaled = div(polynomial(q, kErfc), fma(t, 2, constant(1)));
  // e^(-t^2) with t^2 in two parts: high has half of the bits, so its square is exact.
  V high = real(b.CreateAnd(bits(t), bitsConstant(~0x7ffffffull)));
  V rest = mul(sub(t, high), add(t, high));
  V positive = mul(mul(exp(neg(mul(high, high))), exp(neg(rest))), scaled);
  V result = select(less(x, 0.0), sub(constant(2), positive), positive);
  // Near zero the polynomial's last bit counts against 1 - erf.
  V nearby = less(abs(x), 0.5);
  result = select(nearby, sub(constant(1), erfNear(select(nearby, x, constant(0)))), result);
  return select(isNaN(x), x, result);
}

/// 0: sin, 1: cos, 2: tan.
V MathEmitter::trigonometric(V x, int function) {
  // n = round(x 2/pi) by the addition whose low bits are n, r = x - n pi/2 in f64.
  MathEmitter w = isDouble ? *this : wide();
  V argument = isDouble ? x : widened(x);
  constexpr double magic = 0x1.8p52;
  V shifted = w.add(w.mul(argument, 0.63661977236758134), magic);
  V n = w.sub(shifted, magic);
  V r;
  if (target.fma) {
    r = w.fma(n, -0x1.921fb54442d18p+0, argument);
    r = w.fma(n, -0x1.1a62633145c07p-54, r);
  } else {
    // pi/2 in parts of 33 bits: products with n below 2^20 are exact.
    r = w.sub(argument, w.mul(n, 0x1.921fb544p+0));
    r = w.sub(r, w.mul(n, 0x1.0b4611a6p-34));
    r = w.sub(r, w.mul(n, 0x1.3198a2e037073p-69));
  }
  r = w.max(w.min(r, 1.0), -1.0); // beyond any accuracy, still bounded
  V quadrant = w.bits(shifted);
  V s, c;
  if (isDouble) {
    V z = mul(r, r);
    s = fma(mul(r, z), polynomial(z, kSin), r);
    c = fma(mul(z, z), polynomial(z, kCos), fma(z, -0.5, constant(1)));
  } else {
    r = narrowed(r);
    quadrant = b.CreateTrunc(quadrant, bitsType);
    V z = mul(r, r);
    s = fma(mul(r, z), polynomial(z, kSinF), r);
    c = fma(mul(z, z), polynomial(z, kCosF), fma(z, -0.5, constant(1)));
  }
  V odd = b.CreateICmpNE(b.CreateAnd(quadrant, bitsConstant(1)), bitsConstant(0));
  V result;
  if (function == 2) {
    result = div(select(odd, c, s), select(odd, s, c));
    result = select(odd, neg(result), result);
  } else {
    result = function == 0 ? select(odd, c, s) : select(odd, s, c);
    V turned = function == 0 ? quadrant : b.CreateAdd(quadrant, bitsConstant(1));
    unsigned width = isDouble ? 64 : 32;
    V sign = b.CreateShl(b.CreateAnd(turned, bitsConstant(2)), bitsConstant(width - 2));
    result = real(b.CreateXor(bits(result), sign));
  }
  if (function != 1) result = select(equal(x, 0.0), x, result);
  return select(less(abs(x), kInfinity), result, constant(kNaN));
}

V MathEmitter::rem(V x, V y) {
  if (!isDouble) {
    // The f64 quotient of f32 operands is off by one at most where it is below 2^29, and its product exact.
    V result = wide().rem(widened(x), widened(y));
    return narrowed(result);
  }
  V divisor = abs(y), dividend = abs(x);
  V quotient = trunc(div(dividend, divisor));
  V r = fma(neg(quotient), divisor, dividend);
  r = select(less(r, 0.0), add(r, divisor), r);
  r = select(less(r, divisor), r, sub(r, divisor));
  r = select(equal(divisor, kInfinity), dividend, r);
  r = copySign(r, x);
  V defined = b.CreateAnd(less(dividend, kInfinity), b.CreateFCmpOGT(divisor, constant(0)));
  return select(defined, r, constant(kNaN));
}

} // namespace pantile
