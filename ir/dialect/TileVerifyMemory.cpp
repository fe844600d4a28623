//===- ir/dialect/TileVerifyMemory.cpp - rules and effects of views -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"

using namespace mlir;

namespace pantile::tile {

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;
void LoadOp::getEffects(Effects &effects) { effects.emplace_back(MemoryEffects::Read::get(), &getViewMutable()); }
void GatherOp::getEffects(Effects &effects) { effects.emplace_back(MemoryEffects::Read::get(), &getViewMutable()); }
void StoreOp::getEffects(Effects &effects) { effects.emplace_back(MemoryEffects::Write::get(), &getViewMutable()); }
void ScatterOp::getEffects(Effects &effects) { effects.emplace_back(MemoryEffects::Write::get(), &getViewMutable()); }
void AtomicRMWOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getViewMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getViewMutable());
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// `tile.access` of the kernel's argument behind a view; empty where it says nothing or the view is no argument.
static StringRef accessOf(Value view) {
  // Bounded: before dominance is checked, a pack may be its own source.
  for (int depth = 0; depth < 16; ++depth)
    if (auto pack = view.getDefiningOp<PackOp>()) view = pack.getView();
  auto argument = dyn_cast<BlockArgument>(view);
  auto kernel = argument ? dyn_cast_or_null<KernelOp>(argument.getOwner()->getParentOp()) : KernelOp();
  auto access = kernel ? kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tile.access") : StringAttr();
  return access ? access.getValue() : StringRef();
}

/// Tiles of positions among the subscripts.
enum class Tiles : uint8_t { None, Some, Any };

/// Checks subscripts against the view and the value's type against what they select.
template <typename Op> static LogicalResult verifyAccess(Op op, Type value, bool isWrite, Tiles tiles) {
  ViewType view = op.getView().getType();
  constexpr bool isAtomic = std::is_same_v<Op, AtomicRMWOp>;
  if (StringRef access = accessOf(op.getView()); isAtomic && (access == "read" || access == "write"))
    return op.emitOpError() << "reads and writes a view whose tile.access is \"" << access << "\"; declare \"update\"";
  else if (!isAtomic && access == (isWrite ? "read" : "write"))
    return op.emitOpError() << (isWrite ? "writes" : "reads") << " a view whose tile.access is \"" << access
                            << "\"; declare \"update\" or \"" << (isWrite ? "write" : "read") << "\"";
  if (int64_t(op.getKinds().size()) != view.getRank())
    return op.emitOpError() << "a view of rank " << view.getRank() << " takes as many subscripts, found " << op.getKinds().size();
  size_t operands = llvm::count_if(op.getKinds(), [](Attribute kind) { return isa<UnitAttr>(kind); });
  if (operands != op.getSubscripts().size())
    return op.emitOpError() << "'kinds' tells of " << operands << " operand(s) among the subscripts, found " << op.getSubscripts().size();

  SmallVector<Dim, 4> dims;
  SmallVector<int64_t, 4> shape; // a full extent may be bound or not: taken from the value's type below
  SmallVector<unsigned, 4> fulls;
  RankedTensorType positions;
  auto next = op.getSubscripts().begin();
  for (auto [i, kind] : llvm::enumerate(op.getKinds())) {
    if (auto symbol = dyn_cast<FlatSymbolRefAttr>(kind)) {
      fulls.push_back(dims.size());
      dims.push_back({symbol.getAttr(), 1});
      shape.push_back(ShapedType::kDynamic);
    } else if (auto extent = dyn_cast<IntegerAttr>(kind)) {
      int64_t size = view.getShape()[i];
      if (!ShapedType::isDynamic(size) && size != extent.getInt())
        return op.emitOpError() << "'full " << extent.getInt() << "' of dimension " << i << ", whose size is " << size;
      dims.push_back({{}, extent.getInt()});
      shape.push_back(extent.getInt());
    } else if (!isa<UnitAttr>(kind)) {
      return op.emitOpError() << "'kinds' has unit, a symbol or an integer for each dimension, found " << kind;
    } else if (Type type = (*next++).getType(); auto range = dyn_cast<RangeType>(type)) {
      dims.push_back(range.getDim());
      shape.push_back(range.getExtent());
    } else if (auto tile = dyn_cast<RankedTensorType>(type)) {
      if (tiles == Tiles::None)
        return op.emitOpError() << "subscript " << i << " is a tile of positions: use " << (isWrite ? "tile.scatter" : "tile.gather");
      if (!tile.getElementType().isIndex() && !tile.getElementType().isSignlessInteger())
        return op.emitOpError() << "positions are integers or index, found " << tile;
      if (!positions) {
        llvm::append_range(dims, dimsOf(tile));
        llvm::append_range(shape, tile.getShape());
        positions = tile;
      } else if (positions.getShape() != tile.getShape() || positions.getEncoding() != tile.getEncoding()) {
        return op.emitOpError() << "tiles of positions have one shape, found " << positions << " and " << tile;
      }
    }
  }
  if (tiles == Tiles::Some && !positions)
    return op.emitOpError() << "needs a tile of positions among its subscripts: use " << (isWrite ? "tile.store" : "tile.load")
                            << " without one";

  Type wanted = view.getElementType();
  if (!dims.empty()) {
    if (auto tile = dyn_cast<RankedTensorType>(value); tile && tile.getRank() == int64_t(dims.size()) && dimsOf(tile) == ArrayRef(dims))
      for (unsigned dim : fulls) shape[dim] = tile.getShape()[dim];
    wanted = tileOf(wanted, dims, shape);
  }
  if (wanted != value) return op.emitOpError() << "these subscripts " << (isWrite ? "take " : "give ") << wanted << ", found " << value;
  if constexpr (std::is_same_v<Op, GatherOp> || std::is_same_v<Op, ScatterOp> || isAtomic) {
    if (op.getMask()) {
      if (!positions) return op.emitOpError("a mask goes with a tile of positions among the subscripts");
      Type mask = RankedTensorType::get(positions.getShape(), IntegerType::get(op.getContext(), 1), positions.getEncoding());
      if (op.getMask().getType() != mask)
        return op.emitOpError() << "the mask is " << mask << ", as the positions, found " << op.getMask().getType();
    }
  }
  if constexpr (std::is_same_v<Op, GatherOp> || std::is_same_v<Op, LoadOp>)
    if (op.getPad() && op.getPad().getType() != view.getElementType())
      return op.emitOpError() << "pad is of the view's element type " << view.getElementType() << ", found " << op.getPad().getType();
  return success();
}

LogicalResult LoadOp::verify() { return verifyAccess(*this, getType(), /*isWrite=*/false, Tiles::None); }
LogicalResult StoreOp::verify() { return verifyAccess(*this, getValue().getType(), /*isWrite=*/true, Tiles::None); }
LogicalResult GatherOp::verify() { return verifyAccess(*this, getType(), /*isWrite=*/false, Tiles::Some); }
LogicalResult ScatterOp::verify() { return verifyAccess(*this, getValue().getType(), /*isWrite=*/true, Tiles::Some); }

LogicalResult AtomicRMWOp::verify() {
  Type element = elementOf(getValue().getType());
  KindClass kind = getKind() == "exchange"                      ? (isa<FloatType>(element) ? KindClass::Float : KindClass::Integer)
                   : getKind() == "mulf" || getKind() == "muli" ? KindClass::Unknown
                                                                : classOfKind(getKind());
  if (kind == KindClass::Unknown)
    return emitOpError() << "unknown kind '" << getKind()
                         << "': one of addf maximumf minimumf maxnumf minnumf addi maxsi minsi maxui minui andi ori xori exchange";
  unsigned bits = element.isIndex() ? 0 : element.getIntOrFloatBitWidth();
  if (bits < (isa<FloatType>(element) ? 16 : 8))
    return emitOpError() << "combines floats of 16 to 64 bits and integers of 8 to 64, found " << getValue().getType();
  if ((kind == KindClass::Float) != isa<FloatType>(element))
    return emitOpError() << "kind '" << getKind() << "' is of " << (kind == KindClass::Float ? "floats" : "integers") << ", found "
                         << getValue().getType();
  if (getOld() && getOld().getType() != getValue().getType())
    return emitOpError() << "gives what was there as " << getValue().getType() << ", found " << getOld().getType();
  return verifyAccess(*this, getValue().getType(), /*isWrite=*/true, Tiles::Any);
}

static LogicalResult verifyViewDim(Operation *op, int64_t dim, ViewType view) {
  if (dim >= 0 && dim < view.getRank()) return success();
  return op->emitOpError() << "dimension " << dim << " is outside a view of rank " << view.getRank();
}

LogicalResult DimOp::verify() { return verifyViewDim(*this, getDim(), getView().getType()); }

LogicalResult WorkspaceOp::verify() {
  int64_t dynamic = llvm::count_if(getType().getShape(), ShapedType::isDynamic);
  if (int64_t(getSizes().size()) == dynamic) return success();
  return emitOpError() << "takes one size for each '?' of " << getType() << ": " << dynamic << ", found " << getSizes().size();
}

LogicalResult PackOp::verify() {
  ViewType view = getView().getType();
  if (failed(verifyViewDim(*this, getDim(), view))) return failure();
  if (view.getRank() < 2) return emitOpError() << "packs views of rank 2 or more, found " << view;
  if (getPanel() < 1) return emitOpError() << "panel is at least 1, found " << getPanel();
  if (getKGroup() < 1) return emitOpError() << "k_group is at least 1, found " << getKGroup();
  if (ShapedType::isDynamic(getRange().getType().getExtent()))
    return emitOpError() << "takes a range of the scheduled level, whose extent is bound, found " << getRange().getType();
  return success();
}

} // namespace pantile::tile
