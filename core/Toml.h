//===- core/Toml.h - the one way to read TOML -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// toml++ with its settings fixed: translation units that differed in them would share inline functions that differ. Include
// this instead of <toml++/toml.h>, in .cpp files only (it is large).
//
// toml++ 3.3 asserts on some malformed texts ("[.a]", "a = [,]") where it should report, and in release builds hands the same
// expressions to the optimizer as facts; and it builds "a.a.a ..." into nested tables of any depth, whose destruction
// overflows the stack. A text must not end the program: assumptions are checked in every build, and depth before parsing.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_TOML_H
#define PANTILE_CORE_TOML_H

#include <algorithm>
#include <string>
#include <string_view>

namespace pantile {
struct TomlAssumption {}; ///< thrown where toml++ would assert
} // namespace pantile

#undef NDEBUG // else TOML_ASSERT is ignored
#define TOML_ASSERT(expression) (static_cast<bool>(expression) ? void(0) : throw ::pantile::TomlAssumption())
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace pantile {

struct TomlProblem {
  uint32_t line = 0, column = 0; ///< 0: unknown
  std::string text;
};

/// Whether tables and lists nest at most `limit` deep, and no key has more dots. Brackets and dots in strings and comments do
/// not count; where this loses track (an unfinished string) the parser stops too.
inline bool isShallowToml(std::string_view text, size_t limit) {
  size_t brackets = 0, dots = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '"' || c == '\'') {
      bool escapes = c == '"', triple = text.substr(i, 3) == std::string(3, c);
      if (triple) i += 2;
      for (++i; i < text.size(); ++i) {
        if (escapes && text[i] == '\\')
          ++i;
        else if (triple ? text.substr(i, 3) == std::string(3, c) : text[i] == c || text[i] == '\n')
          break;
      }
      if (triple) i += 2;
      while (triple && i + 1 < text.size() && text[i + 1] == c) ++i; // up to two more quotes belong to the string
    } else if (c == '[' || c == '{') {
      if (++brackets > limit) return false;
      dots = 0;
    } else if (c == ']' || c == '}') {
      brackets -= brackets > 0;
    } else if (c == '.') {
      if (++dots > limit) return false;
    } else if (c == '\n' || c == '=' || c == ',') {
      dots = 0;
    }
  }
  return true;
}

/// False: `problem` says what is wrong, and where if known.
inline bool parseToml(std::string_view text, toml::table &root, TomlProblem &problem) {
  if (!isShallowToml(text, 24)) {
    problem.text = "tables or lists are nested too deeply";
    return false;
  }
  try {
    root = toml::parse(text);
    return true;
  } catch (const toml::parse_error &error) {
    problem = {error.source().begin.line, error.source().begin.column, std::string(error.description())};
  } catch (const TomlAssumption &) { problem.text = "malformed TOML"; }
  return false;
}

} // namespace pantile

#endif // PANTILE_CORE_TOML_H
