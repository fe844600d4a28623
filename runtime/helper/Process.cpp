//===- runtime/helper/Process.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/Process.h"

#include "runtime/helper/Protocol.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace pantile {

namespace {

constexpr size_t kKeptOutput = 16 << 10;

std::string howItEnded(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  if (WIFEXITED(status)) return fmt::format("exited with {}", WEXITSTATUS(status));
  return "ended";
}

} // namespace

Expected<std::unique_ptr<HelperProcess>> HelperProcess::start(const HelperProgram &program) {
  int ends[2], pipeEnds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
    return Status(PANTILE_UNAVAILABLE, fmt::format("no socket pair: {}", systemError(errno)));
  auto helper = std::unique_ptr<HelperProcess>(new HelperProcess);
  helper->socket = Descriptor(ends[0]);
  Descriptor theirs(ends[1]);
  if (pipe2(pipeEnds, O_CLOEXEC)) return Status(PANTILE_UNAVAILABLE, fmt::format("no pipe: {}", systemError(errno)));
  helper->output = Descriptor(pipeEnds[0]);
  Descriptor theirOutput(pipeEnds[1]);
  fcntl(pipeEnds[0], F_SETFL, O_NONBLOCK);
  helper->outputLimit = program.outputBytes;

  std::vector<std::string> arguments = {program.path, fmt::format("--parent={}", getpid()),
                                        fmt::format("--memory={}", program.memoryBytes)};
  arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
  std::vector<char *> argv;
  for (auto &argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Our ends are above 3 unless the application closed its standard streams: move them out of the way of the targets.
  int from = fcntl(theirs.get(), F_DUPFD_CLOEXEC, 16), outFrom = fcntl(theirOutput.get(), F_DUPFD_CLOEXEC, 16);
  Descriptor high(from), highOutput(outFrom);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, outFrom, 1);
  posix_spawn_file_actions_adddup2(&actions, outFrom, 2);
  posix_spawn_file_actions_adddup2(&actions, from, 3);
  posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  // A program with more rights than its caller hands on nothing that the caller wrote.
  char *empty[] = {nullptr};
  int problem =
      posix_spawn(&helper->process, program.path.c_str(), &actions, &attributes, argv.data(), getauxval(AT_SECURE) ? empty : environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (problem) {
    helper->process = -1;
    return Status(PANTILE_UNAVAILABLE, fmt::format("the helper program '{}' cannot be started: {}", program.path, systemError(problem)))
        .withFix("install it beside libpantile, or name its folder in the option helper_dir");
  }
  return helper;
}

HelperProcess::~HelperProcess() { kill(); }

void HelperProcess::kill() {
  if (process <= 0) return;
  ::kill(-process, SIGKILL);
  ::kill(process, SIGKILL);
  // The application may have reaped it (or ignore SIGCHLD): then there is no status to be had.
  while (waitpid(process, &waitStatus, 0) < 0)
    if (errno != EINTR) {
      waitStatus = 0;
      break;
    }
  process = -1;
}

void HelperProcess::drainOutput() {
  char buffer[8192];
  for (int turn = 0; turn < 64; ++turn) {
    ssize_t got = read(output.get(), buffer, sizeof(buffer));
    if (got <= 0) return;
    printedBytes += uint64_t(got);
    printed.append(buffer, size_t(got));
    if (printed.size() > 2 * kKeptOutput) printed.erase(0, printed.size() - kKeptOutput);
  }
}

Status HelperProcess::wait(int number, short events, Clock::time_point deadline, const std::atomic<bool> *cancel) {
  while (true) {
    if (cancel && cancel->load()) return {PANTILE_CANCELLED, "the request was cancelled"};
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return {PANTILE_TIMEOUT, "the helper process did not answer in time and was ended"};
    pollfd watched[2] = {{number, events, 0}, {output.get(), POLLIN, 0}};
    int ready = poll(watched, 2, int(std::min<int64_t>(left, cancel ? 50 : 60'000)));
    if (ready < 0 && errno != EINTR) return {PANTILE_IO_ERROR, fmt::format("poll: {}", systemError(errno))};
    if (ready <= 0) continue;
    if (watched[1].revents & POLLIN) {
      drainOutput();
      if (printedBytes > outputLimit)
        return {PANTILE_COMPILE_ERROR, fmt::format("the helper process printed more than {} bytes and was ended", outputLimit)};
    }
    if (watched[0].revents) return {};
    if (watched[1].revents & (POLLHUP | POLLERR) && !(watched[1].revents & POLLIN)) {
      // Its output is closed: only the socket is left to wait for.
      pollfd one{number, events, 0};
      if (poll(&one, 1, int(std::min<int64_t>(left, 1000))) > 0) return {};
    }
  }
}

Status HelperProcess::end(Status status) {
  bool died = status.code() == PANTILE_UNAVAILABLE;
  if (died && process > 0) {
    // Closed its socket: it is dying or dead. Let it finish, to learn how.
    for (int turn = 0; turn < 100 && process > 0; ++turn) {
      pid_t got = waitpid(process, &waitStatus, WNOHANG);
      if (got == process) {
        ::kill(-process, SIGKILL); // what it started
        process = -1;
        status = Status(PANTILE_UNAVAILABLE, fmt::format("the helper process {}", howItEnded(waitStatus)));
      } else if (got < 0 && errno != EINTR) {
        break;
      } else {
        usleep(1000);
      }
    }
  }
  drainOutput();
  kill();
  if (printed.size() > kKeptOutput) printed.erase(0, printed.size() - kKeptOutput);
  return std::move(status).withCause(printed);
}

Expected<Frame> HelperProcess::request(uint32_t kind, std::string_view payload, Clock::time_point deadline, int descriptor,
                                       const std::atomic<bool> *cancel) {
  if (!alive()) return Status(PANTILE_UNAVAILABLE, "the helper process has ended");
  printed.clear();
  printedBytes = 0;
  auto waiting = [&](int number, short events) { return wait(number, events, deadline, cancel); };
  if (Status sent = writeFrame(socket.get(), kind, payload, descriptor, waiting); !sent.isOk()) return end(std::move(sent));
  auto answer = readFrame(socket.get(), waiting);
  if (!answer) return end(std::move(answer).status());
  drainOutput();
  if (answer->kind == kFailed) return readStatus(answer->payload, printed);
  if (answer->kind != kDone) return end(Status(PANTILE_DATA_ERROR, "the helper process sent an unknown answer"));
  return answer;
}

//===----------------------------------------------------------------------===//

Expected<Frame> HelperPool::request(uint32_t kind, std::string_view payload, Clock::time_point deadline, int descriptor,
                                    const std::atomic<bool> *cancel) {
  // Gives its place back however the request ends, and the helper where it is between two requests.
  struct Place {
    HelperPool &pool;
    std::unique_ptr<HelperProcess> helper;
    bool reusable = false;
    ~Place() {
      std::unique_ptr<HelperProcess> ended; // outlives the lock
      std::lock_guard lock(pool.mutex);
      --pool.busy;
      // There is room for all: `idle` reserves it before anyone is busy.
      if (helper && reusable && helper->alive())
        pool.idle.push_back(std::move(helper));
      else
        ended = std::move(helper);
      pool.returned.notify_one();
    }
  };
  std::optional<Place> place;
  bool reused = false;
  {
    std::unique_lock lock(mutex);
    if (!returned.wait_until(lock, deadline, [&] { return busy < maximum; }))
      return Status(PANTILE_TIMEOUT, "all helper processes are busy");
    idle.reserve(maximum);
    ++busy;
    place.emplace(*this, nullptr);
    if (!idle.empty()) {
      place->helper = std::move(idle.back());
      idle.pop_back();
      reused = true;
    }
  }
  for (int attempt = 0;; ++attempt) {
    if (!place->helper) {
      PANTILE_ASSIGN(place->helper, HelperProcess::start(program));
      std::lock_guard lock(mutex);
      ++count;
    }
    auto answer = place->helper->request(kind, payload, deadline, descriptor, cancel);
    // An idle helper may have been killed by someone: the request deserves a live one.
    if (attempt || !reused || answer || answer.status().code() != PANTILE_UNAVAILABLE || place->helper->alive()) {
      place->reusable = true;
      return answer;
    }
    place->helper.reset();
  }
}

unsigned HelperPool::started() const {
  std::lock_guard lock(mutex);
  return count;
}

void HelperPool::trim(size_t keep) {
  std::vector<std::unique_ptr<HelperProcess>> ended; // outlives the lock: ending one waits for it
  std::lock_guard lock(mutex);
  for (; idle.size() > keep; idle.pop_back()) ended.push_back(std::move(idle.back()));
}

void HelperPool::abandon() {
  for (auto &helper : idle) (void)helper.release(); // the parent's to end
  idle.clear();
}

} // namespace pantile
