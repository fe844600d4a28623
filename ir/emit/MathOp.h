//===- ir/emit/MathOp.h - elementary functions by name ---------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_MATHOP_H
#define PANTILE_IR_EMIT_MATHOP_H

#include <cstdint>

namespace pantile {

enum class MathOp : uint8_t {
  Exp,
  Exp2,
  Expm1,
  Log,
  Log2,
  Log10,
  Log1p,
  Tanh,
  Sigmoid,
  Erf,
  Erfc,
  Sin,
  Cos,
  Tan,
  Sqrt,
  Rsqrt,
  Floor,
  Ceil,
  Trunc,
  Round /**< halves away from zero */,
  RoundEven,
  Abs,
  Pow /**< two operands */,
  CopySign /**< two */,
  Rem /**< two: C's fmod */,
  Fma /**< three; rounded twice without fma */,
};

} // namespace pantile

#endif // PANTILE_IR_EMIT_MATHOP_H
