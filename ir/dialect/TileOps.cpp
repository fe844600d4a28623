//===- ir/dialect/TileOps.cpp - text of operations on views and tiles -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/TileText.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "ir/dialect/TileOps.cpp.inc"

namespace pantile::tile {

static void printAttributes(OpAsmPrinter &printer, Operation *op) {
  printer.printOptionalAttrDict(op->getDiscardableAttrDictionary().getValue());
}

static void addSegments(OpAsmParser &parser, OperationState &state, ArrayRef<int32_t> sizes) {
  state.addAttribute("operandSegmentSizes", parser.getBuilder().getDenseI32ArrayAttr(sizes));
}

//===----------------------------------------------------------------------===//
// Views: tile.dim %C, 0     tile.workspace(%M, %N) : !tile.view<?x?xf32>
//===----------------------------------------------------------------------===//

ParseResult DimOp::parse(OpAsmParser &parser, OperationState &state) {
  Operand view;
  if (parser.parseOperand(view) || parser.parseComma() || parseNumber(parser, "dim", state) ||
      parser.parseOptionalAttrDict(state.attributes) || resolveByDefinition(parser, view, state))
    return failure();
  state.addTypes(parser.getBuilder().getIndexType());
  return success();
}

void DimOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getView() << ", " << getDim();
  printAttributes(printer, *this);
}

ParseResult WorkspaceOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<Operand, 4> sizes;
  Type type;
  if (parser.parseOperandList(sizes, AsmParser::Delimiter::Paren) || parser.parseOptionalAttrDict(state.attributes) ||
      parser.parseColonType(type) || parser.resolveOperands(sizes, parser.getBuilder().getIndexType(), state.operands))
    return failure();
  state.addTypes(type);
  return success();
}

void WorkspaceOp::print(OpAsmPrinter &printer) {
  printer << '(' << getSizes() << ')';
  printAttributes(printer, *this);
  printer << " : " << getType();
}

//===----------------------------------------------------------------------===//
// Memory: %A[%i, full @d, full 64] mask %m pad %zero : !t
//===----------------------------------------------------------------------===//

namespace {
struct Place {
  Operand view;
  SmallVector<Operand, 4> subscripts;
  std::optional<Operand> mask, pad;
};
} // namespace

static ParseResult parsePlace(OpAsmParser &parser, OperationState &state, Place &place) {
  Builder &builder = parser.getBuilder();
  SmallVector<Attribute, 4> kinds;
  auto parseSubscript = [&]() -> ParseResult {
    if (failed(parser.parseOptionalKeyword("full"))) {
      kinds.push_back(builder.getUnitAttr());
      return parser.parseOperand(place.subscripts.emplace_back());
    }
    Dim dim;
    SMLoc location = parser.getCurrentLocation();
    if (parseDim(parser, dim)) return failure();
    if (!dim.isConstant() && dim.factor != 1)
      return parser.emitError(location, "a full extent is a symbol or a constant, not a multiple of a symbol");
    kinds.push_back(dim.isConstant() ? Attribute(builder.getI64IntegerAttr(dim.factor)) : FlatSymbolRefAttr::get(dim.symbol));
    return success();
  };
  if (parser.parseOperand(place.view) || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseSubscript)) return failure();
  if (succeeded(parser.parseOptionalKeyword("mask")) && parser.parseOperand(place.mask.emplace())) return failure();
  if (succeeded(parser.parseOptionalKeyword("pad")) && parser.parseOperand(place.pad.emplace())) return failure();
  state.addAttribute("kinds", builder.getArrayAttr(kinds));
  return parser.parseOptionalAttrDict(state.attributes);
}

/// view, subscripts, mask, pad as operands, in ODS order.
static ParseResult resolvePlace(OpAsmParser &parser, OperationState &state, const Place &place) {
  if (resolveByDefinition(parser, place.view, state) || resolveByDefinition(parser, place.subscripts, state)) return failure();
  for (const auto &optional : {place.mask, place.pad})
    if (optional && resolveByDefinition(parser, *optional, state)) return failure();
  return success();
}

static void printPlace(OpAsmPrinter &printer, Value view, OperandRange subscripts, ArrayAttr kinds, Value mask = {}, Value pad = {}) {
  printer << view << '[';
  auto next = subscripts.begin();
  llvm::interleaveComma(kinds, printer, [&](Attribute kind) {
    if (isa<UnitAttr>(kind) && next != subscripts.end())
      printer << *next++;
    else if (auto symbol = dyn_cast<FlatSymbolRefAttr>(kind))
      printer << "full " << symbol;
    else if (auto extent = dyn_cast<IntegerAttr>(kind))
      printer << "full " << extent.getInt();
    else
      printer << "<missing>";
  });
  printer << ']';
  if (mask) printer << " mask " << mask;
  if (pad) printer << " pad " << pad;
}

ParseResult LoadOp::parse(OpAsmParser &parser, OperationState &state) {
  Place place;
  Type type;
  if (parsePlace(parser, state, place) || parser.parseColonType(type) || resolvePlace(parser, state, place)) return failure();
  if (place.mask) return parser.emitError(place.mask->location, "tile.load takes no mask: use tile.gather, or arith.select on the result");
  addSegments(parser, state, {1, int32_t(place.subscripts.size()), place.pad ? 1 : 0});
  state.addTypes(type);
  return success();
}

void LoadOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printPlace(printer, getView(), getSubscripts(), getKinds(), {}, getPad());
  printAttributes(printer, *this);
  printer << " : " << getType();
}

ParseResult GatherOp::parse(OpAsmParser &parser, OperationState &state) {
  Place place;
  Type type;
  if (parsePlace(parser, state, place) || parser.parseColonType(type) || resolvePlace(parser, state, place)) return failure();
  addSegments(parser, state, {1, int32_t(place.subscripts.size()), place.mask ? 1 : 0, place.pad ? 1 : 0});
  state.addTypes(type);
  return success();
}

void GatherOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printPlace(printer, getView(), getSubscripts(), getKinds(), getMask(), getPad());
  printAttributes(printer, *this);
  printer << " : " << getType();
}

/// %value, place [: type]
static ParseResult parseWrite(OpAsmParser &parser, OperationState &state, Place &place) {
  Operand value;
  Type type;
  if (parser.parseOperand(value) || parser.parseComma() || parsePlace(parser, state, place)) return failure();
  if (place.pad) return parser.emitError(place.pad->location, "a write takes no pad: elements outside the view are dropped");
  if (failed(parser.parseOptionalColon())
          ? resolveByDefinition(parser, value, state)
          : ParseResult(failure(parser.parseType(type) || parser.resolveOperand(value, type, state.operands))))
    return failure();
  return resolvePlace(parser, state, place);
}

ParseResult StoreOp::parse(OpAsmParser &parser, OperationState &state) {
  Place place;
  if (parseWrite(parser, state, place)) return failure();
  if (place.mask) return parser.emitError(place.mask->location, "tile.store takes no mask: use tile.scatter");
  return success();
}

void StoreOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getValue() << ", ";
  printPlace(printer, getView(), getSubscripts(), getKinds());
  printAttributes(printer, *this);
  printer << " : " << getValue().getType();
}

ParseResult ScatterOp::parse(OpAsmParser &parser, OperationState &state) {
  Place place;
  if (parseWrite(parser, state, place)) return failure();
  addSegments(parser, state, {1, 1, int32_t(place.subscripts.size()), place.mask ? 1 : 0});
  return success();
}

void ScatterOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getValue() << ", ";
  printPlace(printer, getView(), getSubscripts(), getKinds(), getMask());
  printAttributes(printer, *this);
  printer << " : " << getValue().getType();
}

/// kind %value, place [: type]; a result, where it has a name, is of the value's type.
ParseResult AtomicRMWOp::parse(OpAsmParser &parser, OperationState &state) {
  Place place;
  StringRef kind;
  SMLoc start = parser.getCurrentLocation();
  if (failed(parser.parseOptionalKeyword(&kind))) return parser.emitError(start, "a kind (addf, addi, ..., exchange) comes first");
  state.addAttribute("kind", parser.getBuilder().getStringAttr(kind));
  if (parseWrite(parser, state, place)) return failure();
  addSegments(parser, state, {1, 1, int32_t(place.subscripts.size()), place.mask ? 1 : 0});
  if (parser.getNumResults()) state.addTypes(state.operands[0].getType());
  return success();
}

void AtomicRMWOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getKind() << ' ' << getValue() << ", ";
  printPlace(printer, getView(), getSubscripts(), getKinds(), getMask());
  printAttributes(printer, *this);
  printer << " : " << getValue().getType();
}

//===----------------------------------------------------------------------===//
// tile.random %seed, %position word 1 : !i -> !bits
//===----------------------------------------------------------------------===//

ParseResult RandomOp::parse(OpAsmParser &parser, OperationState &state) {
  Operand seed, position;
  Type from, to;
  if (parser.parseOperand(seed) || parser.parseComma() || parser.parseOperand(position)) return failure();
  if (succeeded(parser.parseOptionalKeyword("word")) && parseNumber(parser, "word", state)) return failure();
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(from) || parser.parseArrow() || parser.parseType(to) ||
      parser.resolveOperand(seed, parser.getBuilder().getI64Type(), state.operands) ||
      parser.resolveOperand(position, from, state.operands))
    return failure();
  state.addTypes(to);
  return success();
}

void RandomOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSeed() << ", " << getPosition();
  if (getWord()) printer << " word " << getWord();
  printAttributes(printer, *this);
  printer << " : " << getPosition().getType() << " -> " << getType();
}

//===----------------------------------------------------------------------===//
// Tiles: broadcast %x along 1, transpose %x by [1, 0], %a, %b = split %x
//===----------------------------------------------------------------------===//

/// : source type -> result type, repeated `results` times
static ParseResult parseConversion(OpAsmParser &parser, OperationState &state, const Operand &source, unsigned results = 1) {
  Type from, to;
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(from) || parser.parseArrow() || parser.parseType(to) ||
      parser.resolveOperand(source, from, state.operands))
    return failure();
  state.types.append(results, to);
  return success();
}

static void printConversion(OpAsmPrinter &printer, Operation *op) {
  printAttributes(printer, op);
  printer << " : " << op->getOperand(0).getType() << " -> " << op->getResult(0).getType();
}

/// %source word [1, 0], or a bare number
static ParseResult parseWithNumbers(OpAsmParser &parser, OperationState &state, StringRef word, StringRef attribute) {
  Operand source;
  SmallVector<int64_t, 4> numbers;
  if (parser.parseOperand(source) || parser.parseKeyword(word)) return failure();
  auto parseOne = [&] { return parser.parseInteger(numbers.emplace_back()); };
  if (succeeded(parser.parseOptionalLSquare()) ? parser.parseCommaSeparatedList(parseOne) || parser.parseRSquare() : bool(parseOne()))
    return failure();
  state.addAttribute(attribute, parser.getBuilder().getDenseI64ArrayAttr(numbers));
  return parseConversion(parser, state, source);
}

ParseResult BroadcastOp::parse(OpAsmParser &parser, OperationState &state) { return parseWithNumbers(parser, state, "along", "along"); }

void BroadcastOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSource() << " along ";
  if (getAlong().size() == 1)
    printer << getAlong().front();
  else
    printer << '[' << getAlong() << ']';
  printConversion(printer, *this);
}

ParseResult TransposeOp::parse(OpAsmParser &parser, OperationState &state) { return parseWithNumbers(parser, state, "by", "permutation"); }

void TransposeOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSource() << " by [" << getPermutation() << ']';
  printConversion(printer, *this);
}

ParseResult SplitOp::parse(OpAsmParser &parser, OperationState &state) {
  Operand source;
  return failure(parser.parseOperand(source) || parseConversion(parser, state, source, 2));
}

void SplitOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSource();
  printConversion(printer, *this);
}

//===----------------------------------------------------------------------===//
// tile.dot %x, transpose(%y), %s {precision = "tf32"} : !a, !b -> !acc
//===----------------------------------------------------------------------===//

ParseResult DotOp::parse(OpAsmParser &parser, OperationState &state) {
  Operand operands[3];
  Type types[3];
  auto parseSide = [&](Operand &operand, StringRef attribute) -> ParseResult {
    if (failed(parser.parseOptionalKeyword("transpose"))) return parser.parseOperand(operand);
    state.addAttribute(attribute, parser.getBuilder().getUnitAttr());
    return failure(parser.parseLParen() || parser.parseOperand(operand) || parser.parseRParen());
  };
  if (parseSide(operands[0], "transpose_lhs") || parser.parseComma() || parseSide(operands[1], "transpose_rhs") || parser.parseComma() ||
      parser.parseOperand(operands[2]) || parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(types[0]) ||
      parser.parseComma() || parser.parseType(types[1]) || parser.parseArrow() || parser.parseType(types[2]))
    return failure();
  for (auto [operand, type] : llvm::zip(operands, types))
    if (parser.resolveOperand(operand, type, state.operands)) return failure();
  state.addTypes(types[2]);
  return success();
}

void DotOp::print(OpAsmPrinter &printer) {
  auto printSide = [&](Value value, bool transposed) {
    if (transposed)
      printer << "transpose(" << value << "), ";
    else
      printer << value << ", ";
  };
  printer << ' ';
  printSide(getLhs(), getTransposeLhs());
  printSide(getRhs(), getTransposeRhs());
  printer << getAcc();
  NamedAttrList attributes((*this)->getDiscardableAttrDictionary());
  if (getPrecisionAttr()) attributes.set(getPrecisionAttrName(), getPrecisionAttr());
  printer.printOptionalAttrDict(attributes.getAttrs());
  printer << " : " << getLhs().getType() << ", " << getRhs().getType() << " -> " << getType();
}

//===----------------------------------------------------------------------===//
// addf %x over 1     (%x, %y) over 1 init(%a, %b)     { ^bb0(...): ... }
//===----------------------------------------------------------------------===//

/// What reduce and scan share, up to the types.
static ParseResult parseCombination(OpAsmParser &parser, OperationState &state, SmallVectorImpl<Operand> &sources,
                                    SmallVectorImpl<Operand> &inits, bool isScan) {
  StringRef kind;
  SMLoc start = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalLParen())) {
    if (parser.parseOperandList(sources) || parser.parseRParen()) return failure();
  } else if (succeeded(parser.parseOptionalKeyword(&kind))) {
    if (classOfKind(kind) == KindClass::Unknown)
      return parser.emitError(start, "unknown kind '")
             << kind
             << "': one of addf mulf maximumf minimumf maxnumf minnumf addi muli maxsi minsi maxui minui andi ori "
                "xori, or (%x, ...) with init and a region";
    state.addAttribute("kind", parser.getBuilder().getStringAttr(kind));
    if (parser.parseOperand(sources.emplace_back())) return failure();
  } else {
    return parser.emitError(start, "expected a kind and a tile (addf %x), or tiles in parentheses");
  }
  if (parser.parseKeyword("over") || parseNumber(parser, "dim", state)) return failure();
  for (StringRef flag : {"reverse", "exclusive"})
    if (isScan && succeeded(parser.parseOptionalKeyword(flag))) state.addAttribute(flag, parser.getBuilder().getUnitAttr());
  if (succeeded(parser.parseOptionalKeyword("init")) && parser.parseOperandList(inits, AsmParser::Delimiter::Paren)) return failure();
  addSegments(parser, state, {int32_t(sources.size()), int32_t(inits.size())});
  return parser.parseOptionalAttrDict(state.attributes);
}

/// Sources by the given types, inits by definition, then the region.
static ParseResult finishCombination(OpAsmParser &parser, OperationState &state, ArrayRef<Operand> sources, ArrayRef<Operand> inits,
                                     ArrayRef<Type> types, SMLoc typesAt) {
  if (parser.resolveOperands(sources, types, typesAt, state.operands) || resolveByDefinition(parser, inits, state)) return failure();
  OptionalParseResult region = parser.parseOptionalRegion(*state.addRegion());
  return region.has_value() ? *region : ParseResult(success());
}

template <typename Op> static void printCombination(OpAsmPrinter &printer, Op op) {
  if (op.getKind())
    printer << ' ' << *op.getKind() << ' ' << op.getSources();
  else
    printer << " (" << op.getSources() << ')';
  printer << " over " << op.getDim();
  if constexpr (std::is_same_v<Op, ScanOp>) {
    if (op.getReverse()) printer << " reverse";
    if (op.getExclusive()) printer << " exclusive";
  }
  if (!op.getInits().empty()) printer << " init(" << op.getInits() << ')';
  printAttributes(printer, op);
  printer << " : " << op.getSources().getTypes();
  if constexpr (std::is_same_v<Op, ReduceOp>) printer << " -> " << op.getResultTypes();
  if (op.getCombine().empty()) return;
  printer << ' ';
  printer.printRegion(op.getCombine());
}

ParseResult ReduceOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<Operand, 2> sources, inits;
  SmallVector<Type, 2> types;
  if (parseCombination(parser, state, sources, inits, /*isScan=*/false) || parser.parseColon()) return failure();
  SMLoc typesAt = parser.getCurrentLocation();
  if (parser.parseTypeList(types) || parser.parseArrow() || parser.parseTypeList(state.types)) return failure();
  return finishCombination(parser, state, sources, inits, types, typesAt);
}

void ReduceOp::print(OpAsmPrinter &printer) { printCombination(printer, *this); }

ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<Operand, 2> sources, inits;
  SmallVector<Type, 2> types;
  if (parseCombination(parser, state, sources, inits, /*isScan=*/true) || parser.parseColon()) return failure();
  SMLoc typesAt = parser.getCurrentLocation();
  if (parser.parseTypeList(types)) return failure();
  state.addTypes(types);
  return finishCombination(parser, state, sources, inits, types, typesAt);
}

void ScanOp::print(OpAsmPrinter &printer) { printCombination(printer, *this); }

} // namespace pantile::tile
