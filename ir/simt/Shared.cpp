//===- ir/simt/Shared.cpp - tiles in shared memory -------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

namespace {

/// Elements that one access moves.
unsigned vectorFor(const SharedLayout &shared, const Layout &layout, unsigned widest, llvm::ArrayRef<int64_t> at) {
  if (shared.order.empty()) return 1;
  int64_t vector = std::min<int64_t>(layout.contiguous(shared.order[0]), std::max(1u, widest / shared.elementBytes));
  if (!at.empty() && at[shared.order[0]]) vector = std::min(vector, at[shared.order[0]] & -at[shared.order[0]]);
  while (vector > 1 && (shared.pitch % vector || shared.shape[shared.order[0]] % vector)) vector /= 2;
  return unsigned(vector);
}

} // namespace

SharedTile PhaseLowering::sharedTile(SharedLayout layout, llvm::Value *pointer, mlir::Type element) {
  SharedTile tile{std::move(layout), pointer, element, {}, 16};
  tile.strides.assign(tile.layout.shape.size(), 0);
  int64_t stride = tile.layout.elementBytes;
  for (auto [i, dim] : llvm::enumerate(tile.layout.order)) {
    tile.strides[dim] = stride;
    stride *= i == 0 ? tile.layout.pitch : tile.layout.shape[dim];
  }
  return tile;
}

unsigned PhaseLowering::sharedVector(const SharedTile &tile, const Layout &layout, llvm::ArrayRef<int64_t> at) {
  return vectorFor(tile.layout, layout, std::min(limits.vectorBytes, tile.alignment), at);
}

void PhaseLowering::blockBarrier() {
  target.barrier(b);
  mayRead = wroteShared = false;
}

void PhaseLowering::beforeSharedWrite() {
  if (mayRead) blockBarrier();
}

void PhaseLowering::beforeSharedRead() {
  if (wroteShared) blockBarrier();
}

llvm::Value *PhaseLowering::allocateShared(int64_t bytes, int64_t alignment) {
  int64_t offset = int64_t(llvm::alignTo(uint64_t(sharedTop), uint64_t(alignment)));
  sharedTop = offset + bytes;
  sharedMost = std::max(sharedMost, sharedTop);
  if (!sharedBase) sharedBase = target.sharedMemory(prologue, module);
  return b.CreateConstGEP1_64(b.getInt8Ty(), sharedBase, uint64_t(offset));
}

SharedTile PhaseLowering::makeShared(mlir::Type element, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> order, int64_t padding) {
  SharedLayout layout;
  layout.shape.assign(shape.begin(), shape.end());
  layout.order.assign(order.begin(), order.end());
  layout.elementBytes = bytesOf(element);
  layout.pitch = (order.empty() ? 1 : shape[order[0]]) + padding;
  llvm::Value *pointer = allocateShared(layout.bytes());
  return sharedTile(std::move(layout), pointer, element);
}

SharedTile PhaseLowering::sharedForConversion(mlir::Type element, llvm::ArrayRef<int64_t> shape, const PlacedLayout *from,
                                              const PlacedLayout *to) {
  unsigned bytes = bytesOf(element), rank = unsigned(shape.size());
  SharedLayout best;
  int64_t least = -1;
  // The rows run along a dimension that registers or lanes of either side follow.
  for (unsigned fastest = rank; fastest-- > 0;) {
    bool useful = fastest + 1 == rank;
    for (const PlacedLayout *side : {from, to}) useful |= side->layout.contiguous(fastest) > 1 || (side->layout.laneBitsAlong(fastest) & 1);
    if (!useful) continue;
    SharedLayout candidate;
    candidate.shape.assign(shape.begin(), shape.end());
    candidate.order.push_back(fastest);
    for (unsigned d = rank; d-- > 0;)
      if (d != fastest) candidate.order.push_back(d);
    candidate.elementBytes = bytes;
    for (int64_t padding : {int64_t(0), int64_t(std::max(1u, 4 / bytes)), int64_t(std::max(1u, 16 / bytes))}) {
      candidate.pitch = shape[fastest] + padding;
      int64_t cost = 0;
      for (const PlacedLayout *side : {from, to}) {
        unsigned vector = vectorFor(candidate, side->layout, limits.vectorBytes, {});
        cost += int64_t(side->layout.registers() / vector) *
                (1 + bankConflicts(side->layout, candidate, vector, limits.banks, limits.bankBytes));
      }
      if (least < 0 || cost < least) {
        least = cost;
        best = candidate;
      }
    }
  }
  if (rank == 0) {
    best.elementBytes = bytes;
    best.pitch = 1;
  }
  llvm::Value *pointer = allocateShared(best.bytes());
  return sharedTile(std::move(best), pointer, element);
}

llvm::Value *PhaseLowering::sharedPointer(const SharedTile &tile, const PlacedLayout *layout, llvm::ArrayRef<int64_t> at, bool warpOnly) {
  llvm::ArrayRef<int64_t> strides = tile.strides;
  llvm::Value *offset = nullptr;
  int64_t fixed = 0;
  for (unsigned d = 0; d < strides.size(); ++d) {
    if (!at.empty()) fixed += at[d] * strides[d];
    llvm::Value *part = warpOnly ? warpCoordinate(layout, d) : threadCoordinate(layout, d);
    if (llvm::isa<llvm::Constant>(part) && llvm::cast<llvm::Constant>(part)->isNullValue()) continue;
    part = b.CreateNSWMul(part, b.getInt32(uint32_t(strides[d])));
    offset = offset ? b.CreateNSWAdd(offset, part) : part;
  }
  llvm::Value *pointer = tile.pointer;
  if (offset) pointer = b.CreateGEP(b.getInt8Ty(), pointer, offset);
  if (fixed) pointer = b.CreateConstGEP1_64(b.getInt8Ty(), pointer, uint64_t(fixed));
  return pointer;
}

/// i1 whether a register lies inside the tile; NULL: always.
static bool mayLeave(const SharedLayout &shared, const Layout &layout, llvm::ArrayRef<int64_t> at, unsigned dim) {
  return layout.covered()[dim] + (at.empty() ? 0 : at[dim]) > shared.shape[dim];
}

void PhaseLowering::storeShared(const SharedTile &tile, const Registers &registers, const PlacedLayout *layout,
                                llvm::ArrayRef<int64_t> at) {
  beforeSharedWrite();
  wroteShared = true;
  llvm::ArrayRef<int64_t> strides = tile.strides;
  unsigned vector = sharedVector(tile, layout->layout, at);
  llvm::Value *start = sharedPointer(tile, layout, at), *owner = ownerOf(layout);
  llvm::Type *element = memoryType(tile.element);
  Registers inside(registers.size(), nullptr);
  for (unsigned d = 0; d < strides.size(); ++d) {
    if (!mayLeave(tile.layout, layout->layout, at, d)) continue;
    llvm::DenseMap<int64_t, llvm::Value *> known;
    llvm::Value *limit = b.getInt32(uint32_t(tile.layout.shape[d] - (at.empty() ? 0 : at[d])));
    for (unsigned r = 0; r < registers.size(); ++r) {
      llvm::Value *&is = known[layout->offsets[r][d]];
      if (!is) is = b.CreateICmpSLT(coordinate(layout, r, d), limit);
      inside[r] = conjunction(inside[r], is);
    }
  }
  for (unsigned r = 0; r < registers.size();) {
    unsigned end = r;
    while (end < registers.size() && inside[end] == inside[r]) end += vector;
    guarded(conjunction(owner, inside[r]), [&] {
      for (unsigned i = r; i < end; i += vector) {
        int64_t offset = 0;
        for (unsigned d = 0; d < strides.size(); ++d) offset += layout->offsets[i][d] * strides[d];
        Values parts;
        for (unsigned j = 0; j < vector; ++j) parts.push_back(toMemory(registers[i + j], tile.element));
        storeVector(b.CreateConstGEP1_64(b.getInt8Ty(), start, uint64_t(offset)), parts, element,
                    int64_t(vector) * tile.layout.elementBytes);
      }
    });
    r = end;
  }
}

Registers PhaseLowering::loadShared(const SharedTile &tile, const PlacedLayout *layout, llvm::ArrayRef<int64_t> at) {
  beforeSharedRead();
  mayRead = true;
  llvm::ArrayRef<int64_t> strides = tile.strides;
  unsigned vector = sharedVector(tile, layout->layout, at);
  llvm::Value *start = sharedPointer(tile, layout, at);
  llvm::Type *element = memoryType(tile.element);
  Registers values;
  // Elements beyond the tile are nobody's; their reads stay in it.
  llvm::DenseMap<std::pair<unsigned, int64_t>, llvm::Value *> known;
  for (unsigned r = 0; r < layout->offsets.size(); r += vector) {
    int64_t offset = 0;
    llvm::Value *inside = nullptr;
    for (unsigned d = 0; d < strides.size(); ++d) {
      offset += layout->offsets[r][d] * strides[d];
      if (!mayLeave(tile.layout, layout->layout, at, d)) continue;
      llvm::Value *&is = known[{d, layout->offsets[r][d]}];
      if (!is) is = b.CreateICmpSLT(coordinate(layout, r, d), b.getInt32(uint32_t(tile.layout.shape[d] - (at.empty() ? 0 : at[d]))));
      inside = conjunction(inside, is);
    }
    llvm::Value *pointer = b.CreateConstGEP1_64(b.getInt8Ty(), start, uint64_t(offset));
    if (inside) pointer = b.CreateSelect(inside, pointer, tile.pointer);
    loadVector(pointer, element, vector, int64_t(vector) * tile.layout.elementBytes, false, values);
  }
  for (llvm::Value *&value : values) value = fromMemory(value, tile.element);
  return values;
}

void PhaseLowering::zeroShared(const SharedTile &tile) {
  beforeSharedWrite();
  int64_t bytes = int64_t(llvm::alignTo(uint64_t(tile.layout.bytes()), 16)), threads = int64_t(schedule.warps) * limits.lanes;
  // The allocation is a multiple of 16 bytes: see shareOperand.
  llvm::Value *start = b.CreateGEP(b.getInt8Ty(), tile.pointer, b.CreateNSWMul(thread, b.getInt32(16)));
  llvm::Value *none = llvm::Constant::getNullValue(llvm::FixedVectorType::get(b.getInt32Ty(), 4));
  for (int64_t at = 0; at < bytes; at += threads * 16) {
    llvm::Value *inside = at + threads * 16 > bytes ? b.CreateICmpSLT(thread, b.getInt32(uint32_t((bytes - at) / 16))) : nullptr;
    guarded(inside, [&] { b.CreateAlignedStore(none, b.CreateConstGEP1_64(b.getInt8Ty(), start, uint64_t(at)), llvm::Align(16)); });
  }
  blockBarrier();
}

} // namespace pantile::simt
