//===- ir/dialect/TileStructure.cpp - text of kernel, parallel, loop, grid ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/TileText.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;

namespace pantile::tile {

//===----------------------------------------------------------------------===//
// tile.kernel @name(%A: !tile.view<?xf32> {...}, %s: f32) attributes {...} { ... }
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &state) {
  auto type = [](Builder &builder, ArrayRef<Type> inputs, ArrayRef<Type> results, function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(inputs, results);
  };
  if (function_interface_impl::parseFunctionOp(parser, state, /*allowVariadic=*/false, getFunctionTypeAttrName(state.name), type,
                                               getArgAttrsAttrName(state.name), getResAttrsAttrName(state.name)))
    return failure();
  Region &body = *state.regions.front();
  if (body.empty()) return parser.emitError(parser.getCurrentLocation(), "a tile.kernel needs a body: { ... }");
  Block &last = body.back();
  if (last.empty() || !last.back().hasTrait<OpTrait::IsTerminator>()) {
    OpBuilder builder(parser.getContext());
    builder.setInsertionPointToEnd(&last);
    ReturnOp::create(builder, parser.getEncodedSourceLoc(parser.getCurrentLocation()));
  }
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  function_interface_impl::printFunctionSignature(printer, *this, getArgumentTypes(), /*isVariadic=*/false, getResultTypes());
  function_interface_impl::printFunctionAttributes(printer, *this,
                                                   {getFunctionTypeAttrName(), getArgAttrsAttrName(), getResAttrsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
}

//===----------------------------------------------------------------------===//
// %i in %M by @bm     (%i, %j) from (%a, %b) to (%M, %N) by (@bm = 64, 1)
//===----------------------------------------------------------------------===//

namespace {
struct Extents {
  SmallVector<OpAsmParser::Argument, 4> names;
  SmallVector<Operand, 4> lowers, uppers;
};
} // namespace

/// Parses the names, bounds and blocks of a loop; the bounds become operands.
static ParseResult parseExtents(OpAsmParser &parser, OperationState &state, Extents &extents) {
  SmallVector<Dim, 4> dims;
  SmallVector<int64_t, 4> bound;
  SMLoc start = parser.getCurrentLocation();
  auto operandsInto = [&](SmallVectorImpl<Operand> &operands) {
    return parseOneOrList(parser, [&] { return parser.parseOperand(operands.emplace_back()); });
  };
  if (parseOneOrList(parser, [&] { return parser.parseArgument(extents.names.emplace_back()); })) return failure();
  if (succeeded(parser.parseOptionalKeyword("from"))) {
    if (operandsInto(extents.lowers) || parser.parseKeyword("to") || operandsInto(extents.uppers)) return failure();
  } else if (failed(parser.parseOptionalKeyword("in"))) {
    return parser.emitError(parser.getCurrentLocation(), "expected 'in' and an extent, or 'from' and 'to' and two bounds");
  } else if (operandsInto(extents.uppers)) {
    return failure();
  }
  if (parser.parseKeyword("by", ", then the block of each dimension") || parseOneOrList(parser, [&] {
        return failure(parseDim(parser, dims.emplace_back()) ||
                       (succeeded(parser.parseOptionalEqual()) ? parser.parseInteger(bound.emplace_back())
                                                               : (bound.push_back(ShapedType::kDynamic), ParseResult(success()))));
      }))
    return failure();
  size_t count = extents.names.size();
  if (extents.uppers.size() != count || dims.size() != count || (!extents.lowers.empty() && extents.lowers.size() != count))
    return parser.emitError(start, "each loop dimension has a name, an extent and a block: found ")
           << count << " names, " << extents.uppers.size() << " extents, " << dims.size() << " blocks";
  MLIRContext *context = parser.getContext();
  for (auto [name, dim, extent] : llvm::zip(extents.names, dims, bound)) {
    if (dim.isConstant() || ShapedType::isDynamic(extent)) extent = ShapedType::kDynamic;
    auto error = [&] { return parser.emitError(start); };
    if (!dim.isConstant() && !ShapedType::isDynamic(extent) && failed(RangeType::verify(error, dim, extent))) return failure();
    name.type = blockType(context, dim, extent);
  }
  state.addAttribute("blocks", DimsAttr::get(context, dims));
  Type index = IndexType::get(context);
  return failure(parser.resolveOperands(extents.lowers, index, state.operands) ||
                 parser.resolveOperands(extents.uppers, index, state.operands));
}

static void printExtents(OpAsmPrinter &printer, ArrayRef<BlockArgument> names, OperandRange lowers, OperandRange uppers, DimsAttr blocks) {
  auto print = [&](Value value) { printer.printOperand(value); };
  printer << ' ';
  printOneOrList(printer, names, print);
  if (lowers.empty()) {
    printer << " in ";
  } else {
    printer << " from ";
    printOneOrList(printer, lowers, print);
    printer << " to ";
  }
  printOneOrList(printer, uppers, print);
  printer << " by ";
  printOneOrList(printer, llvm::zip(names, blocks.getDims()), [&](auto pair) {
    auto [name, dim] = pair;
    printer.getStream() << dim;
    auto range = dyn_cast<RangeType>(name.getType());
    if (range && !dim.isConstant() && !ShapedType::isDynamic(range.getExtent())) printer << " = " << range.getExtent();
  });
}

static void addSegments(OpAsmParser &parser, OperationState &state, ArrayRef<int32_t> sizes) {
  state.addAttribute("operandSegmentSizes", parser.getBuilder().getDenseI32ArrayAttr(sizes));
}

/// attributes {...} { body }
template <typename Op> static ParseResult parseBody(OpAsmParser &parser, OperationState &state, ArrayRef<OpAsmParser::Argument> arguments) {
  Region *body = state.addRegion();
  if (parser.parseOptionalAttrDictWithKeyword(state.attributes) || parser.parseRegion(*body, arguments)) return failure();
  Op::ensureTerminator(*body, parser.getBuilder(), state.location);
  return success();
}

static void printBody(OpAsmPrinter &printer, Operation *op) {
  Region &body = op->getRegion(0);
  bool yields = !body.empty() && !body.front().empty() && body.front().back().getNumOperands() != 0;
  printer.printOptionalAttrDictWithKeyword(op->getDiscardableAttrDictionary().getValue());
  printer << ' ';
  printer.printRegion(body, /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/yields);
}

ParseResult ParallelOp::parse(OpAsmParser &parser, OperationState &state) {
  Extents extents;
  if (parseExtents(parser, state, extents)) return failure();
  addSegments(parser, state, {int32_t(extents.lowers.size()), int32_t(extents.uppers.size())});
  return parseBody<ParallelOp>(parser, state, extents.names);
}

void ParallelOp::print(OpAsmPrinter &printer) {
  printExtents(printer, getBody().getArguments(), getLowers(), getUppers(), getBlocks());
  printBody(printer, *this);
}

//===----------------------------------------------------------------------===//
// %p in %K by @bk carry(%s = %init : !acc) associative
//===----------------------------------------------------------------------===//

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &state) {
  Extents extents;
  SMLoc start = parser.getCurrentLocation();
  if (parseExtents(parser, state, extents)) return failure();
  if (extents.names.size() != 1)
    return parser.emitError(start, "a tile.loop has one dimension, found ") << extents.names.size() << "; nest loops for more";
  int32_t carries = 0;
  auto parseCarry = [&]() -> ParseResult {
    Operand init;
    OpAsmParser::Argument &carry = extents.names.emplace_back();
    ++carries;
    if (parser.parseArgument(carry) || parser.parseEqual() || parser.parseOperand(init) || parser.parseColonType(carry.type) ||
        parser.resolveOperand(init, carry.type, state.operands))
      return failure();
    state.addTypes(carry.type);
    return success();
  };
  if (succeeded(parser.parseOptionalKeyword("carry")) && parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parseCarry))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("associative"))) state.addAttribute("associative", parser.getBuilder().getUnitAttr());
  addSegments(parser, state, {int32_t(extents.lowers.size()), 1, carries});
  return parseBody<LoopOp>(parser, state, extents.names);
}

void LoopOp::print(OpAsmPrinter &printer) {
  auto arguments = getBody().getArguments();
  printExtents(printer, arguments.take_front(), getODSOperands(0), getODSOperands(1), getBlocks());
  if (!getInits().empty()) {
    printer << " carry(";
    llvm::interleaveComma(llvm::zip(arguments.drop_front(), getInits()), printer, [&](auto pair) {
      auto [carry, init] = pair;
      printer << carry << " = " << init << " : " << init.getType();
    });
    printer << ')';
  }
  if (getAssociative()) printer << " associative";
  printBody(printer, *this);
}

//===----------------------------------------------------------------------===//
// tile.grid %pid in %count schedule {...} { ... }     tile.grid (%x, %y) in (%a, %b) schedule {...} { ... }
//===----------------------------------------------------------------------===//

ParseResult GridOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::Argument, 3> programs;
  SmallVector<Operand, 3> counts;
  Type index = parser.getBuilder().getIndexType();
  SMLoc start = parser.getCurrentLocation();
  if (parseOneOrList(parser, [&] { return parser.parseArgument(programs.emplace_back()); }) || parser.parseKeyword("in") ||
      parseOneOrList(parser, [&] { return parser.parseOperand(counts.emplace_back()); }) ||
      parser.resolveOperands(counts, index, state.operands))
    return failure();
  if (programs.size() != counts.size())
    return parser.emitError(start, "each grid dimension has a program id and a count: found ")
           << programs.size() << " ids, " << counts.size() << " counts";
  for (OpAsmParser::Argument &program : programs) program.type = index;
  NamedAttrList schedule;
  if (succeeded(parser.parseOptionalKeyword("schedule")) && parser.parseOptionalAttrDict(schedule)) return failure();
  state.addAttribute("schedule", schedule.getDictionary(parser.getContext()));
  return parseBody<GridOp>(parser, state, programs);
}

void GridOp::print(OpAsmPrinter &printer) {
  auto print = [&](Value value) { printer.printOperand(value); };
  printer << ' ';
  printOneOrList(printer, getBody().getArguments(), print);
  printer << " in ";
  printOneOrList(printer, getCounts(), print);
  if (!getSchedule().empty()) printer << " schedule " << getSchedule();
  printBody(printer, *this);
}

} // namespace pantile::tile
