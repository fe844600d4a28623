//===- ir/build/Library.cpp - operators by name ---------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Library.h"
#include "ir/build/library/Family.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pantile {

using build::Entry;
using build::KernelBuilder;
using build::Options;
using fmt::format;

/// All entries; never destroyed.
static const std::vector<Entry> &entries() {
  static const std::vector<Entry> *all = [] {
    auto *list = new std::vector<Entry>;
    for (auto family : {build::elementwiseFamily, build::matmulFamily, build::quantizedFamily, build::softmaxFamily, build::normFamily,
                        build::reductionFamily, build::attentionFamily, build::embeddingFamily, build::randomFamily})
      for (Entry &entry : family()) list->push_back(std::move(entry));
    return list;
  }();
  return *all;
}

/// Levenshtein's distance.
static size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// "did you mean 'x'? There are: ..." of the names.
static std::string suggestion(std::string_view wanted, const std::vector<std::string> &names) {
  std::string text;
  auto nearest = std::ranges::min_element(names, {}, [&](const std::string &name) { return distance(wanted, name); });
  if (nearest != names.end() && distance(wanted, *nearest) <= std::max<size_t>(2, wanted.size() / 3))
    text = format("did you mean '{}'? ", *nearest);
  return text + format("there are: {}", fmt::join(names, ", "));
}

static Status parse(const LibraryOperator &description, std::string_view text, Options &options) {
  for (const LibraryOption &option : description.options) options.set(option.name, option.defaultValue);
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    auto trim = [](std::string_view s) {
      while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
      while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
      return s;
    };
    item = trim(item);
    if (item.empty()) continue;
    size_t equals = item.find('=');
    std::string name(equals == item.npos ? "dtype" : trim(item.substr(0, equals))),
        value(equals == item.npos ? item : trim(item.substr(equals + 1)));
    auto option = std::ranges::find(description.options, name, &LibraryOption::name);
    if (option == description.options.end()) {
      std::vector<std::string> names;
      for (const LibraryOption &o : description.options) names.push_back(o.name);
      return Status(PANTILE_INVALID_ARGUMENT, format("operator '{}' has no option '{}'", description.name, name))
          .withFix(suggestion(name, names));
    }
    bool known = option->values.empty() || (value.empty() && option->defaultValue.empty()) ||
                 std::ranges::find(option->values, value) != option->values.end();
    if (!known) {
      std::string what = equals == item.npos
                             ? format("operator '{}' has no dtype '{}' (write options as name=value)", description.name, value)
                             : format("option '{}' of operator '{}' cannot be '{}'", name, description.name, value);
      return Status(PANTILE_INVALID_ARGUMENT, what).withFix(suggestion(value, option->values));
    }
    options.set(name, value);
  }
  return Status::ok();
}

std::span<const LibraryOperator> libraryOperators() {
  static const std::vector<LibraryOperator> *operators = [] {
    auto *list = new std::vector<LibraryOperator>;
    for (const Entry &entry : entries()) {
      list->push_back(entry.description);
      KernelBuilder kernel(entry.description.name);
      Options defaults;
      if (parse(entry.description, "", defaults).isOk() && entry.write(kernel, defaults).isOk())
        list->back().arguments = kernel.argumentNames();
    }
    return list;
  }();
  return *operators;
}

Expected<std::string> buildLibraryKernel(std::string_view name, std::string_view options) {
  auto entry = std::ranges::find(entries(), name, [](const Entry &e) -> std::string_view { return e.description.name; });
  if (entry == entries().end()) {
    std::vector<std::string> names;
    for (const Entry &e : entries()) names.push_back(e.description.name);
    return Status(PANTILE_NOT_FOUND, format("the library has no operator '{}'", name)).withFix(suggestion(name, names));
  }
  Options chosen;
  PANTILE_RETURN_IF_ERROR(parse(entry->description, options, chosen));
  KernelBuilder kernel{std::string(name)};
  PANTILE_RETURN_IF_ERROR(entry->write(kernel, chosen));
  return kernel.finish();
}

} // namespace pantile
