//===- ir/simt/Engine.cpp - warp-group dots and boxes by descriptor --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Operands of warp-group dots lie in shared memory in swizzled boxes (SharedLayout): box after box along the contiguous dimension,
// each as many rows as the tile has. With rows of B bytes and R rows, an element's box is R * B bytes from the next, eight rows
// 8 B from the next eight. So for an operand whose contiguous dimension is
//   k        a step of k is bytes inside a box, or the next box;   a piece of rows is rows * B
//   m or n   a step of k is k rows, k * B;                        a piece of 64 rows is the next box
//
// The same boxes are what a descriptor's copies bring, one copy a box; bounds need no code: what is outside the view is zero.
//
//===----------------------------------------------------------------------===//

#include "core/DType.h"
#include "ir/simt/LaunchExtras.h"
#include "ir/simt/PhaseLowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

SharedTile PhaseLowering::swizzledTile(mlir::Type element, llvm::ArrayRef<int64_t> shape, unsigned fastest) {
  SharedLayout layout;
  layout.shape.assign(shape.begin(), shape.end());
  layout.order.push_back(fastest);
  for (unsigned d = unsigned(shape.size()); d-- > 0;)
    if (d != fastest) layout.order.push_back(d);
  layout.elementBytes = bytesOf(element);
  layout.pitch = shape[fastest];
  int64_t row = shape[fastest] * layout.elementBytes;
  layout.swizzleBytes = row % 128 == 0 ? 128 : row % 64 == 0 ? 64 : 32;
  llvm::Value *pointer = allocateShared(layout.bytes(), 1024);
  return sharedTile(std::move(layout), pointer, element);
}

void PhaseLowering::storeSwizzled(const SharedTile &tile, const Registers &registers, const PlacedLayout *layout) {
  beforeSharedWrite();
  wroteShared = true;
  const SharedLayout &shared = tile.layout;
  unsigned fastest = shared.order[0], vector = std::min<unsigned>(layout->layout.contiguous(fastest), 16 / shared.elementBytes);
  int64_t rows = shared.bytes() / (int64_t(shared.swizzleBytes) * (shared.shape[fastest] * shared.elementBytes / shared.swizzleBytes));
  unsigned units = shared.swizzleBytes / 16, shift = llvm::Log2_32(128 / shared.swizzleBytes);
  llvm::Type *element = memoryType(tile.element);
  Coordinates covered = layout->layout.covered();
  for (unsigned r = 0; r < registers.size(); r += vector) {
    llvm::Value *row = b.getInt32(0), *inside = ownerOf(layout);
    int64_t scale = 1;
    for (unsigned d : llvm::ArrayRef<unsigned>(shared.order).drop_front()) {
      row = b.CreateAdd(row, b.CreateMul(coordinate(layout, r, d), b.getInt32(uint32_t(scale))));
      scale *= shared.shape[d];
    }
    for (unsigned d = 0; d < shared.shape.size(); ++d)
      if (covered[d] > shared.shape[d])
        inside = conjunction(inside, b.CreateICmpSLT(coordinate(layout, r, d), b.getInt32(uint32_t(shared.shape[d]))));
    llvm::Value *byte = b.CreateMul(coordinate(layout, r, fastest), b.getInt32(shared.elementBytes));
    llvm::Value *box = b.CreateUDiv(byte, b.getInt32(shared.swizzleBytes)), *within = b.CreateURem(byte, b.getInt32(shared.swizzleBytes));
    llvm::Value *turn = b.CreateAnd(b.CreateLShr(row, shift), b.getInt32(units - 1));
    within = b.CreateXor(within, b.CreateShl(turn, 4));
    llvm::Value *offset = b.CreateAdd(b.CreateMul(box, b.getInt32(uint32_t(rows * shared.swizzleBytes))),
                                      b.CreateAdd(b.CreateMul(row, b.getInt32(shared.swizzleBytes)), within));
    guarded(inside, [&] {
      Values parts;
      for (unsigned j = 0; j < vector; ++j) parts.push_back(toMemory(registers[r + j], tile.element));
      storeVector(b.CreateGEP(b.getInt8Ty(), tile.pointer, offset), parts, element, int64_t(vector) * shared.elementBytes);
    });
  }
  target.engine()->fenceSharedForEngine(b);
}

Registers PhaseLowering::dotByGroups(DotOp dot, const DotPlan &plan, Registers acc) {
  const AsyncEngine &engine = *target.engine();
  const DotAtom &atom = *plan.atom;
  Operand lhs = operandOf(dot, true), rhs = operandOf(dot, false);
  int64_t steps = cast<RankedTensorType>(lhs.source.getType()).getDimSize(unsigned(lhs.dims.back())) / atom.k;
  // Which rows and columns a group's first piece has.
  Atom none;
  none.rank = 2;
  none.lanes.assign(llvm::Log2_32(limits.lanes), Coordinates{0, 0});
  none.warps.assign(2, Coordinates{0, 0});
  int64_t columns = int64_t(plan.piecesN) * atom.n;
  const PlacedLayout *groups = placed(Layout(none, {{Repeat::Warp, 0, plan.warpsM, 64}, {Repeat::Warp, 1, plan.warpsN, columns}}));

  struct Side {
    Values packed;
    llvm::Value *descriptor = nullptr;
    bool alongK = true;
    int64_t swizzle = 128, rows = 0, elementBytes = 2;
    /// Bytes from the group's first element to (row, k).
    int64_t offset(int64_t row, int64_t k) const {
      int64_t along = alongK ? k : row, other = alongK ? row : k, box = swizzle / elementBytes;
      return along / box * rows * swizzle + other * swizzle + along % box * elementBytes;
    }
  };
  auto shared = [&](Operand &operand, llvm::Value *first) {
    Side side;
    SharedTile tile = shareOperand(operand, 0, true);
    side.alongK = tile.layout.order[0] == unsigned(operand.dims.back());
    side.swizzle = tile.layout.swizzleBytes;
    side.elementBytes = tile.layout.elementBytes;
    side.rows = tile.layout.shape[tile.layout.order[1]];
    SharedOperand described{side.alongK, unsigned(side.swizzle), side.alongK ? 16 : side.rows * side.swizzle, 8 * side.swizzle};
    // A group begins at whole boxes where rows are contiguous.
    llvm::Value *bytes = side.alongK ? b.CreateMul(first, b.getInt32(uint32_t(side.swizzle)))
                                     : b.CreateMul(b.CreateUDiv(first, b.getInt32(uint32_t(side.swizzle / side.elementBytes))),
                                                   b.getInt32(uint32_t(side.rows * side.swizzle)));
    side.descriptor = engine.operandDescriptor(b, b.CreateGEP(b.getInt8Ty(), tile.pointer, bytes), described);
    return side;
  };
  Side left;
  SmallVector<Repeat, 6> repeats(plan.lhs.repeatsOf());
  repeats.push_back({Repeat::Register, 1, steps, int64_t(atom.k)});
  if (!inShared.contains(lhs.source)) {
    const PlacedLayout *whole = placed(Layout(plan.lhs.atomOf(), repeats).permuted(lhs.dims)), *base = baseOf(lhs.source);
    if (registerMap(base->layout, whole->layout, cast<RankedTensorType>(lhs.source.getType()).getShape()))
      left.packed = pack(operandRegisters(lhs, whole), elementOf(lhs.source.getType()));
  }
  if (left.packed.empty()) left = shared(lhs, warpCoordinate(groups, 0));
  Side right = shared(rhs, warpCoordinate(groups, 1));
  beforeSharedRead();
  mayRead = true;

  unsigned each = atom.n / 2;
  size_t lhsEach = left.packed.size() / size_t(steps * plan.piecesM);
  engine.fenceDots(b);
  for (int64_t step = 0; step < steps; ++step)
    for (unsigned i = 0; i < plan.piecesM; ++i)
      for (unsigned j = 0; j < plan.piecesN; ++j) {
        size_t at = size_t(each) * (j + size_t(plan.piecesN) * i);
        Values a;
        if (left.packed.empty())
          a.push_back(engine.advanceDescriptor(b, left.descriptor,
                                               b.getInt32(uint32_t(left.offset(64 * int64_t(plan.warpsM) * i, step * atom.k)))));
        else
          a.append(left.packed.begin() + (size_t(step) * plan.piecesM + i) * lhsEach,
                   left.packed.begin() + (size_t(step) * plan.piecesM + i + 1) * lhsEach);
        llvm::Value *c =
            engine.advanceDescriptor(b, right.descriptor, b.getInt32(uint32_t(right.offset(int64_t(atom.n) * j, step * atom.k))));
        auto sums =
            engine.emitGroupDot(b, atom, a, left.alongK, c, right.alongK, llvm::ArrayRef<llvm::Value *>(acc).slice(at, each), false);
        for (unsigned r = 0; r < each; ++r) acc[at + r] = sums[r];
      }
  engine.commitDots(b);
  engine.waitDots(b, dotsInFlight.contains(dot) ? 1 : 0, acc);
  return acc;
}

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

bool PhaseLowering::mayLoadBoxes(LoadOp load, unsigned fastest, llvm::ArrayRef<unsigned> contracted) {
  auto argument = dyn_cast<BlockArgument>(load.getView());
  if (!target.engine() || !argument || argument.getArgNumber() >= facts.arguments.size() || load.getPad()) return false;
  const pantile_argument_facts &known = facts.arguments[argument.getArgNumber()];
  auto view = cast<ViewType>(load.getView().getType());
  auto type = cast<RankedTensorType>(load.getResult().getType());
  unsigned bytes = bytesOf(view.getElementType());
  if (view.getRank() > int64_t(kDescriptorRank) || type.getRank() != 2 || known.alignment < 16 || known.zero_stride_mask) return false;
  unsigned at = 0;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(load))) {
    if (int(dim) != known.unit_dim && known.stride_divisor[dim] * bytes % 16) return false;
    if (subscript.kind == Subscript::Index) {
      if (int(dim) == known.unit_dim) return false;
      continue;
    }
    if (subscript.kind == Subscript::Tile) return false;
    if ((int(dim) == known.unit_dim) != (at == fastest)) return false;
    if (at != fastest && type.getDimSize(at) > 256) return false;
    // A copy is clipped by the view alone: along what is contracted nothing else may clip.
    if (subscript.kind == Subscript::Range && llvm::is_contained(contracted, at)) {
      Value upper;
      if (auto counter = dyn_cast<BlockArgument>(subscript.value)) {
        if (auto loop = dyn_cast<LoopOp>(counter.getOwner()->getParentOp())) upper = loop.getUpper();
      } else if (auto make = subscript.value.getDefiningOp<MakeRangeOp>()) {
        upper = make.getEnd();
      }
      auto size = upper ? upper.getDefiningOp<DimOp>() : DimOp();
      bool byView = size && extents.atomOfSize(size.getView(), size.getDim()) == extents.atomOfSize(load.getView(), int64_t(dim));
      if (!byView && !bounds.isWhole(extents.of(load.getResult())[at], type.getDimSize(at))) return false;
    }
    ++at;
  }
  return known.unit_dim >= 0;
}

llvm::Value *PhaseLowering::descriptorFor(LoadOp load, const SharedTile &tile) {
  auto argument = cast<BlockArgument>(load.getView());
  unsigned number = argument.getArgNumber(), bytes = tile.layout.elementBytes;
  const pantile_argument_facts &known = facts.arguments[number];
  viewOf(load.getView());
  // The slot of the view's address.
  size_t slotIndex = 0;
  while (parameters[slotIndex].first != "p" + std::to_string(number)) ++slotIndex;
  auto view = cast<ViewType>(load.getView().getType());
  std::vector<std::string> sizes, strides, box;
  SmallVector<int64_t, 5> tileDims;
  int64_t at = 0;
  for (const Subscript &subscript : subscriptsOf(load)) tileDims.push_back(subscript.kind == Subscript::Index ? -1 : at++);
  auto add = [&](unsigned dim) {
    std::string place = std::to_string(number) + "." + std::to_string(dim);
    bool unit = int(dim) == known.unit_dim;
    sizes.push_back("s" + place);
    strides.push_back(unit ? std::to_string(bytes) : "t" + place + " " + std::to_string(bytes) + " *");
    int64_t extent = tileDims[dim] < 0 ? 1 : unit ? tile.layout.swizzleBytes / bytes : tile.layout.shape[size_t(tileDims[dim])];
    box.push_back(std::to_string(extent));
  };
  add(unsigned(known.unit_dim));
  for (unsigned dim = unsigned(view.getRank()); dim-- > 0;)
    if (int(dim) != known.unit_dim) add(dim);
  for (auto *row : {&sizes, &strides, &box}) row->resize(kDescriptorRank, "1");
  std::vector<std::string> words{std::to_string(slotIndex), std::to_string(known.dtype), std::to_string(view.getRank()),
                                 std::to_string(tile.layout.swizzleBytes)};
  for (auto *row : {&sizes, &strides, &box}) words.insert(words.end(), row->begin(), row->end());
  for (const Descriptor &same : descriptors)
    if (same.words == words) return same.placeholder;
  auto *placeholder = llvm::cast<llvm::Instruction>(prologue.CreateFreeze(llvm::PoisonValue::get(llvm::PointerType::get(context, 0))));
  descriptors.push_back({placeholder, std::move(words)});
  return placeholder;
}

void PhaseLowering::loadBoxes(LoadOp load, const SharedTile &to, llvm::Value *descriptor, llvm::Value *barrier) {
  const pantile_argument_facts &known = facts.arguments[cast<BlockArgument>(load.getView()).getArgNumber()];
  auto subscripts = subscriptsOf(load);
  auto begin = [&](unsigned dim) -> llvm::Value * {
    const Subscript &subscript = subscripts[dim];
    if (subscript.kind == Subscript::Full) return b.getInt32(0);
    llvm::Value *value = subscript.kind == Subscript::Index ? scalar(subscript.value) : range(subscript.value).begin;
    return b.CreateTrunc(value, b.getInt32Ty());
  };
  Values coordinates{begin(unsigned(known.unit_dim))};
  for (unsigned dim = unsigned(subscripts.size()); dim-- > 0;)
    if (int(dim) != known.unit_dim) coordinates.push_back(begin(dim));
  const SharedLayout &layout = to.layout;
  int64_t each = layout.swizzleBytes / layout.elementBytes, boxes = layout.shape[layout.order[0]] / each, boxBytes = layout.bytes() / boxes;
  llvm::Value *first = coordinates[0];
  for (int64_t i = 0; i < boxes; ++i) {
    coordinates[0] = i ? b.CreateAdd(first, b.getInt32(uint32_t(i * each))) : first;
    target.engine()->loadBox(b, b.CreateConstGEP1_64(b.getInt8Ty(), to.pointer, uint64_t(i * boxBytes)), descriptor, coordinates, barrier);
  }
}

void PhaseLowering::initializeBarriers() {
  if (barriersToInitialize.empty()) return;
  llvm::BasicBlock *program = setup->getSingleSuccessor(), *one = newBlock("barriers"), *all = newBlock("initialized");
  setup->getTerminator()->eraseFromParent();
  b.SetInsertPoint(setup);
  b.CreateCondBr(b.CreateICmpEQ(thread, b.getInt32(0)), one, all);
  b.SetInsertPoint(one);
  for (llvm::Value *barrier : barriersToInitialize) target.engine()->initBarrier(b, barrier, 1);
  target.engine()->fenceBarrierInit(b);
  b.CreateBr(all);
  b.SetInsertPoint(all);
  target.barrier(b);
  b.CreateBr(program);
}

} // namespace pantile::simt
