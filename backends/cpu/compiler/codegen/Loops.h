//===- cpu/compiler/codegen/Loops.h - structured control flow on IRBuilder -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Every function takes a builder anywhere in a block, terminated or not, and leaves it right after what was emitted: what
// followed the insertion point now follows the loop. Conditions that fold to constants emit no branch.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_LOOPS_H
#define PANTILE_CPU_CODEGEN_LOOPS_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"

#include <optional>

namespace pantile::cpu {

using Values = llvm::SmallVector<llvm::Value *, 16>;

/// for (i = begin; i < end; i += step) carried = body(i, carried). i64, signed; step is positive. Returns the last carried
/// values (the initial ones where the loop does not run).
Values emitLoop(llvm::IRBuilderBase &builder, llvm::Value *begin, llvm::Value *end, llvm::Value *step,
                llvm::ArrayRef<llvm::Value *> initial,
                llvm::function_ref<Values(llvm::Value *i, llvm::ArrayRef<llvm::Value *> carried)> body, const char *name);

/// Without carried values.
void emitLoop(llvm::IRBuilderBase &builder, llvm::Value *begin, llvm::Value *end, int64_t step,
              llvm::function_ref<void(llvm::Value *i)> body, const char *name);

/// if (condition) then() else otherwise().
void emitIf(llvm::IRBuilderBase &builder, llvm::Value *condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise = nullptr);

/// condition ? then() : otherwise, for several values at once.
Values emitIfValues(llvm::IRBuilderBase &builder, llvm::Value *condition, llvm::function_ref<Values()> then,
                    llvm::ArrayRef<llvm::Value *> otherwise);

/// Uninitialized stack, 64-byte aligned, allocated once in the function's entry block.
llvm::Value *stackScratch(llvm::IRBuilderBase &builder, llvm::Type *element, uint64_t count, const char *name);

/// The value where it is a constant.
std::optional<int64_t> constantOf(const llvm::Value *value);

/// <lanes x i1>: lane < count (i64; negative: none).
llvm::Value *lanesBelow(llvm::IRBuilderBase &builder, llvm::Value *count, unsigned lanes);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_LOOPS_H
