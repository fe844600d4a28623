//===- cpu/compiler/lower/Blocks.cpp - steps in order, scalars, loops -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/PhaseLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

void PhaseLowering::lowerBlock(Block *block) {
  for (const Step &step : plan->steps(block)) {
    if (!failure.isOk()) return;
    switch (step.kind) {
    case Step::Scalar:
      lowerScalar(step.op);
      break;
    case Step::Nest:
      lowerNest(step);
      break;
    case Step::Dot:
      lowerDot(cast<DotOp>(step.op));
      break;
    case Step::Scan:
      lowerScan(cast<ScanOp>(step.op));
      break;
    case Step::TopK:
      lowerTopK(cast<TopKOp>(step.op));
      break;
    case Step::Control:
      lowerControl(step.op);
      break;
    }
  }
}

void PhaseLowering::lowerScalar(Operation *op) {
  if (lowerRange(op)) return;
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](AssumeOp) {})
      .Case([&](PackOp) {})
      .Case([&](LoadOp load) {
        Scope scope(b.GetInsertBlock(), nullptr);
        nestRoot = &scope;
        Value pad = load.getPad();
        Address address = addressOf(load, {}, scope);
        scalars[load.getResult()] =
            loadElements(address, cast<ViewType>(load.getView().getType()).getElementType(), scope, pad ? scalar(pad) : nullptr);
        nestRoot = nullptr;
        b.SetInsertPoint(scope.builder.GetInsertBlock());
      })
      .Case([&](StoreOp store) {
        Scope scope(b.GetInsertBlock(), nullptr);
        nestRoot = &scope;
        storeElements(addressOf(store, {}, scope), scalar(store.getValue()), cast<ViewType>(store.getView().getType()).getElementType(),
                      scope, false);
        nestRoot = nullptr;
        b.SetInsertPoint(scope.builder.GetInsertBlock());
      })
      .Case([&](AtomicRMWOp atomic) {
        Scope scope(b.GetInsertBlock(), nullptr);
        nestRoot = &scope;
        Address address = addressOf(atomic, {}, scope);
        llvm::Value *old = combineElements(address, scalar(atomic.getValue()), atomic.getValue().getType(), atomic.getKind(), scope);
        if (atomic.getOld()) scalars[atomic.getOld()] = old;
        nestRoot = nullptr;
        b.SetInsertPoint(scope.builder.GetInsertBlock());
      })
      .Default([&](Operation *other) {
        if (other->getNumResults() != 1) {
          fail("operation '" + other->getName().getStringRef().str() + "' is not supported by the CPU backend", other);
          return;
        }
        SmallVector<llvm::Value *, 4> operands;
        for (Value operand : other->getOperands()) operands.push_back(scalar(operand));
        scalars[other->getResult(0)] = elementwise(other, operands, b);
      });
}

void PhaseLowering::lowerControl(Operation *op) {
  if (auto loop = dyn_cast<LoopOp>(op)) {
    llvm::Value *lower = loop.getLower() ? scalar(loop.getLower()) : b.getInt64(0);
    mlir::Type counter = loop.getBody().getArgument(0).getType();
    int64_t extent = isa<RangeType>(counter) ? cast<RangeType>(counter).getExtent() : 1;
    llvm::Value *upper = scalar(loop.getUpper());
    hoistPacking(loop);
    lowerLoop(loop, lower, upper, b.getInt64(extent), loop.getInits(), loop.getBody().front().getArguments().drop_front(),
              [&](llvm::Value *index) { bindCounter(loop, index, lower, upper); });
  } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
    lowerLoop(loop, scalar(loop.getLowerBound()), scalar(loop.getUpperBound()), scalar(loop.getStep()), loop.getInitArgs(),
              loop.getRegionIterArgs(), [&](llvm::Value *index) { scalars[loop.getInductionVar()] = index; });
  } else {
    lowerIf(cast<scf::IfOp>(op));
  }
}

void PhaseLowering::lowerLoop(Operation *loop, llvm::Value *lower, llvm::Value *upper, llvm::Value *step, ValueRange inits,
                              ValueRange carries, llvm::function_ref<void(llvm::Value *)> bind) {
  SmallVector<llvm::AllocaInst *, 4> slots;
  for (auto [init, carry] : llvm::zip(inits, carries)) {
    if (isTile(init.getType())) {
      slots.push_back(nullptr);
      continue;
    }
    slots.push_back(variable(registerType(init.getType()), "carried"));
    b.CreateStore(scalar(init), slots.back());
  }
  Block &body = loop->getRegion(0).front();
  countedLoop(b, lower, upper, step, "loop", [&](llvm::Value *index) {
    bind(index);
    for (auto [carry, slot] : llvm::zip(carries, slots))
      if (slot) scalars[carry] = b.CreateLoad(slot->getAllocatedType(), slot);
    lowerBlock(&body);
    SmallVector<llvm::Value *, 4> next;
    for (auto [yielded, slot] : llvm::zip(body.getTerminator()->getOperands(), slots)) next.push_back(slot ? scalar(yielded) : nullptr);
    for (auto [value, slot] : llvm::zip(next, slots))
      if (slot) b.CreateStore(value, slot);
  });
  for (auto [result, slot] : llvm::zip(loop->getResults(), slots))
    if (slot) scalars[result] = b.CreateLoad(slot->getAllocatedType(), slot);
}

void PhaseLowering::lowerIf(scf::IfOp choice) {
  SmallVector<llvm::AllocaInst *, 2> slots;
  for (Value result : choice.getResults())
    slots.push_back(isTile(result.getType()) ? nullptr : variable(registerType(result.getType()), "chosen"));
  llvm::BasicBlock *yes = newBlock("then"), *no = newBlock("else"), *done = newBlock("endif");
  b.CreateCondBr(scalar(choice.getCondition()), yes, no);
  auto branch = [&](llvm::BasicBlock *at, Region &region) {
    b.SetInsertPoint(at);
    if (!region.empty()) {
      lowerBlock(&region.front());
      for (auto [yielded, slot] : llvm::zip(region.front().getTerminator()->getOperands(), slots))
        if (slot) b.CreateStore(scalar(yielded), slot);
    }
    b.CreateBr(done);
  };
  branch(yes, choice.getThenRegion());
  branch(no, choice.getElseRegion());
  b.SetInsertPoint(done);
  for (auto [result, slot] : llvm::zip(choice.getResults(), slots))
    if (slot) scalars[result] = b.CreateLoad(slot->getAllocatedType(), slot);
}

} // namespace pantile::cpu
