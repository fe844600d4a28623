//===- cuda/device/tests/LaunchTest.cpp - code and launches ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/tests/Fixture.h"

#include <bit>

using namespace pantile;
using namespace pantile::cuda;

namespace {

class LaunchTest : public FakeDriverTest {
protected:
  Status launch(Module &module, Call call, uint32_t entry = 0, CUstream stream = nullptr, uint32_t ordinal = 0) {
    call.call.entry = entry;
    return device(ordinal).launch(stream, module, call.get());
  }
  Status failure(const std::string &code, std::vector<const char *> entries) {
    Current current(driver(), device().context());
    auto module = Module::load(driver(), device().description(), code.data(), code.size(), entries.data(), uint32_t(entries.size()));
    EXPECT_FALSE(module);
    return module ? Status() : module.status();
  }
  Status synchronize(uint32_t ordinal = 0) {
    Current current(driver(), device(ordinal).context());
    return device(ordinal).check(driver().cuStreamSynchronize(nullptr), "waiting failed");
  }
};

TEST_F(LaunchTest, RunsAKernel) {
  for (const std::string &code : {kFakeCode, std::string(".version 8.0\n.target sm_90a\n.visible .entry scale(\n)\n{}\n")}) {
    auto module = load(code, {"scale"});
    ASSERT_TRUE(module);
    float host[3] = {1, 2, 3};
    void *x = allocate(12), *y = allocate(12);
    upload(x, host, 12);
    EXPECT_TRUE(launch(*module, Call({uint64_t(x), uint64_t(y), 3, std::bit_cast<uint32_t>(2.0f)})).isOk());
    download(host, y, 12);
    EXPECT_EQ(host[2], 7);
    device().free(x), device().free(y);
  }
  EXPECT_EQ(fake->calls["cuLinkComplete"], 1u) << "PTX goes through the driver's linker, cubins do not";
}

TEST_F(LaunchTest, TellsWhatTheDriversCompilerSaid) {
  fake->compilerLog = "ptxas fatal: line 7: nonsense\n";
  Status status = failure(".version 8.0", {"scale"});
  EXPECT_EQ(status.code(), PANTILE_DATA_ERROR);
  EXPECT_EQ(status.cause(), "ptxas fatal: line 7: nonsense");
  fake->compilerLog.clear();
  fake->failing["cuLinkAddData"] = CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  status = failure(".version 8.0", {"scale"});
  EXPECT_EQ(status.code(), PANTILE_UNSUPPORTED);
  EXPECT_NE(status.fix().find("nvidia-cuda-nvcc"), std::string::npos);
}

TEST_F(LaunchTest, RefusesForeignCode) {
  EXPECT_EQ(failure("", {"scale"}).code(), PANTILE_DATA_ERROR);
  EXPECT_EQ(failure("\x7f"
                    "ELF something else",
                    {"scale"})
                .code(),
            PANTILE_DATA_ERROR);
  Status entry = failure(kFakeCode, {"nothing"});
  EXPECT_EQ(entry.code(), PANTILE_DATA_ERROR);
  EXPECT_NE(entry.text().find("no entry 'nothing'"), std::string::npos);
  // Of an architecture nobody compiled for.
  fake->failing["cuModuleLoadDataEx"] = CUDA_ERROR_NO_BINARY_FOR_GPU;
  Status arch = failure(kFakeCode, {"scale"});
  EXPECT_EQ(arch.code(), PANTILE_UNSUPPORTED);
  EXPECT_NE(arch.text().find("(sm_90a)"), std::string::npos) << arch.text();
  EXPECT_NE(arch.fix().find("pantile devices"), std::string::npos);
}

TEST_F(LaunchTest, PassesAttributes) {
  auto module = load(kFakeCode, {"scale"});
  void *x = allocate(4);
  Call call({uint64_t(x), uint64_t(x), 1, 0}, 8, 128, 200000);
  call.extras[simt::kExtraCluster] = 4;
  call.extras[simt::kExtraFlags] = simt::kLaunchProgrammatic | int64_t(1 + 60) << simt::kLaunchCarveoutShift;
  ASSERT_TRUE(launch(*module, call).isOk());
  ASSERT_EQ(fake->attributes.size(), 3u);
  EXPECT_EQ(fake->attributes[0].id, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
  EXPECT_EQ(fake->attributes[0].value.clusterDim.x, 4u);
  EXPECT_EQ(fake->attributes[1].value.programmaticStreamSerializationAllowed, 1);
  EXPECT_EQ(fake->attributes[2].value.sharedMemCarveout, 60u);
  EXPECT_EQ(fake->launches.back().sharedMemBytes, 200000u);
  device().free(x);
}

TEST_F(LaunchTest, BoundsPersistentGrids) {
  auto module = load(kFakeCode, {"scale"});
  void *x = allocate(4);
  for (auto [cluster, grid, bounded] : {std::tuple(1, 1000, 264u), {1, 100, 100u}, {4, 1000, 120u}}) {
    Call call({uint64_t(x), uint64_t(x), 1, 0}, grid, 128);
    call.extras[simt::kExtraCluster] = cluster;
    call.extras[simt::kExtraFlags] = simt::kLaunchPersistent;
    for (int twice = 0; twice < 2; ++twice) {
      ASSERT_TRUE(launch(*module, call).isOk());
      EXPECT_EQ(fake->launches.back().gridDimX, bounded) << cluster << " " << grid;
    }
  }
  EXPECT_EQ(fake->calls["cuOccupancyMaxActiveClusters"], 1u) << "asked once";
  device().free(x);
}

TEST_F(LaunchTest, SaysWhichLimitIsBroken) {
  auto module = load(kFakeCode, {"scale"});
  struct {
    Call call;
    const char *says;
  } rows[] = {{Call({0, 0, 0, 0}, int64_t(1) << 31), "the grid may have 1 to 2147483647 blocks along x"},
              {Call({0, 0, 0, 0}, 1, 2048), "a block may have 1 to 1024 threads along x"},
              {Call({0, 0, 0, 0}, 1, 1024), "its code allows 512 threads"},
              {Call({0, 0, 0, 0}, 1, 32, 300000), "the device has 232384 bytes of shared memory a block"}};
  for (auto &row : rows) {
    Status status = launch(*module, row.call);
    EXPECT_EQ(status.code(), PANTILE_UNSUPPORTED);
    EXPECT_NE(status.text().find("launch of 'scale' (grid "), std::string::npos) << status.text();
    EXPECT_NE(status.text().find(row.says), std::string::npos) << status.text();
  }
  Call odd({0, 0, 0, 0}, 7);
  odd.extras[simt::kExtraCluster] = 2;
  EXPECT_EQ(launch(*module, odd).code(), PANTILE_UNSUPPORTED);
  Call old({0, 0, 0, 0});
  old.extras[simt::kExtraVersion] = 99;
  EXPECT_EQ(launch(*module, old).code(), PANTILE_DATA_ERROR);
  EXPECT_EQ(launch(*module, Call({0, 0, 0, 0}), 3).code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_TRUE(fake->launches.empty());
}

TEST_F(LaunchTest, NamesALaunchThatTheDriverRefuses) {
  auto module = load(kFakeCode, {"scale"});
  fake->failing["cuLaunchKernelEx"] = CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  Status status = launch(*module, Call({0, 0, 0, 0}, 3, 64, 128));
  EXPECT_EQ(status.code(), PANTILE_UNSUPPORTED);
  EXPECT_NE(status.text().find("launch of 'scale' (grid 3x1x1, block 64x1x1, 128 bytes of shared memory, cluster 1)"), std::string::npos);
  EXPECT_TRUE(synchronize().isOk()) << "not a fault of the device";
}

TEST_F(LaunchTest, FaultsStayWithTheirDevice) {
  auto module = load(kFakeCode, {"fault"}), well = load(kFakeCode, {"scale"}, 1);
  void *x = allocate(4, 1);
  ASSERT_TRUE(launch(*module, Call({})).isOk());
  Status status = synchronize();
  EXPECT_EQ(status.code(), PANTILE_DEVICE_ERROR);
  EXPECT_NE(status.text().find("a kernel faulted on 'NVIDIA Fake 80GB (SXM)': an illegal memory access"), std::string::npos)
      << status.text();
  EXPECT_NE(status.fix().find("new process"), std::string::npos);
  // Whatever is asked now has the same answer, without the driver.
  const unsigned launches = fake->calls["cuLaunchKernelEx"];
  EXPECT_EQ(launch(*module, Call({})).text(), status.text());
  EXPECT_EQ(device().allocate(4).status().text(), status.text());
  EXPECT_EQ(fake->calls["cuLaunchKernelEx"], launches);
  // The other GPU's context goes on.
  EXPECT_TRUE(launch(*well, Call({uint64_t(x), uint64_t(x), 1, 0}), 0, nullptr, 1).isOk());
  EXPECT_TRUE(synchronize(1).isOk());
  device(1).free(x);
}

} // namespace
