//===- tests/robustness/CacheTest.cpp - what tuning leaves on disk --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Damaged, foreign, stale and hand-edited configuration files, folders that cannot be written, disks that are full, commands
// that are killed and many at once: by the command line, tuning a real kernel (a few trials, so that it takes seconds).
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/Command.h"

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <sys/wait.h>
#include <unistd.h>

using namespace pantile::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

class Caches : public CommandLine {
protected:
  static std::vector<std::string> tuneOf(const std::string &size, const std::string &kernel = "relu") {
    return {"tune", kernel, "--shape=n=" + size, "--strategy=random", "--trials=2", "--seconds=60"};
  }
  void tune(const std::string &size, const std::string &kernel = "relu") {
    auto outcome = pantile(tuneOf(size, kernel));
    ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  }
  /// What a run of this size uses: {configuration, source, stale, ...}; its standard error stays in `said`.
  json selection(const std::string &size, const std::string &kernel = "relu") {
    auto outcome = pantile({"run", kernel, "--shape=n=" + size, "--json"});
    EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
    said = outcome.err;
    return outcome.exitCode ? json::object() : json::parse(outcome.out)["selection"];
  }
  std::vector<std::string> files(const std::string &kernel = "") {
    std::vector<std::string> found;
    if (fs::exists(cache + "/configurations"))
      for (const auto &entry : fs::recursive_directory_iterator(cache + "/configurations"))
        if (entry.path().extension() == ".toml" && entry.path().filename().string().starts_with(kernel)) found.push_back(entry.path());
    return found;
  }
  long lines(const std::string &text) { return std::count(text.begin(), text.end(), '\n'); }
  std::string said;
};

TEST_F(Caches, TunedIsUsedAndTheNearestServesOtherShapes) {
  tune("5000");
  auto tuned = selection("5000");
  EXPECT_EQ(tuned["source"], "tuned");
  EXPECT_EQ(tuned["stale"], "");
  // A shape never seen, of other divisors: the nearest one's, repaired, without tuning.
  auto near = selection("6007");
  EXPECT_EQ(near["source"], "neighbour");
  EXPECT_EQ(files().size(), 1u);
  // Far away: not a neighbour any more.
  EXPECT_EQ(selection("1000000")["source"], "default");
  environment["PANTILE_TUNE"] = "off";
  EXPECT_EQ(selection("5000")["source"], "default");
  environment["PANTILE_CACHE_DIR"] = folder / "elsewhere";
  environment.erase("PANTILE_TUNE");
  EXPECT_EQ(selection("5000")["source"], "default");
}

TEST_F(Caches, DamagedFilesAreReportedLeftAndTheRestUsed) {
  tune("5000", "relu");
  tune("5000", "abs");
  const std::string path = files("relu").at(0), whole = contentsOf(path);
  std::vector<std::string> damages = {whole.substr(0, whole.size() / 2), whole + "][", "", std::string(4096, '\0'), "\xff\xfe" + whole,
                                      "x = " + std::string(100000, '['), whole + whole};
  for (const std::string &damaged : damages) {
    write(path, damaged);
    auto got = selection("5000");
    // Reported once, by its name, with what becomes of it; not touched; the run goes on with the defaults.
    EXPECT_EQ(got["source"], "default") << damaged.substr(0, 40);
    EXPECT_EQ(lines(said), 1) << said;
    EXPECT_SAYS(said, path);
    EXPECT_SAYS(said, "left as it is");
    EXPECT_EQ(contentsOf(path), damaged);
    EXPECT_EQ(selection("5000", "abs")["source"], "tuned");
    EXPECT_EQ(said, "");
    auto listed = pantile({"cache", "list"});
    EXPECT_EQ(listed.exitCode, 0);
    EXPECT_SAYS(listed.out, "NOT USED");
    EXPECT_SAYS(listed.out, files("abs").at(0));
  }
  // What is tuned over a damaged file is used, and not written over it.
  auto outcome = pantile(tuneOf("5000"));
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_SAYS(outcome.err, path);
  EXPECT_SAYS(outcome.err, "repair it or move it away");
  EXPECT_EQ(contentsOf(path), damages.back());
  write(path, whole);
  EXPECT_EQ(selection("5000")["source"], "tuned");
}

TEST_F(Caches, EveryTruncationIsReadOrReported) {
  tune("5000");
  const std::string path = files().at(0), whole = contentsOf(path);
  const auto tuned = selection("5000")["configuration"];
  // A sample of all cuts here; tuner/tests tries every byte.
  for (size_t cut = 1; cut < whole.size(); cut += whole.size() / 12) {
    write(path, whole.substr(0, cut));
    auto outcome = pantile({"cache", "list", "--json"});
    ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
    auto rows = json::parse(outcome.out);
    ASSERT_EQ(rows.size(), 1u);
    auto got = selection("5000");
    if (got["source"] == "tuned")
      EXPECT_EQ(got["configuration"], tuned) << "half a configuration was taken for a whole one";
    else
      EXPECT_NE(rows[0]["problem"], "");
  }
}

TEST_F(Caches, HandEditedAndStaleFiles) {
  tune("5000");
  const std::string path = files().at(0), whole = contentsOf(path);
  auto replaced = [&](const char *pattern, const char *value) {
    const std::string text = std::regex_replace(whole, std::regex(pattern), value);
    EXPECT_NE(text, whole) << pattern << " in\n" << whole;
    return text;
  };
  // Other space: stale, and says of what. Its configuration still serves.
  write(path, replaced("space = \"[0-9a-f]+\"", "space = \"0000000000000000\""));
  auto got = selection("5000");
  EXPECT_EQ(got["source"], "stale");
  EXPECT_SAYS(got["stale"].get<std::string>(), "space");
  // Out of the space altogether: repaired, never an error.
  write(path, replaced("\nconfig = \\{[^}]*\\}", "\nconfig = {warp_drive = 9, bn = -7}"));
  got = selection("5000");
  EXPECT_EQ(got["source"], "stale");
  // A comment and spaces are nobody's business.
  write(path, "# mine\n\n" + whole);
  EXPECT_EQ(selection("5000")["source"], "tuned");
}

TEST_F(Caches, ListShowMerge) {
  tune("5000");
  tune("3000");
  const std::string other = folder / "other";
  environment["PANTILE_CACHE_DIR"] = other;
  tune("700");
  tune("5000", "abs");
  auto rows = json::parse(pantile({"cache", "list", "--json"}).out);
  ASSERT_EQ(rows.size(), 2u);
  for (const json &row : rows) EXPECT_EQ(row["entries"], 1);
  auto outcome = pantile({"cache", "merge", cache + "/configurations", "--json"});
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  auto merged = json::parse(outcome.out)[0];
  EXPECT_EQ(merged["added"], 2);
  EXPECT_EQ(merged["files"], 1);
  EXPECT_EQ(json::parse(pantile({"cache", "merge", cache + "/configurations", "--json"}).out)[0]["kept"], 2);
  for (const char *size : {"5000", "3000", "700"}) EXPECT_EQ(selection(size)["source"], "tuned") << size;
  auto shown = pantile({"cache", "show", "relu"});
  EXPECT_EQ(shown.exitCode, 0);
  for (const char *part : {"5000", "3000", "700", "kernel", "config"}) EXPECT_SAYS(shown.out, part);
  EXPECT_EQ(shown.out.find("abs"), std::string::npos);
  // A root that is only named is read before the user's.
  environment["PANTILE_CACHE_DIR"] = folder / "third";
  environment["PANTILE_CONFIG_PATH"] = other + "/configurations";
  EXPECT_EQ(selection("3000")["source"], "tuned");

  expectError({"cache", "show", "nobody"}, 2, {"'nobody'", "pantile cache list"});
  expectError({"cache", "merge", folder / "nothing"}, 2, {"nothing", "does not exist"});
  fs::create_directories(folder / "empty");
  expectError({"cache", "merge", folder / "empty"}, 2, {"empty", "no configuration files"});
  write(folder / "bad.toml", "][");
  outcome = pantile({"cache", "merge", folder / "bad.toml"});
  EXPECT_EQ(outcome.exitCode, 1);
  EXPECT_SAYS(outcome.err, "bad.toml");
  expectError({"cache", "prune"}, 2, {"prune"});
}

TEST_F(Caches, ClearKeepsWhatWasTuned) {
  tune("5000");
  auto outcome = pantile({"cache", "clear", "--json"});
  ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_GT(json::parse(outcome.out)["entries"].get<int>(), 0);
  EXPECT_EQ(json::parse(pantile({"cache", "clear", "--json"}).out)["entries"], 0);
  EXPECT_EQ(selection("5000")["source"], "tuned");
}

TEST_F(Caches, FoldersThatCannotBeWrittenWarnOnce) {
  write(folder / "file", "not a folder");
  for (const std::string &bad : {folder / "file/cache", folder / "file", std::string("/proc/none/pantile"), std::string("/dev/null/x")}) {
    environment["PANTILE_CACHE_DIR"] = bad;
    auto outcome = pantile({"run", "relu", "--shape=n=5000", "--check"});
    EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
    EXPECT_SAYS(outcome.out, "good");
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_SAYS(outcome.err, bad.substr(0, 5));
    outcome = pantile(tuneOf("5000"));
    EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
    EXPECT_SAYS(outcome.err, "in memory only");
  }
  EXPECT_EQ(contentsOf(folder / "file"), "not a folder");
  // Open to others: not used, said once, not touched.
  const std::string open = folder / "open";
  fs::create_directories(open);
  fs::permissions(open, fs::perms::all);
  environment["PANTILE_CACHE_DIR"] = open;
  auto outcome = pantile({"run", "relu", "--shape=n=5000", "--check"});
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_SAYS(outcome.err, "may be written by");
  EXPECT_TRUE(fs::is_empty(open));
  environment["PANTILE_CACHE_DIR"] = "relative";
  expectError({"run", "relu", "--shape=n=5000"}, 2, {"PANTILE_CACHE_DIR", "'relative'", "absolute"});
  // No home and no cache folder: memory.
  environment.erase("PANTILE_CACHE_DIR");
  environment.erase("HOME");
  EXPECT_EQ(pantile({"run", "relu", "--shape=n=5000"}).exitCode, 0);
}

TEST_F(Caches, AFullDiskWarnsOnce) {
  const std::string disk = folder / "disk";
  fs::create_directories(disk);
  program = "/usr/bin/unshare";
  const std::string rights = geteuid() == 0 ? "-m" : "-Urm";
  if (pantile({rights, "/bin/sh", "-c", "mount -t tmpfs -o size=64k,mode=700 none " + disk}).exitCode)
    GTEST_SKIP() << "this user may not mount a file system of its own";
  environment["PANTILE_CACHE_DIR"] = disk + "/cache";
  // 64 KiB minus what we fill it with: some pages left, none, and a folder that is there already.
  for (const char *fill : {"head -c 40960 /dev/zero > filler", "cat /dev/zero > filler 2>/dev/null",
                           "mkdir -m 700 cache; cat /dev/zero > filler 2>/dev/null"}) {
    const std::string script = "mount -t tmpfs -o size=64k,mode=700 none " + disk + " && cd " + disk + " && { " + fill + "; true; } && " +
                               PANTILE_TEST_PROGRAM + " run relu --shape=n=5000 --check && " + PANTILE_TEST_PROGRAM +
                               " tune relu --shape=n=5000 --strategy=random --trials=2 --seconds=60 && find . -name '*.tmp*'";
    auto outcome = pantile({rights, "/bin/sh", "-c", script});
    EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
    EXPECT_SAYS(outcome.out, "good");
    EXPECT_EQ(outcome.out.find(".tmp"), std::string::npos) << outcome.out;
    // One line for the run; for the tuning one for each cache, beside its progress.
    long warned = 0;
    std::stringstream all(outcome.err);
    for (std::string line; std::getline(all, line);) warned += line.find("No space left") != std::string::npos;
    EXPECT_GE(warned, 1) << outcome.err;
    EXPECT_LE(warned, 3) << outcome.err;
  }
}

TEST_F(Caches, KilledAtAnyPoint) {
  std::mt19937 random(7);
  tune("5000");
  const std::string before = contentsOf(files().at(0));
  for (int turn = 0; turn < 12; ++turn) {
    auto running = start(tuneOf(std::to_string(300 + turn)));
    usleep(useconds_t(random() % 900) * 1000);
    const pid_t process = running->id();
    running->kill(SIGKILL);
    running->wait();
    EXPECT_TRUE(helpersEnd(process)) << "its compilers and workers are still there";
    // Whatever is there is whole: the old entry for sure, the new one perhaps.
    auto outcome = pantile({"cache", "list", "--json"});
    ASSERT_EQ(outcome.exitCode, 0) << outcome.err;
    for (const json &row : json::parse(outcome.out)) EXPECT_EQ(row["problem"], "");
    EXPECT_EQ(selection("5000")["source"], "tuned");
    EXPECT_EQ(said, "");
  }
  tune("300");
  EXPECT_EQ(selection("300")["source"], "tuned");
}

TEST_F(Caches, ThirtyTwoProcessesLoseNothing) {
  const int count = 32;
  std::vector<std::unique_ptr<Running>> all;
  for (int i = 0; i < count; ++i) all.push_back(start(tuneOf(std::to_string(1000 + i))));
  for (auto &one : all) {
    auto outcome = one->wait(240);
    EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  }
  auto rows = json::parse(pantile({"cache", "list", "--json"}).out);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["entries"], count);
  EXPECT_EQ(rows[0]["problem"], "");
  for (int i = 0; i < count; i += 7) EXPECT_EQ(selection(std::to_string(1000 + i))["source"], "tuned");
  for (const auto &entry : fs::recursive_directory_iterator(cache)) EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
}

} // namespace
