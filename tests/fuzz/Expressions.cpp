//===- tests/fuzz/Expressions.cpp - plugin.h's postfix language -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Expression.h"
#include "tests/fuzz/Fuzz.h"

using namespace pantile;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Bytes bytes(data, size);
  int64_t values[8];
  for (int64_t &value : values) value = bytes.number();
  auto expression = Expression::parse(bytes.rest(), [](std::string_view name) -> std::optional<uint32_t> {
    if (name.empty() || name == "w") return std::nullopt;
    return uint32_t(name.size() + uint8_t(name[0])) % 9; // one of them lies past the values
  });
  if (!expression) return 0;
  int64_t fast = 0;
  const bool good = expression->evaluate(values, fast);
  auto slow = expression->evaluate(values);
  fuzz::require(good == slow.isOk(), "both evaluations fail or neither");
  if (good) fuzz::require(fast == *slow, "both evaluations agree");
  return 0;
}
