//===- ir/specialize/FlattenNests.cpp - several ranges as one -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// `flatten_loops.N` = 1 makes the ranges of parallel nest N one range over all their elements, row-major, so that blocks stay full
// where a dimension is shorter than a block or no multiple of it:
//
//   parallel (%b, %i, %j) in (%B, %M, %N)          parallel (%b, %f) in (%B, %M * %N) by (1, @flat = bm * bn)
//       by (1, @bm, @bn) {                           %p = index %f;  %q = %p / N;  %r = %p % N
//     %x = load %X[%b, %i, %j] : bm x bn      ->     %x = gather %X[%b, %q, %r] : flat
//     %w = load %W[%j] : bn                          %w = gather %W[%r] : flat
//     store %x * broadcast %w, %Y[%b, %i, %j] }      scatter %x * %w, %Y[%b, %q, %r] }
//
// 1. A tile's dimensions that step by a flattened block become one, where the first of them stood; tiles that differ in their order
//    or lack some become equal. Broadcasts and transposes keep what is left of their dimensions.
// 2. Loads, stores, gathers and scatters by a flattened range go by its positions, shifted as the range was.
// 3. Illegal where an element's place inside its block matters: a reduction or scan along a flattened dimension, dots, reshapes, cat,
//    join, split, iota, the begin, end, ordinal or multiple of a flattened range.
// 4. Positions are i32 where facts bound the number of elements, else i64.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"
#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::specialization {

namespace {

class Flattener {
public:
  explicit Flattener(tile::ParallelOp nest) : nest(nest), builder(nest), loc(nest.getLoc()) {
    for (auto [dim, argument] : llvm::zip(nest.getBlocks().getDims(), nest.getBody().getArguments()))
      if (auto range = dyn_cast<tile::RangeType>(argument.getType())) {
        ranges.push_back(argument);
        flattened.insert(dim.isConstant() ? llvm::StringRef() : dim.symbol.getValue());
        extent *= range.getExtent();
      }
  }

  Status check() {
    if (ranges.size() < 2) return refuse("it has fewer than two ranges");
    if (flattened.contains("")) return refuse("a block has no symbol");
    if (flattened.size() != ranges.size()) return refuse("two ranges have one block symbol");
    for (BlockArgument range : ranges) PANTILE_RETURN_IF_ERROR(checkRange(range));
    Status status;
    nest.walk([&](Operation *op) {
      if (op == nest.getOperation()) return WalkResult::advance();
      status = checkOperation(op);
      return status.isOk() ? WalkResult::advance() : WalkResult::interrupt();
    });
    return status;
  }

  void run() {
    collect();
    makeNest();
    AttrTypeReplacer types;
    types.addReplacement(
        [this](RankedTensorType type) -> std::optional<Type> { return has(type) ? std::optional<Type>(flat(type)) : std::nullopt; });
    types.recursivelyReplaceElementsIn(nest, /*replaceAttrs=*/false, /*replaceLocs=*/false, /*replaceTypes=*/true);
    for (auto &change : changes) change();
    for (Operation *shift : llvm::reverse(shifts)) shift->erase();
    Block &body = nest.getBody().front();
    for (unsigned i = body.getNumArguments(); i-- > 0;)
      if (isa<tile::RangeType>(body.getArgument(i).getType()) && body.getArgument(i) != range) body.eraseArgument(i);
  }

private:
  Status refuse(const std::string &why) const { return {PANTILE_INVALID_ARGUMENT, "the nest cannot be flattened: " + why}; }

  //===--- Types ---===//

  bool isFlat(const tile::Dim &dim) const { return !dim.isConstant() && flattened.contains(dim.symbol.getValue()); }
  bool has(Type type) const {
    return tile::isTile(type) && llvm::any_of(tile::dimsOf(cast<RankedTensorType>(type)), [&](auto &d) { return isFlat(d); });
  }

  /// Where each dimension of a tile goes.
  SmallVector<int64_t, 4> placesOf(Type type) const {
    SmallVector<int64_t, 4> places;
    int64_t next = 0, together = -1;
    for (const tile::Dim &dim : tile::dimsOf(cast<RankedTensorType>(type))) {
      if (isFlat(dim) && together < 0) together = next++;
      places.push_back(isFlat(dim) ? together : next++);
    }
    return places;
  }
  RankedTensorType flat(RankedTensorType type) const {
    SmallVector<tile::Dim, 4> dims;
    SmallVector<int64_t, 4> shape;
    bool seen = false;
    for (auto [dim, size] : llvm::zip(tile::dimsOf(type), type.getShape())) {
      if (isFlat(dim) && seen) continue;
      seen |= isFlat(dim);
      dims.push_back(isFlat(dim) ? tile::Dim{symbol, 1} : dim);
      shape.push_back(isFlat(dim) ? extent : size);
    }
    return tile::tileOf(type.getElementType(), dims, shape);
  }

  //===--- Legality ---===//

  Status checkRange(Value range) {
    for (Operation *user : range.getUsers()) {
      if (auto shift = dyn_cast<tile::ShiftOp>(user)) {
        PANTILE_RETURN_IF_ERROR(checkRange(shift.getResult()));
      } else if (!isa<tile::IndexOp>(user) && !tile::viewOf(user)) {
        return refuse("'" + user->getName().getStringRef().str() + "' asks for a place of its blocks");
      }
    }
    return {};
  }

  Status checkOperation(Operation *op) {
    auto isAny = [&](auto types) { return llvm::any_of(types, [&](Type type) { return has(type); }); };
    bool touches = isAny(op->getOperandTypes()) || isAny(op->getResultTypes());
    for (Type type : op->getResultTypes())
      if (tile::isTile(type))
        for (const tile::Dim &dim : tile::dimsOf(cast<RankedTensorType>(type)))
          if (isFlat(dim) && dim.factor != 1) return refuse("a tile has a multiple of its block");
    if (auto reduce = dyn_cast<tile::ReduceOp>(op)) return checkAlong(op, reduce.getSources()[0], int64_t(reduce.getDim()));
    if (auto top = dyn_cast<tile::TopKOp>(op)) return checkAlong(op, top.getSource(), int64_t(top.getDim()));
    if (auto scan = dyn_cast<tile::ScanOp>(op)) return checkAlong(op, scan.getSources()[0], int64_t(scan.getDim()));
    if (touches && isa<tile::DotOp, tile::ReshapeOp, tile::CatOp, tile::JoinOp, tile::SplitOp, tile::IotaOp>(op))
      return refuse("'" + op->getName().getStringRef().str() + "' has one of its blocks");
    if (auto broadcast = dyn_cast<tile::BroadcastOp>(op); broadcast && touches) {
      auto kept = keptOf(broadcast);
      if (!llvm::is_sorted(kept)) return refuse("a broadcast would change the order of dimensions");
    }
    if (tile::viewOf(op) &&
        llvm::any_of(tile::subscriptsOf(op), [&](auto &s) { return s.kind == tile::Subscript::Range && isFlatRange(s.value); }))
      for (const tile::Subscript &subscript : tile::subscriptsOf(op))
        if (subscript.kind == tile::Subscript::Tile)
          for (const tile::Dim &dim : tile::dimsOf(cast<RankedTensorType>(subscript.value.getType())))
            if (!isFlat(dim)) return refuse("positions that are no tile of its blocks stand beside its ranges");
    return {};
  }
  Status checkAlong(Operation *op, Value source, int64_t dim) {
    if (!isFlat(tile::dimsOf(cast<RankedTensorType>(source.getType()))[size_t(dim)])) return {};
    return refuse("'" + op->getName().getStringRef().str() + "' runs along one of its blocks");
  }
  bool isFlatRange(Value range) const {
    while (auto shift = range.getDefiningOp<tile::ShiftOp>()) range = shift.getRange();
    return llvm::is_contained(ranges, range);
  }

  /// Of a broadcast: the new place in the result of each new dimension of the source.
  SmallVector<int64_t, 4> keptOf(tile::BroadcastOp broadcast) const {
    auto from = placesOf(broadcast.getSource().getType()), to = placesOf(broadcast.getType());
    SmallVector<int64_t, 4> kept;
    size_t next = 0;
    for (size_t d = 0; d < to.size(); ++d) {
      if (llvm::is_contained(broadcast.getAlong(), int64_t(d))) continue;
      if (from[next++] == int64_t(kept.size())) kept.push_back(to[d]);
    }
    return kept;
  }

  //===--- Rewriting ---===//

  /// What is to be done once types have changed, from what they were.
  void collect() {
    nest.walk([&](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case([&](tile::BroadcastOp broadcast) {
            if (!has(broadcast.getType())) return;
            SmallVector<int64_t, 4> along, kept = keptOf(broadcast);
            for (int64_t d = 0, rank = flat(cast<RankedTensorType>(broadcast.getType())).getRank(); d < rank; ++d)
              if (!llvm::is_contained(kept, d)) along.push_back(d);
            changes.emplace_back(
                [broadcast, along]() mutable { replaceShape(broadcast, along.empty(), [&] { broadcast.setAlong(along); }); });
          })
          .Case([&](tile::TransposeOp transpose) {
            if (!has(transpose.getType())) return;
            auto from = placesOf(transpose.getSource().getType()), to = placesOf(transpose.getType());
            SmallVector<int64_t, 4> permutation(size_t(flat(cast<RankedTensorType>(transpose.getType())).getRank()));
            for (auto [d, source] : llvm::enumerate(transpose.getPermutation())) permutation[size_t(to[d])] = from[size_t(source)];
            changes.emplace_back([transpose, permutation]() mutable {
              replaceShape(transpose, llvm::is_sorted(permutation), [&] { transpose.setPermutation(permutation); });
            });
          })
          .Case<tile::ReduceOp, tile::ScanOp>([&](auto along) {
            int64_t dim = placesOf(along.getSources()[0].getType())[along.getDim()];
            changes.emplace_back([along, dim]() mutable { along.setDim(uint64_t(dim)); });
          })
          .Case([&](tile::TopKOp top) {
            int64_t dim = placesOf(top.getSource().getType())[top.getDim()];
            changes.emplace_back([top, dim]() mutable { top.setDim(uint64_t(dim)); });
          })
          .Case([&](tile::ShiftOp shift) {
            if (isFlatRange(shift.getResult())) shifts.push_back(shift);
          })
          .Case([&](tile::IndexOp index) {
            if (isFlatRange(index.getRange())) changes.emplace_back([this, index] { replaceIndex(index); });
          })
          .Default([&](Operation *access) {
            if (tile::viewOf(access)) changes.emplace_back([this, access] { replaceAccess(access); });
          });
    });
  }

  template <typename Op, typename Change> static void replaceShape(Op op, bool isNothing, Change change) {
    if (!isNothing) return change();
    op.getResult().replaceAllUsesWith(op.getSource());
    op.erase();
  }

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value line(Value scalar) {
    Value cast = element.isIndex() ? scalar : arith::IndexCastOp::create(builder, loc, element, scalar).getResult();
    return tile::SplatOp::create(builder, loc, lineOf(element), cast);
  }
  RankedTensorType lineOf(Type of) { return tile::tileOf(of, tile::Dim{symbol, 1}, extent); }

  void makeNest() {
    // A name that nothing has.
    auto kernel = nest->getParentOfType<tile::KernelOp>();
    Symbols symbols = symbolsOf(kernel);
    std::string name = "flat";
    while (symbols.blocks.contains(name) || symbols.fulls.contains(name)) name += "_";
    symbol = builder.getStringAttr(name);

    SmallVector<Value, 4> lowers, uppers, lengths;
    SmallVector<tile::Dim, 4> blocks;
    bool hasLowers = !nest.getLowers().empty();
    std::optional<int64_t> known = 1;
    size_t at = 0;
    for (auto [d, block] : llvm::enumerate(nest.getBlocks().getDims())) {
      Value upper = nest.getUppers()[d];
      if (!isFlat(block)) {
        uppers.push_back(upper);
        if (hasLowers) lowers.push_back(nest.getLowers()[d]);
        blocks.push_back(block);
        continue;
      }
      if (hasLowers)
        upper = arith::MaxSIOp::create(builder, loc, arith::SubIOp::create(builder, loc, upper, nest.getLowers()[d]), constant(0));
      auto size = upper.getDefiningOp<arith::ConstantIndexOp>();
      known = known && size && size.value() < INT32_MAX ? std::optional(*known * std::max<int64_t>(size.value(), 1)) : std::nullopt;
      if (known && *known >= INT32_MAX / 2) known.reset();
      if (lengths.empty()) at = uppers.size();
      lengths.push_back(upper);
    }
    Value total = lengths[0];
    for (Value length : ArrayRef<Value>(lengths).drop_front()) total = arith::MulIOp::create(builder, loc, total, length);
    uppers.insert(uppers.begin() + ptrdiff_t(at), total);
    if (hasLowers) lowers.insert(lowers.begin() + ptrdiff_t(at), constant(0));
    blocks.insert(blocks.begin() + ptrdiff_t(at), tile::Dim{symbol, 1});
    auto flatNest = tile::ParallelOp::create(builder, loc, lowers, uppers, tile::DimsAttr::get(builder.getContext(), blocks));
    flatNest->setDiscardableAttrs(nest->getDiscardableAttrDictionary());
    SmallVector<Value, 4> starts;
    if (hasLowers)
      for (auto [lower, block] : llvm::zip(nest.getLowers(), nest.getBlocks().getDims()))
        if (isFlat(block)) starts.push_back(lower);
    flatNest.getBody().takeBody(nest.getBody());
    nest.erase();
    nest = flatNest;

    Block &body = nest.getBody().front();
    range = body.insertArgument(unsigned(at), tile::blockType(builder.getContext(), {symbol, 1}, extent), loc);
    builder.setInsertionPointToStart(&body);
    element = known && *known + extent < INT32_MAX ? Type(builder.getI32Type()) : builder.getI64Type();
    Value rest = tile::IndexOp::create(builder, loc, lineOf(element), range);
    for (size_t i = lengths.size(); i-- > 0;) {
      Value here = rest;
      if (i > 0) {
        Value length = line(lengths[i]);
        here = arith::RemSIOp::create(builder, loc, rest, length);
        rest = arith::DivSIOp::create(builder, loc, rest, length);
      }
      positions[ranges[i]] = starts.empty() ? here : arith::AddIOp::create(builder, loc, here, line(starts[i])).getResult();
    }
  }

  /// Positions of a flattened range that may be shifted.
  Value positionsOf(Value of) {
    if (auto shift = of.getDefiningOp<tile::ShiftOp>())
      return arith::AddIOp::create(builder, loc, positionsOf(shift.getRange()), line(shift.getOffset()));
    return positions.lookup(of);
  }

  void replaceIndex(tile::IndexOp index) {
    builder.setInsertionPoint(index);
    Value found = positionsOf(index.getRange());
    if (Type wanted = index.getResult().getType(); wanted != found.getType()) {
      if (tile::elementOf(wanted).isIndex())
        found = arith::IndexCastOp::create(builder, loc, wanted, found);
      else
        found = tile::CastOp::create(builder, loc, wanted, found, /*is_unsigned=*/false);
    }
    index.getResult().replaceAllUsesWith(found);
    index.erase();
  }

  void replaceAccess(Operation *access) {
    SmallVector<Value, 4> operands;
    bool isFlattened = false;
    builder.setInsertionPoint(access);
    for (const tile::Subscript &subscript : tile::subscriptsOf(access)) {
      if (subscript.kind == tile::Subscript::Full) continue;
      bool isOne = subscript.kind == tile::Subscript::Range && isFlatRange(subscript.value);
      isFlattened |= isOne;
      operands.push_back(isOne ? positionsOf(subscript.value) : subscript.value);
    }
    if (!isFlattened) return;
    llvm::TypeSwitch<Operation *>(access)
        .Case([&](tile::LoadOp load) {
          auto gather = tile::GatherOp::create(builder, load.getLoc(), load.getType(), load.getView(), operands, Value(), load.getPad(),
                                               load.getKinds());
          load.getResult().replaceAllUsesWith(gather.getResult());
          load.erase();
        })
        .Case([&](tile::StoreOp store) {
          tile::ScatterOp::create(builder, store.getLoc(), store.getValue(), store.getView(), operands, Value(), store.getKinds());
          store.erase();
        })
        .Case<tile::GatherOp, tile::ScatterOp, tile::AtomicRMWOp>([&](auto other) { other.getSubscriptsMutable().assign(operands); });
  }

  tile::ParallelOp nest;
  OpBuilder builder;
  Location loc;
  SmallVector<BlockArgument, 4> ranges;
  llvm::StringSet<> flattened;
  int64_t extent = 1;
  StringAttr symbol;
  BlockArgument range;
  Type element;
  llvm::DenseMap<Value, Value> positions;
  std::vector<std::function<void()>> changes;
  SmallVector<Operation *, 4> shifts;
};

} // namespace

Status canFlatten(tile::ParallelOp nest) { return Flattener(nest).check(); }

Status flattenNests(tile::KernelOp kernel, const Configuration &configuration, const SpecializeOptions &options) {
  SmallVector<tile::ParallelOp> nests(kernel.getBody().getOps<tile::ParallelOp>());
  for (auto [i, nest] : llvm::enumerate(nests)) {
    std::string suffix = "." + std::to_string(i);
    if (!configuration.integer("flatten_loops" + suffix, 0)) continue;
    if (!options.flattens) return settingError("flatten_loops" + suffix, "this target does not flatten nests: leave it out");
    if (Status status = canFlatten(nest); !status.isOk()) return std::move(status).in("setting flatten_loops" + suffix);
    if (const Setting *order = configuration.find("loop_orders" + suffix)) {
      auto *list = std::get_if<std::vector<int64_t>>(order);
      if (!list || !llvm::is_sorted(*list)) return settingError("loop_orders" + suffix, "a flattened nest has no order: leave it out");
    }
    nest->setAttr(kFlattened, UnitAttr::get(kernel.getContext()));
    Flattener(nest).run();
  }
  return {};
}

} // namespace pantile::specialization
