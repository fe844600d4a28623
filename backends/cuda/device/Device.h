//===- cuda/device/Device.h - an opened GPU -------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Works in the calling thread's context where that belongs to this GPU when the device is opened, else in the GPU's primary
// context, which every framework of the process shares. Every call makes it current for its own duration only.
//
// Memory comes from a pool of the device's own. Allocating and freeing go through two streams of their own: memory is given
// when it may be used by anyone; a freed block comes back to the pool once what had been enqueued on any stream known here
// has passed, without the host waiting.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_DEVICE_H
#define PANTILE_CUDA_DEVICE_DEVICE_H

#include "backends/cuda/device/Module.h"
#include "backends/cuda/device/TensorMaps.h"

#include <mutex>
#include <set>

namespace pantile::cuda {

class Device {
public:
  static Expected<std::unique_ptr<Device>> open(const Driver &driver, uint32_t ordinal);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const Driver &driver() const { return api; }
  const Description &description() const { return what; }
  CUcontext context() const { return ctx; }

  Expected<void *> allocate(size_t bytes);
  void free(void *pointer);
  /// Whether `bytes` at `pointer` may be used by kernels of this device.
  Status checkMemory(const void *pointer, size_t bytes) const;
  /// Kernels here may use memory of the other GPU.
  Status enablePeer(int64_t ordinal);

  Expected<CUstream> createStream();
  /// The application's own; it must belong to this device's context.
  Expected<CUstream> adoptStream(void *native);
  void forgetStream(CUstream stream, bool destroy);

  /// `stream` NULL: the context's default stream, which waits for and is waited for by other libraries' default streams.
  Status launch(CUstream stream, const Module &module, const pantile_launch_call &call);

  /// The status of a driver's answer. A sticky error is remembered: see faulted.
  Status check(CUresult result, std::string_view what) const;
  /// Not OK after a kernel has faulted: the context is lost, whatever is asked.
  Status faulted() const;
  /// Remembers a fault that a call could not report.
  void note(CUresult result) const;

private:
  Device(const Driver &driver, Description description) : api(driver), what(std::move(description)), maps(driver) {}
  Expected<uint32_t> residentBlocks(const Function &function, const CUlaunchConfig &config) const;

  const Driver &api;
  const Description what;
  TensorMaps maps;
  CUcontext ctx = nullptr;
  bool primary = false;
  CUmemoryPool pool = nullptr;
  CUstream allocating = nullptr, freeing = nullptr;
  CUevent passed = nullptr;
  mutable std::atomic<int> fault{0};
  std::mutex mutex; ///< of the streams and of freeing
  std::set<CUstream> streams;
};

} // namespace pantile::cuda

#endif // PANTILE_CUDA_DEVICE_DEVICE_H
