//===- cuda/emulation/tests/HopperTest.cpp - a kernel that was proved on an H100 ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// hopper_gemm.ll is a bf16 GEMM of 128x64x64 tiles (TMA, mbarriers, wgmma, setmaxnreg, stmatrix, named barriers, persistent);
// hopper_gemm_cluster.ll the same in clusters of two with multicast. Both ran on the hardware, so what the emulator computes
// with them shows whether it understands descriptors, swizzles and phases as the hardware does. Then single mistakes are made.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Elements.h"
#include "backends/cuda/emulation/tests/Device.h"
#include "pantile/types.h"

#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

using namespace pantile;
using namespace pantile::cuda::emulation;
using namespace pantile::cuda::emulation::tests;

namespace {

std::string readText(const std::string &name) {
  std::ifstream file(std::string(PANTILE_TEST_DATA) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

TensorMap mapOf(const void *data, uint32_t inner, uint32_t outer, uint16_t boxInner, uint16_t boxOuter) {
  TensorMap map;
  map.rank = 2;
  map.elementBytes = 2;
  map.swizzleBytes = 128;
  map.dtype = PANTILE_BF16;
  map.address = reinterpret_cast<uintptr_t>(data);
  map.last[0] = inner - 1, map.last[1] = outer - 1;
  map.strides[0] = inner * 2;
  map.box[0] = boxInner, map.box[1] = boxOuter;
  EXPECT_TRUE(checkTensorMap(map).isOk());
  return map;
}

struct Outcome {
  Status status;
  double error = 0; ///< relative, of the whole result
};

/// c = a x b of bf16 by the kernel.
Outcome multiplyBy(const std::string &text, int m, int n, int k, uint64_t seed, unsigned cluster = 1) {
  Device device;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> a(size_t(m * k)), b(size_t(k * n));
  for (auto &value : a) value = toBFloat(normal(random));
  for (auto &value : b) value = toBFloat(normal(random));
  uint16_t *pa = device.filled(a), *pb = device.filled(b), *pc = device.empty<uint16_t>(size_t(m * n));
  alignas(64)
      TensorMap maps[] = {mapOf(pa, uint32_t(k), uint32_t(m), 64, 128), mapOf(pb, uint32_t(n), uint32_t(k), 64, uint16_t(64 / cluster)),
                          mapOf(pc, uint32_t(n), uint32_t(m), 64, 64)};
  Device::Launch launch{2 * cluster, 384, 65632};
  launch.options.seed = seed;
  const char *low = reinterpret_cast<const char *>(maps);
  Outcome outcome{device.run(text, "gemm", launch, {&maps[0], &maps[1], &maps[2], &m, &n, &k}, {{low, low + sizeof(maps), false}})};
  double difference = 0, size = 0;
  for (int row = 0; row < m; ++row)
    for (int column = 0; column < n; ++column) {
      double sum = 0;
      for (int x = 0; x < k; ++x)
        sum += double(toFloat(Element::BF16, a[size_t(row * k + x)])) * toFloat(Element::BF16, b[size_t(x * n + column)]);
      const double e = toFloat(Element::BF16, pc[row * n + column]) - sum;
      difference += e * e, size += sum * sum;
    }
  outcome.error = std::sqrt(difference / size);
  return outcome;
}

/// bf16 results of f32 sums.
constexpr double kTolerance = 4e-3;

bool isCaught(const Outcome &outcome) { return !outcome.status.isOk() || !(outcome.error < kTolerance); }

TEST(Hopper, RaggedGemm) {
  const std::string text = readText("hopper_gemm.ll");
  for (uint64_t seed : {1, 2, 3}) {
    Outcome outcome = multiplyBy(text, 200, 136, 200, seed);
    ASSERT_TRUE(outcome.status.isOk()) << outcome.status.message();
    EXPECT_LT(outcome.error, kTolerance) << seed;
  }
}

TEST(Hopper, MulticastInClusters) {
  Outcome outcome = multiplyBy(readText("hopper_gemm_cluster.ll"), 300, 72, 136, 5, 2);
  ASSERT_TRUE(outcome.status.isOk()) << outcome.status.message();
  EXPECT_LT(outcome.error, kTolerance);
}

TEST(Hopper, CatchesAMissingProxyFence) {
  const std::string text = without(readText("hopper_gemm.ll"), "@llvm.nvvm.fence.proxy.async");
  for (uint64_t seed : {1, 2, 3}) {
    Outcome outcome = multiplyBy(text, 128, 64, 64, seed);
    EXPECT_NE(outcome.status.message().find("without a proxy fence"), std::string::npos) << outcome.status.message();
  }
}

TEST(Hopper, CatchesADroppedNamedBarrier) {
  const std::string text = readText("hopper_gemm.ll");
  for (uint64_t seed : {1, 2, 3, 4}) {
    // Between the warps' stores to staging memory and the copy out of it.
    Outcome outcome = multiplyBy(without(text, "barrier.cta.sync.aligned.count", 1), 256, 64, 64, seed);
    EXPECT_TRUE(isCaught(outcome));
    // Between the copy out of staging memory and the next tile's stores to it: two tiles of one block.
    outcome = multiplyBy(without(text, "barrier.cta.sync.aligned.count", 0), 512, 64, 64, seed);
    EXPECT_NE(outcome.status.message().find("race on shared"), std::string::npos) << outcome.status.message();
  }
}

TEST(Hopper, CatchesAWrongPhase) {
  // The producer waits for the other parity.
  Outcome outcome = multiplyBy(replaced(readText("hopper_gemm.ll"), "%50 = xor i32 %49, 1", "%50 = xor i32 %49, 0"), 128, 64, 256, 1);
  EXPECT_NE(outcome.status.message().find("deadlocked"), std::string::npos) << outcome.status.message();
  EXPECT_NE(outcome.status.message().find("the barrier object at shared"), std::string::npos) << outcome.status.message();
  // The consumers do not turn theirs: they read what has not come.
  outcome = multiplyBy(replaced(readText("hopper_gemm.ll"), "%194 = xor i32 %140, 1", "%194 = xor i32 %140, 0"), 128, 64, 512, 1);
  EXPECT_TRUE(isCaught(outcome));
}

TEST(Hopper, CatchesASwappedFragmentRow) {
  Outcome outcome =
      multiplyBy(replaced(readText("hopper_gemm.ll"), "i32 %247, i32 %251, i32 %255, i32 %259", "i32 %251, i32 %247, i32 %255, i32 %259"),
                 128, 64, 64, 1);
  EXPECT_TRUE(outcome.status.isOk()) << outcome.status.message();
  EXPECT_GT(outcome.error, kTolerance);
}

TEST(Hopper, CatchesAccumulatorsReadTooEarly) {
  // The last wait lets a group be pending: the results are on the way while the epilogue reads them.
  Outcome outcome = multiplyBy(replaced(readText("hopper_gemm.ll"), "wgmma.wait_group.sync.aligned 0;", "wgmma.wait_group.sync.aligned 1;"),
                               128, 64, 64, 1);
  EXPECT_TRUE(isCaught(outcome));
}

TEST(Hopper, CatchesAWrongByteCount) {
  Outcome outcome = multiplyBy(replaced(readText("hopper_gemm.ll"), "i32 24576)", "i32 24592)"), 128, 64, 64, 1);
  EXPECT_NE(outcome.status.message().find("16 bytes"), std::string::npos) << outcome.status.message();
}

} // namespace
