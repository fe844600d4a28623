//===- runtime/Log.cpp ----------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/Log.h"

#include <unistd.h>

namespace pantile {

void Log::write(pantile_log_level severity, const std::string &text) {
  if (!wants(severity) || severity >= PANTILE_LOG_OFF) return;
  std::lock_guard lock(mutex);
  if (function) return function(user, severity, text.c_str());
  static constexpr const char *names[] = {"trace", "debug", "info", "warning", "error"};
  std::string line = std::string("pantile: ") + names[severity] + ": " + text + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void Log::warnOnce(const std::string &cause, const std::string &text) {
  {
    std::lock_guard lock(mutex);
    if (!said.insert(cause).second) return;
  }
  warn(text);
}

} // namespace pantile
