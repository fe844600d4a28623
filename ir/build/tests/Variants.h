//===- ir/build/tests/Variants.h - every operator under its options -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_BUILD_TESTS_VARIANTS_H
#define PANTILE_IR_BUILD_TESTS_VARIANTS_H

#include "ir/build/Library.h"

namespace pantile {

/// What a free option is tried with.
inline std::vector<std::string> valuesOf(const LibraryOption &option) {
  std::vector<std::string> values = option.values;
  if (option.name == "axis") values = {"0", "-1"};
  if (option.name == "k") values = {"1", "5"};
  if (option.defaultValue.empty()) values.push_back("");
  return values;
}

inline std::string joinedOptions(const LibraryOperator &op, const std::vector<std::string> &values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    if (!values[i].empty()) text += (text.empty() ? "" : ",") + op.options[i].name + "=" + values[i];
  return text;
}

/// All combinations of options, as option texts.
inline std::vector<std::string> allVariants(const LibraryOperator &op) {
  std::vector<std::vector<std::string>> rows = {{}};
  for (const LibraryOption &option : op.options) {
    std::vector<std::vector<std::string>> longer;
    for (const auto &row : rows)
      for (const std::string &value : valuesOf(option)) {
        longer.push_back(row);
        longer.back().push_back(value);
      }
    rows = std::move(longer);
  }
  std::vector<std::string> texts;
  for (const auto &row : rows) texts.push_back(joinedOptions(op, row));
  return texts;
}

/// The defaults, and every value of every pair of options beside the defaults.
inline std::vector<std::string> pairVariants(const LibraryOperator &op) {
  std::vector<std::string> defaults, texts;
  for (const LibraryOption &option : op.options) defaults.push_back(option.defaultValue);
  texts.push_back(joinedOptions(op, defaults));
  for (size_t i = 0; i < op.options.size(); ++i)
    for (size_t j = i + 1; j <= op.options.size(); ++j)
      for (const std::string &x : valuesOf(op.options[i]))
        for (const std::string &y : j < op.options.size() ? valuesOf(op.options[j]) : std::vector<std::string>{""}) {
          if (j == op.options.size() && i + 1 < op.options.size()) continue;
          std::vector<std::string> row = defaults;
          row[i] = x;
          if (j < op.options.size()) row[j] = y;
          texts.push_back(joinedOptions(op, row));
        }
  return texts;
}

/// Options that an operator refuses together, with an error of its own.
inline bool isRefused(const std::string &op, const std::string &options) {
  return op == "attention" && options.find("varlen=1") != options.npos && options.find("kv_length=1") != options.npos;
}

} // namespace pantile

#endif // PANTILE_IR_BUILD_TESTS_VARIANTS_H
