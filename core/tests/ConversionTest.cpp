//===- core/tests/ConversionTest.cpp - element types and half precision ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/DType.h"

#include <cfenv>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace pantile;

namespace {

/// The second method: the value of a format's bits by its definition; infinity stands for the next power of two.
double valueOf(uint32_t bits, int fractionBits, int exponentBits) {
  int bias = (1 << (exponentBits - 1)) - 1, exponent = int(bits >> fractionBits);
  double fraction = double(bits & ((1u << fractionBits) - 1)) / double(1u << fractionBits);
  return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

/// Conversions are monotonic steps, so they are right everywhere if they are right at every value, at every midpoint
/// between neighbours, and one float to either side of it. All of them, both signs, up to where infinity begins.
template <typename Convert> void expectRoundsToNearestEven(Convert convert, int fractionBits, int exponentBits) {
  uint32_t infinity = ((1u << exponentBits) - 1) << fractionBits;
  for (uint32_t low = 0; low < infinity; ++low) {
    double mid = (valueOf(low, fractionBits, exponentBits) + valueOf(low + 1, fractionBits, exponentBits)) / 2;
    float middle = float(mid);
    ASSERT_EQ(double(middle), mid);
    for (float sign : {1.0f, -1.0f}) {
      uint32_t signBit = sign < 0 ? 0x8000 : 0;
      ASSERT_EQ(convert(sign * float(valueOf(low, fractionBits, exponentBits))), signBit | low);
      ASSERT_EQ(convert(sign * middle), signBit | (low + (low & 1))) << middle;
      ASSERT_EQ(convert(sign * std::nextafter(middle, 0.0f)), signBit | low) << middle;
      ASSERT_EQ(convert(sign * std::nextafter(middle, INFINITY)), signBit | (low + 1)) << middle;
    }
  }
  EXPECT_EQ(convert(INFINITY), infinity);
  EXPECT_EQ(convert(-INFINITY), 0x8000 | infinity);
  for (uint32_t bits : {0x7f800001u, 0x7fffffffu, 0xffc00000u, 0xff800001u}) { // a nan stays one
    float nan;
    std::memcpy(&nan, &bits, 4);
    EXPECT_GT(convert(nan) & 0x7fffu, infinity) << bits;
  }
}

TEST(HalfPrecision, RoundsToNearestEvenEverywhere) { expectRoundsToNearestEven(f32ToF16, 10, 5); }
TEST(BrainFloat, RoundsToNearestEvenEverywhere) { expectRoundsToNearestEven(f32ToBF16, 7, 8); }

TEST(HalfPrecision, DoesNotFollowTheRoundingMode) {
  for (int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    uint16_t tie = f32ToF16(0x1.8p-24f), above = f32ToF16(0x1.1p-25f), below = f32ToF16(0x1.ep-26f);
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(tie, 2);
    EXPECT_EQ(above, 1);
    EXPECT_EQ(below, 0);
  }
}

TEST(HalfPrecision, WideningIsExact) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    uint32_t magnitude = bits & 0x7fff;
    float half = f16ToF32(uint16_t(bits)), brain = bf16ToF32(uint16_t(bits));
    EXPECT_EQ(std::signbit(half), (bits & 0x8000) != 0);
    if (magnitude > 0x7c00)
      ASSERT_TRUE(std::isnan(half));
    else if (magnitude == 0x7c00)
      ASSERT_TRUE(std::isinf(half));
    else
      ASSERT_EQ(std::fabs(double(half)), valueOf(magnitude, 10, 5));
    if (magnitude > 0x7f80)
      ASSERT_TRUE(std::isnan(brain));
    else if (magnitude == 0x7f80)
      ASSERT_TRUE(std::isinf(brain));
    else
      ASSERT_EQ(std::fabs(double(brain)), valueOf(magnitude, 7, 8));
  }
}

TEST(DType, NamesAndDLPack) {
  for (const DTypeInfo &row : allDTypes()) {
    auto found = dtypeFromName(row.name);
    ASSERT_TRUE(found.isOk());
    EXPECT_EQ(*found, row.dtype);
  }
  EXPECT_FALSE(dtypeFromName("f33").isOk());
  EXPECT_EQ(*dtypeFromDLPack(4, 16, 1), PANTILE_BF16);
  EXPECT_FALSE(dtypeFromDLPack(2, 32, 4).isOk());
  EXPECT_FALSE(dtypeFromDLPack(9, 32, 1).isOk());
  EXPECT_TRUE(compatible(PANTILE_I8, PANTILE_U8));
  EXPECT_FALSE(compatible(PANTILE_I8, PANTILE_F16));
  EXPECT_FALSE(compatible(PANTILE_F32, PANTILE_I32));
}

} // namespace
