//===- cpu/device/Memory.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/Memory.h"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

namespace pantile::cpu {

namespace {

constexpr size_t kHugePage = size_t(2) << 20;

void *systemAllocate(size_t bytes) {
  size_t alignment = bytes >= kHugePage ? kHugePage : 64;
  void *pointer = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (pointer && bytes >= kHugePage) madvise(pointer, bytes, MADV_HUGEPAGE); // a hint: refusal changes nothing
  return pointer;
}

} // namespace

// Eighths of a power of two: at most an eighth is wasted, and sizes that vary a little meet.
size_t BlockCache::classOf(size_t bytes) {
  if (bytes <= 64) return 64;
  size_t step = std::bit_ceil(bytes) / 16;
  if (step < 64) step = 64;
  return (bytes + step - 1) / step * step;
}

BlockCache::~BlockCache() {
  trim();
  for (auto &[pointer, bytes] : live) std::free(pointer);
}

void BlockCache::trim() {
  for (auto &[bytes, blocks] : kept)
    for (void *block : blocks) std::free(block);
  kept.clear();
  keptBytes = 0;
}

void *BlockCache::allocate(size_t bytes) {
  if (bytes == 0 || bytes > PTRDIFF_MAX / 2) return nullptr;
  size_t size = classOf(bytes);
  std::lock_guard lock(mutex);
  void *pointer = nullptr;
  if (auto found = kept.find(size); found != kept.end() && !found->second.empty()) {
    pointer = found->second.back();
    found->second.pop_back();
    keptBytes -= size;
  } else {
    pointer = systemAllocate(size);
    if (!pointer) {
      trim();
      pointer = systemAllocate(size);
    }
  }
  if (pointer) live.emplace(pointer, size);
  return pointer;
}

bool BlockCache::free(void *pointer) {
  std::lock_guard lock(mutex);
  auto found = live.find(pointer);
  if (found == live.end()) return false;
  size_t size = found->second;
  live.erase(found);
  if (keptBytes + size > kKeptBytes) {
    std::free(pointer);
  } else {
    kept[size].push_back(pointer);
    keptBytes += size;
  }
  return true;
}

ScratchPool::~ScratchPool() {
  for (auto &slot : idle)
    if (Block *block = slot.exchange(nullptr)) {
      std::free(block->data);
      delete block;
    }
}

bool ScratchPool::grow(Block &block, size_t bytes) {
  if (bytes <= block.bytes) return true;
  std::free(block.data);
  block.bytes = 0;
  block.data = bytes > PTRDIFF_MAX / 2 ? nullptr : systemAllocate(std::bit_ceil(bytes));
  if (!block.data) return false;
  block.bytes = std::bit_ceil(bytes);
  return true;
}

ScratchPool::Block *ScratchPool::take(size_t bytes) {
  Block *block = nullptr;
  for (auto &slot : idle) {
    if (!slot.load(std::memory_order_relaxed)) continue;
    if ((block = slot.exchange(nullptr, std::memory_order_acquire))) break;
  }
  if (!block) block = new (std::nothrow) Block;
  if (!block) return nullptr;
  if (grow(*block, bytes)) return block;
  delete block; // grow freed its memory
  return nullptr;
}

void ScratchPool::give(Block *block) {
  for (auto &slot : idle) {
    Block *expected = nullptr;
    if (slot.compare_exchange_strong(expected, block, std::memory_order_release, std::memory_order_relaxed)) return;
  }
  std::free(block->data);
  delete block;
}

} // namespace pantile::cpu
