//===- ir/emit/HostExpression.h - index arithmetic as text ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_HOSTEXPRESSION_H
#define PANTILE_IR_EMIT_HOSTEXPRESSION_H

#include "ir/dialect/Tile.h"

#include <optional>
#include <string>

namespace pantile::tile {

/// A kernel-level index (dims, integer scalars, arith on them) in plugin.h's expression language; nullopt where it is not one.
std::optional<std::string> hostExpression(mlir::Value index);

} // namespace pantile::tile

#endif // PANTILE_IR_EMIT_HOSTEXPRESSION_H
