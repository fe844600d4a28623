//===- ir/emit/Random.cpp -------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
//
//===----------------------------------------------------------------------===//

#include "ir/emit/Random.h"

#include <utility>

namespace pantile {

llvm::Value *emitPhilox(llvm::IRBuilderBase &b, llvm::Value *seed, llvm::Value *position, unsigned word) {
  auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(position->getType());
  auto shaped = [&](llvm::Type *element) -> llvm::Type * {
    return vector ? llvm::FixedVectorType::get(element, vector->getNumElements()) : element;
  };
  llvm::Type *i32 = shaped(b.getInt32Ty()), *i64 = shaped(b.getInt64Ty());
  if (vector && !seed->getType()->isVectorTy()) seed = b.CreateVectorSplat(vector->getNumElements(), seed);
  auto constant = [](llvm::Type *type, uint64_t value) { return llvm::ConstantInt::get(type, value); };
  auto high = [&](llvm::Value *wide) { return b.CreateTrunc(b.CreateLShr(wide, constant(i64, 32)), i32); };

  llvm::Value *counter = b.CreateZExt(position, i64), *key[2] = {b.CreateTrunc(seed, i32), high(seed)};
  llvm::Value *zero = llvm::Constant::getNullValue(i32), *c[4] = {b.CreateTrunc(counter, i32), high(counter), zero, zero};
  for (int round = 0; round < 10; ++round) {
    llvm::Value *left = b.CreateMul(b.CreateZExt(c[0], i64), constant(i64, 0xD2511F53)),
                *right = b.CreateMul(b.CreateZExt(c[2], i64), constant(i64, 0xCD9E8D57));
    llvm::Value *first = b.CreateXor(b.CreateXor(high(right), c[1]), key[0]), *third = b.CreateXor(b.CreateXor(high(left), c[3]), key[1]);
    c[0] = first;
    c[1] = b.CreateTrunc(right, i32);
    c[2] = third;
    c[3] = b.CreateTrunc(left, i32);
    key[0] = b.CreateAdd(key[0], constant(i32, 0x9E3779B9));
    key[1] = b.CreateAdd(key[1], constant(i32, 0xBB67AE85));
  }
  return c[word];
}

} // namespace pantile
