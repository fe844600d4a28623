//===- ir/simt/Placement.cpp - tiles in layouts ----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

const PlacedLayout *PhaseLowering::placed(const Layout &layout) {
  std::vector<const PlacedLayout *> &same = layoutsByText[layout.toText()];
  for (const PlacedLayout *known : same)
    if (known->layout == layout) return known;
  auto made = std::make_unique<PlacedLayout>();
  made->layout = layout;
  for (unsigned r = 0; r < layout.registers(); ++r) made->offsets.push_back(layout.ofRegister(r));
  made->thread.assign(layout.rank(), nullptr);
  made->warp.assign(layout.rank(), nullptr);
  same.push_back(made.get());
  layouts.push_back(std::move(made));
  return same.back();
}

/// Runs of bits that step by doubling distances are one shift and mask.
llvm::Value *PhaseLowering::coordinatePart(llvm::ArrayRef<Coordinates> bases, llvm::Value *bits, unsigned dim) {
  llvm::Value *sum = nullptr;
  for (size_t i = 0; i < bases.size();) {
    int64_t step = bases[i][dim];
    if (!step) {
      ++i;
      continue;
    }
    size_t run = 1;
    while (i + run < bases.size() && bases[i + run][dim] == step << run) ++run;
    llvm::Value *part = i ? prologue.CreateLShr(bits, uint64_t(i)) : bits;
    part = prologue.CreateAnd(part, prologue.getInt32((1u << run) - 1));
    part = prologue.CreateMul(part, prologue.getInt32(uint32_t(step)));
    sum = sum ? prologue.CreateAdd(sum, part) : part;
    i += run;
  }
  return sum;
}

llvm::Value *PhaseLowering::warpDigits(const Layout &layout, unsigned dim) {
  llvm::Value *sum = coordinatePart(layout.atomOf().warps, warp, dim), *rest = warp;
  if (!layout.atomOf().warps.empty()) rest = prologue.CreateLShr(rest, uint64_t(layout.atomOf().warps.size()));
  int64_t left = layout.warps() >> layout.atomOf().warps.size();
  for (const Repeat &repeat : layout.repeatsOf()) {
    if (repeat.owner != Repeat::Warp || repeat.count == 1) continue;
    left /= repeat.count;
    if (repeat.dim == int(dim)) {
      llvm::Value *digit = left > 1 ? prologue.CreateURem(rest, prologue.getInt32(uint32_t(repeat.count))) : rest;
      digit = prologue.CreateMul(digit, prologue.getInt32(uint32_t(repeat.stride)));
      sum = sum ? prologue.CreateAdd(sum, digit) : digit;
    }
    if (left > 1) rest = prologue.CreateUDiv(rest, prologue.getInt32(uint32_t(repeat.count)));
  }
  return sum ? sum : prologue.getInt32(0);
}

llvm::Value *PhaseLowering::warpCoordinate(const PlacedLayout *layout, unsigned dim) {
  auto *known = const_cast<PlacedLayout *>(layout);
  if (!known->warp[dim]) known->warp[dim] = warpDigits(layout->layout, dim);
  return known->warp[dim];
}

llvm::Value *PhaseLowering::threadCoordinate(const PlacedLayout *layout, unsigned dim) {
  auto *known = const_cast<PlacedLayout *>(layout);
  if (!known->thread[dim]) {
    llvm::Value *lanes = coordinatePart(layout->layout.atomOf().lanes, lane, dim), *warps = warpCoordinate(layout, dim);
    known->thread[dim] = lanes ? prologue.CreateAdd(lanes, warps) : warps;
  }
  return known->thread[dim];
}

llvm::Value *PhaseLowering::coordinate(const PlacedLayout *layout, unsigned number, unsigned dim) {
  llvm::Value *base = threadCoordinate(layout, dim);
  int64_t offset = layout->offsets[number][dim];
  return offset ? b.CreateAdd(base, b.getInt32(uint32_t(offset)), "", true, true) : base;
}

llvm::Value *PhaseLowering::ownerOf(const PlacedLayout *layout) {
  auto *known = const_cast<PlacedLayout *>(layout);
  if (known->ownerKnown) return known->owner;
  known->ownerKnown = true;
  auto isZero = [](const Coordinates &basis) { return llvm::all_of(basis, [](int64_t entry) { return entry == 0; }); };
  auto require = [&](llvm::Value *zero) {
    llvm::Value *is = prologue.CreateICmpEQ(zero, prologue.getInt32(0));
    known->owner = known->owner ? prologue.CreateAnd(known->owner, is) : is;
  };
  const Layout &of = layout->layout;
  auto copies = [&](llvm::ArrayRef<Coordinates> bases, llvm::Value *bits) {
    uint32_t mask = 0;
    for (auto [i, basis] : llvm::enumerate(bases))
      if (isZero(basis)) mask |= 1u << i;
    if (mask) require(prologue.CreateAnd(bits, prologue.getInt32(mask)));
  };
  copies(of.atomOf().lanes, lane);
  copies(of.atomOf().warps, warp);
  llvm::Value *rest = of.atomOf().warps.empty() ? warp : prologue.CreateLShr(warp, uint64_t(of.atomOf().warps.size()));
  for (const Repeat &repeat : of.repeatsOf()) {
    if (repeat.owner != Repeat::Warp || repeat.count == 1) continue;
    if (repeat.dim < 0) require(prologue.CreateURem(rest, prologue.getInt32(uint32_t(repeat.count))));
    rest = prologue.CreateUDiv(rest, prologue.getInt32(uint32_t(repeat.count)));
  }
  return known->owner;
}

//===----------------------------------------------------------------------===//
// What is logical
//===----------------------------------------------------------------------===//

llvm::Value *PhaseLowering::conjunction(llvm::Value *left, llvm::Value *right) {
  if (!left || !right) return left ? left : right;
  return b.CreateAnd(left, right);
}

llvm::Value *PhaseLowering::countOf(const Extent &extent, int64_t size) {
  llvm::Value *least = b.getInt64(uint64_t(size));
  for (const ExtentAtom &atom : extent.atoms) {
    llvm::Value *count = nullptr;
    if (atom.dim >= 0) {
      count = sizeOf(atom.source, atom.dim);
    } else {
      const RangeNumbers &numbers = range(atom.source);
      count = b.CreateNSWSub(numbers.end, numbers.begin);
    }
    if (atom.multiply != 1) count = b.CreateNSWMul(count, b.getInt64(uint64_t(atom.multiply)));
    if (atom.divide != 1)
      count = b.CreateSDiv(b.CreateNSWAdd(count, b.getInt64(uint64_t(atom.divide - 1))), b.getInt64(uint64_t(atom.divide)));
    least = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, least, count);
  }
  return b.CreateTrunc(least, b.getInt32Ty());
}

Registers PhaseLowering::logicalMask(const Extents &of, RankedTensorType type, const PlacedLayout *layout) {
  Registers result(layout->offsets.size(), nullptr);
  Coordinates covered = layout->layout.covered();
  for (unsigned d = 0; d < layout->layout.rank(); ++d) {
    int64_t size = type.getDimSize(d);
    bool whole = bounds.isWhole(of[d], size);
    if (whole && covered[d] <= size) continue;
    llvm::Value *limit = whole ? b.getInt32(uint32_t(size)) : countOf(of[d], size);
    llvm::DenseMap<int64_t, llvm::Value *> known;
    for (unsigned r = 0; r < result.size(); ++r) {
      llvm::Value *&inside = known[layout->offsets[r][d]];
      if (!inside) inside = b.CreateICmpSLT(coordinate(layout, r, d), limit);
      result[r] = conjunction(result[r], inside);
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

const PlacedLayout *PhaseLowering::home(Value tile) { return placed(choice->of(tile)); }

void PhaseLowering::define(Value tile, const PlacedLayout *layout, Registers registers) {
  placements[tile].push_back({layout, std::move(registers)});
  placementLog.push_back(tile);
}

void PhaseLowering::scoped(llvm::function_ref<void()> body) {
  size_t mark = placementLog.size();
  body();
  while (placementLog.size() > mark) {
    placements[placementLog.back()].pop_back();
    placementLog.pop_back();
  }
}

const PlacedLayout *PhaseLowering::baseOf(Value tile) {
  if (!choice->isLazy(tile))
    if (auto found = placements.find(tile); found != placements.end() && !found->second.empty()) return found->second.front().layout;
  return home(tile);
}

Registers PhaseLowering::registersOf(Value tile, const PlacedLayout *layout) {
  auto found = placements.find(tile);
  if (found != placements.end())
    for (const Placement &placement : found->second)
      if (placement.layout == layout) return placement.registers;
  Registers result;
  if (choice->isLazy(tile)) {
    result = computeLazy(tile, layout);
  } else if (found == placements.end() || found->second.empty()) {
    fail("internal: a tile is used before it is computed", tile.getDefiningOp());
    result.assign(layout->offsets.size(), llvm::PoisonValue::get(registerType(tile.getType())));
    return result;
  } else {
    Placement base = found->second.front();
    result = convertLayout(base.registers, base.layout, layout, cast<RankedTensorType>(tile.getType()));
  }
  define(tile, layout, result);
  return result;
}

Registers PhaseLowering::computeLazy(Value tile, const PlacedLayout *layout) {
  Operation *op = tile.getDefiningOp();
  Registers result;
  auto sameFor = [&](llvm::Value *value) { result.assign(layout->offsets.size(), value); };
  auto positions = [&](llvm::Value *begin) {
    llvm::Type *type = registerType(tile.getType());
    for (unsigned r = 0; r < layout->offsets.size(); ++r) {
      llvm::Value *at = b.CreateZExtOrTrunc(coordinate(layout, r, 0), type);
      result.push_back(begin ? b.CreateAdd(at, begin) : at);
    }
  };
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    sameFor(constant(constantOp.getValue(), constantOp.getType()));
  } else if (auto splat = dyn_cast<SplatOp>(op)) {
    sameFor(scalar(splat.getScalar()));
  } else if (isa<IotaOp>(op)) {
    positions(nullptr);
  } else if (auto index = dyn_cast<IndexOp>(op)) {
    positions(b.CreateZExtOrTrunc(range(index.getRange()).begin, registerType(tile.getType())));
  } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    const PlacedLayout *narrow = placed(layout->layout.sliced(broadcast.getAlong()));
    Registers from = registersOf(broadcast.getSource(), narrow);
    std::map<std::vector<int64_t>, unsigned> places;
    for (auto [r, at] : llvm::enumerate(narrow->offsets)) places.try_emplace(std::vector<int64_t>(at.begin(), at.end()), unsigned(r));
    for (const Coordinates &at : layout->offsets) {
      std::vector<int64_t> kept;
      for (unsigned d = 0; d < at.size(); ++d)
        if (!llvm::is_contained(broadcast.getAlong(), int64_t(d))) kept.push_back(at[d]);
      result.push_back(from[places.at(kept)]);
    }
  } else if (auto transpose = dyn_cast<TransposeOp>(op)) {
    llvm::ArrayRef<int64_t> permutation = transpose.getPermutation();
    SmallVector<int64_t, 4> back(permutation.size());
    for (auto [i, d] : llvm::enumerate(permutation)) back[size_t(d)] = int64_t(i);
    result = registersOf(transpose.getSource(), placed(layout->layout.permuted(back)));
  } else if (auto split = dyn_cast<SplitOp>(op)) {
    Registers both = registersOf(split.getSource(), placed(joinedLayout(layout->layout)));
    unsigned second = tile == split.getSecond() ? 1 : 0;
    for (unsigned r = 0; r < layout->offsets.size(); ++r) result.push_back(both[2 * r + second]);
  } else {
    result = computeElementwise(op, layout);
  }
  return result;
}

Registers PhaseLowering::computeElementwise(Operation *op, const PlacedLayout *layout) {
  SmallVector<Registers, 3> operands;
  for (Value operand : op->getOperands()) {
    if (isTile(operand.getType()))
      operands.push_back(registersOf(operand, layout));
    else
      operands.push_back(Registers(layout->offsets.size(), scalar(operand)));
  }
  Registers result(layout->offsets.size(), nullptr);
  // Two floats at a time become a pair of narrow ones.
  mlir::Type to = elementOf(op->getResult(0).getType());
  bool narrows = isa<CastOp, arith::TruncFOp>(op) && (to.isBF16() || to.isF16()) && elementOf(op->getOperand(0).getType()).isF32();
  std::map<SmallVector<llvm::Value *, 3>, llvm::Value *> known;
  for (unsigned r = 0; r < result.size(); ++r) {
    if (result[r]) continue;
    if (narrows && r + 1 < result.size() && operands[0][r] != operands[0][r + 1]) {
      llvm::Value *pair = llvm::PoisonValue::get(llvm::FixedVectorType::get(b.getFloatTy(), 2));
      pair = b.CreateInsertElement(pair, operands[0][r], uint64_t(0));
      pair = b.CreateInsertElement(pair, operands[0][r + 1], uint64_t(1));
      pair = b.CreateFPTrunc(pair, llvm::FixedVectorType::get(to.isBF16() ? b.getBFloatTy() : b.getHalfTy(), 2));
      pair = b.CreateBitCast(pair, llvm::FixedVectorType::get(b.getInt16Ty(), 2));
      result[r] = b.CreateExtractElement(pair, uint64_t(0));
      result[r + 1] = b.CreateExtractElement(pair, uint64_t(1));
      continue;
    }
    SmallVector<llvm::Value *, 3> given;
    for (const Registers &operand : operands) given.push_back(operand[r]);
    llvm::Value *&value = known[given];
    if (!value) value = elementwise(op, given, b);
    result[r] = value;
  }
  return result;
}

Registers PhaseLowering::convertLayout(const Registers &registers, const PlacedLayout *from, const PlacedLayout *to,
                                       RankedTensorType type) {
  if (auto map = registerMap(from->layout, to->layout, type.getShape())) {
    Registers result;
    for (unsigned r : *map) result.push_back(registers[r]);
    return result;
  }
  int64_t mark = sharedTop;
  SharedTile tile = sharedForConversion(type.getElementType(), type.getShape(), from, to);
  storeShared(tile, registers, from);
  Registers result = loadShared(tile, to);
  sharedTop = mark;
  return result;
}

} // namespace pantile::simt
