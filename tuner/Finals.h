//===- tuner/Finals.h - telling the best few apart ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Times measured one after another differ by a few percent from drifting clocks and temperatures alone, more than the best
// candidates differ from each other. So finalists are timed in turns, in random order, and compared round by round: the
// logarithm of a finalist's time over the leader's in the same round. One whose mean is above 0 beyond confidence is out;
// one that is within half a percent beyond confidence is tied. It ends when nobody else is left, or only ties are. Of ties
// the one with fewer spills and registers wins, then the earlier.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_FINALS_H
#define PANTILE_TUNER_FINALS_H

#include "tuner/Measure.h"
#include "tuner/Trial.h"

#include <functional>

namespace pantile::tuner {

struct Finalist {
  uint64_t number; ///< of its trial
  CompiledCandidate candidate;
  double expected;             ///< microseconds, from its trial
  std::vector<double> samples; ///< result: all samples of the finals
  bool failed = false;         ///< result: it could not be timed again
};

struct FinalsLimits {
  Clock::time_point deadline;
  unsigned rounds = 40;
  double turnSeconds = 0.01;  ///< length of one turn, about
  std::function<bool()> goOn; ///< false ends it
};

/// Fills in samples; returns the winner's index, or nothing where all failed.
std::optional<size_t> runFinals(std::vector<Finalist> &finalists, Runner &runner, const FinalsLimits &limits, Random &random);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_FINALS_H
