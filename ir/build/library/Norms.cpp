//===- ir/build/library/Norms.cpp - normalizations of rows ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

static Status writeLayerNorm(KernelBuilder &k, const Options &o) {
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, o.dtype()), W = k.view("W", {N}, o.dtype("weights")), B = k.view("B", {N}, o.dtype("weights"));
  View Y = k.view("Y", {M, N}, o.dtype("out"));
  Tile eps = k.scalar("eps", f32), scale = 1.0 / cast(N, f32);
  Full row = full("cols");
  k.parallel({"i", M, "bm"}, [&](Range i) {
    Tile x = cast(X(i, row), f32);
    Tile centered = x - sum(x, row) * scale;
    Tile variance = sum(centered * centered, row) * scale;
    Tile y = centered * rsqrt(variance + eps);
    Y(i, row) = cast(y * cast(W(row), f32) + cast(B(row), f32), o.dtype("out"));
  });
  return Status::ok();
}

static Status writeRmsNorm(KernelBuilder &k, const Options &o) {
  auto [M, N] = k.sizes("M", "N");
  bool residual = o.flag("residual");
  View X = k.view("X", {M, N}, o.dtype()), R, Sum;
  if (residual) R = k.view("R", {M, N}, o.dtype());
  View W = k.view("W", {N}, o.dtype("weights"));
  if (residual) Sum = k.view("Sum", {M, N}, o.dtype());
  View Y = k.view("Y", {M, N}, o.dtype("out"));
  Tile eps = k.scalar("eps", f32), scale = 1.0 / cast(N, f32);
  Full row = full("cols");
  k.parallel({"i", M, "bm"}, [&](Range i) {
    Tile x = cast(X(i, row), f32);
    if (residual) {
      Tile stored = cast(x + cast(R(i, row), f32), o.dtype());
      Sum(i, row) = stored;
      x = cast(stored, f32);
    }
    Tile y = x * rsqrt(sum(x * x, row) * scale + eps);
    Y(i, row) = cast(y * cast(W(row), f32), o.dtype("out"));
  });
  return Status::ok();
}

std::vector<Entry> normFamily() {
  std::vector<LibraryOption> options = {dtypeOption(), outOption(), dtypeLike("weights", "element type of W and B")};
  std::vector<LibraryOption> withResidual = options;
  withResidual.push_back(flagOption("residual", "normalizes and stores Sum = X + R"));
  return {
      {{"layer_norm", "(X - mean) / sqrt(variance + eps) * W + B, by rows", options, {}}, writeLayerNorm},
      {{"rms_norm", "X / sqrt(mean of squares + eps) * W, by rows", withResidual, {}}, writeRmsNorm},
  };
}

} // namespace pantile::build
