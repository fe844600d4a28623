//===- ir/build/Library.h - the standard operators ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The table of operators, arguments and options stands in ir/build/library/README.md.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_BUILD_LIBRARY_H
#define PANTILE_IR_BUILD_LIBRARY_H

#include "core/Status.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pantile {

struct LibraryOption {
  std::string name, defaultValue, summary; ///< an empty default: what the summary says
  std::vector<std::string> values;         ///< empty: free
};

struct LibraryOperator {
  std::string name, summary;
  std::vector<LibraryOption> options;
  std::vector<std::string> arguments; ///< names in order, under default options
};

/// Every operator, in the README's order. Lives as long as the process; any thread.
std::span<const LibraryOperator> libraryOperators();

/// Text of an operator: ("matmul", "bf16,transpose_b=1"). A bare word is the dtype. PANTILE_NOT_FOUND for an unknown
/// operator; PANTILE_INVALID_ARGUMENT for unknown options and values; both say what there is and what was likely meant.
Expected<std::string> buildLibraryKernel(std::string_view name, std::string_view options);

} // namespace pantile

#endif // PANTILE_IR_BUILD_LIBRARY_H
