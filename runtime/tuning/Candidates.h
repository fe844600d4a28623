//===- runtime/tuning/Candidates.h - the tuner's compiler and runner ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_TUNING_CANDIDATES_H
#define PANTILE_RUNTIME_TUNING_CANDIDATES_H

#include "runtime/dispatch/Selection.h"
#include "runtime/dispatch/SharedTensors.h"
#include "tuner/Measure.h"

#include <atomic>

namespace pantile {

/// Compiles candidates in pantile-compiler processes. What was compiled is kept in the artifact cache.
class CandidateCompiler : public tuner::Compiler {
public:
  CandidateCompiler(const Question &question, const SpaceDescription &space) : question(question), space(space) {}
  Expected<tuner::CompiledCandidate> compile(const Configuration &configuration, tuner::Clock::time_point deadline) override;
  void interrupt() override { interrupted.store(true); }

private:
  const Question &question;
  const SpaceDescription &space;
  std::atomic<bool> interrupted{false};
};

/// Runs candidates in one pantile-worker, started again when it dies. The inputs and the reference lie in memory shared with
/// it; the reference is the interpreter's, of sampled blocks where the call is large.
class CandidateRunner : public tuner::Runner {
public:
  explicit CandidateRunner(const Question &question);
  /// Makes inputs and reference. Without an interpreter the reference is the first candidate's result (said once).
  Status prepare(uint64_t seed, tuner::Clock::time_point deadline);
  Status check(const tuner::CompiledCandidate &candidate, tuner::Clock::time_point deadline) override;
  Expected<std::vector<double>> time(const tuner::CompiledCandidate &candidate, unsigned samples,
                                     tuner::Clock::time_point deadline) override;
  bool verified() const { return hasReference; }

private:
  Status ensure(const tuner::CompiledCandidate &candidate, tuner::Clock::time_point deadline);
  Expected<Frame> ask(uint32_t kind, const std::string &payload, tuner::Clock::time_point deadline, int descriptor = -1);

  const Question &question;
  HelperProgram program;
  std::unique_ptr<HelperProcess> worker;
  std::shared_ptr<void> loaded;
  std::optional<SharedMemory> memory; ///< inputs, then the reference
  std::vector<TensorRecord> records;
  uint64_t inputBytes = 0;
  bool hasReference = false, adopted = false;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_TUNING_CANDIDATES_H
