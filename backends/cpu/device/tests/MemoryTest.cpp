//===- cpu/device/tests/MemoryTest.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/Memory.h"

#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>

using namespace pantile::cpu;

namespace {

TEST(BlockCache, AlignsAndReuses) {
  BlockCache cache;
  for (size_t bytes : {size_t(1), size_t(63), size_t(64), size_t(65), size_t(4097), size_t(3) << 20}) {
    void *block = cache.allocate(bytes);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % (bytes >= (size_t(2) << 20) ? size_t(2) << 20 : 64), 0u);
    std::memset(block, 0xab, bytes);
    EXPECT_TRUE(cache.free(block));
    EXPECT_EQ(cache.allocate(bytes), block) << "the freed block serves the same size again";
    EXPECT_TRUE(cache.free(block));
  }
}

TEST(BlockCache, RefusesWhatIsNotItsOwn) {
  BlockCache cache;
  int local;
  EXPECT_FALSE(cache.free(&local));
  void *block = cache.allocate(100);
  EXPECT_TRUE(cache.free(block));
  EXPECT_FALSE(cache.free(block)) << "a double free is refused";
}

TEST(BlockCache, NothingForNothingAndForTooMuch) {
  BlockCache cache;
  EXPECT_EQ(cache.allocate(0), nullptr);
  EXPECT_EQ(cache.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(cache.allocate(size_t(1) << 62), nullptr);
}

TEST(ScratchPool, GrowsAndIsExclusive) {
  ScratchPool pool;
  auto *a = pool.take(1000), *b = pool.take(1000);
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->data, b->data);
  pool.give(a);
  auto *c = pool.take(1u << 20);
  ASSERT_TRUE(c);
  EXPECT_GE(c->bytes, 1u << 20);
  std::memset(c->data, 1, 1u << 20);
  pool.give(b);
  pool.give(c);
  EXPECT_EQ(pool.take(size_t(1) << 62), nullptr);
}

TEST(ScratchPool, ManyThreads) {
  ScratchPool pool;
  std::vector<std::thread> threads;
  std::atomic<int> clashes{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20000; ++i) {
        auto *block = pool.take(64 + size_t(i % 100));
        auto *word = static_cast<volatile int *>(block->data);
        *word = t;
        if (*word != t) ++clashes;
        pool.give(block);
      }
    });
  for (auto &thread : threads) thread.join();
  EXPECT_EQ(clashes.load(), 0);
}

} // namespace
