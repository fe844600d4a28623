//===- ir/specialize/Identity.h - what a kind of reduction starts from ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SPECIALIZE_IDENTITY_H
#define PANTILE_IR_SPECIALIZE_IDENTITY_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace pantile::specialization {

/// A constant of `element` that changes nothing under a kind of tile.reduce.
inline mlir::TypedAttr identityOf(llvm::StringRef kind, mlir::Type element) {
  if (auto real = mlir::dyn_cast<mlir::FloatType>(element)) {
    const llvm::fltSemantics &semantics = real.getFloatSemantics();
    if (kind == "mulf") return mlir::FloatAttr::get(real, llvm::APFloat::getOne(semantics));
    if (kind.starts_with("max")) return mlir::FloatAttr::get(real, llvm::APFloat::getInf(semantics, /*Negative=*/true));
    if (kind.starts_with("min")) return mlir::FloatAttr::get(real, llvm::APFloat::getInf(semantics));
    return mlir::FloatAttr::get(real, llvm::APFloat::getZero(semantics));
  }
  unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  llvm::APInt value(bits, 0);
  if (kind == "muli")
    value = llvm::APInt(bits, 1);
  else if (kind == "maxsi")
    value = llvm::APInt::getSignedMinValue(bits);
  else if (kind == "minsi")
    value = llvm::APInt::getSignedMaxValue(bits);
  else if (kind == "minui" || kind == "andi")
    value = llvm::APInt::getAllOnes(bits);
  return mlir::IntegerAttr::get(element, value);
}

} // namespace pantile::specialization

#endif // PANTILE_IR_SPECIALIZE_IDENTITY_H
