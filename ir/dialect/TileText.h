//===- ir/dialect/TileText.h - pieces of syntax that operations share -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Private to ir/dialect.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_DIALECT_TILETEXT_H
#define PANTILE_IR_DIALECT_TILETEXT_H

#include "ir/dialect/Tile.h"

namespace pantile::tile {

using Operand = mlir::OpAsmParser::UnresolvedOperand;

/// `32`, `@bm` or `@kb * 32`.
mlir::ParseResult parseDim(mlir::AsmParser &parser, Dim &dim);

/// Resolves an operand that the text mentions without its type, as the subscripts of a view. Values are defined above
/// their uses in this language, so the parser knows the type; OpAsmParser does not give it away except in the error for a
/// type that does not match. So the operand is resolved as `none` first, and the type is taken from that diagnostic's
/// arguments (it is never shown). Text tests fail if another version of MLIR words the diagnostic without types.
mlir::ParseResult resolveByDefinition(mlir::OpAsmParser &parser, const Operand &operand, mlir::Value &value);
/// The same, appended to an operation's operands.
mlir::ParseResult resolveByDefinition(mlir::OpAsmParser &parser, mlir::ArrayRef<Operand> operands, mlir::OperationState &state);

/// `one` or `(one, two)`.
mlir::ParseResult parseOneOrList(mlir::OpAsmParser &parser, mlir::function_ref<mlir::ParseResult()> parseOne);
template <typename Range, typename Print> void printOneOrList(mlir::OpAsmPrinter &printer, const Range &range, Print &&print) {
  bool several = std::distance(range.begin(), range.end()) != 1;
  if (several) printer << '(';
  llvm::interleaveComma(range, printer, print);
  if (several) printer << ')';
}

/// Integer attribute of 64 bits, as plain digits.
mlir::ParseResult parseNumber(mlir::OpAsmParser &parser, mlir::StringRef name, mlir::OperationState &state);

} // namespace pantile::tile

#endif // PANTILE_IR_DIALECT_TILETEXT_H
