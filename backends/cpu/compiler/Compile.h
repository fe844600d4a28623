//===- cpu/compiler/Compile.h - text to a loadable kernel ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// parse, verify -> specialize -> lower to LLVM IR -> object -> shared object. Every call works in contexts of its own, so
// calls run side by side.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_COMPILE_H
#define PANTILE_CPU_COMPILE_H

#include "backends/cpu/compiler/codegen/Target.h"
#include "core/Artifact.h"
#include "core/Configuration.h"
#include "core/SpaceDescription.h"

namespace pantile::cpu {

struct CompileRequest {
  std::string_view ir; ///< portable text
  Facts facts;
  Configuration configuration;
  CpuTarget target;

  static Expected<CompileRequest> fromABI(const pantile_compile_request &request);
};

/// `finalStage`: empty for loadable code, else the text of that stage in `code`.
Expected<Artifact> compileKernel(const CompileRequest &request, std::string_view finalStage = {});
/// Text of "portable", "scheduled", "llvm" or "assembly".
Expected<std::string> inspectKernel(const CompileRequest &request, std::string_view stage);
/// portableSpace, narrowed and with defaults for the CPU, and the CPU's own knobs.
Expected<SpaceDescription> kernelSpace(const CompileRequest &request);

} // namespace pantile::cpu

#endif // PANTILE_CPU_COMPILE_H
