//===- runtime/tests/ArtifactCacheTest.cpp - kills, rot, thieves, bounds --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/artifact/ArtifactCache.h"

#include "runtime/tests/Fixture.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace pantile;
using pantile::test::Folder;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> said;
void listen(void *, pantile_log_level, const char *text) { said.emplace_back(text); }

Digest keyOf(int i) { return digestOf("key " + std::to_string(i)); }
/// What an entry must hold: its size and bytes follow from its number.
std::string payloadOf(int i) {
  std::mt19937 random{unsigned(i)};
  std::string text(size_t(100 + random() % 5000), 0);
  for (char &c : text) c = char(random());
  return text;
}

class Cache : public ::testing::Test {
protected:
  void SetUp() override { said.clear(); }
  std::vector<fs::path> files() {
    std::vector<fs::path> all;
    for (const auto &entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) all.push_back(entry.path());
    return all;
  }
  Folder folder;
  std::string root = folder / "artifacts";
  Log log{PANTILE_LOG_WARNING, listen, nullptr};
};

TEST_F(Cache, KeepsAndFinds) {
  {
    ArtifactCache cache(root, 1 << 30, log);
    EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(1)));
    cache.put(EntryKind::Artifact, keyOf(1), payloadOf(1));
    cache.put(EntryKind::Artifact, keyOf(2), "");
  }
  ArtifactCache cache(root, 1 << 30, log);
  EXPECT_EQ(cache.get(EntryKind::Artifact, keyOf(1)), payloadOf(1));
  EXPECT_EQ(cache.get(EntryKind::Artifact, keyOf(2)), "");
  EXPECT_FALSE(cache.get(EntryKind::Space, keyOf(2))); // another kind, the same key: not that
  EXPECT_TRUE(said.empty());
  struct stat info;
  ASSERT_EQ(stat(root.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const auto &file : files()) {
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
}

TEST_F(Cache, EveryFlippedBitIsAMiss) {
  ArtifactCache cache(root, 1 << 30, log);
  cache.put(EntryKind::Artifact, keyOf(1), std::string(300, 'x'));
  const fs::path file = files().at(0);
  std::ifstream in(file, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  auto write = [&](const std::string &bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    chmod(file.c_str(), 0600);
  };
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = char(bad[bit / 8] ^ (1 << bit % 8));
    write(bad);
    ASSERT_FALSE(cache.get(EntryKind::Artifact, keyOf(1))) << "bit " << bit;
    ASSERT_FALSE(fs::exists(file)); // gone, so that it is made anew
  }
  for (size_t size = 0; size < good.size(); ++size) {
    write(good.substr(0, size));
    ASSERT_FALSE(cache.get(EntryKind::Artifact, keyOf(1))) << size << " bytes";
  }
  write(good + "x");
  EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(1)));
  write(good);
  EXPECT_TRUE(cache.get(EntryKind::Artifact, keyOf(1)));
}

TEST_F(Cache, SwappedEntriesAreMisses) {
  ArtifactCache cache(root, 1 << 30, log);
  cache.put(EntryKind::Artifact, keyOf(1), payloadOf(1));
  cache.put(EntryKind::Artifact, keyOf(2), payloadOf(2));
  auto both = files();
  ASSERT_EQ(both.size(), 2u);
  fs::rename(both[0], folder / "swap");
  fs::rename(both[1], both[0]);
  fs::rename(folder / "swap", both[1]);
  EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(1)));
  EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(2)));
}

TEST_F(Cache, LinksAndForeignFilesAreNotFollowed) {
  ArtifactCache cache(root, 1 << 30, log);
  cache.put(EntryKind::Artifact, keyOf(1), payloadOf(1));
  const fs::path file = files().at(0);
  fs::rename(file, folder / "elsewhere");
  fs::create_symlink(folder / "elsewhere", file);
  EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(1)));
  fs::remove(file);
  fs::rename(folder / "elsewhere", file);
  EXPECT_TRUE(cache.get(EntryKind::Artifact, keyOf(1)));
  chmod(file.c_str(), 0666); // others could have written it
  EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(1)));
  mkfifo((folder / "pipe").c_str(), 0600);
  fs::remove(file);
  fs::rename(folder / "pipe", file); // would hang a reader that opens it naively
  EXPECT_FALSE(cache.get(EntryKind::Artifact, keyOf(1)));
}

TEST_F(Cache, OpenFoldersAreRefusedWithOneWarning) {
  for (auto prepare : {+[](const std::string &path) {
                         fs::create_directories(path);
                         chmod(path.c_str(), 0777);
                       },
                       +[](const std::string &path) {
                         fs::create_directories(path + "-real");
                         fs::create_symlink(path + "-real", path);
                       },
                       +[](const std::string &path) { std::ofstream(path) << "a file"; }}) {
    Folder own;
    said.clear();
    const std::string path = own / "cache";
    prepare(path);
    ArtifactCache cache(path, 1 << 30, log);
    Log fresh(PANTILE_LOG_WARNING, listen, nullptr);
    ArtifactCache again(path, 1 << 30, fresh);
    for (int i = 0; i < 3; ++i) {
      again.put(EntryKind::Artifact, keyOf(i), payloadOf(i));
      EXPECT_EQ(again.get(EntryKind::Artifact, keyOf(i)), payloadOf(i)); // in memory
    }
    EXPECT_EQ(said.size(), 1u) << path;
  }
  ArtifactCache nowhere("/proc/self/nothing/here", 1 << 30, log);
  nowhere.put(EntryKind::Artifact, keyOf(1), "x");
  EXPECT_EQ(nowhere.get(EntryKind::Artifact, keyOf(1)), "x");
}

TEST_F(Cache, AFullDiskIsOneWarning) {
  // In a mount namespace of its own: a file system of 64 KiB.
  fs::create_directories(folder / "small");
  pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) ||
        mount("none", (folder / "small").c_str(), "tmpfs", 0, "size=64k,mode=0700"))
      _exit(77);
    ArtifactCache cache(folder / "small/cache", 1 << 30, log);
    for (int i = 0; i < 100; ++i) cache.put(EntryKind::Artifact, keyOf(i), payloadOf(i));
    for (int i = 0; i < 100; ++i)
      if (cache.get(EntryKind::Artifact, keyOf(i)) != payloadOf(i)) _exit(1); // on disk or in memory
    if (said.size() != 1) _exit(2);
    if (cache.statistics().damaged) _exit(3);
    ArtifactCache again(folder / "small/cache", 1 << 30, log);
    if (!again.get(EntryKind::Artifact, keyOf(0))) _exit(4); // what fitted is still there
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "may not mount";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(Cache, StaysBelowItsBound) {
  ArtifactCache cache(root, 200 << 10, log);
  for (int i = 0; i < 300; ++i) cache.put(EntryKind::Artifact, keyOf(i), payloadOf(i));
  uint64_t bytes = 0;
  for (const auto &file : files()) bytes += fs::file_size(file);
  EXPECT_LE(bytes, 220u << 10);
  EXPECT_GT(bytes, 100u << 10);
  EXPECT_TRUE(cache.get(EntryKind::Artifact, keyOf(299))); // the newest stay
  cache.clear();
  EXPECT_TRUE(files().empty());
}

TEST_F(Cache, ManyProcesses) {
  constexpr int kProcesses = 16, kKeys = 40;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    pid_t child = fork();
    if (child == 0) {
      ArtifactCache cache(root, p % 2 ? 60 << 10 : 1 << 30, log); // half of them collect all the time
      std::mt19937 random{unsigned(p)};
      for (int turn = 0; turn < 200; ++turn) {
        int i = int(random() % kKeys);
        auto found = cache.get(EntryKind::Artifact, keyOf(i));
        if (found && *found != payloadOf(i)) _exit(1);
        if (!found) cache.put(EntryKind::Artifact, keyOf(i), payloadOf(i));
      }
      _exit(said.empty() ? 0 : 2);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST_F(Cache, KilledWritersLeaveNothingFalse) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    pid_t child = fork();
    if (child == 0) {
      ArtifactCache cache(root, 1 << 30, log);
      for (int i = 0;; ++i) cache.put(EntryKind::Artifact, keyOf(i % 20), payloadOf(i % 20));
    }
    usleep(1000 + random() % 3000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    ArtifactCache cache(root, 1 << 30, log);
    for (int i = 0; i < 20; ++i)
      if (auto found = cache.get(EntryKind::Artifact, keyOf(i))) ASSERT_EQ(*found, payloadOf(i));
    EXPECT_EQ(cache.statistics().damaged, 0u);
  }
}

} // namespace
