//===- ir/simt/Layout.cpp --------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/Layout.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <map>
#include <set>

using llvm::ArrayRef;
using llvm::SmallVector;

namespace pantile::simt {

namespace {

bool isZero(const Coordinates &vector) {
  return llvm::all_of(vector, [](int64_t entry) { return entry == 0; });
}

/// The xor of the vectors whose bit is set.
Coordinates combine(ArrayRef<Coordinates> bases, uint64_t bits, unsigned rank) {
  Coordinates result(rank, 0);
  for (auto [i, basis] : llvm::enumerate(bases))
    if (bits >> i & 1)
      for (unsigned d = 0; d < rank; ++d) result[d] ^= basis[d];
  return result;
}

Coordinates added(Coordinates left, const Coordinates &right) {
  for (auto [l, r] : llvm::zip(left, right)) l += r;
  return left;
}

/// The position of the digits of `number` in the repeats of one owner, lowest first.
void addRepeats(Coordinates &to, ArrayRef<Repeat> repeats, Repeat::Owner owner, int64_t number) {
  for (const Repeat &repeat : repeats) {
    if (repeat.owner != owner) continue;
    if (repeat.dim >= 0) to[unsigned(repeat.dim)] += number % repeat.count * repeat.stride;
    number /= repeat.count;
  }
}

SmallVector<Coordinates, 4> parseBases(llvm::StringRef text, llvm::StringRef dims) {
  SmallVector<Coordinates, 4> result;
  SmallVector<llvm::StringRef, 8> words;
  text.split(words, ' ', -1, false);
  for (llvm::StringRef word : words) {
    Coordinates basis(dims.size(), 0);
    SmallVector<llvm::StringRef, 2> terms;
    word.split(terms, '+');
    for (llvm::StringRef term : terms) {
      if (term == "0") continue;
      size_t dim = dims.find(term.front());
      int64_t step = 0;
      [[maybe_unused]] bool bad = term.drop_front().getAsInteger(10, step);
      assert(dim != llvm::StringRef::npos && !bad && "a basis is a dimension's letter and a number");
      basis[dim] ^= step;
    }
    result.push_back(std::move(basis));
  }
  return result;
}

} // namespace

Atom Atom::of(const AtomText &text) {
  llvm::StringRef dims = text.dims ? text.dims : "";
  return {unsigned(dims.size()), parseBases(text.registers ? text.registers : "", dims), parseBases(text.lanes ? text.lanes : "", dims),
          parseBases(text.warps ? text.warps : "", dims)};
}

Coordinates Atom::box() const {
  Coordinates bits(rank, 0);
  for (auto *bases : {&registers, &lanes, &warps})
    for (const Coordinates &basis : *bases)
      for (unsigned d = 0; d < rank; ++d) bits[d] |= basis[d];
  for (int64_t &entry : bits) entry = int64_t(llvm::PowerOf2Ceil(uint64_t(entry) + 1));
  return bits;
}

Layout::Layout(Atom given, SmallVector<Repeat, 6> steps) : atom(std::move(given)), repeats(std::move(steps)) {
  registerCount = 1u << atom.registers.size();
  warpCount = 1u << atom.warps.size();
  for (const Repeat &repeat : repeats) (repeat.owner == Repeat::Register ? registerCount : warpCount) *= unsigned(repeat.count);
}

Coordinates Layout::ofRegister(unsigned number) const {
  Coordinates result = combine(atom.registers, number, rank());
  addRepeats(result, repeats, Repeat::Register, number >> atom.registers.size());
  return result;
}

Coordinates Layout::ofLane(unsigned number) const { return combine(atom.lanes, number, rank()); }

Coordinates Layout::ofWarp(unsigned number) const {
  Coordinates result = combine(atom.warps, number, rank());
  addRepeats(result, repeats, Repeat::Warp, number >> atom.warps.size());
  return result;
}

Coordinates Layout::at(unsigned number, unsigned lane, unsigned warp) const {
  return added(added(ofRegister(number), ofLane(lane)), ofWarp(warp));
}

Coordinates Layout::covered() const {
  return added(added(added(ofRegister(registerCount - 1), ofLane(lanes() - 1)), ofWarp(warpCount - 1)), Coordinates(rank(), 1));
}

Layout Layout::sliced(ArrayRef<int64_t> dims) const {
  SmallVector<int, 4> moved;
  int next = 0;
  for (unsigned d = 0; d < rank(); ++d) moved.push_back(llvm::is_contained(dims, int64_t(d)) ? -1 : next++);
  auto project = [&](const Coordinates &from) {
    Coordinates to(unsigned(next), 0);
    for (unsigned d = 0; d < rank(); ++d)
      if (moved[d] >= 0) to[unsigned(moved[d])] = from[d];
    return to;
  };
  Atom result;
  result.rank = unsigned(next);
  for (const Coordinates &basis : atom.registers)
    if (Coordinates kept = project(basis); !isZero(kept)) result.registers.push_back(kept);
  for (const Coordinates &basis : atom.lanes) result.lanes.push_back(project(basis));
  for (const Coordinates &basis : atom.warps) result.warps.push_back(project(basis));
  SmallVector<Repeat, 6> steps;
  for (Repeat repeat : repeats) {
    if (repeat.dim >= 0) repeat.dim = moved[unsigned(repeat.dim)];
    if (repeat.owner == Repeat::Register && repeat.dim < 0) continue;
    if (repeat.dim < 0) repeat.stride = 0;
    steps.push_back(repeat);
  }
  return {std::move(result), std::move(steps)};
}

Layout Layout::permuted(ArrayRef<int64_t> permutation) const {
  SmallVector<int, 4> to(rank());
  for (auto [i, d] : llvm::enumerate(permutation)) to[size_t(d)] = int(i);
  Layout result = *this;
  for (auto *bases : {&result.atom.registers, &result.atom.lanes, &result.atom.warps})
    for (Coordinates &basis : *bases) {
      Coordinates from = basis;
      for (unsigned d = 0; d < rank(); ++d) basis[unsigned(to[d])] = from[d];
    }
  for (Repeat &repeat : result.repeats)
    if (repeat.dim >= 0) repeat.dim = to[unsigned(repeat.dim)];
  return result;
}

Layout Layout::expanded(unsigned position) const {
  Layout result = *this;
  result.atom.rank++;
  for (auto *bases : {&result.atom.registers, &result.atom.lanes, &result.atom.warps})
    for (Coordinates &basis : *bases) basis.insert(basis.begin() + position, 0);
  for (Repeat &repeat : result.repeats)
    if (repeat.dim >= int(position)) repeat.dim++;
  return result;
}

unsigned Layout::contiguous(unsigned dim) const {
  auto isUnit = [&](const Coordinates &basis, int64_t step) {
    for (unsigned d = 0; d < rank(); ++d)
      if (basis[d] != (d == dim ? step : 0)) return false;
    return true;
  };
  int64_t run = 1;
  size_t used = 0;
  while (used < atom.registers.size() && isUnit(atom.registers[used], run)) {
    run *= 2;
    ++used;
  }
  size_t firstRepeat = 0;
  if (used == atom.registers.size())
    for (const Repeat &repeat : repeats) {
      ++firstRepeat;
      if (repeat.owner != Repeat::Register) continue;
      if (repeat.dim != int(dim) || repeat.stride != run) {
        --firstRepeat;
        break;
      }
      run *= repeat.count & -repeat.count;
      if (repeat.count & (repeat.count - 1)) break;
    }
  // Everything else must keep runs aligned.
  auto limit = [&](int64_t step) {
    if (step) run = std::min(run, step & -step);
  };
  for (size_t i = used; i < atom.registers.size(); ++i) limit(atom.registers[i][dim]);
  for (const Coordinates &basis : atom.lanes) limit(basis[dim]);
  for (const Coordinates &basis : atom.warps) limit(basis[dim]);
  for (auto [i, repeat] : llvm::enumerate(repeats))
    if (repeat.dim == int(dim) && (i >= firstRepeat || repeat.owner == Repeat::Warp)) limit(repeat.stride);
  return unsigned(run);
}

uint32_t Layout::laneBitsAlong(unsigned dim) const {
  uint32_t result = 0;
  for (auto [i, basis] : llvm::enumerate(atom.lanes))
    if (basis[dim]) result |= 1u << i;
  return result;
}

bool Layout::warpsAlong(unsigned dim) const {
  return llvm::any_of(atom.warps, [&](const Coordinates &basis) { return basis[dim] != 0; }) ||
         llvm::any_of(repeats, [&](const Repeat &r) { return r.owner == Repeat::Warp && r.dim == int(dim) && r.count > 1; });
}

bool Layout::isInjective() const {
  return llvm::none_of(atom.lanes, isZero) && llvm::none_of(atom.warps, isZero) &&
         llvm::none_of(repeats, [](const Repeat &r) { return r.owner == Repeat::Warp && r.dim < 0 && r.count > 1; });
}

std::string Layout::toText() const {
  auto bases = [&](ArrayRef<Coordinates> all) {
    std::string text;
    for (const Coordinates &basis : all) {
      std::string terms;
      for (unsigned d = 0; d < rank(); ++d)
        if (basis[d]) terms += (terms.empty() ? "d" : "+d") + std::to_string(d) + "*" + std::to_string(basis[d]);
      text += " " + (terms.empty() ? "0" : terms);
    }
    return text;
  };
  std::string text = "registers" + bases(atom.registers) + ", lanes" + bases(atom.lanes) + ", warps" + bases(atom.warps);
  for (const Repeat &repeat : repeats)
    text += ", " + std::to_string(repeat.count) + (repeat.owner == Repeat::Register ? " registers" : " warps") +
            (repeat.dim < 0 ? " copies" : " d" + std::to_string(repeat.dim) + " by " + std::to_string(repeat.stride));
  return text;
}

Layout blockedLayout(ArrayRef<int64_t> shape, ArrayRef<unsigned> order, unsigned vector, unsigned lanes, unsigned warps) {
  unsigned rank = unsigned(shape.size());
  Atom atom;
  atom.rank = rank;
  SmallVector<int64_t, 4> unit(rank, 1); // what the atom covers
  auto step = [&](unsigned dim) {
    Coordinates basis(rank, 0);
    basis[dim] = unit[dim];
    unit[dim] *= 2;
    return basis;
  };
  if (rank > 0)
    while (unit[order[0]] < int64_t(vector) && unit[order[0]] < shape[order[0]]) atom.registers.push_back(step(order[0]));
  unsigned left = lanes;
  for (unsigned dim : order) {
    int64_t pieces = int64_t(llvm::divideCeil(uint64_t(shape[dim]), uint64_t(unit[dim])));
    int64_t exact = pieces & -pieces, over = int64_t(llvm::PowerOf2Ceil(uint64_t(pieces)));
    // Eight lanes of a row are enough for whole memory sectors; more only where nothing is wasted or rows are few.
    int64_t wanted = std::min<int64_t>(left, exact >= 8 ? exact : over);
    for (; wanted > 1; wanted /= 2, left /= 2) atom.lanes.push_back(step(dim));
  }
  for (; left > 1; left /= 2) atom.lanes.push_back(Coordinates(rank, 0));
  SmallVector<Repeat, 6> repeats;
  int64_t remaining = warps;
  for (unsigned dim : llvm::reverse(order)) {
    int64_t pieces = int64_t(llvm::divideCeil(uint64_t(shape[dim]), uint64_t(unit[dim]))), count = 1;
    for (int64_t divisor = 1; divisor <= remaining; ++divisor)
      if (remaining % divisor == 0 && divisor <= pieces) count = divisor;
    if (count == 1) continue;
    repeats.push_back({Repeat::Warp, int(dim), count, unit[dim]});
    unit[dim] *= count;
    remaining /= count;
  }
  if (remaining > 1) repeats.push_back({Repeat::Warp, -1, remaining, 0});
  for (unsigned dim : order) {
    int64_t pieces = int64_t(llvm::divideCeil(uint64_t(shape[dim]), uint64_t(unit[dim])));
    if (pieces > 1) repeats.push_back({Repeat::Register, int(dim), pieces, unit[dim]});
  }
  return {std::move(atom), std::move(repeats)};
}

std::optional<SmallVector<unsigned, 16>> registerMap(const Layout &from, const Layout &to, ArrayRef<int64_t> shape) {
  if (from.lanes() != to.lanes() || from.warps() != to.warps()) return std::nullopt;
  if (from.atomOf().lanes != to.atomOf().lanes) return std::nullopt;
  for (unsigned warp = 0; warp < to.warps(); ++warp)
    if (from.ofWarp(warp) != to.ofWarp(warp)) return std::nullopt;
  std::map<std::vector<int64_t>, unsigned> places;
  auto key = [](const Coordinates &at) { return std::vector<int64_t>(at.begin(), at.end()); };
  for (unsigned r = 0; r < from.registers(); ++r) places.try_emplace(key(from.ofRegister(r)), r);
  SmallVector<unsigned, 16> result;
  for (unsigned r = 0; r < to.registers(); ++r) {
    Coordinates at = to.ofRegister(r);
    auto found = places.find(key(at));
    if (found != places.end()) {
      result.push_back(found->second);
      continue;
    }
    // Nobody's element may come from anywhere.
    bool outside = llvm::any_of(llvm::zip(at, shape), [](auto both) { return std::get<0>(both) >= std::get<1>(both); });
    if (!outside) return std::nullopt;
    result.push_back(0);
  }
  return result;
}

int64_t SharedLayout::bytes() const {
  int64_t rows = 1;
  for (unsigned dim : ArrayRef<unsigned>(order).drop_front(order.empty() ? 0 : 1)) rows *= shape[dim];
  int64_t columns = order.empty() ? 1 : shape[order[0]];
  if (swizzleBytes) return int64_t(llvm::divideCeil(uint64_t(columns * elementBytes), uint64_t(swizzleBytes))) * rows * swizzleBytes;
  return rows * pitch * elementBytes;
}

int64_t SharedLayout::offset(ArrayRef<int64_t> at) const {
  if (order.empty()) return 0;
  int64_t row = 0, rows = 1;
  for (unsigned dim : ArrayRef<unsigned>(order).drop_front()) {
    row += at[dim] * rows;
    rows *= shape[dim];
  }
  int64_t column = at[order[0]] * elementBytes;
  if (!swizzleBytes) return row * pitch * elementBytes + column;
  int64_t address = row * swizzleBytes + column % swizzleBytes;
  address ^= (address >> 7 & (swizzleBytes / 16 - 1)) << 4;
  return column / swizzleBytes * rows * swizzleBytes + address;
}

unsigned bankConflicts(const Layout &layout, const SharedLayout &shared, unsigned vector, unsigned banks, unsigned bankBytes) {
  unsigned bytes = vector * shared.elementBytes, worst = 0;
  unsigned phase = std::clamp<unsigned>(banks * bankBytes / std::max(bytes, bankBytes), 1, layout.lanes());
  // Registers repeat the pattern: a few accesses show it.
  for (unsigned r = 0; r < std::min(layout.registers(), 8 * vector); r += vector)
    for (unsigned first = 0; first < layout.lanes(); first += phase) {
      std::map<unsigned, std::set<int64_t>> words;
      for (unsigned lane = first; lane < first + phase; ++lane) {
        Coordinates at = layout.at(r, lane, 0);
        bool outside = llvm::any_of(llvm::zip(at, shared.shape), [](auto both) { return std::get<0>(both) >= std::get<1>(both); });
        if (outside) continue;
        int64_t offset = shared.offset(at);
        for (int64_t word = offset / bankBytes; word <= (offset + bytes - 1) / bankBytes; ++word) words[word % banks].insert(word);
      }
      for (auto &[bank, distinct] : words) worst = std::max(worst, unsigned(distinct.size()) - 1);
    }
  return worst;
}

} // namespace pantile::simt
