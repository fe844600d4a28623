//===- cpu/compiler/codegen/Pack.h - matrices into panels ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A packed operand is a sequence of panels of `width` columns (rows of lhs), each holding all of k, in units of `group`
// consecutive k, in the form's packed element type:
//
//   element (k, column) lies at   column / width * panelStride  +  k / group * (width * group)  +  column % width * group  +  k % group
//
// So one k step of a panel is `width * group` contiguous elements: the micro-kernel reads whole registers. Columns past n in
// the last panel and k past the end in the last unit are zero (more exactly: what contributes zero), so a packed operand is
// never masked. A lhs panel runs over rows (element (row, k)), everything else alike.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_PACK_H
#define PANTILE_CPU_CODEGEN_PACK_H

#include "backends/cpu/compiler/codegen/DotForm.h"

namespace llvm {
class IRBuilderBase;
class Value;
} // namespace llvm

namespace pantile::cpu {

/// The matrix that is packed, as k x columns (rhs: columns are n; lhs: columns are m).
/// Strides are i64 element counts, of either sign; exactly one should be the constant 1 for speed (columnStride 1: rows are
/// copied and interleaved; kStride 1: blocks are transposed in registers). Any pair is correct.
struct PackSource {
  llvm::Value *pointer;
  llvm::Value *kStride;
  llvm::Value *columnStride;
};

struct PackShape {
  llvm::Value *k, *columns; ///< i64 logical extents, at least 0
  unsigned width;           ///< panel width; lhs: mr, rhs: nr
  llvm::Value *panelStride; ///< i64, packed elements between panels; at least width * (k rounded up to the group)
};

/// Emits the packing loops at the builder's insertion point; the builder ends in the block after them. Reads no element
/// outside k x columns; writes whole panels. The function of the insertion point may have any shape; the block need not end in
/// a terminator.
void emitPackRhs(llvm::IRBuilderBase &builder, const DotForm &form, const PackSource &source, llvm::Value *destination,
                 const PackShape &shape, const CpuTarget &target);
void emitPackLhs(llvm::IRBuilderBase &builder, const DotForm &form, const PackSource &source, llvm::Value *destination,
                 const PackShape &shape, const CpuTarget &target);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_PACK_H
