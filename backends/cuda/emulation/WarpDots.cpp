//===- cuda/emulation/WarpDots.cpp - mma.sync -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"
#include "backends/cuda/emulation/Fragments.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

void multiply(float *__restrict c, const float *__restrict a, const float *__restrict b, unsigned n, unsigned k) {
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned x = 0; x < k; ++x) {
      const float value = a[row * k + x];
      for (unsigned column = 0; column < n; ++column) c[row * n + column] += value * b[x * n + column];
    }
}

void multiplyIntegers(int32_t *__restrict c, const float *__restrict a, const float *__restrict b, unsigned n, unsigned k) {
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned x = 0; x < k; ++x) {
      const int32_t value = int32_t(a[row * k + x]);
      for (unsigned column = 0; column < n; ++column)
        c[row * n + column] = int32_t(uint32_t(c[row * n + column]) + uint32_t(value * int32_t(b[x * n + column])));
    }
}

namespace {

/// An instruction's form in Call::data.
struct Form {
  uint8_t m, n, k;
  Element a, b, c, d;
};
uint64_t pack(const Form &form) {
  uint64_t data = 0;
  std::memcpy(&data, &form, sizeof(form));
  return data;
}
Form unpack(uint64_t data) {
  Form form;
  std::memcpy(&form, &data, sizeof(form));
  return form;
}

/// Registers of an operand, in words.
unsigned registersA(const Form &f) { return f.a == Element::F64 ? f.m * f.k / 32 : f.m * f.k * bitsOf(f.a) / 1024; }
unsigned registersB(const Form &f) { return f.a == Element::F64 ? f.n * f.k / 32 : f.n * f.k * bitsOf(f.b) / 1024; }

/// f64: m8n8k4 (PTX ISA, "Matrix Fragments for mma.m8n8k4 with .f64"): A (g, t), B (t, g), C (g, 2t + i).
void multiplyDoubles(Warp &warp) {
  double a[8][4], b[4][8], c[8][8];
  auto value = [](uint64_t word) { return std::bit_cast<double>(word); };
  for (Lane &lane : warp.lanes) {
    const Call &call = *static_cast<const Call *>(lane.operand);
    const unsigned g = lane.index / 4, t = lane.index % 4;
    a[g][t] = value(call.in[0]);
    b[t][g] = value(call.in[1]);
    c[g][2 * t] = value(call.in[2]);
    c[g][2 * t + 1] = value(call.in[3]);
  }
  for (Lane &lane : warp.lanes) {
    const Call &call = *static_cast<const Call *>(lane.operand);
    const unsigned g = lane.index / 4, t = lane.index % 4;
    for (unsigned i = 0; i < 2; ++i) {
      double sum = c[g][2 * t + i];
      for (unsigned x = 0; x < 4; ++x) sum += a[g][x] * b[x][2 * t + i];
      call.out[i] = std::bit_cast<uint64_t>(sum);
    }
  }
}

void act(Warp &warp, uint64_t members) {
  if (members != 0xffffffff || warp.lanes.size() != 32) warp.lanes[0].fail(PANTILE_DATA_ERROR, "mma needs all 32 lanes of a warp");
  const Form form = unpack(static_cast<const Call *>(warp.lanes[0].operand)->data);
  if (form.a == Element::F64) return multiplyDoubles(warp);
  const unsigned n = form.n, k = form.k, aBits = bitsOf(form.a), bBits = bitsOf(form.b), aPer = 32 / aBits, bPer = 32 / bBits;
  const unsigned aRegisters = registersA(form), bRegisters = registersB(form), values = 16 * n / 32;
  const bool integers = form.d == Element::S32, halfIn = form.c == Element::F16, halfOut = form.d == Element::F16;
  float a[16 * 32], b[32 * 8], c[16 * 8];
  int32_t whole[16 * 8];
  for (Lane &lane : warp.lanes) {
    const Call &call = *static_cast<const Call *>(lane.operand);
    for (unsigned r = 0; r < aRegisters; ++r)
      for (unsigned j = 0; j < aPer; ++j) {
        const Place p = placeOfA(lane.index, r, j, aPer);
        a[p.row * k + p.column] = toFloat(form.a, uint32_t(call.in[r] >> (j * aBits) & (aBits == 32 ? ~0u : (1u << aBits) - 1)));
      }
    for (unsigned r = 0; r < bRegisters; ++r)
      for (unsigned j = 0; j < bPer; ++j) {
        const Place p = placeOfB(lane.index, r, j, bPer);
        b[p.row * n + p.column] =
            toFloat(form.b, uint32_t(call.in[aRegisters + r] >> (j * bBits) & (bBits == 32 ? ~0u : (1u << bBits) - 1)));
      }
    const uint64_t *in = call.in + aRegisters + bRegisters;
    for (unsigned i = 0; i < values; ++i) {
      const Place p = placeOfC(lane.index, i);
      if (integers)
        whole[p.row * n + p.column] = int32_t(uint32_t(in[i]));
      else
        c[p.row * n + p.column] =
            halfIn ? toFloat(Element::F16, uint16_t(in[i / 2] >> (16 * (i & 1)))) : std::bit_cast<float>(uint32_t(in[i]));
    }
  }
  if (integers)
    multiplyIntegers(whole, a, b, n, k);
  else
    multiply(c, a, b, n, k);
  for (Lane &lane : warp.lanes) {
    const Call &call = *static_cast<const Call *>(lane.operand);
    for (unsigned i = 0; i < values; ++i) {
      const Place p = placeOfC(lane.index, i);
      if (integers)
        call.out[i] = uint32_t(whole[p.row * n + p.column]);
      else if (halfOut)
        call.out[i / 2] = i & 1 ? call.out[i / 2] | uint32_t(toHalf(c[p.row * n + p.column])) << 16 : toHalf(c[p.row * n + p.column]);
      else
        call.out[i] = std::bit_cast<uint32_t>(c[p.row * n + p.column]);
    }
  }
}

void run(Lane &lane, const Call &call) { lane.converge(~uint64_t(0), const_cast<Call *>(&call), act); }

bool isLegal(const Form &f) {
  if (f.a == Element::Unknown || f.b == Element::Unknown || f.c == Element::Unknown || f.d == Element::Unknown) return false;
  if (f.a == Element::F64) return f.m == 8 && f.n == 8 && f.k == 4;
  return f.m == 16 && f.n == 8 && bitsOf(f.a) == bitsOf(f.b) && (f.k * bitsOf(f.a) == 128 || f.k * bitsOf(f.a) == 256);
}

/// mma.sync.aligned.m16n8k16.row.col[.satfinite].d.a.b.c
std::optional<uint64_t> decode(const Opcode &opcode, const OperandCounts &) {
  int m, n, k;
  opcode.shape(m, n, k);
  const size_t last = opcode.parts.size();
  if (last < 8 || !opcode.has("row") || !opcode.has("col") || opcode.has("sp") || opcode.has("block_scale")) return std::nullopt;
  Form form{uint8_t(m),
            uint8_t(n),
            uint8_t(k),
            elementNamed(opcode.parts[last - 3]),
            elementNamed(opcode.parts[last - 2]),
            elementNamed(opcode.parts[last - 1]),
            elementNamed(opcode.parts[last - 4])};
  if (!isLegal(form)) return std::nullopt;
  return pack(form);
}

const PtxRow kPtx[] = {{"mma.sync", run, 1, false, decode}};

} // namespace

std::span<const Row> warpDotIntrinsics() {
  using E = Element;
  static const Row rows[] = {
      {"llvm.nvvm.mma.m16n8k16.row.col.bf16", run, pack({16, 8, 16, E::BF16, E::BF16, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k8.row.col.bf16", run, pack({16, 8, 8, E::BF16, E::BF16, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k16.row.col.f32.f32", run, pack({16, 8, 16, E::F16, E::F16, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k16.row.col.f16.f16", run, pack({16, 8, 16, E::F16, E::F16, E::F16, E::F16})},
      {"llvm.nvvm.mma.m16n8k16.row.col.f32.f16", run, pack({16, 8, 16, E::F16, E::F16, E::F16, E::F32})},
      {"llvm.nvvm.mma.m16n8k16.row.col.f16.f32", run, pack({16, 8, 16, E::F16, E::F16, E::F32, E::F16})},
      {"llvm.nvvm.mma.m16n8k8.row.col.f32.f32", run, pack({16, 8, 8, E::F16, E::F16, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k8.row.col.f16.f16", run, pack({16, 8, 8, E::F16, E::F16, E::F16, E::F16})},
      {"llvm.nvvm.mma.m16n8k8.row.col.tf32", run, pack({16, 8, 8, E::TF32, E::TF32, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k4.row.col.tf32", run, pack({16, 8, 4, E::TF32, E::TF32, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.s8", run, pack({16, 8, 32, E::S8, E::S8, E::S32, E::S32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.u8", run, pack({16, 8, 32, E::U8, E::U8, E::S32, E::S32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.s8.u8", run, pack({16, 8, 32, E::S8, E::U8, E::S32, E::S32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.u8.s8", run, pack({16, 8, 32, E::U8, E::S8, E::S32, E::S32})},
      {"llvm.nvvm.mma.m16n8k16.row.col.s8", run, pack({16, 8, 16, E::S8, E::S8, E::S32, E::S32})},
      {"llvm.nvvm.mma.m16n8k16.row.col.u8", run, pack({16, 8, 16, E::U8, E::U8, E::S32, E::S32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.f32.e4m3.e4m3.f32", run, pack({16, 8, 32, E::E4M3, E::E4M3, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.f32.e4m3.e5m2.f32", run, pack({16, 8, 32, E::E4M3, E::E5M2, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.f32.e5m2.e4m3.f32", run, pack({16, 8, 32, E::E5M2, E::E4M3, E::F32, E::F32})},
      {"llvm.nvvm.mma.m16n8k32.row.col.f32.e5m2.e5m2.f32", run, pack({16, 8, 32, E::E5M2, E::E5M2, E::F32, E::F32})},
      {"llvm.nvvm.mma.m8n8k4.row.col.f64", run, pack({8, 8, 4, E::F64, E::F64, E::F64, E::F64})},
  };
  return rows;
}
std::span<const PtxRow> warpDotRows() { return kPtx; }

} // namespace pantile::cuda::emulation
