//===- tests/fuzz/Frames.cpp - frames on a socket pair --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Whatever the other side sends before it closes: frames, or an error; never more memory than bytes that came.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/Frame.h"
#include "tests/fuzz/Fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

using namespace pantile;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int ends[2];
  if (size > 60000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return 0;
  Descriptor mine(ends[0]);
  {
    Descriptor theirs(ends[1]);
    fuzz::require(send(theirs.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == ssize_t(size) || size == 0, "the socket takes the input");
  }
  size_t payloads = 0;
  for (;;) {
    auto frame = readFrame(mine.get(), waitForever);
    if (!frame) {
      fuzz::require(!frame.status().text().empty(), "an error has a text");
      break;
    }
    payloads += frame->payload.size();
  }
  fuzz::require(payloads <= size, "no payload is longer than what came");
  return 0;
}
