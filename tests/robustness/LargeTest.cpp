//===- tests/robustness/LargeTest.cpp - sizes past 2^31 elements ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Memory stays small: address space is reserved and read as zeros, strides repeat elements or leave gaps. One run moves more
// than 2^31 elements for real, where there is room for it. What is right is known without an oracle.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/RealDevice.h"

#include <fstream>
#include <sys/mman.h>

using namespace pantile::test;

namespace {

constexpr int64_t kPast = (int64_t(1) << 31) + 77;

/// Address space of zeros; only what is written takes memory.
class Sparse {
public:
  explicit Sparse(size_t bytes) : bytes(bytes) {
    void *mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    data = mapped == MAP_FAILED ? nullptr : static_cast<char *>(mapped);
  }
  ~Sparse() {
    if (data) munmap(data, bytes);
  }
  template <typename T> T &at(int64_t i) { return reinterpret_cast<T *>(data)[i]; }
  char *data;

private:
  size_t bytes;
};

uint64_t availableBytes() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("MemAvailable:", 0) == 0) return std::stoull(line.substr(13)) << 10;
  return 0;
}

class Large : public RealDevice {};

TEST_F(Large, OffsetsPastTwoToTheThirtyOne) {
  // 3 rows of 100 elements, 2^31 elements apart, in and out.
  const int64_t stride = int64_t(1) << 31;
  Sparse in(size_t(2 * stride + 100) * 2), out(size_t(2 * stride + 100) * 2);
  ASSERT_TRUE(in.data && out.data);
  for (int64_t r = 0; r < 3; ++r)
    for (int64_t c = 0; c < 100; ++c) in.at<uint16_t>(r * stride + c) = uint16_t(0x3c00 + r * 100 + c);
  auto copy = library("copy", "f16,rank=2");
  Tensor a(in.data, {3, 100}, kF16, {stride, 1}), b(out.data, {3, 100}, kF16, {stride, 1});
  ASSERT_EQ(launch(copy, {a, b}), "");
  for (int64_t r = 0; r < 3; ++r)
    for (int64_t c = 0; c < 100; ++c) ASSERT_EQ(out.at<uint16_t>(r * stride + c), 0x3c00 + r * 100 + c) << r << ", " << c;
}

TEST_F(Large, ADimensionPastTwoToTheThirtyOne) {
  // The largest element lies past 2^31: a loop that counts in 32 bits does not see it, or says another place.
  Sparse in(size_t(kPast) * 2);
  ASSERT_TRUE(in.data);
  const int64_t place = kPast - 5;
  in.at<uint16_t>(place) = 0x4400; // 4.0
  in.at<uint16_t>(17) = 0x4000;    // 2.0
  auto max = library("max", "f16,rank=1");
  uint16_t largest = 0;
  Tensor a(in.data, {kPast}, kF16), b(&largest, {1}, kF16);
  ASSERT_EQ(launch(max, {a, b}), "");
  EXPECT_EQ(largest, 0x4400);
  in.at<uint16_t>(place) = 0;
  ASSERT_EQ(launch(max, {a, b}), "");
  EXPECT_EQ(largest, 0x4000);
}

TEST_F(Large, ElementsPastTwoToTheThirtyOne) {
  // 2^16 + 1 equal rows of 2^15 + 3 columns (stride 0): more elements than 32 bits count, memory for one row.
  const int64_t rows = (1 << 16) + 1, columns = (1 << 15) + 3;
  std::vector<float> row(size_t(columns), 0), sums(size_t(columns), -1);
  for (int64_t c = 0; c < columns; ++c) row[size_t(c)] = float(c % 5) * 0x1p-16f;
  auto sum = library("sum", "f32,rank=2,axis=0");
  Tensor a(row.data(), {rows, columns}, kF32, {0, 1}), b(sums.data(), {columns});
  ASSERT_EQ(launch(sum, {a, b}), "");
  for (int64_t c = 0; c < columns; ++c) ASSERT_NEAR(sums[size_t(c)], float(rows) * float(c % 5) * 0x1p-16f, 1e-3) << c;
}

TEST_F(Large, ARealRun) {
  if (availableBytes() < uint64_t(8) << 30) GTEST_SKIP() << "this takes 4.3 GiB of memory, with 8 GiB available";
  std::vector<int8_t> in(size_t(kPast), 3), out(size_t(kPast), -1);
  in[0] = 1, in[size_t(kPast) - 1] = 2, in[size_t(1) << 31] = 4;
  auto copy = library("copy", "i8");
  Tensor a(in.data(), {kPast}, kI8), b(out.data(), {kPast}, kI8);
  ASSERT_EQ(launch(copy, {a, b}), "");
  EXPECT_TRUE(in == out);
}

} // namespace
