//===- ir/emit/PhaseScalars.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/PhaseScalars.h"

#include "ir/emit/HostExpression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::tile {

PhaseScalars::PhaseScalars(GridOp grid, const ExtentAnalysis &extents, const Facts &facts, llvm::LLVMContext &context, std::string backend,
                           const WorkspacePlan &workspaces)
    : ElementEmitter(context, std::move(backend)), grid(grid), extents(extents), facts(facts),
      bounds(grid->getParentOfType<KernelOp>(), extents, facts), prologue(context), b(context), workspaces(workspaces.addresses) {}

void PhaseScalars::fail(std::string text, Operation *op) {
  if (!failure.isOk()) return;
  std::string where;
  if (op) {
    llvm::raw_string_ostream out(where);
    op->print(out, OpPrintingFlags().skipRegions());
  }
  failure = Status(PANTILE_UNSUPPORTED, std::move(text)).withCause(std::move(where));
}

llvm::Value *PhaseScalars::sizeOf(Value view, int64_t dim) {
  ExtentAtom atom = extents.atomOfSize(view, dim);
  if (int64_t size = extents.staticSize(atom.source, atom.dim); size >= 0) return prologue.getInt64(size);
  if (auto argument = dyn_cast<BlockArgument>(atom.source)) {
    if (argument.getArgNumber() < facts.arguments.size())
      if (int64_t size = facts.arguments[argument.getArgNumber()].static_size[atom.dim]; size >= 0) return prologue.getInt64(size);
    return slot("s" + std::to_string(argument.getArgNumber()) + "." + std::to_string(atom.dim));
  }
  return hoisted(cast<WorkspaceOp>(atom.source.getDefiningOp()).getSizes()[dynamicIndex(atom.source, atom.dim)]);
}

/// Operand number of a workspace's dynamic dimension.
unsigned PhaseScalars::dynamicIndex(Value workspace, int64_t dim) {
  auto shape = cast<ViewType>(workspace.getType()).getShape();
  unsigned sizes = unsigned(workspace.getDefiningOp<WorkspaceOp>().getSizes().size());
  if (sizes == shape.size()) return unsigned(dim);
  unsigned index = 0;
  for (int64_t i = 0; i < dim; ++i) index += ShapedType::isDynamic(shape[i]);
  return index;
}

const View &PhaseScalars::viewOf(Value value) {
  while (auto pack = value.getDefiningOp<PackOp>()) value = pack.getView();
  auto [found, isNew] = views.try_emplace(value);
  if (!isNew) return found->second;
  auto type = cast<ViewType>(value.getType());
  View view;
  view.element = type.getElementType();
  unsigned rank = unsigned(type.getRank());
  for (unsigned dim = 0; dim < rank; ++dim) view.sizes.push_back(sizeOf(value, dim));
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned number = argument.getArgNumber();
    view.pointer = address("p" + std::to_string(number));
    const pantile_argument_facts *known = number < facts.arguments.size() ? &facts.arguments[number] : nullptr;
    view.alignment = known ? std::max<int64_t>(1, known->alignment) : 1;
    for (unsigned dim = 0; dim < rank; ++dim) {
      int64_t divisor = known ? std::max<int64_t>(1, known->stride_divisor[dim]) : 1;
      if (known && int(dim) == known->unit_dim) {
        view.strides.push_back(prologue.getInt64(1));
        divisor = 1;
      } else if (known && (known->zero_stride_mask >> dim & 1)) {
        view.strides.push_back(prologue.getInt64(0));
        divisor = 128;
      } else {
        view.strides.push_back(slot("t" + std::to_string(number) + "." + std::to_string(dim)));
      }
      view.strideDivisors.push_back(divisor);
    }
  } else {
    auto place = workspaces.find(value);
    view.pointer = address(place == workspaces.end() ? "w" : place->second);
    view.alignment = 64;
    view.strides.resize(rank);
    view.strideDivisors.assign(rank, 1);
    llvm::Value *stride = prologue.getInt64(1);
    for (int dim = int(rank) - 1; dim >= 0; --dim) {
      view.strides[dim] = stride;
      stride = prologue.CreateMul(stride, view.sizes[dim]);
    }
  }
  return views[value] = std::move(view);
}

llvm::Value *PhaseScalars::hoisted(Value value) {
  if (auto found = hoistedScalars.find(value); found != hoistedScalars.end()) return found->second;
  if (auto found = scalars.find(value); found != scalars.end() && llvm::isa<llvm::Constant>(found->second)) return found->second;
  llvm::Value *result = nullptr;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    // A scalar of the kernel: its bits lie in a slot.
    llvm::Value *bits = slot("a" + std::to_string(argument.getArgNumber()));
    llvm::Type *type = registerType(value.getType());
    if (type->isIntegerTy()) {
      result = prologue.CreateTrunc(bits, type);
    } else {
      result = prologue.CreateBitCast(prologue.CreateTrunc(bits, llvm::IntegerType::get(context, type->getPrimitiveSizeInBits())), type);
    }
  } else if (auto dim = value.getDefiningOp<DimOp>()) {
    result = sizeOf(dim.getView(), dim.getDim());
  } else if (std::optional<std::string> expression;
             evaluatesOnHost && !value.getDefiningOp<arith::ConstantOp>() && (expression = hostExpression(value))) {
    result = slot(*expression);
    if (llvm::Type *type = registerType(value.getType()); type != result->getType()) result = prologue.CreateTrunc(result, type);
  } else {
    Operation *op = value.getDefiningOp();
    SmallVector<llvm::Value *, 4> operands;
    for (Value operand : op->getOperands()) operands.push_back(hoisted(operand));
    result = elementwise(op, operands, prologue);
  }
  return hoistedScalars[value] = result;
}

llvm::Value *PhaseScalars::scalar(Value value) {
  if (auto found = scalars.find(value); found != scalars.end()) return found->second;
  if (auto constantOp = value.getDefiningOp<arith::ConstantOp>())
    return scalars[value] = constant(constantOp.getValue(), constantOp.getType());
  Operation *home = value.getParentRegion()->getParentOp();
  if (isa<KernelOp>(home)) return scalars[value] = hoisted(value);
  if (value.getDefiningOp<DimOp>()) return scalars[value] = hoisted(value);
  fail("internal: a scalar is used before it is computed", value.getDefiningOp());
  return llvm::PoisonValue::get(registerType(value.getType()));
}

const RangeNumbers &PhaseScalars::range(Value value) {
  if (auto found = ranges.find(value); found != ranges.end()) return found->second;
  fail("internal: a range is used before it is computed", value.getDefiningOp());
  llvm::Value *zero = b.getInt64(0);
  return ranges[value] = {zero, zero, zero, 1};
}

bool PhaseScalars::lowerRange(Operation *op) {
  bool handled = true;
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](MakeRangeOp make) {
        int64_t extent = cast<RangeType>(make.getResult().getType()).getExtent();
        llvm::Value *begin = scalar(make.getBegin());
        llvm::Value *end = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b.CreateNSWAdd(begin, b.getInt64(extent)), scalar(make.getEnd()));
        ranges[make.getResult()] = {scalar(make.getId()), begin, end, extent};
      })
      .Case([&](ShiftOp shift) {
        RangeNumbers numbers = range(shift.getRange());
        llvm::Value *offset = scalar(shift.getOffset());
        ranges[shift.getResult()] = {numbers.id, b.CreateNSWAdd(numbers.begin, offset), b.CreateNSWAdd(numbers.end, offset),
                                     numbers.extent};
      })
      .Case([&](ScaleOp scale) {
        RangeNumbers numbers = range(scale.getRange());
        llvm::Value *factor = b.getInt64(scale.getFactor());
        ranges[scale.getResult()] = {numbers.id, b.CreateNSWMul(numbers.begin, factor), b.CreateNSWMul(numbers.end, factor),
                                     numbers.extent * int64_t(scale.getFactor())};
      })
      .Case([&](BeginOp begin) { scalars[begin.getResult()] = range(begin.getRange()).begin; })
      .Case([&](EndOp end) { scalars[end.getResult()] = range(end.getRange()).end; })
      .Case([&](IdOp id) { scalars[id.getResult()] = range(id.getRange()).id; })
      .Case([&](DimOp dim) { scalars[dim.getResult()] = sizeOf(dim.getView(), dim.getDim()); })
      .Default([&](Operation *) { handled = false; });
  return handled;
}

void PhaseScalars::bindCounter(LoopOp loop, llvm::Value *index, llvm::Value *lower, llvm::Value *upper) {
  Value argument = loop.getBody().getArgument(0);
  auto counter = dyn_cast<RangeType>(argument.getType());
  if (!counter) {
    scalars[argument] = index;
    return;
  }
  int64_t extent = counter.getExtent();
  llvm::Value *id = b.CreateUDiv(b.CreateSub(index, lower), b.getInt64(uint64_t(extent)));
  llvm::Value *end = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b.CreateNSWAdd(index, b.getInt64(uint64_t(extent))), upper);
  ranges[argument] = {id, index, end, extent};
}

Expected<WorkspacePlan> WorkspacePlan::of(KernelOp kernel) {
  // Workspaces one after the other, each on a cache line.
  WorkspacePlan result;
  std::string &used = result.bytes;
  for (auto workspace : kernel.getBody().getOps<WorkspaceOp>()) {
    auto type = cast<ViewType>(workspace.getResult().getType());
    std::string bytes =
        std::to_string(std::max<unsigned>(8, type.getElementType().isIndex() ? 64 : type.getElementType().getIntOrFloatBitWidth()) / 8);
    unsigned dynamic = 0;
    bool all = workspace.getSizes().size() == type.getShape().size();
    for (int64_t size : type.getShape()) {
      if (!all && !ShapedType::isDynamic(size)) {
        bytes += " " + std::to_string(size) + " *";
        continue;
      }
      auto text = hostExpression(workspace.getSizes()[dynamic++]);
      if (!text) return Status(PANTILE_UNSUPPORTED, "a workspace's size is not an expression of sizes");
      bytes += " " + *text + " *";
    }
    result.addresses[workspace.getResult()] = used == "0" ? "w" : "w " + used + " +";
    used = (used == "0" ? bytes : used + " " + bytes + " +") + " 63 + 64 / 64 *";
  }
  return result;
}

} // namespace pantile::tile
