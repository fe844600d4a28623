//===- cuda/emulation/Copies.cpp - cp.async and plain bulk copies ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A cp.async reads global memory and writes shared memory some time before the group it was committed in is waited for (PTX
// ISA 8.x, "Data Movement and Conversion Instructions: cp.async"). Until then the destination is poison.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

namespace {

Accessor engineOf(Lane &lane, Engine engine, uint32_t time, bool proxy) {
  return {lane.warp->engine(engine), time, &lane.warp->knowledge, proxy, lane.site};
}

/// Groups of a warp's lanes are counted together: the time of the copies that a lane issues now.
uint32_t copyTime(Lane &lane) { return lane.queues[kCopyEngine].committed() + 1; }

/// in: shared, global [, bytes that come from memory]; data: bytes.
void copyAsync(Lane &lane, const Call &call) {
  const uint64_t bytes = call.data & 0xff, to = call.in[0], from = call.in[1];
  const uint64_t valid = call.data >> 8 & 1 ? std::min<uint64_t>(uint32_t(call.in[2]), bytes) : bytes;
  if (to % bytes || (valid && from % bytes))
    lane.fail(PANTILE_DATA_ERROR,
              fmt::format("cp.async of {} bytes from {:#x} to shared {:#x}: both need that alignment", bytes, from, to));
  const char *source = valid ? lane.global(from, valid, Site::Kind::Load) : nullptr;
  char *place = lane.sharedAs(engineOf(lane, kCopyEngine, copyTime(lane), false), to, bytes, Site::Kind::Store);
  std::memset(place, 0xff, bytes);
  lane.queues[kCopyEngine].add(
      [=] {
        if (valid) std::memcpy(place, source, valid);
        std::memset(place + valid, 0, bytes - valid);
      },
      lane.scheduler().coin());
}

void commit(Lane &lane, const Call &) { lane.queues[kCopyEngine].commit(); }

void finish(Lane &lane, uint32_t left) {
  auto &queue = lane.queues[kCopyEngine];
  queue.wait(left);
  const uint32_t actor = lane.warp->engine(kCopyEngine);
  lane.warp->knowledge.seen.advance(actor, queue.completed());
}

void waitGroup(Lane &lane, const Call &call) { finish(lane, uint32_t(call.in[0])); }
void waitAll(Lane &lane, const Call &) {
  lane.queues[kCopyEngine].commit();
  finish(lane, 0);
}

/// in: barrier. Its phase gets one arrival when all copies so far of this thread are done.
void arriveWhenCopied(Lane &lane, const Call &call) {
  waitAll(lane, call);
  auto &barrier = TransactionBarrier::at(lane, call.in[0]);
  if (!(call.data & 1)) barrier.pending += 1, barrier.expected += 0;
  barrier.arrive(lane, 1, true);
}

std::optional<uint64_t> decodeCopy(const Opcode &opcode, const OperandCounts &counts) {
  if (opcode.parts.size() < 3 || (opcode.parts[2] != "ca" && opcode.parts[2] != "cg")) return std::nullopt;
  // The size is an immediate operand: read when it runs.
  return counts.words.size() > 3 ? 3 : 2;
}
/// in: shared, global, bytes [, valid].
void copyAsyncPtx(Lane &lane, const Call &call) {
  const uint64_t in[] = {call.in[0], call.in[1], call.data == 3 ? call.in[3] : 0};
  copyAsync(lane, {call.site, in, call.out, call.in[2] | (call.data == 3 ? 0x100u : 0)});
}
std::optional<uint64_t> decodeNoIncrement(const Opcode &opcode, const OperandCounts &) { return opcode.has("noinc") ? 1 : 0; }

const Row kRows[] = {
    {"llvm.nvvm.cp.async.ca.shared.global.4", copyAsync, 4},
    {"llvm.nvvm.cp.async.ca.shared.global.8", copyAsync, 8},
    {"llvm.nvvm.cp.async.ca.shared.global.16", copyAsync, 16},
    {"llvm.nvvm.cp.async.cg.shared.global.16", copyAsync, 16},
    {"llvm.nvvm.cp.async.ca.shared.global.4.s", copyAsync, 0x104},
    {"llvm.nvvm.cp.async.ca.shared.global.8.s", copyAsync, 0x108},
    {"llvm.nvvm.cp.async.ca.shared.global.16.s", copyAsync, 0x110},
    {"llvm.nvvm.cp.async.cg.shared.global.16.s", copyAsync, 0x110},
    {"llvm.nvvm.cp.async.commit.group", commit},
    {"llvm.nvvm.cp.async.wait.group", waitGroup},
    {"llvm.nvvm.cp.async.wait.all", waitAll},
    {"llvm.nvvm.cp.async.mbarrier.arrive.noinc*", arriveWhenCopied, 1},
    {"llvm.nvvm.cp.async.mbarrier.arrive*", arriveWhenCopied},
};

const PtxRow kPtx[] = {
    {"cp.async.commit_group", commit, 0, false, nullptr}, {"cp.async.wait_group", waitGroup, 0, false, nullptr},
    {"cp.async.wait_all", waitAll, 0, false, nullptr},    {"cp.async.mbarrier.arrive", arriveWhenCopied, 0, false, decodeNoIncrement},
    {"cp.async", copyAsyncPtx, 0, false, decodeCopy},
};

} // namespace

std::span<const Row> copyIntrinsics() { return kRows; }
std::span<const PtxRow> copyRows() { return kPtx; }

} // namespace pantile::cuda::emulation
