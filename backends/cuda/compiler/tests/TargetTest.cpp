//===- cuda/compiler/tests/TargetTest.cpp - target strings ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Target.h"

#include <gtest/gtest.h>

using namespace pantile;
using namespace pantile::cuda;

namespace {

TEST(Target, ReadsNamesAndProperties) {
  auto plain = parseTarget("sm_90a");
  ASSERT_TRUE(plain) << plain.status().message();
  EXPECT_EQ(plain->units, 132);
  EXPECT_TRUE(plain->has(kGroupDot));
  auto full = parseTarget("sm_80:ptxas=/opt/ptxas,ptxas_seconds=5,units=56");
  ASSERT_TRUE(full) << full.status().message();
  EXPECT_EQ(full->ptxas, "/opt/ptxas");
  EXPECT_EQ(full->ptxasSeconds, 5);
  EXPECT_EQ(full->units, 56);
  EXPECT_FALSE(full->has(kBulkTensor));
}

TEST(Target, RefusesOthers) {
  struct {
    const char *text, *says;
  } rows[] = {{"sm_75", "there is no code generator for 'sm_75'"},
              {"", "there is no code generator for ''"},
              {"sm_90a:speed=9", "unknown target property 'speed'"},
              {"sm_90a:units=many", "not a number"},
              {"sm_90a:units=0", "not a number"},
              {"sm_90a:ptxas=bin/ptxas", "not an absolute path"},
              {"sm_90a:ptxas", "not an absolute path"},
              {"sm_90a:", "unknown target property ''"}};
  for (auto &row : rows) {
    auto target = parseTarget(row.text);
    ASSERT_FALSE(target) << row.text;
    EXPECT_NE(target.status().text().find(row.says), std::string::npos) << target.status().text();
    EXPECT_FALSE(row.text[0] && target.status().fix().empty() && std::string(row.says) != "not a number");
  }
}

TEST(Target, RowsAreSound) {
  for (const TargetRow &row : targetRows()) {
    EXPECT_EQ(targetOfDevice(row.major, row.minor), &row) << row.name;
    EXPECT_LE(row.sharedBlock, row.sharedUnit);
    EXPECT_EQ(row.registersUnit % 32, 0);
    EXPECT_NE(targetsAsJson().find(row.name), std::string::npos);
    // A warp-group dot without the copies that feed it would be of no use.
    if (row.features & kGroupDot) EXPECT_TRUE(row.features & kBulkTensor) << row.name;
  }
  EXPECT_EQ(targetOfDevice(7, 0), nullptr);
}

} // namespace
