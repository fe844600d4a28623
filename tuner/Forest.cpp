//===- tuner/Forest.cpp - growing and asking trees ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Forest.h"

#include <algorithm>
#include <cmath>

namespace pantile::tuner {

struct Forest::Fit {
  std::span<const float> rows;
  size_t width;
  const std::vector<bool> &labels;
  std::span<const float> weights;
  Options options;
  Random &random;
  std::vector<uint32_t> sample;                   ///< row numbers of this tree's bootstrap
  std::vector<std::pair<float, uint32_t>> column; ///< scratch: one feature of a node's rows
  std::vector<uint32_t> features;
  float at(uint32_t row, size_t feature) const { return rows[row * width + feature]; }
};

void Forest::fit(std::span<const float> rows, size_t width, const std::vector<bool> &labels, std::span<const float> weights,
                 Options options, Random &random) {
  nodes.clear();
  roots.clear();
  size_t count = labels.size();
  if (count == 0 || width == 0) return;
  Fit fit{rows, width, labels, weights, options, random, {}, {}, {}};
  fit.sample.resize(count);
  for (size_t i = 0; i < width; ++i) fit.features.push_back(uint32_t(i));
  for (unsigned tree = 0; tree < options.trees; ++tree) {
    for (uint32_t &row : fit.sample) row = uint32_t(random.below(count));
    roots.push_back(grow(fit, 0, count, 0));
  }
}

uint32_t Forest::grow(Fit &fit, size_t begin, size_t end, unsigned depth) {
  float total = 0, positive = 0;
  for (size_t i = begin; i < end; ++i) {
    float weight = fit.weights[fit.sample[i]];
    total += weight;
    if (fit.labels[fit.sample[i]]) positive += weight;
  }
  uint32_t self = uint32_t(nodes.size());
  nodes.push_back({0, positive / total, -1, 0, 0});
  if (depth >= fit.options.depth || end - begin < 2 * fit.options.leaf || positive == 0 || positive == total) return self;

  // Impurity after the split, to be as low as possible; a split must lower it.
  auto impurity = [](float p, float w) { return w > 0 ? 2 * p * (w - p) / w : 0; };
  float bestScore = impurity(positive, total) - 1e-6f, bestThreshold = 0;
  int32_t bestFeature = -1;
  fit.random.shuffle(fit.features);
  size_t tries = std::max<size_t>(1, size_t(std::lround(std::sqrt(double(fit.width)) * 1.5)));
  for (size_t t = 0, informative = 0; t < fit.width && informative < tries; ++t) {
    uint32_t feature = fit.features[t];
    fit.column.clear();
    for (size_t i = begin; i < end; ++i) fit.column.push_back({fit.at(fit.sample[i], feature), fit.sample[i]});
    std::sort(fit.column.begin(), fit.column.end());
    if (fit.column.front().first == fit.column.back().first) continue;
    ++informative;
    float lowTotal = 0, lowPositive = 0;
    for (size_t i = 0; i + 1 < fit.column.size(); ++i) {
      float weight = fit.weights[fit.column[i].second];
      lowTotal += weight;
      if (fit.labels[fit.column[i].second]) lowPositive += weight;
      if (fit.column[i].first == fit.column[i + 1].first || i + 1 < fit.options.leaf || fit.column.size() - i - 1 < fit.options.leaf)
        continue;
      float score = impurity(lowPositive, lowTotal) + impurity(positive - lowPositive, total - lowTotal);
      if (score < bestScore) {
        bestScore = score;
        bestFeature = int32_t(feature);
        bestThreshold = (fit.column[i].first + fit.column[i + 1].first) / 2;
      }
    }
  }
  if (bestFeature < 0) return self;
  auto middle = std::partition(fit.sample.begin() + ptrdiff_t(begin), fit.sample.begin() + ptrdiff_t(end),
                               [&](uint32_t row) { return fit.at(row, size_t(bestFeature)) <= bestThreshold; });
  size_t split = size_t(middle - fit.sample.begin());
  if (split == begin || split == end) return self;
  uint32_t low = grow(fit, begin, split, depth + 1), high = grow(fit, split, end, depth + 1);
  nodes[self] = {bestThreshold, 0, bestFeature, low, high};
  return self;
}

float Forest::predict(std::span<const float> row) const {
  if (roots.empty()) return 0;
  float sum = 0;
  for (uint32_t at : roots) {
    while (nodes[at].feature >= 0) at = row[size_t(nodes[at].feature)] <= nodes[at].threshold ? nodes[at].low : nodes[at].high;
    sum += nodes[at].value;
  }
  return sum / float(roots.size());
}

} // namespace pantile::tuner
