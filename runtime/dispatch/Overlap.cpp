//===- runtime/dispatch/Overlap.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Elements share a byte where  delta + sum(s_k i_k) - sum(t_k j_k)  lies in (-bytes of b, bytes of a), with i and j inside
// their sizes. Equal strides are one term with a range from -(n_b - 1) to n_a - 1. Terms are tried from the largest stride
// on; what the smaller ones can still reach leaves few values for each.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Overlap.h"

#include "runtime/dispatch/Signature.h"

#include <algorithm>

namespace pantile {

namespace {

struct Term {
  int64_t stride; // bytes
  int64_t low, high;
};

struct Search {
  std::array<Term, 2 * PANTILE_MAX_RANK> terms;
  int count = 0;
  std::array<__int128, 2 * PANTILE_MAX_RANK + 1> reachLow{}, reachHigh{}; // of the terms from k on
  int64_t windowLow, windowHigh;                                          // inclusive
  int budget = 20000;

  void add(int64_t stride, int64_t low, int64_t high) {
    for (int k = 0; k < count; ++k)
      if (terms[size_t(k)].stride == stride) {
        terms[size_t(k)].low += low;
        terms[size_t(k)].high += high;
        return;
      }
    terms[size_t(count++)] = {stride, low, high};
  }

  /// Whether some values of the terms add up to one in the window, starting from `sum`.
  bool reaches(__int128 sum) {
    std::sort(terms.begin(), terms.begin() + count, [](const Term &x, const Term &y) { return x.stride > y.stride; });
    for (int k = count - 1; k >= 0; --k) {
      const Term &t = terms[size_t(k)];
      reachLow[size_t(k)] = reachLow[size_t(k) + 1] + __int128(t.stride) * t.low;
      reachHigh[size_t(k)] = reachHigh[size_t(k) + 1] + __int128(t.stride) * t.high;
    }
    return solve(0, sum);
  }

  bool solve(int k, __int128 sum) {
    if (sum + reachHigh[size_t(k)] < windowLow || sum + reachLow[size_t(k)] > windowHigh) return false;
    if (k == count) return true;
    if (--budget < 0) return true;
    const Term &t = terms[size_t(k)];
    // windowLow - reachHigh' <= sum + stride * i <= windowHigh - reachLow'
    auto floorDiv = [](__int128 a, __int128 b) { return a / b - (a % b != 0 && a < 0); };
    __int128 from = -floorDiv(-(windowLow - reachHigh[size_t(k) + 1] - sum), t.stride),
             to = floorDiv(windowHigh - reachLow[size_t(k) + 1] - sum, t.stride);
    from = std::max<__int128>(from, t.low);
    to = std::min<__int128>(to, t.high);
    for (__int128 i = from; i <= to; ++i) {
      if (solve(k + 1, sum + i * t.stride)) return true;
      if (budget < 0) return true;
    }
    return false;
  }
};

} // namespace

bool overlap(const BoundArgument &a, const BoundArgument &b, unsigned bitsOfA, unsigned bitsOfB) {
  if (!a.span || !b.span || a.address + a.span <= b.address || b.address + b.span <= a.address) return false;
  if (bitsOfA % 8 || bitsOfB % 8) return true;
  const int64_t bytesOfA = bitsOfA / 8, bytesOfB = bitsOfB / 8;
  Search search;
  for (int d = 0; d < a.rank; ++d)
    if (a.sizes[d] > 1 && a.strides[d]) search.add(a.strides[d] * bytesOfA, 0, a.sizes[d] - 1);
  for (int d = 0; d < b.rank; ++d)
    if (b.sizes[d] > 1 && b.strides[d]) search.add(b.strides[d] * bytesOfB, -(b.sizes[d] - 1), 0);
  // address of a's element minus that of b's: in (-bytesOfA, bytesOfB)
  search.windowLow = -(bytesOfA - 1);
  search.windowHigh = bytesOfB - 1;
  return search.reaches(a.address - b.address);
}

bool overlapsItself(const BoundArgument &a) {
  // Two places differ first in some dimension, there by 1 or more (or the other way round), and anyhow in later ones.
  for (int first = 0; first < a.rank; ++first) {
    if (a.sizes[first] < 2) continue;
    Search search;
    search.windowLow = search.windowHigh = 0;
    for (int d = first; d < a.rank; ++d)
      if (a.sizes[d] > 1 && (a.strides[d] || d == first)) search.add(a.strides[d], d == first ? 1 : -(a.sizes[d] - 1), a.sizes[d] - 1);
    if (a.strides[first] == 0 || search.reaches(0)) return true;
  }
  return false;
}

} // namespace pantile
