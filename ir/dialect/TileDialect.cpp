//===- ir/dialect/TileDialect.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

#include "ir/dialect/TileDialect.cpp.inc"

namespace pantile::tile {

void TileDialect::initialize() {
  registerAttributesAndTypes();
  addOperations<
#define GET_OP_LIST
#include "ir/dialect/TileOps.cpp.inc"
      >();
}

Operation *TileDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location location) {
  return arith::ConstantOp::materialize(builder, value, type, location);
}

} // namespace pantile::tile
