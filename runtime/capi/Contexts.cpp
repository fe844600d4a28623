//===- runtime/capi/Contexts.cpp - contexts and their options -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/capi/Handles.h"

#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace pantile;
using namespace pantile::capi;

namespace pantile::capi {

Expected<Settings> settingsFrom(const pantile_context_options *given) {
  pantile_context_options options{};
  if (given) {
    if (given->struct_size < sizeof(uint32_t) * 2)
      return Status(PANTILE_INVALID_ARGUMENT, "pantile_context_options.struct_size is not set")
          .withFix("set it to sizeof(pantile_context_options), and zero the rest");
    std::memcpy(&options, given, std::min<size_t>(given->struct_size, sizeof(options)));
  }
  PANTILE_ASSIGN(Environment environment, readEnvironment());
  auto text = [](const char *option) { return option && *option ? std::string(option) : std::string(); };
  Settings settings;
  settings.backends = environment.backends;
  if (auto list = text(options.backend); !list.empty()) { PANTILE_ASSIGN(settings.backends, parseBackends(list)); }
  const std::string own = ownFolder();
  if (!own.empty()) {
    // Beside the library, or in the tree that an installation and a build have: lib/libpantile.so, lib/pantile/.
    settings.pluginFolders = {own + "/pantile", own};
    settings.helperFolder = own + "/pantile";
  }
  settings.pluginFolders.insert(settings.pluginFolders.end(), environment.pluginPaths.begin(), environment.pluginPaths.end());
  PANTILE_ASSIGN(auto more, parseFolders(text(options.plugin_path), "the option plugin_path"));
  settings.pluginFolders.insert(settings.pluginFolders.end(), more.begin(), more.end());
  if (auto folder = text(options.helper_dir); !folder.empty()) settings.helperFolder = folder;
  if (settings.helperFolder.empty() || settings.helperFolder[0] != '/')
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the folder of helper programs '{}' is not absolute", settings.helperFolder))
        .withFix("give the option helper_dir an absolute path");
  settings.cacheRoot = environment.cacheDir.empty() ? environment.userCache : environment.cacheDir;
  if (auto folder = text(options.cache_dir); !folder.empty()) settings.cacheRoot = folder;
  if (!settings.cacheRoot.empty() && settings.cacheRoot[0] != '/')
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the option cache_dir is the relative folder '{}'", settings.cacheRoot))
        .withFix("give an absolute folder");
  settings.configPaths = environment.configPaths;
  PANTILE_ASSIGN(auto roots, parseFolders(text(options.config_path), "the option config_path"));
  settings.configPaths.insert(settings.configPaths.begin(), roots.begin(), roots.end());
  if (options.tune > PANTILE_TUNE_EXHAUSTIVE)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the option tune is {}", options.tune)).withFix("use a pantile_tune_mode");
  settings.tune = options.tune ? TuneMode(options.tune) : environment.tune.value_or(TuneMode::Instant);
  settings.neverCompile = options.never_compile;
  settings.interpret = options.interpret || environment.interpret;
  settings.threads = options.threads ? std::optional(options.threads) : environment.threads;
  if (options.artifact_cache_bytes) settings.artifactBytes = options.artifact_cache_bytes;
  settings.print = environment.print;
  settings.repro = environment.repro;
  settings.logLevel = options.log_level ? pantile_log_level(std::min<uint32_t>(options.log_level - 1, PANTILE_LOG_OFF))
                                        : environment.log.value_or(PANTILE_LOG_WARNING);
  settings.log = options.log;
  settings.logUser = options.log_user;
  return settings;
}

} // namespace pantile::capi

extern "C" {

pantile_code pantile_context_create(const pantile_context_options *options, pantile_context **context, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!context) return missing("context");
    *context = nullptr;
    PANTILE_ASSIGN(auto settings, settingsFrom(options));
    PANTILE_ASSIGN(auto made, Context::create(std::move(settings)));
    *context = new pantile_context{std::move(made)};
    return {};
  });
}

void pantile_context_release(pantile_context *context) { delete context; }

const char *pantile_context_backend(const pantile_context *context) { return context ? context->context->backend().c_str() : ""; }

pantile_code pantile_context_describe(pantile_context *context, pantile_string **json, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!context || !json) return missing(context ? "json" : "context");
    const auto &info = context->context->device->info();
    nlohmann::json properties = nlohmann::json::object();
    for (uint32_t i = 0; i < info.property_count; ++i)
      if (info.properties[i].text)
        properties[info.properties[i].name] = info.properties[i].text;
      else
        properties[info.properties[i].name] = info.properties[i].integer;
    nlohmann::json object = {{"backend", context->context->backend()},
                             {"name", info.name},
                             {"target", info.target},
                             {"hardware", info.hardware},
                             {"uuid", info.uuid},
                             {"ordinal", info.ordinal},
                             {"memory_bytes", info.memory_bytes},
                             {"properties", properties},
                             {"cache", context->context->settings.cacheRoot},
                             {"compiler_build", context->context->compilerBuild()}};
    *json = new pantile_string{object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
    return {};
  });
}

DLDevice pantile_context_device(const pantile_context *context) { return context ? context->context->dlpack() : DLDevice{kDLCPU, 0}; }

pantile_code pantile_context_set_threads(pantile_context *context, uint32_t threads, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!context) return missing("context");
    PANTILE_RETURN_IF_ERROR(context->context->checkUsable());
    return context->context->device->setThreads(threads);
  });
}

pantile_code pantile_list_backends(const pantile_context_options *options, pantile_string **json, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!json) return missing("json");
    PANTILE_ASSIGN(auto settings, settingsFrom(options));
    *json = new pantile_string{describeBackends(settings)};
    return {};
  });
}

} // extern "C"
