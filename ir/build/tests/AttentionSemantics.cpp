//===- ir/build/tests/AttentionSemantics.cpp - attention, embedding, rope -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/tests/Tensor.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace pantile::reference;
using namespace pantile;

namespace {

const double kScale = 0.3;

/// One query against `length` keys: softmax(scale q k) v, over the keys that are seen.
double attend(int64_t length, const std::function<double(int64_t)> &score, const std::function<bool(int64_t)> &seen,
              const std::function<double(int64_t)> &value) {
  double greatest = -INFINITY, total = 0, sum = 0;
  for (int64_t t = 0; t < length; ++t)
    if (seen(t)) greatest = std::max(greatest, score(t));
  for (int64_t t = 0; t < length; ++t)
    if (seen(t)) {
      double e = std::exp(score(t) - greatest);
      total += e;
      sum += e * value(t);
    }
  return total == 0 ? 0 : sum / total;
}

bool sees(int64_t position, int64_t key, bool causal, int64_t window) {
  if (causal && key > position) return false;
  if (window && key <= position - window) return false;
  return !(window && !causal && key >= position + window);
}

struct Case {
  int64_t b, h, hk, s, t, d;
};

TEST(Attention, CausalWindowsAndGroupsOverAGrowingCache) {
  const std::vector<Case> cases = {{1, 1, 1, 1, 1, 4}, {2, 3, 1, 5, 7, 8}, {1, 4, 2, 13, 13, 5},
                                   {1, 2, 2, 9, 4, 8}, {1, 1, 1, 0, 5, 4}, {1, 2, 1, 3, 0, 4}};
  for (const char *dtype : kFloats)
    for (const Case &c : cases)
      for (int flags = 0; flags < 8; ++flags) {
        bool causal = flags & 1, cached = flags & 4;
        int64_t window = flags & 2 ? 3 : 0, length = cached ? (c.t + 1) / 2 : c.t, group = c.h / c.hk;
        Tensor Q = random(dtypeOf(dtype), {c.b, c.h, c.s, c.d}), K = random(Q.dtype, {c.b, c.hk, c.t, c.d}),
               V = random(Q.dtype, {c.b, c.hk, c.t, c.d});
        Tensor O(PANTILE_F32, {c.b, c.h, c.s, c.d});
        std::vector<Argument> arguments = {Q, K, V, O, kScale};
        if (window) arguments.push_back(double(window));
        if (cached) arguments.push_back(double(length));
        run("attention",
            std::string(dtype) + ",out=f32" + (causal ? ",causal=1" : "") + (window ? ",window=1" : "") + (cached ? ",kv_length=1" : ""),
            arguments);
        auto expected = [&](Index i) {
          int64_t kh = i[1] / group, position = i[2] + length - c.s;
          auto score = [&](int64_t t) {
            double sum = 0;
            for (int64_t d = 0; d < c.d; ++d) sum += Q(i[0], i[1], i[2], d) * K(i[0], kh, t, d);
            return sum * kScale;
          };
          return attend(
              length, score, [&](int64_t t) { return sees(position, t, causal, window); }, [&](int64_t t) { return V(i[0], kh, t, i[3]); });
        };
        expectEqual(O, expected, Q.dtype == PANTILE_F32 ? 2e-5 : Q.dtype == PANTILE_F16 ? 3e-3 : 2e-2);
      }
}

TEST(Attention, PackedSequences) {
  const std::vector<int64_t> cuQ = {0, 5, 5, 6, 17}, cuK = {0, 7, 9, 10, 16};
  const int64_t h = 4, hk = 2, d = 8;
  for (int flags = 0; flags < 4; ++flags) {
    bool causal = flags & 1;
    int64_t window = flags & 2 ? 4 : 0;
    Tensor Q = random(PANTILE_F32, {17, h, d}), K = random(PANTILE_F32, {16, hk, d}), V = random(PANTILE_F32, {16, hk, d}),
           O(PANTILE_F32, {17, h, d});
    Tensor CuQ(PANTILE_I32, {5}), CuK(PANTILE_I32, {5});
    for (int i = 0; i < 5; ++i) CuQ.set({i}, double(cuQ[i])), CuK.set({i}, double(cuK[i]));
    std::vector<Argument> arguments = {Q, K, V, CuQ, CuK, O, kScale, 11.0};
    if (window) arguments.push_back(double(window));
    run("attention", std::string("varlen=1") + (causal ? ",causal=1" : "") + (window ? ",window=1" : ""), arguments);
    expectEqual(
        O,
        [&](Index i) {
          int b = 0;
          while (cuQ[b + 1] <= i[0]) ++b;
          int64_t length = cuK[b + 1] - cuK[b], position = i[0] - cuQ[b] + length - (cuQ[b + 1] - cuQ[b]), kh = i[1] / (h / hk);
          auto score = [&](int64_t t) {
            double sum = 0;
            for (int64_t x = 0; x < d; ++x) sum += Q(i[0], i[1], x) * K(cuK[b] + t, kh, x);
            return sum * kScale;
          };
          return attend(
              length, score, [&](int64_t t) { return sees(position, t, causal, window); },
              [&](int64_t t) { return V(cuK[b] + t, kh, i[2]); });
        },
        2e-5);
  }
}

TEST(Attention, Decode) {
  for (const char *dtype : kFloats)
    for (const Case &c : std::vector<Case>{{1, 1, 1, 1, 1, 4}, {2, 6, 2, 1, 13, 8}, {1, 3, 1, 1, 29, 5}, {1, 2, 1, 1, 0, 4}})
      for (int flags = 0; flags < 4; ++flags) {
        int64_t window = flags & 1 ? 5 : 0, length = flags & 2 ? (c.t + 1) / 2 : c.t;
        Tensor Q = random(dtypeOf(dtype), {c.b, c.h, c.d}), K = random(Q.dtype, {c.b, c.hk, c.t, c.d}),
               V = random(Q.dtype, {c.b, c.hk, c.t, c.d}), O(PANTILE_F32, {c.b, c.h, c.d});
        std::vector<Argument> arguments = {Q, K, V, O, kScale};
        if (window) arguments.push_back(double(window));
        if (flags & 2) arguments.push_back(double(length));
        run("attention_decode", std::string(dtype) + ",out=f32" + (window ? ",window=1" : "") + (flags & 2 ? ",kv_length=1" : ""),
            arguments);
        expectEqual(
            O,
            [&](Index i) {
              int64_t kh = i[1] / (c.h / c.hk);
              auto score = [&](int64_t t) {
                double sum = 0;
                for (int64_t d = 0; d < c.d; ++d) sum += Q(i[0], i[1], d) * K(i[0], kh, t, d);
                return sum * kScale;
              };
              return attend(
                  length, score, [&](int64_t t) { return sees(length - 1, t, true, window); },
                  [&](int64_t t) { return V(i[0], kh, t, i[2]); });
            },
            2e-5);
      }
}

TEST(Embedding, PicksRows) {
  for (int64_t rows : {0, 1, 7}) {
    Tensor Table = random(PANTILE_BF16, {11, 13}), Ids = random(PANTILE_I32, {rows}, 0, 11), Out(PANTILE_F32, {rows, 13});
    run("embedding", "bf16,out=f32", {Table, Ids, Out});
    expectEqual(Out, [&](Index i) { return Table(int64_t(Ids(i[0])), i[1]); }, 1e-12);
  }
}

TEST(Rope, BothStylesByTableAndByTheta) {
  const int64_t s = 5, h = 3, positions = 40;
  const double theta = 10000;
  for (int64_t half : {1, 7})
    for (int flags = 0; flags < 8; ++flags) {
      bool interleaved = flags & 1, fromStart = flags & 2, tables = flags & 4;
      Tensor X = random(PANTILE_F32, {s, h, 2 * half}), Y(PANTILE_F32, {s, h, 2 * half}),
             Positions = random(PANTILE_I32, {s}, 0, positions);
      Tensor Cos(PANTILE_F32, {positions, half}), Sin(PANTILE_F32, {positions, half});
      auto angle = [&](int64_t position, int64_t j) { return double(position) * std::pow(theta, -double(j) / double(half)); };
      forEachIndex(Cos.sizes, [&](const Index &i) { Cos.set(i, std::cos(angle(i[0], i[1]))), Sin.set(i, std::sin(angle(i[0], i[1]))); });
      std::vector<Argument> arguments = {X};
      if (fromStart)
        arguments.push_back(30.0);
      else
        arguments.push_back(Positions);
      if (tables)
        arguments.insert(arguments.end(), {Cos, Sin});
      else
        arguments.push_back(theta);
      arguments.push_back(Y);
      run("rope",
          std::string(interleaved ? "style=interleaved" : "style=half") + (fromStart ? ",start=1" : "") + (tables ? "" : ",tables=0"),
          arguments);
      expectEqual(
          Y,
          [&](Index i) {
            int64_t j = interleaved ? i[2] / 2 : i[2] % half;
            bool second = interleaved ? i[2] % 2 : i[2] >= half;
            double a = X(i[0], i[1], interleaved ? 2 * j : j), b = X(i[0], i[1], interleaved ? 2 * j + 1 : j + half);
            double turn = angle(fromStart ? 30 + i[0] : int64_t(Positions(i[0])), j);
            return second ? b * std::cos(turn) + a * std::sin(turn) : a * std::cos(turn) - b * std::sin(turn);
          },
          3e-5);
    }
}

} // namespace
