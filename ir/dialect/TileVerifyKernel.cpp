//===- ir/dialect/TileVerifyKernel.cpp - rules of kernels and loops -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace pantile::tile {

//===----------------------------------------------------------------------===//
// The header
//===----------------------------------------------------------------------===//

static LogicalResult verifySizes(KernelOp kernel, unsigned i, ViewType view, Attribute attribute) {
  auto sizes = dyn_cast<ArrayAttr>(attribute);
  if (!sizes || !llvm::all_of(sizes, llvm::IsaPred<StringAttr>))
    return kernel.emitOpError() << "argument " << i << ": tile.sizes is a list of strings, as [\"M\", \"64\"], found " << attribute;
  if (int64_t(sizes.size()) != view.getRank())
    return kernel.emitOpError() << "argument " << i << ": tile.sizes names " << sizes.size() << " sizes of a view of rank "
                                << view.getRank();
  for (auto [size, name] : llvm::zip(view.getShape(), sizes.getAsRange<StringAttr>())) {
    int64_t number;
    bool isNumber = !name.getValue().getAsInteger(10, number);
    bool agrees = ShapedType::isDynamic(size) ? !isNumber && !name.getValue().empty() : !isNumber || number == size;
    if (!agrees) {
      auto error = kernel.emitOpError() << "argument " << i << ": tile.sizes says \"" << name.getValue() << "\" of a size that is ";
      return ShapedType::isDynamic(size) ? error << "dynamic, which takes a name" : error << size;
    }
  }
  return success();
}

static LogicalResult verifyArgument(KernelOp kernel, unsigned i) {
  Type type = kernel.getArgumentTypes()[i];
  auto view = dyn_cast<ViewType>(type);
  if (!view && (isa<ShapedType>(type) || !isDType(type)))
    return kernel.emitOpError() << "argument " << i << " is a view or a scalar, found " << type;
  for (NamedAttribute attribute : cast<FunctionOpInterface>(kernel.getOperation()).getArgAttrs(i)) {
    StringRef name = attribute.getName();
    if (!name.starts_with("tile.")) continue;
    if (name != "tile.sizes" && name != "tile.access" && name != "tile.range")
      return kernel.emitOpError() << "argument " << i << ": unknown attribute '" << name
                                  << "': accepted are tile.sizes, tile.access, tile.range";
    if (!view) return kernel.emitOpError() << "argument " << i << ": '" << name << "' is of views, found " << type;
    if (name == "tile.sizes" && failed(verifySizes(kernel, i, view, attribute.getValue()))) return failure();
    if (name == "tile.access") {
      auto access = dyn_cast<StringAttr>(attribute.getValue());
      if (!access || (access.getValue() != "read" && access.getValue() != "write" && access.getValue() != "update"))
        return kernel.emitOpError() << "argument " << i << ": tile.access is \"read\", \"write\" or \"update\", found "
                                    << attribute.getValue();
    }
    if (name == "tile.range") {
      auto range = dyn_cast<ArrayAttr>(attribute.getValue());
      if (!range || range.size() != 2 || !llvm::all_of(range, llvm::IsaPred<StringAttr>))
        return kernel.emitOpError() << "argument " << i << ": tile.range is two strings, as [\"0\", \"V\"], found " << attribute.getValue();
      if (!view.getElementType().isSignlessInteger())
        return kernel.emitOpError() << "argument " << i << ": tile.range bounds the values of an integer view, found " << view;
    }
  }
  return success();
}

LogicalResult KernelOp::verify() {
  if (!getResultTypes().empty()) return emitOpError("returns nothing: results are written to views");
  for (unsigned i = 0; i < getNumArguments(); ++i)
    if (failed(verifyArgument(*this, i))) return failure();
  if (Attribute statics = (*this)->getAttr("static")) {
    auto symbols = dyn_cast<ArrayAttr>(statics);
    if (!symbols || !llvm::all_of(symbols, llvm::IsaPred<FlatSymbolRefAttr>))
      return emitOpError() << "static is a list of full extents, as [@d], found " << statics;
  }
  if (Attribute scheduled = (*this)->getAttr("scheduled"); scheduled && !isa<UnitAttr>(scheduled))
    return emitOpError() << "scheduled has no value, found " << scheduled;
  return success();
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

/// What a kernel may use of other dialects.
static const llvm::StringSet<> &allowedOperations() {
  static const llvm::StringSet<> allowed = {
      "arith.constant",  "arith.addf",       "arith.subf",         "arith.mulf",    "arith.divf",   "arith.remf",    "arith.negf",
      "arith.maximumf",  "arith.minimumf",   "arith.maxnumf",      "arith.minnumf", "arith.cmpf",   "arith.select",  "arith.addi",
      "arith.subi",      "arith.muli",       "arith.divsi",        "arith.divui",   "arith.remsi",  "arith.remui",   "arith.ceildivsi",
      "arith.ceildivui", "arith.floordivsi", "arith.andi",         "arith.ori",     "arith.xori",   "arith.shli",    "arith.shrsi",
      "arith.shrui",     "arith.maxsi",      "arith.minsi",        "arith.maxui",   "arith.minui",  "arith.cmpi",    "arith.extf",
      "arith.truncf",    "arith.extsi",      "arith.extui",        "arith.trunci",  "arith.sitofp", "arith.uitofp",  "arith.fptosi",
      "arith.fptoui",    "arith.index_cast", "arith.index_castui", "arith.bitcast", "math.exp",     "math.exp2",     "math.expm1",
      "math.log",        "math.log2",        "math.log1p",         "math.sqrt",     "math.rsqrt",   "math.sin",      "math.cos",
      "math.tan",        "math.tanh",        "math.erf",           "math.absf",     "math.absi",    "math.ceil",     "math.floor",
      "math.round",      "math.roundeven",   "math.trunc",         "math.fma",      "math.powf",    "math.copysign", "math.atan",
      "math.atan2",      "scf.if",           "scf.yield"};
  return allowed;
}

static LogicalResult verifyTypeOf(KernelOp kernel, Operation *op, Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    auto dims = dyn_cast_or_null<DimsAttr>(tensor.getEncoding());
    if (!dims)
      return op->emitError() << "a tile names its extents: found " << type << " without #tile.dims<...>"
                             << (tensor.hasStaticShape() ? "" : "; a '?' needs a symbol");
    if (kernel.isScheduled()) return success();
    for (auto [dim, extent] : llvm::zip(dims.getDims(), tensor.getShape()))
      if (!dim.isConstant() && !ShapedType::isDynamic(extent))
        return op->emitError() << "a portable kernel leaves block symbols unbound ('?'), found " << type;
    return success();
  }
  if (auto range = dyn_cast<RangeType>(type)) {
    if (!kernel.isScheduled() && !range.getDim().isConstant() && !ShapedType::isDynamic(range.getExtent()))
      return op->emitError() << "a portable kernel leaves block symbols unbound, found " << type;
    return success();
  }
  if (isa<ViewType>(type) || (!isa<ShapedType>(type) && isDType(type))) return success();
  return op->emitError() << "kernels compute on tiles, scalars, ranges and views, found " << type;
}

static LogicalResult verifyPlacement(KernelOp kernel, Operation *op) {
  StringRef name = op->getName().getStringRef();
  if (!isa<TileDialect>(op->getDialect()) && !allowedOperations().contains(name))
    return op->emitError() << "'" << name << "' is not allowed in a kernel: the tile dialect, elementwise arith and math, and scf.if are";
  if (isa<GridOp, MakeRangeOp, PackOp>(op) && !kernel.isScheduled())
    return op->emitError() << "'" << name << "' belongs to the scheduled level: the kernel lacks the attribute 'scheduled'";
  if (isa<ParallelOp, GridOp, WorkspaceOp>(op)) {
    if (op->getParentOp() == kernel.getOperation()) return success();
    return op->emitError() << "'" << name << "' stands directly in the kernel: phases do not nest";
  }
  if (isa<LoadOp, StoreOp, GatherOp, ScatterOp, AtomicRMWOp, LoopOp>(op) || llvm::any_of(op->getResultTypes(), isTile)) {
    Operation *parent = op->getParentOp();
    while (parent != kernel.getOperation() && !isa<ParallelOp, GridOp>(parent)) parent = parent->getParentOp();
    if (parent == kernel.getOperation())
      return op->emitError() << "'" << name << "' stands outside tile.parallel: between phases there are only sizes and scalars";
  }
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  WalkResult walked = getBody().walk<WalkOrder::PreOrder>([&](Operation *op) -> WalkResult {
    if (failed(verifyPlacement(*this, op))) return WalkResult::interrupt();
    for (Type type : op->getResultTypes())
      if (failed(verifyTypeOf(*this, op, type))) return WalkResult::interrupt();
    for (Region &region : op->getRegions())
      for (Type type : region.getArgumentTypes())
        if (failed(verifyTypeOf(*this, op, type))) return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The names of a loop over blocks: index for the literal 1, a range of the block's symbol otherwise.
static LogicalResult verifyBlocks(Operation *op, DimsAttr blocks, ArrayRef<BlockArgument> names) {
  for (auto [i, block] : llvm::enumerate(blocks.getDims())) {
    Type type = names[i].getType();
    auto range = dyn_cast<RangeType>(type);
    if (type != blockType(op->getContext(), block, range ? range.getExtent() : ShapedType::kDynamic))
      return op->emitOpError() << "dimension " << i << " gives " << blockType(op->getContext(), block) << " by its block, found " << type;
  }
  return success();
}

/// The yield that ends a loop's body; none where the text ends it otherwise.
static YieldOp yieldOf(Region &body) {
  Block &block = body.front();
  return block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
}

static LogicalResult verifyYieldsNothing(Operation *op) {
  YieldOp yield = yieldOf(op->getRegion(0));
  if (!yield) return op->emitOpError("ends its body with tile.yield");
  if (yield.getNumOperands()) return op->emitOpError("carries nothing: its body yields no values");
  return success();
}

LogicalResult ParallelOp::verify() {
  size_t count = getUppers().size();
  if (count == 0) return emitOpError("has at least one dimension");
  if (getBlocks().size() != count || getBody().getNumArguments() != count || (!getLowers().empty() && getLowers().size() != count))
    return emitOpError() << "each dimension has a name, an extent and a block: found " << getBody().getNumArguments() << " names, "
                         << getLowers().size() << " lower bounds, " << count << " extents, " << getBlocks().size() << " blocks";
  if (failed(verifyYieldsNothing(*this))) return failure();
  return verifyBlocks(*this, getBlocks(), getBody().getArguments());
}

LogicalResult LoopOp::verify() {
  Block &body = getBody().front();
  if (getBlocks().size() != 1) return emitOpError() << "has one dimension, found " << getBlocks().size() << " blocks";
  if (body.getNumArguments() != getInits().size() + 1)
    return emitOpError() << "the body takes the range and " << getInits().size() << " carries, found " << body.getNumArguments()
                         << " arguments";
  if (failed(verifyBlocks(*this, getBlocks(), body.getArguments()))) return failure();
  YieldOp yield = yieldOf(getBody());
  if (!yield) return emitOpError("ends its body with tile.yield");
  if (yield.getNumOperands() != getInits().size() || getNumResults() != getInits().size())
    return emitOpError() << "carries " << getInits().size() << " value(s), but yields " << yield.getNumOperands() << " and gives "
                         << getNumResults();
  for (auto [i, init] : llvm::enumerate(getInits().getTypes())) {
    Type carry = body.getArgument(i + 1).getType(), next = yield.getOperand(i).getType(), result = getResult(i).getType();
    if (init != carry || init != next || init != result)
      return emitOpError() << "carry " << i << " keeps one type: starts as " << init << ", is carried as " << carry << ", yielded as "
                           << next << ", and results in " << result;
  }
  if (getAssociative() && getInits().empty()) return emitOpError("'associative' is about what a loop carries, and it carries nothing");
  return success();
}

LogicalResult GridOp::verify() {
  if (getCounts().empty() || getCounts().size() > 3) return emitOpError() << "has one to three dimensions, found " << getCounts().size();
  if (getBody().getNumArguments() != getCounts().size() ||
      !llvm::all_of(getBody().getArgumentTypes(), [](Type type) { return type.isIndex(); }))
    return emitOpError() << "the body takes one program id a dimension as index, found (" << getBody().getArgumentTypes() << ")";
  return verifyYieldsNothing(*this);
}

} // namespace pantile::tile
