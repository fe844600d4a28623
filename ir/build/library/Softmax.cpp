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

/// One pass: (max, sum of exp) is one reduction, whose combination rescales the side with the lesser maximum.
static Status writeCrossEntropy(KernelBuilder &k, const Options &o) {
  auto [M, V] = k.sizes("M", "V");
  View X = k.view("X", {M, V}, o.dtype()), Target = k.view("Target", {M}, i32).values(0, V), Loss = k.view("Loss", {M}, o.dtype("out"));
  Full row = full("cols");
  Tile floor = k.constant(lowest, f32), zero = k.constant(0.0, f32);
  k.parallel({"i", M, "bm"}, [&](Range i) {
    Tile x = cast(X(i, row), f32), ones = k.filled({i, row}, 1.0, f32);
    auto [greatest, total] = reduce({x, ones}, row, {floor, zero}, [&](auto left, auto right) {
      Tile m = maximum(maximum(left[0], right[0]), floor); // finite even where logits are -inf
      return carry(m, left[1] * exp(left[0] - m) + right[1] * exp(right[0] - m));
    });
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
    Tile count = k.loop({"p", N, "bk"}, k.zeros({i}, i32), associative, [&](Range p, Tile s) { return s + sum(cast(X(i, p) <= u, i32), p); });
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
    auto [greatest, total] = k.loop({"p", N, "bk"}, {k.filled({i}, lowest, f32), k.zeros({i}, f32)}, [&](Range p, Tile m, Tile s) {
      Tile x = logits(p), next = maximum(m, max(x, p));
      return carry(next, s * exp(m - next) + sum(exp(x - next), p));
    });
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
  std::vector<LibraryOption> options = {dtypeOption(), outOption(), flagOption("temperature", "adds the scalar temperature: X / temperature")};
  LibraryOption loss = outOption();
  loss.defaultValue = "f32";
  loss.summary = "element type of Loss";
  return {
      {{"softmax", "exp(X) over its sum, by rows", options, {}}, [](KernelBuilder &k, const Options &o) { return writeSoftmax(k, o, false); }},
      {{"log_softmax", "logarithm of softmax, by rows", options, {}}, [](KernelBuilder &k, const Options &o) { return writeSoftmax(k, o, true); }},
      {{"cross_entropy", "-log softmax(X)[m, Target[m]]", {dtypeOption(), loss}, {}}, writeCrossEntropy},
      {{"count_below", "how many of X[m, :] are at most U[m], at most N-1", {}, {}}, writeCountBelow},
      {{"sample", "a column drawn from softmax(X / temperature) by U", {dtypeOption()}, {}}, writeSample},
  };
}

} // namespace pantile::build
