//===- tuner/strategies/Strategies.h - what the strategies share ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_STRATEGIES_H
#define PANTILE_TUNER_STRATEGIES_H

#include "tuner/CostModel.h"
#include "tuner/Strategy.h"

#include <unordered_set>

namespace pantile::tuner {

/// Every strategy starts with the space's defaults and the seeds, and never asks a point twice.
class SeededStrategy : public Strategy {
public:
  SeededStrategy(const Space &space, StrategyOptions options);

protected:
  /// Marks a legal point as asked; false where it was already.
  bool claim(const Point &point) { return asked.insert(point).second; }
  bool claimed(const Point &point) const { return asked.contains(point); }
  /// Appends seeds not yet asked, until `points` has `count`.
  void takeSeeds(std::vector<Point> &points, size_t count);
  /// A sampled point not asked before; nothing after many tries: the space is as good as used up.
  std::optional<Point> fresh();

  const Space &space;
  StrategyOptions options;
  Random random;

private:
  std::unordered_set<Point, PointHash> asked;
  size_t nextSeed = 0;
};

std::unique_ptr<Strategy> makeRandom(const Space &space, StrategyOptions options);
std::unique_ptr<Strategy> makeExhaustive(const Space &space, StrategyOptions options);
std::unique_ptr<Strategy> makeFixed(const Space &space, StrategyOptions options);
std::unique_ptr<Strategy> makeDifferentialEvolution(const Space &space, StrategyOptions options);
std::unique_ptr<Strategy> makePattern(const Space &space, StrategyOptions options);
std::unique_ptr<Strategy> makeModelForest(const Space &space, StrategyOptions options);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_STRATEGIES_H
