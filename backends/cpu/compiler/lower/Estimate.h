//===- cpu/compiler/lower/Estimate.h - how much work a phase is ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_ESTIMATE_H
#define PANTILE_CPU_LOWER_ESTIMATE_H

#include "backends/cpu/compiler/codegen/Target.h"
#include "ir/dialect/Tile.h"

namespace pantile::cpu {

/// Nanoseconds of one core for all programs of a scheduled phase, as a host expression: accurate to a factor of a few, enough
/// to tell what is worth a second thread.
std::string estimatedNanoseconds(tile::GridOp grid, const CpuTarget &target);

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_ESTIMATE_H
