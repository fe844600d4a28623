//===- core/SourceMap.h - diagnostics in the words of the user's text -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Compilers read canonical text: other lines, other names. What they say of it is told of the text that was read:
// "7:6: use of value '%5' ..." becomes "9:10: use of value '%sum' ...".
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_SOURCEMAP_H
#define PANTILE_CORE_SOURCEMAP_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pantile {

class SourceMap {
public:
  struct Place {
    uint32_t line, column; ///< from 1
  };
  /// Tokens come in their order.
  void add(Place canonical, Place source) { tokens.push_back({canonical, source}); }
  /// What the value that is now %<n> was called, with its '%'.
  void setNames(std::vector<std::string> names) { valueNames = std::move(names); }

  /// Positions at the beginnings of lines and names of values, translated; all else is left as it is.
  std::string translate(std::string_view diagnostics) const;

private:
  struct Pair {
    Place canonical, source;
  };
  std::vector<Pair> tokens;
  std::vector<std::string> valueNames;
};

} // namespace pantile

#endif // PANTILE_CORE_SOURCEMAP_H
