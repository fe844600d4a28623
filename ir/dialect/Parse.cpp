//===- ir/dialect/Parse.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Parse.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace pantile::tile {

void loadDialects(MLIRContext &context) { context.loadDialect<TileDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect>(); }

/// line:column of the innermost place in a file that a location names.
static std::string positionOf(Location location) {
  std::string position;
  location->walk([&](Location inner) {
    auto file = dyn_cast<FileLineColLoc>(inner);
    if (!file) return WalkResult::advance();
    position = std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn()) + ": ";
    return WalkResult::interrupt();
  });
  return position;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext &context)
    : handler(&context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error) return success();
        std::string line = positionOf(diagnostic.getLocation()) + diagnostic.str();
        if (first.empty())
          first = line;
        else
          others += (others.empty() ? "" : "\n") + line;
        for (Diagnostic &note : diagnostic.getNotes()) {
          // Notes that print the operation are for debugging the compiler; the position says where it is.
          std::string text = note.str();
          if (!StringRef(text).starts_with("see current operation"))
            others += (others.empty() ? "" : "\n") + positionOf(note.getLocation()) + text;
        }
        return success();
      }) {}

Status DiagnosticCollector::status(pantile_code code) const {
  if (empty()) return Status::ok();
  return Status(code, first).withCause(others);
}

Expected<OwningOpRef<ModuleOp>> parseKernel(MLIRContext &context, std::string_view text) {
  constexpr std::string_view header = "// pantile-ir 1";
  size_t start = text.find_first_not_of(" \t\r\n");
  std::string_view firstLine = start == text.npos ? "" : text.substr(start, text.find('\n', start) - start);
  while (!firstLine.empty() && (firstLine.back() == '\r' || firstLine.back() == ' ')) firstLine.remove_suffix(1);
  if (firstLine != header) {
    std::string found(firstLine.substr(0, 40));
    return Status(PANTILE_INVALID_ARGUMENT, "1:1: kernel text starts with the line '" + std::string(header) + "', found '" + found + "'")
        .withFix("add that line, or read the text with a version of Pantile that knows its format");
  }
  DiagnosticCollector errors(context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(StringRef(text.data(), text.size()), ParserConfig(&context), "kernel");
  if (!module) {
    Status status = errors.status(PANTILE_INVALID_ARGUMENT);
    return status.isOk() ? Status(PANTILE_INVALID_ARGUMENT, "1:1: not a kernel's text") : status;
  }
  size_t kernels = 0;
  for (Operation &op : *module->getBody()) {
    if (!isa<KernelOp>(op))
      return Status(PANTILE_INVALID_ARGUMENT, positionOf(op.getLoc()) + "'" + op.getName().getStringRef().str() +
                                                  "' outside a kernel: the text holds one tile.kernel");
    if (++kernels > 1) return Status(PANTILE_INVALID_ARGUMENT, positionOf(op.getLoc()) + "a second tile.kernel: the text holds one");
  }
  if (!kernels) return Status(PANTILE_INVALID_ARGUMENT, "1:1: the text holds no tile.kernel");
  return module;
}

KernelOp kernelOf(ModuleOp module) { return *module.getOps<KernelOp>().begin(); }

std::string printKernel(ModuleOp module) {
  std::string text = "// pantile-ir 1\n";
  llvm::raw_string_ostream out(text);
  for (Operation &op : *module.getBody()) {
    op.print(out, OpPrintingFlags().useLocalScope());
    out << '\n';
  }
  return text;
}

} // namespace pantile::tile
