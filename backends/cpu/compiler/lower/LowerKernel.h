//===- cpu/compiler/lower/LowerKernel.h - a scheduled kernel to LLVM IR ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_LOWERKERNEL_H
#define PANTILE_CPU_LOWER_LOWERKERNEL_H

#include "backends/cpu/compiler/codegen/Target.h"
#include "core/Artifact.h"
#include "ir/dialect/Tile.h"

#include "llvm/IR/Module.h"

namespace pantile::cpu {

/// What steers code generation besides the IR; the CPU's own knobs.
struct CodeKnobs {
  int64_t unroll = 0; ///< vectors a step of a nest, 0: by the cost of its body
  bool streamingStores = false;
  int64_t mr = 0, nr = 0; ///< register tile of dots, 0: the target's default
  /// Packing of the right operand of dots: not; every block when it is multiplied; all of a column of blocks at once, for all
  /// programs that a worker runs on it.
  enum PackB : uint8_t { InPlace, Block, Column } packB = Column;
};

struct LoweredKernel {
  std::unique_ptr<llvm::Module> module;
  Artifact artifact; ///< launches, checks, workspace; no code yet
};

/// One function a phase, named <kernel>_<phase>. Launch extras: scratch bytes a worker, estimated nanoseconds, then zeros for
/// the chunk and the most threads (the caller knows the launch-only knobs).
Expected<LoweredKernel> lowerKernel(tile::KernelOp scheduled, const Facts &facts, const CpuTarget &target, const CodeKnobs &knobs,
                                    llvm::LLVMContext &context);

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_LOWERKERNEL_H
