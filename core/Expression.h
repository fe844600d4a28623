//===- core/Expression.h - the postfix integer language of plugin.h -------===//
//
// Launch grids, workspaces, constraints, defaults and cost features are integer expressions over a call's sizes,
// strides, scalars, the configuration and the device. `Expression::parse` checks a text once and binds its names to
// numbered variables; `evaluate` then runs a flat program without allocation. The grammar stands in pantile/plugin.h.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_EXPRESSION_H
#define PANTILE_CORE_EXPRESSION_H

#include "core/Status.h"

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace pantile {

class Expression {
public:
  /// Maps a name ("s0.1", "c.bm") to a variable's number, or nullopt: unknown.
  using Resolver = std::function<std::optional<uint32_t>(std::string_view name)>;

  /// Constant 0.
  Expression() = default;
  /// Errors name the token and its position. At most 4096 tokens, at most 32 values deep.
  static Expression constant(int64_t value);
  static Expected<Expression> parse(std::string_view text, const Resolver &resolve);

  /// `variables[i]` is the value of variable i. Division by zero and overflow are errors. No allocation on success.
  Expected<int64_t> evaluate(std::span<const int64_t> variables) const;
  /// The hot path: false on any error.
  bool evaluate(std::span<const int64_t> variables, int64_t &result) const noexcept;
  bool isConstant() const { return program.size() <= 1 && (program.empty() || program[0].op == Op::Constant); }

private:
  enum class Op : uint8_t {
    Constant,
    Variable,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    CeilDiv,
    Min,
    Max,
    Shl,
    Shr,
    And,
    Or,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Select,
    Log2,
    Pow2Ceil
  };
  struct Step {
    Op op;
    int64_t operand;
  };
  std::vector<Step> program;
};

} // namespace pantile

#endif // PANTILE_CORE_EXPRESSION_H
