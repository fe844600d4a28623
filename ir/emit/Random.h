//===- ir/emit/Random.h - random bits by counter --------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_RANDOM_H
#define PANTILE_IR_EMIT_RANDOM_H

#include "llvm/IR/IRBuilder.h"

namespace pantile {

/// One word (0 .. 3) of Philox 4x32-10, as tile.random says. `seed` is i64; `position` i32 or i64; either may be a vector, and the
/// result is shaped as `position`, of i32. Words of equal operands are found to share their rounds by LLVM.
llvm::Value *emitPhilox(llvm::IRBuilderBase &b, llvm::Value *seed, llvm::Value *position, unsigned word);

} // namespace pantile

#endif // PANTILE_IR_EMIT_RANDOM_H
