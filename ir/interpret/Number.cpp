//===- ir/interpret/Number.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/Number.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace pantile::interpreter {

const FloatFormat &formatOf(DType dtype) {
  static const FloatFormat f16{11, -14, 65504, true, true, false, true}, bf16{8, -126, 3.3895313892515355e38, true, true, false, true},
      f32{24, -126, 3.4028234663852886e38, true, true, false, true},
      f64{53, -1022, std::numeric_limits<double>::max(), true, true, false, true}, e4m3fn{4, -6, 448, false, true, true, true},
      e5m2{3, -14, 57344, true, true, true, true}, e4m3fnuz{4, -7, 240, false, true, true, false},
      e5m2fnuz{3, -15, 57344, false, true, true, false}, e2m1{2, 0, 6, false, false, true, true};
  switch (dtype) {
  case PANTILE_F16:
    return f16;
  case PANTILE_BF16:
    return bf16;
  case PANTILE_F32:
    return f32;
  case PANTILE_F8E4M3FN:
    return e4m3fn;
  case PANTILE_F8E5M2:
    return e5m2;
  case PANTILE_F8E4M3FNUZ:
    return e4m3fnuz;
  case PANTILE_F8E5M2FNUZ:
    return e5m2fnuz;
  case PANTILE_F4E2M1FN:
    return e2m1;
  default:
    return f64;
  }
}

double roundTo(const FloatFormat &format, double value) {
  if (format.precision == 53) return value;
  if (!std::isfinite(value)) {
    if (std::isnan(value)) return format.hasNaN ? value : 0;
    if (format.hasInfinity) return value;
    return format.hasNaN ? std::numeric_limits<double>::quiet_NaN() : std::copysign(format.largest, value);
  }
  double magnitude = std::fabs(value), rounded;
  if (magnitude >= std::ldexp(1.0, format.minExponent)) {
    // Drops the low bits of the significand; a carry runs into the exponent, which is right.
    int drop = 53 - format.precision;
    uint64_t bits = std::bit_cast<uint64_t>(magnitude);
    bits += (uint64_t(1) << (drop - 1)) - 1 + ((bits >> drop) & 1);
    rounded = std::bit_cast<double>(bits & ~((uint64_t(1) << drop) - 1));
  } else {
    double unit = std::ldexp(1.0, format.minExponent - format.precision + 1);
    rounded = std::nearbyint(magnitude / unit) * unit;
  }
  if (rounded > format.largest) rounded = format.saturates ? format.largest : std::numeric_limits<double>::infinity();
  if (rounded == 0 && !format.negativeZero) return 0;
  return std::copysign(rounded, value);
}

void roundAll(const FloatFormat &format, std::vector<double> &values) {
  for (double &value : values) value = roundTo(format, value);
}

void roundAll(DType dtype, std::vector<double> &values) {
  if (dtype == PANTILE_F64) return;
  if (dtype == PANTILE_F32) {
    for (double &value : values) value = double(float(value));
    return;
  }
  roundAll(formatOf(dtype), values);
}

std::array<uint32_t, 4> philox(uint64_t key, uint64_t counter) {
  std::array<uint32_t, 4> c{uint32_t(counter), uint32_t(counter >> 32), 0, 0};
  auto k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t left = uint64_t(0xD2511F53) * c[0], right = uint64_t(0xCD9E8D57) * c[2];
    c = {uint32_t(right >> 32) ^ c[1] ^ k0, uint32_t(right), uint32_t(left >> 32) ^ c[3] ^ k1, uint32_t(left)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

int64_t wrapTo(DType dtype, int64_t value) {
  unsigned bits = info(dtype).bits;
  if (bits >= 64 || dtype == PANTILE_INDEX) return value;
  if (bits == 1) return value & 1;
  return int64_t(uint64_t(value) << (64 - bits)) >> (64 - bits);
}

void wrapAll(DType dtype, std::vector<int64_t> &values) {
  unsigned bits = info(dtype).bits;
  if (bits >= 64 || dtype == PANTILE_INDEX) return;
  if (bits == 1) {
    for (int64_t &value : values) value &= 1;
    return;
  }
  unsigned shift = 64 - bits;
  for (int64_t &value : values) value = int64_t(uint64_t(value) << shift) >> shift;
}

int64_t toInteger(double value, unsigned bits, bool isUnsigned) {
  if (std::isnan(value)) return 0;
  if (bits == 1) return isUnsigned ? value >= 1 : value <= -1;
  double truncated = std::trunc(value);
  if (isUnsigned) {
    double limit = std::ldexp(1.0, int(bits));
    if (truncated <= 0) return 0;
    uint64_t result = truncated >= limit ? (bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1) : uint64_t(truncated);
    return bits == 64 ? int64_t(result) : int64_t(result << (64 - bits)) >> (64 - bits);
  }
  double limit = std::ldexp(1.0, int(bits) - 1);
  int64_t highest = bits == 64 ? std::numeric_limits<int64_t>::max() : (int64_t(1) << (bits - 1)) - 1;
  if (truncated >= limit) return highest;
  if (truncated < -limit) return -highest - 1;
  return int64_t(truncated);
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

namespace {

struct SmallFloat {
  int exponentBits, mantissaBits, bias;
};
SmallFloat smallFloat(DType dtype) {
  switch (dtype) {
  case PANTILE_F8E4M3FN:
    return {4, 3, 7};
  case PANTILE_F8E5M2:
    return {5, 2, 15};
  case PANTILE_F8E4M3FNUZ:
    return {4, 3, 8};
  case PANTILE_F8E5M2FNUZ:
    return {5, 2, 16};
  default:
    return {2, 1, 1};
  }
}

double decodeSmall(DType dtype, uint64_t bits) {
  SmallFloat shape = smallFloat(dtype);
  int width = 1 + shape.exponentBits + shape.mantissaBits;
  bits &= (uint64_t(1) << width) - 1;
  double nan = std::numeric_limits<double>::quiet_NaN();
  bool negative = bits >> (width - 1);
  uint64_t magnitude = bits & ((uint64_t(1) << (width - 1)) - 1);
  int exponent = int(magnitude >> shape.mantissaBits);
  uint64_t mantissa = magnitude & ((uint64_t(1) << shape.mantissaBits) - 1);
  if (dtype == PANTILE_F8E4M3FN && magnitude == 0x7F) return nan;
  if ((dtype == PANTILE_F8E4M3FNUZ || dtype == PANTILE_F8E5M2FNUZ) && bits == 0x80) return nan;
  if (dtype == PANTILE_F8E5M2 && exponent == 31) return mantissa ? nan : negative ? -HUGE_VAL : HUGE_VAL;
  double value = exponent ? std::ldexp(double((uint64_t(1) << shape.mantissaBits) + mantissa), exponent - shape.bias - shape.mantissaBits)
                          : std::ldexp(double(mantissa), 1 - shape.bias - shape.mantissaBits);
  return negative ? -value : value;
}

uint64_t encodeSmall(DType dtype, double value) {
  SmallFloat shape = smallFloat(dtype);
  int width = 1 + shape.exponentBits + shape.mantissaBits;
  uint64_t sign = uint64_t(std::signbit(value)) << (width - 1);
  bool unsignedZero = !formatOf(dtype).negativeZero;
  if (std::isnan(value)) return unsignedZero ? 0x80 : sign | (dtype == PANTILE_F8E5M2 ? 0x7E : 0x7F);
  if (std::isinf(value)) return sign | 0x7C;
  double magnitude = std::fabs(value);
  if (magnitude == 0) return unsignedZero ? 0 : sign;
  int exponent = std::ilogb(magnitude) + shape.bias;
  if (exponent <= 0) return sign | uint64_t(std::ldexp(magnitude, shape.bias - 1 + shape.mantissaBits));
  uint64_t mantissa =
      uint64_t(std::ldexp(magnitude, shape.mantissaBits - (exponent - shape.bias))) & ((uint64_t(1) << shape.mantissaBits) - 1);
  return sign | uint64_t(exponent) << shape.mantissaBits | mantissa;
}

template <typename T> T fetch(const char *data, int64_t position) {
  T value;
  std::memcpy(&value, data + position * int64_t(sizeof(T)), sizeof(T));
  return value;
}
template <typename T> void put(char *data, int64_t position, T value) {
  std::memcpy(data + position * int64_t(sizeof(T)), &value, sizeof(T));
}

uint64_t nibble(const char *data, int64_t position) { return (uint8_t(data[position >> 1]) >> (position & 1 ? 4 : 0)) & 15; }
void putNibble(char *data, int64_t position, uint64_t bits) {
  uint8_t old = uint8_t(data[position >> 1]);
  data[position >> 1] = char(position & 1 ? (old & 0x0F) | (bits & 15) << 4 : (old & 0xF0) | (bits & 15));
}

} // namespace

double floatFromBits(DType dtype, uint64_t bits) {
  switch (dtype) {
  case PANTILE_F16:
    return f16ToF32(uint16_t(bits));
  case PANTILE_BF16:
    return bf16ToF32(uint16_t(bits));
  case PANTILE_F32:
    return std::bit_cast<float>(uint32_t(bits));
  case PANTILE_F64:
    return std::bit_cast<double>(bits);
  default:
    return decodeSmall(dtype, bits);
  }
}

uint64_t bitsFromFloat(DType dtype, double value) {
  switch (dtype) {
  case PANTILE_F16:
    return f32ToF16(float(value));
  case PANTILE_BF16:
    return f32ToBF16(float(value));
  case PANTILE_F32:
    return std::bit_cast<uint32_t>(float(value));
  case PANTILE_F64:
    return std::bit_cast<uint64_t>(value);
  default:
    return encodeSmall(dtype, value);
  }
}

void readFloats(DType dtype, const char *data, int64_t first, int64_t stride, int64_t count, double *to) {
  auto each = [&](auto &&read) {
    for (int64_t i = 0; i < count; ++i) to[i] = read(first + i * stride);
  };
  switch (dtype) {
  case PANTILE_F64:
    return each([&](int64_t at) { return fetch<double>(data, at); });
  case PANTILE_F32:
    return each([&](int64_t at) { return double(fetch<float>(data, at)); });
  case PANTILE_BF16:
    return each([&](int64_t at) { return double(std::bit_cast<float>(uint32_t(fetch<uint16_t>(data, at)) << 16)); });
  case PANTILE_F16:
    return each([&](int64_t at) { return double(f16ToF32(fetch<uint16_t>(data, at))); });
  case PANTILE_F4E2M1FN:
    return each([&](int64_t at) { return decodeSmall(dtype, nibble(data, at)); });
  default:
    return each([&](int64_t at) { return decodeSmall(dtype, fetch<uint8_t>(data, at)); });
  }
}

void writeFloats(DType dtype, char *data, int64_t first, int64_t stride, int64_t count, const double *from) {
  auto each = [&](auto &&write) {
    for (int64_t i = 0; i < count; ++i) write(first + i * stride, from[i]);
  };
  switch (dtype) {
  case PANTILE_F64:
    return each([&](int64_t at, double x) { put<double>(data, at, x); });
  case PANTILE_F32:
    return each([&](int64_t at, double x) { put<float>(data, at, float(x)); });
  case PANTILE_BF16:
    return each([&](int64_t at, double x) { put<uint16_t>(data, at, f32ToBF16(float(x))); });
  case PANTILE_F16:
    return each([&](int64_t at, double x) { put<uint16_t>(data, at, f32ToF16(float(x))); });
  case PANTILE_F4E2M1FN:
    return each([&](int64_t at, double x) { putNibble(data, at, encodeSmall(dtype, x)); });
  default:
    return each([&](int64_t at, double x) { put<uint8_t>(data, at, uint8_t(encodeSmall(dtype, x))); });
  }
}

void readIntegers(DType dtype, const char *data, int64_t first, int64_t stride, int64_t count, int64_t *to) {
  auto each = [&](auto &&read) {
    for (int64_t i = 0; i < count; ++i) to[i] = read(first + i * stride);
  };
  switch (info(dtype).bits) {
  case 1:
    return each([&](int64_t at) { return int64_t(fetch<uint8_t>(data, at) != 0); });
  case 4:
    return each([&](int64_t at) { return int64_t(nibble(data, at) << 60) >> 60; });
  case 8:
    return each([&](int64_t at) { return int64_t(fetch<int8_t>(data, at)); });
  case 16:
    return each([&](int64_t at) { return int64_t(fetch<int16_t>(data, at)); });
  case 32:
    return each([&](int64_t at) { return int64_t(fetch<int32_t>(data, at)); });
  default:
    return each([&](int64_t at) { return fetch<int64_t>(data, at); });
  }
}

void writeIntegers(DType dtype, char *data, int64_t first, int64_t stride, int64_t count, const int64_t *from) {
  auto each = [&](auto &&write) {
    for (int64_t i = 0; i < count; ++i) write(first + i * stride, from[i]);
  };
  switch (info(dtype).bits) {
  case 1:
    return each([&](int64_t at, int64_t x) { put<uint8_t>(data, at, uint8_t(x & 1)); });
  case 4:
    return each([&](int64_t at, int64_t x) { putNibble(data, at, uint64_t(x)); });
  case 8:
    return each([&](int64_t at, int64_t x) { put<int8_t>(data, at, int8_t(x)); });
  case 16:
    return each([&](int64_t at, int64_t x) { put<int16_t>(data, at, int16_t(x)); });
  case 32:
    return each([&](int64_t at, int64_t x) { put<int32_t>(data, at, int32_t(x)); });
  default:
    return each([&](int64_t at, int64_t x) { put<int64_t>(data, at, x); });
  }
}

} // namespace pantile::interpreter
