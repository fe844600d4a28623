//===- tests/robustness/CommandLineTest.cpp - exit codes, JSON, variables ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/Command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

using namespace pantile::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

class Program : public CommandLine {
protected:
  json jsonOf(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    auto outcome = pantile(arguments);
    EXPECT_EQ(outcome.exitCode, 0) << arguments[0] << ": " << outcome.err;
    json parsed = json::parse(outcome.out, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << arguments[0] << ": " << outcome.out.substr(0, 200);
    return parsed;
  }
  void expectMembers(const json &object, std::initializer_list<const char *> names) {
    for (const char *name : names) EXPECT_TRUE(object.contains(name)) << name << " is missing in " << object.dump().substr(0, 300);
  }
};

TEST_F(Program, EverySubcommandHasJson) {
  auto devices = jsonOf({"devices"});
  ASSERT_TRUE(devices.is_array() && !devices.empty());
  bool found = false;
  for (const json &row : devices) {
    expectMembers(row, {"name", "half", "path", "usable", "reason"});
    if (row["name"] == "cpu" && row["half"] == "device") {
      found = row["usable"].get<bool>();
      expectMembers(row["devices"][0], {"ordinal", "name", "target", "hardware", "memory_bytes", "properties"});
    }
  }
  EXPECT_TRUE(found);

  auto targets = jsonOf({"targets"});
  ASSERT_TRUE(targets.is_array() && !targets.empty());
  for (const json &row : targets) expectMembers(row, {"name", "backend"});

  auto library = jsonOf({"library"});
  ASSERT_GT(library.size(), 50u);
  for (const json &row : library) expectMembers(row, {"name", "summary", "arguments", "options"});

  auto run = jsonOf({"run", "softmax", "--shape=m=7,n=33", "--check"});
  expectMembers(run, {"kernel", "median_us", "best_us", "selection", "check"});
  expectMembers(run["selection"], {"configuration", "source", "compiled", "stale", "artifact_key", "resources"});
  EXPECT_EQ(run["check"]["passed"], true);

  expectMembers(jsonOf({"tune", "relu", "--shape=n=999", "--strategy=random", "--trials=2"}),
                {"configuration", "median_us", "low_us", "high_us", "tried", "failed", "seconds"});

  auto bench = jsonOf({"bench", "--only=softmax", "--seconds=0.01"});
  ASSERT_TRUE(bench.is_array());
  for (const json &row : bench)
    if (row.contains("kernel"))
      expectMembers(row, {"backend", "dtype", "shape", "median_us", "best_us", "rate", "unit"});
    else
      expectMembers(row, {"backend", "absent"});

  expectMembers(jsonOf({"compile", "softmax", "--target=cpu", "-o", folder / "code"}), {"bytes", "launches", "resources"});
  expectMembers(jsonOf({"compile", "softmax", "--target=cpu"}), {"bytes", "launches", "resources"});
  expectMembers(jsonOf({"print", "softmax"}), {"stage", "text"});
  for (const char *stage : {"scheduled", "llvm", "asm"}) {
    auto printed = jsonOf({"print", "softmax", "--target=cpu", "--stage", stage});
    EXPECT_GT(printed["text"].get<std::string>().size(), 100u) << stage;
  }

  auto list = jsonOf({"cache", "list"});
  ASSERT_EQ(list.size(), 1u);
  expectMembers(list[0], {"path", "hardware", "kernel", "signature", "entries", "bytes", "problem"});
  expectMembers(jsonOf({"cache", "show", "relu"}), {"text"});
  expectMembers(jsonOf({"cache", "merge", list[0]["path"].get<std::string>()})[0],
                {"path", "files", "added", "replaced", "kept", "problems"});
  expectMembers(jsonOf({"cache", "clear"}), {"path", "entries", "bytes"});

  auto doctor = jsonOf({"doctor"});
  ASSERT_TRUE(doctor.is_array());
  for (const json &row : doctor) {
    expectMembers(row, {"check", "good", "text"});
    EXPECT_EQ(row["good"], true) << row;
  }
}

TEST_F(Program, WrongUseIsTwo) {
  expectError({}, 2, {"subcommand", "--help"});
  expectError({"fly"}, 2, {"fly"});
  expectError({"run"}, 2, {"kernel"});
  expectError({"run", "softmax", "--shap=m=1"}, 2, {"--shap"});
  expectError({"run", "softmax", "--shape"}, 2, {"--shape"});
  expectError({"tune", "softmax", "--shape=m=1,n=1", "--trials=many"}, 2, {"--trials"});
  expectError({"bench", "--seconds=-1"}, 2, {"--seconds"});
  expectError({"compile", "softmax"}, 2, {"--target"});
  expectError({"cache"}, 2, {"subcommand"});
  expectError({"cache", "show"}, 2, {"name"});
  for (std::vector<std::string> good : {std::vector<std::string>{"--help"}, {"--version"}, {"run", "--help"}, {"cache", "--help"}}) {
    auto outcome = pantile(good);
    EXPECT_EQ(outcome.exitCode, 0);
    EXPECT_NE(outcome.out, "");
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(Program, UnknownVariablesListTheKnownValues) {
  for (auto [name, value, parts] : std::vector<std::tuple<const char *, const char *, std::vector<std::string>>>{
           {"PANTILE_TUNE", "sometimes", {"PANTILE_TUNE", "'sometimes'", "off, instant, quick, thorough"}},
           {"PANTILE_PRINT", "llvm,binary", {"PANTILE_PRINT", "'binary'", "portable, scheduled, simt, llvm, asm"}},
           {"PANTILE_LOG", "loud", {"PANTILE_LOG", "'loud'", "trace, debug, info, warning, error, off"}},
           {"PANTILE_INTERPRET", "maybe", {"PANTILE_INTERPRET", "'maybe'", "0, 1"}},
           {"PANTILE_THREADS", "-3", {"PANTILE_THREADS", "'-3'", "0 (all) to 4096"}},
           {"PANTILE_THREADS", "2x", {"PANTILE_THREADS", "'2x'"}},
           {"PANTILE_REPRO", "here", {"PANTILE_REPRO", "'here'", "absolute"}},
           {"PANTILE_CONFIG_PATH", "here", {"PANTILE_CONFIG_PATH", "'here'", "absolute"}},
           {"PANTILE_BACKEND", "no such", {"'no such'"}}}) {
    auto before = environment;
    environment[name] = value;
    expectError({"run", "relu", "--shape=n=10"}, 2, parts);
    // The doctor reports it too, and is well otherwise.
    auto outcome = pantile({"doctor"});
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_SAYS(outcome.out, "BAD");
    environment = before;
  }
}

TEST_F(Program, Print) {
  environment["PANTILE_PRINT"] = "portable,scheduled,llvm,asm";
  auto outcome = pantile({"run", "relu", "--shape=n=10"});
  EXPECT_EQ(outcome.exitCode, 0);
  for (const char *part : {"// ---- relu", "(portable)", "(scheduled)", "(llvm)", "(assembly)", "tile.kernel @relu", "define ", "ret"})
    EXPECT_SAYS(outcome.err, part);
  EXPECT_EQ(outcome.out.find("tile.kernel"), std::string::npos);
  // From the cache too.
  outcome = pantile({"run", "relu", "--shape=n=10"});
  EXPECT_SAYS(outcome.err, "(assembly)");
}

TEST_F(Program, ReproducersReproduce) {
  environment["PANTILE_REPRO"] = folder / "repro";
  ASSERT_EQ(pantile({"run", "softmax", "--shape=m=7,n=33"}).exitCode, 0);
  environment.erase("PANTILE_REPRO");
  std::string at;
  for (const auto &entry : fs::directory_iterator(folder / "repro")) at = entry.path();
  for (const char *name : {"kernel.tile", "configuration.toml", "facts.txt", "request.bin", "README.txt"})
    EXPECT_TRUE(fs::exists(at + "/" + name)) << name;
  // The command that it names works as it stands, but for the sizes and places.
  const std::string text = contentsOf(at + "/README.txt");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("pantile compile kernel.tile --target '([^']*)' --config '([^']*)'"))) << text;
  auto outcome =
      pantile({"compile", at + "/kernel.tile", "--target", found[1], "--config", found[2], "--shape=m=7,n=33", "-o", at + "/code"});
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_GT(fs::file_size(at + "/code"), 0u);
  environment["PANTILE_REPRO"] = "/proc/none";
  expectError({"run", "softmax", "--shape=m=7,n=34"}, 1, {"PANTILE_REPRO", "/proc/none"});
}

TEST_F(Program, Interpret) {
  environment["PANTILE_INTERPRET"] = "1";
  environment["PANTILE_LOG"] = "info";
  auto outcome = pantile({"run", "softmax", "--shape=m=3,n=5", "--check"});
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_SAYS(outcome.out, "differs by 0 "); // it is the oracle itself
  EXPECT_EQ(outcome.err.find("compiling"), std::string::npos) << outcome.err;
}

TEST_F(Program, Log) {
  environment["PANTILE_LOG"] = "info";
  auto outcome = pantile({"run", "relu", "--shape=n=10"});
  EXPECT_SAYS(outcome.err, "compiling relu");
  environment["PANTILE_CACHE_DIR"] = "/proc/none";
  environment["PANTILE_LOG"] = "off";
  EXPECT_EQ(pantile({"run", "relu", "--shape=n=10"}).err, "");
  environment["PANTILE_LOG"] = "warning";
  EXPECT_NE(pantile({"run", "relu", "--shape=n=10"}).err, "");
}

TEST_F(Program, TuneAtTheFirstLaunch) {
  environment["PANTILE_TUNE"] = "quick";
  auto outcome = pantile({"run", "relu", "--shape=n=10", "--json"});
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["selection"]["source"], "tuned");
}

TEST_F(Program, ProgressIsLinesOrABar) {
  std::vector<std::string> tune{"tune", "relu", "--shape=n=100000", "--strategy=random", "--trials=6", "--seconds=30"};
  auto outcome = pantile(tune);
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find('\r'), std::string::npos);
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
  for (const char *part : {"relu: ", " tried, ", " failed, best "}) EXPECT_SAYS(outcome.err, part);
  // On a terminal (script makes one): a bar that is redrawn and, at the end, gone.
  if (!fs::exists("/usr/bin/script")) GTEST_SKIP() << "no script(1)";
  std::string command = program;
  for (const auto &word : tune) command += " " + word;
  program = "/usr/bin/script";
  environment["TERM"] = "xterm";
  outcome = pantile({"-qec", command, "/dev/null"});
  EXPECT_EQ(outcome.exitCode, 0);
  EXPECT_SAYS(outcome.out, "\r");
  EXPECT_SAYS(outcome.out, "\x1b[K");
  EXPECT_SAYS(outcome.out, " tried  ");
}

} // namespace
