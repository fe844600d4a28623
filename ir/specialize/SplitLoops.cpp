//===- ir/specialize/SplitLoops.cpp - split-K -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// `split_k` = S > 1 spreads the one associative loop of a kernel over S programs for each block:
//
//   parallel (%i, %j) {                       parallel (%s, %i, %j) in (S, %M, %N) by (1, @bm, @bn) {
//     before                                    before
//     %r = loop %p in %K carry(%a = %init)      %r = loop %p from %lo to %hi carry(%a = 0)
//     after(%r)                        ->       store %r, %w[%s, %i, %j] }
//   }                                         parallel (%i, %j) in (%M, %N) by (@bm, @bn) {
//                                               before
//                                               %r = loop %t in S by 1 carry(%a = %init) { %a + load %w[%t, %i, %j] }
//                                               after(%r) }
//
// 1. Legal where the loop stands directly in a parallel nest, it alone is associative, what stands before it and in it writes
//    nothing, and each extent of a carry is a constant, a full extent, or a block of the nest.
// 2. Part s does ceil(blocks / S) blocks of the loop from its s-th part on; parts beyond the end add zero. Ordinals
//    (tile.id) of the loop's range are counted from the loop's own begin, so the first of the part is added.
// 3. Each carry has a workspace [S, the nest's dimensions it lacks, its own extents]. A dimension it lacks is addressed by the
//    block's ordinal.
// 4. The second phase starts from the loop's inits and adds the parts in order: the result does not depend on which program was
//    first.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"
#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace pantile::specialization {

namespace {

bool writes(Operation *op) {
  return op->walk([](Operation *inner) { return tile::writesView(inner) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

/// Which argument of the nest steps by a symbol, or -1.
int argumentOf(tile::ParallelOp nest, const tile::Dim &dim) {
  for (auto [d, block] : llvm::enumerate(nest.getBlocks().getDims()))
    if (block == dim) return int(d);
  return -1;
}

class Splitter {
public:
  Splitter(tile::LoopOp loop, int64_t parts, const Symbols &symbols)
      : loop(loop), nest(cast<tile::ParallelOp>(loop->getParentOp())), parts(parts), symbols(symbols), builder(nest), loc(loop.getLoc()) {}

  void run() {
    for (Value init : loop.getInits()) makeWorkspace(init.getType());
    firstPhase();
    secondPhase();
  }

private:
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  /// Subscripts of a carry in its workspace, as operands and kinds; sizes where `sizes` is given.
  struct Place {
    SmallVector<Value, 4> operands;
    SmallVector<Attribute, 4> kinds;
  };

  void makeWorkspace(Type carry) {
    SmallVector<Value, 4> sizes{constant(parts)};
    SmallVector<int64_t, 4> shape{ShapedType::kDynamic};
    auto add = [&](Value size) {
      sizes.push_back(size);
      shape.push_back(ShapedType::kDynamic);
    };
    auto dims = tile::isTile(carry) ? tile::dimsOf(cast<RankedTensorType>(carry)) : ArrayRef<tile::Dim>();
    for (auto [d, block] : llvm::enumerate(nest.getBlocks().getDims())) {
      if (!block.isConstant() && llvm::is_contained(dims, block)) continue;
      Value upper = nest.getUppers()[d];
      auto range = dyn_cast<tile::RangeType>(nest.getBody().getArgument(unsigned(d)).getType());
      if (range) {
        if (!nest.getLowers().empty())
          upper = arith::MaxSIOp::create(builder, loc, arith::SubIOp::create(builder, loc, upper, nest.getLowers()[d]), constant(0));
        upper = arith::CeilDivSIOp::create(builder, loc, upper, constant(range.getExtent()));
      }
      add(upper);
    }
    for (auto [i, dim] : llvm::enumerate(dims)) {
      if (dim.isConstant())
        add(constant(dim.factor));
      else if (int argument = argumentOf(nest, dim); argument >= 0)
        add(nest.getUppers()[unsigned(argument)]);
      else {
        auto [view, viewDim] = symbols.fulls.find(dim.symbol.getValue())->second;
        add(tile::DimOp::create(builder, loc, builder.getIndexType(), view, builder.getI64IntegerAttr(viewDim)));
      }
    }
    auto type = tile::ViewType::get(builder.getContext(), shape, tile::elementOf(carry));
    workspaces.push_back(tile::WorkspaceOp::create(builder, loc, type, sizes));
  }

  Place placeOf(Type carry, Value part, Block &body, unsigned firstArgument) {
    Place place;
    auto position = [&](Value operand) {
      place.operands.push_back(operand);
      place.kinds.push_back(builder.getUnitAttr());
    };
    position(part);
    auto dims = tile::isTile(carry) ? tile::dimsOf(cast<RankedTensorType>(carry)) : ArrayRef<tile::Dim>();
    for (auto [d, block] : llvm::enumerate(nest.getBlocks().getDims())) {
      if (!block.isConstant() && llvm::is_contained(dims, block)) continue;
      Value argument = body.getArgument(firstArgument + unsigned(d));
      position(isa<tile::RangeType>(argument.getType()) ? tile::IdOp::create(builder, loc, builder.getIndexType(), argument).getResult()
                                                        : argument);
    }
    for (const tile::Dim &dim : dims) {
      if (dim.isConstant())
        place.kinds.push_back(builder.getI64IntegerAttr(dim.factor));
      else if (int argument = argumentOf(nest, dim); argument >= 0)
        position(body.getArgument(firstArgument + unsigned(argument)));
      else
        place.kinds.push_back(FlatSymbolRefAttr::get(dim.symbol));
    }
    return place;
  }

  Value zero(Type type) {
    Type element = tile::elementOf(type);
    Value scalar = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
    return tile::isTile(type) ? tile::SplatOp::create(builder, loc, type, scalar).getResult() : scalar;
  }

  void firstPhase() {
    // The nest with the part as its first dimension.
    SmallVector<tile::Dim, 4> blocks{tile::Dim{{}, 1}};
    llvm::append_range(blocks, nest.getBlocks().getDims());
    SmallVector<Value, 4> lowers, uppers{constant(parts)};
    if (!nest.getLowers().empty()) {
      lowers.push_back(constant(0));
      llvm::append_range(lowers, nest.getLowers());
    }
    llvm::append_range(uppers, nest.getUppers());
    auto phase = tile::ParallelOp::create(builder, loc, lowers, uppers, tile::DimsAttr::get(builder.getContext(), blocks));
    phase->setDiscardableAttrs(nest->getDiscardableAttrDictionary());
    Block &body = phase.getBody().emplaceBlock();
    body.addArgument(builder.getIndexType(), loc);
    IRMapping mapping;
    for (BlockArgument argument : nest.getBody().getArguments())
      mapping.map(argument, body.addArgument(argument.getType(), argument.getLoc()));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&body);
    for (Operation &op : nest.getBody().front()) {
      if (&op == loop.getOperation()) break;
      builder.clone(op, mapping);
    }

    Value part = body.getArgument(0);
    auto range = dyn_cast<tile::RangeType>(loop.getBody().getArgument(0).getType());
    int64_t extent = range ? range.getExtent() : 1;
    Value upper = mapping.lookupOrDefault(loop.getUpper()),
          lower = loop.getLower() ? mapping.lookupOrDefault(loop.getLower()) : constant(0);
    Value length = arith::MaxSIOp::create(builder, loc, arith::SubIOp::create(builder, loc, upper, lower), constant(0));
    Value blocksInAll = arith::CeilDivSIOp::create(builder, loc, length, constant(extent));
    Value blocksInPart = arith::CeilDivSIOp::create(builder, loc, blocksInAll, constant(parts));
    Value firstBlock = arith::MulIOp::create(builder, loc, part, blocksInPart);
    Value from = arith::AddIOp::create(builder, loc, lower, arith::MulIOp::create(builder, loc, firstBlock, constant(extent)));
    Value to = arith::AddIOp::create(builder, loc, from, arith::MulIOp::create(builder, loc, blocksInPart, constant(extent)));
    to = arith::MinSIOp::create(builder, loc, to, upper);
    SmallVector<Value, 4> inits;
    for (Value init : loop.getInits()) inits.push_back(zero(init.getType()));
    auto mine = tile::LoopOp::create(builder, loc, loop.getResultTypes(), from, to, inits, loop.getBlocksAttr(), /*associative=*/true);
    mine->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
    loop.getBody().cloneInto(&mine.getBody(), mapping);
    mine.walk([&](tile::IdOp id) {
      if (id.getRange() != mine.getBody().getArgument(0)) return;
      OpBuilder after(id->getContext());
      after.setInsertionPointAfter(id);
      auto sum = arith::AddIOp::create(after, id.getLoc(), id.getResult(), firstBlock);
      id.getResult().replaceAllUsesExcept(sum, sum);
    });

    for (auto [result, workspace] : llvm::zip(mine.getResults(), workspaces)) {
      Place place = placeOf(result.getType(), part, body, 1);
      tile::StoreOp::create(builder, loc, result, workspace, place.operands, builder.getArrayAttr(place.kinds));
    }
    tile::YieldOp::create(builder, loc, ValueRange());
  }

  void secondPhase() {
    builder.setInsertionPoint(loop);
    tile::Dim one{{}, 1};
    auto sum = tile::LoopOp::create(builder, loc, loop.getResultTypes(), Value(), constant(parts), loop.getInits(),
                                    tile::DimsAttr::get(builder.getContext(), one),
                                    /*associative=*/false);
    Block &body = sum.getBody().emplaceBlock();
    Value part = body.addArgument(builder.getIndexType(), loc);
    for (Type type : loop.getResultTypes()) body.addArgument(type, loc);
    builder.setInsertionPointToStart(&body);
    SmallVector<Value, 4> next;
    for (auto [i, workspace] : llvm::enumerate(workspaces)) {
      Value carry = body.getArgument(unsigned(i) + 1);
      Place place = placeOf(carry.getType(), part, nest.getBody().front(), 0);
      Value partial =
          tile::LoadOp::create(builder, loc, carry.getType(), workspace, place.operands, Value(), builder.getArrayAttr(place.kinds));
      next.push_back(isa<FloatType>(tile::elementOf(carry.getType())) ? arith::AddFOp::create(builder, loc, carry, partial).getResult()
                                                                      : arith::AddIOp::create(builder, loc, carry, partial).getResult());
    }
    tile::YieldOp::create(builder, loc, next);
    loop.replaceAllUsesWith(sum.getResults());
    loop.erase();
  }

  tile::LoopOp loop;
  tile::ParallelOp nest;
  int64_t parts;
  const Symbols &symbols;
  OpBuilder builder;
  Location loc;
  SmallVector<Value, 2> workspaces;
};

} // namespace

Expected<tile::LoopOp> loopToSplit(tile::KernelOp kernel) {
  auto refuse = [](const std::string &why) { return settingError("split_k", why); };
  SmallVector<tile::LoopOp> found;
  kernel.walk([&](tile::LoopOp loop) {
    if (loop.getAssociative()) found.push_back(loop);
  });
  if (found.size() != 1) return refuse("splits the one associative loop of a kernel; this one has " + std::to_string(found.size()));
  tile::LoopOp loop = found[0];
  auto nest = dyn_cast<tile::ParallelOp>(loop->getParentOp());
  if (!nest) return refuse("the associative loop does not stand directly in a parallel nest");
  if (writes(loop)) return refuse("the loop writes to memory");
  for (Operation &op : nest.getBody().front()) {
    if (&op == loop.getOperation()) break;
    if (writes(&op)) return refuse("memory is written before the loop");
  }
  Symbols symbols = symbolsOf(kernel);
  for (Value init : loop.getInits()) {
    if (!tile::isTile(init.getType())) continue;
    SmallVector<tile::Dim, 4> seen;
    for (const tile::Dim &dim : tile::dimsOf(cast<RankedTensorType>(init.getType()))) {
      if (dim.isConstant()) continue;
      bool known = argumentOf(nest, dim) >= 0 || (dim.factor == 1 && symbols.fulls.contains(dim.symbol.getValue()));
      if (!known || llvm::is_contained(seen, dim)) return refuse("a carry has an extent that is no block of the parallel nest");
      seen.push_back(dim);
    }
  }
  return loop;
}

Status splitLoops(tile::KernelOp kernel, const Configuration &configuration) {
  int64_t parts = configuration.integer("split_k", 1);
  if (parts < 1) return settingError("split_k", "must be at least 1, given " + std::to_string(parts));
  if (parts == 1) return {};
  PANTILE_ASSIGN(tile::LoopOp loop, loopToSplit(kernel));
  Symbols symbols = symbolsOf(kernel);
  Splitter(loop, parts, symbols).run();
  return {};
}

} // namespace pantile::specialization
