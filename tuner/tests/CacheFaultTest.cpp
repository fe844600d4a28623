//===- tuner/tests/CacheFaultTest.cpp - many processes, kills, bad folders ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Random.h"
#include "tuner/tests/Entries.h"
#include "tuner/tests/TemporaryFolder.h"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pantile::tuner {
namespace {

constexpr const char *kFolder = "/v1/emulated-a1";

struct Faults : testing::Test {
  TemporaryFolder folder;
  std::vector<std::string> warnings;
  CacheOptions options;
  CacheKey key = makeKey("gemm", 1), other = makeKey("softmax", 2);
  Faults() {
    options.user = folder.path() + "/pantile";
    options.warn = [this](const std::string &text) { warnings.push_back(text); };
  }
  static CacheQuery query(int64_t m) {
    CacheQuery q;
    q.shape = {{"M", m}};
    return q;
  }
  static CacheEntry entry(int64_t m) { return makeEntry({{"M", m}}, "{bm = 32, map = \"flat\"}", double(m + 1)); }
  std::string file(const CacheKey &of) const { return options.user + "/" + ConfigurationCache::relativePath(of); }
};

/// Runs `body` in a child; its result is the exit status.
template <typename Body> pid_t spawn(Body body) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}
int wait(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(Faults, ManyProcessesManyKeys) {
  constexpr int kProcesses = 32, kKeys = 12;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process)
    children.push_back(spawn([&] {
      CacheOptions own = options;
      own.lockSeconds = 60;
      unsigned complaints = 0;
      own.warn = [&](const std::string &) { ++complaints; };
      ConfigurationCache cache(own);
      for (int k = 0; k < kKeys; ++k) {
        // Everyone its own shape, and one that all store.
        CacheKey target = makeKey("kernel", unsigned(k * 7 + process) % kKeys);
        if (!cache.store(target, entry(process)).isOk() || !cache.store(target, makeEntry({{"M", 1000}}, "{bm = 8}", 100 - process)).isOk())
          return 1;
        if (cache.lookup(target, query(process)).empty()) return 2;
      }
      return complaints ? 3 : 0;
    }));
  for (pid_t child : children) EXPECT_EQ(wait(child), 0);
  ConfigurationCache cache(options);
  for (int k = 0; k < kKeys; ++k) {
    CacheKey target = makeKey("kernel", unsigned(k));
    for (int process = 0; process < kProcesses; ++process) {
      auto found = cache.lookup(target, query(process));
      ASSERT_FALSE(found.empty());
      EXPECT_TRUE(found[0].exact) << "an update was lost";
    }
    EXPECT_EQ(cache.lookup(target, query(1000))[0].entry.time.median, 100 - (kProcesses - 1)) << "the fastest was not kept";
  }
  EXPECT_TRUE(warnings.empty());
  for (const std::string &name : folder.files()) EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
}

TEST_F(Faults, ThreadsShareOneCache) {
  ConfigurationCache cache(options);
  std::vector<std::thread> threads;
  std::atomic<int> bad = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i)
        if (!cache.store(key, entry(t * 100 + i)).isOk() || !cache.lookup(key, query(t * 100 + i)).at(0).exact || cache.list().empty())
          ++bad;
    });
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
}

TEST_F(Faults, KillsNeverCorrupt) {
  Random random(11);
  int64_t confirmed = 0;
  unsigned killed = 0;
  for (int round = 0; round < 60; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    pid_t child = spawn([&] {
      ConfigurationCache cache(options);
      for (int64_t m = confirmed;; ++m) {
        if (!cache.store(key, entry(m)).isOk()) return 1;
        if (::write(pipe[1], &m, sizeof m) != sizeof m) return 2;
      }
    });
    ::close(pipe[1]);
    ::usleep(useconds_t(random.below(15000)));
    ::kill(child, SIGKILL);
    EXPECT_EQ(wait(child), 128 + SIGKILL);
    ++killed;
    for (int64_t m; ::read(pipe[0], &m, sizeof m) == sizeof m;) confirmed = m + 1;
    ::close(pipe[0]);
    // Nothing that was confirmed is lost, nothing is damaged, nobody is locked out.
    ConfigurationCache cache(options);
    if (confirmed > 0) {
      auto found = cache.lookup(key, query(confirmed - 1));
      ASSERT_FALSE(found.empty()) << round;
      ASSERT_TRUE(found[0].exact) << round;
      ASSERT_TRUE(parseCacheFile(readFile(file(key))).isOk());
    }
    ASSERT_TRUE(cache.store(other, entry(round)).isOk());
  }
  EXPECT_TRUE(warnings.empty()) << warnings[0];
  EXPECT_GT(confirmed, 20);
  ConfigurationCache cache(options);
  for (int64_t m = 0; m < confirmed; ++m) ASSERT_TRUE(cache.lookup(key, query(m)).at(0).exact) << m;
  std::printf("%u kills, %lld entries\n", killed, static_cast<long long>(confirmed));
}

TEST_F(Faults, TruncatedAtEveryByte) {
  {
    ConfigurationCache cache(options);
    ASSERT_TRUE(cache.store(key, entry(1)).isOk());
    ASSERT_TRUE(cache.store(key, entry(2)).isOk());
    ASSERT_TRUE(cache.store(other, entry(3)).isOk());
  }
  std::string whole = readFile(file(key));
  unsigned damaged = 0;
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    std::string part = whole.substr(0, cut);
    writeFile(file(key), part);
    warnings.clear();
    ConfigurationCache cache(options);
    auto found = cache.lookup(key, query(1));
    cache.lookup(key, query(1));
    ASSERT_LE(warnings.size(), 1u) << cut;
    if (found.empty() && !warnings.empty()) {
      ++damaged;
      EXPECT_NE(warnings[0].find("gemm-000000000001.toml"), std::string::npos);
      EXPECT_NE(warnings[0].find("left as it is"), std::string::npos);
      // A store goes to memory and leaves the file alone.
      if (cut % 8 == 0) {
        EXPECT_FALSE(cache.store(key, entry(9)).isOk());
        EXPECT_EQ(cache.lookup(key, query(9)).at(0).origin, "memory");
      }
    }
    for (const CacheMatch &match : found)
      EXPECT_EQ(match.entry.configuration, entry(1).configuration) << "half an entry was taken for a whole one";
    ASSERT_EQ(readFile(file(key)), part);
    ASSERT_FALSE(cache.lookup(other, query(3)).empty()) << "another file was affected";
  }
  EXPECT_GT(damaged, whole.size() / 2);
  auto list = ConfigurationCache(options).list();
  ASSERT_EQ(list.size(), 2u);
}

TEST_F(Faults, AFullDiskKeepsEntriesInMemoryAndWarnsOnce) {
  {
    ConfigurationCache cache(options);
    ASSERT_TRUE(cache.store(key, entry(1)).isOk());
  }
  std::string before = readFile(file(key));
  // No file may grow beyond 100 bytes: writing fails half-way, as on a full disk.
  int result = wait(spawn([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ConfigurationCache cache(options);
    if (cache.store(key, entry(2)).isOk() || cache.store(key, entry(3)).isOk() || cache.store(other, entry(4)).isOk()) return 1;
    if (cache.lookup(key, query(2)).at(0).origin != "memory" || !cache.lookup(key, query(3)).at(0).exact) return 2;
    if (!cache.lookup(key, query(1)).at(0).exact || !cache.lookup(other, query(4)).at(0).exact) return 3;
    return warnings.size() == 1 && warnings.at(0).find("in memory only") != std::string::npos ? 0 : 4;
  }));
  EXPECT_EQ(result, 0);
  EXPECT_EQ(readFile(file(key)), before);
  for (const std::string &name : folder.files()) EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
  // Room again: all is well.
  ConfigurationCache cache(options);
  EXPECT_TRUE(cache.store(key, entry(2)).isOk());
}

TEST_F(Faults, WithoutAUserFolderMemoryServes) {
  for (const std::string &bad : {std::string(), std::string("relative/path"), std::string("/"), std::string("/proc/none/pantile"),
                                 std::string("/dev/null/pantile")}) {
    warnings.clear();
    options.user = bad;
    ConfigurationCache cache(options);
    EXPECT_FALSE(cache.store(key, entry(1)).isOk()) << bad;
    EXPECT_FALSE(cache.store(key, entry(2)).isOk()) << bad;
    EXPECT_EQ(cache.lookup(key, query(1)).at(0).origin, "memory") << bad;
    EXPECT_TRUE(cache.lookup(key, query(2)).at(0).exact) << bad;
    EXPECT_EQ(warnings.size(), 1u) << bad;
  }
}

TEST_F(Faults, ALockThatIsHeldIsNotWaitedForLong) {
  {
    ConfigurationCache cache(options);
    ASSERT_TRUE(cache.store(key, entry(1)).isOk());
  }
  int held = ::open((options.user + kFolder + "/.lock").c_str(), O_RDWR);
  ASSERT_GE(held, 0);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  options.lockSeconds = 0.1;
  ConfigurationCache cache(options);
  Status status = cache.store(key, entry(2));
  EXPECT_EQ(status.code(), PANTILE_TIMEOUT);
  EXPECT_TRUE(cache.lookup(key, query(2)).at(0).exact);
  ::close(held);
  EXPECT_TRUE(cache.store(key, entry(3)).isOk());
}

TEST_F(Faults, PermissionsAreTheUsersOnly) {
  ::umask(0);
  options.user = folder.path() + "/a/b/pantile";
  ConfigurationCache cache(options);
  ASSERT_TRUE(cache.store(key, entry(1)).isOk());
  ::umask(022);
  struct stat info;
  for (const std::string &path : {folder.path() + "/a", options.user, options.user + "/v1", options.user + kFolder}) {
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u) << path;
  }
  for (const std::string &path : {file(key), options.user + kFolder + "/.lock"}) {
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << path;
  }
}

/// Each makes the prepared cache untrustworthy in one way; the cache must neither read nor write there.
TEST_F(Faults, FoldersThatOthersControlAreRefused) {
  struct Attack {
    const char *name;
    std::function<void(const std::string &root, const std::string &file)> prepare;
    bool needsRoot = false;
  };
  const Attack attacks[] = {
      {"root writable by all", [](auto &root, auto &) { ::chmod(root.c_str(), 0777); }},
      {"root writable by the group", [](auto &root, auto &) { ::chmod(root.c_str(), 0770); }},
      {"v1 writable by all", [](auto &root, auto &) { ::chmod((root + "/v1").c_str(), 0777); }},
      {"hardware folder writable by all", [](auto &root, auto &) { ::chmod((root + kFolder).c_str(), 0777); }},
      {"root is a link",
       [](auto &root, auto &) { ::rename(root.c_str(), (root + "2").c_str()), ::symlink((root + "2").c_str(), root.c_str()); }},
      {"v1 is a link",
       [](auto &root, auto &) { ::rename((root + "/v1").c_str(), (root + "/v2").c_str()), ::symlink("v2", (root + "/v1").c_str()); }},
      {"parent writable by all", [](auto &root, auto &) { ::chmod(root.substr(0, root.rfind('/')).c_str(), 0777); }},
      {"file is a link",
       [](auto &, auto &file) { ::rename(file.c_str(), (file + ".real").c_str()), ::symlink((file + ".real").c_str(), file.c_str()); }},
      {"file is a pipe", [](auto &, auto &file) { ::unlink(file.c_str()), ::mkfifo(file.c_str(), 0600); }},
      {"file is a folder", [](auto &, auto &file) { ::unlink(file.c_str()), ::mkdir(file.c_str(), 0700); }},
      {"file writable by all", [](auto &, auto &file) { ::chmod(file.c_str(), 0666); }},
      {"file is too large", [](auto &, auto &file) { ::truncate(file.c_str(), 9 << 20); }},
      {"lock is a link",
       [](auto &root, auto &file) {
         std::string lock = root + kFolder + "/.lock";
         ::unlink(lock.c_str()), ::symlink("/dev/null", lock.c_str()), writeFile(file, "schema = ");
       }},
      {"root belongs to another", [](auto &root, auto &) { ::chown(root.c_str(), 65534, 65534); }, true},
      {"file belongs to another", [](auto &, auto &file) { ::chown(file.c_str(), 65534, 65534); }, true},
      {"parent belongs to another", [](auto &root, auto &) { ::chown(root.substr(0, root.rfind('/')).c_str(), 65534, 65534); }, true},
  };
  int number = 0;
  for (const Attack &attack : attacks) {
    if (attack.needsRoot && ::geteuid() != 0) continue;
    SCOPED_TRACE(attack.name);
    std::string parent = folder.path() + "/" + std::to_string(number++);
    ::mkdir(parent.c_str(), 0700);
    options.user = parent + "/pantile";
    {
      ConfigurationCache cache(options);
      ASSERT_TRUE(cache.store(key, entry(1)).isOk());
    }
    attack.prepare(options.user, file(key));
    warnings.clear();
    ConfigurationCache cache(options);
    EXPECT_TRUE(cache.lookup(key, query(1)).empty());
    EXPECT_EQ(warnings.size(), 1u);
    EXPECT_FALSE(cache.store(key, entry(2)).isOk());
    EXPECT_TRUE(cache.lookup(key, query(2)).at(0).exact);
    cache.list();
  }
}

TEST_F(Faults, StickyAncestorsAndLinksAboveTheRootAreFine) {
  std::string shared = folder.path() + "/shared";
  ::mkdir(shared.c_str(), 0700);
  ::chmod(shared.c_str(), 01777);
  ::symlink(shared.c_str(), (folder.path() + "/alias").c_str());
  options.user = folder.path() + "/alias/pantile/";
  ConfigurationCache cache(options);
  EXPECT_TRUE(cache.store(key, entry(1)).isOk());
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Faults, ADamagedReadOnlyRootIsReportedOnceAndTheRestUsed) {
  {
    ConfigurationCache cache(options);
    ASSERT_TRUE(cache.store(key, entry(1)).isOk());
  }
  std::string named = folder.path() + "/named";
  std::filesystem::create_directories(named + kFolder);
  writeFile(named + "/" + ConfigurationCache::relativePath(key), "schema = 1\n[hardware\n");
  options.named = {named};
  ConfigurationCache cache(options);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(cache.lookup(key, query(1)).at(0).exact);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("line 2"), std::string::npos);
  EXPECT_EQ(cache.list().at(0).problem.find("line 2") == std::string::npos, false);
  // Repaired by hand while the program runs: used from then on.
  writeFile(named + "/" + ConfigurationCache::relativePath(key), printCacheFile({key.hardware, {}, key.kernel, key.tuningKey, {entry(5)}}));
  EXPECT_TRUE(cache.lookup(key, query(5)).at(0).exact);
}

} // namespace
} // namespace pantile::tuner
