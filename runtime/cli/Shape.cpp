//===- runtime/cli/Shape.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Shape.h"

#include "runtime/Environment.h"
#include "runtime/cli/Command.h"

#include <charconv>
#include <cmath>
#include <fmt/core.h>

namespace pantile::cli {

namespace {

std::string lower(std::string text) {
  for (char &c : text)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return text;
}

template <typename Number> std::optional<Number> numberIn(const std::string &text) {
  Number value{};
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

} // namespace

bool isLiteral(const std::string &size) { return numberIn<int64_t>(size).has_value(); }

Shape::Shape(const std::string &text, std::span<const KernelArgument> arguments) {
  std::vector<std::string> names; // sizes, then scalars
  for (bool scalars : {false, true})
    for (const KernelArgument &argument : arguments)
      for (const std::string &name : scalars && !argument.isView() ? std::vector{argument.name}
                                     : scalars                     ? std::vector<std::string>{}
                                                                   : argument.sizes)
        if (!isLiteral(name) && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  for (const std::string &item : split(text, ',')) {
    const size_t equals = item.find('=');
    if (equals == std::string::npos || !numberIn<double>(item.substr(equals + 1)))
      throw Failure{2, fmt::format("--shape: '{}' is not name=number", item)};
    const std::string name = lower(item.substr(0, equals));
    if (std::none_of(names.begin(), names.end(), [&](const std::string &known) { return lower(known) == name; })) {
      std::string all;
      for (const std::string &known : names) all += (all.empty() ? "" : ", ") + known;
      throw Failure{2, fmt::format("--shape: the kernel has no '{}': there are {}", item.substr(0, equals), all.empty() ? "none" : all)};
    }
    if (!given.emplace(name, item.substr(equals + 1)).second) throw Failure{2, fmt::format("--shape: '{}' is given twice", name)};
  }
}

std::optional<int64_t> Shape::size(const std::string &name) const {
  auto found = given.find(lower(name));
  if (found == given.end()) return std::nullopt;
  auto value = numberIn<int64_t>(found->second);
  if (!value) throw Failure{2, fmt::format("--shape: '{}={}' is no whole number that 64 bits hold", found->first, found->second)};
  if (*value < 0) throw Failure{2, fmt::format("--shape: {} is negative", name)};
  return value;
}

std::optional<double> Shape::scalar(const std::string &name) const {
  auto found = given.find(lower(name));
  return found == given.end() ? std::nullopt : numberIn<double>(found->second);
}

} // namespace pantile::cli
