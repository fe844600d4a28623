//===- ir/build/library/Attention.cpp - attention, prefill and decode -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Online softmax over blocks of keys, in base 2 (the scale carries log2 e). Positions: query q stands at key position
// q + offset, where offset = keys - queries, so that the last query sees the last key. In packed sequences rows are
// numbered through the whole buffer, and offset = (end of the keys) - (end of the queries) says the same.
//
// Running maxima start at the lowest finite number, so a row that sees no key keeps exp2(-inf - finite) = 0, never NaN.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

#include <numbers>

namespace pantile::build {

/// What a block of queries sees.
struct Sight {
  bool causal = false;
  Tile window;    ///< index scalar, or none
  Tile offset;    ///< index scalar
  Tile low, high; ///< bounds of the keys
};

/// The keys that any query in [first, last] can see.
static std::array<Tile, 2> keysInSight(const Sight &sight, const Tile &first, const Tile &last) {
  Tile low = sight.low, high = sight.high;
  if (sight.causal)
    high = minimum(high, last + sight.offset + 1);
  else if (sight.window.isValid())
    high = minimum(high, last + sight.offset + sight.window);
  if (sight.window.isValid()) low = maximum(low, first + sight.offset - sight.window + 1);
  return {low, maximum(low, high)};
}

/// Which keys each query sees: i1 of positions' common shape; none where every key in the bounds is seen.
static std::optional<Tile> visible(const Sight &sight, const Tile &query, const Tile &key) {
  std::optional<Tile> mask;
  auto also = [&](const Tile &condition) { mask = mask ? *mask & condition : condition; };
  if (sight.causal) also(key <= query);
  if (sight.window.isValid()) {
    Tile window = cast(sight.window, i32);
    also(key > query - window);
    if (!sight.causal) also(key < query + window);
  }
  return mask;
}

/// Softmax(q K') V of one block of queries; `keys(p)` and `values(p)` load [bk, d].
static Tile attend(KernelBuilder &k, const Tile &q, const Range &queries, const Full &d, const Sight &sight, const Tile &scale,
                   const std::function<Tile(Range)> &keys, const std::function<Tile(Range)> &values) {
  auto [low, high] = keysInSight(sight, queries.begin(), queries.end() - 1);
  Tile positions = index(queries) + cast(sight.offset, i32), scale2 = scale * std::numbers::log2e;
  auto [o, m, l] = k.loop({"p", high, "bk", low}, {k.zeros({queries, d}, f32), k.filled({queries}, lowest, f32), k.zeros({queries}, f32)},
                          [&](Range p, Tile o, Tile m, Tile l) {
                            Tile s = dot(q, transposed(keys(p)), k.zeros({queries, p}, f32)) * scale2;
                            if (auto seen = visible(sight, broadcast(positions, {queries, p}), broadcast(index(p), {queries, p})))
                              s = select(*seen, s, -infinity);
                            Tile next = maximum(m, max(s, p)), e = exp2(s - next), shrink = exp2(m - next), v = values(p);
                            return carry(dot(cast(e, v.dtype()), v, o * shrink), next, l * shrink + sum(e, p));
                          });
  return o / select(l == 0.0, 1.0, l);
}

static Status writePadded(KernelBuilder &k, const Options &o) {
  auto [B, H, HK, S, T, D] = k.sizes("B", "H", "HK", "S", "T", "D");
  Full d = full("d");
  View Q = k.view("Q", {B, H, S, D}, o.dtype()), K = k.view("K", {B, HK, T, D}, o.dtype()), V = k.view("V", {B, HK, T, D}, o.dtype());
  View O = k.view("O", {B, H, S, D}, o.dtype("out"));
  k.makeStatic(d);
  Tile scale = k.scalar("scale", f32);
  Sight sight{o.flag("causal"), {}, {}, k.constant(0, index_), {}};
  if (o.flag("window")) sight.window = cast(k.scalar("window", i32), index_);
  sight.high = o.flag("kv_length") ? cast(k.scalar("kv_length", i32), index_) : Operand(T).tile;
  sight.offset = sight.high - S;
  k.parallel({{"b", B, 1}, {"h", H, 1}, {"q", S, "bq"}}, [&](Range b, Range h, Range q) {
    Tile kh = h / (H / HK);
    Tile result =
        attend(k, Q(b, h, q, d), q, d, sight, scale, [&](Range p) { return K(b, kh, p, d); }, [&](Range p) { return V(b, kh, p, d); });
    O(b, h, q, d) = cast(result, o.dtype("out"));
  });
  return Status::ok();
}

static Status writePacked(KernelBuilder &k, const Options &o) {
  auto [SQ, SK, H, HK, D, B1] = k.sizes("SQ", "SK", "H", "HK", "D", "B1");
  Full d = full("d");
  View Q = k.view("Q", {SQ, H, D}, o.dtype()), K = k.view("K", {SK, HK, D}, o.dtype()), V = k.view("V", {SK, HK, D}, o.dtype());
  View CuQ = k.view("CuQ", {B1}, i32).values(0, SQ), CuK = k.view("CuK", {B1}, i32).values(0, SK),
       O = k.view("O", {SQ, H, D}, o.dtype("out"));
  k.makeStatic(d);
  Tile scale = k.scalar("scale", f32), longest = k.scalar("max_length", i32), window;
  if (o.flag("window")) window = cast(k.scalar("window", i32), index_);
  k.parallel({{"b", B1 - 1, 1}, {"h", H, 1}, {"block", longest, "bq"}}, [&](Range b, Range h, Range block) {
    auto bound = [](const View &cumulative, Operand at) { return cast(cumulative(at.tile), index_); };
    Tile firstQ = bound(CuQ, b), endQ = bound(CuQ, b + 1), firstK = bound(CuK, b), endK = bound(CuK, b + 1), kh = h / (H / HK);
    Sight sight{o.flag("causal"), window, endK - endQ, firstK, endK};
    // At most one trip: the block of queries clipped to its sequence.
    k.loop({"q", minimum(firstQ + block.end(), endQ), "bq", firstQ + block.begin()}, [&](Range q) {
      Tile result = attend(k, Q(q, h, d), q, d, sight, scale, [&](Range p) { return K(p, kh, d); }, [&](Range p) { return V(p, kh, d); });
      O(q, h, d) = cast(result, o.dtype("out"));
    });
  });
  return Status::ok();
}

static Status writeAttention(KernelBuilder &k, const Options &o) {
  if (!o.flag("varlen")) return writePadded(k, o);
  if (o.flag("kv_length"))
    return Status(PANTILE_INVALID_ARGUMENT, "operator 'attention': kv_length and varlen exclude each other")
        .withFix("CuK holds the lengths of packed keys");
  return writePacked(k, o);
}

/// One query a head: memory-bound, so products and sums on vectors instead of a dot of one row.
static Status writeDecode(KernelBuilder &k, const Options &o) {
  auto [B, H, HK, T, D] = k.sizes("B", "H", "HK", "T", "D");
  Full d = full("d");
  View Q = k.view("Q", {B, H, D}, o.dtype()), K = k.view("K", {B, HK, T, D}, o.dtype()), V = k.view("V", {B, HK, T, D}, o.dtype());
  View O = k.view("O", {B, H, D}, o.dtype("out"));
  k.makeStatic(d);
  Tile scale2 = k.scalar("scale", f32) * std::numbers::log2e, window, low = k.constant(0, index_), high = Operand(T).tile;
  if (o.flag("window")) window = cast(k.scalar("window", i32), index_);
  if (o.flag("kv_length")) high = cast(k.scalar("kv_length", i32), index_);
  if (window.isValid()) low = maximum(low, high - window);
  k.parallel({{"b", B, 1}, {"h", H, 1}}, [&](Range b, Range h) {
    Tile kh = h / (H / HK), q = cast(Q(b, h, d), f32) * scale2;
    auto [o2, m2, l2] = k.loop({"p", high, "bk", low}, {k.zeros({d}, f32), k.constant(lowest, f32), k.constant(0.0, f32)},
                               [&](Range p, Tile o, Tile m, Tile l) {
                                 Tile s = sum(cast(K(b, kh, p, d), f32) * q, d);
                                 Tile next = maximum(m, max(s, p)), e = exp2(s - next), shrink = exp2(m - next);
                                 return carry(o * shrink + sum(cast(V(b, kh, p, d), f32) * e, p), next, l * shrink + sum(e, p));
                               });
    O(b, h, d) = cast(o2 / select(l2 == 0.0, 1.0, l2), o.dtype("out"));
  });
  return Status::ok();
}

std::vector<Entry> attentionFamily() {
  LibraryOption window = flagOption("window", "adds the scalar window: keys above position - window");
  LibraryOption length = flagOption("kv_length", "adds the scalar kv_length: how many keys of the buffer count");
  return {
      {{"attention",
        "softmax(scale Q K') V; H a multiple of HK",
        {dtypeOption(), outOption(), flagOption("causal", "a query sees no later key; aligned to the end"), window, length,
         flagOption("varlen", "packed sequences with cumulative lengths")},
        {}},
       writeAttention},
      {{"attention_decode", "attention of the newest token: one query a head", {dtypeOption(), outOption(), window, length}, {}},
       writeDecode},
  };
}

} // namespace pantile::build
