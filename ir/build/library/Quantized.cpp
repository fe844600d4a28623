//===- ir/build/library/Quantized.cpp - block-quantized weights -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A row is KB blocks of 32 elements with one scale (q4_1: and one minimum) each. Loops run over blocks, a range of blocks
// times 32 is a range of elements, so no size but the format's own 32 is assumed.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

QuantizedRows::QuantizedRows(KernelBuilder &k, const std::string &format, const std::string &rows, const std::string &blocks) {
  bool packed = format == "q4_1";
  quants = input(k, "Quants", {rows, blocks, packed ? block / 2 : block}, i8);
  scales = k.view("Scales", {rows, blocks}, f16);
  if (packed) mins = k.view("Mins", {rows, blocks}, f16);
}

Tile QuantizedRows::values(Subscript row, const Range &blocks) {
  if (!mins) return cast(quants(row, blocks, full(block)), f32) * cast(scales(row, blocks), f32);
  // Byte j of a block holds elements j (low nibble) and j + 16 (high nibble).
  Tile bytes = quants(row, blocks, full(block / 2));
  Tile nibbles = cat(bytes & 15, bytes >> 4, -1);
  return cast(nibbles, f32) * cast(scales(row, blocks), f32) + cast((*mins)(row, blocks), f32);
}

static Status writeMatmul(KernelBuilder &k, const Options &o) {
  auto [M, N, K, KB] = k.sizes("M", "N", "K", "KB");
  View X = k.view("X", {M, K}, o.dtype());
  QuantizedRows weights(k, o.text("format"), "N", "KB");
  Epilogue epilogue(k, o, {M, N});
  View Out = k.view("Out", {M, N}, epilogue.out);
  DType compute = o.dtype("compute");
  k.assume(K == KB * 32, "K is 32 times KB");
  k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) {
    Tile total = k.loop({"b", KB, "kb"}, k.zeros({i, j}, f32), associative, [&](Range b, Tile s) {
      Range p = b * 32;
      Tile w = reshape(cast(weights.values(j, b), compute), {j, p});
      return dot(cast(X(i, p), compute), transposed(w), s);
    });
    Out(i, j) = epilogue(total, {i, j});
  });
  return Status::ok();
}

/// Sums stay spread over the 32 lanes of a block, in registers, until the end.
static Status writeMatvec(KernelBuilder &k, const Options &o) {
  auto [N, K, KB] = k.sizes("N", "K", "KB");
  View X = k.view("X", {K}, o.dtype());
  QuantizedRows weights(k, o.text("format"), "N", "KB");
  Epilogue epilogue(k, o, {N});
  View Out = k.view("Out", {N}, epilogue.out);
  k.assume(K == KB * 32, "K is 32 times KB");
  k.parallel({"n", N, "bn"}, [&](Range n) {
    Tile lanes = k.loop({"b", KB, "kb"}, k.zeros({n, 32}, f32), associative, [&](Range b, Tile s) {
      Tile x = reshape(cast(X(b * 32), f32), {b, 32});
      return s + sum(weights.values(n, b) * x, b);
    });
    Out(n) = epilogue(sum(lanes, 1), {n});
  });
  return Status::ok();
}

static Status writeEmbedding(KernelBuilder &k, const Options &o) {
  auto [S, D, DB] = k.sizes("S", "D", "DB");
  QuantizedRows table(k, o.text("format"), "V", "DB");
  View Ids = k.view("Ids", {S}, i32).values(0, "V"), Out = k.view("Out", {S, D}, o.dtype());
  k.assume(D == DB * 32, "D is 32 times DB");
  k.parallel({{"s", S, "bs"}, {"b", DB, "db"}}, [&](Range s, Range b) {
    Tile ids = Ids(s);
    Range d = b * 32;
    Out(s, d) = cast(reshape(table.values(ids, b), {s, d}), o.dtype());
  });
  return Status::ok();
}

std::vector<Entry> quantizedFamily() {
  std::vector<LibraryOption> matrix = {dtypeOption(), outOption(), formatOption("q4_1"),
                                       dtypeLike("compute", "element type that is multiplied")};
  std::vector<LibraryOption> vector = {dtypeOption(), outOption(), formatOption("q4_1")};
  for (const LibraryOption &option : epilogueOptions()) matrix.push_back(option), vector.push_back(option);
  LibraryOption dtype = dtypeOption();
  dtype.summary = "element type of Out";
  return {
      {{"matmul_quantized", "Out = activation(X W' + Bias) + Residual, W block-quantized [N,K]", matrix, {}}, writeMatmul},
      {{"matvec_quantized", "Out = activation(W X + Bias) + Residual, W block-quantized [N,K]", vector, {}}, writeMatvec},
      {{"embedding_quantized", "rows of a block-quantized table by Ids", {dtype, formatOption("q8_0")}, {}}, writeEmbedding},
  };
}

} // namespace pantile::build
