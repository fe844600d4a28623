//===- runtime/helper/Frame.h - length-prefixed messages on a socket ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   magic u32 | kind u32 | size u64 | payload of that many bytes        little endian; a file descriptor may ride along
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_HELPER_FRAME_H
#define PANTILE_RUNTIME_HELPER_FRAME_H

#include "core/Status.h"
#include "runtime/Paths.h"

#include <chrono>
#include <functional>
#include <string_view>

namespace pantile {

using Clock = std::chrono::steady_clock;

struct Frame {
  uint32_t kind = 0;
  std::string payload;
  Descriptor descriptor;
};

inline constexpr uint64_t kMaxFrameBytes = uint64_t(1) << 30;

/// Called whenever the socket is not ready: waits for `events` of `socket` (and does what else there is to do meanwhile).
/// An error ends the transfer.
using WaitFunction = std::function<Status(int socket, short events)>;
/// Waits without end.
Status waitForever(int socket, short events);

Status writeFrame(int socket, uint32_t kind, std::string_view payload, int descriptor, const WaitFunction &wait);
/// PANTILE_UNAVAILABLE: the other side closed. PANTILE_DATA_ERROR: it sent something else.
Expected<Frame> readFrame(int socket, const WaitFunction &wait);

} // namespace pantile

#endif // PANTILE_RUNTIME_HELPER_FRAME_H
