//===- emulator/Fiber.cpp -------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Fiber.h"

#include <sys/mman.h>
#include <unistd.h>

namespace pantile::emulator {

StackPool::~StackPool() {
  for (const Stack &stack : idle) munmap(stack.low - getpagesize(), stack.bytes + size_t(getpagesize()));
}

StackPool &StackPool::shared() {
  static StackPool *pool = new StackPool; // outlives every thread
  return *pool;
}

Stack StackPool::take() {
  {
    std::lock_guard lock(mutex);
    if (!idle.empty()) {
      Stack stack = idle.back();
      idle.pop_back();
      return stack;
    }
  }
  const size_t page = size_t(getpagesize());
  void *mapped = mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) return {};
  mprotect(mapped, page, PROT_NONE);
  return {static_cast<char *>(mapped) + page, kStackBytes};
}

void StackPool::give(Stack stack) {
  if (!stack) return;
  std::lock_guard lock(mutex);
  idle.push_back(stack);
}

#if defined(__x86_64__)

// The System V ABI's callee-saved registers go onto the stack that is left; floating-point control words are never changed.
extern "C" void pantile_emulator_switch(void **from, void *to);
extern "C" void pantile_emulator_begin();
asm(R"(
  .text
  .p2align 4
  .hidden pantile_emulator_switch
  .globl pantile_emulator_switch
  .type pantile_emulator_switch,@function
pantile_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size pantile_emulator_switch, .-pantile_emulator_switch
  .p2align 4
  .hidden pantile_emulator_begin
  .globl pantile_emulator_begin
  .type pantile_emulator_begin,@function
pantile_emulator_begin:
  movq %r12, %rdi
  callq *%r13
  ud2
  .size pantile_emulator_begin, .-pantile_emulator_begin
)");

void Fiber::start(Stack stack, void (*entry)(void *), void *argument) {
  memory = stack;
  auto *top = reinterpret_cast<void **>(stack.low + stack.bytes) - 2; // 16-byte aligned at the call in begin
  top -= 2;                                                           // `begin` is entered with an aligned stack
  *--top = reinterpret_cast<void *>(&pantile_emulator_begin);
  *--top = nullptr;                         // rbp
  *--top = nullptr;                         // rbx
  *--top = argument;                        // r12
  *--top = reinterpret_cast<void *>(entry); // r13
  *--top = nullptr;                         // r14
  *--top = nullptr;                         // r15
  pointer = top;
}

void Fiber::resume(Fiber &from) { pantile_emulator_switch(&from.pointer, pointer); }

#else

namespace {
// makecontext passes ints only: the pointers travel in halves.
void begin(unsigned entryHigh, unsigned entryLow, unsigned argumentHigh, unsigned argumentLow) {
  auto whole = [](unsigned high, unsigned low) { return uintptr_t(uint64_t(high) << 32 | low); };
  reinterpret_cast<void (*)(void *)>(whole(entryHigh, entryLow))(reinterpret_cast<void *>(whole(argumentHigh, argumentLow)));
}
} // namespace

void Fiber::start(Stack stack, void (*entry)(void *), void *argument) {
  memory = stack;
  context = std::make_unique<ucontext_t>();
  getcontext(context.get());
  context->uc_stack.ss_sp = stack.low;
  context->uc_stack.ss_size = stack.bytes;
  context->uc_link = nullptr;
  const uint64_t e = reinterpret_cast<uintptr_t>(entry), a = reinterpret_cast<uintptr_t>(argument);
  makecontext(context.get(), reinterpret_cast<void (*)()>(&begin), 4, unsigned(e >> 32), unsigned(e), unsigned(a >> 32), unsigned(a));
}

void Fiber::resume(Fiber &from) {
  if (!from.context) from.context = std::make_unique<ucontext_t>();
  swapcontext(from.context.get(), context.get());
}

#endif

} // namespace pantile::emulator
