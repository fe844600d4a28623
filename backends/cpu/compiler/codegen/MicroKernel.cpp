//===- cpu/compiler/codegen/MicroKernel.cpp - checks, arithmetic -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/MicroKernel.h"
#include "backends/cpu/compiler/codegen/DotNest.h"
#include "backends/cpu/compiler/codegen/VectorMath.h"

#include "llvm/IR/IntrinsicsX86.h"

#include <fmt/format.h>

#include <numeric>

using namespace llvm;

namespace pantile::cpu {

static bool isOne(const Value *stride) { return stride && constantOf(stride) == 1; }

bool readsInPlace(const DotForm &form, bool isLhs, const Value *lineStride, const Value *kStride) {
  if (isLhs) return form.group == 1 || isOne(kStride);
  return isOne(lineStride) || isOne(kStride);
}

DotSchedule streamingSchedule(const DotForm &form, const CpuTarget &target, int64_t maxM) {
  DotSchedule schedule;
  // Wide panels make long reads of each rhs row; few rows at once keep the sums in registers.
  unsigned columns = target.registers == 32 || (maxM > 0 && maxM <= 2) ? 4 : 2;
  schedule.nr = columns * form.lanes;
  schedule.mr = 1;
  unsigned rows = columns == 2 ? 6 : 4, most = maxM > 0 ? std::min<int64_t>(maxM, rows) : rows;
  while (schedule.mr < most && fitsRegisters({schedule.mr + 1, schedule.nr}, form, target)) ++schedule.mr;
  // Measured on Zen 4: more rows per pass pay once each is used by several rows of lhs, prefetching once k is in the loop.
  bool few = maxM > 0 && maxM <= 4;
  schedule.kBlock = few ? 8 : 16;
  schedule.kUnroll = schedule.mr == 1 ? 8 : schedule.mr == 2 ? 4 : 2;
  schedule.prefetch = few ? 0 : 512;
  return schedule;
}

static Status invalid(std::string text, std::string fix) {
  return Status(PANTILE_INVALID_ARGUMENT, std::move(text)).withFix(std::move(fix));
}

Status emitDot(IRBuilderBase &builder, const DotForm &form, const DotOperand &lhs, const DotOperand &rhs, const DotShape &shape,
               const DotOutput &output, const DotSchedule &schedule, const CpuTarget &target) {
  RegisterTile tile = defaultRegisterTile(form, target, shape.maxM, shape.maxN);
  if (rhs.layout == DotOperand::Packed) tile = {tile.mr, rhs.panelWidth};
  if (schedule.nr) tile.nr = schedule.nr;
  if (schedule.mr)
    tile.mr = schedule.mr;
  else
    while (tile.mr > 1 && !fitsRegisters(tile, form, target)) --tile.mr;
  auto layout = rhs.layout == DotOperand::Packed ? DotNest::PackedPanels : isOne(rhs.lineStride) ? DotNest::Columns : DotNest::Rows;

  if (layout == DotNest::Rows && !isOne(rhs.kStride))
    return invalid("rhs of a dot is read in place, but neither of its strides is the constant 1", "pack it");
  if (layout == DotNest::PackedPanels && rhs.panelWidth != tile.nr)
    return invalid(fmt::format("rhs of a dot is packed in panels of {} columns, the register tile has {}", rhs.panelWidth, tile.nr),
                   "make them equal");
  if (lhs.layout == DotOperand::Packed && (layout != DotNest::PackedPanels || lhs.panelWidth != tile.mr))
    return invalid(
        fmt::format("lhs of a dot is packed in panels of {} rows: it needs a packed rhs and a register tile of as many rows, not {}",
                    lhs.panelWidth, tile.mr),
        "pack both, with the register tile's widths");
  if (layout == DotNest::Rows) {
    // Sums are summed across lanes: a tile of one vector of columns, few rows.
    tile = {std::min(tile.mr, 4u), form.lanes};
    if (!isOne(lhs.kStride)) return invalid("a dot along rows of rhs needs lhs contiguous in k", "copy lhs, or pack rhs");
  } else {
    if (!fitsRegisters(tile, form, target))
      return invalid(fmt::format("a register tile of {}x{} does not fit the {} vector registers of {}", tile.mr, tile.nr, target.registers,
                                 target.name),
                     fmt::format("use at most {}x{}", defaultRegisterTile(form, target).mr, defaultRegisterTile(form, target).nr));
    bool grouped = layout == DotNest::PackedPanels && form.group > 1 && lhs.layout == DotOperand::Strided;
    if (grouped && !isOne(lhs.kStride)) return invalid("lhs of a dot is read in groups of k, but is not contiguous in k", "pack it");
    bool tail = grouped && shape.kMultiple % form.group != 0 && (!constantOf(shape.k) || *constantOf(shape.k) % form.group != 0);
    if (((layout == DotNest::PackedPanels && form.flipRhs && !lhs.rowSums) || tail) && shape.maxM <= 0)
      return invalid("a dot of grouped k needs to know the most rows it is given", "set maxM");
  }
  if (!output.pointer && !output.finish) return invalid("a dot has neither an output in memory nor a finish", "set one");
  if (schedule.kUnroll == 0 || schedule.kUnroll > 16) return invalid(fmt::format("a dot's kUnroll is {}", schedule.kUnroll), "use 1 to 16");

  IRBuilderBase::FastMathFlagGuard guard(builder);
  builder.clearFastMathFlags();
  DotNest(builder, form, lhs, rhs, shape, output, schedule, tile, layout, target).emit();
  return Status::ok();
}

DotNest::DotNest(IRBuilderBase &b, const DotForm &form, const DotOperand &lhs, const DotOperand &rhs, const DotShape &shape,
                 const DotOutput &output, const DotSchedule &schedule, RegisterTile tile, RhsLayout layout, const CpuTarget &target)
    : b(b), form(form), lhs(lhs), rhs(rhs), shape(shape), output(output), schedule(schedule), tile(tile), layout(layout), target(target) {
  // Constants are the best of divisors and bounds.
  auto refine = [](Value *value, int64_t &multiple, int64_t &maximum) {
    if (auto known = constantOf(value)) {
      multiple = *known > 0 ? *known : multiple;
      maximum = *known;
    }
  };
  refine(shape.m, this->shape.mMultiple, this->shape.maxM);
  refine(shape.n, this->shape.nMultiple, this->shape.maxN);
  refine(shape.k, this->shape.kMultiple, this->shape.maxK);
  group = layout == Columns ? 1 : form.group;
  vectors = tile.nr / form.lanes;
  lhsRead = lhs.layout == DotOperand::Packed ? form.packedLhs : form.lhs;
  rhsRead = layout == PackedPanels ? form.packedRhs : form.rhs;
  lhsUsed = form.packedLhs, rhsUsed = form.packedRhs;
  if (group == 1 && form.sum != DotElement::F64) lhsUsed = rhsUsed = form.sum;
  sumElement = dotElementType(b.getContext(), form.sum);
  sumVector = vectorOf(sumElement, form.lanes);
}

void DotNest::emit() {
  if (layout == Rows)
    emitInner();
  else
    emitOuter();
}

DotNest::V DotNest::converted(V value, DotElement from, DotElement to) {
  if (dotElementBytes(from) == 1 && dotElementBytes(to) == 1) return value;
  if (from == DotElement::F16 || from == DotElement::BF16) // as multiplied, no longer as in memory
    value = b.CreateBitCast(value, value->getType()->getWithNewType(dotElementType(b.getContext(), from)));
  if (from == to) return value;
  Type *type = value->getType()->getWithNewType(dotElementType(b.getContext(), to));
  switch (from) {
  case DotElement::F16:
  case DotElement::BF16:
    return emitExtend(b, value, target);
  case DotElement::S8:
  case DotElement::S16:
    return b.CreateSExt(value, type);
  case DotElement::U8:
    return b.CreateZExt(value, type);
  default:
    llvm_unreachable("no such conversion in a dot form");
  }
}

/// A group of k of one lhs row in every lane.
DotNest::V DotNest::splatUnit(V unit) {
  if (group == 1) return b.CreateVectorSplat(form.lanes, unit);
  Type *element = dotElementType(b.getContext(), lhsUsed);
  return b.CreateBitCast(b.CreateVectorSplat(form.lanes, unit), vectorOf(element, form.lanes * group));
}

DotNest::V DotNest::multiplyAdd(V sums, V x, V y) {
  if (form.sum != DotElement::S32) {
    if (group == 2) return b.CreateIntrinsic(Intrinsic::x86_avx512bf16_dpbf16ps_512, {sums, x, y});
    if (target.hasFma) return b.CreateIntrinsic(sumVector, Intrinsic::fma, {x, y, sums});
    return b.CreateFAdd(b.CreateFMul(x, y), sums);
  }
  if (group == 4) {
    // Unsigned times signed: rhs is unsigned where flipping made it so, or it is u8 itself.
    bool rhsUnsigned = form.lhs == DotElement::S8;
    return b.CreateIntrinsic(Intrinsic::x86_avx512_vpdpbusd_512, {sums, rhsUnsigned ? y : x, rhsUnsigned ? x : y});
  }
  if (group == 2) {
    Intrinsic::ID id = target.vectorBits == 512   ? Intrinsic::x86_avx512_pmaddw_d_512
                       : target.vectorBits == 256 ? Intrinsic::x86_avx2_pmadd_wd
                                                  : Intrinsic::x86_sse2_pmadd_wd;
    return b.CreateAdd(sums, b.CreateIntrinsic(id, {x, y}));
  }
  return b.CreateAdd(sums, b.CreateMul(x, y));
}

} // namespace pantile::cpu
