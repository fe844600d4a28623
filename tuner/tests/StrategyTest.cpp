//===- tuner/tests/StrategyTest.cpp - replays on spaces with known times --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Strategy.h"
#include "tuner/Forest.h"
#include "tuner/tests/Spaces.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <set>

namespace pantile::tuner {
namespace {

using TimeOf = std::function<double(const Point &)>; // infinity: fails

/// Asks and tells as the driver does: a few trials ahead.
struct Replay {
  std::vector<Point> order;
  std::vector<double> best; ///< after each trial
};
Replay replay(Strategy &strategy, const TimeOf &time, size_t trials, size_t ahead = 6) {
  Replay result;
  std::vector<Point> pending;
  double best = std::numeric_limits<double>::infinity();
  while (result.order.size() < trials) {
    if (pending.size() < ahead)
      for (Point &point : strategy.ask(ahead - pending.size())) pending.push_back(std::move(point));
    if (pending.empty()) break;
    Trial trial;
    trial.number = result.order.size();
    trial.point = pending.front();
    pending.erase(pending.begin());
    trial.median = time(trial.point);
    trial.outcome = std::isinf(trial.median) ? Outcome::CompileError : Outcome::Timed;
    trial.samples = {trial.median};
    best = std::min(best, trial.median);
    result.order.push_back(trial.point);
    result.best.push_back(best);
    strategy.tell({&trial, 1});
  }
  return result;
}

std::unique_ptr<Strategy> make(const char *name, const Space &space, StrategyOptions options = {}) {
  auto strategy = makeStrategy(name, space, std::move(options));
  EXPECT_TRUE(strategy.isOk());
  return *std::move(strategy);
}

struct Matmul : testing::Test {
  Space space = makeSpace(matmulSpace(), matmulValues(4096, 4096, 4096));
  CostModel model{space};
  TimeOf time = [this](const Point &point) { return matmulTime(space, point); };
  double optimum = [this] {
    // Coordinate descent from many places stands in for enumerating a few hundred thousand points.
    Random random(9);
    double best = std::numeric_limits<double>::infinity();
    for (int start = 0; start < 30; ++start) {
      Point at = *space.sample(random);
      for (bool better = true; better;) {
        better = false;
        for (const Point &other : space.neighbours(at, 2))
          if (time(other) < time(at)) at = other, better = true;
      }
      best = std::min(best, time(at));
    }
    return best;
  }();

  /// Mean of optimum/best after `trials`, over seeds.
  double quality(const char *name, size_t trials, bool withModel, unsigned seeds = 12) {
    double sum = 0;
    for (unsigned seed = 0; seed < seeds; ++seed) {
      StrategyOptions options;
      options.seed = seed;
      options.model = withModel ? &model : nullptr;
      options.expectedTrials = trials;
      auto strategy = make(name, space, options);
      Replay run = replay(*strategy, time, trials);
      sum += optimum / run.best.back();
    }
    return sum / seeds;
  }
};

TEST_F(Matmul, StrategiesBeatRandom) {
  double random = quality("random", 100, false), evolution = quality("differential_evolution", 100, false),
         pattern = quality("pattern", 100, false), forest = quality("lfbo", 100, false), both = quality("model_rf", 100, true);
  RecordProperty("random", std::to_string(random));
  std::printf("after 100: random %.3f, differential_evolution %.3f, pattern %.3f, lfbo %.3f, model_rf %.3f\n", random, evolution, pattern,
              forest, both);
  EXPECT_GT(evolution, random + 0.02);
  EXPECT_GT(pattern, random + 0.02);
  EXPECT_GT(forest, random + 0.05);
  EXPECT_GT(both, random + 0.05);
  EXPECT_GT(both, 0.9);
}

TEST_F(Matmul, ModelHelpsEarly) {
  double random = quality("random", 24, false), forest = quality("model_rf", 24, false), both = quality("model_rf", 24, true);
  std::printf("after 24: random %.3f, model_rf without model %.3f, with %.3f\n", random, forest, both);
  EXPECT_GT(both, random + 0.05);
  EXPECT_GT(both, forest);
}

TEST_F(Matmul, EvolutionGoesOnImproving) { EXPECT_GT(quality("differential_evolution", 600, false, 5), 0.95); }

TEST_F(Matmul, SameSeedSameQuestions) {
  for (std::string_view name : strategyNames()) {
    auto run = [&](uint64_t seed) {
      StrategyOptions options;
      options.seed = seed;
      options.model = &model;
      auto strategy = make(std::string(name).c_str(), space, options);
      return replay(*strategy, time, 60).order;
    };
    EXPECT_EQ(run(1), run(1)) << name;
    if (name != "exhaustive" && name != "fixed") EXPECT_NE(run(1), run(2)) << name;
  }
}

TEST_F(Matmul, NeverAsksTwiceNorOutsideTheSpace) {
  for (std::string_view name : strategyNames()) {
    StrategyOptions options;
    options.model = &model;
    auto strategy = make(std::string(name).c_str(), space, options);
    // Every third candidate fails, which must not confuse anyone.
    auto order = replay(
                     *strategy, [&](const Point &p) { return PointHash()(p) % 3 ? time(p) : std::numeric_limits<double>::infinity(); }, 300)
                     .order;
    EXPECT_EQ(std::set<Point>(order.begin(), order.end()).size(), order.size()) << name;
    for (const Point &point : order) EXPECT_TRUE(space.legal(point) && space.canonical(point) == point) << name;
    ASSERT_FALSE(order.empty());
    EXPECT_EQ(order.front(), *space.defaults()) << name;
  }
}

TEST_F(Matmul, SeedsComeFirst) {
  Random random(3);
  std::vector<Point> seeds = {*space.sample(random), *space.sample(random)};
  for (std::string_view name : strategyNames()) {
    StrategyOptions options;
    options.seeds = seeds;
    auto strategy = make(std::string(name).c_str(), space, options);
    auto order = replay(*strategy, time, 3).order;
    std::vector<Point> expected = name == "fixed" ? seeds : std::vector<Point>{*space.defaults(), seeds[0], seeds[1]};
    EXPECT_EQ(order, expected) << name;
  }
}

TEST(Strategy, SmallSpacesAreUsedUp) {
  SpaceDescription d;
  d.parameters = {pow2("a", 1, 16, "1"), boolean("b"), choiceOf("c", {"x", "y", "z"}, "0")};
  d.parameters[2].activeIf = "c.b";
  d.constraints = {{"c.a 4 != ", "not 4"}};
  d.constraints[0].expression = "c.a 4 !=";
  Space space = makeSpace(d);
  for (const char *name : {"exhaustive", "random", "model_rf", "differential_evolution", "pattern", "lfbo"}) {
    auto strategy = make(name, space);
    auto order = replay(*strategy, [](const Point &p) { return 1.0 + double(p[0]); }, 1000).order;
    EXPECT_EQ(order.size(), 4u * (1 + 3)) << name; // 4 values of a; c counts only where b is set
    EXPECT_TRUE(strategy->done()) << name;
  }
}

TEST(Strategy, SurvivesWhereEverythingFails) {
  Space space = makeSpace(matmulSpace(), matmulValues(100, 100, 100));
  for (std::string_view name : strategyNames()) {
    auto strategy = make(std::string(name).c_str(), space);
    auto order = replay(*strategy, [](const Point &) { return std::numeric_limits<double>::infinity(); }, 150).order;
    EXPECT_EQ(order.size(), name == "fixed" ? 1u : 150u) << name;
  }
}

TEST(Strategy, ModelForestStopsWhereNothingImproves) {
  Space space = makeSpace(matmulSpace(), matmulValues(4096, 4096, 4096));
  auto strategy = make("model_rf", space);
  auto order = replay(*strategy, [](const Point &) { return 5.0; }, 2000).order;
  EXPECT_LT(order.size(), 400u);
  EXPECT_TRUE(strategy->done());
}

TEST(Strategy, AModelThatSeesNoDifferencesIsNotAsked) {
  SpaceDescription d = matmulSpace();
  d.features = {{"bytes", "kM kN * 2 *"}};
  Space space = makeSpace(d, matmulValues(4096, 4096, 4096));
  CostModel model(space);
  auto run = [&](const CostModel *used) {
    StrategyOptions options;
    options.model = used;
    auto strategy = make("model_rf", space, options);
    return replay(*strategy, [&](const Point &p) { return matmulTime(space, p); }, 60).order;
  };
  EXPECT_EQ(run(&model), run(nullptr));
}

TEST(Strategy, UnknownNameListsTheKnown) {
  Space space = makeSpace(matmulSpace(), matmulValues(64, 64, 64));
  auto strategy = makeStrategy("genetic", space, {});
  ASSERT_FALSE(strategy.isOk());
  EXPECT_NE(strategy.status().message().find("model_rf, differential_evolution, pattern, lfbo, random, exhaustive, fixed"),
            std::string::npos);
}

TEST(Forest, LearnsARule) {
  Random random(1);
  std::vector<float> rows;
  std::vector<bool> labels;
  std::vector<float> weights;
  auto label = [](float a, float b) { return a > 3 && b < 2; };
  for (int i = 0; i < 300; ++i) {
    for (int j = 0; j < 6; ++j) rows.push_back(float(random.below(6)));
    labels.push_back(label(rows[rows.size() - 6], rows[rows.size() - 5]));
    weights.push_back(1);
  }
  Forest forest;
  EXPECT_EQ(forest.predict(std::vector<float>(6)), 0);
  forest.fit(rows, 6, labels, weights, {}, random);
  int right = 0;
  for (int i = 0; i < 500; ++i) {
    std::vector<float> row;
    for (int j = 0; j < 6; ++j) row.push_back(float(random.below(6)));
    right += (forest.predict(row) > 0.5f) == label(row[0], row[1]);
  }
  EXPECT_GT(right, 470);
}

} // namespace
} // namespace pantile::tuner
