//===- runtime/tuning/Candidates.cpp --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tuning/Candidates.h"

#include "runtime/emulation/Emulation.h"
#include "runtime/tuning/Inputs.h"
#include "runtime/tuning/WorkerProtocol.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile {

namespace {

/// What a handle is.
struct Candidate {
  std::string record; ///< a WorkerCandidate's
};

constexpr double kInterpretedElements = 1 << 17; ///< of outputs: beyond it blocks are sampled
constexpr uint64_t kSampledBlocks = 24;

} // namespace

Expected<tuner::CompiledCandidate> CandidateCompiler::compile(const Configuration &configuration, tuner::Clock::time_point deadline) {
  if (interrupted.load()) return Status(PANTILE_CANCELLED, "tuning has ended");
  Context &context = question.context;
  Selection selection;
  selection.configuration = configuration;
  selection.facts = question.facts;
  const Digest key = artifactKey(context, question.signature, selection);
  WorkerCandidate record;
  bool known = false;
  if (auto stored = context.artifacts->get(EntryKind::Artifact, key)) {
    ByteReader reader(*stored);
    auto artifact = Artifact::read(reader);
    known = artifact && reader.finish("an artifact").isOk();
    if (known) record.artifact = *std::move(artifact);
  }
  if (!known) {
    CompileRequest request = requestFor(context, question.signature, question.facts);
    request.configuration = configuration;
    PANTILE_ASSIGN(record.artifact, context.compiler->compile(request, deadline, &interrupted));
    ByteWriter writer;
    record.artifact.write(writer);
    context.artifacts->put(EntryKind::Artifact, key, writer.data());
  }
  record.values = valuesOf(space, configuration);
  tuner::CompiledCandidate candidate;
  candidate.resources = record.artifact.resources;
  // The same code, launched with the same numbers, is the same candidate: only values that expressions name count.
  Hasher hasher;
  hasher.field(record.artifact.code);
  auto field = [&](const std::string &text) {
    hasher.field(text);
    for (const auto &[name, value] : record.values)
      if (text.find("c." + name) != text.npos) hasher.field(name).field(uint64_t(value));
  };
  for (const auto &launch : record.artifact.launches) {
    field(launch.entry);
    for (const auto &text : launch.grid) field(text);
    for (const auto &text : launch.block) field(text);
    field(launch.sharedBytes);
    for (const auto &text : launch.slots) field(text);
    for (const auto &text : launch.extras) field(text);
  }
  field(record.artifact.workspaceBytes);
  candidate.identity = hasher.finish().hex();
  ByteWriter writer;
  record.write(writer);
  candidate.handle = std::make_shared<Candidate>(Candidate{writer.take()});
  return candidate;
}

CandidateRunner::CandidateRunner(const Question &question) : question(question) {
  program.path = question.context.settings.helperFolder + "/pantile-worker";
  for (const auto &folder : question.context.settings.pluginFolders) program.arguments.push_back("--plugins=" + folder);
  program.memoryBytes = 0; // a driver may map much more than it uses
}

Status CandidateRunner::prepare(uint64_t seed, tuner::Clock::time_point deadline) {
  const Signature &signature = question.signature;
  Context &context = question.context;
  PANTILE_ASSIGN(auto shared, SharedTensors::layout(question.bound));
  records = shared.records;
  inputBytes = shared.memory.size();
  const auto shape = signature.shape(question.bound);
  double outputs = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto &b = question.bound[i];
    if (b.rank < 0) continue;
    char *at = shared.at(i);
    const bool isFloat = info(DType(b.dtype)).kind == DTypeClass::Float;
    if (signature.arguments()[i].access == Access::Write) {
      std::memset(at, kPoison, b.span);
      outputs += double(b.elements);
      continue;
    }
    if (signature.writes(i)) outputs += double(b.elements);
    auto range = rangeOf(signature.arguments()[i], shape);
    if (!isFloat && !range) {
      // Positions, identifiers, packed weights: only the caller knows what is sensible.
      const unsigned bits = info(DType(b.dtype)).bits;
      if (bits > 8 && !b.address)
        return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{}: argument {} ('{}') holds integers of unknown range and has no data",
                                                            signature.name(), i, signature.arguments()[i].name))
            .withFix("declare its range (`tile.range`), or pass a tensor with data");
      if (b.address) {
        PANTILE_RETURN_IF_ERROR(context.device->copy(nullptr, PANTILE_COPY_TO_HOST, at, b.address, b.span));
        PANTILE_RETURN_IF_ERROR(context.device->synchronize(nullptr));
        continue;
      }
      range = {-8, 8};
    }
    fillView(at, b, seed + i + 1, range ? range->first : 0, range ? range->second : 0);
  }
  // One file: inputs, then the reference in the same layout.
  PANTILE_ASSIGN(auto both, SharedMemory::create(2 * inputBytes));
  std::memcpy(both.data(), shared.memory.data(), inputBytes);
  InterpretRequest request{signature.text(), records, outputs > kInterpretedElements ? kSampledBlocks : 0, seed};
  Status interpreted = context.compiler->interpret(request, shared.memory.descriptor(), deadline);
  std::memcpy(both.data() + inputBytes, shared.memory.data(), inputBytes);
  hasReference = interpreted.isOk();
  if (!hasReference) {
    context.log.warnOnce(
        "interpret " + signature.name(),
        fmt::format("{}: candidates are compared with each other, not with the interpreter ({})", signature.name(), interpreted.text()));
    // Poison is skipped by the comparison: the first candidate is accepted.
    for (size_t i = 0; i < records.size(); ++i)
      if (signature.writes(i)) std::memset(both.data() + inputBytes + records[i].offset, kPoison, question.bound[i].span);
  }
  memory = std::move(both);
  return {};
}

Expected<Frame> CandidateRunner::ask(uint32_t kind, const std::string &payload, tuner::Clock::time_point deadline, int descriptor) {
  auto answer = worker->request(kind, payload, deadline, descriptor);
  // A device that faulted does not come back within its process.
  if (!worker->alive() || (!answer && answer.status().code() == PANTILE_DEVICE_ERROR)) {
    worker.reset();
    loaded.reset();
  }
  return answer;
}

Status CandidateRunner::ensure(const tuner::CompiledCandidate &candidate, tuner::Clock::time_point deadline) {
  if (!worker) {
    PANTILE_ASSIGN(worker, HelperProcess::start(program));
    loaded.reset();
    WorkerSetup setup;
    setup.backend = question.context.backend();
    if (isEmulated(setup.backend)) setup.backend += ":" + question.context.target();
    setup.ir = question.signature.text();
    setup.ordinal = uint32_t(question.context.device->info().ordinal);
    if (auto threads = question.context.device->threads()) setup.threads = threads;
    setup.tensors = records;
    setup.inputBytes = setup.referenceOffset = inputBytes;
    ByteWriter writer;
    setup.write(writer);
    PANTILE_RETURN_IF_ERROR(ask(kPrepare, writer.data(), deadline, memory->descriptor()).status());
  }
  if (loaded == candidate.handle) return {};
  loaded.reset();
  PANTILE_RETURN_IF_ERROR(ask(kLoad, static_cast<Candidate *>(candidate.handle.get())->record, deadline).status());
  loaded = candidate.handle;
  return {};
}

Status CandidateRunner::check(const tuner::CompiledCandidate &candidate, tuner::Clock::time_point deadline) {
  PANTILE_RETURN_IF_ERROR(ensure(candidate, deadline));
  PANTILE_RETURN_IF_ERROR(ask(kCheck, "", deadline).status());
  if (hasReference || adopted) return {};
  // The first that runs (the defaults are asked first) is what the others must agree with.
  PANTILE_RETURN_IF_ERROR(ask(kAdopt, "", deadline).status());
  adopted = true;
  return {};
}

Expected<std::vector<double>> CandidateRunner::time(const tuner::CompiledCandidate &candidate, unsigned samples,
                                                    tuner::Clock::time_point deadline) {
  PANTILE_RETURN_IF_ERROR(ensure(candidate, deadline));
  ByteWriter writer;
  writer.u32(samples);
  PANTILE_ASSIGN(Frame answer, ask(kTime, writer.data(), deadline));
  ByteReader reader(answer.payload);
  std::vector<double> times(reader.count(8));
  for (double &value : times) value = reader.f64();
  PANTILE_RETURN_IF_ERROR(reader.finish("times"));
  return times;
}

} // namespace pantile
