//===- cpu/compiler/codegen/VectorMath.cpp --------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/VectorMath.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsX86.h"

using namespace llvm;

namespace pantile::cpu {

namespace {

unsigned bitsOf(Type *type) {
  auto *vector = dyn_cast<FixedVectorType>(type);
  return vector ? vector->getNumElements() * vector->getScalarSizeInBits() : 0;
}

bool canScale(Type *type) {
  unsigned width = bitsOf(type);
  return width > 0 && (width == 128 || width == 256 || width % 512 == 0);
}

/// vscalef, in pieces of whole registers.
Value *scale(IRBuilderBase &b, Value *x, Value *n) {
  using V = Value *;
  auto *type = cast<FixedVectorType>(x->getType());
  bool isDouble = type->getScalarType()->isDoubleTy();
  unsigned lanes = type->getNumElements();
  unsigned width = lanes * (isDouble ? 64 : 32), whole = std::min(width, 512u), piece = whole / (isDouble ? 64 : 32);
  Intrinsic::ID id = width == 128   ? (isDouble ? Intrinsic::x86_avx512_mask_scalef_pd_128 : Intrinsic::x86_avx512_mask_scalef_ps_128)
                     : width == 256 ? (isDouble ? Intrinsic::x86_avx512_mask_scalef_pd_256 : Intrinsic::x86_avx512_mask_scalef_ps_256)
                                    : (isDouble ? Intrinsic::x86_avx512_mask_scalef_pd_512 : Intrinsic::x86_avx512_mask_scalef_ps_512);
  Type *pieceType = FixedVectorType::get(type->getScalarType(), piece);
  Type *maskType = piece == 16 ? b.getInt16Ty() : b.getInt8Ty();
  auto scalePiece = [&](V value, V exponent) -> V {
    SmallVector<V, 5> arguments{value, exponent, Constant::getNullValue(pieceType), Constant::getAllOnesValue(maskType)};
    if (width >= 512) arguments.push_back(b.getInt32(4)); // the current rounding mode
    return b.CreateIntrinsic(id, arguments);
  };
  if (piece == lanes) return scalePiece(x, n);
  SmallVector<V, 8> pieces;
  for (unsigned begin = 0; begin < lanes; begin += piece) {
    SmallVector<int, 16> mask;
    for (unsigned i = 0; i < piece; ++i) mask.push_back(begin + i);
    pieces.push_back(scalePiece(b.CreateShuffleVector(x, mask), b.CreateShuffleVector(n, mask)));
  }
  V result = PoisonValue::get(type);
  for (auto [i, value] : enumerate(pieces)) result = b.CreateInsertVector(type, result, value, uint64_t(i * piece));
  return result;
}

} // namespace

MathTarget mathTargetOf(const CpuTarget &target) {
  MathTarget result{target.hasFma, target.hasRound, target.hasF16, target.hasBF16Dot, nullptr, nullptr};
  if (target.isX86() && target.hasMasks) {
    result.canScale = canScale;
    result.scale = scale;
  }
  return result;
}

} // namespace pantile::cpu
