//===- core/KernelText.cpp ------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Lex: MLIR's tokens, each with its line and column; comments and white space fall away.
// 2. Expand `!a = ...` and `#a = ...` aliases, defined before the kernel, wherever they are used.
// 3. Renumber values in order of first appearance; arguments keep their names in the header alone.
// 4. Print the tokens, parted where two would run together, a line an operation.
// 5. Read the header: name, arguments with attributes, kernel attributes.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"

#include <fmt/core.h>
#include <map>
#include <optional>

namespace pantile {

namespace {

constexpr size_t kMaxBytes = size_t(16) << 20;
constexpr size_t kMaxDepth = 256;
constexpr size_t kMaxExpanded = size_t(4) << 20; // tokens after alias expansion

enum class Kind : uint8_t { Word, Number, String, Value, Symbol, TypeName, AttributeName, Caret, Punctuation };

struct Token {
  Kind kind;
  std::string_view text;
  uint32_t line, column;
  bool newLine; ///< first of its line
};

bool isWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWordPart(char c) { return isWordStart(c) || isDigit(c) || c == '$' || c == '.'; }

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  Expected<std::vector<Token>> run() {
    std::vector<Token> tokens;
    std::vector<char> open;
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
        open.push_back(c);
      } else if (c == ')' || c == ']' || c == '}' || c == '>') {
        char expected = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : '<';
        if (open.empty() || open.back() != expected) return fail(fmt::format("'{}' closes nothing", c), begin);
        open.pop_back();
      }
    }
    if (!open.empty()) return fail(fmt::format("'{}' is never closed", open.back()), at);
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
    case '"': return takeString();
    case '%': return takeName(Kind::Value, "a value's name");
    case '@': return takeName(Kind::Symbol, "a symbol's name");
    case '!': return takeName(Kind::TypeName, "a type's name");
    case '#': return takeName(Kind::AttributeName, "an attribute's name");
    case '^': return takeName(Kind::Caret, "a block's name");
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
    case '(': case ')': case '[': case ']': case '{': case '}': case '<': case '>': case ',': case ':': case '=': case '?': case '*': case '+':
      ++at;
      return Kind::Punctuation;
    default: break;
    }
    return fail(c >= 0x20 && c < 0x7f ? fmt::format("unexpected '{}'", c) : fmt::format("unexpected byte 0x{:02x}", unsigned(static_cast<unsigned char>(c))), at);
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

Status failAt(const Token *token, std::string what) {
  if (!token) return {PANTILE_INVALID_ARGUMENT, "kernel text: " + what + ", found its end"};
  return {PANTILE_INVALID_ARGUMENT, fmt::format("kernel text, line {}, column {}: {}, found '{}'", token->line, token->column, what, token->text.substr(0, 60))};
}

/// Removes alias definitions and puts their tokens where they are used.
Expected<std::vector<Token>> expandAliases(const std::vector<Token> &tokens) {
  std::map<std::string_view, std::vector<Token>> aliases;
  std::vector<Token> result;
  size_t i = 0;
  auto put = [&](std::vector<Token> &to, const Token &token) {
    auto alias = token.kind == Kind::TypeName || token.kind == Kind::AttributeName ? aliases.find(token.text) : aliases.end();
    if (alias == aliases.end()) {
      to.push_back(token);
    } else {
        for (Token inner : alias->second) {
        inner.line = token.line, inner.column = token.column, inner.newLine = false;
        to.push_back(inner);
      }
    }
    return to.size() <= kMaxExpanded;
  };
  while (i + 1 < tokens.size() && (tokens[i].kind == Kind::TypeName || tokens[i].kind == Kind::AttributeName) && tokens[i + 1].text == "=") {
    std::vector<Token> body;
    size_t j = i + 2;
    int depth = 0;
    for (; j < tokens.size(); ++j) {
      std::string_view t = tokens[j].text;
      if (depth == 0 && j > i + 2 && tokens[j].newLine) break;
      if (t == "<" || t == "(" || t == "[" || t == "{") ++depth;
      if (t == ">" || t == ")" || t == "]" || t == "}") --depth;
      if (!put(body, tokens[j])) return failAt(&tokens[i], "aliases expand without end");
    }
    if (body.empty()) return failAt(&tokens[i], "an alias needs a definition");
    for (Token &token : body) token.newLine = false;
    if (!aliases.emplace(tokens[i].text, std::move(body)).second) return failAt(&tokens[i], "an alias is defined once");
    i = j;
  }
  for (; i < tokens.size(); ++i)
    if (!put(result, tokens[i])) return failAt(&tokens[i], "aliases expand without end");
  return result;
}

/// Whether an operation begins at token i: results and '=', or an operation's name. Looks at tokens alone, so that the
/// lines of the source do not count.
bool beginsOperation(const std::vector<Token> &tokens, size_t i) {
  std::string_view before = i > 0 ? tokens[i - 1].text : "";
  if (i == 0 || before == "," || before == "(" || before == "=") return false;
  if (tokens[i].kind == Kind::Word)
    return tokens[i].text.find('.') != std::string_view::npos && !(i + 1 < tokens.size() && tokens[i + 1].text == "=") && before != "[" && before != "<";
  if (tokens[i].kind != Kind::Value) return false;
  size_t j = i + 1;
  while (j + 1 < tokens.size() && tokens[j].text == "," && tokens[j + 1].kind == Kind::Value) j += 2;
  if (j + 1 < tokens.size() && tokens[j].text == ":" && tokens[j + 1].kind == Kind::Number) j += 2; // %x:2 = ...
  return j + 1 < tokens.size() && tokens[j].text == "=" && tokens[j + 1].kind == Kind::Word;
}

/// Whether a space must part two tokens for them to stay two, or is pleasant.
bool parted(const Token &a, const Token &b) {
  std::string_view x = a.text, y = b.text;
  if (x == "," || x == "=" || y == "=" || x == "->" || y == "->" || x == ":" || y == ":" || y == "{" || y == "}" || x == "{") return true;
  // Numbers, '?' and words of a shape ("?x32xf32") stand together in every source: MLIR lexes them as one.
  auto shapePart = [](const Token &t) { return t.kind == Kind::Number || t.text == "?" || (t.kind == Kind::Word && t.text[0] == 'x'); };
  if (shapePart(a) && shapePart(b) && a.text.data() + a.text.size() == b.text.data()) return false;
  auto wordy = [](const Token &t) { return t.kind != Kind::Punctuation; };
  if (wordy(a) && wordy(b)) return true;
  if ((x == ")" || x == "]" || x == ">" || x == "*") && wordy(b)) return true;
  return y == "*" || x == "+" || y == "+";
}

std::string print(const std::vector<Token> &tokens) {
  std::map<std::string_view, size_t> numbers;
  std::string text = "// pantile-ir 1\n";
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token &token = tokens[i];
    if (beginsOperation(tokens, i) || (i > 0 && token.kind == Kind::Caret)) text += '\n';
    else if (i > 0 && parted(tokens[i - 1], token)) text += ' ';
    if (token.kind != Kind::Value) {
      text += token.text;
      continue;
    }
    size_t mark = token.text.find('#');
    size_t number = numbers.emplace(token.text.substr(0, mark), numbers.size()).first->second;
    text += fmt::format("%{}{}", number, mark == std::string_view::npos ? "" : token.text.substr(mark));
  }
  return text + "\n";
}

/// Reads the header from expanded tokens.
class HeaderReader {
public:
  explicit HeaderReader(const std::vector<Token> &tokens) : tokens(tokens) {}

  Expected<KernelHeader> run() {
    KernelHeader header;
    if (is("module")) {
      ++at;
      PANTILE_RETURN_IF_ERROR(expect("{"));
    }
    if (!is("tile.kernel")) return failAt(peek(), "expected 'tile.kernel'");
    ++at;
    if (!peek() || peek()->kind != Kind::Symbol) return failAt(peek(), "expected the kernel's name, '@name'");
    header.name = unquoted(take().text.substr(1));
    PANTILE_RETURN_IF_ERROR(expect("("));
    while (!is(")")) {
      PANTILE_ASSIGN(KernelArgument argument, readArgument());
      header.arguments.push_back(std::move(argument));
      if (!is(")")) PANTILE_RETURN_IF_ERROR(expect(","));
    }
    ++at;
    if (is("attributes")) {
      ++at;
      PANTILE_RETURN_IF_ERROR(expect("{"));
      while (!is("}")) {
        PANTILE_ASSIGN(std::string name, readKey());
        if (is("=")) {
          ++at;
          if (name == "static") {
            PANTILE_ASSIGN(header.statics, readList());
          } else {
            skipValue();
          }
        }
        if (!is("}")) PANTILE_RETURN_IF_ERROR(expect(","));
      }
      ++at;
    }
    if (!is("{")) return failAt(peek(), "expected the kernel's body, '{'");
    // One kernel: nothing may follow its body but a module's end.
    int depth = 0;
    for (; at < tokens.size(); ++at) {
      if (is("{")) ++depth;
      if (is("}") && --depth == 0) break;
    }
    ++at;
    while (is("}")) ++at;
    if (peek()) return failAt(peek(), "expected the end after one kernel");
    return header;
  }

private:
  const Token *peek() const { return at < tokens.size() ? &tokens[at] : nullptr; }
  bool is(std::string_view text) const { return peek() && peek()->text == text; }
  const Token &take() { return tokens[at++]; }
  Status expect(std::string_view text) {
    if (!is(text)) return failAt(peek(), fmt::format("expected '{}'", text));
    ++at;
    return {};
  }
  static std::string unquoted(std::string_view text) {
    return std::string(text.size() >= 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : text);
  }

  Expected<std::string> readKey() {
    if (!peek() || (peek()->kind != Kind::Word && peek()->kind != Kind::String)) return failAt(peek(), "expected an attribute's name");
    return unquoted(take().text);
  }

  /// ["M", 64, @d] as texts.
  Expected<std::vector<std::string>> readList() {
    std::vector<std::string> list;
    PANTILE_RETURN_IF_ERROR(expect("["));
    while (!is("]")) {
      if (!peek() || (peek()->kind != Kind::String && peek()->kind != Kind::Symbol && peek()->kind != Kind::Number)) return failAt(peek(), "expected a name or number");
      std::string_view text = take().text;
      list.push_back(unquoted(text[0] == '@' ? text.substr(1) : text));
      if (is(":")) at += 2; // a number's type
      if (!is("]")) PANTILE_RETURN_IF_ERROR(expect(","));
    }
    ++at;
    return list;
  }

  void skipValue() {
    int depth = 0;
    while (peek() && !(depth == 0 && (is(",") || is("}")))) {
      std::string_view t = take().text;
      if (t == "[" || t == "{" || t == "(" || t == "<") ++depth;
      if (t == "]" || t == "}" || t == ")" || t == ">") --depth;
    }
  }

  Expected<KernelArgument> readArgument() {
    KernelArgument argument;
    const Token *name = peek();
    if (!name || name->kind != Kind::Value || name->text.find('#') != std::string_view::npos) return failAt(name, "expected an argument, '%name'");
    argument.name = take().text.substr(1);
    PANTILE_RETURN_IF_ERROR(expect(":"));
    if (is("!tile.view")) {
      ++at;
      PANTILE_RETURN_IF_ERROR(readView(argument));
    } else {
      const Token *type = peek();
      auto dtype = type ? dtypeFromName(type->text) : Expected<DType>(Status(PANTILE_INVALID_ARGUMENT, ""));
      if (!dtype) return failAt(type, "expected !tile.view<...> or a scalar type");
      argument.dtype = *dtype;
      ++at;
    }
    if (is("{")) {
      ++at;
      while (!is("}")) {
        const Token *where = peek();
        PANTILE_ASSIGN(std::string key, readKey());
        if (is("=")) {
          ++at;
          PANTILE_RETURN_IF_ERROR(readAttribute(argument, key, where));
        }
        if (!is("}")) PANTILE_RETURN_IF_ERROR(expect(","));
      }
      ++at;
    }
    return argument;
  }

  Status readAttribute(KernelArgument &argument, const std::string &key, const Token *where) {
    if (key == "tile.sizes") {
      PANTILE_ASSIGN(argument.sizes, readList());
      if (int(argument.sizes.size()) != argument.rank)
        return failAt(where, fmt::format("tile.sizes of '%{}' has {} names, expected one for each of {} dimensions", argument.name, argument.sizes.size(), argument.rank));
    } else if (key == "tile.access") {
      const Token *value = peek();
      if (!value) return failAt(value, "expected an access");
      if (value->text == "\"read\"") argument.access = Access::Read;
      else if (value->text == "\"write\"") argument.access = Access::Write;
      else if (value->text == "\"update\"") argument.access = Access::Update;
      else return failAt(value, "expected \"read\", \"write\" or \"update\"");
      ++at;
    } else if (key == "tile.range") {
      PANTILE_ASSIGN(auto range, readList());
      if (range.size() != 2) return failAt(where, "tile.range is [low, high]");
      argument.rangeLow = range[0], argument.rangeHigh = range[1];
    } else {
      skipValue();
    }
    return {};
  }

  /// <?x64xbf16>: the lexer gave '?', numbers, and words that begin with 'x'.
  Status readView(KernelArgument &argument) {
    const Token *where = peek();
    PANTILE_RETURN_IF_ERROR(expect("<"));
    std::string body;
    while (peek() && !is(">")) body += take().text;
    PANTILE_RETURN_IF_ERROR(expect(">"));
    argument.rank = 0;
    std::string_view rest = body;
    for (;;) {
      size_t cross = rest.find('x');
      std::string_view extent = rest.substr(0, cross);
      bool number = !extent.empty() && extent.find_first_not_of("0123456789") == std::string_view::npos;
      if (cross == std::string_view::npos || (extent != "?" && !number)) break;
      if (extent.size() > 18) return failAt(where, "an extent is too large");
      if (argument.rank == PANTILE_MAX_RANK) return failAt(where, fmt::format("a view has at most {} dimensions", PANTILE_MAX_RANK));
      argument.shape.push_back(number ? std::stoll(std::string(extent)) : -1);
      ++argument.rank;
      rest.remove_prefix(cross + 1);
    }
    auto dtype = dtypeFromName(rest);
    if (!dtype) return failAt(where, fmt::format("a view's element type '{}' is unknown", rest));
    argument.dtype = *dtype;
    return {};
  }

  const std::vector<Token> &tokens;
  size_t at = 0;
};

} // namespace

Expected<KernelText> readKernelText(std::string_view text) {
  if (text.size() > kMaxBytes) return Status(PANTILE_INVALID_ARGUMENT, fmt::format("kernel text of {} bytes, at most {}", text.size(), kMaxBytes));
  PANTILE_ASSIGN(std::vector<Token> lexed, Lexer(text).run());
  PANTILE_ASSIGN(std::vector<Token> tokens, expandAliases(lexed));
  KernelText result;
  PANTILE_ASSIGN(result.header, HeaderReader(tokens).run());
  result.canonical = print(tokens);
  return result;
}

} // namespace pantile
