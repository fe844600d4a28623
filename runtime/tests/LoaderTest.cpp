//===- runtime/tests/LoaderTest.cpp - every wrong plugin is a listed reason ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/plugin/Loader.h"

#include "runtime/tests/Fixture.h"

#include <dlfcn.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

using namespace pantile;
using pantile::test::Folder;
namespace fs = std::filesystem;

namespace {

std::string variant(const std::string &name) { return std::string(PANTILE_TEST_BAD_PLUGINS) + "/" + name; }

/// What is said of the one plugin in a folder; "" where it loads.
std::string reason(const std::string &folder) {
  auto plugins = findPlugins({folder});
  if (plugins.size() != 1) return std::to_string(plugins.size()) + " plugins";
  auto loaded = loadPlugin(plugins[0]);
  return loaded ? "" : loaded.status().text();
}

#define EXPECT_SAYS(text, part)                                                                                                            \
  do {                                                                                                                                     \
    const std::string spoken = (text);                                                                                                     \
    EXPECT_NE(spoken.find(part), std::string::npos) << "said: " << spoken;                                                                 \
  } while (false)

bool isLoaded(const std::string &path) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle) dlclose(handle);
  return handle;
}

TEST(Loader, LoadsAGoodOne) {
  auto plugins = findPlugins({variant("good")});
  ASSERT_EQ(plugins.size(), 2u);
  EXPECT_EQ(plugins[0].half, "compiler");
  auto loaded = loadPlugin(plugins[1]);
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->name, "fake");
  EXPECT_EQ(loaded->buildId, "fake-device-1");
  EXPECT_TRUE(loaded->device && !loaded->compiler);
}

TEST(Loader, Versions) {
  EXPECT_SAYS(reason(variant("major")), "ABI is 2.0, this is 1.0");
  EXPECT_EQ(reason(variant("newer")), ""); // of a later minor version: longer tables
  EXPECT_SAYS(reason(variant("short")), "its table has 40 bytes, at least 72");
  EXPECT_SAYS(reason(variant("short_table")), "its table 'pantile.device' has 48 bytes, at least 184");
  EXPECT_SAYS(reason(variant("null")), "does not serve ABI 1.0");
}

TEST(Loader, Sanitizers) { EXPECT_SAYS(reason(variant("sanitized")), "another sanitizer"); }

TEST(Loader, MissingSymbol) { EXPECT_SAYS(reason(variant("symbolless")), "pantile_plugin_query"); }

TEST(Loader, WrongName) { EXPECT_SAYS(reason(variant("misnamed")), "it calls itself 'somebody', its file 'fake'"); }

TEST(Loader, MissingEntriesAreStubs) {
  auto plugins = findPlugins({variant("good")});
  auto loaded = loadPlugin(plugins[1]);
  ASSERT_TRUE(loaded);
  pantile_stream_handle *stream = nullptr;
  EXPECT_EQ(loaded->device->stream_wrap(nullptr, nullptr, &stream, nullptr), PANTILE_UNIMPLEMENTED);
}

class Copied : public ::testing::Test {
protected:
  void SetUp() override {
    for (const char *ending : {".so", ".manifest"})
      fs::copy_file(variant("good") + "/libpantile_fake_device" + ending, folder / ("libpantile_fake_device" + std::string(ending)));
  }
  void writeManifest(const std::string &text) { std::ofstream(folder / "libpantile_fake_device.manifest") << text; }
  std::string manifest() {
    std::ifstream in(folder / "libpantile_fake_device.manifest");
    return std::string((std::istreambuf_iterator<char>(in)), {});
  }
  Folder folder;
  std::string library = folder / "libpantile_fake_device.so";
};

TEST_F(Copied, LoadsAsItIs) { EXPECT_EQ(reason(folder.path), ""); }

TEST_F(Copied, ChangedLibrariesAreNotOpened) {
  std::ofstream(library, std::ios::app) << "x";
  EXPECT_SAYS(reason(folder.path), "its checksum is not its manifest's");
  EXPECT_FALSE(isLoaded(library));
}

TEST_F(Copied, NoManifest) {
  fs::remove(folder / "libpantile_fake_device.manifest");
  EXPECT_SAYS(reason(folder.path), "no manifest");
  EXPECT_FALSE(isLoaded(library));
}

TEST_F(Copied, WrongManifests) {
  const std::string good = manifest();
  auto with = [&](const char *key, const char *value) {
    auto json = nlohmann::json::parse(good);
    json[key] = value;
    return json.dump();
  };
  for (auto [text, part] : {std::pair<std::string, const char *>("{", "malformed"),
                            {"[]", "malformed"},
                            {with("abi", "2.0"), "built for ABI 2.0"},
                            {with("abi", "new"), "\"abi\""},
                            {with("name", "other"), "manifest is that of other_device"},
                            {with("checksum", "12"), "SHA-256"},
                            {with("sanitizer", "thread"), "sanitizer 'thread'"},
                            {with("sanitizer", "soap"), "sanitizer"},
                            {std::string(100000, ' '), "at most"}}) {
    writeManifest(text);
    if (std::string(part) == "sanitizer 'thread'" && nlohmann::json::parse(good)["sanitizer"] == "thread") continue;
    EXPECT_SAYS(reason(folder.path), part);
  }
  EXPECT_FALSE(isLoaded(library));
}

TEST_F(Copied, NotALibrary) {
  std::ofstream(library, std::ios::trunc) << "#!/bin/sh\necho hello\n";
  auto json = nlohmann::json::parse(manifest());
  json["checksum"] = *checksumOfFile(library);
  writeManifest(json.dump());
  EXPECT_NE(reason(folder.path), "");
}

TEST_F(Copied, OpenPermissionsAreRefused) {
  chmod(library.c_str(), 0777);
  EXPECT_SAYS(reason(folder.path), "may be written by others");
  chmod(library.c_str(), 0755);
  chmod(folder.path.c_str(), 0777);
  EXPECT_SAYS(reason(folder.path), "may be written by others");
  chmod(folder.path.c_str(), 0700);
  EXPECT_EQ(reason(folder.path), "");
  if (geteuid() == 0) {
    ASSERT_EQ(chown(library.c_str(), 12345, 12345), 0);
    EXPECT_SAYS(reason(folder.path), "belongs to user 12345");
  }
}

TEST_F(Copied, FirstFolderWins) {
  auto plugins = findPlugins({folder.path, variant("good")});
  ASSERT_EQ(plugins.size(), 3u);
  auto first = findPlugin(plugins, "fake", "device");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path, fs::canonical(library).string());
  int shadowed = 0;
  for (const auto &plugin : plugins)
    if (!plugin.problem.isOk()) {
      EXPECT_SAYS(plugin.problem.text(), "was found before it");
      ++shadowed;
    }
  EXPECT_EQ(shadowed, 1);
}

TEST(Loader, TheCurrentFolderIsNeverSearched) {
  const auto before = fs::current_path();
  fs::current_path(variant("good"));
  EXPECT_FALSE(findPlugins({"."})[0].problem.isOk());
  EXPECT_FALSE(findPlugins({"relative/folder"})[0].problem.isOk());
  EXPECT_TRUE(findPlugins({"/nonexistent"}).empty());
  fs::current_path(before);
}

TEST(Loader, ReasonsAreListed) {
  std::string folders = variant("good") + ":" + variant("major");
  pantile_context_options options{};
  options.struct_size = sizeof(options);
  options.plugin_path = folders.c_str();
  options.helper_dir = PANTILE_TEST_HELPERS;
  options.cache_dir = "/nonexistent";
  pantile_string *json = nullptr;
  pantile_error *error = nullptr;
  ASSERT_EQ(pantile_list_backends(&options, &json, &error), PANTILE_OK) << test::take(error);
  auto list = nlohmann::json::parse(pantile_string_data(json));
  pantile_string_release(json);
  bool good = false, bad = false;
  for (const auto &row : list) {
    if (row["name"] != "fake" || row["half"] != "device") continue;
    if (row["usable"])
      good = row["devices"][0]["name"] == "a fake device";
    else
      bad = !row["reason"].get<std::string>().empty();
  }
  EXPECT_TRUE(good);
  EXPECT_TRUE(bad);
}

} // namespace
