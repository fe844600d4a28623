//===- cpu/compiler/codegen/MicroKernel.h - dot as a nest of register tiles ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// emitDot emits C[m, n] (+)= lhs[m, k] x rhs[k, n] as a loop nest over register tiles of mr x nr sums that live in vector
// registers for the whole k loop. The structure follows from how rhs lies in memory:
//
//   Packed      (Pack.h)  for each panel of nr columns, for each mr rows: for k: nr/lanes loads, mr broadcasts, mr*nr/lanes fma.
//                         The fast form when rhs is reused by more than about 16 rows: 95 to 100 % of peak in cache.
//   Columns     rhs's columnStride is 1 (row-major k x n), read in place. With few rows (schedule.kBlock set): for each kBlock
//                         rows of rhs, for each panel: streams rhs once at memory speed; sums lie in memory in between.
//   Rows        rhs's kStride is 1 (its rows are columns of the product, "transposed"), read in place: vectors run along k,
//                         tiles of rows x columns of dot products, summed across lanes at the end. For few rows (GEMV).
//
// lhs is read in place (any strides where the form's group is 1; kStride 1 where it is larger) or packed. A group of k that
// is not whole, rows past m and columns past n are never read nor written: m, n, k are logical extents. Rows are covered by
// one clone of the kernel per remainder (m % mr), columns of the last panel by masks.
//
// Where the sums go:
//   memory     C is an accumulator in memory, added to or overwritten. On targets without masks a last partial vector is
//              written element by element, unless `paddedColumns` says that whole vectors may be written.
//   finish     a callback that receives finished sums, a vector of them at a time. k must be whole (kBlock is ignored).
//
// Emission may clone the callback's code: once for whole register tiles (where schedule.unrollFinish) and at most twice in
// loops (whole vectors; a masked last one).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_MICROKERNEL_H
#define PANTILE_CPU_CODEGEN_MICROKERNEL_H

#include "backends/cpu/compiler/codegen/DotForm.h"

#include <functional>

namespace llvm {
class IRBuilderBase;
class Value;
} // namespace llvm

namespace pantile::cpu {

struct DotOperand {
  enum Layout : uint8_t {
    Strided, ///< element (line, k) at pointer + line * lineStride + k * kStride; holds form.lhs / form.rhs
    Packed,  ///< Pack.h; holds form.packedLhs / packedRhs
  } layout = Strided;
  llvm::Value *pointer = nullptr;
  llvm::Value *lineStride = nullptr; ///< i64 elements between rows of lhs, columns of rhs; packed: between panels
  llvm::Value *kStride = nullptr;    ///< i64 elements; not of packed
  unsigned panelWidth = 0;           ///< of packed: mr for lhs, nr for rhs
  llvm::Value *rowSums = nullptr;    ///< of a strided lhs where form.flipRhs: what emitRowSums wrote, for all k that the sums cover
};

/// What emitDot can read without packing: constants in `lineStride` and `kStride` decide. Rhs: one of them is the constant 1
/// (and for a group above 1, Columns is widened: bf16 in f32, i8 in i32). Lhs: any strides, but kStride must be the constant 1
/// where the form's group is above 1.
bool readsInPlace(const DotForm &form, bool isLhs, const llvm::Value *lineStride, const llvm::Value *kStride);

struct DotShape {
  llvm::Value *m, *n, *k;                              ///< i64, at least 0; constants shorten the code
  int64_t maxM = 0, maxN = 0, maxK = 0;                ///< upper bounds, 0: none known
  int64_t mMultiple = 1, nMultiple = 1, kMultiple = 1; ///< known divisors: no remainder code
};

/// Called with the builder in straight-line code inside the nest: must emit no terminator except by splitting and leaving the
/// builder in a block that falls through. `row` and `column` are i64; `sums` is a vector of form.lanes elements of form.sum for
/// columns column, column + 1, ...; `mask` (<lanes x i1>, null: all) are those below n. `row` is always below m.
using DotFinish =
    std::function<void(llvm::IRBuilderBase &builder, llvm::Value *row, llvm::Value *column, llvm::Value *sums, llvm::Value *mask)>;

struct DotOutput {
  llvm::Value *pointer = nullptr;   ///< form.sum elements; null: finish
  llvm::Value *rowStride = nullptr; ///< i64 elements
  bool overwrite = false;           ///< C = lhs x rhs instead of C += (also with k = 0: zeros)
  bool paddedColumns = false;       ///< columns up to the next multiple of form.lanes may be read and written
  DotFinish finish;
  llvm::Value *accumulate = nullptr; ///< i1, instead of `overwrite`: C += where it is true
};

struct DotSchedule {
  unsigned mr = 0, nr = 0;   ///< register tile; 0: defaultRegisterTile. nr must be the packed rhs's panelWidth
  unsigned kUnroll = 1;      ///< groups of k per loop iteration (1, 2, 4, 8)
  unsigned prefetch = 0;     ///< bytes ahead at which rhs is prefetched; 0: not
  bool prefetchSums = false; ///< packed rhs: the memory that a register tile's sums go to, when the tile begins
  unsigned kBlock = 0;       ///< Columns layout, memory output: rows of rhs per pass; 0: k is not blocked
  bool unrollFinish = false; ///< call finish on registers in whole tiles; else the tile passes through 4 KB of stack (L1)
};

/// Emits the nest at the builder's insertion point; the builder ends in the block after it. Invalid combinations (a packed rhs
/// whose width is not nr, a tile that does not fit the registers, a layout that readsInPlace denies) are INVALID_ARGUMENT and
/// emit nothing. Scratch is stack in the function's entry block: at most 16 KB, plus 4 bytes per row of maxM where form.flipRhs
/// or a k remainder needs them (maxM must then be known).
Status emitDot(llvm::IRBuilderBase &builder, const DotForm &form, const DotOperand &lhs, const DotOperand &rhs, const DotShape &shape,
               const DotOutput &output, const DotSchedule &schedule, const CpuTarget &target);

/// Writes what compensates for form.flipRhs, an i32 for each row of a strided lhs with kStride 1: as often as lhs changes, where
/// several calls of emitDot share it. The call that overwrites takes it into account, those that accumulate do not.
void emitRowSums(llvm::IRBuilderBase &builder, const DotForm &form, const DotOperand &lhs, llvm::Value *m, llvm::Value *k,
                 llvm::Value *destination);

/// What a few rows deserve (the small-M form): register tile, kBlock and prefetch for a rhs read in place once.
DotSchedule streamingSchedule(const DotForm &form, const CpuTarget &target, int64_t maxM);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_MICROKERNEL_H
