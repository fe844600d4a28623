//===- emulator/Barriers.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Barriers.h"

#include "backends/emulator/Scheduler.h"

#include <fmt/format.h>

namespace pantile::emulator {

//===----------------------------------------------------------------------===//
// Of a block
//===----------------------------------------------------------------------===//

namespace {

std::string explainBlockBarrier(const Lane &lane, const void *object) {
  const auto &barrier = *static_cast<const BlockBarrier *>(object);
  return fmt::format("barrier {} of its block: {} of {} lanes have arrived", &barrier - lane.block().barriers.data(), barrier.arrived,
                     barrier.expected);
}

std::string explainClusterBarrier(const Lane &lane, const void *object) {
  return fmt::format("the barrier of its cluster: {} of {} lanes have arrived", static_cast<const ClusterBarrier *>(object)->arrived,
                     lane.cluster().running);
}

std::string explainTransactionBarrier(const Lane &, const void *object) {
  const auto &barrier = *static_cast<const TransactionBarrier *>(object);
  return fmt::format("the barrier object at shared {:#x}: phase {} (parity {}) lacks {} of {} arrivals and {} bytes", barrier.address,
                     barrier.phase, barrier.phase & 1, barrier.pending, barrier.expected, barrier.bytes);
}

} // namespace

void BlockBarrier::arrive(Lane &lane, uint32_t count, bool wait, uint32_t vote) {
  if (arrived && count != expected)
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("a barrier of {} lanes is joined by one that expects {}", expected, count));
  if (count == 0 || count > lane.block().lanes.size())
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("a barrier of {} lanes in a block of {}", count, lane.block().lanes.size()));
  expected = count;
  released.join(lane.warp->knowledge);
  lane.warp->tick();
  votes += vote;
  if (++arrived < expected) {
    if (wait) {
      waiting.push_back(&lane);
      lane.wait(explainBlockBarrier, this);
    }
    return;
  }
  arrived = 0;
  lastVote = std::exchange(votes, 0);
  const Knowledge knowledge = std::exchange(released, {});
  for (Lane *other : waiting) {
    other->warp->knowledge.join(knowledge);
    other->wake();
  }
  waiting.clear();
  if (wait) lane.warp->knowledge.join(knowledge);
}

//===----------------------------------------------------------------------===//
// Of a cluster
//===----------------------------------------------------------------------===//

void ClusterBarrier::arrive(Lane &lane, bool release) {
  if (release) released.join(lane.warp->knowledge);
  lane.warp->tick();
  if (arrivals.empty()) arrivals.resize(lane.cluster().blocks.size() * lane.block().lanes.size());
  uint32_t &mine = arrivals[lane.block().rank * lane.block().lanes.size() + size_t(&lane - lane.block().lanes.data())];
  if (mine == phase + 1) lane.fail(PANTILE_INVALID_ARGUMENT, "a lane arrives twice at one phase of its cluster's barrier");
  mine = phase + 1;
  ++arrived;
  check(lane.cluster().running);
}

void ClusterBarrier::check(uint32_t running) {
  if (!arrived || arrived < running) return;
  arrived = 0;
  ++phase;
  visible = released;
  for (Lane *other : waiting) other->wake();
  waiting.clear();
}

void ClusterBarrier::wait(Lane &lane) {
  const uint32_t mine =
      arrivals.empty() ? 0 : arrivals[lane.block().rank * lane.block().lanes.size() + size_t(&lane - lane.block().lanes.data())];
  if (!mine) lane.fail(PANTILE_INVALID_ARGUMENT, "a lane waits at its cluster's barrier without having arrived");
  while (phase < mine) {
    waiting.push_back(&lane);
    lane.wait(explainClusterBarrier, this);
  }
  lane.warp->knowledge.join(visible);
}

//===----------------------------------------------------------------------===//
// In shared memory
//===----------------------------------------------------------------------===//

TransactionBarrier &TransactionBarrier::at(Lane &lane, uint64_t address) {
  auto found = lane.cluster().transactionBarriers.find(uint32_t(address));
  if (found == lane.cluster().transactionBarriers.end())
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("there is no barrier object at shared {:#x}: it was never initialized", address));
  return found->second;
}

void TransactionBarrier::create(Lane &lane, uint64_t address, uint32_t count) {
  if (address % kBytes) lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("a barrier object at shared {:#x}, not a multiple of 8", address));
  if (count == 0 || count > kMaxCount)
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("a barrier object of {} arrivals, allowed are 1 to {}", count, kMaxCount));
  lane.shared(address, kBytes, Site::Kind::Store);
  Cluster &cluster = lane.cluster();
  auto &barrier = cluster.transactionBarriers[uint32_t(address)];
  if (!barrier.waiting.empty()) lane.fail(PANTILE_INVALID_ARGUMENT, "a barrier object is initialized while lanes wait for it");
  if (!barrier.actor) barrier.actor = cluster.addActor(fmt::format("a copy that completes on the barrier at shared {:#x}", address));
  const uint32_t actor = barrier.actor, phases = barrier.phase;
  barrier = {};
  barrier.address = uint32_t(address);
  barrier.actor = actor;
  barrier.base = phases + (phases & 1); // the actor's time goes on, parities begin anew
  barrier.phase = 0;
  barrier.expected = barrier.pending = count;
  lane.block().cluster->blocks[address >> Cluster::kRankShift]->shared->markBarrierObject(uint32_t(address) & 0xffffff, kBytes, true);
}

void TransactionBarrier::destroy(Lane &lane, uint64_t address) {
  at(lane, address);
  lane.cluster().blocks[address >> Cluster::kRankShift]->shared->markBarrierObject(uint32_t(address) & 0xffffff, kBytes, false);
  lane.cluster().transactionBarriers.erase(uint32_t(address));
}

void TransactionBarrier::expect(Lane &lane, int64_t more) {
  bytes += more;
  if (bytes > kMaxCount)
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("a barrier object that waits for {} bytes, at most {}", bytes, kMaxCount));
}

void TransactionBarrier::arrive(Lane &lane, uint32_t count, bool release, bool drop) {
  if (count > pending)
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("{} arrivals at the barrier object at shared {:#x}, whose phase {} lacks {} of {}",
                                                    count, address, phase, pending, expected));
  if (release) released.join(lane.warp->knowledge);
  lane.warp->tick();
  if (drop) --expected;
  pending -= count;
  advance();
}

void TransactionBarrier::complete(int64_t arrivedBytes) {
  bytes -= arrivedBytes;
  advance();
}

void TransactionBarrier::advance() {
  if (pending || bytes) return;
  ++phase;
  pending = expected;
  released.seen.advance(actor, base + phase);
  released.fenced.advance(actor, base + phase);
  visible = released;
  for (Lane *lane : waiting) lane->wake();
  waiting.clear();
}

bool TransactionBarrier::test(Lane &lane, uint32_t parity) {
  if ((phase & 1) == parity) return false;
  lane.warp->knowledge.join(visible);
  return true;
}

void TransactionBarrier::wait(Lane &lane, uint32_t parity) {
  while (!test(lane, parity)) {
    waiting.push_back(&lane);
    lane.wait(explainTransactionBarrier, this);
  }
}

} // namespace pantile::emulator
