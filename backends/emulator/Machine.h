//===- emulator/Machine.h - lanes, warps, blocks, clusters ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A cluster of blocks runs on one host thread; every lane is a fiber that runs until it waits. What waits is woken by whoever
// completes what it waits for; the scheduler (Scheduler.h) picks the next warp by seed. Emulation functions of a backend run
// on a lane's fiber and use what is declared here: memory, rendezvous of a warp, barriers, asynchronous operations.
//
// A wrong access or a misuse ends the launch: fail() records the first failure and never returns.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_MACHINE_H
#define PANTILE_EMULATOR_MACHINE_H

#include "backends/emulator/Asynchronous.h"
#include "backends/emulator/Barriers.h"
#include "backends/emulator/Fiber.h"
#include "backends/emulator/SharedMemory.h"
#include "core/Status.h"

#include <deque>
#include <map>
#include <span>

namespace pantile::emulator {

class Scheduler;
struct Lane;
struct Warp;
struct Block;
struct Cluster;
struct Execution;

/// One emulated instruction's operands, each a 64-bit word: a scalar or small vector in its low bits, a larger vector as its
/// 32-bit words, a structure as its members in a row.
struct Call {
  const Site &site;
  const uint64_t *in;
  uint64_t *out;
  uint64_t data; ///< of the table's row, or of a decoded instruction
};
using Emulate = void (*)(Lane &lane, const Call &call);

/// An instruction of the module: what reports say, and what it does.
struct Site {
  enum class Kind : uint8_t { Load, Store, Atomic, Call };
  Kind kind = Kind::Call;
  bool ordered = false; ///< an atomic or volatile access: others may poll for it, or be polled for
  uint32_t alignment = 1;
  std::string text;     ///< the instruction as IR text, cut short
  std::string location; ///< "file:line" of the source, where there is one
  Emulate run = nullptr;
  uint64_t data = 0;
};

/// Where waiting fibers are in reports.
using Explain = std::string (*)(const Lane &lane, const void *object);

struct Lane {
  Warp *warp = nullptr;
  uint32_t index = 0;      ///< in its warp
  uint32_t thread[3] = {}; ///< in its block
  enum class State : uint8_t { Ready, Waiting, Done } state = State::Ready;
  const Site *site = nullptr; ///< the instruction it is at
  Explain explain = nullptr;
  const void *waitsFor = nullptr;
  void *operand = nullptr; ///< given to a rendezvous
  Fiber fiber;
  /// Asynchronous operations by kind (the backend's numbers), with their groups.
  std::map<uint32_t, OperationQueue> queues;

  /// Results of asynchronous operations that no wait has delivered yet.
  struct InFlight {
    uint32_t group; ///< in which it was committed, or will be
    std::vector<uint32_t> words;
  };
  std::map<uint32_t, InFlight> inFlight;
  uint32_t nextInFlight = 0;

  Block &block() const;
  Cluster &cluster() const;
  Scheduler &scheduler() const;

  /// Gives way until woken. The description is for reports of deadlocks.
  void wait(Explain explain, const void *object);
  void wake();
  /// Gives way and stays ready: for what polls. A launch in which all poll in vain is reported.
  void poll();
  [[noreturn]] void fail(pantile_code code, std::string text, std::string cause = {}) const;

  /// Blocks until all of `members` (lanes of its warp, itself among them) came with the same `act`; the last one runs it, with
  /// every lane's `operand` in Lane::operand.
  void converge(uint64_t members, void *operand, void (*act)(Warp &warp, uint64_t members));

  /// The same for all lanes of `count` warps in a row, from a multiple of `count` on.
  void convergeWarps(uint32_t count, void *operand, void (*act)(std::span<Warp> warps));

  /// Host address of `count` bytes at a device address, checked as a load or store of this lane's site. Generic addresses name
  /// global memory, the shared window, or this lane's stack.
  char *access(uint64_t address, uint64_t count, Site::Kind kind, bool ordered = false);
  /// The same for shared memory of the cluster by its own address (see Cluster::sharedAddress).
  char *shared(uint64_t address, uint64_t count, Site::Kind kind, bool ordered = false);
  /// The same as another actor: an engine that works for this lane.
  char *sharedAs(const Accessor &who, uint64_t address, uint64_t count, Site::Kind kind);
  char *global(uint64_t address, uint64_t count, Site::Kind kind, bool ordered = false);
  /// Orders an atomic access against others at the same address.
  void synchronize(uint64_t address, Site::Kind kind);
  /// "thread (3,0,0) of block (1,0,0)".
  std::string name() const;
};

struct Warp {
  Block *block = nullptr;
  uint32_t index = 0; ///< in its block
  uint32_t actor = 0;
  uint32_t time = 1;
  Knowledge knowledge;
  std::span<Lane> lanes;
  uint64_t ready = 0; ///< lanes that can run
  bool queued = false;
  struct Rendezvous {
    void (*act)(Warp &, uint64_t);
    uint64_t members, arrived;
  };
  std::vector<Rendezvous> open;
  /// Of a group of warps, kept by its first.
  void (*groupAct)(std::span<Warp>) = nullptr;
  uint32_t groupArrived = 0;
  std::map<uint32_t, uint32_t> engines; ///< actors that work for this warp, by the backend's kind
  uint64_t all() const { return lanes.size() == 64 ? ~uint64_t(0) : (uint64_t(1) << lanes.size()) - 1; }

  Accessor accessor(const Site *site) const { return {actor, time, &knowledge, false, site}; }
  /// What is done from now on is not yet part of what was released before.
  void tick() { knowledge.seen.advance(actor, ++time); }
  /// Everything it knows becomes visible to asynchronous engines.
  void fenceEngines() {
    knowledge.fenced.join(knowledge.seen);
    tick();
  }
  uint32_t engine(uint32_t kind);
};

struct Block {
  Cluster *cluster = nullptr;
  uint32_t rank = 0; ///< in its cluster
  uint32_t id[3] = {};
  std::vector<Lane> lanes;
  std::vector<Warp> warps;
  std::unique_ptr<SharedMemory> shared;
  std::vector<BlockBarrier> barriers;
};

struct Cluster {
  Scheduler *scheduler = nullptr;
  Execution *execution = nullptr;
  uint32_t id[3] = {};
  std::vector<std::unique_ptr<Block>> blocks;
  ReadSets reads;
  std::vector<std::string> actors; ///< names, for reports
  ClusterBarrier barrier;
  /// Barriers in shared memory by address.
  std::map<uint32_t, TransactionBarrier> transactionBarriers;
  /// What was released by ordered accesses, by device address.
  std::map<uint64_t, Knowledge> releases;
  uint32_t running = 0; ///< lanes not done

  /// A shared address of the cluster: the block's rank above its own 24 bits, as on the hardware that has clusters.
  static constexpr unsigned kRankShift = 24;
  static uint32_t sharedAddress(uint32_t rank, uint32_t offset) { return rank << kRankShift | offset; }
  uint32_t addActor(std::string name);
};

/// The bytes of device memory, and of each its state. Without states (`state` null) nothing is checked.
struct DeviceMemory {
  enum State : uint8_t { kNotAllocated = 0, kUninitialized = 1, kInitialized = 2 };
  char *base = nullptr;
  uint64_t bytes = 0;
  uint8_t *state = nullptr;
};

/// Bytes that are no device memory and may be read: a module's constants, a launch's parameters.
struct Region {
  const char *low, *high;
  bool writable;
};

struct ExecutionOptions {
  uint64_t seed = 0;
  unsigned threads = 0; ///< host threads, 0: all
  bool checks = true;   ///< races and uninitialized reads; bounds always
  double patience = 20; ///< seconds that everything may poll in vain
};

/// One launch.
struct Execution {
  uint32_t grid[3] = {1, 1, 1}, block[3] = {1, 1, 1}, cluster[3] = {1, 1, 1};
  uint32_t lanesPerWarp = 32;
  uint32_t sharedBytes = 0;   ///< static and dynamic
  uint32_t dynamicShared = 0; ///< device address of the dynamic part
  void (*entry)(const void *const *parameters) = nullptr;
  const void *const *parameters = nullptr;
  DeviceMemory memory;
  std::vector<Region> regions;
  ExecutionOptions options;
  /// Runs everything. The first failure is the answer.
  Status run();
};

/// Generic addresses from here on are the shared window.
inline constexpr uint64_t kSharedWindow = uint64_t(0x5e) << 40;
inline constexpr uint64_t kSharedWindowBytes = uint64_t(1) << 32;

/// The lane that runs on this thread.
extern thread_local Lane *currentLane;

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_MACHINE_H
