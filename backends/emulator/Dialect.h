//===- emulator/Dialect.h - what a backend says about its LLVM IR ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The emulator knows lanes, warps, memory and barriers; what a target's intrinsics and assembly do, a backend's folder
// `emulation/` says by implementing this. LLVM's types do not appear, so emulation functions compile fast.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_DIALECT_H
#define PANTILE_EMULATOR_DIALECT_H

#include "backends/emulator/Machine.h"
#include "pantile/plugin.h"

#include <optional>
#include <string_view>

namespace pantile::emulator {

enum class Space : uint8_t { Generic, Global, Shared, Constant, Private, Parameter, Unknown };

/// How a call or an assembly text is emulated.
struct Emulation {
  Emulate run = nullptr;
  uint64_t data = 0;                ///< for `run`: Call::data
  std::shared_ptr<const void> keep; ///< what `data` may point to
};

/// One row of a backend's table. A name that ends in '*' stands for all that begin so; the first row that fits is taken.
struct Row {
  std::string_view name;
  Emulate run;
  uint64_t data = 0;
};
const Row *findRow(std::span<const Row> rows, std::string_view name);

/// A kernel of a module, as its attributes say.
struct KernelInfo {
  std::string name;
  struct Parameter {
    uint32_t bytes;
    bool byValue; ///< a structure in parameter memory, else a scalar or pointer
  };
  std::vector<Parameter> parameters;
  std::vector<std::pair<std::string, std::string>> attributes; ///< of the function, by name
  uint32_t cluster[3] = {1, 1, 1};
  uint32_t maxThreads = 1024;
};

/// A launch's argument words and what else it needs, as the backend's two halves agreed.
struct PackedArguments {
  std::span<const uint64_t> slots;
  std::span<const int64_t> extras;
};

class Dialect {
public:
  virtual ~Dialect() = default;
  virtual Space space(unsigned addressSpace) const = 0;
  /// What the dialect's functions must know of a whole module, whose text is given: their `traits`.
  virtual uint64_t traits(std::string_view text) const { return 0; }
  /// An intrinsic or external function; none: unknown, and an error of the module.
  virtual std::optional<Emulation> function(std::string_view name) const = 0;
  /// Inline assembly with LLVM's constraints.
  virtual Expected<Emulation> assembly(std::string_view text, std::string_view constraints, uint64_t traits) const = 0;
  virtual uint32_t lanesPerWarp(const std::string &target) const = 0;
  /// Reads what it knows from `attributes`.
  virtual Status describeKernel(KernelInfo &kernel) const = 0;
  /// Bytes of each parameter, one after another in `bytes` at multiples of 64, `offsets` of each.
  virtual Status packParameters(const KernelInfo &kernel, const PackedArguments &arguments, std::vector<char> &bytes,
                                std::vector<size_t> &offsets) const = 0;
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_DIALECT_H
