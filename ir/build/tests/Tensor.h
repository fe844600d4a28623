//===- ir/build/tests/Tensor.h - host tensors and the oracle's run --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   Tensor X = random(PANTILE_BF16, {13, 7}), Y(PANTILE_F32, {13});      // Y is poisoned
//   run("sum", "bf16,out=f32", {X, Y});                                   // library kernel, interpreted; fails the test on errors
//   expectEqual(Y, [&](Index i) { return ...; });                         // within the dtype's tolerance
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_BUILD_TESTS_TENSOR_H
#define PANTILE_IR_BUILD_TESTS_TENSOR_H

#include "core/DType.h"

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace pantile::reference {

using Index = std::vector<int64_t>;

/// A tensor of host memory; elements are read and written as numbers. Copies share nothing.
struct Tensor {
  DType dtype;
  Index sizes, strides;
  std::vector<uint8_t> bytes;

  /// Row-major, filled with NaN (integers: a value no kernel writes).
  Tensor(DType dtype, Index sizes);
  int64_t count() const;
  double get(const Index &index) const;
  void set(const Index &index, double value); ///< rounds to the dtype
  double operator()(auto... index) const { return get(Index{int64_t(index)...}); }
};

/// Uniform numbers, the same in every run; integers are whole.
Tensor random(DType dtype, Index sizes, double low = -2, double high = 2);
/// The same elements with the dimensions' order in memory reversed.
Tensor columnMajor(const Tensor &tensor);
/// One row that stands for many: stride 0 in dimension d.
Tensor repeated(Tensor tensor, int d, int64_t times);

void forEachIndex(const Index &sizes, const std::function<void(const Index &)> &body);

using Argument = std::variant<std::reference_wrapper<Tensor>, double>;
/// Interprets a library kernel. Scalars are given as numbers and become what the kernel declares.
void run(const std::string &name, const std::string &options, std::vector<Argument> arguments);
/// Its error instead.
std::string errorOfRun(const std::string &name, const std::string &options, std::vector<Argument> arguments);

/// Every element within `tolerance` (relative beyond 1) of expected(index); 0: the dtype's.
void expectEqual(const Tensor &found, const std::function<double(const Index &)> &expected, double tolerance = 0);

inline const char *kFloats[] = {"f32", "f16", "bf16"};
DType dtypeOf(const std::string &name);

double gelu(double x);
double activation(const std::string &name, double x);

} // namespace pantile::reference

#endif // PANTILE_IR_BUILD_TESTS_TENSOR_H
