//===- runtime/dispatch/SharedTensors.h - a call's tensors in shared memory ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_SHAREDTENSORS_H
#define PANTILE_RUNTIME_DISPATCH_SHAREDTENSORS_H

#include "runtime/Paths.h"
#include "runtime/dispatch/Signature.h"
#include "runtime/helper/Protocol.h"

namespace pantile {

/// An anonymous file, mapped. The descriptor may be given to another process.
class SharedMemory {
public:
  static Expected<SharedMemory> create(uint64_t bytes);
  /// Of another process' descriptor.
  static Expected<SharedMemory> map(Descriptor descriptor);
  SharedMemory(SharedMemory &&other) noexcept
      : file(std::move(other.file)), address(std::exchange(other.address, nullptr)), bytes(std::exchange(other.bytes, 0)) {}
  SharedMemory &operator=(SharedMemory &&other) noexcept {
    std::swap(file, other.file), std::swap(address, other.address), std::swap(bytes, other.bytes);
    return *this;
  }
  ~SharedMemory();
  char *data() const { return address; }
  uint64_t size() const { return bytes; }
  int descriptor() const { return file.get(); }

private:
  SharedMemory() = default;
  Descriptor file;
  char *address = nullptr;
  uint64_t bytes = 0;
};

/// Room for every view of a call (64-byte aligned, a gap between), and the records that say where each is.
struct SharedTensors {
  static Expected<SharedTensors> layout(std::span<const BoundArgument> bound);
  SharedMemory memory;
  std::vector<TensorRecord> records;
  char *at(size_t argument) const { return memory.data() + records[argument].offset; }
};

/// Copies the elements of a view (not what lies between them) from one place of its layout to another.
void copyElements(char *to, const char *from, const BoundArgument &view);
unsigned bytesOfElement(int32_t dtype);

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_SHAREDTENSORS_H
