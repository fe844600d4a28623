//===- cuda/emulation/Elements.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Elements.h"

#include "pantile/types.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace pantile::cuda::emulation {

namespace {

struct Name {
  std::string_view ptx;
  Element element;
  unsigned bits;
};
constexpr Name kNames[] = {{"f16", Element::F16, 16},  {"bf16", Element::BF16, 16}, {"tf32", Element::TF32, 32}, {"e4m3", Element::E4M3, 8},
                           {"e5m2", Element::E5M2, 8}, {"s8", Element::S8, 8},      {"u8", Element::U8, 8},      {"f64", Element::F64, 64},
                           {"f32", Element::F32, 32},  {"s32", Element::S32, 32}};

/// A small float: nearest even, subnormals, saturation. `mantissa` bits, exponent bias `bias`, largest finite `most`.
uint8_t toSmall(float value, int mantissa, int bias, float most, bool saturate, uint8_t infinity, uint8_t nan) {
  const uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return nan;
  float magnitude = std::fabs(value);
  int exponent;
  std::frexp(magnitude, &exponent); // magnitude = f * 2^exponent, f in [0.5, 1)
  const int unit = std::max(exponent - 1, 1 - bias) - mantissa;
  const float scaled = std::nearbyint(std::ldexp(magnitude, -unit)), rounded = std::ldexp(scaled, unit);
  if (rounded > most || std::isinf(magnitude)) {
    if (!saturate) return uint8_t(sign | infinity);
    magnitude = most;
  } else {
    magnitude = rounded;
  }
  if (magnitude == 0) return sign;
  std::frexp(magnitude, &exponent);
  const int e = std::max(exponent - 1, 1 - bias);
  const unsigned digits = unsigned(std::ldexp(magnitude, mantissa - e));
  const bool normal = digits >> mantissa;
  return uint8_t(sign | (normal ? unsigned(e + bias) << mantissa : 0) | (digits & ((1u << mantissa) - 1)));
}

template <typename T> T combine(T a, T b, Combine how) {
  switch (how) {
  case Combine::Add:
    return T(a + b);
  case Combine::Min:
    return std::min(a, b);
  case Combine::Max:
    return std::max(a, b);
  default:
    return a;
  }
}
template <typename T> void reduceAs(char *to, const char *from, Combine how) {
  T a, b;
  std::memcpy(&a, to, sizeof(T));
  std::memcpy(&b, from, sizeof(T));
  if constexpr (std::is_integral_v<T>) {
    if (how == Combine::And)
      a = T(a & b);
    else if (how == Combine::Or)
      a = T(a | b);
    else if (how == Combine::Xor)
      a = T(a ^ b);
    else
      a = combine(a, b, how);
  } else {
    a = combine(a, b, how);
  }
  std::memcpy(to, &a, sizeof(T));
}
void reduceNarrow(char *to, const char *from, Element element, Combine how) {
  uint16_t a, b;
  std::memcpy(&a, to, 2);
  std::memcpy(&b, from, 2);
  const float result = combine(toFloat(element, a), toFloat(element, b), how);
  a = element == Element::F16 ? toHalf(result) : toBFloat(result);
  std::memcpy(to, &a, 2);
}

} // namespace

Element elementNamed(std::string_view ptx) {
  for (const Name &name : kNames)
    if (name.ptx == ptx) return name.element;
  return Element::Unknown;
}

unsigned bitsOf(Element element) {
  for (const Name &name : kNames)
    if (name.element == element) return name.bits;
  return 0;
}

float toFloat(Element element, uint32_t bits) {
  switch (element) {
  case Element::F16:
    return float(std::bit_cast<_Float16>(uint16_t(bits)));
  case Element::BF16:
    return std::bit_cast<float>(bits << 16);
  case Element::TF32:
    return std::bit_cast<float>(bits & 0xffffe000u);
  case Element::E4M3: {
    const unsigned e = bits >> 3 & 15, m = bits & 7;
    if ((bits & 0x7f) == 0x7f) return std::nanf("");
    const float magnitude = e ? std::ldexp(float(8 + m), int(e) - 10) : std::ldexp(float(m), -9);
    return bits & 0x80 ? -magnitude : magnitude;
  }
  case Element::E5M2:
    return float(std::bit_cast<_Float16>(uint16_t(bits << 8)));
  case Element::S8:
    return float(int8_t(bits));
  case Element::U8:
    return float(uint8_t(bits));
  default:
    return std::bit_cast<float>(bits);
  }
}

uint16_t toHalf(float value) { return std::bit_cast<uint16_t>(_Float16(value)); }

uint16_t toBFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return 0x7fff;
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint8_t toE4M3(float value, bool saturate) { return toSmall(value, 3, 7, 448, saturate, 0x7f, 0x7f); }
uint8_t toE5M2(float value, bool saturate) { return toSmall(value, 2, 15, 57344, saturate, 0x7c, 0x7f); }

uint32_t toTF32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7f800000) == 0x7f800000) return bits & 0xffffe000u ? (std::isnan(value) ? 0x7fffffffu : bits) : bits;
  return (bits + 0x1000) & 0xffffe000u;
}

void reduceInto(char *to, const char *from, uint8_t dtype, Combine how) {
  switch (dtype) {
  case PANTILE_F16:
    return reduceNarrow(to, from, Element::F16, how);
  case PANTILE_BF16:
    return reduceNarrow(to, from, Element::BF16, how);
  case PANTILE_F32:
    return reduceAs<float>(to, from, how);
  case PANTILE_F64:
    return reduceAs<double>(to, from, how);
  case PANTILE_I32:
    return reduceAs<int32_t>(to, from, how);
  case PANTILE_U32:
    return reduceAs<uint32_t>(to, from, how);
  case PANTILE_I64:
    return reduceAs<int64_t>(to, from, how);
  case PANTILE_U64:
    return reduceAs<uint64_t>(to, from, how);
  default:
    return;
  }
}

} // namespace pantile::cuda::emulation
