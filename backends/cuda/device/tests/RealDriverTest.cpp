//===- cuda/device/tests/RealDriverTest.cpp - on a GPU, where one is ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// What only hardware can answer: that descriptors mean what LaunchExtras.h says, that the driver's compiler takes our PTX,
// records run, a fault is reported and stays in its process, and what a launch costs the host. Skipped without a driver.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/Device.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

using namespace pantile;
using namespace pantile::cuda;

namespace {

constexpr const char *kHead = ".version 8.0\n.target sm_80\n.address_size 64\n";
constexpr const char *kScale = R"(
.visible .entry scale(.param .u64 px, .param .u64 py, .param .u64 pn, .param .u64 pf) {
  .reg .pred %p; .reg .b32 %r<5>; .reg .f32 %f<4>; .reg .b64 %rd<9>;
  ld.param.u64 %rd1, [px]; ld.param.u64 %rd2, [py]; ld.param.u64 %rd3, [pn]; ld.param.u32 %r4, [pf];
  mov.b32 %f2, %r4;
  mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;
  mad.lo.u32 %r1, %r1, %r2, %r3;
  cvt.u64.u32 %rd4, %r1;
  setp.ge.u64 %p, %rd4, %rd3;
  @%p bra DONE;
  shl.b64 %rd4, %rd4, 2;
  add.u64 %rd5, %rd1, %rd4; add.u64 %rd6, %rd2, %rd4;
  ld.global.f32 %f1, [%rd5];
  fma.rn.f32 %f3, %f1, %f2, 0f3F800000;
  st.global.f32 [%rd6], %f3;
DONE:
  ret;
}
.visible .entry fault() {
  .reg .b64 %rd<2>; .reg .b32 %r<2>;
  mov.u64 %rd1, 16; mov.u32 %r1, 0;
  st.global.u32 [%rd1], %r1;
  ret;
}
)";

/// Copies one box of 16 rows of 64 bf16 by its map, as it lies in shared memory, to `out`. 128 threads.
constexpr const char *kBox = R"(.version 8.6
.target sm_90a
.address_size 64
.visible .entry box(.param .u64 pout, .param .u64 pview, .param .u64 px, .param .u64 py, .param .align 64 .b8 pmap[128]) {
  .reg .pred %p<3>; .reg .b32 %r<12>; .reg .b64 %rd<8>;
  .shared .align 1024 .b8 tile[2048];
  .shared .align 8 .b64 phase;
  mov.u32 %r1, %tid.x; mov.u32 %r2, phase; mov.u32 %r3, tile;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra READY;
  mbarrier.init.shared::cta.b64 [%r2], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 2048;
  ld.param.u32 %r4, [px]; ld.param.u32 %r5, [py];
  mov.b64 %rd1, pmap;
  cvta.param.u64 %rd2, %rd1;
  cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r3], [%rd2, {%r4, %r5}], [%r2];
READY:
  bar.sync 0;
WAIT:
  mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
  @!%p2 bra WAIT;
  shl.b32 %r6, %r1, 4;
  add.u32 %r7, %r3, %r6;
  ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7];
  ld.param.u64 %rd3, [pout];
  cvt.u64.u32 %rd4, %r6;
  add.u64 %rd5, %rd3, %rd4;
  st.global.v4.u32 [%rd5], {%r8, %r9, %r10, %r11};
  ret;
}
)";

class RealDriver : public testing::Test {
protected:
  void SetUp() override {
    // A fake that another test has loaded would answer for the real one.
    auto found = Driver::open("libcuda.so.1");
    if (!found) GTEST_SKIP() << found.status().message();
    driver = std::make_unique<Driver>(*std::move(found));
    auto opened = Device::open(*driver, 0);
    ASSERT_TRUE(opened) << opened.status().message();
    if ((*opened)->description().name.find("Fake") != std::string::npos) GTEST_SKIP() << "only the fake driver is here";
    device = *std::move(opened);
    current.emplace(*driver, device->context());
  }
  std::unique_ptr<Module> load(const std::string &code, std::vector<const char *> entries) {
    auto module = Module::load(*driver, device->description(), code.data(), code.size(), entries.data(), uint32_t(entries.size()));
    EXPECT_TRUE(module) << module.status().message();
    return module ? *std::move(module) : nullptr;
  }
  void *allocate(size_t bytes) {
    auto pointer = device->allocate(bytes);
    EXPECT_TRUE(pointer) << pointer.status().message();
    return pointer ? *pointer : nullptr;
  }
  template <typename T> std::vector<T> download(const void *from, size_t count) {
    std::vector<T> host(count);
    EXPECT_EQ(driver->cuMemcpyDtoHAsync(host.data(), CUdeviceptr(from), count * sizeof(T), nullptr), CUDA_SUCCESS);
    EXPECT_EQ(driver->cuStreamSynchronize(nullptr), CUDA_SUCCESS);
    return host;
  }
  template <typename T> void upload(void *to, const std::vector<T> &host) {
    EXPECT_EQ(driver->cuMemcpyHtoDAsync(CUdeviceptr(to), host.data(), host.size() * sizeof(T), nullptr), CUDA_SUCCESS);
    EXPECT_EQ(driver->cuStreamSynchronize(nullptr), CUDA_SUCCESS);
  }
  static pantile_launch_call call(const std::vector<uint64_t> &slots, const std::vector<int64_t> &extras, int64_t grid, int64_t threads) {
    pantile_launch_call result{};
    result.struct_size = sizeof(result);
    result.slots = slots.data(), result.slot_count = uint32_t(slots.size());
    result.extras = extras.data(), result.extra_count = uint32_t(extras.size());
    result.grid[0] = grid, result.grid[1] = result.grid[2] = 1;
    result.block[0] = threads, result.block[1] = result.block[2] = 1;
    return result;
  }
  std::unique_ptr<Driver> driver;
  std::unique_ptr<Device> device;
  std::optional<Current> current;
  const std::vector<int64_t> plain{simt::kLaunchExtrasVersion, 1, 0, 0};
};

TEST_F(RealDriver, RunsPtxAndCubins) {
  const std::string ptx = std::string(kHead) + kScale;
  auto cubin = linkPtx(*driver, ptx);
  ASSERT_TRUE(cubin) << cubin.status().message();
  for (const std::string &code : {ptx, *cubin}) {
    auto module = load(code, {"scale"});
    ASSERT_TRUE(module);
    std::vector<float> host(1000);
    for (size_t i = 0; i < host.size(); ++i) host[i] = float(i);
    void *x = allocate(4000), *y = allocate(4000);
    upload(x, host);
    std::vector<uint64_t> slots = {uint64_t(x), uint64_t(y), 1000, std::bit_cast<uint32_t>(2.0f)};
    Status status = device->launch(nullptr, *module, call(slots, plain, 8, 128));
    ASSERT_TRUE(status.isOk()) << status.message();
    auto result = download<float>(y, 1000);
    for (size_t i = 0; i < result.size(); ++i) ASSERT_EQ(result[i], 2 * float(i) + 1) << i;
    device->free(x), device->free(y);
  }
  auto broken = linkPtx(*driver, std::string(kHead) + ".visible .entry k() { nonsense; }");
  ASSERT_FALSE(broken);
  EXPECT_FALSE(broken.status().cause().empty()) << "the driver's compiler says what is wrong";
}

TEST_F(RealDriver, DescribesViewsToTheCopyEngine) {
  if (!device->description().clusters) GTEST_SKIP() << "no copy engine";
  auto module = load(kBox, {"box"});
  ASSERT_TRUE(module);
  constexpr int64_t rows = 40, columns = 100, pitch = 128;
  std::vector<uint16_t> host(rows * pitch);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < pitch; ++c) host[size_t(r * pitch + c)] = uint16_t(r * 256 + c + 1);
  void *view = allocate(host.size() * 2), *out = allocate(2048);
  upload(view, host);
  simt::DescriptorRecord record{};
  record.slot = 1, record.dtype = PANTILE_BF16, record.rank = 2;
  for (unsigned d = 0; d < simt::kDescriptorRank; ++d) record.sizes[d] = record.strides[d] = record.box[d] = 1;
  record.sizes[0] = columns, record.sizes[1] = rows;
  record.strides[0] = 2, record.strides[1] = 2 * pitch;
  record.box[0] = 64, record.box[1] = 16;
  for (int64_t swizzle : {0, 128})
    for (auto [x, y] : {std::pair(0, 0), {64, 32}}) {
      record.swizzleBytes = swizzle;
      std::vector<int64_t> extras = plain;
      extras[simt::kExtraDescriptors] = 1;
      extras.insert(extras.end(), reinterpret_cast<int64_t *>(&record), reinterpret_cast<int64_t *>(&record + 1));
      std::vector<uint64_t> slots = {uint64_t(out), uint64_t(view), uint64_t(x), uint64_t(y)};
      Status status = device->launch(nullptr, *module, call(slots, extras, 1, 128));
      ASSERT_TRUE(status.isOk()) << status.message();
      auto tile = download<uint16_t>(out, 1024);
      for (int64_t r = 0; r < 16; ++r)
        for (int64_t c = 0; c < 64; ++c) {
          const int64_t unit = c / 8 ^ (swizzle ? r % 8 : 0);
          const bool inside = y + r < rows && x + c < columns;
          ASSERT_EQ(tile[size_t(r * 64 + unit * 8 + c % 8)], inside ? host[size_t((y + r) * pitch + x + c)] : 0)
              << "row " << r << " column " << c << " swizzle " << swizzle << " at " << x << "," << y;
        }
    }
  device->free(view), device->free(out);
}

TEST_F(RealDriver, RecordsLaunches) {
  auto module = load(std::string(kHead) + kScale, {"scale"});
  auto stream = device->createStream();
  ASSERT_TRUE(stream);
  void *x = allocate(4);
  upload(x, std::vector<float>{0});
  std::vector<uint64_t> slots = {uint64_t(x), uint64_t(x), 1, std::bit_cast<uint32_t>(2.0f)};
  ASSERT_EQ(driver->cuStreamBeginCapture(*stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  ASSERT_TRUE(device->launch(*stream, *module, call(slots, plain, 1, 32)).isOk());
  // Loading, allocating and freeing meanwhile are no part of it.
  auto other = load(std::string(kHead) + kScale, {"scale"});
  device->free(allocate(1 << 20));
  CUgraph graph = nullptr;
  ASSERT_EQ(driver->cuStreamEndCapture(*stream, &graph), CUDA_SUCCESS);
  CUgraphExec ready = nullptr;
  ASSERT_EQ(driver->cuGraphInstantiateWithFlags(&ready, graph, 0), CUDA_SUCCESS);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(driver->cuGraphLaunch(ready, *stream), CUDA_SUCCESS);
  ASSERT_EQ(driver->cuStreamSynchronize(*stream), CUDA_SUCCESS);
  EXPECT_EQ(download<float>(x, 1)[0], 7);
  driver->cuGraphExecDestroy(ready), driver->cuGraphDestroy(graph);
  device->forgetStream(*stream, true);
  device->free(x);
}

TEST_F(RealDriver, KnowsMemory) {
  void *own = allocate(4096);
  std::vector<char> host(4096);
  EXPECT_TRUE(device->checkMemory(own, 4096).isOk());
  EXPECT_EQ(device->checkMemory(host.data(), 16).code(), PANTILE_INVALID_ARGUMENT);
  auto most = device->allocate(size_t(1) << 50);
  ASSERT_FALSE(most);
  EXPECT_EQ(most.status().code(), PANTILE_OUT_OF_MEMORY) << most.status().message();
  device->free(own);
  device->free(allocate(4096));
}

TEST_F(RealDriver, DISABLED_Faults) { // run by the test below, in a process of its own
  auto module = load(std::string(kHead) + kScale, {"fault"});
  ASSERT_TRUE(device->launch(nullptr, *module, call({}, plain, 1, 1)).isOk());
  Status status = device->check(driver->cuStreamSynchronize(nullptr), "waiting");
  EXPECT_EQ(status.code(), PANTILE_DEVICE_ERROR);
  EXPECT_NE(status.text().find("a kernel faulted on '"), std::string::npos) << status.text();
  EXPECT_EQ(device->launch(nullptr, *module, call({}, plain, 1, 1)).code(), PANTILE_DEVICE_ERROR);
  EXPECT_EQ(device->allocate(16).status().code(), PANTILE_DEVICE_ERROR);
  std::_Exit(testing::Test::HasFailure() ? 1 : 77);
}

TEST_F(RealDriver, FaultsStayInTheirProcess) {
  void *x = allocate(4);
  char self[] = "/proc/self/exe", filter[] = "--gtest_filter=RealDriver.DISABLED_Faults", also[] = "--gtest_also_run_disabled_tests";
  char *argv[] = {self, filter, also, nullptr};
  pid_t child = -1;
  int status = 0;
  ASSERT_EQ(posix_spawn(&child, self, nullptr, nullptr, argv, environ), 0);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 77) << status;
  upload(x, std::vector<float>{5});
  EXPECT_EQ(download<float>(x, 1)[0], 5);
  device->free(x);
}

TEST_F(RealDriver, CostsTheHostLittle) {
  auto module = load(std::string(kHead) + kScale, {"scale"});
  void *x = allocate(4096);
  std::vector<uint64_t> slots = {uint64_t(x), uint64_t(x), 1, 0};
  auto launch = call(slots, plain, 1, 32);
  auto median = [&](auto function) {
    std::vector<double> times;
    for (int round = 0; round < 9; ++round) {
      driver->cuStreamSynchronize(nullptr);
      const auto from = std::chrono::steady_clock::now();
      for (int i = 0; i < 500; ++i) function();
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - from).count() / 500);
    }
    std::sort(times.begin(), times.end());
    return times[4];
  };
  CUlaunchConfig config{1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, 0};
  CUdeviceptr address = CUdeviceptr(x);
  uint64_t one = 1, zero = 0;
  void *parameters[] = {&address, &address, &one, &zero};
  const CUfunction raw = module->entry(0)->handle;
  const double bare = median([&] { driver->cuLaunchKernelEx(&config, raw, parameters, nullptr); });
  const double ours = median([&] { (void)device->launch(nullptr, *module, launch); });
  printf("host cost of a launch, 4 arguments: cuLaunchKernelEx %.2f us, the device half %.2f us\n", bare, ours);
  EXPECT_LT(ours, bare + 1.0);
  device->free(x);
}

} // namespace
