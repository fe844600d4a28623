//===- runtime/helper/Frame.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/Frame.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace pantile {

namespace {

constexpr uint32_t kMagic = 0x314c5450; // "PTL1"

struct Header {
  uint32_t magic, kind;
  uint64_t size;
};

Status closedBy(std::string_view how) { return {PANTILE_UNAVAILABLE, fmt::format("the helper process {}", how)}; }

Status readExactly(int socket, char *to, size_t size, const WaitFunction &wait) {
  while (size) {
    ssize_t got = recv(socket, to, size, MSG_DONTWAIT);
    if (got > 0) {
      to += got;
      size -= size_t(got);
    } else if (got == 0) {
      return closedBy("closed its socket in the middle of an answer");
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      PANTILE_RETURN_IF_ERROR(wait(socket, POLLIN));
    } else if (errno != EINTR) {
      return closedBy(fmt::format("cannot be read: {}", systemError(errno)));
    }
  }
  return {};
}

} // namespace

Status waitForever(int socket, short events) {
  pollfd one{socket, events, 0};
  if (poll(&one, 1, -1) < 0 && errno != EINTR) return {PANTILE_IO_ERROR, fmt::format("poll: {}", systemError(errno))};
  return {};
}

Status writeFrame(int socket, uint32_t kind, std::string_view payload, int descriptor, const WaitFunction &wait) {
  if (payload.size() > kMaxFrameBytes) return {PANTILE_INVALID_ARGUMENT, fmt::format("a request of {} bytes is too large", payload.size())};
  Header header{kMagic, kind, payload.size()};
  iovec parts[2] = {{&header, sizeof(header)}, {const_cast<char *>(payload.data()), payload.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr *rider = CMSG_FIRSTHDR(&message);
    rider->cmsg_level = SOL_SOCKET;
    rider->cmsg_type = SCM_RIGHTS;
    rider->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rider), &descriptor, sizeof(int));
  }
  size_t left = sizeof(header) + payload.size();
  while (left) {
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return closedBy(fmt::format("does not take requests: {}", systemError(errno)));
      PANTILE_RETURN_IF_ERROR(wait(socket, POLLOUT));
      continue;
    }
    left -= size_t(sent);
    message.msg_control = nullptr;
    message.msg_controllen = 0;
    for (size_t rest = size_t(sent); rest && message.msg_iovlen;) {
      size_t used = std::min(rest, message.msg_iov->iov_len);
      message.msg_iov->iov_base = static_cast<char *>(message.msg_iov->iov_base) + used;
      message.msg_iov->iov_len -= used;
      rest -= used;
      if (message.msg_iov->iov_len == 0) ++message.msg_iov, --message.msg_iovlen;
    }
  }
  return {};
}

Expected<Frame> readFrame(int socket, const WaitFunction &wait) {
  Header header{};
  Frame frame;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  size_t have = 0;
  while (have < sizeof(header)) {
    iovec part = {reinterpret_cast<char *>(&header) + have, sizeof(header) - have};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got == 0) return closedBy("ended");
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return closedBy(fmt::format("cannot be read: {}", systemError(errno)));
      PANTILE_RETURN_IF_ERROR(wait(socket, POLLIN));
      continue;
    }
    have += size_t(got);
    for (cmsghdr *rider = CMSG_FIRSTHDR(&message); rider; rider = CMSG_NXTHDR(&message, rider))
      if (rider->cmsg_level == SOL_SOCKET && rider->cmsg_type == SCM_RIGHTS) {
        int number;
        std::memcpy(&number, CMSG_DATA(rider), sizeof(number));
        frame.descriptor = Descriptor(number);
      }
  }
  if (header.magic != kMagic || header.size > kMaxFrameBytes)
    return Status(PANTILE_DATA_ERROR, "the helper process sent something that is no frame");
  frame.kind = header.kind;
  // Grows with what arrives: a false length costs nothing.
  while (frame.payload.size() < header.size) {
    size_t at = frame.payload.size(), chunk = size_t(std::min<uint64_t>(header.size - at, 16u << 20));
    frame.payload.resize(at + chunk);
    PANTILE_RETURN_IF_ERROR(readExactly(socket, frame.payload.data() + at, chunk, wait));
  }
  return frame;
}

} // namespace pantile
