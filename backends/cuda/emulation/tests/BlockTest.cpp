//===- cuda/emulation/tests/BlockTest.cpp - one block: memory, barriers, shuffles ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/tests/Device.h"

#include <gtest/gtest.h>
#include <numeric>

using namespace pantile;
using namespace pantile::cuda::emulation::tests;

namespace {

const char *const kAdd = R"(
target triple = "nvptx64-nvidia-cuda"
define ptx_kernel void @add(ptr addrspace(1) %a, ptr addrspace(1) %b, ptr addrspace(1) %c, i32 %n) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %size = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %first = mul i32 %block, %size
  %i = add i32 %first, %t
  %inside = icmp slt i32 %i, %n
  br i1 %inside, label %body, label %done
body:
  %wide = sext i32 %i to i64
  %pa = getelementptr float, ptr addrspace(1) %a, i64 %wide
  %pb = getelementptr float, ptr addrspace(1) %b, i64 %wide
  %pc = getelementptr float, ptr addrspace(1) %c, i64 %wide
  %x = load float, ptr addrspace(1) %pa
  %y = load float, ptr addrspace(1) %pb
  %sum = fadd float %x, %y
  store float %sum, ptr addrspace(1) %pc
  br label %done
done:
  ret void
}
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
)";

struct Add {
  Device device;
  float *a, *b, *c;
  int n;
  explicit Add(int n) : n(n) {
    std::vector<float> values(static_cast<size_t>(n));
    std::iota(values.begin(), values.end(), 1.0f);
    a = device.filled(values);
    b = device.filled(values);
    c = device.empty<float>(size_t(n));
  }
  Status run(const std::string &text, int count) { return device.run(text, "add", {4, 64, 0}, {&a, &b, &c, &count}); }
};

TEST(Block, AddsVectors) {
  Add add(200);
  Status status = add.run(kAdd, 200);
  ASSERT_TRUE(status.isOk()) << status.message();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(add.c[i], 2.0f * float(i + 1));
}

TEST(Block, ReportsWhatLiesOutside) {
  Add add(200);
  Status status = add.run(kAdd, 201);
  EXPECT_NE(status.message().find("thread (8,0,0) of block (3,0,0): a read of 4 bytes"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("load float, ptr addrspace(1) %pa"), std::string::npos) << status.message();
}

TEST(Block, ReportsWhatWasNeverWritten) {
  Add add(64);
  add.a = add.device.empty<float>(64);
  Status status = add.run(kAdd, 64);
  EXPECT_NE(status.message().find("is read and was never written"), std::string::npos) << status.message();
}

TEST(Block, NamesWhatItDoesNotKnow) {
  Device device;
  Status status = device.run(
      "declare i32 @llvm.nvvm.unheard.of()\ndefine ptx_kernel void @k() {\n call i32 @llvm.nvvm.unheard.of()\n ret void\n}", "k", {}, {});
  EXPECT_EQ(status.code(), PANTILE_UNSUPPORTED);
  EXPECT_NE(status.message().find("llvm.nvvm.unheard.of"), std::string::npos);
  status = device.run("define ptx_kernel void @k() {\n call void asm sideeffect \"frobnicate.b32 $0;\", \"r\"(i32 1)\n ret void\n}", "k",
                      {}, {});
  EXPECT_NE(status.message().find("'frobnicate.b32'"), std::string::npos) << status.message();
}

/// Sums 128 values of a block: shuffles in the warp, shared memory and a barrier between warps.
const char *const kSum = R"(
target triple = "nvptx64-nvidia-cuda"
@partial = internal addrspace(3) global [4 x float] undef, align 4
define ptx_kernel void @sum(ptr addrspace(1) %in, ptr addrspace(1) %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr addrspace(1) %in, i32 %t
  %x0 = load float, ptr addrspace(1) %p
  %y0 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %x0, i32 16, i32 31)
  %x1 = fadd float %x0, %y0
  %y1 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %x1, i32 8, i32 31)
  %x2 = fadd float %x1, %y1
  %y2 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %x2, i32 4, i32 31)
  %x3 = fadd float %x2, %y2
  %y3 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %x3, i32 2, i32 31)
  %x4 = fadd float %x3, %y3
  %y4 = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %x4, i32 1, i32 31)
  %x5 = fadd float %x4, %y4
  %w = lshr i32 %t, 5
  %lane = and i32 %t, 31
  %slot = getelementptr [4 x float], ptr addrspace(3) @partial, i32 0, i32 %w
  %leads = icmp eq i32 %lane, 0
  br i1 %leads, label %lead, label %meet
lead:
  store float %x5, ptr addrspace(3) %slot
  br label %meet
meet:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %a = load float, ptr addrspace(3) @partial
  %b = load float, ptr addrspace(3) getelementptr inbounds (float, ptr addrspace(3) @partial, i64 1)
  %generic = addrspacecast ptr addrspace(3) @partial to ptr
  %pc = getelementptr float, ptr %generic, i64 2
  %c = load float, ptr %pc
  %pd = getelementptr float, ptr %generic, i64 3
  %d = load float, ptr %pd
  %ab = fadd float %a, %b
  %cd = fadd float %c, %d
  %all = fadd float %ab, %cd
  %q = getelementptr float, ptr addrspace(1) %out, i32 %t
  store float %all, ptr addrspace(1) %q
  ret void
}
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare float @llvm.nvvm.shfl.sync.bfly.f32(i32, float, i32, i32)
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
)";

Status runSum(const std::string &text, uint64_t seed, bool right = true) {
  Device device;
  std::vector<float> values(128);
  std::iota(values.begin(), values.end(), 0.0f);
  float *in = device.filled(values), *out = device.empty<float>(128);
  Device::Launch launch{1, 128, 0};
  launch.options.seed = seed;
  Status status = device.run(text, "sum", launch, {&in, &out});
  for (int i = 0; status.isOk() && right && i < 128; ++i) EXPECT_EQ(out[i], 127 * 64.0f) << i;
  return status;
}

TEST(Block, SumsThroughShufflesAndSharedMemory) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    Status status = runSum(kSum, seed);
    ASSERT_TRUE(status.isOk()) << status.message();
  }
}

TEST(Block, CatchesADroppedBarrier) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    Status status = runSum(without(kSum, "barrier.cta"), seed, false);
    EXPECT_TRUE(status.message().find("race on shared") != std::string::npos || status.message().find("never written") != std::string::npos)
        << status.message();
  }
}

TEST(Block, ExplainsADeadlock) {
  // One warp leaves before the barrier.
  std::string text = replaced(kSum, "br i1 %leads, label %lead, label %meet",
                              "%early = icmp eq i32 %w, 3\n  br i1 %early, label %gone, label %stay\ngone:\n  ret void\nstay:\n  br i1 "
                              "%leads, label %lead, label %meet");
  text = replaced(text, "meet:\n", "meet:\n");
  Status status = runSum(text, 1, false);
  EXPECT_NE(status.message().find("deadlocked"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("waits for barrier 0 of its block: 96 of 128 lanes have arrived"), std::string::npos) << status.message();
}

TEST(Block, SharedMemoryHasBounds) {
  Status status = runSum(replaced(kSum, "ptr %generic, i64 3", "ptr %generic, i64 4"), 1, false);
  EXPECT_NE(status.message().find("out of bounds"), std::string::npos) << status.message();
}

} // namespace
