//===- runtime/tuning/TuneCall.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tuning/TuneCall.h"

#include "runtime/tuning/Candidates.h"
#include "tuner/Narrow.h"

#include <ctime>
#include <fmt/format.h>
#include <sys/stat.h>

namespace pantile {

namespace {

std::string today() {
  time_t now = time(nullptr);
  tm utc;
  char text[32];
  gmtime_r(&now, &utc);
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

/// What a journal is about: kernel, facts, sizes, device, threads, builds.
std::string journalKeyOf(const Question &question, const tuner::CacheKey &key, const SpaceDescription &space) {
  Hasher hasher;
  hasher.field(key.tuningKey)
      .field(bytesOf(question.facts))
      .field(question.context.target())
      .field(key.hardware)
      .field(question.context.compilerBuild())
      .field(cacheFacts(question.context))
      .field(tuner::spaceHash(space));
  for (const auto &[name, size] : question.signature.shape(question.bound)) hasher.field(name).field(uint64_t(size));
  return hasher.finish().hex();
}

} // namespace

Expected<tuner::TuneResult> tuneCall(const Question &question, const TuneCallOptions &options) {
  Context &context = question.context;
  const auto started = tuner::Clock::now();
  PANTILE_ASSIGN(auto description, spaceOf(context, question.signature, question.facts));
  SpaceDescription searched = description;
  PANTILE_RETURN_IF_ERROR(tuner::narrow(searched, options.fixed));
  PANTILE_ASSIGN(auto space, tuner::Space::create(searched, callValues(question)));
  tuner::CostModel model(space);
  const auto key = cacheKey(question);
  PANTILE_ASSIGN(auto choice, tuner::choose(context.configurations->lookup(key, cacheQuery(question, description)), space, &model));

  CandidateCompiler compiler(question, description);
  CandidateRunner runner(question);
  // The reference may take at most a third of the time; a run without one still finds the fastest.
  const double reference = options.seconds > 0 ? std::max(5.0, options.seconds / 3) : 120;
  PANTILE_RETURN_IF_ERROR(runner.prepare(options.seed + 1, started + std::chrono::milliseconds(int64_t(reference * 1000))));

  tuner::TuneOptions tune;
  tune.seconds = options.seconds;
  tune.trials = options.trials;
  if (!options.strategy.empty()) tune.strategy = options.strategy;
  tune.seed = options.seed;
  tune.seeds = choice.seeds;
  if (choice.source != tuner::ChoiceSource::Default) tune.seeds.insert(tune.seeds.begin(), choice.configuration);
  tune.journalKey = journalKeyOf(question, key, searched);
  tune.journal = options.journal;
  if (tune.journal.empty() && !context.settings.cacheRoot.empty()) {
    const std::string folder = context.settings.cacheRoot + "/journals";
    if (openPrivateFolder(folder))
      tune.journal = fmt::format("{}/{}-{}.jsonl", folder, question.signature.name(), tune.journalKey.substr(0, 16));
  }
  tune.progress = options.progress;
  tune.warn = [&](const std::string &text) { context.log.warn(text); };
  auto tuned = tuner::tune(space, &model, compiler, runner, tune);
  context.compiler->processes().trim(1); // each holds a compiler's memory
  if (!tuned) return std::move(tuned).status().in(question.signature.name());
  auto &result = *tuned;

  tuner::CacheEntry entry;
  entry.shape = question.signature.shape(question.bound);
  entry.facts = cacheFacts(context);
  entry.regime = "warm";
  entry.configuration = result.configuration;
  entry.time = {result.time.median, result.time.low, result.time.high, result.baseline, int64_t(result.time.samples)};
  for (const auto &alternative : result.alternatives) entry.alternatives.push_back({alternative.configuration, alternative.ratio});
  auto &provenance = entry.provenance;
  provenance.mode = options.seconds >= 60 || options.seconds == 0 ? "thorough" : "quick";
  provenance.strategy = tune.strategy;
  provenance.tool = "pantile 0.1.0";
  provenance.compiler = context.compilerBuild().substr(0, 16);
  provenance.device = context.device->info().name;
  provenance.space = tuner::spaceHash(description);
  provenance.evaluations = int64_t(result.tried);
  provenance.seconds = result.seconds;
  provenance.date = today();
  provenance.verified = runner.verified();
  if (Status stored = context.configurations->store(key, std::move(entry)); !stored.isOk())
    context.log.info(fmt::format("{}: the tuned configuration is kept in memory only: {}", question.signature.name(), stored.text()));
  // A finished run's journal has served; an interrupted one's is what the next run goes on from.
  if (options.journal.empty() && !result.cancelled && !tune.journal.empty()) std::remove(tune.journal.c_str());
  return result;
}

} // namespace pantile
