//===- cpu/compiler/tests/LibraryTest.cpp - operators on ragged shapes -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/tests/KernelRun.h"

#include <gtest/gtest.h>

using namespace pantile::cpu;

namespace {

struct Case {
  const char *name, *options;
  KernelRun::Sizes sizes;
  KernelRun::Scalars scalars;
  double tolerance;
};

std::ostream &operator<<(std::ostream &out, const Case &c) {
  out << c.name << "(" << c.options << ")";
  for (auto &[name, size] : c.sizes) out << " " << name << "=" << size;
  return out;
}

const Case kCases[] = {
    {"softmax", "f32", {{"M", 7}, {"N", 131}}, {}, 1e-5},
    {"softmax", "bf16", {{"M", 3}, {"N", 16}}, {}, 1e-2},
    {"softmax", "f32,temperature=1", {{"M", 5}, {"N", 1}}, {{"temperature", 0.7}}, 1e-5},
    {"log_softmax", "f32", {{"M", 2}, {"N", 257}}, {}, 1e-5},
    {"layer_norm", "f32", {{"M", 7}, {"N", 100}}, {{"eps", 1e-5}}, 1e-4},
    {"layer_norm", "f16", {{"M", 7}, {"N", 33}}, {{"eps", 1e-5}}, 1e-2},
    {"rms_norm", "f32", {{"M", 5}, {"N", 97}}, {{"eps", 1e-5}}, 1e-4},
    {"rms_norm", "bf16,residual=1,weights=f32", {{"M", 5}, {"N", 64}}, {{"eps", 1e-5}}, 2e-2},
    {"sum", "f32", {{"M", 7}, {"N", 131}}, {}, 1e-4},
    {"sum", "f32,axis=0", {{"M", 37}, {"N", 51}}, {}, 1e-4},
    {"sum", "bf16,rank=3,axis=1", {{"B0", 3}, {"M", 9}, {"N", 17}}, {}, 3e-2},
    {"mean", "f32,rank=1", {{"N", 1000}}, {}, 1e-4},
    {"max", "f32", {{"M", 7}, {"N", 131}}, {}, 0},
    {"min", "f32,axis=0", {{"M", 7}, {"N", 131}}, {}, 0},
    {"variance", "f32", {{"M", 4}, {"N", 77}}, {}, 1e-4},
    {"argmax", "f32", {{"M", 7}, {"N", 131}}, {}, 0},
    {"argmax", "f32,axis=0", {{"M", 33}, {"N", 19}}, {}, 0},
    {"cumsum", "f32", {{"M", 3}, {"N", 131}}, {}, 1e-4},
    {"cumsum", "f32,axis=0", {{"M", 31}, {"N", 21}}, {}, 1e-4},
    {"cumsum", "f32,reverse=1,exclusive=1", {{"M", 3}, {"N", 45}}, {}, 1e-4},
    {"cumsum", "bf16,exclusive=1,axis=0", {{"M", 5}, {"N", 45}}, {}, 5e-2},
    {"cross_entropy", "f32", {{"M", 5}, {"V", 301}}, {}, 1e-4},
    {"embedding", "f32", {{"V", 11}, {"D", 37}, {"S", 9}}, {}, 0},
    {"embedding", "bf16", {{"V", 11}, {"D", 64}, {"S", 1}}, {}, 0},
    {"embedding_quantized", "f32", {{"V", 11}, {"D", 96}, {"DB", 3}, {"S", 9}}, {}, 1e-5},
    {"embedding_quantized", "f32,format=q4_1", {{"V", 11}, {"D", 64}, {"DB", 2}, {"S", 5}}, {}, 1e-5},
    {"rope", "f32", {{"S", 5}, {"H", 3}, {"D", 32}, {"DH", 16}, {"P", 20}}, {}, 1e-5},
    {"rope", "bf16,style=interleaved", {{"S", 5}, {"H", 3}, {"D", 16}, {"DH", 8}, {"P", 20}}, {}, 2e-2},
    {"rope", "f32,tables=0,start=1", {{"S", 5}, {"H", 2}, {"D", 64}, {"DH", 32}}, {{"theta", 10000.0}, {"start", 3}}, 1e-4},
    {"count_below", "", {{"M", 4}, {"N", 37}}, {}, 0},
    {"sample", "f32", {{"M", 4}, {"N", 37}}, {{"temperature", 0.8}}, 0},
    {"matmul", "f32", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-4},
    {"matmul", "f32", {{"M", 1}, {"N", 1}, {"K", 1}}, {}, 1e-4},
    {"matmul", "f32", {{"M", 5}, {"N", 7}, {"K", 0}}, {}, 1e-4},
    {"matmul", "f32", {{"M", 131}, {"N", 257}, {"K", 300}}, {}, 1e-4},
    {"matmul", "f32", {{"M", 3}, {"N", 257}, {"K", 300}}, {}, 1e-4},
    {"matmul", "f32,transpose_a=1", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-4},
    {"matmul", "f32,transpose_b=1", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-4},
    {"matmul", "f32,transpose_b=1", {{"M", 1}, {"N", 53}, {"K", 71}}, {}, 1e-4},
    {"matmul", "f32,transpose_a=1,transpose_b=1,bias=1,activation=gelu,residual=1", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-4},
    {"matmul", "bf16", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 3e-2},
    {"matmul", "bf16,transpose_a=1,transpose_b=1", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 3e-2},
    {"matmul", "bf16,out=f32", {{"M", 3}, {"N", 53}, {"K", 71}}, {}, 3e-3},
    {"matmul", "f16", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-2},
    {"batched_matmul", "f32", {{"B0", 3}, {"M", 17}, {"N", 23}, {"K", 31}}, {}, 1e-4},
    {"matvec", "f32", {{"N", 53}, {"K", 301}}, {}, 1e-4},
    {"matvec", "bf16,x=f32,activation=silu", {{"N", 53}, {"K", 301}}, {}, 3e-2},
    {"matmul_int8", "", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-5},
    {"matmul_int8", "scales=0,transpose_b=1", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 0},
    {"matmul_quantized", "f32", {{"M", 19}, {"N", 37}, {"K", 320}, {"KB", 10}}, {}, 1e-4},
    {"matmul_quantized", "f32,format=q8_0", {{"M", 3}, {"N", 37}, {"K", 96}, {"KB", 3}}, {}, 1e-4},
    {"matmul_quantized", "f32,compute=bf16", {{"M", 19}, {"N", 37}, {"K", 320}, {"KB", 10}}, {}, 3e-2},
    {"matvec_quantized", "f32", {{"N", 37}, {"K", 320}, {"KB", 10}}, {}, 1e-4},
    {"matvec_quantized", "bf16,format=q8_0,bias=1", {{"N", 37}, {"K", 96}, {"KB", 3}}, {}, 3e-2},
    {"attention", "f32", {{"B", 2}, {"H", 4}, {"HK", 2}, {"S", 37}, {"T", 71}, {"D", 32}}, {{"scale", 0.2}}, 1e-4},
    {"attention", "f32,causal=1", {{"B", 1}, {"H", 2}, {"HK", 2}, {"S", 100}, {"T", 201}, {"D", 64}}, {{"scale", 0.1}}, 1e-4},
    {"attention", "bf16,causal=1", {{"B", 1}, {"H", 2}, {"HK", 1}, {"S", 70}, {"T", 70}, {"D", 24}}, {{"scale", 0.2}}, 3e-2},
    {"attention", "f32,window=1,kv_length=1", {{"B", 1}, {"H", 2}, {"HK", 1}, {"S", 20}, {"T", 70}, {"D", 16}}, {{"scale", 0.2}, {"window", 9}, {"kv_length", 50}}, 1e-4},
    {"attention", "f32,varlen=1,causal=1", {{"SQ", 37}, {"SK", 37}, {"H", 2}, {"HK", 1}, {"D", 16}, {"B1", 4}}, {{"scale", 0.2}, {"max_length", 37}}, 1e-4},
    {"attention_decode", "f32", {{"B", 2}, {"H", 4}, {"HK", 2}, {"T", 71}, {"D", 64}}, {{"scale", 0.2}}, 1e-4},
    {"attention_decode", "bf16,window=1,kv_length=1", {{"B", 1}, {"H", 3}, {"HK", 1}, {"T", 71}, {"D", 24}}, {{"scale", 0.2}, {"window", 9}, {"kv_length", 50}}, 3e-2},
    {"swiglu", "bf16", {{"N", 100}}, {}, 2e-2},
    {"add_scalar", "f32,rank=2", {{"M", 3}, {"N", 100}}, {{"value", 1.5}}, 0},
    {"pow", "f32", {{"N", 50}}, {}, 1e-5},
    {"clamp", "f16", {{"N", 50}}, {{"low", -0.5}, {"high", 0.5}}, 0},
};

class Library : public testing::TestWithParam<Case> {};

TEST_P(Library, AgreesWithTheInterpreter) {
  const Case &c = GetParam();
  KernelRun run(c.name, c.options, c.sizes, c.scalars);
  EXPECT_EQ(run.compare(c.tolerance), "");
}

TEST_P(Library, AgreesOnPaddedMisalignedViews) {
  const Case &c = GetParam();
  KernelRun run(c.name, c.options, c.sizes, c.scalars, Layout::Misaligned, 2);
  EXPECT_EQ(run.compare(c.tolerance), "");
}

TEST_P(Library, AgreesOnReversedStrides) {
  const Case &c = GetParam();
  KernelRun run(c.name, c.options, c.sizes, c.scalars, Layout::Reversed, 3);
  EXPECT_EQ(run.compare(c.tolerance), "");
}

INSTANTIATE_TEST_SUITE_P(Operators, Library, testing::ValuesIn(kCases));

} // namespace
