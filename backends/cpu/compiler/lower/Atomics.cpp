//===- cpu/compiler/lower/Atomics.cpp - lanes combined into memory --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// x86 and AArch64 have no vector atomics: a loop over the lanes whose condition holds, each one atomicrmw. What the hardware
// lacks (floats) becomes a loop around compare and exchange in LLVM; for narrow floats here, since LLVM's would call conversions
// of a runtime library.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/Loops.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace pantile::cpu {

static llvm::AtomicRMWInst::BinOp operationOf(llvm::StringRef kind) {
  using Op = llvm::AtomicRMWInst;
  return llvm::StringSwitch<llvm::AtomicRMWInst::BinOp>(kind)
      .Case("addf", Op::FAdd)
      .Case("maximumf", Op::FMaximum)
      .Case("minimumf", Op::FMinimum)
      .Case("maxnumf", Op::FMax)
      .Case("minnumf", Op::FMin)
      .Case("addi", Op::Add)
      .Case("maxsi", Op::Max)
      .Case("minsi", Op::Min)
      .Case("maxui", Op::UMax)
      .Case("minui", Op::UMin)
      .Case("andi", Op::And)
      .Case("ori", Op::Or)
      .Case("xori", Op::Xor)
      .Default(Op::Xchg);
}

/// On floats, as arith has them.
static llvm::Value *combined(llvm::IRBuilderBase &b, llvm::StringRef kind, llvm::Value *left, llvm::Value *right) {
  if (kind == "addf") return b.CreateFAdd(left, right);
  llvm::Intrinsic::ID id = llvm::StringSwitch<llvm::Intrinsic::ID>(kind)
                               .Case("maximumf", llvm::Intrinsic::maximum)
                               .Case("minimumf", llvm::Intrinsic::minimum)
                               .Case("maxnumf", llvm::Intrinsic::maxnum)
                               .Default(llvm::Intrinsic::minnum);
  return b.CreateBinaryIntrinsic(id, left, right);
}

llvm::Value *PhaseLowering::combineElements(const Address &address, llvm::Value *value, mlir::Type type, llvm::StringRef kind,
                                            Scope &scope) {
  llvm::IRBuilder<> &here = scope.builder;
  llvm::Type *bits = memoryType(type);
  // Narrow floats lie in registers as their bits.
  mlir::Type of = tile::elementOf(type);
  bool isNarrow = kind != "exchange" && tile::isNarrowFloat(of);
  llvm::Align align(bits->getScalarSizeInBits() / 8);
  auto combine = [&](llvm::Value *pointer, llvm::Value *one) -> llvm::Value * {
    constexpr auto ordering = llvm::AtomicOrdering::Monotonic;
    if (!isNarrow) return here.CreateAtomicRMW(operationOf(kind), pointer, one, align, ordering);
    llvm::LoadInst *first = here.CreateAlignedLoad(bits, pointer, align);
    first->setAtomic(ordering);
    llvm::BasicBlock *before = here.GetInsertBlock(), *again = newBlock("exchange"), *done = newBlock("exchanged");
    here.CreateBr(again);
    here.SetInsertPoint(again);
    llvm::PHINode *old = here.CreatePHI(bits, 2);
    old->addIncoming(first, before);
    llvm::Value *now = narrow(combined(here, kind, widen(old, of, here), widen(one, of, here)), of, here);
    llvm::Value *exchange = here.CreateAtomicCmpXchg(pointer, old, now, align, ordering, ordering);
    old->addIncoming(here.CreateExtractValue(exchange, 0), here.GetInsertBlock());
    here.CreateCondBr(here.CreateExtractValue(exchange, 1), done, again);
    here.SetInsertPoint(done);
    return old;
  };
  if (scope.lanes == 1) {
    llvm::Value *inside = address.inside;
    if (!inside) return combine(address.pointer, value);
    llvm::AllocaInst *old = variable(bits, "old");
    here.CreateStore(llvm::Constant::getNullValue(bits), old);
    emitIf(here, inside, [&] { here.CreateStore(combine(address.pointer, value), old); });
    return here.CreateLoad(bits, old);
  }
  // Lanes of one place all count.
  if (!value->getType()->isVectorTy()) value = here.CreateVectorSplat(scope.lanes, value);
  llvm::Value *mask = laneMask(address, scope);
  auto eachLane = [&](llvm::Value *lane) {
    auto one = [&] {
      llvm::Value *pointer = address.pointer;
      if (address.kind == Address::Contiguous) pointer = here.CreateGEP(bits, pointer, lane);
      if (address.kind == Address::Indexed) pointer = here.CreateGEP(bits, pointer, here.CreateExtractElement(address.indices, lane));
      combine(pointer, here.CreateExtractElement(value, lane));
    };
    if (mask)
      emitIf(here, here.CreateExtractElement(mask, lane), one);
    else
      one();
  };
  emitLoop(here, here.getInt64(0), here.getInt64(scope.lanes), 1, eachLane, "lanes");
  return nullptr;
}

} // namespace pantile::cpu
