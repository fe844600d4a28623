//===- ir/dialect/Tile.h - the tile dialect in C++ ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The one header of the dialect. ir/README.md is the language, TileOps.td the operations, ir/dialect/Parse.h text.
//
//   auto type = cast<RankedTensorType>(value.getType());        // tensor<64x32xf32, #tile.dims<@bm, 32>>
//   for (auto [dim, extent] : zip(dimsOf(type), type.getShape()))
//     if (!dim.isConstant()) use(dim.symbol.getValue(), dim.factor, extent);   // "bm", 1, 64 (kDynamic where unbound)
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_DIALECT_TILE_H
#define PANTILE_IR_DIALECT_TILE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace pantile::tile {

/// One extent of a tile: `32` (no symbol, factor 32), `@bm` (factor 1) or `@kb * 32` (factor 32).
struct Dim {
  mlir::StringAttr symbol;
  int64_t factor = 1;
  bool isConstant() const { return !symbol; }
  bool operator==(const Dim &other) const {
    return symbol.getAsOpaquePointer() == other.symbol.getAsOpaquePointer() && factor == other.factor;
  }
};
inline llvm::hash_code hash_value(const Dim &dim) { return llvm::hash_combine(dim.symbol.getAsOpaquePointer(), dim.factor); }
llvm::raw_ostream &operator<<(llvm::raw_ostream &out, const Dim &dim);

/// Whether a type is a tile: a ranked tensor whose encoding is `#tile.dims`.
bool isTile(mlir::Type type);
/// The extents' names of a tile.
mlir::ArrayRef<Dim> dimsOf(mlir::RankedTensorType tile);
/// The type itself, or a tile's element type.
mlir::Type elementOf(mlir::Type type);
/// Whether tiles, views and scalars may have this element type; index counts for tiles and scalars only.
bool isDType(mlir::Type element);
/// A tile of these extents: constants as they are, symbols unbound ('?') or, by the second, of the given shape.
mlir::RankedTensorType tileOf(mlir::Type element, mlir::ArrayRef<Dim> dims);
mlir::RankedTensorType tileOf(mlir::Type element, mlir::ArrayRef<Dim> dims, mlir::ArrayRef<int64_t> shape);

/// The block argument's type of a loop over blocks: index for the literal 1, else a range.
/// `extent` is the bound block size (of a symbol), kDynamic where unbound.
mlir::Type blockType(mlir::MLIRContext *context, Dim block, int64_t extent = mlir::ShapedType::kDynamic);

/// What a reduction or scan of a kind combines.
enum class KindClass : uint8_t { Unknown, Float, Integer };
KindClass classOfKind(llvm::StringRef kind);

} // namespace pantile::tile

#include "ir/dialect/TileDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "ir/dialect/TileAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "ir/dialect/TileTypes.h.inc"

#define GET_OP_CLASSES
#include "ir/dialect/TileOps.h.inc"

#endif // PANTILE_IR_DIALECT_TILE_H
