//===- runtime/dispatch/Kernel.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Kernel.h"

#include "runtime/dispatch/SharedTensors.h"

#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace pantile {

namespace {
constexpr size_t kSlots = 16, kMaxWords = 512, kMaxShapes = 4096;
} // namespace

/// A call written down: `words` decide everything but addresses and scalars.
struct Kernel::Words {
  uint32_t count = 0;
  uint64_t hash = 0;
  uint64_t words[kMaxWords];
  uint64_t values[kMaxArguments]; ///< addresses and scalars
};

namespace {

/// What a slot remembers; never changed once it is there.
struct Remembered {
  uint64_t hash, epoch;
  std::vector<uint64_t> words;
  const CompiledKernel *compiled; ///< null: nothing to do
  LaunchPlan::Evaluated evaluated;
  std::vector<uint64_t> spans; ///< by argument, 0 for scalars and empty views
  std::vector<uint32_t> outputs;
};

uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 32);
}

} // namespace

struct alignas(64) Kernel::Slot {
  std::atomic_flag busy;
  std::shared_ptr<const Remembered> content;
};

CompiledKernel::~CompiledKernel() {
  if (module && device && device->handle()) device->table().unload(module);
}

Kernel::Kernel(Context &context, Signature signature) : owner(context), kernelSignature(std::move(signature)), slots(new Slot[kSlots]) {}

Kernel::~Kernel() {
  if (!owner.usable())
    for (auto &compiled : compiledKernels) compiled->module = nullptr; // the parent's
  else if (!compiledKernels.empty())
    (void)owner.device->synchronize(nullptr);
}

Expected<std::unique_ptr<Kernel>> Kernel::create(Context &context, std::string_view text) {
  PANTILE_ASSIGN(auto signature, Signature::read(text));
  return std::unique_ptr<Kernel>(new Kernel(context, std::move(signature)));
}

//===----------------------------------------------------------------------===//
// The fast path
//===----------------------------------------------------------------------===//

bool Kernel::describeCall(DLTensor *const *tensors, size_t count, Words &w) const noexcept {
  const auto arguments = kernelSignature.arguments();
  if (count != arguments.size() || !tensors) return false;
  uint32_t at = 0;
  uint64_t hash = mix(0x243f6a8885a308d3u, w.words[at++] = uint64_t(owner.device->threads()));
  for (size_t i = 0; i < count; ++i) {
    const DLTensor *t = tensors[i];
    if (!t || t->ndim < 0 || t->ndim > PANTILE_MAX_RANK || at + 2 * PANTILE_MAX_RANK + 1 > kMaxWords || (t->ndim && !t->shape))
      return false;
    uint64_t head = uint64_t(t->dtype.code) | uint64_t(t->dtype.bits) << 8 | uint64_t(t->dtype.lanes) << 16 | uint64_t(t->ndim) << 32 |
                    uint64_t(uint32_t(t->device.device_type) & 31) << 45 | uint64_t(uint32_t(t->device.device_id) & 0x3fff) << 50;
    if (!arguments[i].isView()) {
      if (t->ndim || t->device.device_type != kDLCPU || !t->data || !readScalar(*t, int32_t(arguments[i].dtype), w.values[i])) return false;
    } else {
      uint64_t address;
      if (__builtin_add_overflow(reinterpret_cast<uintptr_t>(t->data), t->byte_offset, &address)) return false;
      uint64_t alignment = (address | 64) & -(address | 64);
      if (alignment == 32) alignment = 16; // as facts see it
      head |= uint64_t(__builtin_ctzll(alignment)) << 36 | uint64_t(t->strides != nullptr) << 40 | uint64_t(t->data == nullptr) << 41;
      w.values[i] = address;
    }
    w.words[at++] = head;
    hash = mix(hash, head);
    for (int d = 0; d < t->ndim; ++d) hash = mix(hash, w.words[at++] = uint64_t(t->shape[d]));
    if (t->strides)
      for (int d = 0; d < t->ndim; ++d) hash = mix(hash, w.words[at++] = uint64_t(t->strides[d]));
  }
  w.count = at;
  w.hash = hash;
  return true;
}

bool Kernel::launchFromSlot(const Words &words, Stream &stream, Status &status) {
  Slot &slot = slots[words.hash % kSlots];
  std::shared_ptr<const Remembered> known;
  if (slot.busy.test_and_set(std::memory_order_acquire)) return false;
  const Remembered *content = slot.content.get();
  if (content && content->hash == words.hash && content->words.size() == words.count &&
      content->epoch == epoch.load(std::memory_order_relaxed) &&
      std::memcmp(content->words.data(), words.words, words.count * sizeof(uint64_t)) == 0)
    known = slot.content;
  slot.busy.clear(std::memory_order_release);
  if (!known) return false;
  for (uint32_t output : known->outputs) {
    const uint64_t low = words.values[output], high = low + known->spans[output];
    for (size_t i = 0; i < known->spans.size(); ++i)
      if (known->spans[i] && i != output && words.values[i] < high && low < words.values[i] + known->spans[i]) return false; // look closer
  }
  if (known->compiled) status = known->compiled->plan.launch(known->evaluated, {words.values, known->compiled->module}, stream);
  return true;
}

void Kernel::remember(const Words &words, const CompiledKernel *compiled, const LaunchPlan::Evaluated &evaluated,
                      std::span<const BoundArgument> bound) {
  auto content = std::make_shared<Remembered>();
  content->hash = words.hash;
  content->epoch = epoch.load();
  content->words.assign(words.words, words.words + words.count);
  content->compiled = compiled;
  content->evaluated = evaluated;
  for (size_t i = 0; i < bound.size(); ++i) {
    content->spans.push_back(bound[i].rank < 0 ? 0 : bound[i].span);
    if (kernelSignature.writes(i) && bound[i].span) content->outputs.push_back(uint32_t(i));
  }
  Slot &slot = slots[words.hash % kSlots];
  std::shared_ptr<const Remembered> old = std::move(content);
  if (slot.busy.test_and_set(std::memory_order_acquire)) return;
  slot.content.swap(old);
  slot.busy.clear(std::memory_order_release);
}

Status Kernel::launch(Stream &stream, DLTensor *const *tensors, size_t count) {
  if (!owner.usable()) [[unlikely]]
    return owner.checkUsable();
  Words words;
  const bool described = describeCall(tensors, count, words);
  Status status;
  if (described && launchFromSlot(words, stream, status)) [[likely]]
    return status;

  const uint64_t before = epoch.load();
  PANTILE_ASSIGN(auto bound, kernelSignature.bind(tensors, count, owner.dlpack(), true));
  PANTILE_RETURN_IF_ERROR(kernelSignature.checkOverlap(bound));
  if (kernelSignature.nothingToDo(bound)) {
    if (described) remember(words, nullptr, {}, bound);
    return {};
  }
  for (size_t i = 0; i < bound.size(); ++i)
    if (bound[i].rank >= 0)
      if (Status wrong = owner.device->checkMemory(bound[i].address, bound[i].span); !wrong.isOk())
        return std::move(wrong).in(fmt::format("{}: argument {} ('{}')", kernelSignature.name(), i, kernelSignature.arguments()[i].name));
  if (owner.settings.interpret) return launchInterpreted(stream, bound);
  PANTILE_ASSIGN(const CompiledKernel *compiled, resolve(bound, true, &stream));
  LaunchPlan::Evaluated evaluated;
  PANTILE_RETURN_IF_ERROR(compiled->plan.evaluate(bound, evaluated));
  if (described && epoch.load() == before) remember(words, compiled, evaluated, bound);
  uint64_t values[kMaxArguments];
  for (size_t i = 0; i < bound.size(); ++i) values[i] = bound[i].rank < 0 ? bound[i].scalar : reinterpret_cast<uintptr_t>(bound[i].address);
  return compiled->plan.launch(evaluated, {values, compiled->module}, stream);
}

Status Kernel::prepare(DLTensor *const *tensors, size_t count) {
  PANTILE_RETURN_IF_ERROR(owner.checkUsable());
  PANTILE_ASSIGN(auto bound, kernelSignature.bind(tensors, count, owner.dlpack(), false));
  if (kernelSignature.nothingToDo(bound) || owner.settings.interpret) return {};
  PANTILE_ASSIGN(const CompiledKernel *compiled, resolve(bound, true));
  LaunchPlan::Evaluated evaluated;
  PANTILE_RETURN_IF_ERROR(compiled->plan.evaluate(bound, evaluated));
  Words words;
  bool complete = describeCall(tensors, count, words);
  for (size_t i = 0; i < bound.size(); ++i) complete = complete && (bound[i].rank < 0 || bound[i].address || !bound[i].span);
  if (complete) remember(words, compiled, evaluated, bound);
  return compiled->plan.prepare(evaluated, *owner.defaultStream);
}

//===----------------------------------------------------------------------===//
// Selecting and compiling
//===----------------------------------------------------------------------===//

std::string Kernel::shapeKey(const Facts &facts, std::span<const BoundArgument> bound) const {
  std::string key = bytesOf(facts);
  const int64_t threads = owner.device->threads();
  key.append(reinterpret_cast<const char *>(&threads), sizeof(threads));
  for (const auto &b : bound)
    for (int d = 0; d < b.rank; ++d) {
      key.append(reinterpret_cast<const char *>(&b.sizes[d]), sizeof(int64_t));
      key.append(reinterpret_cast<const char *>(&b.strides[d]), sizeof(int64_t));
    }
  return key;
}

Expected<const CompiledKernel *> Kernel::resolve(std::span<const BoundArgument> bound, bool mayTune, Stream *stream) {
  Facts facts = kernelSignature.facts(bound);
  const std::string key = shapeKey(facts, bound);
  {
    std::shared_lock lock(mutex);
    if (auto found = byShape.find(key); found != byShape.end()) return found->second;
  }
  if (stream && owner.device->capturing(stream->handle))
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("{}: this call's code is not loaded yet, and its stream is being captured", kernelSignature.name()))
        .withFix("launch or prepare the same call before the capture");
  std::lock_guard one(compiling);
  std::optional<Configuration> wanted;
  Existing existing;
  uint64_t before;
  {
    std::shared_lock lock(mutex);
    if (auto found = byShape.find(key); found != byShape.end()) return found->second;
    for (const auto &compiled : compiledKernels)
      if (compiled->threads == owner.device->threads()) existing.push_back(&compiled->selection);
    wanted = pinned;
    before = epoch.load();
  }
  Question question{owner, kernelSignature, bound, facts};
  PANTILE_ASSIGN(auto selection, select(question, wanted, existing));
  const bool tunes =
      mayTune && owner.settings.tune >= TuneMode::Quick && selection.source != Source::Pinned && selection.source != Source::Tuned;
  if (tunes && !owner.settings.neverCompile) {
    TuneCallOptions options;
    options.seconds = owner.settings.tune == TuneMode::Quick ? 10 : owner.settings.tune == TuneMode::Thorough ? 60 : 600;
    if (owner.settings.tune == TuneMode::Exhaustive) options.strategy = "exhaustive";
    auto tuned = tuneCall(question, options);
    if (!tuned) {
      owner.log.warnOnce("tune " + kernelSignature.name(),
                         fmt::format("{} was not tuned: {}", kernelSignature.name(), tuned.status().text()));
    } else {
      auto again = select(question, wanted, {});
      if (again) selection = *std::move(again);
    }
  }
  const Source source = selection.source;
  auto loaded = load(std::move(selection));
  if (!loaded && source != Source::Pinned && source != Source::Default) {
    // What once won may not compile any more: the defaults are the safest.
    owner.log.warnOnce("fall back " + kernelSignature.name(), fmt::format("{}; its defaults are used instead", loaded.status().text()));
    auto safe = selectDefaults(question);
    if (safe) loaded = load(*std::move(safe));
  }
  if (!loaded) return std::move(loaded).status();
  const CompiledKernel *compiled = *loaded;
  std::unique_lock lock(mutex);
  if (byShape.size() >= kMaxShapes) byShape.clear();
  if (epoch.load() == before) byShape[key] = compiled;
  return compiled;
}

Expected<const CompiledKernel *> Kernel::load(Selection selection) {
  const Digest key = artifactKey(owner, kernelSignature, selection);
  for (const auto &compiled : compiledKernels)
    if (compiled->key == key && compiled->threads == owner.device->threads()) return compiled.get();
  std::optional<Artifact> artifact;
  if (auto stored = owner.artifacts->get(EntryKind::Artifact, key)) {
    ByteReader reader(*stored);
    auto read = Artifact::read(reader);
    if (read && reader.finish("an artifact").isOk()) artifact = *std::move(read);
  }
  if (!artifact) {
    if (owner.settings.neverCompile)
      return Status(PANTILE_NOT_FOUND,
                    fmt::format("{}: no compiled code for this call is in the cache, and compiling is forbidden (never_compile)",
                                kernelSignature.name()));
    CompileRequest request = requestFor(owner, kernelSignature, selection.facts);
    request.configuration = selection.configuration;
    if (owner.log.wants(PANTILE_LOG_INFO))
      owner.log.info(fmt::format("compiling {} {}", kernelSignature.name(), selection.configuration.toText()));
    auto compiled = owner.compiler->compile(request);
    if (!compiled) {
      Status status = kernelSignature.inSource(std::move(compiled).status());
      std::string cause =
          fmt::format("configuration {}{}{}", selection.configuration.toText(), status.cause().empty() ? "" : "\n", status.cause());
      return std::move(status).withCause(std::move(cause));
    }
    artifact = *std::move(compiled);
    if (!artifact->log.empty()) owner.log.info(artifact->log);
    ByteWriter writer;
    artifact->write(writer);
    owner.artifacts->put(EntryKind::Artifact, key, writer.data());
  }
  PANTILE_RETURN_IF_ERROR(explain(selection));
  auto compiled = std::make_unique<CompiledKernel>();
  PANTILE_ASSIGN(compiled->plan, LaunchPlan::create(*artifact, kernelSignature, selection.values, owner.device->constants()));
  std::vector<const char *> entries;
  for (const auto &entry : compiled->plan.entries()) entries.push_back(entry.c_str());
  pantile_message *message = nullptr;
  int32_t code = owner.device->table().load(owner.device->handle(), artifact->code.data(), artifact->code.size(), entries.data(),
                                            uint32_t(entries.size()), &compiled->module, &message);
  PANTILE_RETURN_IF_ERROR(statusOf(code, message, "the compiled code cannot be loaded"));
  compiled->device = owner.device.get();
  compiled->plan.label = owner.device->keep(kernelSignature.name() + " " + selection.configuration.toText());
  compiled->selection = std::move(selection);
  compiled->key = key;
  compiled->threads = owner.device->threads();
  artifact->code.clear();
  compiled->artifact = *std::move(artifact);
  std::unique_lock lock(mutex);
  compiledKernels.push_back(std::move(compiled));
  return compiledKernels.back().get();
}

/// PANTILE_PRINT and PANTILE_REPRO.
Status Kernel::explain(const Selection &selection) {
  const auto &settings = owner.settings;
  if (settings.print.empty() && settings.repro.empty()) return {};
  CompileRequest request = requestFor(owner, kernelSignature, selection.facts);
  request.configuration = selection.configuration;
  for (Stage stage : settings.print) {
    auto text = stage == Stage::Portable ? Expected<std::string>(kernelSignature.text())
                                         : owner.compiler->inspect(request, std::string(pantile::name(stage)));
    std::string shown = fmt::format("// ---- {} {} ({}) ----\n{}\n", kernelSignature.name(), selection.configuration.toText(),
                                    pantile::name(stage), text ? *text : text.status().message());
    (void)!::write(STDERR_FILENO, shown.data(), shown.size());
  }
  if (!settings.repro.empty())
    return writeReproducer(settings.repro, request, kernelSignature, artifactKey(owner, kernelSignature, selection).hex());
  return {};
}

void Kernel::setConfiguration(std::optional<Configuration> configuration) {
  std::unique_lock lock(mutex);
  pinned = std::move(configuration);
  epoch.fetch_add(1);
  byShape.clear();
}

void Kernel::forgetSelections() {
  std::unique_lock lock(mutex);
  epoch.fetch_add(1);
  byShape.clear();
}

//===----------------------------------------------------------------------===//
// Looking
//===----------------------------------------------------------------------===//

Expected<Configuration> Kernel::sampleConfiguration(DLTensor *const *tensors, size_t count, uint64_t seed) {
  PANTILE_RETURN_IF_ERROR(owner.checkUsable());
  PANTILE_ASSIGN(auto bound, kernelSignature.bind(tensors, count, owner.dlpack(), false));
  return pantile::sampleConfiguration({owner, kernelSignature, bound, kernelSignature.facts(bound)}, seed);
}

Expected<Kernel::Description> Kernel::describe(DLTensor *const *tensors, size_t count) {
  PANTILE_RETURN_IF_ERROR(owner.checkUsable());
  PANTILE_ASSIGN(auto bound, kernelSignature.bind(tensors, count, owner.dlpack(), false));
  Facts facts = kernelSignature.facts(bound);
  std::lock_guard one(compiling);
  Existing existing;
  std::optional<Configuration> wanted;
  const CompiledKernel *loaded = nullptr;
  {
    std::shared_lock lock(mutex);
    for (const auto &compiled : compiledKernels)
      if (compiled->threads == owner.device->threads()) existing.push_back(&compiled->selection);
    wanted = pinned;
    if (auto found = byShape.find(shapeKey(facts, bound)); found != byShape.end()) loaded = found->second;
  }
  Description description;
  if (loaded) {
    description.selection = loaded->selection;
  } else {
    PANTILE_ASSIGN(description.selection, select({owner, kernelSignature, bound, facts}, wanted, existing));
  }
  description.artifactKey = artifactKey(owner, kernelSignature, description.selection);
  for (const auto &compiled : compiledKernels)
    if (compiled->key == description.artifactKey) loaded = compiled.get();
  if (loaded) {
    description.compiled = true;
    description.resources = loaded->artifact.resources;
  } else if (auto stored = owner.artifacts->get(EntryKind::Artifact, description.artifactKey)) {
    ByteReader reader(*stored);
    if (auto artifact = Artifact::read(reader)) {
      description.compiled = true;
      description.resources = artifact->resources;
    }
  }
  return description;
}

Expected<std::string> Kernel::inspect(DLTensor *const *tensors, size_t count, std::string_view stageText) {
  PANTILE_RETURN_IF_ERROR(owner.checkUsable());
  PANTILE_ASSIGN(Stage stage, parseStage(stageText));
  if (stage == Stage::Portable) return kernelSignature.text();
  PANTILE_ASSIGN(auto description, describe(tensors, count));
  CompileRequest request = requestFor(owner, kernelSignature, description.selection.facts);
  request.configuration = description.selection.configuration;
  auto text = owner.compiler->inspect(request, std::string(pantile::name(stage)));
  if (!text) return kernelSignature.inSource(std::move(text).status());
  return text;
}

Status Kernel::interpretShared(SharedTensors &shared) {
  return kernelSignature.inSource(owner.compiler->interpret({kernelSignature.text(), shared.records, 0, 0}, shared.memory.descriptor(),
                                                            Clock::now() + std::chrono::hours(1)));
}

Status Kernel::interpret(DLTensor *const *tensors, size_t count, DLDevice device) {
  PANTILE_RETURN_IF_ERROR(owner.checkUsable());
  PANTILE_ASSIGN(auto bound, kernelSignature.bind(tensors, count, device, true));
  PANTILE_RETURN_IF_ERROR(kernelSignature.checkOverlap(bound));
  if (kernelSignature.nothingToDo(bound)) return {};
  PANTILE_ASSIGN(auto shared, SharedTensors::layout(bound));
  for (size_t i = 0; i < bound.size(); ++i)
    if (bound[i].rank >= 0) std::memcpy(shared.at(i), bound[i].address, bound[i].span);
  PANTILE_RETURN_IF_ERROR(interpretShared(shared));
  for (size_t i = 0; i < bound.size(); ++i)
    if (kernelSignature.writes(i)) copyElements(bound[i].address, shared.at(i), bound[i]);
  return {};
}

Expected<tuner::TuneResult> Kernel::tune(DLTensor *const *tensors, size_t count, const TuneCallOptions &options) {
  PANTILE_RETURN_IF_ERROR(owner.checkUsable());
  PANTILE_ASSIGN(auto bound, kernelSignature.bind(tensors, count, owner.dlpack(), false));
  if (kernelSignature.nothingToDo(bound))
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{}: there is nothing to tune: every output is empty", kernelSignature.name()));
  PANTILE_ASSIGN(auto result, tuneCall({owner, kernelSignature, bound, kernelSignature.facts(bound)}, options));
  forgetSelections();
  return result;
}

Status Kernel::launchInterpreted(Stream &stream, std::span<const BoundArgument> bound) {
  Device &device = *owner.device;
  PANTILE_ASSIGN(auto shared, SharedTensors::layout(bound));
  PANTILE_RETURN_IF_ERROR(device.synchronize(stream.handle));
  for (size_t i = 0; i < bound.size(); ++i)
    if (bound[i].rank >= 0)
      PANTILE_RETURN_IF_ERROR(device.copy(stream.handle, PANTILE_COPY_TO_HOST, shared.at(i), bound[i].address, bound[i].span));
  PANTILE_RETURN_IF_ERROR(device.synchronize(stream.handle));
  PANTILE_RETURN_IF_ERROR(interpretShared(shared));
  std::string current;
  for (size_t i = 0; i < bound.size(); ++i) {
    if (!kernelSignature.writes(i) || !bound[i].span) continue;
    // What lies between the elements may be another output's: fetch, put in, bring back.
    current.resize(bound[i].span);
    PANTILE_RETURN_IF_ERROR(device.copy(stream.handle, PANTILE_COPY_TO_HOST, current.data(), bound[i].address, bound[i].span));
    PANTILE_RETURN_IF_ERROR(device.synchronize(stream.handle));
    copyElements(current.data(), shared.at(i), bound[i]);
    PANTILE_RETURN_IF_ERROR(device.copy(stream.handle, PANTILE_COPY_TO_DEVICE, bound[i].address, current.data(), bound[i].span));
    PANTILE_RETURN_IF_ERROR(device.synchronize(stream.handle));
  }
  return {};
}

} // namespace pantile
