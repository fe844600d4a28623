//===- tuner/SpaceSearch.cpp - legality, repair, and moving through a space ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Space.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace pantile::tuner {

std::vector<int64_t> Space::variablesAt(const Point &point) const {
  std::vector<int64_t> result = variables;
  for (size_t i = 0; i < parameters.size(); ++i) result[i] = valueAt(i, point[i]);
  return result;
}

Point Space::canonical(Point point) const {
  std::vector<int64_t> values = variablesAt(point);
  // Every change moves a parameter to its default, where it stays, so this ends after at most one pass per parameter.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (!parameters[i].activeIf || point[i] == parameters[i].fallback) continue;
      if (int64_t active; parameters[i].activeIf->evaluate(values, active) && active == 0) {
        point[i] = parameters[i].fallback;
        values[i] = valueAt(i, point[i]);
        changed = true;
      }
    }
  }
  return point;
}

unsigned Space::violations(std::span<const int64_t> values) const {
  unsigned count = 0;
  for (const Constraint &constraint : constraints)
    if (int64_t holds; !constraint.expression.evaluate(values, holds) || holds == 0) ++count;
  return count;
}

bool Space::legal(const Point &point) const { return violations(point) == 0; }

Status Space::check(const Point &point) const {
  std::vector<int64_t> values = variablesAt(point);
  for (size_t i = 0; i < constraints.size(); ++i) {
    const ConstraintDescription &description = spaceDescription.constraints[i];
    const std::string &text = description.text.empty() ? description.expression : description.text;
    auto result = constraints[i].expression.evaluate(values);
    if (!result)
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} cannot be used here: {}", configuration(point).toText(), text))
          .withCause(result.status().message());
    if (*result == 0)
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} breaks a constraint: {}", configuration(point).toText(), text));
  }
  return {};
}

namespace {

/// A few tens of indices that cover a domain: all of a small one, else steps that double in size on both sides.
std::vector<uint64_t> coveringIndices(uint64_t index, uint64_t cardinality) {
  std::vector<uint64_t> result;
  if (cardinality <= 32) {
    for (uint64_t i = 0; i < cardinality; ++i) result.push_back(i);
  } else {
    for (uint64_t step = 1; step < cardinality; step *= 2) {
      if (step <= index) result.push_back(index - step);
      if (step < cardinality - index) result.push_back(index + step);
    }
    result.push_back(0);
    result.push_back(cardinality - 1);
    result.push_back(index);
  }
  std::sort(result.begin(), result.end(), [&](uint64_t a, uint64_t b) {
    uint64_t da = a > index ? a - index : index - a, db = b > index ? b - index : index - b;
    return da != db ? da < db : a < b;
  });
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

} // namespace

std::optional<Point> Space::repair(const Point &point) const {
  Point current = canonical(point);
  unsigned broken = violations(current);
  if (broken == 0) return current;

  // Parameters that a broken constraint reads, or that decide whether one of those is active.
  auto suspects = [&](const Point &at) {
    std::vector<int64_t> values = variablesAt(at);
    std::vector<bool> in(parameters.size());
    for (const Constraint &constraint : constraints)
      if (int64_t holds; !constraint.expression.evaluate(values, holds) || holds == 0)
        for (uint32_t use : constraint.uses) in[use] = true;
    std::vector<size_t> result;
    for (size_t i = 0; i < parameters.size(); ++i)
      if (in[i] && parameters[i].cardinality > 1) result.push_back(i);
    return result;
  };

  size_t budget = 100000; // evaluations: a space without legal points must not take seconds
  auto descend = [&](Point start) -> std::optional<Point> {
    unsigned count = violations(start);
    for (unsigned round = 0; count > 0 && round < 32; ++round) {
      std::vector<size_t> dims = suspects(start);
      Point best;
      unsigned bestCount = count;
      for (size_t rank = 1; best.empty() && rank <= 2; ++rank) {
        // Nearest values first, so the first point of the lowest count is also the one that moved least in its parameter.
        uint64_t bestMove = UINT64_MAX;
        auto consider = [&](const Point &raw, uint64_t move) {
          if (budget == 0) return;
          --budget;
          Point candidate = canonical(raw);
          unsigned now = violations(candidate);
          if (now < bestCount || (now == bestCount && now < count && move < bestMove)) best = candidate, bestCount = now, bestMove = move;
        };
        for (size_t a = 0; a < dims.size(); ++a) {
          std::vector<uint64_t> choices = coveringIndices(start[dims[a]], parameters[dims[a]].cardinality);
          for (size_t ia = 1; ia < choices.size(); ++ia) {
            Point candidate = start;
            candidate[dims[a]] = choices[ia];
            if (rank == 1) {
              consider(candidate, ia);
              continue;
            }
            for (size_t b = a + 1; b < dims.size(); ++b) {
              std::vector<uint64_t> others = coveringIndices(start[dims[b]], parameters[dims[b]].cardinality);
              for (size_t ib = 1; ib < std::min<size_t>(others.size(), 16); ++ib) {
                candidate[dims[b]] = others[ib];
                consider(candidate, ia + ib);
              }
              candidate[dims[b]] = start[dims[b]];
            }
          }
        }
      }
      if (best.empty()) return std::nullopt;
      start = best;
      count = bestCount;
    }
    return count == 0 ? std::optional(start) : std::nullopt;
  };

  if (auto found = descend(current)) return found;
  Random random(PointHash()(current));
  for (unsigned attempt = 0; attempt < 64 && budget > 0; ++attempt) {
    std::vector<size_t> dims = suspects(current);
    Point start = current;
    // Few parameters at first, then wherever the search leads.
    for (size_t dim : dims)
      if (random.chance(0.25 + attempt / 128.0)) start[dim] = random.below(parameters[dim].cardinality);
    if (attempt >= 32)
      for (size_t i = 0; i < start.size(); ++i)
        if (random.chance(0.3)) start[i] = random.below(parameters[i].cardinality);
    if (auto found = descend(canonical(std::move(start)))) return found;
  }
  return std::nullopt;
}

/// An index. Of "0 to a million" nearly all are huge: such a parameter is about magnitudes.
uint64_t Space::draw(size_t dimension, Random &random) const {
  const Parameter &parameter = parameters[dimension];
  if (parameter.kind != PANTILE_PARAMETER_INTEGER || parameter.cardinality <= 64 || random.chance(0.2))
    return random.below(parameter.cardinality);
  double index = std::exp2(random.uniform() * std::log2(double(parameter.cardinality))) - 1;
  return std::min(uint64_t(std::max(0.0, index)), parameter.cardinality - 1);
}

std::optional<Point> Space::sample(Random &random) const {
  Point point(parameters.size());
  auto drawAll = [&] {
    for (size_t i = 0; i < parameters.size(); ++i) point[i] = draw(i, random);
    return canonical(point);
  };
  for (unsigned attempt = 0; attempt < 200; ++attempt)
    if (Point drawn = drawAll(); legal(drawn)) return drawn;
  for (unsigned attempt = 0; attempt < 8; ++attempt)
    if (auto repaired = repair(drawAll())) return repaired;
  return legalDefaults;
}

std::vector<Point> Space::neighbours(const Point &point, unsigned radius) const {
  std::vector<Point> result;
  for (size_t i = 0; i < parameters.size(); ++i)
    for (uint64_t index : nearbyIndices(i, point[i], radius)) {
      Point other = point;
      other[i] = index;
      other = canonical(std::move(other));
      if (other != point && legal(other) && std::find(result.begin(), result.end(), other) == result.end())
        result.push_back(std::move(other));
    }
  return result;
}

std::optional<Point> Space::mutate(const Point &point, double probability, Random &random) const {
  if (parameters.empty()) return std::nullopt;
  Point result = point;
  size_t certain = random.below(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (i != certain && !random.chance(probability)) continue;
    std::vector<uint64_t> nearby = nearbyIndices(i, point[i], 2);
    if (!nearby.empty() && random.chance(0.5))
      result[i] = nearby[random.below(nearby.size())];
    else
      result[i] = draw(i, random);
  }
  return repair(result);
}

std::optional<Point> Space::crossover(const Point &target, const Point &donor, double rate, Random &random) const {
  if (parameters.empty()) return std::nullopt;
  Point result = target;
  size_t certain = random.below(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i)
    if (bool taken = random.chance(rate); taken || i == certain) result[i] = donor[i];
  return repair(result);
}

Point Space::differential(const Point &a, const Point &b, const Point &c, double weight, Random &random) const {
  Point result = a;
  for (size_t i = 0; i < parameters.size(); ++i) {
    switch (parameters[i].kind) {
    case PANTILE_PARAMETER_BOOL:
    case PANTILE_PARAMETER_ENUM:
    case PANTILE_PARAMETER_PERMUTATION:
      if (bool taken = random.chance(weight); taken && b[i] != c[i]) result[i] = b[i];
      break;
    default: {
      double last = double(parameters[i].cardinality - 1);
      // Dithered rounding: on short scales a fixed rounding would make most differences vanish.
      double moved = double(a[i]) + weight * (double(b[i]) - double(c[i])) + random.uniform() - 0.5;
      result[i] = uint64_t(std::clamp(std::round(moved), 0.0, last));
      if (result[i] >= parameters[i].cardinality) result[i] = parameters[i].cardinality - 1; // doubles beyond 2^53
    }
    }
  }
  return result;
}

bool Space::advance(Point &point) const {
  for (size_t i = parameters.size(); i > 0; --i) {
    if (++point[i - 1] < parameters[i - 1].cardinality) return true;
    point[i - 1] = 0;
  }
  return false;
}

} // namespace pantile::tuner
