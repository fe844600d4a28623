//===- cpu/compiler/codegen/tests/DotCase.h - one compiled dot, any size ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_TESTS_DOTCASE_H
#define PANTILE_CPU_CODEGEN_TESTS_DOTCASE_H

#include "backends/cpu/compiler/codegen/MicroKernel.h"
#include "backends/cpu/compiler/codegen/tests/Compiled.h"

namespace pantile::cpu {

enum class Operand : uint8_t {
  InPlaceK,     ///< contiguous in k, read in place (rhs: Rows)
  InPlaceLine,  ///< contiguous in rows (columns), read in place
  PackedK,      ///< packed from a source contiguous in k
  PackedLine,   ///< ... in rows (columns)
  PackedStrided ///< ... in neither
};
enum class Output : uint8_t {
  Add,
  Overwrite,
  PaddedAdd,
  Blocked, ///< two calls, each half of k; which one overwrites is known when they run
  Finish,
  FinishUnrolled
};

struct DotCase {
  DotElement lhs = DotElement::F32, rhs = DotElement::F32;
  Operand left = Operand::InPlaceK, right = Operand::PackedLine;
  Output output = Output::Add;
  DotSchedule schedule;
  int64_t m = -1, n = -1, k = -1; ///< constants; -1: dynamic
  int64_t maxM = 64;
  std::string text() const;
};

/// The arguments of the compiled function.
struct DotArguments {
  const void *lhs, *rhs;
  void *packedLhs, *packedRhs, *c;
  int64_t m, n, k;
  int64_t lhsLine, lhsK, rhsLine, rhsK, cRow, lhsPanel, rhsPanel;
};
using DotFunction = void(DotArguments *);

/// Packs where asked and multiplies; `finish` stores 2 * sum + row.
Compiled compileDot(const DotCase &test, const CpuTarget &target, Status *status, bool pack = true);

/// Runs one size on operands of small integers placed against inaccessible pages; empty, or what was wrong.
std::string checkDot(const DotCase &test, const CpuTarget &target, DotFunction *function, int64_t m, int64_t n, int64_t k, unsigned seed);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_TESTS_DOTCASE_H
