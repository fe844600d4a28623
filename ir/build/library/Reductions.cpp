//===- ir/build/library/Reductions.cpp - reductions and scans of an axis --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The axis is walked in blocks @bk; of the other dimensions the last is blocked by @bn and those before go one by one.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

/// A grid over all dimensions but the axis.
struct Slices {
  int rank, axis;
  std::vector<std::string> names = sizeNames(rank);

  std::vector<SizeSpec> kept() const {
    std::vector<SizeSpec> sizes;
    for (int d = 0; d < rank; ++d)
      if (d != axis) sizes.push_back(names[d]);
    if (sizes.empty()) sizes.push_back(1);
    return sizes;
  }
  Size length(KernelBuilder &k) const { return k.size(names[axis]); }

  /// `at`: the output's subscripts; `dims`: the extents they keep.
  void forEach(KernelBuilder &k, const std::function<void(const std::vector<Subscript> &at, const Dims &dims)> &body) const {
    std::vector<Extent> extents;
    int last = axis == rank - 1 ? rank - 2 : rank - 1;
    for (int d = 0; d < rank; ++d)
      if (d != axis)
        extents.push_back(d == last ? Extent("j", k.size(names[d]), "bn") : Extent("b" + std::to_string(d), k.size(names[d]), 1));
    if (extents.empty()) extents.push_back({"whole", 1, 1});
    k.parallelOver(extents, [&](std::span<const Range> ranges) {
      Dims dims;
      for (const Range &range : ranges)
        if (!range.isIndex()) dims.push_back(range);
      body({ranges.begin(), ranges.end()}, dims);
    });
  }
  /// The input's subscripts: `range` on the axis.
  std::vector<Subscript> input(std::vector<Subscript> at, const Range &range) const {
    if (rank == 1) return {range};
    at.insert(at.begin() + axis, Subscript(range));
    return at;
  }
};

static Expected<Slices> slices(const Options &o) {
  PANTILE_ASSIGN(int axis, o.axis());
  return Slices{o.rank(), axis};
}

static Status writeSum(KernelBuilder &k, const Options &o, bool mean) {
  PANTILE_ASSIGN(Slices s, slices(o));
  View X = k.view("X", specs(s.names), o.dtype()), Out = k.view("Out", s.kept(), o.dtype("out"));
  s.forEach(k, [&](const std::vector<Subscript> &at, const Dims &dims) {
    Tile total = k.loop({"p", s.length(k), "bk"}, k.zeros(dims, f32), associative,
                        [&](Range p, Tile before) { return before + sum(cast(X.at(s.input(at, p)), f32), p); });
    if (mean) total = total / cast(s.length(k), f32);
    Out.at(at) = cast(total, o.dtype("out"));
  });
  return Status::ok();
}

static Status writeExtreme(KernelBuilder &k, const Options &o, bool greatest) {
  PANTILE_ASSIGN(Slices s, slices(o));
  View X = k.view("X", specs(s.names), o.dtype()), Out = k.view("Out", s.kept(), o.dtype("out"));
  s.forEach(k, [&](const std::vector<Subscript> &at, const Dims &dims) {
    Tile result = k.loop({"p", s.length(k), "bk"}, k.filled(dims, greatest ? -infinity : infinity, f32), [&](Range p, Tile before) {
      Tile x = cast(X.at(s.input(at, p)), f32);
      return greatest ? maximum(before, max(x, p)) : minimum(before, min(x, p));
    });
    Out.at(at) = cast(result, o.dtype("out"));
  });
  return Status::ok();
}

/// Per block mean and sum of squared differences, merged as Chan, Golub and LeVeque do: one pass, no cancellation.
static Status writeVariance(KernelBuilder &k, const Options &o) {
  PANTILE_ASSIGN(Slices s, slices(o));
  View X = k.view("X", specs(s.names), o.dtype()), Out = k.view("Out", s.kept(), o.dtype("out"));
  s.forEach(k, [&](const std::vector<Subscript> &at, const Dims &dims) {
    auto [mean, squares] =
        k.loop({"p", s.length(k), "bk"}, {k.zeros(dims, f32), k.zeros(dims, f32)}, [&](Range p, Tile mean, Tile squares) {
          Tile x = cast(X.at(s.input(at, p)), f32), before = cast(p.begin(), f32), after = cast(p.end(), f32), count = after - before;
          Tile blockMean = sum(x, p) / count, off = x - blockMean, blockSquares = sum(off * off, p);
          Tile delta = blockMean - mean;
          return carry(mean + delta * (count / after), squares + blockSquares + delta * delta * (before * count / after));
        });
    Out.at(at) = cast(squares / cast(s.length(k), f32), o.dtype("out"));
  });
  return Status::ok();
}

/// Two plain reductions a block: its maximum, then the first position that has it. NaNs are passed over.
static Status writeArgmax(KernelBuilder &k, const Options &o) {
  PANTILE_ASSIGN(Slices s, slices(o));
  View X = k.view("X", specs(s.names), o.dtype()), Out = k.view("Out", s.kept(), i32);
  s.forEach(k, [&](const std::vector<Subscript> &at, const Dims &dims) {
    auto [value, position] =
        k.loop({"p", s.length(k), "bk"}, {k.filled(dims, -infinity, f32), k.zeros(dims, i32)}, [&](Range p, Tile value, Tile position) {
          Tile x = cast(X.at(s.input(at, p)), f32), greatest = maxNumber(x, p);
          Tile first = min(select(x == greatest, index(p), std::numeric_limits<int32_t>::max()), p), better = greatest > value;
          return carry(select(better, greatest, value), select(better, first, position));
        });
    Out.at(at) = position;
  });
  return Status::ok();
}

static Status writeCumsum(KernelBuilder &k, const Options &o) {
  PANTILE_ASSIGN(Slices s, slices(o));
  View X = k.view("X", specs(s.names), o.dtype()), Y = k.view("Y", specs(s.names), o.dtype("out"));
  ScanOrder order{o.flag("reverse"), o.flag("exclusive")};
  s.forEach(k, [&](const std::vector<Subscript> &at, const Dims &dims) {
    Size length = s.length(k);
    k.loop({"p", length, "bk"}, k.zeros(dims, f32), [&](Range block, Tile before) {
      // In reverse, block [b, e) stands for its mirror image [length - e, length - b).
      Range p = order.reverse ? block + (length - block.end() - block.begin()) : block;
      std::vector<Subscript> place = s.input(at, p);
      Tile x = cast(X.at(place), f32);
      Y.at(place) = cast(cumulativeSum(x, p, order) + before, o.dtype("out"));
      return before + sum(x, p);
    });
  });
  return Status::ok();
}

static Status writeTopK(KernelBuilder &k, const Options &o) {
  PANTILE_ASSIGN(int count, o.number("k", 1, 4096));
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, o.dtype()), Values = k.view("Values", {M, count}, o.dtype()), Indices = k.view("Indices", {M, count}, i32);
  k.assume(N >= count, "a row has at least k elements");
  Full row = full("n"), top = full(count);
  k.parallel({"i", M, "bm"}, [&](Range i) {
    auto [values, indices] = topK(X(i, row), count, row);
    Values(i, top) = values;
    Indices(i, top) = indices;
  });
  return Status::ok();
}

std::vector<Entry> reductionFamily() {
  std::vector<LibraryOption> options = {dtypeOption(), outOption(), rankOption(2), axisOption()}, scans = options;
  std::vector<LibraryOption> positions = {dtypeOption(), rankOption(2), axisOption()};
  scans.push_back(flagOption("reverse", "from the end"));
  scans.push_back(flagOption("exclusive", "without the element itself"));
  auto with = [](auto write, bool choice) { return [=](KernelBuilder &k, const Options &o) { return write(k, o, choice); }; };
  return {
      {{"sum", "sum along an axis", options, {}}, with(writeSum, false)},
      {{"mean", "mean along an axis", options, {}}, with(writeSum, true)},
      {{"max", "maximum along an axis", options, {}}, with(writeExtreme, true)},
      {{"min", "minimum along an axis", options, {}}, with(writeExtreme, false)},
      {{"variance", "mean of squared differences from the mean along an axis", options, {}}, writeVariance},
      {{"argmax", "position of the first maximum along an axis", positions, {}}, writeArgmax},
      {{"topk", "the k greatest of each row, descending, and their columns", {dtypeOption(), {"k", "8", "how many, 1 to 4096", {}}}, {}},
       writeTopK},
      {{"cumsum", "cumulative sum along an axis", scans, {}}, writeCumsum},
  };
}

} // namespace pantile::build
