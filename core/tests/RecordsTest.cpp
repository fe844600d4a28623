//===- core/tests/RecordsTest.cpp - configurations, artifacts, hashes ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Artifact.h"
#include "core/Bytes.h"
#include "core/Configuration.h"
#include "core/Hash.h"
#include "core/SpaceDescription.h"

#include <cmath>
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
      case 0:
        configuration.set(name, int64_t(random()));
        break;
      case 1:
        configuration.set(name, std::string("te\"x\\t\n") + char('a' + random() % 26));
        break;
      default:
        configuration.set(name, std::vector<int64_t>(random() % 4, int64_t(random() % 100) - 50));
        break;
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

TEST(Bytes, WhatIsWrittenIsRead) {
  ByteWriter writer;
  writer.u8(250);
  writer.u32(4000000000u);
  writer.i64(INT64_MIN);
  writer.f64(-0.0);
  writer.text(std::string_view("a\0b", 3));
  writer.texts({"", "x"});
  writer.integers({1, -2});
  auto readAll = [](std::string_view bytes) {
    ByteReader reader(bytes);
    bool same = reader.u8() == 250 && reader.u32() == 4000000000u && reader.i64() == INT64_MIN && std::signbit(reader.f64());
    same = reader.text() == std::string_view("a\0b", 3) && same;
    same = reader.texts() == std::vector<std::string>{"", "x"} && same;
    same = reader.integers() == std::vector<int64_t>{1, -2} && same;
    return std::pair(same, reader.finish("a record"));
  };
  auto [same, status] = readAll(writer.data());
  EXPECT_TRUE(same);
  EXPECT_TRUE(status.isOk());
  for (size_t size = 0; size < writer.data().size(); ++size) {
    auto cut = readAll(std::string_view(writer.data()).substr(0, size)).second;
    EXPECT_EQ(cut.code(), PANTILE_DATA_ERROR) << size;
    EXPECT_NE(cut.text().find("a record"), std::string::npos);
  }
  auto longer = readAll(writer.data() + "x").second;
  EXPECT_NE(longer.text().find("1 bytes too many"), std::string::npos) << longer.text();
}

TEST(Bytes, NoLengthIsTrustedAndFailureSticks) {
  for (uint64_t length : {uint64_t(1), uint64_t(9), uint64_t(1) << 40, UINT64_MAX, UINT64_MAX / 8 + 1}) {
    ByteWriter writer;
    writer.u64(length);
    for (int kind = 0; kind < 4; ++kind) {
      ByteReader reader(writer.data());
      if (kind == 0) EXPECT_TRUE(reader.text().empty());
      if (kind == 1) EXPECT_TRUE(reader.texts().empty());
      if (kind == 2) EXPECT_TRUE(reader.integers().empty());
      if (kind == 3) EXPECT_EQ(reader.count(0), 0u);
      EXPECT_TRUE(reader.failed()) << length << " " << kind;
      EXPECT_EQ(reader.u8(), 0);
      EXPECT_FALSE(reader.finish("x", false).isOk());
    }
  }
}

/// Where mutated bytes still are an artifact, it writes back as itself.
TEST(Records, WhatIsReadIsWrittenBack) {
  ByteWriter writer;
  sampleArtifact().write(writer);
  std::mt19937 random(11);
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = writer.data();
    bytes[random() % bytes.size()] = char(random());
    ByteReader reader(bytes);
    auto artifact = Artifact::read(reader);
    if (!artifact || !reader.finish("", true).isOk()) continue;
    ++accepted;
    ByteWriter again;
    artifact->write(again);
    ASSERT_EQ(again.data(), bytes);
  }
  EXPECT_GT(accepted, 100);
}

TEST(Hash, FieldsDoNotRunTogether) {
  EXPECT_NE(Hasher().field("ab").field("c").finish(), Hasher().field("a").field("bc").finish());
  EXPECT_EQ(digestOf("pantile").hex().size(), 64u);
  EXPECT_EQ(digestOf("pantile"), digestOf("pantile"));
}

/// These name files in caches that outlive a release: a change of value orphans them all.
TEST(Hash, ValuesAreStable) {
  EXPECT_EQ(digestOf("").hex(), "81e47a19e6b29b0a65b9591762ce5143ed30d0261e5d24a3201752506b20f15c");
  EXPECT_EQ(digestOf("pantile").hex(), "da112a4e80b6a538d906a673d25829a479f8ce552c78881d0d9782752c3c3157");
  EXPECT_EQ(Hasher().field("a").field(uint64_t(1)).finish().hex(), "cbd0e3949839167d802518bd65174be072331bedddc06cc57553c1ce2cad140a");
  EXPECT_EQ(checksum(""), 0x2d06800538d394c2u); // XXH3_64bits of nothing, as its specification says
  EXPECT_EQ(checksum("pantile"), 18089030144368648448u);
}

} // namespace
