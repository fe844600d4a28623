//===- cuda/emulation/Fragments.h - which lane holds which element --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// One formula serves all: PTX ISA 8.x, "Matrix Fragments for mma.m16n8k16 with floating point type" and its siblings, and
// "Register Fragments and Shared Memory Matrix Layouts" of wgmma. With g = lane/4, t = lane%4 and e elements a 32-bit register:
//
//   A (m x k), register r, element j     row g + 8 (r & 1),  column e (4 (r >> 1) + t) + j
//   B (k x n), register r, element j     row e (4 r + t) + j,  column g
//   C (m x n), value i                   row g + 8 (i >> 1 & 1),  column 8 (i >> 2) + 2 t + (i & 1)
//
// wgmma gives warp w of its group the rows from 16 w.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_FRAGMENTS_H
#define PANTILE_CUDA_EMULATION_FRAGMENTS_H

#include "backends/cuda/emulation/Elements.h"

namespace pantile::cuda::emulation {

struct Place {
  unsigned row, column;
};
inline Place placeOfA(unsigned lane, unsigned reg, unsigned j, unsigned perRegister) {
  return {lane / 4 + 8 * (reg & 1), perRegister * (4 * (reg >> 1) + lane % 4) + j};
}
inline Place placeOfB(unsigned lane, unsigned reg, unsigned j, unsigned perRegister) {
  return {perRegister * (4 * reg + lane % 4) + j, lane / 4};
}
inline Place placeOfC(unsigned lane, unsigned value) {
  return {lane / 4 + 8 * (value >> 1 & 1), 8 * (value >> 2) + 2 * (lane % 4) + (value & 1)};
}

/// c (16 x n) += a (16 x k) x b (k x n), rows contiguous; products are exact, sums in f32 in order of k.
void multiply(float *c, const float *a, const float *b, unsigned n, unsigned k);
void multiplyIntegers(int32_t *c, const float *a, const float *b, unsigned n, unsigned k);

} // namespace pantile::cuda::emulation

#endif // PANTILE_CUDA_EMULATION_FRAGMENTS_H
