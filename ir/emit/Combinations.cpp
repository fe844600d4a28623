//===- ir/emit/Combinations.cpp - what reductions and scans combine by -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A combination is a function on scalars or vectors: a kind's operation, or a region inlined with them for its scalars.
// Narrow floats accumulate in f32.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/ElementEmitter.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace pantile::tile {

namespace {

std::optional<StringRef> kindOf(Operation *op) {
  if (auto reduce = dyn_cast<ReduceOp>(op)) return reduce.getKind();
  return cast<ScanOp>(op).getKind();
}

OperandRange initsOf(Operation *op) {
  if (auto reduce = dyn_cast<ReduceOp>(op)) return reduce.getInits();
  return cast<ScanOp>(op).getInits();
}

mlir::Type sourceElement(Operation *op) { return elementOf(op->getOperand(0).getType()); }

llvm::Value *combineKind(StringRef kind, llvm::IRBuilderBase &b, llvm::Value *l, llvm::Value *r) {
  auto intrinsic = [&](llvm::Intrinsic::ID id) {
    llvm::IRBuilderBase::FastMathFlagGuard guard(b);
    llvm::FastMathFlags flags = b.getFastMathFlags();
    if (l->getType()->isFPOrFPVectorTy()) {
      flags.setNoSignedZeros();
      b.setFastMathFlags(flags);
    }
    return b.CreateBinaryIntrinsic(id, l, r);
  };
  if (kind == "addf") return b.CreateFAdd(l, r);
  if (kind == "mulf") return b.CreateFMul(l, r);
  if (kind == "addi") return b.CreateAdd(l, r);
  if (kind == "muli") return b.CreateMul(l, r);
  if (kind == "andi") return b.CreateAnd(l, r);
  if (kind == "ori") return b.CreateOr(l, r);
  if (kind == "xori") return b.CreateXor(l, r);
  return intrinsic(llvm::StringSwitch<llvm::Intrinsic::ID>(kind)
                       .Case("maximumf", llvm::Intrinsic::maximum)
                       .Case("minimumf", llvm::Intrinsic::minimum)
                       .Case("maxnumf", llvm::Intrinsic::maxnum)
                       .Case("minnumf", llvm::Intrinsic::minnum)
                       .Case("maxsi", llvm::Intrinsic::smax)
                       .Case("minsi", llvm::Intrinsic::smin)
                       .Case("maxui", llvm::Intrinsic::umax)
                       .Default(llvm::Intrinsic::umin));
}

llvm::Constant *identityOf(StringRef kind, llvm::Type *type) {
  if (type->isFloatingPointTy()) {
    if (kind == "addf") return llvm::ConstantFP::get(type, -0.0);
    if (kind == "mulf") return llvm::ConstantFP::get(type, 1.0);
    if (kind == "maxnumf" || kind == "minnumf") return llvm::ConstantFP::getQNaN(type);
    return llvm::ConstantFP::getInfinity(type, kind == "maximumf");
  }
  unsigned bits = type->getIntegerBitWidth();
  if (kind == "muli") return llvm::ConstantInt::get(type, 1);
  if (kind == "andi" || kind == "minui") return llvm::Constant::getAllOnesValue(type);
  if (kind == "maxsi") return llvm::ConstantInt::get(type, llvm::APInt::getSignedMinValue(bits));
  if (kind == "minsi") return llvm::ConstantInt::get(type, llvm::APInt::getSignedMaxValue(bits));
  return llvm::Constant::getNullValue(type);
}

} // namespace

Combine ElementEmitter::combineOf(Operation *op) {
  if (auto kind = kindOf(op))
    return [name = kind->str()](llvm::IRBuilderBase &at, ArrayRef<llvm::Value *> left, ArrayRef<llvm::Value *> right) {
      return SmallVector<llvm::Value *, 2>{combineKind(name, at, left[0], right[0])};
    };
  return [this, op](llvm::IRBuilderBase &at, ArrayRef<llvm::Value *> left, ArrayRef<llvm::Value *> right) {
    Block &body = op->getRegion(0).front();
    llvm::DenseMap<Value, llvm::Value *> values;
    for (unsigned i = 0; i < left.size(); ++i) {
      values[body.getArgument(i)] = left[i];
      values[body.getArgument(unsigned(left.size()) + i)] = right[i];
    }
    auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(left[0]->getType());
    auto lookup = [&](Value value) -> llvm::Value * {
      auto found = values.find(value);
      llvm::Value *result = found != values.end() ? found->second : scalar(value);
      return vector && !result->getType()->isVectorTy() ? at.CreateVectorSplat(vector->getNumElements(), result) : result;
    };
    for (Operation &inner : body.without_terminator()) {
      SmallVector<llvm::Value *, 4> operands;
      for (Value operand : inner.getOperands()) operands.push_back(lookup(operand));
      values[inner.getResult(0)] = elementwise(&inner, operands, at);
    }
    SmallVector<llvm::Value *, 2> results;
    for (Value yielded : body.getTerminator()->getOperands()) results.push_back(lookup(yielded));
    return results;
  };
}

SmallVector<llvm::Value *, 2> ElementEmitter::identities(Operation *op) {
  if (auto kind = kindOf(op)) {
    mlir::Type element = sourceElement(op);
    return {identityOf(*kind, isNarrowFloat(element) ? llvm::Type::getFloatTy(context) : registerType(element))};
  }
  SmallVector<llvm::Value *, 2> result;
  for (Value init : initsOf(op)) result.push_back(scalar(init));
  return result;
}

llvm::Value *ElementEmitter::accumulated(Operation *op, llvm::Value *value, mlir::Type type, llvm::IRBuilderBase &at) {
  return kindOf(op) ? widen(value, type, at) : value;
}

llvm::Value *ElementEmitter::unaccumulated(Operation *op, llvm::Value *value, mlir::Type element, llvm::IRBuilderBase &at) {
  return kindOf(op) ? narrow(value, element, at) : value;
}

} // namespace pantile::tile
