//===- runtime/tests/HelperTest.cpp - hostile compilers are contained -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/CompilerClient.h"

#include "core/Sanitizer.h"
#include "runtime/tests/Fixture.h"

#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace pantile;
using pantile::test::Folder;
using namespace std::chrono_literals;

namespace {

class Helper : public ::testing::Test {
protected:
  Expected<Artifact> compile(const std::string &kernel, std::chrono::milliseconds limit = 20s) {
    CompileRequest request;
    request.backend = "fake";
    request.ir = "tile.kernel @" + kernel + "() {}";
    request.target = "fake";
    return client.compile(request, Clock::now() + limit);
  }
  void expectGood() {
    auto artifact = compile("good");
    ASSERT_TRUE(artifact) << artifact.status().message();
    EXPECT_EQ(artifact->code, "fake code");
  }
  CompilerClient client{PANTILE_TEST_HELPERS, {PANTILE_TEST_PLUGINS}, 4};
};

bool gone(pid_t process) {
  for (int turn = 0; turn < 300; ++turn) {
    if (kill(process, 0) != 0) return true;
    // A zombie whose new parent does not reap it is gone as well.
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    if (size_t end = text.rfind(')'); end != text.npos && text.size() > end + 2 && text[end + 2] == 'Z') return true;
    usleep(10000);
  }
  return false;
}

TEST_F(Helper, IsReused) {
  for (int i = 0; i < 5; ++i) expectGood();
  EXPECT_EQ(client.processes().started(), 1u);
}

TEST_F(Helper, CostsLessThanAMillisecond) {
  expectGood();
  std::vector<double> times;
  for (int i = 0; i < 201; ++i) {
    auto from = Clock::now();
    ASSERT_TRUE(compile("good"));
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - from).count());
  }
  std::nth_element(times.begin(), times.begin() + 100, times.end());
  RecordProperty("median_us", int(times[100] * 1000));
  EXPECT_LT(times[100], 10.0); // the bound is 1 ms; this machine may be busy
}

TEST_F(Helper, ErrorsComeBackWithTheirFix) {
  auto artifact = compile("refuse");
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.status().code(), PANTILE_COMPILE_ERROR);
  EXPECT_EQ(artifact.status().text(), "this kernel is refused");
  EXPECT_EQ(artifact.status().fix(), "do not ask this compiler");
  expectGood();
  EXPECT_EQ(client.processes().started(), 1u);
}

TEST_F(Helper, SleepingIsEndedByTheDeadline) {
  for (const char *kernel : {"sleep", "spin"}) {
    auto from = Clock::now();
    auto artifact = compile(kernel, 300ms);
    ASSERT_FALSE(artifact);
    EXPECT_EQ(artifact.status().code(), PANTILE_TIMEOUT);
    EXPECT_LT(Clock::now() - from, 3s);
    expectGood();
  }
}

TEST_F(Helper, ChildrenOfACompilerEndWithIt) {
  Folder folder;
  const std::string file = folder / "child";
  setenv("FAKE_CHILD_FILE", file.c_str(), 1);
  ASSERT_FALSE(compile("spawn", 1000ms));
  pid_t child = 0;
  std::ifstream(file) >> child;
  ASSERT_GT(child, 0);
  EXPECT_TRUE(gone(child));
  expectGood();
}

TEST_F(Helper, MemoryIsBounded) {
  if (kSanitizer != PANTILE_SANITIZER_NONE) GTEST_SKIP() << "sanitizers reserve terabytes";
  auto artifact = compile("hoard");
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.status().code(), PANTILE_UNAVAILABLE) << artifact.status().message();
  EXPECT_NE(artifact.status().text().find("signal 6"), std::string::npos) << artifact.status().message();
  expectGood();
}

TEST_F(Helper, OutputIsBounded) {
  auto artifact = compile("shout");
  ASSERT_FALSE(artifact);
  EXPECT_NE(artifact.status().text().find("printed more than"), std::string::npos) << artifact.status().message();
  EXPECT_LE(artifact.status().cause().size(), 20u << 10);
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  if (kSanitizer == PANTILE_SANITIZER_NONE) EXPECT_LT(usage.ru_maxrss, 200 << 10); // KiB: not what it printed
  expectGood();
}

TEST_F(Helper, DyingHalfWayIsReported) {
  auto artifact = compile("die");
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.status().code(), PANTILE_UNAVAILABLE);
  EXPECT_NE(artifact.status().cause().find("famous last words"), std::string::npos) << artifact.status().message();
  expectGood();
}

TEST_F(Helper, GarbageIsReported) {
  auto artifact = compile("throw_up", 5s);
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.status().code(), PANTILE_DATA_ERROR);
  expectGood();
}

TEST_F(Helper, KilledWhileIdleIsReplaced) {
  expectGood();
  // Find it by its parent: it is our only child.
  std::ifstream children("/proc/self/task/" + std::to_string(getpid()) + "/children");
  pid_t child = 0;
  while (children >> child) kill(child, SIGKILL);
  ASSERT_GT(child, 0);
  expectGood();
  EXPECT_EQ(client.processes().started(), 2u);
}

TEST_F(Helper, SeveralWorkSideBySide) {
  std::vector<std::thread> threads;
  auto from = Clock::now();
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_FALSE(compile("sleep", 500ms)); });
  for (auto &thread : threads) thread.join();
  EXPECT_LT(Clock::now() - from, 1900ms);
  EXPECT_EQ(client.processes().started(), 4u);
}

TEST_F(Helper, CancelEndsARequest) {
  std::atomic<bool> cancel{false};
  CompileRequest request;
  request.backend = "fake";
  request.ir = "@sleep";
  std::thread later([&] {
    usleep(200000);
    cancel = true;
  });
  auto artifact = client.compile(request, Clock::now() + 60s, &cancel);
  later.join();
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.status().code(), PANTILE_CANCELLED);
}

TEST_F(Helper, EndsWithTheApplicationHoweverItDies) {
  for (int how : {SIGKILL, SIGSEGV, 0}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t application = fork();
    if (application == 0) {
      signal(SIGSEGV, SIG_DFL);
      rlimit none{0, 0};
      setrlimit(RLIMIT_CORE, &none);
      auto helper = HelperProcess::start(
          {std::string(PANTILE_TEST_HELPERS) + "/pantile-compiler", {std::string("--plugins=") + PANTILE_TEST_PLUGINS}});
      if (!helper) _exit(1);
      pid_t id = (*helper)->id();
      if (write(ends[1], &id, sizeof(id)) != sizeof(id)) _exit(1);
      if (how == 0) {
        (void)helper->release();
        _exit(0); // no destructor runs
      }
      // Busy compiling when we die.
      CompileRequest request;
      request.backend = "fake";
      request.ir = "@sleep";
      ByteWriter writer;
      request.write(writer);
      std::thread([how] {
        usleep(100000);
        kill(getpid(), how);
      }).detach();
      (void)(*helper)->request(kCompile, writer.data(), Clock::now() + 60s);
      _exit(1);
    }
    pid_t helper = 0;
    ASSERT_EQ(read(ends[0], &helper, sizeof(helper)), ssize_t(sizeof(helper)));
    close(ends[0]);
    close(ends[1]);
    waitpid(application, nullptr, 0);
    EXPECT_TRUE(gone(helper)) << "signal " << how;
  }
}

TEST_F(Helper, MissingProgramSaysSo) {
  CompilerClient none("/nonexistent", {}, 1);
  auto targets = none.listTargets("fake");
  ASSERT_FALSE(targets);
  EXPECT_EQ(targets.status().code(), PANTILE_UNAVAILABLE);
  EXPECT_NE(targets.status().text().find("/nonexistent/pantile-compiler"), std::string::npos);
}

TEST_F(Helper, UnknownBackendSaysSo) {
  auto targets = client.listTargets("nobody");
  ASSERT_FALSE(targets);
  EXPECT_EQ(targets.status().code(), PANTILE_NOT_FOUND);
  EXPECT_TRUE(client.listTargets("fake"));
}

} // namespace
