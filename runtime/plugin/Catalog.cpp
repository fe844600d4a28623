//===- runtime/plugin/Catalog.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/plugin/Catalog.h"

#include "core/Sanitizer.h"
#include "runtime/Paths.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sodium.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace pantile {

namespace {

constexpr const char *kSanitizerNames[] = {"none", "address", "thread"};

/// Splits "libpantile_<name>_<half>.so"; false for other files.
bool readFileName(std::string_view file, std::string &name, std::string &half) {
  constexpr std::string_view prefix = "libpantile_", suffix = ".so";
  if (!file.starts_with(prefix) || !file.ends_with(suffix)) return false;
  file = file.substr(prefix.size(), file.size() - prefix.size() - suffix.size());
  if (file == "interpreter") {
    name = half = "interpreter";
    return true;
  }
  for (std::string_view ending : {"_device", "_compiler"})
    if (file.ends_with(ending) && file.size() > ending.size()) {
      name = file.substr(0, file.size() - ending.size());
      half = ending.substr(1);
      return true;
    }
  return false;
}

/// An object of texts and lists of texts. Read without a document: destroying one allocates, and must not.
struct FlatObject : nlohmann::json_sax<nlohmann::json> {
  std::map<std::string, std::vector<std::string>> members;
  std::string current;
  int depth = 0;
  bool inList = false;
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t) override { return false; }
  bool number_float(number_float_t, const string_t &) override { return false; }
  bool string(string_t &text) override {
    if (depth != 1) return false;
    members[current].push_back(std::move(text));
    return true;
  }
  bool binary(binary_t &) override { return false; }
  bool start_object(size_t) override { return depth++ == 0; }
  bool key(string_t &text) override {
    current = std::move(text);
    return members.size() < 64;
  }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return depth == 1 && !std::exchange(inList, true); }
  bool end_array() override {
    inList = false;
    return true;
  }
  bool parse_error(size_t, const std::string &, const nlohmann::detail::exception &) override { return false; }
};

Status checkManifest(const Manifest &manifest, const PluginFile &file) {
  if (manifest.name != file.name || manifest.half != file.half)
    return {PANTILE_DATA_ERROR, fmt::format("its manifest is that of {}_{}", manifest.name, manifest.half)};
  if (manifest.abiMajor != PANTILE_ABI_MAJOR)
    return Status(PANTILE_UNSUPPORTED, fmt::format("it was built for ABI {}.{}, this is {}.{}", manifest.abiMajor, manifest.abiMinor,
                                                   PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR))
        .withFix("build it against this version's plugin.h");
  if (manifest.sanitizer != kSanitizer)
    return Status(PANTILE_UNSUPPORTED, fmt::format("it was built with sanitizer '{}', this with '{}'", kSanitizerNames[manifest.sanitizer],
                                                   kSanitizerNames[kSanitizer]))
        .withFix("build both alike");
  return {};
}

Status examine(PluginFile &file) {
  PANTILE_RETURN_IF_ERROR(trustedPath(file.path).status());
  PANTILE_ASSIGN(file.manifest, readManifest(file.path.substr(0, file.path.size() - 3) + ".manifest"));
  return checkManifest(file.manifest, file);
}

void scan(const std::string &folder, std::vector<PluginFile> &plugins) {
  auto trusted = trustedPath(folder);
  if (!trusted) {
    if (trusted.status().code() != PANTILE_NOT_FOUND) plugins.push_back({"", "", folder, {}, false, trusted.status()});
    return;
  }
  Descriptor opened(open(trusted->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return;
  auto names = namesIn(opened.get());
  std::sort(names.begin(), names.end());
  for (const auto &entry : names) {
    PluginFile file;
    if (entry == "pantile-compiler.manifest") {
      auto manifest = readManifest(*trusted + "/" + entry);
      if (!manifest) continue;
      for (const auto &inside : manifest->contains) {
        file.name = inside;
        file.half = inside == "interpreter" ? "interpreter" : "compiler";
        file.path = *trusted + "/pantile-compiler";
        file.manifest = *manifest;
        file.builtIn = true;
        if (manifest->sanitizer != kSanitizer) file.problem = {PANTILE_UNSUPPORTED, "the helper program was built with another sanitizer"};
        plugins.push_back(file);
      }
      continue;
    }
    if (!readFileName(entry, file.name, file.half)) continue;
    file.path = *trusted + "/" + entry;
    file.problem = examine(file);
    plugins.push_back(std::move(file));
  }
}

} // namespace

Expected<std::string> checksumOfFile(const std::string &path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return Status(PANTILE_IO_ERROR, fmt::format("'{}': {}", path, systemError(errno)));
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<unsigned char> buffer(1 << 18);
  while (ssize_t got = read(file.get(), buffer.data(), buffer.size())) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status(PANTILE_IO_ERROR, fmt::format("'{}': {}", path, systemError(errno)));
    crypto_hash_sha256_update(&state, buffer.data(), size_t(got));
  }
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(&state, digest);
  std::string text;
  for (unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

Expected<Manifest> readManifest(const std::string &path) {
  auto text = readFile(path, 1 << 16);
  if (!text) {
    if (text.status().code() == PANTILE_NOT_FOUND)
      return Status(PANTILE_NOT_FOUND, "it has no manifest beside it")
          .withFix("write one: cmake -DLIBRARY=<the .so> -P PluginManifest.cmake");
    return std::move(text).status();
  }
  FlatObject object;
  const bool parsed = nlohmann::json::sax_parse(*text, &object);
  auto bad = [](std::string_view what) { return Status(PANTILE_DATA_ERROR, fmt::format("its manifest is malformed: {}", what)); };
  if (!parsed) return bad("no JSON object of texts and lists of texts");
  auto member = [&](const char *key) -> std::string {
    auto found = object.members.find(key);
    return found != object.members.end() && found->second.size() == 1 ? found->second[0] : "";
  };
  Manifest manifest;
  manifest.name = member("name");
  manifest.half = member("half");
  manifest.checksum = member("checksum");
  std::string sanitizer = member("sanitizer"), abi = member("abi");
  if (manifest.name.empty() || manifest.half.empty()) return bad("no \"name\" or \"half\"");
  if (manifest.checksum.size() != 64) return bad("\"checksum\" is no SHA-256");
  auto known = std::find(std::begin(kSanitizerNames), std::end(kSanitizerNames), sanitizer);
  if (known == std::end(kSanitizerNames)) return bad("\"sanitizer\" is none of none, address, thread");
  manifest.sanitizer = uint32_t(known - kSanitizerNames);
  char rest;
  if (sscanf(abi.c_str(), "%u.%u%c", &manifest.abiMajor, &manifest.abiMinor, &rest) != 2) return bad("\"abi\" is no \"major.minor\"");
  manifest.contains = std::move(object.members["contains"]);
  return manifest;
}

std::vector<PluginFile> findPlugins(const std::vector<std::string> &folders) {
  std::vector<PluginFile> plugins;
  for (const auto &folder : folders) scan(folder, plugins);
  for (size_t i = 0; i < plugins.size(); ++i)
    for (size_t j = 0; j < i && plugins[i].problem.isOk(); ++j)
      if (plugins[j].problem.isOk() && plugins[j].name == plugins[i].name && plugins[j].half == plugins[i].half)
        plugins[i].problem = {PANTILE_UNSUPPORTED, fmt::format("'{}' was found before it", plugins[j].path)};
  std::sort(plugins.begin(), plugins.end(),
            [](const PluginFile &a, const PluginFile &b) { return std::tie(a.name, a.half, a.path) < std::tie(b.name, b.half, b.path); });
  return plugins;
}

Expected<PluginFile> findPlugin(const std::vector<PluginFile> &plugins, const std::string &name, const std::string &half) {
  std::string found, present;
  for (const auto &plugin : plugins) {
    if (plugin.half != half) continue;
    if (plugin.name == name && plugin.problem.isOk()) return plugin;
    if (plugin.name == name)
      found += fmt::format("{}{}: {}", found.empty() ? "" : "\n", plugin.path, plugin.problem.text());
    else if (plugin.problem.isOk())
      present += (present.empty() ? "" : ", ") + plugin.name;
  }
  if (!found.empty()) return Status(PANTILE_UNAVAILABLE, fmt::format("the {} half of '{}' cannot be used", half, name)).withCause(found);
  return Status(PANTILE_NOT_FOUND,
                fmt::format("there is no {} half of a backend '{}'; present: {}", half, name, present.empty() ? "none" : present))
      .withFix("install its plugin beside libpantile, or name its folder in PANTILE_PLUGIN_PATH");
}

} // namespace pantile
