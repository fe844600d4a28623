//===- cuda/device/Module.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/Module.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda {

namespace {

/// The buffers that the driver writes its compiler's words into.
struct Log {
  char error[8192] = "", info[1024] = "";
  CUjit_option options[4] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_INFO_LOG_BUFFER,
                             CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES};
  void *values[4] = {error, reinterpret_cast<void *>(sizeof(error) - 1), info, reinterpret_cast<void *>(sizeof(info) - 1)};

  Status with(Status status) const {
    std::string cause = error;
    while (!cause.empty() && (cause.back() == '\n' || cause.back() == ' ')) cause.pop_back();
    return std::move(status).withCause(std::move(cause));
  }
};

bool isElf(std::string_view code) {
  return code.starts_with("\x7f"
                          "ELF");
}

} // namespace

Expected<std::string> linkPtx(const Driver &driver, std::string_view ptx) {
  Log log;
  CUlinkState state = nullptr;
  CUresult result = driver.cuLinkCreate(4, log.options, log.values, &state);
  if (result != CUDA_SUCCESS) return driver.failure(result, "the driver's linker does not start");
  std::string text(ptx); // ends in NUL, as the driver wants it
  void *cubin = nullptr;
  size_t size = 0;
  result = driver.cuLinkAddData(state, CU_JIT_INPUT_PTX, text.data(), text.size() + 1, "kernel.ptx", 0, nullptr, nullptr);
  if (result == CUDA_SUCCESS) result = driver.cuLinkComplete(state, &cubin, &size);
  std::string linked;
  if (result == CUDA_SUCCESS) linked.assign(static_cast<const char *>(cubin), size);
  (void)driver.cuLinkDestroy(state); // owns the cubin
  if (result != CUDA_SUCCESS) return log.with(driver.failure(result, "the driver cannot compile the kernel's PTX"));
  return linked;
}

Expected<std::unique_ptr<Module>> Module::load(const Driver &driver, const Description &device, const void *code, size_t size,
                                               const char *const *entries, uint32_t count) {
  if (!size) return Status(PANTILE_DATA_ERROR, "the compiled kernel is empty").withFix("clear the artifact cache: `pantile cache clear`");
  std::string image(static_cast<const char *>(code), size);
  if (!isElf(image)) { PANTILE_ASSIGN(image, linkPtx(driver, image)); }
  Unrecorded unrecorded(driver);
  std::unique_ptr<Module> loaded(new Module(driver));
  Log log;
  CUresult result = driver.cuModuleLoadDataEx(&loaded->module, image.data(), 4, log.options, log.values);
  if (result != CUDA_SUCCESS) {
    loaded->module = nullptr;
    return log.with(driver.failure(result, fmt::format("the compiled kernel cannot be loaded on '{}' ({})", device.name, device.target)));
  }
  for (uint32_t i = 0; i < count; ++i) {
    Function &function = loaded->functions.emplace_back();
    function.name = entries[i];
    result = driver.cuModuleGetFunction(&function.handle, loaded->module, entries[i]);
    if (result != CUDA_SUCCESS) return driver.failure(result, fmt::format("the compiled kernel has no entry '{}'", entries[i]));
    int staticShared = 0, threads = 0;
    (void)driver.cuFuncGetAttribute(&staticShared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function.handle);
    if (driver.cuFuncGetAttribute(&threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, function.handle) == CUDA_SUCCESS && threads > 0)
      function.mostThreads = threads;
    // Once for all launches: as much as the device has.
    function.mostDynamicShared = std::max<int64_t>(0, device.sharedPerBlock - staticShared);
    result = driver.cuFuncSetAttribute(function.handle, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, int(function.mostDynamicShared));
    if (result != CUDA_SUCCESS) return driver.failure(result, fmt::format("'{}' cannot have its shared memory", entries[i]));
    if (device.clusters) (void)driver.cuFuncSetAttribute(function.handle, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1);
  }
  return loaded;
}

Module::~Module() {
  if (module) (void)driver.cuModuleUnload(module);
}

} // namespace pantile::cuda
