//===- tests/robustness/SharingTest.cpp - threads, forks, deaths ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/Command.h"
#include "tests/robustness/RealDevice.h"

#include <atomic>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace pantile::test;

namespace {

class Sharing : public RealDevice {};

TEST_F(Sharing, ThreadsOnOneKernel) {
  // From the first launch on: two facts to compile, shapes that share slots, each thread on memory and a stream of its own.
  auto kernel = library("add", "f32");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      pantile_stream *stream = nullptr;
      if (pantile_stream_create(context, &stream, nullptr)) ++wrong;
      std::vector<float> x(300, float(t)), z(300, 1), y(300);
      for (int turn = 0; turn < 300; ++turn) {
        const int64_t size = 1 + (turn * 37 + t * 11) % 300;
        Tensor a(x.data(), {size}), b(z.data(), {size}), c(y.data(), {size});
        DLTensor *arguments[] = {a, b, c};
        std::fill(y.begin(), y.end(), -1.0f);
        if (pantile_launch(kernel.get(), stream, arguments, 3, nullptr) || pantile_synchronize(context, stream, nullptr)) ++wrong;
        for (int64_t i = 0; i < 300; ++i) wrong += y[size_t(i)] != (i < size ? float(t) + 1 : -1.0f);
      }
      pantile_stream_release(stream);
    });
  for (auto &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Sharing, ForkAfterUse) {
  auto kernel = library("add", "f32");
  std::vector<float> x(5000, 2), y(5000);
  Tensor a(x.data(), {5000}), c(y.data(), {5000});
  ASSERT_EQ(launch(kernel, {a, a, c}), ""); // the pool's threads and the helper are running
  pid_t child = fork();
  if (child == 0) {
    // Told so, for everything that would touch the parent's device or helper; releasing is safe; a context of its own works.
    alarm(60);
    DLTensor *arguments[] = {a, a, c};
    pantile_error *error = nullptr;
    if (pantile_launch(kernel.get(), nullptr, arguments, 3, &error) != PANTILE_UNAVAILABLE) _exit(1);
    if (take(error).find("make a new context in the child") == std::string::npos) _exit(2);
    void *memory = nullptr;
    if (pantile_allocate(context, 64, &memory, nullptr) != PANTILE_UNAVAILABLE) _exit(3);
    if (pantile_synchronize(context, nullptr, nullptr) != PANTILE_UNAVAILABLE) _exit(4);
    pantile_string *text = nullptr;
    if (pantile_kernel_describe(kernel.get(), arguments, 3, &text, nullptr) != PANTILE_UNAVAILABLE) _exit(5);
    kernel.reset();
    pantile_context_release(context);
    context = nullptr;
    if (pantile_context_create(&options, &context, nullptr)) _exit(6);
    kernel = library("add", "f32");
    std::fill(y.begin(), y.end(), 0.0f);
    if (launch(kernel, {a, a, c}) != "" || y[4999] != 4) _exit(7);
    auto other = library("mul", "f32"); // compiles: a helper of its own
    if (launch(other, {a, a, c}) != "" || y[0] != 4) _exit(8);
    other.reset(), kernel.reset();
    pantile_context_release(context);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  // The parent goes on, with its pool and its helper.
  std::fill(y.begin(), y.end(), 0.0f);
  EXPECT_EQ(launch(kernel, {a, a, c}), "");
  EXPECT_EQ(y[4999], 4);
  auto other = library("sub", "f32");
  EXPECT_EQ(launch(other, {a, a, c}), "");
  EXPECT_EQ(y[0], 0);
}

TEST_F(Sharing, HelpersGoWithTheApplicationHoweverItDies) {
  std::vector<float> x(100, 2), y(100);
  Tensor a(x.data(), {100}), c(y.data(), {100});
  for (int how : {SIGKILL, SIGSEGV, SIGTERM}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
      std::string own = folder / "own-" + std::to_string(how);
      options.cache_dir = own.c_str(); // nothing compiled yet
      signal(SIGSEGV, SIG_DFL);
      rlimit none{0, 0};
      setrlimit(RLIMIT_CORE, &none);
      if (pantile_context_create(&options, &context, nullptr)) _exit(1);
      auto kernel = library("add", "f32");
      if (launch(kernel, {a, a, c}) != "") _exit(2);
      if (::write(ends[1], "!", 1) != 1) _exit(3);
      pause();
      _exit(4);
    }
    char ready = 0;
    close(ends[1]);
    ASSERT_EQ(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    EXPECT_FALSE(helpersOf(child).empty()) << "it has compiled: where is its helper?";
    kill(child, how);
    waitpid(child, nullptr, 0);
    EXPECT_TRUE(helpersEnd(child)) << "after signal " << how;
  }
}

TEST_F(Sharing, NoCompilerIsMapped) {
  auto kernel = library("add", "f32");
  std::vector<float> x(100, 2), y(100);
  Tensor a(x.data(), {100}), c(y.data(), {100});
  ASSERT_EQ(launch(kernel, {a, a, c}), "");
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    for (const char *name : {"libLLVM", "libMLIR", "_compiler.so", "libpantile_interpreter"}) EXPECT_EQ(line.find(name), line.npos) << line;
}

} // namespace
