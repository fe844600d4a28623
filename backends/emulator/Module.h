//===- emulator/Module.h - a device's code, compiled for this processor ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_MODULE_H
#define PANTILE_EMULATOR_MODULE_H

#include "backends/emulator/Dialect.h"

#include <memory>

namespace pantile::emulator {

struct LaunchDimensions {
  uint32_t grid[3] = {1, 1, 1}, block[3] = {1, 1, 1};
  uint32_t dynamicShared = 0; ///< bytes
};

class CodeModule {
public:
  /// `text`: LLVM IR. Unknown intrinsics, assembly and functions are errors that name them.
  static Expected<std::shared_ptr<CodeModule>> load(std::string_view text, const Dialect &dialect, const std::string &target);
  ~CodeModule();

  const KernelInfo *kernel(std::string_view name) const;
  /// Runs a kernel to its end. `parameters`: the address of each parameter's bytes. Thread safe.
  Status launch(const KernelInfo &kernel, const LaunchDimensions &dimensions, std::span<const void *const> parameters,
                std::span<const Region> parameterBytes, const DeviceMemory &memory, const ExecutionOptions &options) const;

private:
  CodeModule();
  struct Code;
  std::unique_ptr<Code> code;
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_MODULE_H
