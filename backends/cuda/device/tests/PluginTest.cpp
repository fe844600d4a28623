//===- cuda/device/tests/PluginTest.cpp - the table, as the host sees it --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The fake driver is loaded by its path first; the plugin then asks the loader for libcuda.so.1 and gets the one that is there.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/tests/Fixture.h"

#include "pantile/capture.h"

#include <bit>
#include <cstring>

using namespace pantile;
using namespace pantile::cuda;

namespace {

class PluginTest : public FakeDriverTest {
protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    void *library = dlopen(PANTILE_CUDA_DEVICE, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    auto query = reinterpret_cast<pantile_plugin_query_fn>(dlsym(library, PANTILE_PLUGIN_QUERY_SYMBOL));
    static const pantile_host host{sizeof(pantile_host), PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR, 0, 0, nullptr, nullptr};
    EXPECT_EQ(query(&host, 99u << 16), nullptr) << "another major";
    const pantile_plugin *plugin = query(&host, PANTILE_ABI_VERSION);
    ASSERT_NE(plugin, nullptr);
    table = static_cast<const pantile_device_interface *>(plugin->query_interface(plugin, PANTILE_INTERFACE_DEVICE));
    ASSERT_EQ(plugin->query_interface(plugin, PANTILE_INTERFACE_COMPILER), nullptr);
    capture = static_cast<const pantile_capture_interface *>(plugin->query_interface(plugin, PANTILE_INTERFACE_CAPTURE));
    ASSERT_NE(capture, nullptr);
    ASSERT_EQ(table->open(0, &device, &error), PANTILE_OK) << said();
  }
  void TearDown() override { table->close(device); }
  std::string said() {
    if (!error) return "";
    std::string text = error->text;
    error->release(error);
    error = nullptr;
    return text;
  }
  const pantile_device_interface *table = nullptr;
  const pantile_capture_interface *capture = nullptr;
  pantile_device_handle *device = nullptr;
  pantile_message *error = nullptr;
};

TEST_F(PluginTest, CountsAndDescribes) {
  uint32_t count = 0;
  ASSERT_EQ(table->count(&count, &error), PANTILE_OK) << said();
  EXPECT_EQ(count, 2u);
  pantile_device_info info{};
  info.struct_size = sizeof(info);
  ASSERT_EQ(table->describe(1, &info, &error), PANTILE_OK) << said();
  EXPECT_STREQ(info.target, "sm_90a");
  EXPECT_EQ(info.dlpack_device_type, 2);
  EXPECT_EQ(info.ordinal, 1);
  EXPECT_NE(table->describe(7, &info, &error), PANTILE_OK);
  EXPECT_FALSE(said().empty());
}

TEST_F(PluginTest, CopiesFillsAndTimes) {
  void *pointer = nullptr;
  pantile_stream_handle *stream = nullptr;
  ASSERT_EQ(table->allocate(device, 64, &pointer, &error), PANTILE_OK) << said();
  ASSERT_EQ(table->stream_create(device, &stream, &error), PANTILE_OK) << said();
  pantile_event_handle *events[2];
  for (auto &event : events) ASSERT_EQ(table->event_create(device, &event, &error), PANTILE_OK) << said();
  uint64_t nanoseconds = 0;
  EXPECT_EQ(table->event_elapsed(events[0], events[1], &nanoseconds, &error), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(said(), "an event that was never recorded has no time");
  ASSERT_EQ(table->event_record(events[0], stream, &error), PANTILE_OK);
  for (auto [pattern, bytes] : {std::pair(0x11u, 1u), {0x2222u, 2u}, {0x33333333u, 4u}}) {
    ASSERT_EQ(table->fill(device, stream, pointer, pattern, bytes, 64, &error), PANTILE_OK) << said();
    char host[64];
    ASSERT_EQ(table->copy(device, stream, PANTILE_COPY_TO_HOST, host, pointer, 64, &error), PANTILE_OK) << said();
    ASSERT_EQ(table->stream_synchronize(device, stream, &error), PANTILE_OK);
    EXPECT_EQ(std::memcmp(host + 60, &pattern, bytes), 0);
  }
  EXPECT_EQ(table->fill(device, stream, pointer, 0, 3, 63, &error), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(said(), "a fill pattern of 3 bytes, expected 1, 2 or 4");
  ASSERT_EQ(table->event_record(events[1], stream, &error), PANTILE_OK);
  ASSERT_EQ(table->event_wait(nullptr, events[1], &error), PANTILE_OK);
  ASSERT_EQ(table->event_synchronize(events[1], &error), PANTILE_OK);
  ASSERT_EQ(table->event_elapsed(events[0], events[1], &nanoseconds, &error), PANTILE_OK) << said();
  EXPECT_GT(nanoseconds, 0u);
  for (auto &event : events) table->event_release(event);
  EXPECT_EQ(table->set_option(device, "threads", 1, &error), PANTILE_UNSUPPORTED);
  said();
  table->stream_release(stream);
  table->free(device, pointer);
}

TEST_F(PluginTest, RecordsAndReplays) {
  const char *entry = "scale";
  pantile_module_handle *module = nullptr;
  ASSERT_EQ(table->load(device, kFakeCode.data(), kFakeCode.size(), &entry, 1, &module, &error), PANTILE_OK) << said();
  pantile_stream_handle *stream = nullptr;
  ASSERT_EQ(table->stream_create(device, &stream, &error), PANTILE_OK) << said();
  void *x = nullptr;
  ASSERT_EQ(table->allocate(device, 4, &x, &error), PANTILE_OK) << said();
  ASSERT_EQ(table->fill(device, stream, x, 0, 4, 4, &error), PANTILE_OK);

  EXPECT_EQ(capture->begin(device, nullptr, &error), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(said(), "the default stream cannot be captured");
  uint32_t capturing = 7;
  ASSERT_EQ(capture->begin(device, stream, &error), PANTILE_OK) << said();
  ASSERT_EQ(capture->capturing(device, stream, &capturing, &error), PANTILE_OK) << said();
  EXPECT_EQ(capturing, 1u);
  ASSERT_EQ(capture->capturing(device, nullptr, &capturing, &error), PANTILE_OK) << said();
  EXPECT_EQ(capturing, 0u);
  Call call({uint64_t(x), uint64_t(x), 1, std::bit_cast<uint32_t>(2.0f)});
  call.call.module = module;
  ASSERT_EQ(table->launch(device, stream, &call.get(), &error), PANTILE_OK) << said();
  pantile_graph_handle *graph = nullptr;
  ASSERT_EQ(capture->end(device, stream, &graph, &error), PANTILE_OK) << said();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(capture->replay(graph, stream, &error), PANTILE_OK) << said();
  float value = -1;
  ASSERT_EQ(table->copy(device, stream, PANTILE_COPY_TO_HOST, &value, x, 4, &error), PANTILE_OK);
  EXPECT_EQ(value, 7) << "0 -> 1 -> 3 -> 7: run at replays only";

  // What cannot be recorded spoils the record, and says so.
  ASSERT_EQ(capture->begin(device, stream, &error), PANTILE_OK) << said();
  EXPECT_NE(table->stream_synchronize(device, stream, &error), PANTILE_OK);
  EXPECT_NE(said(), "");
  pantile_graph_handle *none = nullptr;
  EXPECT_NE(capture->end(device, stream, &none, &error), PANTILE_OK);
  EXPECT_NE(said(), "");
  EXPECT_EQ(none, nullptr);
  capture->release(graph);
  table->unload(module);
  table->stream_release(stream);
  table->free(device, x);
}

} // namespace
