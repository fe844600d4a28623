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
#include "ir/build/tests/Variants.h"
#include "ir/specialize/tests/Equivalence.h"

#include <gtest/gtest.h>

#include <cstdlib>

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

/// What rolling computes in one pass with its maximum; rows of -inf and factors included.
Tile logSumExp(Random &random, Tile x, const Tile &w, const Dims &dims, const Full &row) {
  if (random() % 3 == 0) x = select(x < 0.0, -infinity, x);
  Tile highest = max(x, row), apart = x - broadcast(highest, dims);
  Tile terms = random() % 2 ? exp(apart) : exp2(apart * 1.5);
  if (random() % 2) terms = terms * w;
  return tanh(sum(terms, row)) + (random() % 2 ? maximum(highest, -8.0) : sum(terms * tanh(x), row) * 0.25);
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
      switch (random() % 6) {
      case 0:
        last = sum(x, row) * 0.1;
        break;
      case 5: {
        Tile zero = k.constant(0.0, f32);
        auto [once, twice] =
            reduce({x, x * x}, row, {zero, zero}, [](const auto &l, const auto &r) { return carry(l[0] + r[0], l[1] + r[1]); });
        last = once * 0.1 - tanh(twice * 0.05);
        break;
      }
      case 4:
        last = logSumExp(random, x, w, {i, row}, row);
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

/// softmax(Q K') V with whole rows of keys: rolled, what FlashAttention does.
std::string attentionKernel(Random &random) {
  KernelBuilder k("whole_attention");
  auto [B, S, T, D] = k.sizes("B", "S", "T", "D");
  DType dtype = std::array{f32, bf16, f16}[random() % 3];
  // Rounded terms differ by the maximum they refer to: the result is of their dtype.
  View Q = k.view("Q", {B, S, D}, dtype), K = k.view("K", {B, T, D}, dtype), O = k.view("O", {B, S, D}, dtype);
  bool isTransposed = random() % 2, swaps = random() % 2;
  View V = isTransposed ? k.view("V", {B, D, T}, dtype) : k.view("V", {B, T, D}, dtype);
  Full t = full("t"), d = full("d");
  k.parallel({{"b", B, 1}, {"i", S, "bs"}}, [&](Range b, Range i) {
    Tile s = dot(Q(b, i, d), transposed(K(b, t, d)), k.zeros({i, t}, f32)) * 0.25;
    if (random() % 2) s = select(broadcast(index(i), {i, t}) < broadcast(k.iota(t), {i, t}), -infinity, s);
    Tile p = exp(s - max(s, t)), v = V(b, isTransposed ? Subscript(d) : Subscript(t), isTransposed ? Subscript(t) : Subscript(d));
    Tile low = cast(p, dtype), total = sum(p, t), o;
    if (swaps) // the terms are the right operand
      o = transpose(
          isTransposed ? dot(v, transposed(low), k.zeros({d, i}, f32)) : dot(transposed(v), transposed(low), k.zeros({d, i}, f32)), {1, 0});
    else
      o = isTransposed ? dot(low, transposed(v), k.zeros({i, d}, f32)) : dot(low, v, k.zeros({i, d}, f32));
    O(b, i, d) = cast(o / total, dtype);
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

/// One round in CI, many at night.
int rounds() { return std::getenv("PANTILE_NIGHTLY") ? 20 : 1; }

void checkMany(std::string (*make)(Random &), uint64_t seed, int count) {
  for (int i = 0; i < count * rounds() && !::testing::Test::HasFailure(); ++i) {
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

TEST(SpecializeProperty, Elementwise) { checkMany(elementwiseKernel, 1, 60); }
TEST(SpecializeProperty, Rows) { checkMany(rowKernel, 1000, 80); }
TEST(SpecializeProperty, WholeAttention) { checkMany(attentionKernel, 3000, 40); }
TEST(SpecializeProperty, Dots) { checkMany(dotKernel, 2000, 60); }

/// Sizes and scalars that an operator's kernels want; others are drawn, or 1.
const std::map<std::string, Problem> &librarySizes() {
  static const std::map<std::string, Problem> known = [] {
    std::map<std::string, Problem> all;
    auto set = [&](const std::string &name, std::map<std::string, int64_t> sizes, std::map<std::string, double> scalars = {}) {
      all[name] = {"", std::move(sizes), std::move(scalars)};
    };
    std::map<std::string, double> sight{{"scale", 0.35}, {"window", 3}, {"kv_length", 7}, {"max_length", 9}};
    set("attention", {{"H", 4}, {"HK", 2}, {"D", 8}, {"T", 9}}, sight);
    set("attention_decode", {{"H", 4}, {"HK", 2}, {"D", 8}, {"T", 9}}, sight);
    for (const char *name : {"matmul_quantized", "matvec_quantized"}) set(name, {{"K", 96}, {"KB", 3}});
    set("embedding_quantized", {{"D", 96}, {"DB", 3}, {"V", 7}});
    set("embedding", {{"V", 9}});
    set("index_add", {{"V", 5}});
    set("rope", {{"D", 8}, {"DH", 4}, {"P", 17}}, {{"start", 3}, {"theta", 10000}});
    set("cross_entropy", {{"V", 9}});
    set("topk", {{"N", 9}});
    set("argmax", {{"N", 7}, {"M", 5}, {"B0", 2}, {"B1", 3}});
    for (const char *name : {"softmax", "log_softmax", "sample"}) set(name, {{"N", 11}}, {{"temperature", 0.75}});
    for (const char *name : {"layer_norm", "rms_norm"}) set(name, {{"N", 11}}, {{"eps", 1e-5}});
    set("dropout", {}, {{"rate", 0.25}, {"seed", 5}});
    set("clamp", {}, {{"low", -0.5}, {"high", 0.5}});
    return all;
  }();
  return known;
}

} // namespace

/// Every operator under its defaults, and under random options.
TEST(SpecializeProperty, EveryLibraryOperator) {
  Random random(4000);
  for (const LibraryOperator &op : libraryOperators()) {
    std::vector<std::string> variants = allVariants(op);
    for (int i = 0; i < 3 * rounds() && !::testing::Test::HasFailure(); ++i) {
      std::string options = i == 0 ? "" : variants[random() % variants.size()];
      if (isRefused(op.name, options)) continue;
      auto text = buildLibraryKernel(op.name, options);
      ASSERT_TRUE(text.isOk()) << text.status().message();
      SCOPED_TRACE(op.name + " " + options);
      Problem problem;
      if (auto known = librarySizes().find(op.name); known != librarySizes().end()) problem = known->second;
      problem.text = *text;
      for (int round = 0; round < 2; ++round) check(problem, random);
    }
  }
}

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
