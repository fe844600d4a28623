//===- runtime/dispatch/Device.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Device.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace pantile {

namespace {

Expected<pantile_device_info> describeChecked(const LoadedPlugin &plugin, uint32_t ordinal) {
  pantile_message *message = nullptr;
  uint32_t count = 0;
  PANTILE_RETURN_IF_ERROR(statusOf(plugin.device->count(&count, &message), message, "its devices cannot be counted"));
  if (count == 0) return Status(PANTILE_UNAVAILABLE, fmt::format("{} has no device", plugin.name));
  if (ordinal >= count)
    return Status(PANTILE_NOT_FOUND,
                  fmt::format("there is no {}:{}, only {} device{}", plugin.name, ordinal, count, count == 1 ? "" : "s"));
  pantile_device_info info{};
  info.struct_size = sizeof(info);
  message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(plugin.device->describe(ordinal, &info, &message), message, "the device cannot be described"));
  for (auto [text, size] : {std::pair(info.name, sizeof(info.name)), std::pair(info.target, sizeof(info.target)),
                            std::pair(info.uuid, sizeof(info.uuid)), std::pair(info.hardware, sizeof(info.hardware))})
    text[size - 1] = 0;
  return info;
}

} // namespace

Expected<pantile_device_info> Device::describe(const LoadedPlugin &plugin, uint32_t ordinal) { return describeChecked(plugin, ordinal); }

Expected<std::unique_ptr<Device>> Device::open(LoadedPlugin plugin, uint32_t ordinal) {
  if (!plugin.device) return Status(PANTILE_UNSUPPORTED, fmt::format("'{}' has no device half", plugin.name));
  PANTILE_ASSIGN(auto info, describeChecked(plugin, ordinal));
  auto opened = std::unique_ptr<Device>(new Device);
  opened->plugin = std::move(plugin);
  opened->deviceInfo = info;
  for (uint32_t i = 0; i < info.property_count; ++i)
    if (info.properties[i].name && !info.properties[i].text) opened->numbers[info.properties[i].name] = info.properties[i].integer;
  if (auto all = opened->numbers.find("threads"); all != opened->numbers.end()) opened->threadCount = all->second;
  pantile_message *message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(opened->table().open(ordinal, &opened->device, &message), message, "the device cannot be opened"));
  return opened;
}

std::string Device::text(std::string_view property, std::string_view otherwise) const {
  for (uint32_t i = 0; i < deviceInfo.property_count; ++i) {
    const pantile_property &one = deviceInfo.properties[i];
    if (one.name && one.text && property == one.name) return one.text;
  }
  return std::string(otherwise);
}

Device::~Device() {
  if (device) table().close(device);
}

std::map<std::string, int64_t, std::less<>> Device::constants() const {
  auto result = numbers;
  if (threads()) result["threads"] = threads();
  return result;
}

Status Device::setThreads(uint32_t count) {
  pantile_message *message = nullptr;
  int32_t code = table().set_option(device, "threads", count, &message);
  PANTILE_RETURN_IF_ERROR(statusOf(code, message, "the number of threads cannot be set"));
  auto all = numbers.find("threads");
  if (all == numbers.end())
    threadCount.store(count);
  else
    threadCount.store(count ? std::min<int64_t>(count, all->second) : all->second);
  return {};
}

Expected<void *> Device::allocate(size_t bytes) {
  void *pointer = nullptr;
  pantile_message *message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(table().allocate(device, bytes, &pointer, &message), message, "the device has no memory"));
  return pointer;
}

Status Device::checkMemory(const void *pointer, size_t bytes) const {
  if (!plugin.capture) return {};
  pantile_message *message = nullptr;
  int32_t code = plugin.capture->check_memory(device, pointer, bytes, &message);
  return code == PANTILE_UNIMPLEMENTED ? Status() : statusOf(code, message, "the memory cannot be looked at");
}

bool Device::capturing(pantile_stream_handle *stream) const {
  uint32_t yes = 0;
  pantile_message *message = nullptr;
  if (!plugin.capture) return false;
  Status status = statusOf(plugin.capture->capturing(device, stream, &yes, &message), message, "");
  return status.isOk() && yes;
}

const char *Device::keep(std::string label) {
  std::lock_guard lock(labelMutex);
  return labels.insert(std::move(label)).first->c_str();
}

Status Device::explain(Status status) const {
  if (status.code() != PANTILE_DEVICE_ERROR) return status;
  std::string cause = status.cause();
  const uint32_t count = recentCount.load(std::memory_order_relaxed);
  for (uint32_t back = 1; back <= std::min<uint32_t>(count, recent.size()); ++back)
    if (const char *label = recent[(count - back) % recent.size()].load(std::memory_order_relaxed))
      cause += fmt::format("{}{} {}", cause.empty() ? "" : "\n", back == 1 ? "the last launch:" : "before it:", label);
  std::string fix = status.fix();
  return Status(PANTILE_DEVICE_ERROR, status.text()).withCause(std::move(cause)).withFix(std::move(fix));
}

Status Device::copy(pantile_stream_handle *stream, pantile_copy_kind kind, void *to, const void *from, size_t bytes) {
  if (!bytes) return {};
  pantile_message *message = nullptr;
  return explain(statusOf(table().copy(device, stream, kind, to, from, bytes, &message), message, "a copy failed"));
}

Status Device::fill(pantile_stream_handle *stream, void *to, uint8_t value, size_t bytes) {
  if (!bytes) return {};
  pantile_message *message = nullptr;
  return explain(statusOf(table().fill(device, stream, to, value, 1, bytes, &message), message, "a fill failed"));
}

Status Device::synchronize(pantile_stream_handle *stream) {
  pantile_message *message = nullptr;
  return explain(statusOf(table().stream_synchronize(device, stream, &message), message, "the device failed"));
}

Workspaces::~Workspaces() {
  for (auto &place : idle)
    if (Block *block = place.exchange(nullptr)) {
      if (block->data && device.handle()) device.free(block->data);
      delete block;
    }
  for (Block *block : kept) {
    if (block->data && device.handle()) device.free(block->data);
    delete block;
  }
}

void Workspaces::abandon() {
  for (auto &place : idle) delete place.exchange(nullptr);
  for (Block *block : kept) delete block;
  kept.clear();
}

Expected<Workspaces::Block *> Workspaces::take(size_t bytes, pantile_stream_handle *stream) {
  const bool capturing = device.capturing(stream);
  Block *block = nullptr;
  for (auto &place : idle) {
    if (!place.load(std::memory_order_relaxed) || !(block = place.exchange(nullptr, std::memory_order_acquire))) continue;
    if (!block->recorded || capturing) break;
    std::lock_guard lock(mutex);
    kept.push_back(std::exchange(block, nullptr));
  }
  if (capturing && (!block || block->bytes < bytes)) {
    if (block) give(block);
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("{} bytes of workspace would have to be allocated while the stream is captured", bytes))
        .withFix("launch the same call once on this stream before the capture");
  }
  if (!block) block = new Block;
  block->recorded = capturing;
  if (block->bytes >= bytes) return block;
  if (block->data) {
    // Something on the stream may still use it.
    if (Status status = device.synchronize(stream); !status.isOk()) {
      give(block);
      return status;
    }
    device.free(block->data);
  }
  *block = {};
  bytes = (bytes + bytes / 4 + 4095) / 4096 * 4096;
  auto fresh = device.allocate(bytes);
  if (!fresh) {
    delete block;
    return std::move(fresh).status();
  }
  *block = {*fresh, bytes};
  return block;
}

void Workspaces::give(Block *block) {
  for (auto &place : idle) {
    Block *empty = nullptr;
    if (place.compare_exchange_strong(empty, block, std::memory_order_release, std::memory_order_relaxed)) return;
  }
  if (block->data) device.free(block->data);
  delete block;
}

} // namespace pantile
