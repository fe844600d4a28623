//===- cuda/device/Driver.h - the driver, opened at run time --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_DRIVER_H
#define PANTILE_CUDA_DEVICE_DRIVER_H

#include "backends/cuda/device/DriverTypes.h"
#include "core/Status.h"

namespace pantile::cuda {

/// Every function in use, resolved at the version that its parameters belong to. Lives as long as the process.
struct Driver {
#define PANTILE_CUDA_SYMBOL(name, version, parameters) CUresult(*name) parameters = nullptr;
#include "backends/cuda/device/DriverSymbols.def"
#undef PANTILE_CUDA_SYMBOL
  int version = 0; ///< of CUDA that it serves: 1000 * major + 10 * minor

  /// Opens `library` and starts the driver. PANTILE_UNAVAILABLE with the reason: no driver, too old, no device.
  static Expected<Driver> open(const char *library);
  /// This machine's, opened at the first call.
  static Expected<const Driver *> get();

  /// "an illegal memory access was encountered (CUDA_ERROR_ILLEGAL_ADDRESS)"
  std::string describe(CUresult result) const;
  /// A failed call's status: `what` says what was tried.
  Status failure(CUresult result, std::string_view what) const;
};

/// CUDA 12.2: driver 535.
inline constexpr int kOldestVersion = 12020;

/// Whether the context is lost with it: every later call answers the same.
bool isSticky(CUresult result);

/// Makes a context the calling thread's for a scope.
class Current {
public:
  Current(const Driver &driver, CUcontext context) : driver(driver) {
    CUcontext now = nullptr;
    if (driver.cuCtxGetCurrent(&now) == CUDA_SUCCESS && now == context) return;
    pushed = driver.cuCtxPushCurrent(context) == CUDA_SUCCESS;
  }
  ~Current() {
    CUcontext popped;
    if (pushed) (void)driver.cuCtxPopCurrent(&popped);
  }
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;

private:
  const Driver &driver;
  bool pushed = false;
};

/// What a scope asks of the driver is no part of what some stream captures meanwhile, and may be asked.
class Unrecorded {
public:
  explicit Unrecorded(const Driver &driver) : driver(driver) { (void)driver.cuThreadExchangeStreamCaptureMode(&mode); }
  ~Unrecorded() { (void)driver.cuThreadExchangeStreamCaptureMode(&mode); }
  Unrecorded(const Unrecorded &) = delete;
  Unrecorded &operator=(const Unrecorded &) = delete;

private:
  const Driver &driver;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
};

} // namespace pantile::cuda

#endif // PANTILE_CUDA_DEVICE_DRIVER_H
