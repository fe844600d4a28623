//===- ir/specialize/RollExtents.cpp - full extents as loops --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// `reduction_loops.n` = 256 turns the full extent @n of a parallel body into loops over chunks of 256:
//
//   %x = load %X[%i, full @n]                     %max = loop %c in N by @n = 256 carry(%m = -inf) {
//   %max = reduce maximumf %x over 1                %x = load %X[%i, %c]; %p = reduce maximumf %x; yield maximumf(%m, %p) }
//   %e = exp(%x - broadcast %max)            ->   %sum = loop ... carry(%s = 0) { load; exp; reduce; yield %s + %p }
//   %sum = reduce addf %e over 1                  loop ... { load; exp; store %e / broadcast %sum, %Y[%i, %c] }
//   store %e / broadcast %sum, %Y[%i, full @n]
//
// 1. An operation is *wide* if a tile of it has the extent @n or it names `full @n`, else narrow. A wide operation whose results are
//    narrow is a *reduction*: tile.reduce over @n, or a dot that contracts @n.
// 2. The pass of an operation is the greatest of its operands' passes, plus one for each operand that is a reduction's result. A sum
//    that OnlineSums.h recognizes shares the pass of its maximum: above, %max and %sum are carried by one loop.
// 3. Loop p has the reductions of pass p, and carries them; stores go to the last loop. A loop repeats what its reductions and stores
//    need of the wide operations, loads included. Narrow operations of pass p stand before loop p, in their order.
// 4. Inside a loop `full @n` is the loop's range, iota its positions, and types have the chunk's extent under the symbol.
// 5. A reduction by kind carries its identity, and combines it with the chunk's reduction by the operation of that kind; a general one
//    carries its inits, and its region combines whole tiles; a dot carries its accumulator.
// 6. Illegal where @n appears inside a nested region or times a factor, where a scan runs along it, where it is reshaped, where a
//    reduction's source has no load, gather or iota along @n (nothing would clip its last chunk), or where a view that is loaded
//    wide is stored as well, at other subscripts. Views of different arguments do not overlap where one is written.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"
#include "ir/specialize/Identity.h"
#include "ir/specialize/OnlineSums.h"
#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::specialization {

namespace {

int dimensionOf(Type type, llvm::StringRef symbol) {
  if (!tile::isTile(type)) return -1;
  for (auto [d, dim] : llvm::enumerate(tile::dimsOf(cast<RankedTensorType>(type))))
    if (!dim.isConstant() && dim.symbol.getValue() == symbol) return int(d);
  return -1;
}

bool names(Operation *op, llvm::StringRef symbol) {
  if (!tile::viewOf(op)) return false;
  return llvm::any_of(tile::subscriptsOf(op),
                      [&](const tile::Subscript &s) { return s.kind == tile::Subscript::Full && s.symbol == symbol; });
}

bool isWide(Operation *op, llvm::StringRef symbol) {
  auto wide = [&](Type type) { return dimensionOf(type, symbol) >= 0; };
  return names(op, symbol) || llvm::any_of(op->getOperandTypes(), wide) || llvm::any_of(op->getResultTypes(), wide);
}

bool isReduction(Operation *op, llvm::StringRef symbol) {
  return isa<tile::ReduceOp, tile::DotOp>(op) && isWide(op, symbol) &&
         !llvm::any_of(op->getResultTypes(), [&](Type type) { return dimensionOf(type, symbol) >= 0; });
}

bool isWrite(Operation *op) { return tile::writesView(op); }

/// Whether the last chunk of a wide value is clipped to what is left of @n.
bool isClipped(Value value, llvm::StringRef symbol) {
  int dim = dimensionOf(value.getType(), symbol);
  Operation *op = value.getDefiningOp();
  if (dim < 0 || !op) return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<tile::LoadOp, tile::GatherOp, tile::IotaOp>([](auto) { return true; })
      .Case([](tile::SplatOp) { return false; })
      .Default(
          [&](Operation *other) { return llvm::any_of(other->getOperands(), [&](Value operand) { return isClipped(operand, symbol); }); });
}

Status checkOperation(Operation &op, llvm::StringRef symbol) {
  auto refuse = [&](const std::string &why) {
    return Status(PANTILE_INVALID_ARGUMENT,
                  "@" + symbol.str() + " cannot be rolled: " + why + " (" + op.getName().getStringRef().str() + ")");
  };
  bool nested = false, scaled = false;
  op.walk([&](Operation *inner) {
    if (inner != &op && isWide(inner, symbol)) nested = true;
    for (Type type : inner->getResultTypes())
      if (int dim = dimensionOf(type, symbol); dim >= 0) scaled |= tile::dimsOf(cast<RankedTensorType>(type))[size_t(dim)].factor != 1;
  });
  if (nested) return refuse("it is used inside a nested region");
  if (!isWide(&op, symbol)) return {};
  if (scaled) return refuse("it appears times a factor");
  return llvm::TypeSwitch<Operation *, Status>(&op)
      .Case([&](tile::ScanOp scan) {
        return dimensionOf(scan.getSources()[0].getType(), symbol) == int(scan.getDim()) ? refuse("a scan runs along it") : Status();
      })
      .Case([&](tile::TopKOp top) {
        return dimensionOf(top.getSource().getType(), symbol) == int(top.getDim()) ? refuse("its greatest elements are sought") : Status();
      })
      .Case<tile::AssertOp, tile::PrintOp>([&](auto) { return refuse("a check looks at it"); })
      .Case([&](tile::ReshapeOp) { return refuse("it is reshaped"); })
      .Case([&](tile::CatOp cat) { return dimensionOf(cat.getType(), symbol) == int(cat.getDim()) ? refuse("it is joined") : Status(); })
      .Case([&](tile::ReduceOp reduce) {
        if (!isReduction(reduce, symbol)) return Status();
        if (!llvm::any_of(reduce.getSources(), [&](Value source) { return isClipped(source, symbol); }))
          return refuse("constants are reduced along it");
        for (Region &region : reduce->getRegions())
          for (Operation &inner : region.getOps())
            if (inner.getNumRegions()) return refuse("the combine region has control flow");
        return Status();
      })
      .Case([&](tile::DotOp dot) {
        return isReduction(dot, symbol) && !isClipped(dot.getLhs(), symbol) && !isClipped(dot.getRhs(), symbol)
                   ? refuse("constants are contracted along it")
                   : Status();
      })
      .Case([&](tile::AtomicRMWOp atomic) { return atomic.getOld() ? refuse("the old values of atomics lie along it") : Status(); })
      .Case<tile::LoopOp>([&](auto) { return refuse("a loop carries it"); })
      .Default([&](Operation *other) { return other->getNumRegions() ? refuse("it is used by control flow") : Status(); });
}

/// Subscripts other than the rolled ones must be the same values for a load and a store of one view.
bool sameSubscripts(Operation *a, Operation *b) {
  auto left = tile::subscriptsOf(a), right = tile::subscriptsOf(b);
  return llvm::equal(left, right, [](const tile::Subscript &x, const tile::Subscript &y) {
    return x.kind == y.kind && x.value == y.value && x.symbol == y.symbol && x.kind != tile::Subscript::Tile;
  });
}

Status checkBody(Block &body, llvm::StringRef symbol) {
  for (Operation &op : body.without_terminator()) PANTILE_RETURN_IF_ERROR(checkOperation(op, symbol));
  // Stores along @n move to the last loop: nothing may read what they wrote.
  for (Operation &store : body.without_terminator()) {
    if (!isWrite(&store) || !isWide(&store, symbol)) continue;
    bool isRead = false;
    for (Operation &other : body.without_terminator())
      other.walk([&](Operation *access) {
        if (isWrite(access) || tile::viewOf(access) != tile::viewOf(&store)) return;
        isRead |= !isWide(access, symbol) || (access->getBlock() == &body && store.isBeforeInBlock(access));
      });
    if (isRead) return Status(PANTILE_INVALID_ARGUMENT, "@" + symbol.str() + " cannot be rolled: what is stored along it is read again");
  }
  for (Operation &load : body.without_terminator()) {
    if (!isa<tile::LoadOp, tile::GatherOp>(load) || !isWide(&load, symbol)) continue;
    for (Operation &other : body.without_terminator()) {
      bool conflict = false;
      other.walk([&](Operation *write) {
        conflict |=
            isWrite(write) && tile::viewOf(write) == tile::viewOf(&load) && !(isWide(write, symbol) && sameSubscripts(write, &load));
      });
      if (conflict)
        return Status(PANTILE_INVALID_ARGUMENT,
                      "@" + symbol.str() + " cannot be rolled: a view that is loaded along it is stored to as well");
    }
  }
  return {};
}

bool uses(Block &body, llvm::StringRef symbol) {
  bool found = false;
  body.walk([&](Operation *op) { found |= isWide(op, symbol); });
  return found;
}

class Roller {
public:
  Roller(tile::ParallelOp nest, llvm::StringRef symbol, int64_t chunk, Value size)
      : body(nest.getBody().front()), symbol(symbol), chunk(chunk), size(size), builder(nest.getContext()), loc(nest.getLoc()) {
    types.addReplacement([this](RankedTensorType type) -> std::optional<Type> {
      int dim = dimensionOf(type, this->symbol);
      if (dim < 0) return std::nullopt;
      SmallVector<int64_t, 4> shape(type.getShape());
      shape[unsigned(dim)] = this->chunk;
      return tile::tileOf(type.getElementType(), tile::dimsOf(type), shape);
    });
  }

  void run() {
    order();
    builder.setInsertionPoint(body.getTerminator());
    for (unsigned pass = 0; pass <= last; ++pass) {
      moveNarrow(pass);
      makeLoop(pass);
    }
    for (unsigned pass = last + 1; pass <= last + 1 + unsigned(narrow.size()) && !narrow.empty(); ++pass) moveNarrow(pass);
    for (Operation *op : llvm::reverse(wide)) op->erase();
  }

private:
  void order() {
    for (Operation &op : body.without_terminator()) {
      unsigned pass = 0;
      auto need = [&](Value operand) {
        Operation *from = operand.getDefiningOp();
        if (from && from->getBlock() == &body) pass = std::max(pass, passes[from] + (isReduction(from, symbol) ? 1 : 0));
      };
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands()) need(operand);
      });
      // What touches memory keeps its place among other narrow operations that do.
      bool isNarrow = !isWide(&op, symbol);
      if (isReduction(&op, symbol)) {
        auto isReady = [&](Value value, Operation *maximum) {
          Operation *from = value.getDefiningOp();
          if (!from || from->getBlock() != &body) return true;
          return passes[from] + (isReduction(from, symbol) ? 1 : 0) <= passes[maximum];
        };
        if (auto sum = OnlineSum::match(&op, isReady); sum && isReduction(sum->maximum, symbol)) {
          pass = passes[sum->maximum];
          online.try_emplace(&op, *sum);
        }
      }
      if (isNarrow && !isMemoryEffectFree(&op)) pass = memoryPass = std::max(pass, memoryPass);
      passes[&op] = pass;
      if (isNarrow)
        narrow.push_back(&op);
      else
        wide.push_back(&op);
      if (!isNarrow && (isReduction(&op, symbol) || isWrite(&op))) last = std::max(last, pass);
    }
  }

  void moveNarrow(unsigned pass) {
    for (Operation *op : narrow)
      if (passes[op] == pass) op->moveBefore(body.getTerminator());
    llvm::erase_if(narrow, [&](Operation *op) { return passes[op] == pass; });
  }

  Value identity(llvm::StringRef kind, Type type) {
    return spread(arith::ConstantOp::create(builder, loc, identityOf(kind, tile::elementOf(type))), type);
  }
  Value spread(Value scalar, Type type) {
    return tile::isTile(type) ? tile::SplatOp::create(builder, loc, type, scalar).getResult() : scalar;
  }

  void initsOf(Operation *op, SmallVectorImpl<Value> &inits) {
    if (auto dot = dyn_cast<tile::DotOp>(op)) {
      inits.push_back(dot.getAcc());
      return;
    }
    auto reduce = cast<tile::ReduceOp>(op);
    if (reduce.getKind())
      inits.push_back(identity(*reduce.getKind(), reduce.getResults()[0].getType()));
    else
      for (auto [init, result] : llvm::zip(reduce.getInits(), reduce.getResults())) inits.push_back(spread(init, result.getType()));
  }

  /// The combine region on whole tiles.
  void combine(tile::ReduceOp reduce, ArrayRef<Value> left, ValueRange right, SmallVectorImpl<Value> &next) {
    Block &region = reduce.getCombine().front();
    IRMapping mapping;
    for (auto [i, value] : llvm::enumerate(left)) mapping.map(region.getArgument(unsigned(i)), value);
    for (auto [i, value] : llvm::enumerate(right)) mapping.map(region.getArgument(unsigned(left.size() + i)), value);
    Type shape = left[0].getType();
    auto widened = [&](Value value) {
      return tile::isTile(shape) && !tile::isTile(value.getType()) ? spread(value, likeShape(shape, value.getType())) : value;
    };
    for (Operation &op : region.without_terminator()) {
      if (op.hasTrait<OpTrait::ConstantLike>()) {
        mapping.map(op.getResult(0), widened(builder.clone(op)->getResult(0)));
        continue;
      }
      for (Value operand : op.getOperands()) mapping.map(operand, widened(mapping.lookupOrDefault(operand)));
      Operation *clone = builder.clone(op, mapping);
      if (tile::isTile(shape))
        for (Value result : clone->getResults()) result.setType(likeShape(shape, result.getType()));
    }
    for (Value yielded : region.getTerminator()->getOperands()) next.push_back(widened(mapping.lookupOrDefault(yielded)));
  }
  static Type likeShape(Type shape, Type element) {
    auto tensor = cast<RankedTensorType>(shape);
    return tile::tileOf(tile::elementOf(element), tile::dimsOf(tensor), tensor.getShape());
  }

  void makeLoop(unsigned pass) {
    SmallVector<Operation *> roots;
    for (Operation *op : wide)
      if ((isReduction(op, symbol) && passes[op] == pass) || (isWrite(op) && pass == last)) roots.push_back(op);
    if (roots.empty()) return;
    SmallVector<Value, 4> inits;
    SmallVector<Value, 4> results;
    for (Operation *op : roots)
      if (isReduction(op, symbol)) {
        initsOf(op, inits);
        llvm::append_range(results, op->getResults());
      }
    tile::Dim dim{StringAttr::get(builder.getContext(), symbol), 1};
    auto loop = tile::LoopOp::create(builder, loc, ValueRange(inits).getTypes(), Value(), size, inits,
                                     tile::DimsAttr::get(builder.getContext(), dim), /*associative=*/false);
    Block &block = loop.getBody().emplaceBlock();
    Value range = block.addArgument(tile::blockType(builder.getContext(), dim, chunk), loc);
    for (Value init : inits) block.addArgument(init.getType(), loc);

    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&block);
    IRMapping mapping;
    SmallVector<Value, 4> next;
    unsigned carry = 1;
    llvm::SetVector<Operation *> needed;
    for (Operation *root : roots) need(root, needed);
    llvm::SmallDenseMap<Operation *, std::pair<Value, Value>> maxima; // carried, and with this chunk
    auto rescaled = [&](Operation *sum, Value carried) {
      auto found = online.find(sum);
      if (found == online.end()) return carried;
      auto [before, now] = maxima.lookup(found->second.maximum);
      return found->second.rescale(builder, loc, carried, before, now);
    };
    for (Operation *op : wide) {
      if (!needed.contains(op)) continue;
      if (!isReduction(op, symbol)) {
        clone(op, range, mapping);
        continue;
      }
      unsigned count = op->getNumResults();
      SmallVector<Value, 2> carries(block.getArguments().slice(carry, count));
      carry += count;
      if (auto dot = dyn_cast<tile::DotOp>(op)) {
        mapping.map(dot.getAcc(), rescaled(op, carries[0]));
        next.push_back(clone(op, range, mapping)->getResult(0));
        mapping.erase(dot.getAcc());
        continue;
      }
      auto reduce = cast<tile::ReduceOp>(op);
      Operation *partial = clone(op, range, mapping);
      if (reduce.getKind()) {
        OperationState state(loc, "arith." + reduce.getKind()->str(), {rescaled(op, carries[0]), partial->getResult(0)},
                             {carries[0].getType()});
        next.push_back(builder.create(state)->getResult(0));
        if (llvm::any_of(online, [&](const auto &entry) { return entry.second.maximum == op; })) {
          maxima[op] = {carries[0], next.back()};
          mapping.map(reduce.getResults()[0], OnlineSum::reference(builder, loc, next.back()));
        }
      } else {
        combine(reduce, carries, partial->getResults(), next);
      }
    }
    tile::YieldOp::create(builder, loc, next);
    builder.setInsertionPointAfter(loop);
    auto resultOf = [&](Value old) { return loop.getResult(unsigned(llvm::find(results, old) - results.begin())); };
    for (auto [old, now] : llvm::zip(results, loop.getResults())) {
      Value result = now;
      if (auto found = online.find(old.getDefiningOp()); found != online.end())
        result = found->second.finish(builder, loc, now, resultOf(found->second.maximum.getResults()[0]), size);
      old.replaceAllUsesWith(result);
    }
  }

  /// The wide operations of this body that an operation needs, itself included; reductions of earlier passes are values by now.
  void need(Operation *op, llvm::SetVector<Operation *> &needed) {
    if (!needed.insert(op)) return;
    for (Value operand : op->getOperands())
      if (Operation *from = operand.getDefiningOp();
          from && from->getBlock() == &body && isWide(from, symbol) && !isReduction(from, symbol))
        need(from, needed);
  }

  Operation *clone(Operation *op, Value range, IRMapping &mapping) {
    if (auto iota = dyn_cast<tile::IotaOp>(op)) {
      auto index = tile::IndexOp::create(builder, op->getLoc(), types.replace(iota.getType()), range);
      mapping.map(iota.getResult(), index.getResult());
      return index;
    }
    Operation *copy = builder.clone(*op, mapping);
    types.recursivelyReplaceElementsIn(copy, /*replaceAttrs=*/false, /*replaceLocs=*/false, /*replaceTypes=*/true);
    if (!tile::viewOf(copy)) return copy;
    // `full @n` becomes an operand at its place among the subscripts.
    llvm::TypeSwitch<Operation *>(copy).Case<tile::LoadOp, tile::StoreOp, tile::GatherOp, tile::ScatterOp, tile::AtomicRMWOp>(
        [&](auto access) {
          SmallVector<Attribute, 4> kinds;
          SmallVector<Value, 4> operands;
          unsigned next = 0;
          for (Attribute kind : access.getKinds()) {
            auto full = dyn_cast<FlatSymbolRefAttr>(kind);
            if (full && full.getValue() == symbol) {
              operands.push_back(range);
              kinds.push_back(builder.getUnitAttr());
              continue;
            }
            if (isa<UnitAttr>(kind)) operands.push_back(access.getSubscripts()[next++]);
            kinds.push_back(kind);
          }
          access.getSubscriptsMutable().assign(operands);
          access.setKindsAttr(builder.getArrayAttr(kinds));
        });
    return copy;
  }

  Block &body;
  llvm::StringRef symbol;
  int64_t chunk;
  Value size;
  OpBuilder builder;
  Location loc;
  AttrTypeReplacer types;
  llvm::DenseMap<Operation *, unsigned> passes;
  llvm::MapVector<Operation *, OnlineSum> online;
  SmallVector<Operation *> narrow, wide;
  unsigned last = 0, memoryPass = 0;
};

} // namespace

Status canRoll(tile::KernelOp kernel, llvm::StringRef symbol) {
  for (auto nest : kernel.getBody().getOps<tile::ParallelOp>()) PANTILE_RETURN_IF_ERROR(checkBody(nest.getBody().front(), symbol));
  return {};
}

bool canRollBoth(tile::KernelOp kernel, llvm::StringRef one, llvm::StringRef other) {
  return !kernel.walk([&](Operation *op) { return isWide(op, one) && isWide(op, other) ? WalkResult::interrupt() : WalkResult::advance(); })
              .wasInterrupted();
}

Status rollExtents(tile::KernelOp kernel, const Configuration &configuration) {
  Symbols symbols = symbolsOf(kernel);
  SmallVector<llvm::StringRef, 2> rolled;
  // All is checked before anything changes.
  for (auto &[symbol, dimension] : symbols.fulls) {
    std::string name = "reduction_loops." + symbol.str();
    int64_t chunk = configuration.integer(name, 0);
    if (chunk < 0) return settingError(name, "a chunk has at least 1 element (0: do not roll), given " + std::to_string(chunk));
    if (chunk == 0) continue;
    for (llvm::StringRef other : rolled)
      if (!canRollBoth(kernel, symbol, other))
        return settingError(name,
                            "an operation has both @" + symbol.str() + " and @" + other.str() + ", which is rolled: set one of them to 0");
    if (Status status = canRoll(kernel, symbol); !status.isOk()) return std::move(status).in("setting " + name);
    rolled.push_back(symbol);
  }
  for (llvm::StringRef symbol : rolled) {
    auto dimension = symbols.fulls.find(symbol)->second;
    int64_t chunk = configuration.integer("reduction_loops." + symbol.str(), 0);
    for (auto nest : kernel.getBody().getOps<tile::ParallelOp>()) {
      Block &body = nest.getBody().front();
      if (!uses(body, symbol)) continue;
      OpBuilder builder = OpBuilder::atBlockBegin(&body);
      auto size =
          tile::DimOp::create(builder, nest.getLoc(), builder.getIndexType(), dimension.first, builder.getI64IntegerAttr(dimension.second));
      Roller(nest, symbol, chunk, size).run();
    }
  }
  return {};
}

} // namespace pantile::specialization
