//===- runtime/dispatch/Context.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Context.h"

#include "runtime/emulation/Emulation.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pthread.h>
#include <thread>

namespace pantile {

namespace {

std::atomic<unsigned> forks{0};
const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });

/// Which device "name", "name:3" or "name:target" means, "target" being the arch that a device says to compile for.
Expected<uint32_t> ordinalOf(const LoadedPlugin &plugin, const std::string &wanted) {
  const size_t colon = wanted.find(':');
  if (colon == wanted.npos) return 0u;
  const std::string which = wanted.substr(colon + 1);
  uint32_t ordinal = 0;
  auto [end, problem] = std::from_chars(which.data(), which.data() + which.size(), ordinal);
  if (problem == std::errc() && end == which.data() + which.size()) return ordinal;
  uint32_t count = 0;
  pantile_message *message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(plugin.device->count(&count, &message), message, "its devices cannot be counted"));
  std::string present;
  for (uint32_t i = 0; i < count; ++i) {
    PANTILE_ASSIGN(auto info, Device::describe(plugin, i));
    const std::string target = info.target, arch = target.substr(0, target.find(':'));
    if (arch == which) return i;
    present += fmt::format("{}{} ({})", present.empty() ? "" : ", ", i, arch);
  }
  return Status(PANTILE_NOT_FOUND, fmt::format("there is no {}, its devices are: {}", wanted, present.empty() ? "none" : present));
}

/// Best first: devices of their own, then the host itself, then what only imitates a device.
int rank(const LoadedPlugin &plugin) {
  auto info = Device::describe(plugin, 0);
  if (!info) return 3;
  for (uint32_t i = 0; i < info->property_count; ++i)
    if (info->properties[i].name && std::string_view(info->properties[i].name) == "emulated") return 2;
  return info->dlpack_device_type == kDLCPU ? 1 : 0;
}

struct Opened {
  LoadedPlugin plugin;
  int rank;
};

Expected<std::unique_ptr<Device>> openDevice(const Settings &settings, const std::vector<PluginFile> &plugins) {
  std::map<std::string, Status> reasons; ///< by what was asked for, or by plugin
  auto note = [&](const std::string &name, Status status) { reasons.emplace(name, std::move(status)); };
  if (!settings.backends.empty()) {
    for (const auto &wanted : settings.backends) {
      if (isEmulated(wanted)) {
        auto device = openEmulated(wanted.substr(std::min(wanted.size(), kEmulatedBackend.size() + 1)), settings.helperFolder,
                                   settings.pluginFolders);
        if (device) return device;
        note(wanted, device.status());
        continue;
      }
      auto file = findPlugin(plugins, wanted.substr(0, wanted.find(':')), "device");
      Status why = file.status();
      if (file) {
        auto plugin = loadPlugin(*file);
        why = plugin.status();
        auto ordinal = plugin ? ordinalOf(*plugin, wanted) : Expected<uint32_t>(why);
        if (plugin && !ordinal) why = ordinal.status();
        if (plugin && ordinal) {
          auto device = Device::open(*std::move(plugin), *ordinal);
          if (device) return device;
          why = device.status();
        }
      }
      note(wanted, why);
    }
  } else {
    std::vector<Opened> found;
    for (const auto &file : plugins) {
      if (file.half != "device") continue;
      if (!file.problem.isOk()) {
        note(file.name, file.problem);
        continue;
      }
      auto plugin = loadPlugin(file);
      if (!plugin) {
        note(file.name, plugin.status());
        continue;
      }
      int order = rank(*plugin);
      found.push_back({*std::move(plugin), order});
    }
    for (int order = 0; order <= 3; ++order)
      for (auto &candidate : found) {
        if (candidate.rank != order) continue;
        std::string name = candidate.plugin.name;
        auto device = Device::open(std::move(candidate.plugin), 0);
        if (device) return device;
        note(name, device.status());
      }
  }
  // What there is, and of all that is not usable why. Only here, where nothing works, everything is opened to see.
  std::string present;
  for (const auto &file : plugins) {
    if (file.half != "device" && !file.half.empty()) continue;
    const std::string name = file.name.empty() ? file.path : file.name;
    Status problem = file.problem;
    if (problem.isOk()) {
      auto plugin = loadPlugin(file);
      problem = plugin ? Device::describe(*plugin, 0).status() : plugin.status();
    }
    if (problem.isOk())
      present += (present.empty() ? "" : ", ") + name;
    else
      note(name, std::move(problem));
  }
  std::string wanted, cause;
  for (const auto &name : settings.backends) wanted += (wanted.empty() ? "" : ",") + name;
  for (const auto &[name, status] : reasons)
    cause += fmt::format("{}{}: {}{}{}", cause.empty() ? "" : "\n", name, status.text(),
                         status.cause().empty() ? "" : " (" + status.cause() + ")", status.fix().empty() ? "" : "; " + status.fix());
  return Status(PANTILE_NOT_FOUND,
                wanted.empty() ? fmt::format("no backend can be used; there is: {}", present.empty() ? "none" : present)
                               : fmt::format("backend '{}' cannot be used; there is: {}", wanted, present.empty() ? "none" : present))
      .withCause(cause)
      .withFix(present.empty() ? "install a backend's plugin beside libpantile, or name its folder in PANTILE_PLUGIN_PATH"
                               : "set PANTILE_BACKEND to one of: " + present);
}

} // namespace

unsigned forkGeneration() noexcept { return forks.load(std::memory_order_relaxed); }

Context::Context(Settings given)
    : settings(std::move(given)), log(settings.logLevel, settings.log, settings.logUser), generation(forkGeneration()) {}

Expected<std::unique_ptr<Context>> Context::create(Settings settings) {
  auto context = std::unique_ptr<Context>(new Context(std::move(settings)));
  const Settings &s = context->settings;
  setHostLog(&context->log);
  context->plugins = findPlugins(s.pluginFolders);
  for (const auto &plugin : context->plugins)
    if (!plugin.problem.isOk()) context->log.info(fmt::format("{} is not used: {}", plugin.path, plugin.problem.text()));
  PANTILE_ASSIGN(context->device, openDevice(s, context->plugins));
  if (s.threads) {
    Status status = context->device->setThreads(*s.threads);
    if (!status.isOk() && status.code() != PANTILE_UNSUPPORTED) return status;
  }
  context->defaultStream = std::unique_ptr<Stream>(new Stream{*context->device});
  context->artifacts =
      std::make_unique<ArtifactCache>(s.cacheRoot.empty() ? "" : s.cacheRoot + "/artifacts", s.artifactBytes, context->log);
  tuner::CacheOptions options;
  options.named = s.configPaths;
  if (!s.cacheRoot.empty()) options.user = s.cacheRoot + "/configurations";
  options.system = {s.helperFolder + "/configurations", "/etc/pantile/configurations"};
  options.warn = [log = &context->log](const std::string &text) { log->warn(text); };
  options.warnUser = [log = &context->log](const std::string &text) { log->warnOnce(kCacheWarning, text); };
  context->roots = options.named;
  if (!options.user.empty()) context->roots.push_back(options.user);
  context->roots.insert(context->roots.end(), options.system.begin(), options.system.end());
  context->configurations = std::make_unique<tuner::ConfigurationCache>(std::move(options));
  if (auto file = findPlugin(context->plugins, context->device->text("compiler", context->backend()), "compiler"))
    context->build = file->manifest.checksum;
  context->compiler = std::make_unique<CompilerClient>(s.helperFolder, s.pluginFolders, std::max(2u, std::thread::hardware_concurrency()));
  return context;
}

Context::~Context() {
  clearHostLog(&log);
  if (usable()) {
    if (device && defaultStream) (void)device->synchronize(nullptr);
    return;
  }
  // A forked child frees memory and leaves devices and helpers to its parent.
  if (compiler) compiler->processes().abandon();
  if (defaultStream) defaultStream->workspaces.abandon();
  if (device) device->abandon();
}

Status Context::checkUsable() const {
  if (usable()) return {};
  return Status(PANTILE_UNAVAILABLE, "this context was made before fork() and cannot be used in the child")
      .withFix("make a new context in the child");
}

std::string describeBackends(const Settings &settings) {
  auto list = nlohmann::json::array();
  for (const auto &file : findPlugins(settings.pluginFolders)) {
    nlohmann::json row = {{"name", file.name}, {"half", file.half}, {"path", file.path}, {"usable", false}, {"reason", ""}};
    Status problem = file.problem;
    if (problem.isOk() && file.half == "device") {
      auto plugin = loadPlugin(file);
      problem = plugin.status();
      if (plugin) {
        row["build"] = plugin->buildId;
        uint32_t count = 0;
        pantile_message *message = nullptr;
        problem = statusOf(plugin->device->count(&count, &message), message, "its devices cannot be counted");
        auto devices = nlohmann::json::array();
        for (uint32_t i = 0; problem.isOk() && i < count; ++i) {
          auto info = Device::describe(*plugin, i);
          if (!info) {
            problem = info.status();
            break;
          }
          nlohmann::json properties = nlohmann::json::object();
          for (uint32_t p = 0; p < info->property_count; ++p)
            if (info->properties[p].text)
              properties[info->properties[p].name] = info->properties[p].text;
            else
              properties[info->properties[p].name] = info->properties[p].integer;
          devices.push_back({{"ordinal", i},
                             {"name", info->name},
                             {"target", info->target},
                             {"hardware", info->hardware},
                             {"memory_bytes", info->memory_bytes},
                             {"properties", properties}});
        }
        row["devices"] = devices;
      }
    }
    row["usable"] = problem.isOk();
    if (!problem.isOk()) {
      row["reason"] = problem.text();
      if (!problem.cause().empty()) row["cause"] = problem.cause();
      if (!problem.fix().empty()) row["fix"] = problem.fix();
    }
    list.push_back(std::move(row));
  }
  return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace pantile
