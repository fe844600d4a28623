//===- tuner/Tune.cpp - the driver ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Tune.h"

#include "tuner/CompilePool.h"
#include "tuner/Finals.h"
#include "tuner/Journal.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <unordered_set>

namespace pantile::tuner {
namespace {

constexpr double kDrop = 1.25; // slower than this times the best after three samples: dropped
constexpr double kFinalsShare = 0.15, kFinalsSeconds = 5;
constexpr unsigned kScreenSamples = 3, kFinalists = 6, kKept = 12;
constexpr unsigned kDeathsInARow = 8; // the device is gone, not the candidates bad

Clock::duration inSeconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(value, 1e9)));
}

class Driver {
public:
  Driver(const Space &space, const CostModel *model, Compiler &compiler, Runner &runner, const TuneOptions &options)
      : space(space), model(model), compiler(compiler), runner(runner), options(options), start(Clock::now()),
        random(options.seed ^ 0x66696e616c73) {
    if (options.seconds > 0) {
      hardEnd = start + inSeconds(options.seconds);
      searchEnd = start + inSeconds(options.seconds * (options.finals ? 1 - kFinalsShare : 1));
    }
  }
  Expected<TuneResult> run();

private:
  /// One candidate between asked and told.
  struct Pending {
    uint64_t number;
    Point point;
    std::string text;
    std::shared_ptr<CompilePool::Job> job; ///< null: remembered
  };

  Status prepare();
  Status search();
  void askMore();
  void recall();
  void tell(Trial trial, const std::string &text, std::optional<CompiledCandidate> candidate);
  Trial remembered(const Pending &pending) const;
  std::optional<Trial> measure(const Pending &pending, std::optional<CompiledCandidate> &candidate);
  bool measureTimes(Trial &trial, const CompiledCandidate &candidate, bool &interrupted);
  void keep(uint64_t number, double median, CompiledCandidate candidate);
  std::optional<CompiledCandidate> recompiled(const Trial &trial);
  void finals(TuneResult &result);
  TuneResult resultOf(const Trial &winner, const Summary &time) const;
  void alternativesOf(TuneResult &result, uint64_t winner) const;

  bool report(bool inFinals = false);
  void warn(const std::string &text) {
    if (options.warn) options.warn(text);
  }
  bool succeeded() const { return bestTrial.has_value(); }
  double best() const { return succeeded() ? trials[*bestTrial].median : std::numeric_limits<double>::infinity(); }
  bool outOfTime() const {
    if (options.seconds <= 0) return false;
    // A run that found nothing yet may go on a little: an answer late is better than none.
    auto grace = succeeded() ? Clock::duration::zero() : inSeconds(options.compileSeconds);
    return Clock::now() >= searchEnd + grace;
  }
  bool outOfTrials() const { return options.trials > 0 && asked >= options.trials; }
  /// The earlier of `seconds` from now and the end of the run; sets `cut` where it is the latter.
  Clock::time_point deadlineIn(double seconds, bool &cut) const {
    auto now = Clock::now(), own = now + inSeconds(seconds);
    if (options.seconds <= 0 || !hasAnswer) return own;
    auto end = std::max(hardEnd, now + std::chrono::milliseconds(500));
    cut = end < own;
    return cut ? end : own;
  }

  const Space &space;
  const CostModel *model;
  Compiler &compiler;
  Runner &runner;
  const TuneOptions &options;
  Clock::time_point start, searchEnd{}, hardEnd{};
  Random random;
  Journal journal;
  std::unique_ptr<Strategy> strategy;
  std::unique_ptr<CompilePool> pool;
  unsigned workers = 1;
  std::deque<Pending> pending;
  Clock::time_point headSince{};
  uint64_t asked = 0;
  std::vector<Trial> trials; ///< in the order told
  std::optional<size_t> bestTrial;
  std::atomic<bool> hasAnswer = false; ///< bestTrial is set; read by pool threads
  Configuration bestConfiguration;
  std::map<uint64_t, std::pair<double, CompiledCandidate>> kept;
  std::unordered_map<std::string, size_t> byIdentity; ///< into trials
  std::set<uint64_t> copies;                          ///< trials of code that another trial measured
  std::unordered_set<std::string> askedTexts;
  uint64_t failed = 0, rememberedCount = 0;
  unsigned deaths = 0;
  bool cancelled = false;
  std::string firstReports;
  unsigned reportCount = 0;
};

Status Driver::prepare() {
  if (!space.defaults())
    return Status(PANTILE_UNSUPPORTED, "no configuration of this kernel satisfies the target's constraints for these sizes");
  StrategyOptions strategyOptions;
  strategyOptions.seed = options.seed;
  strategyOptions.model = model;
  for (const Configuration &seed : options.seeds)
    if (auto point = space.repair(space.nearest(seed))) strategyOptions.seeds.push_back(std::move(*point));
  strategyOptions.expectedTrials = options.trials        ? size_t(options.trials)
                                   : options.seconds > 0 ? size_t(std::clamp(options.seconds * 4, 16.0, 400.0))
                                                         : 0;
  PANTILE_ASSIGN(strategy, makeStrategy(options.strategy, space, std::move(strategyOptions)));
  if (!options.journal.empty()) {
    auto opened = Journal::open(options.journal, options.journalKey, spaceHash(space.description()), options.strategy, options.seed);
    if (opened)
      journal = *std::move(opened);
    else
      warn(opened.status().message() + "; this run keeps no journal");
    if (journal.damagedLines()) warn(fmt::format("tuning journal '{}': {} damaged lines skipped", options.journal, journal.damagedLines()));
  }
  workers = options.compileWorkers ? options.compileWorkers : std::max(2u, std::thread::hardware_concurrency()) - 1;
  pool = std::make_unique<CompilePool>(compiler, workers, [this] {
    bool cut = false;
    return deadlineIn(options.compileSeconds, cut);
  });
  return {};
}

Expected<TuneResult> Driver::run() {
  PANTILE_RETURN_IF_ERROR(prepare());
  Status searched = search();
  recall();
  if (!searched.isOk() && !succeeded()) return searched;
  if (!succeeded()) {
    if (cancelled) return Status(PANTILE_CANCELLED, "tuning was cancelled before a configuration was measured");
    if (trials.empty())
      return Status(PANTILE_TIMEOUT, fmt::format("no configuration was compiled and measured in {:.3g} s", options.seconds))
          .withFix("allow more seconds");
    return Status(PANTILE_COMPILE_ERROR, fmt::format("none of {} configurations compiled, ran and was correct", trials.size()))
        .withCause(firstReports);
  }
  if (!searched.isOk()) warn(searched.message());
  TuneResult result = resultOf(trials[*bestTrial], summarize(trials[*bestTrial].samples));
  if (options.finals && !cancelled && searched.isOk()) finals(result);
  pool.reset();
  alternativesOf(result, trials[*bestTrial].number);
  journal.finished(result.configuration.toText(), result.time);
  if (std::string problem = journal.problem(); !problem.empty()) warn(problem);
  result.cancelled = cancelled;
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.trials = std::move(trials);
  std::sort(result.trials.begin(), result.trials.end(), [](const Trial &a, const Trial &b) { return a.number < b.number; });
  return result;
}

Status Driver::search() {
  askMore();
  while (!pending.empty()) {
    if (!report()) cancelled = true;
    if (cancelled || outOfTime()) break;
    // The oldest first; one whose compilation takes long is overtaken by those that are ready.
    size_t chosen = pending.size();
    for (size_t i = 0; i < pending.size(); ++i) {
      if (i > 0 && Clock::now() - headSince < inSeconds(options.patienceSeconds)) break;
      if (pending[i].job && !pool->ready(*pending[i].job)) continue;
      chosen = i;
      break;
    }
    if (chosen == pending.size()) {
      pool->wait(std::chrono::milliseconds(100));
      continue;
    }
    Pending current = std::move(pending[chosen]);
    pending.erase(pending.begin() + ptrdiff_t(chosen));
    if (chosen == 0) headSince = Clock::now();
    std::optional<CompiledCandidate> candidate;
    if (!current.job) {
      ++rememberedCount;
      tell(remembered(current), current.text, std::nullopt);
    } else if (auto trial = measure(current, candidate)) {
      journal.done(trial->number, current.text, *trial);
      tell(std::move(*trial), current.text, std::move(candidate));
    }
    if (deaths >= kDeathsInARow)
      return Status(PANTILE_UNAVAILABLE, fmt::format("tuning stopped: the process that runs candidates died {} times in a row", deaths))
          .withCause(firstReports);
    if (!cancelled) askMore();
  }
  pending.clear();
  report();
  return {};
}

void Driver::askMore() {
  size_t target = 2 * workers + 2;
  while (pending.size() < target && !strategy->done() && !outOfTrials() && !outOfTime()) {
    size_t wanted = target - pending.size();
    if (options.trials) wanted = std::min<size_t>(wanted, options.trials - asked);
    std::vector<Point> points = strategy->ask(wanted);
    if (points.empty()) break;
    for (Point &point : points) {
      Configuration configuration = space.configuration(point);
      Pending next{asked++, std::move(point), configuration.toText(), nullptr};
      if (pending.empty()) headSince = Clock::now();
      askedTexts.insert(next.text);
      if (!journal.find(next.text)) next.job = pool->submit(std::move(configuration));
      pending.push_back(std::move(next));
    }
  }
}

/// What an earlier run over this journal found, better than all that this one asked, counts too.
void Driver::recall() {
  for (const auto &[text, record] : journal.known()) {
    if (askedTexts.contains(text) || (record.outcome != Outcome::Timed && record.outcome != Outcome::Slow)) continue;
    if (!(summarize(record.samples).median < best())) continue;
    auto configuration = Configuration::fromText(text);
    if (!configuration) continue;
    auto point = space.point(*configuration);
    if (!point || !space.legal(*point) || space.configuration(*point).toText() != text) continue;
    askedTexts.insert(text);
    ++rememberedCount;
    tell(remembered({asked++, *std::move(point), text, nullptr}), text, std::nullopt);
  }
}

Trial Driver::remembered(const Pending &item) const {
  const Journal::Record &record = *journal.find(item.text);
  Trial trial{item.number,      item.point,   record.outcome, record.samples, std::numeric_limits<double>::infinity(),
              record.resources, record.report};
  if (trial.timed()) trial.median = summarize(trial.samples).median;
  return trial;
}

/// Nothing where it was interrupted by the end of the run, so that nothing can be said about it.
std::optional<Trial> Driver::measure(const Pending &item, std::optional<CompiledCandidate> &candidate) {
  Trial trial;
  trial.number = item.number;
  trial.point = item.point;
  auto compiled = item.job->take();
  if (!compiled) {
    if (compiled.status().code() == PANTILE_CANCELLED) {
      cancelled = true;
      return std::nullopt;
    }
    trial.outcome = compiled.status().code() == PANTILE_TIMEOUT ? Outcome::CompileTimeout : Outcome::CompileError;
    trial.report = compiled.status().message();
    return trial;
  }
  trial.resources = compiled->resources;
  if (auto same = compiled->identity.empty() ? byIdentity.end() : byIdentity.find(compiled->identity); same != byIdentity.end()) {
    const Trial &other = trials[same->second];
    trial.outcome = other.outcome;
    trial.samples = other.samples;
    trial.median = other.median;
    trial.report = other.report;
    copies.insert(trial.number);
    return trial;
  }
  bool interrupted = false;
  journal.started(item.number, item.text);
  if (!measureTimes(trial, *compiled, interrupted) && interrupted) {
    journal.withdrawn(item.number, item.text);
    return std::nullopt;
  }
  candidate = *std::move(compiled);
  return trial;
}

/// Checks and times; false where it failed (the trial says how) or was interrupted.
bool Driver::measureTimes(Trial &trial, const CompiledCandidate &candidate, bool &interrupted) {
  bool cut = false;
  auto failure = [&](const Status &status) {
    if (status.code() == PANTILE_CANCELLED) cancelled = interrupted = true;
    if (status.code() == PANTILE_TIMEOUT && cut) interrupted = true;
    trial.outcome = status.code() == kWrongResult          ? Outcome::Wrong
                    : status.code() == PANTILE_UNAVAILABLE ? Outcome::Died
                    : status.code() == PANTILE_TIMEOUT     ? Outcome::Hung
                                                           : Outcome::Failed;
    trial.report = status.message();
    trial.samples.clear();
    trial.median = std::numeric_limits<double>::infinity();
    return false;
  };
  auto checkDeadline = deadlineIn(options.checkSeconds, cut);
  if (Status checked = runner.check(candidate, checkDeadline); !checked.isOk()) return failure(checked);
  CompilePool::Pause pause(options.exclusive ? pool.get() : nullptr);

  auto more = [&](unsigned samples) -> Status {
    double seconds = options.timeSeconds;
    if (succeeded()) seconds = std::min(seconds, 2 + 20e-6 * best() * samples);
    auto deadline = deadlineIn(seconds, cut);
    auto times = runner.time(candidate, samples, deadline);
    if (!times) return std::move(times).status();
    if (times->empty() || std::any_of(times->begin(), times->end(), [](double t) { return !(t > 0) || std::isinf(t); }))
      return Status(PANTILE_INTERNAL, "the runner gave no valid times");
    trial.samples.insert(trial.samples.end(), times->begin(), times->end());
    trial.median = summarize(trial.samples).median;
    return {};
  };
  if (Status timed = more(kScreenSamples); !timed.isOk()) return failure(timed);
  trial.outcome = Outcome::Slow;
  if (trial.median > kDrop * best()) return true;
  trial.outcome = Outcome::Timed;
  double fitting = options.sampleSeconds * 1e6 / trial.median;
  unsigned wanted = unsigned(std::clamp(fitting, double(kScreenSamples), double(std::max(options.samples, kScreenSamples))));
  if (wanted > trial.samples.size())
    if (Status timed = more(wanted - unsigned(trial.samples.size())); !timed.isOk()) return failure(timed);
  return true;
}

void Driver::tell(Trial trial, const std::string &text, std::optional<CompiledCandidate> candidate) {
  strategy->tell({&trial, 1});
  deaths = trial.outcome == Outcome::Died && candidate ? deaths + 1 : 0;
  if (!trial.timed()) {
    ++failed;
    if (reportCount < 3 && !trial.report.empty()) {
      firstReports += (firstReports.empty() ? "" : "\n") + text + ": " + trial.report;
      ++reportCount;
    }
  }
  size_t index = trials.size();
  if (candidate && !candidate->identity.empty()) byIdentity.emplace(candidate->identity, index);
  if (trial.timed()) {
    if (candidate) keep(trial.number, trial.median, std::move(*candidate));
    if (trial.median < best()) {
      bestTrial = index;
      bestConfiguration = space.configuration(trial.point);
      hasAnswer = true;
    }
  }
  trials.push_back(std::move(trial));
  if (std::string problem = journal.problem(); !problem.empty()) warn(problem + "; the run goes on");
}

void Driver::keep(uint64_t number, double median, CompiledCandidate candidate) {
  kept.emplace(number, std::pair(median, std::move(candidate)));
  if (kept.size() <= kKept) return;
  kept.erase(std::max_element(kept.begin(), kept.end(), [](auto &a, auto &b) { return a.second.first < b.second.first; }));
}

/// A remembered finalist has no code in this process.
std::optional<CompiledCandidate> Driver::recompiled(const Trial &trial) {
  auto job = pool->submit(space.configuration(trial.point));
  while (!pool->ready(*job)) {
    if (!report(true) || (options.seconds > 0 && Clock::now() >= hardEnd)) return std::nullopt;
    pool->wait(std::chrono::milliseconds(100));
  }
  auto compiled = job->take();
  if (!compiled) return std::nullopt;
  bool cut = false;
  auto deadline = deadlineIn(options.checkSeconds, cut);
  if (!runner.check(*compiled, deadline).isOk()) return std::nullopt;
  return *std::move(compiled);
}

void Driver::finals(TuneResult &result) {
  std::vector<size_t> order;
  Summary leader = summarize(trials[*bestTrial].samples);
  for (size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i].timed() || copies.contains(trials[i].number)) continue;
    Summary summary = summarize(trials[i].samples);
    // Whoever may be the best as far as its interval says; few samples make a wide one.
    if (summary.median <= 1.05 * leader.median || summary.low <= leader.high) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return trials[a].median != trials[b].median ? trials[a].median < trials[b].median : trials[a].number < trials[b].number;
  });
  std::vector<Finalist> finalists;
  std::vector<size_t> from;
  std::unordered_map<std::string, bool> identities;
  for (size_t i = 0; i < order.size() && finalists.size() < kFinalists; ++i) {
    const Trial &trial = trials[order[i]];
    std::optional<CompiledCandidate> candidate;
    if (auto found = kept.find(trial.number); found != kept.end())
      candidate = found->second.second;
    else
      candidate = recompiled(trial);
    if (!candidate) continue;
    if (!candidate->identity.empty() && !identities.emplace(candidate->identity, true).second) continue;
    finalists.push_back({trial.number, std::move(*candidate), trial.median, {}, false});
    from.push_back(order[i]);
  }
  pool.reset(); // what was being compiled is not wanted any more, and would disturb
  if (finalists.size() < 2) return;
  CompilePool::Pause pause(pool.get());
  FinalsLimits limits;
  limits.deadline = Clock::now() + inSeconds(kFinalsSeconds);
  if (options.seconds > 0) limits.deadline = std::min(limits.deadline, hardEnd);
  limits.goOn = [&] {
    if (!report(true)) cancelled = true;
    return !cancelled;
  };
  auto winner = runFinals(finalists, runner, limits, random);
  for (size_t i = 0; i < finalists.size(); ++i)
    if (finalists[i].samples.size() >= 2 * kScreenSamples)
      trials[from[i]].samples = finalists[i].samples, trials[from[i]].median = summarize(finalists[i].samples).median;
  if (!winner) {
    warn("the best configurations could not be timed again; the result is from a single measurement");
    return;
  }
  bestTrial = from[*winner];
  result = resultOf(trials[*bestTrial], summarize(trials[*bestTrial].samples));
}

TuneResult Driver::resultOf(const Trial &winner, const Summary &time) const {
  TuneResult result;
  result.configuration = space.configuration(winner.point);
  result.time = time;
  result.tried = trials.size();
  result.failed = failed;
  result.remembered = rememberedCount;
  for (const Trial &trial : trials)
    if (trial.point == *space.defaults() && trial.timed()) result.baseline = trial.median;
  return result;
}

void Driver::alternativesOf(TuneResult &result, uint64_t winner) const {
  std::vector<const Trial *> order;
  for (const Trial &trial : trials)
    if (trial.outcome == Outcome::Timed && trial.number != winner) order.push_back(&trial);
  std::sort(order.begin(), order.end(),
            [](auto a, auto b) { return a->median != b->median ? a->median < b->median : a->number < b->number; });
  for (size_t i = 0; i < std::min<size_t>(3, order.size()); ++i)
    result.alternatives.push_back({space.configuration(order[i]->point), std::max(1.0, order[i]->median / result.time.median)});
}

/// False: stop.
bool Driver::report(bool inFinals) {
  if (options.cancel && options.cancel->load()) return false;
  if (!options.progress) return true;
  TuneProgress progress;
  progress.tried = trials.size();
  progress.failed = failed;
  progress.best = succeeded() ? best() : 0;
  progress.configuration = succeeded() ? &bestConfiguration : nullptr;
  progress.finals = inFinals;
  progress.elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  double byTime = options.seconds > 0 ? progress.elapsed / options.seconds : 0;
  double byTrials = options.trials ? double(trials.size()) / double(options.trials) : 0;
  progress.fraction = std::min(1.0, std::max(byTime, byTrials));
  if (options.seconds > 0) progress.left = std::max(0.0, options.seconds - progress.elapsed);
  if (byTrials > 0) {
    double left = progress.elapsed * (1 / byTrials - 1);
    progress.left = options.seconds > 0 ? std::min(progress.left, left) : std::max(0.0, left);
  }
  return options.progress(progress);
}

} // namespace

Expected<TuneResult> tune(const Space &space, const CostModel *model, Compiler &compiler, Runner &runner, const TuneOptions &options) {
  return Driver(space, model, compiler, runner, options).run();
}

} // namespace pantile::tuner
