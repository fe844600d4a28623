//===- cuda/device/Device.cpp - context, memory, streams ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/Device.h"

#include <fmt/format.h>

namespace pantile::cuda {

void Device::note(CUresult result) const {
  int none = 0;
  if (isSticky(result)) fault.compare_exchange_strong(none, int(result), std::memory_order_relaxed);
}

Status Device::faulted() const {
  const int result = fault.load(std::memory_order_relaxed);
  return result ? api.failure(CUresult(result), fmt::format("a kernel faulted on '{}'", what.name)) : Status();
}

Status Device::check(CUresult result, std::string_view tried) const {
  if (result == CUDA_SUCCESS) return {};
  note(result);
  if (isSticky(result)) return faulted();
  return api.failure(result, tried);
}

Expected<std::unique_ptr<Device>> Device::open(const Driver &driver, uint32_t ordinal) {
  PANTILE_ASSIGN(Description description, describeDevice(driver, ordinal));
  std::unique_ptr<Device> device(new Device(driver, std::move(description)));
  const std::string &name = device->what.name;
  CUdevice theirs = -1;
  CUcontext now = nullptr;
  if (driver.cuCtxGetCurrent(&now) == CUDA_SUCCESS && now && driver.cuCtxGetDevice(&theirs) == CUDA_SUCCESS &&
      theirs == device->what.device) {
    device->ctx = now;
  } else {
    PANTILE_RETURN_IF_ERROR(
        device->check(driver.cuDevicePrimaryCtxRetain(&device->ctx, device->what.device), fmt::format("no context on '{}'", name)));
    device->primary = true;
  }
  Current current(driver, device->ctx);
  if (device->what.memoryPools) {
    CUmemPoolProps properties{};
    properties.allocType = 1;
    properties.location = {1, device->what.device};
    uint64_t keep = UINT64_MAX; // blocks stay in the pool until it ends or memory runs short
    PANTILE_RETURN_IF_ERROR(device->check(driver.cuMemPoolCreate(&device->pool, &properties), "no memory pool"));
    PANTILE_RETURN_IF_ERROR(
        device->check(driver.cuMemPoolSetAttribute(device->pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &keep), "no memory pool"));
    PANTILE_RETURN_IF_ERROR(device->check(driver.cuStreamCreate(&device->allocating, CU_STREAM_NON_BLOCKING), "no stream"));
    PANTILE_RETURN_IF_ERROR(device->check(driver.cuStreamCreate(&device->freeing, CU_STREAM_NON_BLOCKING), "no stream"));
    PANTILE_RETURN_IF_ERROR(device->check(driver.cuEventCreate(&device->passed, CU_EVENT_DISABLE_TIMING), "no event"));
  }
  return device;
}

Device::~Device() {
  if (!ctx) return;
  {
    Current current(api, ctx);
    if (freeing) (void)api.cuStreamSynchronize(freeing);
    if (passed) (void)api.cuEventDestroy(passed);
    if (allocating) (void)api.cuStreamDestroy(allocating);
    if (freeing) (void)api.cuStreamDestroy(freeing);
    if (pool) (void)api.cuMemPoolDestroy(pool);
  }
  if (primary) (void)api.cuDevicePrimaryCtxRelease(what.device);
}

Expected<void *> Device::allocate(size_t bytes) {
  if (!bytes) return nullptr;
  PANTILE_RETURN_IF_ERROR(faulted());
  Current current(api, ctx);
  Unrecorded unrecorded(api);
  CUdeviceptr pointer = 0;
  auto take = [&]() -> CUresult {
    if (!pool) return api.cuMemAlloc(&pointer, bytes);
    CUresult result = api.cuMemAllocFromPoolAsync(&pointer, bytes, pool, allocating);
    return result == CUDA_SUCCESS ? api.cuStreamSynchronize(allocating) : result;
  };
  CUresult result = take();
  if (result == CUDA_ERROR_OUT_OF_MEMORY && pool) {
    // What was freed may still be on its way, or in pieces.
    (void)api.cuStreamSynchronize(freeing);
    (void)api.cuMemPoolTrimTo(pool, 0);
    result = take();
  }
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    size_t left = 0, total = 0;
    (void)api.cuMemGetInfo(&left, &total);
    return api.failure(result, fmt::format("'{}' has no {} bytes left ({} of {} are free)", what.name, bytes, left, total));
  }
  PANTILE_RETURN_IF_ERROR(check(result, fmt::format("{} bytes on '{}' cannot be allocated", bytes, what.name)));
  return reinterpret_cast<void *>(pointer);
}

void Device::free(void *pointer) {
  if (!pointer || fault.load(std::memory_order_relaxed)) return; // a lost context's memory is gone
  Current current(api, ctx);
  const auto address = CUdeviceptr(reinterpret_cast<uintptr_t>(pointer));
  if (!pool) {
    note(api.cuMemFree(address));
    return;
  }
  std::lock_guard lock(mutex);
  Unrecorded unrecorded(api);
  auto follow = [&](CUstream stream) {
    CUstreamCaptureStatus capturing;
    if (api.cuStreamIsCapturing(stream, &capturing) != CUDA_SUCCESS || capturing != CU_STREAM_CAPTURE_STATUS_NONE) return;
    if (api.cuEventRecord(passed, stream) == CUDA_SUCCESS) note(api.cuStreamWaitEvent(freeing, passed, 0));
  };
  follow(nullptr);
  for (CUstream stream : streams) follow(stream);
  note(api.cuMemFreeAsync(address, freeing));
}

Status Device::checkMemory(const void *pointer, size_t bytes) const {
  if (!bytes) return {};
  Current current(api, ctx);
  unsigned type = 0, managed = 0;
  int owner = -1;
  CUdeviceptr start = 0, mapped = 0;
  size_t size = 0;
  CUpointer_attribute which[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,    CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                 CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR,
                                 CU_POINTER_ATTRIBUTE_RANGE_SIZE,     CU_POINTER_ATTRIBUTE_DEVICE_POINTER};
  void *values[] = {&type, &managed, &owner, &start, &size, &mapped};
  const auto address = CUdeviceptr(reinterpret_cast<uintptr_t>(pointer));
  CUresult result = api.cuPointerGetAttributes(6, which, values, address);
  if (result != CUDA_SUCCESS) return check(result, fmt::format("the address {:#x} cannot be looked at", address));
  if (type == 0)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the address {:#x} is host memory that '{}' cannot reach", address, what.name))
        .withFix("copy it to the device (pantile_allocate, pantile_copy_to_device)");
  if (type == CU_MEMORYTYPE_DEVICE && !managed && owner != what.device) {
    int reachable = 0;
    (void)api.cuDeviceCanAccessPeer(&reachable, what.device, owner);
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("the address {:#x} is memory of GPU {}, this context's is GPU {}", address, owner, what.device))
        .withFix("copy it there, or make a context of its device");
  }
  if (type == CU_MEMORYTYPE_DEVICE && size && (address < start || address - start > size || bytes > size - (address - start)))
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} bytes at {:#x} reach past their allocation, which has {} from there", bytes,
                                                        address, size - (address - start)))
        .withFix("see the tensor's shape and strides");
  return {};
}

Status Device::enablePeer(int64_t ordinal) {
  CUdevice other = 0;
  int reachable = 0;
  PANTILE_RETURN_IF_ERROR(check(api.cuDeviceGet(&other, int(ordinal)), fmt::format("there is no GPU {}", ordinal)));
  if (other == what.device) return {};
  PANTILE_RETURN_IF_ERROR(check(api.cuDeviceCanAccessPeer(&reachable, what.device, other), "peer access cannot be asked for"));
  if (!reachable)
    return Status(PANTILE_UNSUPPORTED, fmt::format("GPU {} cannot reach the memory of GPU {}", what.device, other))
        .withFix("copy between them: copies work without peer access");
  CUcontext peer = nullptr;
  // Kept: memory of the peer stays reachable as long as the process.
  PANTILE_RETURN_IF_ERROR(check(api.cuDevicePrimaryCtxRetain(&peer, other), fmt::format("no context on GPU {}", other)));
  Current current(api, ctx);
  CUresult result = api.cuCtxEnablePeerAccess(peer, 0);
  if (result == CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED) result = CUDA_SUCCESS;
  PANTILE_RETURN_IF_ERROR(check(result, fmt::format("GPU {} gets no access to GPU {}", what.device, other)));
  if (pool) {
    // Memory of pools is shared pool by pool: the peer may use ours.
    CUmemAccessDesc access{{1, other}, 3};
    PANTILE_RETURN_IF_ERROR(check(api.cuMemPoolSetAccess(pool, &access, 1), fmt::format("GPU {} gets no access to the pool", other)));
  }
  return {};
}

Expected<CUstream> Device::createStream() {
  PANTILE_RETURN_IF_ERROR(faulted());
  Current current(api, ctx);
  CUstream stream = nullptr;
  PANTILE_RETURN_IF_ERROR(check(api.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "no stream can be made"));
  std::lock_guard lock(mutex);
  streams.insert(stream);
  return stream;
}

Expected<CUstream> Device::adoptStream(void *native) {
  auto stream = static_cast<CUstream>(native);
  Current current(api, ctx);
  CUcontext theirs = nullptr;
  PANTILE_RETURN_IF_ERROR(check(api.cuStreamGetCtx(stream, &theirs), "this is no stream of the driver"));
  if (theirs != ctx)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the stream belongs to another context than this device's ('{}')", what.name))
        .withFix("make the stream's context current before the Pantile context is created, or use a stream of the primary context");
  std::lock_guard lock(mutex);
  streams.insert(stream);
  return stream;
}

void Device::forgetStream(CUstream stream, bool destroy) {
  {
    std::lock_guard lock(mutex);
    streams.erase(stream);
  }
  Current current(api, ctx);
  if (destroy) note(api.cuStreamDestroy(stream));
}

} // namespace pantile::cuda
