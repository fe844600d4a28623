//===- runtime/plugin/Loader.h - opening a plugin and reading its tables --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_PLUGIN_LOADER_H
#define PANTILE_RUNTIME_PLUGIN_LOADER_H

#include "core/EmulatorABI.h"
#include "core/InterpreterABI.h"
#include "pantile/capture.h"
#include "pantile/plugin.h"
#include "runtime/Log.h"
#include "runtime/plugin/Catalog.h"

namespace pantile {

/// What a plugin answered, checked. Its tables are copies as long as this host's: entries that an older plugin lacks, and
/// NULL entries, answer PANTILE_UNIMPLEMENTED.
struct LoadedPlugin {
  std::string name, buildId;
  std::optional<pantile_compiler_interface> compiler;
  std::optional<pantile_device_interface> device;
  std::optional<pantile_interpreter_interface> interpreter;
  std::optional<pantile_emulator_interface> emulator;
  std::optional<pantile_capture_interface> capture; ///< of a device half that has it
};

/// The host table given to plugins: logs to `log`, which must live as long as the process may call it (NULL: drops lines).
const pantile_host *hostTable();
/// Where plugins' lines go: to the context made last.
void setHostLog(Log *log);
/// Drops them from now on, if they go to this one.
void clearHostLog(Log *log);

/// Verifies the checksum of the manifest, opens (RTLD_NOW | RTLD_LOCAL, never closed) and queries.
Expected<LoadedPlugin> loadPlugin(const PluginFile &file);
/// For statically linked plugins, and the second half of loadPlugin.
Expected<LoadedPlugin> queryPlugin(pantile_plugin_query_fn query, const std::string &name);

/// A code and message of a plugin as a Status; releases the message.
Status statusOf(int32_t code, pantile_message *message, std::string_view fallback);

} // namespace pantile

#endif // PANTILE_RUNTIME_PLUGIN_LOADER_H
