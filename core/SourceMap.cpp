//===- core/SourceMap.cpp -------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/SourceMap.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace pantile {

namespace {

/// Reads digits at `at`, and moves behind them.
bool readNumber(std::string_view text, size_t &at, uint32_t &value) {
  auto [end, problem] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  if (problem != std::errc()) return false;
  at = size_t(end - text.data());
  return true;
}

} // namespace

std::string SourceMap::translate(std::string_view diagnostics) const {
  std::string result;
  for (size_t at = 0; at < diagnostics.size();) {
    const bool lineBegins = at == 0 || diagnostics[at - 1] == '\n';
    size_t end = at;
    Place place;
    if (lineBegins && readNumber(diagnostics, end, place.line) && diagnostics.substr(end, 1) == ":" &&
        readNumber(diagnostics, ++end, place.column) && diagnostics.substr(end, 1) == ":") {
      // The last token that does not begin behind the place.
      auto behind = std::upper_bound(tokens.begin(), tokens.end(), place, [](const Place &a, const Pair &b) {
        return std::tie(a.line, a.column) < std::tie(b.canonical.line, b.canonical.column);
      });
      if (behind != tokens.begin()) place = std::prev(behind)->source;
      result += std::to_string(place.line) + ":" + std::to_string(place.column);
      at = end;
      continue;
    }
    uint32_t value = 0;
    end = at + 1;
    if (diagnostics[at] == '%' && end < diagnostics.size() && readNumber(diagnostics, end, value) && value < valueNames.size()) {
      result += valueNames[value];
      at = end;
      continue;
    }
    result += diagnostics[at++];
  }
  return result;
}

} // namespace pantile
