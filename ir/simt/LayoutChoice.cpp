//===- ir/simt/LayoutChoice.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/LayoutChoice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

namespace {

/// arith, math and tile.cast: one result, computed element by element.
bool isElementwise(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  return isa<CastOp>(op) || dialect == "arith" || dialect == "math";
}

int64_t elementsOf(Type type) {
  int64_t count = 1;
  for (int64_t extent : cast<RankedTensorType>(type).getShape()) count *= std::max<int64_t>(1, extent);
  return count;
}

pantile_dtype dtypeOf(Type element) {
  return llvm::TypeSwitch<Type, pantile_dtype>(element)
      .Case([](Float16Type) { return PANTILE_F16; })
      .Case([](BFloat16Type) { return PANTILE_BF16; })
      .Case([](Float32Type) { return PANTILE_F32; })
      .Case([](Float64Type) { return PANTILE_F64; })
      .Case([](Float8E4M3FNType) { return PANTILE_F8E4M3FN; })
      .Case([](Float8E5M2Type) { return PANTILE_F8E5M2; })
      .Case([](IntegerType integer) {
        return integer.getWidth() == 8 ? PANTILE_I8 : integer.getWidth() == 32 ? PANTILE_I32 : PANTILE_DTYPE_INVALID;
      })
      .Default([](Type) { return PANTILE_DTYPE_INVALID; });
}

int64_t lowBit(int64_t value) { return value == 0 ? 128 : value & -value; }

SmallVector<int64_t, 4> inverse(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t, 4> result(permutation.size());
  for (auto [i, d] : llvm::enumerate(permutation)) result[size_t(d)] = int64_t(i);
  return result;
}

/// The dimensions of an access's tile that its position tiles (and mask) have; empty without such.
std::pair<unsigned, unsigned> positionDims(Operation *access) {
  unsigned at = 0;
  for (const Subscript &subscript : subscriptsOf(access)) {
    if (subscript.kind == Subscript::Tile) return {at, unsigned(cast<RankedTensorType>(subscript.value.getType()).getRank())};
    at += subscript.kind != Subscript::Index;
  }
  return {0, 0};
}

} // namespace

//===----------------------------------------------------------------------===//
// Lazy values and groups
//===----------------------------------------------------------------------===//

bool LayoutChoice::isLazy(Value tile) const {
  if (auto found = lazy.find(tile); found != lazy.end()) return found->second;
  Operation *op = tile.getDefiningOp();
  bool result = false;
  if (op && isa<SplatOp, IotaOp, IndexOp, BroadcastOp, TransposeOp, SplitOp, arith::ConstantOp>(op))
    result = true;
  else if (op && isElementwise(op))
    result = llvm::all_of(op->getOperands(), [&](Value operand) { return !isTile(operand.getType()) || isLazy(operand); });
  return lazy[tile] = result;
}

unsigned LayoutChoice::find(unsigned group) const {
  while (parents[group] != group) group = parents[group] = parents[parents[group]];
  return group;
}

unsigned LayoutChoice::groupOf(Value value) {
  auto [found, isNew] = numbers.try_emplace(value, unsigned(parents.size()));
  if (isNew) {
    parents.push_back(found->second);
    members.push_back({value});
    layouts.emplace_back();
  }
  return find(found->second);
}

void LayoutChoice::unite(Value a, Value b) {
  if (!isTile(a.getType()) || !isTile(b.getType()) || isLazy(a) || isLazy(b)) return;
  if (cast<RankedTensorType>(a.getType()).getShape() != cast<RankedTensorType>(b.getType()).getShape()) return;
  unsigned x = groupOf(a), y = groupOf(b);
  if (x == y) return;
  if (x > y) std::swap(x, y);
  parents[y] = x;
  members[x].append(members[y]);
  members[y].clear();
}

void LayoutChoice::collect() {
  grid->walk<WalkOrder::PreOrder>([&](Operation *op) {
    // Combine regions are scalar.
    if (isa_and_nonnull<ReduceOp, ScanOp>(op->getParentOp())) return;
    for (Value result : op->getResults())
      if (isTile(result.getType()) && !isLazy(result)) groupOf(result);
    if (auto loop = dyn_cast<LoopOp>(op)) {
      Block &body = loop.getBody().front();
      for (auto [init, carry, yielded, result] :
           llvm::zip(loop.getInits(), body.getArguments().drop_front(), body.getTerminator()->getOperands(), loop.getResults())) {
        if (!isTile(init.getType())) continue;
        groupOf(carry);
        unite(carry, result);
        unite(carry, init);
        unite(carry, yielded);
      }
    } else if (auto choice = dyn_cast<scf::IfOp>(op)) {
      for (Region *region : {&choice.getThenRegion(), &choice.getElseRegion()})
        if (!region->empty())
          for (auto [yielded, result] : llvm::zip(region->front().getTerminator()->getOperands(), choice.getResults()))
            unite(result, yielded);
    } else if (auto dot = dyn_cast<DotOp>(op)) {
      unite(dot.getResult(), dot.getAcc());
    } else if (isElementwise(op) || isa<ScanOp>(op)) {
      for (Value result : op->getResults())
        for (Value operand : op->getOperands()) unite(result, operand);
    }
  });
}

//===----------------------------------------------------------------------===//
// Dots
//===----------------------------------------------------------------------===//

std::optional<DotPlan> LayoutChoice::planGroupDot(DotOp dot, bool rowsByWarp) {
  const AsyncEngine *engine = target.engine();
  auto accType = cast<RankedTensorType>(dot.getAcc().getType()), lhsType = cast<RankedTensorType>(dot.getLhs().getType());
  if (!groupDots || !engine || warps % 4 || accType.getRank() != 2) return std::nullopt;
  int64_t m = accType.getDimSize(0), n = accType.getDimSize(1), k = lhsType.getDimSize(dot.getTransposeLhs() ? 0 : 1), groups = warps / 4;
  // Rows of shared memory are whole swizzles of 16 elements at least; only two-byte elements may run along m or n.
  if (bytesOf(lhsType.getElementType()) != 2 || m % 64 || n % 16 || k % 16) return std::nullopt;
  DotPlan plan;
  plan.group = true;
  int64_t least = -1;
  for (int64_t gm = groups; gm >= 1; --gm) {
    int64_t gn = groups / gm;
    if (groups % gm || m % (64 * gm) || n % (64 * gn)) {
      if (gn != 1 || groups % gm || m % (64 * gm)) continue;
    }
    int64_t cost = rowsByWarp ? gn : m / gm + n / gn;
    if (least >= 0 && cost >= least) continue;
    least = cost;
    plan.warpsM = unsigned(gm);
    plan.warpsN = unsigned(gn);
  }
  if (least < 0) return std::nullopt;
  int64_t columns = n / plan.warpsN;
  for (const DotAtom &atom : engine->groupAtoms()) {
    if (atom.lhs != dtypeOf(lhsType.getElementType()) || atom.rhs != dtypeOf(elementOf(dot.getRhs().getType())) ||
        atom.acc != dtypeOf(accType.getElementType()) || k % atom.k || columns % atom.n)
      continue;
    // Pieces of n begin at whole swizzles.
    if (atom.n != columns && atom.n % 64) continue;
    if (!plan.atom || atom.n > plan.atom->n) plan.atom = &atom;
  }
  if (!plan.atom) return std::nullopt;
  const DotAtom &atom = *plan.atom;
  int64_t gm = plan.warpsM, gn = plan.warpsN;
  plan.piecesM = unsigned(m / (64 * gm));
  plan.piecesN = unsigned(columns / atom.n);
  plan.acc = Layout(Atom::of(atom.accMap), {{Repeat::Warp, 0, gm, 64},
                                            {Repeat::Warp, 1, gn, columns},
                                            {Repeat::Register, 1, plan.piecesN, atom.n},
                                            {Repeat::Register, 0, plan.piecesM, 64 * gm}});
  plan.lhs =
      Layout(Atom::of(atom.lhsMap), {{Repeat::Warp, 0, gm, 64}, {Repeat::Warp, -1, gn, 0}, {Repeat::Register, 0, plan.piecesM, 64 * gm}});
  return plan;
}

DotPlan LayoutChoice::planDot(DotOp dot, bool rowsByWarp) {
  if (auto plan = planGroupDot(dot, rowsByWarp)) return *plan;
  auto accType = cast<RankedTensorType>(dot.getAcc().getType()), lhsType = cast<RankedTensorType>(dot.getLhs().getType());
  unsigned rank = unsigned(accType.getRank());
  int64_t m = accType.getDimSize(rank - 2), n = accType.getDimSize(rank - 1);
  int64_t k = lhsType.getDimSize(dot.getTransposeLhs() ? rank - 2 : rank - 1);
  bool tf32 = dot.getPrecision() && *dot.getPrecision() == "tf32";
  DotPlan plan;
  for (const DotAtom &atom : target.dotAtoms()) {
    if (atom.lhs != dtypeOf(lhsType.getElementType()) || atom.rhs != dtypeOf(elementOf(dot.getRhs().getType())) ||
        atom.acc != dtypeOf(accType.getElementType()) || k % atom.k != 0 || (atom.tf32 && !tf32))
      continue;
    if (!plan.atom || atom.k > plan.atom->k) plan.atom = &atom;
  }
  if (!plan.atom) {
    SmallVector<unsigned, 4> order;
    for (unsigned d = rank; d-- > 0;) order.push_back(d);
    plan.acc = blockedLayout(accType.getShape(), order, 4, target.limits().lanes, warps);
    return plan;
  }
  const DotAtom &atom = *plan.atom;
  int64_t piecesM = int64_t(llvm::divideCeil(uint64_t(m), uint64_t(atom.m))),
          piecesN = int64_t(llvm::divideCeil(uint64_t(n), uint64_t(atom.n)));
  // Warps as a grid: few elements of both operands a warp; or rows only, so that rows stay in a warp.
  int64_t best = -1;
  for (unsigned wm = 1; wm <= warps; ++wm) {
    if (warps % wm) continue;
    unsigned wn = warps / wm;
    int64_t rowsEach = int64_t(llvm::divideCeil(uint64_t(piecesM), uint64_t(wm))),
            columnsEach = int64_t(llvm::divideCeil(uint64_t(piecesN), uint64_t(wn)));
    int64_t cost = rowsEach * columnsEach * 1000000; // idle warps first
    cost += rowsByWarp ? int64_t(wn) * 1000 : rowsEach * atom.m + columnsEach * atom.n;
    if (best < 0 || cost < best) {
      best = cost;
      plan.warpsM = wm;
      plan.warpsN = wn;
    }
  }
  unsigned wm = plan.warpsM, wn = plan.warpsN;
  int64_t pm = int64_t(llvm::divideCeil(uint64_t(piecesM), uint64_t(wm))), pn = int64_t(llvm::divideCeil(uint64_t(piecesN), uint64_t(wn)));
  Atom acc = Atom::of(atom.accMap);
  for (auto *bases : {&acc.registers, &acc.lanes, &acc.warps})
    for (Coordinates &basis : *bases) basis.insert(basis.begin(), rank - 2, 0);
  acc.rank = rank;
  int row = int(rank) - 2, column = int(rank) - 1;
  SmallVector<Repeat, 6> steps{{Repeat::Warp, row, wm, atom.m},
                               {Repeat::Warp, column, wn, atom.n},
                               {Repeat::Register, column, pn, int64_t(atom.n) * wn},
                               {Repeat::Register, row, pm, int64_t(atom.m) * wm}};
  for (unsigned d = rank - 2; d-- > 0;) steps.push_back({Repeat::Register, int(d), accType.getDimSize(d), 1});
  plan.acc = Layout(acc, steps);
  plan.lhs = Layout(Atom::of(atom.lhsMap),
                    {{Repeat::Warp, 0, wm, atom.m}, {Repeat::Warp, -1, wn, 0}, {Repeat::Register, 0, pm, int64_t(atom.m) * wm}});
  plan.rhs = Layout(Atom::of(atom.rhsMap),
                    {{Repeat::Warp, -1, wm, 0}, {Repeat::Warp, 0, wn, atom.n}, {Repeat::Register, 0, pn, int64_t(atom.n) * wn}});
  return plan;
}

void LayoutChoice::planDots() {
  // A dot that reads what was computed (not loaded) is fed by another dot's rows.
  auto isLoaded = [](Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (isa<LoadOp, GatherOp>(op)) return true;
      if (!isa<TransposeOp, CastOp, arith::ExtFOp, arith::TruncFOp, ReshapeOp>(op)) return false;
      value = op->getOperand(0);
    }
    return false;
  };
  bool chained = false;
  SmallVector<DotOp> dots;
  grid->walk([&](DotOp dot) {
    dots.push_back(dot);
    chained |= !isLoaded(dot.getLhs());
  });
  for (DotOp dot : dots) {
    const DotPlan &plan = plans[dot] = planDot(dot, chained);
    unsigned group = groupOf(dot.getResult());
    if (!layouts[group] || (plan.atom && !layouts[group])) layouts[group] = plan.acc;
  }
}

//===----------------------------------------------------------------------===//
// Memory accesses
//===----------------------------------------------------------------------===//

std::pair<unsigned, int> LayoutChoice::vectorOf(Operation *access) const {
  Value view = tile::viewOf(access);
  auto type = cast<ViewType>(view.getType());
  unsigned bytes = bytesOf(type.getElementType());
  auto argument = dyn_cast<BlockArgument>(view);
  const pantile_argument_facts *known =
      argument && argument.getArgNumber() < facts.arguments.size() ? &facts.arguments[argument.getArgNumber()] : nullptr;
  int unit = argument ? (known ? known->unit_dim : -1) : int(type.getRank()) - 1;
  int64_t alignment = argument ? (known ? std::max<uint32_t>(1, known->alignment) : bytes) : 64;
  int tileDim = -1, at = 0;
  Extents limits = extents.ofSubscripts(access);
  int64_t vector = std::max(1u, target.limits().vectorBytes / bytes);
  // A workspace's stride is the product of the sizes after it.
  auto strideDivisor = [&](unsigned dim) -> int64_t {
    if (argument) {
      if (!known) return 1;
      if (known->zero_stride_mask >> dim & 1) return 128;
      return std::max<uint32_t>(1, known->stride_divisor[dim]);
    }
    int64_t product = 1;
    for (int64_t d = dim + 1; d < type.getRank(); ++d) product *= bounds.divisorOfSize(view, d);
    return std::min<int64_t>(128, product);
  };
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(access))) {
    bool isUnit = int(dim) == unit;
    int64_t step = isUnit ? 1 : strideDivisor(unsigned(dim));
    switch (subscript.kind) {
    case Subscript::Index:
      alignment = std::min(alignment, bytes * step * (isUnit ? bounds.divisorOf(subscript.value) : 1));
      break;
    case Subscript::Range:
      alignment = std::min(alignment, bytes * step * (isUnit ? bounds.divisorOfBegin(subscript.value) : 1));
      if (isUnit) {
        tileDim = at;
        if (!bounds.insideView(access, unsigned(dim), subscript.value)) vector = std::min(vector, bounds.divisorOfSize(view, int64_t(dim)));
      }
      ++at;
      break;
    case Subscript::Full:
      if (isUnit) tileDim = at;
      alignment = std::min(alignment, isUnit ? alignment : bytes * step);
      ++at;
      break;
    case Subscript::Tile:
      if (isUnit) {
        alignment = bytes;
        tileDim = -2; // scattered along the contiguous dimension
      } else {
        alignment = std::min(alignment, bytes * step);
      }
      if (at == int(positionDims(access).first)) at += int(positionDims(access).second);
      break;
    }
  }
  if (tileDim < 0) return {1, -1};
  for (const ExtentAtom &atom : limits[size_t(tileDim)].atoms) vector = std::min(vector, bounds.divisorOf(atom));
  if (!isa<LoadOp, GatherOp>(access))
    for (const ExtentAtom &atom : extents.of(access->getOperand(0))[size_t(tileDim)].atoms)
      vector = std::min(vector, bounds.divisorOf(atom));
  vector = std::min(vector, std::max<int64_t>(1, alignment / bytes));
  return {unsigned(std::max<int64_t>(1, lowBit(vector))), tileDim};
}

Layout LayoutChoice::forAccess(Operation *access, RankedTensorType type) const {
  auto [vector, dim] = vectorOf(access);
  unsigned rank = unsigned(type.getRank());
  SmallVector<unsigned, 4> order;
  if (dim >= 0) order.push_back(unsigned(dim));
  for (unsigned d = rank; d-- > 0;)
    if (int(d) != dim) order.push_back(d);
  int64_t each = std::max<int64_t>(1, elementsOf(type) / (int64_t(target.limits().lanes) * warps));
  vector = unsigned(std::min<int64_t>(vector, int64_t(llvm::bit_floor(uint64_t(each)))));
  return blockedLayout(type.getShape(), order, vector, target.limits().lanes, warps);
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

Layout LayoutChoice::byShape(RankedTensorType type) const {
  SmallVector<unsigned, 4> order;
  for (unsigned d = unsigned(type.getRank()); d-- > 0;) order.push_back(d);
  return blockedLayout(type.getShape(), order, 1, target.limits().lanes, warps);
}

std::optional<Layout> LayoutChoice::wantedOf(Value value, unsigned depth) {
  if (!isTile(value.getType()) || depth > 12) return std::nullopt;
  if (!isLazy(value)) {
    auto found = numbers.find(value);
    return found == numbers.end() ? std::nullopt : layouts[find(found->second)];
  }
  for (Operation *user : value.getUsers()) {
    std::optional<Layout> layout;
    if (auto broadcast = dyn_cast<BroadcastOp>(user)) {
      if ((layout = wantedOf(broadcast.getResult(), depth + 1))) return layout->sliced(broadcast.getAlong());
    } else if (auto transpose = dyn_cast<TransposeOp>(user)) {
      if ((layout = wantedOf(transpose.getResult(), depth + 1))) return layout->permuted(inverse(transpose.getPermutation()));
    } else if (isElementwise(user) && isTile(user->getResult(0).getType())) {
      if ((layout = wantedOf(user->getResult(0), depth + 1))) return layout;
    }
  }
  return std::nullopt;
}

std::optional<Layout> LayoutChoice::fromNeighbours(unsigned group) {
  auto decided = [&](Value value) -> std::optional<Layout> {
    if (isLazy(value)) return std::nullopt;
    return layouts[groupOf(value)];
  };
  for (Value value : members[group]) {
    std::optional<Layout> layout;
    Operation *op = value.getDefiningOp();
    if (auto reduce = dyn_cast_or_null<ReduceOp>(op)) {
      for (Value source : reduce.getSources())
        if ((layout = decided(source))) return layout->sliced({int64_t(reduce.getDim())});
    } else if (auto reshape = dyn_cast_or_null<ReshapeOp>(op)) {
      if ((layout = decided(reshape.getSource())))
        if (auto moved = reshapedLayout(reshape, *layout)) return moved;
    } else if (auto join = dyn_cast_or_null<JoinOp>(op)) {
      if ((layout = decided(join.getLhs()))) return joinedLayout(*layout);
    }
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (auto broadcast = dyn_cast<BroadcastOp>(user)) {
        if ((layout = wantedOf(broadcast.getResult(), 0))) return layout->sliced(broadcast.getAlong());
      } else if (auto transpose = dyn_cast<TransposeOp>(user)) {
        if ((layout = wantedOf(transpose.getResult(), 0))) return layout->permuted(inverse(transpose.getPermutation()));
      } else if (isa<GatherOp, ScatterOp>(user)) {
        Value whole = isa<GatherOp>(user) ? Value(user->getResult(0)) : Value(cast<ScatterOp>(user).getValue());
        if (whole == value || !(layout = decided(whole))) continue;
        auto [first, count] = positionDims(user);
        SmallVector<int64_t, 4> others;
        for (unsigned d = 0; d < layout->rank(); ++d)
          if (d < first || d >= first + count) others.push_back(int64_t(d));
        return layout->sliced(others);
      }
    }
  }
  return std::nullopt;
}

void LayoutChoice::decide() {
  SmallVector<unsigned> roots;
  for (unsigned g = 0; g < parents.size(); ++g)
    if (find(g) == g) roots.push_back(g);
  auto sizeOf = [&](unsigned g) { return elementsOf(members[g].front().getType()); };
  llvm::sort(roots, [&](unsigned a, unsigned b) { return std::pair(-sizeOf(a), a) < std::pair(-sizeOf(b), b); });
  for (unsigned group : roots) {
    if (layouts[group]) continue;
    if ((layouts[group] = fromNeighbours(group))) continue;
    // The access with the widest vectors decides.
    Operation *best = nullptr;
    unsigned widest = 0;
    auto consider = [&](Operation *access) {
      auto [vector, dim] = vectorOf(access);
      unsigned weight = dim < 0 ? 1 : 2 + vector * bytesOf(cast<ViewType>(tile::viewOf(access).getType()).getElementType());
      if (weight <= widest) return;
      widest = weight;
      best = access;
    };
    for (Value value : members[group]) {
      if (Operation *op = value.getDefiningOp(); isa_and_nonnull<LoadOp, GatherOp>(op)) consider(op);
      for (OpOperand &use : value.getUses())
        if (isa<StoreOp, ScatterOp>(use.getOwner()) && use.getOperandNumber() == 0) consider(use.getOwner());
    }
    auto type = cast<RankedTensorType>(members[group].front().getType());
    layouts[group] = best ? forAccess(best, type) : byShape(type);
  }
}

LayoutChoice::LayoutChoice(GridOp grid, const ExtentAnalysis &extents, const IndexBounds &bounds, const Facts &facts,
                           const SimtTarget &target, unsigned warps, bool groupDots)
    : grid(grid), extents(extents), bounds(bounds), facts(facts), target(target), warps(warps), groupDots(groupDots) {
  collect();
  planDots();
  decide();
}

const Layout &LayoutChoice::of(Value tile) {
  if (auto found = numbers.find(tile); found != numbers.end()) return *layouts[find(found->second)];
  auto [found, isNew] = shapes.try_emplace(tile);
  if (isNew) {
    std::optional<Layout> wanted = wantedOf(tile, 0);
    Layout layout = wanted ? *wanted : byShape(cast<RankedTensorType>(tile.getType()));
    // wantedOf may have grown the table.
    return shapes[tile] = std::move(layout);
  }
  return found->second;
}

unsigned LayoutChoice::warpsFor(GridOp grid, const SimtTarget &target) {
  int64_t lanes = target.limits().lanes, wanted = 1;
  grid->walk([&](Operation *op) {
    if (isa_and_nonnull<ReduceOp, ScanOp>(op->getParentOp())) return;
    for (Type type : op->getResultTypes()) {
      if (!isTile(type) || isa<SplatOp, BroadcastOp>(op)) continue;
      int64_t each = isa<DotOp>(op) ? 64 : 16;
      int64_t warps = int64_t(llvm::PowerOf2Ceil(llvm::divideCeil(uint64_t(elementsOf(type)), uint64_t(lanes * each))));
      wanted = std::max(wanted, isa<DotOp>(op) ? std::clamp<int64_t>(warps, 4, 8) : warps);
    }
  });
  bool hasDot = false;
  grid->walk([&](DotOp) { hasDot = true; });
  int64_t most = std::min<int64_t>(target.limits().threads / lanes, hasDot ? 8 : 32);
  return unsigned(std::clamp<int64_t>(wanted, 1, most));
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Layout joinedLayout(const Layout &source) {
  Layout wide = source.expanded(source.rank());
  Atom atom = wide.atomOf();
  Coordinates basis(atom.rank, 0);
  basis[atom.rank - 1] = 1;
  atom.registers.insert(atom.registers.begin(), basis);
  return {std::move(atom), SmallVector<Repeat, 6>(wide.repeatsOf())};
}

std::optional<Layout> reshapedLayout(ReshapeOp reshape, const Layout &source) {
  auto from = cast<RankedTensorType>(reshape.getSource().getType()), to = cast<RankedTensorType>(reshape.getResult().getType());
  SmallVector<ReshapeGroup, 4> groups = reshapeGroups(reshape);
  if (groups.empty()) return std::nullopt;
  // Nothing may lie beyond the source's shape along a dimension that merges: it would land in the next row.
  Coordinates covered = source.covered();
  // The linear index inside a group, then its digits in the result.
  auto move = [&](const Coordinates &at) -> std::optional<Coordinates> {
    Coordinates result(size_t(to.getRank()), 0);
    for (const ReshapeGroup &group : groups) {
      int64_t index = 0;
      for (unsigned d = group.sourceBegin; d < group.sourceEnd; ++d) index = index * from.getDimSize(d) + at[d];
      for (unsigned d = group.resultEnd; d-- > group.resultBegin;) {
        int64_t size = to.getDimSize(d);
        result[d] = d == group.resultBegin ? index : index % size;
        index /= std::max<int64_t>(1, size);
      }
    }
    return result;
  };
  for (const ReshapeGroup &group : groups)
    if (group.sourceEnd - group.sourceBegin > 1 || group.resultEnd - group.resultBegin > 1)
      for (unsigned d = group.sourceBegin; d < group.sourceEnd; ++d)
        if (covered[d] > from.getDimSize(d)) return std::nullopt;
  Atom atom;
  atom.rank = unsigned(to.getRank());
  for (auto [bases, moved] : {std::pair{&source.atomOf().registers, &atom.registers},
                              {&source.atomOf().lanes, &atom.lanes},
                              {&source.atomOf().warps, &atom.warps}})
    for (const Coordinates &basis : *bases) moved->push_back(*move(basis));
  SmallVector<Repeat, 6> repeats;
  for (Repeat repeat : source.repeatsOf()) {
    if (repeat.dim < 0 || repeat.count == 1) {
      repeats.push_back(repeat);
      if (repeat.dim >= 0) repeats.back().dim = repeat.count == 1 ? -1 : repeat.dim;
      continue;
    }
    Coordinates step(source.rank(), 0);
    step[unsigned(repeat.dim)] = repeat.stride;
    Coordinates moved = *move(step);
    int dim = -1;
    for (unsigned d = 0; d < atom.rank; ++d)
      if (moved[d]) {
        if (dim >= 0) return std::nullopt;
        dim = int(d);
      }
    if (dim < 0) return std::nullopt;
    repeats.push_back({repeat.owner, dim, repeat.count, moved[unsigned(dim)]});
  }
  Layout result(std::move(atom), std::move(repeats));
  // The map is linear only where no sum carries: compare everywhere it could.
  for (unsigned r = 0; r < source.registers(); ++r)
    if (*move(source.ofRegister(r)) != result.ofRegister(r)) return std::nullopt;
  for (unsigned l = 0; l < source.lanes(); ++l)
    if (*move(source.ofLane(l)) != result.ofLane(l)) return std::nullopt;
  for (unsigned w = 0; w < source.warps(); ++w)
    if (*move(source.ofWarp(w)) != result.ofWarp(w)) return std::nullopt;
  unsigned r = source.registers() - 1, l = source.lanes() - 1, w = source.warps() - 1;
  if (*move(source.at(r, l, w)) != result.at(r, l, w)) return std::nullopt;
  return result;
}

} // namespace pantile::simt
