//===- cpu/compiler/lower/Accesses.cpp - views and buffers in memory -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Subscripts give the address of the tile's corner, computed once a nest; positions add their strides, each in the
//    scope that knows it.
// 2. One consecutive position over a unit stride is a vector access; a zero stride a scalar; anything else an indexed one.
// 3. Lanes past the tile are masked by the nest. Lanes past *this* access (its range ends earlier than the nest's, its view
//    ends inside its range) add a condition, unless the ranges prove there are none.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/PhaseLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <numeric>

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

bool isConstantInt(llvm::Value *value, int64_t expected) {
  auto *constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  return constant && constant->getSExtValue() == expected;
}

llvm::Value *times(llvm::IRBuilder<> &b, llvm::Value *a, llvm::Value *c) {
  if (isConstantInt(c, 1)) return a;
  if (isConstantInt(a, 1)) return c;
  return b.CreateMul(a, c);
}

/// Few terms: a stable insertion sort.
template <typename Terms, typename Less> void sortByDepth(Terms &terms, Less less) {
  for (size_t i = 1; i < terms.size(); ++i)
    for (size_t j = i; j > 0 && less(terms[j], terms[j - 1]); --j) std::swap(terms[j], terms[j - 1]);
}

/// Powers of two that divide a value, as far as anyone cares (128 bytes).
int64_t lowBit(int64_t value) { return value == 0 ? 128 : std::min<int64_t>(128, value & -value); }

} // namespace

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

Address PhaseLowering::addressOf(Operation *access, const Positions &at, Scope &scope) {
  const View &view = viewOf(pantile::tile::viewOf(access));
  Value viewValue = pantile::tile::viewOf(access);
  llvm::Type *element = memoryType(view.element);
  uint64_t elementBytes = element->getScalarSizeInBits() / 8;
  llvm::IRBuilder<> &root = nestRoot->builder;
  llvm::Type *i64 = root.getInt64Ty();

  struct Term {
    Position position;
    llvm::Value *stride;
  };
  SmallVector<Term, 4> terms;
  SmallVector<std::pair<Scope *, llvm::Value *>, 4> conditions;
  llvm::Value *corner = nullptr;
  int64_t alignment = view.alignment;
  auto addCorner = [&](llvm::Value *index, llvm::Value *stride) {
    if (isConstantInt(index, 0)) return;
    llvm::Value *offset = times(root, index, stride);
    corner = corner ? root.CreateAdd(corner, offset) : offset;
  };
  auto inRange = [&](llvm::IRBuilder<> &b, llvm::Value *index, llvm::Value *size) {
    // One unsigned comparison: negative indices are large.
    if (index->getType()->isVectorTy())
      size = b.CreateVectorSplat(llvm::cast<llvm::FixedVectorType>(index->getType())->getNumElements(), size);
    return b.CreateICmpULT(index, size);
  };
  auto positionIndex = [&](const Position &p) -> std::pair<Scope *, llvm::Value *> {
    Scope *home = p.scope ? p.scope : nestRoot;
    if (p.kind == PositionKind::Uniform) return {home, uniform(p)};
    return {home, laneIndices(p, i64, *home)};
  };

  // Alignment of what corner and rows add, from facts.
  auto stepAlignment = [&](unsigned dim, int64_t divisor) {
    if (isConstantInt(view.strides[dim], 0)) return;
    alignment = std::min<int64_t>(alignment, std::min<int64_t>(128, int64_t(elementBytes) * divisor * view.strideDivisors[dim]));
  };

  unsigned next = 0;
  int firstTile = -1;
  unsigned tileRank = 0;
  for (auto [index, subscript] : llvm::enumerate(subscriptsOf(access))) {
    unsigned dim = unsigned(index);
    llvm::Value *stride = view.strides[dim], *size = view.sizes[dim];
    switch (subscript.kind) {
    case Subscript::Index: {
      llvm::Value *value = scalar(subscript.value);
      addCorner(value, stride);
      stepAlignment(dim, bounds.divisorOf(subscript.value));
      bool proven = bounds.isNonNegative(subscript.value) && bounds.isKnownIndex(subscript.value, viewValue, dim);
      if (!proven) conditions.push_back({nestRoot, inRange(root, value, size)});
      break;
    }
    case Subscript::Range: {
      const RangeNumbers &numbers = range(subscript.value);
      addCorner(numbers.begin, stride);
      stepAlignment(dim, bounds.divisorOfBegin(subscript.value));
      Position p = at[next++];
      terms.push_back({p, stride});
      if (!p.bounds.contains(extents.atomOfRange(subscript.value))) {
        auto [home, lanes] = positionIndex(p);
        conditions.push_back({home, inRange(home->builder, lanes, root.CreateSub(numbers.end, numbers.begin))});
      }
      if (!bounds.insideView(access, dim, subscript.value)) {
        auto [home, lanes] = positionIndex(p);
        llvm::Value *begin = numbers.begin;
        if (lanes->getType()->isVectorTy()) begin = home->builder.CreateVectorSplat(home->lanes, begin);
        conditions.push_back({home, inRange(home->builder, home->builder.CreateAdd(lanes, begin), size)});
      }
      break;
    }
    case Subscript::Full: {
      Position p = at[next++];
      terms.push_back({p, stride});
      bool whole = subscript.symbol.empty() && extents.staticSize(viewValue, dim) == subscript.extent;
      if (!whole && !p.bounds.contains(extents.atomOfSize(viewValue, dim))) {
        auto [home, lanes] = positionIndex(p);
        conditions.push_back({home, inRange(home->builder, lanes, size)});
      }
      break;
    }
    case Subscript::Tile: {
      if (firstTile < 0) {
        firstTile = int(next);
        tileRank = unsigned(cast<RankedTensorType>(subscript.value.getType()).getRank());
        next += tileRank;
      }
      Positions inner(at.begin() + firstTile, at.begin() + firstTile + tileRank);
      llvm::Value *value = evaluate(subscript.value, inner, scope);
      Scope *home = &scopeOf(inner);
      llvm::IRBuilder<> &here = home->builder;
      llvm::Type *wide = value->getType()->isVectorTy() ? llvm::FixedVectorType::get(i64, home->lanes) : i64;
      value = here.CreateSExtOrTrunc(value, wide);
      conditions.push_back({home, inRange(here, value, size)});
      Position p;
      p.scope = home;
      p.base = value;
      p.kind = value->getType()->isVectorTy() ? PositionKind::Scattered : PositionKind::Uniform;
      terms.push_back({p, stride});
      stepAlignment(dim, 1);
      break;
    }
    }
  }

  Address address;
  llvm::Value *pointer = view.pointer;
  if (corner) pointer = root.CreateGEP(element, pointer, corner);
  // Uniform terms from the outermost scope inwards.
  sortByDepth(terms, [](const Term &a, const Term &c) {
    return (a.position.scope ? a.position.scope->depth : 0) < (c.position.scope ? c.position.scope->depth : 0);
  });
  Scope *pointerScope = nestRoot;
  auto advance = [&](Scope *home, llvm::Value *offset) {
    if (home && home->depth > pointerScope->depth) pointerScope = home;
    pointer = pointerScope->builder.CreateGEP(element, pointer, offset);
  };
  SmallVector<Term, 2> lanes;
  for (const Term &term : terms) {
    if (isConstantInt(term.stride, 0)) continue;
    if (term.position.kind != PositionKind::Uniform) {
      lanes.push_back(term);
      continue;
    }
    if (term.position.isConstant() && term.position.offset == 0) continue;
    Scope *home = term.position.scope ? term.position.scope : nestRoot;
    int64_t divisor = term.position.base
                          ? std::gcd(term.position.multiple, term.position.offset ? term.position.offset : term.position.multiple)
                          : lowBit(term.position.offset);
    auto *constantStride = llvm::dyn_cast<llvm::ConstantInt>(term.stride);
    int64_t strideDivisor = constantStride ? lowBit(constantStride->getSExtValue()) : 1;
    for (unsigned d = 0; d < view.strides.size(); ++d)
      if (view.strides[d] == term.stride) strideDivisor = std::max(strideDivisor, view.strideDivisors[d]);
    alignment = std::min<int64_t>(alignment, std::min<int64_t>(128, int64_t(elementBytes) * lowBit(divisor) * strideDivisor));
    advance(home, times(home->builder, uniform(term.position), term.stride));
  }
  if (lanes.size() == 1 && lanes[0].position.kind == PositionKind::Consecutive && isConstantInt(lanes[0].stride, 1)) {
    const Position &p = lanes[0].position;
    address.kind = Address::Contiguous;
    if (p.base || p.offset) {
      int64_t divisor = p.base ? std::gcd(p.multiple, p.offset ? p.offset : p.multiple) : lowBit(p.offset);
      alignment = std::min<int64_t>(alignment, std::min<int64_t>(128, int64_t(elementBytes) * lowBit(divisor)));
      advance(p.scope, uniform(p));
    }
  } else if (!lanes.empty()) {
    address.kind = Address::Indexed;
    llvm::IRBuilder<> &here = scope.builder;
    for (const Term &term : lanes) {
      llvm::Value *offset = laneIndices(term.position, i64, scope);
      if (!isConstantInt(term.stride, 1)) offset = here.CreateMul(offset, here.CreateVectorSplat(scope.lanes, term.stride));
      address.indices = address.indices ? here.CreateAdd(address.indices, offset) : offset;
    }
  }
  address.pointer = pointer;
  address.alignment = uint64_t(std::max<int64_t>(1, alignment));

  for (auto [home, condition] : conditions) {
    if (!address.inside) {
      address.inside = condition;
    } else {
      bool vector = address.inside->getType()->isVectorTy() || condition->getType()->isVectorTy();
      auto spread = [&](llvm::Value *value) {
        return vector && !value->getType()->isVectorTy() ? scope.builder.CreateVectorSplat(scope.lanes, value) : value;
      };
      address.inside = scope.builder.CreateAnd(spread(address.inside), spread(condition));
    }
  }
  if (auto gather = dyn_cast<GatherOp>(access))
    if (gather.getMask())
      addCondition(address, evaluate(gather.getMask(), Positions(at.begin() + firstTile, at.begin() + firstTile + tileRank), scope), scope);
  Value mask = isa<ScatterOp>(access)     ? cast<ScatterOp>(access).getMask()
               : isa<AtomicRMWOp>(access) ? cast<AtomicRMWOp>(access).getMask()
                                          : Value();
  if (mask) addCondition(address, evaluate(mask, Positions(at.begin() + firstTile, at.begin() + firstTile + tileRank), scope), scope);
  return address;
}

void PhaseLowering::addCondition(Address &address, llvm::Value *condition, Scope &scope) {
  if (!address.inside) {
    address.inside = condition;
    return;
  }
  bool vector = address.inside->getType()->isVectorTy() || condition->getType()->isVectorTy();
  auto spread = [&](llvm::Value *value) {
    return vector && !value->getType()->isVectorTy() ? scope.builder.CreateVectorSplat(scope.lanes, value) : value;
  };
  address.inside = scope.builder.CreateAnd(spread(address.inside), spread(condition));
}

Address PhaseLowering::bufferAddress(const Buffer &buffer, const Positions &at, Scope &scope) {
  Address address;
  llvm::Type *element = memoryType(buffer.element), *i64 = llvm::Type::getInt64Ty(context);
  llvm::Value *pointer = buffer.pointer;
  SmallVector<std::pair<Position, llvm::Value *>, 4> terms;
  for (auto [position, stride] : llvm::zip(at, buffer.strides)) terms.push_back({position, stride});
  sortByDepth(terms, [](const auto &a, const auto &c) {
    return (a.first.scope ? a.first.scope->depth : 0) < (c.first.scope ? c.first.scope->depth : 0);
  });
  SmallVector<std::pair<Position, llvm::Value *>, 2> lanes;
  Scope *pointerScope = nestRoot;
  for (auto &[position, stride] : terms) {
    if (position.kind != PositionKind::Uniform) {
      lanes.push_back({position, stride});
      continue;
    }
    if (position.isConstant() && position.offset == 0) continue;
    Scope *home = position.scope ? position.scope : nestRoot;
    if (home->depth > pointerScope->depth) pointerScope = home;
    pointer = pointerScope->builder.CreateGEP(element, pointer, times(home->builder, uniform(position), stride));
  }
  if (lanes.size() == 1 && lanes[0].first.kind == PositionKind::Consecutive && isConstantInt(lanes[0].second, 1)) {
    address.kind = Address::Contiguous;
    const Position &p = lanes[0].first;
    if (p.base || p.offset) {
      llvm::Value *offset = uniform(p);
      if (p.scope->depth > pointerScope->depth) pointerScope = p.scope;
      pointer = pointerScope->builder.CreateGEP(element, pointer, offset);
    }
  } else if (!lanes.empty()) {
    address.kind = Address::Indexed;
    for (auto &[position, stride] : lanes) {
      llvm::Value *offset = laneIndices(position, i64, scope);
      if (!isConstantInt(stride, 1)) offset = scope.builder.CreateMul(offset, scope.builder.CreateVectorSplat(scope.lanes, stride));
      address.indices = address.indices ? scope.builder.CreateAdd(address.indices, offset) : offset;
    }
  }
  address.pointer = pointer;
  address.alignment = element->getScalarSizeInBits() / 8;
  return address;
}

//===----------------------------------------------------------------------===//
// Lanes to and from memory
//===----------------------------------------------------------------------===//

llvm::Value *PhaseLowering::laneMask(const Address &address, Scope &scope) {
  llvm::Value *mask = scope.mask;
  if (address.inside) {
    llvm::Value *inside = address.inside;
    if (!inside->getType()->isVectorTy()) inside = scope.builder.CreateVectorSplat(scope.lanes, inside);
    mask = mask ? scope.builder.CreateAnd(mask, inside) : inside;
  }
  return mask;
}

llvm::Value *PhaseLowering::loadElements(const Address &address, mlir::Type type, Scope &scope, llvm::Value *pad) {
  llvm::IRBuilder<> &here = scope.builder;
  llvm::Type *element = memoryType(type);
  llvm::Align align(std::min<uint64_t>(address.alignment, 64));
  auto fromMemory = [&](llvm::Value *value) {
    return registerType(type)->isIntegerTy(1) ? here.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType())) : value;
  };
  llvm::Value *other =
      pad ? (registerType(type)->isIntegerTy(1) ? here.CreateZExt(pad, element) : pad) : llvm::Constant::getNullValue(element);
  if (address.kind == Address::Scalar) {
    if (address.inside && address.inside->getType()->isVectorTy()) {
      // One address for all lanes, a condition for each.
      llvm::Value *any = here.CreateOrReduce(address.inside);
      llvm::Value *value = here.CreateLoad(element, here.CreateSelect(any, address.pointer, zeros));
      return fromMemory(
          here.CreateSelect(address.inside, here.CreateVectorSplat(scope.lanes, value), here.CreateVectorSplat(scope.lanes, other)));
    }
    llvm::Value *pointer = address.inside ? here.CreateSelect(address.inside, address.pointer, zeros) : address.pointer;
    llvm::Value *value =
        here.CreateAlignedLoad(element, pointer, llvm::Align(std::min<uint64_t>(address.alignment, element->getScalarSizeInBits() / 8)));
    if (address.inside) value = here.CreateSelect(address.inside, value, other);
    return fromMemory(value);
  }
  auto *vector = llvm::FixedVectorType::get(element, scope.lanes);
  llvm::Value *mask = laneMask(address, scope);
  if (address.kind == Address::Contiguous) {
    if (!mask) return fromMemory(here.CreateAlignedLoad(vector, address.pointer, align));
    return fromMemory(here.CreateMaskedLoad(vector, address.pointer, align, mask, here.CreateVectorSplat(scope.lanes, other)));
  }
  llvm::Value *pointers = here.CreateGEP(element, address.pointer, address.indices);
  llvm::Align each(std::min<uint64_t>(address.alignment, element->getScalarSizeInBits() / 8));
  return fromMemory(here.CreateMaskedGather(vector, pointers, each, mask, mask ? here.CreateVectorSplat(scope.lanes, other) : nullptr));
}

void PhaseLowering::storeElements(const Address &address, llvm::Value *value, mlir::Type type, Scope &scope, bool streaming) {
  llvm::IRBuilder<> &here = scope.builder;
  llvm::Type *element = memoryType(type);
  llvm::Align align(std::min<uint64_t>(address.alignment, 64));
  if (registerType(type)->isIntegerTy(1))
    value = here.CreateZExt(value, value->getType()->isVectorTy() ? llvm::FixedVectorType::get(element, scope.lanes) : element);
  uint64_t natural = element->getScalarSizeInBits() / 8;
  if (address.kind == Address::Scalar) {
    if (value->getType()->isVectorTy()) value = here.CreateExtractElement(value, uint64_t(0));
    llvm::Value *pointer = address.pointer;
    if (address.inside) {
      // A place nobody reads takes what falls outside.
      llvm::Value *inside = address.inside->getType()->isVectorTy() ? here.CreateOrReduce(address.inside) : address.inside;
      pointer = here.CreateSelect(inside, pointer, variable(llvm::ArrayType::get(here.getInt8Ty(), 64), "outside"));
    }
    here.CreateAlignedStore(value, pointer, llvm::Align(std::min(address.alignment, natural)));
    return;
  }
  if (!value->getType()->isVectorTy()) value = here.CreateVectorSplat(scope.lanes, value);
  llvm::Value *mask = laneMask(address, scope);
  if (address.kind == Address::Contiguous) {
    if (mask) {
      here.CreateMaskedStore(value, address.pointer, align, mask);
    } else {
      auto *store = here.CreateAlignedStore(value, address.pointer, align);
      uint64_t bytes = natural * scope.lanes;
      if (streaming && address.alignment >= std::min<uint64_t>(bytes, 64) && bytes >= 16)
        store->setMetadata(llvm::LLVMContext::MD_nontemporal, llvm::MDNode::get(context, llvm::ConstantAsMetadata::get(here.getInt32(1))));
    }
    return;
  }
  llvm::Value *pointers = here.CreateGEP(element, address.pointer, address.indices);
  here.CreateMaskedScatter(value, pointers, llvm::Align(std::min(address.alignment, natural)), mask);
}

} // namespace pantile::cpu
