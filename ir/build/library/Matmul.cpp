//===- ir/build/library/Matmul.cpp - matrix products ----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

/// a x b + s, each stored the other way round where its flag says so.
static Tile dotOf(Operand a, bool transposeA, Operand b, bool transposeB, Operand s) {
  return KernelBuilder::contract(a, transposeA, b, transposeB, s);
}

static Status writeMatmul(KernelBuilder &k, const Options &o) {
  auto [M, N, K] = k.sizes("M", "N", "K");
  bool ta = o.flag("transpose_a"), tb = o.flag("transpose_b");
  View A = ta ? k.view("A", {K, M}, o.dtype()) : k.view("A", {M, K}, o.dtype());
  View B = tb ? k.view("B", {N, K}, o.dtype()) : k.view("B", {K, N}, o.dtype());
  Epilogue epilogue(k, o, {M, N});
  View C = k.view("C", {M, N}, epilogue.out);
  k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) {
    Tile sum = k.loop({"p", K, "bk"}, k.zeros({i, j}, f32), associative, [&](Range p, Tile s) {
      Tile a = ta ? A(p, i) : A(i, p), b = tb ? B(j, p) : B(p, j);
      return dotOf(a, ta, b, tb, s);
    });
    C(i, j) = epilogue(sum, {i, j});
  });
  return Status::ok();
}

static Status writeBatchedMatmul(KernelBuilder &k, const Options &o) {
  auto [B0, M, N, K] = k.sizes("B0", "M", "N", "K");
  bool ta = o.flag("transpose_a"), tb = o.flag("transpose_b");
  View A = ta ? k.view("A", {B0, K, M}, o.dtype()) : k.view("A", {B0, M, K}, o.dtype());
  View B = tb ? k.view("B", {B0, N, K}, o.dtype()) : k.view("B", {B0, K, N}, o.dtype());
  Epilogue epilogue(k, o, {B0, M, N});
  View C = k.view("C", {B0, M, N}, epilogue.out);
  k.parallel({{"b", B0, 1}, {"i", M, "bm"}, {"j", N, "bn"}}, [&](Range b, Range i, Range j) {
    Tile sum = k.loop({"p", K, "bk"}, k.zeros({i, j}, f32), associative, [&](Range p, Tile s) {
      Tile x = ta ? A(b, p, i) : A(b, i, p), y = tb ? B(b, j, p) : B(b, p, j);
      return dotOf(x, ta, y, tb, s);
    });
    C(b, i, j) = epilogue(sum, {b, i, j});
  });
  return Status::ok();
}

/// Memory-bound: a plain multiply and reduce over long blocks of K, which needs no matrix unit and no packing.
static Status writeMatvec(KernelBuilder &k, const Options &o) {
  auto [N, K] = k.sizes("N", "K");
  View A = k.view("A", {N, K}, o.dtype()), X = k.view("X", {K}, o.dtype("x"));
  Epilogue epilogue(k, o, {N});
  View Y = k.view("Y", {N}, epilogue.out);
  k.parallel({"n", N, "bn"}, [&](Range n) {
    Tile total = k.loop({"p", K, "bk"}, k.zeros({n}, f32), associative,
                        [&](Range p, Tile s) { return s + sum(cast(A(n, p), f32) * cast(X(p), f32), p); });
    Y(n) = epilogue(total, {n});
  });
  return Status::ok();
}

static Status writeInt8(KernelBuilder &k, const Options &o) {
  auto [M, N, K] = k.sizes("M", "N", "K");
  bool tb = o.flag("transpose_b"), scaled = o.flag("scales");
  View A = input(k, "A", {M, K}, i8), B = tb ? input(k, "B", {N, K}, i8) : input(k, "B", {K, N}, i8), rows, columns;
  if (scaled) rows = k.view("ScaleA", {M}, f32), columns = k.view("ScaleB", {N}, f32);
  DType out = scaled ? o.dtype("out") : i32;
  View C = k.view("C", {M, N}, out);
  k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) {
    Tile total = k.loop({"p", K, "bk"}, k.zeros({i, j}, i32), associative, [&](Range p, Tile s) {
      Tile b = tb ? B(j, p) : B(p, j);
      return dotOf(A(i, p), false, b, tb, s);
    });
    if (scaled)
      C(i, j) = cast(cast(total, f32) * rows(i) * columns(j), out);
    else
      C(i, j) = total;
  });
  return Status::ok();
}

std::vector<Entry> matmulFamily() {
  std::vector<LibraryOption> full = {dtypeOption(), outOption(), flagOption("transpose_a", "A is stored [K,M]"),
                                     flagOption("transpose_b", "B is stored [N,K]")};
  std::vector<LibraryOption> vector = {dtypeOption(), outOption(), dtypeLike("x", "element type of X")};
  for (const LibraryOption &option : epilogueOptions()) full.push_back(option), vector.push_back(option);
  LibraryOption out = outOption();
  out.defaultValue = "f32";
  out.summary = "element type of C (scales=0: i32)";
  out.values.push_back("i32");
  return {
      {{"matmul", "C = activation(A B + Bias) + Residual", full, {}}, writeMatmul},
      {{"batched_matmul", "matmul of each of B0 pairs", full, {}}, writeBatchedMatmul},
      {{"matvec", "Y = activation(A X + Bias) + Residual", vector, {}}, writeMatvec},
      {{"matmul_int8",
        "C = (A B) ScaleA[m] ScaleB[n], A and B i8, exact sums",
        {out, flagOption("transpose_b", "B is stored [N,K]"), flagOption("scales", "0: C is the i32 sums", true)},
        {}},
       writeInt8},
  };
}

} // namespace pantile::build
