//===- tests/robustness/BackendsTest.cpp - backends that are not there ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Unknown names, missing plugins, plugins of another version, an installation without plugins or helpers: by the command line,
// on this build's libraries or on a copy of them that lacks something.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/Command.h"

#include <nlohmann/json.hpp>

using namespace pantile::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

class Backends : public CommandLine {
protected:
  const std::vector<std::string> run{"run", "relu", "--shape=n=100"};

  /// A copy of the installation, by links where the loader allows them: bin/pantile, lib/libpantile.so*, and of lib/pantile what
  /// `wanted` says.
  template <typename Wanted> void installation(Wanted wanted) {
    const fs::path build = fs::path(PANTILE_TEST_PROGRAM).parent_path().parent_path(), tree = folder / "tree";
    fs::create_directories(tree / "bin");
    fs::create_directories(tree / "lib" / "pantile");
    fs::copy_file(build / "bin" / "pantile", tree / "bin" / "pantile");
    for (const auto &entry : fs::directory_iterator(build / "lib"))
      if (entry.path().filename().string().starts_with("libpantile.so"))
        fs::copy_file(fs::canonical(entry.path()), tree / "lib" / entry.path().filename());
    for (const auto &entry : fs::directory_iterator(build / "lib" / "pantile"))
      if (wanted(entry.path().filename().string())) fs::copy_file(entry.path(), tree / "lib" / "pantile" / entry.path().filename());
    program = tree / "bin" / "pantile";
    environment["LD_LIBRARY_PATH"] = tree / "lib";
  }
};

TEST_F(Backends, UnknownNameListsThoseThatAreThereAndWhyOthersAreAbsent) {
  environment["PANTILE_BACKEND"] = "warp_drive";
  environment["PANTILE_PLUGIN_PATH"] = std::string(PANTILE_TEST_BAD_PLUGINS) + "/major";
  // What is present by name, what is absent with its reason, what to write.
  expectError(run, 2, {"'warp_drive'", "there is: cpu", "fake", "ABI is 2.0", "set PANTILE_BACKEND to one of: cpu"});
  environment.erase("PANTILE_PLUGIN_PATH");
  for (const char *bad : {"cpu:99", "cpu:", "cpu:x", "cpu:-1"}) {
    environment["PANTILE_BACKEND"] = bad;
    expectError(run, 2, {"cpu"});
  }
  for (const char *bad : {"CPU", "../cpu", "cpu;rm", "c p u"}) {
    environment["PANTILE_BACKEND"] = bad;
    expectError(run, 2, {bad, "name"});
  }
  // A list takes the first that can be used.
  environment["PANTILE_BACKEND"] = "warp_drive,cpu";
  EXPECT_EQ(pantile(run).exitCode, 0);
  auto by = run;
  by.push_back("--backend=warp_drive");
  expectError(by, 2, {"'warp_drive'"});
}

TEST_F(Backends, MissingPlugin) {
  // No device half.
  installation([](const std::string &name) { return !name.starts_with("libpantile_cpu_device"); });
  expectError(run, 2, {"'cpu'", "libpantile", "PANTILE_PLUGIN_PATH"});
  environment.erase("PANTILE_BACKEND");
  expectError(run, 2, {"no backend can be used", "PANTILE_PLUGIN_PATH"});
  auto outcome = pantile({"doctor"});
  EXPECT_EQ(outcome.exitCode, 1);
  EXPECT_SAYS(outcome.out, "BAD   default device");
}

TEST_F(Backends, MissingCompilerHalf) {
  installation([](const std::string &name) { return !name.starts_with("libpantile_cpu_compiler"); });
  expectError(run, 2, {"compiler half", "'cpu'", "PANTILE_PLUGIN_PATH"});
  // What needs no compiler goes on.
  EXPECT_EQ(pantile({"devices"}).exitCode, 0);
}

TEST_F(Backends, MissingManifest) {
  installation([](const std::string &name) { return name != "libpantile_cpu_device.manifest"; });
  expectError(run, 2, {"'cpu'", "no manifest"});
  auto outcome = pantile({"devices"});
  EXPECT_EQ(outcome.exitCode, 0);
  EXPECT_SAYS(outcome.out, "no manifest");
}

TEST_F(Backends, MissingHelper) {
  installation([](const std::string &name) { return !name.starts_with("pantile-compiler"); });
  expectError(run, 1, {"pantile-compiler", "cannot be started", "install it"});
  auto outcome = pantile({"doctor"});
  EXPECT_EQ(outcome.exitCode, 1);
  EXPECT_SAYS(outcome.out, "BAD   pantile-compiler");
}

TEST_F(Backends, DamagedPlugin) {
  installation([](const std::string &) { return true; });
  EXPECT_EQ(pantile(run).exitCode, 0); // the copy itself is good
  const std::string plugin = folder / "tree/lib/pantile/libpantile_cpu_device.so";
  std::string bytes = contentsOf(plugin);
  bytes[bytes.size() / 2] ^= 1;
  write(plugin, bytes);
  expectError(run, 2, {"'cpu'", "checksum", "install the plugin again"});
}

TEST_F(Backends, PluginsOfOtherVersions) {
  environment["PANTILE_BACKEND"] = "fake";
  for (auto [folder, reason] : {std::pair("major", "ABI is 2.0, this is 1.0"),
                                {"short", "40 bytes"},
                                {"null", "does not serve ABI 1.0"},
                                {"sanitized", "sanitizer"},
                                {"symbolless", "pantile_plugin_query"},
                                {"misnamed", "'somebody'"}}) {
    environment["PANTILE_PLUGIN_PATH"] = std::string(PANTILE_TEST_BAD_PLUGINS) + "/" + folder;
    expectError(run, 2, {"'fake'", reason});
    // It is a line of `devices`, no failure of it.
    auto outcome = pantile({"devices", "--json"});
    ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
    bool listed = false;
    for (const json &row : json::parse(outcome.out))
      if (row["name"] == "fake") listed = !row["usable"].get<bool>() && row["reason"].get<std::string>().find(reason) != std::string::npos;
    EXPECT_TRUE(listed) << folder << outcome.out;
  }
  // Another minor version is served.
  environment["PANTILE_PLUGIN_PATH"] = std::string(PANTILE_TEST_BAD_PLUGINS) + "/newer";
  EXPECT_SAYS(pantile({"devices"}).out, "a fake device");
}

TEST_F(Backends, FoldersThatOthersMayWriteAreRefused) {
  const std::string open = folder / "open";
  fs::create_directories(open);
  fs::permissions(open, fs::perms::all);
  environment["PANTILE_PLUGIN_PATH"] = open;
  environment["PANTILE_BACKEND"] = "fake";
  expectError(run, 2, {open, "may be written by others"});
  environment["PANTILE_PLUGIN_PATH"] = "plugins:" + open;
  expectError(run, 2, {"PANTILE_PLUGIN_PATH", "'plugins'", "absolute"});
}

} // namespace
