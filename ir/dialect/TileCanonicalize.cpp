//===- ir/dialect/TileCanonicalize.cpp - folds that hold at both levels ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// None of these builds a constant of '?' extent, and none changes which elements are logical.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace pantile::tile {

//===----------------------------------------------------------------------===//
// Sizes and ranges
//===----------------------------------------------------------------------===//

OpFoldResult DimOp::fold(FoldAdaptor) {
  int64_t size = getView().getType().getShape()[getDim()];
  if (!ShapedType::isDynamic(size)) return IntegerAttr::get(IndexType::get(getContext()), size);
  if (auto pack = getView().getDefiningOp<PackOp>()) {
    getViewMutable().assign(pack.getView());
    return getResult();
  }
  auto workspace = getView().getDefiningOp<WorkspaceOp>();
  if (!workspace) return {};
  return workspace.getSizes()[llvm::count_if(workspace.getType().getShape().take_front(getDim()), ShapedType::isDynamic)];
}

OpFoldResult BeginOp::fold(FoldAdaptor) {
  auto range = getRange().getDefiningOp<MakeRangeOp>();
  return range ? range.getBegin() : Value();
}

OpFoldResult IdOp::fold(FoldAdaptor) {
  auto range = getRange().getDefiningOp<MakeRangeOp>();
  return range ? range.getId() : Value();
}

OpFoldResult ShiftOp::fold(FoldAdaptor) { return matchPattern(getOffset(), m_Zero()) ? getRange() : Value(); }

OpFoldResult ScaleOp::fold(FoldAdaptor) { return getFactor() == 1 ? getRange() : Value(); }

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  for (auto [i, dim] : llvm::enumerate(getPermutation()))
    if (dim != int64_t(i)) return {};
  return getSource();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) { return getSource().getType() == getType() ? getSource() : Value(); }

OpFoldResult CastOp::fold(FoldAdaptor) { return getSource().getType() == getType() ? getSource() : Value(); }

namespace {

/// transpose(transpose(x)) is one transpose.
struct MergeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSource().getDefiningOp<TransposeOp>();
    if (!inner) return failure();
    SmallVector<int64_t, 4> permutation;
    for (int64_t dim : op.getPermutation()) permutation.push_back(inner.getPermutation()[dim]);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), inner.getSource(), permutation);
    return success();
  }
};

/// A splat in another shape is a splat: of a transpose, reshape or broadcast.
template <typename Op> struct ReshapedSplat : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto splat = op.getSource().template getDefiningOp<SplatOp>();
    if (!splat) return failure();
    rewriter.replaceOpWithNewOp<SplatOp>(op, op.getType(), splat.getScalar());
    return success();
  }
};

/// cast(splat(x)) is splat(cast(x)).
struct CastOfSplat : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto splat = op.getSource().getDefiningOp<SplatOp>();
    if (!splat) return failure();
    Value scalar = CastOp::create(rewriter, op.getLoc(), elementOf(op.getType()), splat.getScalar(), op.getIsUnsigned());
    rewriter.replaceOpWithNewOp<SplatOp>(op, op.getType(), scalar);
    return success();
  }
};

/// split(join(x, y)) is x, y.
struct SplitOfJoin : OpRewritePattern<SplitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SplitOp op, PatternRewriter &rewriter) const override {
    auto join = op.getSource().getDefiningOp<JoinOp>();
    if (!join) return failure();
    rewriter.replaceOp(op, {join.getLhs(), join.getRhs()});
    return success();
  }
};

/// A dot reads an operand whose last two dimensions are exchanged as such.
struct TransposedDot : OpRewritePattern<DotOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DotOp op, PatternRewriter &rewriter) const override {
    TransposeOp lhs = exchange(op.getLhs()), rhs = exchange(op.getRhs());
    if (!lhs && !rhs) return failure();
    rewriter.modifyOpInPlace(op, [&] {
      if (lhs) {
        op.getLhsMutable().assign(lhs.getSource());
        op.setTransposeLhs(!op.getTransposeLhs());
      }
      if (rhs) {
        op.getRhsMutable().assign(rhs.getSource());
        op.setTransposeRhs(!op.getTransposeRhs());
      }
    });
    return success();
  }
  static TransposeOp exchange(Value operand) {
    auto transpose = operand.getDefiningOp<TransposeOp>();
    if (!transpose) return {};
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    int64_t rank = permutation.size();
    for (int64_t i = 0; i < rank; ++i)
      if (permutation[i] != (i < rank - 2 ? i : i == rank - 2 ? rank - 1 : rank - 2)) return {};
    return transpose;
  }
};

} // namespace

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeTransposes, ReshapedSplat<TransposeOp>>(context);
}
void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ReshapedSplat<ReshapeOp>>(context);
}
void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ReshapedSplat<BroadcastOp>>(context);
}
void CastOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) { patterns.add<CastOfSplat>(context); }
void SplitOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) { patterns.add<SplitOfJoin>(context); }
void DotOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) { patterns.add<TransposedDot>(context); }

} // namespace pantile::tile
