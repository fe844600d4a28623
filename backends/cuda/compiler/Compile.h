//===- cuda/compiler/Compile.h - text to a kernel for a GPU ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// parse, verify -> specialize -> lower (ir/simt) -> LLVM IR -> PTX -> cubin, or PTX where no assembler is to be had: then the
// device half leaves it to the driver's. Every call works in contexts of its own, so calls run side by side.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_COMPILER_COMPILE_H
#define PANTILE_CUDA_COMPILER_COMPILE_H

#include "backends/cuda/compiler/Target.h"
#include "core/Artifact.h"
#include "core/Configuration.h"
#include "core/SpaceDescription.h"

namespace pantile::cuda {

struct CompileRequest {
  std::string_view ir; ///< portable text
  Facts facts;
  Configuration configuration;
  Target target;

  static Expected<CompileRequest> fromABI(const pantile_compile_request &request);
};

/// `finalStage`: empty for loadable code, else the text of that stage in `code`.
Expected<Artifact> compileKernel(const CompileRequest &request, std::string_view finalStage = {});
/// Text of "portable", "scheduled", "simt" (LLVM IR as the lowering made it), "llvm" (optimized) or "assembly" (PTX).
Expected<std::string> inspectKernel(const CompileRequest &request, std::string_view stage);
/// What may be chosen for the kernel on the target.
Expected<SpaceDescription> kernelSpace(const CompileRequest &request);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_COMPILER_COMPILE_H
