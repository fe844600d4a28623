//===- ir/dialect/TileTypes.cpp - text and rules of types and extents -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"
#include "ir/dialect/TileText.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pantile::tile;

#define GET_ATTRDEF_CLASSES
#include "ir/dialect/TileAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "ir/dialect/TileTypes.cpp.inc"

namespace pantile::tile {

void TileDialect::registerAttributesAndTypes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ir/dialect/TileAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "ir/dialect/TileTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

bool isTile(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa_and_present<DimsAttr>(tensor.getEncoding());
}

ArrayRef<Dim> dimsOf(RankedTensorType tile) { return cast<DimsAttr>(tile.getEncoding()).getDims(); }

Type elementOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? tensor.getElementType() : type;
}

bool isDType(Type element) {
  if (element.isIndex()) return true;
  if (auto integer = dyn_cast<IntegerType>(element)) {
    unsigned width = integer.getWidth();
    return integer.isSignless() && (width == 1 || (width >= 4 && width <= 64 && llvm::isPowerOf2_32(width)));
  }
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type, Float8E4M3FNType, Float8E5M2Type, Float8E4M3FNUZType, Float8E5M2FNUZType,
             Float4E2M1FNType>(element);
}

RankedTensorType tileOf(Type element, ArrayRef<Dim> dims, ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, element, DimsAttr::get(element.getContext(), dims));
}

RankedTensorType tileOf(Type element, ArrayRef<Dim> dims) {
  SmallVector<int64_t, 4> shape;
  for (const Dim &dim : dims) shape.push_back(dim.isConstant() ? dim.factor : ShapedType::kDynamic);
  return tileOf(element, dims, shape);
}

Type blockType(MLIRContext *context, Dim block, int64_t extent) {
  if (block.isConstant() && block.factor == 1) return IndexType::get(context);
  return RangeType::get(context, block, block.isConstant() ? block.factor : extent);
}

KindClass classOfKind(StringRef kind) {
  return llvm::StringSwitch<KindClass>(kind)
      .Cases({"addf", "mulf", "maximumf", "minimumf", "maxnumf", "minnumf"}, KindClass::Float)
      .Cases({"addi", "muli", "maxsi", "minsi", "maxui", "minui", "andi", "ori", "xori"}, KindClass::Integer)
      .Default(KindClass::Unknown);
}

//===----------------------------------------------------------------------===//
// Extents: 32, @bm, @kb * 32
//===----------------------------------------------------------------------===//

llvm::raw_ostream &operator<<(llvm::raw_ostream &out, const Dim &dim) {
  if (dim.isConstant()) return out << dim.factor;
  out << '@' << dim.symbol.getValue();
  return dim.factor == 1 ? out : out << " * " << dim.factor;
}

ParseResult parseDim(AsmParser &parser, Dim &dim) {
  SMLoc location = parser.getCurrentLocation();
  dim = Dim();
  if (succeeded(parser.parseOptionalSymbolName(dim.symbol))) {
    if (succeeded(parser.parseOptionalStar()) && failed(parser.parseInteger(dim.factor))) return failure();
  } else if (OptionalParseResult integer = parser.parseOptionalInteger(dim.factor); !integer.has_value() || failed(*integer)) {
    return parser.emitError(location, "expected an extent: a block symbol (@bm), a multiple of one (@kb * 32), or a constant");
  }
  if (dim.factor < 1) return parser.emitError(location, "an extent or factor must be at least 1, found ") << dim.factor;
  return success();
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<Dim, 4> dims;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, [&] { return parseDim(parser, dims.emplace_back()); })) return {};
  return DimsAttr::get(parser.getContext(), dims);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << '<';
  llvm::interleaveComma(getDims(), printer.getStream());
  printer << '>';
}

/// Whether an extent of this name may have this size: a constant is itself, a bound multiple divides.
static LogicalResult verifyExtent(Dim dim, int64_t extent, function_ref<InFlightDiagnostic()> emitError) {
  if (dim.isConstant()) {
    if (extent == dim.factor) return success();
    auto error = emitError();
    if (ShapedType::isDynamic(extent))
      return error << "'?' needs a symbol: the extent is named " << dim.factor << "; write " << dim.factor << " for both";
    return error << "extent " << extent << " does not agree with its name " << dim.factor;
  }
  if (ShapedType::isDynamic(extent) || (extent > 0 && extent % dim.factor == 0)) return success();
  std::string name;
  llvm::raw_string_ostream(name) << dim;
  return emitError() << "extent " << extent << " is not a multiple of " << dim.factor << ", which its name " << name << " asks for";
}

LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type element, function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != size())
    return emitError() << "a tile of rank " << shape.size() << " needs as many entries in #tile.dims, found " << size();
  if (shape.empty()) return emitError() << "a tile has at least one dimension: a scalar is its element type itself";
  if (!element) return failure(); // reported by the parser already
  if (!isDType(element)) return emitError() << "a tile's elements are i1 to i64, index, f16 to f64, bf16, f8 or f4, found " << element;
  for (auto [dim, extent] : llvm::zip(getDims(), shape))
    if (failed(verifyExtent(dim, extent, emitError))) return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Views and ranges
//===----------------------------------------------------------------------===//

Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t, 4> shape;
  Type element;
  if (parser.parseLess() || parser.parseDimensionList(shape) || parser.parseType(element) || parser.parseGreater()) return {};
  return parser.getChecked<ViewType>(parser.getContext(), shape, element);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape()) ShapedType::isDynamic(size) ? printer << "?x" : printer << size << 'x';
  printer << getElementType() << '>';
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape, Type element) {
  if (isDType(element) && !element.isIndex()) return success();
  return emitError() << "a view's elements are i1 to i64, f16 to f64, bf16, f8 or f4, found " << element;
}

Type RangeType::parse(AsmParser &parser) {
  Dim dim;
  int64_t extent = ShapedType::kDynamic;
  if (parser.parseLess() || parseDim(parser, dim)) return {};
  if (succeeded(parser.parseOptionalComma()) && parser.parseInteger(extent)) return {};
  if (parser.parseGreater()) return {};
  if (dim.isConstant() && ShapedType::isDynamic(extent)) extent = dim.factor;
  return parser.getChecked<RangeType>(parser.getContext(), dim, extent);
}

void RangeType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.getStream() << getDim();
  if (!getDim().isConstant() && !ShapedType::isDynamic(getExtent())) printer << ", " << getExtent();
  printer << '>';
}

LogicalResult RangeType::verify(function_ref<InFlightDiagnostic()> emitError, Dim dim, int64_t extent) {
  return verifyExtent(dim, extent, emitError);
}

} // namespace pantile::tile
