//===- runtime/tests/OwnMemoryTest.cpp - a device with memory of its own --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The fake device whose addresses the host cannot touch: whoever forgets a copy crashes here.
//
//===----------------------------------------------------------------------===//

#include "runtime/tests/Fixture.h"

#include <cstring>
#include <nlohmann/json.hpp>

using namespace pantile;
using namespace pantile::test;

namespace {

class OwnMemory : public Fake {
protected:
  void SetUp() override {
    Fake::SetUp();
    plugins = std::string(PANTILE_TEST_BAD_PLUGINS) + "/own:" + PANTILE_TEST_BAD_PLUGINS + "/interpreter";
    options.plugin_path = plugins.c_str();
    options.log_level = PANTILE_LOG_OFF + 1;
    remake();
    x = allocate(), y = allocate();
    upload(x, std::vector<float>(count, 1));
  }
  void TearDown() override {
    for (void *pointer : allocated) pantile_free(context, pointer);
    Fake::TearDown();
  }
  void *allocate() {
    void *pointer = nullptr;
    pantile_error *error = nullptr;
    EXPECT_EQ(pantile_allocate(context, count * 4, &pointer, &error), PANTILE_OK) << take(error);
    allocated.push_back(pointer);
    return pointer;
  }
  void upload(void *to, const std::vector<float> &host) {
    pantile_error *error = nullptr;
    EXPECT_EQ(pantile_copy_to_device(context, nullptr, to, host.data(), host.size() * 4, &error), PANTILE_OK) << take(error);
  }
  std::vector<float> download(void *from) {
    std::vector<float> host(count);
    pantile_error *error = nullptr;
    EXPECT_EQ(pantile_copy_to_host(context, nullptr, host.data(), from, count * 4, &error), PANTILE_OK) << take(error);
    return host;
  }
  /// A vector at an address, on the context's device.
  std::unique_ptr<Tensor> vector(void *data) {
    auto tensor = std::make_unique<Tensor>(data, std::vector<int64_t>{int64_t(count)});
    tensor->tensor.device = pantile_context_device(context);
    return tensor;
  }
  std::string launchOn(pantile_stream *stream, const KernelHandle &kernel, DLTensor **arguments) {
    pantile_error *error = nullptr;
    pantile_code code = pantile_launch(kernel.get(), stream, arguments, 2, &error);
    std::string said = take(error);
    return code && said.empty() ? "an error without a text" : said;
  }
  static constexpr size_t count = 100;
  std::string plugins;
  void *x = nullptr, *y = nullptr;
  std::vector<void *> allocated;
};

TEST_F(OwnMemory, LaunchesOnIt) {
  auto a = vector(x), b = vector(y);
  DLTensor *arguments[] = {*a, *b};
  auto kernel = scale();
  EXPECT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(download(y)[count - 1], 3);
  // Again, from the slot.
  EXPECT_EQ(launch(kernel, arguments, 2), "");
}

TEST_F(OwnMemory, RefusesHostTensors) {
  std::vector<float> host(count);
  Tensor onHost(host.data(), {int64_t(count)});
  auto b = vector(y);
  auto kernel = scale();
  DLTensor *arguments[] = {onHost, *b};
  EXPECT_NE(launch(kernel, arguments, 2).find("argument 0 ('X') is in host memory, this context's device is 12:0"), std::string::npos);
  // A tensor that claims to be on the device and is not.
  auto claims = vector(host.data());
  DLTensor *liars[] = {*claims, *b};
  const std::string said = launch(kernel, liars, 2);
  EXPECT_NE(said.find("argument 0 ('X'): the address is host memory"), std::string::npos) << said;
  // Another device of the same kind.
  auto other = vector(x);
  other->tensor.device.device_id = 3;
  DLTensor *others[] = {*other, *b};
  EXPECT_NE(launch(kernel, others, 2).find("is on device 12:3"), std::string::npos);
}

TEST_F(OwnMemory, InterpretsWithIt) {
  options.interpret = 1;
  for (void *pointer : allocated) pantile_free(context, pointer);
  allocated.clear();
  remake();
  x = allocate(), y = allocate();
  upload(x, std::vector<float>(count, 4));
  auto a = vector(x), b = vector(y);
  DLTensor *arguments[] = {*a, *b};
  auto kernel = scale();
  EXPECT_EQ(launch(kernel, arguments, 2), "");
  EXPECT_EQ(download(y)[7], 9);
}

TEST_F(OwnMemory, TunesOnIt) {
  upload(y, std::vector<float>(count, -5));
  auto a = vector(x), b = vector(y);
  DLTensor *arguments[] = {*a, *b};
  auto kernel = scale();
  pantile_tune_options wanted{};
  wanted.struct_size = sizeof(wanted);
  wanted.strategy = "exhaustive";
  wanted.seconds = 60;
  pantile_string *result = nullptr;
  pantile_error *error = nullptr;
  ASSERT_EQ(pantile_tune(kernel.get(), arguments, 2, &wanted, &result, &error), PANTILE_OK) << take(error);
  auto json = nlohmann::json::parse(pantile_string_data(result));
  pantile_string_release(result);
  EXPECT_NE(json["configuration"].get<std::string>().find("factor = 2,"), std::string::npos) << json;
  EXPECT_EQ(json["tried"].get<int>(), 38);
  EXPECT_EQ(json["failed"].get<int>(), 36); // aborts, out of bounds, wrong, a fault
  EXPECT_GT(json["median_us"].get<double>(), 0);
  EXPECT_EQ(download(y)[0], -5) << "the caller's tensors were not touched, nor its device by the candidate that faulted";
}

TEST_F(OwnMemory, NamesWhatMayHaveFaulted) {
  auto a = vector(x), b = vector(y);
  DLTensor *arguments[] = {*a, *b};
  auto kernel = scale("culprit");
  pantile_error *error = nullptr;
  ASSERT_EQ(pantile_kernel_set_configuration(kernel.get(), "{factor = 17}", &error), PANTILE_OK) << take(error);
  EXPECT_EQ(launch(kernel, arguments, 2), "") << "devices report later";
  EXPECT_EQ(pantile_synchronize(context, nullptr, &error), PANTILE_DEVICE_ERROR);
  const std::string said = take(error);
  EXPECT_NE(said.find("the fake device has faulted"), std::string::npos) << said;
  EXPECT_NE(said.find("the last launch: culprit {factor = 17"), std::string::npos) << said;
}

TEST_F(OwnMemory, RecordsLaunches) {
  pantile_error *error = nullptr;
  pantile_stream *stream = nullptr;
  pantile_graph *graph = nullptr;
  ASSERT_EQ(pantile_stream_create(context, &stream, &error), PANTILE_OK) << take(error);
  auto a = vector(x), b = vector(y), c = vector(allocate());
  DLTensor *arguments[] = {*a, *b}, *second[] = {*b, *c};
  auto kernel = scale();
  ASSERT_EQ(pantile_capture_begin(context, stream, &error), PANTILE_OK) << take(error);
  EXPECT_NE(launchOn(stream, kernel, arguments).find("its stream is being captured"), std::string::npos);
  ASSERT_EQ(pantile_capture_end(context, stream, &graph, &error), PANTILE_OK) << take(error);
  pantile_graph_release(graph);
  // Known code is not enough: the workspace has to be there too.
  ASSERT_EQ(launchOn(nullptr, kernel, arguments), "");
  ASSERT_EQ(pantile_capture_begin(context, stream, &error), PANTILE_OK) << take(error);
  EXPECT_NE(launchOn(stream, kernel, arguments).find("workspace would have to be allocated while the stream is captured"),
            std::string::npos);
  ASSERT_EQ(pantile_capture_end(context, stream, &graph, &error), PANTILE_OK) << take(error);
  pantile_graph_release(graph);

  ASSERT_EQ(launchOn(stream, kernel, arguments), "");
  ASSERT_EQ(pantile_capture_begin(context, stream, &error), PANTILE_OK) << take(error);
  EXPECT_EQ(launchOn(stream, kernel, arguments), "");
  EXPECT_EQ(launchOn(stream, kernel, second), "");
  ASSERT_EQ(pantile_capture_end(context, stream, &graph, &error), PANTILE_OK) << take(error);
  upload(x, std::vector<float>(count, 10));
  ASSERT_EQ(pantile_graph_launch(graph, stream, &error), PANTILE_OK) << take(error);
  EXPECT_EQ(download(allocated.back())[3], 43) << "(10 * 2 + 1) * 2 + 1";
  // Launches that follow take other workspace than the record's.
  EXPECT_EQ(launchOn(stream, kernel, arguments), "");
  pantile_graph_release(graph);
  pantile_stream_release(stream);
  EXPECT_EQ(pantile_capture_begin(context, nullptr, &error), PANTILE_INVALID_ARGUMENT);
  take(error);
}

} // namespace
