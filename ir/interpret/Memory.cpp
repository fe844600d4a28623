//===- ir/interpret/Memory.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/Memory.h"
#include "ir/interpret/Elementwise.h"
#include "ir/interpret/Number.h"

#include <algorithm>

namespace pantile::interpreter {

namespace {

void readRun(const View &view, int64_t at, int64_t stride, int64_t count, Tile &to, int64_t index) {
  if (to.isFloat())
    readFloats(view.dtype, view.data, at, stride, count, to.floats.data() + index);
  else
    readIntegers(view.dtype, view.data, at, stride, count, to.integers.data() + index);
}
void writeRun(const View &view, int64_t at, int64_t stride, int64_t count, const Tile &from, int64_t index) {
  if (from.isFloat())
    writeFloats(view.dtype, view.data, at, stride, count, from.floats.data() + index);
  else
    writeIntegers(view.dtype, view.data, at, stride, count, from.integers.data() + index);
}

std::shared_ptr<Tile> filled(DType dtype, llvm::ArrayRef<int64_t> extents, const Tile *pad) {
  auto result = std::make_shared<Tile>(dtype, extents);
  if (pad) result->with(*pad, [](auto &to, const auto &from) { std::fill(to.begin(), to.end(), from[0]); });
  return result;
}

/// Where the dimensions a tile keeps lie in the view, and which part of them is inside.
struct Placement {
  bool empty = false;
  int64_t base = 0;         ///< element of the positions that dropped dimensions
  Sizes dims, begin, count; ///< of kept dimensions: in the view; first position; number of positions
  Sizes low, high;          ///< positions of the tile that are inside
};

Placement place(const View &view, const Selectors &selectors) {
  Placement result;
  for (auto [d, selector] : llvm::enumerate(selectors)) {
    if (selector.kind == Selector::Position) {
      if (selector.begin < 0 || selector.begin >= view.sizes[d]) result.empty = true;
      result.base += selector.begin * view.strides[d];
      continue;
    }
    result.dims.push_back(int64_t(d));
    result.begin.push_back(selector.begin);
    result.count.push_back(selector.count);
    int64_t low = std::clamp<int64_t>(-selector.begin, 0, selector.count);
    int64_t high = std::clamp<int64_t>(view.sizes[d] - selector.begin, low, selector.count);
    result.low.push_back(low);
    result.high.push_back(high);
    if (low == high) result.empty = true;
  }
  return result;
}

/// Calls f(position in the view, stride, index in the tile, count) for each run along the last kept dimension.
template <typename F> void eachRun(const View &view, const Placement &at, llvm::ArrayRef<int64_t> extents, F f) {
  int64_t rank = int64_t(at.dims.size());
  if (at.empty) return;
  if (rank == 0) return f(at.base, 0, 0, 1);
  Sizes position(at.low);
  int64_t last = rank - 1, lastStride = view.strides[at.dims[last]], run = at.high[last] - at.low[last];
  while (true) {
    int64_t element = at.base, index = 0;
    for (int64_t d = 0; d < rank; ++d) {
      element += (at.begin[d] + position[d]) * view.strides[at.dims[d]];
      index = index * extents[d] + position[d];
    }
    f(element, lastStride, index, run);
    int64_t d = last - 1;
    for (; d >= 0 && ++position[d] == at.high[d]; --d) position[d] = at.low[d];
    if (d < 0) return;
  }
}

} // namespace

Expected<TilePtr> load(const View &view, const Selectors &selectors, const Tile *pad) {
  Placement at = place(view, selectors);
  if (!pad && product(at.count) != 0)
    for (auto [d, selector] : llvm::enumerate(selectors)) {
      int64_t end = selector.begin + (selector.kind == Selector::Position ? 1 : selector.count);
      if (selector.begin >= 0 && end <= view.sizes[d]) continue;
      int64_t first = selector.begin < 0 ? selector.begin : std::max(selector.begin, view.sizes[d]);
      return Status(PANTILE_INVALID_ARGUMENT, "reads index " + std::to_string(first) + " of dimension " + std::to_string(d) +
                                                  ", whose size is " + std::to_string(view.sizes[d]))
          .withFix("give the load a `pad`, or keep the range inside the view");
    }
  auto result = filled(view.dtype, at.count, pad);
  eachRun(view, at, at.count,
          [&](int64_t element, int64_t stride, int64_t index, int64_t count) { readRun(view, element, stride, count, *result, index); });
  return TilePtr(result);
}

Box store(const View &view, const Selectors &selectors, TilePtr value) {
  Selectors clipped(selectors);
  // A tile may have fewer logical elements than its range, or (never clipped) more.
  Sizes extents;
  size_t kept = 0;
  for (Selector &selector : clipped) {
    if (selector.kind == Selector::Position) continue;
    if (value->rank()) selector.count = std::min(selector.count, value->extents[kept]);
    ++kept;
    extents.push_back(selector.count);
  }
  value = crop(value, extents);
  Placement at = place(view, clipped);
  eachRun(view, at, extents,
          [&](int64_t element, int64_t stride, int64_t index, int64_t count) { writeRun(view, element, stride, count, *value, index); });
  Box box;
  size_t next = 0;
  for (const Selector &selector : clipped) {
    if (selector.kind == Selector::Position) {
      box.begin.push_back(selector.begin);
      box.count.push_back(at.empty ? 0 : 1);
    } else {
      box.begin.push_back(selector.begin + at.low[next]);
      box.count.push_back(at.empty ? 0 : at.high[next] - at.low[next]);
      ++next;
    }
  }
  return box;
}

namespace {

/// The shape of a gather's result (a scatter's value): kept dimensions, the shape of the positions where the first stands.
struct Walk {
  Sizes extents;
  int64_t shapeAt = -1, shapeRank = 0; ///< in `extents`
  Sizes shape;
};

Walk walkOf(const Selectors &selectors, const TilePtr &mask) {
  Walk walk;
  for (const Selector &selector : selectors) {
    if (selector.kind == Selector::Run) walk.extents.push_back(selector.count);
    if (selector.kind != Selector::Positions) continue;
    if (walk.shapeAt < 0) {
      walk.shapeAt = int64_t(walk.extents.size());
      walk.shapeRank = selector.positions->rank();
      walk.shape = selector.positions->extents;
      walk.extents.append(walk.shape);
    }
    for (auto [to, from] : llvm::zip(walk.shape, selector.positions->extents)) to = std::min(to, from);
  }
  if (mask)
    for (auto [to, from] : llvm::zip(walk.shape, mask->extents)) to = std::min(to, from);
  if (walk.shapeAt >= 0) std::copy(walk.shape.begin(), walk.shape.end(), walk.extents.begin() + walk.shapeAt);
  return walk;
}

/// Calls f(index in the tile, position in the view, indices) for every element that is inside and not masked.
template <typename F> void eachPoint(const View &view, Selectors selectors, TilePtr mask, const Walk &walk, F f) {
  for (Selector &selector : selectors)
    if (selector.kind == Selector::Positions) selector.positions = crop(selector.positions, walk.shape);
  if (mask) mask = crop(mask, walk.shape);
  int64_t total = product(walk.extents), rank = int64_t(walk.extents.size());
  Sizes at(rank, 0), indices(selectors.size(), 0);
  for (int64_t index = 0; index < total; ++index) {
    int64_t point = 0;
    for (int64_t d = 0; d < walk.shapeRank; ++d) point = point * walk.shape[d] + at[walk.shapeAt + d];
    bool inside = !mask || mask->integers[point];
    int64_t element = 0, next = 0;
    bool shapeSeen = false;
    for (size_t d = 0; d < selectors.size() && inside; ++d) {
      const Selector &selector = selectors[d];
      int64_t position = selector.begin;
      if (selector.kind == Selector::Run) {
        position += at[next++];
      } else if (selector.kind == Selector::Positions) {
        position = selector.positions->integers[point];
        if (!shapeSeen) next += walk.shapeRank;
        shapeSeen = true;
      }
      inside = position >= 0 && position < view.sizes[d];
      indices[d] = position;
      element += position * view.strides[d];
    }
    if (inside) f(index, element, indices);
    for (int64_t d = rank - 1; d >= 0 && ++at[d] == walk.extents[d]; --d) at[d] = 0;
  }
}

} // namespace

TilePtr gather(const View &view, const Selectors &selectors, TilePtr mask, const Tile *pad) {
  Walk walk = walkOf(selectors, mask);
  auto result = filled(view.dtype, walk.extents, pad);
  eachPoint(view, selectors, mask, walk,
            [&](int64_t index, int64_t element, const Sizes &) { readRun(view, element, 0, 1, *result, index); });
  return result;
}

/// Of a write: no more than the value has, which is cropped to it.
static Walk walkOfWrite(const Selectors &selectors, const TilePtr &mask, TilePtr &value) {
  Walk walk = walkOf(selectors, mask);
  for (auto [to, from] : llvm::zip(walk.extents, value->extents)) to = std::min(to, from);
  for (int64_t d = 0; d < walk.shapeRank; ++d) walk.shape[d] = walk.extents[walk.shapeAt + d];
  value = crop(value, walk.extents);
  return walk;
}

void scatter(const View &view, const Selectors &selectors, TilePtr mask, TilePtr value, const std::function<void(const Box &)> &written) {
  Walk walk = walkOfWrite(selectors, mask, value);
  eachPoint(view, selectors, mask, walk, [&](int64_t index, int64_t element, const Sizes &indices) {
    writeRun(view, element, 0, 1, *value, index);
    if (written) written({indices, Sizes(indices.size(), 1)});
  });
}

TilePtr atomic(const View &view, const Selectors &selectors, TilePtr mask, TilePtr value, llvm::StringRef kind,
               const std::function<void(const Box &)> &written) {
  Walk walk = walkOfWrite(selectors, mask, value);
  auto old = std::make_shared<Tile>(view.dtype, walk.extents);
  Combine combine(kind == "exchange" ? "addi" : kind, view.dtype, /*rounds=*/true);
  Tile now(view.dtype, llvm::ArrayRef<int64_t>());
  eachPoint(view, selectors, mask, walk, [&](int64_t index, int64_t element, const Sizes &indices) {
    readRun(view, element, 0, 1, *old, index);
    now.with(*value, [&](auto &to, const auto &from) { to[0] = from[size_t(index)]; });
    if (kind != "exchange") {
      if (now.isFloat())
        combine(now.floats.data(), &old->floats[size_t(index)], 1);
      else
        combine(now.integers.data(), &old->integers[size_t(index)], 1);
    }
    writeRun(view, element, 0, 1, now, 0);
    if (written) written({indices, Sizes(indices.size(), 1)});
  });
  return old;
}

Expected<ViewPtr> allocateWorkspace(DType dtype, llvm::ArrayRef<int64_t> sizes) {
  auto view = std::make_shared<View>();
  view->dtype = dtype;
  view->sizes.assign(sizes.begin(), sizes.end());
  view->strides.assign(sizes.size(), 1);
  int64_t elements = 1;
  for (int64_t d = int64_t(sizes.size()) - 1; d >= 0; --d) {
    view->strides[d] = elements;
    if (sizes[d] < 0 || (sizes[d] && elements > (int64_t(1) << 40) / sizes[d]))
      return Status(PANTILE_INVALID_ARGUMENT,
                    "a workspace of size " + std::to_string(sizes[d]) + " in dimension " + std::to_string(d) + " is negative or too large");
    elements *= sizes[d];
  }
  int64_t bytes = elements * std::max(1u, info(dtype).bits / 8) + 8;
  view->owner = std::shared_ptr<char[]>(new (std::nothrow) char[size_t(bytes)]());
  if (!view->owner) return Status(PANTILE_OUT_OF_MEMORY, "no memory for a workspace of " + std::to_string(bytes) + " bytes");
  view->data = view->owner.get();
  return ViewPtr(view);
}

} // namespace pantile::interpreter
