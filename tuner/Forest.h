//===- tuner/Forest.h - a random-forest classifier ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Breiman, "Random Forests" (2001): trees on bootstrap samples, each split chosen by Gini impurity among a random subset
// of features and thresholds. Predicts the probability of the positive class. A few hundred rows, a few tens of features.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_FOREST_H
#define PANTILE_TUNER_FOREST_H

#include "tuner/Random.h"

#include <span>

namespace pantile::tuner {

class Forest {
public:
  struct Options {
    unsigned trees = 60, depth = 12, leaf = 2;
  };
  /// `rows`: labels.size() rows of `width` numbers, one after another. Weights are positive.
  void fit(std::span<const float> rows, size_t width, const std::vector<bool> &labels, std::span<const float> weights, Options options,
           Random &random);
  /// In [0, 1]; 0 before fit.
  float predict(std::span<const float> row) const;
  bool empty() const { return roots.empty(); }

private:
  struct Node {
    float threshold = 0, value = 0;
    int32_t feature = -1; ///< -1: a leaf
    uint32_t low = 0, high = 0;
  };
  struct Fit;
  uint32_t grow(Fit &fit, size_t begin, size_t end, unsigned depth);
  std::vector<Node> nodes;
  std::vector<uint32_t> roots;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_FOREST_H
