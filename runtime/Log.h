//===- runtime/Log.h - where warnings go ----------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_LOG_H
#define PANTILE_RUNTIME_LOG_H

#include "pantile/types.h"

#include <mutex>
#include <set>
#include <string>

namespace pantile {

/// Lines to the application's callback, or to standard error as "pantile: warning: ...". Thread safe; the callback may be
/// called from any thread, one at a time.
/// The cause of every warning about the user's cache folder, whichever cache meets the trouble first: it is said once.
inline constexpr const char *kCacheWarning = "cache folder";

class Log {
public:
  using Function = void (*)(void *user, pantile_log_level level, const char *text);
  explicit Log(pantile_log_level level = PANTILE_LOG_WARNING, Function function = nullptr, void *user = nullptr)
      : level(level), function(function), user(user) {}

  bool wants(pantile_log_level wanted) const { return wanted >= level; }
  void write(pantile_log_level severity, const std::string &text);
  void info(const std::string &text) { write(PANTILE_LOG_INFO, text); }
  void warn(const std::string &text) { write(PANTILE_LOG_WARNING, text); }
  /// Once for each `cause`.
  void warnOnce(const std::string &cause, const std::string &text);

private:
  const pantile_log_level level;
  const Function function;
  void *const user;
  std::recursive_mutex mutex; ///< a callback may come back to us
  std::set<std::string> said;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_LOG_H
