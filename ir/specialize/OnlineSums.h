//===- ir/specialize/OnlineSums.h - sums in the pass of their maximum -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A softmax reads a row once for its maximum m and once more for sum(exp(x - m)). Rolled, both fit one pass, since the terms
// for another maximum differ by a factor (Milakov and Gimelshein, 2018):
//
//   m' = max(m, max x)      s' = s * exp(m - m') + sum(exp(x - m'))
//
// What is recognized is a sum over @n of exp or exp2 of (x - m), where m is the maximum of the same x over @n: times a positive
// constant inside, times what does not need m outside, as tile.reduce addf or as one side of a dot that starts from zero.
// Private to ir/specialize.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SPECIALIZE_ONLINESUMS_H
#define PANTILE_IR_SPECIALIZE_ONLINESUMS_H

#include "ir/dialect/Tile.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace pantile::specialization {

struct OnlineSum {
  mlir::Operation *sum;   ///< tile.reduce addf or tile.dot
  tile::ReduceOp maximum; ///< whose running value the terms refer to
  bool base2 = false;     ///< exp2
  mlir::Attribute scale;  ///< of the exponent; none: 1
  unsigned along = 0;     ///< dot: the dimension of the accumulator that the maximum lacks

  /// `isReady(value, maximum)`: whether a value is there in the pass that finds `maximum`.
  static std::optional<OnlineSum> match(mlir::Operation *sum, llvm::function_ref<bool(mlir::Value, mlir::Operation *)> isReady);

  /// The running maximum as the terms subtract it: 0 where nothing but -inf was seen yet, so that exp(-inf - m) is 0.
  static mlir::Value reference(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value running);
  /// The sum so far, in terms of a later maximum.
  mlir::Value rescale(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value sum, mlir::Value before, mlir::Value now) const;
  /// What the two passes would give where the maximum is infinite: nan, unless there were no elements.
  mlir::Value finish(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value sum, mlir::Value maximum, mlir::Value size) const;

private:
  /// A value of the maximum's shape in the sum's.
  mlir::Value spread(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value narrow, mlir::Type to) const;
};

} // namespace pantile::specialization

#endif // PANTILE_IR_SPECIALIZE_ONLINESUMS_H
