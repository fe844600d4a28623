//===- core/DType.cpp -----------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/DType.h"

#include <array>
#include <bit>
#include <fmt/core.h>

namespace pantile {

namespace {

// DLPack's codes: 0 signed, 1 unsigned, 2 float, 4 bfloat. i1 travels as a byte of 0 or 1, hence has none of its own.
constexpr auto S = DTypeClass::Signed, U = DTypeClass::Unsigned, F = DTypeClass::Float;
constexpr std::array<DTypeInfo, 20> kTable{{
    {PANTILE_I1, "i1", "i1", 1, U, -1},
    {PANTILE_I4, "i4", "i4", 4, S, 0},
    {PANTILE_I8, "i8", "i8", 8, S, 0},
    {PANTILE_I16, "i16", "i16", 16, S, 0},
    {PANTILE_I32, "i32", "i32", 32, S, 0},
    {PANTILE_I64, "i64", "i64", 64, S, 0},
    {PANTILE_U8, "i8", "u8", 8, U, 1},
    {PANTILE_U16, "i16", "u16", 16, U, 1},
    {PANTILE_U32, "i32", "u32", 32, U, 1},
    {PANTILE_U64, "i64", "u64", 64, U, 1},
    {PANTILE_F16, "f16", "f16", 16, F, 2},
    {PANTILE_BF16, "bf16", "bf16", 16, F, 4},
    {PANTILE_F32, "f32", "f32", 32, F, 2},
    {PANTILE_F64, "f64", "f64", 64, F, 2},
    {PANTILE_F8E4M3FN, "f8E4M3FN", "f8e4m3fn", 8, F, -1},
    {PANTILE_F8E5M2, "f8E5M2", "f8e5m2", 8, F, -1},
    {PANTILE_F8E4M3FNUZ, "f8E4M3FNUZ", "f8e4m3fnuz", 8, F, -1},
    {PANTILE_F8E5M2FNUZ, "f8E5M2FNUZ", "f8e5m2fnuz", 8, F, -1},
    {PANTILE_F4E2M1FN, "f4E2M1FN", "f4e2m1fn", 4, F, -1},
    {PANTILE_INDEX, "index", "index", 64, S, 0},
}};
constexpr DTypeInfo kInvalid{PANTILE_DTYPE_INVALID, "invalid", "invalid", 0, S, -1};

} // namespace

std::span<const DTypeInfo> allDTypes() { return kTable; }

const DTypeInfo &info(DType dtype) {
  size_t row = size_t(dtype) - 1;
  return row < kTable.size() ? kTable[row] : kInvalid;
}

Expected<DType> dtypeFromName(std::string_view name) {
  for (const DTypeInfo &row : kTable)
    if (row.name == name) return row.dtype;
  for (const DTypeInfo &row : kTable)
    if (row.irName == name) return row.dtype;
  std::string known;
  for (const DTypeInfo &row : kTable) known += (known.empty() ? "" : ", ") + std::string(row.name);
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("unknown dtype '{}'", name)).withFix("one of " + known);
}

Expected<DType> dtypeFromDLPack(uint8_t code, uint8_t bits, uint16_t lanes) {
  if (lanes != 1)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("a tensor of {} lanes an element", lanes))
        .withFix("use lanes = 1 and one more dimension");
  for (const DTypeInfo &row : kTable)
    if (row.dtype != PANTILE_INDEX && row.dlpackCode == code && row.bits == bits) return row.dtype;
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("unknown DLPack dtype (code {}, {} bits)", code, bits));
}

bool compatible(DType declared, DType given) {
  if (declared == given) return true;
  const DTypeInfo &d = info(declared), &g = info(given);
  if (d.kind == DTypeClass::Float) // what DLPack has no code for travels as its bits
    return d.dlpackCode < 0 && g.kind != DTypeClass::Float && g.bits == d.bits;
  if (declared == PANTILE_I1) return g.kind != DTypeClass::Float && g.bits == 8;
  // The IR's integers are signless.
  return g.kind != DTypeClass::Float && g.bits == d.bits;
}

uint16_t f32ToF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return uint16_t(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); // quiet nan
  if (magnitude >= 0x477ff000) return uint16_t(sign | 0x7c00);                            // rounds past 65504
  if (magnitude < 0x38800000) {                                                           // below 2^-14: multiples of 2^-24
    uint32_t significand = (magnitude & 0x7fffff) | 0x800000, shift = 126 - (magnitude >> 23);
    if (shift > 24) return uint16_t(sign); // under half of the least
    return uint16_t(sign | (significand + (1u << (shift - 1)) - 1 + (significand >> shift & 1)) >> shift);
  }
  uint32_t rounded = magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1);
  return uint16_t(sign | rounded >> 13);
}

float f16ToF32(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent == 0) {
    float value = float(fraction) * 0x1p-24f;
    return sign ? -value : value;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t f32ToBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float bf16ToF32(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

} // namespace pantile
