//===- ir/build/tests/RandomSemantics.cpp ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/tests/Tensor.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

using namespace pantile::reference;
using namespace pantile;

namespace {

/// Philox 4x32-10 as its paper writes it: ten times two multiplications and a permutation, keys raised in between.
std::array<uint32_t, 4> philox(uint64_t seed, uint64_t position) {
  std::array<uint32_t, 4> x{uint32_t(position), uint32_t(position >> 32), 0, 0};
  std::array<uint32_t, 2> key{uint32_t(seed), uint32_t(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t(x[0]) * 0xD2511F53u, b = uint64_t(x[2]) * 0xCD9E8D57u;
    x = {uint32_t(b >> 32) ^ x[1] ^ key[0], uint32_t(b), uint32_t(a >> 32) ^ x[3] ^ key[1], uint32_t(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return x;
}
double uniform(uint64_t seed, uint64_t position, size_t word) { return double(philox(seed, position)[word] >> 8) * 0x1p-24; }

int64_t linear(const Index &sizes, const Index &i) {
  int64_t at = 0;
  for (size_t d = 0; d < sizes.size(); ++d) at = at * sizes[d] + i[d];
  return at;
}

const std::vector<Index> kShapes = {{0}, {1}, {101}, {3, 7}, {2, 3, 5}, {2, 1, 3, 11}};
std::string rankOf(const Index &shape) { return "rank=" + std::to_string(shape.size()); }

TEST(Random, PhiloxIsTheReference) {
  // Random123's known answers.
  EXPECT_EQ(philox(0, 0), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

TEST(Random, DropoutKeepsByPosition) {
  for (const char *dtype : kFloats)
    for (const Index &shape : kShapes)
      for (double rate : {0.0, 0.25, 1.0}) {
        const int64_t seed = 1234567890123;
        Tensor X = random(dtypeOf(dtype), shape), Y(X.dtype, shape);
        run("dropout", dtype + ("," + rankOf(shape)), {X, Y, rate, double(seed)});
        expectEqual(Y, [&](Index i) { return uniform(seed, uint64_t(linear(shape, i)), 0) >= rate ? X.get(i) / (1 - rate) : 0.0; });
      }
}

TEST(Random, UniformAndNormal) {
  for (const Index &shape : kShapes) {
    Tensor U(PANTILE_F32, shape), N(PANTILE_F32, shape);
    run("random_uniform", rankOf(shape), {U, -1.0, 3.0, 5.0});
    run("random_normal", rankOf(shape), {N, 2.0, 0.5, 5.0});
    expectEqual(U, [&](Index i) { return uniform(5, uint64_t(linear(shape, i)), 0) * 4 - 1; });
    expectEqual(N, [&](Index i) {
      auto at = uint64_t(linear(shape, i));
      double radius = std::sqrt(-2 * std::log(1 - uniform(5, at, 0)));
      return radius * std::cos(uniform(5, at, 1) * 2 * std::numbers::pi) * 0.5 + 2;
    });
  }
}

TEST(Random, MomentsAreThoseOfTheDistributions) {
  const int64_t count = 20000;
  Tensor U(PANTILE_F32, {count}), N(PANTILE_F32, {count});
  run("random_uniform", "", {U, 0.0, 1.0, 11.0});
  run("random_normal", "", {N, 0.0, 1.0, 11.0});
  double sum = 0, sumOfSquares = 0, normalSum = 0, normalSquares = 0;
  for (int64_t i = 0; i < count; ++i) {
    sum += U(i), sumOfSquares += U(i) * U(i);
    normalSum += N(i), normalSquares += N(i) * N(i);
    ASSERT_TRUE(U(i) >= 0 && U(i) < 1);
  }
  // Five deviations of the estimates.
  EXPECT_NEAR(sum / count, 0.5, 5 * std::sqrt(1.0 / 12 / count));
  EXPECT_NEAR(sumOfSquares / count, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / count));
  EXPECT_NEAR(normalSum / count, 0, 5 * std::sqrt(1.0 / count));
  EXPECT_NEAR(normalSquares / count, 1, 5 * std::sqrt(2.0 / count));
}

TEST(IndexAdd, RowsOfOneIdAddUp) {
  const int64_t V = 5, S = 23, D = 7;
  Tensor X = random(PANTILE_F32, {S, D}), Ids(PANTILE_I32, {S}), Table = random(PANTILE_F32, {V, D}), before = Table;
  for (int64_t s = 0; s < S; ++s) Ids.set({s}, double(s * s % 4));
  run("index_add", "", {X, Ids, Table});
  expectEqual(
      Table,
      [&](Index i) {
        double sum = before.get(i);
        for (int64_t s = 0; s < S; ++s)
          if (Ids(s) == i[0]) sum += X(s, i[1]);
        return sum;
      },
      1e-5);
}

} // namespace
