//===- ir/build/tests/BuilderTest.cpp - the builder's text and errors -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Builder.h"
#include "core/KernelText.h"

#include <gtest/gtest.h>

using namespace pantile;
using namespace pantile::build;

namespace {

TEST(Builder, WritesTheMatmulOfItsHeader) {
  KernelBuilder k("matmul");
  auto [M, N, K] = k.sizes("M", "N", "K");
  View A = k.view("A", {M, K}, bf16), B = k.view("B", {K, N}, bf16), C = k.view("C", {M, N}, f32);
  k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) {
    Tile zero = k.zeros({i, j}, f32);
    C(i, j) = k.loop({"p", K, "bk"}, zero, associative, [&](Range p, Tile s) { return dot(A(i, p), transposed(transpose(B(p, j))), s); });
  });
  auto text = k.finish();
  ASSERT_TRUE(text) << text.status().message();
  EXPECT_EQ(*text, R"(// pantile-ir 1
tile.kernel @matmul(%A: !tile.view<?x?xbf16> {tile.sizes = ["M", "K"], tile.access = "read"},
    %B: !tile.view<?x?xbf16> {tile.sizes = ["K", "N"], tile.access = "read"},
    %C: !tile.view<?x?xf32> {tile.sizes = ["M", "N"], tile.access = "write"}) {
  %M = tile.dim %A, 0
  %N = tile.dim %B, 1
  %c0 = arith.constant 0.0 : f32
  %K = tile.dim %A, 1
  tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn) {
    %0 = tile.splat %c0 : tensor<?x?xf32, #tile.dims<@bm, @bn>>
    %1 = tile.loop %p in %K by @bk carry(%2 = %0 : tensor<?x?xf32, #tile.dims<@bm, @bn>>) associative {
      %3 = tile.load %A[%i, %p] : tensor<?x?xbf16, #tile.dims<@bm, @bk>>
      %4 = tile.load %B[%p, %j] : tensor<?x?xbf16, #tile.dims<@bk, @bn>>
      %5 = tile.transpose %4 by [1, 0] : tensor<?x?xbf16, #tile.dims<@bk, @bn>> -> tensor<?x?xbf16, #tile.dims<@bn, @bk>>
      %6 = tile.dot %3, transpose(%5), %2 : tensor<?x?xbf16, #tile.dims<@bm, @bk>>, tensor<?x?xbf16, #tile.dims<@bn, @bk>> -> tensor<?x?xf32, #tile.dims<@bm, @bn>>
      tile.yield %6 : tensor<?x?xf32, #tile.dims<@bm, @bn>>
    }
    tile.store %1, %C[%i, %j] : tensor<?x?xf32, #tile.dims<@bm, @bn>>
  }
}
)");
}

TEST(Builder, HeaderSurvivesTheReader) {
  KernelBuilder k("picks");
  auto [S, V, D] = k.sizes("S", "V", "D");
  View Table = k.view("Table", {V, 64}, f16), Ids = k.view("Ids", {S}, i32).values(0, V), Out = k.view("Out", {S, 64}, f16);
  Tile factor = k.scalar("factor", f32);
  Full d = full("d");
  k.makeStatic(d);
  k.parallel({"s", S, "bs"}, [&](Range s) {
    Tile ids = Ids(s);
    Tile rows = Table(ids, full(64)).mask(ids >= 0).pad(0.0);
    Out(s, full(64)) = cast(cast(rows, f32) * factor, f16);
  });
  auto text = k.finish();
  ASSERT_TRUE(text) << text.status().message();
  EXPECT_NE(text->find("tile.gather %Table[%0, full 64] mask %"), text->npos) << *text;
  auto read = readKernelText(*text);
  ASSERT_TRUE(read) << read.status().message();
  const KernelHeader &header = read->header;
  EXPECT_EQ(header.name, "picks");
  ASSERT_EQ(header.arguments.size(), 4u);
  EXPECT_EQ(header.arguments[0].access, Access::Read);
  EXPECT_EQ(header.arguments[2].access, Access::Write);
  EXPECT_EQ(header.arguments[1].rangeHigh, "V");
  EXPECT_EQ(header.arguments[0].shape, (std::vector<int64_t>{-1, 64}));
  EXPECT_EQ(header.arguments[3].rank, -1);
  EXPECT_EQ(header.statics, std::vector<std::string>{"d"});
}

TEST(Builder, ReducesSeveralTilesAtOnce) {
  KernelBuilder k("both");
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, f32), Y = k.view("Y", {M}, f32);
  Full row = full("cols");
  Tile low = k.constant(lowest, f32), zero = k.constant(0, f32);
  k.parallel({"i", M, "bm"}, [&](Range i) {
    Tile x = X(i, row), ones = k.filled({i, row}, 1, f32);
    auto [greatest, total] = reduce({x, ones}, row, {low, zero}, [](auto left, auto right) {
      Tile m = maximum(left[0], right[0]);
      return carry(m, left[1] * exp(left[0] - m) + right[1] * exp(right[0] - m));
    });
    Y(i) = greatest + log(total);
  });
  auto text = k.finish();
  ASSERT_TRUE(text) << text.status().message();
  EXPECT_NE(text->find("tile.reduce (%0, %1) over 1 init(%c0, %c1) : "), text->npos) << *text;
  EXPECT_NE(text->find("^bb0(%4: f32, %5: f32, %6: f32, %7: f32):"), text->npos) << *text;
  EXPECT_TRUE(readKernelText(*text));
}

TEST(Builder, LiteralsKeepTheirValue) {
  KernelBuilder k("literals");
  Size N = k.size("N");
  View X = k.view("X", {N}, f32), Y = k.view("Y", {N}, f32);
  k.parallel({"i", N, "b"}, [&](Range i) { Y(i) = select(X(i) > -infinity, X(i) * 1e-5 + 3 + 0.1 * 1e10, lowest); });
  auto text = k.finish();
  ASSERT_TRUE(text) << text.status().message();
  for (const char *literal : {"0xFF800000 : f32", "1.0e-05 : f32", "3.0 : f32", "1.0e+09 : f32", "-3.4028235e+38 : f32"})
    EXPECT_NE(text->find(literal), text->npos) << literal << " in\n" << *text;
}

TEST(Builder, AReadAndWrittenViewIsUpdated) {
  KernelBuilder k("twice");
  Size N = k.size("N");
  View X = k.view("X", {N}, f32);
  k.parallel({"i", N, "b"}, [&](Range i) { X(i) = X(i) + X(i); });
  auto text = k.finish();
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("tile.access = \"update\""), text->npos);
}

TEST(Builder, RangesOfTheLiteralOneAreIndices) {
  KernelBuilder k("rows");
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, f32), Y = k.view("Y", {M}, f32);
  k.parallel({"r", M, 1}, [&](Range r) {
    Y(M - 1 - r) = k.loop({"p", N, "b", 1}, k.constant(0.0, f32), associative, [&](Range p, Tile s) { return s + sum(X(r, p), p); });
  });
  auto text = k.finish();
  ASSERT_TRUE(text) << text.status().message();
  EXPECT_NE(text->find("tile.loop %p from %c"), text->npos) << *text;
  EXPECT_NE(text->find("tile.load %X[%r, %p] : tensor<?xf32, #tile.dims<@b>>"), text->npos) << *text;
  EXPECT_NE(text->find("-> f32"), text->npos) << *text;
}

/// Builds a kernel around `body` over X [M,N], Y [N] (f32), B [M,N] (bf16), Ids [M] (i32), ranges i and j, and gives the error.
std::string errorOf(const std::function<void(KernelBuilder &k, View X, View Y, View B, View Ids, Range i, Range j)> &body) {
  KernelBuilder k("bad");
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, f32), Y = k.view("Y", {N}, f32), B = k.view("B", {M, N}, bf16), Ids = k.view("Ids", {M}, i32);
  k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) { body(k, X, Y, B, Ids, i, j); });
  auto text = k.finish();
  return text ? "no error" : text.status().text();
}

#define EXPECT_ERROR(expected, ...)                                                                                                        \
  do {                                                                                                                                     \
    unsigned line = __LINE__;                                                                                                              \
    std::string error =                                                                                                                    \
        errorOf([&]([[maybe_unused]] KernelBuilder &k, [[maybe_unused]] View X, [[maybe_unused]] View Y, [[maybe_unused]] View B,          \
                    [[maybe_unused]] View Ids, [[maybe_unused]] Range i, [[maybe_unused]] Range j) { __VA_ARGS__; });                      \
    EXPECT_NE(error.find(expected), error.npos) << error;                                                                                  \
    EXPECT_NE(error.find("BuilderTest.cpp:" + std::to_string(line)), error.npos) << error;                                                 \
  } while (false)

TEST(BuilderErrors, NameTheThingAndTheLine) {
  EXPECT_ERROR("operands of tensor<?x?xf32, #tile.dims<@bm, @bn>> and tensor<?x?xbf16, #tile.dims<@bm, @bn>>; cast one of them",
               X(i, j) = X(i, j) + B(i, j));
  EXPECT_ERROR("view %X has rank 2 and is given 1 subscripts", Y(j) = X(j));
  EXPECT_ERROR("spreads to tensor<?x?xf32, #tile.dims<@bm, @bn>> in no way", X(i, j) = X(i, j) + k.zeros({Dim(7)}, f32));
  EXPECT_ERROR("%X takes tensor<?x?xf32, #tile.dims<@bm, @bn>> here and is given tensor<?xf32, #tile.dims<@bn>>", X(i, j) = Tile(Y(j)));
  EXPECT_ERROR("dot: tensor<?x?xf32, #tile.dims<@bm, @bn>> x tensor<?x?xf32, #tile.dims<@bm, @bn>> does not give",
               dot(X(i, j), X(i, j), k.zeros({i, i}, f32)));
  EXPECT_ERROR("accumulated in bf16", dot(B(i, j), transposed(B(i, j)), k.zeros({i, i}, bf16)));
  EXPECT_ERROR("carry 0 starts as f32 and comes back as tensor<?xf32",
               k.loop({"p", 8, "bk"}, k.constant(0, f32), [&](Range p, Tile) { return Tile(Y(p)); }));
  EXPECT_ERROR("starts from a literal", k.loop({"p", 8, "bk"}, 0.0, [&](Range, Tile s) { return s; }));
  EXPECT_ERROR("parallel inside a loop", k.parallel({"q", 8, "bq"}, [](Range) {}));
  EXPECT_ERROR("range %i is used as a value: say index(i)", Ids(i) = index(i) + i);
  EXPECT_ERROR("has not dimension 2", sum(X(i, j), 2));
  EXPECT_ERROR("has not dimension @bm once", sum(Y(j), i));
  EXPECT_ERROR("math.exp of tensor<?xi32", exp(index(i)));
  EXPECT_ERROR("arith.shli of tensor<?xf32", Y(j) << 1);
  EXPECT_ERROR("the condition is tensor<?xf32, #tile.dims<@bn>>, not i1", select(Y(j), Y(j), Y(j)));
  EXPECT_ERROR("a tile of positions is of integers", X(Y(j), j) = 0.0);
  EXPECT_ERROR("is no permutation of 2 dimensions", transpose(X(i, j), {0, 0}));
  EXPECT_ERROR("has not the elements of", reshape(Y(j), {i}));
  EXPECT_ERROR("do not join along constant dimension 0", cat(Y(j), Y(j), 0));
  EXPECT_ERROR("the last dimension of tensor<?xf32, #tile.dims<@bn>> is not 2", split(Y(j)));
  EXPECT_ERROR("0.5 is no i32", index(i) + 0.5);
  EXPECT_ERROR("size 'Z' is no size of a view", k.size("Z") + 1);
  EXPECT_ERROR("a bound or position is a scalar integer",
               X(i, j) = k.loop({"p", Tile(Y(j)), "bk"}, X(i, j), [](Range, Tile s) { return s; }));
  EXPECT_ERROR("a mask of %Ids is an i1 tile", Tile y = Ids(index(i)).mask(index(i)));
  EXPECT_ERROR("iota counts in integers, not f32", k.iota(8, f32));
  EXPECT_ERROR("positions are i32, i64 or index, not f32", index(i, f32));
  EXPECT_ERROR("reduce: the identity of",
               reduce({Tile(Y(j)), Tile(Y(j))}, j, {k.constant(0, i32), k.constant(0, f32)}, [](auto l, auto) { return l; }));
}

TEST(BuilderErrors, OtherKernelsValuesAreRefused) {
  KernelBuilder a("a"), b("b");
  Size N = a.size("N"), M = b.size("M");
  View X = a.view("X", {N}, f32), Y = b.view("Y", {M}, f32);
  a.parallel({"i", N, "b"}, [&](Range i) { b.parallel({"j", M, "b"}, [&](Range j) { X(i) = X(i) + Y(j); }); });
  auto text = a.finish();
  ASSERT_FALSE(text);
  EXPECT_NE(text.status().text().find("a value of another kernel"), std::string::npos) << text.status().text();
}

TEST(BuilderErrors, TheFirstOneStays) {
  std::string error = errorOf([](KernelBuilder &k, View X, View Y, View, View, Range i, Range j) {
    X(i, j) = exp(index(i));
    k.fail("a later one", Where::current());
  });
  EXPECT_EQ(error.find("a later one"), error.npos);
}

} // namespace
