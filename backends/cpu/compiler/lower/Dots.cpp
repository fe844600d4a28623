//===- cpu/compiler/lower/Dots.cpp - dots and the packing of their operands -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Operands are read where they lie: a load's view, or the buffer the plan gave a computed tile.
// 2. The right operand is packed into panels where that pays (`pack_b`): once per column of blocks where its columns belong
//    to the program and its rows to the loop around the dot (the panels outlive the program: the next one with the same
//    columns on this worker reuses them), else once per dot.
// 3. The left operand is packed only where the multiply instruction wants consecutive k and the view has other strides.
// 4. Sums accumulate in the result's buffer.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/MicroKernel.h"
#include "backends/cpu/compiler/codegen/Pack.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"
#include "ir/emit/HostExpression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

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

/// Whether the dot's right operand is a load whose columns the program fixes and whose rows the loop walks.
bool PhaseLowering::hoistsPacking(DotOp dot) {
  auto loop = dyn_cast<LoopOp>(dot->getParentOp());
  if (!loop || !isa<GridOp>(loop->getParentOp()) || !knobs.packB || plan->isBuffered(dot.getRhs())) return false;
  auto load = dot.getRhs().getDefiningOp<LoadOp>();
  if (!load) return false;
  DotDims dims(dot);
  auto result = tileType(dot.getResult());
  if (result.getRank() != 2 || result.isDynamicDim(1)) return false;
  unsigned kept = 0;
  for (Subscript subscript : subscriptsOf(load)) {
    bool isK = subscript.kind != Subscript::Index && kept == dims.rhsK;
    if (subscript.kind != Subscript::Index) ++kept;
    if (isK) {
      if (subscript.kind != Subscript::Range || subscript.value != loop.getBody().getArgument(0)) return false;
      // Every block must start at a whole group of k.
      auto form = formOf(dot);
      if (!form || cast<RangeType>(subscript.value.getType()).getExtent() % form->group) return false;
      if (loop.getLower() || !hostExpression(loop.getUpper())) return false;
    } else if (subscript.value && loop->isAncestor(subscript.value.getParentRegion()->getParentOp())) {
      return false;
    } else if (subscript.kind == Subscript::Full) {
      return false;
    }
  }
  return true;
}

/// Before the loop: packs all rows of the program's columns unless the panels already hold them.
void PhaseLowering::hoistPacking(LoopOp loop) {
  for (DotOp dot : loop.getBody().getOps<DotOp>()) {
    if (!hoistsPacking(dot)) continue;
    auto form = formOf(dot);
    if (!form) return;
    DotDims dims(dot);
    RegisterTile tile = registerTileOf(dot, *form);
    auto load = dot.getRhs().getDefiningOp<LoadOp>();
    auto type = tileType(dot.getRhs());
    int64_t columns = (type.getDimSize(dims.rhsLine) + tile.nr - 1) / tile.nr * tile.nr;
    int64_t bytes = dotElementBytes(form->packedRhs), group = form->group;
    // K rounded up to the group, for the host and here.
    std::string rows = *hostExpression(loop.getUpper()) + " " + std::to_string(group) + " ceildiv " + std::to_string(group) + " *";
    llvm::Value *k = hoisted(loop.getUpper());
    llvm::Value *groups = prologue.CreateUDiv(prologue.CreateAdd(k, prologue.getInt64(group - 1)), prologue.getInt64(group));
    llvm::Value *wholeK = prologue.CreateMul(groups, prologue.getInt64(group));
    Panels panels;
    panels.pointer =
        scratch(rows + " " + std::to_string(columns * bytes) + " *", prologue.CreateMul(wholeK, prologue.getInt64(columns * bytes)));
    panels.panelStride = prologue.CreateMul(wholeK, prologue.getInt64(tile.nr));
    panels.width = tile.nr;

    // The key: everything but the loop's range.
    SmallVector<llvm::Value *, 4> key;
    llvm::Value *n = nullptr;
    unsigned kept = 0;
    for (Subscript subscript : subscriptsOf(load)) {
      bool isK = subscript.kind != Subscript::Index && kept == dims.rhsK;
      if (subscript.kind != Subscript::Index) ++kept;
      if (isK) continue;
      if (subscript.kind == Subscript::Index) {
        key.push_back(scalar(subscript.value));
      } else {
        const RangeNumbers &numbers = range(subscript.value);
        key.push_back(numbers.begin);
        key.push_back(numbers.end);
        n = b.CreateSub(numbers.end, numbers.begin);
      }
    }
    llvm::Value *same = b.getTrue();
    SmallVector<llvm::AllocaInst *, 4> last;
    for (llvm::Value *value : key) {
      last.push_back(variable(value->getType(), "packed"));
      prologue.CreateStore(prologue.getInt64(-1), last.back());
      same = b.CreateAnd(same, b.CreateICmpEQ(value, b.CreateLoad(value->getType(), last.back())));
    }
    llvm::BasicBlock *pack = newBlock("pack"), *ready = newBlock("packed");
    b.CreateCondBr(same, ready, pack);
    b.SetInsertPoint(pack);
    for (auto [value, slot] : llvm::zip(key, last)) b.CreateStore(value, slot);
    const View &view = viewOf(load.getView());
    llvm::Value *pointer = view.pointer;
    llvm::Value *kStride = nullptr, *columnStride = nullptr;
    kept = 0;
    for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(load))) {
      llvm::Value *begin = nullptr;
      if (subscript.kind == Subscript::Index) {
        begin = scalar(subscript.value);
      } else {
        (kept == dims.rhsK ? kStride : columnStride) = view.strides[dim];
        if (kept != dims.rhsK) begin = range(subscript.value).begin;
        ++kept;
      }
      if (begin) pointer = b.CreateGEP(memoryType(view.element), pointer, b.CreateMul(begin, view.strides[dim]));
    }
    emitPackRhs(b, *form, {pointer, kStride, columnStride}, panels.pointer, {k, n, panels.width, panels.panelStride}, target);
    b.CreateBr(ready);
    b.SetInsertPoint(ready);
    hoistedPanels[dot] = panels;
  }
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
      // Rows [begin, end) of the loop's range: a panel holds all of k, so they start `begin` rows in.
      Value kRange = cast<LoopOp>(dot->getParentOp()).getBody().getArgument(0);
      llvm::Value *offset = b.CreateMul(range(kRange).begin, b.getInt64(panels->second.width));
      rhs = {DotOperand::Packed, b.CreateGEP(dotElementType(context, form->packedRhs), panels->second.pointer, offset),
             panels->second.panelStride, nullptr, panels->second.width};
    } else {
      // Along rows of the right operand both are read as vectors of k; a packed left operand needs a packed right one.
      bool alongRows = !isOne(right.lineStride);
      bool inPlace = readsInPlace(*form, false, right.lineStride, right.kStride) && leftInPlace && !(alongRows && !isOne(left.kStride));
      bool few = shape.maxM > 0 && shape.maxM <= 8;
      // Dot products along rows of rhs run along rows of lhs too, and a packed lhs goes with a packed rhs.
      auto isOne = [](llvm::Value *value) { return llvm::isa<llvm::ConstantInt>(value) && llvm::cast<llvm::ConstantInt>(value)->isOne(); };
      bool pairs = readsInPlace(*form, true, left.lineStride, left.kStride) && (isOne(right.lineStride) || isOne(left.kStride));
      bool pack = !inPlace || !pairs || (!few && (knobs.packB || form->group > 1));
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
    if (!leftInPlace) {
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
    auto *pitch = llvm::dyn_cast<llvm::ConstantInt>(output.rowStride);
    output.paddedColumns = pitch && pitch->getSExtValue() % form->lanes == 0;
    if (Status status = emitDot(b, *form, lhs, rhs, shape, output, schedule, target); !status.isOk() && failure.isOk())
      failure = std::move(status);
  };
  batch(0, root);
  nestRoot = nullptr;
}

} // namespace pantile::cpu
