//===- cuda/emulation/Families.h - the tables of intrinsics ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_FAMILIES_H
#define PANTILE_CUDA_EMULATION_FAMILIES_H

#include "backends/cuda/emulation/Ptx.h"
#include "backends/emulator/Scheduler.h"

#include <bit>

namespace pantile::cuda::emulation {

using emulator::Accessor;
using emulator::Block;
using emulator::Cluster;
using emulator::OperationQueue;
using emulator::Row;
using emulator::Site;
using emulator::TransactionBarrier;
using emulator::Warp;

/// Kinds of asynchronous operations: queues of a lane, actors of a warp.
enum Engine : uint32_t { kCopyEngine, kBulkEngine, kDotEngine };

std::span<const Row> identityIntrinsics();
std::span<const Row> synchronizationIntrinsics();
std::span<const Row> exchangeIntrinsics();
std::span<const Row> copyIntrinsics();
std::span<const Row> tensorCopyIntrinsics();
std::span<const Row> matrixMoveIntrinsics();
std::span<const Row> warpDotIntrinsics();
std::span<const Row> groupDotIntrinsics();
std::span<const Row> arithmeticIntrinsics();

/// Of wgmma's data: results are poison until a wait delivers them.
inline constexpr uint64_t kLate = uint64_t(1) << 63;

/// An address's offset in its own block's shared memory.
inline uint32_t sharedOffset(uint64_t address) { return uint32_t(address) & ((1u << Cluster::kRankShift) - 1); }

} // namespace pantile::cuda::emulation

#endif // PANTILE_CUDA_EMULATION_FAMILIES_H
