//===- ir/interpret/tests/HostArray.h - arrays and runs for tests ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_TESTS_HOSTARRAY_H
#define PANTILE_IR_INTERPRET_TESTS_HOSTARRAY_H

#include "ir/dialect/Parse.h"
#include "ir/interpret/Interpret.h"
#include "ir/interpret/Number.h"

#include "mlir/IR/MLIRContext.h"

#include <numeric>
#include <string>
#include <vector>

namespace pantile::testing {

/// A dense array of any dtype, seen as f64 (floats) or i64.
class HostArray {
public:
  HostArray(DType dtype, std::vector<int64_t> sizes, std::vector<double> values = {}) : dtype(dtype), sizes(std::move(sizes)) {
    bytes.resize(size_t(count()) * 8 + 8, char(0x5A));
    for (size_t i = 0; i < values.size(); ++i) set(int64_t(i), values[i]);
  }
  int64_t count() const { return std::accumulate(sizes.begin(), sizes.end(), int64_t(1), std::multiplies<>()); }
  bool isFloat() const { return info(dtype).kind == DTypeClass::Float; }
  void set(int64_t i, double value) {
    double rounded = interpreter::roundTo(interpreter::formatOf(dtype), value);
    int64_t integer = int64_t(value);
    if (isFloat())
      interpreter::writeFloats(dtype, bytes.data(), i, 1, 1, &rounded);
    else
      interpreter::writeIntegers(dtype, bytes.data(), i, 1, 1, &integer);
  }
  double at(int64_t i) const {
    double value;
    int64_t integer;
    if (isFloat()) return interpreter::readFloats(dtype, bytes.data(), i, 1, 1, &value), value;
    return interpreter::readIntegers(dtype, bytes.data(), i, 1, 1, &integer), double(integer);
  }
  std::vector<double> values() const {
    std::vector<double> all;
    for (int64_t i = 0; i < count(); ++i) all.push_back(at(i));
    return all;
  }
  HostView view() {
    std::vector<int64_t> strides(sizes.size(), 1);
    for (size_t d = sizes.size(); d-- > 1;) strides[d - 1] = strides[d] * sizes[d];
    return {bytes.data(), dtype, sizes, strides, nullptr, nullptr};
  }
  operator HostArgument() { return view(); }

  DType dtype;
  std::vector<int64_t> sizes;
  std::vector<char> bytes;
};

/// 0, 1, ... n - 1, times `step`.
inline std::vector<double> ramp(int64_t count, double step = 1, double first = 0) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(first + double(i) * step);
  return values;
}

struct Context {
  Context() : mlir(mlir::MLIRContext::Threading::DISABLED) { tile::loadDialects(mlir); }
  mlir::MLIRContext mlir;
};

/// Parses and interprets; a status of either.
inline Status runText(const std::string &text, std::vector<HostArgument> arguments, const InterpretOptions &options = {}) {
  Context context;
  auto module = tile::parseKernel(context.mlir, "// pantile-ir 1\n" + text);
  if (!module) return std::move(module).status();
  return interpret(**module, arguments, options);
}

} // namespace pantile::testing

#endif // PANTILE_IR_INTERPRET_TESTS_HOSTARRAY_H
