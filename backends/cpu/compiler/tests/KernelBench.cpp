//===- cpu/compiler/tests/KernelBench.cpp - one kernel, timed on one thread -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// cpu_kernel_bench <operator> <options> M=1024,N=1024 [scale=0.1,...|-] [bm=64,...|-] [stage to print]
// Prints microseconds a launch, compile time, programs.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/tests/KernelRun.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <sstream>

using namespace pantile::cpu;

namespace {

std::map<std::string, std::string> pairsOf(const std::string &text) {
  std::map<std::string, std::string> result;
  std::stringstream in(text);
  for (std::string item; std::getline(in, item, ',');)
    if (size_t equal = item.find('='); equal != std::string::npos) result[item.substr(0, equal)] = item.substr(equal + 1);
  return result;
}

double processorSeconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: cpu_kernel_bench <operator> <options> <sizes> [scalars|-] [settings|-] [stage]\n");
    return 2;
  }
  KernelRun::Sizes sizes;
  KernelRun::Scalars scalars;
  for (auto &[name, value] : pairsOf(argv[3])) sizes[name] = std::stoll(value);
  if (argc > 4)
    for (auto &[name, value] : pairsOf(argv[4])) scalars[name] = std::stod(value);
  KernelRun run(argv[1], argv[2], sizes, scalars);
  if (argc > 5)
    for (auto &[name, value] : pairsOf(argv[5])) run.overrides.set(name, int64_t(std::stoll(value)));
  if (std::string error = run.prepare(); !error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  if (argc > 6) {
    auto text = inspectKernel(run.request(), argv[6]);
    std::printf("%s\n", text ? text->c_str() : text.status().message().c_str());
    return 0;
  }
  double best = 1e9;
  double begin = processorSeconds();
  for (int i = 0; i < 2 || (processorSeconds() - begin < 1.0 && i < 100000); ++i) {
    double start = processorSeconds();
    run.launch();
    best = std::min(best, processorSeconds() - start);
  }
  auto stage = [&](const char *name) {
    double start = processorSeconds();
    auto text = inspectKernel(run.request(), name);
    return (processorSeconds() - start) * 1e3;
  };
  double start = processorSeconds();
  auto again = compileKernel(run.request());
  double compile = (processorSeconds() - start) * 1e3;
  std::printf("stages: scheduled %.1f ms, llvm %.1f ms\n", stage("scheduled"), stage("llvm"));
  std::printf("%s(%s) %s: %.1f us, compile %.1f ms, %ld programs, %s\n", argv[1], argv[2], argv[3], best * 1e6, compile,
              long(run.programs()), run.configuration().toText().c_str());
  return 0;
}
