//===- runtime/helper/Process.h - a helper program and its socket ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The child gets the socket as descriptor 3, nothing on its input, a bounded pipe as its output, no other descriptor, and a
// process group of its own, which is killed as a whole. It watches for our end by itself (helper/Server.h).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_HELPER_PROCESS_H
#define PANTILE_RUNTIME_HELPER_PROCESS_H

#include "runtime/helper/Frame.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <sys/types.h>
#include <vector>

namespace pantile {

struct HelperProgram {
  std::string path;
  std::vector<std::string> arguments;
  uint64_t memoryBytes = uint64_t(16) << 30; ///< address space, 0: unbounded
  uint64_t outputBytes = 16u << 20;          ///< printed in one request; more kills it
};

class HelperProcess {
public:
  static Expected<std::unique_ptr<HelperProcess>> start(const HelperProgram &program);
  ~HelperProcess();
  HelperProcess(const HelperProcess &) = delete;
  HelperProcess &operator=(const HelperProcess &) = delete;

  /// Sends and waits for the answer. An error that the helper answered has the helper's code; after PANTILE_TIMEOUT,
  /// PANTILE_UNAVAILABLE (it died) and PANTILE_DATA_ERROR of the transfer itself the process is gone: see alive().
  /// `cancel` is looked at twenty times a second: PANTILE_CANCELLED, and the process is gone too.
  Expected<Frame> request(uint32_t kind, std::string_view payload, Clock::time_point deadline, int descriptor = -1,
                          const std::atomic<bool> *cancel = nullptr);
  bool alive() const { return process > 0; }
  pid_t id() const { return process; }

private:
  HelperProcess() = default;
  void drainOutput();
  Status wait(int socket, short events, Clock::time_point deadline, const std::atomic<bool> *cancel);
  Status end(Status status);
  void kill();

  pid_t process = -1;
  int waitStatus = 0;
  Descriptor socket, output;
  std::string printed; ///< the end of what it printed
  uint64_t printedBytes = 0, outputLimit = 0;
};

/// Helpers of one program: started on demand, at most `maximum` at once, reused, replaced when they die.
class HelperPool {
public:
  HelperPool(HelperProgram program, unsigned maximum) : program(std::move(program)), maximum(maximum) {}
  /// Takes an idle helper or starts one (waiting where `maximum` are busy), and gives it back where it still lives. One that
  /// is found dead before it took the request is replaced once.
  Expected<Frame> request(uint32_t kind, std::string_view payload, Clock::time_point deadline, int descriptor = -1,
                          const std::atomic<bool> *cancel = nullptr);
  /// Helpers started so far.
  unsigned started() const;
  /// Ends the idle ones but for `keep`.
  void trim(size_t keep);
  /// After a fork: the parent's helpers are forgotten, not ended.
  void abandon();

private:
  HelperProgram program;
  const unsigned maximum;
  mutable std::mutex mutex;
  std::condition_variable returned;
  std::vector<std::unique_ptr<HelperProcess>> idle;
  unsigned busy = 0, count = 0;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_HELPER_PROCESS_H
