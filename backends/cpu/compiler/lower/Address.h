//===- cpu/compiler/lower/Address.h - where the lanes of an access lie -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_ADDRESS_H
#define PANTILE_CPU_LOWER_ADDRESS_H

#include "llvm/IR/Value.h"

#include <cstdint>

namespace pantile::cpu {

struct Address {
  enum Kind : uint8_t { Scalar, Contiguous, Indexed } kind = Scalar;
  llvm::Value *pointer = nullptr; ///< of lane 0, or what `indices` count from
  llvm::Value *indices = nullptr; ///< Indexed: vector of i64, in elements
  llvm::Value *inside = nullptr;  ///< i1 or a vector of i1 that must hold; null: always inside
  uint64_t alignment = 1;         ///< bytes, of `pointer`
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_ADDRESS_H
