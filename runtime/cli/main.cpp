//===- runtime/cli/main.cpp - the program `pantile` -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Command.h"

#include <cstdio>
#include <new>

using namespace pantile::cli;

namespace {

/// "A subcommand is required" does not say which word is none.
std::string explain(const CLI::App &app, const CLI::ParseError &error) {
  const CLI::App *at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  const auto rest = app.remaining(true);
  if (!dynamic_cast<const CLI::RequiredError *>(&error) || rest.empty()) return error.what();
  std::string names;
  for (const CLI::App *one : at->get_subcommands({})) names += (names.empty() ? "" : ", ") + one->get_name();
  if (names.empty()) return error.what();
  return "'" + rest.front() + "' is no subcommand: there are " + names;
}

} // namespace

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
    std::fprintf(stderr, "pantile: %s (see `pantile --help`)\n", explain(program.app, error).c_str());
    return 2;
  } catch (const Failure &failure) {
    std::fprintf(stderr, "pantile: %s\n", failure.text.c_str());
    return failure.exitCode;
  } catch (const std::bad_alloc &) {
    std::fprintf(stderr, "pantile: this machine has no memory left for that\n");
    return 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "pantile: %s\n", error.what());
    return 1;
  }
}
