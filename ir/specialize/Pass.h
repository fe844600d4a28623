//===- ir/specialize/Pass.h - specialize as a pass of pantile-opt ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   pantile-opt --tile-specialize='configuration={bm = 64, bn = 32} bound-full-extents mask' kernel.mlir
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SPECIALIZE_PASS_H
#define PANTILE_IR_SPECIALIZE_PASS_H

namespace pantile {

void registerSpecializePass();

} // namespace pantile

#endif // PANTILE_IR_SPECIALIZE_PASS_H
