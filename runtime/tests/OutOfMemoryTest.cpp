//===- runtime/tests/OutOfMemoryTest.cpp - every allocation may fail ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// This program's operator new serves libpantile as well, and fails at the n-th call, for all n.
//
//===----------------------------------------------------------------------===//

#include "runtime/tests/Fixture.h"

#include <atomic>
#include <new>

namespace {

std::atomic<long> countdown{-1}; // negative: never

void *allocate(size_t bytes) {
  if (countdown.load(std::memory_order_relaxed) >= 0 && countdown.fetch_sub(1) == 0) return nullptr;
  return std::malloc(bytes ? bytes : 1);
}

} // namespace

void *operator new(size_t bytes) {
  if (void *pointer = allocate(bytes)) return pointer;
  throw std::bad_alloc();
}
void *operator new(size_t bytes, const std::nothrow_t &) noexcept { return allocate(bytes); }
void operator delete(void *pointer) noexcept { std::free(pointer); }
void operator delete(void *pointer, size_t) noexcept { std::free(pointer); }

using namespace pantile::test;

namespace {

/// Runs `action` with the n-th allocation failing, for n = 0, 1, ... until none failed. What it answers: a code.
template <typename Action> long failEach(Action action, long step = 1) {
  for (long n = 0;; n += step) {
    countdown = n;
    pantile_code code = action();
    const bool failed = countdown.exchange(-1) < 0;
    if (!failed) {
      EXPECT_EQ(code, PANTILE_OK);
      return n;
    }
    // A failure may also be survived (a cache that could not be written).
    if (code != PANTILE_OK) EXPECT_EQ(code, PANTILE_OUT_OF_MEMORY) << "allocation " << n;
  }
}

TEST_F(Fake, EveryAllocationMayFail) {
  options.log = [](void *, pantile_log_level, const char *) {};
  remake();
  std::vector<float> x(100, 1), y(100);
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  const std::string source = text("scale");
  const long contexts = failEach([&] {
    pantile_context *made = nullptr;
    pantile_error *error = nullptr;
    pantile_code code = pantile_context_create(&options, &made, &error);
    pantile_context_release(made);
    pantile_error_release(error);
    return code;
  });
  EXPECT_GT(contexts, 20);
  const long kernels = failEach([&] {
    pantile_kernel *made = nullptr;
    pantile_error *error = nullptr;
    pantile_code code = pantile_kernel_from_text(context, source.data(), source.size(), &made, &error);
    pantile_kernel_release(made);
    pantile_error_release(error);
    return code;
  });
  EXPECT_GT(kernels, 10);
  auto kernel = scale();
  const long launches = failEach([&] {
    pantile_error *error = nullptr;
    pantile_code code = pantile_launch(kernel.get(), nullptr, arguments, 2, &error);
    pantile_error_release(error);
    return code;
  });
  EXPECT_GT(launches, 20);
  // All of them are good again.
  y[0] = 0;
  EXPECT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[0], 3);
  // A launch of a known shape allocates nothing at all.
  countdown = 0;
  EXPECT_EQ(pantile_launch(kernel.get(), nullptr, arguments, 2, nullptr), PANTILE_OK);
  EXPECT_EQ(countdown.exchange(-1), 0);
}

} // namespace
