//===- ir/simt/LowerSimt.h - scheduled tile IR to a SIMT device's LLVM IR --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_LOWERSIMT_H
#define PANTILE_IR_SIMT_LOWERSIMT_H

#include "core/Artifact.h"
#include "core/Configuration.h"
#include "core/SpaceDescription.h"
#include "ir/dialect/Tile.h"
#include "ir/simt/SimtTarget.h"

namespace pantile::simt {

/// What the lowering reads of a configuration.
struct SimtSchedule {
  unsigned warps = 4;         ///< `num_warps`
  unsigned stages = 1;        ///< `num_stages`: buffers in flight of a loop's loads that feed dots
  unsigned maxRegisters = 0;  ///< `maxnreg`; 0: the target's choice
  unsigned blocksPerUnit = 1; ///< `occupancy`
  bool engine = false;        ///< `tensor_engine`: dots of warp groups, their loads as boxes by descriptor, where target and facts allow it
  static SimtSchedule of(const Configuration &configuration);
};

struct LoweredSimt {
  std::unique_ptr<llvm::Module> module; ///< prepared by the target; one kernel a phase, named <kernel>_<phase>
  Artifact artifact;                    ///< launches (extras: LaunchExtras.h), checks, workspace; no code yet
  int64_t sharedBytes = 0;              ///< the most of any phase
};

/// `scheduled` comes from specialize with Clip::Loop. Full extents must be bound (a fact, a setting, or rolled): an error
/// names those that are not. UNSUPPORTED names the operation; EXHAUSTED shared memory names the need and the limit.
Expected<LoweredSimt> lowerSimt(tile::KernelOp scheduled, const Facts &facts, const SimtTarget &target, const SimtSchedule &schedule,
                                llvm::LLVMContext &context);

/// portableSpace with defaults that suit a SIMT target, and the knobs of SimtSchedule.
SpaceDescription simtSpace(tile::KernelOp portable, const Facts &facts, const SimtTarget &target);

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_LOWERSIMT_H
