//===- cpu/compiler/tests/LibraryTest.cpp - operators on ragged shapes -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/tests/KernelRun.h"

#include <gtest/gtest.h>

#include <ostream>
#include <regex>

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
    {"attention",
     "f32,window=1,kv_length=1",
     {{"B", 1}, {"H", 2}, {"HK", 1}, {"S", 20}, {"T", 70}, {"D", 16}},
     {{"scale", 0.2}, {"window", 9}, {"kv_length", 50}},
     1e-4},
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
    {"swiglu", "bf16", {{"N", 100}}, {}, 2e-2},
    {"topk", "f32,k=5", {{"M", 9}, {"N", 131}}, {}, 0},
    {"topk", "bf16,k=1", {{"M", 3}, {"N", 17}}, {}, 0},
    {"dropout", "f32,rank=2", {{"M", 7}, {"N", 100}}, {{"rate", 0.3}, {"seed", 12345678901.0}}, 1e-6},
    {"random_uniform", "bf16", {{"N", 333}}, {{"low", -1}, {"high", 1}, {"seed", 3}}, 1e-2},
    {"random_normal", "f32", {{"N", 333}}, {{"mean", 1}, {"deviation", 2}, {"seed", 3}}, 1e-5},
    {"index_add", "f32", {{"S", 67}, {"V", 7}, {"D", 41}}, {}, 1e-5},
    {"index_add", "bf16", {{"S", 67}, {"V", 64}, {"D", 41}}, {}, 3e-2},
    {"index_add", "f16", {{"S", 9}, {"V", 64}, {"D", 3}}, {}, 1e-2},
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

/// Settings away from the defaults.
struct Variant {
  const char *name, *options;
  KernelRun::Sizes sizes;
  KernelRun::Scalars scalars;
  std::map<std::string, int64_t> settings;
  double tolerance;
};

std::ostream &operator<<(std::ostream &out, const Variant &v) {
  out << v.name << "(" << v.options << ")";
  for (auto &[name, value] : v.settings) out << " " << name << "=" << value;
  return out;
}

const KernelRun::Sizes kMatrix{{"M", 67}, {"N", 77}, {"K", 133}};
const Variant kVariants[] = {
    {"matmul", "f32", kMatrix, {}, {{"pack_b", 0}}, 1e-4},
    {"matmul", "f32", kMatrix, {}, {{"pack_b", 1}, {"bn", 32}, {"bk", 32}}, 1e-4},
    {"matmul", "f32", kMatrix, {}, {{"bm", 8}, {"bn", 16}, {"bk", 16}}, 1e-4},
    {"matmul", "f32", kMatrix, {}, {{"bm", 64}, {"bn", 64}, {"bk", 64}, {"mr", 2}, {"nr", 32}}, 1e-4},
    {"matmul", "f32", kMatrix, {}, {{"bk", 16}, {"split_k", 4}}, 1e-4},
    {"matmul", "bf16", kMatrix, {}, {{"bk", 16}, {"bm", 16}, {"pack_b", 0}}, 3e-2},
    {"matmul", "f32", {{"M", 5}, {"N", 77}, {"K", 133}}, {}, {{"bk", 16}, {"bn", 32}, {"pack_b", 0}}, 1e-4},
    {"matmul_int8", "scales=0", kMatrix, {}, {{"bk", 16}, {"bm", 16}, {"bn", 32}}, 0},
    {"matmul_int8", "scales=0,out=i32", kMatrix, {}, {{"bk", 16}, {"bm", 16}, {"bn", 128}}, 0},
    {"matmul_int8", "scales=0,out=i32", {{"M", 5}, {"N", 7}, {"K", 0}}, {}, {}, 0},
    {"matmul", "f32", kMatrix, {}, {{"bm", 16}, {"bn", 16}, {"bk", 32}, {"l2_groupings.0", 2}}, 1e-4},
    {"matmul", "f16", kMatrix, {}, {{"bm", 16}, {"bn", 128}, {"bk", 32}}, 1e-2},
    {"batched_matmul", "f32", {{"B0", 3}, {"M", 17}, {"N", 23}, {"K", 31}}, {}, {{"bm", 8}, {"bn", 16}, {"bk", 16}}, 1e-4},
    {"softmax", "f32", {{"M", 5}, {"N", 300}}, {}, {{"reduction_loops.cols", 64}}, 1e-5},
    {"softmax", "f32", {{"M", 9}, {"N", 300}}, {}, {{"bm", 4}, {"unroll", 8}}, 1e-5},
    {"layer_norm", "f32", {{"M", 5}, {"N", 300}}, {{"eps", 1e-5}}, {{"reduction_loops.cols", 128}, {"streaming_stores", 1}}, 1e-4},
    {"cross_entropy", "f32", {{"M", 5}, {"V", 300}}, {}, {{"bk", 64}, {"bm", 2}}, 1e-4},
    {"sum", "f32", {{"M", 5}, {"N", 300}}, {}, {{"bk", 64}, {"bn", 2}, {"split_k", 2}}, 1e-4},
    {"argmax", "f32", {{"M", 5}, {"N", 300}}, {}, {{"bk", 64}}, 0},
    {"cumsum", "f32", {{"M", 5}, {"N", 300}}, {}, {{"bk", 64}}, 1e-4},
    {"attention",
     "f32,causal=1",
     {{"B", 1}, {"H", 2}, {"HK", 1}, {"S", 65}, {"T", 99}, {"D", 40}},
     {{"scale", 0.2}},
     {{"bq", 16}, {"bk", 16}},
     1e-4},
    {"attention",
     "f32,causal=1",
     {{"B", 2}, {"H", 4}, {"HK", 2}, {"S", 65}, {"T", 99}, {"D", 40}},
     {{"scale", 0.2}},
     {{"bq", 16}, {"bk", 32}, {"pack_b", 2}},
     1e-4},
    {"attention",
     "bf16",
     {{"B", 2}, {"H", 2}, {"HK", 2}, {"S", 65}, {"T", 99}, {"D", 24}},
     {{"scale", 0.2}},
     {{"bq", 16}, {"bk", 16}, {"pack_b", 2}},
     3e-2},
    {"attention",
     "f32,window=1",
     {{"B", 1}, {"H", 2}, {"HK", 1}, {"S", 65}, {"T", 99}, {"D", 40}},
     {{"scale", 0.2}, {"window", 9}},
     {{"bq", 16}, {"bk", 16}, {"pack_b", 2}},
     1e-4},
    {"matvec_quantized", "f32", {{"N", 37}, {"K", 320}, {"KB", 10}}, {}, {{"kb", 16}, {"bn", 16}}, 1e-4},
};

class Settings : public testing::TestWithParam<Variant> {};

TEST_P(Settings, AgreeWithTheInterpreter) {
  const Variant &v = GetParam();
  KernelRun run(v.name, v.options, v.sizes, v.scalars);
  for (auto &[name, value] : v.settings) run.overrides.set(name, value);
  EXPECT_EQ(run.compare(v.tolerance), "");
}

INSTANTIATE_TEST_SUITE_P(Operators, Settings, testing::ValuesIn(kVariants));

/// Of a large matmul only the packed panels of its columns are copies: operands are read, and sums kept, where they lie.
TEST(Dots, CopyNothingButPanels) {
  for (auto [grouping, m] : {std::pair{1, 256}, {64, 256}, {64, 16}}) {
    KernelRun run("matmul", "f32", {{"M", m}, {"N", 256}, {"K", 256}});
    for (auto [name, value] : {std::pair{"bm", 16}, {"bn", 64}, {"bk", 128}, {"pack_b", 2}, {"l2_groupings.0", grouping}})
      run.overrides.set(name, int64_t(value));
    ASSERT_EQ(run.prepare(), "");
    int64_t panels = 256 * 64 * 4;
    EXPECT_GE(run.scratchBytes(), panels);
    EXPECT_LT(run.scratchBytes(), panels + 1024) << "grouping " << grouping << ", " << m << " rows";
  }
}

/// Code for every target, whether or not this machine runs it.
TEST(Targets, AllCompile) {
  for (const CpuTarget &target : allTargets())
    for (auto [name, options] : {std::pair{"matmul", "bf16"}, {"softmax", "f16"}, {"matmul_int8", "transpose_b=1"}}) {
      KernelRun run(name, options, {{"M", 9}, {"N", 40}, {"K", 33}});
      ASSERT_EQ(run.prepare(), "");
      CompileRequest request = run.request();
      request.target = target;
      auto artifact = compileKernel(request);
      EXPECT_TRUE(artifact.isOk()) << target.name << " " << name << ": " << artifact.status().message();
    }
}

/// Whatever the machine, the library's operators become complete shared objects of AArch64, and NEON instructions in them.
TEST(Targets, LibraryCompilesForAArch64) {
  const std::regex vectorOperand("\\bv[0-9]+\\.(2d|2s|4s|4h|8h|8b|16b)\\b");
  for (const Case &c : kCases) {
    KernelRun run(c.name, c.options, c.sizes, c.scalars);
    run.target = "aarch64";
    ASSERT_EQ(run.compile(), "") << c;
    constexpr size_t machineAt = 18; // e_machine of the ELF header; 183 is EM_AARCH64
    ASSERT_GT(run.compiled().code.size(), machineAt) << c;
    EXPECT_EQ(uint8_t(run.compiled().code[machineAt]), 183) << c;
    auto assembly = inspectKernel(run.request(), "assembly");
    ASSERT_TRUE(assembly.isOk()) << c << ": " << assembly.status().message();
    if (std::string_view(c.name) == "topk") continue; // goes element by element
    EXPECT_TRUE(std::regex_search(*assembly, vectorOperand)) << c << " has no NEON instruction:\n" << assembly->substr(0, 4000);
  }
}

/// What this machine can run of the lesser targets is right as well.
TEST(Targets, LesserOnesRun) {
  for (const CpuTarget &target : allTargets()) {
    if (!runsHere(target)) continue;
    for (const Case &c : kCases) {
      KernelRun run(c.name, c.options, c.sizes, c.scalars);
      run.target = std::string(target.name);
      EXPECT_EQ(run.compare(c.tolerance), "") << c << " on " << target.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, Library, testing::ValuesIn(kCases));

} // namespace
