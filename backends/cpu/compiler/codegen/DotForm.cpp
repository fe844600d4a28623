//===- cpu/compiler/codegen/DotForm.cpp -----------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/DotForm.h"

#include "llvm/IR/DerivedTypes.h"

#include <algorithm>

namespace pantile::cpu {

unsigned dotElementBytes(DotElement element) {
  switch (element) {
  case DotElement::S8:
  case DotElement::U8:
    return 1;
  case DotElement::F16:
  case DotElement::BF16:
  case DotElement::S16:
    return 2;
  case DotElement::F32:
  case DotElement::S32:
    return 4;
  case DotElement::F64:
    return 8;
  }
  return 0;
}

llvm::Type *dotElementType(llvm::LLVMContext &context, DotElement element) {
  switch (element) {
  case DotElement::S8:
  case DotElement::U8:
    return llvm::Type::getInt8Ty(context);
  case DotElement::S16:
    return llvm::Type::getInt16Ty(context);
  case DotElement::S32:
    return llvm::Type::getInt32Ty(context);
  case DotElement::F16:
    return llvm::Type::getHalfTy(context);
  case DotElement::BF16:
    return llvm::Type::getBFloatTy(context);
  case DotElement::F32:
    return llvm::Type::getFloatTy(context);
  case DotElement::F64:
    return llvm::Type::getDoubleTy(context);
  }
  return nullptr;
}

llvm::Type *dotMemoryType(llvm::LLVMContext &context, DotElement element) {
  if (element == DotElement::F16 || element == DotElement::BF16) return llvm::Type::getInt16Ty(context);
  return dotElementType(context, element);
}

Expected<DotForm> dotForm(DotElement lhs, DotElement rhs, const CpuTarget &target) {
  auto isByte = [](DotElement element) { return element == DotElement::S8 || element == DotElement::U8; };
  if (isByte(lhs) && isByte(rhs)) {
    unsigned lanes = target.lanes(32);
    if (target.hasInt8Dot) return DotForm{lhs, rhs, lhs, rhs, DotElement::S32, 4, lhs == rhs, lanes};
    if (target.isX86()) return DotForm{lhs, rhs, DotElement::S16, DotElement::S16, DotElement::S32, 2, false, lanes};
    return DotForm{lhs, rhs, DotElement::S32, DotElement::S32, DotElement::S32, 1, false, lanes};
  }
  if (lhs == rhs) {
    switch (lhs) {
    case DotElement::F64:
      return DotForm{lhs, rhs, lhs, rhs, DotElement::F64, 1, false, target.lanes(64)};
    case DotElement::F32:
      return DotForm{lhs, rhs, lhs, rhs, DotElement::F32, 1, false, target.lanes(32)};
    case DotElement::BF16:
      if (target.hasBF16Dot) return DotForm{lhs, rhs, lhs, rhs, DotElement::F32, 2, false, target.lanes(32)};
      [[fallthrough]];
    case DotElement::F16:
      return DotForm{lhs, rhs, DotElement::F32, DotElement::F32, DotElement::F32, 1, false, target.lanes(32)};
    default:
      break;
    }
  }
  return Status(PANTILE_UNSUPPORTED, "a dot of these two element types has no form on a CPU")
      .withFix("use two operands of f32, f64, f16 or bf16, or two of 8-bit integers");
}

bool fitsRegisters(RegisterTile tile, const DotForm &form, const CpuTarget &target) {
  if (tile.mr == 0 || tile.nr == 0 || tile.nr % form.lanes) return false;
  unsigned columns = tile.nr / form.lanes;
  // Without a fused form, or with pmaddwd, the product needs a register of its own.
  unsigned products = !target.hasFma || (form.sum == DotElement::S32 && form.group < 4) ? 1 : 0;
  return tile.mr * columns + columns + 1 + products < target.registers + (target.registers == 32 ? 0 : 1);
}

RegisterTile defaultRegisterTile(const DotForm &form, const CpuTarget &target, int64_t maxM, int64_t maxN) {
  unsigned lanes = form.lanes;
  // Columns in registers: two in general; one where n is small; wide and flat where m is.
  unsigned columns = maxN > 0 && maxN <= lanes ? 1 : 2;
  // Where lhs may be widened at every use, a use should feed as many products as it can.
  bool widens = form.lhs != form.packedLhs;
  if (target.registers == 32 && ((maxM > 0 && maxM <= 4) || widens) && (maxN == 0 || maxN > 2 * lanes)) columns = 4;
  RegisterTile tile{1, columns * lanes};
  unsigned most = columns == 1 ? 16 : target.registers == 32 ? 8 : 6;
  if (maxM > 0) most = std::min<unsigned>(most, std::min<int64_t>(maxM, 16));
  while (tile.mr < most && fitsRegisters({tile.mr + 1, tile.nr}, form, target)) ++tile.mr;
  return tile;
}

} // namespace pantile::cpu
