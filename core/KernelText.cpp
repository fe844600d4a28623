//===- core/KernelText.cpp ------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Lex (KernelLexer.h): comments and white space fall away.
// 2. Expand aliases, number values and blocks (KernelNames.h).
// 3. Print the tokens, parted where two would run together, a line an operation.
// 4. Read the header: name, arguments with attributes, kernel attributes; there arguments keep their names.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"

#include "core/KernelNames.h"

#include <fmt/core.h>

namespace pantile {

using namespace kernel_text;

namespace {

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
  return y == "*" || x == "+" || y == "+" || x == "-" || y == "-"; // a minus alone would join a name or a number
}

std::string print(const std::vector<Token> &tokens, SourceMap &source) {
  std::string text = "// pantile-ir 1\n";
  uint32_t line = 2;
  size_t lineStart = text.size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token &token = tokens[i];
    if (beginsOperation(tokens, i) || (i > 0 && token.kind == Kind::Caret)) {
      text += '\n';
      ++line, lineStart = text.size();
    } else if (i > 0 && parted(tokens[i - 1], token)) {
      text += ' ';
    }
    source.add({line, uint32_t(text.size() - lineStart + 1)}, {token.line, token.column});
    text += token.text;
  }
  return text + "\n";
}

/// The version line, if there is one.
Status checkVersion(std::string_view text) {
  constexpr std::string_view mark = "// pantile-ir ";
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos || text.substr(start, mark.size()) != mark) return {};
  std::string_view version = text.substr(start + mark.size());
  version = version.substr(0, version.find_first_of("\r\n"));
  while (!version.empty() && version.back() == ' ') version.remove_suffix(1);
  if (version == "1") return {};
  return Status(PANTILE_INVALID_ARGUMENT,
                fmt::format("kernel text is of version '{}' (// pantile-ir), this reads version 1", version.substr(0, 40)))
      .withFix("use a version of Pantile that knows it, or have the text written anew");
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
      if (!peek() || (peek()->kind != Kind::String && peek()->kind != Kind::Symbol && peek()->kind != Kind::Number))
        return failAt(peek(), "expected a name or number");
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
      const Token &token = take();
      if (opensBracket(token)) ++depth;
      if (closesBracket(token)) --depth;
    }
  }

  Expected<KernelArgument> readArgument() {
    KernelArgument argument;
    const Token *name = peek();
    if (!name || name->kind != Kind::Value || name->text.find('#') != std::string_view::npos)
      return failAt(name, "expected an argument, '%name'");
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
        return failAt(where, fmt::format("tile.sizes of '%{}' has {} names, expected one for each of {} dimensions", argument.name,
                                         argument.sizes.size(), argument.rank));
    } else if (key == "tile.access") {
      const Token *value = peek();
      if (!value) return failAt(value, "expected an access");
      if (value->text == "\"read\"")
        argument.access = Access::Read;
      else if (value->text == "\"write\"")
        argument.access = Access::Write;
      else if (value->text == "\"update\"")
        argument.access = Access::Update;
      else
        return failAt(value, "expected \"read\", \"write\" or \"update\"");
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
  PANTILE_RETURN_IF_ERROR(checkVersion(text));
  PANTILE_ASSIGN(std::vector<Token> lexed, lex(text));
  PANTILE_ASSIGN(std::vector<Token> named, expandAliases(lexed));
  KernelText result;
  PANTILE_ASSIGN(result.header, HeaderReader(named).run());
  std::deque<std::string> storage;
  std::vector<std::string> names;
  PANTILE_ASSIGN(std::vector<Token> numbered, numberNames(named, storage, names));
  result.canonical = print(numbered, result.source);
  result.source.setNames(std::move(names));
  if (result.canonical.size() > kMaxBytes)
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("kernel text of {} bytes with its aliases expanded, at most {}", result.canonical.size(), kMaxBytes));
  return result;
}

} // namespace pantile
