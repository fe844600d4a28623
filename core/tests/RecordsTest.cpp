//===- core/tests/RecordsTest.cpp - configurations, artifacts, dtypes ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Artifact.h"
#include "core/Configuration.h"
#include "core/DType.h"
#include "core/Hash.h"
#include "core/SpaceDescription.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace pantile;

namespace {

TEST(Configuration, TextRoundTrips) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    Configuration configuration;
    for (unsigned n = random() % 6; n > 0; --n) {
      std::string name;
      for (unsigned c = 1 + random() % 6; c > 0; --c) name += "abz_.09 \"\\"[random() % 10];
      switch (random() % 3) {
      case 0: configuration.set(name, int64_t(random())); break;
      case 1: configuration.set(name, std::string("te\"x\\t\n") + char('a' + random() % 26)); break;
      default: configuration.set(name, std::vector<int64_t>(random() % 4, int64_t(random() % 100) - 50)); break;
      }
    }
    auto again = Configuration::fromText(configuration.toText());
    ASSERT_TRUE(again.isOk()) << configuration.toText() << again.status().message();
    EXPECT_EQ(*again, configuration);
    EXPECT_EQ(Configuration::fromABI(*ConfigurationABI(configuration).get()), configuration);
  }
}

TEST(Configuration, ReadsWhatPeopleWrite) {
  auto c = Configuration::fromText("{ bm=64, loop_orders = [1,0], flat = true, pid_type = 'flat', a.b = 2 }");
  ASSERT_TRUE(c.isOk()) << c.status().message();
  EXPECT_EQ(c->integer("bm", 0), 64);
  EXPECT_EQ(c->integer("flat", 0), 1);
  EXPECT_EQ(c->integer("a.b", 0), 2);
  EXPECT_EQ(c->text("pid_type", ""), "flat");
  EXPECT_EQ(c->integer("absent", 7), 7);
  for (const char *bad : {"{bm=}", "{bm=1", "{bm=1.5}", "{bm=[1.5]}", "{bm=[[1]]}", "{bm=1} x=2", "{bm=1, bm=2}"})
    EXPECT_FALSE(Configuration::fromText(bad).isOk()) << bad;
}

Artifact sampleArtifact() {
  Artifact artifact;
  artifact.code = std::string("\0\1\2code", 7);
  artifact.launches.push_back({"entry", {"s0.0", "1", "1"}, {"1", "1", "1"}, "0", {"p0", "s0.0"}, {"64"}});
  artifact.checks.push_back({"s0.0 s1.0 ==", "X and Y have one size"});
  artifact.resources.emplace_back("spill_bytes", -3);
  artifact.workspaceBytes = "s0.0 4 *";
  artifact.log = "a warning";
  return artifact;
}

TEST(Artifact, CrossesTheABIAndTheDisk) {
  Artifact artifact = sampleArtifact();
  pantile_artifact *abi = artifact.toABI();
  EXPECT_EQ(Artifact::fromABI(*abi), artifact);
  abi->release(abi);
  ByteWriter writer;
  artifact.write(writer);
  ByteReader reader(writer.data());
  auto again = Artifact::read(reader);
  ASSERT_TRUE(again.isOk());
  EXPECT_EQ(*again, artifact);
  for (size_t size = 0; size < writer.data().size(); ++size) {
    ByteReader cut(std::string_view(writer.data()).substr(0, size));
    EXPECT_FALSE(Artifact::read(cut).isOk()) << "cut at " << size;
  }
}

TEST(SpaceDescription, CrossesTheABIAndTheDisk) {
  SpaceDescription space;
  space.parameters.push_back({"bm", PANTILE_PARAMETER_POW2, false, 0, {8, 256}, {}, "s0.0 64 min", ""});
  space.parameters.push_back({"pid_type", PANTILE_PARAMETER_ENUM, true, 0, {0, 1}, {"flat", "xyz"}, "0", "c.bm 8 >"});
  space.parameters.push_back({"loop_orders", PANTILE_PARAMETER_PERMUTATION, false, 2, {}, {}, "", ""});
  space.constraints.push_back({"c.bm 8 >=", "bm is at least 8"});
  space.features.push_back({"flops", "s0.0 2 *"});
  pantile_space *abi = space.toABI();
  EXPECT_EQ(SpaceDescription::fromABI(*abi), space);
  abi->release(abi);
  ByteWriter writer;
  space.write(writer);
  ByteReader reader(writer.data());
  auto again = SpaceDescription::read(reader);
  ASSERT_TRUE(again.isOk());
  EXPECT_EQ(*again, space);
}

TEST(Records, MutationsNeverCrash) {
  ByteWriter writer;
  sampleArtifact().write(writer);
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = writer.data();
    for (unsigned n = 1 + random() % 3; n > 0; --n) bytes[random() % bytes.size()] = char(random());
    ByteReader artifact(bytes), space(bytes), facts(bytes);
    (void)Artifact::read(artifact);
    (void)SpaceDescription::read(space);
    (void)Facts::read(facts);
  }
}

TEST(DType, HalfPrecisionIsExactAndRoundsToEven) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float half = f16ToF32(uint16_t(bits)), brain = bf16ToF32(uint16_t(bits));
    if (std::isnan(half)) EXPECT_TRUE(std::isnan(f16ToF32(f32ToF16(half))));
    else ASSERT_EQ(f32ToF16(half), bits);
    if (std::isnan(brain)) EXPECT_TRUE(std::isnan(bf16ToF32(f32ToBF16(brain))));
    else ASSERT_EQ(f32ToBF16(brain), bits);
  }
  // Against the compiler's own conversion, at every boundary and at random.
  std::mt19937 random(2);
  for (int round = 0; round < 2000000; ++round) {
    uint32_t bits = round % 2 ? random() : (random() & 0xffffe000u) | (random() % 4 == 0 ? 0x1000u : random() % 0x2000u);
    float value;
    std::memcpy(&value, &bits, 4);
    if (std::isnan(value)) continue;
    _Float16 expected = static_cast<_Float16>(value);
    uint16_t expectedBits;
    std::memcpy(&expectedBits, &expected, 2);
    ASSERT_EQ(f32ToF16(value), expectedBits) << value;
  }
  EXPECT_EQ(f32ToBF16(1.00390625f), 0x3f80); // a tie goes to even
  EXPECT_EQ(f32ToBF16(1.01171875f), 0x3f82);
}

TEST(DType, NamesAndDLPack) {
  for (const DTypeInfo &row : allDTypes()) {
    auto found = dtypeFromName(row.name);
    ASSERT_TRUE(found.isOk());
    EXPECT_EQ(*found, row.dtype);
  }
  EXPECT_FALSE(dtypeFromName("f33").isOk());
  EXPECT_EQ(*dtypeFromDLPack(4, 16, 1), PANTILE_BF16);
  EXPECT_FALSE(dtypeFromDLPack(2, 32, 4).isOk());
  EXPECT_FALSE(dtypeFromDLPack(9, 32, 1).isOk());
  EXPECT_TRUE(compatible(PANTILE_I8, PANTILE_U8));
  EXPECT_FALSE(compatible(PANTILE_I8, PANTILE_F16));
  EXPECT_FALSE(compatible(PANTILE_F32, PANTILE_I32));
}

TEST(Hash, FieldsDoNotRunTogether) {
  EXPECT_NE(Hasher().field("ab").field("c").finish(), Hasher().field("a").field("bc").finish());
  EXPECT_EQ(digestOf("pantile").hex().size(), 64u);
  EXPECT_EQ(digestOf("pantile"), digestOf("pantile"));
}

} // namespace
