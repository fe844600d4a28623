//===- tuner/Tune.h - the driver: ask, compile, check, time, tell ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A pool of threads compiles while the calling thread checks and times; nothing waits for a whole batch. Where candidates use
// every processor, it pauses while one is timed.
//
//   1. Candidates are asked in small batches and compiled ahead. They are measured in the order asked (so a seed decides a
//      run, as far as clocks allow), except that one whose compilation takes very long is overtaken.
//   2. Each is checked against the reference before it is timed. Three samples; a candidate far from the best is dropped
//      then (`Slow`), others are measured to the full.
//   3. 15 % of the time is kept for the finals: the best few are timed in turns, in random order, until their intervals
//      separate or they are tied within half a percent. One dropped early that was near the best is let in again.
//
// Every candidate is written to the journal: `started` before it runs, `done` after. A run over an existing journal asks
// the same questions and takes known answers from it, and also what is there, never asked, and better than all. What was
// started and never done is taken to have killed the process and is not run again.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_TUNE_H
#define PANTILE_TUNER_TUNE_H

#include "tuner/CostModel.h"
#include "tuner/Measure.h"
#include "tuner/Strategy.h"

#include <atomic>
#include <functional>

namespace pantile::tuner {

struct TuneProgress {
  uint64_t tried = 0, failed = 0;
  double best = 0;              ///< microseconds, 0: none yet
  double elapsed = 0, left = 0; ///< seconds; left is an estimate where only trials are bounded
  double fraction = 0;          ///< of the budget used, 0..1
  bool finals = false;
  const Configuration *configuration = nullptr; ///< best so far, may be null
};

struct TuneOptions {
  double seconds = 10; ///< 0: unbounded
  uint64_t trials = 0; ///< 0: unbounded. Failed and remembered ones count
  std::string strategy = "model_rf";
  uint64_t seed = 0;
  std::vector<Configuration> seeds; ///< tried first; rounded into the space and repaired
  std::string journal;              ///< path of a JSON-lines file; empty: none
  std::string journalKey;           ///< what the journal is about (kernel, facts, sizes, builds); another key's is set aside
  unsigned compileWorkers = 0;      ///< 0: one less than the processors, at least 1
  bool exclusive = false;           ///< candidates use every processor: nothing is compiled while one is timed
  double compileSeconds = 15;       ///< deadline of one compilation
  double checkSeconds = 30;         ///< deadline of one check
  double timeSeconds = 10;          ///< deadline of one `time` before anything is known; later 20 * best + 2 s
  double patienceSeconds = 1;       ///< how long a compilation may hold up candidates that are ready
  unsigned samples = 20;            ///< of a candidate that is not dropped
  double sampleSeconds = 0.05;      ///< and no more than fit in this time (at least three)
  bool finals = true;
  /// Called from the calling thread after every trial and about ten times a second while it waits. False cancels.
  std::function<bool(const TuneProgress &)> progress;
  const std::atomic<bool> *cancel = nullptr;
  std::function<void(const std::string &)> warn; ///< one line each; may be empty
};

struct Alternative {
  Configuration configuration;
  double ratio; ///< its median over the winner's
};

struct TuneResult {
  Configuration configuration;
  Summary time{};
  double baseline = 0;                            ///< median of the space's defaults, microseconds; 0: not measured
  std::vector<Alternative> alternatives;          ///< up to 3, fastest first
  uint64_t tried = 0, failed = 0, remembered = 0; ///< remembered: answered by the journal
  double seconds = 0;
  bool cancelled = false;
  std::vector<Trial> trials; ///< all, in the order asked
};

/// An error where no candidate could be compiled, ran, and was correct (the first reports are its cause), where the space
/// has no legal point, or where cancelled before any was. `model` may be null.
Expected<TuneResult> tune(const Space &space, const CostModel *model, Compiler &compiler, Runner &runner, const TuneOptions &options);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_TUNE_H
