//===- ir/simt/tests/Machine.h - a SIMT machine for tests ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A target that is nobody's hardware, and what runs its code: LLVM IR compiled for this processor, each thread a fiber, warps of
// 32 lanes that meet in shuffles and matrix operations, blocks that meet in barriers. Threads run in an order that a seed
// shuffles, shared memory begins poisoned, asynchronous copies land when they are waited for: what a missing barrier or wait
// would break shows. Matrix operations are computed from the atoms' maps.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_TESTS_MACHINE_H
#define PANTILE_IR_SIMT_TESTS_MACHINE_H

#include "ir/simt/SimtTarget.h"

#include <memory>
#include <string>
#include <vector>

namespace pantile::simt {

/// `atoms`: with matrix instructions, matrix loads and asynchronous copies, or plain.
std::unique_ptr<SimtTarget> createTestTarget(bool atoms);
llvm::ArrayRef<DotAtom> testAtoms();

struct MachineLaunch {
  void (*entry)(const uint64_t *slots);
  const uint64_t *slots;
  int64_t grid, threads, sharedBytes;
};
/// "" or what went wrong: a deadlock, lanes of a warp at different operations.
std::string runOnMachine(const MachineLaunch &launch, uint64_t seed);
/// Names and addresses of what the code calls.
std::vector<std::pair<std::string, void *>> machineSymbols();

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_TESTS_MACHINE_H
