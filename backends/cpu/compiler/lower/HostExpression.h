//===- cpu/compiler/lower/HostExpression.h - index arithmetic as text ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_HOSTEXPRESSION_H
#define PANTILE_CPU_LOWER_HOSTEXPRESSION_H

#include "ir/dialect/Tile.h"

#include <optional>
#include <string>

namespace pantile::cpu {

/// A kernel-level index (dims, integer scalars, arith on them) in plugin.h's expression language; nullopt where it is not one.
std::optional<std::string> hostExpression(mlir::Value index);

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_HOSTEXPRESSION_H
