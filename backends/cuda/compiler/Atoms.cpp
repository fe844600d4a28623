//===- cuda/compiler/Atoms.cpp - matrix instructions, as data -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Fragments as the PTX manual draws them ("Matrix Fragments for mma.m16n8k..."): a lane is 4 * group + place; lanes 0 to 3 of a
// group share a row of A, a column of B, a row of the accumulator.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/NvvmTarget.h"

#include "llvm/IR/IntrinsicsNVPTX.h"

using namespace pantile::simt;

namespace pantile::cuda {

namespace {

// Lane maps by bytes of an element: a lane's 32-bit register holds 2, 4 or 1 elements along k.
constexpr const char *kLanesA16 = "k2 k4 m1 m2 m4", *kLanesB16 = "k2 k4 n1 n2 n4";
constexpr const char *kLanesA8 = "k4 k8 m1 m2 m4", *kLanesB8 = "k4 k8 n1 n2 n4";
constexpr const char *kLanesA32 = "k1 k2 m1 m2 m4", *kLanesB32 = "k1 k2 n1 n2 n4";
constexpr const char *kLanesAcc = "n2 n4 m1 m2 m4";

constexpr AtomText kAcc16{"mn", "n1 m8", kLanesAcc, ""}, kAcc8{"mn", "n1", kLanesAcc, ""};

DotRow row16(const char *name, unsigned k, pantile_dtype type, unsigned intrinsic) {
  const bool wide = k == 16;
  return {{name,
           16,
           8,
           k,
           type,
           type,
           PANTILE_F32,
           false,
           {"mk", wide ? "k1 m8 k8" : "k1 m8", kLanesA16, ""},
           {"nk", wide ? "k1 k8" : "k1", kLanesB16, ""},
           kAcc16},
          intrinsic,
          type == PANTILE_F16,
          kAsyncCopy};
}

DotRow row8(const char *name, pantile_dtype lhs, pantile_dtype rhs, pantile_dtype acc, unsigned intrinsic, uint32_t needs) {
  return {{name, 16, 8, 32, lhs, rhs, acc, false, {"mk", "k1 k2 m8 k16", kLanesA8, ""}, {"nk", "k1 k2 k16", kLanesB8, ""}, kAcc16},
          intrinsic,
          false,
          needs};
}

MatrixLoadRow load(const char *name, unsigned bytes, unsigned registers, bool transposed, const char *addresses, const char *held,
                   const char *lanes) {
  namespace I = llvm::Intrinsic;
  const unsigned intrinsic = transposed ? (registers == 4   ? I::nvvm_ldmatrix_sync_aligned_m8n8_x4_trans_b16
                                           : registers == 2 ? I::nvvm_ldmatrix_sync_aligned_m8n8_x2_trans_b16
                                                            : I::nvvm_ldmatrix_sync_aligned_m8n8_x1_trans_b16)
                                        : (registers == 4   ? I::nvvm_ldmatrix_sync_aligned_m8n8_x4_b16
                                           : registers == 2 ? I::nvvm_ldmatrix_sync_aligned_m8n8_x2_b16
                                                            : I::nvvm_ldmatrix_sync_aligned_m8n8_x1_b16);
  return {{name, bytes, registers, transposed, {"re", "", addresses, ""}, {"re", held, lanes, ""}}, intrinsic};
}

} // namespace

llvm::ArrayRef<DotRow> dotRows() {
  namespace I = llvm::Intrinsic;
  // Larger k first: the first that divides is taken.
  static const DotRow rows[] = {
      row16("mma.m16n8k16.bf16", 16, PANTILE_BF16, I::nvvm_mma_m16n8k16_row_col_bf16),
      row16("mma.m16n8k8.bf16", 8, PANTILE_BF16, I::nvvm_mma_m16n8k8_row_col_bf16),
      row16("mma.m16n8k16.f16", 16, PANTILE_F16, I::nvvm_mma_m16n8k16_row_col_f32_f32),
      row16("mma.m16n8k8.f16", 8, PANTILE_F16, I::nvvm_mma_m16n8k8_row_col_f32_f32),
      row8("mma.m16n8k32.s8", PANTILE_I8, PANTILE_I8, PANTILE_I32, I::nvvm_mma_m16n8k32_row_col_s8, kAsyncCopy),
      row8("mma.m16n8k32.e4m3", PANTILE_F8E4M3FN, PANTILE_F8E4M3FN, PANTILE_F32, I::nvvm_mma_m16n8k32_row_col_f32_e4m3_e4m3_f32,
           kFloat8Dot),
      row8("mma.m16n8k32.e4m3.e5m2", PANTILE_F8E4M3FN, PANTILE_F8E5M2, PANTILE_F32, I::nvvm_mma_m16n8k32_row_col_f32_e4m3_e5m2_f32,
           kFloat8Dot),
      row8("mma.m16n8k32.e5m2.e4m3", PANTILE_F8E5M2, PANTILE_F8E4M3FN, PANTILE_F32, I::nvvm_mma_m16n8k32_row_col_f32_e5m2_e4m3_f32,
           kFloat8Dot),
      row8("mma.m16n8k32.e5m2", PANTILE_F8E5M2, PANTILE_F8E5M2, PANTILE_F32, I::nvvm_mma_m16n8k32_row_col_f32_e5m2_e5m2_f32, kFloat8Dot),
      {{"mma.m16n8k8.tf32",
        16,
        8,
        8,
        PANTILE_F32,
        PANTILE_F32,
        PANTILE_F32,
        true,
        {"mk", "m8 k4", kLanesA32, ""},
        {"nk", "k4", kLanesB32, ""},
        kAcc16},
       I::nvvm_mma_m16n8k8_row_col_tf32,
       false,
       kAsyncCopy},
      {{"mma.m8n8k4.f64",
        8,
        8,
        4,
        PANTILE_F64,
        PANTILE_F64,
        PANTILE_F64,
        false,
        {"mk", "", kLanesA32, ""},
        {"nk", "", kLanesB32, ""},
        kAcc8},
       I::nvvm_mma_m8n8k4_row_col_f64,
       false,
       kAsyncCopy},
  };
  return rows;
}

llvm::ArrayRef<MatrixLoadRow> matrixLoadRows() {
  // Four matrices of 8 rows of 16 bytes. Which quarter of the fragment each one is, is the order of the lanes that give addresses:
  // rows first suits A, k first suits B.
  static const MatrixLoadRow rows[] = {
      load("ldmatrix.x4.b16.a", 2, 4, false, "r1 r2 r4 r8 e8", "e1 r8 e8", "e2 e4 r1 r2 r4"),
      load("ldmatrix.x4.b16.b", 2, 4, false, "r1 r2 r4 e8 r8", "e1 e8 r8", "e2 e4 r1 r2 r4"),
      load("ldmatrix.x2.b16.b", 2, 2, false, "r1 r2 r4 e8 0", "e1 e8", "e2 e4 r1 r2 r4"),
      load("ldmatrix.x2.b16.a", 2, 2, false, "r1 r2 r4 r8 0", "e1 r8", "e2 e4 r1 r2 r4"),
      load("ldmatrix.x4.trans.b16.b", 2, 4, true, "r1 r2 r4 r8 e8", "r1 r8 e8", "r2 r4 e1 e2 e4"),
      load("ldmatrix.x4.trans.b16.a", 2, 4, true, "r1 r2 r4 e8 r8", "r1 e8 r8", "r2 r4 e1 e2 e4"),
      load("ldmatrix.x2.trans.b16.b", 2, 2, true, "r1 r2 r4 r8 0", "r1 r8", "r2 r4 e1 e2 e4"),
      load("ldmatrix.x4.b8.a", 1, 4, false, "r1 r2 r4 r8 e16", "e1 e2 r8 e16", "e4 e8 r1 r2 r4"),
      load("ldmatrix.x4.b8.b", 1, 4, false, "r1 r2 r4 e16 r8", "e1 e2 e16 r8", "e4 e8 r1 r2 r4"),
      load("ldmatrix.x2.b8.b", 1, 2, false, "r1 r2 r4 e16 0", "e1 e2 e16", "e4 e8 r1 r2 r4"),
      load("ldmatrix.x4.b32.a", 4, 4, false, "r1 r2 r4 r8 e4", "r8 e4", "e1 e2 r1 r2 r4"),
      load("ldmatrix.x4.b32.b", 4, 4, false, "r1 r2 r4 e4 r8", "e4 r8", "e1 e2 r1 r2 r4"),
      load("ldmatrix.x2.b32.b", 4, 2, false, "r1 r2 r4 e4 0", "e4", "e1 e2 r1 r2 r4"),
  };
  return rows;
}

} // namespace pantile::cuda
