//===- cpu/compiler/lower/TopK.cpp - the greatest elements of a line ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Of each line along the dimension, one element after another:
//
//   at = min(i, k);  while at > 0 and element > kept[at - 1]: kept[at] = kept[at - 1] (while at < k); --at
//   if at < k: kept[at] = element, places[at] = i
//
// Equal elements keep their order, since only a greater one passes; most elements of a long line fail their first comparison.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/Loops.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

void PhaseLowering::lowerTopK(TopKOp op) {
  auto type = cast<RankedTensorType>(op.getSource().getType()), result = cast<RankedTensorType>(op.getValues().getType());
  unsigned rank = unsigned(type.getRank()), along = unsigned(op.getDim());
  Extents domain = extents.of(op.getSource());
  mlir::Type element = type.getElementType();
  llvm::Type *i64 = b.getInt64Ty();

  // Greater, with a NaN as the greatest.
  auto isGreater = [&](llvm::Value *left, llvm::Value *right) -> llvm::Value * {
    if (!isa<FloatType>(element)) return b.CreateICmpSGT(left, right);
    left = widen(left, element, b);
    right = widen(right, element, b);
    llvm::Value *unordered = b.CreateAnd(b.CreateFCmpUNO(left, left), b.CreateFCmpORD(right, right));
    return b.CreateOr(b.CreateFCmpOGT(left, right), unordered);
  };

  Scope root(b.GetInsertBlock(), nullptr);
  llvm::BasicBlock *start = newBlock("topk");
  root.seal(b.CreateBr(start));
  b.SetInsertPoint(start);
  nestRoot = &root;
  llvm::AllocaInst *slot = variable(i64, "place");
  const Buffer &values = bufferOf(op.getValues()), &places = bufferOf(op.getPositions());
  llvm::Type *valueType = memoryType(element), *placeType = memoryType(places.element);
  llvm::Value *length = extentValue(domain[along], type, along);
  llvm::Value *kept = result.isDynamicDim(along) ? length : b.getInt64(result.getDimSize(along));

  Positions at(rank, Position::constant(0));
  auto line = [&](Scope &parent) {
    // Addresses of a line's results: a base and a stride along the dimension.
    Scope scope(b.GetInsertBlock(), &parent);
    at[along] = Position::constant(0);
    llvm::Value *valueBase = bufferAddress(values, at, scope).pointer, *placeBase = bufferAddress(places, at, scope).pointer;
    b.SetInsertPoint(scope.builder.GetInsertBlock());
    auto valueAt = [&](llvm::Value *i) { return b.CreateGEP(valueType, valueBase, b.CreateMul(i, values.strides[along])); };
    auto placeAt = [&](llvm::Value *i) { return b.CreateGEP(placeType, placeBase, b.CreateMul(i, places.strides[along])); };
    llvm::Value *zero = b.getInt64(0), *one = b.getInt64(1);
    countedLoop(b, zero, length, one, "element", [&](llvm::Value *i) {
      Scope inner(b.GetInsertBlock(), &parent);
      at[along] = {PositionKind::Uniform, i, 0, 1, &inner, domain[along]};
      llvm::Value *now = evaluate(op.getSource(), at, inner);
      b.SetInsertPoint(inner.builder.GetInsertBlock());
      b.CreateStore(b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, i, kept), slot);
      llvm::BasicBlock *test = newBlock("sink"), *compare = newBlock("compare"), *move = newBlock("move"), *done = newBlock("sunk");
      b.CreateBr(test);
      b.SetInsertPoint(test);
      llvm::Value *place = b.CreateLoad(i64, slot);
      b.CreateCondBr(b.CreateICmpSGT(place, zero), compare, done);
      b.SetInsertPoint(compare);
      llvm::Value *before = b.CreateSub(place, one), *other = b.CreateLoad(valueType, valueAt(before));
      b.CreateCondBr(isGreater(now, other), move, done);
      b.SetInsertPoint(move);
      emitIf(b, b.CreateICmpSLT(place, kept), [&] {
        b.CreateStore(other, valueAt(place));
        b.CreateStore(b.CreateLoad(placeType, placeAt(before)), placeAt(place));
      });
      b.CreateStore(before, slot);
      b.CreateBr(test);
      b.SetInsertPoint(done);
      llvm::Value *final = b.CreateLoad(i64, slot);
      emitIf(b, b.CreateICmpSLT(final, kept), [&] {
        b.CreateStore(now, valueAt(final));
        b.CreateStore(b.CreateIntCast(i, placeType, true), placeAt(final));
      });
    });
  };
  std::function<void(unsigned, Scope &)> outer = [&](unsigned dim, Scope &parent) {
    if (dim == rank) return line(parent);
    if (dim == along) return outer(dim + 1, parent);
    countedLoop(b, b.getInt64(0), extentValue(domain[dim], type, dim), b.getInt64(1), "line", [&](llvm::Value *index) {
      Scope scope(b.GetInsertBlock(), &parent);
      llvm::BasicBlock *next = newBlock("inner");
      scope.seal(b.CreateBr(next));
      b.SetInsertPoint(next);
      at[dim] = {PositionKind::Uniform, index, 0, 1, &scope, domain[dim]};
      outer(dim + 1, scope);
    });
  };
  outer(0, root);
  nestRoot = nullptr;
}

} // namespace pantile::cpu
