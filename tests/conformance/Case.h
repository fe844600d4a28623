//===- tests/conformance/Case.h - what the suite runs ---------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A case is an operator of the library, options, sizes, layouts and a schedule. The lists are data; the cases are drawn
// from them by seed, so that a run of a few minutes covers every pair (operator, options) and spreads sizes, layouts and
// schedules over them, and a failure names all it takes to run it again: operator, options, seed.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_CONFORMANCE_CASE_H
#define PANTILE_TESTS_CONFORMANCE_CASE_H

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace conformance {

using Sizes = std::map<std::string, int64_t>;

/// An operator with one set of options and what its sizes must satisfy.
struct Variant {
  std::string op, options;
  /// Sizes that follow from others, evaluated in order: {"K", "KB", 32, 0} is K = 32 * KB.
  struct Derived {
    std::string size, from;
    int64_t factor;
  };
  std::vector<Derived> derived;
  /// Sizes drawn from a list of their own; any other from the ragged list.
  std::map<std::string, std::vector<int64_t>> domains;
  /// Inputs may hold infinities and NaNs (elementwise operators and reductions that define them).
  bool specials = false;
  /// Values of scalar arguments by name; a name not listed draws from [0.5, 1.5).
  std::map<std::string, std::vector<double>> scalars;
};

/// Every operator of the library with every option that changes what it computes, for f32, f16 and bf16 (and i8).
std::vector<Variant> allVariants();

/// Values for the names in `names`: ragged (0, 1, primes, powers of two and their neighbours), at most `budget` elements in
/// their product.
Sizes drawSizes(const Variant &variant, const std::vector<std::string> &names, int64_t budget, std::mt19937_64 &random);

} // namespace conformance

#endif // PANTILE_TESTS_CONFORMANCE_CASE_H
