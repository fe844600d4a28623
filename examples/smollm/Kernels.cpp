//===- examples/smollm/Kernels.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <cstdio>
#include <numeric>
#include <unistd.h>

namespace smollm {

namespace {

std::string messageOf(pantile_error *error) {
  std::string message = pantile_error_text(error);
  for (const char *more : {pantile_error_cause(error), pantile_error_fix(error)})
    if (*more) message += std::string("\n  ") + more;
  pantile_error_release(error);
  return message;
}

/// Turns a failed call's error into an exception.
class Check {
public:
  pantile_error **operator&() { return &error; }
  void operator()(pantile_code code) {
    if (code != PANTILE_OK) throw PantileError(error);
  }

private:
  pantile_error *error = nullptr;
};

std::vector<int64_t> rowMajor(const std::vector<int64_t> &shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

int64_t product(const std::vector<int64_t> &shape) { return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>()); }

} // namespace

PantileError::PantileError(pantile_error *error) : std::runtime_error(messageOf(error)) {}

Context::Context(const pantile_context_options *options) {
  Check check;
  check(pantile_context_create(options, &handle, &check));
}
Context::~Context() { pantile_context_release(handle); }

std::string Context::describe() const {
  Check check;
  pantile_string *json;
  check(pantile_context_describe(handle, &json, &check));
  std::string text(pantile_string_data(json), pantile_string_size(json));
  pantile_string_release(json);
  return text;
}

void Context::synchronize() const {
  Check check;
  check(pantile_synchronize(handle, nullptr, &check));
}

Tensor::Tensor(const Context &context, DType dtype, std::vector<int64_t> shape)
    : context(&context), dtype(dtype), shape(std::move(shape)), strides(rowMajor(this->shape)) {
  Check check;
  void *pointer;
  check(pantile_allocate(context.get(), bytes(), &pointer, &check));
  memory = {pointer, [context = context.get()](void *released) { pantile_free(context, released); }};
}

Tensor Tensor::of(const Context &context, DType dtype, std::vector<int64_t> shape, const void *host) {
  Tensor tensor(context, dtype, std::move(shape));
  tensor.upload(host, tensor.bytes());
  return tensor;
}

size_t Tensor::bytes() const { return size_t(product(shape)) * dtype.bits / 8; }

void Tensor::upload(const void *host, size_t bytes) const {
  Check check;
  check(pantile_copy_to_device(context->get(), nullptr, static_cast<char *>(memory.get()) + offset * dtype.bits / 8, host, bytes, &check));
  context->synchronize();
}

void Tensor::download(void *host, size_t bytes) const {
  Check check;
  check(pantile_copy_to_host(context->get(), nullptr, host, static_cast<char *>(memory.get()) + offset * dtype.bits / 8, bytes, &check));
  context->synchronize();
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  Tensor part = *this;
  part.offset += begin * strides[0];
  part.shape[0] = end - begin;
  return part;
}

Tensor Tensor::reshape(std::vector<int64_t> newShape) const {
  if (product(newShape) != product(shape) || strides != rowMajor(shape))
    throw std::logic_error("reshape of a strided tensor, or to another size");
  Tensor other = *this;
  other.shape = std::move(newShape);
  other.strides = rowMajor(other.shape);
  return other;
}

Tensor Tensor::permute(std::initializer_list<int> order) const {
  Tensor other = *this;
  size_t d = 0;
  for (int from : order) {
    other.shape[d] = shape[size_t(from)];
    other.strides[d++] = strides[size_t(from)];
  }
  return other;
}

DLTensor *Tensor::dl() const {
  view.data = memory.get();
  view.device = pantile_context_device(context->get());
  view.ndim = int32_t(shape.size());
  view.dtype = {dtype.code, dtype.bits, 1};
  view.shape = const_cast<int64_t *>(shape.data());
  view.strides = const_cast<int64_t *>(strides.data());
  view.byte_offset = uint64_t(offset) * dtype.bits / 8;
  return &view;
}

DLTensor *Scalar::dl() const {
  view.data = const_cast<float *>(&bits.f);
  view.device = {kDLCPU, 0};
  view.ndim = 0;
  view.dtype = {dtype.code, dtype.bits, 1};
  return &view;
}

Kernel::Kernel(const Context &context, const char *name, const char *options) {
  Check check;
  pantile_kernel *handle;
  check(pantile_kernel_from_library(context.get(), name, options, &handle, &check));
  kernel = {handle, pantile_kernel_release};
}

void Kernel::launch(DLTensor **arguments, size_t count) const {
  Check check;
  check(pantile_launch(kernel.get(), nullptr, arguments, count, &check));
}

void Kernel::search(double seconds, DLTensor **arguments, size_t count) const {
  Check check;
  pantile_tune_options options{};
  options.struct_size = sizeof(options);
  options.seconds = seconds;
  struct Line {
    const char *name;
    bool terminal;
    pantile_tune_progress last;
  } line{pantile_kernel_name(kernel.get()), isatty(2) == 1, {}};
  options.user = &line;
  options.progress = [](void *user, const pantile_tune_progress *p) {
    Line &line = *static_cast<Line *>(user);
    line.last = *p;
    if (line.terminal)
      std::fprintf(stderr, "\r\033[K  %-28s %3u tried, %u failed, best %.1f us, %.0f s left", line.name, p->tried, p->failed, p->best_us,
                   p->left_s);
    return 0;
  };
  check(pantile_tune(kernel.get(), arguments, count, &options, nullptr, &check));
  std::fprintf(stderr, "%s  %-28s %3u tried, %u failed, best %.1f us\n", line.terminal ? "\r\033[K" : "", line.name, line.last.tried,
               line.last.failed, line.last.best_us);
}

Kernels::Kernels(const Context &c)
    : embeddingQ8(c, "embedding_quantized", "f32,format=q8_0"), rmsNorm(c, "rms_norm", "f32"),
      rope(c, "rope", "f32,style=interleaved,start=1,tables=0"), attention(c, "attention", "f32,causal=1"),
      attentionDecode(c, "attention_decode", "f32"), swiglu(c, "swiglu", "f32"), matmulQ4(c, "matmul_quantized", "f32,format=q4_1"),
      matmulQ4Residual(c, "matmul_quantized", "f32,format=q4_1,residual=1"), matvecQ4(c, "matvec_quantized", "f32,format=q4_1"),
      matvecQ4Residual(c, "matvec_quantized", "f32,format=q4_1,residual=1"), matmulQ8(c, "matmul_quantized", "f32,format=q8_0"),
      matvecQ8(c, "matvec_quantized", "f32,format=q8_0"), argmax(c, "argmax", "f32,rank=1"), sample(c, "sample", "f32") {}

} // namespace smollm
