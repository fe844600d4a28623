//===- tests/robustness/Command.h - running the program `pantile` ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// What a user has: a command line, an environment, an exit code, two streams. Every command runs in an environment of its
// own (nothing of the caller's but PATH), with a cache folder of the test's, and is ended when it takes too long.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_ROBUSTNESS_COMMAND_H
#define PANTILE_TESTS_ROBUSTNESS_COMMAND_H

#include "runtime/tests/Fixture.h"

#include <map>
#include <sys/types.h>

namespace pantile::test {

struct Outcome {
  int exitCode = -1; ///< 0-255; 128 + the signal that ended it; -1: out of time
  std::string out, err;
};

std::string contentsOf(const std::string &path);
void write(const std::string &path, const std::string &contents);

/// A program that runs beside the test; killed with its process group at the end.
class Running {
public:
  Running(const std::string &program, const std::vector<std::string> &arguments, const std::map<std::string, std::string> &environment,
          const std::string &folder);
  ~Running();
  Running(const Running &) = delete;
  Outcome wait(double seconds = 120);
  void kill(int signal);
  pid_t id() const { return process; }

private:
  pid_t process = -1;
  std::string outPath, errPath;
};

/// Helper programs (pantile-compiler, pantile-worker) of a process, which may have ended.
std::vector<pid_t> helpersOf(pid_t parent);
/// Whether all of them are gone within seconds.
bool helpersEnd(pid_t parent);

/// A test of the program: `pantile({"run", "softmax", ...})`, with PANTILE_* from `environment`.
class CommandLine : public ::testing::Test {
protected:
  void SetUp() override;
  Outcome pantile(const std::vector<std::string> &arguments, double seconds = 120);
  std::unique_ptr<Running> start(const std::vector<std::string> &arguments);
  /// Wrong use: exit code `code`, nothing on standard output, and on standard error one report that begins with "pantile: ", is
  /// short, names all of `parts`, and has no trace of an internal failure in it.
  void expectError(const std::vector<std::string> &arguments, int code, const std::vector<std::string> &parts);
  static void expectReport(const Outcome &outcome, int code, const std::vector<std::string> &parts);

  Folder folder;
  std::string cache = folder / "cache";
  std::string program = PANTILE_TEST_PROGRAM;
  std::map<std::string, std::string> environment;
};

#define EXPECT_SAYS(expression, part)                                                                                                      \
  do {                                                                                                                                     \
    const std::string spoken = (expression);                                                                                               \
    EXPECT_NE(spoken.find(part), std::string::npos) << "expected '" << part << "', said: " << spoken;                                      \
  } while (false)

} // namespace pantile::test

#endif // PANTILE_TESTS_ROBUSTNESS_COMMAND_H
