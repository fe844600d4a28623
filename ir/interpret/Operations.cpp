//===- ir/interpret/Operations.cpp - what each operation of a kernel does -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"
#include "ir/interpret/Contract.h"
#include "ir/interpret/Elementwise.h"
#include "ir/interpret/Interpreter.h"
#include "ir/interpret/Number.h"
#include "ir/interpret/Shape.h"

#include "mlir/IR/BuiltinAttributes.h"

#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace mlir;

namespace pantile::interpreter {

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

Status Interpreter::dim(Operation *op) {
  auto dim = llvm::cast<tile::DimOp>(op);
  set(dim.getResult(), integerScalar(viewOf(dim.getView()).sizes[dim.getDim()]));
  return {};
}

Status Interpreter::workspace(Operation *op) {
  auto workspace = llvm::cast<tile::WorkspaceOp>(op);
  auto type = llvm::cast<tile::ViewType>(workspace.getType());
  // One operand a size, or one a dynamic size.
  bool onlyDynamic = int64_t(workspace.getSizes().size()) != type.getRank();
  Sizes sizes;
  size_t next = 0;
  for (int64_t size : type.getShape())
    sizes.push_back(onlyDynamic && !ShapedType::isDynamic(size) ? size : indexOf(workspace.getSizes()[next++]));
  auto view = allocateWorkspace(dtypeOf(type.getElementType()), sizes);
  if (!view) return at(op, std::move(view).status());
  set(workspace.getResult(), *std::move(view));
  return {};
}

Status Interpreter::pack(Operation *op) {
  auto pack = llvm::cast<tile::PackOp>(op);
  Value view = values.find(pack.getView())->second;
  set(pack.getResult(), std::move(view));
  return {};
}

Expected<Selectors> Interpreter::selectorsOf(Operation *access) {
  const View &view = viewOf(tile::viewOf(access));
  Selectors result;
  for (auto [d, subscript] : llvm::enumerate(tile::subscriptsOf(access))) {
    switch (subscript.kind) {
    case tile::Subscript::Index:
      result.push_back({Selector::Position, indexOf(subscript.value), 1, {}});
      break;
    case tile::Subscript::Range: {
      const Range &range = rangeOf(subscript.value);
      result.push_back({Selector::Run, range.begin, range.count(), {}});
      break;
    }
    case tile::Subscript::Tile:
      result.push_back({Selector::Positions, 0, 0, tileOf(subscript.value)});
      break;
    case tile::Subscript::Full:
      if (!subscript.symbol.empty())
        PANTILE_RETURN_IF_ERROR(bindFullExtent(access, subscript.symbol, view.sizes[d]));
      else if (view.sizes[d] > subscript.extent)
        return errorAt(access, "dimension " + std::to_string(d) + " has size " + std::to_string(view.sizes[d]) + ", more than `full " +
                                   std::to_string(subscript.extent) + "`");
      result.push_back({Selector::Run, 0, view.sizes[d], {}});
      break;
    }
  }
  return result;
}

void Interpreter::written(const View &view, const Box &box) {
  if (!options.report || view.argument < 0 || box.isEmpty()) return;
  options.report->written.push_back({unsigned(view.argument), {box.begin.begin(), box.begin.end()}, {box.count.begin(), box.count.end()}});
}

Expected<TilePtr> Interpreter::atEdges(Operation *op, TilePtr tile) {
  PANTILE_ASSIGN(Sizes block, blockOf(op, op->getResult(0).getType())); // fails where a full extent exceeds its bound
  if (!padded() || tile->rank() == 0) return tile;
  for (auto [extent, shape] : llvm::zip(block, cast<RankedTensorType>(op->getResult(0).getType()).getShape()))
    if (!ShapedType::isDynamic(shape)) extent = shape;
  return grow(tile, block);
}

Status Interpreter::load(Operation *op) {
  auto load = llvm::cast<tile::LoadOp>(op);
  PANTILE_ASSIGN(Selectors selectors, selectorsOf(op));
  TilePtr pad = load.getPad() ? tileOf(load.getPad()) : nullptr;
  auto tile = interpreter::load(viewOf(load.getView()), selectors, pad.get());
  if (!tile) return at(op, std::move(tile).status());
  PANTILE_ASSIGN(TilePtr edged, atEdges(op, *std::move(tile)));
  set(load.getResult(), edged);
  return {};
}

Status Interpreter::store(Operation *op) {
  auto store = llvm::cast<tile::StoreOp>(op);
  PANTILE_ASSIGN(Selectors selectors, selectorsOf(op));
  const View &view = viewOf(store.getView());
  written(view, interpreter::store(view, selectors, tileOf(store.getValue())));
  return {};
}

Status Interpreter::gather(Operation *op) {
  auto gather = llvm::cast<tile::GatherOp>(op);
  PANTILE_ASSIGN(Selectors selectors, selectorsOf(op));
  TilePtr mask = gather.getMask() ? tileOf(gather.getMask()) : nullptr, pad = gather.getPad() ? tileOf(gather.getPad()) : nullptr;
  PANTILE_ASSIGN(TilePtr edged, atEdges(op, interpreter::gather(viewOf(gather.getView()), selectors, mask, pad.get())));
  set(gather.getResult(), edged);
  return {};
}

Status Interpreter::scatter(Operation *op) {
  auto scatter = llvm::cast<tile::ScatterOp>(op);
  PANTILE_ASSIGN(Selectors selectors, selectorsOf(op));
  const View &view = viewOf(scatter.getView());
  TilePtr mask = scatter.getMask() ? tileOf(scatter.getMask()) : nullptr;
  interpreter::scatter(view, selectors, mask, tileOf(scatter.getValue()), [&](const Box &box) { written(view, box); });
  return {};
}

Status Interpreter::atomic(Operation *op) {
  auto atomic = llvm::cast<tile::AtomicRMWOp>(op);
  PANTILE_ASSIGN(Selectors selectors, selectorsOf(op));
  const View &view = viewOf(atomic.getView());
  TilePtr mask = atomic.getMask() ? tileOf(atomic.getMask()) : nullptr;
  TilePtr old =
      interpreter::atomic(view, selectors, mask, tileOf(atomic.getValue()), atomic.getKind(), [&](const Box &box) { written(view, box); });
  if (!atomic.getOld()) return {};
  PANTILE_ASSIGN(TilePtr edged, atEdges(op, old));
  set(atomic.getOld(), edged);
  return {};
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

Status Interpreter::rangeQuery(Operation *op) {
  Range range = rangeOf(op->getOperand(0));
  mlir::Value result = op->getResult(0);
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](tile::BeginOp) { set(result, integerScalar(range.begin)); })
      .Case([&](tile::EndOp) { set(result, integerScalar(range.end)); })
      .Case([&](tile::IdOp) { set(result, integerScalar(range.id)); })
      .Case([&](tile::IndexOp) { set(result, positions(dtypeOf(result.getType()), range.begin, padded() ? range.block : range.count())); })
      .Case([&](tile::ShiftOp shift) {
        int64_t offset = indexOf(shift.getOffset());
        set(result, Range{range.begin + offset, range.end + offset, range.block, range.id});
      })
      .Case([&](tile::ScaleOp scale) {
        int64_t factor = int64_t(scale.getFactor());
        set(result, Range{range.begin * factor, range.end * factor, range.block * factor, range.id});
      });
  return {};
}

Status Interpreter::makeRange(Operation *op) {
  auto make = llvm::cast<tile::MakeRangeOp>(op);
  auto type = llvm::cast<tile::RangeType>(make.getResult().getType());
  PANTILE_ASSIGN(int64_t extent, extentOf(op, type.getDim(), type.getExtent()));
  if (!ShapedType::isDynamic(type.getExtent())) extent = type.getExtent();
  int64_t begin = indexOf(make.getBegin()), end = indexOf(make.getEnd());
  set(make.getResult(), Range{begin, std::min(begin + extent, end), extent, indexOf(make.getId())});
  return {};
}

Status Interpreter::assume(Operation *op) {
  auto assume = llvm::cast<tile::AssumeOp>(op);
  if (!tileOf(assume.getCondition())->integers[0]) return errorAt(op, "does not hold: " + assume.getMessage().str());
  return {};
}

/// Of a position in a row-major tile: "[2, 7]".
static std::string placeOf(const Tile &tile, int64_t position) {
  Sizes at(tile.extents);
  for (int64_t d = tile.rank() - 1; d >= 0; --d) {
    at[d] = position % tile.extents[d];
    position /= tile.extents[d];
  }
  std::string text;
  for (int64_t index : at) text += (text.empty() ? "" : ", ") + std::to_string(index);
  return "[" + text + "]";
}

Status Interpreter::assertion(Operation *op) {
  auto assertion = llvm::cast<tile::AssertOp>(op);
  const Tile &condition = *tileOf(assertion.getCondition());
  for (size_t i = 0; i < condition.integers.size(); ++i)
    if (!condition.integers[i])
      return errorAt(op, "does not hold" + (condition.rank() ? " at " + placeOf(condition, int64_t(i)) : "") + ": " +
                             assertion.getMessage().str());
  return {};
}

Status Interpreter::print(Operation *op) {
  constexpr int64_t kMost = 64; // of one value
  auto print = llvm::cast<tile::PrintOp>(op);
  std::string text = print.getText().str();
  for (mlir::Value value : print.getValues()) {
    const Tile &tile = *tileOf(value);
    std::string extents;
    for (int64_t extent : tile.extents) extents += std::to_string(extent) + "x";
    if (tile.rank()) text += " " + extents + std::string(info(tile.dtype).name);
    for (int64_t i = 0; i < std::min(tile.count(), kMost); ++i) {
      char number[32];
      if (tile.isFloat())
        std::snprintf(number, sizeof(number), " %.9g", tile.floats[size_t(i)]);
      else
        std::snprintf(number, sizeof(number), " %lld", (long long)tile.integers[size_t(i)]);
      text += number;
    }
    if (tile.count() > kMost) text += " ...";
  }
  if (options.print)
    options.print(text);
  else
    std::fprintf(stderr, "%s\n", text.c_str());
  return {};
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Status Interpreter::constant(Operation *op) {
  Attribute attribute = op->getAttr("value");
  Type type = op->getResult(0).getType();
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (dense && dense.isSplat()) attribute = dense.getSplatValue<Attribute>();
  Tile scalar(dtypeOf(type), ArrayRef<int64_t>());
  if (auto number = dyn_cast<FloatAttr>(attribute)) {
    bool lost;
    llvm::APFloat value = number.getValue();
    value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
    scalar.floats[0] = value.convertToDouble();
  } else if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    scalar.integers[0] = wrapTo(scalar.dtype, number.getValue().getSExtValue());
  } else {
    return errorAt(op, "only scalars and splats are constants of kernels");
  }
  PANTILE_ASSIGN(Sizes block, blockOf(op, type));
  set(op->getResult(0), splat(scalar, block));
  return {};
}

Status Interpreter::elementwise(Operation *op) {
  SmallVector<TilePtr, 3> operands;
  for (mlir::Value operand : op->getOperands()) operands.push_back(tileOf(operand));
  int64_t predicate = 0;
  if (op->getName().getStringRef().starts_with("arith.cmp")) predicate = llvm::cast<IntegerAttr>(op->getAttr("predicate")).getInt();
  auto result = evaluate(op->getName().getStringRef(), predicate, operands, dtypeOf(op->getResult(0).getType()));
  if (!result) return at(op, std::move(result).status());
  set(op->getResult(0), *std::move(result));
  return {};
}

Status Interpreter::shape(Operation *op) {
  PANTILE_ASSIGN(Sizes block, blockOf(op, op->getResult(0).getType()));
  auto compute = [&]() -> Expected<TilePtr> {
    return llvm::TypeSwitch<Operation *, Expected<TilePtr>>(op)
        .Case([&](tile::SplatOp splat) { return interpreter::splat(*tileOf(splat.getScalar()), block); })
        .Case([&](tile::IotaOp iota) { return positions(dtypeOf(iota.getType()), 0, block[0]); })
        .Case([&](tile::BroadcastOp broadcast) {
          return interpreter::broadcast(*tileOf(broadcast.getSource()), broadcast.getAlong(), block);
        })
        .Case(
            [&](tile::TransposeOp transpose) { return interpreter::transpose(*tileOf(transpose.getSource()), transpose.getPermutation()); })
        .Case([&](tile::CatOp cat) {
          std::vector<TilePtr> sources;
          for (mlir::Value source : cat.getSources()) sources.push_back(tileOf(source));
          return interpreter::cat(std::move(sources), int64_t(cat.getDim()));
        })
        .Case([&](tile::JoinOp join) { return interpreter::join(tileOf(join.getLhs()), tileOf(join.getRhs())); })
        .Case([&](tile::ReshapeOp reshape) -> Expected<TilePtr> {
          SmallVector<Group, 4> groups;
          for (const tile::ReshapeGroup &group : tile::reshapeGroups(reshape))
            groups.push_back({group.sourceBegin, group.sourceEnd, group.resultBegin, group.resultEnd});
          PANTILE_ASSIGN(Sizes from, blockOf(op, reshape.getSource().getType()));
          return interpreter::reshape(*tileOf(reshape.getSource()), from, block, groups);
        });
  };
  auto result = compute();
  if (!result) return at(op, std::move(result).status());
  set(op->getResult(0), *std::move(result));
  return {};
}

Status Interpreter::split(Operation *op) {
  auto split = llvm::cast<tile::SplitOp>(op);
  TilePtr source = tileOf(split.getSource());
  set(split.getFirst(), interpreter::split(*source, 0));
  set(split.getSecond(), interpreter::split(*source, 1));
  return {};
}

Status Interpreter::cast(Operation *op) {
  auto cast = llvm::cast<tile::CastOp>(op);
  DType dtype = dtypeOf(cast.getResult().getType());
  const Tile &source = *tileOf(cast.getSource());
  // i1 extends by zero here, as its value stands.
  set(cast.getResult(), castTo(source, dtype, cast.getIsUnsigned() || source.dtype == PANTILE_I1));
  return {};
}

Status Interpreter::topk(Operation *op) {
  auto top = llvm::cast<tile::TopKOp>(op);
  const Tile &source = *tileOf(top.getSource());
  auto dim = size_t(top.getDim());
  int64_t length = source.extents[dim];
  const tile::Dim &kept = tile::dimsOf(cast<RankedTensorType>(top.getValues().getType()))[dim];
  int64_t count = kept.isConstant() ? kept.factor : length;
  if (count > length)
    return errorAt(op, "seeks the greatest " + std::to_string(count) + " of " + std::to_string(length) + " elements")
        .withFix("assume that the dimension has as many");
  Sizes extents(source.extents);
  extents[dim] = count;
  auto values = std::make_shared<Tile>(source.dtype, extents);
  auto positions = std::make_shared<Tile>(PANTILE_I32, extents);
  int64_t inner = product(ArrayRef<int64_t>(extents).drop_front(dim + 1)), outer = product(ArrayRef<int64_t>(extents).take_front(dim));
  std::vector<int64_t> order(static_cast<size_t>(length));
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t n = 0; n < inner; ++n) {
      auto at = [&](int64_t i) { return size_t((o * length + i) * inner + n); };
      for (int64_t i = 0; i < length; ++i) order[size_t(i)] = i;
      // Equal elements in their order: by position.
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        auto after = [&](int64_t x, int64_t y) {
          if (!source.isFloat()) return source.integers[at(x)] > source.integers[at(y)];
          double left = source.floats[at(x)], right = source.floats[at(y)];
          return left > right || (std::isnan(left) && !std::isnan(right));
        };
        return after(a, b) || (!after(b, a) && a < b);
      });
      for (int64_t i = 0; i < count; ++i) {
        auto to = size_t((o * count + i) * inner + n);
        values->with(source, [&](auto &into, const auto &from) { into[to] = from[at(order[size_t(i)])]; });
        positions->integers[to] = order[size_t(i)];
      }
    }
  set(top.getValues(), TilePtr(values));
  set(top.getPositions(), TilePtr(positions));
  return {};
}

Status Interpreter::random(Operation *op) {
  auto random = llvm::cast<tile::RandomOp>(op);
  const Tile &position = *tileOf(random.getPosition());
  auto result = std::make_shared<Tile>(PANTILE_I32, position.extents);
  auto seed = uint64_t(tileOf(random.getSeed())->integers[0]);
  unsigned bits = info(position.dtype).bits;
  for (size_t i = 0; i < position.integers.size(); ++i)
    result->integers[i] = int32_t(philox(seed, asUnsigned(position.integers[i], bits))[size_t(random.getWord())]);
  set(random.getResult(), TilePtr(result));
  return {};
}

Status Interpreter::dot(Operation *op) {
  auto dot = llvm::cast<tile::DotOp>(op);
  DotOptions how{dot.getTransposeLhs(), dot.getTransposeRhs(), dot.getPrecision() == "tf32", declared()};
  set(dot.getResult(), interpreter::dot(tileOf(dot.getLhs()), tileOf(dot.getRhs()), tileOf(dot.getAcc()), how));
  return {};
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

Expected<SmallVector<TilePtr, 2>> Interpreter::combine(Block &block, ArrayRef<TilePtr> left, ArrayRef<TilePtr> right) {
  size_t count = left.size();
  for (size_t i = 0; i < count; ++i) {
    set(block.getArgument(unsigned(i)), left[i]);
    set(block.getArgument(unsigned(count + i)), right[i]);
  }
  PANTILE_RETURN_IF_ERROR(runBlock(block));
  SmallVector<TilePtr, 2> results;
  for (auto [i, yielded] : llvm::enumerate(block.getTerminator()->getOperands())) {
    TilePtr tile = tileOf(yielded);
    results.push_back(tile->rank() == left[i]->rank() ? tile : splat(*tile, left[i]->extents)); // a constant
  }
  return results;
}

Status Interpreter::reduce(Operation *op) {
  auto reduce = llvm::cast<tile::ReduceOp>(op);
  int64_t dim = int64_t(reduce.getDim());
  if (reduce.getKind()) {
    set(reduce.getResults()[0], interpreter::reduce(*tileOf(reduce.getSources()[0]), dim, *reduce.getKind(), declared()));
    return {};
  }
  SmallVector<TilePtr, 2> sources, state;
  for (mlir::Value source : reduce.getSources()) sources.push_back(tileOf(source));
  cropTogether(sources);
  Sizes rest(sources[0]->extents);
  int64_t length = rest[dim];
  rest.erase(rest.begin() + dim);
  for (mlir::Value init : reduce.getInits()) state.push_back(splat(*tileOf(init), rest));
  for (int64_t i = 0; i < length; ++i) {
    SmallVector<TilePtr, 2> right;
    for (const TilePtr &source : sources) right.push_back(slice(*source, dim, i));
    PANTILE_ASSIGN(state, combine(reduce.getCombine().front(), state, right));
  }
  for (auto [result, tile] : llvm::zip(reduce.getResults(), state)) set(result, tile);
  return {};
}

Status Interpreter::scan(Operation *op) {
  auto scan = llvm::cast<tile::ScanOp>(op);
  int64_t dim = int64_t(scan.getDim());
  if (scan.getKind()) {
    set(scan.getResults()[0],
        interpreter::scan(*tileOf(scan.getSources()[0]), dim, *scan.getKind(), scan.getReverse(), scan.getExclusive(), declared()));
    return {};
  }
  SmallVector<TilePtr, 2> sources, state;
  for (mlir::Value source : scan.getSources()) sources.push_back(tileOf(source));
  Sizes extents = cropTogether(sources), rest(extents);
  int64_t length = rest[dim];
  rest.erase(rest.begin() + dim);
  SmallVector<std::shared_ptr<Tile>, 2> results;
  for (auto [source, init] : llvm::zip(sources, scan.getInits())) {
    state.push_back(splat(*tileOf(init), rest));
    results.push_back(std::make_shared<Tile>(source->dtype, extents));
  }
  for (int64_t step = 0; step < length; ++step) {
    int64_t i = scan.getReverse() ? length - 1 - step : step;
    SmallVector<TilePtr, 2> right;
    for (const TilePtr &source : sources) right.push_back(slice(*source, dim, i));
    SmallVector<TilePtr, 2> before = state;
    PANTILE_ASSIGN(state, combine(scan.getCombine().front(), state, right));
    for (auto [result, tile] : llvm::zip(results, scan.getExclusive() ? before : state)) insert(*result, dim, i, *tile);
  }
  for (auto [result, tile] : llvm::zip(scan.getResults(), results)) set(result, TilePtr(tile));
  return {};
}

} // namespace pantile::interpreter
