//===- cpu/compiler/codegen/VectorMath.h - elementary functions on CPUs -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// What ir/emit/ElementaryMath.h asks of a target, answered for CPUs.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_VECTORMATH_H
#define PANTILE_CPU_CODEGEN_VECTORMATH_H

#include "backends/cpu/compiler/codegen/Target.h"
#include "ir/emit/ElementaryMath.h"

namespace pantile::cpu {

MathTarget mathTargetOf(const CpuTarget &target);

inline llvm::Value *emitMath(llvm::IRBuilderBase &builder, MathOp op, llvm::ArrayRef<llvm::Value *> operands, const CpuTarget &target) {
  return pantile::emitMath(builder, op, operands, mathTargetOf(target));
}
inline llvm::Value *emitExtend(llvm::IRBuilderBase &builder, llvm::Value *value, const CpuTarget &target) {
  return pantile::emitExtend(builder, value, mathTargetOf(target));
}
inline llvm::Value *emitTruncate(llvm::IRBuilderBase &builder, llvm::Value *value, llvm::Type *element, const CpuTarget &target) {
  return pantile::emitTruncate(builder, value, element, mathTargetOf(target));
}

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_VECTORMATH_H
