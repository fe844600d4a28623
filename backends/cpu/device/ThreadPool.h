//===- cpu/device/ThreadPool.h - fork and join in under a microsecond -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A job is `count` tasks; a task is a number. The caller takes tasks like any worker and returns when every *task* is
// done, so a worker that the system does not schedule costs nothing: pools that wait for every worker were measured to
// collapse to scheduling quanta on a shared core.
//
// Tasks are handed out by one 64-bit ticket, epoch in the high half and the next task in the low half. A worker reads
// the ticket, then the job, then claims the task by compare-and-swap: a job that changed meanwhile has another epoch, the
// swap fails, and what was read is dropped. Idle workers spin for a bounded time, then sleep on a futex.
//
// One job runs at a time. A caller that finds the pool busy runs its job alone instead of waiting.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_DEVICE_THREADPOOL_H
#define PANTILE_CPU_DEVICE_THREADPOOL_H

#include <atomic>
#include <cstdint>
#include <pthread.h>
#include <vector>

namespace pantile::cpu {

class ThreadPool {
public:
  /// Runs task `task` on worker `worker` (0: the caller, else 1 .. maxThreads-1).
  using Task = void (*)(void *context, uint32_t task, unsigned worker);

  /// `maxThreads` counts the caller; workers start with the first job that wants them.
  explicit ThreadPool(unsigned maxThreads);
  /// Waits for the workers to end (in a forked child, which has none, it does not).
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Runs tasks [0, count) on at most `threads` threads, and returns when all are done. False: the pool is in use by
  /// another caller, or its workers could not be started or did not survive a fork; nothing was run.
  bool run(Task function, void *context, uint32_t count, unsigned threads);

private:
  struct Worker {
    ThreadPool *pool;
    unsigned number;
    pthread_t thread;
  };
  bool startWorkers(unsigned wanted);
  void work(unsigned number);
  bool takeTask(unsigned number);
  static void *workerMain(void *worker);

  const unsigned maxThreads;
  std::vector<Worker> workers; // reserved once: its elements' addresses are the workers'
  unsigned forkGeneration;

  // The job. Written by the one caller between epochs, read by workers that may be late, hence atomic.
  alignas(64) std::atomic<uint64_t> ticket{0};
  std::atomic<Task> function{nullptr};
  std::atomic<void *> context{nullptr};
  std::atomic<uint32_t> count{0};
  std::atomic<uint32_t> threads{0};
  alignas(64) std::atomic<uint32_t> done{0};
  alignas(64) std::atomic<uint32_t> epoch{0}; // the futex that idle workers sleep on
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  alignas(64) std::atomic<bool> busy{false};
};

/// How often this process was forked from one that had loaded this library.
unsigned forkGenerationOfProcess();

} // namespace pantile::cpu

#endif // PANTILE_CPU_DEVICE_THREADPOOL_H
