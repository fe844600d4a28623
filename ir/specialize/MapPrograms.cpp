//===- ir/specialize/MapPrograms.cpp - parallel nests to grids ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// For parallel nest N:
// 1. The number of blocks along dimension d is ceil((upper - lower) / block); the grid has their product.
// 2. `loop_orders.N` lists the dimensions from the slowest to the fastest in the program id; by default the last varies fastest.
// 3. Slower dimensions are taken off the program id by division. The two fastest, `slow` and `fast`, may be grouped:
//    with `l2_groupings.N` = g, programs walk g blocks of `slow` for each block of `fast`, so that neighbours share both
//    operands of a product:
//        group = id / (g * fasts); first = group * g; rows = min(slows - first, g)
//        slow = first + (id % (g * fasts)) % rows; fast = (id % (g * fasts)) / rows
// 4. Ranges are made from the ordinals; a block of the literal 1 is its position.
// 5. `pid_type.N` goes to the grid's schedule: the lowering reads it.
// labelLoops runs first, while nests and loops still have their portable numbers: it gives loop N `range_unroll_factors.N` as the
// attribute `unroll`, and each nest its number.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

#include <numeric>

using namespace mlir;

namespace pantile::specialization {

namespace {

/// Which nest of the portable kernel a nest comes from, between labelLoops and mapPrograms.
constexpr llvm::StringLiteral kNest = "pantile.nest";

class NestMapper {
public:
  NestMapper(tile::ParallelOp nest, unsigned number, const Configuration &configuration)
      : nest(nest), suffix("." + std::to_string(number)), configuration(configuration), builder(nest), loc(nest.getLoc()) {}

  Status run() {
    PANTILE_RETURN_IF_ERROR(readOrder());
    int64_t grouping = configuration.integer("l2_groupings" + suffix, 1);
    if (grouping < 1) return settingError("l2_groupings" + suffix, "a group has at least 1 block, given " + std::to_string(grouping));
    std::string_view map = configuration.text("pid_type" + suffix, "flat");
    if (map != "flat" && map != "persistent_blocked" && map != "persistent_interleaved")
      return settingError("pid_type" + suffix, "accepted are flat, persistent_blocked, persistent_interleaved; given " + std::string(map));

    countBlocks();
    Value total = counts.empty() ? constant(1) : counts[0];
    for (Value count : ArrayRef<Value>(counts).drop_front(counts.empty() ? 0 : 1))
      total = arith::MulIOp::create(builder, loc, total, count);
    auto schedule = builder.getDictionaryAttr(builder.getNamedAttr("pid_type", builder.getStringAttr(llvm::StringRef(map))));
    auto grid = tile::GridOp::create(builder, loc, total, schedule);
    grid->setDiscardableAttrs(nest->getDiscardableAttrDictionary());
    Block &to = grid.getBody().emplaceBlock();
    Value program = to.addArgument(builder.getIndexType(), loc);
    builder.setInsertionPointToStart(&to);
    decode(program, grouping);
    moveBody(to);
    nest.erase();
    return {};
  }

private:
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  size_t rank() { return nest.getUppers().size(); }
  Value lower(size_t d) { return nest.getLowers().empty() ? Value() : nest.getLowers()[d]; }

  Status readOrder() {
    order.resize(rank());
    std::iota(order.begin(), order.end(), 0);
    const Setting *setting = configuration.find("loop_orders" + suffix);
    if (!setting) return {};
    auto *list = std::get_if<std::vector<int64_t>>(setting);
    std::vector<int64_t> wanted = list ? *list : std::vector<int64_t>();
    // The dimension that splitLoops put first stays slowest.
    bool isSplit = wanted.size() + 1 == rank() && configuration.integer("split_k", 1) > 1;
    if (isSplit) {
      for (int64_t &d : wanted) ++d;
      wanted.insert(wanted.begin(), 0);
    }
    std::vector<int64_t> sorted = wanted;
    std::sort(sorted.begin(), sorted.end());
    if (!list || !std::equal(sorted.begin(), sorted.end(), order.begin(), order.end()))
      return settingError("loop_orders" + suffix, "must be a permutation of 0 .. " + std::to_string(int64_t(rank()) - 1));
    order.assign(wanted.begin(), wanted.end());
    return {};
  }

  void countBlocks() {
    for (size_t d = 0; d < rank(); ++d) {
      Type type = nest.getBody().getArgument(unsigned(d)).getType();
      auto range = dyn_cast<tile::RangeType>(type);
      extents.push_back(range ? range.getExtent() : 1);
      Value length = nest.getUppers()[d];
      if (lower(d)) length = arith::MaxSIOp::create(builder, loc, arith::SubIOp::create(builder, loc, length, lower(d)), constant(0));
      counts.push_back(extents[d] == 1 ? length : arith::CeilDivSIOp::create(builder, loc, length, constant(extents[d])).getResult());
    }
  }

  /// The remainder stays, the quotient goes on.
  std::pair<Value, Value> divide(Value number, Value by) {
    Value quotient = arith::DivUIOp::create(builder, loc, number, by), remainder = arith::RemUIOp::create(builder, loc, number, by);
    return {quotient, remainder};
  }

  void decode(Value program, int64_t grouping) {
    ids.resize(rank());
    size_t left = rank();
    Value rest = program;
    if (grouping > 1 && left >= 2) {
      int64_t slow = order[left - 2], fast = order[left - 1];
      if (left > 2) {
        Value plane = arith::MulIOp::create(builder, loc, counts[slow], counts[fast]);
        std::tie(rest, program) = divide(rest, plane);
      }
      auto [group, inGroup] = divide(program, arith::MulIOp::create(builder, loc, counts[fast], constant(grouping)));
      Value first = arith::MulIOp::create(builder, loc, group, constant(grouping));
      Value rows = arith::MinUIOp::create(builder, loc, arith::SubIOp::create(builder, loc, counts[slow], first), constant(grouping));
      auto [column, row] = divide(inGroup, rows);
      ids[slow] = arith::AddIOp::create(builder, loc, first, row);
      ids[fast] = column;
      left -= 2;
    }
    while (left-- > 0) {
      int64_t d = order[left];
      if (left == 0)
        ids[d] = rest;
      else
        std::tie(rest, ids[d]) = divide(rest, counts[d]);
    }
  }

  void moveBody(Block &to) {
    Block &from = nest.getBody().front();
    for (size_t d = 0; d < rank(); ++d) {
      BlockArgument argument = from.getArgument(unsigned(d));
      Value begin = extents[d] == 1 ? ids[d] : arith::MulIOp::create(builder, loc, ids[d], constant(extents[d])).getResult();
      if (lower(d)) begin = arith::AddIOp::create(builder, loc, lower(d), begin);
      Value block = begin;
      if (isa<tile::RangeType>(argument.getType()))
        block = tile::MakeRangeOp::create(builder, loc, argument.getType(), ids[d], begin, nest.getUppers()[d]);
      argument.replaceAllUsesWith(block);
    }
    to.getOperations().splice(to.end(), from.getOperations());
  }

  tile::ParallelOp nest;
  std::string suffix;
  const Configuration &configuration;
  OpBuilder builder;
  Location loc;
  SmallVector<int64_t, 4> order, extents;
  SmallVector<Value, 4> counts, ids;
};

} // namespace

void labelLoops(tile::KernelOp kernel, const Configuration &configuration) {
  Type number = IntegerType::get(kernel.getContext(), 64);
  for (auto [i, nest] : llvm::enumerate(kernel.getBody().getOps<tile::ParallelOp>()))
    nest->setAttr(kNest, IntegerAttr::get(number, int64_t(i)));
  unsigned loops = 0;
  kernel.walk<WalkOrder::PreOrder>([&](tile::LoopOp loop) {
    int64_t unroll = configuration.integer("range_unroll_factors." + std::to_string(loops++), 0);
    if (unroll > 1) loop->setAttr("unroll", IntegerAttr::get(number, unroll));
  });
}

Status mapPrograms(tile::KernelOp kernel, const Configuration &configuration) {
  SmallVector<tile::ParallelOp> nests(kernel.getBody().getOps<tile::ParallelOp>());
  for (tile::ParallelOp nest : nests) {
    auto label = cast<IntegerAttr>(nest->removeAttr(kNest));
    PANTILE_RETURN_IF_ERROR(NestMapper(nest, unsigned(label.getInt()), configuration).run());
  }
  return {};
}

} // namespace pantile::specialization
