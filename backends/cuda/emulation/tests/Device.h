//===- cuda/emulation/tests/Device.h - memory and launches for tests ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_TESTS_DEVICE_H
#define PANTILE_CUDA_EMULATION_TESTS_DEVICE_H

#include "backends/cuda/emulation/Dialect.h"
#include "backends/cuda/emulation/TensorMap.h"
#include "backends/emulator/Module.h"

#include <cstring>
#include <vector>

namespace pantile::cuda::emulation::tests {

/// Emulated device memory: buffers with gaps between them.
class Device {
public:
  Device() : bytes(size_t(8) << 20), states(bytes, emulator::DeviceMemory::kNotAllocated) {
    base.reset(new (std::align_val_t(4096)) char[bytes]);
  }

  template <typename T> T *empty(size_t count) { return reserve<T>(count, emulator::DeviceMemory::kUninitialized); }
  template <typename T> T *filled(const std::vector<T> &values) {
    T *place = reserve<T>(values.size(), emulator::DeviceMemory::kInitialized);
    std::memcpy(place, values.data(), values.size() * sizeof(T));
    return place;
  }

  struct Launch {
    uint32_t grid = 1, block = 32, shared = 0;
    emulator::ExecutionOptions options = {};
  };
  /// Compiles and runs the one kernel of `text`; parameters are objects that outlive the call.
  Status run(const std::string &text, const char *kernel, Launch launch, std::vector<const void *> parameters,
             std::vector<emulator::Region> regions = {}) {
    PANTILE_ASSIGN(auto module, emulator::CodeModule::load(text, dialect(), "sm_90a"));
    const emulator::KernelInfo *info = module->kernel(kernel);
    if (!info) return {PANTILE_NOT_FOUND, "no such kernel"};
    emulator::LaunchDimensions dimensions;
    dimensions.grid[0] = launch.grid;
    dimensions.block[0] = launch.block;
    dimensions.dynamicShared = launch.shared;
    return module->launch(*info, dimensions, parameters, regions, {base.get(), bytes, states.data()}, launch.options);
  }

private:
  template <typename T> T *reserve(size_t count, uint8_t state) {
    char *place = base.get() + top;
    std::fill_n(states.begin() + int64_t(top), count * sizeof(T), state);
    top += (count * sizeof(T) + 1023) / 512 * 512;
    return reinterpret_cast<T *>(place);
  }
  struct Free {
    void operator()(char *memory) const { ::operator delete[](memory, std::align_val_t(4096)); }
  };
  size_t bytes, top = 4096;
  std::vector<uint8_t> states;
  std::unique_ptr<char[], Free> base;
};

/// `text` with every line that contains `what` left out, or `what` replaced; fails the test where there is none.
std::string without(const std::string &text, const std::string &what, int which = -1);
std::string replaced(std::string text, const std::string &what, const std::string &by);

} // namespace pantile::cuda::emulation::tests

#endif // PANTILE_CUDA_EMULATION_TESTS_DEVICE_H
