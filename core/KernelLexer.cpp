//===- core/KernelLexer.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelLexer.h"

#include <fmt/core.h>

namespace pantile::kernel_text {

namespace {

bool isWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWordPart(char c) { return isWordStart(c) || isDigit(c) || c == '$' || c == '.'; }

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  Expected<std::vector<Token>> run() {
    std::vector<Token> tokens;
    struct Bracket {
      char c;
      uint32_t line, column;
    };
    std::vector<Bracket> open;
    bool newLine = true;
    for (;;) {
      newLine = skipSpace() || newLine;
      if (at == text.size()) break;
      size_t begin = at;
      auto kind = next();
      if (!kind) return std::move(kind).status();
      std::string_view token = text.substr(begin, at - begin);
      tokens.push_back({*kind, token, line, uint32_t(begin - lineStart + 1), newLine || tokens.empty()});
      newLine = false;
      // '<' and '>' are brackets in types and part of '->' elsewhere; comparison never uses them in this text.
      if (*kind != Kind::Punctuation || token.size() != 1) continue;
      char c = token[0];
      if (c == '(' || c == '[' || c == '{' || c == '<') {
        if (open.size() == kMaxDepth) return fail("brackets nested deeper than " + std::to_string(kMaxDepth), begin);
        open.push_back({c, line, tokens.back().column});
      } else if (c == ')' || c == ']' || c == '}' || c == '>') {
        char expected = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : '<';
        if (open.empty() || open.back().c != expected) return fail(fmt::format("'{}' closes nothing", c), begin);
        open.pop_back();
      }
    }
    if (!open.empty())
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("kernel text, line {}, column {}: '{}' is never closed", open.back().line,
                                                          open.back().column, open.back().c));
    return tokens;
  }

private:
  Status fail(std::string what, size_t where) const {
    return {PANTILE_INVALID_ARGUMENT, fmt::format("kernel text, line {}, column {}: {}", line, where - lineStart + 1, what)};
  }

  bool skipSpace() {
    bool crossed = false;
    while (at < text.size()) {
      char c = text[at];
      if (c == '\n') {
        ++at;
        ++line;
        lineStart = at;
        crossed = true;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at;
      } else if (c == '/' && at + 1 < text.size() && text[at + 1] == '/') {
        while (at < text.size() && text[at] != '\n') ++at;
      } else {
        break;
      }
    }
    return crossed;
  }

  void takeWord() {
    while (at < text.size() && isWordPart(text[at])) ++at;
  }

  Expected<Kind> takeString() {
    size_t begin = at++;
    while (at < text.size() && text[at] != '"') {
      if (text[at] == '\n') return fail("a string runs past its line", begin);
      at += text[at] == '\\' ? 2 : 1;
    }
    if (at >= text.size()) {
      at = text.size();
      return fail("a string is never closed", begin);
    }
    ++at;
    return Kind::String;
  }

  /// A name behind a sigil.
  Expected<Kind> takeName(Kind kind, const char *what) {
    size_t begin = at++;
    if (kind == Kind::Symbol && at < text.size() && text[at] == '"') {
      auto taken = takeString();
      if (!taken) return taken;
      return kind;
    }
    size_t name = at;
    while (at < text.size() && (isWordPart(text[at]) || text[at] == '-')) {
      if (text[at] == '-' && at + 1 < text.size() && text[at + 1] == '>') break;
      ++at;
    }
    if (at == name) return fail(fmt::format("'{}' needs {}", text[begin], what), begin);
    if (kind == Kind::Value && at < text.size() && text[at] == '#') { // one of several results
      size_t number = ++at;
      while (at < text.size() && isDigit(text[at])) ++at;
      if (at == number) return fail("'#' after a value needs a number", begin);
    }
    return kind;
  }

  Expected<Kind> next() {
    char c = text[at];
    if (isWordStart(c)) {
      takeWord();
      return Kind::Word;
    }
    if (isDigit(c)) {
      takeNumber();
      return Kind::Number;
    }
    switch (c) {
    case '"':
      return takeString();
    case '%':
      return takeName(Kind::Value, "a value's name");
    case '@':
      return takeName(Kind::Symbol, "a symbol's name");
    case '!':
      return takeName(Kind::TypeName, "a type's name");
    case '#':
      return takeName(Kind::AttributeName, "an attribute's name");
    case '^':
      return takeName(Kind::Caret, "a block's name");
    case '-':
      ++at;
      if (at < text.size() && text[at] == '>') {
        ++at;
        return Kind::Punctuation;
      }
      if (at < text.size() && isDigit(text[at])) {
        takeNumber();
        return Kind::Number;
      }
      return Kind::Punctuation;
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '<':
    case '>':
    case ',':
    case ':':
    case '=':
    case '?':
    case '*':
    case '+':
      ++at;
      return Kind::Punctuation;
    default:
      break;
    }
    return fail(c >= 0x20 && c < 0x7f ? fmt::format("unexpected '{}'", c)
                                      : fmt::format("unexpected byte 0x{:02x}", unsigned(static_cast<unsigned char>(c))),
                at);
  }

  /// 12, 0x1F, 1.5e-3; in a shape, "32x64xf32" is a number and words.
  void takeNumber() {
    if (text[at] == '0' && at + 2 < text.size() && text[at + 1] == 'x' && isHex(text[at + 2]) && !isShape()) {
      at += 2;
      while (at < text.size() && isHex(text[at])) ++at;
      return;
    }
    while (at < text.size() && isDigit(text[at])) ++at;
    if (at + 1 < text.size() && text[at] == '.' && isDigit(text[at + 1])) {
      ++at;
      while (at < text.size() && isDigit(text[at])) ++at;
    } else if (at < text.size() && text[at] == '.') {
      ++at;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
      size_t exponent = at + 1;
      if (exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+')) ++exponent;
      if (exponent < text.size() && isDigit(text[exponent])) {
        at = exponent;
        while (at < text.size() && isDigit(text[at])) ++at;
      }
    }
  }
  static bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
  /// "0xf32" inside <...>: an extent of 0. MLIR's lexer has the same exception.
  bool isShape() const { return at > 0 && (text[at - 1] == '<' || text[at - 1] == 'x'); }

  std::string_view text;
  size_t at = 0, lineStart = 0;
  uint32_t line = 1;
};

} // namespace

Expected<std::vector<Token>> lex(std::string_view text) {
  if (text.size() > kMaxBytes)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("kernel text of {} bytes, at most {}", text.size(), kMaxBytes));
  return Lexer(text).run();
}

Status failAt(const Token *token, std::string what) {
  if (!token) return {PANTILE_INVALID_ARGUMENT, "kernel text: " + what + ", found its end"};
  return {PANTILE_INVALID_ARGUMENT,
          fmt::format("kernel text, line {}, column {}: {}, found '{}'", token->line, token->column, what, token->text.substr(0, 60))};
}

} // namespace pantile::kernel_text
