//===- ir/interpret/tests/InterpretTest.cpp - one behaviour a test --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/tests/HostArray.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

using namespace pantile;
using namespace pantile::testing;
using Values = std::vector<double>;

namespace {

const double nan_ = std::nan(""), inf = HUGE_VAL;

void expectEqual(const Values &found, const Values &expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(found[i])) << "element " << i << " is " << found[i];
    else
      EXPECT_EQ(found[i], expected[i]) << "element " << i;
  }
}

Status blocks(const std::string &text, std::vector<HostArgument> arguments, const std::string &configuration) {
  InterpretOptions options;
  options.blocks = *Configuration::fromText(configuration);
  return runText(text, std::move(arguments), options);
}

/// Y[i] = body of %x (and %z from Z) for one dtype.
std::string elementwise(const std::string &from, const std::string &to, const std::string &body) {
  return "!t = tensor<?x" + from + ", #tile.dims<@b>>\n!u = tensor<?x" + to + ", #tile.dims<@b>>\n" + "tile.kernel @k(%X: !tile.view<?x" +
         from + ">, %Z: !tile.view<?x" + from + ">, %Y: !tile.view<?x" + to + ">) {\n" +
         "  %N = tile.dim %Y, 0\n  tile.parallel %i in %N by @b {\n" +
         "    %x = tile.load %X[%i] : !t\n    %z = tile.load %Z[%i] : !t\n    " + body + "\n    tile.store %y, %Y[%i]\n  }\n}\n";
}

Values run(const std::string &text, DType from, DType to, Values x, Values z) {
  HostArray X(from, {int64_t(x.size())}, x), Z(from, {int64_t(x.size())}, z.empty() ? x : z), Y(to, {int64_t(x.size())});
  Status status = runText(text, {X, Z, Y});
  EXPECT_TRUE(status.isOk()) << status.message();
  return Y.values();
}

} // namespace

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

TEST(Interpret, RoundsFloatsToTheirDType) {
  auto add = [](const char *type) { return elementwise(type, type, "%y = arith.addf %x, %z : !t"); };
  expectEqual(run(add("f16"), PANTILE_F16, PANTILE_F16, {2048, 65504}, {1, 65504}), {2048, inf});
  expectEqual(run(add("bf16"), PANTILE_BF16, PANTILE_BF16, {256, 1}, {1, 0.0078125}), {256, 1.0078125});
  expectEqual(run(add("f32"), PANTILE_F32, PANTILE_F32, {16777216, nan_, inf}, {1, 1, -inf}), {16777216, nan_, nan_});
  expectEqual(run(add("f64"), PANTILE_F64, PANTILE_F64, {16777216}, {1}), {16777217});
}

TEST(Interpret, WrapsIntegersByTheirWidth) {
  auto add = [](const char *type) { return elementwise(type, type, "%y = arith.addi %x, %z : !t"); };
  expectEqual(run(add("i4"), PANTILE_I4, PANTILE_I4, {7, -8, 3}, {1, -1, 2}), {-8, 7, 5});
  expectEqual(run(add("i8"), PANTILE_I8, PANTILE_I8, {127}, {1}), {-128});
  expectEqual(run(add("i16"), PANTILE_I16, PANTILE_I16, {32767}, {1}), {-32768});
  expectEqual(run(add("i32"), PANTILE_I32, PANTILE_I32, {2147483647.0}, {1}), {-2147483648.0});
  expectEqual(run(elementwise("i8", "i8", "%y = arith.divui %x, %z : !t"), PANTILE_I8, PANTILE_I8, {-1, -128}, {2, 2}), {127, 64});
  expectEqual(run(elementwise("i8", "i8", "%y = arith.shrui %x, %z : !t"), PANTILE_I8, PANTILE_I8, {-1, -128}, {4, 9}), {15, 0});
  expectEqual(run(elementwise("i32", "i32", "%y = arith.floordivsi %x, %z : !t"), PANTILE_I32, PANTILE_I32, {-7, 7, -8}, {2, -2, 2}),
              {-4, -4, -4});
}

TEST(Interpret, MaximumPropagatesNanAndMaxnumDoesNot) {
  expectEqual(run(elementwise("f32", "f32", "%y = arith.maximumf %x, %z : !t"), PANTILE_F32, PANTILE_F32, {nan_, 1, -inf}, {1, nan_, 2}),
              {nan_, nan_, 2});
  expectEqual(run(elementwise("f32", "f32", "%y = arith.maxnumf %x, %z : !t"), PANTILE_F32, PANTILE_F32, {nan_, 1, 3}, {1, nan_, 2}),
              {1, 1, 3});
}

TEST(Interpret, ComparisonsOrderNan) {
  auto compare = [](const std::string &predicate) { return elementwise("f32", "i1", "%y = arith.cmpf " + predicate + ", %x, %z : !t"); };
  Values x{1, nan_, 2}, z{2, 1, 2};
  expectEqual(run(compare("olt"), PANTILE_F32, PANTILE_I1, x, z), {1, 0, 0});
  expectEqual(run(compare("ult"), PANTILE_F32, PANTILE_I1, x, z), {1, 1, 0});
  expectEqual(run(compare("une"), PANTILE_F32, PANTILE_I1, x, z), {1, 1, 0});
  expectEqual(run(compare("oge"), PANTILE_F32, PANTILE_I1, x, z), {0, 0, 1});
  expectEqual(run(elementwise("i8", "i1", "%y = arith.cmpi ult, %x, %z : !t"), PANTILE_I8, PANTILE_I1, {-1, 1}, {1, 2}), {0, 1});
  expectEqual(run(elementwise("i8", "i1", "%y = arith.cmpi slt, %x, %z : !t"), PANTILE_I8, PANTILE_I1, {-1, 1}, {1, 1}), {1, 0});
}

TEST(Interpret, CastsSaturateRoundAndExtend) {
  auto cast = [](const std::string &from, const std::string &to, const std::string &word = "") {
    return elementwise(from, to, "%y = tile.cast %x " + word + " : !t -> !u");
  };
  expectEqual(run(cast("f32", "i8"), PANTILE_F32, PANTILE_I8, {1.9, -1.9, 300, -inf, nan_}, {}), {1, -1, 127, -128, 0});
  expectEqual(run(cast("f32", "i8", "unsigned"), PANTILE_F32, PANTILE_I8, {200, -5, 1e9}, {}), {-56, 0, -1});
  expectEqual(run(cast("i8", "f32", "unsigned"), PANTILE_I8, PANTILE_F32, {-1, 5}, {}), {255, 5});
  expectEqual(run(cast("i8", "i32"), PANTILE_I8, PANTILE_I32, {-1, 5}, {}), {-1, 5});
  expectEqual(run(cast("i1", "i32"), PANTILE_I1, PANTILE_I32, {1, 0}, {}), {1, 0});
  expectEqual(run(cast("f32", "f8E4M3FN"), PANTILE_F32, PANTILE_F8E4M3FN, {1000, -1000, 17, nan_, 0.001953125, 464}, {}),
              {448, -448, 16, nan_, 0.001953125, 448});
  expectEqual(run(cast("f32", "f8E5M2"), PANTILE_F32, PANTILE_F8E5M2, {1e9, inf, 3.1, 1e-9}, {}), {57344, inf, 3, 0});
  expectEqual(run(cast("f32", "f8E4M3FNUZ"), PANTILE_F32, PANTILE_F8E4M3FNUZ, {-0.0, 300, nan_}, {}), {0, 240, nan_});
  expectEqual(run(cast("f32", "f4E2M1FN"), PANTILE_F32, PANTILE_F4E2M1FN, {0.25, 0.75, 2.5, 5, 100, -0.6}, {}), {0, 1, 2, 4, 6, -0.5});
  expectEqual(run(cast("f64", "f16"), PANTILE_F64, PANTILE_F16, {1 + std::ldexp(1, -11) + std::ldexp(1, -40)}, {}),
              {1 + std::ldexp(1, -10)});
  expectEqual(run(elementwise("i1", "i32", "%y = arith.extsi %x : !t to !u"), PANTILE_I1, PANTILE_I32, {1, 0}, {}), {-1, 0});
  expectEqual(run(elementwise("f32", "i32", "%y = arith.bitcast %x : !t to !u"), PANTILE_F32, PANTILE_I32, {1}, {}), {1065353216});
}

TEST(Interpret, MathRoundsOnce) {
  auto unary = [](const std::string &name) { return elementwise("f32", "f32", "%y = math." + name + " %x : !t"); };
  expectEqual(run(unary("exp"), PANTILE_F32, PANTILE_F32, {0, 1, -inf, nan_}, {}), {1, double(float(std::exp(1.0))), 0, nan_});
  expectEqual(run(unary("rsqrt"), PANTILE_F32, PANTILE_F32, {4, 0}, {}), {0.5, inf});
  expectEqual(run(unary("erf"), PANTILE_F32, PANTILE_F32, {0, inf}, {}), {0, 1});
  expectEqual(run(elementwise("f32", "f32", "%y = math.fma %x, %z, %x : !t"), PANTILE_F32, PANTILE_F32, {2}, {3}), {8});
}

TEST(Interpret, EveryDTypeSurvivesLoadAndStore) {
  for (auto [name, dtype] : std::vector<std::pair<std::string, DType>>{{"f16", PANTILE_F16},
                                                                       {"bf16", PANTILE_BF16},
                                                                       {"f32", PANTILE_F32},
                                                                       {"f64", PANTILE_F64},
                                                                       {"f8E4M3FN", PANTILE_F8E4M3FN},
                                                                       {"f8E5M2", PANTILE_F8E5M2},
                                                                       {"f8E4M3FNUZ", PANTILE_F8E4M3FNUZ},
                                                                       {"f8E5M2FNUZ", PANTILE_F8E5M2FNUZ},
                                                                       {"f4E2M1FN", PANTILE_F4E2M1FN},
                                                                       {"i4", PANTILE_I4},
                                                                       {"i8", PANTILE_I8},
                                                                       {"i16", PANTILE_I16},
                                                                       {"i32", PANTILE_I32},
                                                                       {"i64", PANTILE_I64}}) {
    SCOPED_TRACE(name);
    expectEqual(run(elementwise(name, name, "%y = tile.cast %x : !t -> !t"), dtype, dtype, {1, -2, 3, 0, 4, -6, 2}, {}),
                {1, -2, 3, 0, 4, -6, 2});
  }
}

//===----------------------------------------------------------------------===//
// Ranges, loops, edges
//===----------------------------------------------------------------------===//

static const char *kMatmul = R"(
!a = tensor<?x?xf32, #tile.dims<@bm, @bk>>
!b = tensor<?x?xf32, #tile.dims<@bk, @bn>>
!c = tensor<?x?xf32, #tile.dims<@bm, @bn>>
tile.kernel @matmul(%A: !tile.view<?x?xf32> {tile.sizes = ["M", "K"]}, %B: !tile.view<?x?xf32> {tile.sizes = ["K", "N"]},
                    %C: !tile.view<?x?xf32> {tile.sizes = ["M", "N"]}) {
  %M = tile.dim %C, 0
  %N = tile.dim %C, 1
  %K = tile.dim %A, 1
  tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn) {
    %zero = arith.constant 0.0 : f32
    %init = tile.splat %zero : !c
    %sum = tile.loop %p in %K by @bk carry(%s = %init : !c) associative {
      %x = tile.load %A[%i, %p] : !a
      %y = tile.load %B[%p, %j] : !b
      %d = tile.dot %x, %y, %s : !a, !b -> !c
      tile.yield %d : !c
    }
    tile.store %sum, %C[%i, %j]
  }
})";

TEST(Interpret, MatmulOfEverySmallShape) {
  for (int64_t m : {0, 1, 3, 7})
    for (int64_t n : {0, 1, 4, 9})
      for (int64_t k : {0, 1, 5, 11}) {
        HostArray A(PANTILE_F32, {m, k}, ramp(m * k, 0.5, -3)), B(PANTILE_F32, {k, n}, ramp(k * n, 1, -7)), C(PANTILE_F32, {m, n});
        Status status = runText(kMatmul, {A, B, C});
        ASSERT_TRUE(status.isOk()) << status.message();
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (int64_t p = 0; p < k; ++p) sum += A.at(i * k + p) * B.at(p * n + j);
            EXPECT_EQ(C.at(i * n + j), sum) << m << "x" << n << "x" << k << " at " << i << ", " << j;
          }
      }
}

TEST(Interpret, AccumulatesInDoubleOrAsDeclared) {
  HostArray A(PANTILE_F32, {1, 3}, {16777216, 1, 1}), B(PANTILE_F32, {3, 1}, {1, 1, 1}), C(PANTILE_F32, {1, 1});
  InterpretOptions options;
  options.blocks.set("bk", int64_t(8));
  ASSERT_TRUE(runText(kMatmul, {A, B, C}, options).isOk());
  EXPECT_EQ(C.at(0), 16777218);
  options.accumulate = InterpretOptions::Accumulate::Declared;
  ASSERT_TRUE(runText(kMatmul, {A, B, C}, options).isOk());
  EXPECT_EQ(C.at(0), 16777216);
}

TEST(Interpret, SamplesKeepEveryClassOfBlock) {
  HostArray A(PANTILE_F32, {40, 2}, ramp(80)), B(PANTILE_F32, {2, 40}, ramp(80)), C(PANTILE_F32, {40, 40});
  InterpretReport report;
  InterpretOptions options;
  options.samples = 4;
  options.seed = 7;
  options.report = &report;
  options.blocks = *Configuration::fromText("{bm = 3, bn = 3, bk = 3}");
  ASSERT_TRUE(runText(kMatmul, {A, B, C}, options).isOk());
  EXPECT_TRUE(report.sampled);
  EXPECT_GE(report.programs, 9u);
  EXPECT_LE(report.programs, 13u);
  auto wrote = [&](int64_t i, int64_t j) {
    for (const WrittenBox &box : report.written)
      if (box.argument == 2 && i >= box.begin[0] && i < box.begin[0] + box.count[0] && j >= box.begin[1] && j < box.begin[1] + box.count[1])
        return true;
    return false;
  };
  EXPECT_TRUE(wrote(0, 0) && wrote(39, 39) && wrote(0, 39) && wrote(39, 0));
  double at00 = C.at(0), expected = A.at(0) * B.at(0) + A.at(1) * B.at(40);
  EXPECT_EQ(at00, expected);
}

TEST(Interpret, RangesKnowBeginEndIdAndPositions) {
  std::string text = R"(
!t = tensor<?xi32, #tile.dims<@b>>
tile.kernel @k(%Y: !tile.view<?x4xi32>) {
  %N = tile.dim %Y, 0
  %c2 = arith.constant 2 : index
  tile.parallel %i from %c2 to %N by @b {
    %b = tile.begin %i : !tile.range<@b>
    %e = tile.end %i : !tile.range<@b>
    %n = tile.id %i : !tile.range<@b>
    %p = tile.index %i : !tile.range<@b> -> !t
    %b32 = arith.index_cast %b : index to i32
    %e32 = arith.index_cast %e : index to i32
    %n32 = arith.index_cast %n : index to i32
    %bt = tile.splat %b32 : !t
    %et = tile.splat %e32 : !t
    %nt = tile.splat %n32 : !t
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    tile.store %bt, %Y[%i, %c0]
    tile.store %et, %Y[%i, %c1]
    tile.store %nt, %Y[%i, %c2]
    tile.store %p, %Y[%i, %c3]
  }
})";
  HostArray Y(PANTILE_I32, {7, 4}, Values(28, -1));
  Status status = blocks(text, {Y}, "{b = 3}");
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(Y.values(), {-1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 0, 2, 2, 5, 0, 3, 2, 5, 0, 4, 5, 7, 1, 5, 5, 7, 1, 6});
}

TEST(Interpret, PhasesShareAWorkspace) {
  std::string text = R"(
!t = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%X: !tile.view<?xf32> {tile.sizes = ["N"]}, %Y: !tile.view<?xf32> {tile.sizes = ["N"]}) {
  %N = tile.dim %X, 0
  %w = tile.workspace(%N) : !tile.view<?xf32>
  tile.parallel %i in %N by @b {
    %x = tile.load %X[%i] : !t
    %d = arith.addf %x, %x : !t
    tile.store %d, %w[%i]
  }
  tile.parallel %i in %N by @c {
    %x = tile.load %w[%i] : tensor<?xf32, #tile.dims<@c>>
    tile.store %x, %Y[%i]
  }
})";
  HostArray X(PANTILE_F32, {7}, ramp(7)), Y(PANTILE_F32, {7});
  Status status = runText(text, {X, Y});
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(Y.values(), ramp(7, 2));
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

static std::string rows(const std::string &type, const std::string &body, const std::string &out = "") {
  std::string to = out.empty() ? type : out;
  return "!r = tensor<?x?x" + type + ", #tile.dims<@b, @n>>\n!c = tensor<?x" + to +
         ", #tile.dims<@b>>\n!i = tensor<?x?xi32, #tile.dims<@b, @n>>\n" + "tile.kernel @k(%X: !tile.view<?x?x" + type +
         ">, %Y: !tile.view<?x" + to + ">) {\n  %M = tile.dim %X, 0\n  tile.parallel %i in %M by @b {\n" +
         "    %x = tile.load %X[%i, full @n] : !r\n    " + body + "\n    tile.store %y, %Y[%i]\n  }\n}\n";
}

TEST(Interpret, ReducesLogicalElementsOnly) {
  HostArray X(PANTILE_F32, {4, 3}, {1, 2, 3, -1, -2, -3, nan_, 0, 1, inf, 1, 1}), Y(PANTILE_F32, {4});
  auto reduce = [&](const std::string &kind) {
    Status status = runText(rows("f32", "%y = tile.reduce " + kind + " %x over 1 : !r -> !c"), {X, Y});
    EXPECT_TRUE(status.isOk()) << status.message();
    return Y.values();
  };
  expectEqual(reduce("addf"), {6, -6, nan_, inf});
  expectEqual(reduce("mulf"), {6, -6, nan_, inf});
  expectEqual(reduce("maximumf"), {3, -1, nan_, inf});
  expectEqual(reduce("minimumf"), {1, -3, nan_, 1});
  expectEqual(reduce("maxnumf"), {3, -1, 1, inf});
}

TEST(Interpret, ReductionOfNothingIsTheIdentity) {
  HostArray X(PANTILE_F32, {2, 0}), Y(PANTILE_F32, {2});
  for (auto [kind, identity] :
       std::vector<std::pair<std::string, double>>{{"addf", 0}, {"mulf", 1}, {"maximumf", -inf}, {"minnumf", inf}}) {
    ASSERT_TRUE(runText(rows("f32", "%y = tile.reduce " + kind + " %x over 1 : !r -> !c"), {X, Y}).isOk());
    expectEqual(Y.values(), {identity, identity});
  }
  HostArray I(PANTILE_I8, {2, 0}), J(PANTILE_I8, {2});
  for (auto [kind, identity] : std::vector<std::pair<std::string, double>>{
           {"addi", 0}, {"muli", 1}, {"maxsi", -128}, {"minsi", 127}, {"maxui", 0}, {"minui", -1}, {"andi", -1}, {"ori", 0}, {"xori", 0}}) {
    SCOPED_TRACE(kind);
    ASSERT_TRUE(runText(rows("i8", "%y = tile.reduce " + kind + " %x over 1 : !r -> !c"), {I, J}).isOk());
    expectEqual(J.values(), {identity, identity});
  }
}

TEST(Interpret, GeneralReductionFindsTheFirstMaximum) {
  std::string body = R"(%row = tile.iota : tensor<?xi32, #tile.dims<@n>>
    %at = tile.broadcast %row along 0 : tensor<?xi32, #tile.dims<@n>> -> !i
    %low = arith.constant 0xFF800000 : f32
    %none = arith.constant 2147483647 : i32
    %m, %y = tile.reduce (%x, %at) over 1 init(%low, %none) : !r, !i -> tensor<?xf32, #tile.dims<@b>>, !c {
    ^bb0(%xl: f32, %il: i32, %xr: f32, %ir: i32):
      %gt = arith.cmpf ogt, %xl, %xr : f32
      %eq = arith.cmpf oeq, %xl, %xr : f32
      %lt = arith.cmpi slt, %il, %ir : i32
      %tie = arith.andi %eq, %lt : i1
      %take = arith.ori %gt, %tie : i1
      %v = arith.select %take, %xl, %xr : f32
      %p = arith.select %take, %il, %ir : i32
      tile.yield %v, %p : f32, i32
    })";
  HostArray X(PANTILE_F32, {2, 5}, {1, 9, 3, 9, 2, -5, -7, -1, -2, -3}), Y(PANTILE_I32, {2});
  Status status = runText(rows("f32", body, "i32"), {X, Y});
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(Y.values(), {1, 2});
}

static std::string scanOf(const std::string &words) {
  return "!r = tensor<?x?xi32, #tile.dims<@b, @n>>\ntile.kernel @k(%X: !tile.view<?x?xi32>, %Y: !tile.view<?x?xi32>) {\n  %M = tile.dim "
         "%X, 0\n"
         "  tile.parallel %i in %M by @b {\n    %x = tile.load %X[%i, full @n] : !r\n    %y = tile.scan addi %x over 1 " +
         words + " : !r\n    tile.store %y, %Y[%i, full @n]\n  }\n}\n";
}

TEST(Interpret, ScansForwardBackwardExclusive) {
  HostArray X(PANTILE_I32, {1, 4}, {1, 2, 3, 4}), Y(PANTILE_I32, {1, 4});
  auto scan = [&](const std::string &words) {
    Status status = runText(scanOf(words), {X, Y});
    EXPECT_TRUE(status.isOk()) << status.message();
    return Y.values();
  };
  expectEqual(scan(""), {1, 3, 6, 10});
  expectEqual(scan("exclusive"), {0, 1, 3, 6});
  expectEqual(scan("reverse"), {10, 9, 7, 4});
  expectEqual(scan("reverse exclusive"), {9, 7, 4, 0});
}

//===----------------------------------------------------------------------===//
// Shapes, gathers, pads
//===----------------------------------------------------------------------===//

TEST(Interpret, ShapesMoveElements) {
  std::string text = R"(
!s = tensor<2x3xi32, #tile.dims<2, 3>>
!t = tensor<3x2xi32, #tile.dims<3, 2>>
tile.kernel @k(%X: !tile.view<2x3xi32>, %T: !tile.view<3x2xi32>, %R: !tile.view<3x2xi32>, %C: !tile.view<2x6xi32>, %J: !tile.view<2x3x2xi32>, %S: !tile.view<2x3xi32>) {
  %one = arith.constant 1 : index
  tile.parallel %i in %one by 1 {
    %x = tile.load %X[full 2, full 3] : !s
    %t = tile.transpose %x by [1, 0] : !s -> !t
    tile.store %t, %T[full 3, full 2]
    %r = tile.reshape %x : !s -> !t
    tile.store %r, %R[full 3, full 2]
    %c = tile.cat %x, %x along 1 : !s, !s -> tensor<2x6xi32, #tile.dims<2, 6>>
    tile.store %c, %C[full 2, full 6]
    %d = arith.addi %x, %x : !s
    %j = tile.join %x, %d : !s -> tensor<2x3x2xi32, #tile.dims<2, 3, 2>>
    tile.store %j, %J[full 2, full 3, full 2]
    %a, %b = tile.split %j : tensor<2x3x2xi32, #tile.dims<2, 3, 2>> -> !s
    tile.store %b, %S[full 2, full 3]
  }
})";
  HostArray X(PANTILE_I32, {2, 3}, ramp(6)), T(PANTILE_I32, {3, 2}), R(PANTILE_I32, {3, 2}), C(PANTILE_I32, {2, 6}),
      J(PANTILE_I32, {2, 3, 2}), S(PANTILE_I32, {2, 3});
  Status status = runText(text, {X, T, R, C, J, S});
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(T.values(), {0, 3, 1, 4, 2, 5});
  expectEqual(R.values(), ramp(6));
  expectEqual(C.values(), {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  expectEqual(J.values(), {0, 0, 1, 2, 2, 4, 3, 6, 4, 8, 5, 10});
  expectEqual(S.values(), ramp(6, 2));
}

static const char *kGather = R"(
!i = tensor<?xi32, #tile.dims<@b>>
!m = tensor<?xi1, #tile.dims<@b>>
!t = tensor<?x?xf32, #tile.dims<@b, @d>>
tile.kernel @k(%T: !tile.view<?x?xf32> {tile.sizes = ["V", "D"]}, %I: !tile.view<?xi32> {tile.sizes = ["S"]}, %Y: !tile.view<?x?xf32> {tile.sizes = ["S", "D"]},
               %Z: !tile.view<?x?xf32> {tile.sizes = ["V", "D"]}) {
  %S = tile.dim %I, 0
  tile.parallel %s in %S by @b {
    %ids = tile.load %I[%s] : !i
    %c3 = arith.constant 3 : i32
    %three = tile.splat %c3 : !i
    %m = arith.cmpi ne, %ids, %three : !i
    %pad = arith.constant -1.0 : f32
    %g = tile.gather %T[%ids, full @d] mask %m pad %pad : !t
    tile.store %g, %Y[%s, full @d]
    tile.scatter %g, %Z[%ids, full @d] mask %m : !t
  }
})";

TEST(Interpret, AtomicsCountEveryElement) {
  const char *text = R"(
!i = tensor<?xi32, #tile.dims<@b>>
!m = tensor<?xi1, #tile.dims<@b>>
!t = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%X: !tile.view<?xf32> {tile.sizes = ["S"]}, %I: !tile.view<?xi32> {tile.sizes = ["S"]}, %Y: !tile.view<?xf32>,
               %R: !tile.view<?xf32> {tile.sizes = ["S"]}, %N: !tile.view<?xi32>) {
  %S = tile.dim %I, 0
  tile.parallel %s in %S by @b {
    %ids = tile.load %I[%s] : !i
    %x = tile.load %X[%s] : !t
    %c3 = arith.constant 3 : i32
    %three = tile.splat %c3 : !i
    %m = arith.cmpi ne, %ids, %three : !i
    tile.atomic_rmw addf %x, %Y[%ids] mask %m : !t
    tile.atomic_rmw maximumf %x, %R[%s] : !t
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : i32
    %old = tile.atomic_rmw addi %one, %N[%zero] : i32
    %id = tile.id %s : !tile.range<@b>
    %next = arith.addi %id, %zero : index
    %place = arith.constant 1 : index
    %i = arith.addi %next, %place : index
    tile.store %old, %N[%i]
  }
})";
  HostArray X(PANTILE_F32, {5}, {1, 2, 3, 4, 5}), I(PANTILE_I32, {5}, {1, 0, 3, 1, 9}), Y(PANTILE_F32, {4}, {10, 20, 30, 40}),
      R(PANTILE_F32, {5}, {0, 7, nan_, 4, 9}), N(PANTILE_I32, {4}, {100, 0, 0, 0});
  Status status = blocks(text, {X, I, Y, R, N}, "{b = 2}");
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(Y.values(), {12, 25, 30, 40}); // id 3 is masked, id 9 outside
  expectEqual(R.values(), {1, 7, nan_, 4, 9});
  expectEqual(N.values(), {103, 100, 101, 102});
}

TEST(Interpret, TopKOrdersLogicalElements) {
  const char *text = R"(
!t = tensor<?x?xf32, #tile.dims<@b, @n>>
!i = tensor<?x?xi32, #tile.dims<@b, @n>>
tile.kernel @k(%X: !tile.view<?x?xf32> {tile.sizes = ["M", "N"]}, %V: !tile.view<?x2xf32> {tile.sizes = ["M", "2"]},
               %P: !tile.view<?x2xi32> {tile.sizes = ["M", "2"]}, %S: !tile.view<?x?xi32> {tile.sizes = ["M", "N"]}) {
  %M = tile.dim %X, 0
  tile.parallel %i in %M by @b {
    %x = tile.load %X[%i, full @n] : !t
    %v, %p = tile.topk %x over 1 : !t -> tensor<?x2xf32, #tile.dims<@b, 2>>, tensor<?x2xi32, #tile.dims<@b, 2>>
    %all, %order = tile.topk %x over 1 : !t -> !t, !i
    tile.store %v, %V[%i, full 2]
    tile.store %p, %P[%i, full 2]
    tile.store %order, %S[%i, full @n]
  }
})";
  HostArray X(PANTILE_F32, {3, 3}, {1, 3, 3, -inf, nan_, 5, 0, -1, -2}), V(PANTILE_F32, {3, 2}), P(PANTILE_I32, {3, 2}),
      S(PANTILE_I32, {3, 3});
  Status status = blocks(text, {X, V, P, S}, "{b = 2}");
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(V.values(), {3, 3, nan_, 5, 0, -1});
  expectEqual(P.values(), {1, 2, 1, 2, 0, 1});
  expectEqual(S.values(), {1, 2, 0, 1, 2, 0, 0, 1, 2});
  HostArray few(PANTILE_F32, {1, 1}, {1}), v(PANTILE_F32, {1, 2}), p(PANTILE_I32, {1, 2}), s(PANTILE_I32, {1, 1});
  EXPECT_NE(runText(text, {few, v, p, s}).message().find("tile.topk: seeks the greatest 2 of 1 elements"), std::string::npos);
}

TEST(Interpret, AssertsAndPrints) {
  const char *text = R"(
!t = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%X: !tile.view<?xf32>) {
  %N = tile.dim %X, 0
  tile.parallel %i in %N by @b {
    %x = tile.load %X[%i] : !t
    %id = tile.id %i : !tile.range<@b>
    tile.print "block", %id, %x : index, !t
    %ok = arith.cmpf oeq, %x, %x : !t
    tile.assert %ok, "no nan" : tensor<?xi1, #tile.dims<@b>>
  }
})";
  std::vector<std::string> lines;
  InterpretOptions options;
  options.blocks = *Configuration::fromText("{b = 2}");
  options.print = [&](const std::string &line) { lines.push_back(line); };
  HostArray good(PANTILE_F32, {3}, {1, 2.5, -3}), bad(PANTILE_F32, {3}, {1, 2, nan_});
  EXPECT_TRUE(runText(text, {good}, options).isOk());
  EXPECT_EQ(lines, (std::vector<std::string>{"block 0 2xf32 1 2.5", "block 1 1xf32 -3"}));
  std::string error = runText(text, {bad}, options).message();
  EXPECT_NE(error.find("tile.assert: does not hold at [0]: no nan"), std::string::npos) << error;
}

TEST(Interpret, RandomIsPhilox) {
  // The known answer of Random123 for key 0, counter 0; words in order.
  const char *text = R"(
!p = tensor<?xi64, #tile.dims<@b>>
!r = tensor<?xi32, #tile.dims<@b>>
tile.kernel @k(%P: !tile.view<?xi64> {tile.sizes = ["N"]}, %Y: !tile.view<?xi32> {tile.sizes = ["N"]}, %seed: i64) {
  %N = tile.dim %P, 0
  tile.parallel %i in %N by @b {
    %p = tile.load %P[%i] : !p
    %y = tile.random %seed, %p word WORD : !p -> !r
    tile.store %y, %Y[%i]
  }
})";
  const uint32_t zeros[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  std::set<double> seen;
  for (int word = 0; word < 4; ++word) {
    std::string one = text;
    one.replace(one.find("WORD"), 4, std::to_string(word));
    HostArray P(PANTILE_I64, {4}, {0, 1, 4294967296.0, -1}), Y(PANTILE_I32, {4});
    Status status = runText(one, {P, Y, HostScalar{0}});
    ASSERT_TRUE(status.isOk()) << status.message();
    EXPECT_EQ(Y.values()[0], int32_t(zeros[word]));
    for (double value : Y.values()) seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 16u);
}

TEST(Interpret, GatherPadsAndScatterDrops) {
  HostArray T(PANTILE_F32, {5, 2}, ramp(10)), I(PANTILE_I32, {4}, {4, -1, 3, 9}), Y(PANTILE_F32, {4, 2}),
      Z(PANTILE_F32, {5, 2}, Values(10, 7));
  Status status = runText(kGather, {T, I, Y, Z});
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(Y.values(), {8, 9, -1, -1, -1, -1, -1, -1});
  expectEqual(Z.values(), {7, 7, 7, 7, 7, 7, 7, 7, 8, 9});
}

static std::string shifted(const std::string &pad) {
  return "!t = tensor<?xf32, #tile.dims<@b>>\ntile.kernel @k(%X: !tile.view<?xf32>, %Y: !tile.view<?xf32>) {\n  %N = tile.dim %Y, 0\n"
         "  %minus = arith.constant -2 : index\n  tile.parallel %i in %N by @b {\n    %zero = arith.constant 9.0 : f32\n"
         "    %j = tile.shift %i by %minus : !tile.range<@b>\n    %x = tile.load %X[%j] " +
         pad + " : !t\n    tile.store %x, %Y[%i]\n  }\n}\n";
}

TEST(Interpret, PadsOutsideTheView) {
  HostArray X(PANTILE_F32, {3}, {1, 2, 3}), Y(PANTILE_F32, {7});
  Status status = runText(shifted("pad %zero"), {X, Y});
  ASSERT_TRUE(status.isOk()) << status.message();
  expectEqual(Y.values(), {9, 9, 1, 2, 3, 9, 9});
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST(InterpretErrors, OutOfBoundsNamesLineIndexAndSize) {
  HostArray X(PANTILE_F32, {3}, {1, 2, 3}), Y(PANTILE_F32, {7});
  Status status = runText(shifted(""), {X, Y});
  ASSERT_FALSE(status.isOk());
  EXPECT_NE(status.text().find(":9:"), std::string::npos) << status.text();
  EXPECT_NE(status.text().find("tile.load: reads index -2 of dimension 0, whose size is 3"), std::string::npos) << status.text();
  EXPECT_FALSE(status.fix().empty());
}

TEST(InterpretErrors, SizesOfOneNameMustAgree) {
  HostArray A(PANTILE_F32, {2, 3}), B(PANTILE_F32, {4, 2}), C(PANTILE_F32, {2, 2});
  Status status = runText(kMatmul, {A, B, C});
  EXPECT_EQ(status.text(), "size K is 3 in argument 0 and 4 in argument 1");
}

TEST(InterpretErrors, WrongArguments) {
  HostArray A(PANTILE_F32, {2, 2}), B(PANTILE_F16, {2, 2}), C(PANTILE_F32, {2});
  EXPECT_NE(runText(kMatmul, {A, A}).text().find("takes 3 arguments, given 2"), std::string::npos);
  EXPECT_NE(runText(kMatmul, {A, B, A}).text().find("expected f32, given f16"), std::string::npos);
  EXPECT_NE(runText(kMatmul, {A, A, C}).text().find("expected rank 2, given 1"), std::string::npos);
  EXPECT_NE(runText(kMatmul, {A, A, HostScalar{1}}).text().find("is a view, given a scalar"), std::string::npos);
}

TEST(InterpretErrors, MemoryMustHoldTheView) {
  HostArray A(PANTILE_F32, {2, 2}), C(PANTILE_F32, {2, 2});
  HostView view = A.view();
  view.low = A.bytes.data();
  view.high = A.bytes.data() + 15;
  EXPECT_NE(runText(kMatmul, {view, A, C}).text().find("reach outside the memory"), std::string::npos);
  view.high = A.bytes.data() + 16;
  EXPECT_TRUE(runText(kMatmul, {view, A, C}).isOk());
  view.strides = {-2, 1};
  EXPECT_NE(runText(kMatmul, {view, A, C}).text().find("reach outside the memory"), std::string::npos);
}

TEST(InterpretErrors, AssumeAndDivisionByZero) {
  std::string text = R"(
tile.kernel @k(%Y: !tile.view<?xi32>, %n: i32) {
  %N = tile.dim %Y, 0
  %c5 = arith.constant 5 : i32
  %small = arith.cmpi slt, %n, %c5 : i32
  tile.assume %small, "n is below 5"
  tile.parallel %i in %N by 1 {
    %q = arith.divsi %c5, %n : i32
    tile.store %q, %Y[%i]
  }
})";
  HostArray Y(PANTILE_I32, {1});
  EXPECT_NE(runText(text, {Y, HostScalar{7}}).text().find("tile.assume: does not hold: n is below 5"), std::string::npos);
  EXPECT_NE(runText(text, {Y, HostScalar{0}}).text().find("division of an integer by zero"), std::string::npos);
  ASSERT_TRUE(runText(text, {Y, HostScalar{uint64_t(-2)}}).isOk());
  EXPECT_EQ(Y.at(0), -2);
}

TEST(InterpretErrors, CarriesMustNotLoseTheirTail) {
  std::string text = R"(
!t = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%X: !tile.view<?xf32>, %Y: !tile.view<?xf32>) {
  %N = tile.dim %X, 0
  %one = arith.constant 1 : index
  tile.parallel %u in %one by 1 {
    %zero = arith.constant 0.0 : f32
    %init = tile.splat %zero : !t
    %s = tile.loop %i in %N by @b carry(%a = %init : !t) {
      %x = tile.load %X[%i] : !t
      %n = arith.addf %a, %x : !t
      tile.yield %n : !t
    }
    %r = tile.reduce addf %s over 0 : !t -> f32
    tile.store %r, %Y[%u]
  }
})";
  HostArray X(PANTILE_F32, {6}, ramp(6)), Y(PANTILE_F32, {1}), Z(PANTILE_F32, {7}, ramp(7));
  ASSERT_TRUE(blocks(text, {X, Y}, "{b = 3}").isOk());
  EXPECT_EQ(Y.at(0), 15);
  EXPECT_NE(blocks(text, {Z, Y}, "{b = 3}").text().find("its tail would be lost"), std::string::npos);
}
