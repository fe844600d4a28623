//===- runtime/cli/Command.h - what the subcommands share -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A subcommand is a file: it adds itself to the program and fills `Program::run`. Exit codes: 0 good, 1 a wrong result or a
// failed run, 2 bad usage; one line on standard error says what to do.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_CLI_COMMAND_H
#define PANTILE_RUNTIME_CLI_COMMAND_H

#include "core/KernelText.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <pantile/pantile.h>
#include <string>

namespace pantile::cli {

/// Wrong usage (exit code 2) or a failed run (1).
struct Failure {
  int exitCode;
  std::string text;
};

struct Program {
  CLI::App app{"Pantile: tile kernels written once, tuned and run on every device"};
  std::function<int()> run;
  bool json = false;
};

void addDevices(Program &program);
void addLibrary(Program &program);
void addRun(Program &program);
void addTune(Program &program);
void addBench(Program &program);
void addCompile(Program &program);
void addCache(Program &program);
void addDoctor(Program &program);

/// Receives a call's error and turns it into a Failure: `check(pantile_...(..., &check))`.
class Check {
public:
  pantile_error **operator&() { return &error; }
  void operator()(pantile_code code);

private:
  pantile_error *error = nullptr;
};

/// A string of the library, released.
std::string take(pantile_string *string);
[[noreturn]] void fail(const Status &status);

/// The kernel that a command works on, as its options name it.
struct KernelOptions {
  std::string kernel, dtype, options, shape, configuration, backend;
  void add(CLI::App &command, bool needsDevice);
  /// Text of the library's operator, or of the file.
  std::string text() const;
};

/// Closed at its end.
class Session {
public:
  explicit Session(const std::string &backend, pantile_tune_mode tune = PANTILE_TUNE_DEFAULT);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;
  pantile_context *context = nullptr;
};

class Shape;

/// A kernel with arguments on the device: sizes from --shape, seeded contents.
class Workload {
public:
  Workload(Session &session, const KernelOptions &options, uint64_t seed = 1);
  ~Workload();
  Workload(const Workload &) = delete;
  Workload &operator=(const Workload &) = delete;

  void launch();
  void synchronize();
  /// Largest difference of an output from the interpreter's, relative to the output's largest magnitude; the second: the
  /// argument it is in, the third: what the output's dtype allows.
  struct Difference {
    double relative = 0, allowed = 0;
    std::string argument;
  };
  Difference compareWithInterpreter();
  uint64_t bytes() const { return totalBytes; }

  pantile_kernel *kernel = nullptr;
  std::vector<DLTensor *> pointers;
  std::map<std::string, int64_t> sizes;

private:
  struct Argument;
  void make(const KernelArgument &declared, const Shape &shape, uint64_t seed);
  Session &session;
  std::vector<std::unique_ptr<Argument>> arguments;
  uint64_t totalBytes = 0;
};

} // namespace pantile::cli

#endif // PANTILE_RUNTIME_CLI_COMMAND_H
