//===- examples/smollm/Kernels.h - tensors and kernels over pantile.h -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EXAMPLES_SMOLLM_KERNELS_H
#define PANTILE_EXAMPLES_SMOLLM_KERNELS_H

#include <pantile/pantile.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace smollm {

/// A failed call of Pantile: text, cause and fix in one.
struct PantileError : std::runtime_error {
  explicit PantileError(pantile_error *error);
};

struct DType {
  uint8_t code, bits;
};
inline constexpr DType kF32{kDLFloat, 32}, kF16{kDLFloat, 16}, kI8{kDLInt, 8}, kI32{kDLInt, 32};

/// One device and its memory.
class Context {
public:
  /// NULL options: the environment decides.
  explicit Context(const pantile_context_options *options = nullptr);
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  pantile_context *get() const { return handle; }
  std::string describe() const;
  void synchronize() const;

private:
  pantile_context *handle = nullptr;
};

/// A view of device memory that shares its ownership; row-major unless made by `transposed` or `slice`.
class Tensor {
public:
  Tensor() = default;
  Tensor(const Context &context, DType dtype, std::vector<int64_t> shape);
  static Tensor of(const Context &context, DType dtype, std::vector<int64_t> shape, const void *host);

  void upload(const void *host, size_t bytes) const;
  void download(void *host, size_t bytes) const;
  /// Rows [begin, end) of the first dimension.
  Tensor rows(int64_t begin, int64_t end) const;
  /// The same elements, row-major, under another shape.
  Tensor reshape(std::vector<int64_t> shape) const;
  /// Dimensions in another order.
  Tensor permute(std::initializer_list<int> order) const;
  int64_t size(int dimension) const { return shape[size_t(dimension)]; }
  size_t bytes() const;
  /// Lives as long as this tensor.
  DLTensor *dl() const;

private:
  const Context *context = nullptr;
  DType dtype = kF32;
  std::vector<int64_t> shape, strides;
  int64_t offset = 0; // elements
  std::shared_ptr<void> memory;
  mutable DLTensor view{};
};

/// A scalar argument.
class Scalar {
public:
  Scalar(float value) : dtype(kF32) { bits.f = value; }
  Scalar(int32_t value) : dtype(kI32) { bits.i = value; }
  DLTensor *dl() const;

private:
  union {
    float f;
    int32_t i;
  } bits;
  DType dtype;
  mutable DLTensor view{};
};

/// An operator of Pantile's library.
class Kernel {
public:
  Kernel(const Context &context, const char *name, const char *options);

  template <typename... Arguments> void operator()(const Arguments &...arguments) const {
    std::array<DLTensor *, sizeof...(Arguments)> list{arguments.dl()...};
    launch(list.data(), list.size());
  }
  template <typename... Arguments> void tune(double seconds, const Arguments &...arguments) const {
    std::array<DLTensor *, sizeof...(Arguments)> list{arguments.dl()...};
    search(seconds, list.data(), list.size());
  }

private:
  void launch(DLTensor **arguments, size_t count) const;
  void search(double seconds, DLTensor **arguments, size_t count) const;
  std::shared_ptr<pantile_kernel> kernel;
};

/// All that the model runs.
struct Kernels {
  explicit Kernels(const Context &context);
  Kernel embeddingQ8, rmsNorm, rope, attention, attentionDecode, swiglu;
  Kernel matmulQ4, matmulQ4Residual, matvecQ4, matvecQ4Residual, matmulQ8, matvecQ8;
  Kernel argmax, sample;
};

} // namespace smollm

#endif // PANTILE_EXAMPLES_SMOLLM_KERNELS_H
