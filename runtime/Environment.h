//===- runtime/Environment.h - the one file that reads the environment ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Every variable is read with secure_getenv: a program that runs with more rights than its caller sees none of them.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_ENVIRONMENT_H
#define PANTILE_RUNTIME_ENVIRONMENT_H

#include "core/Status.h"

#include <string>
#include <vector>

namespace pantile {

enum class TuneMode : uint8_t { Off = 1, Instant, Quick, Thorough, Exhaustive };
enum class Stage : uint8_t { Portable, Scheduled, Simt, Llvm, Assembly };

struct Environment {
  std::vector<std::string> backends;    ///< PANTILE_BACKEND, comma list
  std::vector<std::string> pluginPaths; ///< PANTILE_PLUGIN_PATH, colon list
  std::string cacheDir;                 ///< PANTILE_CACHE_DIR; empty: not set
  std::vector<std::string> configPaths; ///< PANTILE_CONFIG_PATH, colon list
  std::optional<TuneMode> tune;         ///< PANTILE_TUNE
  bool interpret = false;               ///< PANTILE_INTERPRET
  std::vector<Stage> print;             ///< PANTILE_PRINT
  std::string repro;                    ///< PANTILE_REPRO: a folder; empty: none
  std::optional<pantile_log_level> log; ///< PANTILE_LOG
  std::optional<uint32_t> threads;      ///< PANTILE_THREADS
  /// $XDG_CACHE_HOME/pantile, or $HOME/.cache/pantile; empty where neither is an absolute path.
  std::string userCache;
};

/// An unknown value is an error that names the variable and lists the known values.
Expected<Environment> readEnvironment();

Expected<std::vector<std::string>> parseBackends(std::string_view text);
Expected<std::vector<std::string>> parseFolders(std::string_view text, std::string_view name);
Expected<TuneMode> parseTuneMode(std::string_view text);
Expected<Stage> parseStage(std::string_view text);
std::string_view name(Stage stage); ///< as the ABI spells it: "assembly"
std::vector<std::string> split(std::string_view text, char separator);

} // namespace pantile

#endif // PANTILE_RUNTIME_ENVIRONMENT_H
