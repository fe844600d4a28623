//===- cuda/device/tests/DeviceTest.cpp - contexts, memory, streams -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/tests/Fixture.h"

#include <cstring>

using namespace pantile;
using namespace pantile::cuda;

namespace {

using DeviceTest = FakeDriverTest;

int64_t property(const Description &description, std::string_view name) {
  for (const auto &p : description.properties)
    if (name == p.name) return p.integer;
  return -1;
}

TEST_F(DeviceTest, DescribesTheDevice) {
  auto d = describeDevice(driver(), 0);
  ASSERT_TRUE(d) << d.status().message();
  EXPECT_EQ(d->target, "sm_90a");
  EXPECT_EQ(d->hardware, "nvidia-fake-80gb-sxm");
  EXPECT_EQ(d->uuid, "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0");
  EXPECT_EQ(property(*d, "units"), 132);
  EXPECT_EQ(property(*d, "memory_bytes_per_second"), 2619000ll * 1000 * 2 * 5120 / 8);
  EXPECT_EQ(property(*d, "shared_bytes"), 233472);
  EXPECT_EQ(property(*d, "register_bytes"), 65536 * 4);
  EXPECT_EQ(property(*d, "clock_khz"), 1980000);
  EXPECT_GT(property(*d, "mma_flops_per_cycle"), property(*d, "flops_per_cycle"));
  EXPECT_EQ(fake->calls["cuDevicePrimaryCtxRetain"], 0u) << "describing must not start a context";
}

TEST_F(DeviceTest, NamesTheNearestTarget) {
  for (auto [major, minor, target] :
       {std::tuple(8, 7, "sm_86"), {8, 0, "sm_80"}, {8, 9, "sm_89"}, {12, 1, "sm_120"}, {9, 1, "sm_91"}, {7, 5, "sm_75"}}) {
    fake->major = major, fake->minor = minor;
    auto d = describeDevice(driver(), 0);
    ASSERT_TRUE(d);
    EXPECT_EQ(d->target, target);
  }
}

TEST_F(DeviceTest, RefusesAnotherOrdinal) {
  auto missing = Device::open(driver(), 5);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.status().code(), PANTILE_NOT_FOUND);
}

TEST_F(DeviceTest, TakesTheCallersContext) {
  {
    auto own = Device::open(driver(), 0);
    EXPECT_EQ(fake->calls["cuDevicePrimaryCtxRetain"], 1u);
  }
  EXPECT_EQ(fake->calls["cuDevicePrimaryCtxRelease"], 1u);
  CUcontext context = nullptr;
  ASSERT_EQ(driver().cuDevicePrimaryCtxRetain(&context, 1), CUDA_SUCCESS);
  Current current(driver(), context);
  auto given = Device::open(driver(), 1);
  ASSERT_TRUE(given);
  EXPECT_EQ((*given)->context(), context);
  EXPECT_EQ(fake->calls["cuDevicePrimaryCtxRetain"], 2u) << "only the test's own";
}

TEST_F(DeviceTest, LeavesTheCallersContextAlone) {
  device(0), device(1);
  CUcontext before = nullptr, after = nullptr;
  Current current(driver(), device(1).context());
  ASSERT_EQ(driver().cuCtxGetCurrent(&before), CUDA_SUCCESS);
  device(0).free(allocate(100));
  ASSERT_EQ(driver().cuCtxGetCurrent(&after), CUDA_SUCCESS);
  EXPECT_EQ(before, after);
}

TEST_F(DeviceTest, AllocatesFromAPoolAndWithout) {
  for (bool pools : {true, false}) {
    fake->pools = pools;
    auto opened = Device::open(driver(), 0);
    ASSERT_TRUE(opened);
    auto pointer = (*opened)->allocate(1000);
    ASSERT_TRUE(pointer);
    EXPECT_EQ(uintptr_t(*pointer) % 64, 0u);
    EXPECT_EQ(fake->allocated, 1000u);
    (*opened)->free(*pointer);
    EXPECT_EQ(fake->allocated, 0u);
    auto nothing = (*opened)->allocate(0);
    ASSERT_TRUE(nothing);
    EXPECT_EQ(*nothing, nullptr);
  }
  EXPECT_EQ(fake->calls["cuMemAllocFromPoolAsync"], 1u);
  EXPECT_EQ(fake->calls["cuMemAlloc"], 1u);
}

TEST_F(DeviceTest, StaysUsableWithoutMemory) {
  auto most = device().allocate(fake->memoryBytes + 1);
  ASSERT_FALSE(most);
  EXPECT_EQ(most.status().code(), PANTILE_OUT_OF_MEMORY);
  EXPECT_NE(most.status().text().find("has no 67108865 bytes left (67108864 of 67108864 are free)"), std::string::npos)
      << most.status().text();
  EXPECT_EQ(fake->calls["cuMemPoolTrimTo"], 1u) << "what the pool keeps is given back first";
  device().free(allocate(1000));
}

TEST_F(DeviceTest, FreesBehindEveryStream) {
  auto stream = device().createStream();
  ASSERT_TRUE(stream);
  void *pointer = allocate(64);
  const unsigned before = fake->calls["cuStreamWaitEvent"], synchronized = fake->calls["cuStreamSynchronize"];
  device().free(pointer);
  EXPECT_EQ(fake->calls["cuStreamWaitEvent"] - before, 2u) << "the default stream and ours";
  EXPECT_EQ(fake->calls["cuStreamSynchronize"], synchronized) << "the host does not wait";

  // A capturing stream is left out: its capture must not notice.
  {
    Current current(driver(), device().context());
    ASSERT_EQ(driver().cuStreamBeginCapture(*stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  }
  void *other = allocate(64); // nor of this
  const unsigned waits = fake->calls["cuStreamWaitEvent"];
  device().free(other);
  EXPECT_EQ(fake->calls["cuStreamWaitEvent"] - waits, 1u);
  {
    Current current(driver(), device().context());
    CUgraph graph = nullptr;
    EXPECT_EQ(driver().cuStreamEndCapture(*stream, &graph), CUDA_SUCCESS) << "allocating and freeing have not spoiled it";
    driver().cuGraphDestroy(graph);
  }
  device().forgetStream(*stream, true);
}

TEST_F(DeviceTest, AdoptsOnlyItsOwnStreams) {
  auto theirs = device(1).createStream();
  ASSERT_TRUE(theirs);
  auto refused = device(0).adoptStream(*theirs);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.status().code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_NE(refused.status().text().find("another context"), std::string::npos);
  auto accepted = device(1).adoptStream(*theirs);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(*accepted, *theirs);
  device(1).forgetStream(*theirs, true);
}

TEST_F(DeviceTest, KnowsWhoseMemoryItIs) {
  void *own = allocate(256, 0), *other = allocate(256, 1);
  float host = 0;
  EXPECT_TRUE(device(0).checkMemory(own, 256).isOk());
  EXPECT_TRUE(device(0).checkMemory(static_cast<char *>(own) + 16, 240).isOk());
  EXPECT_TRUE(device(0).checkMemory(&host, 0).isOk());
  Status past = device(0).checkMemory(static_cast<char *>(own) + 16, 241);
  EXPECT_EQ(past.code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_NE(past.text().find("reach past their allocation, which has 240"), std::string::npos) << past.text();
  Status onHost = device(0).checkMemory(&host, 4);
  EXPECT_EQ(onHost.code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_NE(onHost.text().find("is host memory"), std::string::npos) << onHost.text();
  Status elsewhere = device(0).checkMemory(other, 256);
  EXPECT_EQ(elsewhere.code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_NE(elsewhere.text().find("is memory of GPU 1, this context's is GPU 0"), std::string::npos) << elsewhere.text();
  device(0).free(own), device(1).free(other);
}

TEST_F(DeviceTest, ReachesItsPeers) {
  EXPECT_TRUE(device(0).enablePeer(1).isOk());
  EXPECT_EQ(fake->calls["cuCtxEnablePeerAccess"], 1u);
  EXPECT_EQ(fake->calls["cuMemPoolSetAccess"], 1u);
  EXPECT_TRUE(device(0).enablePeer(1).isOk()) << "twice is once";
  EXPECT_TRUE(device(0).enablePeer(0).isOk());
  EXPECT_EQ(device(0).enablePeer(9).code(), PANTILE_NOT_FOUND);
}

} // namespace
