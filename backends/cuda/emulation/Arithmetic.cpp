//===- cuda/emulation/Arithmetic.cpp - functions and conversions ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Approximate functions are computed to the last bit: the device's own errors (about 2 units) are for the tolerances.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Elements.h"
#include "backends/cuda/emulation/Families.h"

#include <cmath>

namespace pantile::cuda::emulation {

namespace {

float f32(uint64_t word) { return std::bit_cast<float>(uint32_t(word)); }
uint64_t bits(float value) { return std::bit_cast<uint32_t>(value); }
float flush(float value) { return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value; }

template <float (*F)(float)> void function(Lane &, const Call &call) { call.out[0] = bits(F(f32(call.in[0]))); }
template <float (*F)(float)> void functionFlushed(Lane &, const Call &call) { call.out[0] = bits(flush(F(flush(f32(call.in[0]))))); }

float exp2Of(float x) { return std::exp2(x); }
float log2Of(float x) { return std::log2(x); }
float sinOf(float x) { return std::sin(x); }
float cosOf(float x) { return std::cos(x); }
float tanhOf(float x) { return std::tanh(x); }
float reciprocal(float x) { return 1.0f / x; }
float rsqrt(float x) { return float(1.0 / std::sqrt(double(x))); }
float sqrtOf(float x) { return std::sqrt(x); }
float magnitude(float x) { return std::fabs(x); }

#define BOTH(f) function<f>
#define FLUSH(f) functionFlushed<f>

void fusedMultiplyAdd(Lane &, const Call &call) { call.out[0] = bits(std::fma(f32(call.in[0]), f32(call.in[1]), f32(call.in[2]))); }
void divide(Lane &, const Call &call) { call.out[0] = bits(f32(call.in[0]) / f32(call.in[1])); }
void maximum(Lane &, const Call &call) { call.out[0] = bits(std::fmax(f32(call.in[0]), f32(call.in[1]))); }
void minimum(Lane &, const Call &call) { call.out[0] = bits(std::fmin(f32(call.in[0]), f32(call.in[1]))); }

/// Two floats to a pair: the first is the high half.
enum Narrow : uint64_t { kRelu = 1 };
float relu(float value, uint64_t data) { return data & kRelu && !(value > 0) ? (std::isnan(value) ? value : 0.0f) : value; }
void pairOfHalves(Lane &, const Call &call) {
  call.out[0] = uint32_t(toHalf(relu(f32(call.in[0]), call.data))) << 16 | toHalf(relu(f32(call.in[1]), call.data));
}
void pairOfBFloats(Lane &, const Call &call) {
  call.out[0] = uint32_t(toBFloat(relu(f32(call.in[0]), call.data))) << 16 | toBFloat(relu(f32(call.in[1]), call.data));
}
void pairOfE4M3(Lane &, const Call &call) { call.out[0] = uint32_t(toE4M3(f32(call.in[0]), true)) << 8 | toE4M3(f32(call.in[1]), true); }
void pairOfE5M2(Lane &, const Call &call) { call.out[0] = uint32_t(toE5M2(f32(call.in[0]), true)) << 8 | toE5M2(f32(call.in[1]), true); }
template <Element E> void pairToHalves(Lane &, const Call &call) {
  call.out[0] = uint32_t(toHalf(toFloat(E, call.in[0] >> 8 & 0xff))) << 16 | toHalf(toFloat(E, call.in[0] & 0xff));
}
void toTF32Word(Lane &, const Call &call) { call.out[0] = toTF32(f32(call.in[0])); }
void toBFloatWord(Lane &, const Call &call) { call.out[0] = toBFloat(relu(f32(call.in[0]), call.data)); }
void toHalfWord(Lane &, const Call &call) { call.out[0] = toHalf(f32(call.in[0])); }
void fromBFloat(Lane &, const Call &call) { call.out[0] = uint32_t(call.in[0]) << 16; }
void fromHalf(Lane &, const Call &call) { call.out[0] = bits(toFloat(Element::F16, uint16_t(call.in[0]))); }
void floatToInt(Lane &, const Call &call) {
  const float value = f32(call.in[0]);
  const float rounded = call.data & 2 ? std::trunc(value) : std::nearbyint(value);
  const bool isSigned = call.data & 1;
  if (std::isnan(value))
    call.out[0] = 0;
  else if (isSigned)
    call.out[0] = uint32_t(rounded >= 2147483648.0f ? INT32_MAX : rounded <= -2147483648.0f ? INT32_MIN : int32_t(rounded));
  else
    call.out[0] = rounded >= 4294967296.0f ? UINT32_MAX : rounded <= 0 ? 0 : uint32_t(rounded);
}

/// Two halves or bfloats at once.
template <Element E, typename F> void paired(const Call &call, F f) {
  auto part = [&](unsigned i, unsigned half) { return toFloat(E, uint16_t(call.in[i] >> (16 * half))); };
  auto narrow = [](float value) { return E == Element::F16 ? toHalf(value) : toBFloat(value); };
  call.out[0] = uint32_t(narrow(f([&](unsigned i) { return part(i, 1); }))) << 16 | narrow(f([&](unsigned i) { return part(i, 0); }));
}
template <Element E> void pairExp2(Lane &, const Call &call) {
  paired<E>(call, [](auto x) { return std::exp2(x(0)); });
}
template <Element E> void pairTanh(Lane &, const Call &call) {
  paired<E>(call, [](auto x) { return std::tanh(x(0)); });
}
template <Element E> void pairFma(Lane &, const Call &call) {
  paired<E>(call, [](auto x) { return std::fma(x(0), x(1), x(2)); });
}
template <Element E> void one(const Call &call, float (*f)(float)) {
  const float value = f(toFloat(E, uint16_t(call.in[0])));
  call.out[0] = E == Element::F16 ? toHalf(value) : toBFloat(value);
}
template <Element E> void oneTanh(Lane &, const Call &call) { one<E>(call, tanhOf); }
template <Element E> void oneExp2(Lane &, const Call &call) { one<E>(call, exp2Of); }

/// prmt: bytes of a pair chosen by nibbles; bit 3 of a nibble repeats the sign.
void permuteBytes(Lane &, const Call &call) {
  const uint64_t pair = call.in[1] << 32 | uint32_t(call.in[0]);
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned nibble = call.in[2] >> (4 * i) & 15;
    uint8_t byte = uint8_t(pair >> (8 * (nibble & 7)));
    if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
    result |= uint32_t(byte) << (8 * i);
  }
  call.out[0] = result;
}
/// lop3: in: a, b, c, table.
void lop3(Lane &, const Call &call) {
  const uint32_t a = uint32_t(call.in[0]), b = uint32_t(call.in[1]), c = uint32_t(call.in[2]);
  uint32_t result = 0;
  for (unsigned row = 0; row < 8; ++row)
    if (call.in[3] >> row & 1) result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
  call.out[0] = result;
}
/// dp4a: data: bit 0 a signed, bit 1 b signed.
void dotBytes(Lane &, const Call &call) {
  int64_t sum = int32_t(uint32_t(call.in[2]));
  for (unsigned i = 0; i < 4; ++i) {
    const uint8_t a = uint8_t(call.in[0] >> (8 * i)), b = uint8_t(call.in[1] >> (8 * i));
    sum += (call.data & 1 ? int8_t(a) : int(a)) * (call.data & 2 ? int8_t(b) : int(b));
  }
  call.out[0] = uint32_t(sum);
}
/// An address in another space: shared addresses lie in their window of the generic ones.
void toAddress(Lane &, const Call &call) {
  const bool shared = call.data & 1, toSpace = call.data & 2;
  call.out[0] = !shared ? call.in[0] : toSpace ? call.in[0] - emulator::kSharedWindow : call.in[0] + emulator::kSharedWindow;
}
void copyWord(Lane &, const Call &call) { call.out[0] = call.in[0]; }

using R = Row;
const Row kRows[] = {
    R{"llvm.nvvm.ex2.approx.ftz.f32", FLUSH(exp2Of)},
    R{"llvm.nvvm.ex2.approx.ftz.f", FLUSH(exp2Of)},
    R{"llvm.nvvm.ex2.approx.f32", BOTH(exp2Of)},
    R{"llvm.nvvm.ex2.approx.f", BOTH(exp2Of)},
    R{"llvm.nvvm.ex2.approx.ftz.f16x2", pairExp2<Element::F16>},
    R{"llvm.nvvm.ex2.approx.f16x2", pairExp2<Element::F16>},
    R{"llvm.nvvm.ex2.approx.f16", oneExp2<Element::F16>},
    R{"llvm.nvvm.ex2.approx.ftz.bf16x2", pairExp2<Element::BF16>},
    R{"llvm.nvvm.lg2.approx.ftz.f", FLUSH(log2Of)},
    R{"llvm.nvvm.lg2.approx.f", BOTH(log2Of)},
    R{"llvm.nvvm.sin.approx.ftz.f", FLUSH(sinOf)},
    R{"llvm.nvvm.sin.approx.f", BOTH(sinOf)},
    R{"llvm.nvvm.cos.approx.ftz.f", FLUSH(cosOf)},
    R{"llvm.nvvm.cos.approx.f", BOTH(cosOf)},
    R{"llvm.nvvm.tanh.approx.f32", BOTH(tanhOf)},
    R{"llvm.nvvm.tanh.approx.f16", oneTanh<Element::F16>},
    R{"llvm.nvvm.tanh.approx.bf16", oneTanh<Element::BF16>},
    R{"llvm.nvvm.tanh.approx.v2f16", pairTanh<Element::F16>},
    R{"llvm.nvvm.tanh.approx.v2bf16", pairTanh<Element::BF16>},
    R{"llvm.nvvm.tanh.approx.f16x2", pairTanh<Element::F16>},
    R{"llvm.nvvm.tanh.approx.bf16x2", pairTanh<Element::BF16>},
    R{"llvm.nvvm.rcp.approx.ftz.f", FLUSH(reciprocal)},
    R{"llvm.nvvm.rcp.rn.ftz.f", FLUSH(reciprocal)},
    R{"llvm.nvvm.rcp.rn.f", BOTH(reciprocal)},
    R{"llvm.nvvm.rcp.approx.f", BOTH(reciprocal)},
    R{"llvm.nvvm.rsqrt.approx.ftz.f", FLUSH(rsqrt)},
    R{"llvm.nvvm.rsqrt.approx.f", BOTH(rsqrt)},
    R{"llvm.nvvm.sqrt.approx.ftz.f", FLUSH(sqrtOf)},
    R{"llvm.nvvm.sqrt.approx.f", BOTH(sqrtOf)},
    R{"llvm.nvvm.sqrt.rn.ftz.f", FLUSH(sqrtOf)},
    R{"llvm.nvvm.sqrt.rn.f", BOTH(sqrtOf)},
    R{"llvm.nvvm.sqrt.f", BOTH(sqrtOf)},
    R{"llvm.nvvm.div.approx*", divide},
    R{"llvm.nvvm.div.full*", divide},
    R{"llvm.nvvm.div.rn*", divide},
    R{"llvm.nvvm.fma.rn.ftz.f", fusedMultiplyAdd},
    R{"llvm.nvvm.fma.rn.f", fusedMultiplyAdd},
    R{"llvm.nvvm.fma.rn.f16x2", pairFma<Element::F16>},
    R{"llvm.nvvm.fma.rn.bf16x2", pairFma<Element::BF16>},
    R{"llvm.nvvm.fmax.f", maximum},
    R{"llvm.nvvm.fmax.ftz.f", maximum},
    R{"llvm.nvvm.fmin.f", minimum},
    R{"llvm.nvvm.fmin.ftz.f", minimum},
    R{"llvm.nvvm.fabs.f", BOTH(magnitude)},
    R{"llvm.nvvm.fabs.f32", BOTH(magnitude)},
    R{"llvm.nvvm.fabs.ftz.f32", FLUSH(magnitude)},
    R{"llvm.nvvm.ff2f16x2.rn", pairOfHalves},
    R{"llvm.nvvm.ff2f16x2.rn.relu", pairOfHalves, kRelu},
    R{"llvm.nvvm.ff2bf16x2.rn", pairOfBFloats},
    R{"llvm.nvvm.ff2bf16x2.rn.relu", pairOfBFloats, kRelu},
    R{"llvm.nvvm.ff.to.e4m3x2.rn", pairOfE4M3},
    R{"llvm.nvvm.ff.to.e5m2x2.rn", pairOfE5M2},
    R{"llvm.nvvm.e4m3x2.to.f16x2.rn", pairToHalves<Element::E4M3>},
    R{"llvm.nvvm.e5m2x2.to.f16x2.rn", pairToHalves<Element::E5M2>},
    R{"llvm.nvvm.f2bf16.rn", toBFloatWord},
    R{"llvm.nvvm.f2bf16.rn.relu", toBFloatWord, kRelu},
    R{"llvm.nvvm.f2h.rn*", toHalfWord},
    R{"llvm.nvvm.h2f", fromHalf},
    R{"llvm.nvvm.f2tf32.rna*", toTF32Word},
    R{"llvm.nvvm.f2i.rn", floatToInt, 1},
    R{"llvm.nvvm.f2i.rz", floatToInt, 3},
    R{"llvm.nvvm.f2i.rn.ftz", floatToInt, 1},
    R{"llvm.nvvm.f2ui.rn", floatToInt, 0},
    R{"llvm.nvvm.f2ui.rz", floatToInt, 2},
    R{"llvm.nvvm.prmt", permuteBytes},
    R{"llvm.nvvm.idp4a.s.s", dotBytes, 3},
    R{"llvm.nvvm.idp4a.u.u", dotBytes, 0},
    R{"llvm.nvvm.idp4a.s.u", dotBytes, 1},
    R{"llvm.nvvm.idp4a.u.s", dotBytes, 2},
};

std::optional<uint64_t> decodeExp(const Opcode &opcode, const OperandCounts &) {
  if (opcode.parts.back() != "f32") return std::nullopt;
  return 0;
}
std::optional<uint64_t> decodeConvertPair(const Opcode &opcode, std::string_view to) {
  if (opcode.parts.size() < 4 || !opcode.has(to) || opcode.parts.back() != "f32") return std::nullopt;
  return opcode.has("relu") ? kRelu : 0;
}
std::optional<uint64_t> decodeBFloatPair(const Opcode &opcode, const OperandCounts &) { return decodeConvertPair(opcode, "bf16x2"); }
std::optional<uint64_t> decodeHalfPair(const Opcode &opcode, const OperandCounts &) { return decodeConvertPair(opcode, "f16x2"); }
std::optional<uint64_t> decodeE4M3Pair(const Opcode &opcode, const OperandCounts &) { return decodeConvertPair(opcode, "e4m3x2"); }
std::optional<uint64_t> decodeE5M2Pair(const Opcode &opcode, const OperandCounts &) { return decodeConvertPair(opcode, "e5m2x2"); }
std::optional<uint64_t> decodeFromE4M3(const Opcode &opcode, const OperandCounts &) {
  if (opcode.parts.back() != "e4m3x2" || !opcode.has("f16x2")) return std::nullopt;
  return 0;
}
std::optional<uint64_t> decodeFromE5M2(const Opcode &opcode, const OperandCounts &) {
  if (opcode.parts.back() != "e5m2x2" || !opcode.has("f16x2")) return std::nullopt;
  return 0;
}
std::optional<uint64_t> decodeTF32(const Opcode &opcode, const OperandCounts &) {
  if (!opcode.has("tf32")) return std::nullopt;
  return 0;
}
std::optional<uint64_t> decodeNarrowOne(const Opcode &opcode, const OperandCounts &) {
  if (opcode.parts.size() < 2 || opcode.parts[opcode.parts.size() - 2] != "bf16") return std::nullopt;
  return opcode.has("relu") ? kRelu : 0;
}
std::optional<uint64_t> decodeWiden(const Opcode &opcode, const OperandCounts &) {
  if (opcode.parts.back() != "bf16" || opcode.parts[1] != "f32") return std::nullopt;
  return 0;
}
std::optional<uint64_t> decodeAddress(const Opcode &opcode, const OperandCounts &) {
  const bool shared = opcode.has("shared") || opcode.has("shared::cta") || opcode.has("shared::cluster");
  return (shared ? 1 : 0) | (opcode.has("to") ? 2 : 0);
}
std::optional<uint64_t> decodeDot(const Opcode &opcode, const OperandCounts &) {
  const size_t last = opcode.parts.size();
  if (last < 3) return std::nullopt;
  return (opcode.parts[last - 2] == "s32" ? 1 : 0) | (opcode.parts[last - 1] == "s32" ? 2 : 0);
}
std::optional<uint64_t> decodePlainMove(const Opcode &opcode, const OperandCounts &) {
  if (opcode.parts.back() != "f32" && opcode.parts.back() != "f64") return std::nullopt;
  return 0;
}

const PtxRow kPtx[] = {
    {"ex2.approx", FLUSH(exp2Of), 1, false, decodeExp},
    {"lg2.approx", FLUSH(log2Of), 1, false, decodeExp},
    {"rcp.approx", FLUSH(reciprocal), 1, false, decodeExp},
    {"rsqrt.approx", FLUSH(rsqrt), 1, false, decodeExp},
    {"sqrt.approx", FLUSH(sqrtOf), 1, false, decodeExp},
    {"tanh.approx", BOTH(tanhOf), 1, false, decodeExp},
    {"sin.approx", FLUSH(sinOf), 1, false, decodeExp},
    {"cos.approx", FLUSH(cosOf), 1, false, decodeExp},
    {"div.full", divide, 1, false, nullptr},
    {"fma.rn", fusedMultiplyAdd, 1, false, decodeExp},
    {"cvt", pairOfBFloats, 1, false, decodeBFloatPair},
    {"cvt", pairOfHalves, 1, false, decodeHalfPair},
    {"cvt", pairOfE4M3, 1, false, decodeE4M3Pair},
    {"cvt", pairOfE5M2, 1, false, decodeE5M2Pair},
    {"cvt", pairToHalves<Element::E4M3>, 1, false, decodeFromE4M3},
    {"cvt", pairToHalves<Element::E5M2>, 1, false, decodeFromE5M2},
    {"cvt", toTF32Word, 1, false, decodeTF32},
    {"cvt", toBFloatWord, 1, false, decodeNarrowOne},
    {"cvt", fromBFloat, 1, false, decodeWiden},
    {"cvta", toAddress, 1, false, decodeAddress},
    {"prmt.b32", permuteBytes, 1, false, nullptr},
    {"lop3.b32", lop3, 1, false, nullptr},
    {"dp4a", dotBytes, 1, false, decodeDot},
    {"mov", copyWord, 1, false, decodePlainMove},
};

} // namespace

std::span<const Row> arithmeticIntrinsics() { return kRows; }
std::span<const PtxRow> arithmeticRows() { return kPtx; }

} // namespace pantile::cuda::emulation
