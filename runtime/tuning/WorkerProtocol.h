//===- runtime/tuning/WorkerProtocol.h - what pantile-worker is told ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// kPrepare sets a call up (with two files in memory: inputs, and the reference's outputs in the same layout), kLoad loads a
// candidate, kCheck runs it once on poisoned outputs, kTime times it.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_TUNING_WORKERPROTOCOL_H
#define PANTILE_RUNTIME_TUNING_WORKERPROTOCOL_H

#include "runtime/helper/Protocol.h"

#include <map>

namespace pantile {

/// The descriptor that comes along holds the inputs, then (from `referenceOffset`) the reference.
struct WorkerSetup {
  std::string backend, ir;
  uint32_t ordinal = 0;
  int64_t threads = -1; ///< -1: as it is
  std::vector<TensorRecord> tensors;
  uint64_t inputBytes = 0, referenceOffset = 0;
  void write(ByteWriter &writer) const;
  static Expected<WorkerSetup> read(ByteReader &reader);
};

struct WorkerCandidate {
  Artifact artifact;
  std::map<std::string, int64_t, std::less<>> values; ///< of the configuration
  void write(ByteWriter &writer) const;
  static Expected<WorkerCandidate> read(ByteReader &reader);
};

} // namespace pantile

#endif // PANTILE_RUNTIME_TUNING_WORKERPROTOCOL_H
