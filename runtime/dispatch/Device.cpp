//===- runtime/dispatch/Device.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Device.h"

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

Expected<void *> Device::allocate(size_t bytes) {
  void *pointer = nullptr;
  pantile_message *message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(table().allocate(device, bytes, &pointer, &message), message, "the device has no memory"));
  return pointer;
}

Status Device::copy(pantile_stream_handle *stream, pantile_copy_kind kind, void *to, const void *from, size_t bytes) {
  if (!bytes) return {};
  pantile_message *message = nullptr;
  return statusOf(table().copy(device, stream, kind, to, from, bytes, &message), message, "a copy failed");
}

Status Device::fill(pantile_stream_handle *stream, void *to, uint8_t value, size_t bytes) {
  if (!bytes) return {};
  pantile_message *message = nullptr;
  return statusOf(table().fill(device, stream, to, value, 1, bytes, &message), message, "a fill failed");
}

Status Device::synchronize(pantile_stream_handle *stream) {
  pantile_message *message = nullptr;
  return statusOf(table().stream_synchronize(device, stream, &message), message, "the device failed");
}

Workspaces::~Workspaces() {
  for (auto &place : idle)
    if (Block *block = place.exchange(nullptr)) {
      if (block->data && device.handle()) device.free(block->data);
      delete block;
    }
}

void Workspaces::abandon() {
  for (auto &place : idle) delete place.exchange(nullptr);
}

Expected<Workspaces::Block *> Workspaces::take(size_t bytes, pantile_stream_handle *stream) {
  Block *block = nullptr;
  for (auto &place : idle)
    if (place.load(std::memory_order_relaxed) && (block = place.exchange(nullptr, std::memory_order_acquire))) break;
  if (!block) block = new Block;
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
