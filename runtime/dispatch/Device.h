//===- runtime/dispatch/Device.h - an opened device -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_DEVICE_H
#define PANTILE_RUNTIME_DISPATCH_DEVICE_H

#include "runtime/plugin/Loader.h"

#include <array>
#include <atomic>
#include <map>
#include <memory>

namespace pantile {

class Device {
public:
  /// `plugin` must have a device table. Errors carry the driver's reason.
  static Expected<std::unique_ptr<Device>> open(LoadedPlugin plugin, uint32_t ordinal);
  /// The device's data without opening it.
  static Expected<pantile_device_info> describe(const LoadedPlugin &plugin, uint32_t ordinal);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const std::string &backend() const { return plugin.name; }
  const pantile_device_info &info() const { return deviceInfo; }
  const std::map<std::string, int64_t, std::less<>> &constants() const { return numbers; } ///< properties that are numbers
  /// A property that is a text; `otherwise` where the device does not say.
  std::string text(std::string_view property, std::string_view otherwise) const;
  const pantile_device_interface &table() const { return *plugin.device; }
  pantile_device_handle *handle() const { return device; }

  Expected<void *> allocate(size_t bytes);
  void free(void *pointer) { table().free(device, pointer); }
  Status copy(pantile_stream_handle *stream, pantile_copy_kind kind, void *to, const void *from, size_t bytes);
  Status fill(pantile_stream_handle *stream, void *to, uint8_t value, size_t bytes);
  Status synchronize(pantile_stream_handle *stream);
  /// The process that made the device is gone (fork): closing would touch what is not ours.
  void abandon() { device = nullptr; }

private:
  Device() = default;
  LoadedPlugin plugin;
  pantile_device_handle *device = nullptr;
  pantile_device_info deviceInfo{};
  std::map<std::string, int64_t, std::less<>> numbers;
};

/// Scratch memory of launches on one stream. A launch takes a block, enqueues, and gives it back: the next launch on the
/// stream comes after it. Taking and giving is one exchange; memory is allocated when a kernel wants more than any before.
class Workspaces {
public:
  explicit Workspaces(Device &device) : device(device) {}
  ~Workspaces();
  struct Block {
    void *data = nullptr;
    size_t bytes = 0;
  };
  Expected<Block *> take(size_t bytes, pantile_stream_handle *stream);
  void give(Block *block);
  /// After a fork: the memory is not ours to free.
  void abandon();

private:
  Device &device;
  std::array<std::atomic<Block *>, 16> idle{};
};

/// A stream of a device; `handle` NULL is the default stream.
struct Stream {
  Device &device;
  pantile_stream_handle *handle = nullptr;
  Workspaces workspaces{device};
};

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_DEVICE_H
