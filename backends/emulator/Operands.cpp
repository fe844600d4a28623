//===- emulator/Operands.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Operands.h"

using namespace llvm;

namespace pantile::emulator {

namespace {

/// Members of structures and arrays; 0 for everything else.
unsigned members(Type *type) {
  if (auto *structure = dyn_cast<StructType>(type)) return structure->getNumElements();
  if (auto *array = dyn_cast<ArrayType>(type)) return unsigned(array->getNumElements());
  return 0;
}

bool isAggregate(Type *type) { return isa<StructType, ArrayType>(type); }

Type *member(Type *type, unsigned i) { return isa<StructType>(type) ? type->getStructElementType(i) : type->getArrayElementType(); }

uint64_t bitsOf(const DataLayout &layout, Type *type) { return layout.getTypeSizeInBits(type).getFixedValue(); }

} // namespace

size_t wordsOfType(const DataLayout &layout, Type *type) {
  if (type->isVoidTy()) return 0;
  if (isAggregate(type)) {
    size_t words = 0;
    for (unsigned i = 0; i < members(type); ++i) words += wordsOfType(layout, member(type, i));
    return words;
  }
  const uint64_t bits = bitsOf(layout, type);
  return bits <= 64 ? 1 : (bits + 31) / 32;
}

void flattenOperand(IRBuilder<> &builder, const DataLayout &layout, Value *value, std::vector<Value *> &words) {
  Type *type = value->getType();
  if (isAggregate(type)) {
    for (unsigned i = 0; i < members(type); ++i) flattenOperand(builder, layout, builder.CreateExtractValue(value, i), words);
    return;
  }
  if (type->isPointerTy()) {
    words.push_back(builder.CreatePtrToInt(value, builder.getInt64Ty()));
    return;
  }
  const unsigned bits = unsigned(bitsOf(layout, type));
  Value *bag = type->isIntegerTy() ? value : builder.CreateBitCast(value, builder.getIntNTy(bits));
  if (bits <= 64) {
    words.push_back(builder.CreateZExt(bag, builder.getInt64Ty()));
    return;
  }
  for (unsigned at = 0; at < bits; at += 32)
    words.push_back(
        builder.CreateAnd(builder.CreateZExtOrTrunc(builder.CreateLShr(bag, at), builder.getInt64Ty()), builder.getInt64(0xffffffffu)));
}

Value *assembleResult(IRBuilder<> &builder, const DataLayout &layout, Type *type, const std::vector<Value *> &words, size_t &next) {
  if (isAggregate(type)) {
    Value *whole = PoisonValue::get(type);
    for (unsigned i = 0; i < members(type); ++i)
      whole = builder.CreateInsertValue(whole, assembleResult(builder, layout, member(type, i), words, next), i);
    return whole;
  }
  if (type->isPointerTy()) return builder.CreateIntToPtr(words[next++], type);
  const unsigned bits = unsigned(bitsOf(layout, type));
  Type *bag = builder.getIntNTy(bits);
  Value *value;
  if (bits <= 64) {
    value = builder.CreateTrunc(words[next++], bag);
  } else {
    value = ConstantInt::get(bag, 0);
    for (unsigned at = 0; at < bits; at += 32)
      value = builder.CreateOr(
          value, builder.CreateShl(builder.CreateZExt(builder.CreateAnd(words[next++], builder.getInt64(0xffffffffu)), bag), at));
  }
  return type->isIntegerTy() ? value : builder.CreateBitCast(value, type);
}

} // namespace pantile::emulator
