//===- tests/robustness/ArgumentsTest.cpp - tensors that are wrong, or odd ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// On the real CPU backend. Every refusal leaves the output as it was and the kernel usable: what is refused once compiled
// (through the slot of a known shape) as well as at first sight.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/RealDevice.h"

#include <climits>
#include <cmath>
#include <cstring>
#include <thread>

using namespace pantile::test;

namespace {

/// Y = X + Z over 4x6.
class Arguments : public RealDevice {
protected:
  void SetUp() override {
    RealDevice::SetUp();
    kernel = library("add", "f32,rank=2");
    for (size_t i = 0; i < 64; ++i) x[i] = float(i), z[i] = 100;
  }
  void TearDown() override {
    kernel.reset();
    RealDevice::TearDown();
  }
  /// Refused with all of `parts` said, before and after good launches, and nothing written.
  void expectRefused(DLTensor *a, DLTensor *b, DLTensor *c, std::initializer_list<const char *> parts) {
    for (int turn = 0; turn < 2; ++turn) {
      std::fill(y.begin(), y.end(), -7.0f);
      const std::string said = launch(kernel, {a, b, c});
      EXPECT_EQ(code, PANTILE_INVALID_ARGUMENT) << said;
      EXPECT_EQ(said.rfind("add: ", 0), 0u) << said;
      for (const char *part : parts) EXPECT_NE(said.find(part), std::string::npos) << "expected '" << part << "', said: " << said;
      for (float value : y) ASSERT_EQ(value, -7.0f);
      expectGood();
    }
  }
  void expectGood() {
    Tensor a(x.data(), {4, 6}), b(z.data(), {4, 6}), c(y.data(), {4, 6});
    ASSERT_EQ(launch(kernel, {a, b, c}), "");
    for (size_t i = 0; i < 24; ++i) ASSERT_EQ(y[i], float(i) + 100);
  }
  KernelHandle kernel{nullptr, pantile_kernel_release};
  std::vector<float> x = std::vector<float>(64), z = std::vector<float>(64), y = std::vector<float>(64);
};

TEST_F(Arguments, WrongRank) {
  Tensor a(x.data(), {4, 6}), b(z.data(), {24}), c(y.data(), {4, 6}), many(y.data(), {1, 1, 1, 1, 1, 1, 1, 1, 4, 6}), scalar(z.data(), {});
  expectRefused(a, b, c, {"argument 1", "has rank 1 (shape [24])", "rank 2 is expected"});
  expectRefused(a, scalar, c, {"argument 1", "has rank 0", "rank 2 is expected"});
  expectRefused(a, a, many, {"argument 2", "rank 10"});
  a.tensor.ndim = -1;
  expectRefused(a, c, c, {"argument 0", "rank -1"});
  a.tensor.ndim = INT_MAX;
  expectRefused(a, c, c, {"argument 0", "rank 2147483647"});
  a.tensor.ndim = 2;
  a.tensor.shape = nullptr;
  expectRefused(a, c, c, {"argument 0", "no shape"});
}

TEST_F(Arguments, WrongDType) {
  Tensor a(x.data(), {4, 6}), half(z.data(), {4, 6}, kF16), lanes(z.data(), {4, 6}, {kDLFloat, 32, 4}), odd(z.data(), {4, 6}, {99, 7, 1}),
      none(z.data(), {4, 6}, {kDLFloat, 0, 0}), c(y.data(), {4, 6});
  expectRefused(a, half, c, {"argument 1", "has dtype f16, f32 is expected"});
  expectRefused(a, lanes, c, {"argument 1", "lanes"});
  expectRefused(a, odd, c, {"argument 1", "99"});
  expectRefused(a, none, c, {"argument 1"});
}

TEST_F(Arguments, WrongDevice) {
  Tensor a(x.data(), {4, 6}), b(z.data(), {4, 6}), c(y.data(), {4, 6});
  b.tensor.device = {DLDeviceType(2), 3};
  expectRefused(a, b, c, {"argument 1", "is on device 2:3, this context's device is 1:0", "copy it there"});
  b.tensor.device = {DLDeviceType(-5), 0};
  expectRefused(a, b, c, {"argument 1", "is on device"});
}

TEST_F(Arguments, Sizes) {
  Tensor a(x.data(), {4, 6}), b(z.data(), {4, 7}), c(y.data(), {4, 6}), negative(z.data(), {4, -6}), least(z.data(), {4, INT64_MIN});
  expectRefused(a, b, c, {"argument 1", "size 7 in dimension 1", "is 6 in argument 0"});
  expectRefused(a, negative, c, {"argument 1", "negative size -6 in dimension 1"});
  expectRefused(a, least, c, {"argument 1", "negative size"});
  Tensor wide(x.data(), {INT64_MAX, INT64_MAX}), wideToo(z.data(), {INT64_MAX, INT64_MAX}), wideOut(y.data(), {INT64_MAX, INT64_MAX});
  expectRefused(wide, wideToo, wideOut, {"argument 0", "overflow"});
  // Bytes overflow though elements do not; the address space ends before they do.
  Tensor far(x.data(), {int64_t(1) << 31, int64_t(1) << 31});
  expectRefused(far, far, far, {"argument 0"});
}

TEST_F(Arguments, Strides) {
  Tensor a(x.data(), {4, 6}), c(y.data(), {4, 6});
  auto strided = [&](int64_t first, int64_t second) {
    return std::make_unique<Tensor>(z.data(), std::vector<int64_t>{4, 6}, kF32, std::vector<int64_t>{first, second});
  };
  expectRefused(a, *strided(6, -1), c, {"argument 1", "negative stride -1 in dimension 1", "copy it"});
  expectRefused(a, *strided(INT64_MIN, 1), c, {"argument 1", "negative stride"});
  expectRefused(a, *strided(INT64_MAX, 1), c, {"argument 1", "strides that overflow"});
  expectRefused(a, *strided(INT64_MAX / 2, INT64_MAX / 2), c, {"argument 1", "overflow"});
  expectRefused(a, *strided(int64_t(1) << 60, 1), c, {"argument 1", "overflow"});
}

TEST_F(Arguments, OutputsThatOverlap) {
  std::vector<float> shared(200, 1);
  auto at = [&](size_t offset, std::vector<int64_t> strides = {}) {
    return std::make_unique<Tensor>(shared.data() + offset, std::vector<int64_t>{4, 6}, kF32, strides);
  };
  Tensor a(x.data(), {4, 6}), b(z.data(), {4, 6});
  expectRefused(*at(0), b, *at(0), {"'Out') is an output and shares memory with argument 0 ('X')", "memory of its own"});
  expectRefused(a, *at(0), *at(23), {"shares memory with argument 1"});
  expectRefused(*at(10), b, *at(0), {"shares memory"});
  for (float value : shared) ASSERT_EQ(value, 1);
  Tensor same(y.data(), {4, 6}, kF32, {0, 1});
  expectRefused(a, b, same, {"argument 2", "stride in dimension 0 is 0", "overlap"});
  Tensor rows(y.data(), {4, 6}, kF32, {3, 1}); // rows of 6 that are 3 apart
  expectRefused(a, b, rows, {"argument 2", "overlap"});
  // Inputs may share, neighbours may touch, columns may interleave.
  EXPECT_EQ(launch(kernel, {*at(0), *at(0), *at(24)}), "");
  EXPECT_EQ(shared[24], 2);
  EXPECT_EQ(launch(kernel, {*at(0, {12, 1}), b, *at(6, {12, 1})}), "");
  EXPECT_EQ(shared[6], shared[0] + 100);
}

TEST_F(Arguments, NullData) {
  Tensor a(nullptr, {4, 6}), b(z.data(), {4, 6}), c(y.data(), {4, 6}), empty(nullptr, {0, 6});
  expectRefused(a, b, c, {"argument 0", "has no data, but 24 elements"});
  expectRefused(b, b, a, {"argument 2", "has no data"});
  expectRefused(nullptr, b, c, {"argument 0", "is NULL"});
  a.tensor.byte_offset = 64;
  expectRefused(a, b, c, {"argument 0", "has no data"});
  // Nothing needs no memory.
  EXPECT_EQ(launch(kernel, {empty, empty, empty}), "");
  EXPECT_EQ(launch(kernel, {a, b}).rfind("add: 2 arguments given, 3 expected", 0), 0u);
  pantile_error *error = nullptr;
  EXPECT_EQ(pantile_launch(nullptr, nullptr, nullptr, 0, &error), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(take(error), "kernel is NULL");
  EXPECT_EQ(pantile_launch(kernel.get(), nullptr, nullptr, 3, nullptr), PANTILE_INVALID_ARGUMENT);
}

TEST_F(Arguments, PastTheAddressSpace) {
  Tensor a(reinterpret_cast<void *>(UINTPTR_MAX - 16), {4, 6}), b(z.data(), {4, 6}), c(y.data(), {4, 6});
  expectRefused(a, b, c, {"argument 0", "past the end of the address space"});
  a.tensor.data = x.data();
  a.tensor.byte_offset = UINT64_MAX - 3; // 4 bytes before x
  EXPECT_NE(launch(kernel, {a, b, c}).find("argument 0"), std::string::npos);
}

TEST_F(Arguments, Scalars) {
  auto clamp = library("clamp", "f32");
  float low = -1, high = 1;
  Tensor a(x.data(), {8}), c(y.data(), {8}), l(&low, {}), h(&high, {}), none(nullptr, {}), list(&low, {1});
  EXPECT_EQ(launch(clamp, {a, c, l, h}), "");
  EXPECT_NE(launch(clamp, {a, c, l, none}).find("'high') is a scalar without data"), std::string::npos);
  EXPECT_NE(launch(clamp, {a, c, list, h}).find("'low') is a tensor of rank 1, a scalar is expected"), std::string::npos);
  h.tensor.device = {DLDeviceType(2), 0};
  EXPECT_NE(launch(clamp, {a, c, l, h}).find("'high') is a scalar on a device"), std::string::npos);
  int32_t integer = 1;
  Tensor i(&integer, {}, kI32);
  EXPECT_NE(launch(clamp, {a, c, l, i}).find("'high') is a i32 that cannot be passed as f32"), std::string::npos);
}

/// Every address works, at every dtype: also those that are not even aligned to their elements.
TEST_F(Arguments, MisalignedPointersWork) {
  struct Case {
    const char *op, *options;
    DLDataType dtype;
    size_t bytes;
  };
  const int64_t rows = 5, columns = 67;
  for (auto [op, text, dtype, bytes] : {Case{"softmax", "f32", kF32, 4}, Case{"softmax", "f16", kF16, 2}, Case{"copy", "i8,rank=2", kI8, 1},
                                        Case{"copy", "i32,rank=2", kI32, 4}, Case{"transpose", "f32", kF32, 4}}) {
    auto moved = library(op, text);
    const bool turned = std::string(op) == "transpose";
    const size_t size = size_t(rows * columns) * bytes;
    std::vector<char> input(size + 128), output(size + 128, 0x55);
    for (size_t i = 0; i < input.size(); ++i) input[i] = char(i * 7 % 60);
    std::vector<std::vector<char>> results;
    for (size_t offset : {0, 1, 2, 3, 4, 5, 8, 13, 31, 63}) {
      // The same bytes elsewhere.
      std::vector<char> from(size + 192), to(size + 192, 0x55);
      char *in = from.data() + (64 - reinterpret_cast<uintptr_t>(from.data()) % 64) + offset,
           *out = to.data() + (64 - reinterpret_cast<uintptr_t>(to.data()) % 64) + offset;
      std::memcpy(in, input.data(), size);
      Tensor a(in, {rows, columns}, dtype),
          b(out, turned ? std::vector<int64_t>{columns, rows} : std::vector<int64_t>{rows, columns}, dtype);
      ASSERT_EQ(launch(moved, {a, b}), "") << op << " " << text << " at offset " << offset;
      for (char *byte = to.data(); byte != out; ++byte) ASSERT_EQ(*byte, 0x55);
      for (char *byte = out + size; byte != to.data() + to.size(); ++byte) ASSERT_EQ(*byte, 0x55);
      results.emplace_back(out, out + size);
    }
    for (const auto &result : results) EXPECT_EQ(result, results[0]) << op << " " << text;
  }
}

TEST_F(Arguments, Configurations) {
  Tensor a(x.data(), {4, 6}), b(z.data(), {4, 6}), c(y.data(), {4, 6});
  pantile_error *error = nullptr;
  for (const char *text : {"{", "{bm = }", "bm = 3", "{bm = {x = 1}}", "{bm = 1.5}", "{bm = nan}", "{\"\" = 1}"}) {
    pantile_code answer = pantile_kernel_set_configuration(kernel.get(), text, &error);
    if (answer) {
      EXPECT_NE(take(error).find("configuration"), std::string::npos) << text;
      error = nullptr;
      expectGood(); // what was pinned before (nothing) stays
      continue;
    }
    // Well-formed and out of the space: the launch says so.
    EXPECT_NE(launch(kernel, {a, b, c}), "") << text;
    EXPECT_EQ(code, PANTILE_INVALID_ARGUMENT);
    ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), nullptr, nullptr), PANTILE_OK);
  }
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{warp_drive = 9}", nullptr), PANTILE_OK);
  EXPECT_NE(launch(kernel, {a, b, c}).find("'warp_drive'"), std::string::npos);
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), nullptr, nullptr), PANTILE_OK);
  expectGood();
}

} // namespace
