//===- tuner/Measure.h - how the tuner compiles and runs candidates -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The tuner sees these two interfaces only. runtime implements them with helper processes; tests with fakes.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_MEASURE_H
#define PANTILE_TUNER_MEASURE_H

#include "core/Configuration.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pantile::tuner {

using Clock = std::chrono::steady_clock;

/// Code that can be run. The tuner keeps the handles of a few candidates and drops the others at once.
struct CompiledCandidate {
  std::shared_ptr<void> handle;
  /// What the compiler says of the code: "registers", "spill_bytes", "scratch_bytes" ... Features of the model.
  std::vector<std::pair<std::string, int64_t>> resources;
  /// Equal for candidates that run the same code in the same way (the artifact's digest and the launch numbers): the
  /// second is not measured again. Empty: unknown.
  std::string identity;
};

class Compiler {
public:
  virtual ~Compiler() = default;
  /// Blocks until done, at most until `deadline` (then PANTILE_TIMEOUT). Called by several threads at once. A failure
  /// costs this candidate only, except PANTILE_CANCELLED, which ends the run.
  virtual Expected<CompiledCandidate> compile(const Configuration &configuration, Clock::time_point deadline) = 0;
  /// Called once, from another thread, when no answer is wanted any more: calls under way should return soon, with any error.
  /// Where it does nothing the end of a run may wait for their deadlines.
  virtual void interrupt() {}
};

/// The answer of Runner::check where the candidate ran and its outputs are wrong.
inline constexpr pantile_code kWrongResult = PANTILE_DATA_ERROR;

/// Runs candidates where they may crash or hang. Called by one thread. Neither function outlives its `deadline` by more
/// than the time it takes to kill a process. What the codes mean:
///   kWrongResult         outputs differ from the reference (the text says where)
///   PANTILE_UNAVAILABLE  the process that ran it died; the next call starts another
///   PANTILE_TIMEOUT      it did not finish and was killed
///   PANTILE_CANCELLED    stop the whole run
///   anything else        this candidate failed
class Runner {
public:
  virtual ~Runner() = default;
  /// Runs it once on fresh, poisoned outputs and compares them with the reference. Always called before the first `time`.
  virtual Status check(const CompiledCandidate &candidate, Clock::time_point deadline) = 0;
  /// `samples` times of one call in microseconds, in the order measured, without warm-up runs (which the runner makes where
  /// the candidate was not the last one timed). Mutated arguments are restored before every sample, outside the timed
  /// region. May return fewer samples, at least one.
  virtual Expected<std::vector<double>> time(const CompiledCandidate &candidate, unsigned samples, Clock::time_point deadline) = 0;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_MEASURE_H
