//===- ir/emit/ElementEmitter.h - arith and math on LLVM values ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// What every lowering to LLVM IR does alike with elements, scalars and vectors of them. Values in registers: integers and
// i1 as themselves, index as i64, f32 and f64 as themselves, narrower floats as their bits (integers), widened to f32 for
// arithmetic and rounded to nearest even after it.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_ELEMENTEMITTER_H
#define PANTILE_IR_EMIT_ELEMENTEMITTER_H

#include "ir/dialect/Tile.h"
#include "ir/emit/MathOp.h"

#include "llvm/IR/IRBuilder.h"

#include <functional>

namespace pantile::tile {

/// A function of one or more elementwise operands, for reductions and scans: from (accumulated, next) to combined.
using Combine = std::function<llvm::SmallVector<llvm::Value *, 2>(llvm::IRBuilderBase &, llvm::ArrayRef<llvm::Value *> left,
                                                                  llvm::ArrayRef<llvm::Value *> right)>;

inline bool isNarrowFloat(mlir::Type type) { return mlir::isa<mlir::FloatType>(type) && type.getIntOrFloatBitWidth() < 32; }

class ElementEmitter {
public:
  /// `backend` names the user in errors: "the CPU backend".
  ElementEmitter(llvm::LLVMContext &context, std::string backend) : context(context), backend(std::move(backend)) {}
  virtual ~ElementEmitter() = default;

  llvm::Type *registerType(mlir::Type element);
  llvm::Type *memoryType(mlir::Type element);
  llvm::Value *constant(mlir::Attribute value, mlir::Type type);
  /// A narrow float's bits to float; others stay. And back.
  llvm::Value *widen(llvm::Value *value, mlir::Type element, llvm::IRBuilderBase &b);
  llvm::Value *narrow(llvm::Value *value, mlir::Type element, llvm::IRBuilderBase &b);
  llvm::Value *convert(llvm::Value *value, mlir::Type from, mlir::Type to, bool isUnsigned, llvm::IRBuilderBase &b);
  /// An operation of arith or math, or tile.cast, on elements in registers.
  llvm::Value *elementwise(mlir::Operation *op, llvm::ArrayRef<llvm::Value *> operands, llvm::IRBuilderBase &b);

  //--- Combinations.cpp: of tile.reduce and tile.scan
  Combine combineOf(mlir::Operation *op);
  llvm::SmallVector<llvm::Value *, 2> identities(mlir::Operation *op);
  /// To the type a reduction accumulates in, and back.
  llvm::Value *accumulated(mlir::Operation *op, llvm::Value *value, mlir::Type type, llvm::IRBuilderBase &at);
  llvm::Value *unaccumulated(mlir::Operation *op, llvm::Value *value, mlir::Type element, llvm::IRBuilderBase &at);

protected:
  /// half or bfloat (scalar or vector) to float; float to half or bfloat `element`.
  virtual llvm::Value *extend(llvm::IRBuilderBase &b, llvm::Value *value) = 0;
  virtual llvm::Value *truncate(llvm::IRBuilderBase &b, llvm::Value *value, llvm::Type *element) = 0;
  virtual llvm::Value *math(llvm::IRBuilderBase &b, MathOp op, llvm::ArrayRef<llvm::Value *> operands) = 0;
  /// A scalar that a combine region uses from outside.
  virtual llvm::Value *scalar(mlir::Value value) = 0;
  /// Keeps the first error.
  virtual void fail(std::string text, mlir::Operation *op = nullptr) = 0;

  llvm::LLVMContext &context;
  std::string backend;

private:
  llvm::Value *arithmetic(mlir::Operation *op, llvm::ArrayRef<llvm::Value *> operands, llvm::IRBuilderBase &b);
  llvm::Value *mathFunction(mlir::Operation *op, llvm::ArrayRef<llvm::Value *> operands, llvm::IRBuilderBase &b);
};

} // namespace pantile::tile

#endif // PANTILE_IR_EMIT_ELEMENTEMITTER_H
