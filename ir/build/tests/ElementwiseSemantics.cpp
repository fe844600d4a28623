//===- ir/build/tests/ElementwiseSemantics.cpp ----------------------------===//
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

const std::vector<Index> kShapes = {{0}, {1}, {13}, {3, 7}, {1, 17}, {0, 5}, {2, 3, 5}, {2, 1, 3, 11}};
std::string rankOf(const Index &shape) { return "rank=" + std::to_string(shape.size()); }

TEST(Elementwise, UnaryFunctions) {
  struct Case {
    const char *name;
    double low;
    std::function<double(double)> function;
  };
  const std::vector<Case> cases = {
      {"exp", -2, [](double x) { return std::exp(x); }},
      {"exp2", -2, [](double x) { return std::exp2(x); }},
      {"log", 0.1, [](double x) { return std::log(x); }},
      {"sqrt", 0, [](double x) { return std::sqrt(x); }},
      {"rsqrt", 0.1, [](double x) { return 1 / std::sqrt(x); }},
      {"sin", -2, [](double x) { return std::sin(x); }},
      {"cos", -2, [](double x) { return std::cos(x); }},
      {"sigmoid", -2, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", -2, [](double x) { return std::tanh(x); }},
      {"erf", -2, [](double x) { return std::erf(x); }},
      {"relu", -2, [](double x) { return activation("relu", x); }},
      {"gelu", -2, gelu},
      {"gelu_tanh", -2, [](double x) { return activation("gelu_tanh", x); }},
      {"silu", -2, [](double x) { return activation("silu", x); }},
      {"softplus", -2, [](double x) { return std::log1p(std::exp(x)); }},
      {"abs", -2, [](double x) { return std::abs(x); }},
      {"neg", -2, [](double x) { return -x; }},
      {"reciprocal", 0.1, [](double x) { return 1 / x; }},
      {"square", -2, [](double x) { return x * x; }},
  };
  for (const Case &c : cases)
    for (const char *dtype : kFloats)
      for (const Index &shape : {kShapes[2], kShapes[3]}) {
        Tensor X = random(dtypeOf(dtype), shape, c.low), Out(X.dtype, shape);
        run(c.name, dtype + ("," + rankOf(shape)), {X, Out});
        expectEqual(Out, [&](Index i) { return c.function(X.get(i)); });
      }
}

TEST(Elementwise, ExtremesStayFinite) {
  for (const char *name : {"sigmoid", "silu", "gelu", "gelu_tanh", "softplus", "tanh"}) {
    Tensor X(PANTILE_F32, {4}), Out(PANTILE_F32, {4});
    double inputs[] = {-1000, -100, 100, 1000};
    for (int i = 0; i < 4; ++i) X.set({i}, inputs[i]);
    run(name, "", {X, Out});
    bool isBounded = std::string(name) == "sigmoid" || std::string(name) == "tanh";
    for (int i = 0; i < 4; ++i)
      EXPECT_NEAR(Out(i), i < 2 ? (std::string(name) == "tanh" ? -1 : 0) : isBounded ? 1 : inputs[i], 1e-5) << name;
  }
}

TEST(Elementwise, BinaryFunctionsOfEveryShape) {
  struct Case {
    const char *name;
    std::function<double(double, double)> function;
  };
  const std::vector<Case> cases = {
      {"add", [](double x, double y) { return x + y; }},
      {"sub", [](double x, double y) { return x - y; }},
      {"mul", [](double x, double y) { return x * y; }},
      {"div", [](double x, double y) { return x / y; }},
      {"maximum", [](double x, double y) { return std::max(x, y); }},
      {"minimum", [](double x, double y) { return std::min(x, y); }},
      {"pow", [](double x, double y) { return std::pow(x, y); }},
  };
  for (const Case &c : cases)
    for (const Index &shape : kShapes) {
      Tensor X = random(PANTILE_F16, shape, 0.5), Y = random(PANTILE_F16, shape, 0.5), Out(PANTILE_F32, shape);
      run(c.name, "f16,out=f32," + rankOf(shape), {X, Y, Out});
      expectEqual(Out, [&](Index i) { return c.function(X.get(i), Y.get(i)); });
    }
}

TEST(Elementwise, IntegersStayExact) {
  Tensor X = random(PANTILE_I32, {11}, -2e9, 2e9), Y = random(PANTILE_I32, {11}, -1e8, 1e8), Out(PANTILE_I32, {11});
  run("maximum", "i32", {X, Y, Out});
  expectEqual(Out, [&](Index i) { return std::max(X.get(i), Y.get(i)); });
}

TEST(Elementwise, BroadcastsByZeroStridesAndTakesAnyStrides) {
  Tensor X = columnMajor(random(PANTILE_F32, {5, 7})), row = repeated(random(PANTILE_F32, {1, 7}), 0, 5), Out(PANTILE_F32, {5, 7});
  run("add", "rank=2", {X, row, Out});
  expectEqual(Out, [&](Index i) { return X.get(i) + row.get(i); });
}

TEST(Elementwise, Scalars) {
  for (const Index &shape : {kShapes[2], kShapes[6]}) {
    Tensor X = random(PANTILE_BF16, shape, 0.5), Out(PANTILE_BF16, shape);
    std::string options = "bf16," + rankOf(shape);
    run("add_scalar", options, {X, Out, 1.5});
    expectEqual(Out, [&](Index i) { return X.get(i) + 1.5; });
    run("mul_scalar", options, {X, Out, -3.0});
    expectEqual(Out, [&](Index i) { return X.get(i) * -3; });
    run("pow_scalar", options, {X, Out, 2.5});
    expectEqual(Out, [&](Index i) { return std::pow(X.get(i), 2.5); });
    run("clamp", options, {X, Out, 0.75, 1.25});
    expectEqual(Out, [&](Index i) { return std::min(std::max(X.get(i), 0.75), 1.25); });
  }
}

TEST(Elementwise, WhereAndSwiglu) {
  Tensor Cond = random(PANTILE_I8, {3, 7}, 0, 2), X = random(PANTILE_F16, {3, 7}), Y = random(PANTILE_F16, {3, 7}),
         Out(PANTILE_F16, {3, 7});
  run("where", "f16,rank=2", {Cond, X, Y, Out});
  expectEqual(Out, [&](Index i) { return Cond.get(i) != 0 ? X.get(i) : Y.get(i); }, 1e-12);
  run("swiglu", "f16,rank=2", {X, Y, Out});
  expectEqual(Out, [&](Index i) { return activation("silu", X.get(i)) * Y.get(i); });
}

TEST(Elementwise, CopyAndTranspose) {
  for (Index shape : {Index{0, 3}, Index{1, 1}, Index{5, 13}}) {
    Tensor X = random(PANTILE_F32, shape, -100, 100), Same = columnMajor(Tensor(PANTILE_F32, shape)), Half(PANTILE_F16, shape),
           Bytes(PANTILE_I8, shape);
    run("copy", "rank=2", {X, Same});
    expectEqual(Same, [&](Index i) { return X.get(i); }, 1e-12);
    run("copy", "rank=2,out=f16", {X, Half});
    expectEqual(Half, [&](Index i) { return X.get(i); });
    run("copy", "rank=2,out=i8", {X, Bytes});
    expectEqual(Bytes, [&](Index i) { return std::trunc(X.get(i)); });
    Tensor Out(PANTILE_F32, {shape[1], shape[0]});
    run("transpose", "", {X, Out});
    expectEqual(Out, [&](Index i) { return X(i[1], i[0]); }, 1e-12);
  }
}

} // namespace
