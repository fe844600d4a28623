//===- ir/build/library/Softmax.cpp - softmax, its loss, and sampling -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

static Status writeSoftmax(KernelBuilder &k, const Options &o, bool logarithm) {
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, o.dtype()), Y = k.view("Y", {M, N}, o.dtype("out"));
  Full row = full("cols");
  Tile inverse;
  if (o.flag("temperature")) inverse = 1.0 / k.scalar("temperature", f32);
  k.parallel({"i", M, "bm"}, [&](Range i) {
    Tile x = cast(X(i, row), f32);
    if (inverse.isValid()) x = x * inverse;
    Tile shifted = x - max(x, row);
    Tile e = exp(shifted), total = sum(e, row);
    Y(i, row) = cast(logarithm ? shifted - log(total) : e / total, o.dtype("out"));
  });
  return Status::ok();
}

/// (maximum, sum of exp(x - maximum)) of each row in one pass: a block's sum joins after the running one is rescaled, so there
/// is one exp an element. `load(p)` gives a block of f32. Maxima start finite: rows may hold -inf.
static std::array<Tile, 2> maximumAndSum(KernelBuilder &k, const Range &rows, const Size &columns, const std::function<Tile(Range)> &load) {
  Tile least = k.filled({rows}, lowest, f32), zero = k.zeros({rows}, f32);
  return k.loop({"p", columns, "bk"}, {least, zero}, [&](Range p, Tile m, Tile s) {
    Tile x = load(p), next = maximum(m, max(x, p));
    return carry(next, s * exp(m - next) + sum(exp(x - next), p));
  });
}

static Status writeCrossEntropy(KernelBuilder &k, const Options &o) {
  auto [M, V] = k.sizes("M", "V");
  View X = k.view("X", {M, V}, o.dtype()), Target = k.view("Target", {M}, i32).values(0, V), Loss = k.view("Loss", {M}, o.dtype("out"));
  k.parallel({"i", M, "bm"}, [&](Range i) {
    auto [greatest, total] = maximumAndSum(k, i, V, [&](Range p) { return cast(X(i, p), f32); });
    Tile target = Target(i), rows = index(i);
    Loss(i) = cast(greatest + log(total) - cast(X(rows, target), f32), o.dtype("out"));
  });
  return Status::ok();
}

static Status writeCountBelow(KernelBuilder &k, const Options &o) {
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, f32), U = k.view("U", {M}, f32), Out = k.view("Out", {M}, i32);
  k.parallel({"i", M, "bm"}, [&](Range i) {
    Tile u = U(i);
    Tile count =
        k.loop({"p", N, "bk"}, k.zeros({i}, i32), associative, [&](Range p, Tile s) { return s + sum(cast(X(i, p) <= u, i32), p); });
    Out(i) = minimum(count, cast(N, i32) - 1);
  });
  return Status::ok();
}

/// Draws from softmax(X / temperature): the first column whose cumulative weight passes U times the whole.
static Status writeSample(KernelBuilder &k, const Options &o) {
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, o.dtype()), U = k.view("U", {M}, f32), Out = k.view("Out", {M}, i32);
  Tile inverse = 1.0 / k.scalar("temperature", f32);
  k.parallel({"i", M, "bm"}, [&](Range i) {
    auto logits = [&](const Range &p) { return cast(X(i, p), f32) * inverse; };
    auto [greatest, total] = maximumAndSum(k, i, N, logits);
    Tile passed = U(i) * total, peak = greatest;
    auto [running, count] = k.loop({"p", N, "bk"}, {k.zeros({i}, f32), k.zeros({i}, i32)}, [&](Range p, Tile before, Tile n) {
      Tile weights = exp(logits(p) - peak), cumulative = cumulativeSum(weights, p) + before;
      return carry(before + sum(weights, p), n + sum(cast(cumulative <= passed, i32), p));
    });
    Out(i) = minimum(count, cast(N, i32) - 1);
  });
  return Status::ok();
}

std::vector<Entry> softmaxFamily() {
  std::vector<LibraryOption> options = {dtypeOption(), outOption(),
                                        flagOption("temperature", "adds the scalar temperature: X / temperature")};
  LibraryOption loss = outOption();
  loss.defaultValue = "f32";
  loss.summary = "element type of Loss";
  return {
      {{"softmax", "exp(X) over its sum, by rows", options, {}},
       [](KernelBuilder &k, const Options &o) { return writeSoftmax(k, o, false); }},
      {{"log_softmax", "logarithm of softmax, by rows", options, {}},
       [](KernelBuilder &k, const Options &o) { return writeSoftmax(k, o, true); }},
      {{"cross_entropy", "-log softmax(X)[m, Target[m]]", {dtypeOption(), loss}, {}}, writeCrossEntropy},
      {{"count_below", "how many of X[m, :] are at most U[m], at most N-1", {}, {}}, writeCountBelow},
      {{"sample", "a column drawn from softmax(X / temperature) by U", {dtypeOption()}, {}}, writeSample},
  };
}

} // namespace pantile::build
