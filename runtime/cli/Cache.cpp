//===- runtime/cli/Cache.cpp - cache and doctor ---------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/Environment.h"
#include "runtime/Log.h"
#include "runtime/Paths.h"
#include "runtime/artifact/ArtifactCache.h"
#include "runtime/cli/Command.h"
#include "runtime/plugin/Catalog.h"
#include "tuner/ConfigurationCache.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace pantile::cli {

using nlohmann::json;

namespace {

struct Roots {
  Environment environment;
  std::string user;
};

Roots roots() {
  auto environment = readEnvironment();
  if (!environment) fail(environment.status());
  std::string user = environment->cacheDir.empty() ? environment->userCache : environment->cacheDir;
  return {*std::move(environment), user};
}

tuner::ConfigurationCache configurations(const Roots &roots) {
  tuner::CacheOptions options;
  options.named = roots.environment.configPaths;
  options.user = roots.user.empty() ? "" : roots.user + "/configurations";
  options.warn = [](const std::string &line) { fmt::print(stderr, "pantile: {}\n", line); };
  return tuner::ConfigurationCache(std::move(options));
}

} // namespace

void addCache(Program &program) {
  CLI::App *command = program.app.add_subcommand("cache", "the configuration cache (TOML) and the artifact cache");
  command->require_subcommand(1);

  command->add_subcommand("list", "every file of tuned configurations")->callback([&program] {
    program.run = [&program] {
      auto cache = configurations(roots());
      json all = json::array();
      for (const tuner::CacheListing &file : cache.list()) {
        all.push_back({{"path", file.path},
                       {"hardware", file.hardware},
                       {"kernel", file.kernel},
                       {"signature", file.signature},
                       {"entries", file.entries},
                       {"bytes", file.bytes},
                       {"problem", file.problem}});
        if (!program.json)
          fmt::print("{:<24} {:>5} shapes  {}{}\n", file.kernel, file.entries, file.path,
                     file.problem.empty() ? "" : "  NOT USED: " + file.problem);
      }
      if (program.json) fmt::print("{}\n", all.dump(2));
      return 0;
    };
  });

  auto shown = std::make_shared<std::string>();
  CLI::App *show = command->add_subcommand("show", "the text of files by kernel, path or tuning key");
  show->add_option("name", *shown)->required();
  show->callback([&program, shown] {
    program.run = [&program, shown] {
      auto text = configurations(roots()).show(*shown);
      if (!text) fail(text.status());
      if (program.json)
        fmt::print("{}\n", json{{"text", *text}}.dump(2));
      else
        fmt::print("{}", *text);
      return 0;
    };
  });

  auto merged = std::make_shared<std::vector<std::string>>();
  CLI::App *merge = command->add_subcommand("merge", "merges files or whole roots into the user's");
  merge->add_option("paths", *merged)->required();
  merge->callback([&program, merged] {
    program.run = [&program, merged] {
      auto cache = configurations(roots());
      json all = json::array();
      bool problems = false;
      for (const std::string &path : *merged) {
        auto report = cache.merge(path);
        if (!report) fail(report.status());
        all.push_back({{"path", path},
                       {"files", report->files},
                       {"added", report->added},
                       {"replaced", report->replaced},
                       {"kept", report->kept},
                       {"problems", report->problems}});
        if (!program.json)
          fmt::print("{}: {} files, {} entries added, {} replaced, {} kept\n", path, report->files, report->added, report->replaced,
                     report->kept);
        for (const std::string &problem : report->problems) fmt::print(stderr, "pantile: left out: {}\n", problem);
        problems |= !report->problems.empty();
      }
      if (program.json) fmt::print("{}\n", all.dump(2));
      return problems ? 1 : 0;
    };
  });

  command->add_subcommand("clear", "removes compiled code (tuned configurations stay)")->callback([&program] {
    program.run = [&program] {
      Roots where = roots();
      if (where.user.empty()) throw Failure{2, "there is no cache folder: set PANTILE_CACHE_DIR, XDG_CACHE_HOME or HOME"};
      Log log;
      ArtifactCache cache(where.user + "/artifacts", uint64_t(1) << 40, log);
      auto before = cache.statistics();
      cache.clear();
      if (program.json)
        fmt::print("{}\n", json{{"path", cache.path()}, {"entries", before.entries}, {"bytes", before.bytes}}.dump(2));
      else
        fmt::print("{}: {} entries, {} bytes removed\n", cache.path(), before.entries, before.bytes);
      return 0;
    };
  });
}

void addDoctor(Program &program) {
  program.app.add_subcommand("doctor", "looks for what is wrong with this installation")->callback([&program] {
    program.run = [&program] {
      json checks = json::array();
      bool good = true;
      auto report = [&](const std::string &what, const Status &status, const std::string &fine) {
        checks.push_back({{"check", what}, {"good", status.isOk()}, {"text", status.isOk() ? fine : status.message()}});
        if (!program.json) fmt::print("{:<5} {}: {}\n", status.isOk() ? "good" : "BAD", what, status.isOk() ? fine : status.message());
        good &= status.isOk();
      };
      auto environment = readEnvironment();
      report("environment variables", environment ? Status() : environment.status(), "all known");
      if (environment) {
        std::string helpers = ownFolder() + "/../lib/pantile";
        for (const char *helper : {"pantile-compiler", "pantile-worker"}) {
          auto path = trustedPath(helpers + "/" + helper);
          report(helper, path ? Status() : path.status(), path ? *path : "");
        }
        std::vector<std::string> folders{helpers};
        folders.insert(folders.end(), environment->pluginPaths.begin(), environment->pluginPaths.end());
        for (const PluginFile &plugin : findPlugins(folders))
          report("plugin " + plugin.name + ", " + plugin.half + " half", plugin.problem, plugin.path);
        std::string user = environment->cacheDir.empty() ? environment->userCache : environment->cacheDir;
        auto folder = user.empty()
                          ? Expected<Descriptor>(Status(PANTILE_NOT_FOUND, "there is none: set PANTILE_CACHE_DIR, XDG_CACHE_HOME or HOME"))
                          : openPrivateFolder(user);
        report("cache folder", folder ? Status() : folder.status(), user);
        pantile_context *context = nullptr;
        pantile_error *error = nullptr;
        pantile_code code = pantile_context_create(nullptr, &context, &error);
        report("default device", code ? Status(code, pantile_error_text(error)) : Status(), code ? "" : pantile_context_backend(context));
        pantile_error_release(error);
        pantile_context_release(context);
      }
      if (program.json) fmt::print("{}\n", checks.dump(2));
      return good ? 0 : 1;
    };
  });
}

} // namespace pantile::cli
