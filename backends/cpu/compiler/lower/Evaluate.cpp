//===- cpu/compiler/lower/Evaluate.cpp - lazy tiles at positions ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/PhaseLowering.h"
#include "ir/emit/Random.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

Scope &PhaseLowering::scopeOf(const Positions &at) {
  Scope *deepest = nestRoot;
  for (const Position &position : at)
    if (position.scope && position.scope->depth > deepest->depth) deepest = position.scope;
  return *deepest;
}

//===----------------------------------------------------------------------===//
// Arithmetic on positions
//===----------------------------------------------------------------------===//

llvm::Value *PhaseLowering::uniform(const Position &position) {
  auto *offset = llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), position.offset);
  if (!position.base) return offset;
  if (position.offset == 0) return position.base;
  return position.scope->builder.CreateAdd(position.base, offset);
}

llvm::Value *PhaseLowering::laneIndices(const Position &position, llvm::Type *element, Scope &scope) {
  llvm::IRBuilder<> &at = scope.builder;
  auto *type = llvm::FixedVectorType::get(element, scope.lanes);
  if (position.kind == PositionKind::Scattered) return at.CreateZExtOrTrunc(position.base, type);
  llvm::Value *first = at.CreateVectorSplat(scope.lanes, at.CreateZExtOrTrunc(uniform(position), element));
  if (position.kind == PositionKind::Uniform) return first;
  SmallVector<llvm::Constant *, 16> iota;
  for (unsigned i = 0; i < scope.lanes; ++i) iota.push_back(llvm::ConstantInt::get(element, i));
  return at.CreateAdd(first, llvm::ConstantVector::get(iota));
}

namespace {

/// Whether the lanes of a consecutive position never straddle a multiple of `c`.
bool staysInside(const Position &p, int64_t c, unsigned lanes) {
  if (!p.base || p.multiple % c == 0) return p.offset % c + lanes <= c;
  return p.multiple % lanes == 0 && p.offset % lanes == 0 && c % lanes == 0;
}

} // namespace

Position PhaseLowering::divided(const Position &p, int64_t c) {
  if (c == 1) return p;
  Position result = p;
  result.bounds = p.bounds.scaled(1, c);
  auto *divisor = llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), c);
  if (p.kind == PositionKind::Scattered || (p.kind == PositionKind::Consecutive && !staysInside(p, c, p.scope->lanes))) {
    result.kind = PositionKind::Scattered;
    result.base = p.scope->builder.CreateUDiv(laneIndices(p, divisor->getType(), *p.scope),
                                              p.scope->builder.CreateVectorSplat(p.scope->lanes, divisor));
    result.offset = 0;
    return result;
  }
  result.kind = PositionKind::Uniform;
  if (!p.base || p.multiple % c == 0) {
    result.base = p.base ? p.scope->builder.CreateUDiv(p.base, divisor) : nullptr;
    result.offset = p.offset / c;
    result.multiple = p.base ? p.multiple / c : 1;
    if (!result.base) result.scope = nullptr;
  } else {
    result.base = p.scope->builder.CreateUDiv(uniform(p), divisor);
    result.offset = 0;
    result.multiple = 1;
  }
  return result;
}

Position PhaseLowering::remainder(const Position &p, int64_t c) {
  if (c == 1) return Position::constant(0);
  Position result = p;
  result.bounds = {};
  auto *divisor = llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), c);
  if (p.kind == PositionKind::Scattered || (p.kind == PositionKind::Consecutive && !staysInside(p, c, p.scope->lanes))) {
    result.kind = PositionKind::Scattered;
    result.base = p.scope->builder.CreateURem(laneIndices(p, divisor->getType(), *p.scope),
                                              p.scope->builder.CreateVectorSplat(p.scope->lanes, divisor));
    result.offset = 0;
    return result;
  }
  if (!p.base || p.multiple % c == 0) {
    result.base = nullptr;
    result.offset = p.offset % c;
    result.multiple = 1;
    if (p.kind == PositionKind::Uniform) result.scope = nullptr;
  } else {
    result.base = p.scope->builder.CreateURem(uniform(p), divisor);
    result.offset = 0;
    result.multiple = p.kind == PositionKind::Consecutive ? int64_t(p.scope->lanes) : 1;
  }
  return result;
}

Position PhaseLowering::merged(ArrayRef<Position> positions, ArrayRef<int64_t> extents) {
  // Row-major: sum of position times the product of the extents after it.
  Position sum = Position::constant(0);
  int64_t stride = 1;
  for (int i = int(positions.size()) - 1; i >= 0; --i) {
    Position term = positions[i];
    if (!(term.isConstant() && term.offset == 0)) {
      Scope *scope = !sum.scope || (term.scope && term.scope->depth > sum.scope->depth) ? term.scope : sum.scope;
      llvm::Type *i64 = llvm::Type::getInt64Ty(context);
      bool scatter = term.kind == PositionKind::Scattered || sum.kind == PositionKind::Scattered ||
                     (term.kind == PositionKind::Consecutive && (stride != 1 || sum.kind == PositionKind::Consecutive));
      Position next;
      next.scope = scope;
      if (scatter) {
        llvm::IRBuilder<> &at = scope->builder;
        next.kind = PositionKind::Scattered;
        llvm::Value *scaled =
            at.CreateMul(laneIndices(term, i64, *scope), at.CreateVectorSplat(scope->lanes, llvm::ConstantInt::get(i64, stride)));
        next.base = at.CreateAdd(laneIndices(sum, i64, *scope), scaled);
      } else {
        next.kind = term.kind == PositionKind::Consecutive || sum.kind == PositionKind::Consecutive ? PositionKind::Consecutive
                                                                                                    : PositionKind::Uniform;
        next.offset = sum.offset + term.offset * stride;
        llvm::Value *scaled = nullptr;
        if (term.base) scaled = stride == 1 ? term.base : term.scope->builder.CreateMul(term.base, llvm::ConstantInt::get(i64, stride));
        next.base = !scaled ? sum.base : !sum.base ? scaled : scope->builder.CreateAdd(scaled, sum.base);
        int64_t left = term.base ? term.multiple * stride : 0, right = sum.base ? sum.multiple : 0;
        next.multiple = std::max<int64_t>(1, std::gcd(left, right));
      }
      if (i == 0) next.bounds = term.bounds.scaled(stride, 1);
      sum = next;
    }
    stride *= extents[i];
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// Shape operations
//===----------------------------------------------------------------------===//

llvm::Value *PhaseLowering::computeReshape(ReshapeOp op, const Positions &at, Scope &scope) {
  auto source = cast<RankedTensorType>(op.getSource().getType()), result = cast<RankedTensorType>(op.getResult().getType());
  Positions from(source.getRank());
  for (const ReshapeGroup &group : reshapeGroups(op)) {
    SmallVector<Position, 4> positions(at.begin() + group.resultBegin, at.begin() + group.resultEnd);
    SmallVector<int64_t, 4> extents;
    for (unsigned i = group.resultBegin; i < group.resultEnd; ++i) extents.push_back(result.isDynamicDim(i) ? 1 : result.getDimSize(i));
    Position linear = merged(positions, extents);
    if (positions.size() == 1) linear = positions[0];
    for (int i = int(group.sourceEnd) - 1; i >= int(group.sourceBegin); --i) {
      if (i == int(group.sourceBegin)) {
        from[i] = linear;
        break;
      }
      int64_t extent = source.isDynamicDim(i) ? 0 : source.getDimSize(i);
      if (extent == 0) {
        fail("a reshape with a dynamic inner extent is not supported by the CPU backend", op);
        extent = 1;
      }
      from[i] = remainder(linear, extent);
      linear = divided(linear, extent);
    }
  }
  return evaluate(op.getSource(), from, scope);
}

llvm::Value *PhaseLowering::computeCat(CatOp op, const Positions &at, Scope &scope) {
  const Position &p = at[op.getDim()];
  unsigned lanes = p.scope ? p.scope->lanes : 1;
  llvm::Type *i64 = llvm::Type::getInt64Ty(context);
  llvm::Value *result = nullptr;
  int64_t low = 0;
  for (Value source : op.getSources()) {
    int64_t extent = cast<RankedTensorType>(source.getType()).getDimSize(op.getDim());
    Positions inner = at;
    Position &q = inner[op.getDim()];
    q.bounds = {};
    int64_t width = p.kind == PositionKind::Consecutive ? lanes : 1;
    if (!p.base) {
      if (p.offset >= low && p.offset + width <= low + extent) { // all lanes in this source
        q.offset -= low;
        return evaluate(source, inner, scope);
      }
      if (p.offset >= low + extent || p.offset + width <= low) {
        low += extent;
        continue;
      }
    }
    llvm::IRBuilder<> &here = p.scope->builder;
    bool aligned = p.kind != PositionKind::Scattered && p.base && p.multiple % width == 0 && p.offset % width == 0 && low % width == 0 &&
                   extent % width == 0;
    auto clamp = [&](llvm::Value *index, int64_t last) {
      llvm::Value *local = here.CreateSub(index, llvm::ConstantInt::get(index->getType(), low));
      local = here.CreateBinaryIntrinsic(llvm::Intrinsic::smax, local, llvm::ConstantInt::get(index->getType(), 0));
      return here.CreateBinaryIntrinsic(llvm::Intrinsic::smin, local, llvm::ConstantInt::get(index->getType(), last));
    };
    llvm::Value *isHere;
    if (p.kind == PositionKind::Uniform || aligned) {
      llvm::Value *index = uniform(p);
      isHere = here.CreateICmpSGE(index, llvm::ConstantInt::get(i64, low));
      q.base = clamp(index, extent - width);
      q.offset = 0;
      q.multiple = width;
    } else {
      llvm::Value *index = laneIndices(p, i64, *p.scope);
      isHere = here.CreateICmpSGE(index, llvm::ConstantInt::get(index->getType(), low));
      q.kind = PositionKind::Scattered;
      q.base = clamp(index, extent - 1);
      q.offset = 0;
    }
    llvm::Value *value = evaluate(source, inner, scope);
    result = result ? selectLanes(isHere, value, result, scope) : value;
    low += extent;
  }
  return result;
}

llvm::Value *PhaseLowering::selectLanes(llvm::Value *condition, llvm::Value *yes, llvm::Value *no, Scope &scope) {
  bool vector = yes->getType()->isVectorTy() || no->getType()->isVectorTy() || condition->getType()->isVectorTy();
  auto spread = [&](llvm::Value *value) {
    return vector && !value->getType()->isVectorTy() ? scope.builder.CreateVectorSplat(scope.lanes, value) : value;
  };
  if (!condition->getType()->isVectorTy()) return scope.builder.CreateSelect(condition, spread(yes), spread(no));
  return scope.builder.CreateSelect(condition, spread(yes), spread(no));
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

llvm::Value *PhaseLowering::evaluate(Value value, const Positions &at, Scope &current) {
  if (!isTile(value.getType())) return scalar(value);
  Scope &scope = scopeOf(at);
  Scope::Key key{value.getAsOpaquePointer(), {}};
  for (const Position &position : at) key.second.push_back({position.base, position.offset * 4 + int64_t(position.kind)});
  for (Scope *known = &scope; known; known = known->parent)
    if (auto found = known->memo.find(key); found != known->memo.end()) return found->second;
  llvm::Value *result;
  if (plan->isBuffered(value)) {
    const Buffer &buffer = bufferOf(value);
    result = loadElements(bufferAddress(buffer, at, scope), buffer.element, scope, nullptr);
  } else {
    result = compute(value, at, scope);
  }
  scope.memo[key] = result;
  return result;
}

llvm::Value *PhaseLowering::computeInto(Value value, const Positions &at, Scope &current) {
  Scope &scope = scopeOf(at);
  Scope::Key key{value.getAsOpaquePointer(), {}};
  for (const Position &position : at) key.second.push_back({position.base, position.offset * 4 + int64_t(position.kind)});
  return scope.memo[key] = compute(value, at, scope);
}

llvm::Value *PhaseLowering::compute(Value value, const Positions &at, Scope &scope) {
  Operation *op = value.getDefiningOp();
  llvm::IRBuilder<> &here = scope.builder;
  return llvm::TypeSwitch<Operation *, llvm::Value *>(op)
      .Case<LoadOp, GatherOp>([&](auto access) {
        Value pad = access.getPad();
        return loadElements(addressOf(access, at, scope), cast<ViewType>(access.getView().getType()).getElementType(), scope,
                            pad ? scalar(pad) : nullptr);
      })
      .Case([&](IndexOp index) {
        llvm::Type *element = registerType(index.getResult().getType());
        llvm::Value *begin = here.CreateZExtOrTrunc(range(index.getRange()).begin, element);
        if (at[0].kind == PositionKind::Uniform) return here.CreateAdd(begin, here.CreateZExtOrTrunc(uniform(at[0]), element));
        Position p = at[0];
        llvm::Value *lanes = laneIndices(p, element, scope);
        return here.CreateAdd(lanes, here.CreateVectorSplat(scope.lanes, begin));
      })
      .Case([&](IotaOp iota) -> llvm::Value * {
        llvm::Type *element = registerType(iota.getResult().getType());
        mlir::Type type = elementOf(iota.getResult().getType());
        bool real = isa<FloatType>(type);
        llvm::Type *integer = real ? llvm::Type::getInt32Ty(context) : element;
        llvm::Value *index =
            at[0].kind == PositionKind::Uniform ? here.CreateZExtOrTrunc(uniform(at[0]), integer) : laneIndices(at[0], integer, scope);
        return real ? convert(index, IntegerType::get(type.getContext(), 32), type, false, here) : index;
      })
      .Case([&](SplatOp splat) { return scalar(splat.getScalar()); })
      .Case([&](RandomOp random) {
        llvm::Value *position = evaluate(random.getPosition(), at, scope);
        return emitPhilox(here, scalar(random.getSeed()), position, unsigned(random.getWord()));
      })
      .Case([&](BroadcastOp broadcast) {
        Positions inner;
        for (auto [i, position] : llvm::enumerate(at))
          if (!llvm::is_contained(broadcast.getAlong(), int64_t(i))) inner.push_back(position);
        return evaluate(broadcast.getSource(), inner, scope);
      })
      .Case([&](TransposeOp transpose) {
        Positions inner(at.size());
        for (auto [i, from] : llvm::enumerate(transpose.getPermutation())) inner[from] = at[i];
        return evaluate(transpose.getSource(), inner, scope);
      })
      .Case([&](ReshapeOp reshape) { return computeReshape(reshape, at, scope); })
      .Case([&](CatOp cat) { return computeCat(cat, at, scope); })
      .Case([&](JoinOp join) -> llvm::Value * {
        Positions inner(at.begin(), at.end() - 1);
        const Position &which = at.back();
        if (which.isConstant()) return evaluate(which.offset == 0 ? join.getLhs() : join.getRhs(), inner, scope);
        llvm::Value *left = evaluate(join.getLhs(), inner, scope), *right = evaluate(join.getRhs(), inner, scope);
        llvm::Value *index = which.kind == PositionKind::Uniform ? uniform(which) : laneIndices(which, here.getInt64Ty(), scope);
        return selectLanes(here.CreateICmpEQ(index, llvm::Constant::getNullValue(index->getType())), left, right, scope);
      })
      .Case([&](SplitOp split) {
        Positions inner = at;
        inner.push_back(Position::constant(value == split.getFirst() ? 0 : 1));
        return evaluate(split.getSource(), inner, scope);
      })
      .Default([&](Operation *other) -> llvm::Value * {
        SmallVector<llvm::Value *, 4> operands;
        bool vector = false;
        for (Value operand : other->getOperands()) {
          operands.push_back(evaluate(operand, at, scope));
          vector |= operands.back()->getType()->isVectorTy();
        }
        // One divisor for all lanes: its reciprocal costs a multiplication a lane (and at most one more ulp).
        if (isa<arith::DivFOp>(other) && vector && !operands[1]->getType()->isVectorTy()) {
          mlir::Type element = elementOf(other->getResult(0).getType());
          llvm::Value *divisor = widen(operands[1], element, here), *left = widen(operands[0], element, here);
          llvm::Value *reciprocal = here.CreateFDiv(llvm::ConstantFP::get(divisor->getType(), 1.0), divisor);
          return narrow(here.CreateFMul(left, here.CreateVectorSplat(scope.lanes, reciprocal)), element, here);
        }
        if (vector)
          for (llvm::Value *&operand : operands)
            if (!operand->getType()->isVectorTy()) operand = here.CreateVectorSplat(scope.lanes, operand);
        return elementwise(other, operands, here);
      });
}

} // namespace pantile::cpu
