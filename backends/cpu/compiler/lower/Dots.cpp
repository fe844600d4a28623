//===- cpu/compiler/lower/Dots.cpp - dots and the packing of their operands -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Operands are read where they lie: a load's view, or the buffer the plan gave a computed tile.
// 2. The right operand is packed into panels where that pays (`pack_b`): before the loop around the dot where the loop walks
//    one of its dimensions and the program fixes the other (the panels outlive the program: the worker's next one that
//    fixes the same, the rows below in a matmul, the queries below in attention, reuses them), else once per dot.
// 3. The left operand is packed only where the multiply instruction wants consecutive k and the view has other strides.
// 4. Sums accumulate in the result's buffer.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/MicroKernel.h"
#include "backends/cpu/compiler/codegen/Pack.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"
#include "ir/emit/HostExpression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

std::optional<DotElement> dotElementOf(mlir::Type type) {
  if (type.isF32()) return DotElement::F32;
  if (type.isF64()) return DotElement::F64;
  if (type.isF16()) return DotElement::F16;
  if (type.isBF16()) return DotElement::BF16;
  if (type.isInteger(8)) return DotElement::S8;
  return std::nullopt;
}

bool isOne(llvm::Value *value) {
  auto *constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  return constant && constant->isOne();
}

RankedTensorType tileType(Value value) { return cast<RankedTensorType>(value.getType()); }

} // namespace

/// Dimensions of a dot's operands: rows or columns (line) and k.
struct DotDims {
  explicit DotDims(DotOp dot) {
    unsigned rank = unsigned(tileType(dot.getResult()).getRank());
    lhsLine = dot.getTransposeLhs() ? rank - 1 : rank - 2;
    lhsK = dot.getTransposeLhs() ? rank - 2 : rank - 1;
    rhsLine = dot.getTransposeRhs() ? rank - 2 : rank - 1;
    rhsK = dot.getTransposeRhs() ? rank - 1 : rank - 2;
  }
  unsigned lhsLine, lhsK, rhsLine, rhsK;
};

bool PhaseLowering::dotReadsInPlace(Value operand) {
  auto load = operand.getDefiningOp<LoadOp>();
  if (!load) return false;
  auto subscripts = subscriptsOf(load);
  for (auto [dim, subscript] : llvm::enumerate(subscripts)) {
    if (subscript.kind == Subscript::Tile) return false;
    if (subscript.kind == Subscript::Range && !bounds.insideView(load, unsigned(dim), subscript.value)) return false;
    if (subscript.kind == Subscript::Index && !bounds.isKnownIndex(subscript.value, load.getView(), unsigned(dim)) && load.getPad())
      return false;
  }
  return true;
}

/// Where element (0, 0) of an operand's matrix lies and how it steps, for batch positions `at` (its last two are ignored).
PhaseLowering::Matrix PhaseLowering::matrixOf(Value operand, Positions at, unsigned line, unsigned k, Scope &scope) {
  at[line] = Position::constant(0);
  at[k] = Position::constant(0);
  // The dot's own extents bound both.
  at[line].bounds = extents.of(operand)[line];
  at[k].bounds = extents.of(operand)[k];
  if (plan->isBuffered(operand)) {
    const Buffer &buffer = bufferOf(operand);
    return {bufferAddress(buffer, at, scope).pointer, buffer.strides[line], buffer.strides[k]};
  }
  auto load = operand.getDefiningOp<LoadOp>();
  const View &view = viewOf(load.getView());
  Matrix matrix{addressOf(load, at, scope).pointer, nullptr, nullptr};
  unsigned kept = 0;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(load))) {
    if (subscript.kind == Subscript::Index) continue;
    if (kept == line) matrix.lineStride = view.strides[dim];
    if (kept == k) matrix.kStride = view.strides[dim];
    ++kept;
  }
  return matrix;
}

std::optional<DotForm> PhaseLowering::formOf(DotOp dot) {
  auto lhs = dotElementOf(elementOf(dot.getLhs().getType())), rhs = dotElementOf(elementOf(dot.getRhs().getType()));
  if (!lhs || !rhs) {
    fail("a dot of these element types is not supported by the CPU backend", dot);
    return std::nullopt;
  }
  auto form = dotForm(*lhs, *rhs, target);
  if (!form) {
    if (failure.isOk()) failure = form.status();
    return std::nullopt;
  }
  return *form;
}

RegisterTile PhaseLowering::registerTileOf(DotOp dot, const DotForm &form) {
  auto result = tileType(dot.getResult());
  unsigned rank = unsigned(result.getRank());
  auto bound = [&](unsigned dim) { return result.isDynamicDim(dim) ? int64_t(0) : result.getDimSize(dim); };
  RegisterTile tile = defaultRegisterTile(form, target, bound(rank - 2), bound(rank - 1));
  RegisterTile wanted{knobs.mr > 0 ? unsigned(knobs.mr) : tile.mr, knobs.nr > 0 ? unsigned(knobs.nr) : tile.nr};
  // Another dot of the kernel may have another form: the knobs are kept where they fit.
  if (wanted.nr % form.lanes == 0 && fitsRegisters(wanted, form, target)) tile = wanted;
  return tile;
}

//===----------------------------------------------------------------------===//
// Packed panels that outlive a program
//===----------------------------------------------------------------------===//

/// Whether the dot's right operand is a load of which the loop walks one dimension, from its beginning, and the program fixes
/// the other. So all its blocks can be packed before the loop, and serve other programs that fix the same.
std::optional<PhaseLowering::Walk> PhaseLowering::hoistsPacking(DotOp dot) {
  auto loop = dyn_cast<LoopOp>(dot->getParentOp());
  if (!loop || !isa<GridOp>(loop->getParentOp()) || knobs.packB != CodeKnobs::Column || plan->isBuffered(dot.getRhs())) return {};
  auto load = dot.getRhs().getDefiningOp<LoadOp>();
  auto type = tileType(dot.getRhs());
  if (!load || type.getRank() != 2 || !type.hasStaticShape()) return {};
  if (loop.getLower() && !matchPattern(loop.getLower(), m_Zero())) return {};
  auto form = formOf(dot);
  if (!form) return {};
  DotDims dims(dot);
  std::optional<Walk> walk;
  unsigned kept = 0;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(load))) {
    bool walked = subscript.kind == Subscript::Range && subscript.value == loop.getBody().getArgument(0);
    if (subscript.kind == Subscript::Tile) return {};
    if (walked) {
      walk = Walk{kept == dims.rhsK, cast<RangeType>(subscript.value.getType()).getExtent(), {}, nullptr};
      // A block of k is whole groups.
      if (walk->alongK && walk->block % form->group) return {};
      if (auto upper = hostExpression(loop.getUpper())) {
        walk->lengthText = *upper;
        walk->length = hoisted(loop.getUpper());
      } else if (auto argument = dyn_cast<BlockArgument>(load.getView());
                 argument && bounds.insideView(load, unsigned(dim), subscript.value)) {
        walk->lengthText = "s" + std::to_string(argument.getArgNumber()) + "." + std::to_string(dim);
        walk->length = sizeOf(argument, int64_t(dim));
      } else {
        return {};
      }
    } else if (subscript.value && loop->isAncestor(subscript.value.getParentRegion()->getParentOp())) {
      return {};
    }
    if (subscript.kind != Subscript::Index) ++kept;
  }
  return walk;
}

/// Before the loop: packs all blocks that it walks unless the panels already hold them.
void PhaseLowering::hoistPacking(LoopOp loop) {
  for (DotOp dot : loop.getBody().getOps<DotOp>()) {
    auto walk = hoistsPacking(dot);
    if (!walk) continue;
    auto form = formOf(dot);
    DotDims dims(dot);
    RegisterTile tile = registerTileOf(dot, *form);
    auto load = dot.getRhs().getDefiningOp<LoadOp>();
    auto type = tileType(dot.getRhs());
    auto roundedUp = [](int64_t value, int64_t step) { return (value + step - 1) / step * step; };
    int64_t columns = roundedUp(type.getDimSize(dims.rhsLine), tile.nr), depth = roundedUp(type.getDimSize(dims.rhsK), form->group);
    // A block after the other, so that what one pass of the loop reads is contiguous: panels of all of k would begin at
    // strides of powers of two, and a block's parts of them would compete for few sets of the second cache.
    int64_t bytes = columns * depth * dotElementBytes(form->packedRhs);
    llvm::Value *blocks =
        prologue.CreateUDiv(prologue.CreateAdd(walk->length, prologue.getInt64(walk->block - 1)), prologue.getInt64(walk->block));
    Panels panels;
    panels.pointer = scratch(walk->lengthText + " " + std::to_string(walk->block) + " ceildiv " + std::to_string(bytes) + " *",
                             prologue.CreateMul(blocks, prologue.getInt64(bytes)));
    panels.panelStride = prologue.getInt64(depth * tile.nr);
    panels.width = tile.nr;
    panels.blockElements = columns * depth;

    // The key: everything but the loop's range.
    SmallVector<llvm::Value *, 4> key;
    llvm::Value *fixed = nullptr;
    for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(load))) {
      if (subscript.kind == Subscript::Index) {
        key.push_back(scalar(subscript.value));
      } else if (subscript.kind == Subscript::Full) {
        fixed = sizeOf(load.getView(), int64_t(dim));
      } else if (subscript.value != loop.getBody().getArgument(0)) {
        const RangeNumbers &numbers = range(subscript.value);
        key.push_back(numbers.begin);
        key.push_back(numbers.end);
        fixed = b.CreateSub(numbers.end, numbers.begin);
      }
    }
    // Kept complemented: a header begins as zeros, and no index is -1.
    llvm::Value *same = b.getTrue();
    SmallVector<llvm::Value *, 4> last;
    for (llvm::Value *value : key) {
      llvm::Value *slot = headerWord();
      if (!slot) {
        slot = variable(value->getType(), "packed");
        prologue.CreateStore(prologue.getInt64(0), slot);
      }
      last.push_back(slot);
      same = b.CreateAnd(same, b.CreateICmpEQ(b.CreateNot(value), b.CreateLoad(value->getType(), slot)));
    }
    llvm::BasicBlock *pack = newBlock("pack"), *ready = newBlock("packed");
    b.CreateCondBr(same, ready, pack);
    b.SetInsertPoint(pack);
    for (auto [value, slot] : llvm::zip(key, last)) b.CreateStore(b.CreateNot(value), slot);
    Matrix source = matrixBefore(load, dims.rhsLine, dims.rhsK);
    countedLoop(b, b.getInt64(0), walk->length, b.getInt64(walk->block), "pack.block", [&](llvm::Value *begin) {
      llvm::Type *element = memoryType(elementOf(dot.getRhs().getType())), *packed = dotElementType(context, form->packedRhs);
      llvm::Value *step = walk->alongK ? source.kStride : source.lineStride;
      PackSource from{b.CreateGEP(element, source.pointer, b.CreateMul(begin, step)), source.kStride, source.lineStride};
      llvm::Value *number = b.CreateUDiv(begin, b.getInt64(walk->block));
      llvm::Value *to = b.CreateGEP(packed, panels.pointer, b.CreateMul(number, b.getInt64(panels.blockElements)));
      llvm::Value *left = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b.CreateSub(walk->length, begin), b.getInt64(walk->block));
      PackShape shape{walk->alongK ? left : fixed, walk->alongK ? fixed : left, panels.width, panels.panelStride};
      emitPackRhs(b, *form, from, to, shape, target);
    });
    b.CreateBr(ready);
    b.SetInsertPoint(ready);
    panels.rowSums = hoistRowSums(dot, *form);
    hoistedPanels[dot] = panels;
  }
}

PhaseLowering::Matrix PhaseLowering::matrixBefore(LoadOp load, unsigned line, unsigned k) {
  const View &view = viewOf(load.getView());
  Matrix matrix{view.pointer, nullptr, nullptr};
  unsigned kept = 0;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(load))) {
    llvm::Value *begin = nullptr;
    if (subscript.kind == Subscript::Index) {
      begin = scalar(subscript.value);
    } else {
      if (kept == line) matrix.lineStride = view.strides[dim];
      if (kept == k) matrix.kStride = view.strides[dim];
      ++kept;
      // What a loop walks begins at 0, as does a whole dimension.
      if (subscript.kind == Subscript::Range && !isa<BlockArgument>(subscript.value)) begin = range(subscript.value).begin;
    }
    if (begin) matrix.pointer = b.CreateGEP(memoryType(view.element), matrix.pointer, b.CreateMul(begin, view.strides[dim]));
  }
  return matrix;
}

llvm::Value *PhaseLowering::hoistRowSums(DotOp dot, const DotForm &form) {
  auto load = dot.getLhs().getDefiningOp<LoadOp>();
  bool firstOverwrites = overwritingDot(dot.getAcc()) == dot && plan->owner(dot.getResult()) == plan->owner(dot.getAcc());
  if (!form.flipRhs || !firstOverwrites || !load || plan->isBuffered(dot.getLhs())) return nullptr;
  auto loop = cast<LoopOp>(dot->getParentOp());
  DotDims dims(dot);
  unsigned kept = 0;
  llvm::Value *rows = nullptr;
  for (Subscript subscript : subscriptsOf(load)) {
    bool isK = subscript.kind != Subscript::Index && kept == dims.lhsK;
    if (isK && (subscript.kind != Subscript::Range || subscript.value != loop.getBody().getArgument(0))) return nullptr;
    if (!isK &&
        (!subscript.value || subscript.kind == Subscript::Tile || loop->isAncestor(subscript.value.getParentRegion()->getParentOp())))
      return nullptr;
    if (subscript.kind == Subscript::Range && kept == dims.lhsLine)
      rows = b.CreateSub(range(subscript.value).end, range(subscript.value).begin);
    if (subscript.kind != Subscript::Index) ++kept;
  }
  Matrix source = matrixBefore(load, dims.lhsLine, dims.lhsK);
  auto type = tileType(dot.getLhs());
  if (!rows || type.isDynamicDim(dims.lhsLine) || !readsInPlace(form, true, source.lineStride, source.kStride)) return nullptr;
  int64_t bytes = type.getDimSize(dims.lhsLine) * 4;
  llvm::Value *sums = scratch(std::to_string(bytes), prologue.getInt64(bytes));
  DotOperand lhs{DotOperand::Strided, source.pointer, source.lineStride, source.kStride};
  emitRowSums(b, form, lhs, rows, scalar(loop.getUpper()), sums);
  return sums;
}

llvm::Value *PhaseLowering::accumulates(DotOp dot) {
  if (overwritingDot(dot.getAcc()) != dot || plan->owner(dot.getResult()) != plan->owner(dot.getAcc())) return nullptr;
  auto loop = cast<LoopOp>(dot->getParentOp());
  Value counter = loop.getBody().getArgument(0);
  llvm::Value *now = isa<RangeType>(counter.getType()) ? range(counter).begin : scalar(counter);
  return b.CreateICmpNE(now, loop.getLower() ? scalar(loop.getLower()) : b.getInt64(0));
}

bool PhaseLowering::overwritesSums(DotOp dot) {
  Value acc = dot.getAcc();
  return !plan->isBuffered(acc) && isZeroSplat(acc);
}

//===----------------------------------------------------------------------===//
// One dot
//===----------------------------------------------------------------------===//

void PhaseLowering::lowerDot(DotOp dot) {
  auto form = formOf(dot);
  if (!form) return;
  DotDims dims(dot);
  auto result = tileType(dot.getResult()), lhsType = tileType(dot.getLhs()), rhsType = tileType(dot.getRhs());
  unsigned rank = unsigned(result.getRank());

  // Logical extents: what every operand has.
  Extents own = extents.of(dot.getResult());
  Extent kExtent = extents.of(dot.getLhs())[dims.lhsK];
  kExtent.join(extents.of(dot.getRhs())[dims.rhsK]);
  auto bound = [](RankedTensorType type, unsigned dim) { return type.isDynamicDim(dim) ? int64_t(0) : type.getDimSize(dim); };
  DotShape shape;
  shape.m = extentValue(own[rank - 2], result, rank - 2);
  shape.n = extentValue(own[rank - 1], result, rank - 1);
  shape.k = extentValue(kExtent, lhsType, dims.lhsK);
  shape.maxM = bound(result, rank - 2);
  shape.maxN = bound(result, rank - 1);
  shape.maxK = bound(lhsType, dims.lhsK);
  SmallVector<llvm::Value *, 2> batches;
  for (unsigned i = 0; i + 2 < rank; ++i) batches.push_back(extentValue(own[i], result, i));

  Scope root(b.GetInsertBlock(), nullptr);
  llvm::BasicBlock *start = newBlock("dot");
  root.seal(b.CreateBr(start));
  b.SetInsertPoint(start);
  nestRoot = &root;

  Positions at(rank, Position::constant(0));
  std::function<void(unsigned, Scope &)> batch = [&](unsigned dim, Scope &scope) {
    if (dim + 2 < rank) {
      countedLoop(b, b.getInt64(0), batches[dim], b.getInt64(1), "batch", [&](llvm::Value *index) {
        Scope inner(b.GetInsertBlock(), &scope);
        llvm::BasicBlock *next = newBlock("inner");
        inner.seal(b.CreateBr(next));
        b.SetInsertPoint(next);
        at[dim] = {PositionKind::Uniform, index, 0, 1, &inner, own[dim]};
        batch(dim + 1, inner);
      });
      return;
    }
    RegisterTile tile = registerTileOf(dot, *form);
    DotSchedule schedule;
    schedule.mr = tile.mr;
    schedule.nr = tile.nr;
    schedule.prefetchSums = true;
    Matrix left = matrixOf(dot.getLhs(), at, dims.lhsLine, dims.lhsK, scope),
           right = matrixOf(dot.getRhs(), at, dims.rhsLine, dims.rhsK, scope);
    DotOperand lhs{DotOperand::Strided, left.pointer, left.lineStride, left.kStride, 0};
    DotOperand rhs{DotOperand::Strided, right.pointer, right.lineStride, right.kStride, 0};
    int64_t group = form->group;
    auto roundedK = [&](RankedTensorType type, unsigned dim) {
      auto [text, value] = capacity(type, dim);
      llvm::Value *rounded = prologue.CreateMul(
          prologue.CreateUDiv(prologue.CreateAdd(value, prologue.getInt64(group - 1)), prologue.getInt64(group)), prologue.getInt64(group));
      return std::pair(text + " " + std::to_string(group) + " ceildiv " + std::to_string(group) + " *", rounded);
    };

    bool leftInPlace = readsInPlace(*form, true, left.lineStride, left.kStride);
    if (auto panels = hoistedPanels.find(dot); panels != hoistedPanels.end()) {
      Value walked = cast<LoopOp>(dot->getParentOp()).getBody().getArgument(0);
      llvm::Value *offset = b.CreateMul(range(walked).id, b.getInt64(panels->second.blockElements));
      rhs = {DotOperand::Packed, b.CreateGEP(dotElementType(context, form->packedRhs), panels->second.pointer, offset),
             panels->second.panelStride, nullptr, panels->second.width};
      lhs.rowSums = panels->second.rowSums;
    } else {
      // Along rows of the right operand both are read as vectors of k; a packed left operand needs a packed right one.
      bool alongRows = !isOne(right.lineStride);
      bool inPlace = readsInPlace(*form, false, right.lineStride, right.kStride) && leftInPlace && !(alongRows && !isOne(left.kStride));
      bool few = shape.maxM > 0 && shape.maxM <= 8;
      // Dot products along rows of rhs run along rows of lhs too, and a packed lhs goes with a packed rhs.
      auto isOne = [](llvm::Value *value) { return llvm::isa<llvm::ConstantInt>(value) && llvm::cast<llvm::ConstantInt>(value)->isOne(); };
      bool pairs = readsInPlace(*form, true, left.lineStride, left.kStride) && (isOne(right.lineStride) || isOne(left.kStride));
      bool pack = !inPlace || !pairs || (!few && (knobs.packB != CodeKnobs::InPlace || form->group > 1));
      if (pack) {
        auto [columnsText, columns] = capacity(rhsType, dims.rhsLine);
        auto [rowsText, rows] = roundedK(rhsType, dims.rhsK);
        llvm::Value *panelCount =
            prologue.CreateUDiv(prologue.CreateAdd(columns, prologue.getInt64(tile.nr - 1)), prologue.getInt64(tile.nr));
        int64_t bytes = int64_t(tile.nr) * dotElementBytes(form->packedRhs);
        auto *panelStride = prologue.CreateMul(rows, prologue.getInt64(tile.nr));
        llvm::Value *panels =
            scratch(columnsText + " " + std::to_string(tile.nr) + " ceildiv " + rowsText + " * " + std::to_string(bytes) + " *",
                    prologue.CreateMul(prologue.CreateMul(panelCount, rows), prologue.getInt64(bytes)));
        emitPackRhs(b, *form, {right.pointer, right.kStride, right.lineStride}, panels, {shape.k, shape.n, tile.nr, panelStride}, target);
        rhs = {DotOperand::Packed, panels, panelStride, nullptr, tile.nr};
      } else if (shape.maxM > 0 && shape.maxM <= 16) {
        schedule = streamingSchedule(*form, target, shape.maxM);
      }
    }
    // Where every use would widen an element of the left operand, it is widened once for all panels.
    bool widens = form->lhs != form->packedLhs && rhs.layout == DotOperand::Packed && (shape.maxN == 0 || shape.maxN > 2 * tile.nr);
    if (!leftInPlace || widens) {
      auto [linesText, lines] = capacity(lhsType, dims.lhsLine);
      auto [rowsText, rows] = roundedK(lhsType, dims.lhsK);
      unsigned mr = schedule.mr ? schedule.mr : tile.mr;
      llvm::Value *panelCount = prologue.CreateUDiv(prologue.CreateAdd(lines, prologue.getInt64(mr - 1)), prologue.getInt64(mr));
      int64_t bytes = int64_t(mr) * dotElementBytes(form->packedLhs);
      auto *panelStride = prologue.CreateMul(rows, prologue.getInt64(mr));
      llvm::Value *panels = scratch(linesText + " " + std::to_string(mr) + " ceildiv " + rowsText + " * " + std::to_string(bytes) + " *",
                                    prologue.CreateMul(prologue.CreateMul(panelCount, rows), prologue.getInt64(bytes)));
      emitPackLhs(b, *form, {left.pointer, left.kStride, left.lineStride}, panels, {shape.k, shape.m, mr, panelStride}, target);
      lhs = {DotOperand::Packed, panels, panelStride, nullptr, mr};
    }

    const Buffer &sums = bufferOf(dot.getResult());
    DotOutput output;
    Scope address(b.GetInsertBlock(), &scope);
    output.pointer = bufferAddress(sums, at, address).pointer;
    b.SetInsertPoint(address.builder.GetInsertBlock());
    output.rowStride = sums.strides[rank - 2];
    output.overwrite = overwritesSums(dot);
    output.accumulate = accumulates(dot);
    auto *pitch = llvm::dyn_cast<llvm::ConstantInt>(output.rowStride);
    output.paddedColumns = pitch && pitch->getSExtValue() % form->lanes == 0;
    if (Status status = emitDot(b, *form, lhs, rhs, shape, output, schedule, target); !status.isOk() && failure.isOk())
      failure = std::move(status);
  };
  batch(0, root);
  nestRoot = nullptr;
}

} // namespace pantile::cpu
