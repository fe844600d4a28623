//===- cpu/compiler/codegen/MaskedLogic.h - around a wrong instruction -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// LLVM 22.1.8 selects a masked vpternlog with its operands mixed up for `select c, x, (or (and x, m), y)`: a lane-wise choice
// between an integer and bit logic of that same integer (tanh: NaN lanes keep x, others take x's sign). Such selects are
// rewritten as bit logic, x ^ ((logic ^ x) & mask(c)), for which the unmasked instruction is selected, correctly.
// VectorMathTest and the conformance suite's `tanh bf16` fail without it.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_MASKEDLOGIC_H
#define PANTILE_CPU_CODEGEN_MASKEDLOGIC_H

namespace llvm {
class Function;
}

namespace pantile::cpu {

/// The last pass over the IR on targets with masked bit logic.
void rewriteMaskedLogic(llvm::Function &function);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_MASKEDLOGIC_H
