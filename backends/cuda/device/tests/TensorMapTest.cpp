//===- cuda/device/tests/TensorMapTest.cpp - descriptors ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/tests/Fixture.h"

#include <cstring>

using namespace pantile;
using namespace pantile::cuda;

namespace {

using TensorMapTest = FakeDriverTest;

TEST_F(TensorMapTest, EncodesOnceAndReplacesAddresses) {
  TensorMaps maps(driver());
  CUtensorMap map{};
  auto record = matrixRecord();
  for (uint64_t address : {0x1000, 0x2000, 0x1000}) {
    ASSERT_TRUE(maps.encode(record, address, map).isOk());
    EXPECT_EQ(map.opaque[0], address);
    EXPECT_EQ(map.opaque[1], uint64_t(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16) << 32 | 2 << 8 | 3);
    EXPECT_EQ(map.opaque[2], 100u);
    EXPECT_EQ(map.opaque[7], 256u);
    EXPECT_EQ(map.opaque[12], 16u);
  }
  EXPECT_EQ(fake->calls["cuTensorMapEncodeTiled"], 1u);
  record.sizes[1] = 63; // another view
  ASSERT_TRUE(maps.encode(record, 0x1000, map).isOk());
  EXPECT_EQ(map.opaque[3], 63u);
  EXPECT_EQ(fake->calls["cuTensorMapEncodeTiled"], 2u);
}

TEST_F(TensorMapTest, SaysWhatCannotBeDescribed) {
  TensorMaps maps(driver());
  CUtensorMap map{};
  auto says = [&](auto change, uint64_t address, const char *text) {
    auto record = matrixRecord();
    change(record);
    Status status = maps.encode(record, address, map);
    EXPECT_EQ(status.code(), PANTILE_INVALID_ARGUMENT);
    EXPECT_NE(status.text().find(text), std::string::npos) << status.text();
    EXPECT_NE(status.fix().find("16 bytes"), std::string::npos);
  };
  using Record = simt::DescriptorRecord;
  says([](Record &r) { r.strides[1] = 250; }, 0x1000, "dimension 1 has a stride of 250 bytes");
  says([](Record &r) { r.strides[1] = int64_t(1) << 40; }, 0x1000, "below 2^40");
  says([](Record &r) { r.box[1] = 257; }, 0x1000, "a box of 257 in dimension 1");
  says([](Record &r) { r.box[0] = 4; }, 0x1000, "8 bytes in its innermost dimension");
  says([](Record &r) { r.box[0] = 128; }, 0x1000, "the swizzle's 128 at most");
  says([](Record &r) { r.sizes[0] = (int64_t(1) << 32) + 1; }, 0x1000, "at most 2^32");
  says([](Record &r) { r.rank = 6; }, 0x1000, "rank 6");
  says([](Record &r) { r.dtype = PANTILE_I4; }, 0x1000, "none of dtype");
  says([](Record &r) { r.swizzleBytes = 48; }, 0x1000, "a swizzle of 48 bytes");
  EXPECT_EQ(fake->calls["cuTensorMapEncodeTiled"], 0u);
  says([](Record &) {}, 0x1008, "no multiple of 16");
  ASSERT_TRUE(maps.encode(matrixRecord(), 0x1000, map).isOk());
  says([](Record &) {}, 0x1008, "no multiple of 16"); // remembered or not
}

TEST_F(TensorMapTest, DescribesEmptyAndSingleRows) {
  TensorMaps maps(driver());
  CUtensorMap map{};
  auto record = matrixRecord();
  record.sizes[0] = 0;
  ASSERT_TRUE(maps.encode(record, 0x1000, map).isOk());
  EXPECT_EQ(map.opaque[2], 1u);
  record = matrixRecord();
  record.sizes[1] = 1, record.strides[1] = 6; // never stepped along
  ASSERT_TRUE(maps.encode(record, 0x1000, map).isOk());
  EXPECT_EQ(map.opaque[7] % 16, 0u);
}

TEST_F(TensorMapTest, GoesByValueBehindTheSlots) {
  auto module = load(kFakeCode, {"maps"});
  void *view = allocate(64 * 256), *out = allocate(256);
  Call call({uint64_t(out), 256, uint64_t(view)});
  auto record = matrixRecord();
  record.slot = 2;
  call.describe(record), call.describe(record);
  Status status = device().launch(nullptr, *module, call.get());
  ASSERT_TRUE(status.isOk()) << status.message();
  uint64_t words[32];
  download(words, out, sizeof(words));
  for (int map : {0, 16}) {
    EXPECT_EQ(words[map], uint64_t(view));
    EXPECT_EQ(words[map + 2], 100u);
  }
  // A fault in a description names the kernel.
  call.slots[2] += 2;
  status = device().launch(nullptr, *module, call.get());
  EXPECT_EQ(status.code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(status.text().rfind("maps: a tensor map cannot describe the view", 0), 0u) << status.text();
  call.extras[simt::kLaunchExtras] = 7;
  EXPECT_EQ(device().launch(nullptr, *module, call.get()).code(), PANTILE_DATA_ERROR);
  call.extras[simt::kExtraDescriptors] = 1000;
  EXPECT_EQ(device().launch(nullptr, *module, call.get()).code(), PANTILE_DATA_ERROR);
  device().free(view), device().free(out);
}

} // namespace
