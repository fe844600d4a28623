//===- TileDialect.td - the tile dialect: attributes and types ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Tiles are builtin tensors whose encoding `#tile.dims<...>` names each extent. See ir/README.md for the language.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TILE_DIALECT_TD
#define PANTILE_TILE_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/TensorEncoding.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::pantile::tile";
  let summary = "Kernels over tiles, without a device in sight.";
  let description = [{
    A kernel is written once over tiles of symbolic extent (portable level), then bound to a configuration
    (scheduled level). No operation of this dialect names a vendor, a thread, or a memory space.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{ void registerAttributesAndTypes(); }];
}

def Tile_DimsAttr : AttrDef<Tile_Dialect, "Dims", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "dims";
  let summary = "the extents of a tile: a block symbol (`@bm`), a multiple of one (`@kb * 32`), or a constant";
  let description = [{
    The encoding of every tile. One entry a dimension. At the portable level a dimension with a symbol is `?` in the
    tensor's shape; `specialize` replaces `?` by the bound extent and keeps the symbol. A full extent may stay `?`.
  }];
  let parameters = (ins ArrayRefParameter<"::pantile::tile::Dim">:$dims);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    size_t size() const { return getDims().size(); }
    ::pantile::tile::Dim operator[](size_t i) const { return getDims()[i]; }
  }];
}

class Tile_Type<string name, string typeMnemonic> : TypeDef<Tile_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Tile_ViewType : Tile_Type<"View", "view"> {
  let summary = "a typed window on device memory: element type, rank, sizes; `!tile.view<?x64xbf16>`";
  let genVerifyDecl = 1;
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{ int64_t getRank() const { return getShape().size(); } }];
}

def Tile_RangeType : Tile_Type<"Range", "range"> {
  let summary = "a block of a loop's extent: begin, clipped end, block symbol; `!tile.range<@bm>`, bound `!tile.range<@bm, 64>`";
  let description = [{
    `extent` is the bound block size, or kDynamic at the portable level.
  }];
  let genVerifyDecl = 1;
  let parameters = (ins "::pantile::tile::Dim":$dim, "int64_t":$extent);
  let hasCustomAssemblyFormat = 1;
}

#endif // PANTILE_TILE_DIALECT_TD
