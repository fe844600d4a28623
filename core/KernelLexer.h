//===- core/KernelLexer.h - tokens of portable IR text --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// MLIR's lexical rules, without MLIR. Brackets of a text that lexes are balanced and at most 256 deep, so readers after
// it scan for a closing bracket without care.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_KERNELLEXER_H
#define PANTILE_CORE_KERNELLEXER_H

#include "core/Status.h"

#include <string_view>
#include <vector>

namespace pantile::kernel_text {

constexpr size_t kMaxBytes = size_t(16) << 20;
constexpr size_t kMaxDepth = 256;

enum class Kind : uint8_t { Word, Number, String, Value, Symbol, TypeName, AttributeName, Caret, Punctuation };

struct Token {
  Kind kind;
  std::string_view text;
  uint32_t line, column;
  bool newLine; ///< first of its line
};

/// The tokens of `text`, which they point into. Errors carry line and column.
Expected<std::vector<Token>> lex(std::string_view text);

inline bool opensBracket(const Token &token) {
  return token.kind == Kind::Punctuation && (token.text == "<" || token.text == "(" || token.text == "[" || token.text == "{");
}
inline bool closesBracket(const Token &token) {
  return token.kind == Kind::Punctuation && (token.text == ">" || token.text == ")" || token.text == "]" || token.text == "}");
}

/// An error at a token; nullptr: at the end of the text.
Status failAt(const Token *token, std::string what);

} // namespace pantile::kernel_text

#endif // PANTILE_CORE_KERNELLEXER_H
