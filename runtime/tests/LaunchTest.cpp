//===- runtime/tests/LaunchTest.cpp - context to launch through fakes -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tests/Fixture.h"

#include <algorithm>
#include <nlohmann/json.hpp>

using namespace pantile::test;

namespace {

TEST_F(Fake, LaunchesThroughPlugins) {
  auto kernel = scale();
  std::vector<float> x(100), y(100, -1);
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], 2 * x[i] + 1) << i;
  // The second launch needs no helper and no lock; other addresses are fine.
  std::vector<float> z(100);
  Tensor c(z.data(), {100});
  DLTensor *others[] = {a, c};
  ASSERT_EQ(launch(kernel, others, 2), "");
  EXPECT_EQ(z[99], 199);
}

TEST_F(Fake, PinsConfigurations) {
  auto kernel = scale();
  std::vector<float> x(8, 1), y(8);
  Tensor a(x.data(), {8}), b(y.data(), {8});
  DLTensor *arguments[] = {a, b};
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[7], 3);
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factor = 5}", nullptr), PANTILE_OK);
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[7], 6);
  auto json = nlohmann::json::parse(describe(kernel, arguments, 2));
  EXPECT_EQ(json["source"], "pinned");
  EXPECT_EQ(json["configuration"], "{factor = 5, mode = \"fast\"}");
  EXPECT_EQ(json["compiled"], true);
  EXPECT_EQ(json["resources"]["registers"], 7);
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factor = 12}", nullptr), PANTILE_OK);
  EXPECT_NE(launch(kernel, arguments, 2).find("factor must not be 12"), std::string::npos);
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factro = 3}", nullptr), PANTILE_OK);
  EXPECT_NE(launch(kernel, arguments, 2).find("factro"), std::string::npos);
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), nullptr, nullptr), PANTILE_OK);
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[7], 3);
}

TEST_F(Fake, CachedStartStartsNoHelper) {
  std::vector<float> x(8, 1), y(8);
  Tensor a(x.data(), {8}), b(y.data(), {8});
  DLTensor *arguments[] = {a, b};
  ASSERT_EQ(launch(scale(), arguments, 2), "");
  // Another context without any helper program.
  options.helper_dir = "/nonexistent";
  remake();
  y[0] = 0;
  ASSERT_EQ(launch(scale(), arguments, 2), "");
  EXPECT_EQ(y[0], 3);
}

TEST_F(Fake, NewShapesCompileNothing) {
  std::vector<std::string> said;
  options.log_level = PANTILE_LOG_INFO + 1;
  options.log = [](void *user, pantile_log_level, const char *text) { static_cast<std::vector<std::string> *>(user)->emplace_back(text); };
  options.log_user = &said;
  remake();
  {
    auto kernel = scale();
    std::vector<float> x(512, 1), y(512);
    for (int64_t size = 256; size > 0; --size) {
      Tensor a(x.data(), {size}), b(y.data(), {size});
      DLTensor *arguments[] = {a, b};
      ASSERT_EQ(launch(kernel, arguments, 2), "");
    }
  }
  // One for sizes that 64 divides, one for all others.
  EXPECT_EQ(std::count_if(said.begin(), said.end(), [](const std::string &line) { return line.starts_with("compiling"); }), 2);
  pantile_context_release(context);
  context = nullptr;
}

TEST_F(Fake, NeverCompiles) {
  options.never_compile = 1;
  remake();
  std::vector<float> x(8, 1), y(8);
  Tensor a(x.data(), {8}), b(y.data(), {8});
  DLTensor *arguments[] = {a, b};
  pantile_error *error = nullptr;
  auto kernel = scale();
  EXPECT_EQ(pantile_launch(kernel.get(), nullptr, arguments, 2, &error), PANTILE_NOT_FOUND);
  EXPECT_NE(take(error).find("forbidden"), std::string::npos);
}

} // namespace
