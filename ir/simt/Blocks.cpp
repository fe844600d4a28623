//===- ir/simt/Blocks.cpp - operations in order, control flow --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

void PhaseLowering::lowerBlock(Block *block) {
  for (Operation &op : block->without_terminator()) {
    if (!failure.isOk()) return;
    lowerOperation(&op);
  }
}

void PhaseLowering::lowerOperation(Operation *op) {
  if (lowerRange(op)) return;
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](AssumeOp) {})
      .Case([&](LoadOp load) {
        if (!isTile(load.getResult().getType())) {
          scalars[load.getResult()] = lowerScalarLoad(load);
          return;
        }
        if (inShared.contains(load.getResult())) return;
        const PlacedLayout *layout = accessLayout(load, load.getResult(), home(load.getResult()));
        define(load.getResult(), layout, lowerLoad(load, layout));
      })
      .Case([&](GatherOp gather) {
        const PlacedLayout *layout = home(gather.getResult());
        define(gather.getResult(), layout, lowerLoad(gather, layout));
      })
      .Case([&](StoreOp store) {
        if (isTile(store.getValue().getType()))
          lowerStore(store);
        else
          lowerScalarStore(store);
      })
      .Case([&](ScatterOp scatter) { lowerStore(scatter); })
      .Case([&](ReduceOp reduce) { lowerReduce(reduce); })
      .Case([&](ScanOp scan) { lowerScan(scan); })
      .Case([&](DotOp dot) { lowerDot(dot); })
      .Case([&](ReshapeOp reshape) { lowerReshape(reshape); })
      .Case([&](JoinOp join) { lowerJoin(join); })
      .Case([&](CatOp cat) { lowerCat(cat); })
      .Case([&](LoopOp loop) { lowerLoop(loop); })
      .Case([&](scf::IfOp choice) { lowerIf(choice); })
      .Default([&](Operation *other) {
        if (other->getNumResults() == 1 && !isTile(other->getResult(0).getType())) {
          SmallVector<llvm::Value *, 4> operands;
          for (Value operand : other->getOperands()) operands.push_back(scalar(operand));
          scalars[other->getResult(0)] = elementwise(other, operands, b);
          return;
        }
        if (llvm::all_of(other->getResults(), [&](Value result) { return choice->isLazy(result); })) return;
        StringRef dialect = other->getName().getDialectNamespace();
        if (other->getNumResults() != 1 || (dialect != "arith" && dialect != "math" && !isa<CastOp>(other))) {
          fail("operation '" + other->getName().getStringRef().str() + "' is not supported by " + backend, other);
          return;
        }
        const PlacedLayout *layout = home(other->getResult(0));
        define(other->getResult(0), layout, computeElementwise(other, layout));
      });
}

void PhaseLowering::flatten(ValueRange values, ValueRange like, Values &to) {
  for (auto [value, model] : llvm::zip(values, like)) {
    if (!isTile(value.getType()))
      to.push_back(scalar(value));
    else
      to.append(registersOf(value, home(model)));
  }
}

SmallVector<llvm::Type *, 8> PhaseLowering::flatTypes(ValueRange values) {
  SmallVector<llvm::Type *, 8> types;
  for (Value value : values) types.append(isTile(value.getType()) ? home(value)->offsets.size() : 1, registerType(value.getType()));
  return types;
}

void PhaseLowering::bind(ValueRange values, llvm::ArrayRef<llvm::Value *> from) {
  for (Value value : values) {
    if (!isTile(value.getType())) {
      scalars[value] = from.front();
      from = from.drop_front();
      continue;
    }
    const PlacedLayout *layout = home(value);
    define(value, layout, Registers(from.take_front(layout->offsets.size())));
    from = from.drop_front(layout->offsets.size());
  }
}

void PhaseLowering::placeForLoop(LoopOp loop, SmallVectorImpl<Value> &kept) {
  Region *inside = &loop.getBody();
  auto isOutside = [&](Value value) {
    return isTile(value.getType()) && !inside->isAncestor(value.getParentRegion()) && !choice->isLazy(value);
  };
  loop.getBody().walk([&](Operation *op) {
    if (auto dot = dyn_cast<DotOp>(op)) {
      // What the loop does not change goes to shared memory once.
      const DotPlan &plan = choice->planOf(dot);
      for (bool lhs : {true, false}) {
        Operand operand = operandOf(dot, lhs);
        if (!isOutside(operand.source) || inShared.contains(operand.source)) continue;
        SharedTile tile = shareOperand(operand, rowsOf(plan, lhs), plan.group);
        inShared[operand.source] = tile;
        kept.push_back(operand.source);
      }
      return;
    }
    if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      if (isOutside(broadcast.getSource()))
        registersOf(broadcast.getSource(), placed(choice->of(broadcast.getResult()).sliced(broadcast.getAlong())));
      return;
    }
    StringRef dialect = op->getName().getDialectNamespace();
    if (op->getNumResults() != 1 || !isTile(op->getResult(0).getType()) || (dialect != "arith" && dialect != "math" && !isa<CastOp>(op)))
      return;
    for (Value operand : op->getOperands())
      if (isOutside(operand)) registersOf(operand, home(op->getResult(0)));
  });
}

void PhaseLowering::lowerLoop(LoopOp loop) {
  int64_t mark = sharedTop;
  SmallVector<Value, 2> kept;
  placeForLoop(loop, kept);
  llvm::Value *lower = loop.getLower() ? scalar(loop.getLower()) : b.getInt64(0), *upper = scalar(loop.getUpper());
  mlir::Type counter = loop.getBody().getArgument(0).getType();
  int64_t step = isa<RangeType>(counter) ? cast<RangeType>(counter).getExtent() : 1;
  Block &body = loop.getBody().front();
  ValueRange carries = body.getArguments().drop_front();
  Values initial;
  flatten(loop.getInits(), carries, initial);

  std::optional<Pipeline> pipeline = planPipeline(loop);
  if (pipeline) startPipeline(*pipeline, lower, upper, step);
  llvm::BasicBlock *before = b.GetInsertBlock(), *head = newBlock("loop"), *inside = newBlock("iteration"), *done = newBlock("looped");
  b.CreateBr(head);
  b.SetInsertPoint(head);
  llvm::PHINode *index = b.CreatePHI(b.getInt64Ty(), 2, "index");
  index->addIncoming(lower, before);
  SmallVector<llvm::PHINode *, 16> phis;
  for (llvm::Value *value : initial) {
    phis.push_back(b.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
  }
  if (pipeline) enterPipeline(*pipeline, before);
  b.CreateCondBr(b.CreateICmpSLT(index, upper), inside, done);
  b.SetInsertPoint(inside);
  mayRead = wroteShared = true;
  Values next;
  scoped([&] {
    SmallVector<llvm::Value *, 16> current(phis.begin(), phis.end());
    bindCounter(loop, index, lower, upper);
    bind(carries, current);
    if (pipeline) advancePipeline(*pipeline, index, lower, upper, step);
    lowerBlock(&body);
    flatten(body.getTerminator()->getOperands(), carries, next);
  });
  if (pipeline) leavePipeline(*pipeline);
  index->addIncoming(b.CreateNSWAdd(index, b.getInt64(uint64_t(step))), b.GetInsertBlock());
  for (auto [phi, value] : llvm::zip(phis, next)) phi->addIncoming(value, b.GetInsertBlock());
  b.CreateBr(head);
  b.SetInsertPoint(done);
  mayRead = wroteShared = true;
  SmallVector<llvm::Value *, 16> last(phis.begin(), phis.end());
  if (pipeline) drainPipeline(*pipeline, last);
  for (Value operand : kept) inShared.erase(operand);
  sharedTop = mark;
  // Results are in their carries' layouts: one group.
  bind(loop.getResults(), last);
}

void PhaseLowering::lowerIf(scf::IfOp choiceOp) {
  llvm::BasicBlock *yes = newBlock("then"), *no = newBlock("else"), *done = newBlock("endif");
  bool read = mayRead, wrote = wroteShared;
  b.CreateCondBr(scalar(choiceOp.getCondition()), yes, no);
  SmallVector<llvm::PHINode *, 8> phis;
  SmallVector<std::pair<llvm::BasicBlock *, Values>, 2> ends;
  auto branch = [&](llvm::BasicBlock *at, Region &region) {
    b.SetInsertPoint(at);
    mayRead = read;
    wroteShared = wrote;
    Values results;
    scoped([&] {
      if (region.empty()) return;
      lowerBlock(&region.front());
      flatten(region.front().getTerminator()->getOperands(), choiceOp.getResults(), results);
    });
    ends.push_back({b.GetInsertBlock(), results});
    b.CreateBr(done);
  };
  branch(yes, choiceOp.getThenRegion());
  branch(no, choiceOp.getElseRegion());
  b.SetInsertPoint(done);
  mayRead = wroteShared = true;
  SmallVector<llvm::Value *, 16> merged;
  for (auto [i, type] : llvm::enumerate(flatTypes(choiceOp.getResults()))) {
    llvm::PHINode *phi = b.CreatePHI(type, 2);
    for (auto &[block, values] : ends) phi->addIncoming(i < values.size() ? values[i] : llvm::PoisonValue::get(type), block);
    merged.push_back(phi);
  }
  bind(choiceOp.getResults(), merged);
}

} // namespace pantile::simt
