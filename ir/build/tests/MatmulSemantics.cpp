//===- ir/build/tests/MatmulSemantics.cpp - matrix products, quantized too ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/tests/Tensor.h"

#include <gtest/gtest.h>

using namespace pantile::reference;
using namespace pantile;

namespace {

struct Sizes {
  int64_t m, n, k;
};
const std::vector<Sizes> kSizes = {{1, 1, 1}, {7, 5, 13}, {3, 1, 11}, {1, 17, 6}, {0, 3, 4}, {3, 4, 0}};

TEST(Matmul, TranspositionsAndDtypes) {
  for (const char *dtype : kFloats)
    for (auto [m, n, k] : kSizes)
      for (int t = 0; t < 4; ++t) {
        bool ta = t & 1, tb = t & 2;
        Tensor A = random(dtypeOf(dtype), ta ? Index{k, m} : Index{m, k}), B = random(A.dtype, tb ? Index{n, k} : Index{k, n}),
               C(PANTILE_F32, {m, n});
        run("matmul", std::string(dtype) + ",out=f32" + (ta ? ",transpose_a=1" : "") + (tb ? ",transpose_b=1" : ""), {A, B, C});
        expectEqual(
            C,
            [&](Index i) {
              double sum = 0;
              for (int64_t p = 0; p < k; ++p) sum += (ta ? A(p, i[0]) : A(i[0], p)) * (tb ? B(i[1], p) : B(p, i[1]));
              return sum;
            },
            3e-5);
      }
}

TEST(Matmul, Epilogues) {
  for (const char *name : {"none", "relu", "gelu", "gelu_tanh", "silu"})
    for (int flags = 0; flags < 4; ++flags) {
      Tensor A = random(PANTILE_F32, {5, 7}), B = random(PANTILE_F32, {7, 3}), bias = random(PANTILE_F16, {3}),
             residual = random(PANTILE_F16, {5, 3}), C(PANTILE_F16, {5, 3});
      std::vector<Argument> arguments = {A, B};
      if (flags & 1) arguments.push_back(bias);
      if (flags & 2) arguments.push_back(residual);
      arguments.push_back(C);
      run("matmul", std::string("out=f16,activation=") + name + (flags & 1 ? ",bias=1" : "") + (flags & 2 ? ",residual=1" : ""), arguments);
      expectEqual(C, [&](Index i) {
        double sum = flags & 1 ? bias(i[1]) : 0;
        for (int p = 0; p < 7; ++p) sum += A(i[0], p) * B(p, i[1]);
        return activation(name, sum) + (flags & 2 ? residual.get(i) : 0);
      });
    }
}

TEST(Matmul, Batched) {
  for (auto [m, n, k] : kSizes) {
    Tensor A = random(PANTILE_BF16, {3, k, m}), B = random(PANTILE_BF16, {3, k, n}), C(PANTILE_F32, {3, m, n});
    run("batched_matmul", "bf16,out=f32,transpose_a=1", {A, B, C});
    expectEqual(
        C,
        [&](Index i) {
          double sum = 0;
          for (int64_t p = 0; p < k; ++p) sum += A(i[0], p, i[1]) * B(i[0], p, i[2]);
          return sum;
        },
        3e-5);
  }
}

TEST(Matmul, Vector) {
  for (auto [m, n, k] : kSizes) {
    Tensor A = random(PANTILE_BF16, {n, k}), X = random(PANTILE_F32, {k}), bias = random(PANTILE_F32, {n}), Y(PANTILE_F32, {n});
    run("matvec", "bf16,x=f32,out=f32,bias=1", {A, X, bias, Y});
    expectEqual(
        Y,
        [&](Index i) {
          double sum = bias.get(i);
          for (int64_t p = 0; p < k; ++p) sum += A(i[0], p) * X(p);
          return sum;
        },
        3e-5);
  }
}

TEST(Matmul, Int8) {
  for (auto [m, n, k] : kSizes)
    for (bool tb : {false, true}) {
      Tensor A = random(PANTILE_I8, {m, k}, -128, 128), B = random(PANTILE_I8, tb ? Index{n, k} : Index{k, n}, -128, 128);
      Tensor rows = random(PANTILE_F32, {m}), columns = random(PANTILE_F32, {n}), C(PANTILE_F32, {m, n}), exact(PANTILE_I32, {m, n});
      auto sum = [&](Index i) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p) sum += A(i[0], p) * (tb ? B(i[1], p) : B(p, i[1]));
        return sum;
      };
      std::string options = tb ? "transpose_b=1" : "";
      run("matmul_int8", options, {A, B, rows, columns, C});
      expectEqual(C, [&](Index i) { return sum(i) * rows(i[0]) * columns(i[1]); });
      run("matmul_int8", options + ",scales=0", {A, B, exact});
      expectEqual(exact, sum);
    }
}

struct Quantized {
  std::string format;
  Tensor quants, scales, mins;
  Quantized(std::string format, int64_t rows, int64_t blocks)
      : format(format), quants(random(PANTILE_I8, {rows, blocks, format == "q4_1" ? 16 : 32}, -128, 128)),
        scales(random(PANTILE_F16, {rows, blocks}, 0, 0.1)), mins(random(PANTILE_F16, {rows, blocks}, -1, 0)) {}
  void append(std::vector<Argument> &arguments) {
    arguments.push_back(quants);
    arguments.push_back(scales);
    if (format == "q4_1") arguments.push_back(mins);
  }
  double operator()(int64_t row, int64_t column) const {
    int64_t block = column / 32, j = column % 32;
    if (format == "q8_0") return quants(row, block, j) * scales(row, block);
    int byte = int(quants(row, block, j % 16)) & 255;
    return (j < 16 ? byte & 15 : byte >> 4) * scales(row, block) + mins(row, block);
  }
};

TEST(Quantized, MatmulAndMatvec) {
  for (const char *format : {"q4_1", "q8_0"})
    for (auto [m, n, blocks] : std::vector<Sizes>{{1, 1, 1}, {3, 5, 7}, {0, 3, 1}, {2, 7, 0}}) {
      Quantized W(format, n, blocks);
      int64_t k = blocks * 32;
      Tensor X = random(PANTILE_F32, {m, k}), residual = random(PANTILE_F32, {m, n}), Out(PANTILE_F32, {m, n});
      auto row = [&](const Tensor &x, Index at, int64_t n) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p) {
          at.back() = p;
          sum += x.get(at) * W(n, p);
        }
        return sum;
      };
      std::vector<Argument> arguments = {X};
      W.append(arguments);
      arguments.push_back(residual);
      arguments.push_back(Out);
      run("matmul_quantized", std::string("residual=1,format=") + format, arguments);
      expectEqual(Out, [&](Index i) { return row(X, {i[0], 0}, i[1]) + residual.get(i); }, 1e-4);

      Tensor x = random(PANTILE_BF16, {k}), y(PANTILE_F32, {n});
      arguments = {x};
      W.append(arguments);
      arguments.push_back(y);
      run("matvec_quantized", std::string("bf16,out=f32,activation=silu,format=") + format, arguments);
      expectEqual(y, [&](Index i) { return activation("silu", row(x, {0}, i[0])); }, 1e-4);
    }
}

TEST(Quantized, MatmulComputesInAnotherDtype) {
  Quantized W("q4_1", 5, 2);
  Tensor X = random(PANTILE_F32, {3, 64}), Out(PANTILE_F32, {3, 5});
  run("matmul_quantized", "compute=bf16", {X, W.quants, W.scales, W.mins, Out});
  expectEqual(
      Out,
      [&](Index i) {
        double sum = 0;
        for (int p = 0; p < 64; ++p) sum += X(i[0], p) * W(i[1], p);
        return sum;
      },
      0.2);
}

TEST(Quantized, SizesThatDisagreeAreAnError) {
  Quantized W("q8_0", 5, 2);
  Tensor X = random(PANTILE_F32, {63}), Out(PANTILE_F32, {5});
  std::string error = errorOfRun("matvec_quantized", "format=q8_0", {X, W.quants, W.scales, Out});
  EXPECT_NE(error.find("K is 32 times KB"), error.npos) << error;
}

TEST(Quantized, Embedding) {
  for (const char *format : {"q4_1", "q8_0"}) {
    Quantized W(format, 11, 3);
    Tensor Ids = random(PANTILE_I32, {5}, 0, 11), Out(PANTILE_F16, {5, 96});
    std::vector<Argument> arguments;
    W.append(arguments);
    arguments.push_back(Ids);
    arguments.push_back(Out);
    run("embedding_quantized", std::string("f16,format=") + format, arguments);
    expectEqual(Out, [&](Index i) { return W(int64_t(Ids(i[0])), i[1]); });
  }
}

} // namespace
