//===- tests/conformance/Tensors.cpp --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Tensors.h"

#include <cstring>
#include <limits>

namespace conformance {

using namespace pantile;

namespace {

constexpr int64_t kRedZone = 256; // bytes on each side
constexpr uint8_t kPoison = 0xff; // NaN in every float format, -1 in integers

template <typename T> T read(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <typename T> void write(uint8_t *to, T value) { std::memcpy(to, &value, sizeof(T)); }

} // namespace

Tensor::Tensor(const KernelArgument &argument, std::vector<int64_t> sizes, Layout layout) : declared(argument), sizes(std::move(sizes)) {
  const DTypeInfo &dtype = info(argument.dtype);
  elementBytes = std::max(1u, dtype.bits / 8);
  size_t rank = this->sizes.size();
  strides.assign(rank, 1);
  bool transposed = layout == Layout::Transposed && rank >= 2;
  int64_t padding = layout == Layout::PaddedRows ? 3 : 0, stride = 1;
  for (size_t i = 0; i < rank; ++i) {
    // The order in which dimensions get faster: the last first, or the last but one.
    size_t d = rank - 1 - i;
    if (transposed && i < 2) d = rank - 2 + i;
    strides[d] = stride;
    stride *= std::max<int64_t>(this->sizes[d], 1) + (i == 0 ? padding : 0);
  }
  if (layout == Layout::Broadcast && rank && argument.access == Access::Read) strides[0] = 0;
  base = kRedZone + (layout == Layout::Misaligned ? int64_t(elementBytes) : 0);
  bytes.assign(size_t(base + stride * elementBytes + kRedZone), kPoison);
  view.data = bytes.data();
  view.device = {kDLCPU, 0};
  view.ndim = int32_t(rank);
  view.dtype = {uint8_t(dtype.dlpackCode), uint8_t(dtype.bits), 1};
  view.shape = this->sizes.data();
  view.strides = strides.data();
  view.byte_offset = uint64_t(base);
}

int64_t Tensor::elements() const {
  int64_t product = 1;
  for (int64_t size : sizes) product *= size;
  return product;
}

int64_t Tensor::address(int64_t i) const {
  int64_t offset = 0;
  for (size_t d = sizes.size(); d-- > 0;) {
    offset += i % sizes[d] * strides[d];
    i /= sizes[d];
  }
  return base + offset * elementBytes;
}

double Tensor::get(int64_t i) const {
  const uint8_t *at = bytes.data() + address(i);
  switch (declared.dtype) {
  case PANTILE_F16:
    return f16ToF32(read<uint16_t>(at));
  case PANTILE_BF16:
    return bf16ToF32(read<uint16_t>(at));
  case PANTILE_F32:
    return read<float>(at);
  case PANTILE_F64:
    return read<double>(at);
  case PANTILE_I8:
    return read<int8_t>(at);
  case PANTILE_I16:
    return read<int16_t>(at);
  case PANTILE_I32:
    return read<int32_t>(at);
  case PANTILE_I64:
    return double(read<int64_t>(at));
  default:
    return std::numeric_limits<double>::quiet_NaN();
  }
}

void Tensor::set(int64_t i, double value) {
  uint8_t *at = bytes.data() + address(i);
  switch (declared.dtype) {
  case PANTILE_F16:
    write(at, f32ToF16(float(value)));
    break;
  case PANTILE_BF16:
    write(at, f32ToBF16(float(value)));
    break;
  case PANTILE_F32:
    write(at, float(value));
    break;
  case PANTILE_F64:
    write(at, value);
    break;
  case PANTILE_I8:
    write(at, int8_t(value));
    break;
  case PANTILE_I16:
    write(at, int16_t(value));
    break;
  case PANTILE_I32:
    write(at, int32_t(value));
    break;
  case PANTILE_I64:
    write(at, int64_t(value));
    break;
  default:
    break;
  }
}

void Tensor::poison() { std::memset(bytes.data(), kPoison, bytes.size()); }

int64_t Tensor::firstStrayWrite(const Tensor &before) const {
  std::vector<bool> inside(bytes.size());
  for (int64_t i = 0, n = elements(); i < n; ++i)
    for (int64_t at = address(i), b = 0; b < elementBytes; ++b) inside[size_t(at + b)] = true;
  for (size_t i = 0; i < bytes.size(); ++i)
    if (!inside[i] && bytes[i] != before.bytes[i]) return int64_t(i);
  return -1;
}

} // namespace conformance
