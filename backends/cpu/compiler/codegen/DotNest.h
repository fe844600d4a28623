//===- cpu/compiler/codegen/DotNest.h - the emission of one dot ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Private to MicroKernel: the state of one emitDot. DotOuter.cpp emits the kernels whose vectors run along n (Packed and
// Columns), DotInner.cpp the one along k (Rows), DotFinish.cpp brings sums to memory or to the callback.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_DOTNEST_H
#define PANTILE_CPU_CODEGEN_DOTNEST_H

#include "backends/cpu/compiler/codegen/Loops.h"
#include "backends/cpu/compiler/codegen/MicroKernel.h"

namespace pantile::cpu {

class DotNest {
public:
  enum RhsLayout : uint8_t { PackedPanels, Columns, Rows };
  using V = llvm::Value *;

  DotNest(llvm::IRBuilderBase &b, const DotForm &form, const DotOperand &lhs, const DotOperand &rhs, const DotShape &shape,
          const DotOutput &output, const DotSchedule &schedule, RegisterTile tile, RhsLayout layout, const CpuTarget &target);
  void emit();

private:
  /// One register tile's place in the product.
  struct Place {
    V row, column; ///< of its first element
    V columns;     ///< n - column: may exceed nr
    V panel;       ///< column / nr
    Values masks;  ///< one for each vector of columns; empty: all columns exist
    V accumulate;  ///< i1: add to memory rather than overwrite
  };
  struct Steps {
    V begin, end; ///< in k (Columns: one each), else in groups
  };

  // DotOuter.cpp
  void emitOuter();
  void emitPanels(Steps steps, V accumulate);
  void emitPanel(Steps steps, Place place, bool partial);
  void emitTile(unsigned rows, Steps steps, const Place &place, V direct);
  /// sums += one group of k.
  void multiply(unsigned rows, Values &sums, const Values &lhsBases, V lhsOffset, V rhsPointer, const Values &masks);
  V lhsUnit(unsigned row, const Values &bases, V offset);
  Values rhsRow(V pointer, const Values &masks);
  void emitLhsScratch();
  void emitTails();
  void prefetch(V address, unsigned offset, bool write, unsigned locality);
  V accumulates() { return output.accumulate ? output.accumulate : b.getInt1(!output.overwrite); }
  void emitPackedRowSums();

  // DotInner.cpp
  void emitInner();
  /// Sums of mr rows x innerLines() columns from column + offset, into the stack.
  void emitInnerTile(V row, V column, V offset);
  unsigned innerLines() const;
  V restBuffer(unsigned lines, unsigned chunk);

  // DotFinish.cpp
  /// Whole or masked vectors straight from registers.
  void finishRegisters(unsigned rows, const Place &place, Values sums);
  V added(V row, V column, V sums, V mask);
  void storeToStack(unsigned rows, const Values &sums);
  /// rows x min(nr, place.columns) sums from the stack.
  void finishStack(V rows, const Place &place);
  void finishVector(V row, V column, V sums, V mask, V accumulate);
  void finishElements(V row, V column, V count, V source, V accumulate);
  bool partialColumns() const { return shape.nMultiple % tile.nr != 0; }

  // Arithmetic.
  V multiplyAdd(V sums, V lhs, V rhs);
  /// Source elements as the packed type.
  V converted(V value, DotElement from, DotElement to);
  V splatUnit(V unit);
  V load(llvm::Type *type, V pointer) { return b.CreateAlignedLoad(type, pointer, llvm::Align(elementAlign(type))); }
  static uint64_t elementAlign(llvm::Type *type) { return std::max(1u, type->getScalarSizeInBits() / 8); }
  V at(llvm::Type *element, V pointer, V index) { return b.CreateGEP(element, pointer, index); }
  V at(llvm::Type *element, V pointer, int64_t index) { return index ? b.CreateGEP(element, pointer, i64(index)) : pointer; }
  V i64(int64_t number) { return b.getInt64(number); }
  V minimum(V x, V y) { return b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, x, y); }
  llvm::Type *vectorOf(llvm::Type *element, unsigned count) { return llvm::FixedVectorType::get(element, count); }

  llvm::IRBuilderBase &b;
  const DotForm form;
  const DotOperand lhs, rhs;
  DotShape shape;
  const DotOutput &output;
  const DotSchedule schedule;
  const RegisterTile tile;
  const RhsLayout layout;
  const CpuTarget &target;

  unsigned group, vectors;     ///< k in one multiplyAdd; vectors of columns in a tile
  DotElement lhsRead, rhsRead; ///< element types in memory
  DotElement lhsUsed, rhsUsed; ///< as multiplied
  llvm::Type *sumElement, *sumVector;
  V stack = nullptr, tails = nullptr, corrections = nullptr, rests = nullptr;
  bool hasTail = false;
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_DOTNEST_H
