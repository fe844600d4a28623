//===- cuda/emulation/MatrixMoves.cpp - ldmatrix and stmatrix -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// PTX ISA 8.x, "Warp-level matrix load instruction: ldmatrix": of each 8x8 matrix of 16-bit elements lane 8i+r of the i-th group
// gives the address of row r; lane l gets elements (l/4, 2(l%4)) and (l/4, 2(l%4)+1), or transposed (2(l%4), l/4) and the next.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

namespace {

constexpr uint64_t kTransposed = 8;

struct Move {
  const Call *call;
  uint64_t address;
};

void checkMembers(Warp &warp, uint64_t members) {
  if (members != 0xffffffff || warp.lanes.size() != 32)
    warp.lanes[0].fail(PANTILE_DATA_ERROR, "a matrix instruction needs all 32 lanes of a warp");
}

char *rowOf(Lane &lane, Site::Kind kind) {
  const Move &move = *static_cast<Move *>(lane.operand);
  if (move.address % 16) lane.fail(PANTILE_DATA_ERROR, fmt::format("a matrix row at shared {:#x}, no multiple of 16", move.address));
  return lane.shared(move.address, 16, kind);
}

void loadAct(Warp &warp, uint64_t members) {
  checkMembers(warp, members);
  const Call &first = *static_cast<Move *>(warp.lanes[0].operand)->call;
  const unsigned matrices = unsigned(first.data & 7);
  const bool transposed = first.data & kTransposed;
  uint16_t elements[4][8][8];
  for (unsigned m = 0; m < matrices; ++m)
    for (unsigned r = 0; r < 8; ++r) std::memcpy(elements[m][r], rowOf(warp.lanes[8 * m + r], Site::Kind::Load), 16);
  for (Lane &lane : warp.lanes) {
    const unsigned row = lane.index / 4, column = lane.index % 4 * 2;
    const Call &call = *static_cast<Move *>(lane.operand)->call;
    for (unsigned m = 0; m < matrices; ++m) {
      const uint16_t low = transposed ? elements[m][column][row] : elements[m][row][column];
      const uint16_t high = transposed ? elements[m][column + 1][row] : elements[m][row][column + 1];
      call.out[m] = uint32_t(high) << 16 | low;
    }
  }
}

void storeAct(Warp &warp, uint64_t members) {
  checkMembers(warp, members);
  const Call &first = *static_cast<Move *>(warp.lanes[0].operand)->call;
  const unsigned matrices = unsigned(first.data & 7);
  const bool transposed = first.data & kTransposed;
  uint16_t elements[4][8][8];
  for (Lane &lane : warp.lanes) {
    const unsigned row = lane.index / 4, column = lane.index % 4 * 2;
    const Call &call = *static_cast<Move *>(lane.operand)->call;
    for (unsigned m = 0; m < matrices; ++m) {
      const uint32_t pair = uint32_t(call.in[1 + m]);
      (transposed ? elements[m][column][row] : elements[m][row][column]) = uint16_t(pair);
      (transposed ? elements[m][column + 1][row] : elements[m][row][column + 1]) = uint16_t(pair >> 16);
    }
  }
  for (unsigned m = 0; m < matrices; ++m)
    for (unsigned r = 0; r < 8; ++r) std::memcpy(rowOf(warp.lanes[8 * m + r], Site::Kind::Store), elements[m][r], 16);
}

/// A generic address of shared memory, or a shared one.
uint64_t sharedOf(uint64_t address) { return address >= emulator::kSharedWindow ? address - emulator::kSharedWindow : address; }

void load(Lane &lane, const Call &call) {
  Move move{&call, sharedOf(call.in[0])};
  lane.converge(~uint64_t(0), &move, loadAct);
}
void store(Lane &lane, const Call &call) {
  Move move{&call, sharedOf(call.in[0])};
  lane.converge(~uint64_t(0), &move, storeAct);
}

std::optional<uint64_t> decode(const Opcode &opcode, const OperandCounts &) {
  if (!opcode.has("m8n8") || !opcode.has("b16")) return std::nullopt;
  const uint64_t matrices = opcode.has("x4") ? 4 : opcode.has("x2") ? 2 : 1;
  return matrices | (opcode.has("trans") ? kTransposed : 0);
}

const Row kRows[] = {
    {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x1.trans.b16*", load, 1 | kTransposed},
    {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.trans.b16*", load, 2 | kTransposed},
    {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16*", load, 4 | kTransposed},
    {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x1.b16*", load, 1},
    {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.b16*", load, 2},
    {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16*", load, 4},
    {"llvm.nvvm.stmatrix.sync.aligned.m8n8.x1.trans.b16*", store, 1 | kTransposed},
    {"llvm.nvvm.stmatrix.sync.aligned.m8n8.x2.trans.b16*", store, 2 | kTransposed},
    {"llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.trans.b16*", store, 4 | kTransposed},
    {"llvm.nvvm.stmatrix.sync.aligned.m8n8.x1.b16*", store, 1},
    {"llvm.nvvm.stmatrix.sync.aligned.m8n8.x2.b16*", store, 2},
    {"llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16*", store, 4},
};
const PtxRow kPtx[] = {{"ldmatrix", load, 1, false, decode}, {"stmatrix", store, 0, false, decode}};

} // namespace

std::span<const Row> matrixMoveIntrinsics() { return kRows; }
std::span<const PtxRow> matrixMoveRows() { return kPtx; }

} // namespace pantile::cuda::emulation
