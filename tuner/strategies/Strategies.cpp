//===- tuner/strategies/Strategies.cpp - the table, and the plain ones ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/strategies/Strategies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pantile::tuner {
namespace {

/// The forest alone: likelihood-free Bayesian optimization (Song et al., 2022), a weighted classifier as the acquisition.
std::unique_ptr<Strategy> makeForest(const Space &space, StrategyOptions options) {
  options.model = nullptr;
  return makeModelForest(space, std::move(options));
}

constexpr struct {
  std::string_view name;
  std::unique_ptr<Strategy> (*make)(const Space &, StrategyOptions);
} kStrategies[] = {
    {"model_rf", makeModelForest}, {"differential_evolution", makeDifferentialEvolution},
    {"pattern", makePattern},      {"lfbo", makeForest},
    {"random", makeRandom},        {"exhaustive", makeExhaustive},
    {"fixed", makeFixed},
};

class RandomStrategy final : public SeededStrategy {
public:
  using SeededStrategy::SeededStrategy;
  std::vector<Point> ask(size_t count) override {
    std::vector<Point> points;
    takeSeeds(points, count);
    while (points.size() < count && !exhausted)
      if (auto point = fresh())
        points.push_back(std::move(*point));
      else
        exhausted = true;
    return points;
  }
  void tell(std::span<const Trial>) override {}
  bool done() const override { return exhausted; }

private:
  bool exhausted = false;
};

class ExhaustiveStrategy final : public SeededStrategy {
public:
  ExhaustiveStrategy(const Space &space, StrategyOptions options)
      : SeededStrategy(space, std::move(options)), next(space.dimensions(), 0) {}
  std::vector<Point> ask(size_t count) override {
    std::vector<Point> points;
    takeSeeds(points, count);
    while (points.size() < count && !finished) {
      // A point that is not canonical stands for one that is visited on its own.
      if (space.canonical(next) == next && space.legal(next) && claim(next)) points.push_back(next);
      finished = !space.advance(next);
    }
    return points;
  }
  void tell(std::span<const Trial>) override {}
  bool done() const override { return finished; }

private:
  Point next;
  bool finished = false;
};

class FixedStrategy final : public SeededStrategy {
public:
  FixedStrategy(const Space &space, StrategyOptions given) : SeededStrategy(space, std::move(given)) {
    // Given seeds are all that is tried; SeededStrategy put the defaults in front of them.
    if (options.seeds.size() > 1 && space.defaults()) options.seeds.erase(options.seeds.begin());
  }
  std::vector<Point> ask(size_t count) override {
    std::vector<Point> points;
    takeSeeds(points, count);
    finished = points.size() < count;
    return points;
  }
  void tell(std::span<const Trial>) override {}
  bool done() const override { return finished; }

private:
  bool finished = false;
};

} // namespace

SeededStrategy::SeededStrategy(const Space &space, StrategyOptions given) : space(space), options(std::move(given)), random(options.seed) {
  if (space.defaults()) options.seeds.insert(options.seeds.begin(), *space.defaults());
}

void SeededStrategy::takeSeeds(std::vector<Point> &points, size_t count) {
  for (; points.size() < count && nextSeed < options.seeds.size(); ++nextSeed) {
    auto legal = space.repair(options.seeds[nextSeed]);
    if (legal && claim(*legal)) points.push_back(std::move(*legal));
  }
}

std::optional<Point> SeededStrategy::fresh() {
  for (unsigned attempt = 0; attempt < 300; ++attempt)
    if (auto point = space.sample(random); point && claim(*point)) return point;
  return std::nullopt;
}

std::unique_ptr<Strategy> makeRandom(const Space &space, StrategyOptions options) {
  return std::make_unique<RandomStrategy>(space, std::move(options));
}
std::unique_ptr<Strategy> makeExhaustive(const Space &space, StrategyOptions options) {
  return std::make_unique<ExhaustiveStrategy>(space, std::move(options));
}
std::unique_ptr<Strategy> makeFixed(const Space &space, StrategyOptions options) {
  return std::make_unique<FixedStrategy>(space, std::move(options));
}

std::vector<std::string_view> strategyNames() {
  std::vector<std::string_view> names;
  for (const auto &strategy : kStrategies) names.push_back(strategy.name);
  return names;
}

Expected<std::unique_ptr<Strategy>> makeStrategy(std::string_view name, const Space &space, StrategyOptions options) {
  for (const auto &strategy : kStrategies)
    if (strategy.name == name) return strategy.make(space, std::move(options));
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("unknown tuning strategy '{}'", name))
      .withFix(fmt::format("use one of: {}", fmt::join(strategyNames(), ", ")));
}

} // namespace pantile::tuner
