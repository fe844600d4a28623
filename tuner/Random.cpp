//===- tuner/Random.cpp - xoshiro256** ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Random.h"

#include <bit>
#include <cmath>

namespace pantile::tuner {

Random::Random(uint64_t seed) {
  for (uint64_t &word : state) { // splitmix64
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t Random::next() {
  uint64_t result = std::rotl(state[1] * 5, 7) * 9, shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = std::rotl(state[3], 45);
  return result;
}

uint64_t Random::below(uint64_t bound) {
  if (bound == 0) return 0;
  uint64_t unfair = (0 - bound) % bound; // 2^64 mod bound: the lowest draws that would be one too many
  for (;;)
    if (uint64_t draw = next(); draw >= unfair) return draw % bound;
}

double Random::normal() {
  // Box and Muller; log's argument is never 0.
  return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform());
}

} // namespace pantile::tuner
