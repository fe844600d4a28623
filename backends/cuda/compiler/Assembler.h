//===- cuda/compiler/Assembler.h - PTX to a cubin, in a process of its own ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// ptxas is the vendor's program: it may be missing, old, crash or hang. It runs as a child with no descriptor but its input,
// its output (both in memory) and a bounded pipe for what it prints, in a process group that is killed as a whole at the
// deadline. It is looked for beside CUDA and in the PyPI packages nvidia-cuda-nvcc and triton, where root or the user owns it.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_COMPILER_ASSEMBLER_H
#define PANTILE_CUDA_COMPILER_ASSEMBLER_H

#include "core/Status.h"

#include <chrono>
#include <utility>
#include <vector>

namespace pantile::cuda {

/// What ptxas says of one function.
struct FunctionResources {
  std::string name;
  int64_t registers = 0, spillBytes = 0, stackBytes = 0, sharedBytes = 0, barriers = 0;
};

struct Assembled {
  std::string cubin;
  std::vector<FunctionResources> functions;
  std::string warnings; ///< lines that are no mere information
};

/// The path of the newest ptxas found, looked for once; NOT_FOUND says where it was looked for.
Expected<std::string> findAssembler();
/// The same below `root` instead of "/", for tests.
Expected<std::string> findAssembler(const std::string &root);

/// `arch`: "sm_90a". Errors: COMPILE_ERROR with what ptxas printed (a refusal, a crash, and every warning C75xx: those mean
/// that matrix instructions are serialized or register moves ignored), TIMEOUT, NOT_FOUND.
Expected<Assembled> assemble(const std::string &program, std::string_view ptx, std::string_view arch, std::chrono::milliseconds limit);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_COMPILER_ASSEMBLER_H
