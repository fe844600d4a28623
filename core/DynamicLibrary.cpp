//===- core/DynamicLibrary.cpp --------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/DynamicLibrary.h"

#include <dlfcn.h>
#include <fmt/core.h>

namespace pantile {

Expected<DynamicLibrary> DynamicLibrary::open(const std::string &path) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle) return DynamicLibrary(handle, path);
  const char *reason = dlerror();
  return Status(PANTILE_UNAVAILABLE, fmt::format("cannot load '{}'", path)).withCause(reason ? reason : "");
}

Expected<void *> DynamicLibrary::symbol(const char *name) const {
  dlerror();
  void *address = dlsym(handle, name);
  if (address) return address;
  return Status(PANTILE_UNAVAILABLE, fmt::format("'{}' has no symbol '{}'", path, name));
}

} // namespace pantile
