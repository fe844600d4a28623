//===- core/Expression.cpp ------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Expression.h"

#include <array>
#include <bit>
#include <charconv>
#include <fmt/core.h>

namespace pantile {

namespace {

constexpr size_t kMaxTokens = 4096;
constexpr size_t kMaxDepth = 32;

int64_t floorDivide(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

} // namespace

Expression Expression::constant(int64_t value) {
  Expression expression;
  expression.program.push_back({Op::Constant, value});
  return expression;
}

Expected<Expression> Expression::parse(std::string_view text, const Resolver &resolve) {
  struct Row {
    std::string_view name;
    Op op;
    int arity;
  };
  static constexpr Row kOps[] = {
      {"+", Op::Add, 2},     {"-", Op::Sub, 2},
      {"*", Op::Mul, 2},     {"/", Op::Div, 2},
      {"%", Op::Mod, 2},     {"ceildiv", Op::CeilDiv, 2},
      {"min", Op::Min, 2},   {"max", Op::Max, 2},
      {"shl", Op::Shl, 2},   {"shr", Op::Shr, 2},
      {"and", Op::And, 2},   {"or", Op::Or, 2},
      {"not", Op::Not, 1},   {"==", Op::Eq, 2},
      {"!=", Op::Ne, 2},     {"<", Op::Lt, 2},
      {"<=", Op::Le, 2},     {">", Op::Gt, 2},
      {">=", Op::Ge, 2},     {"select", Op::Select, 3},
      {"log2", Op::Log2, 1}, {"pow2ceil", Op::Pow2Ceil, 1},
  };
  auto fail = [&](std::string what) {
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("expression \"{}\": {}", text.substr(0, 200), what));
  };
  Expression expression;
  size_t depth = 0, position = 0;
  while (position < text.size()) {
    size_t end = text.find(' ', position);
    if (end == std::string_view::npos) end = text.size();
    std::string_view token = text.substr(position, end - position);
    if (token.empty()) return fail(fmt::format("an empty token at column {}: tokens are parted by single spaces", position + 1));
    if (expression.program.size() == kMaxTokens) return fail(fmt::format("more than {} tokens", kMaxTokens));
    const Row *row = nullptr;
    for (const Row &candidate : kOps)
      if (candidate.name == token) row = &candidate;
    if (row) {
      if (depth < size_t(row->arity))
        return fail(fmt::format("'{}' at column {} needs {} values, {} there", token, position + 1, row->arity, depth));
      depth -= size_t(row->arity) - 1;
      expression.program.push_back({row->op, 0});
    } else {
      bool number = token[0] == '-' || (token[0] >= '0' && token[0] <= '9');
      int64_t value = 0;
      if (number) {
        auto [last, error] = std::from_chars(token.data(), token.data() + token.size(), value);
        if (error != std::errc() || last != token.data() + token.size())
          return fail(fmt::format("'{}' at column {} is no 64-bit integer", token, position + 1));
        expression.program.push_back({Op::Constant, value});
      } else {
        auto variable = resolve(token);
        if (!variable) return fail(fmt::format("unknown name '{}' at column {}", token, position + 1));
        expression.program.push_back({Op::Variable, int64_t(*variable)});
      }
      if (++depth > kMaxDepth) return fail(fmt::format("more than {} values deep", kMaxDepth));
    }
    position = end + (end < text.size() ? 1 : 0);
    if (end + 1 == text.size()) return fail("a space at its end");
  }
  if (depth != 1) return fail(depth == 0 ? "is empty" : fmt::format("leaves {} values, expected one", depth));
  return expression;
}

bool Expression::evaluate(std::span<const int64_t> variables, int64_t &result) const noexcept {
  std::array<int64_t, kMaxDepth> stack;
  size_t depth = 0;
  for (const Step &step : program) {
    if (step.op == Op::Constant) {
      stack[depth++] = step.operand;
      continue;
    }
    if (step.op == Op::Variable) {
      if (size_t(step.operand) >= variables.size()) return false;
      stack[depth++] = variables[size_t(step.operand)];
      continue;
    }
    int64_t b = stack[--depth];
    switch (step.op) {
    case Op::Not:
      stack[depth++] = b == 0;
      continue;
    case Op::Log2:
      if (b <= 0) return false;
      stack[depth++] = 63 - std::countl_zero(uint64_t(b));
      continue;
    case Op::Pow2Ceil:
      if (b > (int64_t(1) << 62)) return false;
      stack[depth++] = b <= 1 ? 1 : int64_t(std::bit_ceil(uint64_t(b)));
      continue;
    default:
      break;
    }
    int64_t a = stack[--depth], value = 0;
    switch (step.op) {
    case Op::Add:
      if (__builtin_add_overflow(a, b, &value)) return false;
      break;
    case Op::Sub:
      if (__builtin_sub_overflow(a, b, &value)) return false;
      break;
    case Op::Mul:
      if (__builtin_mul_overflow(a, b, &value)) return false;
      break;
    case Op::Mod:
      if (b == 0) return false;
      value = b == -1 ? 0 : a % b; // the least number % -1 traps
      if (value != 0 && (value < 0) != (b < 0)) value += b;
      break;
    case Op::Div:
    case Op::CeilDiv:
      if (b == 0 || (a == INT64_MIN && b == -1)) return false;
      if (step.op == Op::Div)
        value = floorDivide(a, b);
      else
        value = floorDivide(a, b) + (a % b != 0);
      break;
    case Op::Min:
      value = a < b ? a : b;
      break;
    case Op::Max:
      value = a > b ? a : b;
      break;
    case Op::Shl:
      if (b < 0 || b > 62 || __builtin_mul_overflow(a, int64_t(1) << b, &value)) return false;
      break;
    case Op::Shr:
      if (b < 0 || b > 63) return false;
      value = a >> b;
      break;
    case Op::And:
      value = a != 0 && b != 0;
      break;
    case Op::Or:
      value = a != 0 || b != 0;
      break;
    case Op::Eq:
      value = a == b;
      break;
    case Op::Ne:
      value = a != b;
      break;
    case Op::Lt:
      value = a < b;
      break;
    case Op::Le:
      value = a <= b;
      break;
    case Op::Gt:
      value = a > b;
      break;
    case Op::Ge:
      value = a >= b;
      break;
    case Op::Select: {
      int64_t condition = stack[--depth];
      value = condition ? a : b;
      break;
    }
    default:
      return false;
    }
    stack[depth++] = value;
  }
  result = depth ? stack[0] : 0;
  return true;
}

Expected<int64_t> Expression::evaluate(std::span<const int64_t> variables) const {
  int64_t result;
  if (evaluate(variables, result)) return result;
  return Status(PANTILE_INVALID_ARGUMENT, "an expression overflows 64 bits or divides by zero");
}

} // namespace pantile
