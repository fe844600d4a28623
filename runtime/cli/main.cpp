//===- runtime/cli/main.cpp - the program `pantile` -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Command.h"

#include <cstdio>

using namespace pantile::cli;

int main(int count, char **arguments) {
  Program program;
  program.app.require_subcommand(1);
  program.app.set_version_flag("--version", pantile_version());
  program.app.fallthrough();
  program.app.add_flag("--json", program.json, "print JSON");
  for (auto add : {addDevices, addLibrary, addRun, addTune, addBench, addCompile, addCache, addDoctor}) add(program);
  try {
    program.app.parse(count, arguments);
    return program.run();
  } catch (const CLI::Success &request) { return program.app.exit(request); } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "pantile: %s (see `pantile --help`)\n", error.what());
    return 2;
  } catch (const Failure &failure) {
    std::fprintf(stderr, "pantile: %s\n", failure.text.c_str());
    return failure.exitCode;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "pantile: %s\n", error.what());
    return 1;
  }
}
