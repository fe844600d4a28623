//===- ir/specialize/Passes.h - the steps of specialize -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Private to ir/specialize. Each changes a kernel in place; an error leaves it half-changed (specialize drops it).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SPECIALIZE_PASSES_H
#define PANTILE_IR_SPECIALIZE_PASSES_H

#include "ir/specialize/Specialize.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace pantile::specialization {

/// A kernel's symbols, in order of appearance.
struct Symbols {
  /// Block symbols, by the loops that step by them.
  llvm::MapVector<llvm::StringRef, llvm::SmallVector<mlir::Operation *, 2>> blocks;
  /// Full-extent symbols: one view dimension that each names (an argument's where there is one).
  llvm::MapVector<llvm::StringRef, std::pair<mlir::Value, int64_t>> fulls;
};
Symbols symbolsOf(tile::KernelOp kernel);

/// A fact's size of a view's dimension, or -1.
int64_t staticSize(const Facts &facts, mlir::Value view, int64_t dim);

/// The block extent that a configuration gives a symbol, or its default.
int64_t blockExtent(tile::KernelOp kernel, const Symbols &symbols, llvm::StringRef symbol, const Configuration &configuration);

Status bindSymbols(tile::KernelOp kernel, const Facts &facts, const Configuration &configuration, const SpecializeOptions &options);
void foldSizes(tile::KernelOp kernel, const Facts &facts);
/// On nests of one flattened range, until mapPrograms.
constexpr llvm::StringLiteral kFlattened = "pantile.flattened";
Status flattenNests(tile::KernelOp kernel, const Configuration &configuration, const SpecializeOptions &options);
Status rollExtents(tile::KernelOp kernel, const Configuration &configuration);
Status splitLoops(tile::KernelOp kernel, const Configuration &configuration);
/// Gives nests and loops what the configuration says by their number, before other passes change the numbers.
void labelLoops(tile::KernelOp kernel, const Configuration &configuration);
Status mapPrograms(tile::KernelOp kernel, const Configuration &configuration, const SpecializeOptions &options);
/// The labels of `pid_type` for a nest of so many dimensions, in order.
std::vector<std::string> programMaps(size_t rank, const SpecializeOptions &options);
void clipByMask(tile::KernelOp kernel, const Facts &facts);

/// Whether the ranges of a nest may become one, or why not.
Status canFlatten(tile::ParallelOp nest);
/// Whether a full extent may be rolled, or why not.
Status canRoll(tile::KernelOp kernel, llvm::StringRef symbol);
/// Whether both may be rolled: no operation has both.
bool canRollBoth(tile::KernelOp kernel, llvm::StringRef one, llvm::StringRef other);
/// The loop that split_k would split, or why there is none.
Expected<tile::LoopOp> loopToSplit(tile::KernelOp kernel);

/// An error about a setting of the configuration.
inline Status settingError(const std::string &name, const std::string &text) {
  return Status(PANTILE_INVALID_ARGUMENT, "setting " + name + ": " + text);
}

} // namespace pantile::specialization

#endif // PANTILE_IR_SPECIALIZE_PASSES_H
