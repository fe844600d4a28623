//===- runtime/helper/Server.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/Server.h"

#include "core/Sanitizer.h"
#include "runtime/helper/Protocol.h"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pantile {

namespace {

constexpr int kSocket = 3;
int parentDescriptor = -1;

[[noreturn]] void endGroup() {
  kill(0, SIGKILL);
  _exit(1);
}

// Runs beside the request: a hanging compiler cannot outlive the application.
void *watch(void *) {
  pollfd watched[2] = {{kSocket, POLLRDHUP, 0}, {parentDescriptor, POLLIN, 0}};
  while (true) {
    int ready = poll(watched, parentDescriptor >= 0 ? 2 : 1, -1);
    if (ready > 0 && (watched[0].revents || watched[1].revents)) endGroup();
  }
}

[[noreturn]] void refuse(const char *why) {
  std::fprintf(stderr, "this program is started by libpantile, not by hand: %s\n", why);
  std::exit(2);
}

} // namespace

HelperArguments startHelper(int argc, char **argv) {
  HelperArguments arguments;
  for (int i = 1; i < argc; ++i) {
    std::string_view text = argv[i];
    auto number = [&](std::string_view prefix, auto &to) {
      if (!text.starts_with(prefix)) return false;
      std::from_chars(text.data() + prefix.size(), text.data() + text.size(), to);
      return true;
    };
    if (number("--parent=", arguments.parent) || number("--memory=", arguments.memoryBytes)) continue;
    if (text.starts_with("--plugins="))
      arguments.pluginFolders.emplace_back(text.substr(10));
    else
      refuse("unknown argument");
  }
  if (arguments.parent <= 0) refuse("no --parent");
  if (getppid() != arguments.parent) endGroup(); // it has ended already
  parentDescriptor = int(syscall(SYS_pidfd_open, arguments.parent, 0));
  if (getppid() != arguments.parent) endGroup();
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (arguments.memoryBytes && kSanitizer == PANTILE_SANITIZER_NONE) { // sanitizers reserve terabytes
    rlimit memory{arguments.memoryBytes, arguments.memoryBytes};
    setrlimit(RLIMIT_AS, &memory);
  }
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 17);
  if (pthread_create(&thread, &attributes, watch, nullptr)) refuse("no thread");
  pthread_detach(thread);
  return arguments;
}

int serve(const Handler &handler) {
  while (true) {
    auto request = readFrame(kSocket, waitForever);
    if (!request) return request.status().code() == PANTILE_UNAVAILABLE ? 0 : 1;
    Expected<std::string> answer = Status(PANTILE_INTERNAL, "no answer");
    try {
      answer = handler(*request);
    } catch (const std::bad_alloc &) {
      answer = Status(PANTILE_OUT_OF_MEMORY, "the helper process is out of memory");
    } catch (const std::exception &exception) { answer = Status(PANTILE_INTERNAL, exception.what()); } catch (...) {
      answer = Status(PANTILE_INTERNAL, "an exception of unknown type crossed a plugin's table");
    }
    Status sent = answer ? writeFrame(kSocket, kDone, *answer, -1, waitForever)
                         : writeFrame(kSocket, kFailed, writeStatus(answer.status()), -1, waitForever);
    if (!sent.isOk()) return 1;
  }
}

} // namespace pantile
