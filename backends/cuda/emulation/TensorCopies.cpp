//===- cuda/emulation/TensorCopies.cpp - bulk copies, of tensors too ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// cp.async.bulk and cp.async.bulk.tensor (PTX ISA 8.x, "Data Movement: Bulk copy", "Tensors"). Loads complete on a barrier
// object, in every block of the mask; stores are groups of the thread. Out of the tensor loads give zero and stores do nothing.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"
#include "backends/cuda/emulation/TensorMap.h"

#include "backends/cuda/emulation/Elements.h"
#include "pantile/types.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

Status checkTensorMap(const TensorMap &map) {
  auto bad = [](std::string what) { return Status(PANTILE_INVALID_ARGUMENT, "a tensor map cannot describe the view: " + std::move(what)); };
  if (map.rank < 1 || map.rank > 5) return bad(fmt::format("rank {}", map.rank));
  if (map.address % 16) return bad(fmt::format("its address {:#x} is no multiple of 16", map.address));
  for (int d = 0; d < map.rank; ++d) {
    if (map.box[d] < 1 || map.box[d] > 256) return bad(fmt::format("a box of {} in dimension {}, 1 to 256 are possible", map.box[d], d));
    if (d && map.strides[d - 1] % 16)
      return bad(fmt::format("a stride of {} bytes in dimension {}, no multiple of 16", map.strides[d - 1], d));
  }
  const unsigned inner = map.box[0] * map.elementBytes;
  if (inner % 16) return bad(fmt::format("the box has {} bytes in its innermost dimension, no multiple of 16", inner));
  if (map.swizzleBytes && inner > map.swizzleBytes)
    return bad(fmt::format("{} bytes in the box's innermost dimension, more than the swizzle's {}", inner, map.swizzleBytes));
  return {};
}

namespace {

/// 16-byte units of an address are exchanged by the bits above: of 128 bytes units 0-7 by bits 7-9, and so on.
uint32_t swizzle(uint32_t address, unsigned bytes) {
  const uint32_t mask = bytes == 128 ? 0x70 : bytes == 64 ? 0x30 : bytes == 32 ? 0x10 : 0;
  return address ^ (address >> 3 & mask);
}

TensorMap readMap(Lane &lane, uint64_t address) {
  TensorMap map;
  std::memcpy(&map, lane.access(address, sizeof(map), Site::Kind::Load), sizeof(map));
  if (map.magic != TensorMap::kMagic)
    lane.fail(PANTILE_DATA_ERROR, fmt::format("a tensor copy by what lies at {:#x}, which is no tensor map", address));
  return map;
}

/// Calls `row` for every innermost row of a box: its offset in the box (bytes), the address of its first element, and which of
/// its elements lie in the tensor.
template <typename F> void forRows(const TensorMap &map, const int32_t *at, F row) {
  const uint32_t inner = map.box[0] * map.elementBytes;
  uint32_t count = 1;
  for (int d = 1; d < map.rank; ++d) count *= map.box[d];
  for (uint32_t r = 0; r < count; ++r) {
    uint64_t address = map.address;
    bool inside = true;
    uint32_t rest = r;
    for (int d = 1; d < map.rank; ++d) {
      const int64_t c = int64_t(at[d]) + rest % map.box[d];
      rest /= map.box[d];
      inside &= c >= 0 && c <= int64_t(map.last[d]);
      address += uint64_t(c) * map.strides[d - 1];
    }
    const int64_t first = std::max<int64_t>(0, -int64_t(at[0])), end = std::min<int64_t>(map.box[0], int64_t(map.last[0]) + 1 - at[0]);
    row(r * inner, address + uint64_t(int64_t(at[0]) * map.elementBytes), inside ? uint32_t(first) : 0u,
        inside ? uint32_t(std::max(first, end)) : 0u);
  }
}

uint32_t boxBytes(const TensorMap &map) {
  uint32_t bytes = map.elementBytes;
  for (int d = 0; d < map.rank; ++d) bytes *= map.box[d];
  return bytes;
}

void checkPlace(Lane &lane, uint64_t shared) {
  if (shared % 128) lane.fail(PANTILE_DATA_ERROR, fmt::format("a tensor copy at shared {:#x}, no multiple of 128", shared));
}

constexpr uint64_t kMulticast = 16;

/// in: shared, barrier, map, coordinates ..., multicast mask where data has kMulticast set. data: rank.
void loadTensor(Lane &lane, uint64_t shared, uint64_t barrierAddress, uint64_t mapAddress, const int32_t *at, unsigned rank,
                uint64_t blocks) {
  const TensorMap map = readMap(lane, mapAddress);
  if (map.rank != rank) lane.fail(PANTILE_DATA_ERROR, fmt::format("a copy of {} dimensions by a tensor map of {}", rank, map.rank));
  checkPlace(lane, shared);
  const uint32_t bytes = boxBytes(map);
  Cluster &cluster = lane.cluster();
  std::vector<char> data(bytes, 0);
  forRows(map, at, [&](uint32_t offset, uint64_t address, uint32_t first, uint32_t end) {
    if (first >= end) return;
    const uint32_t from = first * map.elementBytes, count = (end - first) * map.elementBytes;
    std::memcpy(data.data() + offset + from, lane.global(address + from, count, Site::Kind::Load), count);
  });
  for (uint32_t block = 0; block < cluster.blocks.size(); ++block) {
    if (!(blocks >> block & 1)) continue;
    const uint32_t to = Cluster::sharedAddress(block, sharedOffset(shared)),
                   barrier = Cluster::sharedAddress(block, sharedOffset(barrierAddress));
    auto &object = TransactionBarrier::at(lane, barrier);
    const Accessor who{object.actor, object.time(), &lane.warp->knowledge, true, lane.site};
    std::vector<char *> rows;
    for (uint32_t row = 0; row < bytes; row += 16)
      rows.push_back(lane.sharedAs(who, swizzle(to + row, map.swizzleBytes), 16, Site::Kind::Store));
    for (char *row : rows) std::memset(row, 0xff, 16);
    auto effect = [rows = std::move(rows), data, &cluster, barrier, bytes] {
      for (size_t row = 0; row < rows.size(); ++row) std::memcpy(rows[row], data.data() + row * 16, 16);
      auto found = cluster.transactionBarriers.find(barrier);
      if (found != cluster.transactionBarriers.end()) found->second.complete(bytes);
    };
    if (lane.scheduler().coin())
      effect();
    else
      lane.scheduler().background(std::move(effect));
  }
}

/// Intrinsic: shared, barrier, map, coordinates, mask, cache hint, uses mask, uses hint, flag.
void loadTensorIntrinsic(Lane &lane, const Call &call) {
  const unsigned rank = unsigned(call.data);
  int32_t at[5];
  for (unsigned d = 0; d < rank; ++d) at[d] = int32_t(call.in[3 + d]);
  const uint64_t *rest = call.in + 3 + rank;
  const uint64_t own = uint64_t(1) << (call.in[0] >> Cluster::kRankShift);
  loadTensor(lane, call.in[0], call.in[1], call.in[2], at, rank, rest[2] & 1 ? rest[0] & 0xffff : own);
}

/// The form of a block: shared, barrier, map, coordinates, cache hint, uses hint.
void loadTensorOfBlock(Lane &lane, const Call &call) {
  const unsigned rank = unsigned(call.data);
  int32_t at[5];
  for (unsigned d = 0; d < rank; ++d) at[d] = int32_t(call.in[3 + d]);
  loadTensor(lane, call.in[0], call.in[1], call.in[2], at, rank, uint64_t(1) << lane.block().rank);
}

/// PTX: [shared], [map, {coordinates}], [barrier] [, mask] [, hint].
void loadTensorPtx(Lane &lane, const Call &call) {
  const unsigned rank = unsigned(call.data & 7);
  int32_t at[5];
  for (unsigned d = 0; d < rank; ++d) at[d] = int32_t(call.in[2 + d]);
  const uint64_t own = uint64_t(1) << (call.in[0] >> Cluster::kRankShift);
  loadTensor(lane, call.in[0], call.in[2 + rank], call.in[1], at, rank, call.data & kMulticast ? call.in[3 + rank] & 0xffff : own);
}

//--- Stores and reductions: groups of the thread

enum Reduction : uint64_t { kStore, kAdd, kMin, kMax, kAnd, kOr, kXor };

void reduceElement(char *to, const char *from, unsigned bytes, uint8_t dtype, Reduction how) {
  if (how == kStore) {
    std::memcpy(to, from, bytes);
    return;
  }
  reduceInto(to, from, dtype,
             how == kAdd   ? Combine::Add
             : how == kMin ? Combine::Min
             : how == kMax ? Combine::Max
             : how == kAnd ? Combine::And
             : how == kOr  ? Combine::Or
                           : Combine::Xor);
}

uint32_t bulkTime(Lane &lane) { return lane.queues[kBulkEngine].committed() + 1; }

void storeTensor(Lane &lane, uint64_t shared, uint64_t mapAddress, const int32_t *at, unsigned rank, Reduction how) {
  const TensorMap map = readMap(lane, mapAddress);
  if (map.rank != rank) lane.fail(PANTILE_DATA_ERROR, fmt::format("a copy of {} dimensions by a tensor map of {}", rank, map.rank));
  checkPlace(lane, shared);
  const Accessor who{lane.warp->engine(kBulkEngine), bulkTime(lane), &lane.warp->knowledge, true, lane.site};
  const uint32_t bytes = boxBytes(map);
  std::vector<const char *> units;
  for (uint32_t unit = 0; unit < bytes; unit += 16)
    units.push_back(lane.sharedAs(who, swizzle(uint32_t(shared) + unit, map.swizzleBytes), 16, Site::Kind::Load));
  struct Piece {
    char *to;
    uint32_t offset, count; // bytes
  };
  std::vector<Piece> pieces;
  forRows(map, at, [&](uint32_t offset, uint64_t address, uint32_t first, uint32_t end) {
    if (first >= end) return;
    const uint32_t from = first * map.elementBytes, count = (end - first) * map.elementBytes;
    pieces.push_back({lane.global(address + from, count, how == kStore ? Site::Kind::Store : Site::Kind::Atomic), offset + from, count});
  });
  lane.queues[kBulkEngine].add(
      [units = std::move(units), pieces = std::move(pieces), bytes = map.elementBytes, dtype = map.dtype, how] {
        for (const Piece &piece : pieces)
          for (uint32_t i = 0; i < piece.count; i += bytes)
            reduceElement(piece.to + i, units[(piece.offset + i) / 16] + (piece.offset + i) % 16, bytes, dtype, how);
      },
      lane.scheduler().coin());
}

/// Intrinsic: shared, map, coordinates, hint, uses hint.
void storeTensorIntrinsic(Lane &lane, const Call &call) {
  const unsigned rank = unsigned(call.data & 7);
  int32_t at[5];
  for (unsigned d = 0; d < rank; ++d) at[d] = int32_t(call.in[2 + d]);
  storeTensor(lane, call.in[0], call.in[1], at, rank, Reduction(call.data >> 3));
}
/// PTX: [map, {coordinates}], [shared] [, hint].
void storeTensorPtx(Lane &lane, const Call &call) {
  const unsigned rank = unsigned(call.data & 7);
  int32_t at[5];
  for (unsigned d = 0; d < rank; ++d) at[d] = int32_t(call.in[1 + d]);
  storeTensor(lane, call.in[1 + rank], call.in[0], at, rank, Reduction(call.data >> 3));
}

void commit(Lane &lane, const Call &) { lane.queues[kBulkEngine].commit(); }

/// in: groups that may be left. Reading and writing end together here.
void waitGroup(Lane &lane, const Call &call) {
  auto &queue = lane.queues[kBulkEngine];
  queue.wait(uint32_t(call.in[0]));
  const uint32_t actor = lane.warp->engine(kBulkEngine);
  lane.warp->knowledge.seen.advance(actor, queue.completed());
  lane.warp->knowledge.fenced.advance(actor, queue.completed());
}

//--- Without a tensor

/// in: shared, barrier, global, bytes, mask, hint, uses mask, uses hint.
void loadBulk(Lane &lane, uint64_t shared, uint64_t barrierAddress, uint64_t from, uint64_t bytes, uint64_t blocks) {
  if (shared % 16 || from % 16 || bytes % 16)
    lane.fail(PANTILE_DATA_ERROR,
              fmt::format("a bulk copy of {} bytes from {:#x} to shared {:#x}: all need multiples of 16", bytes, from, shared));
  const char *source = lane.global(from, bytes, Site::Kind::Load);
  Cluster &cluster = lane.cluster();
  for (uint32_t block = 0; block < cluster.blocks.size(); ++block) {
    if (!(blocks >> block & 1)) continue;
    const uint32_t to = Cluster::sharedAddress(block, sharedOffset(shared)),
                   barrier = Cluster::sharedAddress(block, sharedOffset(barrierAddress));
    auto &object = TransactionBarrier::at(lane, barrier);
    char *place = lane.sharedAs({object.actor, object.time(), &lane.warp->knowledge, true, lane.site}, to, bytes, Site::Kind::Store);
    std::memset(place, 0xff, bytes);
    auto effect = [=, &cluster] {
      std::memcpy(place, source, bytes);
      auto found = cluster.transactionBarriers.find(barrier);
      if (found != cluster.transactionBarriers.end()) found->second.complete(int64_t(bytes));
    };
    if (lane.scheduler().coin())
      effect();
    else
      lane.scheduler().background(effect);
  }
}
void loadBulkIntrinsic(Lane &lane, const Call &call) {
  const uint64_t own = uint64_t(1) << (call.in[0] >> Cluster::kRankShift);
  loadBulk(lane, call.in[0], call.in[1], call.in[2], uint32_t(call.in[3]), call.in[6] & 1 ? call.in[4] & 0xffff : own);
}
/// in: global, shared, bytes.
void storeBulk(Lane &lane, const Call &call) {
  const uint64_t to = call.in[0], bytes = uint32_t(call.in[2]);
  const Accessor who{lane.warp->engine(kBulkEngine), bulkTime(lane), &lane.warp->knowledge, true, lane.site};
  const char *source = lane.sharedAs(who, call.in[1], bytes, Site::Kind::Load);
  char *place = lane.global(to, bytes, Site::Kind::Store);
  lane.queues[kBulkEngine].add([=] { std::memcpy(place, source, bytes); }, lane.scheduler().coin());
}
/// PTX load: [shared], [global], bytes, [barrier].
void loadBulkPtx(Lane &lane, const Call &call) {
  loadBulk(lane, call.in[0], call.in[3], call.in[1], uint32_t(call.in[2]), uint64_t(1) << (call.in[0] >> Cluster::kRankShift));
}

std::optional<uint64_t> rankOf(const Opcode &opcode) {
  for (uint64_t rank = 1; rank <= 5; ++rank)
    if (opcode.has(std::to_string(rank) + "d")) return rank;
  return std::nullopt;
}
std::optional<uint64_t> decodeTensorLoad(const Opcode &opcode, const OperandCounts &) {
  auto rank = rankOf(opcode);
  if (!rank || !opcode.has("global") || opcode.text.find("mbarrier::complete_tx::bytes") == std::string::npos ||
      opcode.text.find("im2col") != std::string::npos)
    return std::nullopt;
  return *rank | (opcode.has("multicast::cluster") ? kMulticast : 0);
}
std::optional<uint64_t> decodeTensorStore(const Opcode &opcode, const OperandCounts &) {
  auto rank = rankOf(opcode);
  if (!rank || !opcode.has("bulk_group")) return std::nullopt;
  return rank;
}
std::optional<uint64_t> decodeTensorReduce(const Opcode &opcode, const OperandCounts &) {
  auto rank = rankOf(opcode);
  if (!rank || !opcode.has("bulk_group")) return std::nullopt;
  const Reduction how = opcode.has("add")   ? kAdd
                        : opcode.has("min") ? kMin
                        : opcode.has("max") ? kMax
                        : opcode.has("and") ? kAnd
                        : opcode.has("or")  ? kOr
                                            : kXor;
  return *rank | how << 3;
}
std::optional<uint64_t> decodeBulkLoad(const Opcode &opcode, const OperandCounts &) {
  if (opcode.text.find("mbarrier::complete_tx::bytes") == std::string::npos || !opcode.has("global")) return std::nullopt;
  return 0;
}
std::optional<uint64_t> decodeBulkStore(const Opcode &opcode, const OperandCounts &) {
  if (!opcode.has("bulk_group")) return std::nullopt;
  return 0;
}

#define RANKS(name, run, how)                                                                                                              \
  {name "1d", run, 1 | (how) << 3}, {name "2d", run, 2 | (how) << 3}, {name "3d", run, 3 | (how) << 3}, {name "4d", run, 4 | (how) << 3},  \
      {name "5d", run, 5 | (how) << 3}

const Row kRows[] = {
    RANKS("llvm.nvvm.cp.async.bulk.tensor.g2s.tile.", loadTensorIntrinsic, 0),
    RANKS("llvm.nvvm.cp.async.bulk.tensor.g2s.cta.tile.", loadTensorOfBlock, 0),
    RANKS("llvm.nvvm.cp.async.bulk.tensor.s2g.tile.", storeTensorIntrinsic, kStore),
    RANKS("llvm.nvvm.cp.async.bulk.tensor.reduce.add.tile.", storeTensorIntrinsic, kAdd),
    RANKS("llvm.nvvm.cp.async.bulk.tensor.reduce.min.tile.", storeTensorIntrinsic, kMin),
    RANKS("llvm.nvvm.cp.async.bulk.tensor.reduce.max.tile.", storeTensorIntrinsic, kMax),
    {"llvm.nvvm.cp.async.bulk.commit.group", commit},
    {"llvm.nvvm.cp.async.bulk.wait.group*", waitGroup},
    {"llvm.nvvm.cp.async.bulk.global.to.shared.cluster", loadBulkIntrinsic},
    {"llvm.nvvm.cp.async.bulk.shared.cta.to.global", storeBulk},
};

#undef RANKS

const PtxRow kPtx[] = {
    {"cp.async.bulk.commit_group", commit, 0, false, nullptr},
    {"cp.async.bulk.wait_group", waitGroup, 0, false, nullptr},
    {"cp.async.bulk.tensor", loadTensorPtx, 0, false, decodeTensorLoad},
    {"cp.async.bulk.tensor", storeTensorPtx, 0, false, decodeTensorStore},
    {"cp.reduce.async.bulk.tensor", storeTensorPtx, 0, false, decodeTensorReduce},
    {"cp.async.bulk.shared::cluster", loadBulkPtx, 0, false, decodeBulkLoad},
    {"cp.async.bulk.shared::cta", loadBulkPtx, 0, false, decodeBulkLoad},
    {"cp.async.bulk.global", storeBulk, 0, false, decodeBulkStore},
};

} // namespace

std::span<const Row> tensorCopyIntrinsics() { return kRows; }
std::span<const PtxRow> tensorCopyRows() { return kPtx; }

} // namespace pantile::cuda::emulation
