//===- runtime/tests/EmulationTest.cpp - emulated targets as devices -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/emulation/Memory.h"
#include "runtime/tests/Fixture.h"

#include <nlohmann/json.hpp>

using namespace pantile;
using namespace pantile::test;

namespace {

class Emulated : public Fake {
protected:
  void SetUp() override {
    Fake::SetUp();
    options.backend = "emulated:fake";
    remake();
  }
  float *allocate(size_t count) {
    void *pointer = nullptr;
    EXPECT_EQ(pantile_allocate(context, count * sizeof(float), &pointer, nullptr), PANTILE_OK);
    return static_cast<float *>(pointer);
  }
  struct OnDevice : Tensor {
    OnDevice(pantile_context *context, float *data, int64_t size) : Tensor(data, {size}) {
      tensor.device = pantile_context_device(context);
    }
  };
};

TEST_F(Emulated, RunsThroughAHelper) {
  auto json = [&] {
    pantile_string *text = nullptr;
    EXPECT_EQ(pantile_context_describe(context, &text, nullptr), PANTILE_OK);
    auto parsed = nlohmann::json::parse(pantile_string_data(text));
    pantile_string_release(text);
    return parsed;
  }();
  EXPECT_EQ(json["backend"], "emulated");
  EXPECT_EQ(json["target"], "fake");
  EXPECT_EQ(json["properties"]["units"], 3);
  std::vector<float> x(100), y(100);
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  float *dx = allocate(100), *dy = allocate(100);
  ASSERT_EQ(pantile_copy_to_device(context, nullptr, dx, x.data(), 400, nullptr), PANTILE_OK);
  OnDevice a(context, dx, 100), b(context, dy, 100);
  DLTensor *arguments[] = {a, b};
  auto kernel = scale();
  ASSERT_EQ(launch(kernel, arguments, 2), "");
  ASSERT_EQ(pantile_copy_to_host(context, nullptr, y.data(), dy, 400, nullptr), PANTILE_OK);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], 2 * x[i] + 1) << i;
}

TEST_F(Emulated, ReportsWhatAKernelDoesWrong) {
  float *dx = allocate(8), *dy = allocate(8);
  OnDevice a(context, dx, 8), b(context, dy, 8);
  DLTensor *arguments[] = {a, b};
  auto kernel = scale();
  EXPECT_NE(launch(kernel, arguments, 2).find("x was never written"), std::string::npos);
  // The device goes on.
  std::vector<float> x(8, 1);
  ASSERT_EQ(pantile_copy_to_device(context, nullptr, dx, x.data(), 32, nullptr), PANTILE_OK);
  EXPECT_EQ(launch(kernel, arguments, 2), "");
}

TEST_F(Emulated, ListsTargetsWhereTheNameIsWrong) {
  for (const char *name : {"emulated", "emulated:unheard_of"}) {
    options.backend = name;
    pantile_context *none = nullptr;
    pantile_error *error = nullptr;
    EXPECT_NE(pantile_context_create(&options, &none, &error), PANTILE_OK);
    const std::string said = take(error);
    EXPECT_NE(said.find(name == std::string("emulated") ? "name the target to emulate" : "no compiler half knows the target 'unheard_of'"),
              std::string::npos)
        << said;
  }
}

TEST(EmulatedMemory, KeepsBuffersApartAndReusesThem) {
  auto memory = EmulatedMemory::create();
  ASSERT_TRUE(memory) << memory.status().message();
  EmulatedMemory &m = **memory;
  auto *a = static_cast<char *>(*m.allocate(100)), *b = static_cast<char *>(*m.allocate(5000));
  EXPECT_FALSE(m.markWritten(a, 101)) << "the byte behind belongs to nobody";
  EXPECT_TRUE(m.markWritten(a, 100));
  EXPECT_TRUE(m.markWritten(b, 5000));
  m.free(a);
  EXPECT_FALSE(m.markWritten(a, 1));
  EXPECT_EQ(*m.allocate(90), a);
  m.free(b);
  m.free(a);
  EXPECT_EQ(*m.allocate(6000), a) << "free neighbours are one hole";
  EXPECT_FALSE(m.allocate(m.size() + 1));
  EXPECT_FALSE(m.allocate(~size_t(0)));
}

} // namespace
