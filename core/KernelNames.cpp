//===- core/KernelNames.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelNames.h"

#include <charconv>
#include <fmt/core.h>
#include <map>

namespace pantile::kernel_text {

namespace {

// What aliases may add to a text: enough for any kernel, little enough for any machine.
constexpr size_t kMaxAliasTokens = size_t(1) << 20;
constexpr size_t kMaxAliasBytes = kMaxBytes;
constexpr size_t kMaxResults = 1024;

class AliasExpander {
public:
  explicit AliasExpander(const std::vector<Token> &tokens) : tokens(tokens) {}

  Expected<std::vector<Token>> run() {
    size_t i = 0;
    while (i + 1 < tokens.size() && isAliasName(tokens[i]) && tokens[i + 1].text == "=") {
      const Token &name = tokens[i];
      std::vector<Token> body;
      size_t depth = 0;
      for (i += 2; i < tokens.size(); ++i) {
        const Token &token = tokens[i];
        if (depth == 0 && !body.empty() && token.newLine) break;
        if (opensBracket(token)) ++depth;
        if (closesBracket(token)) --depth;
        PANTILE_RETURN_IF_ERROR(put(body, token));
      }
      if (body.empty()) return failAt(&name, "an alias needs a definition");
      if (!aliases.emplace(name.text, std::move(body)).second) return failAt(&name, "an alias is defined once");
    }
    std::vector<Token> result;
    result.reserve(tokens.size() - i);
    for (; i < tokens.size(); ++i) PANTILE_RETURN_IF_ERROR(put(result, tokens[i]));
    return checkDepth(std::move(result));
  }

private:
  static bool isAliasName(const Token &token) { return token.kind == Kind::TypeName || token.kind == Kind::AttributeName; }

  Status put(std::vector<Token> &to, const Token &token) {
    auto alias = isAliasName(token) ? aliases.find(token.text) : aliases.end();
    if (alias == aliases.end()) {
      to.push_back(token);
      return {};
    }
    addedTokens += alias->second.size();
    for (const Token &inner : alias->second) {
      addedBytes += inner.text.size();
      if (addedTokens > kMaxAliasTokens || addedBytes > kMaxAliasBytes) return failAt(&token, "aliases expand without end");
      to.push_back(inner);
      to.back().line = token.line, to.back().column = token.column, to.back().newLine = false;
    }
    return {};
  }

  static Expected<std::vector<Token>> checkDepth(std::vector<Token> tokens) {
    size_t depth = 0;
    for (const Token &token : tokens) {
      if (closesBracket(token)) --depth;
      if (opensBracket(token) && ++depth > kMaxDepth)
        return failAt(&token, fmt::format("with its aliases expanded, brackets are nested deeper than {}", kMaxDepth));
    }
    return tokens;
  }

  const std::vector<Token> &tokens;
  std::map<std::string_view, std::vector<Token>> aliases;
  size_t addedTokens = 0, addedBytes = 0;
};

/// Follows MLIR's scopes without knowing operations. A frame is what stands between braces: a region, or a dictionary
/// (which has no values in it). In a frame,
///   1. results get their numbers where they appear, and their names mean them once the operation has ended;
///   2. a name that means nothing yet is an argument of the current operation's region (an induction variable, a carry)
///      and means it until the operation ends; after a block's label, until the frame ends.
class Numberer {
public:
  Numberer(const std::vector<Token> &tokens, std::deque<std::string> &storage, std::vector<std::string> &names)
      : tokens(tokens), storage(storage), names(names) {}

  Expected<std::vector<Token>> run() {
    frames.emplace_back();
    result.reserve(tokens.size());
    for (size_t i = 0; i < tokens.size();) {
      const Token &token = tokens[i];
      if (beginsOperation(tokens, i)) {
        PANTILE_RETURN_IF_ERROR(endOperation());
        frames.back().inOperation = true;
        if (token.kind == Kind::Value) {
          PANTILE_ASSIGN(i, takeResults(i));
          continue;
        }
      }
      if (token.kind == Kind::Caret) {
        PANTILE_RETURN_IF_ERROR(endOperation());
        frames.back().inOperation = false;
        auto [block, isNew] = frames.back().blocks.try_emplace(token.text, nextBlock);
        nextBlock += isNew;
        put(token, fmt::format("^bb{}", block->second));
      } else if (token.kind == Kind::Value) {
        PANTILE_RETURN_IF_ERROR(takeUse(token));
      } else {
        if (token.kind == Kind::Punctuation && token.text == "{") frames.emplace_back();
        if (token.kind == Kind::Punctuation && token.text == "}") PANTILE_RETURN_IF_ERROR(leave());
        result.push_back(token);
      }
      ++i;
    }
    return std::move(result);
  }

private:
  struct Meaning {
    size_t first, count;
  };
  struct Definition {
    const Token *token;
    std::string_view name;
    Meaning meaning;
  };
  struct Frame {
    bool inOperation = false;
    std::vector<std::string_view> names, arguments;
    std::vector<Definition> results;
    std::map<std::string_view, size_t> blocks; ///< labels belong to their region
  };

  void put(const Token &like, std::string text) {
    Token token = like;
    token.text = storage.emplace_back(std::move(text));
    result.push_back(token);
  }

  Status endOperation() {
    Frame &frame = frames.back();
    for (std::string_view name : frame.arguments) meanings.erase(name);
    frame.arguments.clear();
    for (const Definition &definition : frame.results) {
      if (!meanings.emplace(definition.name, definition.meaning).second) return failAt(definition.token, "a value is defined once");
      frame.names.push_back(definition.name);
    }
    frame.results.clear();
    return {};
  }

  Status leave() {
    PANTILE_RETURN_IF_ERROR(endOperation());
    for (std::string_view name : frames.back().names) meanings.erase(name);
    frames.pop_back(); // the text's braces are balanced: the first frame stays
    return {};
  }

  /// "%a, %b:2 =", up to the '='.
  Expected<size_t> takeResults(size_t i) {
    for (;;) {
      const Token &token = tokens[i++];
      if (token.text.find('#') != std::string_view::npos) return failAt(&token, "expected a result, '%name'");
      size_t count = 1;
      if (tokens[i].text == ":") {
        auto parsed = numberOf(tokens[i + 1].text);
        if (!parsed || *parsed == 0 || *parsed > kMaxResults)
          return failAt(&tokens[i + 1], fmt::format("expected a number of results, 1 to {}", kMaxResults));
        count = *parsed;
        i += 2;
      }
      frames.back().results.push_back({&token, token.text, {next, count}});
      for (size_t n = 0; n < count; ++n) {
        if (n > 0) result.push_back({Kind::Punctuation, ",", token.line, token.column, false});
        names.push_back(n == 0 ? std::string(token.text) : fmt::format("{}#{}", token.text, n));
        put(token, fmt::format("%{}", next++));
      }
      if (tokens[i].text != ",") return i;
      result.push_back(tokens[i++]);
    }
  }

  Status takeUse(const Token &token) {
    size_t mark = token.text.find('#');
    std::string_view name = token.text.substr(0, mark);
    size_t index = 0;
    if (mark != std::string_view::npos) {
      auto parsed = numberOf(token.text.substr(mark + 1));
      if (!parsed) return failAt(&token, "expected a result's number");
      index = *parsed;
    }
    auto [meaning, isNew] = meanings.try_emplace(name, Meaning{next, 1});
    if (isNew) {
      ++next;
      names.emplace_back(name);
      Frame &frame = frames.back();
      (frame.inOperation ? frame.arguments : frame.names).push_back(name);
    }
    if (index >= meaning->second.count)
      return failAt(&token, fmt::format("'{}' has {} result{}", name, meaning->second.count, meaning->second.count == 1 ? "" : "s"));
    put(token, fmt::format("%{}", meaning->second.first + index));
    return {};
  }

  static std::optional<size_t> numberOf(std::string_view digits) {
    size_t value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }

  const std::vector<Token> &tokens;
  std::deque<std::string> &storage;
  std::vector<std::string> &names;
  std::vector<Token> result;
  std::vector<Frame> frames;
  std::map<std::string_view, Meaning> meanings;
  size_t next = 0, nextBlock = 0;
};

} // namespace

Expected<std::vector<Token>> expandAliases(const std::vector<Token> &tokens) { return AliasExpander(tokens).run(); }

Expected<std::vector<Token>> numberNames(const std::vector<Token> &tokens, std::deque<std::string> &storage,
                                         std::vector<std::string> &names) {
  return Numberer(tokens, storage, names).run();
}

bool beginsOperation(const std::vector<Token> &tokens, size_t i) {
  std::string_view before = i > 0 ? tokens[i - 1].text : "";
  if (i == 0 || before == "," || before == "(" || before == "=") return false;
  if (tokens[i].kind == Kind::Word)
    return tokens[i].text.find('.') != std::string_view::npos && !(i + 1 < tokens.size() && tokens[i + 1].text == "=") && before != "[" &&
           before != "<";
  if (tokens[i].kind != Kind::Value) return false;
  size_t j = i + 1;
  auto skipCount = [&] { // %x:2
    if (j + 1 < tokens.size() && tokens[j].text == ":" && tokens[j + 1].kind == Kind::Number) j += 2;
  };
  skipCount();
  while (j + 1 < tokens.size() && tokens[j].text == "," && tokens[j + 1].kind == Kind::Value) {
    j += 2;
    skipCount();
  }
  return j + 1 < tokens.size() && tokens[j].text == "=" && tokens[j + 1].kind == Kind::Word;
}

} // namespace pantile::kernel_text
