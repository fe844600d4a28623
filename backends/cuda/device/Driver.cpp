//===- cuda/device/Driver.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/Driver.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace pantile::cuda {

namespace {

using GetProcAddress = CUresult (*)(const char *, void **, int, uint64_t, int *);

Status tooOld(const std::string &found) {
  return Status(PANTILE_UNAVAILABLE, fmt::format("the NVIDIA driver is too old: {}, 12.2 is needed", found))
      .withFix("install driver 535 or newer");
}

std::string versionText(int version) { return fmt::format("it serves CUDA {}.{}", version / 1000, version % 1000 / 10); }

struct Row {
  CUresult result;
  pantile_code code;
  const char *fix;
};

/// What a result means to the caller; absent ones are PANTILE_DEVICE_ERROR where sticky, else PANTILE_INTERNAL.
constexpr Row kRows[] = {
    {CUDA_ERROR_INVALID_VALUE, PANTILE_INVALID_ARGUMENT, ""},
    {CUDA_ERROR_OUT_OF_MEMORY, PANTILE_OUT_OF_MEMORY, "free device memory, or use smaller tensors"},
    {CUDA_ERROR_DEINITIALIZED, PANTILE_UNAVAILABLE, "the process is ending"},
    {CUDA_ERROR_STUB_LIBRARY, PANTILE_UNAVAILABLE, "a stub of libcuda.so.1 was found before the driver: see LD_LIBRARY_PATH"},
    {CUDA_ERROR_DEVICE_UNAVAILABLE, PANTILE_UNAVAILABLE, "another process has the GPU for itself (compute mode)"},
    {CUDA_ERROR_NO_DEVICE, PANTILE_UNAVAILABLE, "see whether nvidia-smi lists a GPU, and CUDA_VISIBLE_DEVICES"},
    {CUDA_ERROR_INVALID_DEVICE, PANTILE_NOT_FOUND, "see CUDA_VISIBLE_DEVICES"},
    {CUDA_ERROR_INVALID_IMAGE, PANTILE_DATA_ERROR, "clear the artifact cache: `pantile cache clear`"},
    {CUDA_ERROR_NO_BINARY_FOR_GPU, PANTILE_UNSUPPORTED, "compile the kernel for this device's target (`pantile devices`)"},
    {CUDA_ERROR_INVALID_PTX, PANTILE_DATA_ERROR, "compile with ptxas: its path is the option `ptxas` of the target"},
    {CUDA_ERROR_JIT_COMPILER_NOT_FOUND, PANTILE_UNAVAILABLE, "install the driver's libnvidia-ptxjitcompiler, or ptxas"},
    {CUDA_ERROR_UNSUPPORTED_PTX_VERSION, PANTILE_UNSUPPORTED, "install a newer driver, or ptxas (PyPI: nvidia-cuda-nvcc)"},
    {CUDA_ERROR_NOT_FOUND, PANTILE_DATA_ERROR, "clear the artifact cache: `pantile cache clear`"},
    {CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, PANTILE_UNSUPPORTED, "use a configuration with fewer warps, stages or registers"},
    {CUDA_ERROR_INVALID_CLUSTER_SIZE, PANTILE_UNSUPPORTED, "use a configuration with a smaller cluster"},
    {CUDA_ERROR_NOT_SUPPORTED, PANTILE_UNSUPPORTED, ""},
    {CUDA_ERROR_SYSTEM_NOT_READY, PANTILE_UNAVAILABLE, "see whether the fabric manager runs"},
    {CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, PANTILE_UNAVAILABLE,
     "the kernel module and libcuda.so.1 differ in version: reboot after an update"},
    {CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, PANTILE_UNAVAILABLE, "remove the compatibility libraries from LD_LIBRARY_PATH"},
};

} // namespace

bool isSticky(CUresult result) {
  switch (result) {
  case CUDA_ERROR_ECC_UNCORRECTABLE:
  case CUDA_ERROR_CONTAINED:
  case CUDA_ERROR_ILLEGAL_ADDRESS:
  case CUDA_ERROR_LAUNCH_TIMEOUT:
  case CUDA_ERROR_ASSERT:
  case CUDA_ERROR_HARDWARE_STACK_ERROR:
  case CUDA_ERROR_ILLEGAL_INSTRUCTION:
  case CUDA_ERROR_MISALIGNED_ADDRESS:
  case CUDA_ERROR_INVALID_ADDRESS_SPACE:
  case CUDA_ERROR_INVALID_PC:
  case CUDA_ERROR_LAUNCH_FAILED:
  case CUDA_ERROR_TENSOR_MEMORY_LEAK:
    return true;
  default:
    return false;
  }
}

std::string Driver::describe(CUresult result) const {
  const char *name = nullptr, *text = nullptr;
  if (!cuGetErrorName || cuGetErrorName(result, &name) != CUDA_SUCCESS || !name) return fmt::format("CUDA error {}", int(result));
  (void)cuGetErrorString(result, &text);
  return fmt::format("{} ({})", text ? text : "", name);
}

Status Driver::failure(CUresult result, std::string_view what) const {
  pantile_code code = isSticky(result) ? PANTILE_DEVICE_ERROR : PANTILE_INTERNAL;
  std::string fix;
  for (const Row &row : kRows)
    if (row.result == result) code = row.code, fix = row.fix;
  if (result >= CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED && result <= 910) {
    code = PANTILE_INVALID_ARGUMENT;
    fix = "do it before the capture begins (`pantile_prepare`)";
  }
  if (isSticky(result)) fix = "make a new process: what this device's context held is lost";
  return Status(code, fmt::format("{}: {}", what, describe(result))).withFix(std::move(fix));
}

Expected<Driver> Driver::open(const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = dlerror();
    return Status(PANTILE_UNAVAILABLE, "there is no NVIDIA driver on this machine")
        .withCause(reason ? reason : "")
        .withFix("install driver 535 or newer");
  }
  Driver driver;
  auto getVersion = reinterpret_cast<CUresult (*)(int *)>(dlsym(handle, "cuDriverGetVersion"));
  auto find = reinterpret_cast<GetProcAddress>(dlsym(handle, "cuGetProcAddress_v2"));
  CUresult result = getVersion ? getVersion(&driver.version) : CUDA_ERROR_NOT_FOUND;
  if (result == CUDA_ERROR_STUB_LIBRARY) return driver.failure(result, "the NVIDIA driver cannot start");
  if (result != CUDA_SUCCESS) return Status(PANTILE_UNAVAILABLE, fmt::format("{} is no NVIDIA driver: it has no version", library));
  if (driver.version < kOldestVersion) return tooOld(versionText(driver.version));
  if (!find) return tooOld(versionText(driver.version) + " without cuGetProcAddress_v2");
#define PANTILE_CUDA_SYMBOL(name, since, parameters)                                                                                       \
  {                                                                                                                                        \
    void *address = nullptr;                                                                                                               \
    int status = 0;                                                                                                                        \
    if (find(#name, &address, since, 0, &status) != CUDA_SUCCESS || !address)                                                              \
      return tooOld(versionText(driver.version) + " without " #name);                                                                      \
    driver.name = reinterpret_cast<CUresult(*) parameters>(address);                                                                       \
  }
#include "backends/cuda/device/DriverSymbols.def"
#undef PANTILE_CUDA_SYMBOL
  result = driver.cuInit(0);
  if (result == CUDA_ERROR_NO_DEVICE) return driver.failure(result, "the NVIDIA driver finds no GPU");
  if (result != CUDA_SUCCESS) {
    Status status = driver.failure(result, "the NVIDIA driver cannot start");
    return Status(PANTILE_UNAVAILABLE, status.text()).withFix(status.fix());
  }
  return driver;
}

Expected<const Driver *> Driver::get() {
  // Never closed: the driver's own threads and handlers stay.
  static const auto *driver = new Expected<Driver>(open("libcuda.so.1"));
  if (!*driver) return driver->status();
  return &**driver;
}

} // namespace pantile::cuda
