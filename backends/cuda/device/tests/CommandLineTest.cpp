//===- cuda/device/tests/CommandLineTest.cpp - what a user is told --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The program `pantile` on machines that lack something: the fake driver stands where the loader looks first, and environment
// variables of its own say what is wrong with it.
//
//===----------------------------------------------------------------------===//

#include <cstdio>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>

namespace {

struct Said {
  int code;
  std::string text;
};

/// Runs it with this environment, on the fake driver or without.
Said pantile(const std::string &environment, const std::string &arguments, bool fake = true) {
  const std::string command = "env " + std::string(fake ? "LD_LIBRARY_PATH=" PANTILE_FAKE_CUDA_FOLDER " " : "-u LD_LIBRARY_PATH ") +
                              environment + " " PANTILE_PROGRAM " " + arguments + " 2>&1";
  FILE *pipe = popen(command.c_str(), "r");
  Said said{-1, ""};
  char line[4096];
  while (pipe && fgets(line, sizeof(line), pipe)) said.text += line;
  if (pipe) said.code = WEXITSTATUS(pclose(pipe));
  return said;
}

void expect(const Said &said, const char *text) { EXPECT_NE(said.text.find(text), std::string::npos) << said.text; }

TEST(CommandLine, ListsDevices) {
  Said said = pantile("", "devices");
  EXPECT_EQ(said.code, 0);
  expect(said, "NVIDIA Fake 80GB (SXM)");
  expect(said, "sm_90a");
}

TEST(CommandLine, SaysWhyThereIsNone) {
  if (!dlopen("libcuda.so.1", RTLD_LAZY)) {
    Said said = pantile("", "devices", false);
    EXPECT_EQ(said.code, 0) << "other backends may do";
    expect(said, "there is no NVIDIA driver on this machine");
  }
  expect(pantile("FAKE_CUDA_VERSION=11080", "devices"), "the NVIDIA driver is too old: it serves CUDA 11.8, 12.2 is needed");
  expect(pantile("FAKE_CUDA_INIT=100", "devices"), "the NVIDIA driver finds no GPU");
}

TEST(CommandLine, EndsWithTheReason) {
  const std::string run = "run add --dtype f32 --shape n=16";
  for (auto [environment, reason, fix] : {std::tuple("FAKE_CUDA_VERSION=11080", "the NVIDIA driver is too old", "PANTILE_BACKEND"),
                                          std::tuple("FAKE_CUDA_INIT=100", "the NVIDIA driver finds no GPU", "PANTILE_BACKEND"),
                                          std::tuple("FAKE_CUDA_INIT=803", "the NVIDIA driver cannot start", "PANTILE_BACKEND")}) {
    Said said = pantile(std::string("PANTILE_BACKEND=cuda ") + environment, run);
    EXPECT_NE(said.code, 0);
    expect(said, "backend 'cuda' cannot be used");
    expect(said, reason);
    expect(said, fix);
  }
  // There are two.
  Said said = pantile("PANTILE_BACKEND=cuda:7", run);
  EXPECT_NE(said.code, 0);
  expect(said, "there is no cuda:7, only 2 devices");
}

TEST(CommandLine, SaysThatNobodyCompilesForAnArchitecture) {
  Said said = pantile("PANTILE_BACKEND=cuda FAKE_CUDA_COMPUTE=75", "run add --dtype f32 --shape n=16");
  EXPECT_NE(said.code, 0);
  expect(said, "sm_75");
}

} // namespace
