//===- runtime/dispatch/SharedTensors.cpp ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/SharedTensors.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pantile {

Expected<SharedMemory> SharedMemory::create(uint64_t bytes) {
  SharedMemory memory;
  memory.file = Descriptor(memfd_create("pantile tensors", MFD_CLOEXEC));
  if (!memory.file.valid() || ftruncate(memory.file.get(), off_t(std::max<uint64_t>(bytes, 1))))
    return Status(PANTILE_OUT_OF_MEMORY, fmt::format("{} bytes of shared memory cannot be had: {}", bytes, systemError(errno)));
  return map(std::move(memory.file));
}

Expected<SharedMemory> SharedMemory::map(Descriptor descriptor) {
  SharedMemory memory;
  memory.file = std::move(descriptor);
  struct stat info;
  if (!memory.file.valid() || fstat(memory.file.get(), &info)) return Status(PANTILE_DATA_ERROR, "no shared memory came with a request");
  memory.bytes = uint64_t(info.st_size);
  if (!memory.bytes) return memory;
  void *mapped = mmap(nullptr, memory.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.file.get(), 0);
  if (mapped == MAP_FAILED)
    return Status(PANTILE_OUT_OF_MEMORY, fmt::format("{} bytes of tensors cannot be mapped: {}", info.st_size, systemError(errno)));
  memory.address = static_cast<char *>(mapped);
  return memory;
}

SharedMemory::~SharedMemory() {
  if (address) munmap(address, bytes);
}

Expected<SharedTensors> SharedTensors::layout(std::span<const BoundArgument> bound) {
  constexpr uint64_t gap = 256;
  uint64_t at = gap;
  std::vector<TensorRecord> records(bound.size());
  for (size_t i = 0; i < bound.size(); ++i) {
    auto &record = records[i];
    record.dtype = bound[i].dtype;
    record.rank = bound[i].rank;
    record.scalar = bound[i].scalar;
    if (bound[i].rank < 0) continue;
    record.offset = record.low = at;
    record.high = at + bound[i].span;
    record.sizes.assign(bound[i].sizes, bound[i].sizes + bound[i].rank);
    record.strides.assign(bound[i].strides, bound[i].strides + bound[i].rank);
    at = (record.high + gap + 63) / 64 * 64;
  }
  PANTILE_ASSIGN(auto memory, SharedMemory::create(at));
  return SharedTensors{std::move(memory), std::move(records)};
}

unsigned bytesOfElement(int32_t dtype) { return std::max(1u, info(DType(dtype)).bits / 8); }

void copyElements(char *to, const char *from, const BoundArgument &view) {
  if (!view.elements) return;
  const unsigned bits = info(DType(view.dtype)).bits;
  if (bits < 8) { // elements that share bytes come and go together
    std::memcpy(to, from, view.span);
    return;
  }
  const int64_t bytes = bits / 8;
  int inner = view.rank; // dimensions from here on are dense
  int64_t run = 1;
  while (inner > 0 && (view.strides[inner - 1] == run || view.sizes[inner - 1] == 1)) run *= view.sizes[--inner];
  int64_t index[PANTILE_MAX_RANK] = {};
  while (true) {
    int64_t offset = 0;
    for (int d = 0; d < inner; ++d) offset += index[d] * view.strides[d];
    std::memcpy(to + offset * bytes, from + offset * bytes, size_t(run * bytes));
    int d = inner - 1;
    while (d >= 0 && ++index[d] == view.sizes[d]) index[d--] = 0;
    if (d < 0) return;
  }
}

} // namespace pantile
