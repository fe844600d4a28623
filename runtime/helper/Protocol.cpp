//===- runtime/helper/Protocol.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/Protocol.h"

namespace pantile {

void CompileRequest::write(ByteWriter &writer) const {
  writer.text(backend);
  writer.text(ir);
  writer.text(target);
  writer.text(finalStage);
  facts.write(writer);
  writer.text(configuration.toText());
}

Expected<CompileRequest> CompileRequest::read(ByteReader &reader) {
  CompileRequest request;
  request.backend = reader.text();
  request.ir = reader.text();
  request.target = reader.text();
  request.finalStage = reader.text();
  PANTILE_ASSIGN(request.facts, Facts::read(reader));
  PANTILE_ASSIGN(request.configuration, Configuration::fromText(reader.view()));
  return request;
}

void TensorRecord::write(ByteWriter &writer) const {
  writer.u32(uint32_t(dtype));
  writer.u32(uint32_t(rank));
  for (uint64_t value : {scalar, offset, low, high}) writer.u64(value);
  writer.integers(sizes);
  writer.integers(strides);
}

void TensorRecord::read(ByteReader &reader) {
  dtype = int32_t(reader.u32());
  rank = int32_t(reader.u32());
  for (uint64_t *value : {&scalar, &offset, &low, &high}) *value = reader.u64();
  sizes = reader.integers();
  strides = reader.integers();
  size_t wanted = rank < 0 ? 0 : size_t(rank);
  if (rank < -1 || rank > PANTILE_MAX_RANK || sizes.size() != wanted || strides.size() != wanted || low > offset || offset > high)
    reader.fail();
}

void InterpretRequest::write(ByteWriter &writer) const {
  writer.text(ir);
  writer.u64(sampledBlocks);
  writer.u64(seed);
  writer.u64(tensors.size());
  for (const auto &tensor : tensors) tensor.write(writer);
}

Expected<InterpretRequest> InterpretRequest::read(ByteReader &reader) {
  InterpretRequest request;
  request.ir = reader.text();
  request.sampledBlocks = reader.u64();
  request.seed = reader.u64();
  request.tensors.resize(reader.count(56));
  for (auto &tensor : request.tensors) tensor.read(reader);
  PANTILE_RETURN_IF_ERROR(reader.finish("an interpret request"));
  return request;
}

void EmulateRequest::write(ByteWriter &writer) const {
  for (const auto *part : {&backend, &target, &code, &entry}) writer.text(*part);
  for (int d = 0; d < 3; ++d) writer.u64(uint64_t(grid[size_t(d)])), writer.u64(uint64_t(block[size_t(d)]));
  writer.integers(slots);
  writer.integers(extras);
  for (uint64_t value : {uint64_t(sharedBytes), base, bytes, seed}) writer.u64(value);
  writer.u32(threads);
  writer.u32(checks);
}

Expected<EmulateRequest> EmulateRequest::read(ByteReader &reader) {
  EmulateRequest request;
  for (auto *part : {&request.backend, &request.target, &request.code, &request.entry}) *part = reader.text();
  for (size_t d = 0; d < 3; ++d) request.grid[d] = int64_t(reader.u64()), request.block[d] = int64_t(reader.u64());
  request.slots = reader.integers();
  request.extras = reader.integers();
  request.sharedBytes = int64_t(reader.u64());
  for (uint64_t *value : {&request.base, &request.bytes, &request.seed}) *value = reader.u64();
  request.threads = reader.u32();
  request.checks = reader.u32();
  PANTILE_RETURN_IF_ERROR(reader.finish("a launch to emulate"));
  return request;
}

std::string writeStatus(const Status &status) {
  ByteWriter writer;
  writer.u32(uint32_t(status.code()));
  writer.text(status.text());
  writer.text(status.cause());
  writer.text(status.fix());
  return writer.take();
}

Status readStatus(std::string_view payload, std::string_view printed) {
  ByteReader reader(payload);
  uint32_t code = reader.u32();
  std::string text = reader.text(), cause = reader.text(), fix = reader.text();
  if (!reader.finish("an error").isOk() || code == PANTILE_OK || code > PANTILE_UNIMPLEMENTED)
    return {PANTILE_DATA_ERROR, "the helper process sent a malformed error"};
  if (!printed.empty()) cause += (cause.empty() ? "" : "\n") + std::string(printed);
  return Status(pantile_code(code), std::move(text)).withCause(std::move(cause)).withFix(std::move(fix));
}

} // namespace pantile
