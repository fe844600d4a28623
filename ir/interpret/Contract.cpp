//===- ir/interpret/Contract.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/Contract.h"
#include "ir/interpret/Elementwise.h"
#include "ir/interpret/Number.h"
#include "ir/interpret/Shape.h"

namespace pantile::interpreter {

namespace {

TilePtr lastTwoSwapped(const TilePtr &tile) {
  Sizes permutation;
  for (int64_t d = 0; d < tile->rank(); ++d) permutation.push_back(d);
  std::swap(permutation[tile->rank() - 1], permutation[tile->rank() - 2]);
  return transpose(*tile, permutation);
}

/// acc[m, n] += a[m, k] b[k, n], one k after another.
template <typename T> void multiply(T *acc, const T *a, const T *b, int64_t m, int64_t n, int64_t k) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t p = 0; p < k; ++p) {
      T x = a[i * k + p];
      const T *row = b + p * n;
      T *to = acc + i * n;
      for (int64_t j = 0; j < n; ++j) to[j] += x * row[j];
    }
}

Sizes without(llvm::ArrayRef<int64_t> extents, int64_t dim) {
  Sizes rest(extents);
  rest.erase(rest.begin() + dim);
  return rest;
}

} // namespace

TilePtr dot(TilePtr lhs, TilePtr rhs, TilePtr acc, const DotOptions &options) {
  if (options.transposeLhs) lhs = lastTwoSwapped(lhs);
  if (options.transposeRhs) rhs = lastTwoSwapped(rhs);
  int64_t rank = acc->rank();
  Sizes result(acc->extents);
  for (int64_t d = 0; d + 2 < rank; ++d) result[d] = std::min({acc->extents[d], lhs->extents[d], rhs->extents[d]});
  int64_t m = result[rank - 2] = std::min(acc->extents[rank - 2], lhs->extents[rank - 2]);
  int64_t n = result[rank - 1] = std::min(acc->extents[rank - 1], rhs->extents[rank - 1]);
  int64_t k = std::min(lhs->extents[rank - 1], rhs->extents[rank - 2]);
  Sizes left(result), right(result);
  left[rank - 1] = k;
  right[rank - 2] = k;
  lhs = crop(lhs, left);
  rhs = crop(rhs, right);
  auto sum = std::make_shared<Tile>(*crop(acc, result));

  int64_t batches = product(llvm::ArrayRef<int64_t>(result).drop_back(2));
  if (!sum->isFloat()) {
    for (int64_t b = 0; b < batches; ++b)
      multiply(sum->integers.data() + b * m * n, lhs->integers.data() + b * m * k, rhs->integers.data() + b * k * n, m, n, k);
    wrapAll(sum->dtype, sum->integers);
    return sum;
  }
  std::vector<double> x = lhs->floats, y = rhs->floats;
  if (options.tf32) {
    roundAll(kTF32, x);
    roundAll(kTF32, y);
  }
  if (options.declared && sum->dtype != PANTILE_F64) {
    std::vector<float> xs(x.begin(), x.end()), ys(y.begin(), y.end()), sums(sum->floats.begin(), sum->floats.end());
    for (int64_t b = 0; b < batches; ++b) multiply(sums.data() + b * m * n, xs.data() + b * m * k, ys.data() + b * k * n, m, n, k);
    sum->floats.assign(sums.begin(), sums.end());
  } else {
    for (int64_t b = 0; b < batches; ++b) multiply(sum->floats.data() + b * m * n, x.data() + b * m * k, y.data() + b * k * n, m, n, k);
  }
  roundAll(sum->dtype, sum->floats);
  return sum;
}

TilePtr reduce(const Tile &source, int64_t dim, llvm::StringRef kind, bool declared) {
  Along along(source.extents, dim);
  TilePtr identity = identityOf(kind, source.dtype);
  auto result = std::make_shared<Tile>(*splat(*identity, without(source.extents, dim)));
  Combine combine(kind, source.dtype, declared);
  result->with(source, [&](auto &to, const auto &from) {
    for (int64_t o = 0; o < along.outer; ++o)
      for (int64_t i = 0; i < along.length; ++i)
        combine(to.data() + o * along.inner, from.data() + (o * along.length + i) * along.inner, size_t(along.inner));
  });
  roundAll(source.dtype, result->floats);
  return result;
}

TilePtr scan(const Tile &source, int64_t dim, llvm::StringRef kind, bool reverse, bool exclusive, bool declared) {
  Along along(source.extents, dim);
  Tile running = *splat(*identityOf(kind, source.dtype), {along.inner});
  const Tile start = running;
  auto result = std::make_shared<Tile>(source.dtype, source.extents);
  Combine combine(kind, source.dtype, declared);
  result->with(source, [&](auto &to, const auto &from) {
    auto run = [&](auto &sum, const auto &first) {
      for (int64_t o = 0; o < along.outer; ++o) {
        sum = first;
        for (int64_t step = 0; step < along.length; ++step) {
          int64_t at = (o * along.length + (reverse ? along.length - 1 - step : step)) * along.inner;
          if (exclusive) std::copy(sum.begin(), sum.end(), to.begin() + at);
          combine(sum.data(), from.data() + at, size_t(along.inner));
          if (!exclusive) std::copy(sum.begin(), sum.end(), to.begin() + at);
        }
      }
    };
    if constexpr (std::is_same_v<std::decay_t<decltype(to)>, std::vector<double>>)
      run(running.floats, start.floats);
    else
      run(running.integers, start.integers);
  });
  roundAll(source.dtype, result->floats);
  return result;
}

TilePtr slice(const Tile &source, int64_t dim, int64_t position) {
  Along along(source.extents, dim);
  auto result = std::make_shared<Tile>(source.dtype, without(source.extents, dim));
  result->with(source, [&](auto &to, const auto &from) {
    for (int64_t o = 0; o < along.outer; ++o)
      std::copy_n(from.begin() + (o * along.length + position) * along.inner, along.inner, to.begin() + o * along.inner);
  });
  return result;
}

void insert(Tile &into, int64_t dim, int64_t position, const Tile &part) {
  Along along(into.extents, dim);
  into.with(part, [&](auto &to, const auto &from) {
    for (int64_t o = 0; o < along.outer; ++o)
      std::copy_n(from.begin() + o * along.inner, along.inner, to.begin() + (o * along.length + position) * along.inner);
  });
}

} // namespace pantile::interpreter
