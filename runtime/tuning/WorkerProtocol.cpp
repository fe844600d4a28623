//===- runtime/tuning/WorkerProtocol.cpp ----------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tuning/WorkerProtocol.h"

namespace pantile {

void WorkerSetup::write(ByteWriter &writer) const {
  writer.text(backend);
  writer.text(ir);
  writer.u32(ordinal);
  writer.i64(threads);
  writer.u64(inputBytes);
  writer.u64(referenceOffset);
  writer.u64(tensors.size());
  for (const auto &tensor : tensors) tensor.write(writer);
}

Expected<WorkerSetup> WorkerSetup::read(ByteReader &reader) {
  WorkerSetup setup;
  setup.backend = reader.text();
  setup.ir = reader.text();
  setup.ordinal = reader.u32();
  setup.threads = reader.i64();
  setup.inputBytes = reader.u64();
  setup.referenceOffset = reader.u64();
  setup.tensors.resize(reader.count(56));
  for (auto &tensor : setup.tensors) tensor.read(reader);
  PANTILE_RETURN_IF_ERROR(reader.finish("a worker's setup"));
  return setup;
}

void WorkerCandidate::write(ByteWriter &writer) const {
  artifact.write(writer);
  writer.u64(values.size());
  for (const auto &[name, value] : values) writer.text(name), writer.i64(value);
}

Expected<WorkerCandidate> WorkerCandidate::read(ByteReader &reader) {
  WorkerCandidate candidate;
  PANTILE_ASSIGN(candidate.artifact, Artifact::read(reader));
  for (uint64_t left = reader.count(16); left; --left) {
    std::string name = reader.text();
    candidate.values[name] = reader.i64();
  }
  PANTILE_RETURN_IF_ERROR(reader.finish("a candidate"));
  return candidate;
}

} // namespace pantile
