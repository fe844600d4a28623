//===- cpu/compiler/codegen/DotForm.h - which instruction multiplies what --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A dot form says how one target multiplies two element types: in which types the micro-kernel reads its operands, how
// many consecutive k one instruction consumes (the group), and the register tile that fills the register file.
//
//   operands             target            lhs   rhs   sum   group  instruction
//   f32, f64             any               same  same  same  1      fma (multiply and add without it)
//   bf16                 hasBF16Dot        bf16  bf16  f32   2      vdpbf16ps (rounds to nearest even, flushes subnormals)
//   bf16, f16            otherwise         f32   f32   f32   1      widened when packed, else as it is read
//   i8 x i8, any signs   hasInt8Dot        i8    i8    i32   4      vpdpbusd, exact (no saturation)
//   i8 x i8, any signs   x86, otherwise    i16   i16   i32   2      pmaddwd, exact
//   i8 x i8, any signs   otherwise         i32   i32   i32   1      mul, add
//
// vpdpbusd multiplies unsigned by signed bytes. Both operands signed: packing flips the sign bit of rhs (b + 128), and the
// nest subtracts 128 times lhs's row sums, which it computes. Both unsigned: packing turns rhs into b - 128, the nest adds
// the same. Callers see none of it as long as they pack with emitPack and multiply with emitDot by the same form.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_DOTFORM_H
#define PANTILE_CPU_CODEGEN_DOTFORM_H

#include "backends/cpu/compiler/codegen/Target.h"

namespace llvm {
class LLVMContext;
class Type;
} // namespace llvm

namespace pantile::cpu {

enum class DotElement : uint8_t { F32, F64, F16, BF16, S8, U8, S16, S32 };

unsigned dotElementBytes(DotElement element);
llvm::Type *dotElementType(llvm::LLVMContext &context, DotElement element);
/// As it is loaded, stored, selected and shuffled: i16 for f16 and bf16. Targets without these types compute in f32 whatever
/// touches them, through compiler-rt calls that a kernel cannot have.
llvm::Type *dotMemoryType(llvm::LLVMContext &context, DotElement element);

struct DotForm {
  DotElement lhs, rhs;             ///< what the caller's operands hold
  DotElement packedLhs, packedRhs; ///< what packed operands hold
  DotElement sum;                  ///< F32, F64 or S32
  unsigned group;                  ///< consecutive k in one packed unit
  bool flipRhs;                    ///< packing flips rhs's sign bit; the nest compensates
  unsigned lanes;                  ///< sums in one register

  /// Panels are `rows * dotElementBytes(packedRhs)` ... bytes that k rows of one panel of `width` columns take, k rounded up to
  /// the group.
  int64_t panelBytes(DotElement packed, int64_t width, int64_t k) const {
    return width * ((k + group - 1) / group * group) * dotElementBytes(packed);
  }
};

/// Lhs and rhs have one class (both float with equal element, or both 8-bit integers); anything else is UNSUPPORTED.
Expected<DotForm> dotForm(DotElement lhs, DotElement rhs, const CpuTarget &target);

struct RegisterTile {
  unsigned mr; ///< rows
  unsigned nr; ///< columns, a multiple of the form's lanes
};

/// Whether the tile's sums, one row of rhs and one broadcast fit the registers (more would spill in the inner loop).
bool fitsRegisters(RegisterTile tile, const DotForm &form, const CpuTarget &target);
/// The tile for at most `maxM` x `maxN` elements (0: unknown, large): 8x32 for f32 on AVX-512, wide and flat for few rows.
RegisterTile defaultRegisterTile(const DotForm &form, const CpuTarget &target, int64_t maxM = 0, int64_t maxN = 0);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_DOTFORM_H
