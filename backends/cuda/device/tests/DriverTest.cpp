//===- cuda/device/tests/DriverTest.cpp - opening the driver --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/tests/Fixture.h"

using namespace pantile;
using namespace pantile::cuda;

namespace {

using DriverTest = FakeDriverTest;

TEST(Driver, SaysThatThereIsNone) {
  auto driver = Driver::open("libcuda-that-is-not-there.so.1");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.status().code(), PANTILE_UNAVAILABLE);
  EXPECT_EQ(driver.status().text(), "there is no NVIDIA driver on this machine");
  EXPECT_NE(driver.status().cause().find("libcuda-that-is-not-there"), std::string::npos);
  EXPECT_EQ(driver.status().fix(), "install driver 535 or newer");
}

TEST(Driver, RefusesAnotherLibrary) {
  auto driver = Driver::open("libm.so.6");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.status().text(), "libm.so.6 is no NVIDIA driver: it has no version");
}

TEST_F(DriverTest, RefusesAnOldOne) {
  fake->version = 11080;
  auto driver = Driver::open(PANTILE_FAKE_CUDA);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.status().code(), PANTILE_UNAVAILABLE);
  EXPECT_EQ(driver.status().text(), "the NVIDIA driver is too old: it serves CUDA 11.8, 12.2 is needed");
  EXPECT_EQ(driver.status().fix(), "install driver 535 or newer");
}

TEST_F(DriverTest, NamesAMissingFunction) {
  fake->missing = "cuTensorMapReplaceAddress";
  auto driver = Driver::open(PANTILE_FAKE_CUDA);
  ASSERT_FALSE(driver);
  EXPECT_NE(driver.status().text().find("without cuTensorMapReplaceAddress"), std::string::npos);
}

TEST_F(DriverTest, SaysThatThereIsNoDevice) {
  fake->initResult = CUDA_ERROR_NO_DEVICE;
  auto driver = Driver::open(PANTILE_FAKE_CUDA);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.status().code(), PANTILE_UNAVAILABLE);
  EXPECT_NE(driver.status().text().find("finds no GPU"), std::string::npos);
  EXPECT_NE(driver.status().fix().find("CUDA_VISIBLE_DEVICES"), std::string::npos);
}

TEST_F(DriverTest, SaysThatItDoesNotStart) {
  fake->initResult = CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
  auto driver = Driver::open(PANTILE_FAKE_CUDA);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.status().code(), PANTILE_UNAVAILABLE);
  EXPECT_NE(driver.status().fix().find("differ in version"), std::string::npos);
}

TEST_F(DriverTest, ServesTheOldestSupported) {
  fake->version = kOldestVersion;
  auto driver = Driver::open(PANTILE_FAKE_CUDA);
  ASSERT_TRUE(driver) << driver.status().message();
  EXPECT_EQ(driver->version, 12020);
}

} // namespace
