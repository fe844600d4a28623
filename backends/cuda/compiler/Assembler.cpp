//===- cuda/compiler/Assembler.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Assembler.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <regex>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pantile::cuda {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t kMostOutput = size_t(1) << 20;
constexpr const char *kInstall =
    "install CUDA's compiler or the PyPI package nvidia-cuda-nvcc, or name it: the target property ptxas=/path; "
    "ptxas=none leaves PTX to the driver";

struct File { // a descriptor
  int number = -1;
  explicit File(int number = -1) : number(number) {}
  File(File &&other) noexcept : number(std::exchange(other.number, -1)) {}
  ~File() {
    if (number >= 0) close(number);
  }
};

std::string systemError(int code) { return std::generic_category().message(code); }

Expected<File> memoryFile(const char *name, std::string_view content) {
  File file(memfd_create(name, MFD_CLOEXEC));
  if (file.number < 0) return Status(PANTILE_OUT_OF_MEMORY, fmt::format("no file in memory for the assembler: {}", systemError(errno)));
  while (!content.empty()) {
    ssize_t written = write(file.number, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Status(PANTILE_OUT_OF_MEMORY, fmt::format("no memory for the assembler's input: {}", systemError(errno)));
    content.remove_prefix(size_t(written));
  }
  return file;
}

Expected<std::string> contentOf(const File &file) {
  struct stat info;
  if (fstat(file.number, &info)) return Status(PANTILE_IO_ERROR, "the assembler's output cannot be read");
  std::string content(size_t(info.st_size), 0);
  for (size_t at = 0; at < content.size();) {
    ssize_t count = pread(file.number, content.data() + at, content.size() - at, off_t(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Status(PANTILE_IO_ERROR, "the assembler's output cannot be read");
    at += size_t(count);
  }
  return content;
}

/// A program that root or the user owns and nobody else may write.
bool trusted(const fs::path &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0111) && !(info.st_mode & 022) &&
         (info.st_uid == 0 || info.st_uid == geteuid());
}

/// Entries of a folder that begin with `prefix`, the greatest name first ("cuda-13.0" before "cuda-12.4").
std::vector<fs::path> entries(const fs::path &folder, const std::string &prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  auto number = [](const fs::path &path) {
    std::vector<unsigned> parts;
    for (char c : path.filename().string())
      if (c >= '0' && c <= '9') {
        if (parts.empty() || parts.back() == ~0u) parts.push_back(0);
        parts.back() = parts.back() * 10 + unsigned(c - '0');
      } else {
        parts.push_back(~0u);
      }
    std::erase(parts, ~0u);
    return parts;
  };
  std::sort(found.begin(), found.end(), [&](const fs::path &a, const fs::path &b) { return number(a) > number(b); });
  return found;
}

std::vector<fs::path> candidates(const fs::path &root) {
  std::vector<fs::path> list = {root / "usr/local/cuda/bin/ptxas", root / "opt/cuda/bin/ptxas"};
  for (const fs::path &folder : entries(root / "usr/local", "cuda-")) list.push_back(folder / "bin/ptxas");
  list.push_back(root / "usr/lib/nvidia-cuda-toolkit/bin/ptxas");
  list.push_back(root / "usr/bin/ptxas");
  // Python's packages, of the system and of this machine's administrator.
  for (const char *lib : {"usr/local/lib", "usr/lib"})
    for (const fs::path &python : entries(root / lib, "python3"))
      for (const char *packages : {"site-packages", "dist-packages"})
        for (const char *place : {"nvidia/cu13/bin/ptxas", "nvidia/cuda_nvcc/bin/ptxas", "triton/backends/nvidia/bin/ptxas"})
          list.push_back(python / packages / place);
  return list;
}

struct Ran {
  int status = 0;
  bool timedOut = false, flooded = false;
  std::string printed;
};

Expected<Ran> run(std::vector<std::string> words, int input, int output, Clock::time_point deadline) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return Status(PANTILE_UNAVAILABLE, fmt::format("no pipe for the assembler: {}", systemError(errno)));
  File reading(ends[0]), writing(ends[1]);
  std::vector<char *> argv;
  for (std::string &word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  // From descriptors that no target number can collide with.
  const int in = fcntl(input, F_DUPFD_CLOEXEC, 16), out = fcntl(output, F_DUPFD_CLOEXEC, 16), print = fcntl(ends[1], F_DUPFD_CLOEXEC, 16);
  File keepIn(in), keepOut(out), keepPrint(print);
  posix_spawn_file_actions_adddup2(&actions, print, 1);
  posix_spawn_file_actions_adddup2(&actions, print, 2);
  posix_spawn_file_actions_adddup2(&actions, in, 3);
  posix_spawn_file_actions_adddup2(&actions, out, 4);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none, all;
  sigemptyset(&none), sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // Nothing of the caller's environment decides what it does.
  char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C";
  char *environment[] = {path, locale, nullptr};
  pid_t child = -1;
  const int problem = posix_spawn(&child, words[0].c_str(), &actions, &attributes, argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (problem)
    return Status(PANTILE_NOT_FOUND, fmt::format("the assembler {} cannot be started: {}", words[0], systemError(problem)))
        .withFix(kInstall);
  { File closed(std::move(writing)), closedToo(std::move(keepPrint)); }

  Ran ran;
  char buffer[4096];
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wait{reading.number, POLLIN, 0};
    const int ready = left > 0 ? poll(&wait, 1, int(std::min<int64_t>(left, 1000))) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (left <= 0) ran.timedOut = true;
    if (ran.timedOut || ran.flooded) break;
    if (ready == 0) continue;
    const ssize_t count = read(reading.number, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    ran.printed.append(buffer, size_t(count));
    ran.flooded = ran.printed.size() > kMostOutput;
  }
  // Its output is closed, or it is out of time. Wait for the end within the deadline, then end the whole group.
  for (bool ended = false; !ended;) {
    if (ran.timedOut || ran.flooded) kill(-child, SIGKILL);
    pid_t gone = waitpid(child, &ran.status, ran.timedOut || ran.flooded ? 0 : WNOHANG);
    if (gone == child || (gone < 0 && errno != EINTR)) {
      ended = true;
    } else if (Clock::now() >= deadline) {
      ran.timedOut = true;
    } else {
      usleep(500);
    }
  }
  kill(-child, SIGKILL); // whatever it started
  return ran;
}

/// Lines that ptxas prints with -v, and what else it said.
void readReport(const std::string &printed, Assembled &result, std::string &losses) {
  static const std::regex entry("Compiling entry function '([^']*)'"), properties("Function properties for (\\S+)"),
      used("Used (\\d+) registers(?:, used (\\d+) barriers)?(?:.*?(\\d+) bytes smem)?"),
      spill("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads"),
      loss("C75\\d\\d|wgmma.*serialized|setmaxnreg.*ignored");
  size_t at = 0;
  while (at < printed.size()) {
    size_t end = std::min(printed.find('\n', at), printed.size());
    const std::string line = printed.substr(at, end - at);
    at = end + 1;
    std::smatch m;
    FunctionResources *last = result.functions.empty() ? nullptr : &result.functions.back();
    if (std::regex_search(line, loss)) losses += line + "\n";
    if (std::regex_search(line, m, entry)) {
      result.functions.push_back({m[1], 0, 0, 0, 0, 0});
    } else if (last && std::regex_search(line, m, spill)) {
      last->stackBytes = std::stoll(m[1]);
      last->spillBytes = std::stoll(m[2]) + std::stoll(m[3]);
    } else if (last && std::regex_search(line, m, used)) {
      last->registers = std::stoll(m[1]);
      last->barriers = m[2].matched ? std::stoll(m[2]) : 0;
      last->sharedBytes = m[3].matched ? std::stoll(m[3]) : 0;
    } else if (line.find("info ") == line.npos && !line.empty() && !std::regex_search(line, properties)) {
      result.warnings += line + "\n";
    }
  }
}

} // namespace

Expected<std::string> findAssembler(const std::string &root) {
  for (const fs::path &path : candidates(root))
    if (trusted(path)) return path.string();
  return Status(PANTILE_NOT_FOUND, "ptxas is neither beside CUDA nor in a Python package of this system").withFix(kInstall);
}

Expected<std::string> findAssembler() {
  static const auto &found = *new Expected<std::string>(findAssembler("/"));
  return found;
}

Expected<Assembled> assemble(const std::string &program, std::string_view ptx, std::string_view arch, std::chrono::milliseconds limit) {
  if (access(program.c_str(), X_OK))
    return Status(PANTILE_NOT_FOUND, fmt::format("there is no assembler {}: {}", program, systemError(errno))).withFix(kInstall);
  PANTILE_ASSIGN(File input, memoryFile("kernel.ptx", ptx));
  PANTILE_ASSIGN(File output, memoryFile("kernel.cubin", {}));
  auto ran = run({program, fmt::format("-arch={}", arch), "-v", "-O3", "/proc/self/fd/3", "-o", "/proc/self/fd/4"}, input.number,
                 output.number, Clock::now() + limit);
  if (!ran) return std::move(ran).status();
  auto failed = [&](pantile_code code, std::string text) {
    std::string cause = ran->printed.substr(0, 8192);
    while (!cause.empty() && cause.back() == '\n') cause.pop_back();
    return Status(code, std::move(text)).withCause(std::move(cause));
  };
  if (ran->timedOut)
    return failed(PANTILE_TIMEOUT, fmt::format("ptxas did not end within {} ms and was ended", limit.count()))
        .withFix("use smaller blocks, or allow more time: the target property ptxas_seconds");
  if (ran->flooded) return failed(PANTILE_COMPILE_ERROR, "ptxas printed more than a megabyte and was ended");
  if (WIFSIGNALED(ran->status))
    return failed(PANTILE_COMPILE_ERROR,
                  fmt::format("ptxas was ended by signal {} ({})", WTERMSIG(ran->status), strsignal(WTERMSIG(ran->status))))
        .withFix("use another configuration, or another version of ptxas");
  if (ran->status) {
    const bool old = ran->printed.find("Unsupported .version") != std::string::npos ||
                     ran->printed.find("is not defined for option 'gpu-name'") != std::string::npos;
    return failed(PANTILE_COMPILE_ERROR, fmt::format("{} refuses the kernel for {}", program, arch))
        .withFix(old ? "it is too old for this target: install a newer CUDA or the PyPI package nvidia-cuda-nvcc"
                     : "use another configuration");
  }
  Assembled result;
  std::string losses;
  readReport(ran->printed, result, losses);
  if (!losses.empty())
    return Status(PANTILE_COMPILE_ERROR, "ptxas would give up what makes this configuration fast")
        .withCause(losses)
        .withFix("use another configuration");
  PANTILE_ASSIGN(result.cubin, contentOf(output));
  if (!result.cubin.starts_with("\x7f"
                                "ELF"))
    return failed(PANTILE_COMPILE_ERROR, fmt::format("{} ended well and left no cubin", program));
  return result;
}

} // namespace pantile::cuda
