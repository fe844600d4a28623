//===- tests/conformance/Run.h - one case against the interpreter ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_CONFORMANCE_RUN_H
#define PANTILE_TESTS_CONFORMANCE_RUN_H

#include "tests/conformance/Case.h"

#include <pantile/pantile.h>

namespace conformance {

enum class Outcome { Passed, Failed, Unsupported };

struct Result {
  Outcome outcome;
  std::string text; ///< what failed, or why it is unsupported
};

/// Runs the variant once at sizes, layouts, contents and a configuration drawn by `seed` (an even seed: the default
/// configuration) on the context's device, and compares with the interpreter.
Result runCase(pantile_context *context, const Variant &variant, uint64_t seed);

} // namespace conformance

#endif // PANTILE_TESTS_CONFORMANCE_RUN_H
