//===- emulator/Clocks.h - what happened before what ----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Races are found as FastTrack does (Flanagan and Freund, PLDI 2009): every actor counts its own time, knows how far it has
// seen every other's (a vector clock, joined at barriers), and every byte of shared memory remembers the epoch (actor, time)
// of its last write and of the reads since. An access is ordered after another if the actor has seen the other's time.
//
// Actors are warps (the lanes of one run in step, as far as memory is concerned) and what works on its own: the groups of
// asynchronous copies of a warp, its matrix operations in flight, and each barrier that copies complete on. The latter's time
// is the number of its phase.
//
// A second clock beside the first says how much of what was written plainly has also been fenced for asynchronous engines
// ("proxy fence"): it travels through barriers alike.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_CLOCKS_H
#define PANTILE_EMULATOR_CLOCKS_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pantile::emulator {

/// An actor's time in 32 bits, never 0.
using Epoch = uint32_t;
inline constexpr unsigned kTimeBits = 19;
inline constexpr uint32_t kMaxActors = 1u << (31 - kTimeBits), kMaxTime = (1u << kTimeBits) - 1;
inline Epoch epochOf(uint32_t actor, uint32_t time) { return actor << kTimeBits | std::min(time, kMaxTime); }
inline uint32_t actorOf(Epoch epoch) { return epoch >> kTimeBits; }
inline uint32_t timeOf(Epoch epoch) { return epoch & kMaxTime; }

/// The time up to which each actor is known; absent entries are 0 (times start at 1).
class Clock {
public:
  uint32_t operator[](uint32_t actor) const { return actor < times.size() ? times[actor] : 0; }
  bool covers(Epoch epoch) const { return timeOf(epoch) <= (*this)[actorOf(epoch)]; }
  void advance(uint32_t actor, uint32_t time) {
    if (actor >= times.size()) times.resize(actor + 1);
    times[actor] = std::max(times[actor], time);
  }
  void join(const Clock &other) {
    if (times.size() < other.times.size()) times.resize(other.times.size());
    for (size_t i = 0; i < other.times.size(); ++i) times[i] = std::max(times[i], other.times[i]);
  }

private:
  std::vector<uint32_t> times;
};

/// What an actor, or something that was released to, knows.
struct Knowledge {
  Clock seen;   ///< ordered before
  Clock fenced; ///< and visible to asynchronous engines
  void join(const Knowledge &other) {
    seen.join(other.seen);
    fenced.join(other.fenced);
  }
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_CLOCKS_H
