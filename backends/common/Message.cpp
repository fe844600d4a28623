//===- backends/common/Message.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/common/Message.h"

#include <new>

namespace pantile {

namespace {

struct OwnedMessage : pantile_message {
  Status status;
};

} // namespace

int32_t report(const Status &status, pantile_message **error) noexcept {
  if (status.isOk() || !error) return status.code();
  try {
    auto *message = new OwnedMessage{{}, status};
    message->struct_size = sizeof(pantile_message);
    message->code = status.code();
    message->text = message->status.text().c_str();
    message->cause = message->status.cause().empty() ? nullptr : message->status.cause().c_str();
    message->fix = message->status.fix().empty() ? nullptr : message->status.fix().c_str();
    message->release = [](pantile_message *released) { delete static_cast<OwnedMessage *>(released); };
    *error = message;
  } catch (const std::bad_alloc &) { *error = nullptr; }
  return status.code();
}

} // namespace pantile
