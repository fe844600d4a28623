//===- runtime/emulation/Memory.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/emulation/Memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pantile {

namespace {

/// Between what programs, libraries and sanitizers map, so that the helper has the place free as well.
constexpr uint64_t kFirstPlace = uint64_t(0x20) << 40, kNextPlace = uint64_t(1) << 40;
constexpr int kPlaces = 16;
constexpr uint64_t kAlignment = 512, kGap = 512;

} // namespace

Expected<std::unique_ptr<EmulatedMemory>> EmulatedMemory::create() {
  std::unique_ptr<EmulatedMemory> memory(new EmulatedMemory);
  const uint64_t physical = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
  memory->capacity = std::max<uint64_t>(physical / 2, uint64_t(1) << 30) >> 21 << 21;
  memory->file = Descriptor(memfd_create("pantile emulated device", MFD_CLOEXEC));
  if (!memory->file.valid() || ftruncate(memory->file.get(), off_t(2 * memory->capacity)))
    return Status(PANTILE_OUT_OF_MEMORY, fmt::format("no memory for an emulated device: {}", systemError(errno)));
  for (int place = 0; place < kPlaces; ++place) {
    void *wanted = reinterpret_cast<void *>(kFirstPlace + uint64_t(place) * kNextPlace);
    void *mapped =
        mmap(wanted, 2 * memory->capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, memory->file.get(), 0);
    if (mapped == MAP_FAILED && errno == EEXIST) continue;
    if (mapped == MAP_FAILED) break;
    memory->address = static_cast<char *>(mapped);
    memory->holes[kAlignment] = memory->capacity - kAlignment;
    return memory;
  }
  return Status(PANTILE_OUT_OF_MEMORY,
                fmt::format("{} bytes of an emulated device cannot be mapped: {}", memory->capacity, systemError(errno)));
}

EmulatedMemory::~EmulatedMemory() {
  if (address) munmap(address, 2 * capacity);
}

Expected<void *> EmulatedMemory::allocate(size_t bytes) {
  if (!bytes) return static_cast<void *>(nullptr);
  const uint64_t taken = (bytes + kGap + kAlignment - 1) / kAlignment * kAlignment;
  std::lock_guard lock(mutex);
  auto hole = std::find_if(holes.begin(), holes.end(), [&](const auto &one) { return one.second >= taken && taken >= bytes; });
  if (hole == holes.end()) return Status(PANTILE_OUT_OF_MEMORY, fmt::format("the emulated device has no {} bytes free", bytes));
  const auto [offset, size] = *hole;
  holes.erase(hole);
  if (size > taken) holes[offset + taken] = size - taken;
  buffers[offset] = bytes;
  std::memset(stateOf(address + offset), PANTILE_BYTE_UNINITIALIZED, bytes);
  return static_cast<void *>(address + offset);
}

void EmulatedMemory::free(void *pointer) {
  if (!pointer) return;
  std::lock_guard lock(mutex);
  auto found = buffers.find(uint64_t(static_cast<char *>(pointer) - address));
  if (found == buffers.end()) return;
  auto [offset, bytes] = *found;
  buffers.erase(found);
  std::memset(stateOf(pointer), PANTILE_BYTE_NOT_ALLOCATED, bytes);
  uint64_t size = (bytes + kGap + kAlignment - 1) / kAlignment * kAlignment;
  auto after = holes.lower_bound(offset);
  if (after != holes.end() && after->first == offset + size) {
    size += after->second;
    after = holes.erase(after);
  }
  if (after != holes.begin())
    if (auto before = std::prev(after); before->first + before->second == offset) {
      before->second += size;
      return;
    }
  holes[offset] = size;
}

bool EmulatedMemory::contains(const void *pointer, size_t bytes) const {
  const uint64_t offset = uint64_t(static_cast<const char *>(pointer) - address);
  return offset < capacity && bytes <= capacity - offset;
}

bool EmulatedMemory::markWritten(void *pointer, size_t bytes) {
  if (!contains(pointer, bytes)) return false;
  uint8_t *states = stateOf(pointer);
  if (std::find(states, states + bytes, PANTILE_BYTE_NOT_ALLOCATED) != states + bytes) return false;
  std::memset(states, PANTILE_BYTE_INITIALIZED, bytes);
  return true;
}

} // namespace pantile
