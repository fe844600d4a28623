//===- tests/conformance/main.cpp - the conformance suite -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   pantile-conformance [--backend cpu] [--seed N] [--rounds N] [--seconds S] [--only OP] [--one OPERATOR OPTIONS]
//
// Runs every variant of every operator `rounds` times (other sizes, layouts, schedules each) on the backend, until the
// time is up, then says how far it came. Backends that cannot do a variant list it with the reason.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Run.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

using namespace conformance;

namespace {

/// The application's process never maps a compiler: what this suite promises on every run.
bool compilerIsMapped() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("libLLVM") != std::string::npos || line.find("libMLIR") != std::string::npos ||
        line.find("_compiler.so") != std::string::npos) {
      std::fprintf(stderr, "mapped into the application: %s\n", line.c_str());
      return true;
    }
  return false;
}

} // namespace

int main(int count, char **arguments) {
  std::string backend = "cpu", only;
  uint64_t seed = 1, rounds = 2;
  double seconds = 600;
  bool single = false;
  CLI::App app("Pantile's conformance suite");
  app.add_option("--backend", backend);
  app.add_option("--seed", seed, "first seed; a failure prints the seed that repeats it");
  app.add_option("--rounds", rounds, "runs of each variant");
  app.add_option("--seconds", seconds, "stop after so long");
  app.add_option("--only", only, "operators whose name, or 'name options', begins so");
  app.add_flag("--one", single, "one run of each variant at exactly --seed");
  CLI11_PARSE(app, count, arguments);

  pantile_context_options options{};
  options.struct_size = sizeof(options);
  options.backend = backend.c_str();
  options.tune = PANTILE_TUNE_INSTANT;
  pantile_context *context;
  pantile_error *error = nullptr;
  if (pantile_context_create(&options, &context, &error)) {
    std::fprintf(stderr, "%s\n%s\n%s\n", pantile_error_text(error), pantile_error_cause(error), pantile_error_fix(error));
    return 2;
  }
  auto variants = allVariants();
  std::erase_if(variants, [&](const Variant &v) { return (v.op + " " + v.options).rfind(only, 0) != 0; });
  auto start = std::chrono::steady_clock::now();
  uint64_t passed = 0, failed = 0, unsupported = 0, planned = variants.size() * (single ? 1 : rounds);
  for (uint64_t round = 0; round < (single ? 1 : rounds); ++round)
    for (size_t i = 0; i < variants.size(); ++i) {
      if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds) goto done;
      // Every variant meets the default configuration (even seeds) and drawn ones (odd) in turn.
      uint64_t caseSeed = single ? seed : seed * 1000003 + (i * 131 + round) * 2 + (round + i) % 2;
      Result result = runCase(context, variants[i], caseSeed);
      if (result.outcome == Outcome::Passed)
        ++passed;
      else if (result.outcome == Outcome::Unsupported)
        ++unsupported;
      else
        ++failed;
      if (result.outcome != Outcome::Passed)
        std::printf("%s %s\n", result.outcome == Outcome::Failed ? "FAILED" : "unsupported", result.text.c_str());
      std::fflush(stdout);
    }
done:
  pantile_context_release(context);
  if (compilerIsMapped()) ++failed;
  std::printf("%s: %llu of %llu planned runs, %llu unsupported\n", backend.c_str(),
              static_cast<unsigned long long>(passed + failed + unsupported), static_cast<unsigned long long>(planned),
              static_cast<unsigned long long>(unsupported));
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed), static_cast<unsigned long long>(failed));
  return failed || !passed ? 1 : 0;
}
