//===- runtime/tests/TuneTest.cpp - tuning in workers that may die --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The fake device computes x * factor + 1, aborts for factor 14, writes out of bounds for 15 and wrongly for 16, fails for
// 13; the fake interpreter says that 2 is right.
//
//===----------------------------------------------------------------------===//

#include "runtime/tests/Fixture.h"
#include "runtime/tuning/Inputs.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace pantile;
using namespace pantile::test;

namespace {

class Tune : public Fake {
protected:
  void SetUp() override {
    Fake::SetUp();
    pantile_context_release(context);
    context = nullptr;
    plugins = std::string(PANTILE_TEST_PLUGINS) + ":" + PANTILE_TEST_BAD_PLUGINS + "/interpreter";
    options.plugin_path = plugins.c_str();
    remake();
  }
  nlohmann::json tune(pantile_tune_options wanted, DLTensor **arguments) {
    wanted.struct_size = sizeof(wanted);
    pantile_string *result = nullptr;
    pantile_error *error = nullptr;
    auto kernel = scale();
    code = pantile_tune(kernel.get(), arguments, 2, &wanted, &result, &error);
    said = take(error);
    nlohmann::json json = result ? nlohmann::json::parse(pantile_string_data(result)) : nlohmann::json();
    pantile_string_release(result);
    return json;
  }
  std::string plugins, said;
  pantile_code code = PANTILE_OK;
  std::vector<float> x = std::vector<float>(100, 1), y = std::vector<float>(100);
};

TEST_F(Tune, FindsTheOneThatIsRight) {
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  pantile_tune_options wanted{};
  wanted.strategy = "exhaustive";
  wanted.seconds = 60;
  auto json = tune(wanted, arguments);
  ASSERT_EQ(code, PANTILE_OK) << said;
  EXPECT_NE(json["configuration"].get<std::string>().find("factor = 2,"), std::string::npos) << json;
  EXPECT_EQ(json["tried"].get<int>(), 38);  // 20 factors without 12, times 2 modes
  EXPECT_EQ(json["failed"].get<int>(), 36); // aborts, out of bounds, wrong
  EXPECT_GT(json["median_us"].get<double>(), 0);
  EXPECT_EQ(y[0], 0); // the caller's tensors were not touched
  // Stored: the next launch uses it, in another context too.
  auto kernel = scale();
  EXPECT_EQ(nlohmann::json::parse(describe(kernel, arguments, 2))["source"], "tuned");
  kernel.reset();
  remake();
  kernel = scale();
  EXPECT_EQ(nlohmann::json::parse(describe(kernel, arguments, 2))["source"], "tuned");
  // A neighbour takes it over.
  Tensor c(x.data(), {90}), d(y.data(), {90});
  DLTensor *others[] = {c, d};
  EXPECT_EQ(nlohmann::json::parse(describe(kernel, others, 2))["source"], "neighbour");
  EXPECT_EQ(launch(kernel, others, 2), "");
  EXPECT_EQ(y[0], 3);
}

TEST_F(Tune, BelongsToANumberOfThreads) {
  Tensor a(x.data(), {100}), b(y.data(), {100}), c(x.data(), {90}), d(y.data(), {90});
  DLTensor *arguments[] = {a, b}, *others[] = {c, d};
  pantile_tune_options wanted{};
  wanted.strategy = "exhaustive";
  wanted.seconds = 60;
  auto source = [&](const KernelHandle &kernel, DLTensor **of) {
    return nlohmann::json::parse(describe(kernel, of, 2))["source"].get<std::string>();
  };
  auto threads = [&](uint32_t count) { EXPECT_EQ(pantile_context_set_threads(context, count, nullptr), PANTILE_OK); };
  threads(2);
  tune(wanted, arguments);
  ASSERT_EQ(code, PANTILE_OK) << said;
  auto kernel = scale();
  EXPECT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(source(kernel, arguments), "tuned");
  EXPECT_EQ(source(kernel, others), "neighbour");
  // Neither what is on disk nor what this kernel has compiled serves another number.
  threads(1);
  EXPECT_EQ(source(kernel, arguments), "default");
  EXPECT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(source(kernel, others), "default");
  threads(0); // all four
  EXPECT_EQ(source(kernel, arguments), "default");
  tune(wanted, arguments);
  ASSERT_EQ(code, PANTILE_OK) << said;
  kernel.reset();
  remake(); // all four again: unset is the same as all
  kernel = scale();
  EXPECT_EQ(source(kernel, arguments), "tuned");
  threads(9); // no more than there are
  EXPECT_EQ(source(kernel, arguments), "tuned");
  threads(2);
  EXPECT_EQ(source(kernel, arguments), "tuned");
  threads(3);
  EXPECT_EQ(source(kernel, arguments), "default");
}

TEST_F(Tune, WithoutAnInterpreterCandidatesMustAgree) {
  options.plugin_path = PANTILE_TEST_PLUGINS;
  options.log_level = PANTILE_LOG_OFF + 1;
  remake();
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  pantile_tune_options wanted{};
  wanted.strategy = "exhaustive";
  wanted.seconds = 60;
  auto json = tune(wanted, arguments); // the default factor is 2 and comes first
  ASSERT_EQ(code, PANTILE_OK) << said;
  EXPECT_NE(json["configuration"].get<std::string>().find("factor = 2,"), std::string::npos) << json;
  EXPECT_EQ(json["failed"].get<int>(), 36);
}

TEST_F(Tune, EditedFilesCountAtOnce) {
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  pantile_tune_options wanted{};
  wanted.strategy = "exhaustive";
  wanted.seconds = 60;
  tune(wanted, arguments);
  ASSERT_EQ(code, PANTILE_OK) << said;
  std::filesystem::path file;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(cachePath + "/configurations"))
    if (entry.path().extension() == ".toml") file = entry.path();
  ASSERT_FALSE(file.empty());
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  size_t at = text.find("factor = 2");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "factor = 3");
  std::ofstream(file) << text;
  auto kernel = scale();
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[0], 4); // people's edits count, at once
}

TEST_F(Tune, FirstLaunchTunesWhereAsked) {
  options.tune = PANTILE_TUNE_QUICK;
  remake();
  auto kernel = scale();
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[0], 3);
  EXPECT_EQ(nlohmann::json::parse(describe(kernel, arguments, 2))["source"], "tuned");
}

TEST_F(Tune, CanBeCancelled) {
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  pantile_tune_options wanted{};
  wanted.seconds = 60;
  wanted.progress = [](void *, const pantile_tune_progress *progress) { return int(progress->tried > 3); };
  auto json = tune(wanted, arguments);
  EXPECT_TRUE(code == PANTILE_CANCELLED || json["cancelled"] == true) << said;
}

TEST_F(Tune, BadOptionsSaySo) {
  Tensor a(x.data(), {100}), b(y.data(), {100});
  DLTensor *arguments[] = {a, b};
  pantile_tune_options wanted{};
  wanted.strategy = "wishful";
  tune(wanted, arguments);
  EXPECT_NE(code, PANTILE_OK);
  EXPECT_NE(said.find("differential_evolution"), std::string::npos) << said;
}

TEST_F(Tune, InterpreterIsTheOracle) {
  auto kernel = scale();
  Tensor a(x.data(), {100}), b(y.data(), {50}, {kDLFloat, 32, 1}, {2});
  a.shape[0] = 50;
  DLTensor *arguments[] = {a, b};
  pantile_error *error = nullptr;
  ASSERT_EQ(pantile_kernel_interpret(kernel.get(), arguments, 2, &error), PANTILE_OK) << take(error);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(y[i], i % 2 ? 0 : 3) << i;
  // PANTILE_INTERPRET: launches go there.
  options.interpret = 1;
  kernel.reset();
  remake();
  kernel = scale();
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factor = 14}", nullptr), PANTILE_OK); // would abort
  std::fill(y.begin(), y.end(), 0);
  EXPECT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(y[98], 3);
}

TEST(Compare, TellsWrongFromRounded) {
  BoundArgument view;
  view.rank = 1;
  view.dtype = PANTILE_F32;
  view.sizes[0] = view.elements = 4;
  view.strides[0] = 1;
  view.span = 16;
  float right[] = {1, 100, -3, 0}, rounded[] = {1.00001f, 100.001f, -3.00001f, 1e-5f}, wrong[] = {1, 100, -3.5f, 0},
        nan[] = {1, NAN, -3, 0};
  auto bytes = [](float *values) { return reinterpret_cast<char *>(values); };
  EXPECT_TRUE(compareView("Y", bytes(right), bytes(right), view).isOk());
  EXPECT_TRUE(compareView("Y", bytes(rounded), bytes(right), view).isOk());
  EXPECT_NE(compareView("Y", bytes(wrong), bytes(right), view).text().find("Y[2] is -3.5, -3 is right"), std::string::npos);
  EXPECT_FALSE(compareView("Y", bytes(nan), bytes(right), view).isOk());
  view.dtype = PANTILE_I32;
  int32_t one[] = {1, 2, 3, 4}, other[] = {1, 2, 3, 5};
  EXPECT_FALSE(compareView("Y", reinterpret_cast<char *>(one), reinterpret_cast<char *>(other), view).isOk());
}

} // namespace
