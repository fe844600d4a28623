//===- tests/conformance/Case.h - what the suite runs ---------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A case is an operator of the library with options, a dtype, sizes, a layout, contents and a schedule, written out in one
// line, so that a failure names all it takes to run it again. The lists are data; `Cover` chooses cases from them.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_CONFORMANCE_CASE_H
#define PANTILE_TESTS_CONFORMANCE_CASE_H

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace conformance {

using Sizes = std::map<std::string, int64_t>;

/// How a view lies in memory. Broadcast: inputs repeat their first row (stride 0).
enum class Layout : uint8_t { RowMajor, PaddedRows, Transposed, Misaligned, Broadcast };
inline constexpr Layout kLayouts[] = {Layout::RowMajor, Layout::PaddedRows, Layout::Transposed, Layout::Misaligned, Layout::Broadcast};
std::string_view name(Layout layout);

/// What inputs hold: seeded normal values; the same value everywhere (ties); infinities, NaNs and extremes among the ordinary.
enum class Contents : uint8_t { Ordinary, Equal, Specials };
inline constexpr Contents kContents[] = {Contents::Ordinary, Contents::Equal, Contents::Specials};
std::string_view name(Contents contents);

/// An operator with one set of options and what its sizes must satisfy.
struct Variant {
  std::string op, options;
  /// Sizes that follow from others, evaluated in order: {"K", "KB", 32, 0} is K = 32 * KB.
  struct Derived {
    std::string size, from;
    int64_t factor;
  };
  std::vector<Derived> derived;
  /// Sizes that take the listed values only; any other takes ragged ones by class.
  std::map<std::string, std::vector<int64_t>> domains;
  /// Inputs may hold infinities and NaNs (elementwise operators and reductions that define them).
  bool specials = false;
  /// Values of scalar arguments by name; a name not listed draws from [0.5, 1.5).
  std::map<std::string, std::vector<double>> scalars;
  /// "": the operator has none to choose.
  std::vector<std::string> dtypes = {""};
};

struct Case {
  const Variant *variant = nullptr;
  std::string dtype;
  Sizes sizes;
  Layout layout = Layout::RowMajor;
  Contents contents = Contents::Ordinary;
  uint64_t seed = 0;         ///< of the contents
  std::string configuration; ///< "": the default
};

/// One line: "softmax | temperature=1 | bf16 | M=3 N=17 | padded | specials | 12 | {bm = 4}".
std::string textOf(const Case &one);
/// The inverse; nothing where it is none, or its operator is not listed.
std::optional<Case> parseCase(const std::vector<Variant> &variants, const std::string &text);

/// Every operator of the library with every option that changes what it computes.
std::vector<Variant> allVariants();

/// The levels of a size: names of classes (zero, one, few, vector, edge, prime, large), or the values of its domain. None for a
/// derived size.
std::vector<std::string> levelsOf(const Variant &variant, const std::string &size);

/// Values of those levels by size, with the derived ones; nothing where their product exceeds `budget` however they are drawn.
std::optional<Sizes> drawSizes(const Variant &variant, const std::map<std::string, std::string> &levels, int64_t budget,
                               std::mt19937_64 &random);

} // namespace conformance

#endif // PANTILE_TESTS_CONFORMANCE_CASE_H
