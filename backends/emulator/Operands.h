//===- emulator/Operands.h - LLVM values as 64-bit words ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The one calling convention of emulated instructions: a scalar, pointer or vector of up to 64 bits is one word, zero
// extended; a larger vector is its 32-bit words; a structure or array is its members in a row.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_OPERANDS_H
#define PANTILE_EMULATOR_OPERANDS_H

#include <llvm/IR/IRBuilder.h>

#include <vector>

namespace pantile::emulator {

size_t wordsOfType(const llvm::DataLayout &layout, llvm::Type *type);
void flattenOperand(llvm::IRBuilder<> &builder, const llvm::DataLayout &layout, llvm::Value *value, std::vector<llvm::Value *> &words);
/// A value of `type` from words[next ...].
llvm::Value *assembleResult(llvm::IRBuilder<> &builder, const llvm::DataLayout &layout, llvm::Type *type,
                            const std::vector<llvm::Value *> &words, size_t &next);

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_OPERANDS_H
