//===- cpu/device/Memory.h - blocks for tensors and for workers' scratch --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_DEVICE_MEMORY_H
#define PANTILE_CPU_DEVICE_MEMORY_H

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace pantile::cpu {

/// Keeps what was freed for the next request of the same class: the first touch of fresh pages costs ten times a copy.
/// Blocks of 2 MiB and more are aligned to huge pages and ask for them; all others are 64-byte aligned.
class BlockCache {
public:
  ~BlockCache();
  /// NULL when the system has no more, even after what is kept was given back.
  void *allocate(size_t bytes);
  /// False: not a block of this cache.
  bool free(void *pointer);

private:
  static size_t classOf(size_t bytes);
  void trim();
  static constexpr size_t kKeptBytes = size_t(1) << 30; // beyond it freed blocks go back to the system
  std::mutex mutex;
  std::unordered_map<void *, size_t> live;
  std::unordered_map<size_t, std::vector<void *>> kept;
  size_t keptBytes = 0;
};

/// Scratch for callers and workers. Taking and giving back is one exchange; memory is allocated only when a kernel wants
/// more than any before it.
class ScratchPool {
public:
  struct Block {
    void *data = nullptr;
    size_t bytes = 0;
  };
  ~ScratchPool();
  /// A block of at least `bytes`, 64-byte aligned; NULL when memory is exhausted.
  Block *take(size_t bytes);
  void give(Block *block);

private:
  static bool grow(Block &block, size_t bytes);
  std::array<std::atomic<Block *>, 64> idle{};
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_DEVICE_MEMORY_H
