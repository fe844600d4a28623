//===- tuner/Space.h - the legal configurations of one call ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A Space is core's SpaceDescription with its expressions bound to the numbers of one call (sizes, strides, scalars,
// device constants). Searching happens on points: one index per parameter, each in [0, cardinality). What an index means
// is the parameter's kind's business:
//
//   bool          0, 1                                  neighbours: the other      encoded: one number
//   enum          the i-th label                        neighbours: all others     encoded: one-hot
//   power of two  lowest << i                           neighbours: i +- radius    encoded: log2
//   ordered       the i-th value                        neighbours: i +- radius    encoded: i
//   integer       lowest + i                            neighbours: +- radius and the halves and doubles of the value
//   permutation   the i-th in lexicographic order       neighbours: swaps          encoded: a bit per pair (x before y)
//
// A parameter whose `active_if` is 0 has no effect; a *canonical* point holds the default there, so that equal programs
// are equal points. Every function that returns points returns canonical ones.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_SPACE_H
#define PANTILE_TUNER_SPACE_H

#include "core/Configuration.h"
#include "core/Expression.h"
#include "core/SpaceDescription.h"
#include "tuner/Random.h"

#include <map>
#include <span>

namespace pantile::tuner {

/// The numbers that a call gives to expressions, by the names of plugin.h: "s0.1", "t0.1", "a2", "kM", "d.units".
using CallValues = std::map<std::string, int64_t, std::less<>>;

/// One index per parameter.
using Point = std::vector<uint64_t>;
struct PointHash {
  size_t operator()(const Point &point) const;
};

/// 16 hexadecimal digits that change whenever parameters or constraints do: the configuration cache's `space`.
std::string spaceHash(const SpaceDescription &description);

/// Immutable after creation: every const function may be called from any thread.
class Space {
public:
  /// Errors name the parameter or constraint: an empty or ill-formed domain, two parameters of one name, an expression
  /// that does not parse or names a value that `values` lacks. A default may use `c.<name>` of parameters listed before
  /// it; one that cannot be evaluated for these sizes (a division by a size of 0) is the domain's lowest value. A feature
  /// that does not parse is absent.
  static Expected<Space> create(SpaceDescription description, const CallValues &values);

  const SpaceDescription &description() const { return spaceDescription; }
  size_t dimensions() const { return parameters.size(); }
  uint64_t cardinality(size_t dimension) const { return parameters[dimension].cardinality; }
  /// Number of points, legal or not; the largest uint64_t where there are more.
  uint64_t size() const;

  //--- Points and configurations ------------------------------------------

  Configuration configuration(const Point &point) const;
  /// Strict: an unknown name, a value of the wrong kind or outside its domain is an error that lists what is accepted.
  /// Names left out take their default. Constraints are not checked.
  Expected<Point> point(const Configuration &configuration) const;
  /// Lenient, for configurations found elsewhere: unknown names are dropped, values rounded into their domain.
  Point nearest(const Configuration &configuration) const;

  //--- Legality -----------------------------------------------------------

  Point canonical(Point point) const;
  /// Whether every constraint holds. One that cannot be evaluated does not.
  bool legal(const Point &point) const;
  /// As `legal`; says which constraint fails.
  Status check(const Point &point) const;
  /// The nearest legal point that a bounded search from `point` finds: changes one parameter at a time, then two, then at
  /// random, preferring fewer violations and small steps. Deterministic. Nothing where it finds none.
  std::optional<Point> repair(const Point &point) const;
  /// The defaults for these sizes, repaired. Nothing where the space has no legal point (that `repair` finds).
  const std::optional<Point> &defaults() const { return legalDefaults; }

  //--- Search -------------------------------------------------------------

  /// A legal point, about uniform among them, except that wide integers are drawn by magnitude as a rule. Nothing after many
  /// tries.
  std::optional<Point> sample(Random &random) const;
  /// All legal points that differ in one parameter by at most `radius` of its steps. In a fixed order.
  std::vector<Point> neighbours(const Point &point, unsigned radius) const;
  /// Changes each parameter with `probability` (at least one), half the time to a neighbouring value, else to any. Legal
  /// (repaired) or nothing.
  std::optional<Point> mutate(const Point &point, double probability, Random &random) const;
  /// Binomial crossover: each parameter of `target` is replaced by `donor`'s with probability `rate`, one for certain.
  std::optional<Point> crossover(const Point &target, const Point &donor, double rate, Random &random) const;
  /// Differential mutation a + weight * (b - c) on each parameter's own scale; enums and bools take b's value with
  /// probability `weight` where b and c differ. Not repaired.
  Point differential(const Point &a, const Point &b, const Point &c, double weight, Random &random) const;
  /// The next point in lexicographic order, in place; false after the last. Neither canonical nor legal: check.
  bool advance(Point &point) const;

  //--- Models -------------------------------------------------------------

  size_t encodedSize() const { return encodedWidth; }
  /// Appends encodedSize() numbers.
  void encode(const Point &point, std::vector<float> &out) const;
  /// A cost feature by name, or nothing where the space lacks it or it cannot be evaluated here.
  std::optional<int64_t> feature(std::string_view name, const Point &point) const;
  /// A number of the call ("d.units", "s0.1"), if `values` had it.
  std::optional<int64_t> value(std::string_view name) const;

private:
  struct Parameter {
    pantile_parameter_kind kind;
    uint64_t cardinality;
    uint64_t fallback; ///< index of the default
    std::optional<Expression> activeIf;
    size_t encodedWidth;
  };
  struct Constraint {
    Expression expression;
    std::vector<uint32_t> uses; ///< the parameters it reads
  };

  Space() = default;
  uint64_t nearestIndex(size_t dimension, int64_t value) const;
  int64_t valueAt(size_t dimension, uint64_t index) const; ///< what expressions see
  Setting settingAt(size_t dimension, uint64_t index) const;
  std::optional<uint64_t> indexOf(size_t dimension, const Setting &setting) const;
  std::vector<uint64_t> nearbyIndices(size_t dimension, uint64_t index, unsigned radius) const;
  uint64_t draw(size_t dimension, Random &random) const;
  std::string accepted(size_t dimension) const;
  std::vector<int64_t> variablesAt(const Point &point) const;
  unsigned violations(std::span<const int64_t> variables) const;
  unsigned violations(const Point &point) const { return violations(variablesAt(point)); }

  SpaceDescription spaceDescription;
  std::vector<Parameter> parameters;
  std::vector<Constraint> constraints;
  std::map<std::string, Expression, std::less<>> features;
  CallValues callValues;
  std::vector<int64_t> variables; ///< one per parameter, then the call's values
  size_t encodedWidth = 0;
  std::optional<Point> legalDefaults;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_SPACE_H
