//===- tuner/Random.h - random numbers that are the same everywhere -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The standard library's distributions differ between implementations; a tuning run must not. This is xoshiro256**
// (Blackman and Vigna) seeded by splitmix64.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_RANDOM_H
#define PANTILE_TUNER_RANDOM_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pantile::tuner {

class Random {
public:
  explicit Random(uint64_t seed);
  uint64_t next();
  /// In [0, bound); 0 where bound is 0.
  uint64_t below(uint64_t bound);
  /// In [0, 1).
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return uniform() < probability; }
  /// Mean 0, deviation 1.
  double normal();
  template <typename T> void shuffle(std::vector<T> &values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

private:
  std::array<uint64_t, 4> state;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_RANDOM_H
