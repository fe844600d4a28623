//===- cpu/device/tests/DeviceTest.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/Device.h"
#include "backends/cpu/device/Processor.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

using namespace pantile;
using namespace pantile::cpu;

namespace {

/// A shared object whose entry adds 1 to element i for each program i, built beside this test.
std::string objectCode() {
  std::ifstream file(PANTILE_TEST_KERNEL, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::unique_ptr<Module> module(const char *entry = "add_one") {
  std::string code = objectCode();
  auto loaded = Module::load(code.data(), code.size(), &entry, 1);
  EXPECT_TRUE(loaded.isOk()) << loaded.status().message();
  return loaded.isOk() ? *std::move(loaded) : nullptr;
}

TEST(Device, RunsEveryProgramOnceHoweverChunked) {
  Device device;
  auto code = module();
  ASSERT_TRUE(code);
  for (int64_t programs : {0, 1, 2, 3, 1000, 4097})
    for (int64_t chunk : {0, 1, 7, 5000})
      for (int64_t work : {0, 1'000'000}) {
        std::vector<int32_t> values(size_t(programs) + 2, 5);
        uint64_t slots[] = {reinterpret_cast<uint64_t>(values.data() + 1)};
        int64_t extras[] = {64, work, chunk, 0};
        pantile_launch_call call{sizeof(call), 1, nullptr, 0, 4, {programs, 1, 1}, {1, 1, 1}, 0, slots, extras};
        ASSERT_TRUE(device.launch(*code, call).isOk());
        EXPECT_EQ(values.front(), 5);
        EXPECT_EQ(values.back(), 5);
        for (int64_t i = 0; i < programs; ++i) ASSERT_EQ(values[size_t(i) + 1], 6) << i << " of " << programs << " by " << chunk;
      }
}

TEST(Device, SaysWhatIsWrongWithALaunch) {
  Device device;
  auto code = module();
  ASSERT_TRUE(code);
  pantile_launch_call call{sizeof(call), 0, nullptr, 7, 0, {1, 1, 1}, {1, 1, 1}, 0, nullptr, nullptr};
  EXPECT_EQ(device.launch(*code, call).code(), PANTILE_INVALID_ARGUMENT);
  int64_t negative[] = {-1, 0, 0, 0};
  pantile_launch_call scratch{sizeof(call), 0, nullptr, 0, 4, {1, 1, 1}, {1, 1, 1}, 0, nullptr, negative};
  EXPECT_EQ(device.launch(*code, scratch).code(), PANTILE_INVALID_ARGUMENT);
  int64_t huge[] = {int64_t(1) << 61, 0, 0, 0};
  pantile_launch_call memory{sizeof(call), 0, nullptr, 0, 4, {1, 1, 1}, {1, 1, 1}, 0, nullptr, huge};
  EXPECT_EQ(device.launch(*code, memory).code(), PANTILE_OUT_OF_MEMORY);
  EXPECT_EQ(device.setThreads(-1).code(), PANTILE_INVALID_ARGUMENT);
}

/// Other code under a descriptor number that was used before is other code.
TEST(Module, ManyModulesStayApart) {
  std::string code = objectCode();
  const char *entry = "add_one";
  std::vector<std::unique_ptr<Module>> modules;
  std::set<Entry> entries;
  for (int i = 0; i < 50; ++i) {
    auto loaded = Module::load(code.data(), code.size(), &entry, 1);
    ASSERT_TRUE(loaded.isOk()) << loaded.status().message();
    modules.push_back(*std::move(loaded));
    EXPECT_TRUE(entries.insert(modules.back()->entry(0)).second) << "module " << i << " is an earlier one's code";
  }
}

TEST(Module, BadCodeIsAnErrorNotACrash) {
  const char *entry = "add_one";
  EXPECT_EQ(Module::load("not an object", 13, &entry, 1).status().code(), PANTILE_DATA_ERROR);
  EXPECT_EQ(Module::load("", 0, &entry, 1).status().code(), PANTILE_DATA_ERROR);
  std::string code = objectCode();
  const char *missing = "no_such_entry";
  EXPECT_EQ(Module::load(code.data(), code.size(), &missing, 1).status().code(), PANTILE_DATA_ERROR);
}

TEST(Processor, NamesAreUsable) {
  const Processor &p = processor();
  EXPECT_GE(p.units, 1);
  EXPECT_GT(p.l1Bytes, 0);
  EXPECT_EQ(p.target.rfind(p.arch + ":", 0), 0u) << p.target;
  EXPECT_EQ(p.hardware.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-"), std::string::npos) << p.hardware;
}

} // namespace
