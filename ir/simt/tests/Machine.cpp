//===- ir/simt/tests/Machine.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/tests/Machine.h"

#include "core/DType.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <random>
#include <sys/mman.h>
#include <ucontext.h>

namespace pantile::simt {

namespace {

constexpr size_t kStack = 1 << 20;
constexpr unsigned kLanes = 32;

/// What a lane brings to a meeting of its warp.
struct Meeting {
  enum Kind : uint8_t { None, Plain, Shuffle, Dot, MatrixLoad } kind = None;
  uint32_t value = 0, from = 0; ///< shuffle; registers and transposed of a matrix load
  const DotAtom *atom = nullptr;
  const uint64_t *lhs = nullptr, *rhs = nullptr;
  uint64_t *acc = nullptr;
  const char *address = nullptr;
  uint32_t *out = nullptr;
};

struct Copy {
  char *to;
  const char *from;
  uint32_t bytes, valid;
};

struct Thread {
  ucontext_t context;
  char *stack = nullptr;
  enum State : uint8_t { Ready, AtBarrier, AtMeeting, Done } state = Ready;
  Meeting meeting;
  std::deque<std::vector<Copy>> groups;
  std::vector<Copy> open;
};

struct Machine {
  ucontext_t scheduler;
  std::vector<Thread> threads;
  std::vector<char> shared;
  unsigned current = 0;
  uint32_t block = 0;
  const MachineLaunch *launch = nullptr;
  std::string error;

  Thread &now() { return threads[current]; }
  void yield(Thread::State state) {
    now().state = state;
    swapcontext(&now().context, &scheduler);
  }
  void meet(Meeting meeting) {
    now().meeting = meeting;
    yield(Thread::AtMeeting);
  }
  bool complete(unsigned warp);
  void dot(Thread *lanes);
};

Machine *machine = nullptr;

double numberOf(pantile_dtype type, uint64_t bits) {
  float single;
  double wide;
  switch (type) {
  case PANTILE_BF16:
    return bf16ToF32(uint16_t(bits));
  case PANTILE_F16:
    return f16ToF32(uint16_t(bits));
  case PANTILE_F32:
    std::memcpy(&single, &bits, 4);
    return single;
  case PANTILE_F64:
    std::memcpy(&wide, &bits, 8);
    return wide;
  case PANTILE_I8:
    return int8_t(bits);
  default:
    return int32_t(bits);
  }
}

unsigned bitsOf(pantile_dtype type) {
  switch (type) {
  case PANTILE_I8:
    return 8;
  case PANTILE_BF16:
  case PANTILE_F16:
    return 16;
  case PANTILE_F64:
    return 64;
  default:
    return 32;
  }
}

/// Elements of an operand by row and k.
std::vector<double> gather(const DotAtom &atom, const AtomText &map, pantile_dtype type, unsigned rows, Thread *lanes,
                           const uint64_t *Meeting::*operand) {
  Layout layout(Atom::of(map), {});
  std::vector<double> result(rows * atom.k);
  unsigned bits = bitsOf(type), each = bits >= 32 ? 1 : 32 / bits;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    for (unsigned r = 0; r < layout.registers(); ++r) {
      Coordinates at = layout.at(r, lane, 0);
      uint64_t word = (lanes[lane].meeting.*operand)[r / each] >> (bits >= 32 ? 0 : r % each * bits);
      if (bits < 64) word &= (1ull << bits) - 1;
      result[size_t(at[0]) * atom.k + size_t(at[1])] = numberOf(type, word);
    }
  return result;
}

void Machine::dot(Thread *lanes) {
  const DotAtom &atom = *lanes[0].meeting.atom;
  std::vector<double> lhs = gather(atom, atom.lhsMap, atom.lhs, atom.m, lanes, &Meeting::lhs);
  std::vector<double> rhs = gather(atom, atom.rhsMap, atom.rhs, atom.n, lanes, &Meeting::rhs);
  Layout layout(Atom::of(atom.accMap), {});
  for (unsigned lane = 0; lane < kLanes; ++lane)
    for (unsigned r = 0; r < layout.registers(); ++r) {
      Coordinates at = layout.at(r, lane, 0);
      uint64_t &slot = lanes[lane].meeting.acc[r];
      double sum = numberOf(atom.acc, slot);
      for (unsigned k = 0; k < atom.k; ++k) sum += lhs[size_t(at[0]) * atom.k + k] * rhs[size_t(at[1]) * atom.k + k];
      slot = 0;
      if (atom.acc == PANTILE_F32) {
        float rounded = float(sum);
        std::memcpy(&slot, &rounded, 4);
      } else if (atom.acc == PANTILE_F64) {
        std::memcpy(&slot, &sum, 8);
      } else {
        slot = uint32_t(int32_t(sum));
      }
    }
}

/// Lets a warp go on if all its lanes are here.
bool Machine::complete(unsigned warp) {
  Thread *lanes = &threads[warp * kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (lanes[lane].state != Thread::AtMeeting) return false;
  for (unsigned lane = 1; lane < kLanes; ++lane)
    if (lanes[lane].meeting.kind != lanes[0].meeting.kind || lanes[lane].meeting.atom != lanes[0].meeting.atom) {
      error = "lanes of warp " + std::to_string(warp) + " meet in different operations";
      return false;
    }
  switch (lanes[0].meeting.kind) {
  case Meeting::Shuffle: {
    uint32_t values[kLanes];
    for (unsigned lane = 0; lane < kLanes; ++lane) values[lane] = lanes[lanes[lane].meeting.from % kLanes].meeting.value;
    for (unsigned lane = 0; lane < kLanes; ++lane) lanes[lane].meeting.value = values[lane];
    break;
  }
  case Meeting::Dot:
    dot(lanes);
    break;
  case Meeting::MatrixLoad:
    // Lane i of the j-th eight names row i of matrix j; a lane receives a word of each, or two halves of a column.
    for (unsigned lane = 0; lane < kLanes; ++lane)
      for (unsigned j = 0; j < lanes[0].meeting.value; ++j) {
        uint32_t word = 0;
        if (!lanes[0].meeting.from) {
          std::memcpy(&word, lanes[j * 8 + lane / 4].meeting.address + lane % 4 * 4, 4);
        } else {
          for (unsigned half = 0; half < 2; ++half) {
            uint16_t element;
            std::memcpy(&element, lanes[j * 8 + lane % 4 * 2 + half].meeting.address + lane / 4 * 2, 2);
            word |= uint32_t(element) << 16 * half;
          }
        }
        lanes[lane].meeting.out[j] = word;
      }
    break;
  default:
    break;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane) lanes[lane].state = Thread::Ready;
  return true;
}

void threadMain() {
  machine->launch->entry(machine->launch->slots);
  machine->now().state = Thread::Done;
  swapcontext(&machine->now().context, &machine->scheduler);
}

//===----------------------------------------------------------------------===//
// What the code calls
//===----------------------------------------------------------------------===//

uint32_t simThread() { return machine->current; }
uint32_t simBlock() { return machine->block; }
void *simShared() { return machine->shared.data(); }
void simBarrier() { machine->yield(Thread::AtBarrier); }
void simWarpBarrier() { machine->meet({Meeting::Plain}); }
uint32_t simShuffle(uint32_t value, uint32_t from) {
  machine->meet({Meeting::Shuffle, value, from});
  return machine->now().meeting.value;
}
void simDot(uint32_t atom, const uint64_t *lhs, const uint64_t *rhs, uint64_t *acc) {
  machine->meet({Meeting::Dot, 0, 0, &testAtoms()[atom], lhs, rhs, acc});
}
void simMatrixLoad(uint32_t registers, uint32_t transposed, const char *address, uint32_t *out) {
  machine->meet({Meeting::MatrixLoad, registers, transposed, nullptr, nullptr, nullptr, nullptr, address, out});
}
void simAsyncCopy(char *shared, const char *global, uint32_t bytes, uint32_t valid) {
  std::memset(shared, 0xee, bytes);
  machine->now().open.push_back({shared, global, bytes, valid});
}
void simAsyncCommit() {
  machine->now().groups.push_back(std::move(machine->now().open));
  machine->now().open.clear();
}
void simAsyncWait(uint32_t pending) {
  Thread &thread = machine->now();
  while (thread.groups.size() > pending) {
    for (const Copy &copy : thread.groups.front()) {
      std::memset(copy.to, 0, copy.bytes);
      std::memcpy(copy.to, copy.from, copy.valid);
    }
    thread.groups.pop_front();
  }
}
// Of the compiler's run-time library, for processors without such conversions.
__bf16 truncateBFloat(float value) { return std::bit_cast<__bf16>(f32ToBF16(value)); }
_Float16 truncateHalf(float value) { return std::bit_cast<_Float16>(f32ToF16(value)); }

} // namespace

std::vector<std::pair<std::string, void *>> machineSymbols() {
  return {{"sim_thread", (void *)simThread},
          {"sim_block", (void *)simBlock},
          {"sim_shared", (void *)simShared},
          {"sim_barrier", (void *)simBarrier},
          {"sim_warp_barrier", (void *)simWarpBarrier},
          {"sim_shuffle", (void *)simShuffle},
          {"sim_dot", (void *)simDot},
          {"sim_matrix_load", (void *)simMatrixLoad},
          {"sim_async_copy", (void *)simAsyncCopy},
          {"sim_async_commit", (void *)simAsyncCommit},
          {"sim_async_wait", (void *)simAsyncWait},
          {"sim_to_bfloat", (void *)truncateBFloat},
          {"sim_to_half", (void *)truncateHalf}};
}

std::string runOnMachine(const MachineLaunch &launch, uint64_t seed) {
  Machine here;
  machine = &here;
  here.launch = &launch;
  here.threads.resize(size_t(launch.threads));
  std::mt19937_64 random(seed);
  for (Thread &thread : here.threads)
    thread.stack = static_cast<char *>(mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  std::vector<unsigned> order(here.threads.size());
  for (unsigned i = 0; i < order.size(); ++i) order[i] = i;
  for (int64_t block = 0; block < launch.grid && here.error.empty(); ++block) {
    here.block = uint32_t(block);
    // Whatever is read before it is written is NaN; a guard tells writes past the end.
    here.shared.assign(size_t(launch.sharedBytes) + 1024, char(0xff));
    for (Thread &thread : here.threads) {
      getcontext(&thread.context);
      thread.context.uc_stack.ss_sp = thread.stack;
      thread.context.uc_stack.ss_size = kStack;
      thread.context.uc_link = nullptr;
      makecontext(&thread.context, threadMain, 0);
      thread.state = Thread::Ready;
      thread.groups.clear();
      thread.open.clear();
    }
    std::shuffle(order.begin(), order.end(), random);
    for (;;) {
      bool ran = false;
      for (unsigned i : order) {
        if (here.threads[i].state != Thread::Ready) continue;
        ran = true;
        here.current = i;
        swapcontext(&here.scheduler, &here.threads[i].context);
      }
      for (unsigned warp = 0; warp * kLanes < here.threads.size(); ++warp) ran |= here.complete(warp);
      if (!here.error.empty()) break;
      if (ran) continue;
      bool waiting = false, all = true;
      for (Thread &thread : here.threads) {
        waiting |= thread.state == Thread::AtBarrier;
        all &= thread.state == Thread::AtBarrier || thread.state == Thread::Done;
      }
      if (!waiting && all) break;
      if (!all) {
        here.error = "deadlock: some threads wait at a barrier, others in a warp";
        break;
      }
      for (Thread &thread : here.threads) {
        if (thread.state == Thread::Done) here.error = "a thread ended while others wait at a barrier";
        thread.state = Thread::Ready;
      }
      if (!here.error.empty()) break;
    }
    for (size_t i = size_t(launch.sharedBytes); i < here.shared.size(); ++i)
      if (here.shared[i] != char(0xff)) here.error = "shared memory was written past its end";
  }
  for (Thread &thread : here.threads) munmap(thread.stack, kStack);
  machine = nullptr;
  return here.error;
}

} // namespace pantile::simt
