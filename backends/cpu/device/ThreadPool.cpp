//===- cpu/device/ThreadPool.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/ThreadPool.h"

#include <climits>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace pantile::cpu {

namespace {

/// How long an idle worker spins: longer than the gaps between the kernels of one model step, far shorter than a quantum.
constexpr uint64_t kSpinNanoseconds = 60'000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1'000'000'000u + uint64_t(t.tv_nsec);
}

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futexWakeAll(std::atomic<uint32_t> &word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

std::atomic<unsigned> forks{0};

} // namespace

unsigned forkGenerationOfProcess() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  (void)registered;
  return forks.load(std::memory_order_relaxed);
}

ThreadPool::ThreadPool(unsigned maxThreads) : maxThreads(maxThreads < 1 ? 1 : maxThreads), forkGeneration(forkGenerationOfProcess()) {
  workers.reserve(this->maxThreads);
}

ThreadPool::~ThreadPool() {
  if (forkGeneration != forkGenerationOfProcess()) return;
  stopping.store(true, std::memory_order_relaxed);
  epoch.fetch_add(1, std::memory_order_seq_cst);
  futexWakeAll(epoch);
  for (Worker &worker : workers) pthread_join(worker.thread, nullptr);
}

bool ThreadPool::startWorkers(unsigned wanted) {
  while (workers.size() + 1 < wanted) {
    workers.push_back({this, unsigned(workers.size()) + 1, {}});
    // The application's signals are for its own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&workers.back().thread, nullptr, workerMain, &workers.back());
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failed) {
      workers.pop_back();
      return false;
    }
  }
  return true;
}

void *ThreadPool::workerMain(void *argument) {
  auto *worker = static_cast<Worker *>(argument);
  worker->pool->work(worker->number);
  return nullptr;
}

bool ThreadPool::takeTask(unsigned number) {
  uint64_t seen = ticket.load(std::memory_order_acquire);
  for (;;) {
    Task job = function.load(std::memory_order_relaxed);
    void *jobContext = context.load(std::memory_order_relaxed);
    uint32_t jobCount = count.load(std::memory_order_relaxed);
    uint32_t jobThreads = threads.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire); // what was read of a later job implies its ticket, below
    uint32_t task = uint32_t(seen);
    // Read from two jobs at once this may be wrong for an instant; the caller takes what workers leave.
    if (task >= jobCount || number >= jobThreads) return false;
    if (ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
      job(jobContext, task, number);
      done.fetch_add(1, std::memory_order_release);
      return true;
    }
  }
}

void ThreadPool::work(unsigned number) {
  for (;;) {
    uint32_t seen = epoch.load(std::memory_order_acquire);
    while (takeTask(number)) {}
    uint64_t start = now();
    bool woken = false;
    for (unsigned spins = 0; !woken; ++spins) {
      if (epoch.load(std::memory_order_acquire) != seen)
        woken = true;
      else if (stopping.load(std::memory_order_relaxed))
        return;
      else if ((spins & 63) == 63 && now() - start > kSpinNanoseconds)
        break;
      else
        pause();
    }
    if (!woken) {
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      while (epoch.load(std::memory_order_seq_cst) == seen && !stopping.load(std::memory_order_relaxed)) futexWait(epoch, seen);
      sleepers.fetch_sub(1, std::memory_order_relaxed);
    }
    if (stopping.load(std::memory_order_relaxed)) return;
  }
}

bool ThreadPool::run(Task newFunction, void *newContext, uint32_t newCount, unsigned wanted) {
  if (wanted > maxThreads) wanted = maxThreads;
  if (busy.exchange(true, std::memory_order_acquire)) return false;
  if (forkGeneration != forkGenerationOfProcess() || !startWorkers(wanted)) {
    busy.store(false, std::memory_order_release);
    return false;
  }
  // Late workers of the last job must not claim tasks while the job changes: the new epoch is published at its end (task
  // UINT32_MAX), its fields are written, and then its first task is.
  uint64_t next = (ticket.load(std::memory_order_relaxed) >> 32) + 1;
  ticket.store(next << 32 | UINT32_MAX, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  function.store(newFunction, std::memory_order_relaxed);
  context.store(newContext, std::memory_order_relaxed);
  count.store(newCount, std::memory_order_relaxed);
  threads.store(wanted, std::memory_order_relaxed);
  done.store(0, std::memory_order_relaxed);
  ticket.store((next + 1) << 32, std::memory_order_release);
  epoch.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst)) futexWakeAll(epoch);

  while (takeTask(0)) {}
  for (unsigned spins = 0; done.load(std::memory_order_acquire) != newCount; ++spins) {
    if (spins < 4096)
      pause();
    else
      sched_yield();
  }
  busy.store(false, std::memory_order_release);
  return true;
}

} // namespace pantile::cpu
