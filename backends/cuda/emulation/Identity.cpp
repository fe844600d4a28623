//===- cuda/emulation/Identity.cpp - who and where a thread is ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Special registers, mapa, and instructions that change nothing here (register counts, prefetches, sleep).
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"

#include <chrono>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

namespace {

enum Register : uint64_t {
  kThread,
  kThreads = 3,
  kBlockId = 6,
  kBlocks = 9,
  kClusterId = 12,
  kClusters = 15,
  kInCluster = 18,
  kClusterBlocks = 21, // and 2 more each
  kRankInCluster = 24,
  kBlocksOfCluster,
  kLane,
  kWarp,
  kWarpSize,
  kLaneMaskEqual,
  kLaneMaskLess,
  kLaneMaskLessEqual,
  kLaneMaskGreater,
  kLaneMaskGreaterEqual,
  kClock,
  kUnit,
};

void special(Lane &lane, const Call &call) {
  const Block &block = lane.block();
  const auto &execution = *block.cluster->execution;
  const uint64_t which = call.data;
  uint64_t value = 0;
  const unsigned d = unsigned(which % 3);
  if (which < kThreads)
    value = lane.thread[d];
  else if (which < kBlockId)
    value = execution.block[d];
  else if (which < kBlocks)
    value = block.id[d];
  else if (which < kClusterId)
    value = execution.grid[d];
  else if (which < kClusters)
    value = block.cluster->id[d];
  else if (which < kInCluster)
    value = execution.grid[d] / execution.cluster[d];
  else if (which < kClusterBlocks)
    value = block.id[d] - block.cluster->id[d] * execution.cluster[d];
  else if (which < kRankInCluster)
    value = execution.cluster[d];
  else
    switch (which) {
    case kRankInCluster:
      value = block.rank;
      break;
    case kBlocksOfCluster:
      value = block.cluster->blocks.size();
      break;
    case kLane:
      value = lane.index;
      break;
    case kWarp:
      value = lane.warp->index;
      break;
    case kWarpSize:
      value = 32;
      break;
    case kLaneMaskEqual:
      value = uint64_t(1) << lane.index;
      break;
    case kLaneMaskLess:
      value = (uint64_t(1) << lane.index) - 1;
      break;
    case kLaneMaskLessEqual:
      value = (uint64_t(2) << lane.index) - 1;
      break;
    case kLaneMaskGreater:
      value = uint32_t(~((uint64_t(2) << lane.index) - 1));
      break;
    case kLaneMaskGreaterEqual:
      value = uint32_t(~((uint64_t(1) << lane.index) - 1));
      break;
    case kClock:
      value = uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
      break;
    }
  call.out[0] = value;
}

void nothing(Lane &, const Call &) {}

/// in: address, rank -> the same place in that block.
void mapToBlock(Lane &, const Call &call) {
  // A rank that the cluster does not have gives an address that nothing may use.
  const uint32_t rank = uint32_t(std::min<uint64_t>(call.in[1], 255));
  const bool generic = call.in[0] >= emulator::kSharedWindow;
  call.out[0] = (generic ? emulator::kSharedWindow : 0) + Cluster::sharedAddress(rank, sharedOffset(call.in[0]));
}

void rankOf(Lane &, const Call &call) { call.out[0] = uint32_t(call.in[0]) >> Cluster::kRankShift; }

void sleep(Lane &lane, const Call &) { lane.poll(); }

void trap(Lane &lane, const Call &) { lane.fail(PANTILE_DATA_ERROR, "the kernel traps"); }

/// Registers move within 24 .. 256 in steps of 8.
void setRegisters(Lane &lane, const Call &call) {
  if (call.in[0] < 24 || call.in[0] > 256 || call.in[0] % 8)
    lane.fail(PANTILE_INVALID_ARGUMENT, fmt::format("setmaxnreg of {} registers, allowed are 24 to 256 in steps of 8", call.in[0]));
}

#define XYZ(name, first)                                                                                                                   \
  {"llvm.nvvm.read.ptx.sreg." name ".x", special, first}, {"llvm.nvvm.read.ptx.sreg." name ".y", special, (first) + 1},                    \
      {"llvm.nvvm.read.ptx.sreg." name ".z", special, (first) + 2}

const Row kRows[] = {
    XYZ("tid", kThread),
    XYZ("ntid", kThreads),
    XYZ("ctaid", kBlockId),
    XYZ("nctaid", kBlocks),
    XYZ("clusterid", kClusterId),
    XYZ("nclusterid", kClusters),
    XYZ("cluster.ctaid", kInCluster),
    XYZ("cluster.nctaid", kClusterBlocks),
    {"llvm.nvvm.read.ptx.sreg.cluster.ctarank", special, kRankInCluster},
    {"llvm.nvvm.read.ptx.sreg.cluster.nctarank", special, kBlocksOfCluster},
    {"llvm.nvvm.read.ptx.sreg.laneid", special, kLane},
    {"llvm.nvvm.read.ptx.sreg.warpid", special, kWarp},
    {"llvm.nvvm.read.ptx.sreg.warpsize", special, kWarpSize},
    {"llvm.nvvm.read.ptx.sreg.lanemask.eq", special, kLaneMaskEqual},
    {"llvm.nvvm.read.ptx.sreg.lanemask.lt", special, kLaneMaskLess},
    {"llvm.nvvm.read.ptx.sreg.lanemask.le", special, kLaneMaskLessEqual},
    {"llvm.nvvm.read.ptx.sreg.lanemask.gt", special, kLaneMaskGreater},
    {"llvm.nvvm.read.ptx.sreg.lanemask.ge", special, kLaneMaskGreaterEqual},
    {"llvm.nvvm.read.ptx.sreg.clock*", special, kClock},
    {"llvm.nvvm.read.ptx.sreg.globaltimer*", special, kClock},
    {"llvm.nvvm.read.ptx.sreg.smid", special, kUnit},
    {"llvm.nvvm.mapa*", mapToBlock},
    {"llvm.nvvm.getctarank*", rankOf},
    {"llvm.nvvm.setmaxnreg.*", setRegisters},
    {"llvm.nvvm.prefetch*", nothing},
    {"llvm.nvvm.cp.async.bulk.prefetch*", nothing},
    {"llvm.nvvm.griddepcontrol*", nothing},
    {"llvm.nvvm.pm.event*", nothing},
    {"llvm.nvvm.nanosleep", sleep},
    {"llvm.nvvm.exit", trap},
    {"llvm.trap", trap},
};

#undef XYZ

} // namespace

std::span<const Row> identityIntrinsics() { return kRows; }

// In assembly these come with the arithmetic.
const PtxRow kIdentityPtx[] = {
    {"mapa", mapToBlock, 1, false, nullptr},
    {"setmaxnreg", setRegisters, 0, false, nullptr},
    {"nanosleep", sleep, 0, false, nullptr},
    {"prefetch", nothing, 0, false, nullptr},
    {"prefetchu", nothing, 0, false, nullptr},
    {"griddepcontrol", nothing, 0, false, nullptr},
    {"cp.async.bulk.prefetch", nothing, 0, false, nullptr},
    {"trap", trap, 0, false, nullptr},
};
std::span<const PtxRow> identityRows() { return kIdentityPtx; }

} // namespace pantile::cuda::emulation
