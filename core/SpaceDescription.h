//===- core/SpaceDescription.h - a kernel's legal configurations, as data -===//
//
// Owning C++ form of plugin.h's pantile_space: what a compiler half builds, what crosses to the runtime, what is cached
// beside artifacts, and what the tuner searches. Expressions are texts in plugin.h's language.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_SPACEDESCRIPTION_H
#define PANTILE_CORE_SPACEDESCRIPTION_H

#include "core/Bytes.h"
#include "pantile/plugin.h"

namespace pantile {

struct ParameterDescription {
  std::string name;
  pantile_parameter_kind kind = PANTILE_PARAMETER_INTEGER;
  bool launchOnly = false;
  uint32_t length = 0;             ///< of a permutation
  std::vector<int64_t> values;     ///< POW2 and INTEGER: {lowest, highest}; ORDERED: all, ascending; ENUM: ordinals
  std::vector<std::string> labels; ///< ENUM
  std::string defaultValue;        ///< expression; ENUM: of the ordinal; permutations: identity
  std::string activeIf;            ///< empty: always
  bool operator==(const ParameterDescription &) const = default;
};
struct ConstraintDescription {
  std::string expression, text;
  bool operator==(const ConstraintDescription &) const = default;
};
struct FeatureDescription {
  std::string name, expression;
  bool operator==(const FeatureDescription &) const = default;
};

struct SpaceDescription {
  std::vector<ParameterDescription> parameters;
  std::vector<ConstraintDescription> constraints;
  std::vector<FeatureDescription> features;
  bool operator==(const SpaceDescription &) const = default;

  static SpaceDescription fromABI(const pantile_space &space);
  /// A heap-allocated pantile_space that owns a copy; freed by its `release`.
  pantile_space *toABI() const;
  void write(ByteWriter &writer) const;
  static Expected<SpaceDescription> read(ByteReader &reader);
};

} // namespace pantile

#endif // PANTILE_CORE_SPACEDESCRIPTION_H
