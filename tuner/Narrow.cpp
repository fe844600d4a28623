//===- tuner/Narrow.cpp ---------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Narrow.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pantile::tuner {

namespace {

bool isInDomain(const ParameterDescription &p, int64_t value) {
  switch (p.kind) {
  case PANTILE_PARAMETER_BOOL:
    return value == 0 || value == 1;
  case PANTILE_PARAMETER_POW2:
    return value >= p.values[0] && value <= p.values[1] && std::has_single_bit(uint64_t(value));
  case PANTILE_PARAMETER_INTEGER:
    return value >= p.values[0] && value <= p.values[1];
  default:
    return std::find(p.values.begin(), p.values.end(), value) != p.values.end();
  }
}

} // namespace

Status narrow(SpaceDescription &space, const Configuration &part) {
  for (const auto &[name, setting] : part.map()) {
    auto wrong = [&](const std::string &what) {
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("fixed setting '{}': {}", name, what));
    };
    auto found = std::find_if(space.parameters.begin(), space.parameters.end(), [&](const auto &p) { return p.name == name; });
    if (found == space.parameters.end()) {
      std::vector<std::string> known;
      for (const ParameterDescription &p : space.parameters) known.push_back(p.name);
      return wrong("the kernel's space has no such parameter").withFix(fmt::format("known: {}", fmt::join(known, ", ")));
    }
    ParameterDescription &p = *found;
    if (p.kind == PANTILE_PARAMETER_PERMUTATION) return wrong("a permutation cannot be narrowed");
    if (auto *label = std::get_if<std::string>(&setting)) {
      auto at = std::find(p.labels.begin(), p.labels.end(), *label);
      if (at == p.labels.end()) return wrong(fmt::format("'{}' is none of its values: {}", *label, fmt::join(p.labels, ", ")));
      int64_t ordinal = p.values.empty() ? at - p.labels.begin() : p.values[size_t(at - p.labels.begin())];
      p.labels = {*label};
      p.values = {ordinal};
      continue;
    }
    if (p.kind == PANTILE_PARAMETER_ENUM) return wrong(fmt::format("is one of: {}", fmt::join(p.labels, ", ")));
    std::vector<int64_t> values = std::holds_alternative<int64_t>(setting) ? std::vector<int64_t>{std::get<int64_t>(setting)}
                                                                           : std::get<std::vector<int64_t>>(setting);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (values.empty()) return wrong("an empty list leaves nothing");
    for (int64_t value : values)
      if (!isInDomain(p, value)) return wrong(fmt::format("{} is outside its domain", value));
    p.kind = PANTILE_PARAMETER_ORDERED;
    p.values = std::move(values);
  }
  return {};
}

} // namespace pantile::tuner
