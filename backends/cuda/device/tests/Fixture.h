//===- cuda/device/tests/Fixture.h - the device half on the fake driver ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_TESTS_FIXTURE_H
#define PANTILE_CUDA_DEVICE_TESTS_FIXTURE_H

#include "backends/cuda/device/Device.h"
#include "backends/cuda/device/tests/FakeDriver.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace pantile::cuda {

/// A fresh fake driver for each test, opened by its path.
class FakeDriverTest : public testing::Test {
protected:
  void SetUp() override {
    void *library = dlopen(PANTILE_FAKE_CUDA, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    reinterpret_cast<void (*)()>(dlsym(library, "fakeDriverReset"))();
    fake = reinterpret_cast<FakeDriver *(*)()>(dlsym(library, "fakeDriver"))();
  }
  /// Open devices go before the driver does.
  void TearDown() override { devices.clear(); }

  const Driver &driver() {
    if (!opened) {
      auto result = Driver::open(PANTILE_FAKE_CUDA);
      EXPECT_TRUE(result) << result.status().message();
      opened = std::make_unique<Driver>(*std::move(result));
    }
    return *opened;
  }
  Device &device(uint32_t ordinal = 0) {
    auto &place = devices[ordinal];
    if (!place) {
      auto result = Device::open(driver(), ordinal);
      EXPECT_TRUE(result) << result.status().message();
      place = *std::move(result);
    }
    return *place;
  }
  void *allocate(size_t bytes, uint32_t ordinal = 0) {
    auto pointer = device(ordinal).allocate(bytes);
    EXPECT_TRUE(pointer) << pointer.status().message();
    return pointer ? *pointer : nullptr;
  }
  void upload(void *to, const void *from, size_t bytes, uint32_t ordinal = 0) {
    Current current(driver(), device(ordinal).context());
    EXPECT_EQ(driver().cuMemcpyHtoDAsync(CUdeviceptr(to), from, bytes, nullptr), CUDA_SUCCESS);
  }
  void download(void *to, const void *from, size_t bytes, uint32_t ordinal = 0) {
    Current current(driver(), device(ordinal).context());
    EXPECT_EQ(driver().cuMemcpyDtoHAsync(to, CUdeviceptr(from), bytes, nullptr), CUDA_SUCCESS);
  }
  std::unique_ptr<Module> load(const std::string &code, std::vector<const char *> entries, uint32_t ordinal = 0) {
    Current current(driver(), device(ordinal).context());
    auto module = Module::load(driver(), device(ordinal).description(), code.data(), code.size(), entries.data(), uint32_t(entries.size()));
    EXPECT_TRUE(module) << module.status().message();
    return module ? *std::move(module) : nullptr;
  }

  FakeDriver *fake = nullptr;

private:
  std::unique_ptr<Driver> opened;
  std::map<uint32_t, std::unique_ptr<Device>> devices;
};

/// One launch's numbers, kept for a pantile_launch_call.
struct Call {
  std::vector<uint64_t> slots;
  std::vector<int64_t> extras{simt::kLaunchExtrasVersion, 1, 0, 0};
  pantile_launch_call call{};
  Call(std::vector<uint64_t> values, int64_t grid = 1, int64_t threads = 32, int64_t shared = 0) : slots(std::move(values)) {
    call.struct_size = sizeof(call);
    call.grid[0] = grid, call.grid[1] = call.grid[2] = 1;
    call.block[0] = threads, call.block[1] = call.block[2] = 1;
    call.shared_bytes = shared;
  }
  const pantile_launch_call &get() {
    call.slots = slots.data();
    call.slot_count = uint32_t(slots.size());
    call.extras = extras.data();
    call.extra_count = uint32_t(extras.size());
    return call;
  }
  void describe(const simt::DescriptorRecord &record) {
    auto *words = reinterpret_cast<const int64_t *>(&record);
    extras.insert(extras.end(), words, words + simt::kDescriptorWords);
    ++extras[simt::kExtraDescriptors];
  }
};

inline const std::string kFakeCode = "\x7f"
                                     "ELF fake\nscale\nmaps\nfault";

/// A 2-D view of bf16, 64 x 100 with rows of 128 elements, in boxes of 16 x 64 with a 128-byte swizzle.
inline simt::DescriptorRecord matrixRecord() {
  simt::DescriptorRecord record{};
  record.dtype = PANTILE_BF16;
  record.rank = 2;
  record.swizzleBytes = 128;
  for (unsigned d = 0; d < simt::kDescriptorRank; ++d) record.sizes[d] = record.strides[d] = record.box[d] = 1;
  record.sizes[0] = 100, record.sizes[1] = 64;
  record.strides[0] = 2, record.strides[1] = 256;
  record.box[0] = 64, record.box[1] = 16;
  return record;
}

} // namespace pantile::cuda

#endif // PANTILE_CUDA_DEVICE_TESTS_FIXTURE_H
