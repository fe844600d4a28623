//===- ir/dialect/TileText.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/TileText.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace pantile::tile {

ParseResult resolveByDefinition(OpAsmParser &parser, const Operand &operand, Value &value) {
  Type type;
  SmallVector<Value, 1> resolved;
  {
    ScopedDiagnosticHandler silence(parser.getContext(), [&](Diagnostic &diagnostic) {
      for (DiagnosticArgument &argument : diagnostic.getArguments())
        if (argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::Type) type = argument.getAsType();
      return success();
    });
    (void)parser.resolveOperand(operand, NoneType::get(parser.getContext()), resolved);
  }
  if (!type) return parser.emitError(operand.location, "use of ") << operand.name << " before its definition";
  resolved.clear();
  if (parser.resolveOperand(operand, type, resolved)) return failure();
  value = resolved.front();
  return success();
}

ParseResult resolveByDefinition(OpAsmParser &parser, ArrayRef<Operand> operands, OperationState &state) {
  for (const Operand &operand : operands) {
    Value value;
    if (resolveByDefinition(parser, operand, value)) return failure();
    state.operands.push_back(value);
  }
  return success();
}

ParseResult parseOneOrList(OpAsmParser &parser, function_ref<ParseResult()> parseOne) {
  if (failed(parser.parseOptionalLParen())) return parseOne();
  if (succeeded(parser.parseOptionalRParen())) return success();
  return failure(parser.parseCommaSeparatedList(parseOne) || parser.parseRParen());
}

ParseResult parseNumber(OpAsmParser &parser, StringRef name, OperationState &state) {
  int64_t number;
  if (parser.parseInteger(number)) return failure();
  state.addAttribute(name, parser.getBuilder().getI64IntegerAttr(number));
  return success();
}

} // namespace pantile::tile
