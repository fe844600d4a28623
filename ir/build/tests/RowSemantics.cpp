//===- ir/build/tests/RowSemantics.cpp - rows, axes, sampling -------------===//
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

const std::vector<Index> kShapes = {{1, 1}, {5, 13}, {3, 1}, {7, 2}, {0, 3}, {13, 29}};

/// The elements of a row as numbers.
std::vector<double> rowOf(const Tensor &X, int64_t m) {
  std::vector<double> row;
  for (int64_t n = 0; n < X.sizes[1]; ++n) row.push_back(X(m, n));
  return row;
}
double logSumExp(const std::vector<double> &row) {
  double sum = 0, greatest = -INFINITY;
  for (double x : row) greatest = std::max(greatest, x);
  for (double x : row) sum += std::exp(x - greatest);
  return greatest + std::log(sum);
}

TEST(Rows, Softmax) {
  for (const char *dtype : kFloats)
    for (const Index &shape : kShapes) {
      Tensor X = random(dtypeOf(dtype), shape, -9, 9), Y(X.dtype, shape);
      run("softmax", dtype, {X, Y});
      expectEqual(Y, [&](Index i) { return std::exp(X.get(i) - logSumExp(rowOf(X, i[0]))); });
      run("log_softmax", dtype, {X, Y});
      expectEqual(Y, [&](Index i) { return X.get(i) - logSumExp(rowOf(X, i[0])); });
    }
}

TEST(Rows, SoftmaxWithTemperature) {
  Tensor X = random(PANTILE_F32, {3, 11}), Y(PANTILE_F32, {3, 11});
  run("softmax", "temperature=1", {X, Y, 0.5});
  expectEqual(Y, [&](Index i) {
    std::vector<double> row = rowOf(X, i[0]);
    for (double &x : row) x *= 2;
    return std::exp(X.get(i) * 2 - logSumExp(row));
  });
}

TEST(Rows, CrossEntropy) {
  for (const char *dtype : kFloats)
    for (const Index &shape : kShapes) {
      Tensor X = random(dtypeOf(dtype), shape, -30, 30), Target = random(PANTILE_I32, {shape[0]}, 0, double(shape[1])),
             Loss(PANTILE_F32, {shape[0]});
      run("cross_entropy", dtype, {X, Target, Loss});
      expectEqual(Loss, [&](Index i) { return logSumExp(rowOf(X, i[0])) - X(i[0], int64_t(Target(i[0]))); });
    }
}

TEST(Rows, CrossEntropyTakesMaskedLogits) {
  Tensor X = random(PANTILE_F32, {2, 9}), Target(PANTILE_I32, {2}), Loss(PANTILE_F32, {2});
  for (int n = 0; n < 8; ++n) X.set({1, n}, -INFINITY);
  Target.set({0}, 3), Target.set({1}, 8);
  run("cross_entropy", "", {X, Target, Loss});
  EXPECT_NEAR(Loss(1), 0, 1e-6);
}

TEST(Rows, LayerNorm) {
  for (const char *dtype : kFloats)
    for (const Index &shape : kShapes) {
      Tensor X = random(dtypeOf(dtype), shape, -1, 3), W = random(PANTILE_F32, {shape[1]}), B = random(PANTILE_F32, {shape[1]}),
             Y(X.dtype, shape);
      run("layer_norm", std::string(dtype) + ",weights=f32", {X, W, B, Y, 1e-3});
      expectEqual(Y, [&](Index i) {
        double mean = 0, variance = 0, count = double(shape[1]);
        for (double x : rowOf(X, i[0])) mean += x / count;
        for (double x : rowOf(X, i[0])) variance += (x - mean) * (x - mean) / count;
        return (X.get(i) - mean) / std::sqrt(variance + 1e-3) * W(i[1]) + B(i[1]);
      });
    }
}

TEST(Rows, RmsNorm) {
  auto expected = [](const Tensor &X, const Tensor &W, Index i) {
    double squares = 0;
    for (double x : rowOf(X, i[0])) squares += x * x / double(X.sizes[1]);
    return X.get(i) / std::sqrt(squares + 1e-5) * W(i[1]);
  };
  for (const char *dtype : kFloats)
    for (const Index &shape : kShapes) {
      Tensor X = random(dtypeOf(dtype), shape), R = random(X.dtype, shape), W = random(X.dtype, {shape[1]}), Sum(X.dtype, shape),
             Y(X.dtype, shape);
      run("rms_norm", dtype, {X, W, Y, 1e-5});
      expectEqual(Y, [&](Index i) { return expected(X, W, i); });
      run("rms_norm", std::string(dtype) + ",residual=1", {X, R, W, Sum, Y, 1e-5});
      expectEqual(Sum, [&](Index i) { return X.get(i) + R.get(i); });
      expectEqual(Y, [&](Index i) { return expected(Sum, W, i); });
    }
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

struct AxisCase {
  Index shape;
  int axis;
};
const std::vector<AxisCase> kAxes = {{{13}, 0},      {{5, 7}, 0},       {{5, 7}, 1}, {{3, 4, 5}, 0}, {{3, 4, 5}, 1},
                                     {{3, 4, 5}, 2}, {{2, 3, 5, 4}, 1}, {{3, 1}, 1}, {{4, 29}, 1}};

std::string optionsOf(const AxisCase &c) { return "rank=" + std::to_string(c.shape.size()) + ",axis=" + std::to_string(c.axis); }
Index without(Index shape, int axis) {
  if (shape.size() == 1) return {1};
  shape.erase(shape.begin() + axis);
  return shape;
}
/// The elements of the input behind one output element.
std::vector<double> slice(const Tensor &X, const AxisCase &c, Index i) {
  if (c.shape.size() > 1) i.insert(i.begin() + c.axis, 0);
  std::vector<double> values;
  for (int64_t p = 0; p < c.shape[c.axis]; ++p) {
    i[c.axis] = p;
    values.push_back(X.get(i));
  }
  return values;
}

TEST(Axes, Reductions) {
  using Values = std::vector<double>;
  auto mean = [](const Values &v) {
    double sum = 0;
    for (double x : v) sum += x;
    return sum / double(v.size());
  };
  struct Case {
    const char *name;
    std::function<double(const Values &)> function;
  };
  const std::vector<Case> cases = {
      {"sum", [&](const Values &v) { return mean(v) * double(v.size()); }},
      {"mean", mean},
      {"max", [](const Values &v) { return *std::max_element(v.begin(), v.end()); }},
      {"min", [](const Values &v) { return *std::min_element(v.begin(), v.end()); }},
      {"variance",
       [&](const Values &v) {
         double m = mean(v), sum = 0;
         for (double x : v) sum += (x - m) * (x - m);
         return sum / double(v.size());
       }},
  };
  for (const Case &c : cases)
    for (const char *dtype : kFloats)
      for (const AxisCase &a : kAxes) {
        Tensor X = random(dtypeOf(dtype), a.shape, 10, 12), Out(PANTILE_F32, without(a.shape, a.axis));
        run(c.name, std::string(dtype) + ",out=f32," + optionsOf(a), {X, Out});
        expectEqual(Out, [&](Index i) { return c.function(slice(X, a, i)); }, 3e-5);
      }
}

TEST(Axes, EmptyOnes) {
  Tensor X(PANTILE_F32, {3, 0}), Out(PANTILE_F32, {3}), none(PANTILE_F32, {0, 4}), Nothing(PANTILE_F32, {0});
  run("sum", "", {X, Out});
  expectEqual(Out, [](Index) { return 0; });
  run("max", "", {X, Out});
  expectEqual(Out, [](Index) { return -INFINITY; });
  run("sum", "", {none, Nothing});
}

TEST(Axes, ArgmaxTakesTheFirst) {
  for (const AxisCase &a : kAxes) {
    Tensor X = random(PANTILE_F32, a.shape, 0, 3), Out(PANTILE_I32, without(a.shape, a.axis));
    forEachIndex(a.shape, [&](const Index &i) { X.set(i, std::floor(X.get(i))); });
    run("argmax", optionsOf(a), {X, Out});
    expectEqual(Out, [&](Index i) {
      std::vector<double> v = slice(X, a, i);
      return double(std::max_element(v.begin(), v.end()) - v.begin());
    });
  }
}

TEST(Axes, Cumsum) {
  for (const AxisCase &a : kAxes)
    for (int flags = 0; flags < 4; ++flags) {
      bool reverse = flags & 1, exclusive = flags & 2;
      Tensor X = random(PANTILE_F32, a.shape), Y(PANTILE_F32, a.shape);
      run("cumsum", optionsOf(a) + (reverse ? ",reverse=1" : "") + (exclusive ? ",exclusive=1" : ""), {X, Y});
      expectEqual(Y, [&](Index i) {
        double sum = 0;
        Index at = i;
        for (int64_t p = 0; p < a.shape[a.axis]; ++p) {
          at[a.axis] = p;
          bool before = reverse ? p > i[a.axis] : p < i[a.axis];
          if (before || (p == i[a.axis] && !exclusive)) sum += X.get(at);
        }
        return sum;
      });
    }
}

TEST(TopK, DescendingEqualOnesInTheirOrderNanFirst) {
  Tensor X = random(PANTILE_F32, {4, 23}), Values(PANTILE_F32, {4, 5}), Indices(PANTILE_I32, {4, 5});
  for (int n = 0; n < 23; ++n) X.set({1, n}, n % 3); // many equal
  X.set({2, 7}, NAN), X.set({2, 3}, INFINITY);
  run("topk", "k=5", {X, Values, Indices});
  for (int m = 0; m < 4; ++m) {
    std::vector<int> order(23);
    for (int n = 0; n < 23; ++n) order[size_t(n)] = n;
    auto key = [&](int n) { return std::isnan(X(m, n)) ? 1e30 : std::min(X(m, n), 1e29); };
    std::sort(order.begin(), order.end(), [&](int a, int b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(Indices(m, i), order[size_t(i)]) << m << ", " << i;
      EXPECT_TRUE(Values(m, i) == X(m, order[size_t(i)]) || (std::isnan(Values(m, i)) && std::isnan(X(m, order[size_t(i)]))))
          << m << ", " << i;
    }
  }
  Tensor few = random(PANTILE_F32, {2, 4}), some(PANTILE_F32, {2, 5}), places(PANTILE_I32, {2, 5});
  EXPECT_NE(errorOfRun("topk", "k=5", {few, some, places}).find("a row has at least k elements"), std::string::npos);
}

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

TEST(Sampling, CountBelow) {
  Tensor X(PANTILE_F32, {3, 11}), U(PANTILE_F32, {3}), Out(PANTILE_I32, {3});
  forEachIndex(X.sizes, [&](const Index &i) { X.set(i, double(i[1])); });
  U.set({0}, -0.5), U.set({1}, 4), U.set({2}, 99);
  run("count_below", "", {X, U, Out});
  EXPECT_EQ(Out(0), 0);
  EXPECT_EQ(Out(1), 5);
  EXPECT_EQ(Out(2), 10);
}

TEST(Sampling, DrawsTheColumnWhoseShareHoldsU) {
  const int rows = 20, columns = 17;
  const double temperature = 0.7;
  Tensor X = random(PANTILE_F32, {rows, columns}, -3, 3), U(PANTILE_F32, {rows}), Out(PANTILE_I32, {rows});
  for (int m = 0; m < rows; ++m) U.set({m}, m / double(rows));
  run("sample", "", {X, U, Out, temperature});
  for (int m = 0; m < rows; ++m) {
    std::vector<double> row = rowOf(X, m);
    for (double &x : row) x /= temperature;
    double before = 0, total = logSumExp(row);
    int64_t drawn = int64_t(Out(m));
    ASSERT_TRUE(drawn >= 0 && drawn < columns);
    for (int64_t n = 0; n < drawn; ++n) before += std::exp(row[n] - total);
    EXPECT_LE(before, U(m) + 1e-6);
    EXPECT_GE(before + std::exp(row[drawn] - total), U(m) - 1e-6);
  }
}

} // namespace
