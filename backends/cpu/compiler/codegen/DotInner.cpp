//===- cpu/compiler/codegen/DotInner.cpp - kernels with vectors along k ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Rows of rhs are columns of the product: each sum is a dot product of two contiguous lines. A tile of rows x lines shares
// every vector it reads; several lines at once are also several streams from memory. Past the last row or column a tile reads
// the last one again, and its results are not used.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/DotNest.h"

using namespace llvm;

namespace pantile::cpu {

using V = DotNest::V;

void DotNest::emitInner() {
  // The tile of finished sums is one vector wide.
  stack = stackScratch(b, sumElement, tile.mr * tile.nr, "dot.tile");
  unsigned lines = innerLines();
  V accumulate = accumulates();
  V panels = b.CreateSDiv(b.CreateAdd(shape.n, i64(tile.nr - 1)), i64(tile.nr));
  emitLoop(
      b, i64(0), panels, 1,
      [&](V panel) {
        V column = b.CreateMul(panel, i64(tile.nr));
        Place place{nullptr, column, b.CreateSub(shape.n, column), panel, {}, accumulate};
        V columns = partialColumns() ? minimum(place.columns, i64(tile.nr)) : i64(tile.nr);
        emitLoop(
            b, i64(0), shape.m, tile.mr,
            [&](V row) {
              place.row = row;
              V rows = minimum(b.CreateSub(shape.m, row), i64(tile.mr));
              emitLoop(b, i64(0), columns, lines, [&](V offset) { emitInnerTile(row, column, offset); }, "dot.lines");
              finishStack(rows, place);
            },
            "dot.row");
      },
      "dot.panel");
}

unsigned DotNest::innerLines() const {
  unsigned registers = target.registers == 32 ? 24 : 10;
  unsigned lines = 8;
  while (lines > 1 && (lines * tile.mr > registers || lines > tile.nr)) lines /= 2;
  return lines;
}

void DotNest::emitInnerTile(V row, V column, V offset) {
  Type *lhsElement = dotMemoryType(b.getContext(), form.lhs), *rhsElement = dotMemoryType(b.getContext(), form.rhs);
  unsigned rows = tile.mr, lines = innerLines(), chunk = form.lanes * group;
  Type *lhsVector = vectorOf(lhsElement, chunk), *rhsVector = vectorOf(rhsElement, chunk);
  Values lhsLines, rhsLines;
  V lastRow = b.CreateSub(shape.m, i64(1)), lastColumn = b.CreateSub(shape.n, i64(1));
  for (unsigned i = 0; i < rows; ++i) {
    V index = i ? minimum(b.CreateAdd(row, i64(i)), lastRow) : row;
    lhsLines.push_back(at(lhsElement, lhs.pointer, b.CreateMul(index, lhs.lineStride)));
  }
  for (unsigned j = 0; j < lines; ++j) {
    V index = b.CreateAdd(b.CreateAdd(column, offset), i64(j));
    if (shape.nMultiple % lines) index = minimum(index, lastColumn);
    rhsLines.push_back(at(rhsElement, rhs.pointer, b.CreateMul(index, rhs.lineStride)));
  }

  // Sums, then (where rhs's signs are flipped) the sums of lhs.
  Values carried(rows * lines + (form.flipRhs ? rows : 0), Constant::getNullValue(sumVector));
  auto step = [&](ArrayRef<V> in, function_ref<V(V line, Type * type)> read) {
    Values next(in.begin(), in.end()), left;
    for (V line : lhsLines) left.push_back(converted(read(line, lhsVector), form.lhs, lhsUsed));
    for (unsigned j = 0; j < lines; ++j) {
      V right = converted(read(rhsLines[j], rhsVector), form.rhs, rhsUsed);
      if (form.flipRhs) right = b.CreateXor(right, ConstantInt::get(rhsVector, 0x80));
      for (unsigned i = 0; i < rows; ++i) next[i * lines + j] = multiplyAdd(next[i * lines + j], left[i], right);
    }
    if (form.flipRhs)
      for (unsigned i = 0; i < rows; ++i)
        next[rows * lines + i] = multiplyAdd(next[rows * lines + i], left[i], ConstantInt::get(rhsVector, 1));
    return next;
  };
  V whole = b.CreateSub(shape.k, b.CreateSRem(shape.k, i64(chunk)));
  carried = emitLoop(
      b, i64(0), whole, i64(chunk), carried,
      [&](V k, ArrayRef<V> in) {
        return step(in, [&](V line, Type *type) {
          V address = at(type->getScalarType(), line, k);
          if (schedule.prefetch) prefetch(address, schedule.prefetch, false, 3);
          return load(type, address);
        });
      },
      "dot.k");
  if (shape.kMultiple % chunk) {
    V hasRest = b.CreateICmpNE(whole, shape.k);
    carried = emitIfValues(
        b, hasRest,
        [&] {
          V count = b.CreateSub(shape.k, whole);
          if (target.hasMasks) {
            V mask = lanesBelow(b, count, chunk);
            return step(carried, [&](V line, Type *type) {
              V address = at(type->getScalarType(), line, whole);
              return V(b.CreateMaskedLoad(type, address, Align(elementAlign(type)), mask, Constant::getNullValue(type)));
            });
          }
          // Through zeroed stack: one buffer, a chunk for each line.
          V buffer = restBuffer(rows + lines, chunk);
          auto copyOf = [&](unsigned i, Type *type) { return at(type->getScalarType(), buffer, i * chunk * 8 / elementAlign(type)); };
          for (unsigned i = 0; i < rows + lines; ++i) {
            Type *type = i < rows ? lhsVector : rhsVector;
            b.CreateAlignedStore(Constant::getNullValue(type), copyOf(i, type), Align(elementAlign(type)));
          }
          emitLoop(
              b, i64(0), count, 1,
              [&](V k) {
                for (unsigned i = 0; i < rows + lines; ++i) {
                  Type *type = i < rows ? lhsVector : rhsVector, *element = type->getScalarType();
                  V line = i < rows ? lhsLines[i] : rhsLines[i - rows];
                  V value = load(element, at(element, line, b.CreateAdd(whole, k)));
                  b.CreateAlignedStore(value, at(element, copyOf(i, type), k), Align(elementAlign(type)));
                }
              },
              "dot.k.rest");
          unsigned next = 0;
          return step(carried, [&](V, Type *type) { return load(type, copyOf(next++, type)); });
        },
        carried);
  }

  FastMathFlags reassociate;
  reassociate.setAllowReassoc();
  auto total = [&](V sums) -> V {
    if (form.sum == DotElement::S32) return b.CreateAddReduce(sums);
    auto *sum = cast<Instruction>(b.CreateFAddReduce(ConstantFP::getNegativeZero(sumElement), sums));
    sum->setFastMathFlags(reassociate);
    return sum;
  };
  for (unsigned i = 0; i < rows; ++i) {
    V correction =
        form.flipRhs ? b.CreateMul(total(carried[rows * lines + i]), b.getInt32(form.lhs == DotElement::S8 ? -128 : 128)) : nullptr;
    for (unsigned j = 0; j < lines; ++j) {
      V sum = total(carried[i * lines + j]);
      if (correction) sum = b.CreateAdd(sum, correction);
      V address = at(sumElement, stack, b.CreateAdd(offset, i64(i * tile.nr + j)));
      b.CreateAlignedStore(sum, address, Align(elementAlign(sumElement)));
    }
  }
}

DotNest::V DotNest::restBuffer(unsigned lines, unsigned chunk) {
  if (!rests) rests = stackScratch(b, b.getInt8Ty(), lines * chunk * 8, "dot.rests");
  return rests;
}

} // namespace pantile::cpu
