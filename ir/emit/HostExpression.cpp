//===- ir/emit/HostExpression.cpp ------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/HostExpression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::tile {

std::optional<std::string> hostExpression(Value index) {
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    if (!isa<KernelOp>(argument.getOwner()->getParentOp()) || !index.getType().isIntOrIndex()) return std::nullopt;
    return "a" + std::to_string(argument.getArgNumber());
  }
  Operation *op = index.getDefiningOp();
  if (!index.getType().isIntOrIndex()) return std::nullopt;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto integer = dyn_cast<IntegerAttr>(constant.getValue())) return std::to_string(integer.getInt());
    return std::nullopt;
  }
  if (auto dim = dyn_cast<DimOp>(op)) {
    if (auto view = dyn_cast<BlockArgument>(dim.getView()))
      return "s" + std::to_string(view.getArgNumber()) + "." + std::to_string(dim.getDim());
    if (auto workspace = dim.getView().getDefiningOp<WorkspaceOp>()) return hostExpression(workspace.getSizes()[dim.getDim()]);
    return std::nullopt;
  }
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::TruncIOp, CastOp>(op) &&
      op->getOperand(0).getType().isIntOrIndex())
    return hostExpression(op->getOperand(0));
  const char *spelling = llvm::TypeSwitch<Operation *, const char *>(op)
                             .Case<arith::AddIOp>([](auto) { return "+"; })
                             .Case<arith::SubIOp>([](auto) { return "-"; })
                             .Case<arith::MulIOp>([](auto) { return "*"; })
                             .Case<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp>([](auto) { return "/"; })
                             .Case<arith::RemUIOp, arith::RemSIOp>([](auto) { return "%"; })
                             .Case<arith::CeilDivUIOp, arith::CeilDivSIOp>([](auto) { return "ceildiv"; })
                             .Case<arith::MinSIOp, arith::MinUIOp>([](auto) { return "min"; })
                             .Case<arith::MaxSIOp, arith::MaxUIOp>([](auto) { return "max"; })
                             .Case<arith::AndIOp>([](auto) { return "and"; })
                             .Case<arith::OrIOp>([](auto) { return "or"; })
                             .Default([](Operation *) { return nullptr; });
  if (spelling) {
    auto left = hostExpression(op->getOperand(0)), right = hostExpression(op->getOperand(1));
    if (!left || !right) return std::nullopt;
    return *left + " " + *right + " " + spelling;
  }
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    auto condition = hostExpression(select.getCondition()), yes = hostExpression(select.getTrueValue()),
         no = hostExpression(select.getFalseValue());
    if (!condition || !yes || !no) return std::nullopt;
    return *condition + " " + *yes + " " + *no + " select";
  }
  if (auto cmp = dyn_cast<arith::CmpIOp>(op)) {
    auto left = hostExpression(cmp.getLhs()), right = hostExpression(cmp.getRhs());
    if (!left || !right) return std::nullopt;
    const char *predicate = nullptr;
    switch (cmp.getPredicate()) {
    case arith::CmpIPredicate::eq:
      predicate = "==";
      break;
    case arith::CmpIPredicate::ne:
      predicate = "!=";
      break;
    case arith::CmpIPredicate::slt:
    case arith::CmpIPredicate::ult:
      predicate = "<";
      break;
    case arith::CmpIPredicate::sle:
    case arith::CmpIPredicate::ule:
      predicate = "<=";
      break;
    case arith::CmpIPredicate::sgt:
    case arith::CmpIPredicate::ugt:
      predicate = ">";
      break;
    case arith::CmpIPredicate::sge:
    case arith::CmpIPredicate::uge:
      predicate = ">=";
      break;
    }
    return *left + " " + *right + " " + predicate;
  }
  return std::nullopt;
}

} // namespace pantile::tile
