//===- ir/simt/Reductions.cpp - combining over registers, lanes, warps -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A reduction folds the registers of a thread in pairs, then the lanes that differ along its dimension by shuffles (all end
// with the result), then the warps: each writes its part to shared memory, as a tile whose reduced dimension is the warps
// along it, and reads all parts back as registers. Its result has the source's layout without the dimension.
//
// A scan wants the elements of a lane side by side along its dimension, and lanes next: a running combination in registers,
// one over the lanes' totals by shuffles, and what lies before a lane is combined into its registers. Warps take other rows.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

namespace {

/// What remains of a layout when registers and lanes along `dim` are combined: the warps along it, numbered from 0.
Layout partsLayout(const Layout &layout, unsigned dim, int64_t &count) {
  Atom atom = layout.atomOf();
  SmallVector<Coordinates, 4> registers;
  for (Coordinates basis : atom.registers) {
    basis[dim] = 0;
    if (llvm::any_of(basis, [](int64_t entry) { return entry != 0; })) registers.push_back(basis);
  }
  atom.registers = registers;
  for (Coordinates &basis : atom.lanes) basis[dim] = 0;
  count = 1;
  for (Coordinates &basis : atom.warps)
    if (basis[dim]) {
      basis[dim] = count;
      count *= 2;
    }
  SmallVector<Repeat, 6> repeats;
  for (Repeat repeat : layout.repeatsOf()) {
    if (repeat.dim == int(dim)) {
      if (repeat.owner == Repeat::Register) continue;
      repeat.stride = count;
      count *= repeat.count;
    }
    repeats.push_back(repeat);
  }
  return {std::move(atom), std::move(repeats)};
}

/// With `count` registers along a dimension that the layout does not touch; the fastest where a power of two.
Layout withRegisters(const Layout &layout, unsigned dim, int64_t count) {
  Atom atom = layout.atomOf();
  SmallVector<Repeat, 6> repeats(layout.repeatsOf());
  if (llvm::isPowerOf2_64(uint64_t(count))) {
    SmallVector<Coordinates, 4> bases;
    for (int64_t step = 1; step < count; step *= 2) {
      Coordinates basis(atom.rank, 0);
      basis[dim] = step;
      bases.push_back(basis);
    }
    atom.registers.insert(atom.registers.begin(), bases.begin(), bases.end());
  } else {
    repeats.push_back({Repeat::Register, int(dim), count, 1});
  }
  return {std::move(atom), std::move(repeats)};
}

std::vector<int64_t> without(const Coordinates &at, unsigned dim) {
  std::vector<int64_t> result(at.begin(), at.end());
  result.erase(result.begin() + dim);
  return result;
}

} // namespace

PhaseLowering::Values PhaseLowering::shuffled(llvm::ArrayRef<llvm::Value *> values, llvm::function_ref<llvm::Value *(llvm::Value *)> move) {
  Values result;
  for (llvm::Value *value : values) {
    llvm::Type *type = value->getType();
    unsigned bits = unsigned(type->getPrimitiveSizeInBits());
    llvm::Value *whole = b.CreateBitCast(value, b.getIntNTy(bits));
    if (bits <= 32) {
      whole = b.CreateTrunc(move(b.CreateZExt(whole, b.getInt32Ty())), b.getIntNTy(bits));
    } else {
      llvm::Value *low = move(b.CreateTrunc(whole, b.getInt32Ty()));
      llvm::Value *high = move(b.CreateTrunc(b.CreateLShr(whole, 32), b.getInt32Ty()));
      whole = b.CreateOr(b.CreateZExt(low, b.getInt64Ty()), b.CreateShl(b.CreateZExt(high, b.getInt64Ty()), 32));
    }
    result.push_back(b.CreateBitCast(whole, type));
  }
  return result;
}

SmallVector<Registers, 2> PhaseLowering::maskedSources(Operation *op, unsigned dim, const PlacedLayout *layout) {
  auto sources = isa<ReduceOp>(op) ? cast<ReduceOp>(op).getSources() : cast<ScanOp>(op).getSources();
  auto type = cast<RankedTensorType>(sources.front().getType());
  Extents only(size_t(type.getRank()));
  for (Value source : sources) only[dim].join(extents.of(source)[dim]);
  Registers mask(layout->offsets.size(), nullptr);
  int64_t size = type.getDimSize(dim);
  bool whole = bounds.isWhole(only[dim], size);
  if (!whole || layout->layout.covered()[dim] > size) {
    llvm::Value *limit = whole ? b.getInt32(uint32_t(size)) : countOf(only[dim], size);
    llvm::DenseMap<int64_t, llvm::Value *> known;
    for (unsigned r = 0; r < mask.size(); ++r) {
      llvm::Value *&inside = known[layout->offsets[r][dim]];
      if (!inside) inside = b.CreateICmpSLT(coordinate(layout, r, dim), limit);
      mask[r] = inside;
    }
  }
  SmallVector<llvm::Value *, 2> identity = identities(op);
  SmallVector<Registers, 2> result;
  for (auto [i, source] : llvm::enumerate(sources)) {
    Registers registers = registersOf(source, layout);
    for (auto [value, inside] : llvm::zip(registers, mask)) {
      value = accumulated(op, value, source.getType(), b);
      if (inside) value = b.CreateSelect(inside, value, identity[i]);
    }
    result.push_back(std::move(registers));
  }
  return result;
}

void PhaseLowering::lowerReduce(ReduceOp reduce) {
  unsigned dim = unsigned(reduce.getDim());
  const PlacedLayout *layout = nullptr;
  for (Value source : reduce.getSources())
    if (!layout && !choice->isLazy(source)) layout = baseOf(source);
  if (!layout) layout = home(reduce.getSources().front());
  SmallVector<Registers, 2> sources = maskedSources(reduce, dim, layout);
  Combine combine = combineOf(reduce);

  // Registers, in pairs.
  const PlacedLayout *narrow = placed(layout->layout.sliced({int64_t(dim)}));
  std::map<std::vector<int64_t>, unsigned> places;
  for (auto [r, at] : llvm::enumerate(narrow->offsets)) places.try_emplace(std::vector<int64_t>(at.begin(), at.end()), unsigned(r));
  auto fold = [&](std::vector<Values> terms) {
    while (terms.size() > 1) {
      std::vector<Values> next;
      for (size_t i = 0; i + 1 < terms.size(); i += 2) next.push_back(Values(combine(b, terms[i], terms[i + 1])));
      if (terms.size() % 2) next.push_back(terms.back());
      terms = std::move(next);
    }
    return terms.front();
  };
  std::vector<std::vector<Values>> terms(narrow->offsets.size());
  for (unsigned r = 0; r < layout->offsets.size(); ++r) {
    Values term;
    for (const Registers &source : sources) term.push_back(source[r]);
    terms[places.at(without(layout->offsets[r], dim))].push_back(std::move(term));
  }
  std::vector<Values> results;
  for (std::vector<Values> &all : terms) results.push_back(fold(std::move(all)));

  // Lanes.
  uint32_t bits = layout->layout.laneBitsAlong(dim);
  for (unsigned bit = 0; bit < 32; ++bit)
    if (bits >> bit & 1)
      for (Values &value : results) {
        Values other = shuffled(value, [&](llvm::Value *word) { return target.shuffleXor(b, word, 1u << bit); });
        value = Values(combine(b, value, other));
      }

  // Warps.
  if (layout->layout.warpsAlong(dim)) {
    int64_t count = 1;
    Layout parts = partsLayout(layout->layout, dim, count);
    const PlacedLayout *written = placed(parts), *readBack = placed(withRegisters(narrow->layout.expanded(dim), dim, count));
    SmallVector<int64_t, 4> shape(cast<RankedTensorType>(reduce.getSources().front().getType()).getShape());
    shape[dim] = count;
    SmallVector<unsigned, 4> order{dim};
    for (unsigned d = unsigned(shape.size()); d-- > 0;)
      if (d != dim) order.push_back(d);
    std::map<std::vector<int64_t>, unsigned> partPlaces;
    for (auto [r, at] : llvm::enumerate(written->offsets)) partPlaces.try_emplace(without(at, dim), unsigned(r));
    int64_t mark = sharedTop;
    SmallVector<SharedTile, 2> tiles;
    SmallVector<mlir::Type, 2> elements;
    for (unsigned i = 0; i < sources.size(); ++i) {
      mlir::Type element = elementOf(reduce.getSources()[i].getType());
      if (reduce.getKind() && isNarrowFloat(element)) element = Float32Type::get(element.getContext());
      tiles.push_back(makeShared(element, shape, order, 0));
      Registers mine(written->offsets.size(), nullptr);
      for (auto [r, at] : llvm::enumerate(narrow->offsets)) mine[partPlaces.at(std::vector<int64_t>(at.begin(), at.end()))] = results[r][i];
      storeShared(tiles.back(), mine, written);
    }
    std::vector<std::vector<Values>> all(narrow->offsets.size());
    for (unsigned i = 0; i < sources.size(); ++i) {
      Registers back = loadShared(tiles[i], readBack);
      std::vector<unsigned> next(narrow->offsets.size(), 0);
      for (auto [r, at] : llvm::enumerate(readBack->offsets)) {
        unsigned place = places.at(without(at, dim));
        if (i == 0) all[place].emplace_back();
        all[place][next[place]++].push_back(back[r]);
      }
    }
    sharedTop = mark;
    for (auto [value, parted] : llvm::zip(results, all)) value = fold(std::move(parted));
  }

  for (auto [i, result] : llvm::enumerate(reduce.getResults())) {
    mlir::Type element = elementOf(result.getType());
    Registers registers;
    for (const Values &value : results) registers.push_back(unaccumulated(reduce, value[i], element, b));
    if (isTile(result.getType()))
      define(result, narrow, std::move(registers));
    else
      scalars[result] = registers.front();
  }
}

void PhaseLowering::lowerScan(ScanOp scan) {
  auto type = cast<RankedTensorType>(scan.getSources().front().getType());
  unsigned dim = unsigned(scan.getDim()), rank = unsigned(type.getRank());
  bool reverse = scan.getReverse(), exclusive = scan.getExclusive();
  int64_t size = type.getDimSize(dim);
  unsigned along = unsigned(std::min<uint64_t>(limits.lanes, llvm::PowerOf2Ceil(uint64_t(size))));
  unsigned each = unsigned(llvm::PowerOf2Ceil(llvm::divideCeil(uint64_t(size), uint64_t(along))));
  // The layout over the other dimensions, then this one put into registers and the lowest lanes.
  SmallVector<int64_t, 4> rows(type.getShape());
  rows[dim] = 1;
  SmallVector<unsigned, 4> order;
  for (unsigned d = rank; d-- > 0;) order.push_back(d);
  Layout others = blockedLayout(rows, order, 1, limits.lanes / along, schedule.warps);
  Atom atom = others.atomOf();
  SmallVector<Coordinates, 4> own, lanes;
  for (int64_t step = 1; step < int64_t(each) * along; step *= 2) {
    Coordinates basis(rank, 0);
    basis[dim] = step;
    (step < each ? own : lanes).push_back(basis);
  }
  atom.registers.insert(atom.registers.begin(), own.begin(), own.end());
  atom.lanes.insert(atom.lanes.begin(), lanes.begin(), lanes.end());
  const PlacedLayout *layout = placed(Layout(atom, SmallVector<Repeat, 6>(others.repeatsOf())));

  SmallVector<Registers, 2> sources = maskedSources(scan, dim, layout);
  SmallVector<llvm::Value *, 2> identity = identities(scan);
  Combine combine = combineOf(scan);
  llvm::Value *mine = b.CreateAnd(lane, b.getInt32(along - 1));
  if (reverse) mine = b.CreateSub(b.getInt32(along - 1), mine);
  SmallVector<Registers, 2> results(sources.size(), Registers(layout->offsets.size(), nullptr));
  for (unsigned first = 0; first < layout->offsets.size(); first += each) {
    auto number = [&](unsigned i) { return first + (reverse ? each - 1 - i : i); };
    auto element = [&](unsigned i) {
      Values value;
      for (const Registers &source : sources) value.push_back(source[number(i)]);
      return value;
    };
    std::vector<Values> running{element(0)};
    for (unsigned i = 1; i < each; ++i) running.push_back(Values(combine(b, running.back(), element(i))));
    Values total = running.back(), before(identity.begin(), identity.end());
    if (along > 1) {
      auto fromBefore = [&](const Values &values, unsigned distance, llvm::Value *&has) {
        llvm::Value *step = b.getInt32(distance);
        has = b.CreateICmpUGE(mine, step);
        llvm::Value *from = reverse ? b.CreateAdd(lane, step) : b.CreateSub(lane, step);
        from = b.CreateAnd(from, b.getInt32(limits.lanes - 1));
        return shuffled(values, [&](llvm::Value *word) { return target.shuffle(b, word, from); });
      };
      for (unsigned distance = 1; distance < along; distance *= 2) {
        llvm::Value *has = nullptr;
        Values other = fromBefore(total, distance, has), sum(combine(b, other, total));
        for (auto [value, next] : llvm::zip(total, sum)) value = b.CreateSelect(has, next, value);
      }
      llvm::Value *has = nullptr;
      Values other = fromBefore(total, 1, has);
      for (auto [value, next] : llvm::zip(before, other)) value = b.CreateSelect(has, next, value);
    }
    for (unsigned i = 0; i < each; ++i) {
      Values value = before;
      if (!exclusive)
        value = Values(combine(b, before, running[i]));
      else if (i > 0)
        value = Values(combine(b, before, running[i - 1]));
      for (auto [result, part] : llvm::zip(results, value)) result[number(i)] = part;
    }
  }
  for (auto [result, registers] : llvm::zip(scan.getResults(), results)) {
    for (llvm::Value *&value : registers) value = unaccumulated(scan, value, elementOf(result.getType()), b);
    define(result, layout, std::move(registers));
  }
}

} // namespace pantile::simt
