//===- ir/simt/Accesses.cpp - tiles to and from views ----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// An access by a layout is: a pointer for the block (indices, begins of ranges), a part a thread adds, and what a register
// adds, a constant where the stride is one. Registers that follow each other in memory move as one vector, as wide as facts
// about alignment and divisibility allow. What is not inside reads a line of zeros instead, so loads never branch and come
// before their first use; stores branch.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

struct PhaseLowering::Access {
  mlir::Type element;
  unsigned vector = 1;
  int64_t alignment = 1;
  Values pointers;  ///< of registers; those inside a vector are NULL
  Registers inside; ///< i1; NULL: always
};

namespace {

bool isOne(llvm::Value *value) {
  auto *constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  return constant && constant->isOne();
}

/// Bytes of a row that neighbouring lanes and registers touch together.
int64_t runBytes(const Layout &layout, unsigned dim, unsigned bytes) {
  int64_t run = layout.contiguous(dim);
  for (bool grown = true; grown;) {
    grown = false;
    for (const Coordinates &basis : layout.atomOf().lanes)
      if (basis[dim] == run) {
        run *= 2;
        grown = true;
      }
  }
  return run * bytes;
}

} // namespace

void PhaseLowering::guarded(llvm::Value *condition, llvm::function_ref<void()> body) {
  if (!condition) return body();
  llvm::BasicBlock *then = newBlock("in"), *done = newBlock("out");
  b.CreateCondBr(condition, then, done);
  b.SetInsertPoint(then);
  body();
  b.CreateBr(done);
  b.SetInsertPoint(done);
}

bool PhaseLowering::isReadOnly(Value view) {
  auto argument = dyn_cast<BlockArgument>(view);
  if (!argument || storedViews.contains(view)) return false;
  auto access =
      cast<FunctionOpInterface>(argument.getOwner()->getParentOp()).getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tile.access");
  return access && access.getValue() == "read";
}

void PhaseLowering::orderMemory(Operation *op) {
  Value view = tile::viewOf(op);
  if (loadedViews.contains(view) && storedViews.contains(view)) blockBarrier();
}

llvm::Value *PhaseLowering::toMemory(llvm::Value *value, mlir::Type element) {
  return value->getType() == memoryType(element) ? value : b.CreateZExt(value, memoryType(element));
}

llvm::Value *PhaseLowering::fromMemory(llvm::Value *value, mlir::Type element) {
  return value->getType() == registerType(element) ? value : b.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
}

llvm::Value *PhaseLowering::loadVector(llvm::Value *pointer, llvm::Type *element, unsigned count, int64_t alignment, bool invariant,
                                       Registers &out) {
  unsigned bits = element->getScalarSizeInBits() * count;
  // Narrow elements travel as words: every target has those.
  llvm::Type *type = count == 1                             ? element
                     : element->getScalarSizeInBits() >= 32 ? llvm::FixedVectorType::get(element, count)
                     : bits <= 32                           ? llvm::Type::getIntNTy(context, bits)
                                                            : (llvm::Type *)llvm::FixedVectorType::get(b.getInt32Ty(), bits / 32);
  llvm::LoadInst *load = b.CreateAlignedLoad(type, pointer, llvm::Align(uint64_t(alignment)));
  if (invariant) target.markInvariant(load);
  if (count == 1) {
    out.push_back(load);
    return load;
  }
  llvm::Value *vector = b.CreateBitCast(load, llvm::FixedVectorType::get(element, count));
  for (unsigned i = 0; i < count; ++i) out.push_back(b.CreateExtractElement(vector, uint64_t(i)));
  return load;
}

void PhaseLowering::storeVector(llvm::Value *pointer, llvm::ArrayRef<llvm::Value *> values, llvm::Type *element, int64_t alignment) {
  unsigned count = unsigned(values.size()), bits = element->getScalarSizeInBits() * count;
  llvm::Value *value = values[0];
  if (count > 1) {
    value = llvm::PoisonValue::get(llvm::FixedVectorType::get(element, count));
    for (auto [i, part] : llvm::enumerate(values)) value = b.CreateInsertElement(value, part, uint64_t(i));
    if (element->getScalarSizeInBits() < 32)
      value = b.CreateBitCast(value, bits <= 32 ? llvm::Type::getIntNTy(context, bits)
                                                : (llvm::Type *)llvm::FixedVectorType::get(b.getInt32Ty(), bits / 32));
  }
  b.CreateAlignedStore(value, pointer, llvm::Align(uint64_t(alignment)));
}

PhaseLowering::Access PhaseLowering::accessOf(Operation *op, const PlacedLayout *layout, Value value) {
  Value viewValue = tile::viewOf(op);
  const View &view = viewOf(viewValue);
  auto type = cast<RankedTensorType>(value.getType());
  Access access;
  access.element = view.element;
  unsigned bytes = bytesOf(view.element), count = unsigned(layout->offsets.size());
  if (view.element.isIntOrFloat() && view.element.getIntOrFloatBitWidth() > 1 && view.element.getIntOrFloatBitWidth() % 8)
    fail("elements of " + std::to_string(view.element.getIntOrFloatBitWidth()) + " bits are not supported by this target", op);
  llvm::Type *element = memoryType(view.element), *i64 = b.getInt64Ty();

  Extents limits = extents.ofSubscripts(op);
  bool isStore = isa<StoreOp, ScatterOp>(op);
  if (isStore)
    for (auto [limit, other] : llvm::zip(limits, extents.of(value))) limit.join(other);
  access.inside = logicalMask(limits, type, layout);
  auto require = [&](unsigned r, llvm::Value *condition) { access.inside[r] = conjunction(access.inside[r], condition); };

  llvm::Value *pointer = view.pointer, *threadOffset = nullptr;
  struct Term {
    unsigned dim;
    llvm::Value *stride;
  };
  SmallVector<Term, 4> terms;
  Registers scattered(count, nullptr); // of position tiles, i64
  unsigned at = 0, positionsAt = 0, positionsRank = 0;
  bool positionsSeen = false;
  auto addThread = [&](unsigned dim, llvm::Value *stride) {
    llvm::Value *part = b.CreateZExt(threadCoordinate(layout, dim), i64);
    if (!isOne(stride)) part = b.CreateNSWMul(part, stride);
    threadOffset = threadOffset ? b.CreateNSWAdd(threadOffset, part) : part;
    terms.push_back({dim, stride});
  };
  auto positionLayout = [&]() {
    SmallVector<int64_t, 4> others;
    for (unsigned d = 0; d < layout->layout.rank(); ++d)
      if (d < positionsAt || d >= positionsAt + positionsRank) others.push_back(int64_t(d));
    return placed(layout->layout.sliced(others));
  };
  /// Registers of a tile over the position dimensions, one for each register of the access.
  auto spread = [&](Value tile) {
    const PlacedLayout *narrow = positionLayout();
    Registers from = registersOf(tile, narrow), result;
    std::map<std::vector<int64_t>, unsigned> places;
    for (auto [r, offset] : llvm::enumerate(narrow->offsets))
      places.try_emplace(std::vector<int64_t>(offset.begin(), offset.end()), unsigned(r));
    for (const Coordinates &offset : layout->offsets)
      result.push_back(from[places.at(std::vector<int64_t>(offset.begin() + positionsAt, offset.begin() + positionsAt + positionsRank))]);
    return result;
  };
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(op))) {
    llvm::Value *stride = view.strides[dim], *size = view.sizes[dim];
    switch (subscript.kind) {
    case Subscript::Index: {
      llvm::Value *index = scalar(subscript.value);
      if (!(bounds.isNonNegative(subscript.value) && bounds.isKnownIndex(subscript.value, viewValue, unsigned(dim)))) {
        llvm::Value *inside = b.CreateICmpULT(index, size);
        for (unsigned r = 0; r < count; ++r) require(r, inside);
      }
      pointer = b.CreateGEP(element, pointer, b.CreateNSWMul(index, stride));
      break;
    }
    case Subscript::Range: {
      const RangeNumbers &numbers = range(subscript.value);
      pointer = b.CreateGEP(element, pointer, isOne(stride) ? numbers.begin : b.CreateNSWMul(numbers.begin, stride));
      if (!bounds.insideView(op, unsigned(dim), subscript.value)) {
        llvm::DenseMap<int64_t, llvm::Value *> known;
        for (unsigned r = 0; r < count; ++r) {
          llvm::Value *&inside = known[layout->offsets[r][at]];
          if (!inside) inside = b.CreateICmpULT(b.CreateNSWAdd(numbers.begin, b.CreateZExt(coordinate(layout, r, at), i64)), size);
          require(r, inside);
        }
      }
      addThread(at++, stride);
      break;
    }
    case Subscript::Full:
      addThread(at++, stride);
      break;
    case Subscript::Tile: {
      if (!positionsSeen) {
        positionsSeen = true;
        positionsAt = at;
        positionsRank = unsigned(cast<RankedTensorType>(subscript.value.getType()).getRank());
        at += positionsRank;
      }
      Registers positions = spread(subscript.value);
      llvm::DenseMap<llvm::Value *, std::pair<llvm::Value *, llvm::Value *>> known;
      for (unsigned r = 0; r < count; ++r) {
        auto &[inside, offset] = known[positions[r]];
        if (!inside) {
          llvm::Value *wide = b.CreateSExtOrTrunc(positions[r], i64);
          inside = b.CreateICmpULT(wide, size);
          offset = b.CreateMul(wide, stride);
        }
        require(r, inside);
        scattered[r] = scattered[r] ? b.CreateAdd(scattered[r], offset) : offset;
      }
      break;
    }
    }
  }
  if (auto gather = dyn_cast<GatherOp>(op); gather && gather.getMask()) {
    Registers mask = spread(gather.getMask());
    for (unsigned r = 0; r < count; ++r) require(r, mask[r]);
  } else if (auto scatter = dyn_cast<ScatterOp>(op); scatter && scatter.getMask()) {
    Registers mask = spread(scatter.getMask());
    for (unsigned r = 0; r < count; ++r) require(r, mask[r]);
  }
  if (threadOffset) pointer = b.CreateGEP(element, pointer, threadOffset);

  auto [widest, unit] = choice->vectorOf(op);
  if (unit >= 0) access.vector = std::min(widest, layout->layout.contiguous(unsigned(unit)));
  access.alignment = int64_t(bytes) * access.vector;
  if (layout->layout.rank() && unit >= 0 && layout->layout.covered()[unsigned(unit)] > type.getDimSize(unsigned(unit)))
    while (type.getDimSize(unsigned(unit)) % access.vector) access.vector /= 2;
  access.alignment = int64_t(bytes) * access.vector;

  // Registers: all but the contiguous dimension once for each distinct row.
  access.pointers.assign(count, nullptr);
  std::map<std::vector<int64_t>, llvm::Value *> rows;
  for (unsigned r = 0; r < count; r += access.vector) {
    std::vector<int64_t> row;
    int64_t column = 0;
    for (const Term &term : terms) {
      if (isOne(term.stride))
        column += layout->offsets[r][term.dim];
      else
        row.push_back(layout->offsets[r][term.dim]);
    }
    llvm::Value *&start = rows[row];
    if (!start) {
      start = pointer;
      llvm::Value *offset = nullptr;
      size_t i = 0;
      for (const Term &term : terms) {
        if (isOne(term.stride)) continue;
        int64_t steps = row[i++];
        if (!steps) continue;
        llvm::Value *part = b.CreateNSWMul(term.stride, b.getInt64(uint64_t(steps)));
        offset = offset ? b.CreateNSWAdd(offset, part) : part;
      }
      if (offset) start = b.CreateGEP(element, start, offset);
    }
    llvm::Value *place = start;
    if (scattered[r]) place = b.CreateGEP(element, place, scattered[r]);
    if (column) place = b.CreateConstGEP1_64(element, place, uint64_t(column));
    access.pointers[r] = place;
  }
  return access;
}

const PlacedLayout *PhaseLowering::accessLayout(Operation *op, Value value, const PlacedLayout *given) {
  auto type = cast<RankedTensorType>(value.getType());
  auto [vector, unit] = choice->vectorOf(op);
  if (unit < 0) return given;
  unsigned bytes = bytesOf(type.getElementType());
  if (runBytes(given->layout, unsigned(unit), bytes) >= 32) return given;
  Layout better = choice->forAccess(op, type);
  return runBytes(better, unsigned(unit), bytes) > runBytes(given->layout, unsigned(unit), bytes) ? placed(better) : given;
}

Registers PhaseLowering::lowerLoad(Operation *op, const PlacedLayout *layout) {
  orderMemory(op);
  Value result = op->getResult(0), pad = isa<LoadOp>(op) ? cast<LoadOp>(op).getPad() : cast<GatherOp>(op).getPad();
  Access access = accessOf(op, layout, result);
  llvm::Type *element = memoryType(access.element);
  if (!zeros) {
    auto *type = llvm::ArrayType::get(llvm::Type::getInt8Ty(context), 16);
    zeros = module.getNamedGlobal("pantile_zeros");
    if (!zeros) {
      zeros = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::InternalLinkage, llvm::ConstantAggregateZero::get(type),
                                       "pantile_zeros", nullptr, llvm::GlobalValue::NotThreadLocal, limits.globalSpace);
      zeros->setAlignment(llvm::Align(16));
    }
  }
  bool invariant = isReadOnly(tile::viewOf(op));
  llvm::Value *other = pad ? scalar(pad) : nullptr;
  Registers values;
  for (unsigned r = 0; r < layout->offsets.size(); r += access.vector) {
    llvm::Value *pointer = access.pointers[r], *inside = access.inside[r];
    if (inside) pointer = b.CreateSelect(inside, pointer, zeros);
    size_t first = values.size();
    loadVector(pointer, element, access.vector, access.alignment, invariant, values);
    for (size_t i = first; i < values.size(); ++i) {
      values[i] = fromMemory(values[i], access.element);
      if (inside && other) values[i] = b.CreateSelect(inside, values[i], other);
    }
  }
  return values;
}

void PhaseLowering::lowerStore(Operation *op) {
  orderMemory(op);
  Value value = op->getOperand(0);
  const PlacedLayout *layout = accessLayout(op, value, baseOf(value));
  Registers registers = registersOf(value, layout);
  Access access = accessOf(op, layout, value);
  llvm::Type *element = memoryType(access.element);
  llvm::Value *owner = ownerOf(layout);
  // Neighbours under one condition share a branch.
  for (unsigned r = 0; r < registers.size();) {
    unsigned end = r;
    while (end < registers.size() && access.inside[end] == access.inside[r]) end += access.vector;
    guarded(conjunction(owner, access.inside[r]), [&] {
      for (unsigned i = r; i < end; i += access.vector) {
        Values parts;
        for (unsigned j = 0; j < access.vector; ++j) parts.push_back(toMemory(registers[i + j], access.element));
        storeVector(access.pointers[i], parts, element, access.alignment);
      }
    });
    r = end;
  }
}

void PhaseLowering::copyToShared(LoadOp load, const PlacedLayout *layout, const SharedTile &to) {
  Access access = accessOf(load, layout, load.getResult());
  llvm::Value *start = sharedPointer(to, layout, {}), *owner = ownerOf(layout);
  unsigned bytes = access.vector * to.layout.elementBytes;
  auto type = cast<RankedTensorType>(load.getResult().getType());
  // Elements of nobody have no place; what is not inside the view is zero.
  Coordinates covered = layout->layout.covered();
  llvm::DenseMap<std::pair<unsigned, int64_t>, llvm::Value *> known;
  for (unsigned r = 0; r < layout->offsets.size(); r += access.vector) {
    llvm::Value *exists = owner;
    int64_t offset = 0;
    for (unsigned d = 0; d < to.strides.size(); ++d) {
      offset += layout->offsets[r][d] * to.strides[d];
      if (covered[d] <= type.getDimSize(d)) continue;
      llvm::Value *&inside = known[{d, layout->offsets[r][d]}];
      if (!inside) inside = b.CreateICmpSLT(coordinate(layout, r, d), b.getInt32(uint32_t(type.getDimSize(d))));
      exists = conjunction(exists, inside);
    }
    llvm::Value *inside = access.inside[r], *valid = b.getInt32(bytes), *from = access.pointers[r];
    if (inside) {
      valid = b.CreateSelect(inside, valid, b.getInt32(0));
      from = b.CreateSelect(inside, from, viewOf(load.getView()).pointer);
    }
    guarded(exists, [&] { target.asyncCopy(b, b.CreateConstGEP1_64(b.getInt8Ty(), start, uint64_t(offset)), from, bytes, valid); });
  }
}

std::pair<llvm::Value *, llvm::Value *> PhaseLowering::scalarAddress(Operation *op) {
  Value viewValue = tile::viewOf(op);
  const View &view = viewOf(viewValue);
  llvm::Value *pointer = view.pointer, *inside = nullptr;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(op))) {
    llvm::Value *index = scalar(subscript.value);
    if (!(bounds.isNonNegative(subscript.value) && bounds.isKnownIndex(subscript.value, viewValue, unsigned(dim))))
      inside = conjunction(inside, b.CreateICmpULT(index, view.sizes[dim]));
    pointer = b.CreateGEP(memoryType(view.element), pointer, b.CreateNSWMul(index, view.strides[dim]));
  }
  return {pointer, inside};
}

llvm::Value *PhaseLowering::lowerScalarLoad(LoadOp load) {
  orderMemory(load);
  auto [pointer, inside] = scalarAddress(load);
  mlir::Type element = cast<ViewType>(load.getView().getType()).getElementType();
  llvm::BasicBlock *before = b.GetInsertBlock();
  llvm::Value *value = nullptr, *other = load.getPad() ? scalar(load.getPad()) : llvm::Constant::getNullValue(registerType(element));
  guarded(inside, [&] {
    Registers loaded;
    loadVector(pointer, memoryType(element), 1, bytesOf(element), isReadOnly(load.getView()), loaded);
    value = fromMemory(loaded[0], element);
  });
  if (!inside) return value;
  llvm::PHINode *merged = b.CreatePHI(value->getType(), 2);
  merged->addIncoming(value, llvm::cast<llvm::Instruction>(value)->getParent());
  merged->addIncoming(other, before);
  return merged;
}

void PhaseLowering::lowerScalarStore(StoreOp store) {
  orderMemory(store);
  auto [pointer, inside] = scalarAddress(store);
  mlir::Type element = cast<ViewType>(store.getView().getType()).getElementType();
  llvm::Value *value = scalar(store.getValue());
  guarded(conjunction(b.CreateICmpEQ(thread, b.getInt32(0)), inside),
          [&] { storeVector(pointer, toMemory(value, element), memoryType(element), bytesOf(element)); });
}

} // namespace pantile::simt
