//===- cpu/compiler/tests/ElementwiseTest.cpp -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/tests/KernelRun.h"

#include <gtest/gtest.h>

using namespace pantile::cpu;

namespace {

constexpr int64_t kLengths[] = {0, 1, 15, 16, 17, 63, 64, 1009};

TEST(Elementwise, AddsOfAnyLength) {
  for (int64_t n : kLengths) {
    KernelRun run("add", "f32", {{"N", n}});
    EXPECT_EQ(run.compare(0), "") << n;
  }
}

TEST(Elementwise, FunctionsAgree) {
  for (const char *name : {"exp", "exp2", "log", "sqrt", "rsqrt", "sin", "cos", "sigmoid", "tanh", "erf", "relu", "gelu", "gelu_tanh",
                           "silu", "softplus", "abs", "neg", "reciprocal", "square"}) {
    KernelRun run(name, "f32", {{"N", 131}});
    EXPECT_EQ(run.compare(2e-5), "") << name;
  }
}

TEST(Elementwise, NarrowFloats) {
  for (const char *dtype : {"bf16", "f16"})
    for (const char *name : {"add", "mul", "div", "maximum"}) {
      KernelRun run(name, dtype, {{"N", 77}});
      EXPECT_EQ(run.compare(0), "") << name << " " << dtype;
    }
}

TEST(Elementwise, Layouts) {
  for (Layout layout : {Layout::Padded, Layout::Misaligned, Layout::Reversed})
    for (const char *rank : {"rank=2", "rank=3", "rank=4"}) {
      KernelRun run("add", rank, {{"B0", 2}, {"B1", 3}, {"M", 7}, {"N", 37}}, {}, layout);
      EXPECT_EQ(run.compare(0), "") << rank << " " << int(layout);
    }
}

TEST(Elementwise, CopiesAndTransposes) {
  EXPECT_EQ(KernelRun("copy", "f32,out=bf16", {{"N", 100}}).compare(0), "");
  EXPECT_EQ(KernelRun("copy", "i8", {{"N", 333}}).compare(0), "");
  EXPECT_EQ(KernelRun("transpose", "f32", {{"M", 37}, {"N", 53}}).compare(0), "");
  EXPECT_EQ(KernelRun("where", "f32", {{"N", 91}}).compare(0), "");
}

} // namespace
