//===- runtime/dispatch/Selection.cpp -------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A selection is remembered as an entry of the artifact cache. Its key holds everything it depends on but the files of the
// configuration cache; their size, time and inode stand inside, and a difference makes it a miss. So a warm start reads
// two small files a kernel, and neither parses TOML nor starts a helper.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Selection.h"

#include "tuner/Random.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>

namespace pantile {

namespace {

constexpr uint64_t kSelectionVersion = 4;

struct Stamp {
  int64_t size = -1, seconds = 0, nanoseconds = 0, inode = 0; ///< size -1: there is no such file
  bool operator==(const Stamp &) const = default;
};

std::vector<Stamp> stampsOf(const Context &context, const tuner::CacheKey &key) {
  std::vector<Stamp> stamps;
  const std::string relative = tuner::ConfigurationCache::relativePath(key);
  for (const auto &root : context.configurationRoots()) {
    struct stat info;
    Stamp stamp;
    if (stat((root + "/" + relative).c_str(), &info) == 0)
      stamp = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, int64_t(info.st_ino)};
    stamps.push_back(stamp);
  }
  return stamps;
}

Digest selectionKey(const Question &question) {
  Hasher hasher;
  hasher.field("selection").field(kSelectionVersion);
  hasher.field(question.signature.text()).field(bytesOf(question.facts));
  hasher.field(question.context.target()).field(question.context.device->info().hardware).field(question.context.compilerBuild());
  hasher.field(uint64_t(question.context.settings.tune == TuneMode::Off));
  for (const auto &[name, value] : question.context.device->constants()) hasher.field(name).field(uint64_t(value));
  for (const auto &b : question.bound)
    for (int d = 0; d < b.rank; ++d) hasher.field(uint64_t(b.sizes[d])).field(uint64_t(b.strides[d]));
  for (const auto &root : question.context.configurationRoots()) hasher.field(root);
  return hasher.finish();
}

/// Not as text: reading it back would parse TOML.
void write(ByteWriter &writer, const Configuration &configuration) {
  writer.u64(configuration.map().size());
  for (const auto &[name, setting] : configuration.map()) {
    writer.text(name);
    writer.u8(uint8_t(setting.index()));
    if (auto *integer = std::get_if<int64_t>(&setting))
      writer.i64(*integer);
    else if (auto *text = std::get_if<std::string>(&setting))
      writer.text(*text);
    else
      writer.integers(std::get<std::vector<int64_t>>(setting));
  }
}

Configuration readConfiguration(ByteReader &reader) {
  Configuration configuration;
  for (uint64_t left = reader.count(17); left; --left) {
    std::string name = reader.text();
    switch (reader.u8()) {
    case 0:
      configuration.set(std::move(name), reader.i64());
      break;
    case 1:
      configuration.set(std::move(name), reader.text());
      break;
    case 2:
      configuration.set(std::move(name), reader.integers());
      break;
    default:
      reader.fail();
    }
  }
  return configuration;
}

std::string write(const Selection &selection, const std::vector<Stamp> &stamps) {
  ByteWriter writer;
  writer.u64(stamps.size());
  for (const auto &stamp : stamps)
    for (int64_t part : {stamp.size, stamp.seconds, stamp.nanoseconds, stamp.inode}) writer.i64(part);
  write(writer, selection.configuration);
  writer.u64(selection.values.size());
  for (const auto &[name, value] : selection.values) writer.text(name), writer.i64(value);
  selection.facts.write(writer);
  writer.u8(uint8_t(selection.source));
  writer.text(selection.stale);
  writer.integers(selection.shape);
  return writer.take();
}

std::optional<Selection> read(std::string_view bytes, const std::vector<Stamp> &stamps) {
  ByteReader reader(bytes);
  if (reader.u64() != stamps.size()) return std::nullopt;
  for (const auto &stamp : stamps) {
    Stamp old;
    for (int64_t *part : {&old.size, &old.seconds, &old.nanoseconds, &old.inode}) *part = reader.i64();
    if (old != stamp) return std::nullopt;
  }
  Selection selection;
  selection.configuration = readConfiguration(reader);
  for (uint64_t left = reader.count(16); left; --left) {
    std::string key = reader.text();
    selection.values[key] = reader.i64();
  }
  auto facts = Facts::read(reader);
  if (!facts) return std::nullopt;
  selection.facts = *std::move(facts);
  uint8_t source = reader.u8();
  selection.stale = reader.text();
  selection.shape = reader.integers();
  if (!reader.finish("a selection").isOk() || source > uint8_t(Source::Default)) return std::nullopt;
  selection.source = Source(source);
  return selection;
}

std::vector<int64_t> sizesOf(std::span<const BoundArgument> bound) {
  std::vector<int64_t> sizes;
  for (const auto &b : bound) sizes.insert(sizes.end(), b.sizes, b.sizes + std::max(b.rank, 0));
  return sizes;
}

/// Small sizes decide the shape of a block; large ones may differ by half.
bool alike(const std::vector<int64_t> &a, const std::vector<int64_t> &b) {
  constexpr int64_t small = 16;
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const int64_t low = std::min(a[i], b[i]), high = std::max(a[i], b[i]);
    if (low != high && (low < small || high - low > low / 2)) return false;
  }
  return true;
}

/// The existing selection to take instead of a guess: for facts that hold here, and the same configuration; or of a shape
/// alike, legal here, and by the model at most a tenth worse.
const Selection *substitute(const Question &question, const tuner::Space &space, const tuner::CostModel &model, const Configuration &guess,
                            const Existing &existing) {
  const auto shape = sizesOf(question.bound);
  const double limit = model.known() ? model.score(space.nearest(guess)) * 1.1 : 0;
  const Selection *chosen = nullptr;
  for (const Selection *candidate : existing) {
    if (candidate->source == Source::Pinned || !serves(candidate->facts, question.facts)) continue;
    if (candidate->configuration == guess) return candidate;
    if (chosen || !alike(candidate->shape, shape)) continue;
    auto point = space.point(candidate->configuration);
    if (point && space.legal(*point) && (!model.known() || model.score(*point) <= limit)) chosen = candidate;
  }
  return chosen;
}

} // namespace

std::string_view name(Source source) {
  static constexpr std::string_view names[] = {"pinned", "tuned", "stale", "neighbour", "default"};
  return names[size_t(source)];
}

CompileRequest requestFor(const Context &context, const Signature &signature, const Facts &facts) {
  CompileRequest request;
  request.backend = context.device->text("compiler", context.backend());
  request.finalStage = context.device->text("final_stage", "");
  request.ir = signature.text();
  request.target = context.target();
  request.facts = facts;
  return request;
}

Expected<SpaceDescription> spaceOf(Context &context, const Signature &signature, const Facts &facts) {
  const Digest key = Hasher()
                         .field("space 1")
                         .field(signature.text())
                         .field(bytesOf(facts))
                         .field(context.target())
                         .field(context.compilerBuild())
                         .finish();
  if (auto stored = context.artifacts->get(EntryKind::Space, key)) {
    ByteReader reader(*stored);
    auto space = SpaceDescription::read(reader);
    if (space && reader.finish("a space").isOk()) return space;
  }
  if (context.settings.neverCompile)
    return Status(PANTILE_NOT_FOUND,
                  fmt::format("{}: nothing compiled is in the cache, and compiling is forbidden (never_compile)", signature.name()));
  auto space = context.compiler->space(requestFor(context, signature, facts));
  if (!space) return signature.inSource(std::move(space).status());
  ByteWriter writer;
  space->write(writer);
  context.artifacts->put(EntryKind::Space, key, writer.data());
  return space;
}

tuner::CallValues callValues(const Question &question) {
  auto values = question.signature.values(question.bound);
  for (const auto &[name, value] : question.context.device->constants()) values["d." + name] = value;
  return values;
}

Numbers valuesOf(const SpaceDescription &description, const Configuration &configuration) {
  Numbers values;
  for (const auto &parameter : description.parameters) {
    const Setting *setting = configuration.find(parameter.name);
    if (!setting) continue;
    if (auto *integer = std::get_if<int64_t>(setting))
      values[parameter.name] = *integer;
    else if (auto *text = std::get_if<std::string>(setting)) {
      auto label = std::find(parameter.labels.begin(), parameter.labels.end(), *text);
      size_t index = size_t(label - parameter.labels.begin());
      if (label != parameter.labels.end())
        values[parameter.name] = index < parameter.values.size() ? parameter.values[index] : int64_t(index);
    }
  }
  return values;
}

tuner::CacheKey cacheKey(const Question &question) {
  tuner::CacheKey key;
  key.hardware = question.context.device->info().hardware;
  key.kernel = question.signature.name();
  key.tuningKey = question.signature.tuningKey(question.facts).hex();
  for (const auto &[name, value] : question.context.device->constants())
    if (name != "threads") key.hardwareFacts[name] = value; // that is no fact of the hardware: see cacheQuery
  return key;
}

std::string cacheFacts(const Context &context) {
  const int64_t threads = context.device->threads();
  return threads ? fmt::format("threads={}", threads) : "";
}

tuner::CacheQuery cacheQuery(const Question &question, const SpaceDescription &description) {
  tuner::CacheQuery query;
  query.shape = question.signature.shape(question.bound);
  query.space = tuner::spaceHash(description);
  query.facts = cacheFacts(question.context);
  query.regime = "warm";
  return query;
}

std::optional<Selection> remembered(const Question &question) {
  auto stored = question.context.artifacts->get(EntryKind::Selection, selectionKey(question));
  if (!stored) return std::nullopt;
  return read(*stored, stampsOf(question.context, cacheKey(question)));
}

Expected<Selection> select(const Question &question, const std::optional<Configuration> &pinned, const Existing &existing) {
  Context &context = question.context;
  if (!pinned)
    if (auto selection = remembered(question)) return *std::move(selection);
  PANTILE_ASSIGN(auto description, spaceOf(context, question.signature, question.facts));
  PANTILE_ASSIGN(auto space, tuner::Space::create(description, callValues(question)));
  Selection selection;
  selection.facts = question.facts;
  selection.shape = sizesOf(question.bound);
  if (pinned) {
    auto point = space.point(*pinned);
    if (!point) return std::move(point).status().in(question.signature.name());
    if (Status legal = space.check(*point); !legal.isOk()) return std::move(legal).in(question.signature.name());
    selection.configuration = space.configuration(*point);
    selection.source = Source::Pinned;
    selection.values = valuesOf(description, selection.configuration);
    return selection;
  }
  const auto key = cacheKey(question);
  const auto stamps = stampsOf(context, key); // before reading: a later change is seen as one
  std::vector<tuner::CacheMatch> matches;
  if (context.settings.tune != TuneMode::Off) matches = context.configurations->lookup(key, cacheQuery(question, description));
  tuner::CostModel model(space);
  auto choice = tuner::choose(matches, space, &model);
  if (!choice) return std::move(choice).status().in(question.signature.name());
  selection.configuration = std::move(choice->configuration);
  selection.stale = std::move(choice->stale);
  switch (choice->source) {
  case tuner::ChoiceSource::Tuned:
    selection.source = Source::Tuned;
    break;
  case tuner::ChoiceSource::Stale:
    selection.source = Source::Stale;
    break;
  case tuner::ChoiceSource::Neighbour:
    selection.source = Source::Neighbour;
    break;
  case tuner::ChoiceSource::Default:
    selection.source = Source::Default;
    break;
  }
  if (selection.source == Source::Neighbour || selection.source == Source::Default)
    if (const Selection *other = substitute(question, space, model, selection.configuration, existing)) {
      selection.configuration = other->configuration;
      selection.facts = other->facts;
      selection.shape = other->shape;
    }
  selection.values = valuesOf(description, selection.configuration);
  // What only memory knows is not written down.
  const bool onDisk = std::none_of(matches.begin(), matches.end(), [](const auto &match) { return match.origin == "memory"; });
  if (onDisk) context.artifacts->put(EntryKind::Selection, selectionKey(question), write(selection, stamps));
  return selection;
}

Expected<Configuration> sampleConfiguration(const Question &question, uint64_t seed) {
  PANTILE_ASSIGN(auto description, spaceOf(question.context, question.signature, question.facts));
  PANTILE_ASSIGN(auto space, tuner::Space::create(description, callValues(question)));
  tuner::Random random(seed);
  auto point = seed ? space.sample(random) : space.defaults();
  if (!point)
    return Status(PANTILE_UNSUPPORTED,
                  fmt::format("{} has no legal configuration on {} for these sizes", question.signature.name(), question.context.target()));
  return space.configuration(*point);
}

Expected<Selection> selectDefaults(const Question &question) {
  PANTILE_ASSIGN(auto description, spaceOf(question.context, question.signature, question.facts));
  PANTILE_ASSIGN(auto space, tuner::Space::create(description, callValues(question)));
  if (!space.defaults())
    return Status(PANTILE_UNSUPPORTED, fmt::format("{}: no configuration is legal for these sizes", question.signature.name()));
  Selection selection;
  selection.configuration = space.configuration(*space.defaults());
  selection.facts = question.facts;
  selection.shape = sizesOf(question.bound);
  selection.values = valuesOf(description, selection.configuration);
  return selection;
}

Digest artifactKey(const Context &context, const Signature &signature, const Selection &selection) {
  return Hasher()
      .field("artifact 1")
      .field(signature.text())
      .field(bytesOf(selection.facts))
      .field(selection.configuration.toText())
      .field(context.backend())
      .field(context.target())
      .field(context.compilerBuild())
      .finish();
}

} // namespace pantile
