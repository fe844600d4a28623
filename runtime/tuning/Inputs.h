//===- runtime/tuning/Inputs.h - what candidates are run on ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_TUNING_INPUTS_H
#define PANTILE_RUNTIME_TUNING_INPUTS_H

#include "runtime/dispatch/SharedTensors.h"

namespace pantile {

/// Fills a view with seeded values: floats in [-1, 1) from a coarse grid (so that sums differ little by their order),
/// integers in [low, high). Elements between are left alone.
void fillView(char *data, const BoundArgument &view, uint64_t seed, int64_t low, int64_t high);
/// Every byte 0xFF: a NaN, -1, or the largest value: nothing that a kernel computes by accident.
inline constexpr unsigned char kPoison = 0xff;
/// In the red zones around each tensor.
inline constexpr unsigned char kRedZone = 0xa5;
inline constexpr uint64_t kRedZoneBytes = 4096;

/// The range that an argument's `tile.range` allows, its names replaced by sizes; nothing where there is none.
std::optional<std::pair<int64_t, int64_t>> rangeOf(const KernelArgument &argument, const std::map<std::string, int64_t> &shape);

/// Compares a view's elements with the reference: integers exactly, floats within a tolerance of their dtype relative to
/// the magnitude of the reference (and of its largest element, for what cancels). Elements that are still poison in the
/// reference were not computed (sampled blocks) and are skipped. kWrongResult's code; the text names the first wrong element.
Status compareView(const std::string &name, const char *result, const char *reference, const BoundArgument &view);

} // namespace pantile

#endif // PANTILE_RUNTIME_TUNING_INPUTS_H
