//===- ir/interpret/Shape.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/Shape.h"
#include "ir/interpret/Elementwise.h"
#include "ir/interpret/Number.h"

namespace pantile::interpreter {

namespace {

/// result[i0, i1, ...] = source[sum of i * stride]: broadcasts, transposes and splits are strides.
void copyStrided(Tile &result, const Tile &source, llvm::ArrayRef<int64_t> strides, int64_t first = 0) {
  int64_t total = result.count(), rank = result.rank();
  if (total == 0) return;
  int64_t inner = rank ? result.extents[rank - 1] : 1, innerStride = rank ? strides[rank - 1] : 0;
  Sizes position(rank, 0);
  result.with(source, [&](auto &to, const auto &from) {
    for (int64_t row = 0; row < total; row += inner) {
      int64_t at = first;
      for (int64_t d = 0; d + 1 < rank; ++d) at += position[d] * strides[d];
      for (int64_t i = 0; i < inner; ++i) to[row + i] = from[at + i * innerStride];
      for (int64_t d = rank - 2; d >= 0 && ++position[d] == result.extents[d]; --d) position[d] = 0;
    }
  });
}

Sizes rowMajor(llvm::ArrayRef<int64_t> extents) {
  Sizes strides(extents.size(), 1);
  for (int64_t d = int64_t(extents.size()) - 2; d >= 0; --d) strides[d] = strides[d + 1] * extents[d + 1];
  return strides;
}

} // namespace

TilePtr splat(const Tile &scalar, llvm::ArrayRef<int64_t> block) {
  auto result = std::make_shared<Tile>(scalar.dtype, block);
  result->with(scalar, [](auto &to, const auto &from) { std::fill(to.begin(), to.end(), from[0]); });
  return result;
}

TilePtr positions(DType dtype, int64_t first, int64_t count) {
  auto result = std::make_shared<Tile>(dtype, llvm::ArrayRef<int64_t>{count});
  for (int64_t i = 0; i < count; ++i) {
    if (result->isFloat())
      result->floats[i] = roundTo(formatOf(dtype), double(first + i));
    else
      result->integers[i] = wrapTo(dtype, first + i);
  }
  return result;
}

TilePtr broadcast(const Tile &source, llvm::ArrayRef<int64_t> along, llvm::ArrayRef<int64_t> block) {
  Sizes extents(block), strides(block.size(), 0), of = rowMajor(source.extents);
  for (size_t d = 0, next = 0; d < block.size(); ++d) {
    if (llvm::is_contained(along, int64_t(d))) continue;
    extents[d] = source.extents[next];
    strides[d] = of[next++];
  }
  auto result = std::make_shared<Tile>(source.dtype, extents);
  copyStrided(*result, source, strides);
  return result;
}

TilePtr transpose(const Tile &source, llvm::ArrayRef<int64_t> permutation) {
  Sizes extents, strides, of = rowMajor(source.extents);
  for (int64_t from : permutation) {
    extents.push_back(source.extents[from]);
    strides.push_back(of[from]);
  }
  auto result = std::make_shared<Tile>(source.dtype, extents);
  copyStrided(*result, source, strides);
  return result;
}

TilePtr grow(const TilePtr &source, llvm::ArrayRef<int64_t> extents) {
  if (llvm::ArrayRef<int64_t>(source->extents) == extents) return source;
  auto result = std::make_shared<Tile>(source->dtype, extents);
  int64_t total = source->count(), rank = source->rank();
  Sizes strides = rowMajor(extents), position(rank, 0);
  result->with(*source, [&](auto &to, const auto &from) {
    for (int64_t i = 0; i < total; ++i) {
      int64_t at = 0;
      for (int64_t d = 0; d < rank; ++d) at += position[d] * strides[d];
      to[at] = from[i];
      for (int64_t d = rank - 1; d >= 0 && ++position[d] == source->extents[d]; --d) position[d] = 0;
    }
  });
  return result;
}

TilePtr cat(std::vector<TilePtr> sources, int64_t dim) {
  // Crop all but the joined dimension to what every source has.
  Sizes least = sources[0]->extents;
  int64_t joined = 0;
  for (const TilePtr &source : sources) {
    for (auto [to, from] : llvm::zip(least, source->extents)) to = std::min(to, from);
    joined += source->extents[dim];
  }
  for (TilePtr &source : sources) {
    Sizes extents = least;
    extents[dim] = source->extents[dim];
    source = crop(source, extents);
  }
  Sizes extents = least;
  extents[dim] = joined;
  auto result = std::make_shared<Tile>(sources[0]->dtype, extents);
  int64_t outer = product(llvm::ArrayRef<int64_t>(extents).take_front(dim)),
          inner = product(llvm::ArrayRef<int64_t>(extents).drop_front(dim + 1));
  int64_t offset = 0;
  for (const TilePtr &source : sources) {
    int64_t run = source->extents[dim] * inner;
    result->with(*source, [&](auto &to, const auto &from) {
      for (int64_t o = 0; o < outer; ++o) std::copy_n(from.begin() + o * run, run, to.begin() + o * joined * inner + offset);
    });
    offset += run;
  }
  return result;
}

TilePtr join(TilePtr lhs, TilePtr rhs) {
  std::array<TilePtr, 2> both{lhs, rhs};
  Sizes extents = cropTogether(both);
  extents.push_back(2);
  auto result = std::make_shared<Tile>(lhs->dtype, extents);
  for (int half = 0; half < 2; ++half)
    result->with(*both[half], [&](auto &to, const auto &from) {
      for (size_t i = 0; i < from.size(); ++i) to[2 * i + half] = from[i];
    });
  return result;
}

TilePtr split(const Tile &source, int64_t half) {
  Sizes extents(llvm::ArrayRef<int64_t>(source.extents).drop_back());
  auto result = std::make_shared<Tile>(source.dtype, extents);
  result->with(source, [&](auto &to, const auto &from) {
    for (size_t i = 0; i < to.size(); ++i) to[i] = from[2 * i + half];
  });
  return result;
}

Expected<TilePtr> reshape(const Tile &source, llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to, llvm::ArrayRef<Group> groups) {
  Sizes extents(to);
  for (const Group &group : groups) {
    // Clipping is legal in the outermost dimension that is not 1: then the logical elements are a prefix.
    int64_t elements = 1;
    bool outermost = true;
    for (int64_t d = group.sourceBegin; d < group.sourceEnd; ++d) {
      if (source.extents[d] != from[d] && !outermost)
        return Status(PANTILE_INVALID_ARGUMENT, "a dimension inside others is clipped, so the elements left are no box of the result");
      if (from[d] != 1) outermost = false;
      elements *= source.extents[d];
    }
    int64_t target = -1, inner = 1;
    for (int64_t d = group.resultBegin; d < group.resultEnd; ++d) {
      if (target < 0 && to[d] != 1)
        target = d;
      else if (target >= 0)
        inner *= to[d];
    }
    if (target < 0) target = group.resultEnd - 1;
    if (target < group.resultBegin) continue; // extents of 1, dropped
    if (inner && elements % inner != 0)
      return Status(PANTILE_INVALID_ARGUMENT,
                    "a clipped dimension has " + std::to_string(elements) + " elements, which do not fill rows of " + std::to_string(inner))
          .withFix("make the size a multiple of the split factor");
    extents[target] = inner ? elements / inner : 0;
  }
  auto result = std::make_shared<Tile>(source.dtype, extents);
  if (result->count() != source.count()) return Status(PANTILE_INVALID_ARGUMENT, "the shapes have different numbers of elements");
  result->floats = source.floats;
  result->integers = source.integers;
  return TilePtr(result);
}

} // namespace pantile::interpreter
