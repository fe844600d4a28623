//===- cpu/compiler/codegen/Pack.cpp --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A panel is written in units (group elements of one column) of one k step after the other. Three ways:
//
//   rows        columnStride is 1: `group` rows of k are read as vectors along columns and interleaved
//   transposed  kStride is 1: a square block of units is read along k, one vector a column, and transposed in registers
//   elements    one at a time: other strides, and edges on targets without masked loads
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/Pack.h"
#include "backends/cpu/compiler/codegen/Loops.h"
#include "backends/cpu/compiler/codegen/VectorMath.h"

#include <bit>

using namespace llvm;

namespace pantile::cpu {

namespace {

using V = Value *;

class Packer {
public:
  Packer(IRBuilderBase &b, const DotForm &form, bool isLhs, const PackSource &source, V destination, const PackShape &shape,
         const CpuTarget &target)
      : b(b), source(source), destination(destination), shape(shape), target(target), group(form.group), width(shape.width),
        from(isLhs ? form.lhs : form.rhs), to(isLhs ? form.packedLhs : form.packedRhs), flip(form.flipRhs && !isLhs),
        fromType(dotMemoryType(b.getContext(), from)), toType(dotMemoryType(b.getContext(), to)) {}

  void emit() {
    V groups = b.CreateSDiv(b.CreateAdd(shape.k, i64(group - 1)), i64(group));
    // Rows lie on pages of their own: what all panels want of some is read before the next ones.
    if (constantOf(source.columnStride) == 1)
      emitLoop(
          b, i64(0), groups, kRows,
          [&](V begin) { emitPanels(begin, b.CreateBinaryIntrinsic(Intrinsic::smin, b.CreateAdd(begin, i64(kRows)), groups)); }, "pack.k");
    else
      emitPanels(i64(0), groups);
  }

private:
  static constexpr int64_t kRows = 32; ///< fewer than the pages that the first level of address translation holds

  /// Groups [begin, end) of k of all panels.
  void emitPanels(V begin, V end) {
    V whole = b.CreateSDiv(shape.columns, i64(width));
    emitLoop(b, i64(0), whole, 1, [&](V panel) { emitPanel(panel, begin, end, true); }, "pack.panel");
    V rest = b.CreateICmpNE(b.CreateMul(whole, i64(width)), shape.columns);
    emitIf(b, rest, [&] { emitPanel(whole, begin, end, false); });
  }

  void emitPanel(V panel, V begin, V groups, bool allColumns) {
    V firstColumn = b.CreateMul(panel, i64(width));
    line = at(fromType, source.pointer, b.CreateMul(firstColumn, source.columnStride));
    out = at(toType, destination, b.CreateMul(panel, shape.panelStride));
    left = b.CreateSub(shape.columns, firstColumn);
    V wholeGroups = b.CreateBinaryIntrinsic(Intrinsic::smin, b.CreateSDiv(shape.k, i64(group)), groups);
    bool vectors = allColumns || target.hasMasks;
    if (constantOf(source.columnStride) == 1 && vectors) {
      emitLoop(b, begin, wholeGroups, 1, [&](V k) { emitRows(k, allColumns, true); }, "pack.rows");
      if (group > 1) emitLoop(b, wholeGroups, groups, 1, [&](V k) { emitRows(k, allColumns, false); }, "pack.rows");
    } else if (constantOf(source.kStride) == 1 && vectors) {
      unsigned side = blockSide();
      V whole = b.CreateSub(wholeGroups, b.CreateSRem(wholeGroups, i64(side)));
      emitLoop(b, i64(0), whole, side, [&](V k) { emitTransposed(k, allColumns, true); }, "pack.block");
      if (target.hasMasks)
        emitIf(b, b.CreateICmpSLT(whole, groups), [&] { emitTransposed(whole, allColumns, false); });
      else
        emitElements(whole, groups);
    } else {
      emitElements(begin, groups);
    }
  }

  /// One k step of the panel from `group` rows.
  void emitRows(V k, bool allColumns, bool allRows) {
    for (unsigned begin = 0; begin < width;) {
      // Whole registers of packed elements, then halves.
      unsigned most = std::max(1u, target.vectorBits / 8 / (dotElementBytes(to) * group));
      unsigned count = std::min(most, std::bit_floor(width - begin));
      Type *type = FixedVectorType::get(fromType, count);
      V mask = allColumns ? nullptr : lanesBelow(b, b.CreateSub(left, i64(begin)), count);
      SmallVector<V, 4> rows;
      for (unsigned j = 0; j < group; ++j) {
        V row = b.CreateAdd(b.CreateMul(k, i64(group)), i64(j));
        V address = at(fromType, at(fromType, line, b.CreateMul(row, source.kStride)), i64(begin));
        V zero = Constant::getNullValue(type);
        if (allRows) {
          rows.push_back(converted(load(type, address, mask)));
          continue;
        }
        // A row past the end is zero; the first row of a partial group exists.
        V exists = b.CreateICmpSLT(row, shape.k);
        V safe = b.CreateSelect(exists, address,
                                at(fromType, at(fromType, line, b.CreateMul(b.CreateMul(k, i64(group)), source.kStride)), i64(begin)));
        rows.push_back(converted(b.CreateSelect(exists, load(type, safe, mask), zero)));
      }
      V units = interleaved(rows, count);
      b.CreateAlignedStore(units, at(toType, out, b.CreateAdd(b.CreateMul(k, i64(width * group)), i64(begin * group))), align(toType));
      begin += count;
    }
  }

  V interleaved(ArrayRef<V> rows, unsigned count) {
    if (rows.size() == 1) return rows[0];
    auto zip = [&](V x, V y) {
      unsigned size = cast<FixedVectorType>(x->getType())->getNumElements();
      SmallVector<int, 64> mask;
      for (unsigned i = 0; i < size; ++i) mask.push_back(i), mask.push_back(size + i);
      return b.CreateShuffleVector(x, y, mask);
    };
    if (rows.size() == 2) return zip(rows[0], rows[1]);
    return zip(zip(rows[0], rows[2]), zip(rows[1], rows[3]));
  }

  /// Units of a packed element group as one integer; a block is `side` of them square.
  unsigned unitBytes() const { return dotElementBytes(to) * group; }
  unsigned blockSide() const { return target.vectorBits / 8 / unitBytes(); }

  void emitTransposed(V k, bool allColumns, bool wholeBlock) {
    unsigned side = blockSide(), elements = side * group;
    Type *type = FixedVectorType::get(fromType, elements);
    Type *unitType = unitBytes() == 8 ? b.getInt64Ty() : b.getInt32Ty(), *unitVector = FixedVectorType::get(unitType, side);
    V kElement = b.CreateMul(k, i64(group));
    V kLeft = b.CreateSub(shape.k, kElement);
    for (unsigned begin = 0; begin < width; begin += side) {
      unsigned columns = std::min(side, width - begin);
      SmallVector<V, 16> block;
      V wholeMask = wholeBlock ? nullptr : lanesBelow(b, kLeft, elements);
      for (unsigned j = 0; j < side; ++j) {
        if (j >= columns) {
          block.push_back(PoisonValue::get(unitVector));
          continue;
        }
        V address = at(fromType, line, b.CreateAdd(b.CreateMul(i64(begin + j), source.columnStride), kElement));
        V mask = wholeMask;
        if (!allColumns) {
          V exists = b.CreateICmpSLT(i64(begin + j), left);
          mask = lanesBelow(b, b.CreateSelect(exists, kLeft, i64(0)), elements);
        }
        block.push_back(b.CreateBitCast(converted(load(type, address, mask)), unitVector));
      }
      transpose(block);
      V groups = wholeBlock ? nullptr : b.CreateSDiv(b.CreateAdd(kLeft, i64(group - 1)), i64(group));
      for (unsigned row = 0; row < side; ++row) {
        V units = block[row];
        if (columns < side) {
          SmallVector<int, 16> some;
          for (unsigned i = 0; i < columns; ++i) some.push_back(i);
          units = b.CreateShuffleVector(units, some);
        }
        V address = at(toType, out, b.CreateAdd(b.CreateMul(b.CreateAdd(k, i64(row)), i64(width * group)), i64(begin * group)));
        auto store = [&] { b.CreateAlignedStore(units, address, align(toType)); };
        if (wholeBlock)
          store();
        else
          emitIf(b, b.CreateICmpSLT(i64(row), groups), store);
      }
    }
  }

  /// block[i][j] becomes block[j][i], by shuffles that stay within 128 bits and then by shuffles of 128 bits.
  void transpose(SmallVectorImpl<V> &block) {
    unsigned side = block.size(), inLane = 16 / unitBytes(), lanes = side / inLane;
    // Within lanes: squares of inLane vectors.
    auto unpack = [&](V x, V y, unsigned piece, bool high) {
      SmallVector<int, 16> mask;
      for (unsigned lane = 0; lane < lanes; ++lane)
        for (unsigned i = 0; i < inLane / 2; i += piece)
          for (unsigned from : {0u, side})
            for (unsigned e = 0; e < piece; ++e) mask.push_back(from + lane * inLane + (high ? inLane / 2 : 0) + i + e);
      return b.CreateShuffleVector(x, y, mask);
    };
    for (unsigned base = 0; base < side; base += inLane) {
      V *v = block.data() + base;
      if (inLane == 2) {
        V low = unpack(v[0], v[1], 1, false), high = unpack(v[0], v[1], 1, true);
        v[0] = low, v[1] = high;
      } else {
        V a = unpack(v[0], v[1], 1, false), c = unpack(v[0], v[1], 1, true), d = unpack(v[2], v[3], 1, false),
          e = unpack(v[2], v[3], 1, true);
        v[0] = unpack(a, d, 2, false), v[1] = unpack(a, d, 2, true), v[2] = unpack(c, e, 2, false), v[3] = unpack(c, e, 2, true);
      }
    }
    // Now block[g * inLane + j] holds in lane l the units (l * inLane + j) of vectors g * inLane ...: transpose lanes against g.
    SmallVector<V, 16> result(side);
    for (unsigned j = 0; j < inLane; ++j) {
      SmallVector<V, 4> square;
      for (unsigned g = 0; g < lanes; ++g) square.push_back(block[g * inLane + j]);
      // Perfect shuffles of lanes: after log2 rounds the square is transposed.
      for (unsigned round = 1; round < lanes; round *= 2) {
        SmallVector<V, 4> next(lanes);
        for (unsigned i = 0; i < lanes / 2; ++i)
          for (bool high : {false, true}) {
            SmallVector<int, 16> mask;
            for (unsigned l = 0; l < lanes / 2; ++l)
              for (unsigned from : {0u, side})
                for (unsigned e = 0; e < inLane; ++e) mask.push_back(from + ((high ? lanes / 2 : 0) + l) * inLane + e);
            next[2 * i + high] = b.CreateShuffleVector(square[i], square[i + lanes / 2], mask);
          }
        square = next;
      }
      for (unsigned l = 0; l < lanes; ++l) result[l * inLane + j] = square[l];
    }
    block.assign(result.begin(), result.end());
  }

  /// Units [begin, end) of the panel, one element at a time.
  void emitElements(V begin, V end) {
    emitLoop(
        b, begin, end, 1,
        [&](V k) {
          emitLoop(
              b, i64(0), i64(width), 1,
              [&](V column) {
                V outUnit = at(toType, out, b.CreateAdd(b.CreateMul(k, i64(width * group)), b.CreateMul(column, i64(group))));
                for (unsigned j = 0; j < group; ++j) {
                  V row = b.CreateAdd(b.CreateMul(k, i64(group)), i64(j));
                  V exists = b.CreateAnd(b.CreateICmpSLT(column, left), b.CreateICmpSLT(row, shape.k));
                  V offset = b.CreateAdd(b.CreateMul(row, source.kStride), b.CreateMul(column, source.columnStride));
                  // The panel's first element exists.
                  V address = at(fromType, line, b.CreateSelect(exists, offset, i64(0)));
                  V value = converted(b.CreateAlignedLoad(fromType, address, align(fromType)));
                  value = b.CreateSelect(exists, value, Constant::getNullValue(toType));
                  b.CreateAlignedStore(value, at(toType, outUnit, i64(j)), align(toType));
                }
              },
              "pack.column");
        },
        "pack.element");
  }

  V converted(V value) {
    Type *type = value->getType()->getWithNewType(toType);
    switch (from) {
    case DotElement::F16:
    case DotElement::BF16:
      if (to == from) return value;
      return emitExtend(b, b.CreateBitCast(value, type->getWithNewType(dotElementType(b.getContext(), from))), target);
    case DotElement::S8:
    case DotElement::U8:
      if (to == DotElement::S16 || to == DotElement::S32)
        return from == DotElement::S8 ? b.CreateSExt(value, type) : b.CreateZExt(value, type);
      return flip ? b.CreateXor(value, ConstantInt::get(type, 0x80)) : value;
    default:
      return value;
    }
  }

  V load(Type *type, V address, V mask) {
    if (!mask) return b.CreateAlignedLoad(type, address, align(type));
    return b.CreateMaskedLoad(type, address, align(type), mask, Constant::getNullValue(type));
  }
  static Align align(Type *type) { return Align(std::max(1u, type->getScalarSizeInBits() / 8)); }
  V at(Type *type, V pointer, V index) { return constantOf(index) == 0 ? pointer : b.CreateGEP(type, pointer, index); }
  V i64(int64_t number) { return b.getInt64(number); }

  IRBuilderBase &b;
  const PackSource source;
  V destination;
  const PackShape shape;
  const CpuTarget &target;
  unsigned group, width;
  DotElement from, to;
  bool flip;
  Type *fromType, *toType;
  V line = nullptr, out = nullptr, left = nullptr; ///< of the current panel: first element, destination, columns that exist
};

} // namespace

void emitPackRhs(IRBuilderBase &builder, const DotForm &form, const PackSource &source, Value *destination, const PackShape &shape,
                 const CpuTarget &target) {
  Packer(builder, form, false, source, destination, shape, target).emit();
}

void emitPackLhs(IRBuilderBase &builder, const DotForm &form, const PackSource &source, Value *destination, const PackShape &shape,
                 const CpuTarget &target) {
  Packer(builder, form, true, source, destination, shape, target).emit();
}

} // namespace pantile::cpu
