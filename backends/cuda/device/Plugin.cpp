//===- cuda/device/Plugin.cpp - the device half's table -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/common/Message.h"
#include "backends/cuda/device/Device.h"
#include "core/Sanitizer.h"
#include "pantile/capture.h"

#include <cstring>
#include <fmt/format.h>
#include <map>
#include <new>

using namespace pantile;
using namespace pantile::cuda;

struct pantile_device_handle {
  std::unique_ptr<Device> device;
};
struct pantile_stream_handle {
  Device &device;
  CUstream stream;
  bool owned;
};
struct pantile_event_handle {
  Device &device;
  CUevent event;
};
struct pantile_module_handle {
  Device &device;
  std::unique_ptr<Module> module;
};
struct pantile_graph_handle {
  Device &device;
  CUgraphExec graph;
};

namespace {

/// Runs `function`, which may throw for want of memory, and reports its status.
template <typename Function> int32_t guarded(pantile_message **error, Function function) noexcept {
  try {
    Status status = function();
    return status.isOk() ? PANTILE_OK : report(status, error);
  } catch (const std::bad_alloc &) { return PANTILE_OUT_OF_MEMORY; }
}

CUstream nativeOf(const pantile_stream_handle *stream) { return stream ? stream->stream : nullptr; }
CUdeviceptr addressOf(const void *pointer) { return CUdeviceptr(reinterpret_cast<uintptr_t>(pointer)); }

int32_t count(uint32_t *number, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(const Driver *driver, Driver::get());
    int found = 0;
    CUresult result = driver->cuDeviceGetCount(&found);
    if (result != CUDA_SUCCESS) return driver->failure(result, "GPUs cannot be counted");
    *number = uint32_t(std::max(0, found));
    return {};
  });
}

void copyText(char *to, size_t size, const std::string &text) {
  std::strncpy(to, text.c_str(), size - 1);
  to[size - 1] = 0;
}

int32_t describe(uint32_t ordinal, pantile_device_info *info, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (info->struct_size < sizeof(pantile_device_info)) return {PANTILE_INVALID_ARGUMENT, "pantile_device_info is too small"};
    PANTILE_ASSIGN(const Driver *driver, Driver::get());
    // Properties live as long as the process.
    static std::mutex mutex;
    static auto &known = *new std::map<uint32_t, Description>;
    std::lock_guard lock(mutex);
    auto found = known.find(ordinal);
    if (found == known.end()) {
      PANTILE_ASSIGN(Description described, describeDevice(*driver, ordinal));
      found = known.emplace(ordinal, std::move(described)).first;
    }
    const Description &d = found->second;
    *info = {};
    info->struct_size = sizeof(pantile_device_info);
    info->ordinal = int32_t(ordinal);
    copyText(info->name, sizeof(info->name), d.name);
    copyText(info->target, sizeof(info->target), d.target);
    copyText(info->uuid, sizeof(info->uuid), d.uuid);
    copyText(info->hardware, sizeof(info->hardware), d.hardware);
    info->memory_bytes = d.memoryBytes;
    info->dlpack_device_type = 2; // kDLCUDA
    info->property_count = uint32_t(d.properties.size());
    info->properties = d.properties.data();
    return {};
  });
}

int32_t open(uint32_t ordinal, pantile_device_handle **handle, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(const Driver *driver, Driver::get());
    PANTILE_ASSIGN(auto device, Device::open(*driver, ordinal));
    *handle = new pantile_device_handle{std::move(device)};
    return {};
  });
}
void closeDevice(pantile_device_handle *handle) { delete handle; }

int32_t allocate(pantile_device_handle *handle, size_t bytes, void **pointer, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(*pointer, handle->device->allocate(bytes));
    return {};
  });
}
void freeMemory(pantile_device_handle *handle, void *pointer) { handle->device->free(pointer); }

int32_t copy(pantile_device_handle *handle, pantile_stream_handle *stream, int32_t kind, void *to, const void *from, size_t bytes,
             pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (!bytes) return {};
    const Device &device = *handle->device;
    const Driver &driver = device.driver();
    Current current(driver, device.context());
    CUstream on = nativeOf(stream);
    switch (kind) {
    case PANTILE_COPY_TO_DEVICE:
      return device.check(driver.cuMemcpyHtoDAsync(addressOf(to), from, bytes, on), "a copy to the device failed");
    case PANTILE_COPY_TO_HOST:
      return device.check(driver.cuMemcpyDtoHAsync(to, addressOf(from), bytes, on), "a copy to the host failed");
    case PANTILE_COPY_ON_DEVICE:
      return device.check(driver.cuMemcpyDtoDAsync(addressOf(to), addressOf(from), bytes, on), "a copy on the device failed");
    default:
      return {PANTILE_INVALID_ARGUMENT, fmt::format("there is no copy of kind {}", kind)};
    }
  });
}

int32_t fill(pantile_device_handle *handle, pantile_stream_handle *stream, void *pointer, uint32_t pattern, uint32_t patternBytes,
             size_t bytes, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (patternBytes != 1 && patternBytes != 2 && patternBytes != 4)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a fill pattern of {} bytes, expected 1, 2 or 4", patternBytes)};
    if (bytes % patternBytes)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a fill of {} bytes is no multiple of its pattern's {}", bytes, patternBytes)};
    if (!bytes) return {};
    const Device &device = *handle->device;
    const Driver &driver = device.driver();
    Current current(driver, device.context());
    const size_t times = bytes / patternBytes;
    CUresult result =
        patternBytes == 1   ? driver.cuMemsetD8Async(addressOf(pointer), static_cast<unsigned char>(pattern), times, nativeOf(stream))
        : patternBytes == 2 ? driver.cuMemsetD16Async(addressOf(pointer), static_cast<unsigned short>(pattern), times, nativeOf(stream))
                            : driver.cuMemsetD32Async(addressOf(pointer), pattern, times, nativeOf(stream));
    return device.check(result, "a fill failed");
  });
}

int32_t streamCreate(pantile_device_handle *handle, pantile_stream_handle **stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(CUstream made, handle->device->createStream());
    *stream = new pantile_stream_handle{*handle->device, made, true};
    return {};
  });
}
int32_t streamWrap(pantile_device_handle *handle, void *native, pantile_stream_handle **stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(CUstream adopted, handle->device->adoptStream(native));
    *stream = new pantile_stream_handle{*handle->device, adopted, false};
    return {};
  });
}
void streamRelease(pantile_stream_handle *stream) {
  if (!stream) return;
  stream->device.forgetStream(stream->stream, stream->owned);
  delete stream;
}
int32_t streamSynchronize(pantile_device_handle *handle, pantile_stream_handle *stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = *handle->device;
    PANTILE_RETURN_IF_ERROR(device.faulted());
    Current current(device.driver(), device.context());
    return device.check(device.driver().cuStreamSynchronize(nativeOf(stream)), "waiting for the stream failed");
  });
}

int32_t eventCreate(pantile_device_handle *handle, pantile_event_handle **event, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = *handle->device;
    Current current(device.driver(), device.context());
    CUevent made = nullptr;
    PANTILE_RETURN_IF_ERROR(device.check(device.driver().cuEventCreate(&made, 0), "no event can be made"));
    *event = new pantile_event_handle{*handle->device, made};
    return {};
  });
}
void eventRelease(pantile_event_handle *event) {
  if (!event) return;
  Current current(event->device.driver(), event->device.context());
  event->device.note(event->device.driver().cuEventDestroy(event->event));
  delete event;
}
int32_t eventRecord(pantile_event_handle *event, pantile_stream_handle *stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = event->device;
    Current current(device.driver(), device.context());
    return device.check(device.driver().cuEventRecord(event->event, nativeOf(stream)), "an event cannot be recorded");
  });
}
int32_t eventWait(pantile_stream_handle *stream, pantile_event_handle *event, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = event->device;
    Current current(device.driver(), device.context());
    return device.check(device.driver().cuStreamWaitEvent(nativeOf(stream), event->event, 0), "a stream cannot wait");
  });
}
int32_t eventSynchronize(pantile_event_handle *event, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = event->device;
    Current current(device.driver(), device.context());
    return device.check(device.driver().cuEventSynchronize(event->event), "waiting for an event failed");
  });
}
int32_t eventElapsed(pantile_event_handle *start, pantile_event_handle *stop, uint64_t *nanoseconds, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = start->device;
    float milliseconds = 0;
    CUresult result = device.driver().cuEventElapsedTime(&milliseconds, start->event, stop->event);
    if (result == CUDA_ERROR_INVALID_HANDLE) return {PANTILE_INVALID_ARGUMENT, "an event that was never recorded has no time"};
    if (result == CUDA_ERROR_NOT_READY) return {PANTILE_INVALID_ARGUMENT, "an event that has not passed has no time"};
    PANTILE_RETURN_IF_ERROR(device.check(result, "the events have no time"));
    *nanoseconds = uint64_t(std::max(0.0, double(milliseconds) * 1e6));
    return {};
  });
}

int32_t load(pantile_device_handle *handle, const void *code, size_t size, const char *const *entries, uint32_t entryCount,
             pantile_module_handle **module, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    Device &device = *handle->device;
    PANTILE_RETURN_IF_ERROR(device.faulted());
    Current current(device.driver(), device.context());
    PANTILE_ASSIGN(auto loaded, Module::load(device.driver(), device.description(), code, size, entries, entryCount));
    *module = new pantile_module_handle{device, std::move(loaded)};
    return {};
  });
}
void unload(pantile_module_handle *module) {
  if (!module) return;
  Current current(module->device.driver(), module->device.context());
  delete module;
}

int32_t launch(pantile_device_handle *handle, pantile_stream_handle *stream, const pantile_launch_call *call, pantile_message **error) {
  return guarded(error, [&] { return handle->device->launch(nativeOf(stream), *call->module->module, *call); });
}

int32_t setOption(pantile_device_handle *handle, const char *name, int64_t value, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (std::strcmp(name, "peer") == 0) return handle->device->enablePeer(value);
    return {PANTILE_UNSUPPORTED, fmt::format("a GPU has no option '{}', only 'peer'", name)};
  });
}

int32_t checkMemory(pantile_device_handle *handle, const void *pointer, size_t bytes, pantile_message **error) {
  return guarded(error, [&] { return handle->device->checkMemory(pointer, bytes); });
}

int32_t streamCapturing(pantile_device_handle *handle, pantile_stream_handle *stream, uint32_t *capturing, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = *handle->device;
    Current current(device.driver(), device.context());
    CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
    CUresult result = device.driver().cuStreamIsCapturing(nativeOf(stream), &status);
    // Another stream captures, and this is the default stream: it does not.
    if (result == CUDA_ERROR_STREAM_CAPTURE_IMPLICIT) result = CUDA_SUCCESS;
    PANTILE_RETURN_IF_ERROR(device.check(result, "a stream cannot be asked"));
    *capturing = status != CU_STREAM_CAPTURE_STATUS_NONE;
    return {};
  });
}

int32_t captureBegin(pantile_device_handle *handle, pantile_stream_handle *stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (!stream)
      return Status(PANTILE_INVALID_ARGUMENT, "the default stream cannot be captured").withFix("make a stream (`pantile_stream_create`)");
    const Device &device = *handle->device;
    PANTILE_RETURN_IF_ERROR(device.faulted());
    Current current(device.driver(), device.context());
    return device.check(device.driver().cuStreamBeginCapture(stream->stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                        "a capture cannot begin");
  });
}

int32_t captureEnd(pantile_device_handle *handle, pantile_stream_handle *stream, pantile_graph_handle **graph, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (!stream) return {PANTILE_INVALID_ARGUMENT, "the default stream captures nothing"};
    Device &device = *handle->device;
    const Driver &driver = device.driver();
    Current current(driver, device.context());
    CUgraph recorded = nullptr;
    PANTILE_RETURN_IF_ERROR(device.check(driver.cuStreamEndCapture(stream->stream, &recorded), "the capture failed"));
    CUgraphExec made = nullptr;
    CUresult result = driver.cuGraphInstantiateWithFlags(&made, recorded, 0);
    (void)driver.cuGraphDestroy(recorded);
    PANTILE_RETURN_IF_ERROR(device.check(result, "what was captured cannot be run"));
    *graph = new pantile_graph_handle{device, made};
    return {};
  });
}

int32_t graphLaunch(pantile_graph_handle *graph, pantile_stream_handle *stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Device &device = graph->device;
    PANTILE_RETURN_IF_ERROR(device.faulted());
    Current current(device.driver(), device.context());
    return device.check(device.driver().cuGraphLaunch(graph->graph, nativeOf(stream)), "a graph cannot be launched");
  });
}
void graphRelease(pantile_graph_handle *graph) {
  if (!graph) return;
  Current current(graph->device.driver(), graph->device.context());
  graph->device.note(graph->device.driver().cuGraphExecDestroy(graph->graph));
  delete graph;
}

constexpr pantile_device_interface kInterface = {sizeof(pantile_device_interface),
                                                 0,
                                                 count,
                                                 describe,
                                                 open,
                                                 closeDevice,
                                                 allocate,
                                                 freeMemory,
                                                 copy,
                                                 fill,
                                                 streamCreate,
                                                 streamWrap,
                                                 streamRelease,
                                                 streamSynchronize,
                                                 eventCreate,
                                                 eventRelease,
                                                 eventRecord,
                                                 eventWait,
                                                 eventSynchronize,
                                                 eventElapsed,
                                                 load,
                                                 unload,
                                                 launch,
                                                 setOption};

constexpr pantile_capture_interface kCapture = {
    sizeof(pantile_capture_interface), 0, checkMemory, streamCapturing, captureBegin, captureEnd, graphLaunch, graphRelease};

constexpr pantile_plugin kPlugin = {sizeof(pantile_plugin),
                                    PANTILE_ABI_MAJOR,
                                    PANTILE_ABI_MINOR,
                                    "cuda",
                                    "cuda-device-1",
                                    kSanitizer,
                                    {},
                                    [](const pantile_plugin *, const char *name) -> const void * {
                                      if (std::strcmp(name, PANTILE_INTERFACE_DEVICE) == 0) return &kInterface;
                                      return std::strcmp(name, PANTILE_INTERFACE_CAPTURE) == 0 ? &kCapture : nullptr;
                                    }};

} // namespace

extern "C" __attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *, uint32_t maxABI) {
  return maxABI >> 16 == PANTILE_ABI_MAJOR ? &kPlugin : nullptr;
}
