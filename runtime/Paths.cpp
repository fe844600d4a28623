//===- runtime/Paths.cpp --------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/Paths.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pantile {

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
  if (this != &other) {
    if (number >= 0) ::close(number);
    number = other.release();
  }
  return *this;
}
Descriptor::~Descriptor() {
  if (number >= 0) ::close(number);
}

std::string systemError(int number) { return std::system_category().message(number); }

namespace {

std::optional<std::string> resolved(const std::string &path) {
  char buffer[PATH_MAX];
  if (!realpath(path.c_str(), buffer)) return std::nullopt;
  return std::string(buffer);
}

/// Whether one existing file or folder can only have been written by root or this user.
Status checkOne(const std::string &path, const struct stat &info) {
  if (info.st_uid != 0 && info.st_uid != geteuid())
    return Status(PANTILE_UNAVAILABLE, fmt::format("'{}' belongs to user {}", path, info.st_uid))
        .withFix("it must belong to root or to you");
  bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX);
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
    return Status(PANTILE_UNAVAILABLE, fmt::format("'{}' may be written by others (mode {:o})", path, info.st_mode & 07777))
        .withFix(fmt::format("chmod go-w '{}'", path));
  return {};
}

Status checkChain(const std::string &path) {
  std::string at = path;
  while (true) {
    struct stat info;
    if (lstat(at.empty() ? "/" : at.c_str(), &info)) return {PANTILE_NOT_FOUND, fmt::format("'{}': {}", at, systemError(errno))};
    PANTILE_RETURN_IF_ERROR(checkOne(at.empty() ? "/" : at, info));
    if (at.empty()) return {};
    at.resize(at.rfind('/'));
  }
}

} // namespace

std::string ownFolder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&ownFolder), &info) || !info.dli_fname) return {};
  // A program names itself as it was called: ask the system where it is instead.
  std::optional<std::string> path;
  if (info.dli_fname[0] == '/') path = resolved(info.dli_fname);
  if (!path) path = resolved("/proc/self/exe");
  return path ? path->substr(0, path->rfind('/')) : std::string();
}

Expected<std::string> trustedPath(const std::string &path) {
  if (path.empty() || path[0] != '/')
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("'{}' is not absolute", path)).withFix("give an absolute path");
  auto real = resolved(path);
  if (!real) return Status(PANTILE_NOT_FOUND, fmt::format("'{}': {}", path, systemError(errno)));
  PANTILE_RETURN_IF_ERROR(checkChain(*real == "/" ? std::string() : *real));
  return *real;
}

std::vector<std::string> namesIn(int folder) {
  std::vector<std::string> names;
  Descriptor copy(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy.valid()) return names;
  std::unique_ptr<DIR, int (*)(DIR *)> stream(fdopendir(copy.get()), closedir);
  if (!stream) return names;
  (void)copy.release(); // the stream's now
  while (dirent *entry = readdir(stream.get()))
    if (std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  return names;
}

Expected<Descriptor> openPrivateFolder(const std::string &path) {
  if (path.empty() || path[0] != '/')
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the cache folder '{}' is not absolute", path)).withFix("give an absolute path");
  // What exists must be closed to others before anything is made in it.
  std::string existing = path;
  struct stat info;
  while (existing.size() > 1 && stat(existing.c_str(), &info) && errno == ENOENT) existing.resize(std::max<size_t>(existing.rfind('/'), 1));
  PANTILE_RETURN_IF_ERROR(trustedPath(existing).status());
  for (size_t end = path.find('/', existing.size());; end = path.find('/', end + 1)) {
    std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0700) && errno != EEXIST && errno != EROFS && errno != EACCES)
      return Status(PANTILE_IO_ERROR, fmt::format("'{}' cannot be made: {}", part, systemError(errno)));
    if (end == path.npos) break;
  }
  size_t slash = path.rfind('/');
  PANTILE_ASSIGN(std::string parent, trustedPath(slash == 0 ? "/" : path.substr(0, slash)));
  std::string full = parent + "/" + path.substr(slash + 1);
  Descriptor folder(open(full.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) return Status(PANTILE_IO_ERROR, fmt::format("'{}' cannot be opened: {}", full, systemError(errno)));
  if (fstat(folder.get(), &info)) return Status(PANTILE_IO_ERROR, fmt::format("'{}': {}", full, systemError(errno)));
  if (info.st_uid != geteuid()) return Status(PANTILE_UNAVAILABLE, fmt::format("'{}' belongs to user {}, not to you", full, info.st_uid));
  if (info.st_mode & 022)
    return Status(PANTILE_UNAVAILABLE, fmt::format("'{}' may be written by others", full)).withFix(fmt::format("chmod 700 '{}'", full));
  return folder;
}

Expected<std::string> readFile(const std::string &path, size_t limit, Links links) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == Links::Follow ? 0 : O_NOFOLLOW)));
  if (!file.valid())
    return Status(errno == ENOENT ? PANTILE_NOT_FOUND : PANTILE_IO_ERROR, fmt::format("'{}': {}", path, systemError(errno)));
  struct stat info;
  if (fstat(file.get(), &info)) return Status(PANTILE_IO_ERROR, fmt::format("'{}': {}", path, systemError(errno)));
  if (!S_ISREG(info.st_mode)) return Status(PANTILE_IO_ERROR, fmt::format("'{}' is not a file", path));
  if (size_t(info.st_size) > limit)
    return Status(PANTILE_DATA_ERROR, fmt::format("'{}' has {} bytes, at most {} are read", path, info.st_size, limit));
  std::string text(size_t(info.st_size), '\0');
  size_t have = 0;
  while (have < text.size()) {
    ssize_t got = read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status(PANTILE_IO_ERROR, fmt::format("'{}': {}", path, systemError(errno)));
    if (got == 0) break;
    have += size_t(got);
  }
  text.resize(have);
  return text;
}

} // namespace pantile
