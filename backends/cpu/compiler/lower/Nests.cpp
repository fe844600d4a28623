//===- cpu/compiler/lower/Nests.cpp - loop nests over tiles ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Row nest (no reduction, or one along the vector dimension): loops over the other dimensions, then over vectors,
// unrolled, one vector at a time, and one masked. Partial results of a reduction are one vector an unrolled copy.
//
// Column nest (a reduction across the vector dimension): loops over the others, then over groups of vectors, then the
// reduced dimension innermost, its partial results in registers.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/PhaseLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

constexpr int64_t kUnrollWhole = 8; ///< vectors of a dimension of constant extent that become straight-line code

bool isConstantOne(llvm::Value *value) {
  auto *constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  return constant && constant->isOne();
}

} // namespace

llvm::BasicBlock *PhaseLowering::newBlock(const char *label) { return llvm::BasicBlock::Create(context, label, function); }

void PhaseLowering::countedLoop(llvm::IRBuilder<> &at, llvm::Value *begin, llvm::Value *end, llvm::Value *step, const char *label,
                                llvm::function_ref<void(llvm::Value *)> body) {
  llvm::BasicBlock *before = at.GetInsertBlock(), *inside = newBlock(label), *exit = newBlock("done");
  at.CreateCondBr(at.CreateICmpSLT(begin, end), inside, exit);
  at.SetInsertPoint(inside);
  llvm::PHINode *index = at.CreatePHI(begin->getType(), 2);
  index->addIncoming(begin, before);
  body(index);
  llvm::Value *next = at.CreateNSWAdd(index, step);
  index->addIncoming(next, at.GetInsertBlock());
  at.CreateCondBr(at.CreateICmpSLT(next, end), inside, exit);
  at.SetInsertPoint(exit);
}

//===----------------------------------------------------------------------===//
// The shape of a nest
//===----------------------------------------------------------------------===//

llvm::Value *PhaseLowering::atomValue(const ExtentAtom &atom) {
  llvm::Value *count;
  if (atom.dim >= 0) {
    count = sizeOf(atom.source, atom.dim);
  } else {
    const RangeNumbers &numbers = range(atom.source);
    count = b.CreateSub(numbers.end, numbers.begin);
  }
  llvm::Type *i64 = b.getInt64Ty();
  if (atom.multiply != 1) count = b.CreateMul(count, llvm::ConstantInt::get(i64, atom.multiply));
  if (atom.divide != 1)
    count = b.CreateUDiv(b.CreateAdd(count, llvm::ConstantInt::get(i64, atom.divide - 1)), llvm::ConstantInt::get(i64, atom.divide));
  return count;
}

llvm::Value *PhaseLowering::extentValue(const Extent &extent, RankedTensorType type, unsigned dim) {
  llvm::Value *least = nullptr;
  auto take = [&](llvm::Value *count) { least = least ? b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, least, count) : count; };
  bool needsCap = extent.isWhole();
  for (const ExtentAtom &atom : extent.atoms) {
    take(atomValue(atom));
    needsCap |= atom.dim >= 0;
  }
  if (!type.isDynamicDim(dim)) {
    if (needsCap) take(b.getInt64(type.getDimSize(dim)));
  } else if (!least) {
    least = capacity(type, dim).second;
  }
  return least;
}

int PhaseLowering::unitDimension(Value value, unsigned depth) {
  if (depth > 16 || !isTile(value.getType())) return -1;
  if (plan->isBuffered(value)) return -1;
  Operation *op = value.getDefiningOp();
  if (isa<LoadOp, GatherOp>(op)) return unitDimensionOfAccess(op);
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    int inner = unitDimension(transpose.getSource(), depth + 1);
    for (auto [i, from] : llvm::enumerate(transpose.getPermutation()))
      if (int(from) == inner) return int(i);
    return -1;
  }
  // What is repeated says nothing: most of the traffic is elsewhere.
  if (isa<BroadcastOp, ReshapeOp, CatOp, JoinOp, SplitOp, SplatOp, IotaOp, IndexOp>(op)) return -1;
  for (Value operand : op->getOperands())
    if (int dim = unitDimension(operand, depth + 1); dim >= 0) return dim;
  return -1;
}

int PhaseLowering::unitDimensionOfAccess(Operation *access) {
  const View &view = viewOf(pantile::tile::viewOf(access));
  int kept = 0, unit = -1;
  bool tilesSeen = false;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(access))) {
    if (subscript.kind == Subscript::Index) continue;
    if (subscript.kind == Subscript::Tile) {
      if (!tilesSeen) kept += int(cast<RankedTensorType>(subscript.value.getType()).getRank());
      tilesSeen = true;
      continue;
    }
    auto *stride = llvm::dyn_cast<llvm::ConstantInt>(view.strides[dim]);
    auto *size = llvm::dyn_cast<llvm::ConstantInt>(view.sizes[dim]);
    if (stride && stride->isOne() && !(size && size->isOne())) unit = kept;
    ++kept;
  }
  return unit;
}

unsigned PhaseLowering::lanesFor(const Step &step) {
  unsigned bits = 8;
  llvm::DenseSet<Value> seen;
  std::function<void(Value, bool)> visit = [&](Value value, bool isRoot) {
    if (!isTile(value.getType()) || !seen.insert(value).second) return;
    mlir::Type element = elementOf(value.getType());
    unsigned width = isa<IndexType>(element) ? 64 : element.getIntOrFloatBitWidth();
    Operation *op = value.getDefiningOp();
    bool moves = !op || isa<LoadOp, GatherOp, BroadcastOp, TransposeOp, ReshapeOp, CatOp, JoinOp, SplitOp, SplatOp, arith::SelectOp>(op);
    if (isa<FloatType>(element) && width < 32 && (!moves || isRoot) && !isa_and_nonnull<arith::TruncFOp, CastOp>(op) && !moves) width = 32;
    if (width == 64 && !isa<FloatType>(element) && !isRoot) width = 32; // positions
    if (width >= 8) bits = std::max(bits, width);
    if (op && !(plan->isBuffered(value) && !isRoot))
      for (Value operand : op->getOperands()) visit(operand, false);
  };
  bool sums = false;
  for (const Root &root : step.roots) {
    if (root.kind == Root::Fill)
      visit(root.value, true);
    else
      for (Value operand : root.op->getOperands()) visit(operand, true);
    if (root.kind == Root::Reduce)
      for (Value source : cast<ReduceOp>(root.op).getSources()) {
        mlir::Type element = elementOf(source.getType());
        sums |= isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
      }
  }
  if (sums) bits = std::max(bits, 32u);
  return std::max(1u, target.vectorBits / std::max(bits, 8u));
}

unsigned PhaseLowering::bodyCost(const Step &step) {
  unsigned cost = 0;
  llvm::DenseSet<Value> seen;
  std::function<void(Value, bool)> visit = [&](Value value, bool isRoot) {
    if (!isTile(value.getType()) || !seen.insert(value).second) return;
    ++cost;
    if (!isRoot && plan->isBuffered(value)) return;
    Operation *op = value.getDefiningOp();
    if (!op) return;
    if (op->getDialect() && op->getDialect()->getNamespace() == "math") cost += 10;
    for (Value operand : op->getOperands()) visit(operand, false);
  };
  for (const Root &root : step.roots) {
    if (root.kind == Root::Fill) {
      visit(root.value, root.target == root.value);
    } else {
      for (Value operand : root.op->getOperands()) visit(operand, false);
      if (root.kind == Root::Reduce && !root.op->getRegion(0).empty())
        cost += 3 * unsigned(root.op->getRegion(0).front().getOperations().size());
    }
  }
  return cost;
}

void PhaseLowering::lowerNest(Step step) {
  // Sums that lie where they are to be stored are there already.
  llvm::erase_if(step.roots, [&](const Root &root) {
    if (root.kind != Root::Store) return false;
    Value carry = plan->owner(cast<StoreOp>(root.op).getValue());
    return overwritingDot(carry) && storeInPlace(carry) == root.op;
  });
  if (step.roots.empty()) return;
  Domain domain = plan->domain(step.roots.front());
  // The zeros of sums that the loop's first pass overwrites.
  Root &first = step.roots.front();
  llvm::BasicBlock *filled = nullptr;
  if (auto loop = dyn_cast_or_null<LoopOp>(first.op); loop && first.kind == Root::Fill && overwritingDot(first.target)) {
    (void)bufferOf(first.target);
    if (StoreOp store = storeInPlace(first.target)) domain = plan->domain({Root::Store, store, {}, {}});
    llvm::Value *lower = loop.getLower() ? scalar(loop.getLower()) : b.getInt64(0);
    llvm::BasicBlock *fill = newBlock("zeros");
    filled = newBlock("started");
    b.CreateCondBr(b.CreateICmpSLT(lower, scalar(loop.getUpper())), filled, fill);
    b.SetInsertPoint(fill);
  }
  NestShape shape;
  shape.extents = domain.extents;
  unsigned rank = unsigned(domain.type.getRank());
  for (const Root &root : step.roots) shape.reduced = std::max(shape.reduced, plan->domain(root).reduced);
  for (unsigned i = 0; i < rank; ++i) shape.counts.push_back(extentValue(domain.extents[i], domain.type, i));

  // The vector dimension: where memory is contiguous, else the last that is not 1.
  shape.vectorDim = rank ? int(rank) - 1 : -1;
  for (int i = int(rank) - 1; i >= 0; --i)
    if (!isConstantOne(shape.counts[i])) {
      shape.vectorDim = i;
      break;
    }
  // A last dimension of a few elements (pairs of join) leaves most lanes idle: run along the one before it.
  if (shape.vectorDim > 0 && !domain.type.isDynamicDim(shape.vectorDim) && domain.type.getDimSize(shape.vectorDim) <= 2)
    if (domain.type.isDynamicDim(shape.vectorDim - 1) ||
        domain.type.getDimSize(shape.vectorDim - 1) > 4 * domain.type.getDimSize(shape.vectorDim))
      --shape.vectorDim;
  for (const Root &root : step.roots) {
    int unit = -1;
    if (root.kind == Root::Store) unit = unitDimensionOfAccess(root.op);
    if (unit < 0 && root.kind == Root::Reduce) unit = unitDimension(cast<ReduceOp>(root.op).getSources().front(), 0);
    bool few = unit >= 0 && !domain.type.isDynamicDim(unit) && domain.type.getDimSize(unit) <= 2;
    if (unit >= 0 && !few && !isConstantOne(shape.counts[unit])) {
      shape.vectorDim = unit;
      break;
    }
  }
  unsigned cost = bodyCost(step);
  shape.lanes = lanesFor(step);
  if (shape.vectorDim >= 0)
    if (int64_t extent = domain.type.getDimSize(shape.vectorDim); !ShapedType::isDynamic(extent))
      shape.lanes = unsigned(std::min<uint64_t>(shape.lanes, llvm::PowerOf2Ceil(uint64_t(std::max<int64_t>(1, extent)))));
  shape.unroll = knobs.unroll > 0 ? unsigned(knobs.unroll) : cost <= 8 ? 4 : cost <= 40 ? 2 : 1;
  if (knobs.unroll <= 0 && shape.reduced >= 0 && cost <= 24) shape.unroll = 4;

  Scope root(b.GetInsertBlock(), nullptr);
  llvm::BasicBlock *start = newBlock("nest");
  root.seal(b.CreateBr(start));
  b.SetInsertPoint(start);
  nestRoot = &root;
  Positions at(rank, Position::constant(0));
  bool column = shape.reduced >= 0 && shape.reduced != shape.vectorDim;
  for (unsigned i = 0; i < rank; ++i)
    if (int(i) != shape.vectorDim && !(column && int(i) == shape.reduced)) shape.outer.push_back(i);
  outerLoops(step, shape, 0, at, root, column);
  nestRoot = nullptr;
  if (filled) {
    b.CreateBr(filled);
    b.SetInsertPoint(filled);
  }
}

void PhaseLowering::outerLoops(const Step &step, const NestShape &shape, unsigned level, Positions &at, Scope &parent, bool column) {
  if (level == shape.outer.size()) {
    column ? columns(step, shape, at, parent) : vectors(step, shape, at, parent);
    return;
  }
  unsigned dim = shape.outer[level];
  if (isConstantOne(shape.counts[dim])) {
    outerLoops(step, shape, level + 1, at, parent, column);
    return;
  }
  countedLoop(b, b.getInt64(0), shape.counts[dim], b.getInt64(1), "row", [&](llvm::Value *index) {
    Scope scope(b.GetInsertBlock(), &parent);
    llvm::BasicBlock *next = newBlock("inner");
    scope.seal(b.CreateBr(next));
    b.SetInsertPoint(next);
    at[dim] = {PositionKind::Uniform, index, 0, 1, &scope, shape.extents[dim]};
    outerLoops(step, shape, level + 1, at, scope, column);
  });
  at[dim] = Position::constant(0);
}

llvm::Value *PhaseLowering::tailMask(llvm::Value *remaining, unsigned lanes) {
  SmallVector<llvm::Constant *, 16> iota;
  for (unsigned i = 0; i < lanes; ++i) iota.push_back(b.getInt32(i));
  llvm::Value *limit = b.CreateVectorSplat(lanes, b.CreateTrunc(remaining, b.getInt32Ty()));
  return b.CreateICmpULT(llvm::ConstantVector::get(iota), limit);
}

/// Calls `chunk(base, base's multiple, copies, mask)` for whole groups of vectors, single vectors and the masked rest.
void PhaseLowering::vectorLoop(
    const NestShape &shape,
    llvm::function_ref<void(llvm::Value *base, int64_t multiple, unsigned copies, llvm::Value *mask, int64_t offset)> chunk) {
  llvm::Value *count = shape.vectorDim < 0 ? b.getInt64(1) : shape.counts[shape.vectorDim];
  int64_t lanes = shape.lanes, group = lanes * shape.unroll;
  if (auto *constant = llvm::dyn_cast<llvm::ConstantInt>(count)) {
    int64_t total = constant->getSExtValue(), whole = total / lanes;
    if (whole <= std::max<int64_t>(kUnrollWhole, shape.unroll)) {
      if (whole) chunk(nullptr, 1, unsigned(whole), nullptr, 0);
      if (total % lanes) chunk(nullptr, 1, 1, tailMask(b.getInt64(total % lanes), shape.lanes), whole * lanes);
      return;
    }
  }
  llvm::Value *zero = b.getInt64(0);
  llvm::Value *groups = b.CreateMul(b.CreateUDiv(count, b.getInt64(group)), b.getInt64(group));
  if (shape.lanes == 1) {
    countedLoop(b, zero, count, b.getInt64(1), "element", [&](llvm::Value *base) { chunk(base, 1, 1, nullptr, 0); });
    return;
  }
  countedLoop(b, zero, groups, b.getInt64(group), "vectors", [&](llvm::Value *base) { chunk(base, group, shape.unroll, nullptr, 0); });
  llvm::Value *whole = groups;
  if (shape.unroll > 1) {
    whole = b.CreateMul(b.CreateUDiv(count, b.getInt64(lanes)), b.getInt64(lanes));
    countedLoop(b, groups, whole, b.getInt64(lanes), "vector", [&](llvm::Value *base) { chunk(base, lanes, 1, nullptr, 0); });
  }
  llvm::BasicBlock *tail = newBlock("tail"), *done = newBlock("done");
  b.CreateCondBr(b.CreateICmpSLT(whole, count), tail, done);
  b.SetInsertPoint(tail);
  chunk(whole, lanes, 1, tailMask(b.CreateSub(count, whole), shape.lanes), 0);
  b.CreateBr(done);
  b.SetInsertPoint(done);
}

//===----------------------------------------------------------------------===//
// Roots
//===----------------------------------------------------------------------===//

PhaseLowering::Accumulators PhaseLowering::makeAccumulators(const Step &step, unsigned lanes, unsigned copies) {
  Accumulators result;
  for (const Root &root : step.roots) {
    if (root.kind != Root::Reduce) continue;
    auto &mine = result.emplace_back();
    mine.op = root.op;
    mine.combine = combineOf(root.op);
    for (unsigned u = 0; u < copies; ++u) {
      auto &copy = mine.copies.emplace_back();
      for (llvm::Value *identity : identities(root.op)) {
        llvm::Value *start = lanes > 1 ? b.CreateVectorSplat(lanes, identity) : identity;
        llvm::AllocaInst *slot = variable(start->getType(), "partial");
        b.CreateStore(start, slot);
        copy.push_back(slot);
      }
    }
  }
  return result;
}

void PhaseLowering::emitRoots(const Step &step, ArrayRef<Positions> copies, Scope &scope, Accumulators &accumulators) {
  for (auto [u, at] : llvm::enumerate(copies)) {
    // Everything is read before anything is written: roots may store in place.
    SmallVector<SmallVector<llvm::Value *, 2>, 4> values;
    for (const Root &root : step.roots) {
      auto &mine = values.emplace_back();
      switch (root.kind) {
      case Root::Fill:
        mine.push_back(root.target == root.value ? computeInto(root.value, at, scope) : evaluate(root.value, at, scope));
        break;
      case Root::Store:
      case Root::Scatter:
        mine.push_back(evaluate(writtenValue(root.op), at, scope));
        break;
      case Root::Reduce:
        for (Value source : cast<ReduceOp>(root.op).getSources())
          mine.push_back(accumulated(root.op, evaluate(source, at, scope), source.getType(), scope.builder));
        break;
      }
    }
    unsigned reduction = 0;
    for (auto [root, mine] : llvm::zip(step.roots, values)) {
      switch (root.kind) {
      case Root::Fill: {
        const Buffer &buffer = bufferOf(root.target);
        storeElements(bufferAddress(buffer, at, scope), mine[0], buffer.element, scope, false);
        break;
      }
      case Root::Store: {
        mlir::Type element = cast<ViewType>(cast<StoreOp>(root.op).getView().getType()).getElementType();
        storeElements(addressOf(root.op, at, scope), mine[0], element, scope, knobs.streamingStores);
        break;
      }
      case Root::Scatter: {
        mlir::Type element = cast<ViewType>(pantile::tile::viewOf(root.op).getType()).getElementType();
        Address address = addressOf(root.op, at, scope);
        if (auto atomic = dyn_cast<AtomicRMWOp>(root.op))
          combineElements(address, mine[0], element, atomic.getKind(), scope);
        else
          storeElements(address, mine[0], element, scope, false);
        break;
      }
      case Root::Reduce: {
        auto &partial = accumulators[reduction++];
        auto &slots = partial.copies[u];
        llvm::IRBuilder<> &here = scope.builder;
        SmallVector<llvm::Value *, 2> left, right;
        for (auto [slot, value] : llvm::zip(slots, mine)) {
          llvm::Type *type = slot->getAllocatedType();
          left.push_back(here.CreateLoad(type, slot));
          right.push_back(type->isVectorTy() && !value->getType()->isVectorTy() ? here.CreateVectorSplat(scope.lanes, value) : value);
        }
        SmallVector<llvm::Value *, 2> combined = partial.combine(here, left, right);
        for (auto [slot, value, old] : llvm::zip(slots, combined, left)) {
          if (scope.mask && slot->getAllocatedType()->isVectorTy()) value = here.CreateSelect(scope.mask, value, old);
          here.CreateStore(value, slot);
        }
        break;
      }
      }
    }
  }
}

void PhaseLowering::vectors(const Step &step, const NestShape &shape, Positions &at, Scope &parent) {
  unsigned copies = shape.reduced >= 0 ? shape.unroll : 1;
  if (shape.reduced >= 0)
    if (auto *constant = llvm::dyn_cast<llvm::ConstantInt>(shape.counts[shape.vectorDim]))
      if (int64_t whole = constant->getSExtValue() / shape.lanes; whole <= kUnrollWhole)
        copies = unsigned(std::max<int64_t>(1, std::min<int64_t>(4, whole)));
  Accumulators partial = makeAccumulators(step, shape.lanes, copies);
  vectorLoop(shape, [&](llvm::Value *base, int64_t multiple, unsigned count, llvm::Value *mask, int64_t offset) {
    Scope scope(b.GetInsertBlock(), &parent);
    scope.lanes = shape.lanes;
    scope.mask = mask;
    SmallVector<Positions, 4> all;
    for (unsigned u = 0; u < count; ++u) {
      Positions &mine = all.emplace_back(at);
      if (shape.vectorDim < 0) continue;
      PositionKind kind = shape.lanes > 1 ? PositionKind::Consecutive : PositionKind::Uniform;
      mine[shape.vectorDim] = {kind, base, offset + int64_t(u) * shape.lanes, multiple, &scope, shape.extents[shape.vectorDim]};
    }
    // More copies than accumulators take turns.
    for (size_t first = 0; first < all.size(); first += copies) {
      auto some = ArrayRef<Positions>(all).slice(first, std::min<size_t>(copies, all.size() - first));
      emitRoots(step, some, scope, partial);
    }
    b.SetInsertPoint(scope.builder.GetInsertBlock());
  });
  for (auto &mine : partial) {
    // Copies into one vector, its lanes into one.
    SmallVector<llvm::Value *, 2> total;
    for (auto &copy : mine.copies) {
      SmallVector<llvm::Value *, 2> values;
      for (llvm::AllocaInst *slot : copy) values.push_back(b.CreateLoad(slot->getAllocatedType(), slot));
      total = total.empty() ? values : mine.combine(b, total, values);
    }
    total = foldLanes(mine.combine, total);
    auto reduce = cast<ReduceOp>(mine.op);
    Scope scope(b.GetInsertBlock(), &parent);
    scope.lanes = 1;
    Positions result;
    for (auto [i, position] : llvm::enumerate(at))
      if (int64_t(i) != shape.reduced) result.push_back(position);
    for (auto [value, to] : llvm::zip(total, reduce.getResults())) {
      llvm::Value *final = unaccumulated(reduce, value, elementOf(to.getType()), scope.builder);
      if (isTile(to.getType())) {
        const Buffer &buffer = bufferOf(to);
        storeElements(bufferAddress(buffer, result, scope), final, buffer.element, scope, false);
      } else {
        scalars[to] = final;
      }
    }
    b.SetInsertPoint(scope.builder.GetInsertBlock());
  }
}

void PhaseLowering::columns(const Step &step, const NestShape &shape, Positions &at, Scope &parent) {
  vectorLoop(shape, [&](llvm::Value *base, int64_t multiple, unsigned count, llvm::Value *mask, int64_t offset) {
    Scope chunk(b.GetInsertBlock(), &parent);
    chunk.lanes = shape.lanes;
    chunk.mask = mask;
    Accumulators partial = makeAccumulators(step, shape.lanes, count);
    llvm::BasicBlock *start = newBlock("column");
    chunk.seal(b.CreateBr(start));
    b.SetInsertPoint(start);
    PositionKind kind = shape.lanes > 1 ? PositionKind::Consecutive : PositionKind::Uniform;
    SmallVector<Positions, 4> all(count, at);
    for (unsigned u = 0; u < count; ++u)
      all[u][shape.vectorDim] = {kind, base, offset + int64_t(u) * shape.lanes, multiple, &chunk, shape.extents[shape.vectorDim]};
    countedLoop(b, b.getInt64(0), shape.counts[shape.reduced], b.getInt64(1), "reduce", [&](llvm::Value *index) {
      Scope scope(b.GetInsertBlock(), &chunk);
      for (Positions &mine : all) mine[shape.reduced] = {PositionKind::Uniform, index, 0, 1, &scope, shape.extents[shape.reduced]};
      emitRoots(step, all, scope, partial);
      b.SetInsertPoint(scope.builder.GetInsertBlock());
    });
    Scope after(b.GetInsertBlock(), &chunk);
    for (auto &mine : partial)
      for (auto [u, copy] : llvm::enumerate(mine.copies)) {
        Positions result;
        for (auto [i, position] : llvm::enumerate(all[u]))
          if (int64_t(i) != shape.reduced) result.push_back(position);
        for (auto [slot, to] : llvm::zip(copy, cast<ReduceOp>(mine.op).getResults())) {
          llvm::Value *value = after.builder.CreateLoad(slot->getAllocatedType(), slot);
          value = unaccumulated(mine.op, value, elementOf(to.getType()), after.builder);
          const Buffer &buffer = bufferOf(to);
          storeElements(bufferAddress(buffer, result, after), value, buffer.element, after, false);
        }
      }
    b.SetInsertPoint(after.builder.GetInsertBlock());
  });
}

} // namespace pantile::cpu
