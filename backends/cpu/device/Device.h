//===- cpu/device/Device.h - the host processor as a device ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A launch runs on the calling thread and the pool, and returns when it is done: every stream of this device is always
// passed, and events are time stamps. What the two halves share beyond plugin.h:
//
//   entry     void entry(const uint64_t *slots, int64_t begin, int64_t end, void *scratch): programs [begin, end)
//   grid[0]   number of programs
//   extras    by LaunchExtra, below
//   scratch   of one worker for a whole launch; its first 64 bytes are zero when the worker begins
//
// Each thread of a launch is dealt an equal run of consecutive programs and takes them from its front, a chunk at a time;
// one that has none left takes half of what another has, from the back. So neighbouring programs, which share operands,
// mostly run on one thread, in order, and a thread that lost its core for a while delays nobody.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_DEVICE_DEVICE_H
#define PANTILE_CPU_DEVICE_DEVICE_H

#include "backends/cpu/device/Memory.h"
#include "backends/cpu/device/ThreadPool.h"
#include "core/Status.h"
#include "pantile/plugin.h"

#include <memory>
#include <string>

namespace pantile::cpu {

enum LaunchExtra : uint32_t {
  kScratchBytes = 0,    ///< scratch each worker needs
  kWorkNanoseconds = 1, ///< estimated time on one thread: short launches run inline
  kChunk = 2,           ///< programs a thread takes at a time; 0: the device decides
  kMaxThreads = 3,      ///< 0: all
};

using Entry = void (*)(const uint64_t *slots, int64_t begin, int64_t end, void *scratch);

/// Code in memory: a shared object mapped from an anonymous file.
class Module {
public:
  static Expected<std::unique_ptr<Module>> load(const void *code, size_t size, const char *const *entries, uint32_t count);
  ~Module();
  size_t size() const { return functions.size(); }
  Entry entry(uint32_t i) const { return functions[i]; }

private:
  Module() = default;
  void *library = nullptr;
  std::vector<Entry> functions;
};

class Device {
public:
  Device();
  Status launch(const Module &module, const pantile_launch_call &call);
  Status setThreads(int64_t threads);
  BlockCache &memory() { return blocks; }

private:
  struct Job;
  static void runTask(void *job, uint32_t task, unsigned worker);

  BlockCache blocks;
  ScratchPool scratch;
  const unsigned units;
  std::atomic<unsigned> threads;
  ThreadPool pool;
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_DEVICE_DEVICE_H
