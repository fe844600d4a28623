//===- core/KernelText.h - reading portable IR without MLIR ---------------===//
//
// Portable IR text is hashed, cached and bound to arguments by processes that have no MLIR. This lexer gives them a
// canonical form (comments, white space and the names of values and aliases do not count) and the kernel's header.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_KERNELTEXT_H
#define PANTILE_CORE_KERNELTEXT_H

#include "core/DType.h"
#include "core/SourceMap.h"

#include <string>
#include <string_view>
#include <vector>

namespace pantile {

enum class Access : uint8_t { Read, Write, Update };

/// One argument of a kernel as its header declares it.
struct KernelArgument {
  std::string name; ///< without '%'
  DType dtype;
  int rank = -1;                   ///< -1: a scalar
  std::vector<int64_t> shape;      ///< -1: dynamic
  std::vector<std::string> sizes;  ///< `tile.sizes`, or empty
  Access access = Access::Update;  ///< `tile.access`
  std::string rangeLow, rangeHigh; ///< `tile.range`: an integer or a size name each; empty: none
  bool isView() const { return rank >= 0; }
};

struct KernelHeader {
  std::string name;
  std::vector<KernelArgument> arguments;
  std::vector<std::string> statics; ///< full-extent symbols of the attribute `static`, without '@'
};

/// Text of one kernel, read once.
struct KernelText {
  std::string canonical; ///< starts "// pantile-ir 1\n"; parses to the same module; equal for equal kernels
  KernelHeader header;
  SourceMap source; ///< from canonical to the text that was read
};

/// Lexes, canonicalizes, and reads the header. Values are renumbered in order of appearance (%0, %1, ...; arguments keep
/// their names in the header only), type aliases are expanded. Errors carry line and column and say what was expected.
/// A first line "// pantile-ir N" of another version is refused; without one it is version 1. At most 16 MiB of text, brackets at most 256
/// deep. Does not check operations: the compiler does.
Expected<KernelText> readKernelText(std::string_view text);

} // namespace pantile

#endif // PANTILE_CORE_KERNELTEXT_H
