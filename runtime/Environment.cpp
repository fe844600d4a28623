//===- runtime/Environment.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/Environment.h"

#include <charconv>
#include <cstdlib>
#include <fmt/format.h>

namespace pantile {

namespace {

template <typename Value> struct Named {
  std::string_view name;
  Value value;
};
constexpr Named<TuneMode> kTuneModes[] = {{"off", TuneMode::Off},
                                          {"instant", TuneMode::Instant},
                                          {"quick", TuneMode::Quick},
                                          {"thorough", TuneMode::Thorough},
                                          {"exhaustive", TuneMode::Exhaustive}};
constexpr Named<Stage> kStages[] = {{"portable", Stage::Portable}, {"scheduled", Stage::Scheduled}, {"simt", Stage::Simt},
                                    {"llvm", Stage::Llvm},         {"asm", Stage::Assembly},        {"assembly", Stage::Assembly}};
constexpr Named<pantile_log_level> kLevels[] = {{"trace", PANTILE_LOG_TRACE},     {"debug", PANTILE_LOG_DEBUG}, {"info", PANTILE_LOG_INFO},
                                                {"warning", PANTILE_LOG_WARNING}, {"error", PANTILE_LOG_ERROR}, {"off", PANTILE_LOG_OFF}};
constexpr Named<bool> kFlags[] = {{"0", false}, {"1", true}, {"off", false}, {"on", true}, {"false", false}, {"true", true}};

template <typename Value, size_t N> Expected<Value> parse(const Named<Value> (&table)[N], std::string_view text, std::string_view what) {
  std::string known;
  for (const auto &row : table) {
    if (row.name == text) return row.value;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} '{}' is unknown", what, text)).withFix("use one of " + known);
}

std::string read(const char *variable) {
  const char *text = secure_getenv(variable);
  return text ? text : "";
}

} // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = text.find(separator);
    std::string_view part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

Expected<std::vector<std::string>> parseBackends(std::string_view text) {
  auto names = split(text, ',');
  for (const auto &name : names)
    for (char c : name)
      if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != ':')
        return Status(PANTILE_INVALID_ARGUMENT, fmt::format("'{}' is no backend's name", name))
            .withFix("write names of backends, each with an optional device by number or target: \"name\", \"name:1\", \"first,second\"");
  return names;
}

Expected<std::vector<std::string>> parseFolders(std::string_view text, std::string_view name) {
  auto folders = split(text, ':');
  for (const auto &folder : folders)
    if (folder[0] != '/')
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} names the relative folder '{}'", name, folder))
          .withFix("name absolute folders");
  return folders;
}

Expected<TuneMode> parseTuneMode(std::string_view text) { return parse(kTuneModes, text, "the tuning mode (PANTILE_TUNE)"); }
Expected<Stage> parseStage(std::string_view text) { return parse(kStages, text, "the stage"); }

std::string_view name(Stage stage) {
  static constexpr std::string_view names[] = {"portable", "scheduled", "simt", "llvm", "assembly"};
  return names[size_t(stage)];
}

Expected<Environment> readEnvironment() {
  Environment environment;
  PANTILE_ASSIGN(environment.backends, parseBackends(read("PANTILE_BACKEND")));
  PANTILE_ASSIGN(environment.pluginPaths, parseFolders(read("PANTILE_PLUGIN_PATH"), "PANTILE_PLUGIN_PATH"));
  PANTILE_ASSIGN(environment.configPaths, parseFolders(read("PANTILE_CONFIG_PATH"), "PANTILE_CONFIG_PATH"));
  environment.cacheDir = read("PANTILE_CACHE_DIR");
  environment.repro = read("PANTILE_REPRO");
  for (auto [variable, folder] : {std::pair("PANTILE_CACHE_DIR", &environment.cacheDir), std::pair("PANTILE_REPRO", &environment.repro)})
    if (!folder->empty() && folder->front() != '/')
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} is the relative folder '{}'", variable, *folder))
          .withFix("name an absolute folder");
  if (auto text = read("PANTILE_TUNE"); !text.empty()) { PANTILE_ASSIGN(environment.tune, parseTuneMode(text)); }
  if (auto text = read("PANTILE_INTERPRET"); !text.empty()) {
    PANTILE_ASSIGN(environment.interpret, parse(kFlags, text, "PANTILE_INTERPRET"));
  }
  for (const auto &text : split(read("PANTILE_PRINT"), ',')) {
    PANTILE_ASSIGN(Stage stage, parse(kStages, text, "the stage in PANTILE_PRINT"));
    environment.print.push_back(stage);
  }
  if (auto text = read("PANTILE_LOG"); !text.empty()) { PANTILE_ASSIGN(environment.log, parse(kLevels, text, "PANTILE_LOG")); }
  if (auto text = read("PANTILE_THREADS"); !text.empty()) {
    uint32_t threads = 0;
    auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), threads);
    if (problem != std::errc() || end != text.data() + text.size() || threads > 4096)
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("PANTILE_THREADS is '{}'", text)).withFix("give a number from 0 (all) to 4096");
    environment.threads = threads;
  }
  if (auto folder = read("XDG_CACHE_HOME"); !folder.empty() && folder[0] == '/')
    environment.userCache = folder + "/pantile";
  else if (auto home = read("HOME"); !home.empty() && home[0] == '/')
    environment.userCache = home + "/.cache/pantile";
  return environment;
}

} // namespace pantile
