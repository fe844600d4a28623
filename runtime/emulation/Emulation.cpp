//===- runtime/emulation/Emulation.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/emulation/Emulation.h"

#include "runtime/emulation/Memory.h"
#include "runtime/helper/CompilerClient.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <dlpack/dlpack.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <time.h>
#include <unistd.h>

using pantile::EmulatedMemory;

// What the opaque handles of plugin.h are here.
struct pantile_device_handle {
  std::unique_ptr<EmulatedMemory> memory;
  std::string backend, target;
  std::unique_ptr<pantile::HelperPool> helpers;
  std::atomic<uint32_t> threads{0};
  std::atomic<uint64_t> seed{0};
  std::atomic<bool> checks{true};
};
struct pantile_stream_handle {};
struct pantile_event_handle {
  std::atomic<uint64_t> time{0};
};
struct pantile_module_handle {
  std::string code;
  std::vector<std::string> entries;
};

namespace pantile {

namespace {

constexpr auto kLaunch = std::chrono::minutes(15);

/// A target somebody opened: an ordinal of this backend. Never forgotten: descriptions point into it.
struct Target {
  std::string backend, name, hardware;
  std::string helperFolder;
  std::vector<std::string> pluginFolders;
  std::deque<std::string> names; ///< of properties
  std::vector<pantile_property> properties;
};
std::mutex targetsMutex;
std::deque<Target> targets;

const Target *targetAt(uint32_t ordinal) {
  std::lock_guard lock(targetsMutex);
  return ordinal < targets.size() ? &targets[ordinal] : nullptr;
}

/// A message in the ABI's form.
int32_t answer(Status status, pantile_message **error) {
  if (status.isOk()) return PANTILE_OK;
  struct Owned {
    pantile_message message; // first: the host sees this
    std::string text, cause, fix;
  };
  const int32_t code = status.code();
  if (!error) return code;
  auto *owned = new (std::nothrow) Owned{{}, status.text(), status.cause(), status.fix()};
  *error = nullptr;
  if (!owned) return code;
  owned->message = {sizeof(pantile_message),
                    code,
                    owned->text.c_str(),
                    owned->cause.empty() ? nullptr : owned->cause.c_str(),
                    owned->fix.empty() ? nullptr : owned->fix.c_str(),
                    [](pantile_message *message) { delete reinterpret_cast<Owned *>(message); }};
  *error = &owned->message;
  return code;
}
template <typename F> int32_t guarded(pantile_message **error, F f) {
  try {
    return answer(f(), error);
  } catch (const std::bad_alloc &) { return answer({PANTILE_OUT_OF_MEMORY, "no memory for an emulated device"}, error); }
}

uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1'000'000'000u + uint64_t(t.tv_nsec);
}

void setText(char *to, size_t size, const std::string &text) {
  std::strncpy(to, text.c_str(), size - 1);
  to[size - 1] = 0;
}

int32_t count(uint32_t *number, pantile_message **) {
  std::lock_guard lock(targetsMutex);
  *number = uint32_t(targets.size());
  return PANTILE_OK;
}

int32_t describe(uint32_t ordinal, pantile_device_info *info, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Target *target = targetAt(ordinal);
    if (!target) return {PANTILE_NOT_FOUND, fmt::format("there is no emulated device {}", ordinal)};
    const uint32_t size = info->struct_size;
    *info = {};
    info->struct_size = size ? size : uint32_t(sizeof(*info));
    info->ordinal = int32_t(ordinal);
    setText(info->name, sizeof(info->name), "emulated " + target->name);
    setText(info->target, sizeof(info->target), target->name);
    setText(info->uuid, sizeof(info->uuid), "emulated-" + target->name);
    setText(info->hardware, sizeof(info->hardware), target->hardware);
    info->memory_bytes = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE)) / 2;
    info->dlpack_device_type = kDLExtDev;
    info->property_count = uint32_t(target->properties.size());
    info->properties = target->properties.data();
    return {};
  });
}

int32_t open(uint32_t ordinal, pantile_device_handle **device, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const Target *target = targetAt(ordinal);
    if (!target) return {PANTILE_NOT_FOUND, fmt::format("there is no emulated device {}", ordinal)};
    auto opened = std::make_unique<pantile_device_handle>();
    PANTILE_ASSIGN(opened->memory, EmulatedMemory::create());
    opened->backend = target->backend;
    opened->target = target->name;
    HelperProgram program = compilerProgram(target->helperFolder, target->pluginFolders);
    program.memoryBytes = 0; // the device's memory is most of it
    opened->helpers = std::make_unique<HelperPool>(std::move(program), 2);
    *device = opened.release();
    return {};
  });
}
void closeDevice(pantile_device_handle *device) { delete device; }

int32_t allocate(pantile_device_handle *device, size_t bytes, void **pointer, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(*pointer, device->memory->allocate(bytes));
    return {};
  });
}
void freeMemory(pantile_device_handle *device, void *pointer) { device->memory->free(pointer); }

Status notOurs(const void *pointer, size_t bytes) {
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} bytes at {} are no memory of the emulated device", bytes, pointer))
      .withFix("allocate them from the context");
}

int32_t copy(pantile_device_handle *device, pantile_stream_handle *, int32_t kind, void *to, const void *from, size_t bytes,
             pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (!bytes) return {};
    if (kind != PANTILE_COPY_TO_DEVICE && !device->memory->contains(from, bytes)) return notOurs(from, bytes);
    if (kind != PANTILE_COPY_TO_HOST && !device->memory->markWritten(to, bytes)) return notOurs(to, bytes);
    std::memmove(to, from, bytes);
    return {};
  });
}

int32_t fill(pantile_device_handle *device, pantile_stream_handle *, void *pointer, uint32_t pattern, uint32_t patternBytes, size_t bytes,
             pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if ((patternBytes != 1 && patternBytes != 2 && patternBytes != 4) || bytes % patternBytes)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a fill of {} bytes by a pattern of {}", bytes, patternBytes)};
    if (!bytes) return {};
    if (!device->memory->markWritten(pointer, bytes)) return notOurs(pointer, bytes);
    for (size_t i = 0; i < bytes; i += patternBytes) std::memcpy(static_cast<char *>(pointer) + i, &pattern, patternBytes);
    return {};
  });
}

// A launch returns when it is done: streams are always passed, events are time stamps.
int32_t streamCreate(pantile_device_handle *, pantile_stream_handle **stream, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    *stream = new pantile_stream_handle;
    return {};
  });
}
int32_t streamWrap(pantile_device_handle *, void *, pantile_stream_handle **, pantile_message **error) {
  return answer(Status(PANTILE_UNSUPPORTED, "an emulated device has no streams of its own to wrap")
                    .withFix("pass no stream, or pantile_stream_create"),
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
  event->time.store(now());
  return PANTILE_OK;
}
int32_t eventWait(pantile_stream_handle *, pantile_event_handle *, pantile_message **) { return PANTILE_OK; }
int32_t eventSynchronize(pantile_event_handle *, pantile_message **) { return PANTILE_OK; }
int32_t eventElapsed(pantile_event_handle *start, pantile_event_handle *stop, uint64_t *nanoseconds, pantile_message **error) {
  const uint64_t from = start->time.load(), to = stop->time.load();
  if (!from || !to) return answer({PANTILE_INVALID_ARGUMENT, "an event that was never recorded has no time"}, error);
  *nanoseconds = to > from ? to - from : 0;
  return PANTILE_OK;
}

int32_t load(pantile_device_handle *, const void *code, size_t size, const char *const *entries, uint32_t entryCount,
             pantile_module_handle **module, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    *module = new pantile_module_handle{std::string(static_cast<const char *>(code), size), {entries, entries + entryCount}};
    return {};
  });
}
void unload(pantile_module_handle *module) { delete module; }

int32_t launch(pantile_device_handle *device, pantile_stream_handle *, const pantile_launch_call *call, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    if (call->entry >= call->module->entries.size())
      return {PANTILE_INVALID_ARGUMENT, fmt::format("entry {} of a module of {}", call->entry, call->module->entries.size())};
    EmulateRequest request;
    request.backend = device->backend;
    request.target = device->target;
    request.code = call->module->code;
    request.entry = call->module->entries[call->entry];
    std::copy_n(call->grid, 3, request.grid.begin());
    std::copy_n(call->block, 3, request.block.begin());
    request.sharedBytes = call->shared_bytes;
    for (uint32_t i = 0; i < call->slot_count; ++i) request.slots.push_back(int64_t(call->slots[i]));
    request.extras.assign(call->extras, call->extras + call->extra_count);
    request.base = reinterpret_cast<uintptr_t>(device->memory->base());
    request.bytes = device->memory->size();
    request.seed = device->seed.fetch_add(1);
    request.threads = device->threads;
    request.checks = device->checks;
    ByteWriter writer;
    request.write(writer);
    return device->helpers->request(kEmulate, writer.data(), Clock::now() + kLaunch, device->memory->descriptor()).status();
  });
}

int32_t setOption(pantile_device_handle *device, const char *name, int64_t value, pantile_message **error) {
  return guarded(error, [&]() -> Status {
    const std::string_view option = name;
    if (option == "threads" && value >= 0)
      device->threads = uint32_t(value);
    else if (option == "seed")
      device->seed = uint64_t(value);
    else if (option == "checks")
      device->checks = value != 0;
    else
      return {PANTILE_UNSUPPORTED, fmt::format("an emulated device has no option '{}', only 'threads', 'seed', 'checks'", name)};
    return {};
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

/// The backend's compiler half that knows the target, and what it says of it.
Expected<uint32_t> registerTarget(const std::string &name, const std::string &helperFolder, const std::vector<std::string> &pluginFolders) {
  CompilerClient client(helperFolder, pluginFolders, 1);
  std::string known;
  for (const PluginFile &file : findPlugins(pluginFolders)) {
    if (file.half != "compiler" || !file.problem.isOk()) continue;
    auto described = name.empty() ? client.listTargets(file.name) : client.describeTarget(file.name, name);
    if (!described) continue;
    auto json = nlohmann::json::parse(*described, nullptr, false);
    if (name.empty()) {
      for (const auto &target : json.is_array() ? json : nlohmann::json::array())
        known += (known.empty() ? "" : ", ") + target.value("name", "?");
      continue;
    }
    if (!json.is_object()) continue;
    std::lock_guard lock(targetsMutex);
    for (uint32_t i = 0; i < targets.size(); ++i)
      if (targets[i].backend == file.name && targets[i].name == name && targets[i].pluginFolders == pluginFolders) return i;
    Target &target = targets.emplace_back();
    target.backend = file.name;
    target.name = name;
    target.hardware = std::string(kEmulatedBackend) + "_" + name;
    target.helperFolder = helperFolder;
    target.pluginFolders = pluginFolders;
    const auto properties = json.value("properties", nlohmann::json::object());
    for (const auto &[key, value] : properties.items())
      if (value.is_number_integer()) target.properties.push_back({target.names.emplace_back(key).c_str(), value.get<int64_t>(), nullptr});
    target.properties.push_back({"emulated", 1, nullptr});
    target.properties.push_back({"compiler", 0, target.backend.c_str()});
    target.properties.push_back({"final_stage", 0, PANTILE_EMULATED_STAGE});
    return uint32_t(targets.size() - 1);
  }
  return Status(PANTILE_NOT_FOUND, name.empty() ? std::string("name the target to emulate, as in 'emulated:<target>'")
                                                : fmt::format("no compiler half knows the target '{}'", name))
      .withFix(known.empty() ? "install the plugin whose compiler half has it" : "targets: " + known);
}

} // namespace

bool isEmulated(std::string_view backend) {
  return backend.starts_with(kEmulatedBackend) && (backend.size() == kEmulatedBackend.size() || backend[kEmulatedBackend.size()] == ':');
}

Expected<std::unique_ptr<Device>> openEmulated(const std::string &target, const std::string &helperFolder,
                                               const std::vector<std::string> &pluginFolders) {
  PANTILE_ASSIGN(uint32_t ordinal, registerTarget(target, helperFolder, pluginFolders));
  LoadedPlugin plugin;
  plugin.name = kEmulatedBackend;
  plugin.buildId = "emulated-1";
  plugin.device = kInterface;
  return Device::open(std::move(plugin), ordinal);
}

} // namespace pantile
