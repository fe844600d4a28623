//===- ir/specialize/tests/Equivalence.h - portable against scheduled -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SPECIALIZE_TESTS_EQUIVALENCE_H
#define PANTILE_IR_SPECIALIZE_TESTS_EQUIVALENCE_H

#include "core/Configuration.h"

#include <map>
#include <random>
#include <string>

namespace pantile::testing {

using Random = std::mt19937_64;
inline int64_t pick(Random &random, int64_t low, int64_t high) { return low + int64_t(random() % uint64_t(high - low + 1)); }

struct Problem {
  std::string text;
  std::map<std::string, int64_t> sizes;  ///< of named sizes; others are drawn from 0 .. 13
  std::map<std::string, double> scalars; ///< by argument name; others are 1
};

/// A random legal configuration of a kernel's knobs: odd blocks, orders, maps, groupings, and sometimes rolling and split-K.
/// `reorders` says whether it sums in another order than the portable kernel.
Configuration randomConfiguration(const std::string &text, Random &random, bool &reorders);

/// Runs the portable kernel with the configuration's blocks and the scheduled kernel on equal random inputs, and compares every
/// written argument: bit for bit, or (where order changed) within a few roundings of the largest value.
void expectEquivalent(const Problem &problem, const Configuration &configuration, bool reorders, uint64_t seed);

} // namespace pantile::testing

#endif // PANTILE_IR_SPECIALIZE_TESTS_EQUIVALENCE_H
