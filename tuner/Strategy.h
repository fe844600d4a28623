//===- tuner/Strategy.h - which configurations to try next ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_STRATEGY_H
#define PANTILE_TUNER_STRATEGY_H

#include "tuner/Trial.h"

namespace pantile::tuner {

class CostModel;

/// Proposes points and learns from what became of them. Not thread safe. The same seed and the same sequence of calls give
/// the same points. Trials may be told in another order than asked, and while others are still under way.
class Strategy {
public:
  virtual ~Strategy() = default;
  /// At most `count` new legal points, none asked before. Fewer, or none, while it waits for trials (a generation is under
  /// way) or when done.
  virtual std::vector<Point> ask(size_t count) = 0;
  virtual void tell(std::span<const Trial> trials) = 0;
  /// Nothing more to ask, whatever is told.
  virtual bool done() const = 0;
};

struct StrategyOptions {
  uint64_t seed = 0;
  /// Tried first, in order, after the space's defaults: winners of the cache, of neighbouring shapes, formulas.
  std::vector<Point> seeds;
  /// May be null: strategies that rank then sample instead. Must outlive the strategy.
  const CostModel *model = nullptr;
  /// How many trials the budget is likely to allow, 0: unknown. Shapes the first phase of `model_rf`.
  size_t expectedTrials = 0;
};

/// "model_rf" (the default), "differential_evolution", "pattern", "lfbo" (model_rf without the model), "random", "exhaustive", "fixed" (the
/// seeds, or the defaults where there are none). The space must outlive the strategy. An unknown name is an error that lists these.
Expected<std::unique_ptr<Strategy>> makeStrategy(std::string_view name, const Space &space, StrategyOptions options);
std::vector<std::string_view> strategyNames();

} // namespace pantile::tuner

#endif // PANTILE_TUNER_STRATEGY_H
