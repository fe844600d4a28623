//===- cpu/device/Plugin.cpp - the device half's table --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/common/Message.h"
#include "backends/cpu/device/Device.h"
#include "backends/cpu/device/Processor.h"
#include "core/Sanitizer.h"

#include <cstdio>
#include <cstring>
#include <fmt/core.h>
#include <new>
#include <time.h>

using namespace pantile;
using namespace pantile::cpu;

struct pantile_device_handle {
  Device device;
};
struct pantile_stream_handle {};
struct pantile_event_handle {
  std::atomic<uint64_t> time{0};
};
struct pantile_module_handle {
  std::unique_ptr<Module> module;
};

namespace {

uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1'000'000'000u + uint64_t(t.tv_nsec);
}

/// Nothing crosses the ABI but codes and messages.
template <typename Function> int32_t guarded(pantile_message **error, Function function) noexcept {
  try {
    return report(function(), error);
  } catch (const std::bad_alloc &) {
    return report({PANTILE_OUT_OF_MEMORY, "the host is out of memory"}, error);
  } catch (const std::exception &exception) { return report({PANTILE_INTERNAL, exception.what()}, error); }
}

Status onlyDevice(uint32_t ordinal) {
  if (ordinal == 0) return {};
  return Status(PANTILE_NOT_FOUND, fmt::format("there is no cpu:{}", ordinal)).withFix("use cpu or cpu:0");
}

int32_t count(uint32_t *number, pantile_message **) {
  *number = 1;
  return PANTILE_OK;
}

void copyText(char *to, size_t size, const std::string &from) { std::snprintf(to, size, "%s", from.c_str()); }

int32_t describe(uint32_t ordinal, pantile_device_info *info, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_RETURN_IF_ERROR(onlyDevice(ordinal));
    if (info->struct_size < sizeof(pantile_device_info)) return {PANTILE_INVALID_ARGUMENT, "pantile_device_info is too small"};
    const Processor &p = processor();
    static const pantile_property properties[] = {{"units", p.units, nullptr},
                                                  {"threads", p.units, nullptr},
                                                  {"l1_bytes", p.l1Bytes, nullptr},
                                                  {"l2_bytes", p.l2Bytes, nullptr},
                                                  {"l3_bytes", p.l3Bytes, nullptr}};
    *info = {};
    info->struct_size = sizeof(pantile_device_info);
    info->ordinal = 0;
    copyText(info->name, sizeof(info->name), p.name);
    copyText(info->target, sizeof(info->target), p.target);
    copyText(info->uuid, sizeof(info->uuid), "cpu-0");
    copyText(info->hardware, sizeof(info->hardware), p.hardware);
    info->memory_bytes = p.memoryBytes;
    info->dlpack_device_type = 1; // kDLCPU
    info->property_count = std::size(properties);
    info->properties = properties;
    return {};
  });
}

int32_t open(uint32_t ordinal, pantile_device_handle **device, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_RETURN_IF_ERROR(onlyDevice(ordinal));
    *device = new pantile_device_handle;
    return {};
  });
}

void closeDevice(pantile_device_handle *device) { delete device; }

int32_t allocate(pantile_device_handle *device, size_t bytes, void **pointer, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    *pointer = device->device.memory().allocate(bytes);
    if (bytes && !*pointer) return {PANTILE_OUT_OF_MEMORY, fmt::format("the host has no {} bytes left", bytes)};
    return {};
  });
}

void freeMemory(pantile_device_handle *device, void *pointer) {
  if (pointer) device->device.memory().free(pointer);
}

int32_t copy(pantile_device_handle *, pantile_stream_handle *, int32_t, void *to, const void *from, size_t bytes, pantile_message **) {
  if (bytes) std::memmove(to, from, bytes);
  return PANTILE_OK;
}

int32_t fill(pantile_device_handle *, pantile_stream_handle *, void *pointer, uint32_t pattern, uint32_t patternBytes, size_t bytes,
             pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (patternBytes != 1 && patternBytes != 2 && patternBytes != 4)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a fill pattern of {} bytes, expected 1, 2 or 4", patternBytes)};
    if (bytes % patternBytes)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a fill of {} bytes is no multiple of its pattern's {}", bytes, patternBytes)};
    auto *to = static_cast<char *>(pointer);
    if (patternBytes == 1 && bytes)
      std::memset(to, int(pattern), bytes);
    else
      for (size_t i = 0; i < bytes; i += patternBytes) std::memcpy(to + i, &pattern, patternBytes);
    return {};
  });
}

int32_t streamCreate(pantile_device_handle *, pantile_stream_handle **stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    *stream = new pantile_stream_handle;
    return {};
  });
}
int32_t streamWrap(pantile_device_handle *, void *, pantile_stream_handle **, pantile_message **error) {
  return report(Status(PANTILE_UNSUPPORTED, "a CPU has no streams of its own to wrap").withFix("pass no stream, or pantile_stream_create"),
                error);
}
void streamRelease(pantile_stream_handle *stream) { delete stream; }
int32_t streamSynchronize(pantile_device_handle *, pantile_stream_handle *, pantile_message **) { return PANTILE_OK; }

int32_t eventCreate(pantile_device_handle *, pantile_event_handle **event, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    *event = new pantile_event_handle;
    return {};
  });
}
void eventRelease(pantile_event_handle *event) { delete event; }
int32_t eventRecord(pantile_event_handle *event, pantile_stream_handle *, pantile_message **) {
  event->time.store(now(), std::memory_order_release);
  return PANTILE_OK;
}
int32_t eventWait(pantile_stream_handle *, pantile_event_handle *, pantile_message **) { return PANTILE_OK; }
int32_t eventSynchronize(pantile_event_handle *, pantile_message **) { return PANTILE_OK; }
int32_t eventElapsed(pantile_event_handle *start, pantile_event_handle *stop, uint64_t *nanoseconds, pantile_message **error) {
  uint64_t from = start->time.load(std::memory_order_acquire), to = stop->time.load(std::memory_order_acquire);
  if (!from || !to) return report({PANTILE_INVALID_ARGUMENT, "an event that was never recorded has no time"}, error);
  *nanoseconds = to > from ? to - from : 0;
  return PANTILE_OK;
}

int32_t load(pantile_device_handle *, const void *code, size_t size, const char *const *entries, uint32_t entryCount,
             pantile_module_handle **module, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(auto loaded, Module::load(code, size, entries, entryCount));
    *module = new pantile_module_handle{std::move(loaded)};
    return {};
  });
}
void unload(pantile_module_handle *module) { delete module; }

int32_t launch(pantile_device_handle *device, pantile_stream_handle *, const pantile_launch_call *call, pantile_message **error) {
  return guarded(error, [&] { return device->device.launch(*call->module->module, *call); });
}

int32_t setOption(pantile_device_handle *device, const char *name, int64_t value, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (std::strcmp(name, "threads") == 0) return device->device.setThreads(value);
    return {PANTILE_UNSUPPORTED, fmt::format("the cpu device has no option '{}', only 'threads'", name)};
  });
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

constexpr pantile_plugin kPlugin = {sizeof(pantile_plugin),
                                    PANTILE_ABI_MAJOR,
                                    PANTILE_ABI_MINOR,
                                    "cpu",
                                    "cpu-device-2",
                                    kSanitizer,
                                    {},
                                    [](const pantile_plugin *, const char *name) -> const void * {
                                      return std::strcmp(name, PANTILE_INTERFACE_DEVICE) == 0 ? &kInterface : nullptr;
                                    }};

} // namespace

extern "C" __attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *, uint32_t maxABI) {
  return maxABI >> 16 == PANTILE_ABI_MAJOR ? &kPlugin : nullptr;
}
