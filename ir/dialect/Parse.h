//===- ir/dialect/Parse.h - text to and from MLIR -------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   MLIRContext context(MLIRContext::Threading::DISABLED);
//   loadDialects(context);
//   PANTILE_ASSIGN(OwningOpRef<ModuleOp> module, parseKernel(context, text));
//   KernelOp kernel = kernelOf(*module);
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_DIALECT_PARSE_H
#define PANTILE_IR_DIALECT_PARSE_H

#include "core/Status.h"
#include "ir/dialect/Tile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string_view>

namespace pantile::tile {

/// Loads tile, arith, math and scf. Call once on each context, made with MLIRContext::Threading::DISABLED: a compile owns
/// its context and its thread.
void loadDialects(mlir::MLIRContext &context);

/// Reads and verifies text of either level that holds one kernel, which starts `// pantile-ir 1` after any blank lines.
/// On failure the status has the first error as "line:column: message" and the others, with notes, as its cause.
Expected<mlir::OwningOpRef<mlir::ModuleOp>> parseKernel(mlir::MLIRContext &context, std::string_view text);

/// The kernel of a module that parseKernel made.
KernelOp kernelOf(mlir::ModuleOp module);

/// The text of a module, starting `// pantile-ir 1`, readable by parseKernel.
std::string printKernel(mlir::ModuleOp module);

/// Collects errors while it lives, as a Status: "line:column: message". Other diagnostics are dropped.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext &context);
  bool empty() const { return first.empty(); }
  /// Ok if there was no error.
  Status status(pantile_code code) const;

private:
  std::string first, others;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace pantile::tile

#endif // PANTILE_IR_DIALECT_PARSE_H
