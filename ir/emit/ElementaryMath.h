//===- ir/emit/ElementaryMath.h - elementary functions inline -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Elementary functions on a scalar or on a vector of any width, as straight-line code without calls: LLVM must never
// see llvm.exp of a vector, which it turns into one libm call a lane. Polynomials are ours (tools/fit_polynomials.py).
//
// Method, by function family:
//   exp, exp2, expm1   n = round(x log2 e), r = x - n ln2 in two parts (Cody-Waite), polynomial in r, times 2^n by the
//                      target's scale or by two exponent-field multiplications, so results in the subnormal range are right
//   log, log2, log1p   x = 2^e m, m in [sqrt 1/2, sqrt 2), polynomial in m - 1
//   tanh, sigmoid      from expm1 and exp of -|x|, so nothing overflows
//   erf, erfc          odd polynomial near 0, 1 - exp(polynomial) above; erfc by a polynomial times exp(-x^2)
//   sin, cos           reduction by pi/2 in f64, polynomial in f32
//   pow                exp2(y log2 x) in f64, integer and sign cases of C99
//
// Largest error in units in the last place of f32, over dense sweeps against double (VectorMathTest measures and
// enforces them); infinities, zeros, NaN as in C99 Annex F, except that the sign of NaN is unspecified:
//
//   function                              with fma    without fma
//   exp exp2 log log2                     1.5         2.5
//   expm1 log1p tanh sigmoid erf          3           4
//   log10                                 2           3
//   erfc                                  1           1 (through f64)
//   tan                                   4 (|x| <= 2^20)
//   sin cos                               2 (|x| <= 2^20; beyond that: bounded, absolute error grows to 2^-20 at 2^40)
//   pow                                   1           1
//   sqrt, rounding                        0.5, exact
//   rsqrt                                 1.5
//
// f64: exp exp2 expm1 log log2 log1p tanh sigmoid pow sin cos erf erfc to about 1e-13 relative; sqrt, rounding exact.
// f16 and bf16 are computed in f32: extend, compute, truncate (emitExtend, emitTruncate below).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_ELEMENTARYMATH_H
#define PANTILE_IR_EMIT_ELEMENTARYMATH_H

#include "ir/emit/MathOp.h"

#include "llvm/ADT/ArrayRef.h"

namespace llvm {
class IRBuilderBase;
class Type;
class Value;
} // namespace llvm

namespace pantile {

/// What the formulas ask of a target.
struct MathTarget {
  bool fma = true;            ///< fused multiply-add; without it products are rounded
  bool round = true;          ///< rounding instructions
  bool half = true;           ///< conversions between half and float
  bool bfloatVectors = false; ///< instructions that truncate vectors of float to bfloat
  /// x 2^n for an integer-valued n in one step, for the types it can; NULL: by exponent fields.
  bool (*canScale)(llvm::Type *type) = nullptr;
  llvm::Value *(*scale)(llvm::IRBuilderBase &builder, llvm::Value *x, llvm::Value *n) = nullptr;
};

/// `operands` all have one type: float, double, or vectors of them. Emits at the builder's insertion point, straight
/// line. Never fails; half and bfloat are an assertion (extend them first).
llvm::Value *emitMath(llvm::IRBuilderBase &builder, MathOp op, llvm::ArrayRef<llvm::Value *> operands, const MathTarget &target);

/// half or bfloat (or vectors of them) to float: exact, NaN stays NaN. Without calls to compiler-rt on any target, if the
/// value comes as a bitcast of i16: load and store f16 and bf16 as i16 (a masked load or a select of bfloat itself becomes
/// compiler-rt calls on targets that lack the type).
llvm::Value *emitExtend(llvm::IRBuilderBase &builder, llvm::Value *value, const MathTarget &target);
/// float to half or bfloat `element` (scalar type), round to nearest even; NaN stays NaN, overflow is infinity. Where the
/// target has bf16 instructions, vectors use them: subnormal results are zero.
llvm::Value *emitTruncate(llvm::IRBuilderBase &builder, llvm::Value *value, llvm::Type *element, const MathTarget &target);

} // namespace pantile

#endif // PANTILE_IR_EMIT_ELEMENTARYMATH_H
