//===- runtime/emulation/Memory.h - an emulated device's memory -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A file in memory, mapped here and in the helper that runs kernels at one address, so that pointers mean the same in both.
// Behind the bytes lies, for each, what it is (core/EmulatorABI.h): allocated, written. Buffers have gaps between them that
// belong to nobody.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_EMULATION_MEMORY_H
#define PANTILE_RUNTIME_EMULATION_MEMORY_H

#include "core/EmulatorABI.h"
#include "runtime/Paths.h"

#include <map>
#include <memory>
#include <mutex>

namespace pantile {

/// Thread safe.
class EmulatedMemory {
public:
  static Expected<std::unique_ptr<EmulatedMemory>> create();
  ~EmulatedMemory();
  EmulatedMemory(const EmulatedMemory &) = delete;
  EmulatedMemory &operator=(const EmulatedMemory &) = delete;

  Expected<void *> allocate(size_t bytes);
  void free(void *pointer);
  /// Bytes count as written from now on; false where they are not this device's.
  bool markWritten(void *pointer, size_t bytes);
  bool contains(const void *pointer, size_t bytes) const;

  char *base() const { return address; }
  uint64_t size() const { return capacity; }
  int descriptor() const { return file.get(); }

private:
  EmulatedMemory() = default;
  uint8_t *stateOf(const void *pointer) const {
    return reinterpret_cast<uint8_t *>(address + capacity) + (static_cast<const char *>(pointer) - address);
  }

  Descriptor file;
  char *address = nullptr;
  uint64_t capacity = 0;
  std::mutex mutex;
  std::map<uint64_t, uint64_t> holes, buffers; ///< offset -> bytes
};

} // namespace pantile

#endif // PANTILE_RUNTIME_EMULATION_MEMORY_H
