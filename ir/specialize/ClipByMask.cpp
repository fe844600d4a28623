//===- ir/specialize/ClipByMask.cpp - masks instead of loop bounds --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// For targets that compute on whole blocks (SpecializeOptions::Clip::Mask): elements that are not logical are zero as they come from
// a load or gather without `pad`, and anything after arithmetic ((0 - mean)^2 is the classic bug).
//
// 1. Of each reduction, scan and topk take the dimension it runs along, of each dot the contracted one. Where ir/extents says that the
//    whole block is logical there is nothing to do, nor where facts prove it: a range whose ends are multiples of its block, a view's
//    size that is the extent. An extent that stayed dynamic is its size.
// 2. Nothing to do either where the identity is zero (addf, addi, ori, xori, maxui; dot) and the operand is zero outside: a load
//    or gather without pad, or a cast or transpose of such.
// 3. Else the operand becomes select(position < elements, operand, identity). The number of elements is the least of the
//    extent's atoms: a range's end - begin, a view's size; times the atom's factor.
// 4. A scatter's (and an atomic's) mask lets pass what is logical in its positions and its value.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/IndexBounds.h"
#include "ir/specialize/Identity.h"
#include "ir/specialize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::specialization {

namespace {

bool isZeroOutside(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([](tile::LoadOp load) { return !load.getPad(); })
      .Case([](tile::GatherOp gather) { return !gather.getPad() && !gather.getMask(); })
      .Case<tile::CastOp, tile::TransposeOp, arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp,
            arith::SIToFPOp, arith::UIToFPOp>([](auto move) { return isZeroOutside(move->getOperand(0)); })
      .Default([](Operation *) { return false; });
}

bool hasZeroIdentity(llvm::StringRef kind) {
  return kind == "addf" || kind == "addi" || kind == "ori" || kind == "xori" || kind == "maxui";
}

class Masker {
public:
  Masker(tile::KernelOp kernel, const Facts &facts)
      : kernel(kernel), extents(kernel), bounds(kernel, extents, facts), builder(kernel.getContext()) {}

  void run() {
    SmallVector<Operation *> users;
    kernel.walk([&](Operation *op) {
      if (isa<tile::ReduceOp, tile::ScanOp, tile::DotOp, tile::TopKOp, tile::ScatterOp, tile::AtomicRMWOp, tile::AssertOp>(op))
        users.push_back(op);
    });
    for (Operation *op : users) {
      builder.setInsertionPoint(op);
      llvm::TypeSwitch<Operation *>(op)
          .Case<tile::ReduceOp, tile::ScanOp>([&](auto along) {
            for (unsigned i = 0; i < along.getSources().size(); ++i) {
              Value source = along.getSources()[i];
              if (along.getKind())
                maskKind(op->getOpOperand(i), int64_t(along.getDim()), *along.getKind());
              else
                mask(op->getOpOperand(i), int64_t(along.getDim()), [&] { return spread(along.getInits()[i], source.getType()); });
            }
          })
          .Case<tile::ScatterOp, tile::AtomicRMWOp>([&](auto scatter) { maskScatter(scatter); })
          .Case([&](tile::TopKOp top) {
            // What follows the last logical element must not come before an equal one: it comes after all, being last and least.
            maskKind(op->getOpOperand(0), int64_t(top.getDim()),
                     isa<FloatType>(tile::elementOf(top.getSource().getType())) ? "maxnumf" : "maxsi");
          })
          .Case([&](tile::AssertOp assertion) {
            // What is not logical holds. Masked values are new: their extents are the condition's.
            Value condition = assertion.getCondition();
            auto type = dyn_cast<RankedTensorType>(condition.getType());
            for (int64_t d = 0; type && d < type.getRank(); ++d) {
              const tile::Extent &extent = extents.of(condition)[size_t(d)];
              if (bounds.isWhole(extent, type.getDimSize(unsigned(d)))) continue;
              Value inside = insideOf(extent, type, d, op->getLoc());
              Value yes = spread(arith::ConstantOp::create(builder, op->getLoc(), builder.getBoolAttr(true)), type);
              op->setOperand(0, arith::SelectOp::create(builder, op->getLoc(), inside, op->getOperand(0), yes));
            }
          })
          .Case([&](tile::DotOp dot) {
            int64_t rank = cast<RankedTensorType>(dot.getLhs().getType()).getRank();
            maskKind(op->getOpOperand(0), dot.getTransposeLhs() ? rank - 2 : rank - 1, "addf");
            maskKind(op->getOpOperand(1), dot.getTransposeRhs() ? rank - 1 : rank - 2, "addf");
          });
    }
  }

private:
  Value spread(Value scalar, Type type) { return tile::SplatOp::create(builder, scalar.getLoc(), type, scalar); }

  void maskKind(OpOperand &operand, int64_t dim, llvm::StringRef kind) {
    if (hasZeroIdentity(kind) && isZeroOutside(operand.get())) return;
    bool isFloat = isa<FloatType>(tile::elementOf(operand.get().getType()));
    if (kind == "addf" && !isFloat) kind = "addi";
    mask(operand, dim, [&] {
      Value scalar =
          arith::ConstantOp::create(builder, operand.getOwner()->getLoc(), identityOf(kind, tile::elementOf(operand.get().getType())));
      return spread(scalar, operand.get().getType());
    });
  }

  void mask(OpOperand &operand, int64_t dim, llvm::function_ref<Value()> identity) {
    Value source = operand.get();
    const tile::Extent &extent = extents.of(source)[size_t(dim)];
    if (bounds.isWhole(extent, cast<RankedTensorType>(source.getType()).getDimSize(unsigned(dim)))) return;
    Location loc = operand.getOwner()->getLoc();
    operand.set(
        arith::SelectOp::create(builder, loc, insideOf(extent, cast<RankedTensorType>(source.getType()), dim, loc), source, identity()));
  }

  /// Scatters write only what is logical in both the positions and the value.
  template <typename Op> void maskScatter(Op scatter) {
    int64_t at = 0;
    Value positions;
    for (const tile::Subscript &subscript : tile::subscriptsOf(scatter)) {
      if (subscript.kind == tile::Subscript::Tile) {
        positions = subscript.value;
        break;
      }
      if (subscript.kind != tile::Subscript::Index) ++at;
    }
    if (!positions) return; // an atomic by ranges is clipped as a store is
    auto type = cast<RankedTensorType>(positions.getType());
    Value mask = scatter.getMask();
    for (int64_t d = 0; d < type.getRank(); ++d) {
      tile::Extent extent = extents.of(positions)[size_t(d)];
      extent.join(extents.of(scatter.getValue())[size_t(at + d)]);
      if (bounds.isWhole(extent, type.getDimSize(unsigned(d)))) continue;
      Value inside = insideOf(extent, type, d, scatter.getLoc());
      mask = mask ? arith::AndIOp::create(builder, scatter.getLoc(), mask, inside).getResult() : inside;
    }
    if (mask) scatter.getMaskMutable().assign(mask);
  }

  /// A tile of i1 shaped like `type`: whether the position along `dim` is logical.
  Value insideOf(const tile::Extent &extent, RankedTensorType type, int64_t dim, Location loc) {
    Type integer = builder.getI32Type(), bit = builder.getI1Type();
    tile::Dim symbol = tile::dimsOf(type)[size_t(dim)];
    auto line = [&](Type element) { return tile::tileOf(element, symbol, type.getDimSize(unsigned(dim))); };
    Value count = arith::IndexCastOp::create(builder, loc, integer, elements(extent, loc));
    Value limit = tile::SplatOp::create(builder, loc, line(integer), count);
    Value position = tile::IotaOp::create(builder, loc, line(integer));
    Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, position, limit);
    if (type.getRank() > 1) {
      SmallVector<int64_t, 4> along;
      for (int64_t d = 0; d < type.getRank(); ++d)
        if (d != dim) along.push_back(d);
      inside = tile::BroadcastOp::create(builder, loc, tile::tileOf(bit, tile::dimsOf(type), type.getShape()), inside, along);
    }
    return inside;
  }

  Value elements(const tile::Extent &extent, Location loc) {
    Value least;
    for (const tile::ExtentAtom &atom : extent.atoms) {
      Value count;
      if (atom.dim >= 0) {
        count = tile::DimOp::create(builder, loc, builder.getIndexType(), atom.source, builder.getI64IntegerAttr(atom.dim));
      } else {
        Value end = tile::EndOp::create(builder, loc, builder.getIndexType(), atom.source);
        count = arith::SubIOp::create(builder, loc, end, tile::BeginOp::create(builder, loc, builder.getIndexType(), atom.source));
      }
      if (atom.multiply != 1)
        count = arith::MulIOp::create(builder, loc, count, arith::ConstantIndexOp::create(builder, loc, atom.multiply));
      if (atom.divide != 1)
        count = arith::CeilDivSIOp::create(builder, loc, count, arith::ConstantIndexOp::create(builder, loc, atom.divide));
      least = least ? arith::MinSIOp::create(builder, loc, least, count).getResult() : count;
    }
    return least;
  }

  tile::KernelOp kernel;
  tile::ExtentAnalysis extents;
  tile::IndexBounds bounds;
  OpBuilder builder;
};

} // namespace

void clipByMask(tile::KernelOp kernel, const Facts &facts) { Masker(kernel, facts).run(); }

} // namespace pantile::specialization
