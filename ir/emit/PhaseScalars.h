//===- ir/emit/PhaseScalars.h - views, sizes and scalars of one phase ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// What a lowering of a `tile.grid` to one function does alike on every device: reads slots (launch.slots of the record it
// writes) in the function's prologue, makes views of arguments and workspaces from them, and keeps the scalars and ranges
// of the body.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_PHASESCALARS_H
#define PANTILE_IR_EMIT_PHASESCALARS_H

#include "ir/emit/ElementEmitter.h"
#include "ir/extents/IndexBounds.h"

#include <map>

namespace pantile::tile {

/// A view in memory.
struct View {
  llvm::Value *pointer = nullptr;
  mlir::Type element;
  llvm::SmallVector<llvm::Value *, 4> sizes, strides; ///< i64; constants where facts say so
  llvm::SmallVector<int64_t, 4> strideDivisors;       ///< elements
  int64_t alignment = 1;                              ///< bytes
};

/// A range's numbers, i64.
struct RangeNumbers {
  llvm::Value *id, *begin, *end; ///< end: clipped
  int64_t extent;                ///< static block
};

/// Workspaces one after the other, each on a line of 64 bytes.
struct WorkspacePlan {
  llvm::DenseMap<mlir::Value, std::string> addresses; ///< expressions on `w`
  std::string bytes = "0";                            ///< of all, an expression
  static Expected<WorkspacePlan> of(KernelOp kernel);
};

class PhaseScalars : public ElementEmitter {
public:
  PhaseScalars(GridOp grid, const ExtentAnalysis &extents, const Facts &facts, llvm::LLVMContext &context, std::string backend,
               const WorkspacePlan &workspaces);

protected:
  /// A 64-bit value of the launch, and an address, by expression; in the prologue.
  virtual llvm::Value *slot(const std::string &expression) = 0;
  virtual llvm::Value *address(const std::string &expression) = 0;

  const View &viewOf(mlir::Value view);
  llvm::Value *sizeOf(mlir::Value view, int64_t dim);
  /// Operand number of a workspace's dynamic dimension.
  static unsigned dynamicIndex(mlir::Value workspace, int64_t dim);
  llvm::Value *scalar(mlir::Value value) override;
  /// A kernel-level scalar, computed in the prologue, or by the host where `evaluatesOnHost`.
  llvm::Value *hoisted(mlir::Value value);
  const RangeNumbers &range(mlir::Value range);
  /// make_range, shift, scale, begin, end, id, dim; false: another operation.
  bool lowerRange(mlir::Operation *op);
  /// Gives a loop's first argument its range or index for the iteration that begins at `index`.
  void bindCounter(LoopOp loop, llvm::Value *index, llvm::Value *lower, llvm::Value *upper);
  void fail(std::string text, mlir::Operation *op = nullptr) override;

  GridOp grid;
  const ExtentAnalysis &extents;
  const Facts &facts;
  IndexBounds bounds;
  bool evaluatesOnHost = false;
  llvm::IRBuilder<> prologue; ///< in the entry block: slots, sizes
  llvm::IRBuilder<> b;        ///< where region-level code goes
  llvm::DenseMap<mlir::Value, llvm::Value *> scalars;
  llvm::DenseMap<mlir::Value, RangeNumbers> ranges;
  Status failure;

private:
  const llvm::DenseMap<mlir::Value, std::string> &workspaces;
  llvm::DenseMap<mlir::Value, llvm::Value *> hoistedScalars;
  llvm::DenseMap<mlir::Value, View> views;
};

} // namespace pantile::tile

#endif // PANTILE_IR_EMIT_PHASESCALARS_H
