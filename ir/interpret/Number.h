//===- ir/interpret/Number.h - dtypes as arithmetic: rounding and bits ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_NUMBER_H
#define PANTILE_IR_INTERPRET_NUMBER_H

#include "core/DType.h"

#include <array>
#include <vector>

namespace pantile::interpreter {

/// A binary floating-point format of at most 53 significant bits.
struct FloatFormat {
  int precision;   ///< significant bits, the hidden one included
  int minExponent; ///< of the least normal number
  double largest;  ///< finite
  bool hasInfinity, hasNaN;
  bool saturates; ///< finite values beyond `largest` become it; else infinity
  bool negativeZero;
};
const FloatFormat &formatOf(DType dtype);
inline constexpr FloatFormat kTF32{11, -126, 3.4011621342146535e38, true, true, false, true};

/// Rounds to nearest even, directly from f64.
double roundTo(const FloatFormat &format, double value);
void roundAll(DType dtype, std::vector<double> &values);
void roundAll(const FloatFormat &format, std::vector<double> &values);

/// Wraps to the width; sign-extended (i1: 0 or 1).
/// Philox 4x32-10 with a 64-bit key and the low half of its counter.
std::array<uint32_t, 4> philox(uint64_t key, uint64_t counter);

int64_t wrapTo(DType dtype, int64_t value);
void wrapAll(DType dtype, std::vector<int64_t> &values);
/// The value an integer of this width has when read as signed (i1: 0 or -1) or unsigned.
inline int64_t asSigned(int64_t value, unsigned bits) { return bits == 1 ? -value : value; }
inline uint64_t asUnsigned(int64_t value, unsigned bits) {
  return bits >= 64 ? uint64_t(value) : uint64_t(value) & ((uint64_t(1) << bits) - 1);
}

/// Truncates and saturates to a width; NaN gives 0.
int64_t toInteger(double value, unsigned bits, bool isUnsigned);

/// Bits of one element, low bits first.
double floatFromBits(DType dtype, uint64_t bits);
uint64_t bitsFromFloat(DType dtype, double value);

/// Reads or writes `count` elements whose positions from `data` are first, first + stride, ... (in elements).
void readFloats(DType dtype, const char *data, int64_t first, int64_t stride, int64_t count, double *to);
void readIntegers(DType dtype, const char *data, int64_t first, int64_t stride, int64_t count, int64_t *to);
void writeFloats(DType dtype, char *data, int64_t first, int64_t stride, int64_t count, const double *from);
void writeIntegers(DType dtype, char *data, int64_t first, int64_t stride, int64_t count, const int64_t *from);

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_NUMBER_H
