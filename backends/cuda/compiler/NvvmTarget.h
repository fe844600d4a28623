//===- cuda/compiler/NvvmTarget.h - NVIDIA GPUs for the SIMT lowering -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Everything is an intrinsic of LLVM's NVPTX backend, but for warp-group dots (Hopper.cpp), which it lacks. An architecture's
// atoms are the rows of Atoms.cpp that its features allow.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_COMPILER_NVVMTARGET_H
#define PANTILE_CUDA_COMPILER_NVVMTARGET_H

#include "backends/cuda/compiler/Target.h"
#include "ir/simt/SimtTarget.h"

#include <memory>

namespace pantile::cuda {

/// A matrix instruction of one warp and the intrinsic that does it.
struct DotRow {
  simt::DotAtom atom;
  unsigned intrinsic;
  bool packedHalves; ///< operands are <2 x half>, not i32
  uint32_t needs;    ///< of Feature
};
llvm::ArrayRef<DotRow> dotRows();
struct MatrixLoadRow {
  simt::MatrixLoadAtom atom;
  unsigned intrinsic;
};
llvm::ArrayRef<MatrixLoadRow> matrixLoadRows();

/// `target` must outlive it.
std::unique_ptr<simt::SimtTarget> createNvvmTarget(const Target &target);
/// Hopper's: barriers with phases, tensor copies, warp-group dots.
const simt::AsyncEngine &hopperEngine();

/// A call of an intrinsic, overloaded on `types`.
llvm::CallInst *callIntrinsic(simt::Builder &b, unsigned intrinsic, llvm::ArrayRef<llvm::Value *> operands,
                              llvm::ArrayRef<llvm::Type *> types = {});

} // namespace pantile::cuda

#endif // PANTILE_CUDA_COMPILER_NVVMTARGET_H
