//===- emulator/Fiber.h - a stack that runs until it gives way ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Every work-item is a fiber: thousands live at once, and switching must cost nanoseconds. A fiber that is given up (its
// launch failed) is simply never resumed: what runs on it must own nothing while it waits.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_FIBER_H
#define PANTILE_EMULATOR_FIBER_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace pantile::emulator {

/// A mapped stack with a guard page below it.
struct Stack {
  char *low = nullptr; ///< above the guard page
  size_t bytes = 0;
  explicit operator bool() const { return low != nullptr; }
};

/// Stacks are kept for the next launch. Thread safe.
class StackPool {
public:
  static constexpr size_t kStackBytes = 256 << 10;
  ~StackPool();
  /// Without one where memory is short.
  Stack take();
  void give(Stack stack);
  static StackPool &shared();

private:
  std::mutex mutex;
  std::vector<Stack> idle;
};

/// A place to switch to: a fiber, or the thread that drives fibers.
class Fiber {
public:
  /// Will call `entry(argument)` on `stack` when first resumed; `entry` must never return.
  void start(Stack stack, void (*entry)(void *), void *argument);
  /// Leaves the running `from` and goes on where `*this` was left.
  void resume(Fiber &from);
  const Stack &stack() const { return memory; }

private:
  Stack memory;
#if defined(__x86_64__)
  void *pointer = nullptr; ///< its saved stack pointer
#else
  std::unique_ptr<ucontext_t> context;
#endif
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_FIBER_H
