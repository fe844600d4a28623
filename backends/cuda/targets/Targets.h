//===- cuda/targets/Targets.h - the architectures, as data ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// What both halves know of an architecture: the compiler half to compile for it without a device, the device half to name a
// device's target. Figures of a whole chip (units, clock, memory) are those of a common one; a device's own replace them.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_TARGETS_TARGETS_H
#define PANTILE_CUDA_TARGETS_TARGETS_H

#include "core/Status.h"
#include "pantile/plugin.h"

#include <string>
#include <string_view>
#include <vector>

namespace pantile::cuda {

enum Feature : uint32_t {
  kAsyncCopy = 1,  ///< cp.async
  kMatrixLoad = 2, ///< ldmatrix
  kBulkTensor = 4, ///< bulk tensor copies by descriptor, mbarrier with transaction counts
  kGroupDot = 8,   ///< wgmma
  kClusters = 16,
  kRegisterMoves = 32, ///< setmaxnreg
  kTensorMemory = 64,  ///< tcgen05
  kFloat8Dot = 128,    ///< mma.sync with e4m3 and e5m2
};

struct TargetRow {
  const char *name;  ///< of the target and of LLVM's processor
  const char *chip;  ///< a common chip of it
  int major, minor;  ///< compute capability
  const char *ptx;   ///< LLVM's feature for the oldest PTX that has all of its instructions
  uint32_t features; ///< of Feature
  bool exact;        ///< code runs on this very capability only (names ending in a)
  int64_t sharedBlock, sharedUnit, registersUnit, threadsUnit, blocksUnit; ///< bytes, bytes, 32-bit registers, threads, blocks
  int64_t units, clockKhz, l2Bytes, memoryBytesPerSecond, l2BytesPerSecond;
  int64_t flopsPerCycle, mmaFlopsPerCycle; ///< of a unit: f32 FMA pipes; bf16 matrix units
};

const std::vector<TargetRow> &targetRows();
/// By name; the error lists what there is.
Expected<const TargetRow *> findTarget(std::string_view name);
/// Whose code runs on a device of this capability: its own row, else the newest older one of the same major that may.
const TargetRow *targetOfDevice(int major, int minor);
/// By the names that the cost model and expressions know (tuner/CostModel.h).
std::vector<pantile_property> propertiesOf(const TargetRow &row);

} // namespace pantile::cuda

#endif // PANTILE_CUDA_TARGETS_TARGETS_H
