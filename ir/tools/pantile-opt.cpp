//===- ir/tools/pantile-opt.cpp - run passes on kernels -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   pantile-opt kernel.mlir                         parse, verify, print
//   pantile-opt --canonicalize --cse kernel.mlir
//   pantile-opt --tile-specialize='configuration={bm = 64}' kernel.mlir
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Tile.h"
#include "ir/specialize/Pass.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<pantile::tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  pantile::registerSpecializePass();
  return failed(mlir::MlirOptMain(argc, argv, "Pantile's kernel optimizer driver\n", registry));
}
