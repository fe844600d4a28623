//===- tests/conformance/Cover.h - which cases to run ---------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Factors of a case: the operator with its options, dtype, one for each size, layout, contents, default or drawn schedule, and
// each knob of the kernel's own space. A cover is a set of cases in which every pair of values of two factors comes together
// at least once, as far as the sizes' budget and the space allow: most defects need two things to meet, few need three.
//
// Greedy, as in AETG (Cohen et al., 1997): of some random rows the one that meets most pairs not met before. Pairs with the
// operator are counted for each operator; pairs of other factors over all operators. Knobs are known only when the device's
// compiler has been asked for the space: of some legal configurations the one with most new pairs is taken.
//
// The product walks through all combinations of levels, each with the default schedule and with drawn ones, in a seeded
// order without repetition.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_CONFORMANCE_COVER_H
#define PANTILE_TESTS_CONFORMANCE_COVER_H

#include "tests/conformance/Case.h"

#include <unordered_set>

namespace conformance {

/// A row of a plan: a case, and whether its schedule is to be drawn.
struct Row {
  Case one;
  bool drawn = false;
  std::map<std::string, std::string> levels; ///< factor -> level, without the operator and the knobs
};

/// One operator's factors and their levels.
struct Factors {
  const Variant *variant;
  std::vector<std::pair<std::string, std::vector<std::string>>> levels; ///< "dtype", "size M", ..., "layout", "contents", "schedule"
};

/// Levels of a variant. Sizes come from the kernel's text.
Factors factorsOf(const Variant &variant);

/// Draws concrete sizes for a row of levels; nothing where the budget forbids them.
std::optional<Row> rowOf(const Factors &factors, const std::vector<std::string> &chosen, int64_t budget, std::mt19937_64 &random);

class Cover {
public:
  Cover(std::vector<Factors> operators, int64_t budget, uint64_t seed);

  /// The next row, operators in turn; nothing when every pair is met or cannot be.
  std::optional<Row> next();
  /// Of these configurations the one with most new pairs for the row, which then counts as met.
  std::string choose(const Row &row, const std::vector<std::string> &configurations);

  size_t wanted() const { return pairs; }
  size_t met() const { return pairs - open.size(); }
  /// Pairs with a knob in them, which nobody can count beforehand.
  size_t knobPairs() const { return knobs.size(); }

private:
  struct State {
    Factors factors;
    unsigned rows = 0, barren = 0; ///< rows so far; rows since a knob's value was new for this operator
    bool finished = false;
  };
  std::optional<Row> best(State &state, size_t &gain);
  std::vector<State> states;
  int64_t budget;
  std::mt19937_64 random;
  std::unordered_set<std::string> open, knobs;
  size_t pairs = 0, turn = 0;
};

class Product {
public:
  Product(std::vector<Factors> operators, int64_t budget, uint64_t seed);
  /// The next combination that the budget allows; nothing after the last.
  std::optional<Row> next();
  uint64_t size() const { return total; }

private:
  std::vector<Factors> operators;
  std::vector<uint64_t> ends; ///< cumulative counts
  int64_t budget;
  std::mt19937_64 random;
  uint64_t total = 0, step = 1, at = 0, done = 0;
};

} // namespace conformance

#endif // PANTILE_TESTS_CONFORMANCE_COVER_H
