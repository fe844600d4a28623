//===- cpu/compiler/codegen/MaskedLogic.cpp -------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/MaskedLogic.h"

#include "llvm/IR/Function.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace pantile::cpu {

/// Whether bit logic, at most a few operations deep, reads `leaf`.
static bool isLogicOf(const Value *value, const Value *leaf, unsigned depth = 0) {
  while (auto *cast = dyn_cast<BitCastInst>(value)) value = cast->getOperand(0);
  auto *logic = dyn_cast<BinaryOperator>(value);
  if (!logic || !logic->isBitwiseLogicOp() || depth > 3) return depth > 0 && value == leaf;
  return isLogicOf(logic->getOperand(0), leaf, depth + 1) || isLogicOf(logic->getOperand(1), leaf, depth + 1);
}

static const Value *withoutCasts(const Value *value) {
  while (auto *cast = dyn_cast<BitCastInst>(value)) value = cast->getOperand(0);
  return value;
}

void rewriteMaskedLogic(Function &function) {
  SmallVector<SelectInst *, 8> found;
  for (Instruction &instruction : instructions(function)) {
    auto *select = dyn_cast<SelectInst>(&instruction);
    if (!select || !select->getCondition()->getType()->isVectorTy()) continue;
    if (isLogicOf(select->getTrueValue(), withoutCasts(select->getFalseValue())) ||
        isLogicOf(select->getFalseValue(), withoutCasts(select->getTrueValue())))
      found.push_back(select);
  }
  for (SelectInst *select : found) {
    IRBuilder<> b(select);
    auto *type = cast<VectorType>(select->getType());
    Type *bits = VectorType::get(b.getIntNTy(type->getScalarSizeInBits()), type->getElementCount());
    Value *yes = b.CreateBitCast(select->getTrueValue(), bits), *no = b.CreateBitCast(select->getFalseValue(), bits);
    Value *mask = b.CreateSExt(select->getCondition(), bits);
    Value *chosen = b.CreateXor(no, b.CreateAnd(b.CreateXor(yes, no), mask));
    select->replaceAllUsesWith(b.CreateBitCast(chosen, type));
    select->eraseFromParent();
  }
}

} // namespace pantile::cpu
