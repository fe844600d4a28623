//===- runtime/tests/DispatchTest.cpp - what a launch refuses, and how ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tests/Fixture.h"

#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace pantile::test;

namespace {

class Dispatch : public Fake {
protected:
  /// Launches scale on these two and gives the error's text.
  std::string with(DLTensor *x, DLTensor *y) {
    DLTensor *arguments[] = {x, y};
    return launch(kernel, arguments, 2);
  }
  void SetUp() override {
    Fake::SetUp();
    kernel = scale();
  }
  void TearDown() override {
    kernel.reset();
    Fake::TearDown();
  }
  KernelHandle kernel{nullptr, pantile_kernel_release};
  std::vector<float> x = std::vector<float>(64, 1), y = std::vector<float>(64);
};

#define EXPECT_SAYS(expression, part)                                                                                                      \
  do {                                                                                                                                     \
    const std::string spoken = (expression);                                                                                               \
    EXPECT_NE(spoken.find(part), std::string::npos) << "said: " << spoken;                                                                 \
  } while (false)

TEST_F(Dispatch, ArgumentCount) {
  DLTensor *none[] = {nullptr};
  EXPECT_SAYS(launch(kernel, none, 1), "1 arguments given, 2 expected (X, Y)");
  EXPECT_SAYS(launch(kernel, nullptr, 2), "argument 0 ('X') is NULL");
}

TEST_F(Dispatch, DType) {
  Tensor a(x.data(), {8}, {kDLFloat, 64, 1}), b(y.data(), {8});
  EXPECT_SAYS(with(a, b), "argument 0 ('X') has dtype f64, f32 is expected");
  Tensor lanes(x.data(), {8}, {kDLFloat, 32, 4});
  EXPECT_SAYS(with(lanes, b), "'X'");
  Tensor unknown(x.data(), {8}, {77, 3, 1});
  EXPECT_SAYS(with(unknown, b), "'X'");
}

TEST_F(Dispatch, Rank) {
  Tensor a(x.data(), {4, 2}), b(y.data(), {8});
  EXPECT_SAYS(with(a, b), "argument 0 ('X') has rank 2 (shape [4, 2]), rank 1 is expected");
  Tensor many(x.data(), {1, 1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_SAYS(with(many, b), "rank 9");
}

TEST_F(Dispatch, Device) {
  Tensor a(x.data(), {8}), b(y.data(), {8});
  a.tensor.device = {DLDeviceType(2), 1};
  EXPECT_SAYS(with(a, b), "argument 0 ('X') is on device 2:1, this context's device is 1:0");
}

TEST_F(Dispatch, Sizes) {
  Tensor a(x.data(), {8}), b(y.data(), {9}), negative(x.data(), {-1});
  EXPECT_SAYS(with(a, b), "argument 1 ('Y') has size 9 in dimension 0 ('N'), but 'N' is 8 in argument 0 ('X')");
  EXPECT_SAYS(with(negative, b), "negative size -1");
}

TEST_F(Dispatch, Strides) {
  Tensor b(y.data(), {8}), negative(x.data(), {8}, {kDLFloat, 32, 1}, {-1}), huge(x.data(), {8}, {kDLFloat, 32, 1}, {INT64_MAX / 4});
  EXPECT_SAYS(with(negative, b), "negative stride -1");
  EXPECT_SAYS(with(huge, b), "overflow");
  Tensor a(x.data(), {8}), broadcast(y.data(), {8}, {kDLFloat, 32, 1}, {0});
  EXPECT_SAYS(with(a, broadcast), "'Y') is an output whose stride in dimension 0 is 0");
}

TEST_F(Dispatch, Data) {
  Tensor a(nullptr, {8}), b(y.data(), {8});
  EXPECT_SAYS(with(a, b), "argument 0 ('X') has no data, but 8 elements");
}

TEST_F(Dispatch, Overlap) {
  Tensor a(x.data(), {32}), same(x.data(), {32}), shifted(x.data() + 16, {32});
  EXPECT_SAYS(with(a, same), "argument 1 ('Y') is an output and shares memory with argument 0 ('X')");
  EXPECT_SAYS(with(a, shifted), "shares memory");
  // Neighbours do not overlap, nor do interleaved views.
  Tensor second(x.data() + 32, {32});
  EXPECT_EQ(with(a, second), "");
  Tensor even(x.data(), {16}, {kDLFloat, 32, 1}, {2}), odd(x.data() + 1, {16}, {kDLFloat, 32, 1}, {2});
  for (int turn = 0; turn < 2; ++turn) EXPECT_EQ(with(even, odd), "") << turn;
  // A known shape whose addresses overlap this time is still refused.
  EXPECT_SAYS(with(a, same), "shares memory");
}

TEST_F(Dispatch, EmptyLaunchesNothing) {
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factor = 13}", nullptr), PANTILE_OK); // the device would fail
  Tensor a(nullptr, {0}), b(nullptr, {0});
  for (int turn = 0; turn < 2; ++turn) EXPECT_EQ(with(a, b), "");
}

TEST_F(Dispatch, DeviceErrorsComeBack) {
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factor = 13}", nullptr), PANTILE_OK);
  Tensor a(x.data(), {8}), b(y.data(), {8});
  for (int turn = 0; turn < 2; ++turn) EXPECT_SAYS(with(a, b), "superstitious");
}

TEST_F(Dispatch, ChecksOfTheCompiledCode) {
  std::vector<float> big(1000000), out(1000000);
  Tensor a(big.data(), {1000000}), b(out.data(), {1000000});
  EXPECT_SAYS(with(a, b), "the fake device has room for a million elements");
}

TEST_F(Dispatch, MisalignedPointersWork) {
  std::vector<char> bytes(64 * 4 + 1);
  Tensor a(x.data(), {8}), b(bytes.data() + 1, {8});
  // The fake device writes floats there; x86 does not mind, and the facts said so.
  EXPECT_EQ(with(a, b), "");
}

TEST_F(Dispatch, Prepare) {
  Tensor a(nullptr, {8}), b(nullptr, {8});
  DLTensor *arguments[] = {a, b};
  pantile_error *error = nullptr;
  ASSERT_EQ(pantile_prepare(kernel.get(), arguments, 2, &error), PANTILE_OK) << take(error);
}

TEST_F(Dispatch, MalformedKernels) {
  for (std::string bad : {"", "tile.kernel", "tile.kernel @k(%A: !tile.view<?x", "int main() {}"}) {
    pantile_kernel *made = nullptr;
    pantile_error *error = nullptr;
    EXPECT_NE(pantile_kernel_from_text(context, bad.data(), bad.size(), &made, &error), PANTILE_OK) << bad;
    EXPECT_EQ(made, nullptr);
    EXPECT_NE(take(error), "");
  }
  pantile_kernel *made = nullptr;
  pantile_error *error = nullptr;
  EXPECT_EQ(pantile_kernel_from_library(context, "matmull", nullptr, &made, &error), PANTILE_NOT_FOUND);
  EXPECT_SAYS(take(error), "matmul");
  EXPECT_EQ(pantile_kernel_from_file(context, "/nonexistent.tile", &made, &error), PANTILE_NOT_FOUND);
  EXPECT_SAYS(take(error), "/nonexistent.tile");
}

TEST_F(Dispatch, ThreadsShareAKernel) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::vector<float> in(256, float(t)), out(256);
      for (int turn = 0; turn < 500; ++turn) {
        int64_t size = 1 + (turn * 7 + t) % 40;
        Tensor a(in.data(), {size}), b(out.data(), {size});
        DLTensor *arguments[] = {a, b};
        out[size_t(size) - 1] = -1;
        if (pantile_launch(kernel.get(), nullptr, arguments, 2, nullptr) || out[size_t(size) - 1] != 2 * float(t) + 1) ++wrong;
      }
    });
  for (auto &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Dispatch, ForkedChildIsToldAndCanStartAnew) {
  Tensor a(x.data(), {8}), b(y.data(), {8});
  ASSERT_EQ(with(a, b), "");
  pid_t child = fork();
  if (child == 0) {
    DLTensor *arguments[] = {a, b};
    pantile_error *error = nullptr;
    if (pantile_launch(kernel.get(), nullptr, arguments, 2, &error) != PANTILE_UNAVAILABLE) _exit(1);
    if (take(error).find("fork") == std::string::npos) _exit(2);
    pantile_context *fresh = nullptr;
    pantile_kernel *again = nullptr;
    if (pantile_context_create(&options, &fresh, nullptr)) _exit(3);
    std::string source = text("scale");
    if (pantile_kernel_from_text(fresh, source.data(), source.size(), &again, nullptr)) _exit(4);
    y[0] = 0;
    if (pantile_launch(again, nullptr, arguments, 2, nullptr) || y[0] != 3) _exit(5);
    pantile_kernel_release(again);
    pantile_context_release(fresh);
    kernel.reset();
    pantile_context_release(context);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(with(a, b), ""); // the parent goes on
}

TEST_F(Dispatch, UnknownBackendListsWhatThereIs) {
  options.backend = "warp_drive";
  pantile_context *made = nullptr;
  pantile_error *error = nullptr;
  EXPECT_EQ(pantile_context_create(&options, &made, &error), PANTILE_NOT_FOUND);
  std::string said = take(error);
  EXPECT_SAYS(said, "backend 'warp_drive' cannot be used; there is: fake");
  options.backend = "fake:3";
  EXPECT_EQ(pantile_context_create(&options, &made, &error), PANTILE_NOT_FOUND);
  EXPECT_SAYS(take(error), "there is no fake:3, only 1 device");
  options.backend = "warp_drive,fake";
  EXPECT_EQ(pantile_context_create(&options, &made, &error), PANTILE_OK);
  pantile_context_release(made);
}

TEST_F(Dispatch, EnvironmentIsChecked) {
  for (auto [name, value, part] :
       {std::tuple("PANTILE_TUNE", "sometimes", "off, instant, quick, thorough"), std::tuple("PANTILE_PRINT", "llvm,binary", "portable"),
        std::tuple("PANTILE_LOG", "loud", "warning"), std::tuple("PANTILE_PLUGIN_PATH", "plugins", "absolute"),
        std::tuple("PANTILE_CACHE_DIR", "cache", "absolute"), std::tuple("PANTILE_INTERPRET", "yes please", "0, 1"),
        std::tuple("PANTILE_THREADS", "-3", "4096")}) {
    setenv(name, value, 1);
    pantile_context *made = nullptr;
    pantile_error *error = nullptr;
    EXPECT_EQ(pantile_context_create(&options, &made, &error), PANTILE_INVALID_ARGUMENT) << name;
    EXPECT_SAYS(take(error), part);
    unsetenv(name);
  }
}

TEST_F(Dispatch, SeveralContexts) {
  pantile_context *other = nullptr;
  ASSERT_EQ(pantile_context_create(&options, &other, nullptr), PANTILE_OK);
  pantile_stream *stream = nullptr;
  ASSERT_EQ(pantile_stream_create(other, &stream, nullptr), PANTILE_OK);
  Tensor a(x.data(), {8}), b(y.data(), {8});
  DLTensor *arguments[] = {a, b};
  pantile_error *error = nullptr;
  EXPECT_EQ(pantile_launch(kernel.get(), stream, arguments, 2, &error), PANTILE_INVALID_ARGUMENT);
  EXPECT_SAYS(take(error), "another context");
  pantile_stream_release(stream);
  pantile_context_release(other);
  EXPECT_EQ(with(a, b), "");
}

TEST_F(Dispatch, MissingEntriesAreUnimplemented) {
  pantile_stream *stream = nullptr;
  pantile_error *error = nullptr;
  EXPECT_EQ(pantile_stream_wrap(context, nullptr, &stream, &error), PANTILE_UNIMPLEMENTED);
  EXPECT_SAYS(take(error), "older");
}

} // namespace
