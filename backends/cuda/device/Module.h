//===- cuda/device/Module.h - loaded code ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_MODULE_H
#define PANTILE_CUDA_DEVICE_MODULE_H

#include "backends/cuda/device/Description.h"

#include <atomic>
#include <deque>

namespace pantile::cuda {

struct Function {
  std::string name;
  CUfunction handle = nullptr;
  int64_t mostThreads = 1024, mostDynamicShared = 0;
  /// Blocks resident at once on the whole device for one (block, shared memory, cluster), the last asked for: low 24 bits the
  /// number, above them what it is for; 0: not asked yet.
  mutable std::atomic<uint64_t> resident{0};
};

class Module {
public:
  /// `code`: a cubin, or PTX text (the driver compiles it). The context must be current. A failure carries the driver's log.
  static Expected<std::unique_ptr<Module>> load(const Driver &driver, const Description &device, const void *code, size_t size,
                                                const char *const *entries, uint32_t count);
  ~Module();
  const Function *entry(uint32_t index) const { return index < functions.size() ? &functions[index] : nullptr; }
  size_t size() const { return functions.size(); }

private:
  explicit Module(const Driver &driver) : driver(driver) {}
  const Driver &driver;
  CUmodule module = nullptr;
  std::deque<Function> functions;
};

/// PTX to a cubin for the current context's device by the driver's linker.
Expected<std::string> linkPtx(const Driver &driver, std::string_view ptx);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_DEVICE_MODULE_H
