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
#include <mutex>
#include <set>

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
  /// Properties that are numbers, those that options set ("threads") as they stand now: what `d.` names in expressions.
  std::map<std::string, int64_t, std::less<>> constants() const;
  /// Host threads that launches use; 0: the device has no such notion.
  int64_t threads() const { return threadCount.load(std::memory_order_relaxed); }
  Status setThreads(uint32_t count); ///< 0: all
  /// A property that is a text; `otherwise` where the device does not say.
  std::string text(std::string_view property, std::string_view otherwise) const;
  const pantile_device_interface &table() const { return *plugin.device; }
  pantile_device_handle *handle() const { return device; }

  Expected<void *> allocate(size_t bytes);
  void free(void *pointer) { table().free(device, pointer); }
  /// Whether kernels of this device may use the memory; OK where the device cannot tell.
  Status checkMemory(const void *pointer, size_t bytes) const;
  /// What is enqueued on the stream is recorded instead of run.
  bool capturing(pantile_stream_handle *stream) const;
  /// NULL where the device records nothing.
  const pantile_capture_interface *capture() const { return plugin.capture ? &*plugin.capture : nullptr; }
  /// Keeps a text as long as the device; launches are remembered by it, so that a fault, which a later call reports, can be
  /// traced to what may have caused it.
  const char *keep(std::string label);
  void launched(const char *label) noexcept {
    recent[recentCount.fetch_add(1, std::memory_order_relaxed) % recent.size()].store(label, std::memory_order_relaxed);
  }
  /// A status of the device; a fault's cause lists the last launches.
  Status explain(Status status) const;
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
  std::mutex labelMutex;
  std::set<std::string> labels;
  std::array<std::atomic<const char *>, 4> recent{};
  std::atomic<uint32_t> recentCount{0};
  std::atomic<int64_t> threadCount{0};
};

/// Scratch memory of launches on one stream. A launch takes a block, enqueues, and gives it back: the next launch on the
/// stream comes after it. Taking and giving is one exchange; memory is allocated when a kernel wants more than any before. A
/// block that a recorded launch uses is never freed or used by others while the stream lives: the record comes again.
class Workspaces {
public:
  explicit Workspaces(Device &device) : device(device) {}
  ~Workspaces();
  struct Block {
    void *data = nullptr;
    size_t bytes = 0;
    bool recorded = false;
  };
  Expected<Block *> take(size_t bytes, pantile_stream_handle *stream);
  void give(Block *block);
  /// After a fork: the memory is not ours to free.
  void abandon();

private:
  Device &device;
  std::array<std::atomic<Block *>, 16> idle{};
  std::mutex mutex;          ///< of `kept`
  std::vector<Block *> kept; ///< of records
};

/// A stream of a device; `handle` NULL is the default stream.
struct Stream {
  Device &device;
  pantile_stream_handle *handle = nullptr;
  Workspaces workspaces{device};
};

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_DEVICE_H
