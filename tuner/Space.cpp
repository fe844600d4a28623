//===- tuner/Space.cpp - domains, values and configurations ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Space.h"

#include "core/Hash.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>

namespace pantile::tuner {
namespace {

constexpr size_t kMaxParameters = 256;
constexpr uint32_t kMaxPermutation = 20; // 20! is below 2^63

uint64_t factorial(uint64_t n) { return n < 2 ? 1 : n * factorial(n - 1); }

/// The permutation of 0 .. length-1 with a rank in lexicographic order, and back.
std::vector<int64_t> permutationOf(uint32_t length, uint64_t rank) {
  std::vector<int64_t> left(length), result;
  std::iota(left.begin(), left.end(), 0);
  for (uint32_t i = length; i > 0; --i) {
    uint64_t step = factorial(i - 1), position = rank / step;
    rank %= step;
    result.push_back(left[position]);
    left.erase(left.begin() + ptrdiff_t(position));
  }
  return result;
}

std::optional<uint64_t> rankOf(const std::vector<int64_t> &permutation, uint32_t length) {
  if (permutation.size() != length) return std::nullopt;
  std::vector<int64_t> left(length);
  std::iota(left.begin(), left.end(), 0);
  uint64_t rank = 0;
  for (int64_t value : permutation) {
    auto found = std::find(left.begin(), left.end(), value);
    if (found == left.end()) return std::nullopt;
    rank += uint64_t(found - left.begin()) * factorial(left.size() - 1);
    left.erase(found);
  }
  return rank;
}

bool isPowerOfTwo(int64_t value) { return value > 0 && std::has_single_bit(uint64_t(value)); }

/// The number of values of a well-formed domain, or what is wrong with it.
Expected<uint64_t> cardinalityOf(const ParameterDescription &p) {
  auto wrong = [&](std::string_view what) { return Status(PANTILE_INVALID_ARGUMENT, fmt::format("parameter '{}': {}", p.name, what)); };
  switch (p.kind) {
  case PANTILE_PARAMETER_BOOL:
    return uint64_t(2);
  case PANTILE_PARAMETER_ENUM:
    if (p.labels.empty()) return wrong("an enum needs at least one label");
    if (!p.values.empty() && p.values.size() != p.labels.size())
      return wrong(fmt::format("{} ordinals for {} labels", p.values.size(), p.labels.size()));
    for (size_t i = 0; i < p.labels.size(); ++i)
      if (std::count(p.labels.begin(), p.labels.end(), p.labels[i]) > 1) return wrong(fmt::format("two labels '{}'", p.labels[i]));
    return uint64_t(p.labels.size());
  case PANTILE_PARAMETER_POW2:
    if (p.values.size() != 2 || !isPowerOfTwo(p.values[0]) || !isPowerOfTwo(p.values[1]) || p.values[0] > p.values[1])
      return wrong("a power of two needs {lowest, highest}, both powers of two, in this order");
    return uint64_t(std::countr_zero(uint64_t(p.values[1])) - std::countr_zero(uint64_t(p.values[0])) + 1);
  case PANTILE_PARAMETER_ORDERED:
    if (p.values.empty()) return wrong("an ordered parameter needs at least one value");
    if (std::adjacent_find(p.values.begin(), p.values.end(), std::greater_equal<>()) != p.values.end()) return wrong("values must ascend");
    return uint64_t(p.values.size());
  case PANTILE_PARAMETER_INTEGER:
    if (p.values.size() != 2 || p.values[0] > p.values[1]) return wrong("an integer needs {lowest, highest}, in this order");
    if (uint64_t span = uint64_t(p.values[1]) - uint64_t(p.values[0]); span >= uint64_t(INT64_MAX)) return wrong("range too wide");
    return uint64_t(p.values[1]) - uint64_t(p.values[0]) + 1;
  case PANTILE_PARAMETER_PERMUTATION:
    if (p.length < 1 || p.length > kMaxPermutation) return wrong(fmt::format("a permutation has 1 to {} elements", kMaxPermutation));
    return factorial(p.length);
  }
  return wrong(fmt::format("unknown kind {}", int(p.kind)));
}

} // namespace

size_t PointHash::operator()(const Point &point) const {
  uint64_t hash = 0x9e3779b97f4a7c15;
  for (uint64_t index : point) hash = (std::rotl(hash, 5) ^ index) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 32);
}

std::string spaceHash(const SpaceDescription &description) {
  Hasher hasher;
  hasher.field(uint64_t(description.parameters.size()));
  for (const ParameterDescription &p : description.parameters) {
    hasher.field(p.name).field(uint64_t(p.kind)).field(uint64_t(p.launchOnly)).field(uint64_t(p.length)).field(uint64_t(p.values.size()));
    for (int64_t value : p.values) hasher.field(uint64_t(value));
    hasher.field(uint64_t(p.labels.size()));
    for (const std::string &label : p.labels) hasher.field(label);
    hasher.field(p.activeIf);
  }
  hasher.field(uint64_t(description.constraints.size()));
  for (const ConstraintDescription &c : description.constraints) hasher.field(c.expression);
  return hasher.finish().hex().substr(0, 16);
}

Expected<Space> Space::create(SpaceDescription description, const CallValues &values) {
  Space space;
  space.spaceDescription = std::move(description);
  space.callValues = values;
  const auto &described = space.spaceDescription.parameters;
  if (described.size() > kMaxParameters)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} parameters; a space has at most {}", described.size(), kMaxParameters));

  std::map<std::string, uint32_t, std::less<>> numbers;
  for (size_t i = 0; i < described.size(); ++i) {
    if (!numbers.emplace("c." + described[i].name, uint32_t(i)).second)
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("two parameters named '{}'", described[i].name));
    PANTILE_ASSIGN(uint64_t cardinality, cardinalityOf(described[i]));
    size_t width = described[i].kind == PANTILE_PARAMETER_ENUM          ? size_t(cardinality)
                   : described[i].kind == PANTILE_PARAMETER_PERMUTATION ? size_t(described[i].length * (described[i].length - 1) / 2)
                                                                        : 1;
    space.parameters.push_back({described[i].kind, cardinality, 0, std::nullopt, width});
    space.encodedWidth += width;
    space.variables.push_back(0);
  }
  for (const auto &[name, value] : values) {
    numbers.emplace(name, uint32_t(space.variables.size()));
    space.variables.push_back(value);
  }
  uint32_t visible = uint32_t(described.size()); // parameters that an expression may read
  std::vector<uint32_t> uses;
  auto resolve = [&](std::string_view name) -> std::optional<uint32_t> {
    auto found = numbers.find(name);
    if (found == numbers.end()) return std::nullopt;
    if (found->second < described.size()) {
      if (found->second >= visible) return std::nullopt;
      uses.push_back(found->second);
    }
    return found->second;
  };

  for (size_t i = 0; i < described.size(); ++i) {
    visible = uint32_t(i);
    if (described[i].kind != PANTILE_PARAMETER_PERMUTATION && !described[i].defaultValue.empty()) {
      auto expression = Expression::parse(described[i].defaultValue, resolve);
      if (!expression) return std::move(expression).status().in(fmt::format("default of parameter '{}'", described[i].name));
      if (int64_t value; expression->evaluate(space.variables, value)) space.parameters[i].fallback = space.nearestIndex(i, value);
    }
    space.variables[i] = space.valueAt(i, space.parameters[i].fallback);
  }
  visible = uint32_t(described.size());
  for (size_t i = 0; i < described.size(); ++i) {
    if (described[i].activeIf.empty()) continue;
    auto expression = Expression::parse(described[i].activeIf, resolve);
    if (!expression) return std::move(expression).status().in(fmt::format("active_if of parameter '{}'", described[i].name));
    space.parameters[i].activeIf = *std::move(expression);
  }
  for (const ConstraintDescription &constraint : space.spaceDescription.constraints) {
    uses.clear();
    auto expression = Expression::parse(constraint.expression, resolve);
    if (!expression)
      return std::move(expression)
          .status()
          .in(fmt::format("constraint '{}'", constraint.text.empty() ? constraint.expression : constraint.text));
    std::sort(uses.begin(), uses.end());
    uses.erase(std::unique(uses.begin(), uses.end()), uses.end());
    space.constraints.push_back({*std::move(expression), uses});
  }
  for (const FeatureDescription &feature : space.spaceDescription.features)
    if (auto expression = Expression::parse(feature.expression, resolve)) space.features.emplace(feature.name, *std::move(expression));

  Point start;
  for (const Parameter &parameter : space.parameters) start.push_back(parameter.fallback);
  space.legalDefaults = space.repair(start);
  return space;
}

uint64_t Space::size() const {
  uint64_t product = 1;
  for (const Parameter &parameter : parameters)
    if (__builtin_mul_overflow(product, parameter.cardinality, &product)) return UINT64_MAX;
  return product;
}

int64_t Space::valueAt(size_t dimension, uint64_t index) const {
  const ParameterDescription &p = spaceDescription.parameters[dimension];
  switch (p.kind) {
  case PANTILE_PARAMETER_ENUM:
    return p.values.empty() ? int64_t(index) : p.values[index];
  case PANTILE_PARAMETER_POW2:
    return p.values[0] << index;
  case PANTILE_PARAMETER_ORDERED:
    return p.values[index];
  case PANTILE_PARAMETER_INTEGER:
    return p.values[0] + int64_t(index);
  default:
    return int64_t(index); // bool; a permutation's rank
  }
}

uint64_t Space::nearestIndex(size_t dimension, int64_t value) const {
  const ParameterDescription &p = spaceDescription.parameters[dimension];
  uint64_t last = parameters[dimension].cardinality - 1;
  switch (p.kind) {
  case PANTILE_PARAMETER_BOOL:
    return value != 0;
  case PANTILE_PARAMETER_ENUM: {
    if (p.values.empty()) return value < 0 ? 0 : std::min(uint64_t(value), last);
    auto found = std::find(p.values.begin(), p.values.end(), value);
    return found == p.values.end() ? 0 : uint64_t(found - p.values.begin());
  }
  case PANTILE_PARAMETER_POW2: {
    if (value <= p.values[0]) return 0;
    if (value >= p.values[1]) return last;
    int low = std::bit_width(uint64_t(value)) - 1;
    bool upper = double(value) > std::exp2(low + 0.5);
    return std::min(uint64_t(low + upper - std::countr_zero(uint64_t(p.values[0]))), last);
  }
  case PANTILE_PARAMETER_ORDERED: {
    auto upper = std::lower_bound(p.values.begin(), p.values.end(), value);
    if (upper == p.values.begin()) return 0;
    if (upper == p.values.end()) return last;
    bool lowerIsNearer = uint64_t(value) - uint64_t(upper[-1]) <= uint64_t(*upper) - uint64_t(value);
    return uint64_t(upper - p.values.begin()) - (lowerIsNearer ? 1 : 0);
  }
  case PANTILE_PARAMETER_INTEGER:
    if (value <= p.values[0]) return 0;
    return value >= p.values[1] ? last : uint64_t(value) - uint64_t(p.values[0]);
  case PANTILE_PARAMETER_PERMUTATION:
    return value < 0 ? 0 : std::min(uint64_t(value), last);
  }
  return 0;
}

Setting Space::settingAt(size_t dimension, uint64_t index) const {
  const ParameterDescription &p = spaceDescription.parameters[dimension];
  if (p.kind == PANTILE_PARAMETER_ENUM) return p.labels[index];
  if (p.kind == PANTILE_PARAMETER_PERMUTATION) return permutationOf(p.length, index);
  return valueAt(dimension, index);
}

std::optional<uint64_t> Space::indexOf(size_t dimension, const Setting &setting) const {
  const ParameterDescription &p = spaceDescription.parameters[dimension];
  if (p.kind == PANTILE_PARAMETER_ENUM) {
    auto label = std::get_if<std::string>(&setting);
    if (!label) return std::nullopt;
    auto found = std::find(p.labels.begin(), p.labels.end(), *label);
    return found == p.labels.end() ? std::nullopt : std::optional(uint64_t(found - p.labels.begin()));
  }
  if (p.kind == PANTILE_PARAMETER_PERMUTATION) {
    auto list = std::get_if<std::vector<int64_t>>(&setting);
    return list ? rankOf(*list, p.length) : std::nullopt;
  }
  auto value = std::get_if<int64_t>(&setting);
  if (!value) return std::nullopt;
  uint64_t index = nearestIndex(dimension, *value);
  return valueAt(dimension, index) == *value ? std::optional(index) : std::nullopt;
}

std::string Space::accepted(size_t dimension) const {
  const ParameterDescription &p = spaceDescription.parameters[dimension];
  switch (p.kind) {
  case PANTILE_PARAMETER_BOOL:
    return "0 or 1";
  case PANTILE_PARAMETER_ENUM:
    return fmt::format("one of \"{}\"", fmt::join(p.labels, "\", \""));
  case PANTILE_PARAMETER_POW2:
    return fmt::format("a power of two from {} to {}", p.values[0], p.values[1]);
  case PANTILE_PARAMETER_ORDERED:
    return fmt::format("one of {}", fmt::join(p.values, ", "));
  case PANTILE_PARAMETER_INTEGER:
    return fmt::format("an integer from {} to {}", p.values[0], p.values[1]);
  case PANTILE_PARAMETER_PERMUTATION:
    return fmt::format("a permutation of 0 to {}, such as {}", p.length - 1, permutationOf(p.length, 0));
  }
  return "";
}

Configuration Space::configuration(const Point &point) const {
  Configuration configuration;
  for (size_t i = 0; i < parameters.size(); ++i) configuration.set(spaceDescription.parameters[i].name, settingAt(i, point[i]));
  return configuration;
}

Expected<Point> Space::point(const Configuration &configuration) const {
  Point point;
  for (const Parameter &parameter : parameters) point.push_back(parameter.fallback);
  for (const auto &[name, setting] : configuration.map()) {
    size_t i = 0;
    while (i < parameters.size() && spaceDescription.parameters[i].name != name) ++i;
    if (i == parameters.size()) {
      std::vector<std::string> names;
      for (const ParameterDescription &p : spaceDescription.parameters) names.push_back(p.name);
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("this kernel has no parameter '{}' on this target", name))
          .withFix(fmt::format("use some of: {}", fmt::join(names, ", ")));
    }
    std::optional<uint64_t> index = indexOf(i, setting);
    if (!index) {
      Configuration one;
      one.set(name, setting);
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} is outside the space of parameter '{}'", one.toText(), name))
          .withFix(fmt::format("give {}", accepted(i)));
    }
    point[i] = *index;
  }
  return canonical(std::move(point));
}

Point Space::nearest(const Configuration &configuration) const {
  Point point;
  for (size_t i = 0; i < parameters.size(); ++i) {
    point.push_back(parameters[i].fallback);
    const Setting *setting = configuration.find(spaceDescription.parameters[i].name);
    if (!setting) continue;
    if (std::optional<uint64_t> exact = indexOf(i, *setting))
      point[i] = *exact;
    else if (auto value = std::get_if<int64_t>(setting);
             value && parameters[i].kind != PANTILE_PARAMETER_ENUM && parameters[i].kind != PANTILE_PARAMETER_PERMUTATION)
      point[i] = nearestIndex(i, *value);
  }
  return canonical(std::move(point));
}

void Space::encode(const Point &point, std::vector<float> &out) const {
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].kind == PANTILE_PARAMETER_ENUM) {
      for (uint64_t label = 0; label < parameters[i].cardinality; ++label) out.push_back(label == point[i] ? 1.f : 0.f);
    } else if (parameters[i].kind == PANTILE_PARAMETER_PERMUTATION) {
      uint32_t length = spaceDescription.parameters[i].length;
      std::vector<int64_t> permutation = permutationOf(length, point[i]), position(length);
      for (uint32_t at = 0; at < length; ++at) position[size_t(permutation[at])] = at;
      for (uint32_t a = 0; a < length; ++a)
        for (uint32_t b = a + 1; b < length; ++b) out.push_back(position[a] < position[b] ? 1.f : 0.f);
    } else {
      out.push_back(float(point[i]));
    }
  }
}

std::optional<int64_t> Space::feature(std::string_view name, const Point &point) const {
  auto found = features.find(name);
  if (found == features.end()) return std::nullopt;
  int64_t result;
  return found->second.evaluate(variablesAt(point), result) ? std::optional(result) : std::nullopt;
}

std::optional<int64_t> Space::value(std::string_view name) const {
  auto found = callValues.find(name);
  return found == callValues.end() ? std::nullopt : std::optional(found->second);
}

/// Indices one step of `neighbours` away, ascending in no order that matters but always the same.
std::vector<uint64_t> Space::nearbyIndices(size_t dimension, uint64_t index, unsigned radius) const {
  std::vector<uint64_t> result;
  uint64_t cardinality = parameters[dimension].cardinality;
  auto add = [&](uint64_t other) {
    if (other < cardinality && other != index && std::find(result.begin(), result.end(), other) == result.end()) result.push_back(other);
  };
  switch (parameters[dimension].kind) {
  case PANTILE_PARAMETER_BOOL:
  case PANTILE_PARAMETER_ENUM:
    for (uint64_t other = 0; other < cardinality; ++other) add(other);
    break;
  case PANTILE_PARAMETER_PERMUTATION: {
    uint32_t length = spaceDescription.parameters[dimension].length;
    std::vector<int64_t> permutation = permutationOf(length, index);
    for (uint32_t a = 0; a < length; ++a)
      for (uint32_t b = a + 1; b < length; ++b) {
        std::swap(permutation[a], permutation[b]);
        add(*rankOf(permutation, length));
        std::swap(permutation[a], permutation[b]);
      }
    break;
  }
  default:
    for (uint64_t step = 1; step <= radius; ++step) {
      if (step <= index) add(index - step);
      add(index + step);
    }
    if (parameters[dimension].kind == PANTILE_PARAMETER_INTEGER) {
      int64_t value = valueAt(dimension, index), twice;
      add(nearestIndex(dimension, value / 2));
      if (!__builtin_mul_overflow(value, int64_t(2), &twice)) add(nearestIndex(dimension, twice));
    }
  }
  return result;
}

} // namespace pantile::tuner
