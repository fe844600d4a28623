//===- cpu/compiler/codegen/DotOuter.cpp - kernels with vectors along n ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/DotNest.h"

#include "llvm/IR/IntrinsicsX86.h"

#include <functional>
#include <numeric>

using namespace llvm;

namespace pantile::cpu {

using V = DotNest::V;

void DotNest::emitOuter() {
  if (layout == PackedPanels && group > 1 && lhs.layout == DotOperand::Strided) {
    hasTail = shape.kMultiple % group != 0;
    corrections = lhs.rowSums;
    if (hasTail || (form.flipRhs && !corrections)) emitLhsScratch();
  }
  if (layout == PackedPanels && form.flipRhs && lhs.layout == DotOperand::Packed) emitPackedRowSums();
  stack = stackScratch(b, sumElement, tile.mr * tile.nr, "dot.tile");

  V groups =
      lhs.layout == DotOperand::Packed ? b.CreateSDiv(b.CreateAdd(shape.k, i64(group - 1)), i64(group)) : b.CreateSDiv(shape.k, i64(group));
  if (group == 1) groups = shape.k;
  V first = accumulates();
  bool blocked = layout == Columns && schedule.kBlock && output.pointer && (shape.maxK == 0 || shape.maxK > schedule.kBlock);
  if (!blocked) return emitPanels({i64(0), groups}, first);
  // At least one pass: it overwrites also where k is 0.
  V end = b.CreateBinaryIntrinsic(Intrinsic::smax, groups, i64(1));
  emitLoop(
      b, i64(0), end, schedule.kBlock,
      [&](V begin) {
        V accumulate = b.CreateOr(b.CreateICmpNE(begin, i64(0)), first);
        emitPanels({begin, minimum(groups, b.CreateAdd(begin, i64(schedule.kBlock)))}, accumulate);
      },
      "dot.kblock");
}

void DotNest::emitPanels(Steps steps, V accumulate) {
  auto place = [&](V panel) {
    V column = b.CreateMul(panel, i64(tile.nr), "", true, true);
    return Place{nullptr, column, b.CreateSub(shape.n, column), panel, {}, accumulate};
  };
  bool partial = partialColumns();
  if (layout == Columns && partial) {
    // Reads of rhs are masked in the last panel, so it has code of its own.
    V whole = b.CreateSDiv(shape.n, i64(tile.nr));
    if (shape.maxN == 0 || shape.maxN >= tile.nr)
      emitLoop(b, i64(0), whole, 1, [&](V panel) { emitPanel(steps, place(panel), false); }, "dot.panel");
    emitIf(b, b.CreateICmpNE(b.CreateMul(whole, i64(tile.nr)), shape.n), [&] { emitPanel(steps, place(whole), true); });
    return;
  }
  V panels = b.CreateSDiv(b.CreateAdd(shape.n, i64(tile.nr - 1)), i64(tile.nr));
  emitLoop(b, i64(0), panels, 1, [&](V panel) { emitPanel(steps, place(panel), partial); }, "dot.panel");
}

void DotNest::emitPanel(Steps steps, Place place, bool partial) {
  bool registersHoldMasks = target.hasMasks || layout == Columns;
  if (partial && registersHoldMasks)
    for (unsigned v = 0; v < vectors; ++v)
      place.masks.push_back(lanesBelow(b, b.CreateSub(place.columns, i64(v * form.lanes)), form.lanes));
  V wholeColumns = partial ? b.CreateICmpSGE(place.columns, i64(tile.nr)) : b.getTrue();
  // Memory takes masked vectors from registers; the callback, and memory without masks, whole tiles at most.
  bool anyRows = output.pointer != nullptr;
  V direct = anyRows && target.hasMasks ? static_cast<V>(b.getTrue()) : wholeColumns;
  if (!anyRows && !schedule.unrollFinish) direct = b.getFalse();

  emitLoop(
      b, i64(0), shape.m, tile.mr,
      [&](V row) {
        place.row = row;
        V rows = minimum(b.CreateSub(shape.m, row), i64(tile.mr));
        V isWhole = shape.mMultiple % tile.mr == 0 ? static_cast<V>(b.getTrue()) : b.CreateICmpEQ(rows, i64(tile.mr));
        auto whole = [&] { emitTile(tile.mr, steps, place, direct); };
        // Remainder rows pass through the stack: the code of seven clones' outputs would be half of the nest's.
        bool wholeExists = shape.maxM == 0 || shape.maxM >= tile.mr;
        V partialDirect = anyRows && !wholeExists ? direct : b.getFalse();
        auto remainder = [&] {
          // The clone for m % mr rows. One, where m is known.
          unsigned step = std::gcd<int64_t>(shape.mMultiple, tile.mr);
          if (auto known = constantOf(shape.m)) return emitTile(*known % tile.mr, steps, place, partialDirect);
          unsigned most = shape.maxM > 0 ? std::min<int64_t>(shape.maxM, tile.mr - 1) : tile.mr - 1;
          std::function<void(unsigned)> clone = [&](unsigned count) {
            if (count + step > most) return emitTile(count, steps, place, partialDirect);
            emitIf(
                b, b.CreateICmpEQ(rows, i64(count)), [&] { emitTile(count, steps, place, partialDirect); }, [&] { clone(count + step); });
          };
          clone(step);
        };
        if (!wholeExists)
          remainder();
        else
          emitIf(b, isWhole, whole, remainder);
        V done = wholeExists ? b.CreateAnd(direct, isWhole) : partialDirect;
        emitIf(b, b.CreateNot(done), [&] { finishStack(rows, place); });
      },
      "dot.row");
}

void DotNest::emitTile(unsigned rows, Steps steps, const Place &place, V direct) {
  Type *lhsElement = dotMemoryType(b.getContext(), lhsRead), *rhsElement = dotMemoryType(b.getContext(), rhsRead);
  bool packedLhs = lhs.layout == DotOperand::Packed;

  // Where lhs begins: one pointer for each row, or one for all where rows are adjacent.
  Values bases;
  V lhsStep;
  if (packedLhs) {
    V panel = b.CreateExactUDiv(place.row, i64(tile.mr));
    bases.push_back(at(lhsElement, lhs.pointer, b.CreateMul(panel, lhs.lineStride)));
    lhsStep = i64(tile.mr * group);
  } else {
    lhsStep = b.CreateMul(lhs.kStride, i64(group));
    unsigned count = constantOf(lhs.lineStride) == 1 ? 1 : rows;
    for (unsigned i = 0; i < count; ++i)
      bases.push_back(at(lhsElement, lhs.pointer, b.CreateMul(b.CreateAdd(place.row, i64(i)), lhs.lineStride)));
  }
  V lhsBegin = b.CreateMul(steps.begin, lhsStep);

  V rhsBegin, rhsStep;
  if (layout == PackedPanels) {
    rhsStep = i64(tile.nr * group);
    rhsBegin = at(rhsElement, rhs.pointer, b.CreateAdd(b.CreateMul(place.panel, rhs.lineStride), b.CreateMul(steps.begin, rhsStep)));
  } else {
    rhsStep = rhs.kStride;
    rhsBegin = at(rhsElement, rhs.pointer, b.CreateAdd(place.column, b.CreateMul(steps.begin, rhsStep)));
  }

  Values carried;
  for (unsigned i = 0; i < rows; ++i) {
    V start = Constant::getNullValue(sumVector);
    if (corrections && layout == PackedPanels) {
      V correction = load(sumElement, at(sumElement, corrections, b.CreateAdd(place.row, i64(i))));
      if (lhs.rowSums) correction = b.CreateSelect(place.accumulate, Constant::getNullValue(sumElement), correction);
      start = b.CreateVectorSplat(form.lanes, correction);
    }
    for (unsigned v = 0; v < vectors; ++v) carried.push_back(start);
  }
  if (schedule.prefetchSums && layout == PackedPanels && output.pointer)
    for (unsigned i = 0; i < rows; ++i)
      for (unsigned line = 0; line < tile.nr * dotElementBytes(form.sum); line += 64)
        prefetch(at(sumElement, output.pointer, b.CreateAdd(b.CreateMul(b.CreateAdd(place.row, i64(i)), output.rowStride), place.column)),
                 line, true, 3);
  carried.push_back(lhsBegin);
  carried.push_back(rhsBegin);

  auto advance = [&](unsigned count) {
    return [&, count](V, ArrayRef<V> in) {
      Values next(in.begin(), in.end());
      for (unsigned u = 0; u < count; ++u) {
        V offset = next[next.size() - 2], pointer = next.back();
        multiply(rows, next, bases, offset, pointer, place.masks);
        if (schedule.prefetch)
          for (unsigned line = 0; line < tile.nr * group * dotElementBytes(rhsRead); line += 64)
            prefetch(pointer, schedule.prefetch + line, false, 3);
        next[next.size() - 2] = b.CreateAdd(offset, lhsStep);
        next.back() = at(rhsElement, pointer, rhsStep);
      }
      return next;
    };
  };
  V begin = steps.begin;
  // Remainder rows of a packed rhs run once a block: their clones stay small.
  unsigned unroll = rows == tile.mr || layout == Columns ? schedule.kUnroll : 1;
  if (unroll > 1) {
    V count = b.CreateSub(steps.end, begin);
    V middle = b.CreateAdd(begin, b.CreateSub(count, b.CreateSRem(count, i64(unroll))));
    carried = emitLoop(b, begin, middle, i64(unroll), carried, advance(unroll), "dot.k.unrolled");
    begin = middle;
  }
  carried = emitLoop(b, begin, steps.end, i64(1), carried, advance(1), "dot.k");
  V tailPointer = carried.back();
  carried.truncate(rows * vectors);

  if (hasTail) {
    // The last, partial group: rhs is padded, lhs was gathered.
    V isPartial = b.CreateICmpNE(b.CreateMul(steps.end, i64(group)), shape.k);
    carried = emitIfValues(
        b, isPartial,
        [&] {
          Values whole = carried;
          Values row = rhsRow(tailPointer, {});
          for (unsigned i = 0; i < rows; ++i) {
            V unit = splatUnit(load(b.getInt32Ty(), at(b.getInt32Ty(), tails, b.CreateAdd(place.row, i64(i)))));
            for (unsigned v = 0; v < vectors; ++v) whole[i * vectors + v] = multiplyAdd(whole[i * vectors + v], unit, row[v]);
          }
          return whole;
        },
        carried);
  }

  bool canBeDirect = output.pointer || rows == tile.mr;
  if (!canBeDirect) direct = b.getFalse();
  emitIf(b, direct, [&] { finishRegisters(rows, place, carried); }, [&] { storeToStack(rows, carried); });
}

void DotNest::prefetch(V address, unsigned offset, bool write, unsigned locality) {
  b.CreateIntrinsic(Intrinsic::prefetch, {address->getType()},
                    {at(b.getInt8Ty(), address, offset), b.getInt32(write), b.getInt32(locality), b.getInt32(1)});
}

void DotNest::multiply(unsigned rows, Values &sums, const Values &bases, V offset, V pointer, const Values &masks) {
  Values row = rhsRow(pointer, layout == Columns ? masks : Values());
  for (unsigned i = 0; i < rows; ++i) {
    V unit = lhsUnit(i, bases, offset);
    for (unsigned v = 0; v < vectors; ++v) sums[i * vectors + v] = multiplyAdd(sums[i * vectors + v], unit, row[v]);
  }
}

Values DotNest::rhsRow(V pointer, const Values &masks) {
  Type *element = dotMemoryType(b.getContext(), rhsRead);
  Type *type = vectorOf(element, form.lanes * group);
  Values row;
  for (unsigned v = 0; v < vectors; ++v) {
    V address = at(element, pointer, v * form.lanes * group);
    V value = masks.empty() ? load(type, address)
                            : b.CreateMaskedLoad(type, address, Align(elementAlign(type)), masks[v], Constant::getNullValue(type));
    row.push_back(converted(value, rhsRead, rhsUsed));
  }
  return row;
}

V DotNest::lhsUnit(unsigned row, const Values &bases, V offset) {
  Type *element = dotMemoryType(b.getContext(), lhsRead);
  bool packedLhs = lhs.layout == DotOperand::Packed;
  V address;
  if (packedLhs)
    address = at(element, at(element, bases[0], offset), row * group);
  else if (bases.size() == 1)
    address = at(element, at(element, bases[0], offset), row);
  else
    address = at(element, bases[row], offset);
  if (group == 1) return splatUnit(converted(load(element, address), lhsRead, lhsUsed));
  if (lhsRead == lhsUsed) return splatUnit(b.CreateAlignedLoad(b.getInt32Ty(), address, Align(dotElementBytes(lhsRead))));
  // Two bytes widened to a pair of i16.
  V pair = converted(load(vectorOf(element, group), address), lhsRead, lhsUsed);
  return splatUnit(b.CreateBitCast(pair, b.getInt32Ty()));
}

void DotNest::emitLhsScratch() {
  if (form.flipRhs && !corrections) {
    corrections = stackScratch(b, b.getInt32Ty(), shape.maxM, "dot.corrections");
    emitRowSums(b, form, lhs, shape.m, shape.k, corrections);
  }
  if (!hasTail) return;
  tails = stackScratch(b, b.getInt32Ty(), shape.maxM, "dot.tails");
  emitIf(b, b.CreateICmpNE(b.CreateSRem(shape.k, i64(group)), i64(0)), [&] { emitTails(); });
}

/// The last, partial group of each row, its elements read one by one, each only where it exists.
void DotNest::emitTails() {
  Type *element = dotMemoryType(b.getContext(), lhsRead);
  V wholeK = b.CreateSub(shape.k, b.CreateSRem(shape.k, i64(group)));
  emitLoop(
      b, i64(0), shape.m, 1,
      [&](V row) {
        V line = at(element, lhs.pointer, b.CreateMul(row, lhs.lineStride));
        V unit = b.getInt32(0);
        unsigned bits = 32 / group;
        for (unsigned j = 0; j + 1 < group; ++j) {
          V index = b.CreateAdd(wholeK, i64(j));
          V exists = b.CreateICmpSLT(index, shape.k);
          // The group has a first element.
          V value = converted(load(element, at(element, line, b.CreateSelect(exists, index, wholeK))), lhsRead, lhsUsed);
          value = b.CreateZExt(b.CreateBitCast(value, b.getIntNTy(bits)), b.getInt32Ty());
          unit = b.CreateOr(unit, b.CreateSelect(exists, b.CreateShl(value, b.getInt32(bits * j)), b.getInt32(0)));
        }
        b.CreateAlignedStore(unit, at(b.getInt32Ty(), tails, row), Align(4));
      },
      "dot.tail");
}

void emitRowSums(IRBuilderBase &b, const DotForm &form, const DotOperand &lhs, V m, V k, V destination) {
  Type *element = dotMemoryType(b.getContext(), form.lhs), *i32 = b.getInt32Ty();
  constexpr unsigned copies = 4;
  unsigned chunk = form.lanes * form.group;
  Type *type = FixedVectorType::get(element, chunk);
  V ones = ConstantInt::get(type, 1), zero = Constant::getNullValue(FixedVectorType::get(i32, form.lanes));
  bool isSigned = form.lhs == DotElement::S8;
  emitLoop(
      b, b.getInt64(0), m, 1,
      [&](V row) {
        V line = b.CreateGEP(element, lhs.pointer, b.CreateMul(row, lhs.lineStride));
        auto add = [&](V sum, V value) {
          return b.CreateIntrinsic(Intrinsic::x86_avx512_vpdpbusd_512, {sum, isSigned ? ones : value, isSigned ? value : ones});
        };
        auto address = [&](V at) { return b.CreateGEP(element, line, at); };
        V whole = b.CreateSub(k, b.CreateSRem(k, b.getInt64(copies * chunk)));
        Values sums = emitLoop(
            b, b.getInt64(0), whole, b.getInt64(copies * chunk), Values(copies, zero),
            [&](V begin, ArrayRef<V> in) {
              Values next;
              for (unsigned i = 0; i < copies; ++i)
                next.push_back(add(in[i], b.CreateAlignedLoad(type, address(b.CreateAdd(begin, b.getInt64(i * chunk))), Align(1))));
              return next;
            },
            "dot.rowsum");
        V sum = b.CreateAdd(b.CreateAdd(sums[0], sums[1]), b.CreateAdd(sums[2], sums[3]));
        sum = emitLoop(
            b, whole, k, b.getInt64(chunk), {sum},
            [&](V begin, ArrayRef<V> in) {
              V mask = lanesBelow(b, b.CreateSub(k, begin), chunk);
              return Values{add(in[0], b.CreateMaskedLoad(type, address(begin), Align(1), mask, Constant::getNullValue(type)))};
            },
            "dot.rowsum")[0];
        // Signed rhs became b + 128, unsigned b - 128.
        V scaled = b.CreateMul(b.CreateAddReduce(sum), b.getInt32(isSigned ? -128 : 128));
        b.CreateAlignedStore(scaled, b.CreateGEP(i32, destination, row), Align(4));
      },
      "dot.lhs");
}

void DotNest::emitPackedRowSums() {
  corrections = stackScratch(b, b.getInt32Ty(), (shape.maxM + tile.mr - 1) / tile.mr * tile.mr, "dot.corrections");
  Type *units = vectorOf(b.getInt32Ty(), tile.mr), *i8 = b.getInt8Ty();
  V groups = b.CreateSDiv(b.CreateAdd(shape.k, i64(group - 1)), i64(group));
  bool isSigned = form.lhs == DotElement::S8;
  emitLoop(
      b, i64(0), shape.m, tile.mr,
      [&](V row) {
        V panel = at(i8, lhs.pointer, b.CreateMul(b.CreateExactUDiv(row, i64(tile.mr)), lhs.lineStride));
        auto sum = emitLoop(
            b, i64(0), groups, i64(1), {Constant::getNullValue(units)},
            [&](V k, ArrayRef<V> in) {
              V value = b.CreateAlignedLoad(units, at(i8, panel, b.CreateMul(k, i64(tile.mr * group))), Align(1));
              V total = in[0];
              for (unsigned j = 0; j < group; ++j) {
                V high = b.CreateShl(value, ConstantInt::get(units, 24 - 8 * j));
                V shift = ConstantInt::get(units, 24);
                total = b.CreateAdd(total, isSigned ? b.CreateAShr(high, shift) : b.CreateLShr(high, shift));
              }
              return Values{total};
            },
            "dot.rowsum");
        V scaled = b.CreateMul(sum[0], ConstantInt::get(units, isSigned ? -128 : 128, true));
        b.CreateAlignedStore(scaled, at(b.getInt32Ty(), corrections, row), Align(4));
      },
      "dot.lhs");
}

} // namespace pantile::cpu
