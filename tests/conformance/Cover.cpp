//===- tests/conformance/Cover.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Cover.h"

#include "core/Configuration.h"
#include "core/KernelText.h"
#include "ir/build/Library.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace conformance {

namespace {

constexpr int kCandidates = 40;
constexpr unsigned kMaxRows = 16, kBarren = 1;
constexpr uint64_t kSchedules = 3; // of the product: the default and drawn ones

std::string operatorName(const Variant &variant) { return variant.op + " " + variant.options; }

std::string pairOf(const std::string &a, const std::string &b) { return a < b ? a + "\n" + b : b + "\n" + a; }

/// "layout=padded" for each factor; sizes as "size M=prime".
std::vector<std::string> valuesOf(const Row &row) {
  std::vector<std::string> values;
  for (auto &[factor, level] : row.levels) values.push_back(factor + "=" + level);
  return values;
}

template <typename Visit> void eachPair(const Row &row, Visit visit) {
  const auto values = valuesOf(row);
  const std::string op = operatorName(*row.one.variant);
  for (size_t i = 0; i < values.size(); ++i) {
    visit(pairOf(op, values[i]));
    for (size_t j = 0; j < i; ++j) visit(pairOf(values[i], values[j]));
  }
}

/// "c.bm=64" for each knob.
std::vector<std::string> knobsOf(const std::string &configuration) {
  std::vector<std::string> values;
  auto parsed = pantile::Configuration::fromText(configuration);
  if (!parsed) return values;
  for (const auto &[name, setting] : parsed->map()) {
    pantile::Configuration one;
    one.set(name, setting);
    values.push_back("c." + one.toText());
  }
  return values;
}

} // namespace

Factors factorsOf(const Variant &variant) {
  Factors factors{&variant, {}};
  factors.levels.push_back({"dtype", variant.dtypes});
  const std::string dtype = variant.dtypes.front();
  std::set<std::string> sizes;
  auto text = pantile::buildLibraryKernel(variant.op, dtype + (dtype.empty() || variant.options.empty() ? "" : ",") + variant.options);
  if (text)
    if (auto read = pantile::readKernelText(*text))
      for (const auto &argument : read->header.arguments)
        for (const std::string &name : argument.sizes)
          if (name.find_first_not_of("0123456789") != std::string::npos) sizes.insert(name);
  for (const auto &derived : variant.derived) sizes.insert(derived.from);
  for (const std::string &name : sizes)
    if (auto levels = levelsOf(variant, name); !levels.empty()) factors.levels.push_back({"size " + name, std::move(levels)});
  std::vector<std::string> layouts, contents;
  for (Layout layout : kLayouts) layouts.emplace_back(name(layout));
  for (Contents one : kContents)
    if (one != Contents::Specials || variant.specials) contents.emplace_back(name(one));
  factors.levels.push_back({"layout", layouts});
  factors.levels.push_back({"contents", contents});
  factors.levels.push_back({"schedule", {"drawn", "default"}});
  return factors;
}

std::optional<Row> rowOf(const Factors &factors, const std::vector<std::string> &chosen, int64_t budget, std::mt19937_64 &random) {
  Row row;
  row.one.variant = factors.variant;
  std::map<std::string, std::string> sizes;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const std::string &factor = factors.levels[i].first;
    row.levels[factor] = chosen[i];
    if (factor == "dtype") row.one.dtype = chosen[i];
    if (factor.rfind("size ", 0) == 0) sizes[factor.substr(5)] = chosen[i];
    for (Layout layout : kLayouts)
      if (factor == "layout" && name(layout) == chosen[i]) row.one.layout = layout;
    for (Contents contents : kContents)
      if (factor == "contents" && name(contents) == chosen[i]) row.one.contents = contents;
    if (factor == "schedule") row.drawn = chosen[i] == "drawn";
  }
  auto drawn = drawSizes(*factors.variant, sizes, budget, random);
  if (!drawn) return std::nullopt;
  row.one.sizes = *std::move(drawn);
  row.one.seed = random() % 1000000;
  return row;
}

Cover::Cover(std::vector<Factors> operators, int64_t budget, uint64_t seed) : budget(budget), random(seed) {
  for (auto &factors : operators) {
    const std::string op = operatorName(*factors.variant);
    for (size_t i = 0; i < factors.levels.size(); ++i)
      for (const auto &a : factors.levels[i].second) {
        const std::string value = factors.levels[i].first + "=" + a;
        open.insert(pairOf(op, value));
        for (size_t j = 0; j < i; ++j)
          for (const auto &b : factors.levels[j].second) open.insert(pairOf(value, factors.levels[j].first + "=" + b));
      }
    states.push_back({std::move(factors)});
  }
  pairs = open.size();
}

std::optional<Row> Cover::best(State &state, size_t &gain) {
  std::optional<Row> best;
  for (int i = 0; i < kCandidates; ++i) {
    std::vector<std::string> chosen;
    for (const auto &[factor, levels] : state.factors.levels) {
      // Half of the choices for a factor go to what this operator has not had.
      std::vector<std::string> fresh;
      for (const auto &level : levels)
        if (open.contains(pairOf(operatorName(*state.factors.variant), factor + "=" + level))) fresh.push_back(level);
      const auto &from = !fresh.empty() && random() % 2 ? fresh : levels;
      // The default schedule is one of very many.
      chosen.push_back(factor == "schedule" && fresh.empty() ? levels[random() % 8 == 0] : from[random() % from.size()]);
    }
    auto row = rowOf(state.factors, chosen, budget, random);
    if (!row) continue;
    size_t count = 0;
    eachPair(*row, [&](const std::string &pair) { count += open.contains(pair); });
    if (!best || count > gain) gain = count, best = std::move(row);
  }
  return best;
}

std::optional<Row> Cover::next() {
  for (size_t looked = 0; looked < states.size(); ++looked) {
    State &state = states[turn++ % states.size()];
    if (state.finished) continue;
    size_t gain = 0;
    auto row = best(state, gain);
    if (!row || state.rows >= kMaxRows || (gain == 0 && state.barren >= kBarren)) {
      state.finished = true;
      continue;
    }
    looked = 0;
    ++state.rows;
    if (gain == 0 && !row->drawn) ++state.barren;
    eachPair(*row, [&](const std::string &pair) { open.erase(pair); });
    return row;
  }
  return std::nullopt;
}

std::string Cover::choose(const Row &row, const std::vector<std::string> &configurations) {
  const std::string op = operatorName(*row.one.variant);
  const auto values = valuesOf(row);
  auto visit = [&](const std::string &configuration, auto each) {
    const auto list = knobsOf(configuration);
    for (size_t i = 0; i < list.size(); ++i) {
      each(pairOf(op, list[i]), true);
      for (const auto &value : values) each(pairOf(value, list[i]), false);
      for (size_t j = 0; j < i; ++j) each(pairOf(list[i], list[j]), false);
    }
  };
  size_t most = 0;
  const std::string *chosen = &configurations.front();
  for (const auto &configuration : configurations) {
    size_t gain = 0;
    visit(configuration, [&](const std::string &pair, bool ofOperator) { gain += knobs.contains(pair) ? 0 : ofOperator ? 4 : 1; });
    if (gain > most) most = gain, chosen = &configuration;
  }
  bool fresh = false;
  visit(*chosen, [&](const std::string &pair, bool ofOperator) { fresh |= knobs.insert(pair).second && ofOperator; });
  for (State &state : states)
    if (state.factors.variant == row.one.variant) state.barren = fresh ? 0 : state.barren + 1;
  return *chosen;
}

Product::Product(std::vector<Factors> given, int64_t budget, uint64_t seed) : operators(std::move(given)), budget(budget), random(seed) {
  for (auto &factors : operators) {
    factors.levels.pop_back(); // the schedule: kSchedules of them
    uint64_t count = kSchedules;
    for (const auto &[factor, levels] : factors.levels) count *= levels.size();
    ends.push_back(total += count);
  }
  if (!total) return;
  do step = random() % total;
  while (std::gcd(step, total) != 1 && total > 1);
  if (total == 1) step = 1;
  at = random() % total;
}

std::optional<Row> Product::next() {
  while (done < total) {
    ++done;
    at = uint64_t((static_cast<unsigned __int128>(at) + step) % total);
    const size_t which = size_t(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin());
    const Factors &factors = operators[which];
    uint64_t rest = at - (which ? ends[which - 1] : 0);
    std::vector<std::string> chosen;
    for (const auto &[factor, levels] : factors.levels) {
      chosen.push_back(levels[rest % levels.size()]);
      rest /= levels.size();
    }
    if (auto row = rowOf(factors, chosen, budget, random)) {
      row->drawn = rest != 0;
      return row;
    }
  }
  return std::nullopt;
}

} // namespace conformance
