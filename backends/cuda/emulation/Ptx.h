//===- cuda/emulation/Ptx.h - inline assembly, statement by statement -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// NVVM and our own lowering put instructions that LLVM has no intrinsic for into inline assembly, from one instruction to a
// small program with registers, predicates and a loop. A text is parsed once; a lane executes it. Every instruction is a row
// of a table: arithmetic here, the rest where its family is emulated. Words of an instruction's operands are in the order of
// its PTX: vectors and addresses flattened ("[map, {x, y}]" is three words).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_PTX_H
#define PANTILE_CUDA_EMULATION_PTX_H

#include "backends/emulator/Dialect.h"

namespace pantile::cuda::emulation {

using emulator::Call;
using emulator::Emulate;
using emulator::Emulation;
using emulator::Lane;

/// An opcode's parts, e.g. {"mbarrier", "try_wait", "parity", "shared", "b64"}.
struct Opcode {
  std::string text;
  std::vector<std::string_view> parts;
  bool has(std::string_view part) const;
  /// "m64n128k16" -> 64, 128, 16; zeros where there is no shape.
  void shape(int &m, int &n, int &k) const;
};

/// How many of each operand's words an instruction has: what decode() may ask.
struct OperandCounts {
  std::vector<unsigned> words; ///< per operand, in order, destinations included
};

struct PtxRow {
  std::string_view opcode; ///< a prefix, at a dot
  Emulate run;
  unsigned destinations; ///< leading operands that are written
  bool accumulates;      ///< and read: their words come first
  /// What `run` gets as data; nothing: this form is not emulated.
  std::optional<uint64_t> (*decode)(const Opcode &opcode, const OperandCounts &counts);
};

/// Traits of a module: every wait for wgmma names the accumulators it waits for, so that they may be poison until then.
inline constexpr uint64_t kDelivers = 1;
bool deliversAccumulators(std::string_view moduleText);
/// Of registers that wgmma's results are on the way to: those whose group has been waited for get them.
void deliver(Lane &lane, uint64_t *registers, unsigned count);

/// All rows, families in files of their own.
std::span<const PtxRow> identityRows();
std::span<const PtxRow> groupDotRows();
std::span<const PtxRow> warpDotRows();
std::span<const PtxRow> matrixMoveRows();
std::span<const PtxRow> copyRows();
std::span<const PtxRow> tensorCopyRows();
std::span<const PtxRow> synchronizationRows();
std::span<const PtxRow> exchangeRows();
std::span<const PtxRow> arithmeticRows();

/// A program's emulation. An unknown instruction is an error that names it.
Expected<Emulation> assemble(std::string_view text, std::string_view constraints, uint64_t traits);

} // namespace pantile::cuda::emulation

#endif // PANTILE_CUDA_EMULATION_PTX_H
