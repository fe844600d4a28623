//===- runtime/tests/OverlapTest.cpp - overlap against counting -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Overlap.h"

#include "runtime/dispatch/Signature.h"

#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace pantile;

namespace {

BoundArgument view(char *address, std::vector<int64_t> sizes, std::vector<int64_t> strides, int64_t bytes) {
  BoundArgument b;
  b.rank = int32_t(sizes.size());
  b.address = address;
  int64_t last = 0;
  for (size_t d = 0; d < sizes.size(); ++d)
    b.sizes[d] = sizes[d], b.strides[d] = strides[d], b.elements *= sizes[d], last += (sizes[d] - 1) * strides[d];
  b.span = b.elements ? uint64_t((last + 1) * bytes) : 0;
  return b;
}

std::set<char *> bytesOfView(const BoundArgument &b, int64_t bytes) {
  std::set<char *> all;
  std::vector<int64_t> index(size_t(b.rank));
  if (!b.elements) return all;
  while (true) {
    int64_t offset = 0;
    for (int d = 0; d < b.rank; ++d) offset += index[size_t(d)] * b.strides[d];
    for (int64_t i = 0; i < bytes; ++i) all.insert(b.address + offset * bytes + i);
    int d = b.rank - 1;
    while (d >= 0 && ++index[size_t(d)] == b.sizes[d]) index[size_t(d--)] = 0;
    if (d < 0) return all;
  }
}

TEST(Overlap, AgreesWithCounting) {
  std::mt19937 random(7);
  std::vector<char> memory(1 << 16);
  int overlapping = 0;
  for (int turn = 0; turn < 20000; ++turn) {
    auto make = [&](int64_t bytes) {
      std::vector<int64_t> sizes, strides;
      for (unsigned d = 0, rank = random() % 4; d < rank; ++d) sizes.push_back(random() % 5), strides.push_back(random() % 13);
      return view(memory.data() + 1000 + random() % 120, sizes, strides, bytes);
    };
    const int64_t bytesOfA = 1 << random() % 4, bytesOfB = 1 << random() % 4;
    auto a = make(bytesOfA), b = make(bytesOfB);
    auto first = bytesOfView(a, bytesOfA);
    bool shared = false;
    for (char *byte : bytesOfView(b, bytesOfB)) shared |= first.count(byte) != 0;
    overlapping += shared;
    ASSERT_EQ(overlap(a, b, unsigned(bytesOfA) * 8, unsigned(bytesOfB) * 8), shared) << turn;
  }
  EXPECT_GT(overlapping, 1000);
}

TEST(Overlap, WithItselfAgreesWithCounting) {
  std::mt19937 random(11);
  std::vector<char> memory(1 << 16);
  int overlapping = 0;
  for (int turn = 0; turn < 20000; ++turn) {
    std::vector<int64_t> sizes, strides;
    for (unsigned d = 0, rank = random() % 5; d < rank; ++d) sizes.push_back(1 + random() % 5), strides.push_back(random() % 30);
    auto a = view(memory.data(), sizes, strides, 1);
    const bool shared = int64_t(bytesOfView(a, 1).size()) != a.elements;
    overlapping += shared;
    ASSERT_EQ(overlapsItself(a), shared) << turn;
  }
  EXPECT_GT(overlapping, 1000);
  EXPECT_LT(overlapping, 19000);
  EXPECT_FALSE(overlapsItself(view(memory.data(), {1 << 20, 1 << 10, 64}, {1 << 17, 128, 1}, 1)));
}

TEST(Overlap, LargeInterleavedViews) {
  // Two column blocks of one huge matrix, and heads of one buffer: no search that grows with sizes.
  char *base = reinterpret_cast<char *>(uintptr_t(1) << 40);
  auto left = view(base, {1 << 20, 64}, {128, 1}, 4), right = view(base + 64 * 4, {1 << 20, 64}, {128, 1}, 4);
  EXPECT_FALSE(overlap(left, right, 32, 32));
  auto wide = view(base + 63 * 4, {1 << 20, 64}, {128, 1}, 4);
  EXPECT_TRUE(overlap(left, wide, 32, 32));
}

} // namespace
