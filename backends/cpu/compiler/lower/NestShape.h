//===- cpu/compiler/lower/NestShape.h - the loops of one nest -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_NESTSHAPE_H
#define PANTILE_CPU_LOWER_NESTSHAPE_H

#include "ir/extents/Extents.h"

namespace llvm {
class Value;
}

namespace pantile::cpu {

struct NestShape {
  llvm::SmallVector<llvm::Value *, 4> counts; ///< logical extents, i64
  tile::Extents extents;
  llvm::SmallVector<unsigned, 4> outer; ///< dimensions of the loops around the vector loop
  int vectorDim = -1;
  int64_t reduced = -1;
  unsigned lanes = 1, unroll = 1;
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_NESTSHAPE_H
