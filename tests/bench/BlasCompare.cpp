//===- tests/bench/BlasCompare.cpp - matmul beside OpenBLAS ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   blas_compare [THREADS]
//
// A few rows of the CPU table in one process: both sides run interleaved, round by round, and the best time of each counts.
// Results are compared with each other first.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cblas.h>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <pantile/pantile.h>
#include <random>
#include <vector>

namespace {

[[noreturn]] void fail(pantile_error *error) {
  std::fprintf(stderr, "blas_compare: %s\n%s\n%s\n", pantile_error_text(error), pantile_error_cause(error), pantile_error_fix(error));
  std::exit(1);
}

struct Matrix {
  std::vector<float> values;
  int64_t shape[2];
  DLTensor view{};
  Matrix(int64_t rows, int64_t columns) : values(size_t(rows * columns)), shape{rows, columns} {
    view.data = values.data();
    view.device = {kDLCPU, 0};
    view.ndim = 2;
    view.dtype = {kDLFloat, 32, 1};
    view.shape = shape;
  }
};

template <typename Function> double seconds(Function function) {
  auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

int main(int count, char **arguments) {
  int threads = count > 1 ? std::atoi(arguments[1]) : 1;
  pantile_context_options options{};
  options.struct_size = sizeof(options);
  options.backend = "cpu";
  options.threads = unsigned(threads);
  pantile_context *context;
  pantile_kernel *matmul;
  pantile_error *error = nullptr;
  if (pantile_context_create(&options, &context, &error) || pantile_kernel_from_library(context, "matmul", "f32", &matmul, &error))
    fail(error);
  openblas_set_num_threads(threads);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const int64_t rows[][3] = {{512, 512, 512}, {1024, 1024, 1024}, {1000, 700, 1300}, {256, 256, 4096}, {16, 2048, 2048}, {1, 4096, 4096}};
  std::printf("%-18s %14s %14s %8s\n", "sgemm M x N x K", "OpenBLAS GF/s", "Pantile GF/s", "ratio");
  for (auto [m, n, k] : rows) {
    Matrix a(m, k), b(k, n), c(m, n), expected(m, n);
    for (Matrix *matrix : {&a, &b})
      for (float &value : matrix->values) value = normal(random);
    DLTensor *tensors[] = {&a.view, &b.view, &c.view};
    auto ours = [&] {
      if (pantile_launch(matmul, nullptr, tensors, 3, &error)) fail(error);
    };
    auto theirs = [&] {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, int(m), int(n), int(k), 1, a.values.data(), int(k), b.values.data(), int(n), 0,
                  expected.values.data(), int(n));
    };
    ours();
    theirs();
    for (size_t i = 0; i < c.values.size(); ++i)
      if (!(std::fabs(c.values[i] - expected.values[i]) <= 1e-4f * std::sqrt(float(k)))) {
        std::fprintf(stderr, "blas_compare: element %zu is %g, OpenBLAS says %g\n", i, double(c.values[i]), double(expected.values[i]));
        return 1;
      }
    double flops = 2e-9 * double(m) * double(n) * double(k);
    int repeat = std::max(1, int(2.0 / flops));
    double best = 1e9, rival = 1e9;
    for (int round = 0; round < 9; ++round) {
      rival = std::min(rival, seconds([&] {
                                for (int i = 0; i < repeat; ++i) theirs();
                              }) / repeat);
      best = std::min(best, seconds([&] {
                              for (int i = 0; i < repeat; ++i) ours();
                            }) / repeat);
    }
    char shape[64];
    std::snprintf(shape, sizeof(shape), "%lldx%lldx%lld", static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k));
    std::printf("%-18s %14.1f %14.1f %8.2f\n", shape, flops / rival, flops / best, rival / best);
  }
  pantile_kernel_release(matmul);
  pantile_context_release(context);
  return 0;
}
