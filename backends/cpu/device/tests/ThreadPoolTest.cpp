//===- cpu/device/tests/ThreadPoolTest.cpp --------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/ThreadPool.h"

#include <gtest/gtest.h>
#include <memory>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace pantile::cpu;

namespace {

struct Counts {
  std::unique_ptr<std::atomic<int>[]> ran;
  std::atomic<unsigned> highestWorker{0};
  explicit Counts(uint32_t n) : ran(new std::atomic<int>[n]) {
    for (uint32_t i = 0; i < n; ++i) ran[i] = 0;
  }
  static void task(void *context, uint32_t i, unsigned worker) {
    auto &counts = *static_cast<Counts *>(context);
    counts.ran[i].fetch_add(1);
    unsigned seen = counts.highestWorker.load();
    while (worker > seen && !counts.highestWorker.compare_exchange_weak(seen, worker)) {}
  }
};

TEST(ThreadPool, RunsEveryTaskOnce) {
  ThreadPool pool(4);
  for (uint32_t n : {0u, 1u, 2u, 3u, 7u, 64u, 1000u})
    for (int round = 0; round < 200; ++round) {
      Counts counts(n);
      ASSERT_TRUE(pool.run(Counts::task, &counts, n, 4));
      for (uint32_t i = 0; i < n; ++i) ASSERT_EQ(counts.ran[i].load(), 1) << "task " << i << " of " << n;
    }
}

TEST(ThreadPool, KeepsToTheThreadsAskedFor) {
  ThreadPool pool(4);
  for (unsigned threads : {1u, 2u, 4u}) {
    Counts counts(5000);
    ASSERT_TRUE(pool.run(Counts::task, &counts, 5000, threads));
    EXPECT_LT(counts.highestWorker.load(), threads);
  }
}

TEST(ThreadPool, SleepingWorkersWake) {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5)); // far past the spin
    // Each task waits for the other: it ends only if the worker wakes.
    std::atomic<int> arrived{0};
    auto task = [](void *context, uint32_t, unsigned) {
      auto &arrived = *static_cast<std::atomic<int> *>(context);
      arrived.fetch_add(1);
      while (arrived.load() < 2) std::this_thread::yield();
    };
    ASSERT_TRUE(pool.run(task, &arrived, 2, 2));
  }
}

TEST(ThreadPool, SecondCallerIsTurnedAwayNotBlocked) {
  ThreadPool pool(2);
  std::atomic<bool> inside{false}, release{false};
  struct Context {
    std::atomic<bool> &inside, &release;
  } context{inside, release};
  std::thread first([&] {
    pool.run(
        [](void *c, uint32_t, unsigned) {
          auto &context = *static_cast<Context *>(c);
          context.inside = true;
          while (!context.release) std::this_thread::yield();
        },
        &context, 1, 2);
  });
  while (!inside) std::this_thread::yield();
  Counts counts(3);
  EXPECT_FALSE(pool.run(Counts::task, &counts, 3, 2));
  EXPECT_EQ(counts.ran[0].load(), 0);
  release = true;
  first.join();
  EXPECT_TRUE(pool.run(Counts::task, &counts, 3, 2));
}

TEST(ThreadPool, RefusesInAForkedChild) {
  ThreadPool pool(2);
  Counts counts(10);
  ASSERT_TRUE(pool.run(Counts::task, &counts, 10, 2));
  pid_t child = fork();
  if (child == 0) _exit(pool.run(Counts::task, &counts, 10, 2) ? 1 : 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

} // namespace
