//===- cuda/device/TensorMaps.h - descriptors of tensor copies ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The driver encodes a view's sizes, strides, box and swizzle into 128 bytes. Encoded maps are remembered by all of it but
// the address: a call on another pointer takes the remembered map and replaces its address. Remembering is best effort: a
// place that another thread holds is encoded anew, so nobody waits.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_TENSORMAPS_H
#define PANTILE_CUDA_DEVICE_TENSORMAPS_H

#include "backends/cuda/device/Driver.h"
#include "ir/simt/LaunchExtras.h"

#include <array>
#include <atomic>

namespace pantile::cuda {

class TensorMaps {
public:
  explicit TensorMaps(const Driver &driver) : driver(driver) {}

  /// Writes the map of `record` with base `address` (device memory) to `map`. What the hardware cannot describe (16-byte
  /// alignment of address and strides, box and size limits) is PANTILE_INVALID_ARGUMENT, and says what.
  Status encode(const simt::DescriptorRecord &record, uint64_t address, CUtensorMap &map);

private:
  struct alignas(64) Place {
    std::atomic_flag busy;
    bool used = false;
    simt::DescriptorRecord record;
    CUtensorMap map;
  };
  Status encodeAnew(const simt::DescriptorRecord &record, uint64_t address, CUtensorMap &map) const;

  const Driver &driver;
  std::array<Place, 128> places;
};

} // namespace pantile::cuda

#endif // PANTILE_CUDA_DEVICE_TENSORMAPS_H
