//===- tuner/Trial.h - what became of one candidate -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_TRIAL_H
#define PANTILE_TUNER_TRIAL_H

#include "tuner/Space.h"

#include <limits>

namespace pantile::tuner {

/// Stored in journals by name.
enum class Outcome : uint8_t {
  Timed, ///< correct and measured to the full
  Slow,  ///< correct, dropped after its first samples
  CompileError,
  CompileTimeout,
  Wrong,  ///< outputs differ from the reference
  Failed, ///< could not be launched or run
  Died,   ///< took its process with it
  Hung,   ///< did not finish in time
};
std::string_view name(Outcome outcome);
std::optional<Outcome> outcomeFromName(std::string_view name);

struct Trial {
  uint64_t number = 0; ///< in the order asked, from 0
  Point point;
  Outcome outcome = Outcome::Failed;
  std::vector<double> samples; ///< microseconds
  double median = std::numeric_limits<double>::infinity();
  std::vector<std::pair<std::string, int64_t>> resources;
  std::string report; ///< of a failure
  bool timed() const { return outcome == Outcome::Timed || outcome == Outcome::Slow; }
};

/// Median and a 95 % confidence interval of it (order statistics; the extremes below six samples).
struct Summary {
  double median, low, high;
  unsigned samples;
};
Summary summarize(std::vector<double> samples);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_TRIAL_H
