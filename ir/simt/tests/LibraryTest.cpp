//===- ir/simt/tests/LibraryTest.cpp - operators on ragged shapes ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/tests/SimtRun.h"

#include <gtest/gtest.h>

#include <ostream>

using namespace pantile;
using namespace pantile::simt;

namespace {

struct Case {
  const char *name, *options;
  OracleRun::Sizes sizes;
  OracleRun::Scalars scalars;
  double tolerance;
  std::map<std::string, int64_t> settings = {};
};

std::ostream &operator<<(std::ostream &out, const Case &c) {
  out << c.name << "(" << c.options << ")";
  for (auto &[name, size] : c.sizes) out << " " << name << "=" << size;
  for (auto &[name, value] : c.settings) out << " " << name << ":" << value;
  return out;
}

const OracleRun::Sizes kMatrix{{"M", 67}, {"N", 77}, {"K", 133}};
const OracleRun::Sizes kEven{{"M", 96}, {"N", 160}, {"K", 128}};

const Case kCases[] = {
    {"add", "f32", {{"N", 1000}}, {}, 0},
    {"add", "bf16,rank=2", {{"M", 33}, {"N", 128}}, {}, 0},
    {"add", "f32,rank=3", {{"B0", 3}, {"M", 7}, {"N", 37}}, {}, 0},
    {"gelu", "f32", {{"N", 131}}, {}, 2e-5},
    {"copy", "f32,out=bf16", {{"N", 100}}, {}, 0},
    {"copy", "i8", {{"N", 333}}, {}, 0},
    {"transpose", "f32", {{"M", 37}, {"N", 53}}, {}, 0},
    {"transpose", "bf16", {{"M", 64}, {"N", 128}}, {}, 0},
    {"where", "f32", {{"N", 91}}, {}, 0},
    {"swiglu", "bf16", {{"N", 100}}, {}, 2e-2},
    {"softmax", "f32", {{"M", 7}, {"N", 131}}, {}, 1e-5},
    {"softmax", "bf16", {{"M", 3}, {"N", 16}}, {}, 1e-2},
    {"softmax", "bf16", {{"M", 3}, {"N", 4096}}, {}, 1e-2},
    {"softmax", "f32,temperature=1", {{"M", 5}, {"N", 1}}, {{"temperature", 0.7}}, 1e-5},
    {"softmax", "f32", {{"M", 5}, {"N", 300}}, {}, 1e-5, {{"reduction_loops.cols", 64}}},
    {"softmax", "f32", {{"M", 3}, {"N", 2000}}, {}, 1e-5, {{"bm", 1}, {"num_warps", 8}}},
    {"log_softmax", "f32", {{"M", 2}, {"N", 257}}, {}, 1e-5},
    {"layer_norm", "f32", {{"M", 7}, {"N", 100}}, {{"eps", 1e-5}}, 1e-4},
    {"layer_norm", "f16", {{"M", 7}, {"N", 33}}, {{"eps", 1e-5}}, 1e-2},
    {"rms_norm", "bf16,residual=1,weights=f32", {{"M", 5}, {"N", 64}}, {{"eps", 1e-5}}, 2e-2},
    {"sum", "f32", {{"M", 7}, {"N", 131}}, {}, 1e-4},
    {"sum", "f32,axis=0", {{"M", 37}, {"N", 51}}, {}, 1e-4},
    {"sum", "bf16,rank=3,axis=1", {{"B0", 3}, {"M", 9}, {"N", 17}}, {}, 3e-2},
    {"sum", "f32", {{"M", 5}, {"N", 300}}, {}, 1e-4, {{"bk", 64}, {"split_k", 2}}},
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
    {"rope", "f32", {{"S", 5}, {"H", 3}, {"D", 32}, {"DH", 16}, {"P", 20}}, {}, 1e-5},
    {"rope", "bf16,style=interleaved", {{"S", 5}, {"H", 3}, {"D", 16}, {"DH", 8}, {"P", 20}}, {}, 2e-2},
    {"rope", "f32,tables=0,start=1", {{"S", 5}, {"H", 2}, {"D", 64}, {"DH", 32}}, {{"theta", 10000.0}, {"start", 3}}, 1e-4},
    {"count_below", "", {{"M", 4}, {"N", 37}}, {}, 0},
    {"sample", "f32", {{"M", 4}, {"N", 37}}, {{"temperature", 0.8}}, 0},
    {"matmul", "f32", kMatrix, {}, 1e-4},
    {"matmul", "f32", {{"M", 1}, {"N", 1}, {"K", 1}}, {}, 1e-4},
    {"matmul", "f32", {{"M", 5}, {"N", 7}, {"K", 0}}, {}, 1e-4},
    {"matmul", "f32,transpose_a=1,transpose_b=1,bias=1,activation=gelu,residual=1", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-4},
    {"matmul", "bf16", kMatrix, {}, 3e-2},
    {"matmul", "bf16", kEven, {}, 3e-2},
    {"matmul", "bf16", kEven, {}, 3e-2, {{"num_stages", 1}}},
    {"matmul", "bf16", {{"M", 64}, {"N", 64}, {"K", 32}}, {}, 3e-2, {{"bk", 16}, {"num_stages", 4}}},
    {"matmul", "bf16", {{"M", 64}, {"N", 64}, {"K", 48}}, {}, 3e-2, {{"bk", 16}, {"num_stages", 3}}},
    {"matmul", "bf16", {{"M", 64}, {"N", 64}, {"K", 80}}, {}, 3e-2, {{"bk", 16}, {"num_stages", 3}}},
    {"matmul", "bf16", {{"M", 64}, {"N", 64}, {"K", 0}}, {}, 3e-2, {{"bk", 16}, {"num_stages", 3}}},
    {"matmul", "bf16,transpose_a=1", kEven, {}, 3e-2},
    {"matmul", "bf16,transpose_b=1", kEven, {}, 3e-2},
    {"matmul", "bf16,transpose_a=1,transpose_b=1", kEven, {}, 3e-2, {{"num_warps", 8}}},
    {"matmul", "bf16,out=f32,bias=1,activation=silu,residual=1", kMatrix, {}, 3e-2},
    {"matmul", "f16", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-2},
    {"matmul", "bf16", kEven, {}, 3e-2, {{"bk", 32}, {"split_k", 3}}},
    {"batched_matmul", "f32", {{"B0", 3}, {"M", 17}, {"N", 23}, {"K", 31}}, {}, 1e-4},
    {"matvec", "f32", {{"N", 53}, {"K", 301}}, {}, 1e-4},
    {"matvec", "bf16,x=f32,activation=silu", {{"N", 53}, {"K", 301}}, {}, 3e-2},
    {"matmul_int8", "", {{"M", 37}, {"N", 53}, {"K", 71}}, {}, 1e-5},
    {"matmul_int8", "scales=0,transpose_b=1", kEven, {}, 0},
    {"matmul_quantized", "f32", {{"M", 19}, {"N", 37}, {"K", 320}, {"KB", 10}}, {}, 1e-4},
    {"matmul_quantized", "f32,format=q8_0", {{"M", 3}, {"N", 37}, {"K", 96}, {"KB", 3}}, {}, 1e-4},
    {"matmul_quantized", "f32,compute=bf16", {{"M", 19}, {"N", 37}, {"K", 320}, {"KB", 10}}, {}, 3e-2},
    {"matvec_quantized", "f32", {{"N", 37}, {"K", 320}, {"KB", 10}}, {}, 1e-4},
    {"attention", "f32", {{"B", 2}, {"H", 4}, {"HK", 2}, {"S", 37}, {"T", 71}, {"D", 32}}, {{"scale", 0.2}}, 1e-4},
    {"attention", "bf16,causal=1", {{"B", 1}, {"H", 2}, {"HK", 1}, {"S", 70}, {"T", 70}, {"D", 24}}, {{"scale", 0.2}}, 3e-2},
    {"attention", "bf16", {{"B", 1}, {"H", 1}, {"HK", 1}, {"S", 96}, {"T", 200}, {"D", 64}}, {{"scale", 0.2}}, 3e-2},
    {"attention",
     "f32,varlen=1,causal=1",
     {{"SQ", 37}, {"SK", 37}, {"H", 2}, {"HK", 1}, {"D", 16}, {"B1", 4}},
     {{"scale", 0.2}, {"max_length", 37}},
     1e-4},
    {"attention_decode", "f32", {{"B", 2}, {"H", 4}, {"HK", 2}, {"T", 71}, {"D", 64}}, {{"scale", 0.2}}, 1e-4},
    {"attention_decode",
     "bf16,window=1,kv_length=1",
     {{"B", 1}, {"H", 3}, {"HK", 1}, {"T", 71}, {"D", 24}},
     {{"scale", 0.2}, {"window", 9}, {"kv_length", 50}},
     3e-2},
};

class SimtLibrary : public testing::TestWithParam<Case> {
protected:
  std::string run(ViewLayout layout, bool atoms) {
    const Case &c = GetParam();
    SimtRun run(c.name, c.options, c.sizes, c.scalars, layout, atoms);
    for (auto &[name, value] : c.settings) run.overrides.set(name, value);
    return run.compare(c.tolerance);
  }
};

TEST_P(SimtLibrary, AgreesWithTheInterpreter) { EXPECT_EQ(run(ViewLayout::Dense, true), ""); }
TEST_P(SimtLibrary, AgreesWithoutAtoms) { EXPECT_EQ(run(ViewLayout::Dense, false), ""); }
TEST_P(SimtLibrary, AgreesOnMisalignedViews) { EXPECT_EQ(run(ViewLayout::Misaligned, true), ""); }
TEST_P(SimtLibrary, AgreesOnReversedStrides) { EXPECT_EQ(run(ViewLayout::Reversed, true), ""); }

INSTANTIATE_TEST_SUITE_P(Operators, SimtLibrary, testing::ValuesIn(kCases));

} // namespace
