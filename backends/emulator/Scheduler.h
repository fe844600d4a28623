//===- emulator/Scheduler.h - which warp runs next ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// One per host thread. It admits a cluster, runs warps and background operations in seeded order until all lanes are done, and
// admits the next. When all that is resident only polls, one more cluster is admitted: it may be the one that is waited for.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_SCHEDULER_H
#define PANTILE_EMULATOR_SCHEDULER_H

#include "backends/emulator/Machine.h"

#include <atomic>
#include <chrono>
#include <mutex>

namespace pantile::emulator {

/// What the threads of one launch share.
struct Launch {
  Launch(Execution &execution, uint64_t clusters) : execution(execution), clusters(clusters) {}
  Execution &execution;
  uint64_t clusters; ///< in the grid
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> progress{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Status failure;
  void fail(Status status);
};

class Scheduler {
public:
  Scheduler(Launch &launch, uint64_t seed) : launch(launch), state(seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du) {}
  ~Scheduler();
  void run();

  void ready(Warp &warp);
  /// Something changed that a poller may wait for.
  void progressed() {
    idlePolls = 0;
    ++useful;
  }
  void polled() { ++idlePolls; }
  /// An operation that takes effect some time, and at the latest when nothing else can run.
  void background(Effect effect) { pending.push_back(std::move(effect)); }
  uint32_t below(uint32_t bound) { return uint32_t((uint64_t(uint32_t(next())) * bound) >> 32); }
  bool coin() { return next() & 1; }

  Launch &launch;
  Fiber driver; ///< this thread's own stack

private:
  uint64_t next() { // SplitMix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  bool admit();
  void runWarp(Warp &warp);
  void runBackground();
  void retire();
  bool stuck();
  Status deadlock(const char *how);

  std::vector<std::unique_ptr<Cluster>> resident;
  std::vector<Warp *> queue;
  std::vector<Effect> pending;
  uint64_t idlePolls = 0, useful = 0, lastProgress = 0;
  std::chrono::steady_clock::time_point idleSince{};
  uint64_t state;
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_SCHEDULER_H
