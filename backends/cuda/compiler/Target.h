//===- cuda/compiler/Target.h - what to compile for, and with what --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_COMPILER_TARGET_H
#define PANTILE_CUDA_COMPILER_TARGET_H

#include "backends/cuda/targets/Targets.h"

namespace pantile::cuda {

/// "sm_90a" or "sm_90a:ptxas=/usr/local/cuda/bin/ptxas,ptxas_seconds=20,units=114".
struct Target {
  const TargetRow *row = nullptr;
  int64_t units = 0;
  std::string ptxas;         ///< a path; "none": leave PTX to the driver's linker; empty: the one that is found
  int64_t ptxasSeconds = 60; ///< after which it is ended
  bool has(Feature feature) const { return row->features & feature; }
};

Expected<Target> parseTarget(std::string_view text);
std::string targetsAsJson();
std::string targetAsJson(const Target &target);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_COMPILER_TARGET_H
