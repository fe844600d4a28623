//===- ir/simt/Pipeline.cpp - the multistage loop: loads that run ahead ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Loads of a loop whose tiles go only into dots are copied to shared memory without passing registers, `stages` - 1 iterations
// ahead of their use, into a ring of `stages` buffers:
//
//   before the loop    copies of iterations 0 .. stages - 2, one group each
//   iteration i        wait until the group of iteration i is done (stages - 2 younger ones may run); barrier;
//                      copies of iteration i + stages - 1 into the buffer that iteration i - 1 read; dots on buffer i
//
// The one barrier serves both: everybody's copies of iteration i have landed, and everybody has read iteration i - 1. A group is
// ended in every iteration, copies or none, so that counting groups counts iterations.
//
// 1. A load qualifies if its subscripts are the loop's range and what is known before the loop, by scalar operations of the
//    body, if only dots use it, if facts allow copies of 4 bytes or more, and if it pads with zeros.
// 2. Copies follow a layout for memory; what is not inside copies zeros.
// 3. Operands of warp-group dots come as boxes by descriptor instead (Engine.cpp): one thread starts them, a barrier with phases a
//    stage tells when they have landed.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

namespace {

/// Whether only dots of this loop's own body use a tile, through transposes at most.
bool feedsDots(Value tile, Block *body) {
  return llvm::all_of(tile.getUsers(), [&](Operation *user) {
    if (user->getBlock() != body) return false;
    if (auto transpose = dyn_cast<TransposeOp>(user)) return feedsDots(transpose.getResult(), body);
    auto dot = dyn_cast<DotOp>(user);
    return dot && dot.getAcc() != tile;
  });
}

/// The operations of `body` that a load's subscripts need, in order; false: not scalars of the counter alone.
bool collectScalars(Value value, LoopOp loop, llvm::SetVector<Operation *> &into) {
  Block *body = &loop.getBody().front();
  if (auto argument = dyn_cast<BlockArgument>(value)) return argument.getOwner() != body || argument.getArgNumber() == 0;
  Operation *op = value.getDefiningOp();
  if (!loop.getBody().isAncestor(op->getParentRegion())) return true;
  if (op->getBlock() != body || isTile(value.getType()) || op->getNumRegions() || isa<LoadOp>(op)) return false;
  for (Value operand : op->getOperands())
    if (!collectScalars(operand, loop, into)) return false;
  into.insert(op);
  return true;
}

} // namespace

std::optional<PhaseLowering::Pipeline> PhaseLowering::planPipeline(LoopOp loop) {
  if (schedule.stages < 2) return std::nullopt;
  Pipeline pipeline;
  pipeline.loop = loop;
  pipeline.mark = sharedTop;
  llvm::SetVector<Operation *> needed;
  Block *body = &loop.getBody().front();
  for (auto load : body->getOps<LoadOp>()) {
    if (!isTile(load.getResult().getType()) || load.getResult().use_empty() || !feedsDots(load.getResult(), body) || load.getPad() ||
        storedViews.contains(load.getView()))
      continue;
    llvm::SetVector<Operation *> mine;
    if (!llvm::all_of(load.getSubscripts(), [&](Value subscript) { return collectScalars(subscript, loop, mine); })) continue;
    auto type = cast<RankedTensorType>(load.getResult().getType());
    Layout layout = choice->forAccess(load, type);
    auto [vector, unit] = choice->vectorOf(load);
    if (unit < 0) continue;
    // Dots of warp groups want boxes, the others rows; not both.
    bool groups = false, others = false;
    SmallVector<unsigned, 2> contracted;
    loop.getBody().walk([&](DotOp dot) {
      for (bool lhs : {true, false}) {
        Operand operand = operandOf(dot, lhs);
        if (operand.source != load.getResult()) continue;
        (choice->planOf(dot).group ? groups : others) = true;
        contracted.push_back(unsigned(operand.dims.back()));
      }
    });
    if (groups && others) continue;
    unsigned fastest = contracted.front();
    for (unsigned d = 0; d < layout.rank(); ++d)
      if (layout.contiguous(d) > layout.contiguous(fastest)) fastest = d;
    if (groups && !mayLoadBoxes(load, fastest, contracted)) continue;
    unsigned bytes = std::min(vector, layout.contiguous(unsigned(unit))) * bytesOf(type.getElementType());
    if (!groups && !(limits.asyncCopyBytes & bytes)) continue;
    needed.insert(mine.begin(), mine.end());
    pipeline.rings.push_back({load, {}, 0, placed(layout)});
  }
  if (pipeline.rings.empty()) return std::nullopt;
  for (Operation &op : *body)
    if (needed.contains(&op)) pipeline.scalarOps.push_back(&op);
  for (Ring &ring : pipeline.rings) {
    // As a dot would keep it; the one that needs the most rows decides.
    int64_t top = sharedTop;
    bool first = true;
    loop.getBody().walk([&](DotOp dot) {
      for (bool lhs : {true, false}) {
        Operand operand = operandOf(dot, lhs);
        if (operand.source != ring.load.getResult()) continue;
        const DotPlan &plan = choice->planOf(dot);
        int64_t rows = rowsOf(plan, lhs);
        int64_t had = first ? 0 : ring.buffer.layout.bytes();
        int64_t restart = sharedTop;
        sharedTop = top;
        SharedTile tile = operandTile(operand, rows, ring.layout, plan.group);
        if (first || tile.layout.bytes() > had)
          ring.buffer = tile;
        else
          sharedTop = restart;
        first = false;
      }
    });
    bool boxes = ring.buffer.layout.swizzleBytes != 0;
    int64_t unit = boxes ? 1024 : 16;
    top = (top + unit - 1) / unit * unit;
    ring.stageBytes = (sharedTop - top + unit - 1) / unit * unit;
    allocateShared(top + ring.stageBytes * int64_t(schedule.stages) - sharedTop, 1);
    if (boxes) {
      ring.descriptor = descriptorFor(ring.load, ring.buffer);
      pipeline.boxBytes += ring.buffer.layout.bytes();
    } else {
      pipeline.copies = true;
    }
    auto type = cast<RankedTensorType>(ring.load.getResult().getType());
    // Rows that only atoms cover stay zero: nobody copies there.
    if (ring.buffer.layout.shape != llvm::ArrayRef<int64_t>(type.getShape()))
      for (unsigned s = 0; s < schedule.stages; ++s) {
        SharedTile stage = ring.buffer;
        stage.pointer = b.CreateConstGEP1_64(b.getInt8Ty(), ring.buffer.pointer, uint64_t(ring.stageBytes) * s);
        zeroShared(stage);
      }
  }
  if (pipeline.boxBytes) {
    // A barrier a stage, for the life of the kernel; the position tells stage and phase over all executions of the loop.
    if (!sharedBase) sharedBase = target.sharedMemory(prologue, module);
    pipeline.barriers = prologue.CreateConstGEP1_64(prologue.getInt64Ty(), sharedBase, barriersToInitialize.size());
    for (unsigned s = 0; s < schedule.stages; ++s)
      barriersToInitialize.push_back(prologue.CreateConstGEP1_64(prologue.getInt64Ty(), pipeline.barriers, s));
    if (int64_t(barriersToInitialize.size()) * 8 > kBarrierBytes) fail("too many pipelined loops in one phase");
  }
  // A lone accumulation stays in flight over the end of its iteration: its buffer is free one iteration later.
  SmallVector<DotOp, 2> dots(body->getOps<DotOp>());
  pipeline.distance = schedule.stages - 1;
  if (dots.size() == 1 && loop.getInits().size() == 1 && !pipeline.copies && schedule.stages > 2 && choice->planOf(dots[0]).group &&
      isa<BlockArgument>(dots[0].getAcc()) && dots[0].getResult().hasOneUse() && isa<YieldOp>(*dots[0].getResult().getUsers().begin()) &&
      inShared.empty()) {
    bool all = true;
    for (bool lhs : {true, false})
      all &= llvm::any_of(pipeline.rings, [&](Ring &ring) { return ring.load.getResult() == operandOf(dots[0], lhs).source; });
    if (all) {
      pipeline.inFlight = dots[0];
      pipeline.distance = schedule.stages - 2;
      dotsInFlight.insert(dots[0]);
    }
  }
  pipeline.position = prologue.CreateAlloca(prologue.getInt32Ty(), nullptr, "position");
  prologue.CreateStore(prologue.getInt32(0), pipeline.position);
  return pipeline;
}

void PhaseLowering::issueCopies(Pipeline &pipeline, llvm::Value *index, llvm::Value *lower, llvm::Value *upper, llvm::Value *stage) {
  // The body's scalars for another iteration.
  auto savedScalars = scalars;
  auto savedRanges = ranges;
  bindCounter(pipeline.loop, index, lower, upper);
  for (Operation *op : pipeline.scalarOps) lowerOperation(op);
  auto buffer = [&](Ring &ring) {
    SharedTile to = ring.buffer;
    to.pointer = b.CreateGEP(b.getInt8Ty(), to.pointer, b.CreateNUWMul(stage, b.getInt32(uint32_t(ring.stageBytes))));
    return to;
  };
  if (pipeline.boxBytes)
    guarded(b.CreateICmpEQ(thread, b.getInt32(0)), [&] {
      llvm::Value *full = b.CreateGEP(b.getInt64Ty(), pipeline.barriers, stage);
      target.engine()->arriveExpecting(b, full, b.getInt32(uint32_t(pipeline.boxBytes)));
      for (Ring &ring : pipeline.rings)
        if (ring.descriptor) loadBoxes(ring.load, buffer(ring), ring.descriptor, full);
    });
  for (Ring &ring : pipeline.rings)
    if (!ring.descriptor) copyToShared(ring.load, ring.layout, buffer(ring));
  scalars = std::move(savedScalars);
  ranges = std::move(savedRanges);
}

void PhaseLowering::startPipeline(Pipeline &pipeline, llvm::Value *lower, llvm::Value *upper, int64_t step) {
  // Whoever still reads what lay here is waited for.
  blockBarrier();
  llvm::Value *stages = b.getInt32(schedule.stages), *position = b.CreateLoad(b.getInt32Ty(), pipeline.position);
  pipeline.firstStage = b.CreateURem(position, stages);
  pipeline.firstParity = b.CreateAnd(b.CreateUDiv(position, stages), b.getInt32(1));
  llvm::Value *index = lower, *stage = pipeline.firstStage;
  for (unsigned s = 0; s < pipeline.distance; ++s) {
    guarded(b.CreateICmpSLT(index, upper), [&] { issueCopies(pipeline, index, lower, upper, stage); });
    if (pipeline.copies) target.asyncCommit(b);
    index = b.CreateNSWAdd(index, b.getInt64(uint64_t(step)));
    stage = nextStage(stage);
  }
}

llvm::Value *PhaseLowering::nextStage(llvm::Value *stage) {
  llvm::Value *next = b.CreateAdd(stage, b.getInt32(1));
  return b.CreateSelect(b.CreateICmpEQ(next, b.getInt32(schedule.stages)), b.getInt32(0), next);
}

void PhaseLowering::enterPipeline(Pipeline &pipeline, llvm::BasicBlock *before) {
  pipeline.stage = b.CreatePHI(b.getInt32Ty(), 2, "stage");
  pipeline.stage->addIncoming(pipeline.firstStage, before);
  pipeline.parity = b.CreatePHI(b.getInt32Ty(), 2, "parity");
  pipeline.parity->addIncoming(pipeline.firstParity, before);
}

void PhaseLowering::advancePipeline(Pipeline &pipeline, llvm::Value *index, llvm::Value *lower, llvm::Value *upper, int64_t step) {
  unsigned stages = schedule.stages;
  if (pipeline.copies) target.asyncWait(b, stages - 2);
  if (pipeline.boxBytes) target.engine()->wait(b, b.CreateGEP(b.getInt64Ty(), pipeline.barriers, pipeline.stage), pipeline.parity);
  blockBarrier();
  llvm::Value *ahead = b.CreateNSWAdd(index, b.getInt64(uint64_t(step) * pipeline.distance));
  llvm::Value *last = b.CreateAdd(pipeline.stage, b.getInt32(pipeline.distance));
  last = b.CreateSelect(b.CreateICmpUGE(last, b.getInt32(stages)), b.CreateSub(last, b.getInt32(stages)), last);
  guarded(b.CreateICmpSLT(ahead, upper), [&] { issueCopies(pipeline, ahead, lower, upper, last); });
  if (pipeline.copies) target.asyncCommit(b);
  for (Ring &ring : pipeline.rings) {
    SharedTile now = ring.buffer;
    now.pointer = b.CreateGEP(b.getInt8Ty(), now.pointer, b.CreateNUWMul(pipeline.stage, b.getInt32(uint32_t(ring.stageBytes))));
    inShared[ring.load.getResult()] = now;
  }
}

void PhaseLowering::leavePipeline(Pipeline &pipeline) {
  llvm::Value *next = nextStage(pipeline.stage);
  llvm::Value *wrapped = b.CreateZExt(b.CreateICmpEQ(next, b.getInt32(0)), b.getInt32Ty());
  pipeline.stage->addIncoming(next, b.GetInsertBlock());
  pipeline.parity->addIncoming(b.CreateXor(pipeline.parity, wrapped), b.GetInsertBlock());
}

void PhaseLowering::drainPipeline(Pipeline &pipeline, llvm::MutableArrayRef<llvm::Value *> results) {
  if (pipeline.inFlight) target.engine()->waitDots(b, 0, results);
  if (pipeline.copies) target.asyncWait(b, 0);
  // Stage and parity again as one number.
  llvm::Value *position = b.CreateAdd(b.CreateMul(pipeline.parity, b.getInt32(schedule.stages)), pipeline.stage);
  b.CreateStore(position, pipeline.position);
  for (Ring &ring : pipeline.rings) inShared.erase(ring.load.getResult());
  sharedTop = pipeline.mark;
}

} // namespace pantile::simt
