//===- cuda/emulation/Exchange.cpp - values between the lanes of a warp ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// shfl, vote, match, redux, elect, activemask, bar.warp: PTX ISA 8.x, "Parallel Synchronization and Communication".
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"

namespace pantile::cuda::emulation {

namespace {

using emulator::Warp;

/// Calls `f` for each of the members.
template <typename F> void each(Warp &warp, uint64_t members, F f) {
  for (Lane &lane : warp.lanes)
    if (members >> lane.index & 1) f(lane);
}

//--- shfl: {value, selector, clamp} -> value, in range

enum Shuffle : uint64_t { kUp, kDown, kButterfly, kIndex };

struct ShuffleOperand {
  uint32_t value, selector, clamp, mode;
  uint32_t result;
  bool valid;
};

void shuffleAct(Warp &warp, uint64_t members) {
  each(warp, members, [&](Lane &lane) {
    auto &mine = *static_cast<ShuffleOperand *>(lane.operand);
    const uint32_t l = lane.index, segment = mine.clamp >> 8 & 31, c = mine.clamp & 31, b = mine.selector & 31;
    const uint32_t highest = (l & segment) | (c & ~segment), lowest = l & segment;
    int64_t from = l;
    bool valid = false;
    switch (mine.mode) {
    case kUp:
      from = int64_t(l) - b, valid = from >= int64_t(highest);
      break;
    case kDown:
      from = l + b, valid = from <= int64_t(highest);
      break;
    case kButterfly:
      from = l ^ b, valid = from <= int64_t(highest);
      break;
    default:
      from = lowest | (b & ~segment), valid = from <= int64_t(highest);
    }
    if (!valid) from = l;
    mine.valid = valid;
    if (!(members >> from & 1)) lane.fail(PANTILE_DATA_ERROR, "a shuffle reads a lane that takes no part in it");
    mine.result = static_cast<ShuffleOperand *>(warp.lanes[size_t(from)].operand)->value;
  });
}

/// in: members, value, selector, clamp.
void shuffle(Lane &lane, const Call &call) {
  ShuffleOperand operand{uint32_t(call.in[1]), uint32_t(call.in[2]), uint32_t(call.in[3]), uint32_t(call.data & 3), 0, false};
  lane.converge(call.in[0] & 0xffffffff, &operand, shuffleAct);
  call.out[0] = operand.result;
  if (call.data & 4) call.out[1] = operand.valid;
}
/// PTX order: value, selector, clamp, members.
void shufflePtx(Lane &lane, const Call &call) {
  const uint64_t in[] = {call.in[3], call.in[0], call.in[1], call.in[2]};
  shuffle(lane, {call.site, in, call.out, call.data});
}

//--- Votes and reductions: {members, value}

enum Vote : uint64_t {
  kAny,
  kAll,
  kUniform,
  kBallot,
  kMatchAny,
  kMatchAll,
  kAdd,
  kMin,
  kMax,
  kUnsignedMin,
  kUnsignedMax,
  kBitAnd,
  kBitOr,
  kBitXor
};

struct VoteOperand {
  uint64_t value, result;
  Vote kind;
  bool all;
};

void voteAct(Warp &warp, uint64_t members) {
  uint64_t ballot = 0, sum = 0, bitAnd = ~uint64_t(0), bitOr = 0, bitXor = 0;
  int32_t least = INT32_MAX, most = INT32_MIN;
  uint32_t unsignedLeast = UINT32_MAX, unsignedMost = 0;
  each(warp, members, [&](Lane &lane) {
    const uint64_t value = static_cast<VoteOperand *>(lane.operand)->value;
    if (value & 1) ballot |= uint64_t(1) << lane.index;
    sum += value, bitAnd &= value, bitOr |= value, bitXor ^= value;
    least = std::min(least, int32_t(value)), most = std::max(most, int32_t(value));
    unsignedLeast = std::min(unsignedLeast, uint32_t(value)), unsignedMost = std::max(unsignedMost, uint32_t(value));
  });
  each(warp, members, [&](Lane &lane) {
    auto &mine = *static_cast<VoteOperand *>(lane.operand);
    uint64_t same = 0;
    each(warp, members, [&](Lane &other) {
      if (static_cast<VoteOperand *>(other.operand)->value == mine.value) same |= uint64_t(1) << other.index;
    });
    mine.all = same == members;
    switch (mine.kind) {
    case kAny:
      mine.result = ballot != 0;
      break;
    case kAll:
      mine.result = ballot == members;
      break;
    case kUniform:
      mine.result = ballot == members || ballot == 0;
      break;
    case kBallot:
      mine.result = ballot;
      break;
    case kMatchAny:
      mine.result = same;
      break;
    case kMatchAll:
      mine.result = mine.all ? members : 0;
      break;
    case kAdd:
      mine.result = uint32_t(sum);
      break;
    case kMin:
      mine.result = uint32_t(least);
      break;
    case kMax:
      mine.result = uint32_t(most);
      break;
    case kUnsignedMin:
      mine.result = unsignedLeast;
      break;
    case kUnsignedMax:
      mine.result = unsignedMost;
      break;
    case kBitAnd:
      mine.result = uint32_t(bitAnd);
      break;
    case kBitOr:
      mine.result = uint32_t(bitOr);
      break;
    case kBitXor:
      mine.result = uint32_t(bitXor);
      break;
    }
  });
}

constexpr uint64_t kValueFirst = 32;

/// in: members, value; with kValueFirst the other way round.
void vote(Lane &lane, const Call &call) {
  const bool valueFirst = call.data & kValueFirst;
  VoteOperand operand{call.in[valueFirst ? 0 : 1], 0, Vote(call.data & 31), false};
  lane.converge(call.in[valueFirst ? 1 : 0] & 0xffffffff, &operand, voteAct);
  call.out[0] = operand.result;
  if (operand.kind == kMatchAll) call.out[1] = operand.all;
}

//--- The rest

void warpBarrierAct(Warp &, uint64_t) {}
void warpBarrier(Lane &lane, const Call &call) { lane.converge(call.in[0] & 0xffffffff, nullptr, warpBarrierAct); }

struct Elected {
  uint32_t leader;
};
void electAct(Warp &warp, uint64_t members) {
  const uint32_t leader = uint32_t(std::countr_zero(members));
  each(warp, members, [&](Lane &lane) { static_cast<Elected *>(lane.operand)->leader = leader; });
}
/// in: members -> leader, whether it is this lane.
void elect(Lane &lane, const Call &call) {
  Elected elected{};
  lane.converge(call.in[0] & 0xffffffff, &elected, electAct);
  call.out[0] = elected.leader;
  call.out[1] = elected.leader == lane.index;
}

/// Lanes here are never found together but at a rendezvous: each sees itself and who has not ended.
void activeMask(Lane &lane, const Call &call) {
  uint64_t mask = 0;
  for (Lane &other : lane.warp->lanes)
    if (other.state != Lane::State::Done) mask |= uint64_t(1) << other.index;
  call.out[0] = mask;
}

std::optional<uint64_t> decodeShuffle(const Opcode &opcode, const OperandCounts &counts) {
  uint64_t mode = opcode.has("up") ? kUp : opcode.has("down") ? kDown : opcode.has("bfly") ? kButterfly : kIndex;
  return mode | (counts.words[0] > 1 ? 4 : 0);
}
std::optional<uint64_t> decodeVote(const Opcode &opcode, const OperandCounts &) {
  return kValueFirst | (opcode.has("any") ? kAny : opcode.has("all") ? kAll : opcode.has("uni") ? kUniform : kBallot);
}
std::optional<uint64_t> decodeMatch(const Opcode &opcode, const OperandCounts &) {
  return kValueFirst | (opcode.has("any") ? kMatchAny : kMatchAll);
}
std::optional<uint64_t> decodeReduce(const Opcode &opcode, const OperandCounts &) {
  const bool isSigned = opcode.has("s32");
  return kValueFirst | (opcode.has("add")   ? kAdd
                        : opcode.has("min") ? (isSigned ? kMin : kUnsignedMin)
                        : opcode.has("max") ? (isSigned ? kMax : kUnsignedMax)
                        : opcode.has("and") ? kBitAnd
                        : opcode.has("or")  ? kBitOr
                                            : kBitXor);
}

const Row kRows[] = {
    {"llvm.nvvm.shfl.sync.up.i32p", shuffle, kUp | 4},
    {"llvm.nvvm.shfl.sync.up.f32p", shuffle, kUp | 4},
    {"llvm.nvvm.shfl.sync.down.i32p", shuffle, kDown | 4},
    {"llvm.nvvm.shfl.sync.down.f32p", shuffle, kDown | 4},
    {"llvm.nvvm.shfl.sync.bfly.i32p", shuffle, kButterfly | 4},
    {"llvm.nvvm.shfl.sync.bfly.f32p", shuffle, kButterfly | 4},
    {"llvm.nvvm.shfl.sync.idx.i32p", shuffle, kIndex | 4},
    {"llvm.nvvm.shfl.sync.idx.f32p", shuffle, kIndex | 4},
    {"llvm.nvvm.shfl.sync.up.*", shuffle, kUp},
    {"llvm.nvvm.shfl.sync.down.*", shuffle, kDown},
    {"llvm.nvvm.shfl.sync.bfly.*", shuffle, kButterfly},
    {"llvm.nvvm.shfl.sync.idx.*", shuffle, kIndex},
    {"llvm.nvvm.vote.any.sync", vote, kAny},
    {"llvm.nvvm.vote.all.sync", vote, kAll},
    {"llvm.nvvm.vote.uni.sync", vote, kUniform},
    {"llvm.nvvm.vote.ballot.sync", vote, kBallot},
    {"llvm.nvvm.match.any.sync.*", vote, kMatchAny},
    {"llvm.nvvm.match.all.sync.*", vote, kMatchAll},
    {"llvm.nvvm.redux.sync.add", vote, kAdd | kValueFirst},
    {"llvm.nvvm.redux.sync.min", vote, kMin | kValueFirst},
    {"llvm.nvvm.redux.sync.max", vote, kMax | kValueFirst},
    {"llvm.nvvm.redux.sync.umin", vote, kUnsignedMin | kValueFirst},
    {"llvm.nvvm.redux.sync.umax", vote, kUnsignedMax | kValueFirst},
    {"llvm.nvvm.redux.sync.and", vote, kBitAnd | kValueFirst},
    {"llvm.nvvm.redux.sync.or", vote, kBitOr | kValueFirst},
    {"llvm.nvvm.redux.sync.xor", vote, kBitXor | kValueFirst},
    {"llvm.nvvm.bar.warp.sync", warpBarrier},
    {"llvm.nvvm.elect.sync", elect},
    {"llvm.nvvm.activemask", activeMask},
};

const PtxRow kPtx[] = {
    {"shfl.sync", shufflePtx, 1, false, decodeShuffle}, {"vote.sync", vote, 1, false, decodeVote},
    {"match.any.sync", vote, 1, false, decodeMatch},    {"match.all.sync", vote, 1, false, decodeMatch},
    {"redux.sync", vote, 1, false, decodeReduce},       {"bar.warp.sync", warpBarrier, 0, false, nullptr},
    {"elect.sync", elect, 1, false, nullptr},           {"activemask", activeMask, 1, false, nullptr},
};

} // namespace

std::span<const Row> exchangeIntrinsics() { return kRows; }
std::span<const PtxRow> exchangeRows() { return kPtx; }

} // namespace pantile::cuda::emulation
