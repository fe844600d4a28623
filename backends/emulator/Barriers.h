//===- emulator/Barriers.h - barriers of blocks, clusters, transactions ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_BARRIERS_H
#define PANTILE_EMULATOR_BARRIERS_H

#include "backends/emulator/Clocks.h"

#include <string>
#include <vector>

namespace pantile::emulator {

struct Lane;
struct Site;

/// A barrier of some lanes of a block: named, counted, with arrivals that do not wait.
struct BlockBarrier {
  uint32_t arrived = 0, expected = 0;
  uint32_t lastVote = 0; ///< of the phase that completed last
  uint32_t votes = 0;
  std::vector<Lane *> waiting;
  Knowledge released;

  /// One lane arrives; with the `count`th (lanes, all of one opinion) the phase is over and the barrier is free again. `vote`
  /// is added up: lastVote has the sum.
  void arrive(Lane &lane, uint32_t count, bool wait, uint32_t vote = 0);
};

/// All lanes of a cluster: arrive, then wait.
struct ClusterBarrier {
  uint32_t arrived = 0;
  uint32_t phase = 0;
  std::vector<Lane *> waiting;
  std::vector<uint32_t> arrivals; ///< of each lane of the cluster
  Knowledge released, visible;    ///< gathered for this phase and before; what waiting gives

  void arrive(Lane &lane, bool release);
  void wait(Lane &lane);
  /// Lanes that end are no longer waited for.
  void check(uint32_t running);
};

/// A barrier object in shared memory whose phases complete when so many arrived and so many bytes came.
struct TransactionBarrier {
  uint32_t address = 0; ///< cluster address
  uint32_t expected = 0, pending = 0;
  int64_t bytes = 0;  ///< still to come
  uint32_t phase = 0; ///< phases completed so far
  uint32_t base = 0;  ///< the actor's time at phase 0
  uint32_t actor = 0; ///< of copies that complete on it: its time is the number of the phase, from 1
  std::vector<Lane *> waiting;
  Knowledge released, visible; ///< gathered for this phase and before; what waiting gives

  static constexpr uint32_t kMaxCount = (1u << 20) - 1;
  static constexpr uint32_t kBytes = 8;

  /// The object at a shared address of this lane's cluster; fails where nobody made one.
  static TransactionBarrier &at(Lane &lane, uint64_t address);
  static void create(Lane &lane, uint64_t address, uint32_t count);
  static void destroy(Lane &lane, uint64_t address);

  void expect(Lane &lane, int64_t more);
  /// `release`: what the lane's warp knows goes to those who wait.
  void arrive(Lane &lane, uint32_t count, bool release, bool drop = false);
  /// Of an asynchronous engine.
  void complete(int64_t arrivedBytes);
  /// When copies issued now will have come.
  uint32_t time() const { return base + phase + 1; }
  /// Whether the phase of this parity is over; if it is, the lane knows what was released.
  bool test(Lane &lane, uint32_t parity);
  /// Blocks until it is.
  void wait(Lane &lane, uint32_t parity);

private:
  void advance();
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_BARRIERS_H
