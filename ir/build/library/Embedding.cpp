//===- ir/build/library/Embedding.cpp - rows by number, rotary positions --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

namespace pantile::build {

static Status writeEmbedding(KernelBuilder &k, const Options &o) {
  auto [V, S, D] = k.sizes("V", "S", "D");
  View Table = k.view("Table", {V, D}, o.dtype()), Ids = k.view("Ids", {S}, i32).values(0, V), Out = k.view("Out", {S, D}, o.dtype("out"));
  k.parallel({{"s", S, "bs"}, {"j", D, "bd"}}, [&](Range s, Range j) {
    Tile ids = Ids(s);
    Out(s, j) = cast(Table(ids, j), o.dtype("out"));
  });
  return Status::ok();
}

/// The gradient of embedding: rows that share an id add up.
static Status writeIndexAdd(KernelBuilder &k, const Options &o) {
  auto [V, S, D] = k.sizes("V", "S", "D");
  View X = k.view("X", {S, D}, o.dtype()), Ids = k.view("Ids", {S}, i32).values(0, V), Table = k.view("Table", {V, D}, o.dtype("out"));
  k.parallel({{"s", S, "bs"}, {"j", D, "bd"}}, [&](Range s, Range j) {
    Tile ids = Ids(s);
    atomicAdd(Table(ids, j), cast(X(s, j), o.dtype("out")));
  });
  return Status::ok();
}

/// Pairs of elements turn by position / theta^(2j/D): j and j + D/2 (half), or 2j and 2j + 1 (interleaved). Heads share angles.
static Status writeRope(KernelBuilder &k, const Options &o) {
  auto [S, H, D, P, DH] = k.sizes("S", "H", "D", "P", "DH");
  bool tables = o.flag("tables"), fromStart = o.flag("start"), interleaved = o.text("style") == "interleaved";
  View X = k.view("X", {S, H, D}, o.dtype()), Positions, Cos, Sin;
  Tile start, half;
  if (fromStart)
    start = k.scalar("start", i32);
  else
    Positions = k.view("Positions", {S}, i32).values(0, tables ? SizeSpec(P) : SizeSpec(4096));
  Tile theta;
  if (tables) {
    Cos = k.view("Cos", {P, DH}, f32), Sin = k.view("Sin", {P, DH}, f32);
    half = Operand(DH).tile;
    k.assume(D == half * 2, "D is twice DH");
  } else {
    theta = k.scalar("theta", f32);
    half = D / 2;
  }
  View Y = k.view("Y", {S, H, D}, o.dtype("out"));

  k.parallel({{"s", S, "bs"}, {"h", H, "bh"}, {"j", half, "bd"}}, [&](Range s, Range h, Range j) {
    Tile c, n;
    if (tables && fromStart) {
      Range rows = s + start;
      c = Cos(rows, j), n = Sin(rows, j);
    } else if (tables) {
      Tile rows = Positions(s);
      c = Cos(rows, j), n = Sin(rows, j);
    } else {
      Tile position = fromStart ? index(s) + start : Tile(Positions(s));
      Tile frequency = exp2(cast(index(j), f32) * (-2.0 / cast(D, f32) * log2(theta)));
      Tile angle = broadcast(cast(position, f32), {s, j}) * frequency;
      c = cos(angle), n = sin(angle);
    }
    auto turn = [&](Tile a, Tile b) {
      a = cast(a, f32), b = cast(b, f32);
      return std::array<Tile, 2>{cast(a * c - b * n, o.dtype("out")), cast(b * c + a * n, o.dtype("out"))};
    };
    if (interleaved) {
      Range pairs = j * 2;
      auto [even, odd] = split(reshape(X(s, h, pairs), {s, h, j, 2}));
      auto [a, b] = turn(even, odd);
      Y(s, h, pairs) = reshape(join(a, b), {s, h, pairs});
    } else {
      Range upper = j + half;
      auto [a, b] = turn(X(s, h, j), X(s, h, upper));
      Y(s, h, j) = a;
      Y(s, h, upper) = b;
    }
  });
  return Status::ok();
}

std::vector<Entry> embeddingFamily() {
  return {
      {{"embedding", "rows of Table by Ids", {dtypeOption(), outOption()}, {}}, writeEmbedding},
      {{"index_add", "adds rows of X to rows of Table by Ids", {dtypeOption(), outOption()}, {}}, writeIndexAdd},
      {{"rope",
        "rotary position embedding",
        {dtypeOption(),
         outOption(),
         {"style", "half", "which elements pair: j and j + D/2, or 2j and 2j + 1", {"half", "interleaved"}},
         flagOption("start", "scalar start instead of Positions"),
         flagOption("tables", "Cos and Sin are given; 0: scalar theta", true)},
        {}},
       writeRope},
  };
}

} // namespace pantile::build
