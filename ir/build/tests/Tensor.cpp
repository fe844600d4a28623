//===- ir/build/tests/Tensor.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/tests/Tensor.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace pantile::reference {

static bool isFloat(DType dtype) { return info(dtype).kind == DTypeClass::Float; }

Tensor::Tensor(DType dtype, Index sizes) : dtype(dtype), sizes(sizes), strides(sizes.size()) {
  int64_t stride = 1;
  for (size_t d = sizes.size(); d-- > 0; stride *= sizes[d]) strides[d] = stride;
  bytes.resize(count() * info(dtype).bits / 8);
  forEachIndex(sizes, [&](const Index &i) { set(i, isFloat(dtype) ? NAN : -77); });
}

int64_t Tensor::count() const {
  int64_t count = 1;
  for (int64_t size : sizes) count *= size;
  return count;
}

static int64_t offset(const Tensor &t, const Index &index) {
  int64_t offset = 0;
  for (size_t d = 0; d < index.size(); ++d) offset += index[d] * t.strides[d];
  return offset * info(t.dtype).bits / 8;
}

template <typename T> static T readAs(const uint8_t *from) {
  T value;
  memcpy(&value, from, sizeof(T));
  return value;
}
template <typename T> static void writeAs(uint8_t *to, T value) { memcpy(to, &value, sizeof(T)); }

double Tensor::get(const Index &index) const {
  const uint8_t *from = bytes.data() + offset(*this, index);
  switch (dtype) {
  case PANTILE_F32:
    return readAs<float>(from);
  case PANTILE_F16:
    return f16ToF32(readAs<uint16_t>(from));
  case PANTILE_BF16:
    return bf16ToF32(readAs<uint16_t>(from));
  case PANTILE_I8:
    return readAs<int8_t>(from);
  case PANTILE_I32:
    return readAs<int32_t>(from);
  case PANTILE_I64:
    return double(readAs<int64_t>(from));
  default:
    ADD_FAILURE() << "no such dtype here";
    return 0;
  }
}

void Tensor::set(const Index &index, double value) {
  uint8_t *to = bytes.data() + offset(*this, index);
  switch (dtype) {
  case PANTILE_F32:
    return writeAs(to, float(value));
  case PANTILE_F16:
    return writeAs(to, f32ToF16(float(value)));
  case PANTILE_BF16:
    return writeAs(to, f32ToBF16(float(value)));
  case PANTILE_I8:
    return writeAs(to, int8_t(value));
  case PANTILE_I32:
    return writeAs(to, int32_t(value));
  case PANTILE_I64:
    return writeAs(to, int64_t(value));
  default:
    ADD_FAILURE() << "no such dtype here";
  }
}

Tensor random(DType dtype, Index sizes, double low, double high) {
  static std::mt19937 generator(7);
  Tensor tensor(dtype, sizes);
  std::uniform_real_distribution<double> numbers(low, high);
  forEachIndex(sizes, [&](const Index &i) { tensor.set(i, isFloat(dtype) ? numbers(generator) : std::floor(numbers(generator))); });
  return tensor;
}

Tensor columnMajor(const Tensor &tensor) {
  Tensor result(tensor.dtype, tensor.sizes);
  int64_t stride = 1;
  for (size_t d = 0; d < tensor.sizes.size(); stride *= tensor.sizes[d++]) result.strides[d] = stride;
  forEachIndex(tensor.sizes, [&](const Index &i) { result.set(i, tensor.get(i)); });
  return result;
}

Tensor repeated(Tensor tensor, int d, int64_t times) {
  tensor.sizes[d] = times;
  tensor.strides[d] = 0;
  return tensor;
}

void forEachIndex(const Index &sizes, const std::function<void(const Index &)> &body) {
  for (int64_t size : sizes)
    if (size == 0) return;
  Index index(sizes.size());
  while (true) {
    body(index);
    size_t d = sizes.size();
    while (d > 0 && ++index[d - 1] == sizes[d - 1]) index[--d] = 0;
    if (d == 0) return;
  }
}

void expectEqual(const Tensor &found, const std::function<double(const Index &)> &expected, double tolerance) {
  if (tolerance == 0)
    tolerance = found.dtype == PANTILE_F32 ? 1e-5 : found.dtype == PANTILE_F16 ? 2e-3 : found.dtype == PANTILE_BF16 ? 1.2e-2 : 1e-9;
  int wrong = 0;
  forEachIndex(found.sizes, [&](const Index &i) {
    double want = expected(i), got = found.get(i);
    bool equal = want == got || std::abs(want - got) <= tolerance * std::max(1.0, std::abs(want));
    if (equal || ++wrong > 3) return;
    std::string at;
    for (int64_t x : i) at += std::to_string(x) + " ";
    ADD_FAILURE() << "at [" << at << "]: expected " << want << ", found " << got;
  });
}

DType dtypeOf(const std::string &name) { return *dtypeFromName(name); }

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

double activation(const std::string &name, double x) {
  if (name == "relu") return std::max(x, 0.0);
  if (name == "gelu") return gelu(x);
  if (name == "gelu_tanh") return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  if (name == "silu") return x / (1 + std::exp(-x));
  return x;
}

} // namespace pantile::reference
