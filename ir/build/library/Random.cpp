//===- ir/build/library/Random.cpp - random numbers by position -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// An element's number depends on the seed and its row-major position alone: the same on every device, for every configuration.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

/// Loops over an output of `rank` dimensions; `body(ranges, positions)` with the row-major positions in i64.
static void overElements(KernelBuilder &k, int rank,
                         const std::function<void(const std::vector<Subscript> &at, const Dims &dims, const Tile &positions)> &body) {
  std::vector<Extent> extents;
  std::vector<Size> sizes;
  for (const std::string &name : sizeNames(rank)) {
    sizes.push_back(k.size(name));
    extents.emplace_back("i" + std::to_string(extents.size()), sizes.back(), "b" + std::to_string(extents.size()));
  }
  k.parallelOver(extents, [&](std::span<const Range> ranges) {
    Dims dims(ranges.begin(), ranges.end());
    Tile positions;
    for (size_t d = 0; d < ranges.size(); ++d) {
      Tile here = broadcast(index(ranges[d], i64), dims);
      positions = d == 0 ? here : positions * cast(sizes[d], i64) + here;
    }
    body({ranges.begin(), ranges.end()}, dims, positions);
  });
}

static Status writeDropout(KernelBuilder &k, const Options &o) {
  View X = k.view("X", specs(sizeNames(o.rank())), o.dtype()), Y = k.view("Y", specs(sizeNames(o.rank())), o.dtype("out"));
  Tile rate = k.scalar("rate", f32), seed = k.scalar("seed", i64), scale = select(rate < 1.0, 1.0 / (1.0 - rate), rate * 0.0);
  overElements(k, o.rank(), [&](const std::vector<Subscript> &at, const Dims &dims, const Tile &positions) {
    Tile x = cast(X.at(at), f32);
    Y.at(at) = cast(select(uniform(seed, positions) >= rate, x * scale, 0.0), o.dtype("out"));
  });
  return Status::ok();
}

static Status writeRandom(KernelBuilder &k, const Options &o, bool isNormal) {
  View Y = k.view("Y", specs(sizeNames(o.rank())), o.dtype());
  Tile first = k.scalar(isNormal ? "mean" : "low", f32), second = k.scalar(isNormal ? "deviation" : "high", f32),
       seed = k.scalar("seed", i64);
  Tile width = isNormal ? second : second - first;
  overElements(k, o.rank(), [&](const std::vector<Subscript> &at, const Dims &, const Tile &positions) {
    Tile draw = isNormal ? normal(seed, positions) : uniform(seed, positions);
    Y.at(at) = cast(draw * width + first, o.dtype());
  });
  return Status::ok();
}

std::vector<Entry> randomFamily() {
  return {
      {{"dropout", "X / (1 - rate), or 0 with probability rate", {dtypeOption(), outOption(), rankOption(1)}, {}}, writeDropout},
      {{"random_uniform", "numbers in [low, high)", {dtypeOption(), rankOption(1)}, {}},
       [](KernelBuilder &k, const Options &o) { return writeRandom(k, o, false); }},
      {{"random_normal", "normally distributed numbers", {dtypeOption(), rankOption(1)}, {}},
       [](KernelBuilder &k, const Options &o) { return writeRandom(k, o, true); }},
  };
}

} // namespace pantile::build
