//===- cuda/compiler/Ptx.h - LLVM IR to PTX -------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_COMPILER_PTX_H
#define PANTILE_CUDA_COMPILER_PTX_H

#include "backends/cuda/compiler/Target.h"

#include "llvm/IR/Module.h"

namespace pantile::cuda {

/// Simplifies; loops stay as the lowering made them (it unrolls by itself). Verifies first: INTERNAL says what is wrong.
Status optimizeModule(llvm::Module &module, const Target &target);
/// Of an optimized module. What LLVM cannot select is COMPILE_ERROR.
Expected<std::string> emitPtx(llvm::Module &module, const Target &target);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_COMPILER_PTX_H
