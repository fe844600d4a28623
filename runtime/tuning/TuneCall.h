//===- runtime/tuning/TuneCall.h - tuning one call ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_TUNING_TUNECALL_H
#define PANTILE_RUNTIME_TUNING_TUNECALL_H

#include "runtime/dispatch/Selection.h"
#include "tuner/Tune.h"

namespace pantile {

struct TuneCallOptions {
  double seconds = 10;
  uint64_t trials = 0;
  std::string strategy; ///< empty: the default
  uint64_t seed = 0;
  std::string journal; ///< empty: in the cache
  Configuration fixed; ///< settings that are not searched, as tuner::narrow takes them
  std::function<bool(const tuner::TuneProgress &)> progress;
};

/// Searches, in worker processes, and stores the winner in the configuration cache. Integer views without a declared range
/// are filled from the call's own contents (where they have an address).
Expected<tuner::TuneResult> tuneCall(const Question &question, const TuneCallOptions &options);

/// A folder `<root>/<kernel>-<key>` with everything that compiles this again: PANTILE_REPRO.
Status writeReproducer(const std::string &root, const CompileRequest &request, const Signature &signature, const std::string &key);

} // namespace pantile

#endif // PANTILE_RUNTIME_TUNING_TUNECALL_H
