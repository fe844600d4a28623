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
/// Tasks per thread where the device chooses the chunk: enough to even out a thread that lost its core for a while.
constexpr int64_t kTasksPerThread = 4;

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

struct Device::Job {
  Entry entry;
  const uint64_t *slots;
  int64_t programs, chunk, scratchBytes;
  ScratchPool &scratch;
  std::atomic<bool> outOfMemory{false};

  void run(int64_t begin, int64_t end) {
    if (scratchBytes == 0) {
      entry(slots, begin, end, nullptr);
      return;
    }
    ScratchPool::Block *block = scratch.take(size_t(scratchBytes));
    if (!block) {
      outOfMemory.store(true, std::memory_order_relaxed);
      return;
    }
    entry(slots, begin, end, block->data);
    scratch.give(block);
  }
};

void Device::runTask(void *context, uint32_t task, unsigned) {
  Job &job = *static_cast<Job *>(context);
  int64_t begin = int64_t(task) * job.chunk;
  job.run(begin, std::min(begin + job.chunk, job.programs));
}

Status Device::launch(const Module &module, const pantile_launch_call &call) {
  if (call.entry >= module.size()) return {PANTILE_INVALID_ARGUMENT, fmt::format("entry {} of a module of {}", call.entry, module.size())};
  int64_t programs = call.grid[0], scratchBytes = extra(call, kScratchBytes), chunk = extra(call, kChunk);
  if (programs <= 0) return {};
  if (scratchBytes < 0 || chunk < 0)
    return {PANTILE_INVALID_ARGUMENT, fmt::format("launch of {} scratch bytes in chunks of {}", scratchBytes, chunk)};
  Job job{module.entry(call.entry), call.slots, programs, chunk, scratchBytes, scratch};

  int64_t wanted = threads.load(std::memory_order_relaxed);
  if (int64_t bound = extra(call, kMaxThreads); bound > 0) wanted = std::min(wanted, bound);
  wanted = std::min(wanted, programs);
  bool parallel = wanted > 1 && extra(call, kWorkNanoseconds) >= kInlineNanoseconds;
  if (parallel) {
    int64_t least = (programs + UINT32_MAX - 2) / (UINT32_MAX - 1); // tasks are counted in 32 bits
    if (job.chunk == 0) job.chunk = (programs + wanted * kTasksPerThread - 1) / (wanted * kTasksPerThread);
    job.chunk = std::max(job.chunk, least);
    parallel = pool.run(runTask, &job, uint32_t((programs + job.chunk - 1) / job.chunk), unsigned(wanted));
  }
  if (!parallel) job.run(0, programs);
  if (job.outOfMemory.load(std::memory_order_relaxed))
    return Status(PANTILE_OUT_OF_MEMORY, fmt::format("no memory for {} bytes of scratch a thread", scratchBytes))
        .withFix("use fewer threads or smaller blocks");
  return {};
}

} // namespace pantile::cpu
