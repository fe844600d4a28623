//===- core/Sanitizer.h - which sanitizer this code is built with ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_SANITIZER_H
#define PANTILE_CORE_SANITIZER_H

#include "pantile/plugin.h"

namespace pantile {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr uint32_t kSanitizer = PANTILE_SANITIZER_ADDRESS;
#elif defined(__SANITIZE_THREAD__)
inline constexpr uint32_t kSanitizer = PANTILE_SANITIZER_THREAD;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr uint32_t kSanitizer = PANTILE_SANITIZER_ADDRESS;
#elif __has_feature(thread_sanitizer)
inline constexpr uint32_t kSanitizer = PANTILE_SANITIZER_THREAD;
#else
inline constexpr uint32_t kSanitizer = PANTILE_SANITIZER_NONE;
#endif
#else
inline constexpr uint32_t kSanitizer = PANTILE_SANITIZER_NONE;
#endif

} // namespace pantile

#endif // PANTILE_CORE_SANITIZER_H
