//===- ir/specialize/tests/PropertyTest.cpp - random kernels, configurations ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// interpret(portable) == interpret(specialize(portable)): for kernels made at random from elementwise operations, broadcasts,
// reductions, dots and loops, and for operators of the library.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Builder.h"
#include "ir/build/Library.h"
#include "ir/specialize/tests/Equivalence.h"

#include <gtest/gtest.h>

using namespace pantile;
using namespace pantile::build;
using namespace pantile::testing;
using pantile::testing::Random;

namespace {

/// A random expression of a pool of tiles; continuous, so that another order of sums changes little.
Tile expression(Random &random, std::vector<Tile> pool, int steps) {
  for (int i = 0; i < steps; ++i) {
    Tile a = pool[random() % pool.size()], b = pool.back();
    switch (random() % 9) {
    case 0:
      pool.push_back(a + b);
      break;
    case 1:
      pool.push_back(a - b);
      break;
    case 2:
      pool.push_back(a * b * 0.5);
      break;
    case 3:
      pool.push_back(maximum(a, b));
      break;
    case 4:
      pool.push_back(minimum(a, b));
      break;
    case 5:
      pool.push_back(select(a < b, a, b));
      break;
    case 6:
      pool.push_back(abs(b));
      break;
    case 7:
      pool.push_back(tanh(b));
      break;
    default:
      pool.push_back(b * 0.25 + 1.0);
      break;
    }
  }
  return pool.back();
}

DType someFloat(Random &random) { return std::array{f32, f16, bf16, f64}[random() % 4]; }

std::string finished(KernelBuilder &k) {
  auto text = k.finish();
  EXPECT_TRUE(text.isOk()) << text.status().message();
  return text ? *text : "";
}

/// Y[i, j, ...] from views that lack some of its dimensions.
std::string elementwiseKernel(Random &random) {
  KernelBuilder k("elementwise");
  int64_t rank = pick(random, 1, 3);
  std::vector<Size> sizes;
  for (int64_t d = 0; d < rank; ++d) sizes.push_back(k.size("S" + std::to_string(d)));
  DType dtype = someFloat(random);
  std::vector<View> inputs;
  std::vector<uint64_t> masks;
  for (int64_t n = pick(random, 1, 3), i = 0; i < n; ++i) {
    uint64_t mask = i == 0 ? (1u << rank) - 1 : 1 + random() % ((1u << rank) - 1);
    std::vector<SizeSpec> shape;
    for (int64_t d = 0; d < rank; ++d)
      if (mask >> d & 1) shape.push_back(sizes[size_t(d)]);
    inputs.push_back(k.view("X" + std::to_string(i), shape, dtype));
    masks.push_back(mask);
  }
  View Y = k.view("Y", {sizes.begin(), sizes.end()}, dtype);
  std::vector<Extent> extents;
  for (int64_t d = 0; d < rank; ++d) extents.emplace_back("i" + std::to_string(d), sizes[size_t(d)], "b" + std::to_string(d));
  k.parallelOver(extents, [&](std::span<const Range> ranges) {
    Dims dims(ranges.begin(), ranges.end());
    std::vector<Tile> pool;
    for (size_t i = 0; i < inputs.size(); ++i) {
      std::vector<Subscript> subscripts;
      for (int64_t d = 0; d < rank; ++d)
        if (masks[i] >> d & 1) subscripts.push_back(ranges[size_t(d)]);
      Tile x = inputs[i].at(subscripts);
      pool.push_back(i == 0 ? x : broadcast(x, dims));
    }
    Y.at({ranges.begin(), ranges.end()}) = expression(random, pool, int(pick(random, 1, 5)));
  });
  return finished(k);
}

/// Rows: a chain of elementwise steps and reductions that are spread again.
std::string rowKernel(Random &random) {
  KernelBuilder k("rows");
  auto [B, M, N] = k.sizes("B", "M", "N");
  DType dtype = someFloat(random);
  View X = k.view("X", {B, M, N}, dtype), W = k.view("W", {N}, dtype), Y = k.view("Y", {B, M, N}, dtype), S = k.view("S", {B, M}, f32);
  Full row = full("n");
  k.parallel({{"b", B, 1}, {"i", M, "bm"}}, [&](Range b, Range i) {
    Tile x = cast(X(b, i, row), f32), w = broadcast(cast(W(row), f32), {i, row});
    Tile last;
    for (int64_t n = pick(random, 1, 3), step = 0; step < n; ++step) {
      x = expression(random, {x, w, x}, int(pick(random, 1, 3)));
      switch (random() % 4) {
      case 0:
        last = sum(x, row) * 0.1;
        break;
      case 1:
        last = maximum(max(x, row), -4.0);
        break;
      case 2:
        last = minimum(min(x, row), 4.0);
        break;
      default:
        last = sum(tanh(x), row) * 0.25;
        break;
      }
      x = x - broadcast(last, {i, row});
    }
    Y(b, i, row) = cast(x, dtype);
    if (random() % 2) S(b, i) = last;
  });
  return finished(k);
}

/// Y = f(sum over k of A B + more) with random transpositions and dtypes; sometimes a second carry.
std::string dotKernel(Random &random) {
  KernelBuilder k("dots");
  auto [B, M, N, K] = k.sizes("B", "M", "N", "K");
  bool transposeA = random() % 2, transposeB = random() % 2, integers = random() % 4 == 0, two = random() % 3 == 0;
  DType dtype = integers ? i8 : std::array{f32, bf16, f16}[random() % 3], sumType = integers ? i32 : f32;
  View A = k.view("A", transposeA ? std::vector<SizeSpec>{B, K, M} : std::vector<SizeSpec>{B, M, K}, dtype);
  View Bv = k.view("Bv", transposeB ? std::vector<SizeSpec>{N, K} : std::vector<SizeSpec>{K, N}, dtype);
  View C = k.view("C", {B, M, N}, sumType), R = k.view("R", {B, M}, sumType);
  Tile factor = integers ? Tile() : k.scalar("factor", f32);
  k.parallel({{"b", B, 1}, {"i", M, "bm"}, {"j", N, "bn"}}, [&](Range b, Range i, Range j) {
    auto left = [&](Range p) -> Tile { return transposeA ? Tile(A(b, p, i)) : Tile(A(b, i, p)); };
    auto product = [&](Range p, Tile s) {
      Tile y = transposeB ? Tile(Bv(j, p)) : Tile(Bv(p, j)), x = left(p);
      if (transposeA && transposeB) return dot(transposed(x), transposed(y), s);
      if (transposeA) return dot(transposed(x), y, s);
      return transposeB ? dot(x, transposed(y), s) : dot(x, y, s);
    };
    Tile start = k.filled({i, j}, integers ? 3 : 1, sumType), sums, rowSums;
    if (two) {
      Tile zeros = k.zeros({i}, sumType);
      auto both = k.loop({"p", K, "bk"}, {start, zeros}, build::associative, [&](Range p, Tile s, Tile r) {
        Tile x = cast(left(p), sumType);
        return carry(product(p, s), r + sum(x, transposeA ? 0 : 1));
      });
      sums = both[0];
      rowSums = both[1];
      R(b, i) = rowSums;
    } else {
      sums = k.loop({"p", K, "bk"}, start, build::associative, [&](Range p, Tile s) { return product(p, s); });
    }
    C(b, i, j) = integers ? sums : expression(random, {sums, sums * factor}, int(pick(random, 1, 3)));
  });
  return finished(k);
}

void check(const Problem &problem, Random &random) {
  bool reorders;
  Configuration configuration = randomConfiguration(problem.text, random, reorders);
  expectEquivalent(problem, configuration, reorders, random());
}

void checkMany(std::string (*make)(Random &), uint64_t seed, int count) {
  for (int i = 0; i < count && !::testing::Test::HasFailure(); ++i) {
    Random random(seed + uint64_t(i));
    SCOPED_TRACE("seed " + std::to_string(seed + uint64_t(i)));
    check({make(random), {}, {{"factor", 0.75}}}, random);
  }
}

void checkLibrary(const std::string &name, const std::string &options, std::map<std::string, int64_t> sizes, int count,
                  std::map<std::string, double> scalars = {}) {
  auto text = buildLibraryKernel(name, options);
  ASSERT_TRUE(text.isOk()) << text.status().message();
  for (int i = 0; i < count && !::testing::Test::HasFailure(); ++i) {
    Random random(uint64_t(1000 + i));
    SCOPED_TRACE(name + " " + options + ", round " + std::to_string(i));
    check({*text, sizes, scalars}, random);
  }
}

} // namespace

TEST(SpecializeProperty, Elementwise) { checkMany(elementwiseKernel, 1, 60); }
TEST(SpecializeProperty, Rows) { checkMany(rowKernel, 1000, 60); }
TEST(SpecializeProperty, Dots) { checkMany(dotKernel, 2000, 60); }

TEST(SpecializeProperty, LibraryRows) {
  for (const char *name : {"softmax", "log_softmax", "layer_norm", "rms_norm", "sum", "mean", "max", "min", "variance"})
    checkLibrary(name, "f32", {{"N", 11}}, 6);
  checkLibrary("rms_norm", "bf16,residual=1", {}, 6);
  checkLibrary("sum", "f32,rank=3,axis=1", {}, 6);
  checkLibrary("argmax", "f32", {{"N", 7}}, 6);
  checkLibrary("cumsum", "f32", {}, 4);
}
TEST(SpecializeProperty, LibraryProducts) {
  for (const char *options :
       {"f32", "bf16,transpose_a=1,bias=1,activation=gelu", "f16,transpose_b=1,residual=1", "f32,transpose_a=1,transpose_b=1"})
    checkLibrary("matmul", options, {}, 6);
  checkLibrary("batched_matmul", "f32", {}, 4);
  checkLibrary("matvec", "f32,bias=1", {}, 6);
  checkLibrary("matmul_int8", "out=f32", {}, 4);
  checkLibrary("matmul_quantized", "f32,format=q8_0", {{"K", 96}, {"KB", 3}}, 4);
}
TEST(SpecializeProperty, LibraryOthers) {
  checkLibrary("attention", "f32,causal=1", {{"H", 4}, {"HK", 2}, {"D", 8}}, 6, {{"scale", 0.35}});
  checkLibrary("attention_decode", "f32", {{"H", 4}, {"HK", 2}, {"D", 8}, {"T", 9}}, 4, {{"scale", 0.35}});
  checkLibrary("cross_entropy", "f32", {{"V", 9}}, 6);
  checkLibrary("embedding", "f32", {{"V", 9}}, 4);
  checkLibrary("transpose", "f32", {}, 4);
}
