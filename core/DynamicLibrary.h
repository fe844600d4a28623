//===- core/DynamicLibrary.h - dlopen, the one way ------------------------===//

#ifndef PANTILE_CORE_DYNAMICLIBRARY_H
#define PANTILE_CORE_DYNAMICLIBRARY_H

#include "core/Status.h"

#include <string>

namespace pantile {

/// A library opened RTLD_NOW | RTLD_LOCAL and never closed (closing runs destructors of code whose threads may live).
class DynamicLibrary {
public:
  static Expected<DynamicLibrary> open(const std::string &path);
  /// NULL-valued symbols and missing ones are errors.
  Expected<void *> symbol(const char *name) const;
  template <typename Function> Expected<Function> function(const char *name) const {
    auto address = symbol(name);
    if (!address) return std::move(address).status();
    return reinterpret_cast<Function>(*address);
  }

private:
  explicit DynamicLibrary(void *handle, std::string path) : handle(handle), path(std::move(path)) {}
  void *handle;
  std::string path;
};

} // namespace pantile

#endif // PANTILE_CORE_DYNAMICLIBRARY_H
