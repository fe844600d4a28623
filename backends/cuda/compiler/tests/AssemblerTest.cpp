//===- cuda/compiler/tests/AssemblerTest.cpp - ptxas, good and bad --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Programs that behave like a ptxas that crashes, hangs, floods or complains are shell scripts; the real one is used where it
// is installed.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Assembler.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace pantile;
using namespace pantile::cuda;
using namespace std::chrono_literals;

namespace {

constexpr const char *kPtx = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry store_one(.param .u64 p) {
  .reg .b64 %rd<3>; .reg .b32 %r<2>;
  ld.param.u64 %rd1, [p];
  cvta.to.global.u64 %rd2, %rd1;
  mov.u32 %r1, 1;
  st.global.u32 [%rd2], %r1;
  ret;
}
)";

class AssemblerTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/pantile-ptxas-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string script(const std::string &body, const std::string &path = "ptxas", unsigned mode = 0755) {
    auto whole = folder / path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(whole, std::filesystem::perms(mode));
    return whole.string();
  }
  Status failure(const std::string &body, std::chrono::milliseconds limit = 10s) {
    auto result = assemble(script(body), kPtx, "sm_90a", limit);
    EXPECT_FALSE(result);
    return result ? Status() : result.status();
  }
  std::filesystem::path folder;
};

TEST_F(AssemblerTest, ReadsWhatItTakes) {
  std::string body = "test \"$(head -c 8 $4)\" = .version || exit 9\nprintf '\\177ELFcode' > $6\n";
  for (const char *line :
       {"ptxas info    : 0 bytes gmem", "ptxas info    : Compiling entry function 'matmul_0' for 'sm_90a'",
        "ptxas info    : Function properties for matmul_0", "    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads",
        "ptxas info    : Used 168 registers, used 3 barriers, 16 bytes cumulative stack size, 1024 bytes smem, 400 bytes cmem[0]",
        "ptxas warning : something mild"})
    body += std::string("echo \"") + line + "\"\n";
  auto result = assemble(script(body), kPtx, "sm_90a", 10s);
  ASSERT_TRUE(result) << result.status().message();
  EXPECT_EQ(result->cubin, "\x7f"
                           "ELFcode");
  ASSERT_EQ(result->functions.size(), 1u);
  const auto &function = result->functions[0];
  EXPECT_EQ(function.name, "matmul_0");
  EXPECT_EQ(function.registers, 168);
  EXPECT_EQ(function.spillBytes, 12);
  EXPECT_EQ(function.stackBytes, 16);
  EXPECT_EQ(function.sharedBytes, 1024);
  EXPECT_EQ(function.barriers, 3);
  EXPECT_EQ(result->warnings, "ptxas warning : something mild\n");
}

TEST_F(AssemblerTest, TellsARefusal) {
  Status status = failure("echo 'ptxas fatal: no such register' >&2; exit 255");
  EXPECT_EQ(status.code(), PANTILE_COMPILE_ERROR);
  EXPECT_EQ(status.cause(), "ptxas fatal: no such register");
  status = failure("echo \"ptxas kernel.ptx, line 1; fatal   : Unsupported .version 8.6; current version is '8.4'\"; exit 1");
  EXPECT_NE(status.fix().find("too old"), std::string::npos);
}

TEST_F(AssemblerTest, SurvivesACrash) {
  Status status = failure("echo working; kill -SEGV $$");
  EXPECT_EQ(status.code(), PANTILE_COMPILE_ERROR);
  EXPECT_NE(status.text().find("signal 11"), std::string::npos) << status.text();
  EXPECT_EQ(status.cause(), "working");
}

TEST_F(AssemblerTest, EndsOneThatHangs) {
  const auto start = std::chrono::steady_clock::now();
  // It ignores requests to end, and its child holds the pipe.
  Status status = failure("trap '' TERM; sleep 100 & sleep 100", 200ms);
  EXPECT_EQ(status.code(), PANTILE_TIMEOUT);
  EXPECT_NE(status.fix().find("ptxas_seconds"), std::string::npos);
  // Closing its output does not save it.
  status = failure("exec >/dev/null 2>&1; sleep 100", 200ms);
  EXPECT_EQ(status.code(), PANTILE_TIMEOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
}

TEST_F(AssemblerTest, BoundsWhatItPrints) {
  Status status = failure("while :; do echo 0123456789012345678901234567890123456789; done", 60s);
  EXPECT_EQ(status.code(), PANTILE_COMPILE_ERROR);
  EXPECT_NE(status.text().find("more than a megabyte"), std::string::npos);
}

TEST_F(AssemblerTest, RefusesLosses) {
  for (const char *line : {"ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to "
                           "insufficient register resources",
                           "ptxas warning : setmaxnreg ignored to maintain minimum register requirements (C7508)"}) {
    Status status = failure(std::string("printf '\\177ELF' > $6; echo \"") + line + "\"");
    EXPECT_EQ(status.code(), PANTILE_COMPILE_ERROR);
    EXPECT_NE(status.cause().find("C75"), std::string::npos);
  }
}

TEST_F(AssemblerTest, WantsACubin) {
  EXPECT_NE(failure("true").text().find("left no cubin"), std::string::npos);
  EXPECT_NE(failure("echo nonsense > $6").text().find("left no cubin"), std::string::npos);
}

TEST_F(AssemblerTest, SaysThatItIsMissing) {
  auto missing = assemble((folder / "nothing").string(), kPtx, "sm_90a", 1s);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.status().code(), PANTILE_NOT_FOUND);
  EXPECT_NE(missing.status().fix().find("nvidia-cuda-nvcc"), std::string::npos);
  EXPECT_NE(missing.status().fix().find("ptxas=/path"), std::string::npos);
  auto nowhere = findAssembler(folder.string());
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.status().code(), PANTILE_NOT_FOUND);
  EXPECT_EQ(failure("exit 0").code(), PANTILE_COMPILE_ERROR);
  auto text = assemble(script("", "no-interpreter", 0755), kPtx, "sm_90a", 1s);
  EXPECT_FALSE(text);
}

TEST_F(AssemblerTest, LooksBesideCudaAndInPackages) {
  const std::string package = script("", "usr/lib/python3.12/site-packages/nvidia/cu13/bin/ptxas");
  EXPECT_EQ(*findAssembler(folder.string()), package);
  const std::string older = script("", "usr/local/cuda-9.2/bin/ptxas");
  EXPECT_EQ(*findAssembler(folder.string()), older);
  const std::string newer = script("", "usr/local/cuda-13.0/bin/ptxas");
  EXPECT_EQ(*findAssembler(folder.string()), newer) << "numbers are compared as numbers";
  script("", "usr/local/cuda/bin/ptxas", 0777);
  EXPECT_EQ(*findAssembler(folder.string()), newer) << "what anybody may write is not run";
  std::filesystem::permissions(folder / "usr/local/cuda/bin/ptxas", std::filesystem::perms(0755));
  EXPECT_EQ(*findAssembler(folder.string()), (folder / "usr/local/cuda/bin/ptxas").string());
}

TEST_F(AssemblerTest, AssemblesWithTheRealOne) {
  auto program = findAssembler();
  if (!program) GTEST_SKIP() << program.status().text();
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      auto result = assemble(*program, kPtx, "sm_90a", 60s);
      ASSERT_TRUE(result) << result.status().message();
      ASSERT_EQ(result->functions.size(), 1u);
      EXPECT_EQ(result->functions[0].name, "store_one");
      EXPECT_GT(result->functions[0].registers, 0);
    });
  for (auto &thread : threads) thread.join();
  auto refused = assemble(*program, "nonsense", "sm_90a", 60s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.status().code(), PANTILE_COMPILE_ERROR);
  EXPECT_FALSE(refused.status().cause().empty());
}

} // namespace
