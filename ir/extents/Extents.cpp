//===- ir/extents/Extents.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;

namespace pantile::tile {

bool Extent::within(const Extent &other) const {
  return llvm::all_of(other.atoms, [&](const ExtentAtom &atom) { return contains(atom); });
}

bool Extent::join(const Extent &other) {
  bool changed = false;
  for (const ExtentAtom &atom : other.atoms)
    if (!contains(atom)) {
      atoms.push_back(atom);
      changed = true;
    }
  return changed;
}

Extent Extent::scaled(int64_t multiply, int64_t divide) const {
  Extent result;
  for (ExtentAtom atom : atoms) {
    atom.multiply *= multiply;
    atom.divide *= divide;
    int64_t common = std::gcd(atom.multiply, atom.divide);
    atom.multiply /= common;
    atom.divide /= common;
    result.atoms.push_back(atom);
  }
  return result;
}

Value viewOf(Operation *access) {
  return llvm::TypeSwitch<Operation *, Value>(access)
      .Case<LoadOp, StoreOp, GatherOp, ScatterOp, AtomicRMWOp>([](auto op) { return Value(op.getView()); })
      .Default(Value());
}

bool writesView(Operation *op) { return isa<StoreOp, ScatterOp, AtomicRMWOp>(op); }

SmallVector<Subscript, 4> subscriptsOf(Operation *access) {
  using Parts = std::pair<OperandRange, ArrayAttr>;
  Parts parts = llvm::TypeSwitch<Operation *, Parts>(access)
                    .Case([](LoadOp op) { return Parts(op.getSubscripts(), op.getKinds()); })
                    .Case([](StoreOp op) { return Parts(op.getSubscripts(), op.getKinds()); })
                    .Case([](GatherOp op) { return Parts(op.getSubscripts(), op.getKinds()); })
                    .Case([](ScatterOp op) { return Parts(op.getSubscripts(), op.getKinds()); })
                    .Case([](AtomicRMWOp op) { return Parts(op.getSubscripts(), op.getKinds()); });
  auto [operands, kinds] = parts;
  SmallVector<Subscript, 4> result;
  unsigned next = 0;
  for (Attribute kind : kinds) {
    if (auto symbol = dyn_cast<FlatSymbolRefAttr>(kind)) {
      result.push_back({Subscript::Full, {}, symbol.getValue(), 0});
    } else if (auto text = dyn_cast<StringAttr>(kind)) {
      result.push_back({Subscript::Full, {}, text.getValue(), 0});
    } else if (auto extent = dyn_cast<IntegerAttr>(kind)) {
      result.push_back({Subscript::Full, {}, {}, extent.getInt()});
    } else {
      Value value = operands[next++];
      Subscript::Kind of = isa<RangeType>(value.getType()) ? Subscript::Range
                           : isTile(value.getType())       ? Subscript::Tile
                                                           : Subscript::Index;
      result.push_back({of, value, {}, 0});
    }
  }
  return result;
}

namespace {

/// Extents as symbols times constants: a reshape's groups close where both sides multiply to the same.
struct Product {
  int64_t constant = 1;
  SmallVector<StringRef, 2> symbols;
  void add(RankedTensorType type, unsigned dim) {
    Dim entry = dimsOf(type)[dim];
    if (entry.isConstant()) {
      constant *= entry.factor;
    } else {
      constant *= entry.factor;
      symbols.push_back(entry.symbol.getValue());
      llvm::sort(symbols);
    }
  }
  bool operator==(const Product &) const = default;
};

} // namespace

SmallVector<ReshapeGroup, 4> reshapeGroups(ReshapeOp op) {
  auto source = cast<RankedTensorType>(op.getSource().getType()), result = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<ReshapeGroup, 4> groups;
  unsigned i = 0, j = 0, m = source.getRank(), n = result.getRank();
  while (i < m || j < n) {
    ReshapeGroup group{i, i, j, j};
    Product left, right;
    if (i < m) left.add(source, i++);
    if (j < n) right.add(result, j++);
    while (!(left == right)) {
      bool advanceLeft =
          left.symbols.size() < right.symbols.size() || (left.symbols.size() == right.symbols.size() && left.constant < right.constant);
      if (advanceLeft && i < m)
        left.add(source, i++);
      else if (!advanceLeft && j < n)
        right.add(result, j++);
      else if (i < m)
        left.add(source, i++);
      else if (j < n)
        right.add(result, j++);
      else
        return {};
    }
    group.sourceEnd = i;
    group.resultEnd = j;
    groups.push_back(group);
  }
  return groups;
}

ExtentAtom ExtentAnalysis::atomOfSize(Value view, int64_t dim) const {
  while (auto pack = view.getDefiningOp<PackOp>()) view = pack.getView();
  auto known = sizes.find({view, dim});
  return known == sizes.end() ? ExtentAtom{view, dim} : known->second;
}

int64_t ExtentAnalysis::staticSize(Value view, int64_t dim) const {
  while (auto pack = view.getDefiningOp<PackOp>()) view = pack.getView();
  int64_t size = cast<ViewType>(view.getType()).getShape()[dim];
  if (!ShapedType::isDynamic(size)) return size;
  auto argument = dyn_cast<BlockArgument>(view);
  auto names = argument ? KernelOp(kernel).getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tile.sizes") : ArrayAttr();
  StringRef name = names && size_t(dim) < names.size() ? cast<StringAttr>(names[dim]).getValue() : StringRef();
  return name.getAsInteger(10, size) ? -1 : size;
}

ExtentAtom ExtentAnalysis::atomOfRange(Value range) const {
  int64_t multiply = 1;
  while (Operation *op = range.getDefiningOp()) {
    if (auto shift = dyn_cast<ShiftOp>(op)) {
      range = shift.getRange();
    } else if (auto scale = dyn_cast<ScaleOp>(op)) {
      multiply *= scale.getFactor();
      range = scale.getRange();
    } else {
      break;
    }
  }
  return {range, -1, multiply, 1};
}

const ExtentAtom *ExtentAnalysis::atomOfSymbol(StringRef symbol) const {
  auto found = symbols.find(symbol);
  return found == symbols.end() ? nullptr : &found->second;
}

Extents ExtentAnalysis::ofSubscripts(Operation *access) const {
  Value view = viewOf(access);
  Extents result;
  bool tilesSeen = false;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(access))) {
    switch (subscript.kind) {
    case Subscript::Index:
      break;
    case Subscript::Range:
      result.push_back({{atomOfRange(subscript.value)}});
      break;
    case Subscript::Full:
      // A constant extent is bounded by the view only where the view's size is not that constant.
      if (subscript.symbol.empty() && staticSize(view, int64_t(dim)) == subscript.extent)
        result.emplace_back();
      else
        result.push_back({{atomOfSize(view, dim)}});
      break;
    case Subscript::Tile: {
      Extents positions = of(subscript.value);
      if (!tilesSeen) {
        result.append(positions);
        tilesSeen = true;
      } else {
        // All tiles of positions have one shape, which stands where the first one does.
        unsigned at = 0;
        for (auto [before, earlier] : llvm::enumerate(subscriptsOf(access))) {
          if (earlier.kind == Subscript::Tile) break;
          if (earlier.kind != Subscript::Index) ++at;
        }
        for (auto [i, extent] : llvm::enumerate(positions)) result[at + i].join(extent);
      }
      break;
    }
    }
  }
  return result;
}

Extents ExtentAnalysis::visit(Operation *op, unsigned index) const {
  Value result = op->getResult(index);
  auto type = cast<RankedTensorType>(result.getType());
  Extents whole(type.getRank());
  return llvm::TypeSwitch<Operation *, Extents>(op)
      .Case<LoadOp, GatherOp>([&](Operation *access) { return ofSubscripts(access); })
      .Case([&](TopKOp top) {
        Extents extents = of(top.getSource());
        if (dimsOf(type)[top.getDim()].isConstant()) extents[top.getDim()] = {};
        return extents;
      })
      .Case([&](AtomicRMWOp atomic) {
        Extents extents = ofSubscripts(atomic);
        for (auto [i, extent] : llvm::enumerate(of(atomic.getValue()))) extents[i].join(extent);
        return extents;
      })
      .Case([&](IndexOp index) { return Extents{Extent{{atomOfRange(index.getRange())}}}; })
      .Case<IotaOp, SplatOp>([&](Operation *) { return whole; })
      .Case([&](BroadcastOp broadcast) {
        Extents extents = whole;
        unsigned next = 0;
        const Extents &source = of(broadcast.getSource());
        for (unsigned i = 0; i < extents.size(); ++i)
          if (!llvm::is_contained(broadcast.getAlong(), int64_t(i))) extents[i] = source[next++];
        return extents;
      })
      .Case([&](TransposeOp transpose) {
        Extents extents = whole;
        const Extents &source = of(transpose.getSource());
        for (auto [i, from] : llvm::enumerate(transpose.getPermutation())) extents[i] = source[from];
        return extents;
      })
      .Case([&](ReshapeOp reshape) {
        Extents extents = whole;
        const Extents &source = of(reshape.getSource());
        auto from = cast<RankedTensorType>(reshape.getSource().getType());
        for (const ReshapeGroup &group : reshapeGroups(reshape)) {
          // One bounded dimension a side, the outermost of its group, carries the bound; the others are constant.
          int bounded = -1;
          int64_t inner = 1, innerResult = 1;
          for (unsigned i = group.sourceBegin; i < group.sourceEnd; ++i) {
            if (bounded < 0 && !source[i].isWhole())
              bounded = int(i);
            else if (bounded >= 0)
              inner *= from.isDynamicDim(i) ? 1 : from.getDimSize(i);
          }
          if (bounded < 0 || group.resultBegin == group.resultEnd) continue;
          int target = -1;
          for (unsigned j = group.resultBegin; j < group.resultEnd; ++j) {
            if (target < 0 && (type.isDynamicDim(j) || type.getDimSize(j) != 1))
              target = int(j);
            else if (target >= 0)
              innerResult *= type.isDynamicDim(j) ? 1 : type.getDimSize(j);
          }
          if (target >= 0) extents[target] = source[bounded].scaled(inner, innerResult);
        }
        return extents;
      })
      .Case([&](CatOp cat) {
        Extents extents = whole;
        for (Value source : cat.getSources())
          for (auto [i, extent] : llvm::enumerate(of(source)))
            if (i != cat.getDim()) extents[i].join(extent);
        return extents;
      })
      .Case([&](JoinOp join) {
        Extents extents = of(join.getLhs());
        for (auto [i, extent] : llvm::enumerate(of(join.getRhs()))) extents[i].join(extent);
        extents.emplace_back();
        return extents;
      })
      .Case([&](SplitOp split) {
        Extents extents = of(split.getSource());
        extents.pop_back();
        return extents;
      })
      .Case([&](DotOp dot) {
        Extents extents = of(dot.getAcc());
        const Extents &lhs = of(dot.getLhs()), &rhs = of(dot.getRhs());
        unsigned rank = extents.size();
        for (unsigned i = 0; i + 2 < rank; ++i) {
          extents[i].join(lhs[i]);
          extents[i].join(rhs[i]);
        }
        extents[rank - 2].join(lhs[dot.getTransposeLhs() ? rank - 1 : rank - 2]);
        extents[rank - 1].join(rhs[dot.getTransposeRhs() ? rank - 2 : rank - 1]);
        return extents;
      })
      .Case([&](ReduceOp reduce) {
        Extents extents;
        for (Value source : reduce.getSources()) {
          Extents rest = of(source);
          rest.erase(rest.begin() + reduce.getDim());
          if (extents.empty()) extents = rest;
          for (auto [i, extent] : llvm::enumerate(rest)) extents[i].join(extent);
        }
        return extents;
      })
      .Default([&](Operation *other) {
        // Elementwise (and scans): operands of one shape.
        Extents extents = whole;
        for (Value operand : other->getOperands())
          if (isTile(operand.getType()) && cast<RankedTensorType>(operand.getType()).getRank() == type.getRank())
            for (auto [i, extent] : llvm::enumerate(of(operand))) extents[i].join(extent);
        return extents;
      });
}

const Extents &ExtentAnalysis::of(Value tile) const {
  auto found = extents.find(tile);
  assert(found != extents.end() && "not a tile of this kernel");
  return found->second;
}

bool ExtentAnalysis::update(Value value, const Extents &computed) {
  Extents &known = extents[value];
  if (known.size() != computed.size()) {
    known = computed;
    return true;
  }
  bool changed = false;
  for (auto [to, from] : llvm::zip(known, computed)) changed |= to.join(from);
  return changed;
}

void ExtentAnalysis::solveLoop(Operation *loop, ValueRange inits, ValueRange carries, ValueRange yields) {
  auto visible = [&](const Extents &from) {
    Extents result(from.size());
    for (auto [to, extent] : llvm::zip(result, from))
      for (const ExtentAtom &atom : extent.atoms) {
        Region *home = Value(atom.source).getParentRegion();
        if (!loop->isAncestor(home->getParentOp())) to.atoms.push_back(atom);
      }
    return result;
  };
  for (auto [carry, init] : llvm::zip(carries, inits))
    if (isTile(carry.getType())) update(carry, of(init));
  for (bool changed = true; changed;) {
    for (Region &region : loop->getRegions()) solve(region);
    changed = false;
    for (auto [carry, yielded] : llvm::zip(carries, yields))
      if (isTile(carry.getType())) changed |= update(carry, visible(of(yielded)));
  }
  for (auto [result, carry] : llvm::zip(loop->getResults(), carries))
    if (isTile(result.getType())) update(result, of(carry));
}

void ExtentAnalysis::solve(Region &region) {
  for (Block &block : region)
    for (Operation &op : block) {
      if (auto loop = dyn_cast<LoopOp>(op)) {
        Block &body = loop.getBody().front();
        solveLoop(loop, loop.getInits(), body.getArguments().take_back(loop.getInits().size()), body.getTerminator()->getOperands());
      } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
        solveLoop(loop, loop.getInitArgs(), loop.getRegionIterArgs(), loop.getBody()->getTerminator()->getOperands());
      } else if (auto choice = dyn_cast<scf::IfOp>(op)) {
        for (Region &branch : choice->getRegions()) {
          solve(branch);
          if (branch.empty()) continue;
          for (auto [result, yielded] : llvm::zip(choice.getResults(), branch.front().getTerminator()->getOperands()))
            if (isTile(result.getType())) {
              Extents outer = of(yielded);
              for (Extent &extent : outer)
                llvm::erase_if(extent.atoms, [&](const ExtentAtom &atom) {
                  return choice->isAncestor(Value(atom.source).getParentRegion()->getParentOp());
                });
              update(result, outer);
            }
        }
      } else if (isa<ReduceOp, ScanOp>(op)) {
        for (unsigned i = 0; i < op.getNumResults(); ++i)
          if (isTile(op.getResult(i).getType())) update(op.getResult(i), visit(&op, i));
      } else {
        for (Region &inner : op.getRegions()) solve(inner);
        for (unsigned i = 0; i < op.getNumResults(); ++i)
          if (isTile(op.getResult(i).getType())) update(op.getResult(i), visit(&op, i));
      }
    }
}

ExtentAnalysis::ExtentAnalysis(KernelOp kernel) : kernel(kernel) {
  llvm::DenseMap<StringRef, ExtentAtom> named;
  Block &body = kernel.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    auto view = dyn_cast<ViewType>(argument.getType());
    if (!view) continue;
    auto names = kernel.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tile.sizes");
    if (!names) continue;
    for (auto [dim, name] : llvm::enumerate(names.getAsValueRange<StringAttr>())) {
      ExtentAtom atom{argument, int64_t(dim)};
      sizes[{argument, int64_t(dim)}] = named.try_emplace(name, atom).first->second;
    }
  }
  // Parameters of workspaces are sizes of other views: `tile.workspace(%M, %N)`.
  kernel.walk([&](WorkspaceOp workspace) {
    for (auto [dim, size] : llvm::enumerate(workspace.getSizes()))
      if (auto of = size.getDefiningOp<DimOp>()) sizes[{workspace.getResult(), int64_t(dim)}] = atomOfSize(of.getView(), of.getDim());
  });
  kernel.walk([&](Operation *op) {
    if (!viewOf(op)) return;
    for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(op)))
      if (subscript.kind == Subscript::Full && !subscript.symbol.empty())
        symbols.try_emplace(subscript.symbol, atomOfSize(viewOf(op), dim));
  });
  solve(kernel.getBody());
}

} // namespace pantile::tile
