//===- core/Artifact.h - compiled code and its launch plan, as data -------===//
//
// Owning C++ form of plugin.h's pantile_artifact and pantile_facts; serialized into frames and cache entries.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_ARTIFACT_H
#define PANTILE_CORE_ARTIFACT_H

#include "core/Bytes.h"
#include "pantile/plugin.h"

#include <array>

namespace pantile {

/// Expressions as text, in the order of pantile_launch_record.
struct LaunchDescription {
  std::string entry;
  std::array<std::string, 3> grid{"1", "1", "1"}, block{"1", "1", "1"};
  std::string sharedBytes = "0";
  std::vector<std::string> slots, extras;
  bool operator==(const LaunchDescription &) const = default;
};
struct CheckDescription {
  std::string expression, text;
  bool operator==(const CheckDescription &) const = default;
};

struct Artifact {
  std::string code;
  std::vector<LaunchDescription> launches;
  std::vector<CheckDescription> checks;
  std::vector<std::pair<std::string, int64_t>> resources;
  std::string workspaceBytes = "0", zeroedWorkspaceBytes = "0";
  std::string log;
  bool operator==(const Artifact &) const = default;

  static Artifact fromABI(const pantile_artifact &artifact);
  /// Heap-allocated, owning, freed by its `release`.
  pantile_artifact *toABI() const;
  void write(ByteWriter &writer) const;
  static Expected<Artifact> read(ByteReader &reader);
};

/// Facts of all arguments; plain data, compared and hashed as bytes.
struct Facts {
  std::vector<pantile_argument_facts> arguments;
  pantile_facts abi() const { return {sizeof(pantile_facts), uint32_t(arguments.size()), arguments.data()}; }
  void write(ByteWriter &writer) const;
  static Expected<Facts> read(ByteReader &reader);
};

} // namespace pantile

#endif // PANTILE_CORE_ARTIFACT_H
