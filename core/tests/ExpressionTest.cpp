//===- core/tests/ExpressionTest.cpp --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Expression.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace pantile;

namespace {

std::optional<uint32_t> resolve(std::string_view name) {
  if (name == "s0.0") return 0;
  if (name == "s0.1") return 1;
  if (name == "c.bm") return 2;
  return std::nullopt;
}

Expected<int64_t> value(std::string_view text, std::vector<int64_t> variables = {100, -7, 64}) {
  auto expression = Expression::parse(text, resolve);
  if (!expression) return expression.status();
  return expression->evaluate(variables);
}

TEST(Expression, Computes) {
  struct Case {
    const char *text;
    int64_t result;
  };
  for (auto [text, result] : {Case{"12", 12},
                              Case{"-12", -12},
                              Case{"s0.0 c.bm ceildiv", 2},
                              Case{"s0.0 c.bm /", 1},
                              Case{"s0.1 2 /", -4},
                              Case{"s0.1 2 %", 1},
                              Case{"s0.1 2 ceildiv", -3},
                              Case{"1 2 3 * +", 7},
                              Case{"5 3 -", 2},
                              Case{"3 5 min", 3},
                              Case{"3 5 max", 5},
                              Case{"1 10 shl", 1024},
                              Case{"-8 1 shr", -4},
                              Case{"1 7 8 select", 7},
                              Case{"0 7 8 select", 8},
                              Case{"0 not", 1},
                              Case{"5 not", 0},
                              Case{"2 0 and", 0},
                              Case{"2 0 or", 1},
                              Case{"1 1 ==", 1},
                              Case{"1 1 !=", 0},
                              Case{"1 2 <", 1},
                              Case{"2 2 <=", 1},
                              Case{"1 2 >", 0},
                              Case{"1 2 >=", 0},
                              Case{"1 log2", 0},
                              Case{"1023 log2", 9},
                              Case{"65 pow2ceil", 128},
                              Case{"0 pow2ceil", 1},
                              Case{"9223372036854775807", INT64_MAX}}) {
    auto computed = value(text);
    ASSERT_TRUE(computed.isOk()) << text << ": " << computed.status().message();
    EXPECT_EQ(*computed, result) << text;
  }
}

TEST(Expression, NeverGivesAWrongNumber) {
  for (const char *text :
       {"1 0 /", "1 0 %", "1 0 ceildiv", "9223372036854775807 1 +", "-9223372036854775808 1 -", "-9223372036854775808 -1 /",
        "4611686018427387904 2 *", "1 63 shl", "1 -1 shl", "1 64 shr", "0 log2", "-1 log2", "4611686018427387905 pow2ceil"})
    EXPECT_FALSE(value(text).isOk()) << text;
}

TEST(Expression, RejectsWhatIsNotOne) {
  for (const char *text : {"", " ", "1 ", " 1", "1  2 +", "1 2", "+", "1 +", "s9.9", "12x", "99999999999999999999", "1 2 select"})
    EXPECT_FALSE(Expression::parse(text, resolve).isOk()) << '"' << text << '"';
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "1 ";
  for (int i = 0; i < 39; ++i) deep += i < 38 ? "+ " : "+";
  EXPECT_FALSE(Expression::parse(deep, resolve).isOk());
  std::string lengthy = "1";
  for (int i = 0; i < 4096; ++i) lengthy += " not";
  EXPECT_FALSE(Expression::parse(lengthy, resolve).isOk());
}

/// Every operator on every pair out of the values where 64 bits end, against 128 bits.
TEST(Expression, AgreesWithWiderArithmetic) {
  using Wide = __int128;
  auto floorOf = [](Wide a, Wide b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); };
  const int64_t edges[] = {INT64_MIN,  INT64_MIN + 1,     -4294967296,   -7,       -2, -1, 0, 1, 2, 3, 7, 63, 64,
                           4294967296, INT64_MAX / 2 + 1, INT64_MAX - 1, INT64_MAX};
  int computed = 0, refused = 0;
  for (int64_t a : edges)
    for (int64_t b : edges) {
      auto expect = [&](const char *op, bool defined, Wide wide) {
        auto result = value(std::string("s0.0 s0.1 ") + op, {a, b, 0});
        defined = defined && wide >= INT64_MIN && wide <= INT64_MAX;
        ASSERT_EQ(result.isOk(), defined) << a << ' ' << b << ' ' << op;
        if (defined) ASSERT_EQ(*result, int64_t(wide)) << a << ' ' << b << ' ' << op;
        ++(defined ? computed : refused);
      };
      expect("+", true, Wide(a) + b);
      expect("-", true, Wide(a) - b);
      expect("*", true, Wide(a) * b);
      expect("min", true, std::min(a, b));
      expect("max", true, std::max(a, b));
      expect("<", true, a < b);
      expect(">=", true, a >= b);
      expect("==", true, a == b);
      expect("/", b != 0, b ? floorOf(a, b) : 0);
      expect("%", b != 0, b ? Wide(a) - floorOf(a, b) * b : 0);
      expect("ceildiv", b != 0, b ? -floorOf(-Wide(a), b) : 0);
      if (b >= 0 && b < 63) expect("shl", true, Wide(a) * (Wide(1) << b));
    }
  EXPECT_GT(computed, 1000);
  EXPECT_GT(refused, 100);
}

TEST(Expression, TooFewVariablesIsAnError) { EXPECT_FALSE(value("c.bm", {1, 2}).isOk()); }

} // namespace
