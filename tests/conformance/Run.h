//===- tests/conformance/Run.h - one case against the interpreter ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_CONFORMANCE_RUN_H
#define PANTILE_TESTS_CONFORMANCE_RUN_H

#include "tests/conformance/Case.h"

#include <functional>
#include <pantile/pantile.h>

namespace conformance {

enum class Outcome { Passed, Failed, Unsupported };

struct Result {
  Outcome outcome;
  std::string text; ///< what failed, or why it is unsupported
};

/// Given what may be drawn for a case (texts of legal configurations), the one to take.
using ChooseConfiguration = std::function<std::string(const std::vector<std::string> &)>;

/// Runs the case on the context's device (its arguments are copied there and back, red zones and all) and compares with the
/// interpreter. With `choose`, the configuration is one of those it is offered, and written into the case.
Result runCase(pantile_context *context, Case &one, const ChooseConfiguration &choose = {});

} // namespace conformance

#endif // PANTILE_TESTS_CONFORMANCE_RUN_H
