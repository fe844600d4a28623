//===- tests/conformance/Tensors.h - arguments with traps around them ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Every view gets memory of its own with red zones on both sides and between padded rows; outputs are poisoned with NaNs
// (integers with a marker). After a run, whatever the kernel was not to write must be as it was, bit for bit.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_CONFORMANCE_TENSORS_H
#define PANTILE_TESTS_CONFORMANCE_TENSORS_H

#include "core/KernelText.h"
#include "tests/conformance/Case.h"

#include <dlpack/dlpack.h>

namespace conformance {

class Tensor {
public:
  Tensor(const pantile::KernelArgument &argument, std::vector<int64_t> sizes, Layout layout);

  DLTensor *dl() { return &view; }
  const pantile::KernelArgument &argument() const { return declared; }
  int64_t elements() const;
  /// Element i in row-major order, as a double (integers too).
  double get(int64_t i) const;
  void set(int64_t i, double value);
  /// Fills everything, red zones included, with what no kernel computes.
  void poison();
  /// Copies all bytes, red zones included.
  void copyFrom(const Tensor &other) { bytes = other.bytes; }
  /// The first byte outside the view's elements that differs from `before`, or -1.
  int64_t firstStrayWrite(const Tensor &before) const;
  /// All bytes, red zones included: what goes to a device and comes back.
  std::vector<uint8_t> &storage() { return bytes; }
  const std::vector<uint8_t> &storage() const { return bytes; }

private:
  int64_t address(int64_t i) const; // byte offset of element i
  pantile::KernelArgument declared;
  std::vector<int64_t> sizes, strides;
  int64_t base;
  unsigned elementBytes;
  std::vector<uint8_t> bytes;
  DLTensor view{};
};

} // namespace conformance

#endif // PANTILE_TESTS_CONFORMANCE_TENSORS_H
