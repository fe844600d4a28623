//===- ir/dialect/TileVerify.cpp - rules of operations on tiles -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Each diagnostic names what was found and what is accepted. ir/tests/invalid has a case for each.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"

using namespace mlir;

namespace pantile::tile {

static RankedTensorType tileTypeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// A dimension of a tile: its name and its extent.
using Extent = std::pair<Dim, int64_t>;
static SmallVector<Extent, 4> extentsOf(RankedTensorType tile) {
  SmallVector<Extent, 4> extents;
  for (auto [dim, extent] : llvm::zip(dimsOf(tile), tile.getShape())) extents.emplace_back(dim, extent);
  return extents;
}

static RankedTensorType tileOfExtents(Type element, ArrayRef<Extent> extents) {
  SmallVector<Dim, 4> dims;
  SmallVector<int64_t, 4> shape;
  for (auto [dim, extent] : extents) {
    dims.push_back(dim);
    shape.push_back(extent);
  }
  return tileOf(element, dims, shape);
}

static Type withoutDim(RankedTensorType tile, unsigned dim) {
  SmallVector<Extent, 4> extents = extentsOf(tile);
  extents.erase(extents.begin() + dim);
  return extents.empty() ? tile.getElementType() : Type(tileOfExtents(tile.getElementType(), extents));
}

static LogicalResult verifyResult(Operation *op, Type found, Type wanted) {
  if (found == wanted) return success();
  return op->emitOpError() << "the result is " << wanted << ", found " << found;
}

static LogicalResult verifyDim(Operation *op, int64_t dim, int64_t rank) {
  if (dim >= 0 && dim < rank) return success();
  return op->emitOpError() << "dimension " << dim << " is outside a tile of rank " << rank << ": accepted are 0 to " << rank - 1;
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

LogicalResult IndexOp::verify() {
  RangeType range = getRange().getType();
  auto tile = tileTypeOf(getResult());
  if (!tile.getElementType().isIndex() && !tile.getElementType().isSignlessInteger())
    return emitOpError() << "positions are integers or index, found " << tile.getElementType();
  if (tile.getElementType().isSignlessInteger() && tile.getElementTypeBitWidth() < 32)
    return emitOpError() << "positions need i32, i64 or index, found " << tile.getElementType();
  return verifyResult(*this, tile, tileOfExtents(tile.getElementType(), Extent(range.getDim(), range.getExtent())));
}

LogicalResult ScaleOp::verify() {
  RangeType range = getRange().getType();
  int64_t factor = getFactor();
  if (factor < 1) return emitOpError() << "the factor is at least 1, found " << factor;
  Dim dim = range.getDim();
  dim.factor *= factor;
  int64_t extent = ShapedType::isDynamic(range.getExtent()) ? range.getExtent() : range.getExtent() * factor;
  return verifyResult(*this, getType(), RangeType::get(getContext(), dim, extent));
}

LogicalResult MakeRangeOp::verify() {
  if (!ShapedType::isDynamic(getType().getExtent())) return success();
  return emitOpError() << "makes ranges of the scheduled level, whose extent is bound (!tile.range<@bm, 64>), found " << getType();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult AssertOp::verify() {
  if (elementOf(getCondition().getType()).isInteger(1)) return success();
  return emitOpError() << "checks an i1 or a tile of i1, found " << getCondition().getType();
}

LogicalResult TopKOp::verify() {
  auto source = tileTypeOf(getSource()), values = tileTypeOf(getValues());
  if (failed(verifyDim(*this, int64_t(getDim()), source.getRank()))) return failure();
  Type element = source.getElementType();
  if (element.isIndex() || element.getIntOrFloatBitWidth() < 8)
    return emitOpError() << "orders elements of 8 bits or more, found " << source;
  SmallVector<Extent, 4> wanted = extentsOf(source);
  if (values.getRank() == source.getRank() && dimsOf(values)[getDim()].isConstant()) wanted[getDim()] = extentsOf(values)[getDim()];
  Type first = tileOfExtents(element, wanted), second = tileOfExtents(IntegerType::get(getContext(), 32), wanted);
  if (values == first && getPositions().getType() == second) return success();
  return emitOpError() << "gives " << first << " and " << second << ", where dimension " << getDim() << " may be a constant; found "
                       << values << " and " << getPositions().getType();
}

LogicalResult RandomOp::verify() {
  Type from = getPosition().getType(), to = getType();
  if (!elementOf(from).isInteger(32) && !elementOf(from).isInteger(64)) return emitOpError() << "positions are i32 or i64, found " << from;
  if (getWord() < 0 || getWord() > 3) return emitOpError() << "word is one of 0, 1, 2, 3, found " << getWord();
  auto tile = dyn_cast<RankedTensorType>(from);
  Type bits = IntegerType::get(getContext(), 32), wanted = tile ? tileOf(bits, dimsOf(tile), tile.getShape()) : bits;
  return to == wanted ? success() : emitOpError() << "gives " << wanted << ", found " << to;
}

LogicalResult IotaOp::verify() {
  auto tile = tileTypeOf(getResult());
  if (tile.getRank() != 1) return emitOpError() << "the result has rank 1, found " << tile;
  if (!tile.getElementType().isIndex() && !tile.getElementType().isSignlessInteger())
    return emitOpError() << "counts in integers or index, found " << tile.getElementType();
  return success();
}

LogicalResult BroadcastOp::verify() {
  auto source = tileTypeOf(getSource()), result = tileTypeOf(getResult());
  ArrayRef<int64_t> along = getAlong();
  if (along.empty()) return emitOpError("'along' names at least one new dimension");
  for (size_t i = 0; i < along.size(); ++i) {
    if (failed(verifyDim(*this, along[i], result.getRank()))) return failure();
    if (i && along[i] <= along[i - 1]) return emitOpError() << "'along' is ascending without repeats, found [" << along << "]";
  }
  if (source.getRank() + int64_t(along.size()) != result.getRank())
    return emitOpError() << "a tile of rank " << source.getRank() << " along " << along.size() << " new dimension(s) has rank "
                         << source.getRank() + along.size() << ", found " << result;
  SmallVector<Extent, 4> kept;
  for (auto [i, extent] : llvm::enumerate(extentsOf(result)))
    if (!llvm::is_contained(along, int64_t(i))) kept.push_back(extent);
  Type wanted = tileOfExtents(result.getElementType(), kept);
  if (wanted == source) return success();
  return emitOpError() << "without dimensions [" << along << "] the result is " << wanted << ", but the source is " << source;
}

LogicalResult TransposeOp::verify() {
  auto source = tileTypeOf(getSource());
  ArrayRef<int64_t> permutation = getPermutation();
  SmallVector<bool, 8> seen(source.getRank());
  bool valid = int64_t(permutation.size()) == source.getRank();
  for (int64_t dim : permutation) {
    valid = valid && dim >= 0 && dim < source.getRank() && !seen[dim];
    if (valid) seen[dim] = true;
  }
  if (!valid) return emitOpError() << "'by' is a permutation of the " << source.getRank() << " dimensions, found [" << permutation << "]";
  SmallVector<Extent, 4> from = extentsOf(source), to;
  for (int64_t dim : permutation) to.push_back(from[dim]);
  return verifyResult(*this, getType(), tileOfExtents(source.getElementType(), to));
}

namespace {
/// A product of extents: what a reshape keeps equal on both sides of each group.
struct Product {
  int64_t constant = 1;
  SmallVector<StringAttr, 2> symbols;
  void add(Dim dim) {
    constant *= dim.factor;
    if (dim.symbol) symbols.push_back(dim.symbol);
  }
  bool operator==(const Product &other) const { return constant == other.constant && symbols == other.symbols; }
};
} // namespace

/// Groups of neighbouring dimensions whose products agree, a symbol and its order kept. At most one symbol a group: two
/// clipped extents do not merge into one.
static bool reshapes(ArrayRef<Dim> from, ArrayRef<Dim> to) {
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    Product left, right;
    if (i < from.size()) left.add(from[i++]);
    if (j < to.size()) right.add(to[j++]);
    while (!(left == right)) {
      bool leftIsLess =
          left.symbols.size() != right.symbols.size() ? left.symbols.size() < right.symbols.size() : left.constant < right.constant;
      if (leftIsLess && i < from.size())
        left.add(from[i++]);
      else if (!leftIsLess && j < to.size())
        right.add(to[j++]);
      else
        return false;
      if (left.symbols.size() > 1 || right.symbols.size() > 1) return false;
    }
  }
  return true;
}

LogicalResult ReshapeOp::verify() {
  auto source = tileTypeOf(getSource()), result = tileTypeOf(getResult());
  if (source.getElementType() != result.getElementType())
    return emitOpError() << "keeps the elements' type " << source.getElementType() << ", found " << result.getElementType()
                         << "; use tile.cast";
  if (!reshapes(dimsOf(source), dimsOf(result)))
    return emitOpError()
           << "merges or splits neighbouring dimensions: constants among themselves, '@s * c' and '@s' x 'c', extents of 1; found "
           << source << " to " << result;
  return success();
}

LogicalResult CatOp::verify() {
  if (getSources().empty()) return emitOpError("needs at least one tile");
  auto first = tileTypeOf(getSources().front());
  int64_t dim = getDim(), sum = 0;
  if (failed(verifyDim(*this, dim, first.getRank()))) return failure();
  for (Value source : getSources()) {
    auto tile = tileTypeOf(source);
    if (tile.getRank() != first.getRank() || withoutDim(tile, dim) != withoutDim(first, dim))
      return emitOpError() << "tiles agree in all but dimension " << dim << ", found " << first << " and " << tile;
  }
  for (Value source : getSources()) {
    auto tile = tileTypeOf(source);
    if (!dimsOf(tile)[dim].isConstant()) return emitOpError() << "dimension " << dim << " is a constant in every tile, found " << tile;
    sum += dimsOf(tile)[dim].factor;
  }
  SmallVector<Extent, 4> extents = extentsOf(first);
  extents[dim] = {Dim{{}, sum}, sum};
  return verifyResult(*this, getType(), tileOfExtents(first.getElementType(), extents));
}

static RankedTensorType joined(RankedTensorType tile) {
  SmallVector<Extent, 4> extents = extentsOf(tile);
  extents.push_back({Dim{{}, 2}, 2});
  return tileOfExtents(tile.getElementType(), extents);
}

LogicalResult JoinOp::verify() { return verifyResult(*this, getType(), joined(tileTypeOf(getLhs()))); }

LogicalResult SplitOp::verify() {
  if (getFirst().getType() != getSecond().getType()) return emitOpError("both halves have one type");
  RankedTensorType wanted = joined(tileTypeOf(getFirst()));
  if (wanted == getSource().getType()) return success();
  return emitOpError() << "halves a last dimension of 2: the source is " << wanted << ", found " << getSource().getType();
}

LogicalResult CastOp::verify() {
  Type source = getSource().getType(), result = getType();
  if (isTile(source) != isTile(result))
    return emitOpError() << "keeps the shape: a tile gives a tile, a scalar a scalar; found " << source << " to " << result;
  if (isTile(source)) {
    auto from = cast<RankedTensorType>(source), to = cast<RankedTensorType>(result);
    if (from.getShape() != to.getShape() || from.getEncoding() != to.getEncoding())
      return emitOpError() << "keeps the shape: found " << from << " to " << to;
  }
  for (Type type : {source, result})
    if (!isDType(elementOf(type)))
      return emitOpError() << "converts between i1 to i64, index, f16 to f64, bf16, f8 and f4, found " << elementOf(type);
  if (getIsUnsigned() && isa<FloatType>(elementOf(source)) && isa<FloatType>(elementOf(result)))
    return emitOpError() << "'unsigned' is about integers, found " << source << " to " << result;
  return success();
}

//===----------------------------------------------------------------------===//
// Dot
//===----------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  auto lhs = tileTypeOf(getLhs()), rhs = tileTypeOf(getRhs()), acc = tileTypeOf(getAcc());
  int64_t rank = acc.getRank();
  if (rank < 2 || lhs.getRank() != rank || rhs.getRank() != rank)
    return emitOpError() << "operands are [batches..., m, k], [batches..., k, n] and [batches..., m, n], found ranks " << lhs.getRank()
                         << ", " << rhs.getRank() << " and " << rank;
  auto a = extentsOf(lhs), b = extentsOf(rhs), c = extentsOf(acc);
  auto disagree = [&](StringRef what, Extent left, StringRef leftOf, Extent right, StringRef rightOf) {
    auto text = [](Extent extent) {
      std::string text;
      llvm::raw_string_ostream out(text);
      out << extent.first;
      if (!extent.first.isConstant() && !ShapedType::isDynamic(extent.second)) out << " = " << extent.second;
      return text;
    };
    return emitOpError() << what << " is " << text(left) << " in the " << leftOf << " and " << text(right) << " in the " << rightOf;
  };
  for (int64_t i = 0; i < rank - 2; ++i) {
    if (a[i] != c[i]) return disagree("batch dimension " + std::to_string(i), a[i], "left operand", c[i], "accumulator");
    if (b[i] != c[i]) return disagree("batch dimension " + std::to_string(i), b[i], "right operand", c[i], "accumulator");
  }
  int64_t outer = rank - 2, inner = rank - 1;
  auto m = a[getTransposeLhs() ? inner : outer], ka = a[getTransposeLhs() ? outer : inner];
  auto n = b[getTransposeRhs() ? outer : inner], kb = b[getTransposeRhs() ? inner : outer];
  if (ka != kb) return disagree("k", ka, "left operand", kb, "right operand");
  if (m != c[outer]) return disagree("m", m, "left operand", c[outer], "accumulator");
  if (n != c[inner]) return disagree("n", n, "right operand", c[inner], "accumulator");

  Type x = lhs.getElementType(), y = rhs.getElementType(), s = acc.getElementType();
  auto isF8 = [](Type type) { return isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8; };
  bool pair = x == y || (isF8(x) && isF8(y));
  bool accepted = x.isF64()                ? s.isF64()
                  : isa<FloatType>(x)      ? s.isF32() || s.isF64()
                  : x.isSignlessInteger(8) ? s.isSignlessInteger(32)
                                           : false;
  if (!pair || !accepted)
    return emitOpError() << "multiplies operands of one dtype: floats into f32 or f64 (f64 into f64), i8 into i32; found " << x << " and "
                         << y << " into " << s;
  if (auto precision = getPrecision()) {
    if (*precision != "ieee" && *precision != "tf32")
      return emitOpError() << "precision is \"ieee\" or \"tf32\", found \"" << *precision << "\"";
    if (*precision == "tf32" && !x.isF32()) return emitOpError() << "precision \"tf32\" is of f32 operands, found " << x;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

/// Rules that reduce and scan share: one kind and one tile, or a region with its identity.
template <typename Op> static LogicalResult verifyCombination(Op op) {
  if (op.getSources().empty()) return op.emitOpError("needs at least one tile");
  auto first = tileTypeOf(op.getSources().front());
  if (failed(verifyDim(op, op.getDim(), first.getRank()))) return failure();
  SmallVector<Type, 4> elements;
  for (Value source : op.getSources()) {
    auto tile = tileTypeOf(source);
    elements.push_back(tile.getElementType());
    if (tile.getShape() != first.getShape() || tile.getEncoding() != first.getEncoding())
      return op.emitOpError() << "tiles have one shape, found " << first << " and " << tile;
  }
  if (op.getKind()) {
    KindClass kind = classOfKind(*op.getKind());
    if (kind == KindClass::Unknown)
      return op.emitOpError() << "unknown kind '" << *op.getKind()
                              << "': one of addf mulf maximumf minimumf maxnumf minnumf addi muli maxsi minsi maxui minui andi ori xori";
    if (op.getSources().size() != 1 || !op.getInits().empty() || !op.getCombine().empty())
      return op.emitOpError("a kind takes one tile, no init and no region");
    if ((kind == KindClass::Float) != isa<FloatType>(elements[0]))
      return op.emitOpError() << "kind '" << *op.getKind() << "' combines " << (kind == KindClass::Float ? "floats" : "integers")
                              << ", found " << elements[0];
    return success();
  }
  if (op.getCombine().empty()) return op.emitOpError("without a kind, a region says how elements combine");
  if (!llvm::equal(op.getInits().getTypes(), elements))
    return op.emitOpError() << "init has one scalar a tile, of its element type: (" << elements << "), found (" << op.getInits().getTypes()
                            << ")";
  SmallVector<Type, 8> pairs(elements.begin(), elements.end());
  pairs.append(elements);
  Block &block = op.getCombine().front();
  if (!llvm::equal(block.getArgumentTypes(), pairs))
    return op.emitOpError() << "the region takes left elements, then right ones: (" << pairs << "), found (" << block.getArgumentTypes()
                            << ")";
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield || !llvm::equal(yield.getOperandTypes(), elements)) return op.emitOpError() << "the region yields (" << elements << ")";
  return success();
}

LogicalResult ReduceOp::verify() {
  if (failed(verifyCombination(*this))) return failure();
  if (getSources().size() != getNumResults())
    return emitOpError() << "gives one result a tile: " << getSources().size() << ", found " << getNumResults();
  for (auto [source, result] : llvm::zip(getSources(), getResultTypes()))
    if (failed(verifyResult(*this, result, withoutDim(tileTypeOf(source), getDim())))) return failure();
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verifyCombination(*this))) return failure();
  if (llvm::equal(getSources().getTypes(), getResultTypes())) return success();
  return emitOpError() << "results have the tiles' types: (" << getSources().getTypes() << "), found (" << getResultTypes() << ")";
}

} // namespace pantile::tile
