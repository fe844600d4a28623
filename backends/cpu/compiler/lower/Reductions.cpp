//===- cpu/compiler/lower/Reductions.cpp - combining lanes ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Lanes are folded in halves. Scans run log2(lanes) shifted combinations a vector and carry the
// last lane.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/PhaseLowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

SmallVector<llvm::Value *, 2> PhaseLowering::foldLanes(const Combine &combine, SmallVector<llvm::Value *, 2> values) {
  auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(values[0]->getType());
  if (!vector) return values;
  for (unsigned width = vector->getNumElements(); width > 1; width /= 2) {
    SmallVector<int, 32> low, high;
    for (unsigned i = 0; i < width / 2; ++i) {
      low.push_back(int(i));
      high.push_back(int(i + width / 2));
    }
    SmallVector<llvm::Value *, 2> left, right;
    for (llvm::Value *value : values) {
      left.push_back(b.CreateShuffleVector(value, low));
      right.push_back(b.CreateShuffleVector(value, high));
    }
    values = combine(b, left, right);
  }
  for (llvm::Value *&value : values) value = b.CreateExtractElement(value, uint64_t(0));
  return values;
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

void PhaseLowering::lowerScan(ScanOp scan) {
  auto type = cast<RankedTensorType>(scan.getSources().front().getType());
  unsigned rank = unsigned(type.getRank()), along = unsigned(scan.getDim());
  Extents domain = extents.of(scan.getSources().front());
  for (Value source : scan.getSources().drop_front())
    for (auto [extent, other] : llvm::zip(domain, extents.of(source))) extent.join(other);
  NestShape shape;
  shape.extents = domain;
  for (unsigned i = 0; i < rank; ++i) shape.counts.push_back(extentValue(domain[i], type, i));
  bool inLanes = along == rank - 1;
  shape.vectorDim = int(rank) - 1;
  shape.lanes = std::max(1u, target.vectorBits / 32);
  if (!type.isDynamicDim(rank - 1))
    shape.lanes = unsigned(std::min<uint64_t>(shape.lanes, llvm::PowerOf2Ceil(uint64_t(type.getDimSize(rank - 1)))));
  Combine combine = combineOf(scan);
  bool reverse = scan.getReverse(), exclusive = scan.getExclusive();

  Scope root(b.GetInsertBlock(), nullptr);
  llvm::BasicBlock *start = newBlock("scan");
  root.seal(b.CreateBr(start));
  b.SetInsertPoint(start);
  nestRoot = &root;
  auto startValues = [&](unsigned lanes) {
    SmallVector<llvm::AllocaInst *, 2> carries;
    for (llvm::Value *identity : identities(scan)) {
      llvm::Value *first = lanes > 1 ? b.CreateVectorSplat(lanes, identity) : identity;
      carries.push_back(variable(first->getType(), "carry"));
      b.CreateStore(first, carries.back());
    }
    return carries;
  };
  auto read = [&](const Positions &at, Scope &scope) {
    SmallVector<llvm::Value *, 2> values;
    for (Value source : scan.getSources()) {
      llvm::Value *value = accumulated(scan, evaluate(source, at, scope), source.getType(), scope.builder);
      if (scope.lanes > 1 && !value->getType()->isVectorTy()) value = scope.builder.CreateVectorSplat(scope.lanes, value);
      values.push_back(value);
    }
    return values;
  };
  auto write = [&](ArrayRef<llvm::Value *> values, const Positions &at, Scope &scope) {
    for (auto [value, result] : llvm::zip(values, scan.getResults())) {
      const Buffer &buffer = bufferOf(result);
      llvm::Value *final = unaccumulated(scan, value, buffer.element, scope.builder);
      storeElements(bufferAddress(buffer, at, scope), final, buffer.element, scope, false);
    }
  };
  auto loadAll = [&](ArrayRef<llvm::AllocaInst *> slots, llvm::IRBuilder<> &at) {
    SmallVector<llvm::Value *, 2> values;
    for (llvm::AllocaInst *slot : slots) values.push_back(at.CreateLoad(slot->getAllocatedType(), slot));
    return values;
  };
  auto storeAll = [&](ArrayRef<llvm::Value *> values, ArrayRef<llvm::AllocaInst *> slots, llvm::IRBuilder<> &at) {
    for (auto [value, slot] : llvm::zip(values, slots)) at.CreateStore(value, slot);
  };

  Positions at(rank, Position::constant(0));
  std::function<void(unsigned, Scope &)> outer = [&](unsigned dim, Scope &parent) {
    if (dim == along && !inLanes) return outer(dim + 1, parent);
    if (dim + 1 < rank) {
      countedLoop(b, b.getInt64(0), shape.counts[dim], b.getInt64(1), "row", [&](llvm::Value *index) {
        Scope scope(b.GetInsertBlock(), &parent);
        llvm::BasicBlock *next = newBlock("inner");
        scope.seal(b.CreateBr(next));
        b.SetInsertPoint(next);
        at[dim] = {PositionKind::Uniform, index, 0, 1, &scope, domain[dim]};
        outer(dim + 1, scope);
      });
      return;
    }
    if (!inLanes) {
      // Lanes are independent: carry a vector along the scanned dimension.
      shape.unroll = 1;
      vectorLoop(shape, [&](llvm::Value *base, int64_t multiple, unsigned count, llvm::Value *mask, int64_t offset) {
        for (unsigned u = 0; u < count; ++u) {
          Scope chunk(b.GetInsertBlock(), &parent);
          chunk.lanes = shape.lanes;
          chunk.mask = mask;
          auto carries = startValues(shape.lanes);
          llvm::BasicBlock *next = newBlock("column");
          chunk.seal(b.CreateBr(next));
          b.SetInsertPoint(next);
          PositionKind kind = shape.lanes > 1 ? PositionKind::Consecutive : PositionKind::Uniform;
          at[rank - 1] = {kind, base, offset + int64_t(u) * shape.lanes, multiple, &chunk, domain[rank - 1]};
          countedLoop(b, b.getInt64(0), shape.counts[along], b.getInt64(1), "scan", [&](llvm::Value *index) {
            Scope scope(b.GetInsertBlock(), &chunk);
            llvm::IRBuilder<> &here = scope.builder;
            if (reverse) index = here.CreateSub(here.CreateSub(shape.counts[along], index), here.getInt64(1));
            at[along] = {PositionKind::Uniform, index, 0, 1, &scope, domain[along]};
            auto before = loadAll(carries, here);
            auto values = combine(here, before, read(at, scope));
            storeAll(values, carries, here);
            write(exclusive ? before : values, at, scope);
            b.SetInsertPoint(here.GetInsertBlock());
          });
        }
      });
      return;
    }
    unsigned lanes = shape.lanes;
    llvm::Value *count = shape.counts[along], *width = b.getInt64(lanes);
    llvm::Value *chunks = b.CreateUDiv(b.CreateAdd(count, b.getInt64(lanes - 1)), width);
    auto carries = startValues(1);
    auto initial = identities(scan);
    countedLoop(b, b.getInt64(0), chunks, b.getInt64(1), "scan", [&](llvm::Value *chunk) {
      if (reverse) chunk = b.CreateSub(b.CreateSub(chunks, chunk), b.getInt64(1));
      llvm::Value *base = b.CreateMul(chunk, width);
      llvm::Value *mask =
          lanes > 1 ? tailMask(b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b.CreateSub(count, base), width), lanes) : nullptr;
      Scope scope(b.GetInsertBlock(), &parent);
      scope.lanes = lanes;
      scope.mask = mask;
      llvm::IRBuilder<> &here = scope.builder;
      at[along] = {lanes > 1 ? PositionKind::Consecutive : PositionKind::Uniform, base, 0, lanes, &scope, domain[along]};
      auto values = read(at, scope);
      SmallVector<llvm::Value *, 2> fill;
      for (llvm::Value *identity : initial) fill.push_back(lanes > 1 ? here.CreateVectorSplat(lanes, identity) : identity);
      if (lanes > 1)
        for (auto [value, rest] : llvm::zip(values, fill)) value = here.CreateSelect(mask, value, rest);
      auto reversed = [&](SmallVector<llvm::Value *, 2> &all) {
        if (!reverse || lanes == 1) return;
        for (llvm::Value *&value : all) value = here.CreateVectorReverse(value);
      };
      auto shiftedUp = [&](ArrayRef<llvm::Value *> all, ArrayRef<llvm::Value *> low, unsigned distance) {
        SmallVector<llvm::Value *, 2> result;
        SmallVector<int, 32> order;
        for (unsigned i = 0; i < lanes; ++i) order.push_back(i < distance ? int(lanes + i) : int(i - distance));
        for (auto [value, rest] : llvm::zip(all, low)) result.push_back(here.CreateShuffleVector(value, rest, order));
        return result;
      };
      reversed(values);
      for (unsigned distance = 1; distance < lanes; distance *= 2) values = combine(here, shiftedUp(values, fill, distance), values);
      auto before = loadAll(carries, here);
      SmallVector<llvm::Value *, 2> spread;
      for (llvm::Value *carry : before) spread.push_back(lanes > 1 ? here.CreateVectorSplat(lanes, carry) : carry);
      values = combine(here, spread, values);
      SmallVector<llvm::Value *, 2> last;
      for (llvm::Value *value : values) last.push_back(lanes > 1 ? here.CreateExtractElement(value, uint64_t(lanes - 1)) : value);
      storeAll(last, carries, here);
      if (exclusive) values = lanes > 1 ? shiftedUp(values, spread, 1) : before;
      reversed(values);
      write(values, at, scope);
      b.SetInsertPoint(here.GetInsertBlock());
    });
  };
  outer(0, root);
  nestRoot = nullptr;
}

} // namespace pantile::cpu
