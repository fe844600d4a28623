//===- runtime/dispatch/LaunchPlan.h - expressions to launch numbers ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A plan is an artifact's expressions, parsed once and bound to numbered variables. What depends on shapes only is
// evaluated once a shape; addresses, scalars and the workspace are put in at every launch.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_LAUNCHPLAN_H
#define PANTILE_RUNTIME_DISPATCH_LAUNCHPLAN_H

#include "core/Expression.h"
#include "runtime/dispatch/Device.h"
#include "runtime/dispatch/Signature.h"

namespace pantile {

using Numbers = std::map<std::string, int64_t, std::less<>>;

class LaunchPlan {
public:
  /// `configuration`: what expressions see of it (enums by ordinal). Errors name the expression.
  static Expected<LaunchPlan> create(const Artifact &artifact, const Signature &signature, const Numbers &configuration,
                                     const Numbers &device);

  static constexpr size_t kMaxVariables = 2048, kMaxNumbers = 1024;

  /// What one shape's launches need: plain vectors, reused.
  struct Evaluated {
    std::vector<int64_t> variables, numbers;
    uint64_t workspaceBytes = 0, zeroedBytes = 0; ///< where they depend on no scalar
  };
  /// Fills in everything that `bound` decides but its addresses. Checks are checked.
  Status evaluate(std::span<const BoundArgument> bound, Evaluated &result) const;

  /// One call's changing part.
  struct Call {
    const uint64_t *words; ///< one an argument: its address, or its scalar value
    pantile_module_handle *module;
  };
  /// Launches. No allocation but by a growing workspace; `evaluated` is not changed.
  Status launch(const Evaluated &evaluated, const Call &call, Stream &stream) const;
  /// Makes sure that such a launch finds its workspace.
  Status prepare(const Evaluated &evaluated, Stream &stream) const;
  const std::vector<std::string> &entries() const { return entryNames; }
  /// What launches are remembered by (Device::launched); must live as long as the device. NULL: they are not.
  const char *label = nullptr;

private:
  enum Needs : uint8_t { kShape = 0, kScalar = 1, kAddress = 2, kWorkspace = 4 };
  struct Number {
    Expression expression;
    int32_t variable = -1; ///< >= 0: just this variable
    uint8_t needs = kShape;
  };
  struct Launch {
    uint32_t entry, extraCount, slotCount, firstNumber; ///< numbers: extras, grid, block, shared, slots
    std::vector<uint32_t> late;                         ///< of its numbers, those that need more than the shape
  };
  struct Check {
    uint32_t number;
    std::string text;
  };
  Status failure(size_t number) const;
  bool compute(size_t number, int64_t *variables, int64_t *numbers) const noexcept;

  std::vector<Number> all;
  std::vector<std::string> texts; ///< of `all`, for errors
  std::vector<Launch> launches;
  std::vector<Check> checks;
  std::vector<uint32_t> lateChecks;
  std::vector<std::string> entryNames;
  std::vector<int64_t> constants;     ///< initial values of all variables
  std::vector<uint32_t> base;         ///< by argument: sizes, strides, address; or the scalar
  std::vector<uint32_t> wordVariable; ///< by argument: its address' or scalar's variable
  uint32_t workspaceVariable = 0, extraVariables = 0;
  uint32_t workspaceNumber = 0, zeroedNumber = 0;
  std::string kernel;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_LAUNCHPLAN_H
