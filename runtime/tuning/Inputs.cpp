//===- runtime/tuning/Inputs.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tuning/Inputs.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace pantile {

namespace {

struct Sequence { // splitmix64
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

/// Calls body(offset in elements) for every element, in order; stops where it answers false.
template <typename Body> void forEachElement(const BoundArgument &view, Body body) {
  if (!view.elements) return;
  int64_t index[PANTILE_MAX_RANK] = {}, offset = 0;
  while (true) {
    if (!body(offset, index)) return;
    int d = view.rank - 1;
    for (; d >= 0; --d) {
      offset += view.strides[d];
      if (++index[d] < view.sizes[d]) break;
      offset -= view.strides[d] * view.sizes[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

/// Small floats of 8 bits: sign, exponent, mantissa.
double fromF8(uint8_t bits, int exponentBits, int mantissaBits, int bias) {
  int exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1), mantissa = bits & ((1 << mantissaBits) - 1);
  double value = exponent ? std::ldexp(1.0 + double(mantissa) / (1 << mantissaBits), exponent - bias)
                          : std::ldexp(double(mantissa) / (1 << mantissaBits), 1 - bias);
  return bits & 0x80 ? -value : value;
}

double readFloat(const char *at, int32_t dtype) {
  switch (dtype) {
  case PANTILE_F64: {
    double v;
    std::memcpy(&v, at, 8);
    return v;
  }
  case PANTILE_F32: {
    float v;
    std::memcpy(&v, at, 4);
    return double(v);
  }
  case PANTILE_F16:
  case PANTILE_BF16: {
    uint16_t v;
    std::memcpy(&v, at, 2);
    return double(dtype == PANTILE_F16 ? f16ToF32(v) : bf16ToF32(v));
  }
  case PANTILE_F8E4M3FN:
    return (*at & 0x7f) == 0x7f ? NAN : fromF8(uint8_t(*at), 4, 3, 7);
  case PANTILE_F8E4M3FNUZ:
    return uint8_t(*at) == 0x80 ? NAN : fromF8(uint8_t(*at), 4, 3, 8);
  case PANTILE_F8E5M2:
    return (*at & 0x7c) == 0x7c ? NAN : fromF8(uint8_t(*at), 5, 2, 15);
  case PANTILE_F8E5M2FNUZ:
    return uint8_t(*at) == 0x80 ? NAN : fromF8(uint8_t(*at), 5, 2, 16);
  default:
    return NAN;
  }
}

double tolerance(int32_t dtype) {
  switch (dtype) {
  case PANTILE_F64:
    return 1e-9;
  case PANTILE_F32:
    return 2e-4;
  case PANTILE_F16:
    return 4e-3;
  case PANTILE_BF16:
    return 2e-2;
  default:
    return 0.15; // 8 bits
  }
}

} // namespace

void fillView(char *data, const BoundArgument &view, uint64_t seed, int64_t low, int64_t high) {
  Sequence sequence{seed};
  const DTypeInfo &type = info(DType(view.dtype));
  const bool isFloat = type.kind == DTypeClass::Float;
  const unsigned bytes = bytesOfElement(view.dtype);
  if (type.bits < 8) {
    for (uint64_t i = 0; i < view.span; ++i) data[i] = char(sequence.next());
    return;
  }
  const uint64_t width = high > low ? uint64_t(high) - uint64_t(low) : 0;
  forEachElement(view, [&](int64_t offset, const int64_t *) {
    char *at = data + offset * int64_t(bytes);
    const uint64_t random = sequence.next();
    if (!isFloat) {
      int64_t value = width ? int64_t(uint64_t(low) + random % width) : low;
      if (view.dtype == PANTILE_I1) value &= 1;
      std::memcpy(at, &value, bytes);
      return true;
    }
    const float value = float(int64_t(random % 128) - 64) / 64; // exact in every dtype of 8 and more bits of mantissa and exponent
    switch (view.dtype) {
    case PANTILE_F64: {
      double wide = double(value);
      std::memcpy(at, &wide, 8);
      break;
    }
    case PANTILE_F32:
      std::memcpy(at, &value, 4);
      break;
    case PANTILE_F16: {
      uint16_t half = f32ToF16(value);
      std::memcpy(at, &half, 2);
      break;
    }
    case PANTILE_BF16: {
      uint16_t half = f32ToBF16(value);
      std::memcpy(at, &half, 2);
      break;
    }
    default:
      *at = char((random & 0x80) | (0x28 + random % 16)); // eight bits: about 0.1 to 1
    }
    return true;
  });
}

std::optional<std::pair<int64_t, int64_t>> rangeOf(const KernelArgument &argument, const std::map<std::string, int64_t> &shape) {
  if (argument.rangeLow.empty()) return std::nullopt;
  auto number = [&](const std::string &text) -> std::optional<int64_t> {
    int64_t value;
    auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem == std::errc() && end == text.data() + text.size()) return value;
    auto found = shape.find(text);
    return found == shape.end() ? std::nullopt : std::optional(found->second);
  };
  auto low = number(argument.rangeLow), high = number(argument.rangeHigh);
  if (!low || !high) return std::nullopt;
  return std::pair(*low, *high);
}

Status compareView(const std::string &name, const char *result, const char *reference, const BoundArgument &view) {
  const DTypeInfo &type = info(DType(view.dtype));
  const unsigned bytes = bytesOfElement(view.dtype);
  const bool isFloat = type.kind == DTypeClass::Float;
  auto isPoison = [&](const char *at) {
    for (unsigned i = 0; i < bytes; ++i)
      if (static_cast<unsigned char>(at[i]) != kPoison) return false;
    return true;
  };
  auto where = [&](const int64_t *index) {
    std::string text = name + "[";
    for (int d = 0; d < view.rank; ++d) text += fmt::format("{}{}", d ? ", " : "", index[d]);
    return text + "]";
  };
  Status status;
  if (!isFloat || type.bits < 8) {
    forEachElement(view, [&](int64_t offset, const int64_t *index) {
      const char *a = result + offset * int64_t(bytes), *b = reference + offset * int64_t(bytes);
      if (std::memcmp(a, b, bytes) == 0 || isPoison(b)) return true;
      int64_t x = 0, y = 0;
      std::memcpy(&x, a, bytes), std::memcpy(&y, b, bytes);
      status = {PANTILE_DATA_ERROR, fmt::format("{} is {:#x}, {:#x} is right", where(index), x, y)};
      return false;
    });
    return status;
  }
  double largest = 0, sum = 0;
  int64_t computed = 0;
  forEachElement(view, [&](int64_t offset, const int64_t *) {
    const char *b = reference + offset * int64_t(bytes);
    if (isPoison(b)) return true;
    double y = std::fabs(readFloat(b, view.dtype));
    if (std::isfinite(y)) largest = std::max(largest, y), sum += y * y, ++computed;
    return true;
  });
  const double tol = tolerance(view.dtype), typical = computed ? std::sqrt(sum / double(computed)) : 0;
  forEachElement(view, [&](int64_t offset, const int64_t *index) {
    const char *a = result + offset * int64_t(bytes), *b = reference + offset * int64_t(bytes);
    if (isPoison(b)) return true;
    const double x = readFloat(a, view.dtype), y = readFloat(b, view.dtype);
    if (x == y || (std::isnan(x) && std::isnan(y))) return true;
    if (std::fabs(x - y) <= tol * (std::fabs(y) + typical)) return true; // false for NaN
    status = {PANTILE_DATA_ERROR, fmt::format("{} is {:.7g}, {:.7g} is right", where(index), x, y)};
    return false;
  });
  return status;
}

} // namespace pantile
