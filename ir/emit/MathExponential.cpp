//===- ir/emit/MathExponential.cpp - exp, log and their kin ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/MathEmitter.h"
#include "ir/emit/Polynomials.h"

namespace pantile {

using V = MathEmitter::V;

namespace {
constexpr double kLog2E = 1.4426950408889634;
// ln 2 in two parts: n times the first is exact for every exponent n.
constexpr double kLn2HighF = 0x1.62e400p-1, kLn2LowF = 0x1.7f7d1cp-20;
constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
} // namespace

V MathEmitter::expm1Reduced(V r) {
  V p = isDouble ? polynomial(r, kExp) : polynomial(r, kExpF);
  return fma(mul(r, r), p, r);
}

std::pair<V, V> MathEmitter::reduceExp(V x) {
  V n = roundEven(mul(x, kLog2E));
  V r = fma(n, isDouble ? -kLn2High : -kLn2HighF, x);
  return {fma(n, isDouble ? -kLn2Low : -kLn2LowF, r), n};
}

V MathEmitter::exp(V x) {
  V inside = clamp(x, isDouble ? -750 : -106, isDouble ? 710 : 90); // beyond: zero, infinity
  auto [r, n] = reduceExp(inside);
  return keepNaN(x, scale(add(expm1Reduced(r), 1), n));
}

V MathEmitter::exp2(V x) {
  V inside = clamp(x, isDouble ? -1080 : -152, isDouble ? 1025 : 130);
  V n = roundEven(inside);
  V r = sub(inside, n);
  V fraction = isDouble ? expm1Reduced(mul(r, 0.6931471805599453)) : mul(r, polynomial(r, kExp2F));
  return keepNaN(x, scale(add(fraction, 1), n));
}

V MathEmitter::expm1(V x) {
  V inside = max(min(x, isDouble ? 710 : 89), isDouble ? -40 : -20);
  auto [r, n] = reduceExp(inside);
  // 2^n (e^r - 1) + (2^n - 1), with half of 2^n so that n = 1024 (128) does not overflow early.
  V half = powerOfTwo(sub(n, 1));
  V result = mul(fma(half, expm1Reduced(r), sub(half, 0.5)), 2);
  // Also keeps the sign of zero, and NaN.
  return select(b.CreateFCmpUEQ(x, constant(0)), x, select(isNaN(x), x, result));
}

V MathEmitter::logarithm(V x, double factor) {
  V subnormal = less(x, isDouble ? 0x1p-1022 : 0x1p-126);
  V normal = select(subnormal, mul(x, isDouble ? 0x1p54 : 0x1p25), x);
  // m in [sqrt 1/2, sqrt 2): the exponent of x / sqrt 1/2.
  V pattern = bits(normal);
  V e = b.CreateAShr(b.CreateSub(pattern, bitsConstant(isDouble ? 0x3fe6a09e667f3bcd : 0x3f3504f3)), bitsConstant(mantissaBits));
  V f = sub(real(b.CreateSub(pattern, b.CreateShl(e, bitsConstant(mantissaBits)))), 1);
  // As a number: through 32 bits, where every target converts vectors.
  V e32 = isDouble ? b.CreateTrunc(e, bitsType->getWithNewType(b.getInt32Ty())) : e;
  V exponent = b.CreateSIToFP(e32, type);
  exponent = select(subnormal, sub(exponent, isDouble ? 54 : 25), exponent);

  V result;
  V squared = mul(f, f);
  if (isDouble) {
    V s = div(f, add(f, 2));
    V z = mul(s, s);
    // log(1 + f) = f - (f^2/2 - s (f^2/2 + z p(z)))
    V half = mul(squared, 0.5);
    V tail = sub(half, mul(s, fma(z, polynomial(z, kLogOdd), half)));
    if (factor == 1.0) {
      V low = fma(exponent, kLn2Low, neg(tail));
      result = fma(exponent, kLn2High, add(f, low));
    } else {
      V mantissa = mul(sub(f, tail), factor);
      result = factor == kLog2E ? add(exponent, mantissa) : fma(exponent, 0.30102999566398120, mantissa);
    }
  } else {
    V tail = mul(mul(f, squared), polynomial(f, kLogF));
    tail = fma(squared, -0.5, tail);
    if (factor == 1.0) {
      tail = fma(exponent, kLn2LowF, tail);
      result = fma(exponent, kLn2HighF, add(f, tail));
    } else if (factor == kLog2E) {
      // log2 e in two parts, the first short: exponent + f high is nearly exact.
      constexpr double high = 0x1.714000p+0, low = kLog2E - high;
      V rest = fma(tail, kLog2E, mul(f, low));
      result = add(exponent, fma(f, high, rest));
    } else {
      constexpr double high = 0x1.bcc000p-2, low = 0.4342944819032518 - high;
      constexpr double log10of2High = 0x1.344000p-2, log10of2Low = 0.30102999566398120 - log10of2High;
      V rest = fma(exponent, log10of2Low, fma(tail, 0.4342944819032518, mul(f, low)));
      result = fma(exponent, log10of2High, fma(f, high, rest));
    }
  }
  result = select(less(x, kInfinity), result, x); // infinity and NaN stay
  result = select(less(x, 0.0), kNaN, result);
  return select(equal(x, 0.0), -kInfinity, result);
}

V MathEmitter::log1p(V x) {
  V u = add(x, 1);
  // What rounding u lost, to first order.
  V lost = select(less(x, 1.0), sub(x, sub(u, 1)), sub(constant(1), sub(u, x)));
  V base = log(u);
  V result = add(base, div(lost, u));
  V ordinary = b.CreateAnd(b.CreateFCmpOGT(u, constant(0)), less(u, kInfinity));
  result = select(ordinary, result, base);
  return select(equal(x, 0.0), x, result);
}

V MathEmitter::tanh(V x) {
  V magnitude = abs(x);
  V m = expm1(mul(min(magnitude, isDouble ? 22 : 10), 2));
  V result = copySign(div(m, add(m, 2)), x);
  return select(isNaN(x), x, result);
}

V MathEmitter::sigmoid(V x) {
  V e = exp(neg(abs(x)));
  V positive = div(constant(1), add(e, 1));
  return select(less(x, 0.0), mul(e, positive), positive);
}

V MathEmitter::pow(V x, V y) {
  if (!isDouble) {
    MathEmitter w = wide();
    return narrowed(w.pow(widened(x), widened(y)));
  }
  V magnitude = abs(x);
  V result = exp2(mul(y, log2(magnitude)));
  V whole = equal(trunc(y), y); // infinity too
  V halfY = mul(y, 0.5);
  V odd = b.CreateAnd(whole, b.CreateNot(equal(trunc(halfY), halfY)));
  V negative = b.CreateICmpSLT(bits(x), bitsConstant(0));
  result = select(b.CreateAnd(negative, odd), neg(result), result);
  // A finite negative base needs a whole exponent; 1^y and x^0 are 1 even of NaN, (-1)^infinity too.
  V undefined = b.CreateAnd(b.CreateAnd(less(x, 0.0), less(magnitude, kInfinity)), b.CreateNot(whole));
  result = select(undefined, kNaN, result);
  V unit = b.CreateAnd(equal(x, -1.0), equal(abs(y), kInfinity));
  unit = b.CreateOr(unit, b.CreateOr(equal(x, 1.0), equal(y, 0.0)));
  return select(unit, 1.0, result);
}

} // namespace pantile
