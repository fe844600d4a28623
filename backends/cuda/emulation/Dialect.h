//===- cuda/emulation/Dialect.h - NVVM for the emulator -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_DIALECT_H
#define PANTILE_CUDA_EMULATION_DIALECT_H

#include "backends/emulator/Dialect.h"

namespace pantile::cuda::emulation {

/// Lives as long as the process.
const emulator::Dialect &dialect();

} // namespace pantile::cuda::emulation

#endif // PANTILE_CUDA_EMULATION_DIALECT_H
