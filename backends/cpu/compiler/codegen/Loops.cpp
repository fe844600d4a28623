//===- cpu/compiler/codegen/Loops.cpp -------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/Loops.h"

using namespace llvm;

namespace pantile::cpu {

/// The block that continues after the insertion point; the builder's block is left without a terminator, the builder at its end.
static BasicBlock *continuation(IRBuilderBase &builder, const char *name) {
  BasicBlock *block = builder.GetInsertBlock();
  BasicBlock *after;
  if (builder.GetInsertPoint() == block->end()) {
    after = BasicBlock::Create(builder.getContext(), name, block->getParent(), block->getNextNode());
  } else {
    after = block->splitBasicBlock(builder.GetInsertPoint(), name);
    block->getTerminator()->eraseFromParent();
  }
  builder.SetInsertPoint(block);
  return after;
}

static void continueIn(IRBuilderBase &builder, BasicBlock *after) { builder.SetInsertPoint(after, after->getFirstNonPHIIt()); }

std::optional<int64_t> constantOf(const Value *value) {
  if (auto *constant = dyn_cast_or_null<ConstantInt>(value)) return constant->getSExtValue();
  return std::nullopt;
}

Values emitLoop(IRBuilderBase &builder, Value *begin, Value *end, Value *step, ArrayRef<Value *> initial,
                function_ref<Values(Value *, ArrayRef<Value *>)> body, const char *name) {
  Value *enters = builder.CreateICmpSLT(begin, end);
  auto known = constantOf(enters);
  if (known && !*known) return Values(initial.begin(), initial.end());
  BasicBlock *after = continuation(builder, name);
  BasicBlock *before = builder.GetInsertBlock();
  BasicBlock *loop = BasicBlock::Create(builder.getContext(), name, before->getParent(), after);
  if (known)
    builder.CreateBr(loop);
  else
    builder.CreateCondBr(enters, loop, after);

  builder.SetInsertPoint(loop);
  PHINode *index = builder.CreatePHI(begin->getType(), 2);
  index->addIncoming(begin, before);
  SmallVector<PHINode *, 16> phis;
  Values carried;
  for (Value *value : initial) {
    phis.push_back(builder.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
    carried.push_back(phis.back());
  }
  Values next = body(index, carried);
  assert(next.size() == initial.size() && "a loop body returns what it carries");
  Value *nextIndex = builder.CreateAdd(index, step, "", false, true);
  BasicBlock *latch = builder.GetInsertBlock();
  builder.CreateCondBr(builder.CreateICmpSLT(nextIndex, end), loop, after);
  index->addIncoming(nextIndex, latch);

  continueIn(builder, after);
  Values results;
  IRBuilderBase::InsertPointGuard guard(builder);
  builder.SetInsertPoint(after, after->begin());
  for (auto [phi, value, first] : llvm::zip(phis, next, initial)) {
    phi->addIncoming(value, latch);
    PHINode *result = builder.CreatePHI(phi->getType(), 2);
    if (!known) result->addIncoming(first, before);
    result->addIncoming(value, latch);
    results.push_back(result);
  }
  return results;
}

void emitLoop(IRBuilderBase &builder, Value *begin, Value *end, int64_t step, function_ref<void(Value *)> body, const char *name) {
  emitLoop(
      builder, begin, end, ConstantInt::get(begin->getType(), step), {}, [&](Value *i, ArrayRef<Value *>) { return body(i), Values(); },
      name);
}

void emitIf(IRBuilderBase &builder, Value *condition, function_ref<void()> then, function_ref<void()> otherwise) {
  if (auto known = constantOf(condition)) {
    if (*known)
      then();
    else if (otherwise)
      otherwise();
    return;
  }
  BasicBlock *after = continuation(builder, "joined");
  BasicBlock *before = builder.GetInsertBlock();
  BasicBlock *thenBlock = BasicBlock::Create(builder.getContext(), "then", before->getParent(), after);
  BasicBlock *elseBlock = otherwise ? BasicBlock::Create(builder.getContext(), "else", before->getParent(), after) : after;
  builder.CreateCondBr(condition, thenBlock, elseBlock);
  builder.SetInsertPoint(thenBlock);
  then();
  builder.CreateBr(after);
  if (otherwise) {
    builder.SetInsertPoint(elseBlock);
    otherwise();
    builder.CreateBr(after);
  }
  continueIn(builder, after);
}

Values emitIfValues(IRBuilderBase &builder, Value *condition, function_ref<Values()> then, ArrayRef<Value *> otherwise) {
  if (auto known = constantOf(condition)) return *known ? then() : Values(otherwise.begin(), otherwise.end());
  BasicBlock *before = nullptr, *last = nullptr;
  Values chosen;
  // The branch's block is found from inside: emitIf may split the block it starts in.
  before = builder.GetInsertBlock();
  emitIf(builder, condition, [&] {
    chosen = then();
    last = builder.GetInsertBlock();
  });
  BasicBlock *after = builder.GetInsertBlock();
  IRBuilderBase::InsertPointGuard guard(builder);
  builder.SetInsertPoint(after, after->begin());
  Values results;
  for (auto [value, other] : llvm::zip(chosen, otherwise)) {
    PHINode *phi = builder.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, last);
    phi->addIncoming(other, before);
    results.push_back(phi);
  }
  return results;
}

Value *stackScratch(IRBuilderBase &builder, Type *element, uint64_t count, const char *name) {
  BasicBlock &entry = builder.GetInsertBlock()->getParent()->getEntryBlock();
  IRBuilder<> atEntry(&entry, entry.begin());
  AllocaInst *scratch = atEntry.CreateAlloca(element, atEntry.getInt64(count), name);
  scratch->setAlignment(Align(64));
  return scratch;
}

Value *lanesBelow(IRBuilderBase &builder, Value *count, unsigned lanes) {
  // Compared in 32 bits: one vector compare for 16 lanes.
  Value *clamped = builder.CreateBinaryIntrinsic(Intrinsic::smax, count, builder.getInt64(0));
  clamped = builder.CreateBinaryIntrinsic(Intrinsic::smin, clamped, builder.getInt64(lanes));
  SmallVector<Constant *, 64> numbers;
  for (unsigned lane = 0; lane < lanes; ++lane) numbers.push_back(builder.getInt32(lane));
  return builder.CreateICmpULT(ConstantVector::get(numbers),
                               builder.CreateVectorSplat(lanes, builder.CreateTrunc(clamped, builder.getInt32Ty())));
}

} // namespace pantile::cpu
