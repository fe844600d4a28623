//===- cuda/device/Description.h - what a GPU is, for tuner and users -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_DESCRIPTION_H
#define PANTILE_CUDA_DEVICE_DESCRIPTION_H

#include "backends/cuda/device/Driver.h"
#include "pantile/plugin.h"

#include <string>
#include <vector>

namespace pantile::cuda {

struct Description {
  std::string name, target, uuid, hardware;
  uint64_t memoryBytes = 0;
  std::vector<pantile_property> properties;
  CUdevice device = 0;
  int64_t units = 0, sharedPerBlock = 0;
  bool memoryPools = false, clusters = false;
};

/// Asks the driver; makes no context.
Expected<Description> describeDevice(const Driver &driver, uint32_t ordinal);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_DEVICE_DESCRIPTION_H
