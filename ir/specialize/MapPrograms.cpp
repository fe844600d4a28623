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
// 5. `pid_type.N` says how block numbers come from programs:
//      flat                     grid %t in B                        one program a block
//      xyz                      grid (%x, %y, %z) in (...)          the same without division: x is the fastest dimension; what the
//                                                                   target's grid has no dimensions for shares the last
//      persistent_blocked       grid %p in P, P = min(units * num_sm_multiplier, B), whose body is one
//                                 tile.loop %k in N by 1 attributes {persistent} { block %t = %p * ceil(B / P) + %k }
//      persistent_interleaved     the same with %t = %p + %k * P
//    A persistent program runs N >= 0 blocks, in ascending order, and carries nothing from one to the next.
// labelLoops runs first, while nests and loops still have their portable numbers: it gives loop N `range_unroll_factors.N` as the
// attribute `unroll`, and each nest its number.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

using namespace mlir;

namespace pantile::specialization {

namespace {

/// Which nest of the portable kernel a nest comes from, between labelLoops and mapPrograms.
constexpr llvm::StringLiteral kNest = "pantile.nest";

class NestMapper {
public:
  NestMapper(tile::ParallelOp nest, unsigned number, const Configuration &configuration, const SpecializeOptions &options)
      : nest(nest), suffix("." + std::to_string(number)), configuration(configuration), options(options), builder(nest),
        loc(nest.getLoc()) {}

  Status run() {
    // A flattened nest had several dimensions.
    std::vector<std::string> accepted = programMaps(nest->hasAttr(kFlattened) ? 2 : rank(), options);
    PANTILE_RETURN_IF_ERROR(readOrder());
    int64_t grouping = configuration.integer("l2_groupings" + suffix, 1);
    if (grouping < 1) return settingError("l2_groupings" + suffix, "a group has at least 1 block, given " + std::to_string(grouping));
    map = configuration.text("pid_type" + suffix, "flat");
    if (!llvm::is_contained(accepted, map))
      return settingError("pid_type" + suffix,
                          fmt::format("accepted for this nest and target: {}; given {}", fmt::join(accepted, ", "), map));
    if (map == "xyz" && grouping > 1)
      return settingError("l2_groupings" + suffix, "grids of several dimensions are not grouped: set it to 1");
    int64_t multiplier = configuration.integer("num_sm_multiplier", 1);
    if (multiplier < 1) return settingError("num_sm_multiplier", "a unit has at least 1 program, given " + std::to_string(multiplier));

    countBlocks();
    // Fastest first; the last grid dimension has all that is left.
    SmallVector<Value, 3> gridCounts;
    size_t left = rank();
    for (size_t alone = map == "xyz" ? std::min(rank(), size_t(options.gridRank)) - 1 : 0; alone > 0; --alone)
      gridCounts.push_back(counts[size_t(order[--left])]);
    Value rest = counts[size_t(order[--left])];
    while (left > 0) rest = arith::MulIOp::create(builder, loc, counts[size_t(order[--left])], rest);
    Value programs = isPersistent() ? arith::MinSIOp::create(builder, loc, constant(options.units * multiplier), rest) : rest;
    gridCounts.push_back(programs);

    auto schedule = builder.getDictionaryAttr(builder.getNamedAttr("pid_type", builder.getStringAttr(llvm::StringRef(map))));
    auto grid = tile::GridOp::create(builder, loc, gridCounts, schedule);
    grid->setDiscardableAttrs(nest->getDiscardableAttrDictionary());
    Block *to = &grid.getBody().emplaceBlock();
    SmallVector<Value, 3> numbers;
    for (size_t i = 0; i < gridCounts.size(); ++i) numbers.push_back(to->addArgument(builder.getIndexType(), loc));
    builder.setInsertionPointToStart(to);
    if (isPersistent()) {
      auto [loop, block] = persistentLoop(numbers[0], programs, rest);
      numbers[0] = block;
      tile::YieldOp::create(builder, loc, ValueRange());
      to = &loop.getBody().front();
      builder.setInsertionPointToEnd(to);
    }
    decode(numbers, grouping);
    moveBody(*to);
    nest.erase();
    return {};
  }

private:
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  size_t rank() { return nest.getUppers().size(); }
  Value lower(size_t d) { return nest.getLowers().empty() ? Value() : nest.getLowers()[d]; }

  bool isPersistent() { return map.starts_with("persistent"); }

  /// The loop over one program's blocks, and the block's number in it. Leaves the builder after the loop.
  std::pair<tile::LoopOp, Value> persistentLoop(Value program, Value programs, Value blocks) {
    Value first = program, step, mine;
    if (map == "persistent_blocked") {
      Value run = arith::CeilDivSIOp::create(builder, loc, blocks, programs);
      first = arith::MulIOp::create(builder, loc, program, run);
      // The last programs may have fewer blocks, or none.
      Value left = arith::SubIOp::create(builder, loc, blocks, first);
      mine = arith::MaxSIOp::create(builder, loc, arith::MinSIOp::create(builder, loc, run, left), constant(0));
    } else {
      step = programs;
      mine = arith::CeilDivSIOp::create(builder, loc, arith::SubIOp::create(builder, loc, blocks, program), programs);
    }
    auto loop = tile::LoopOp::create(builder, loc, TypeRange(), Value(), mine, ValueRange(),
                                     tile::DimsAttr::get(builder.getContext(), tile::Dim{{}, 1}), /*associative=*/false);
    loop->setAttr("persistent", builder.getUnitAttr());
    Block &body = loop.getBody().emplaceBlock();
    OpBuilder inside = OpBuilder::atBlockEnd(&body);
    Value ordinal = body.addArgument(builder.getIndexType(), loc);
    if (step) ordinal = arith::MulIOp::create(inside, loc, ordinal, step);
    return {loop, arith::AddIOp::create(inside, loc, first, ordinal)};
  }

  Status readOrder() {
    order.resize(rank());
    std::iota(order.begin(), order.end(), 0);
    if (nest->removeAttr(kFlattened)) return {};
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

  /// Block ordinals from the program ids, fastest first.
  void decode(ArrayRef<Value> programs, int64_t grouping) {
    ids.resize(rank());
    size_t left = rank();
    for (Value program : programs.drop_back()) ids[size_t(order[--left])] = program;
    Value program = programs.back(), rest = program;
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
  std::string suffix, map;
  const Configuration &configuration;
  const SpecializeOptions &options;
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

std::vector<std::string> programMaps(size_t rank, const SpecializeOptions &options) {
  std::vector<std::string> maps{"flat"};
  if (rank > 1 && options.gridRank > 1) maps.emplace_back("xyz");
  if (options.units > 0) maps.insert(maps.end(), {"persistent_blocked", "persistent_interleaved"});
  return maps;
}

Status mapPrograms(tile::KernelOp kernel, const Configuration &configuration, const SpecializeOptions &options) {
  SmallVector<tile::ParallelOp> nests(kernel.getBody().getOps<tile::ParallelOp>());
  for (tile::ParallelOp nest : nests) {
    auto label = cast<IntegerAttr>(nest->removeAttr(kNest));
    PANTILE_RETURN_IF_ERROR(NestMapper(nest, unsigned(label.getInt()), configuration, options).run());
  }
  return {};
}

} // namespace pantile::specialization
