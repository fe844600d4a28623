//===- runtime/tests/JobsTest.cpp - files of jobs, shards -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Jobs.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace pantile;
using namespace pantile::cli;

namespace {

std::string errorOf(const Status &status) { return status.message(); }
bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

const char *const kJobs = R"(
[[job]]
kernel = "matmul"
dtype = "bf16"
options = "transpose_b=1"
shape = ["m=512,n=512,k=512", "m=1,n=512,k=512"]
seconds = 20

[[job]]
kernel = "kernels/scale.mlir"
shape = "n=1000"
)";

TEST(Jobs, EveryShapeIsAnItem) {
  auto jobs = readJobs(kJobs, "/here");
  ASSERT_TRUE(jobs.isOk()) << jobs.status().message();
  ASSERT_EQ(jobs->size(), 3u);
  EXPECT_EQ((*jobs)[1].kernel, "matmul");
  EXPECT_EQ((*jobs)[1].dtype, "bf16");
  EXPECT_EQ((*jobs)[1].options, "transpose_b=1");
  EXPECT_EQ((*jobs)[1].shape, "m=1,n=512,k=512");
  EXPECT_EQ((*jobs)[1].seconds, 20);
  EXPECT_EQ((*jobs)[2].kernel, "/here/kernels/scale.mlir");
  EXPECT_EQ((*jobs)[2].seconds, 0);
}

TEST(Jobs, ErrorsNameThePlaceAndTheKey) {
  auto wrong = [](const char *text) { return errorOf(readJobs(text, "").status()); };
  EXPECT_TRUE(contains(wrong(""), "no jobs"));
  EXPECT_TRUE(contains(wrong("[[job]]\ndtype = \"f32\""), "job 0 (line 1) has no kernel"));
  EXPECT_TRUE(contains(wrong("[[job]]\nkernel = 3"), "job 0 (line 2): 'kernel' is a string"));
  EXPECT_TRUE(contains(wrong("[[job]]\nkernel = \"add\"\nshapes = \"n=1\""), "job 0 (line 3): unknown key 'shapes'"));
  EXPECT_TRUE(contains(wrong("[[job]]\nkernel = \"add\"\nshape = [1]"), "'shape' is a string or a list of strings"));
  EXPECT_TRUE(contains(wrong("[[job]]\nkernel = \"add\"\nshape = []"), "at least one"));
  EXPECT_TRUE(contains(wrong("[[job]]\nkernel = \"add\"\nseconds = -1"), "'seconds' is a number above 0"));
  EXPECT_TRUE(contains(wrong("[[jobs]]\nkernel = \"add\""), "'jobs' is unknown here"));
  EXPECT_TRUE(contains(wrong("[[job]\n"), "line 1"));
}

TEST(Jobs, ShardsPartitionTheItems) {
  std::set<uint64_t> seen;
  for (uint64_t i = 0; i < 3; ++i) {
    auto shard = parseShard(std::to_string(i) + "/3", [](const char *) -> const char * { return nullptr; });
    ASSERT_TRUE(shard.isOk());
    for (uint64_t item = 0; item < 10; ++item)
      if (shard->has(item)) EXPECT_TRUE(seen.insert(item).second);
  }
  EXPECT_EQ(seen.size(), 10u);
}

TEST(Jobs, ShardsComeFromLaunchers) {
  std::map<std::string, std::string> variables{{"WORLD_SIZE", "8"}, {"RANK", "5"}};
  auto get = [&](const char *name) { return variables.contains(name) ? variables[name].c_str() : nullptr; };
  auto shard = parseShard("auto", get);
  ASSERT_TRUE(shard.isOk()) << shard.status().message();
  EXPECT_EQ(shard->index, 5u);
  EXPECT_EQ(shard->count, 8u);
  variables["RANK"] = "8";
  EXPECT_TRUE(contains(errorOf(parseShard("auto", get).status()), "torchrun (RANK, WORLD_SIZE) is shard '8' of '8'"));
  variables.clear();
  EXPECT_TRUE(contains(errorOf(parseShard("auto", get).status()), "nothing in the environment says which shard this is"));
  for (const char *text : {"", "1", "4/4", "-1/4", "a/4", "1/0", "1/4x"}) EXPECT_FALSE(parseShard(text, get).isOk()) << text;
}

} // namespace
