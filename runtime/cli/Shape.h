//===- runtime/cli/Shape.h - what --shape says ----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_CLI_SHAPE_H
#define PANTILE_RUNTIME_CLI_SHAPE_H

#include "core/KernelText.h"

#include <map>
#include <optional>
#include <span>

namespace pantile::cli {

/// "m=512,n=7,eps=1e-5": sizes and scalars of a kernel, by name without regard to case. Throws a Failure (wrong usage) for what
/// is no number, for a name that comes twice, and for one that the kernel does not have.
class Shape {
public:
  Shape(const std::string &text, std::span<const KernelArgument> arguments);
  /// A whole number of at least 0; nothing where it is not given.
  std::optional<int64_t> size(const std::string &name) const;
  std::optional<double> scalar(const std::string &name) const;

private:
  std::map<std::string, std::string> given; ///< by lower-case name, as it was written
};

/// Whether an entry of `tile.sizes` is a number (then it is not to be given).
bool isLiteral(const std::string &size);

} // namespace pantile::cli

#endif // PANTILE_RUNTIME_CLI_SHAPE_H
