//===- cpu/device/Device.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/Device.h"

#include "backends/cpu/device/Processor.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pantile::cpu {

namespace {

/// Below this a second thread costs more than it brings.
constexpr int64_t kInlineNanoseconds = 20'000;
/// Takes per thread where the device chooses the chunk: what is taken can no longer be shared.
constexpr int64_t kTakesPerThread = 16;
constexpr size_t kScratchHeader = 64;
constexpr unsigned kMaxShares = 256; ///< threads of one launch

int64_t extra(const pantile_launch_call &call, LaunchExtra which) { return which < call.extra_count ? call.extras[which] : 0; }

/// The path of an open file, spelled as never before: the loader knows libraries by their paths, and a descriptor's number
/// comes again while the library that had it lives.
std::string uniquePath(int file) {
  static std::atomic<uint64_t> spelled{0};
  std::string path = "/proc/self/fd";
  for (uint64_t number = spelled.fetch_add(1, std::memory_order_relaxed); number; number >>= 1) path += number & 1 ? "/." : "/";
  return path + "/" + std::to_string(file);
}

} // namespace

Expected<std::unique_ptr<Module>> Module::load(const void *code, size_t size, const char *const *entries, uint32_t count) {
  int file = memfd_create("pantile-kernel", MFD_CLOEXEC);
  if (file < 0) return Status(PANTILE_OUT_OF_MEMORY, fmt::format("no memory file for {} bytes of code: {}", size, std::strerror(errno)));
  const char *rest = static_cast<const char *>(code);
  for (size_t left = size; left > 0;) {
    ssize_t written = write(file, rest, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      int reason = errno;
      close(file);
      return Status(PANTILE_OUT_OF_MEMORY, fmt::format("cannot map {} bytes of code: {}", size, std::strerror(reason)));
    }
    rest += written;
    left -= size_t(written);
  }
  std::unique_ptr<Module> module(new Module);
  module->library = dlopen(uniquePath(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string reason = module->library ? "" : dlerror();
  close(file);
  if (!module->library)
    return Status(PANTILE_DATA_ERROR, "the compiled kernel is not a loadable shared object")
        .withCause(std::move(reason))
        .withFix("clear the artifact cache: `pantile cache clear`");
  for (uint32_t i = 0; i < count; ++i) {
    void *address = dlsym(module->library, entries[i]);
    if (!address) return Status(PANTILE_DATA_ERROR, fmt::format("the compiled kernel has no entry '{}'", entries[i]));
    module->functions.push_back(reinterpret_cast<Entry>(address));
  }
  return module;
}

Module::~Module() {
  if (library) dlclose(library);
}

Device::Device() : units(unsigned(std::max<int64_t>(1, processor().units))), threads(units), pool(units) {}

Status Device::setThreads(int64_t wanted) {
  if (wanted < 0) return {PANTILE_INVALID_ARGUMENT, fmt::format("threads is {}, expected 0 (all) or more", wanted)};
  threads.store(wanted == 0 ? units : unsigned(std::min<int64_t>(wanted, units)), std::memory_order_relaxed);
  return {};
}

/// What is left of a thread's programs: begin in the high half, end in the low one, counted in units.
struct alignas(64) Share {
  std::atomic<uint64_t> range;
  static uint64_t pack(uint64_t begin, uint64_t end) { return begin << 32 | end; }

  /// At most `most` from the front; false: nothing is left.
  bool take(uint32_t most, uint32_t &begin, uint32_t &end) {
    uint64_t seen = range.load(std::memory_order_relaxed);
    do {
      begin = uint32_t(seen >> 32), end = uint32_t(seen);
      if (begin >= end) return false;
      if (end - begin > most) end = begin + most;
    } while (!range.compare_exchange_weak(seen, pack(end, uint32_t(seen)), std::memory_order_relaxed));
    return true;
  }
  /// Half, rounded up, from the back.
  bool steal(uint32_t &begin, uint32_t &end) {
    uint64_t seen = range.load(std::memory_order_relaxed);
    do {
      begin = uint32_t(seen >> 32), end = uint32_t(seen);
      if (begin >= end) return false;
      begin += (end - begin) / 2;
    } while (!range.compare_exchange_weak(seen, pack(seen >> 32, begin), std::memory_order_relaxed));
    return true;
  }
};

struct Device::Job {
  Entry entry;
  const uint64_t *slots;
  int64_t programs, scratchBytes;
  ScratchPool &scratch;
  int64_t unit = 1; ///< programs that shares count as one: shares are 32-bit numbers
  uint32_t chunk = 1, threads = 1;
  std::atomic<bool> outOfMemory{false};
  union {
    Share shares[kMaxShares]; ///< only those of `threads` ever exist
  };

  Job(Entry entry, const uint64_t *slots, int64_t programs, int64_t scratchBytes, ScratchPool &scratch)
      : entry(entry), slots(slots), programs(programs), scratchBytes(scratchBytes), scratch(scratch) {}
  ~Job() {}
  /// Calls `run(scratch)` with what a worker needs.
  template <typename Run> void withScratch(Run run) {
    if (scratchBytes == 0) return run(nullptr);
    ScratchPool::Block *block = scratch.take(size_t(scratchBytes));
    if (!block) {
      outOfMemory.store(true, std::memory_order_relaxed);
      return;
    }
    std::memset(block->data, 0, std::min(kScratchHeader, size_t(scratchBytes)));
    run(block->data);
    scratch.give(block);
  }
  void deal() {
    uint64_t units = uint64_t((programs + unit - 1) / unit);
    for (uint64_t t = 0; t < threads; ++t) new (&shares[t]) Share{Share::pack(units * t / threads, units * (t + 1) / threads)};
  }
  void runAll() {
    withScratch([&](void *data) { entry(slots, 0, programs, data); });
  }
  void runShare(uint32_t mine) {
    withScratch([&](void *data) {
      for (uint32_t begin, end;;) {
        while (shares[mine].take(chunk, begin, end)) entry(slots, begin * unit, std::min(end * unit, programs), data);
        bool found = false;
        for (uint32_t i = 1; i < threads && !found; ++i) found = shares[(mine + i) % threads].steal(begin, end);
        if (!found) return;
        // Nobody else writes to an empty share.
        shares[mine].range.store(Share::pack(begin, end), std::memory_order_relaxed);
      }
    });
  }
};

void Device::runTask(void *context, uint32_t task, unsigned) { static_cast<Job *>(context)->runShare(task); }

Status Device::launch(const Module &module, const pantile_launch_call &call) {
  if (call.entry >= module.size()) return {PANTILE_INVALID_ARGUMENT, fmt::format("entry {} of a module of {}", call.entry, module.size())};
  int64_t programs = call.grid[0], scratchBytes = extra(call, kScratchBytes), chunk = extra(call, kChunk);
  if (programs <= 0) return {};
  if (scratchBytes < 0 || chunk < 0)
    return {PANTILE_INVALID_ARGUMENT, fmt::format("launch of {} scratch bytes in chunks of {}", scratchBytes, chunk)};
  Job job(module.entry(call.entry), call.slots, programs, scratchBytes, scratch);

  int64_t wanted = std::min<int64_t>(threads.load(std::memory_order_relaxed), kMaxShares);
  if (int64_t bound = extra(call, kMaxThreads); bound > 0) wanted = std::min(wanted, bound);
  wanted = std::min(wanted, programs);
  bool parallel = wanted > 1 && extra(call, kWorkNanoseconds) >= kInlineNanoseconds;
  if (parallel) {
    job.unit = (programs + INT32_MAX - 1) / INT32_MAX;
    if (chunk == 0) chunk = programs / (wanted * kTakesPerThread);
    job.chunk = uint32_t(std::clamp<int64_t>(chunk / job.unit, 1, INT32_MAX));
    job.threads = uint32_t(wanted);
    job.deal();
    parallel = pool.run(runTask, &job, job.threads, job.threads);
  }
  if (!parallel) job.runAll();
  if (job.outOfMemory.load(std::memory_order_relaxed))
    return Status(PANTILE_OUT_OF_MEMORY, fmt::format("no memory for {} bytes of scratch a thread", scratchBytes))
        .withFix("use fewer threads or smaller blocks");
  return {};
}

} // namespace pantile::cpu
