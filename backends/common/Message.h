//===- backends/common/Message.h - a Status as the ABI's message ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_BACKENDS_COMMON_MESSAGE_H
#define PANTILE_BACKENDS_COMMON_MESSAGE_H

#include "core/Status.h"
#include "pantile/plugin.h"

namespace pantile {

/// Hands a status to the host: returns its code and, where `error` is not NULL and the status not OK, sets `*error` to a
/// message that its `release` frees. Never throws: without memory for the message it is left NULL.
int32_t report(const Status &status, pantile_message **error) noexcept;

} // namespace pantile

#endif // PANTILE_BACKENDS_COMMON_MESSAGE_H
