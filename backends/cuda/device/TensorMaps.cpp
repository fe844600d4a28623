//===- cuda/device/TensorMaps.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/TensorMaps.h"

#include "pantile/types.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda {

namespace {

using simt::DescriptorRecord;

struct ElementRow {
  int64_t dtype;
  CUtensorMapDataType type;
  int bytes;
};
constexpr ElementRow kElements[] = {
    {PANTILE_I1, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1},      {PANTILE_I8, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1},
    {PANTILE_U8, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1},      {PANTILE_F8E4M3FN, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1},
    {PANTILE_F8E5M2, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1},  {PANTILE_I16, CU_TENSOR_MAP_DATA_TYPE_UINT16, 2},
    {PANTILE_U16, CU_TENSOR_MAP_DATA_TYPE_UINT16, 2},    {PANTILE_F16, CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 2},
    {PANTILE_BF16, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2}, {PANTILE_I32, CU_TENSOR_MAP_DATA_TYPE_INT32, 4},
    {PANTILE_U32, CU_TENSOR_MAP_DATA_TYPE_UINT32, 4},    {PANTILE_F32, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4},
    {PANTILE_I64, CU_TENSOR_MAP_DATA_TYPE_INT64, 8},     {PANTILE_U64, CU_TENSOR_MAP_DATA_TYPE_UINT64, 8},
    {PANTILE_F64, CU_TENSOR_MAP_DATA_TYPE_FLOAT64, 8},
};

constexpr int kNoInterleave = 0, kPromote128 = 2, kFillZero = 0;

uint64_t hashOf(const DescriptorRecord &record) {
  uint64_t words[simt::kDescriptorWords], hash = 0x243f6a8885a308d3u;
  std::memcpy(words, &record, sizeof(record));
  for (uint64_t word : words) hash = (hash ^ word) * 0x9e3779b97f4a7c15u, hash ^= hash >> 32;
  return hash;
}

Status illegal(std::string what) {
  return Status(PANTILE_INVALID_ARGUMENT, "a tensor map cannot describe the view: " + std::move(what))
      .withFix("align the tensor's address and strides to 16 bytes, or use a configuration without tensor maps");
}

Status aligned(uint64_t address) {
  return address % 16 ? illegal(fmt::format("its address {:#x} is no multiple of 16", address)) : Status();
}

} // namespace

Status TensorMaps::encodeAnew(const DescriptorRecord &r, uint64_t address, CUtensorMap &map) const {
  if (r.rank < 1 || r.rank > int64_t(simt::kDescriptorRank)) return illegal(fmt::format("rank {}, 1 to 5 are possible", r.rank));
  const auto *element =
      std::find_if(std::begin(kElements), std::end(kElements), [&](const ElementRow &row) { return row.dtype == r.dtype; });
  if (element == std::end(kElements)) return illegal(fmt::format("there are none of dtype {}", r.dtype));
  const int swizzle = r.swizzleBytes == 0 ? 0 : r.swizzleBytes == 32 ? 1 : r.swizzleBytes == 64 ? 2 : r.swizzleBytes == 128 ? 3 : -1;
  if (swizzle < 0) return illegal(fmt::format("a swizzle of {} bytes, there are 0, 32, 64, 128", r.swizzleBytes));
  uint64_t sizes[simt::kDescriptorRank], strides[simt::kDescriptorRank];
  uint32_t box[simt::kDescriptorRank], steps[simt::kDescriptorRank];
  for (int64_t d = 0; d < r.rank; ++d) {
    if (r.sizes[d] < 0 || r.sizes[d] > int64_t(1) << 32)
      return illegal(fmt::format("dimension {} has size {}, at most 2^32 is possible", d, r.sizes[d]));
    if (r.box[d] < 1 || r.box[d] > 256) return illegal(fmt::format("a box of {} in dimension {}, 1 to 256 are possible", r.box[d], d));
    // Nothing is read of an empty view; the hardware wants at least one element.
    sizes[d] = uint64_t(std::max<int64_t>(r.sizes[d], 1));
    box[d] = uint32_t(r.box[d]);
    steps[d] = 1;
    if (d == 0) continue;
    // What is never stepped along may have any stride.
    int64_t stride = r.sizes[d] <= 1 ? std::max<int64_t>(16, (r.strides[d] + 15) / 16 * 16) : r.strides[d];
    if (stride < 0 || stride % 16 || stride >= int64_t(1) << 40)
      return illegal(fmt::format("dimension {} has a stride of {} bytes, multiples of 16 below 2^40 are possible", d, r.strides[d]));
    strides[d - 1] = uint64_t(stride);
  }
  const int64_t inner = r.box[0] * element->bytes;
  if (inner % 16) return illegal(fmt::format("the box has {} bytes in its innermost dimension, no multiple of 16", inner));
  if (swizzle && inner > r.swizzleBytes)
    return illegal(fmt::format("the box has {} bytes in its innermost dimension, the swizzle's {} at most", inner, r.swizzleBytes));
  PANTILE_RETURN_IF_ERROR(aligned(address));
  CUresult result = driver.cuTensorMapEncodeTiled(&map, element->type, uint32_t(r.rank), reinterpret_cast<void *>(address), sizes, strides,
                                                  box, steps, kNoInterleave, swizzle, kPromote128, kFillZero);
  return result == CUDA_SUCCESS ? Status() : driver.failure(result, "a tensor map cannot be encoded");
}

Status TensorMaps::encode(const DescriptorRecord &record, uint64_t address, CUtensorMap &map) {
  DescriptorRecord key = record;
  key.slot = 0; // not part of the map
  Place &place = places[hashOf(key) % places.size()];
  if (place.busy.test_and_set(std::memory_order_acquire)) return encodeAnew(record, address, map);
  const bool known = place.used && std::memcmp(&place.record, &key, sizeof(key)) == 0;
  Status status;
  if (known) {
    map = place.map;
  } else if (status = encodeAnew(record, address, map); status.isOk()) {
    place.used = true;
    place.record = key;
    place.map = map;
  }
  place.busy.clear(std::memory_order_release);
  if (!known) return status;
  PANTILE_RETURN_IF_ERROR(aligned(address));
  CUresult result = driver.cuTensorMapReplaceAddress(&map, reinterpret_cast<void *>(address));
  return result == CUDA_SUCCESS ? Status() : driver.failure(result, "a tensor map's address cannot be replaced");
}

} // namespace pantile::cuda
