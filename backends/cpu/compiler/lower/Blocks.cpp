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
    case Step::Control:
      lowerControl(step.op);
      break;
    }
  }
}

llvm::Value *PhaseLowering::hoisted(Value value) {
  if (auto found = scalars.find(value); found != scalars.end())
    if (llvm::isa<llvm::Constant>(found->second) || hoistedScalars.contains(value)) return found->second;
  if (auto found = hoistedScalars.find(value); found != hoistedScalars.end()) return found->second;
  llvm::Value *result = nullptr;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    // A scalar of the kernel: its bits lie in a slot.
    llvm::Value *bits = slot("a" + std::to_string(argument.getArgNumber()));
    llvm::Type *type = registerType(value.getType());
    if (type->isIntegerTy()) {
      result = prologue.CreateTrunc(bits, type);
    } else {
      result = prologue.CreateBitCast(prologue.CreateTrunc(bits, llvm::IntegerType::get(context, type->getPrimitiveSizeInBits())), type);
    }
  } else if (auto dim = value.getDefiningOp<DimOp>()) {
    result = sizeOf(dim.getView(), dim.getDim());
  } else {
    Operation *op = value.getDefiningOp();
    SmallVector<llvm::Value *, 4> operands;
    for (Value operand : op->getOperands()) operands.push_back(hoisted(operand));
    result = elementwise(op, operands, prologue);
  }
  return hoistedScalars[value] = result;
}

llvm::Value *PhaseLowering::scalar(Value value) {
  if (auto found = scalars.find(value); found != scalars.end()) return found->second;
  if (auto constantOp = value.getDefiningOp<arith::ConstantOp>())
    return scalars[value] = constant(constantOp.getValue(), constantOp.getType());
  Operation *home = value.getParentRegion()->getParentOp();
  if (isa<KernelOp>(home)) return scalars[value] = hoisted(value);
  if (value.getDefiningOp<DimOp>()) return scalars[value] = hoisted(value);
  fail("internal: a scalar is used before it is computed", value.getDefiningOp());
  return llvm::PoisonValue::get(registerType(value.getType()));
}

const RangeNumbers &PhaseLowering::range(Value value) {
  if (auto found = ranges.find(value); found != ranges.end()) return found->second;
  fail("internal: a range is used before it is computed", value.getDefiningOp());
  llvm::Value *zero = b.getInt64(0);
  return ranges[value] = {zero, zero, zero, 1};
}

void PhaseLowering::lowerScalar(Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](MakeRangeOp make) {
        int64_t extent = cast<RangeType>(make.getResult().getType()).getExtent();
        llvm::Value *begin = scalar(make.getBegin());
        llvm::Value *end = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b.CreateNSWAdd(begin, b.getInt64(extent)), scalar(make.getEnd()));
        ranges[make.getResult()] = {scalar(make.getId()), begin, end, extent};
      })
      .Case([&](ShiftOp shift) {
        RangeNumbers numbers = range(shift.getRange());
        llvm::Value *offset = scalar(shift.getOffset());
        ranges[shift.getResult()] = {numbers.id, b.CreateNSWAdd(numbers.begin, offset), b.CreateNSWAdd(numbers.end, offset),
                                     numbers.extent};
      })
      .Case([&](ScaleOp scale) {
        RangeNumbers numbers = range(scale.getRange());
        llvm::Value *factor = b.getInt64(scale.getFactor());
        ranges[scale.getResult()] = {numbers.id, b.CreateNSWMul(numbers.begin, factor), b.CreateNSWMul(numbers.end, factor),
                                     numbers.extent * int64_t(scale.getFactor())};
      })
      .Case([&](BeginOp begin) { scalars[begin.getResult()] = range(begin.getRange()).begin; })
      .Case([&](EndOp end) { scalars[end.getResult()] = range(end.getRange()).end; })
      .Case([&](IdOp id) { scalars[id.getResult()] = range(id.getRange()).id; })
      .Case([&](DimOp dim) { scalars[dim.getResult()] = sizeOf(dim.getView(), dim.getDim()); })
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
              [&](llvm::Value *index) {
                Value argument = loop.getBody().getArgument(0);
                if (isa<RangeType>(counter)) {
                  llvm::Value *id = b.CreateUDiv(b.CreateSub(index, lower), b.getInt64(extent));
                  llvm::Value *end = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b.CreateNSWAdd(index, b.getInt64(extent)), upper);
                  ranges[argument] = {id, index, end, extent};
                } else {
                  scalars[argument] = index;
                }
              });
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
