//===- runtime/dispatch/Context.h - one device and everything around it ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_CONTEXT_H
#define PANTILE_RUNTIME_DISPATCH_CONTEXT_H

#include "runtime/Environment.h"
#include "runtime/artifact/ArtifactCache.h"
#include "runtime/dispatch/Device.h"
#include "runtime/helper/CompilerClient.h"
#include "tuner/ConfigurationCache.h"

#include <dlpack/dlpack.h>

namespace pantile {

/// What an application asked for, the environment's word filled in, all decided.
struct Settings {
  std::vector<std::string> backends;      ///< preference; empty: the best present
  std::vector<std::string> pluginFolders; ///< in the order searched
  std::string helperFolder;
  std::string cacheRoot; ///< empty: memory only
  std::vector<std::string> configPaths;
  TuneMode tune = TuneMode::Instant;
  bool neverCompile = false, interpret = false;
  std::optional<uint32_t> threads;
  uint64_t artifactBytes = uint64_t(1) << 30;
  std::vector<Stage> print;
  std::string repro;
  pantile_log_level logLevel = PANTILE_LOG_WARNING;
  Log::Function log = nullptr;
  void *logUser = nullptr;
};

/// How often this process was forked since the library was loaded: what belongs to another generation is not ours.
unsigned forkGeneration() noexcept;

class Context {
public:
  static Expected<std::unique_ptr<Context>> create(Settings settings);
  ~Context();

  /// False in a forked child.
  bool usable() const noexcept { return generation == forkGeneration(); }
  Status checkUsable() const;

  const Settings settings;
  Log log;
  std::vector<PluginFile> plugins;
  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> defaultStream;
  std::unique_ptr<ArtifactCache> artifacts;
  std::unique_ptr<tuner::ConfigurationCache> configurations;
  std::unique_ptr<CompilerClient> compiler;

  DLDevice dlpack() const { return {DLDeviceType(device->info().dlpack_device_type), device->info().ordinal}; }
  const std::string &backend() const { return device->backend(); }
  std::string target() const { return device->info().target; }
  /// Changes whenever the compiler half does: its library's checksum; "" where there is none.
  const std::string &compilerBuild() const { return build; }
  /// Folders in which the configuration cache looks: their files' states are part of a remembered selection.
  const std::vector<std::string> &configurationRoots() const { return roots; }

private:
  explicit Context(Settings settings);
  const unsigned generation;
  std::string build;
  std::vector<std::string> roots;
};

/// Every backend found, opened as far as its device count; for `devices` and for errors. A JSON array.
std::string describeBackends(const Settings &settings);

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_CONTEXT_H
