//===- ir/build/library/Elementwise.cpp - pointwise operators -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

#include <numbers>

namespace pantile::build {

using Unary = Tile (*)(Operand);
using Binary = Tile (*)(Operand, Operand);
using Subscripts = std::vector<Subscript>;

/// A grid over every element: the last two dimensions in blocks, those before one by one.
static void forEachElement(KernelBuilder &k, int rank, const std::function<void(const Subscripts &at)> &body) {
  std::vector<Extent> extents;
  std::vector<std::string> names = sizeNames(rank);
  for (int d = 0; d < rank; ++d) {
    Size size = k.size(names[d]);
    if (d + 2 < rank)
      extents.push_back({"b" + std::to_string(d), size, 1});
    else
      extents.push_back(d + 1 < rank ? Extent("i", size, "bm") : Extent("j", size, "bn"));
  }
  k.parallelOver(extents, [&](std::span<const Range> ranges) { body(Subscripts(ranges.begin(), ranges.end())); });
}

static View view(KernelBuilder &k, const char *name, const Options &o, DType dtype) {
  return input(k, name, specs(sizeNames(o.rank())), dtype);
}
static View output(KernelBuilder &k, const Options &o) { return k.view("Out", specs(sizeNames(o.rank())), o.dtype("out")); }

static Entry unary(const char *name, const char *summary, Unary function) {
  return {{name, summary, {dtypeOption(), outOption(), rankOption(1)}, {}}, [=](KernelBuilder &k, const Options &o) {
            View X = view(k, "X", o, o.dtype()), Out = output(k, o);
            forEachElement(k, o.rank(), [&](const Subscripts &at) { Out.at(at) = cast(function(cast(X.at(at), f32)), o.dtype("out")); });
            return Status::ok();
          }};
}

static Entry binary(const char *name, const char *summary, bool ofIntegers, Binary function) {
  std::vector<LibraryOption> options = {dtypeOption(), outOption(), rankOption(1)};
  if (ofIntegers) {
    options[0].values.push_back("i32");
    options[1].values.push_back("i32");
  }
  return {{name, summary, options, {}}, [=](KernelBuilder &k, const Options &o) {
            View X = view(k, "X", o, o.dtype()), Y = view(k, "Y", o, o.dtype()), Out = output(k, o);
            DType math = o.dtype() == i32 ? i32 : f32;
            forEachElement(k, o.rank(), [&](const Subscripts &at) {
              Out.at(at) = cast(function(cast(X.at(at), math), cast(Y.at(at), math)), o.dtype("out"));
            });
            return Status::ok();
          }};
}

static Entry withScalar(const char *name, const char *summary, Binary function) {
  return {{name, summary, {dtypeOption(), outOption(), rankOption(1)}, {}}, [=](KernelBuilder &k, const Options &o) {
            View X = view(k, "X", o, o.dtype()), Out = output(k, o);
            Tile value = k.scalar("value", f32);
            forEachElement(k, o.rank(),
                           [&](const Subscripts &at) { Out.at(at) = cast(function(cast(X.at(at), f32), value), o.dtype("out")); });
            return Status::ok();
          }};
}

static Status writeClamp(KernelBuilder &k, const Options &o) {
  View X = view(k, "X", o, o.dtype()), Out = output(k, o);
  Tile low = k.scalar("low", f32), high = k.scalar("high", f32);
  forEachElement(k, o.rank(),
                 [&](const Subscripts &at) { Out.at(at) = cast(minimum(maximum(cast(X.at(at), f32), low), high), o.dtype("out")); });
  return Status::ok();
}

static Status writeWhere(KernelBuilder &k, const Options &o) {
  View Cond = view(k, "Cond", o, i8), X = view(k, "X", o, o.dtype()), Y = view(k, "Y", o, o.dtype()), Out = output(k, o);
  Cond.values(0, 2);
  forEachElement(k, o.rank(), [&](const Subscripts &at) {
    Tile chosen = Cond.at(at) != 0;
    Out.at(at) = cast(select(chosen, X.at(at), Y.at(at)), o.dtype("out"));
  });
  return Status::ok();
}

static Status writeSwiglu(KernelBuilder &k, const Options &o) {
  View Gate = view(k, "Gate", o, o.dtype()), Up = view(k, "Up", o, o.dtype()), Out = output(k, o);
  forEachElement(k, o.rank(),
                 [&](const Subscripts &at) { Out.at(at) = cast(silu(cast(Gate.at(at), f32)) * cast(Up.at(at), f32), o.dtype("out")); });
  return Status::ok();
}

static Status writeCopy(KernelBuilder &k, const Options &o) {
  View X = view(k, "X", o, o.dtype()), Out = output(k, o);
  forEachElement(k, o.rank(), [&](const Subscripts &at) { Out.at(at) = cast(X.at(at), o.dtype("out")); });
  return Status::ok();
}

static Status writeTranspose(KernelBuilder &k, const Options &o) {
  auto [M, N] = k.sizes("M", "N");
  View X = k.view("X", {M, N}, o.dtype()), Out = k.view("Out", {N, M}, o.dtype("out"));
  k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) { Out(j, i) = cast(transpose(X(i, j)), o.dtype("out")); });
  return Status::ok();
}

std::vector<Entry> elementwiseFamily() {
  LibraryOption anyDtype = dtypeOption({"i8", "i32", "i64"}), anyOut = outOption();
  anyOut.values = anyDtype.values;
  std::vector<LibraryOption> pointwise = {dtypeOption(), outOption(), rankOption(1)};
  return {
      binary("add", "X + Y", true, [](Operand a, Operand b) { return a + b; }),
      binary("sub", "X - Y", true, [](Operand a, Operand b) { return a - b; }),
      binary("mul", "X * Y", true, [](Operand a, Operand b) { return a * b; }),
      binary("div", "X / Y", false, [](Operand a, Operand b) { return a / b; }),
      binary("maximum", "the greater of X and Y", true, maximum),
      binary("minimum", "the lesser of X and Y", true, minimum),
      binary("pow", "X to the power of Y", false, pow),
      unary("exp", "e to the X", exp),
      unary("exp2", "2 to the X", exp2),
      unary("log", "natural logarithm", log),
      unary("sqrt", "square root", sqrt),
      unary("rsqrt", "1 / sqrt(X)", rsqrt),
      unary("sin", "sine", sin),
      unary("cos", "cosine", cos),
      unary("sigmoid", "1 / (1 + exp(-X))", sigmoid),
      unary("tanh", "hyperbolic tangent", tanh),
      unary("erf", "error function", erf),
      unary("relu", "max(X, 0)", relu),
      unary("gelu", "X times the normal distribution's cumulative function", gelu),
      unary("gelu_tanh", "gelu by its tanh approximation", geluTanh),
      unary("silu", "X * sigmoid(X)", silu),
      unary("softplus", "log(1 + exp(X))", [](Operand x) { return maximum(x, 0.0) + log1p(exp(-abs(x))); }),
      unary("abs", "absolute value", abs),
      unary("neg", "-X", [](Operand x) { return -x; }),
      unary("reciprocal", "1 / X", [](Operand x) { return 1.0 / x; }),
      unary("square", "X * X", [](Operand x) { return x * x; }),
      withScalar("add_scalar", "X + value", [](Operand a, Operand b) { return a + b; }),
      withScalar("mul_scalar", "X * value", [](Operand a, Operand b) { return a * b; }),
      withScalar("pow_scalar", "X to the power of value", pow),
      {{"clamp", "X kept between low and high", pointwise, {}}, writeClamp},
      {{"where", "X where Cond is not zero, else Y", pointwise, {}}, writeWhere},
      {{"swiglu", "silu(Gate) * Up", pointwise, {}}, writeSwiglu},
      {{"copy", "X in Out's strides and dtype", {anyDtype, anyOut, rankOption(1)}, {}}, writeCopy},
      {{"transpose", "Out[n, m] = X[m, n]", {dtypeOption(), outOption()}, {}}, writeTranspose},
  };
}

} // namespace pantile::build
