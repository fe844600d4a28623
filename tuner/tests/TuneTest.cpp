//===- tuner/tests/TuneTest.cpp - the driver on fake compilers and devices ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Tune.h"
#include "tuner/Finals.h"
#include "tuner/Journal.h"
#include "tuner/tests/Spaces.h"
#include "tuner/tests/TemporaryFolder.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pantile::tuner {
namespace {

using std::chrono::milliseconds;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What a candidate does to whoever handles it.
enum class Behaviour { Good, CompileError, CompileHang, Crash, Hang, Wrong, Invalid };

/// Compiler and device in one: times come from a function, sleeping is real where asked for.
class Fake : public Compiler, public Runner {
public:
  explicit Fake(const Space &space) : space(space) {}
  std::function<double(const Point &)> timeOf = [this](const Point &p) { return matmulTime(space, p); };
  std::function<Behaviour(const Point &)> behaviour = [](const Point &) { return Behaviour::Good; };
  std::function<std::string(const Point &)> identity;
  milliseconds compileTime{0}, runTime{0};
  double noise = 0;

  std::atomic<unsigned> compiles = 0, compiling = 0, mostCompiling = 0, overlapped = 0, timedBeside = 0, interrupts = 0;
  std::atomic<bool> stop = false;
  unsigned checks = 0, sampled = 0;
  std::map<Point, unsigned> samplesOf;
  std::set<Point> checked;
  std::vector<Point> order;

  Expected<CompiledCandidate> compile(const Configuration &configuration, Clock::time_point deadline) override {
    Point point = *space.point(configuration);
    ++compiles;
    unsigned now = ++compiling, most = mostCompiling;
    while (now > most && !mostCompiling.compare_exchange_weak(most, now)) {}
    bool hangs = behaviour(point) == Behaviour::CompileHang;
    auto end = hangs ? deadline : Clock::now() + compileTime;
    while (Clock::now() < end && !stop) std::this_thread::sleep_for(milliseconds(1));
    --compiling;
    if (hangs) return Status(PANTILE_TIMEOUT, "the compiler was stopped after its deadline");
    if (behaviour(point) == Behaviour::CompileError) return Status(PANTILE_COMPILE_ERROR, "out of registers");
    CompiledCandidate candidate;
    candidate.handle = std::make_shared<Point>(point);
    candidate.resources = {{"registers", int64_t(point[0] * 16)}};
    if (identity) candidate.identity = identity(point);
    return candidate;
  }
  void interrupt() override { ++interrupts, stop = true; }

  const Point &pointOf(const CompiledCandidate &candidate) { return *static_cast<Point *>(candidate.handle.get()); }
  Status check(const CompiledCandidate &candidate, Clock::time_point deadline) override {
    const Point &point = pointOf(candidate);
    ++checks;
    order.push_back(point);
    if (compiling > 0) ++overlapped;
    std::this_thread::sleep_for(runTime);
    switch (behaviour(point)) {
    case Behaviour::Crash:
      return Status(PANTILE_UNAVAILABLE, "the worker died of signal 11");
    case Behaviour::Hang:
      std::this_thread::sleep_until(std::min(deadline, Clock::now() + milliseconds(50)));
      return Status(PANTILE_TIMEOUT, "the worker was stopped");
    case Behaviour::Wrong:
      return Status(kWrongResult, "element 7 is 3.5, the reference 3.25");
    default:
      checked.insert(point);
      return {};
    }
  }
  Expected<std::vector<double>> time(const CompiledCandidate &candidate, unsigned samples, Clock::time_point) override {
    const Point &point = pointOf(candidate);
    EXPECT_TRUE(checked.contains(point)) << "timed before it was checked";
    if (compiling > 0) ++overlapped, ++timedBeside;
    if (behaviour(point) == Behaviour::Invalid) return std::vector<double>(samples, 0.0);
    std::vector<double> times;
    for (unsigned i = 0; i < samples; ++i) times.push_back(timeOf(point) * (1 + noise * random.normal()));
    sampled += samples;
    samplesOf[point] += samples;
    return times;
  }

private:
  const Space &space;
  Random random{99};
};

struct Tuning : testing::Test {
  Space space = makeSpace(matmulSpace(), matmulValues(4096, 4096, 4096));
  CostModel model{space};
  Fake fake{space};
  TuneOptions options;
  std::vector<std::string> warnings;
  Tuning() {
    options.seconds = 0;
    options.trials = 60;
    options.compileWorkers = 2;
    options.warn = [this](const std::string &text) { warnings.push_back(text); };
  }
  Expected<TuneResult> tune() { return pantile::tuner::tune(space, &model, fake, fake, options); }
  double timeOf(const Configuration &configuration) { return matmulTime(space, *space.point(configuration)); }
};

TEST_F(Tuning, FindsTheBestOfWhatItTried) {
  auto result = tune();
  ASSERT_TRUE(result.isOk()) << result.status().message();
  EXPECT_EQ(result->tried, 60u);
  EXPECT_EQ(result->failed, 0u);
  double best = std::numeric_limits<double>::infinity();
  for (const Trial &trial : result->trials) best = std::min(best, matmulTime(space, trial.point));
  EXPECT_DOUBLE_EQ(timeOf(result->configuration), best);
  EXPECT_DOUBLE_EQ(result->time.median, best);
  EXPECT_DOUBLE_EQ(result->baseline, matmulTime(space, *space.defaults()));
  EXPECT_LT(best, 0.7 * result->baseline);
  ASSERT_EQ(result->alternatives.size(), 3u);
  EXPECT_GE(result->alternatives[0].ratio, 1);
  EXPECT_LE(result->alternatives[0].ratio, result->alternatives[2].ratio);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Tuning, TheSeedDecidesTheRun) {
  auto run = [&](uint64_t seed) {
    Fake device(space);
    TuneOptions own = options;
    own.seed = seed;
    EXPECT_TRUE(pantile::tuner::tune(space, &model, device, device, own).isOk());
    return device.order;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST_F(Tuning, FailuresCostThemselvesOnly) {
  for (const char *strategy : {"model_rf", "differential_evolution", "random"}) {
    Fake device(space);
    device.behaviour = [&](const Point &p) {
      if (p == *space.defaults()) return Behaviour::Crash;
      switch (PointHash()(p) % 12) {
      case 0:
        return Behaviour::CompileError;
      case 1:
        return Behaviour::Crash;
      case 2:
        return Behaviour::Wrong;
      case 3:
        return Behaviour::Invalid;
      case 4:
        return p[1] % 3 == 0 ? Behaviour::Hang : Behaviour::CompileHang;
      default:
        return Behaviour::Good;
      }
    };
    // A wrong candidate that would be by far the fastest.
    device.timeOf = [&](const Point &p) { return device.behaviour(p) == Behaviour::Good ? matmulTime(space, p) : 1.0; };
    options.strategy = strategy;
    options.compileSeconds = 0.05;
    auto result = pantile::tuner::tune(space, &model, device, device, options);
    ASSERT_TRUE(result.isOk()) << result.status().message();
    EXPECT_EQ(result->tried, 60u);
    EXPECT_EQ(device.behaviour(*space.point(result->configuration)), Behaviour::Good);
    EXPECT_GT(result->failed, 5u);
    for (const Trial &trial : result->trials) {
      static const std::map<Behaviour, std::set<Outcome>> expected = {{Behaviour::Good, {Outcome::Timed, Outcome::Slow}},
                                                                      {Behaviour::CompileError, {Outcome::CompileError}},
                                                                      {Behaviour::CompileHang, {Outcome::CompileTimeout}},
                                                                      {Behaviour::Crash, {Outcome::Died}},
                                                                      {Behaviour::Hang, {Outcome::Hung}},
                                                                      {Behaviour::Wrong, {Outcome::Wrong}},
                                                                      {Behaviour::Invalid, {Outcome::Failed}}};
      EXPECT_TRUE(expected.at(device.behaviour(trial.point)).contains(trial.outcome)) << name(trial.outcome);
      EXPECT_EQ(trial.report.empty(), trial.timed());
    }
  }
}

TEST_F(Tuning, SaysWhyNothingWorked) {
  fake.behaviour = [](const Point &) { return Behaviour::CompileError; };
  auto result = tune();
  ASSERT_FALSE(result.isOk());
  EXPECT_EQ(result.status().code(), PANTILE_COMPILE_ERROR);
  EXPECT_NE(result.status().message().find("none of 60 configurations"), std::string::npos);
  EXPECT_NE(result.status().message().find("out of registers"), std::string::npos);
}

TEST_F(Tuning, StopsWhenTheDeviceIsGone) {
  unsigned before = 0;
  fake.behaviour = [&](const Point &) { return before++ < 30 ? Behaviour::Good : Behaviour::Crash; };
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  EXPECT_LT(result->tried, 60u);
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings.back().find("died 8 times in a row"), std::string::npos);
  Fake dead(space);
  dead.behaviour = [](const Point &) { return Behaviour::Crash; };
  auto none = pantile::tuner::tune(space, &model, dead, dead, options);
  ASSERT_FALSE(none.isOk());
  EXPECT_EQ(none.status().code(), PANTILE_UNAVAILABLE);
}

TEST_F(Tuning, NoLegalConfigurationIsAnError) {
  SpaceDescription d = matmulSpace();
  d.constraints.push_back({"kM 100000 >=", "M is large"});
  Space impossible = makeSpace(d, matmulValues(64, 64, 64));
  auto result = pantile::tuner::tune(impossible, nullptr, fake, fake, options);
  ASSERT_FALSE(result.isOk());
  EXPECT_EQ(result.status().code(), PANTILE_UNSUPPORTED);
}

TEST_F(Tuning, NothingCompilesWhileExclusiveCandidatesAreTimed) {
  for (bool exclusive : {false, true}) {
    fake.compileTime = milliseconds(3);
    fake.stop = false;
    fake.timedBeside = 0;
    options.trials = 40;
    options.compileWorkers = 3;
    options.exclusive = exclusive;
    ASSERT_TRUE(tune().isOk());
    EXPECT_EQ(fake.timedBeside == 0, exclusive) << fake.timedBeside;
  }
}

TEST_F(Tuning, CompilingAndTimingOverlap) {
  fake.compileTime = milliseconds(20);
  fake.runTime = milliseconds(20);
  options.trials = 30;
  options.compileWorkers = 3;
  options.finals = false;
  auto start = Clock::now();
  ASSERT_TRUE(tune().isOk());
  double seconds = secondsSince(start);
  EXPECT_GE(fake.mostCompiling, 2u);
  EXPECT_LE(fake.mostCompiling, 3u);
  EXPECT_GT(fake.overlapped, 20u);
  // One after another would be 30 * 40 ms.
  EXPECT_LT(seconds, 1.1);
}

TEST_F(Tuning, OneSlowCompilationIsOvertaken) {
  unsigned number = 0;
  Point slow;
  std::mutex mutex;
  fake.behaviour = [&](const Point &p) {
    std::lock_guard lock(mutex);
    if (slow.empty() && ++number == 3) slow = p;
    return p == slow ? Behaviour::CompileHang : Behaviour::Good;
  };
  options.trials = 20;
  options.patienceSeconds = 0.1;
  options.compileSeconds = 1.5;
  auto start = Clock::now();
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  EXPECT_EQ(result->tried, 20u);
  EXPECT_EQ(result->failed, 1u);
  EXPECT_LT(secondsSince(start), 3);
}

TEST_F(Tuning, KeepsToItsTime) {
  fake.compileTime = milliseconds(5);
  fake.runTime = milliseconds(2);
  fake.noise = 0.05;
  options.trials = 0;
  options.seconds = 1;
  auto start = Clock::now();
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  EXPECT_LT(secondsSince(start), 2);
  EXPECT_GT(result->tried, 30u);
}

TEST_F(Tuning, KeepsToItsTimeThoughACompilerHangs) {
  unsigned compiled = 0;
  std::mutex mutex;
  std::map<Point, bool> hangs;
  fake.behaviour = [&](const Point &p) {
    std::lock_guard lock(mutex);
    if (!hangs.contains(p)) hangs[p] = ++compiled > 6;
    return hangs[p] ? Behaviour::CompileHang : Behaviour::Good;
  };
  options.trials = 0;
  options.seconds = 0.7;
  auto start = Clock::now();
  auto result = tune();
  ASSERT_TRUE(result.isOk()) << result.status().message();
  EXPECT_LT(secondsSince(start), 2);
  EXPECT_EQ(fake.interrupts, 1u);
}

TEST_F(Tuning, ALateFirstAnswerIsBetterThanNone) {
  fake.compileTime = milliseconds(300);
  options.trials = 0;
  options.seconds = 0.1;
  auto result = tune();
  ASSERT_TRUE(result.isOk()) << result.status().message();
}

TEST_F(Tuning, SlowCandidatesGetThreeSamplesOnly) {
  options.finals = false;
  options.strategy = "random";
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  size_t slow = 0;
  for (const Trial &trial : result->trials) {
    slow += trial.outcome == Outcome::Slow;
    EXPECT_EQ(fake.samplesOf[trial.point], trial.outcome == Outcome::Slow ? 3u : 20u);
  }
  EXPECT_GT(slow, 20u);
  EXPECT_LT(fake.sampled, 60u * 20 / 2);
}

TEST_F(Tuning, SameCodeIsMeasuredOnce) {
  // Tile sizes only make different code.
  fake.identity = [](const Point &p) { return std::to_string(p[0]) + "," + std::to_string(p[1]); };
  fake.timeOf = [](const Point &p) { return 10.0 + double(p[0]) + double(p[1]); };
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  EXPECT_EQ(result->tried, 60u);
  EXPECT_LE(fake.checks, 25u);
}

TEST_F(Tuning, ProgressIsReportedAndCancels) {
  fake.noise = 0.03;
  uint64_t calls = 0, last = 0;
  bool finals = false;
  options.progress = [&](const TuneProgress &progress) {
    ++calls;
    EXPECT_GE(progress.tried, last);
    EXPECT_GE(progress.fraction, 0);
    EXPECT_LE(progress.fraction, 1);
    if (progress.tried > 0) EXPECT_TRUE(progress.best > 0 && progress.configuration);
    last = progress.tried;
    finals |= progress.finals;
    return true;
  };
  ASSERT_TRUE(tune().isOk());
  EXPECT_GE(calls, 60u);
  EXPECT_TRUE(finals);
  options.progress = [&](const TuneProgress &progress) { return progress.tried < 10; };
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  EXPECT_TRUE(result->cancelled);
  EXPECT_EQ(result->tried, 10u);
  std::atomic<bool> cancel = true;
  options.progress = nullptr;
  options.cancel = &cancel;
  auto none = tune();
  ASSERT_FALSE(none.isOk());
  EXPECT_EQ(none.status().code(), PANTILE_CANCELLED);
}

TEST_F(Tuning, SeedsAreTriedFirst) {
  options.seeds = {*Configuration::fromText("{bm = 128, bn = 128, bk = 64, warps = 8, unknown = 3}")};
  options.trials = 2;
  ASSERT_TRUE(tune().isOk());
  EXPECT_EQ(fake.order[0], *space.defaults());
  EXPECT_EQ(space.configuration(fake.order[1]).integer("bm", 0), 128);
}

//===--- Finals ----------------------------------------------------------===//

/// A device whose clock drifts: the same code is up to 6 % slower later.
class Drifting : public Runner {
public:
  std::vector<double> truth;
  unsigned calls = 0;
  Random random{4};
  Status check(const CompiledCandidate &, Clock::time_point) override { return {}; }
  Expected<std::vector<double>> time(const CompiledCandidate &candidate, unsigned samples, Clock::time_point) override {
    size_t which = *static_cast<size_t *>(candidate.handle.get());
    if (truth[which] == 0) return Status(PANTILE_UNAVAILABLE, "died");
    double drift = 1 + 0.06 * std::sin(calls++ / 15.0);
    std::vector<double> times;
    for (unsigned i = 0; i < samples; ++i) times.push_back(truth[which] * drift * (1 + 0.01 * random.normal()));
    return times;
  }
  std::vector<Finalist> finalists() const {
    std::vector<Finalist> result;
    for (size_t i = 0; i < truth.size(); ++i) {
      CompiledCandidate candidate{std::make_shared<size_t>(i), {{"registers", int64_t(100 - i)}}, ""};
      result.push_back({i, candidate, 100, {}, false});
    }
    return result;
  }
};

TEST(Finals, TellTwoPercentApartUnderSixPercentDrift) {
  unsigned right = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Drifting device;
    device.random = Random(seed);
    device.calls = unsigned(seed * 7);
    device.truth = {103, 102, 100, 102, 105};
    auto finalists = device.finalists();
    Random random(seed);
    auto winner = runFinals(finalists, device, {Clock::now() + std::chrono::seconds(5), 40, 0.001, {}}, random);
    ASSERT_TRUE(winner);
    right += *winner == 2;
  }
  EXPECT_GE(right, 38u);
}

TEST(Finals, EqualsAreDecidedByRegisters) {
  Drifting device;
  device.truth = {100, 100, 100};
  auto finalists = device.finalists();
  Random random(1);
  // Enough rounds to show that they are within half a percent.
  auto winner = runFinals(finalists, device, {Clock::now() + std::chrono::seconds(5), 400, 0.002, {}}, random);
  ASSERT_TRUE(winner);
  EXPECT_EQ(*winner, 2u);
}

TEST(Finals, OneThatDiesIsLeftOut) {
  Drifting device;
  device.truth = {0, 101, 100};
  auto finalists = device.finalists();
  Random random(1);
  EXPECT_EQ(runFinals(finalists, device, {Clock::now() + std::chrono::seconds(5), 40, 0.001, {}}, random), 2u);
  EXPECT_TRUE(finalists[0].failed);
  device.truth = {0, 0, 0};
  finalists = device.finalists();
  EXPECT_EQ(runFinals(finalists, device, {Clock::now() + std::chrono::seconds(5), 40, 0.001, {}}, random), std::nullopt);
}

TEST(Summary, IsTheMedianWithItsInterval) {
  Random random(1);
  unsigned covered = 0;
  for (int i = 0; i < 400; ++i) {
    std::vector<double> samples;
    for (int j = 0; j < 25; ++j) samples.push_back(10 + random.normal());
    Summary s = summarize(samples);
    EXPECT_LE(s.low, s.median);
    EXPECT_LE(s.median, s.high);
    covered += s.low <= 10 && 10 <= s.high;
  }
  EXPECT_GT(covered, 400 * 0.92);
  EXPECT_EQ(summarize({3, 1, 2}).median, 2);
  EXPECT_EQ(summarize({3, 1, 2}).low, 1);
  EXPECT_EQ(summarize({}).samples, 0u);
}

//===--- Journal ---------------------------------------------------------===//

std::string contentsOf(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}
void write(const std::string &path, std::string_view text) { std::ofstream(path, std::ios::binary | std::ios::trunc) << text; }

struct Journaled : Tuning {
  TemporaryFolder folder;
  Journaled() {
    options.journal = folder.path() + "/journal.jsonl";
    options.journalKey = "matmul 4096";
    options.trials = 24;
    options.finals = false;
  }
};

TEST_F(Journaled, ASecondRunRemembersEverything) {
  auto first = tune();
  ASSERT_TRUE(first.isOk());
  EXPECT_EQ(fake.compiles, 24u);
  Fake second(space);
  auto again = pantile::tuner::tune(space, &model, second, second, options);
  ASSERT_TRUE(again.isOk());
  EXPECT_EQ(second.compiles, 0u);
  EXPECT_EQ(again->remembered, 24u);
  EXPECT_EQ(again->configuration, first->configuration);
  EXPECT_DOUBLE_EQ(again->time.median, first->time.median);
}

TEST_F(Journaled, MoreTrialsGoOnWhereItEnded) {
  options.strategy = "random";
  ASSERT_TRUE(tune().isOk());
  options.trials = 40;
  Fake third(space);
  auto more = pantile::tuner::tune(space, &model, third, third, options);
  ASSERT_TRUE(more.isOk());
  EXPECT_EQ(more->remembered, 24u);
  EXPECT_EQ(third.checks, 16u);
}

TEST_F(Journaled, TheBestOfAnEarlierRunIsNotForgotten) {
  options.trials = 60;
  auto first = tune();
  ASSERT_TRUE(first.isOk());
  // Another strategy and seed that would never find it in three trials.
  options.strategy = "random";
  options.seed = 77;
  options.trials = 3;
  Fake second(space);
  auto again = pantile::tuner::tune(space, &model, second, second, options);
  ASSERT_TRUE(again.isOk());
  EXPECT_EQ(again->configuration, first->configuration);
}

TEST_F(Journaled, RememberedFinalistsAreCompiledAgain) {
  ASSERT_TRUE(tune().isOk());
  options.finals = true;
  Fake second(space);
  auto again = pantile::tuner::tune(space, &model, second, second, options);
  ASSERT_TRUE(again.isOk());
  EXPECT_GT(second.compiles, 0u);
  EXPECT_LE(second.compiles, 6u);
}

TEST_F(Journaled, ResumesAfterACutAtEveryByte) {
  options.trials = 8;
  options.samples = 3;
  options.strategy = "random";
  auto whole = tune();
  ASSERT_TRUE(whole.isOk());
  std::string text = contentsOf(options.journal);
  ASSERT_GT(text.size(), 1000u);
  std::map<Point, Outcome> known;
  for (const Trial &trial : whole->trials) known[trial.point] = trial.outcome;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    write(options.journal, text.substr(0, cut));
    Fake device(space);
    auto result = pantile::tuner::tune(space, &model, device, device, options);
    ASSERT_TRUE(result.isOk()) << cut << ": " << result.status().message();
    ASSERT_EQ(result->tried, 8u) << cut;
    // The same questions; at most one of them was started and not done.
    unsigned died = 0;
    for (size_t i = 0; i < 8; ++i) {
      ASSERT_EQ(result->trials[i].point, whole->trials[i].point) << cut;
      died += result->trials[i].outcome == Outcome::Died;
      // Others are as they were, or were dropped earlier or later as the one that died was not the best to compare with.
      if (result->trials[i].outcome != Outcome::Died) ASSERT_TRUE(result->trials[i].timed());
    }
    ASSERT_LE(died, 1u) << cut;
    ASSERT_EQ(device.checks + result->remembered, 8u) << cut;
    // And the journal that was continued is sound: a third run does nothing.
    if (cut % 16 == 0) {
      Fake third(space);
      auto last = pantile::tuner::tune(space, &model, third, third, options);
      ASSERT_TRUE(last.isOk());
      ASSERT_EQ(third.compiles, 0u) << cut;
    }
  }
}

TEST_F(Journaled, WhatKilledTheProcessIsNotRunAgain) {
  // A child process tunes with a runner that kills it at the fifth candidate.
  struct Deadly : Fake {
    using Fake::Fake;
    Status check(const CompiledCandidate &candidate, Clock::time_point deadline) override {
      if (checks == 4) ::_exit(42);
      return Fake::check(candidate, deadline);
    }
  };
  pid_t child = ::fork();
  if (child == 0) {
    Deadly deadly(space);
    (void)pantile::tuner::tune(space, &model, deadly, deadly, options);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 42);
  auto result = tune();
  ASSERT_TRUE(result.isOk());
  EXPECT_EQ(result->trials[4].outcome, Outcome::Died);
  EXPECT_EQ(result->remembered, 5u);
  EXPECT_FALSE(fake.checked.contains(result->trials[4].point));
  EXPECT_EQ(result->tried, 24u);
}

TEST_F(Journaled, DamagedLinesAreSkipped) {
  ASSERT_TRUE(tune().isOk());
  std::string text = contentsOf(options.journal);
  size_t at = text.find("\"outcome\":\"timed\"");
  ASSERT_NE(at, std::string::npos);
  text[at + 12] = 'T';
  write(options.journal, text);
  Fake second(space);
  auto result = pantile::tuner::tune(space, &model, second, second, options);
  ASSERT_TRUE(result.isOk());
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("1 damaged lines skipped"), std::string::npos);
  EXPECT_EQ(result->remembered, 24u); // its `started` line makes it a suspect
  EXPECT_EQ(result->failed, 1u);
}

TEST_F(Journaled, AnothersJournalIsSetAside) {
  ASSERT_TRUE(tune().isOk());
  std::string before = contentsOf(options.journal);
  options.journalKey = "softmax";
  Fake second(space);
  auto result = pantile::tuner::tune(space, &model, second, second, options);
  ASSERT_TRUE(result.isOk());
  EXPECT_EQ(result->remembered, 0u);
  EXPECT_EQ(second.compiles, 24u);
  unsigned kept = 0;
  for (const std::string &file : folder.files()) kept += contentsOf(file) == before;
  EXPECT_EQ(kept, 1u);
}

TEST_F(Journaled, WithoutAPlaceToWriteItStillTunes) {
  options.journal = folder.path() + "/missing/journal";
  ASSERT_TRUE(tune().isOk());
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("keeps no journal"), std::string::npos);
  warnings.clear();
  options.journal = "/dev/full";
  ASSERT_TRUE(tune().isOk());
  EXPECT_EQ(warnings.size(), 1u);
  warnings.clear();
  // Two runs on one journal at once: the second goes without.
  options.journal = folder.path() + "/shared";
  auto held = Journal::open(options.journal, "k", "s", "random", 0);
  ASSERT_TRUE(held.isOk());
  ASSERT_TRUE(tune().isOk());
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("in use by another process"), std::string::npos);
  ::symlink(options.journal.c_str(), (folder.path() + "/link").c_str());
  EXPECT_FALSE(Journal::open(folder.path() + "/link", "k", "s", "random", 0).isOk());
}

} // namespace
} // namespace pantile::tuner
