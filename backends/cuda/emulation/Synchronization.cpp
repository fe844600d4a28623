//===- cuda/emulation/Synchronization.cpp - barriers and fences -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// bar and barrier, barrier.cluster, mbarrier, fences: PTX ISA 8.x, "Parallel Synchronization and Communication".
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"

#include <fmt/format.h>

namespace pantile::cuda::emulation {

namespace {

//--- bar: in: id, count where the form has one

enum Bar : uint64_t { kSync, kArrive, kRedAnd, kRedOr, kRedCount };
constexpr uint64_t kCounted = 8;

void barrier(Lane &lane, const Call &call) {
  const uint64_t id = call.in[0];
  if (id >= lane.block().barriers.size()) lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("barrier {}, there are 0 to 15", id));
  const bool counted = call.data & kCounted;
  const auto kind = Bar(call.data & 7);
  const uint32_t all = uint32_t(lane.block().lanes.size());
  const uint32_t count = counted ? uint32_t(call.in[1]) : (all + 31) / 32 * 32;
  if (count % 32) lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("a barrier of {} threads, no multiple of the warp's 32", count));
  const bool vote = kind >= kRedAnd && call.in[counted ? 2 : 1] & 1;
  auto &barrier = lane.block().barriers[id];
  // A warp that is not full counts as one.
  barrier.arrive(lane, std::min(count, all), kind != kArrive, vote);
  if (kind == kRedAnd) call.out[0] = barrier.lastVote == std::min(count, all);
  if (kind == kRedOr) call.out[0] = barrier.lastVote != 0;
  if (kind == kRedCount) call.out[0] = barrier.lastVote;
}

void barrierZero(Lane &lane, const Call &call) {
  const uint64_t in[] = {0};
  barrier(lane, {call.site, in, call.out, call.data});
}

//--- barrier.cluster

enum ClusterStep : uint64_t { kRelaxed = 1 };
void clusterArrive(Lane &lane, const Call &call) { lane.cluster().barrier.arrive(lane, !(call.data & kRelaxed)); }
void clusterWait(Lane &lane, const Call &) { lane.cluster().barrier.wait(lane); }

//--- mbarrier: in: address, then what the form has

constexpr uint64_t kHasCount = 1, kNoRelease = 2, kDrop = 4, kExpect = 8;

void initialize(Lane &lane, const Call &call) { TransactionBarrier::create(lane, call.in[0], uint32_t(call.in[1])); }
void invalidate(Lane &lane, const Call &call) { TransactionBarrier::destroy(lane, call.in[0]); }

/// The state that arrivals answer: the phase, for test and wait by state.
uint64_t stateOf(const TransactionBarrier &barrier) { return barrier.phase & 1; }

void arrive(Lane &lane, const Call &call) {
  auto &barrier = TransactionBarrier::at(lane, call.in[0]);
  const uint64_t state = stateOf(barrier);
  if (call.data & kExpect) barrier.expect(lane, int64_t(uint32_t(call.in[1])));
  barrier.arrive(lane, call.data & kHasCount ? uint32_t(call.in[1]) : 1, !(call.data & kNoRelease), call.data & kDrop);
  if (call.out) call.out[0] = state;
}

void expectBytes(Lane &lane, const Call &call) { TransactionBarrier::at(lane, call.in[0]).expect(lane, int64_t(uint32_t(call.in[1]))); }
void completeBytes(Lane &lane, const Call &call) { TransactionBarrier::at(lane, call.in[0]).complete(int64_t(uint32_t(call.in[1]))); }

/// in: address, parity (or a state, which is the parity). May give up after a time: here it waits until the phase is over.
void tryWait(Lane &lane, const Call &call) {
  TransactionBarrier::at(lane, call.in[0]).wait(lane, uint32_t(call.in[1]) & 1);
  call.out[0] = 1;
}
void testWait(Lane &lane, const Call &call) {
  bool over = TransactionBarrier::at(lane, call.in[0]).test(lane, uint32_t(call.in[1]) & 1);
  if (!over) lane.poll();
  call.out[0] = over;
}

//--- Fences

void fenceProxy(Lane &lane, const Call &) { lane.warp->fenceEngines(); }
void nothing(Lane &, const Call &) {}

std::optional<uint64_t> decodeBar(const Opcode &opcode, const OperandCounts &counts) {
  if (opcode.has("cluster") || opcode.has("warp") || opcode.has("red")) return std::nullopt;
  return (opcode.has("arrive") ? kArrive : kSync) | (counts.words.size() > 1 ? kCounted : 0);
}
std::optional<uint64_t> decodeClusterArrive(const Opcode &opcode, const OperandCounts &) { return opcode.has("relaxed") ? kRelaxed : 0; }
std::optional<uint64_t> decodeArrive(const Opcode &opcode, const OperandCounts &counts) {
  const bool drop = opcode.parts[1] == "arrive_drop", expects = opcode.has("expect_tx");
  // state, address [, count or bytes]
  return (drop ? kDrop : 0) | (expects ? kExpect : counts.words.size() > 2 ? kHasCount : 0) | (opcode.has("relaxed") ? kNoRelease : 0);
}
std::optional<uint64_t> decodeProxy(const Opcode &opcode, const OperandCounts &) {
  if (!opcode.has("proxy") || opcode.has("tensormap::generic")) return std::nullopt;
  return 0;
}

const Row kRows[] = {
    {"llvm.nvvm.barrier.cta.sync.aligned.all", barrier, kSync},
    {"llvm.nvvm.barrier.cta.sync.all", barrier, kSync},
    {"llvm.nvvm.barrier.cta.sync.aligned.count", barrier, kSync | kCounted},
    {"llvm.nvvm.barrier.cta.sync.count", barrier, kSync | kCounted},
    {"llvm.nvvm.barrier.cta.arrive.aligned.count", barrier, kArrive | kCounted},
    {"llvm.nvvm.barrier.cta.arrive.count", barrier, kArrive | kCounted},
    {"llvm.nvvm.barrier.cta.red.and.aligned.all", barrier, kRedAnd},
    {"llvm.nvvm.barrier.cta.red.or.aligned.all", barrier, kRedOr},
    {"llvm.nvvm.barrier.cta.red.popc.aligned.all", barrier, kRedCount},
    {"llvm.nvvm.barrier.cta.red.and.aligned.count", barrier, kRedAnd | kCounted},
    {"llvm.nvvm.barrier.cta.red.or.aligned.count", barrier, kRedOr | kCounted},
    {"llvm.nvvm.barrier.cta.red.popc.aligned.count", barrier, kRedCount | kCounted},
    {"llvm.nvvm.barrier0", barrierZero, kSync},
    {"llvm.nvvm.barrier.cluster.arrive.relaxed*", clusterArrive, kRelaxed},
    {"llvm.nvvm.barrier.cluster.arrive*", clusterArrive},
    {"llvm.nvvm.barrier.cluster.wait*", clusterWait},
    {"llvm.nvvm.mbarrier.init*", initialize},
    {"llvm.nvvm.mbarrier.inval*", invalidate},
    {"llvm.nvvm.mbarrier.arrive.expect.tx*", arrive, kExpect},
    {"llvm.nvvm.mbarrier.arrive.drop.expect.tx*", arrive, kExpect | kDrop},
    {"llvm.nvvm.mbarrier.arrive.noComplete*", arrive, kHasCount},
    {"llvm.nvvm.mbarrier.arrive.drop.noComplete*", arrive, kHasCount | kDrop},
    {"llvm.nvvm.mbarrier.arrive.drop", arrive, kDrop},
    {"llvm.nvvm.mbarrier.arrive.drop.shared", arrive, kDrop},
    {"llvm.nvvm.mbarrier.arrive.drop.scope*", arrive, kDrop | kHasCount},
    {"llvm.nvvm.mbarrier.arrive.scope*", arrive, kHasCount},
    {"llvm.nvvm.mbarrier.arrive", arrive},
    {"llvm.nvvm.mbarrier.arrive.shared", arrive},
    {"llvm.nvvm.mbarrier.expect.tx*", expectBytes},
    {"llvm.nvvm.mbarrier.complete.tx*", completeBytes},
    {"llvm.nvvm.mbarrier.try.wait*", tryWait},
    {"llvm.nvvm.mbarrier.test.wait*", testWait},
    {"llvm.nvvm.fence.proxy.async*", fenceProxy},
    {"llvm.nvvm.fence.mbarrier_init*", nothing},
    {"llvm.nvvm.fence.acquire*", nothing},
    {"llvm.nvvm.fence.release*", nothing},
    {"llvm.nvvm.fence*", nothing},
    {"llvm.nvvm.membar*", nothing},
};

const PtxRow kPtx[] = {
    {"bar", barrier, 0, false, decodeBar},
    {"barrier.cluster.arrive", clusterArrive, 0, false, decodeClusterArrive},
    {"barrier.cluster.wait", clusterWait, 0, false, nullptr},
    {"barrier", barrier, 0, false, decodeBar},
    {"mbarrier.init", initialize, 0, false, nullptr},
    {"mbarrier.inval", invalidate, 0, false, nullptr},
    {"mbarrier.arrive", arrive, 1, false, decodeArrive},
    {"mbarrier.arrive_drop", arrive, 1, false, decodeArrive},
    {"mbarrier.expect_tx", expectBytes, 0, false, nullptr},
    {"mbarrier.complete_tx", completeBytes, 0, false, nullptr},
    {"mbarrier.try_wait", tryWait, 1, false, nullptr},
    {"mbarrier.test_wait", testWait, 1, false, nullptr},
    {"fence.proxy", fenceProxy, 0, false, decodeProxy},
    {"fence", nothing, 0, false, nullptr},
    {"membar", nothing, 0, false, nullptr},
};

} // namespace

std::span<const Row> synchronizationIntrinsics() { return kRows; }
std::span<const PtxRow> synchronizationRows() { return kPtx; }

} // namespace pantile::cuda::emulation
