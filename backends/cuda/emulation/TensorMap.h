//===- cuda/emulation/TensorMap.h - a descriptor that can be read ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The driver's 128 bytes are opaque: here is what it was asked for, in as many bytes.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_TENSORMAP_H
#define PANTILE_CUDA_EMULATION_TENSORMAP_H

#include "core/Status.h"

#include <cstdint>

namespace pantile::cuda::emulation {

struct TensorMap {
  static constexpr uint32_t kMagic = 0x50544d31;
  uint32_t magic = kMagic;
  uint8_t rank = 0, elementBytes = 0;
  uint8_t swizzleBytes = 0; ///< 0, 32, 64, 128
  uint8_t dtype = 0;        ///< pantile_dtype: for reductions
  uint64_t address = 0;
  uint32_t last[5] = {};    ///< size - 1, fastest first
  uint64_t strides[4] = {}; ///< bytes, from the second dimension on
  uint16_t box[5] = {};     ///< elements
};
static_assert(sizeof(TensorMap) <= 128);

/// What the hardware demands of a map: alignment, box, swizzle.
Status checkTensorMap(const TensorMap &map);

} // namespace pantile::cuda::emulation

#endif // PANTILE_CUDA_EMULATION_TENSORMAP_H
