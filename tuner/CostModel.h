//===- tuner/CostModel.h - a static estimate that ranks configurations ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   T = launch + waves * (fill + iterations * max(t_compute, t_cache, t_memory) + epilogue) / efficiency
//   waves = ceil(programs / (units * occupancy))        max becomes + where nothing overlaps (stages <= 1)
//   fill  = memory latency * the stages that the loop is too short to hide
//
// It ranks, it never decides: seeds and features of the search come from it, winners from measurements. Every input is
// optional; a term whose input is absent is left out, and a space without a single known feature has no estimate at all.
//
// Features of a space (expressions over sizes and configuration, whole call unless said otherwise):
//   flops          arithmetic actually issued: counted on padded tiles, so edge waste is in it
//   mma_flops      the part of it that goes to matrix units (or the vector units' best rate), at `mma_flops_per_cycle`
//   bytes          main memory traffic, reuse within a program counted once
//   unique_bytes   main memory traffic of perfect reuse (every tensor once)
//   cache_bytes    traffic between a unit and its private memory or registers
//   programs       parallel programs                       threads        of one program
//   iterations     of one program's inner loop             stages         in flight in that loop
//   live_bytes     registers and accumulators of a program shared_bytes   on-chip memory of a program
//   launches       kernel launches (phases), default 1     reduce_bytes   traffic of a split reduction
//   calls          loop or block bodies entered, all programs: per-body overhead
//   efficiency     percent of the peak that the shape of the inner body allows (1..100)
//
// Constants of a device ("d.<name>" of the call's values; a compiler's target description has the same names):
//   units, clock_khz, flops_per_cycle (a unit), mma_flops_per_cycle (a unit), memory_bytes_per_second,
//   cache_bytes_per_cycle (a unit), l1_bytes, l2_bytes, l2_bytes_per_second, shared_bytes (a unit), register_bytes (a unit),
//   max_threads (a unit), max_programs (a unit), launch_ns, memory_latency_ns, call_ns
//   (l2_bytes is the largest cache that all units share)
// Absent ones take the middle of what today's devices have; ranking needs ratios only.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_COSTMODEL_H
#define PANTILE_TUNER_COSTMODEL_H

#include "tuner/Space.h"

namespace pantile::tuner {

class CostModel {
public:
  /// The space must outlive the model.
  explicit CostModel(const Space &space);
  /// Whether the space has features that the model knows.
  bool known() const { return anyFeature; }

  struct Estimate {
    double microseconds = 0;
    double compute = 0, memory = 0, cache = 0, overhead = 0; ///< parts, microseconds
    double waves = 1, occupancy = 1;
    double pressure = 0; ///< live bytes over registers, or on-chip bytes over their limit: above 1 is spilling
  };
  /// Nothing where the model knows no feature.
  std::optional<Estimate> estimate(const Point &point) const;
  /// Estimated microseconds; infinity where there is no estimate.
  double score(const Point &point) const;
  /// The best of `samples` random legal points and of the neighbours of the best, ascending, at most `count`. Parameters that
  /// the estimate does not depend on are at their defaults.
  std::vector<Point> rank(size_t count, size_t samples, Random &random) const;
  /// Appends kTerms numbers (logarithms of the parts): features of the learned model.
  static constexpr size_t kTerms = 7;
  void encode(const Point &point, std::vector<float> &out) const;

private:
  double constant(std::string_view name, double fallback) const;
  const Space &space;
  bool anyFeature;
  struct Device {
    double units, clock, flops, mmaFlops, memory, cache, l2, l2Bytes, shared, registers, threads, programs, launch, latency, call;
  } device;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_COSTMODEL_H
