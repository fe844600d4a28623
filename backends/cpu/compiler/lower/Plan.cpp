//===- cpu/compiler/lower/Plan.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/lower/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

constexpr unsigned kExpensive = 9;     ///< vector operations worth a store and a load in another nest
constexpr unsigned kWorthHoisting = 3; ///< out of a loop

/// Rough vector operations an element takes.
unsigned operationCost(Operation *op) {
  if (isa<math::ExpOp, math::Exp2Op, math::LogOp, math::Log2Op, math::ExpM1Op, math::Log1pOp>(op)) return 12;
  if (isa<math::TanhOp, math::ErfOp, math::SinOp, math::CosOp, math::PowFOp>(op)) return 20;
  if (op->getDialect() && op->getDialect()->getNamespace() == "math" && !isa<math::AbsFOp, math::FmaOp, math::FloorOp, math::CeilOp>(op))
    return 8;
  if (isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op)) return 6;
  if (isa<GatherOp>(op)) return 10;
  if (isa<RandomOp>(op)) return 60;
  if (isa<BroadcastOp, TransposeOp, SplatOp, IotaOp, IndexOp, ReshapeOp, arith::ConstantOp>(op)) return 0;
  if (isa<CatOp, JoinOp, SplitOp>(op)) return 2;
  return 1;
}

bool isShape(Operation *op) { return isa<BroadcastOp, TransposeOp, ReshapeOp, CatOp, JoinOp, SplitOp>(op); }

unsigned loopDepth(Block *block) {
  unsigned depth = 0;
  for (Operation *op = block->getParentOp(); op && !isa<GridOp, KernelOp>(op); op = op->getParentOp()) depth += isa<LoopOp, scf::ForOp>(op);
  return depth;
}

} // namespace

bool isZeroSplat(Value value) {
  if (auto splat = value.getDefiningOp<SplatOp>()) {
    auto constant = splat.getScalar().getDefiningOp<arith::ConstantOp>();
    if (!constant) return false;
    if (auto real = dyn_cast<FloatAttr>(constant.getValue())) return real.getValue().isPosZero();
    if (auto integer = dyn_cast<IntegerAttr>(constant.getValue())) return integer.getValue().isZero();
  }
  return false;
}

DotOp overwritingDot(Value carry) {
  auto argument = dyn_cast<BlockArgument>(carry);
  auto loop = argument ? dyn_cast<LoopOp>(argument.getOwner()->getParentOp()) : LoopOp();
  if (!loop || !carry.hasOneUse()) return {};
  unsigned count = unsigned(loop.getInits().size()), first = argument.getOwner()->getNumArguments() - count;
  if (argument.getArgNumber() < first) return {};
  unsigned number = argument.getArgNumber() - first;
  auto dot = dyn_cast<DotOp>(*carry.getUsers().begin());
  if (!dot || dot.getAcc() != carry || dot->getBlock() != argument.getOwner() || !dot.getResult().hasOneUse()) return {};
  bool yielded = argument.getOwner()->getTerminator()->getOperand(number) == dot.getResult();
  return yielded && isZeroSplat(loop.getInits()[number]) && dot.getResult().getType() == carry.getType() ? dot : DotOp();
}

bool isLazyOperation(Operation *op) { return !isa<DotOp, ReduceOp, ScanOp, TopKOp, AtomicRMWOp, LoopOp, scf::IfOp, scf::ForOp>(op); }

Value writtenValue(Operation *write) {
  if (auto store = dyn_cast<StoreOp>(write)) return store.getValue();
  if (auto scatter = dyn_cast<ScatterOp>(write)) return scatter.getValue();
  return cast<AtomicRMWOp>(write).getValue();
}

Plan::Plan(GridOp grid, const ExtentAnalysis &extents, ReadsInPlace readsInPlace)
    : grid(grid), extents(extents), readsInPlace(std::move(readsInPlace)) {
  // Every round elects at least one value or separates one accumulator, so this ends.
  do { build(); } while (unshareConflicts() || elect());
}

bool Plan::isBuffered(Value tile) const {
  if (elected.contains(tile)) return true;
  Operation *op = tile.getDefiningOp();
  return !op || !isLazyOperation(op);
}

Value Plan::owner(Value tile) const {
  for (auto found = owners.find(tile); found != owners.end(); found = owners.find(tile)) tile = found->second;
  return tile;
}

Domain Plan::domain(const Root &root) const {
  auto joined = [&](Value value, Operation *access) {
    Domain domain{cast<RankedTensorType>(value.getType()), extents.of(value)};
    if (access)
      for (auto [extent, bound] : llvm::zip(domain.extents, extents.ofSubscripts(access))) extent.join(bound);
    return domain;
  };
  switch (root.kind) {
  case Root::Store:
  case Root::Scatter:
    return joined(writtenValue(root.op), root.op);
  case Root::Fill: {
    Domain domain = joined(root.value, nullptr);
    if (root.target != root.value)
      for (auto [extent, bound] : llvm::zip(domain.extents, extents.of(root.target))) extent.join(bound);
    return domain;
  }
  case Root::Reduce: {
    auto reduce = cast<ReduceOp>(root.op);
    Domain domain = joined(reduce.getSources().front(), nullptr);
    for (Value source : reduce.getSources().drop_front())
      for (auto [extent, bound] : llvm::zip(domain.extents, extents.of(source))) extent.join(bound);
    domain.reduced = reduce.getDim();
    return domain;
  }
  }
  llvm_unreachable("all kinds");
}

//===----------------------------------------------------------------------===//
// What a lazy value reads
//===----------------------------------------------------------------------===//

void Plan::collect(Value value, bool shifted, Leaves &into, llvm::DenseSet<Value> &seen) {
  if (!isTile(value.getType()) || isBuffered(value)) {
    into.push_back({value, shifted});
    return;
  }
  if (!shifted && !seen.insert(value).second) return;
  Operation *op = value.getDefiningOp();
  if (isa<LoadOp, GatherOp>(op)) into.push_back({value, shifted});
  for (Value operand : op->getOperands())
    if (!isa<ViewType>(operand.getType())) collect(operand, shifted || isShape(op) || isa<GatherOp>(op), into, seen);
}

const Plan::Leaves &Plan::leaves(Value value) {
  auto [found, isNew] = leafCache.try_emplace(value);
  if (isNew) {
    Leaves result;
    llvm::DenseSet<Value> seen;
    collect(value, false, result, seen);
    leafCache[value] = std::move(result);
  }
  return leafCache[value];
}

Plan::Leaves Plan::rootLeaves(const Root &root) {
  Leaves result;
  auto add = [&](Value value, bool shifted) {
    if (isa<ViewType>(value.getType())) return;
    // A buffered value that this very root fills is computed from its operation, not read.
    if (root.kind == Root::Fill && value == root.value && root.target == value && isTile(value.getType()) && elected.contains(value)) {
      Operation *op = value.getDefiningOp();
      if (isa<LoadOp, GatherOp>(op)) result.push_back({value, false});
      for (Value operand : op->getOperands())
        if (!isa<ViewType>(operand.getType()))
          for (Leaf leaf : leaves(operand)) result.push_back({leaf.value, leaf.shifted || isShape(op) || isa<GatherOp>(op)});
      return;
    }
    for (Leaf leaf : leaves(value)) result.push_back({leaf.value, leaf.shifted || shifted});
  };
  if (root.kind == Root::Fill) {
    add(root.value, false);
  } else {
    Value stored = root.kind == Root::Store || root.kind == Root::Scatter ? writtenValue(root.op) : Value();
    for (Value operand : root.op->getOperands()) add(operand, root.kind == Root::Scatter && operand != stored);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Building steps
//===----------------------------------------------------------------------===//

bool Plan::joins(const Step &group, const Root &root) {
  Domain mine = domain(root), theirs = domain(group.roots.front());
  if (mine.type.getShape() != theirs.type.getShape()) return false;
  for (auto [a, b] : llvm::zip(mine.extents, theirs.extents))
    if (!(a == b)) return false;
  int64_t reduced = mine.reduced;
  for (const Root &other : group.roots) {
    int64_t dim = domain(other).reduced;
    if (dim >= 0 && reduced >= 0 && dim != reduced) return false;
    if (other.kind == Root::Scatter || root.kind == Root::Scatter) return false;
  }
  Leaves read = rootLeaves(root);
  for (const Root &other : group.roots) {
    for (const Leaf &leaf : read) {
      if (other.kind == Root::Reduce && llvm::is_contained(other.op->getResults(), leaf.value)) return false;
      if (other.kind == Root::Fill && isTile(leaf.value.getType()) && owner(leaf.value) == owner(other.target)) {
        // The value just computed may be read where it stands; an old value about to be overwritten only likewise.
        if (leaf.shifted) return false;
        if (leaf.value != other.target && leaf.value != other.value && owner(leaf.value) != leaf.value) return false;
      }
      if (other.kind == Root::Store && leaf.value.getDefiningOp() && viewOf(leaf.value.getDefiningOp()) &&
          isa<LoadOp, GatherOp>(leaf.value.getDefiningOp()) && viewOf(leaf.value.getDefiningOp()) == viewOf(other.op)) {
        Operation *load = leaf.value.getDefiningOp();
        if (load->getBlock() == other.op->getBlock() && other.op->isBeforeInBlock(load)) return false;
        if (leaf.shifted) return false;
      }
    }
    // What the group reads may not be overwritten elsewhere than where it stands.
    if (root.kind == Root::Fill || root.kind == Root::Store)
      for (const Leaf &leaf : rootLeaves(other)) {
        if (root.kind == Root::Fill && isTile(leaf.value.getType()) && owner(leaf.value) == owner(root.target) && leaf.shifted)
          return false;
        Operation *load = leaf.value.getDefiningOp();
        if (root.kind == Root::Store && load && isa<LoadOp, GatherOp>(load) && viewOf(load) == viewOf(root.op) && leaf.shifted)
          return false;
      }
  }
  return true;
}

void Plan::addRoot(std::vector<Step> &steps, Root root) {
  if (open && joins(steps.back(), root)) {
    steps.back().roots.push_back(root);
  } else {
    steps.push_back({Step::Nest, nullptr, {root}});
    ++nextStep;
    open = true;
  }
  Block *block = root.op ? root.op->getBlock() : nullptr;
  if (root.kind == Root::Fill) {
    if (root.target == root.value) {
      Operation *op = root.value.getDefiningOp();
      for (Value operand : op->getOperands()) noteUses(operand, nextStep, op->getBlock(), isShape(op) || isa<GatherOp>(op));
    } else {
      noteUses(root.value, nextStep, root.op->getBlock(), false);
    }
  } else {
    for (Value operand : root.op->getOperands()) noteUses(operand, nextStep, block, false);
  }
}

void Plan::noteUses(Value value, unsigned step, Block *block, bool shifted) {
  if (!isTile(value.getType())) return;
  auto &list = uses[value];
  if (!list.empty() && list.back().step == step && list.back().block == block && (list.back().shifted || !shifted)) return;
  list.push_back({step, block, shifted});
  if (isBuffered(value)) return;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands()) noteUses(operand, step, block, shifted || isShape(op) || isa<GatherOp>(op));
}

void Plan::visitTerminator(std::vector<Step> &steps, Operation *terminator) {
  Operation *parent = terminator->getParentOp();
  if (isa<GridOp>(parent)) return;
  SmallVector<std::pair<Value, Value>> lazy, copies; // value, target
  for (auto [i, yielded] : llvm::enumerate(terminator->getOperands())) {
    if (!isTile(yielded.getType())) continue;
    Value target = isa<scf::IfOp>(parent) ? Value(parent->getResult(i))
                   : isa<LoopOp>(parent)  ? Value(terminator->getBlock()->getArguments().take_back(terminator->getNumOperands())[i])
                                          : Value(cast<scf::ForOp>(parent).getRegionIterArgs()[i]);
    if (owner(yielded) == owner(target)) continue;
    (isBuffered(yielded) ? copies : lazy).push_back({yielded, target});
  }
  lazy.append(copies);
  for (auto [value, target] : lazy) addRoot(steps, {Root::Fill, terminator, value, target});
}

void Plan::visitOp(std::vector<Step> &steps, Operation *op) {
  auto touchesOpenGroup = [&](ValueRange values) {
    if (!open) return false;
    for (const Root &root : steps.back().roots)
      if (root.kind == Root::Reduce)
        for (Value value : values)
          if (llvm::is_contained(root.op->getResults(), value)) return true;
    return false;
  };
  if (writesView(op) && !isTile(writtenValue(op).getType())) {
    close();
    steps.push_back({Step::Scalar, op, {}});
  } else if (isa<StoreOp>(op)) {
    addRoot(steps, {Root::Store, op, {}, {}});
  } else if (isa<ScatterOp, AtomicRMWOp>(op)) {
    addRoot(steps, {Root::Scatter, op, {}, {}});
  } else if (isa<ReduceOp>(op)) {
    addRoot(steps, {Root::Reduce, op, {}, {}});
  } else if (auto dot = dyn_cast<DotOp>(op)) {
    Value acc = dot.getAcc(), target = dot.getResult();
    // In place on what a loop carries, or on an accumulator nobody else reads.
    if (!unshared.contains(target)) {
      Value shares;
      if (auto loop = dyn_cast<LoopOp>(op->getParentOp()))
        for (auto [carry, yielded] : llvm::zip(loop.getBody().front().getArguments().take_back(loop.getInits().size()),
                                               loop.getBody().front().getTerminator()->getOperands()))
          if (yielded == target && carry.getType() == target.getType()) {
            bool readShifted = false, reads = false;
            for (const Leaf &leaf : leaves(acc))
              if (leaf.value == carry) {
                reads = true;
                readShifted |= leaf.shifted;
              }
            if (reads && !readShifted) shares = carry;
          }
      if (!shares && isBuffered(acc) && acc.hasOneUse() && acc.getDefiningOp() && acc.getDefiningOp()->getBlock() == op->getBlock())
        shares = acc;
      if (shares && shares != target) owners[target] = shares;
    }
    if (!(isBuffered(acc) && owner(acc) == owner(target)) && !isZeroSplat(acc)) addRoot(steps, {Root::Fill, op, acc, target});
    close();
    steps.push_back({Step::Dot, op, {}});
    ++nextStep;
    noteUses(dot.getLhs(), nextStep, op->getBlock(), true);
    noteUses(dot.getRhs(), nextStep, op->getBlock(), true);
  } else if (isa<ScanOp, TopKOp>(op)) {
    close();
    steps.push_back({isa<ScanOp>(op) ? Step::Scan : Step::TopK, op, {}});
    ++nextStep;
    for (Value operand : op->getOperands()) noteUses(operand, nextStep, op->getBlock(), true);
  } else if (isa<LoopOp, scf::ForOp>(op)) {
    ValueRange inits = isa<LoopOp>(op) ? ValueRange(cast<LoopOp>(op).getInits()) : ValueRange(cast<scf::ForOp>(op).getInitArgs());
    Block &body = op->getRegion(0).front();
    auto carries = body.getArguments().take_back(inits.size());
    for (auto [init, carry, result] : llvm::zip(inits, carries, op->getResults())) {
      if (!isTile(init.getType())) continue;
      owners[result] = carry;
      Operation *maker = init.getDefiningOp();
      bool ownBlock = maker ? maker->getBlock() == op->getBlock() : cast<BlockArgument>(init).getOwner() == op->getBlock();
      if (isBuffered(init) && init.hasOneUse() && ownBlock && !unshared.contains(carry))
        owners[carry] = init;
      else if (!overwritingDot(carry))
        addRoot(steps, {Root::Fill, op, init, carry});
      else { // alone: it is skipped where the loop runs
        close();
        addRoot(steps, {Root::Fill, op, init, carry});
        close();
      }
    }
    close();
    steps.push_back({Step::Control, op, {}});
    ++nextStep;
    buildBlock(body);
  } else if (isa<scf::IfOp>(op)) {
    close();
    steps.push_back({Step::Control, op, {}});
    ++nextStep;
    for (Region &region : op->getRegions())
      if (!region.empty()) buildBlock(region.front());
  } else if (op->getNumResults() && isTile(op->getResult(0).getType())) {
    for (Value result : op->getResults())
      if (elected.contains(result)) addRoot(steps, {Root::Fill, op, result, result});
  } else if (!op->hasTrait<OpTrait::IsTerminator>()) {
    bool loads = isa<LoadOp>(op);
    if (touchesOpenGroup(op->getOperands()) || loads) close();
    if (open) {
      // Scalars come before the open group: they depend on nothing in it.
      Step group = std::move(steps.back());
      steps.back() = {Step::Scalar, op, {}};
      steps.push_back(std::move(group));
    } else {
      steps.push_back({Step::Scalar, op, {}});
    }
  }
}

void Plan::buildBlock(Block &block) {
  std::vector<Step> steps;
  close();
  for (Operation &op : block.without_terminator()) visitOp(steps, &op);
  if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>()) visitTerminator(steps, &block.back());
  close();
  blocks[&block] = std::move(steps);
}

void Plan::build() {
  blocks.clear();
  owners.clear();
  leafCache.clear();
  uses.clear();
  nextStep = 0;
  buildBlock(grid.getBody().front());
}

//===----------------------------------------------------------------------===//
// Electing buffers, separating accumulators
//===----------------------------------------------------------------------===//

unsigned Plan::cost(Value value, llvm::DenseMap<Value, unsigned> &memo) {
  if (!isTile(value.getType())) return 0;
  if (isBuffered(value)) return 1;
  auto [found, isNew] = memo.try_emplace(value, 0);
  if (!isNew) return 0; // counted once
  Operation *op = value.getDefiningOp();
  unsigned total = operationCost(op);
  for (Value operand : op->getOperands()) total += cost(operand, memo);
  return total;
}

bool Plan::elect() {
  bool changed = false;
  auto choose = [&](Value value) { changed |= elected.insert(value).second; };
  // Views that this phase both reads and writes.
  llvm::DenseSet<Value> written;
  grid.walk([&](Operation *op) {
    if (writesView(op)) written.insert(viewOf(op));
  });
  grid.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (changed) return; // one at a time: an elected value makes its users cheap
    if (auto dot = dyn_cast<DotOp>(op)) {
      for (Value operand : {dot.getLhs(), dot.getRhs()})
        if (!isBuffered(operand) && !readsInPlace(dot, operand, operand == dot.getLhs())) choose(operand);
      return;
    }
    if (op->getNumResults() != 1 || !isTile(op->getResult(0).getType()) || !isLazyOperation(op)) return;
    Value value = op->getResult(0);
    if (isBuffered(value)) return;
    const auto &where = uses[value];
    llvm::SmallDenseSet<unsigned> steps;
    bool deeper = false, shifted = false;
    for (const Use &use : where) {
      steps.insert(use.step);
      deeper |= loopDepth(use.block) > loopDepth(op->getBlock());
      shifted |= use.shifted;
    }
    if (isa<LoadOp, GatherOp>(op) && written.contains(viewOf(op))) {
      bool inPlace = steps.size() == 1 && !shifted && !deeper;
      if (inPlace) {
        // Its one nest must be the first to write the view, where it was read.
        for (Operation *next = op->getNextNode(); next && inPlace; next = next->getNextNode()) {
          if (next->getNumRegions()) next->walk([&](Operation *inner) { inPlace &= !(writesView(inner) && viewOf(inner) == viewOf(op)); });
          if (auto store = dyn_cast<StoreOp>(next); store && viewOf(store) == viewOf(op)) {
            auto load = dyn_cast<LoadOp>(op);
            inPlace = load && load.getKinds() == store.getKinds() && load.getSubscripts() == store.getSubscripts();
            // The store itself must be the one nest that reads.
            inPlace &= llvm::any_of(leaves(store.getValue()), [&](const Leaf &leaf) { return leaf.value == value; });
            break;
          }
          if (isa<ScatterOp, AtomicRMWOp>(next) && viewOf(next) == viewOf(op)) inPlace = false;
        }
      }
      if (!inPlace) return choose(value);
    }
    if (where.empty()) return;
    llvm::DenseMap<Value, unsigned> memo;
    unsigned price = cost(value, memo);
    if (steps.size() > 1 && price >= kExpensive) return choose(value);
    if (deeper && price >= kWorthHoisting) return choose(value);
    // Repeated along leading dimensions, it would be evaluated again in every row.
    if (price >= kExpensive)
      for (Operation *user : value.getUsers())
        if (auto broadcast = dyn_cast<BroadcastOp>(user)) {
          int64_t rank = cast<RankedTensorType>(broadcast.getResult().getType()).getRank();
          for (auto [i, dim] : llvm::enumerate(llvm::reverse(broadcast.getAlong())))
            if (dim != rank - 1 - int64_t(i)) return choose(value);
        }
  });
  // What a terminator stores in place must not be read, elsewhere or later, by another yield.
  if (!changed)
    for (auto &[block, steps] : blocks)
      for (size_t i = 0; i < steps.size() && !changed; ++i)
        for (const Root &root : steps[i].roots) {
          if (root.kind != Root::Fill || root.target == root.value || !root.op->hasTrait<OpTrait::IsTerminator>()) continue;
          for (const Leaf &leaf : rootLeaves(root))
            if (isTile(leaf.value.getType()) && isBuffered(leaf.value) && owner(leaf.value) == owner(root.target) && leaf.shifted &&
                !isBuffered(root.value))
              choose(root.value);
          for (size_t j = i + 1; j < steps.size(); ++j)
            for (const Root &later : steps[j].roots)
              for (const Leaf &leaf : rootLeaves(later))
                if (isTile(leaf.value.getType()) && isBuffered(leaf.value) && owner(leaf.value) == owner(root.target) &&
                    !isBuffered(root.value))
                  choose(root.value);
        }
  return changed;
}

bool Plan::unshareConflicts() {
  // A dot that overwrites a carry in place: no later step of the block may read the carry's old value.
  bool changed = false;
  for (auto &[block, steps] : blocks)
    for (size_t i = 0; i < steps.size(); ++i) {
      auto dot = dyn_cast_or_null<DotOp>(steps[i].op);
      if (!dot || !owners.contains(dot.getResult())) continue;
      Value shared = owner(dot.getResult());
      auto reads = [&](Value value) {
        for (const Leaf &leaf : leaves(value))
          if (leaf.value != dot.getResult() && isTile(leaf.value.getType()) && isBuffered(leaf.value) && owner(leaf.value) == shared) {
            // Later values in the same chain are fine.
            Operation *maker = leaf.value.getDefiningOp();
            if (maker && maker->getBlock() == dot->getBlock() && dot->isBeforeInBlock(maker)) continue;
            return true;
          }
        return false;
      };
      bool conflict = reads(dot.getLhs()) || reads(dot.getRhs());
      for (size_t j = i + 1; j < steps.size(); ++j) {
        for (const Root &root : steps[j].roots)
          for (const Leaf &leaf : rootLeaves(root))
            if (isTile(leaf.value.getType())) conflict |= leaf.value != dot.getResult() && isBuffered(leaf.value) && reads(leaf.value);
        if (Operation *op = steps[j].op) {
          for (Value operand : op->getOperands()) conflict |= isTile(operand.getType()) && reads(operand);
          for (Region &region : op->getRegions())
            region.walk([&](Operation *inner) {
              for (Value operand : inner->getOperands()) conflict |= isTile(operand.getType()) && reads(operand);
            });
        }
      }
      if (conflict) changed |= unshared.insert(dot.getResult()).second;
    }
  return changed;
}

} // namespace pantile::cpu
