//===- cpu/compiler/codegen/DotFinish.cpp - sums to memory or callback -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/DotNest.h"

using namespace llvm;

namespace pantile::cpu {

void DotNest::finishRegisters(unsigned rows, const Place &place, Values sums) {
  auto forEach = [&](auto finish) {
    for (unsigned i = 0; i < rows; ++i)
      for (unsigned v = 0; v < vectors; ++v) {
        // The callback gets whole tiles here.
        V mask = place.masks.empty() || !target.hasMasks || !output.pointer ? nullptr : place.masks[v];
        finish(b.CreateAdd(place.row, i64(i)), b.CreateAdd(place.column, i64(v * form.lanes)), sums[i * vectors + v], mask);
      }
  };
  V accumulate = place.accumulate;
  if (output.pointer && !constantOf(accumulate)) {
    // One branch for the tile, not a choice for each vector.
    sums = emitIfValues(
        b, accumulate,
        [&] {
          Values total;
          forEach([&](V row, V column, V sum, V mask) { total.push_back(added(row, column, sum, mask)); });
          return total;
        },
        sums);
    accumulate = b.getFalse();
  }
  forEach([&](V row, V column, V sum, V mask) { finishVector(row, column, sum, mask, accumulate); });
}

void DotNest::storeToStack(unsigned rows, const Values &sums) {
  for (unsigned i = 0; i < rows; ++i)
    for (unsigned v = 0; v < vectors; ++v)
      b.CreateAlignedStore(sums[i * vectors + v], at(sumElement, stack, i * tile.nr + v * form.lanes), Align(target.vectorBytes()));
}

void DotNest::finishStack(V rows, const Place &place) {
  bool partial = shape.nMultiple % form.lanes != 0;
  V columns = partialColumns() ? minimum(place.columns, i64(tile.nr)) : i64(tile.nr);
  V whole = b.CreateSDiv(columns, i64(form.lanes));
  if (partial && output.pointer && output.paddedColumns) {
    whole = b.CreateSDiv(b.CreateAdd(columns, i64(form.lanes - 1)), i64(form.lanes));
    partial = false;
  }
  V wholeColumns = b.CreateMul(whole, i64(form.lanes));
  emitLoop(
      b, i64(0), rows, 1,
      [&](V i) {
        V row = b.CreateAdd(place.row, i), line = at(sumElement, stack, b.CreateMul(i, i64(tile.nr)));
        auto read = [&](V offset) { return b.CreateAlignedLoad(sumVector, at(sumElement, line, offset), Align(target.vectorBytes())); };
        emitLoop(
            b, i64(0), wholeColumns, form.lanes,
            [&](V offset) { finishVector(row, b.CreateAdd(place.column, offset), read(offset), nullptr, place.accumulate); },
            "dot.finish.vector");
        if (!partial) return;
        emitIf(b, b.CreateICmpNE(wholeColumns, columns), [&] {
          V count = b.CreateSub(columns, wholeColumns), column = b.CreateAdd(place.column, wholeColumns);
          if (output.pointer && !target.hasMasks)
            finishElements(row, column, count, at(sumElement, line, wholeColumns), place.accumulate);
          else
            finishVector(row, column, read(wholeColumns), lanesBelow(b, count, form.lanes), place.accumulate);
        });
      },
      "dot.finish");
}

/// `sums` and what the output holds there.
DotNest::V DotNest::added(V row, V column, V sums, V mask) {
  V address = at(sumElement, output.pointer, b.CreateAdd(b.CreateMul(row, output.rowStride), column));
  Align align(elementAlign(sumElement));
  V old = mask ? b.CreateMaskedLoad(sumVector, address, align, mask, Constant::getNullValue(sumVector)) : load(sumVector, address);
  return form.sum == DotElement::S32 ? b.CreateAdd(old, sums) : b.CreateFAdd(old, sums);
}

void DotNest::finishVector(V row, V column, V sums, V mask, V accumulate) {
  if (!output.pointer) return output.finish(b, row, column, sums, mask);
  V address = at(sumElement, output.pointer, b.CreateAdd(b.CreateMul(row, output.rowStride), column));
  Align align(elementAlign(sumElement));
  if (constantOf(accumulate) != 0) sums = b.CreateSelect(accumulate, added(row, column, sums, mask), sums);
  if (mask)
    b.CreateMaskedStore(sums, address, align, mask);
  else
    b.CreateAlignedStore(sums, address, align);
}

void DotNest::finishElements(V row, V column, V count, V source, V accumulate) {
  V line = at(sumElement, output.pointer, b.CreateAdd(b.CreateMul(row, output.rowStride), column));
  emitLoop(
      b, i64(0), count, 1,
      [&](V i) {
        V value = load(sumElement, at(sumElement, source, i)), address = at(sumElement, line, i);
        if (constantOf(accumulate) != 0) {
          V old = b.CreateSelect(accumulate, load(sumElement, address), Constant::getNullValue(sumElement));
          value = form.sum == DotElement::S32 ? b.CreateAdd(old, value) : b.CreateFAdd(old, value);
        }
        b.CreateAlignedStore(value, address, Align(elementAlign(sumElement)));
      },
      "dot.finish.element");
}

} // namespace pantile::cpu
