//===- cpu/compiler/codegen/tests/DotCase.cpp -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/tests/DotCase.h"
#include "backends/cpu/compiler/codegen/Loops.h"
#include "backends/cpu/compiler/codegen/Pack.h"
#include "core/DType.h"

#include <fmt/format.h>

#include <cstring>
#include <sys/mman.h>

using namespace llvm;

namespace pantile::cpu {

static const char *nameOf(DotElement element) {
  static const char *const names[] = {"f32", "f64", "f16", "bf16", "s8", "u8", "s16", "s32"};
  return names[unsigned(element)];
}

std::string DotCase::text() const {
  static const char *const operands[] = {"in place along k", "in place along lines", "packed along k", "packed along lines",
                                         "packed strided"};
  static const char *const outputs[] = {"added", "overwritten", "added to padded", "in blocks", "finished", "finished unrolled"};
  return fmt::format("{} {} x {} {}, {}, tile {}x{} unroll {} kblock {}, m {} n {} k {}", nameOf(lhs), operands[unsigned(left)],
                     nameOf(rhs), operands[unsigned(right)], outputs[unsigned(output)], schedule.mr, schedule.nr, schedule.kUnroll,
                     schedule.kBlock, m, n, k);
}

static bool isPacked(Operand operand) { return operand >= Operand::PackedK; }

Compiled compileDot(const DotCase &test, const CpuTarget &target, Status *status, bool pack) {
  return Compiled(
      target, [](LLVMContext &c) { return std::vector<Type *>{PointerType::get(c, 0)}; },
      [&](IRBuilder<> &b, Function *f) {
        auto form = dotForm(test.lhs, test.rhs, target);
        if (!form.isOk()) {
          *status = form.status();
          return;
        }
        unsigned slot = 0;
        auto pointer = [&]() -> Value * {
          return b.CreateAlignedLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getInt64Ty(), f->getArg(0), slot++), Align(8));
        };
        auto number = [&]() -> Value * {
          return b.CreateAlignedLoad(b.getInt64Ty(), b.CreateConstGEP1_64(b.getInt64Ty(), f->getArg(0), slot++), Align(8));
        };
        auto known = [&](int64_t constant) -> Value * {
          Value *dynamic = number();
          return constant < 0 ? dynamic : b.getInt64(constant);
        };
        Value *lhs = pointer(), *rhs = pointer(), *packedLhs = pointer(), *packedRhs = pointer(), *c = pointer();
        DotShape shape{known(test.m), known(test.n), known(test.k), test.maxM};
        Value *lhsLine = number(), *lhsK = number(), *rhsLine = number(), *rhsK = number(), *cRow = number();
        Value *lhsPanel = number(), *rhsPanel = number(), *one = b.getInt64(1);

        DotSchedule schedule = test.schedule;
        RegisterTile tile = defaultRegisterTile(*form, target);
        if (schedule.mr) tile.mr = schedule.mr;
        if (schedule.nr) tile.nr = schedule.nr;
        schedule.mr = tile.mr, schedule.nr = tile.nr;
        schedule.unrollFinish = test.output == Output::FinishUnrolled;
        auto strides = [&](Operand operand, Value *line, Value *k) {
          if (operand == Operand::InPlaceK || operand == Operand::PackedK) k = one;
          if (operand == Operand::InPlaceLine || operand == Operand::PackedLine) line = one;
          return std::pair{line, k};
        };
        std::tie(lhsLine, lhsK) = strides(test.left, lhsLine, lhsK);
        std::tie(rhsLine, rhsK) = strides(test.right, rhsLine, rhsK);
        DotOperand left{DotOperand::Strided, lhs, lhsLine, lhsK, 0}, right{DotOperand::Strided, rhs, rhsLine, rhsK, 0};
        if (isPacked(test.left)) {
          if (pack) emitPackLhs(b, *form, {lhs, lhsK, lhsLine}, packedLhs, {shape.k, shape.m, tile.mr, lhsPanel}, target);
          left = {DotOperand::Packed, packedLhs, lhsPanel, nullptr, tile.mr};
        }
        if (isPacked(test.right)) {
          if (pack) emitPackRhs(b, *form, {rhs, rhsK, rhsLine}, packedRhs, {shape.k, shape.n, tile.nr, rhsPanel}, target);
          right = {DotOperand::Packed, packedRhs, rhsPanel, nullptr, tile.nr};
        }
        DotOutput output{c, cRow, test.output == Output::Overwrite, test.output == Output::PaddedAdd, nullptr};
        if (test.output >= Output::Finish) {
          output.pointer = nullptr;
          output.finish = [&](IRBuilderBase &b, Value *row, Value *column, Value *sums, Value *mask) {
            Type *type = sums->getType(), *element = type->getScalarType();
            bool integer = element->isIntegerTy();
            Value *number = integer ? b.CreateIntCast(row, element, true) : b.CreateSIToFP(row, element);
            number = b.CreateVectorSplat(form->lanes, number);
            sums = integer ? b.CreateAdd(b.CreateAdd(sums, sums), number) : b.CreateFAdd(b.CreateFAdd(sums, sums), number);
            Value *address = b.CreateGEP(element, c, b.CreateAdd(b.CreateMul(row, cRow), column));
            Align align(element->getScalarSizeInBits() / 8);
            if (mask)
              b.CreateMaskedStore(sums, address, align, mask);
            else
              b.CreateAlignedStore(sums, address, align);
          };
        }
        if (test.output == Output::Blocked) {
          Value *group = b.getInt64(form->group);
          Value *half = b.CreateMul(b.CreateSDiv(b.CreateSDiv(shape.k, group), b.getInt64(2)), group);
          if (form->flipRhs) {
            left.rowSums = stackScratch(b, b.getInt32Ty(), uint64_t(test.maxM), "sums");
            emitRowSums(b, *form, left, shape.m, shape.k, left.rowSums);
          }
          for (bool second : {false, true}) {
            DotShape part = shape;
            part.k = second ? b.CreateSub(shape.k, half) : half;
            if (second) {
              left.pointer = b.CreateGEP(dotMemoryType(b.getContext(), test.lhs), lhs, b.CreateMul(half, lhsK));
              right.pointer =
                  b.CreateGEP(dotMemoryType(b.getContext(), form->packedRhs), packedRhs, b.CreateMul(half, b.getInt64(tile.nr)));
            }
            output.accumulate = b.CreateICmpEQ(b.CreateICmpSGE(cRow, b.getInt64(0)), b.getInt1(second));
            *status = emitDot(b, *form, left, right, part, output, schedule, target);
            if (!status->isOk()) return;
          }
          return;
        }
        *status = emitDot(b, *form, left, right, shape, output, schedule, target);
      });
}

namespace {

/// Memory that ends where an inaccessible page begins.
class Guarded {
public:
  explicit Guarded(size_t bytes) : bytes(bytes) {
    mapped = (bytes + 4095) / 4096 * 4096 + 4096;
    base = static_cast<char *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base + mapped - 4096, 4096, PROT_NONE);
  }
  Guarded(const Guarded &) = delete;
  ~Guarded() { munmap(base, mapped); }
  char *data() const { return base + mapped - 4096 - bytes; }
  size_t size() const { return bytes; }

private:
  size_t bytes, mapped;
  char *base;
};

void put(char *memory, int64_t index, DotElement element, double value) {
  auto store = [&](auto typed) { std::memcpy(memory + index * sizeof typed, &typed, sizeof typed); };
  switch (element) {
  case DotElement::F32:
    return store(float(value));
  case DotElement::F64:
    return store(value);
  case DotElement::F16:
    return store(f32ToF16(float(value)));
  case DotElement::BF16:
    return store(f32ToBF16(float(value)));
  case DotElement::S8:
    return store(int8_t(value));
  case DotElement::U8:
    return store(uint8_t(value));
  default:
    abort();
  }
}

double get(const char *memory, int64_t index, DotElement element) {
  auto load = [&](auto typed) {
    std::memcpy(&typed, memory + index * sizeof typed, sizeof typed);
    return typed;
  };
  if (element == DotElement::F32) return load(float());
  if (element == DotElement::F64) return load(double());
  return load(int32_t());
}

/// A matrix of `lines` x k elements with gaps between lines; gaps hold what must not count.
struct Matrix {
  Matrix(DotElement element, Operand operand, int64_t lines, int64_t k, unsigned seed)
      : element(element), lines(lines), k(k), alongK(operand == Operand::InPlaceK || operand == Operand::PackedK),
        spread(operand == Operand::PackedStrided ? 2 : 1), outer((alongK ? k : lines) * spread + 3), lineStride(alongK ? outer : spread),
        kStride(alongK ? 1 : outer),
        // Up to the last element exactly.
        memory(lines && k ? ((lines - 1) * lineStride + (k - 1) * kStride + 1) * dotElementBytes(element) : 0) {
    std::memset(memory.data(), 0x7f, memory.size()); // NaN, large, or 127
    bool integer = element == DotElement::S8 || element == DotElement::U8;
    unsigned state = seed * 2654435761u + 12345;
    for (int64_t line = 0; line < lines; ++line)
      for (int64_t i = 0; i < k; ++i) {
        state = state * 1664525u + 1013904223u;
        int number = integer ? int(state >> 24) - (element == DotElement::S8 ? 128 : 0) : int((state >> 24) % 9) - 4;
        // Saturation would show at the extremes.
        if (integer && (state >> 20) % 3 == 0) number = element == DotElement::S8 ? -128 : 255;
        values.push_back(number);
        put(memory.data(), line * lineStride + i * kStride, element, number);
      }
  }
  double at(int64_t line, int64_t i) const { return values[line * k + i]; }
  DotElement element;
  int64_t lines, k;
  bool alongK;
  int64_t spread, outer, lineStride, kStride;
  Guarded memory;
  std::vector<double> values;
};

} // namespace

std::string checkDot(const DotCase &test, const CpuTarget &target, DotFunction *function, int64_t m, int64_t n, int64_t k, unsigned seed) {
  DotForm form = *dotForm(test.lhs, test.rhs, target);
  RegisterTile tile = defaultRegisterTile(form, target);
  if (test.schedule.mr) tile.mr = test.schedule.mr;
  if (test.schedule.nr) tile.nr = test.schedule.nr;
  Matrix left(test.lhs, test.left, m, k, seed), right(test.rhs, test.right, n, k, seed + 1);
  int64_t depth = (k + form.group - 1) / form.group * form.group;
  int64_t lhsPanel = tile.mr * depth, rhsPanel = tile.nr * depth;
  Guarded packedLhs((m + tile.mr - 1) / tile.mr * lhsPanel * dotElementBytes(form.packedLhs));
  Guarded packedRhs((n + tile.nr - 1) / tile.nr * rhsPanel * dotElementBytes(form.packedRhs));
  std::memset(packedLhs.data(), 0x7f, packedLhs.size());
  std::memset(packedRhs.data(), 0x7f, packedRhs.size());
  bool padded = test.output == Output::PaddedAdd;
  int64_t columns = padded ? (n + form.lanes - 1) / form.lanes * form.lanes : n, cRow = columns + 5;
  unsigned bytes = dotElementBytes(form.sum);
  Guarded c(m ? ((m - 1) * cRow + columns) * bytes : 0);
  // Not NaN: overwriting must not read it, adding must not change what is outside.
  std::vector<double> before;
  bool adds = test.output == Output::Add || padded;
  for (int64_t i = 0; i < int64_t(c.size() / bytes); ++i) {
    double value = double(i % 7) - 3;
    bool inside = i % cRow < n;
    if (inside && !adds && form.sum != DotElement::S32) value = NAN;
    before.push_back(value);
    if (form.sum == DotElement::S32) {
      int32_t number = int32_t(value);
      std::memcpy(c.data() + i * 4, &number, 4);
    } else {
      put(c.data(), i, form.sum, value);
    }
  }
  DotArguments arguments{left.memory.data(), right.memory.data(), packedLhs.data(), packedRhs.data(), c.data(), m,        n,       k,
                         left.lineStride,    left.kStride,        right.lineStride, right.kStride,    cRow,     lhsPanel, rhsPanel};
  function(&arguments);
  for (int64_t i = 0; i < int64_t(before.size()); ++i) {
    int64_t row = i / cRow, column = i % cRow;
    double want = before[i], got = get(c.data(), i, form.sum);
    if (column < n) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += left.at(row, p) * right.at(column, p);
      want = adds ? want + sum : test.output <= Output::Blocked ? sum : 2 * sum + row;
    } else if (padded && column < columns) {
      continue;
    }
    if (!(got == want))
      return fmt::format("{} on {}: {}x{}x{} at [{}, {}] is {}, not {}", test.text(), target.name, m, n, k, row, column, got, want);
  }
  return "";
}

} // namespace pantile::cpu
