//===- tests/robustness/Command.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/Command.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace pantile::test {

std::string contentsOf(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

void write(const std::string &path, const std::string &contents) { std::ofstream(path, std::ios::binary | std::ios::trunc) << contents; }

Running::Running(const std::string &program, const std::vector<std::string> &arguments,
                 const std::map<std::string, std::string> &environment, const std::string &folder) {
  static std::atomic<int> serial{0};
  const std::string stem = folder + "/command-" + std::to_string(serial++);
  outPath = stem + ".out", errPath = stem + ".err";
  std::vector<std::string> words{program}, variables;
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (auto &[name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char *> argv, envp;
  for (auto &word : words) argv.push_back(word.data());
  for (auto &variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr), envp.push_back(nullptr);
  process = fork();
  if (process == 0) {
    setpgid(0, 0);
    int in = open("/dev/null", O_RDONLY), out = open(outPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600),
        err = open(errPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(126);
    execve(program.c_str(), argv.data(), envp.data());
    _exit(127);
  }
}

Running::~Running() {
  if (process <= 0) return;
  kill(SIGKILL);
  waitpid(process, nullptr, 0);
}

void Running::kill(int signal) {
  if (process > 0 && ::kill(-process, signal) != 0) ::kill(process, signal);
}

Outcome Running::wait(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  Outcome outcome;
  for (;;) {
    pid_t got = waitpid(process, &status, WNOHANG);
    if (got == process) break;
    if (std::chrono::steady_clock::now() > end) {
      kill(SIGKILL);
      waitpid(process, &status, 0);
      status = -1;
      break;
    }
    usleep(2000);
  }
  process = -1;
  if (status != -1) outcome.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = contentsOf(outPath), outcome.err = contentsOf(errPath);
  return outcome;
}

std::vector<pid_t> helpersOf(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string line = contentsOf(entry.path() / "cmdline");
    if (line.find("/pantile-") != std::string::npos && line.find("--parent=" + std::to_string(parent) + '\0') != std::string::npos)
      found.push_back(std::stoi(name));
  }
  return found;
}

bool helpersEnd(pid_t parent) {
  for (int turn = 0; turn < 500; ++turn) {
    if (helpersOf(parent).empty()) return true;
    usleep(10000);
  }
  return false;
}

void CommandLine::SetUp() {
  environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", folder.path}, {"PANTILE_CACHE_DIR", cache}, {"PANTILE_BACKEND", "cpu"}};
}

std::unique_ptr<Running> CommandLine::start(const std::vector<std::string> &arguments) {
  return std::make_unique<Running>(program, arguments, environment, folder.path);
}

Outcome CommandLine::pantile(const std::vector<std::string> &arguments, double seconds) { return start(arguments)->wait(seconds); }

void CommandLine::expectReport(const Outcome &outcome, int code, const std::vector<std::string> &parts) {
  EXPECT_EQ(outcome.exitCode, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("pantile: ", 0), 0u) << outcome.err;
  EXPECT_LE(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 12) << outcome.err;
  for (const auto &part : parts) EXPECT_SAYS(outcome.err, part);
  // What a user cannot do anything about.
  for (const char *internal : {"std::", "bad_alloc", "terminate", "Assertion", "Stack dump", "json.exception", "stoll", "what():"})
    EXPECT_EQ(outcome.err.find(internal), std::string::npos) << outcome.err;
}

void CommandLine::expectError(const std::vector<std::string> &arguments, int code, const std::vector<std::string> &parts) {
  std::string all;
  for (const auto &argument : arguments) all += argument + " ";
  SCOPED_TRACE(all);
  expectReport(pantile(arguments), code, parts);
}

} // namespace pantile::test
