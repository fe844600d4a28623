//===- tuner/CompilePool.h - threads that compile ahead of the measuring one ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_COMPILEPOOL_H
#define PANTILE_TUNER_COMPILEPOOL_H

#include "tuner/Measure.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace pantile::tuner {

class CompilePool {
public:
  /// `deadline` is asked when a compilation starts, from a pool thread.
  CompilePool(Compiler &compiler, unsigned workers, std::function<Clock::time_point()> deadline);
  /// Drops what has not begun, interrupts what has, and waits for it.
  ~CompilePool();
  CompilePool(const CompilePool &) = delete;
  CompilePool &operator=(const CompilePool &) = delete;

  class Job {
  public:
    /// Once, when the pool says that it is ready.
    Expected<CompiledCandidate> take() { return *std::exchange(result, std::nullopt); }

  private:
    friend class CompilePool;
    Configuration configuration;
    std::optional<Expected<CompiledCandidate>> result;
    bool done = false; ///< under the pool's lock
  };
  /// Jobs are begun in the order submitted.
  std::shared_ptr<Job> submit(Configuration configuration);
  /// Whether a job's result is there.
  bool ready(const Job &job);
  /// Returns when some job finished since the last call, or after `limit`.
  void wait(std::chrono::milliseconds limit);

  /// While one lives nothing is compiled: it waits for what has begun, and holds back the rest. `pool` may be null.
  class Pause {
  public:
    explicit Pause(CompilePool *pool);
    ~Pause();
    Pause(const Pause &) = delete;
    Pause &operator=(const Pause &) = delete;

  private:
    CompilePool *pool;
  };

private:
  void work();
  Compiler &compiler;
  std::function<Clock::time_point()> deadline;
  std::mutex mutex;
  std::condition_variable queued, finished, idle;
  std::deque<std::shared_ptr<Job>> queue;
  unsigned news = 0, running = 0, pauses = 0;
  bool stopping = false;
  std::vector<std::thread> threads;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_COMPILEPOOL_H
