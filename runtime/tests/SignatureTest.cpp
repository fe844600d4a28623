//===- runtime/tests/SignatureTest.cpp - arguments to facts and numbers ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Signature.h"

#include "runtime/dispatch/LaunchPlan.h"
#include "runtime/tests/Fixture.h"

#include <bit>

using namespace pantile;
using pantile::test::Tensor;

namespace {

constexpr const char *kText = R"(// pantile-ir 1
tile.kernel @attend(%Q: !tile.view<?x?x?xf32> {tile.sizes = ["H", "S", "D"], tile.access = "read"},
                    %O: !tile.view<?x?x?xf32> {tile.sizes = ["H", "S", "D"], tile.access = "write"},
                    %W: !tile.view<?x64xi8> {tile.sizes = ["S", "64"], tile.access = "read"}, %scale: f32, %length: i32)
    attributes {static = [@d]} {
  %H = tile.dim %Q, 0
  tile.parallel %h in %H by 1 {
    %q = tile.load %Q[%h, 0, full @d] : tensor<?xf32, #tile.dims<@d>>
    tile.store %q, %O[%h, 0, full @d]
  }
}
)";

class Signatures : public ::testing::Test {
protected:
  void SetUp() override {
    auto read = Signature::read(kText);
    ASSERT_TRUE(read) << read.status().message();
    signature = *std::move(read);
  }
  Expected<BoundArguments> bind() {
    DLTensor *all[] = {q, o, w, scale, length};
    return signature->bind(all, 5, {kDLCPU, 0}, true);
  }
  std::optional<Signature> signature;
  alignas(64) char memory[1 << 16] = {};
  float scaleValue = 0.125f;
  int64_t lengthValue = 77;
  Tensor q{memory, {4, 6, 32}}, o{memory + 8192, {4, 6, 32}, {kDLFloat, 32, 1}, {32, 128, 1}},
      w{memory + 16384 + 4, {6, 64}, {kDLInt, 8, 1}, {64, 1}};
  Tensor scale{&scaleValue, {}}, length{&lengthValue, {}, {kDLInt, 64, 1}};
};

TEST_F(Signatures, Facts) {
  auto bound = bind();
  ASSERT_TRUE(bound) << bound.status().message();
  Facts facts = signature->facts(*bound);
  ASSERT_EQ(facts.arguments.size(), 5u);
  const auto &first = facts.arguments[0], &second = facts.arguments[1], &third = facts.arguments[2];
  EXPECT_EQ(first.rank, 3);
  EXPECT_EQ(first.unit_dim, 2);
  EXPECT_EQ(first.alignment, 64u);
  EXPECT_EQ(first.size_divisor[0], 4u);
  EXPECT_EQ(first.size_divisor[1], 1u);
  EXPECT_EQ(first.size_divisor[2], 16u);
  EXPECT_EQ(first.stride_divisor[0], 64u); // 192
  EXPECT_EQ(second.stride_divisor[0], 16u);
  EXPECT_EQ(third.alignment, 4u);
  // D is static where it is the full extent @d, and wherever a size has its name.
  EXPECT_EQ(first.static_size[2], 32);
  EXPECT_EQ(second.static_size[2], 32);
  EXPECT_EQ(first.static_size[1], -1);
  EXPECT_EQ(third.static_size[1], 64); // by its type
  EXPECT_EQ(facts.arguments[3].rank, -1);
  EXPECT_EQ(facts.arguments[4].alignment, 1u); // a scalar's value compiles nothing
}

TEST_F(Signatures, WeakerFactsServe) {
  auto strong = signature->facts(*bind());
  auto weak = strong;
  EXPECT_TRUE(serves(weak, strong));
  weak.arguments[0].size_divisor[0] = 1;
  weak.arguments[0].alignment = 16;
  EXPECT_TRUE(serves(weak, strong));
  EXPECT_FALSE(serves(strong, weak));
  weak.arguments[0].static_size[2] = 64;
  EXPECT_FALSE(serves(weak, strong));
}

TEST_F(Signatures, Scalars) {
  auto bound = bind();
  ASSERT_TRUE(bound);
  EXPECT_EQ((*bound)[3].scalar, std::bit_cast<uint32_t>(0.125f));
  EXPECT_EQ((*bound)[4].scalar, 77u); // an i64 passed for an i32
  double wide = 0.5;
  Tensor asDouble(&wide, {}, {kDLFloat, 64, 1});
  uint64_t value = 0;
  EXPECT_TRUE(readScalar(asDouble.tensor, PANTILE_F32, value));
  EXPECT_EQ(value, std::bit_cast<uint32_t>(0.5f));
  int8_t small = -3;
  Tensor asByte(&small, {}, {kDLInt, 8, 1});
  EXPECT_TRUE(readScalar(asByte.tensor, PANTILE_I64, value));
  EXPECT_EQ(int64_t(value), -3);
  lengthValue = int64_t(1) << 40;
  EXPECT_NE(bind().status().text().find("'length') is a i64 that cannot be passed as i32"), std::string::npos) << bind().status().text();
  lengthValue = 1;
  DLTensor *all[] = {q, o, w, length, length};
  EXPECT_FALSE(signature->bind(all, 5, {kDLCPU, 0}, true)); // an integer for a float
}

TEST_F(Signatures, StaticSizesAreChecked) {
  w.shape[1] = 63;
  EXPECT_NE(bind().status().text().find("has size 63 in dimension 1, 64 is expected"), std::string::npos);
}

TEST_F(Signatures, SizesPastTwoToTheThirtyOne) {
  q.shape = o.shape = {int64_t(1) << 20, int64_t(1) << 13, 32};
  q.tensor.shape = q.shape.data(), o.tensor.shape = o.shape.data();
  o.tensor.strides = nullptr;
  w.shape[0] = int64_t(1) << 13;
  auto bound = bind();
  ASSERT_TRUE(bound) << bound.status().message();
  EXPECT_EQ((*bound)[0].elements, int64_t(1) << 38);
  EXPECT_EQ((*bound)[0].span, uint64_t(1) << 40);
  q.shape = {INT64_MAX / 2, 1 << 20, 32};
  EXPECT_FALSE(bind());
}

TEST_F(Signatures, PlansEvaluate) {
  auto bound = bind();
  ASSERT_TRUE(bound);
  Artifact artifact;
  LaunchDescription launch;
  launch.entry = "go";
  launch.grid = {"kH kS *", "e0", "1"};
  launch.extras = {"s0.2 c.b ceildiv", "a4 e0 *"};
  launch.slots = {"p0", "a3", "e1", "d.units", "t1.1", "w"};
  artifact.launches = {launch};
  artifact.workspaceBytes = "kH 4 *";
  artifact.checks = {{"s0.1 6 ==", "S must be 6"}};
  auto plan = LaunchPlan::create(artifact, *signature, {{"b", 5}}, {{"units", 2}});
  ASSERT_TRUE(plan) << plan.status().message();
  LaunchPlan::Evaluated evaluated;
  ASSERT_TRUE(plan->evaluate(*bound, evaluated).isOk());
  EXPECT_EQ(evaluated.workspaceBytes, 16u);
  artifact.checks = {{"s0.1 7 ==", "S must be 7"}};
  plan = LaunchPlan::create(artifact, *signature, {{"b", 5}}, {{"units", 2}});
  EXPECT_EQ(plan->evaluate(*bound, evaluated).text(), "attend: S must be 7");
  for (const char *bad : {"s9.0", "p3", "a0", "c.unknown", "kX", "1 +", "e2", "s0.3"}) {
    artifact.workspaceBytes = bad;
    auto none = LaunchPlan::create(artifact, *signature, {{"b", 5}}, {{"units", 2}});
    ASSERT_FALSE(none) << bad;
    EXPECT_NE(none.status().text().find("workspace"), std::string::npos) << none.status().text();
  }
  artifact.checks.clear();
  artifact.workspaceBytes = "1 s0.1 6 - /";
  plan = LaunchPlan::create(artifact, *signature, {{"b", 5}}, {{"units", 2}});
  ASSERT_TRUE(plan);
  EXPECT_NE(plan->evaluate(*bound, evaluated).text().find("cannot be evaluated"), std::string::npos);
}

} // namespace
