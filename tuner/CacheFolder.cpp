//===- tuner/CacheFolder.cpp - opening, locking, replacing ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/CacheFolder.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace pantile::tuner {
namespace {

constexpr size_t kMaxListed = 100000;

Status systemError(const std::string &what, int error) {
  pantile_code code = error == ENOENT ? PANTILE_NOT_FOUND : error == ELOOP ? PANTILE_DATA_ERROR : PANTILE_IO_ERROR;
  return Status(code, fmt::format("{}: {}", what, error == ELOOP ? "it is a symbolic link" : std::strerror(error)));
}

class Descriptor {
public:
  explicit Descriptor(int value) : value(value) {}
  Descriptor(Descriptor &&other) noexcept : value(std::exchange(other.value, -1)) {}
  Descriptor &operator=(Descriptor &&other) noexcept {
    std::swap(value, other.value);
    return *this;
  }
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  int get() const { return value; }
  int release() { return std::exchange(value, -1); }

private:
  int value;
};

/// Why `name` in `parent` could not be opened as a folder; a link where a folder is wanted is called ENOTDIR.
Status folderError(int parent, const std::string &name, const std::string &path, int error) {
  struct stat info;
  if (error == ENOTDIR && ::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode))
    return Status(PANTILE_IO_ERROR, fmt::format("cache folder '{}' is a symbolic link", path)).withFix("name the folder itself");
  return systemError(fmt::format("cache folder '{}'", path), error);
}

/// Folders above the user's root: nobody else may rename what is in them.
Status checkAncestor(int descriptor, const std::string &path) {
  struct stat info;
  if (::fstat(descriptor, &info) != 0) return systemError(fmt::format("folder '{}'", path), errno);
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    return Status(PANTILE_IO_ERROR, fmt::format("folder '{}' belongs to another user", path)).withFix("name a cache folder of your own");
  if ((info.st_mode & 022) != 0 && (info.st_mode & S_ISVTX) == 0)
    return Status(PANTILE_IO_ERROR, fmt::format("folder '{}' may be written by other users", path))
        .withFix("remove their permission, or name another cache folder");
  return {};
}

/// The user's own folders.
Status checkOwn(int descriptor, const std::string &path) {
  struct stat info;
  if (::fstat(descriptor, &info) != 0) return systemError(fmt::format("cache folder '{}'", path), errno);
  if (info.st_uid != ::geteuid())
    return Status(PANTILE_IO_ERROR, fmt::format("cache folder '{}' belongs to another user", path))
        .withFix("name a cache folder of your own");
  if ((info.st_mode & 022) != 0)
    return Status(PANTILE_IO_ERROR, fmt::format("cache folder '{}' may be written by other users", path))
        .withFix(fmt::format("chmod go-w '{}'", path));
  return {};
}

int openFolder(int parent, const std::string &name, bool create, int flags) {
  int found = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
  if (found >= 0 || errno != ENOENT || !create) return found;
  if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) return -1;
  return ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
}

/// The user's root, with every folder on the way checked. Links above the root are resolved first, the root is none.
Expected<Descriptor> openUserRoot(std::string root, bool create) {
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (root.empty() || root[0] != '/' || root == "/")
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("cache folder '{}' is not an absolute path below '/'", root));
  size_t slash = root.rfind('/');
  std::string parent = slash == 0 ? "/" : root.substr(0, slash), last = root.substr(slash + 1);
  if (last == "." || last == "..") return Status(PANTILE_INVALID_ARGUMENT, fmt::format("cache folder '{}' ends in '{}'", root, last));
  if (create) {
    for (size_t at = 1; at != std::string::npos && at < parent.size();) {
      at = parent.find('/', at + 1);
      ::mkdir(parent.substr(0, at).c_str(), 0700); // what fails is found below
    }
  }
  char *resolved = ::realpath(parent.c_str(), nullptr);
  if (!resolved) return systemError(fmt::format("folder '{}'", parent), errno);
  std::string real = resolved;
  ::free(resolved);

  Descriptor here(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (here.get() < 0) return systemError("folder '/'", errno);
  PANTILE_RETURN_IF_ERROR(checkAncestor(here.get(), "/"));
  for (size_t begin = 1; begin < real.size();) {
    size_t end = std::min(real.find('/', begin), real.size());
    Descriptor next(::openat(here.get(), real.substr(begin, end - begin).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (next.get() < 0) return systemError(fmt::format("folder '{}'", real.substr(0, end)), errno);
    PANTILE_RETURN_IF_ERROR(checkAncestor(next.get(), real.substr(0, end)));
    here = std::move(next);
    begin = end + 1;
  }
  Descriptor own(openFolder(here.get(), last, create, O_NOFOLLOW));
  if (own.get() < 0) return folderError(here.get(), last, root, errno);
  PANTILE_RETURN_IF_ERROR(checkOwn(own.get(), root));
  return own;
}

Expected<std::string> readAll(int descriptor, size_t size, const std::string &path) {
  std::string contents(size, '\0');
  size_t have = 0;
  while (have < size) {
    ssize_t got = ::read(descriptor, contents.data() + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemError(fmt::format("'{}'", path), errno);
    if (got == 0) break;
    have += size_t(got);
  }
  contents.resize(have);
  return contents;
}

FileStamp stampOf(const struct stat &info) {
  return {uint64_t(info.st_dev), uint64_t(info.st_ino), uint64_t(info.st_size), info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

} // namespace

CacheFolder &CacheFolder::operator=(CacheFolder &&other) noexcept {
  std::swap(descriptor, other.descriptor);
  std::swap(trust, other.trust);
  std::swap(path, other.path);
  return *this;
}

CacheFolder::~CacheFolder() {
  if (descriptor >= 0) ::close(descriptor);
}

Expected<CacheFolder> CacheFolder::open(const std::string &root, const std::string &hardware, Trust trust, bool create) {
  std::string path = root + "/v1/" + hardware;
  if (trust == Trust::Anyone) {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return systemError(fmt::format("configuration folder '{}'", path), errno);
    return CacheFolder(descriptor, trust, std::move(path));
  }
  PANTILE_ASSIGN(Descriptor here, openUserRoot(root, create));
  std::string reached = root;
  for (const std::string &name : {std::string("v1"), hardware}) {
    reached += "/" + name;
    Descriptor next(openFolder(here.get(), name, create, O_NOFOLLOW));
    if (next.get() < 0) return folderError(here.get(), name, reached, errno);
    PANTILE_RETURN_IF_ERROR(checkOwn(next.get(), reached));
    here = std::move(next);
  }
  return CacheFolder(here.release(), trust, std::move(path));
}

Expected<FileStamp> CacheFolder::stamp(const std::string &name) const {
  struct stat info;
  if (::fstatat(descriptor, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return systemError(fmt::format("'{}/{}'", path, name), errno);
  return stampOf(info);
}

Expected<std::string> CacheFolder::read(const std::string &name, size_t limit, FileStamp &stamp) const {
  std::string full = path + "/" + name;
  // Never blocks on a pipe, never becomes the controlling terminal.
  Descriptor file(::openat(descriptor, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return systemError(fmt::format("'{}'", full), errno);
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return systemError(fmt::format("'{}'", full), errno);
  if (!S_ISREG(info.st_mode)) return Status(PANTILE_DATA_ERROR, fmt::format("'{}' is not a regular file", full));
  if (trust == Trust::User && (info.st_uid != ::geteuid() || (info.st_mode & 022) != 0))
    return Status(PANTILE_DATA_ERROR, fmt::format("'{}' belongs to another user or may be written by others", full))
        .withFix(fmt::format("chown and chmod go-w '{}'", full));
  if (uint64_t(info.st_size) > limit) return Status(PANTILE_DATA_ERROR, fmt::format("'{}' is larger than {} bytes", full, limit));
  stamp = stampOf(info);
  return readAll(file.get(), size_t(info.st_size), full);
}

Status CacheFolder::replace(const std::string &name, std::string_view contents) const {
  static std::atomic<uint64_t> serial = 0;
  std::string full = path + "/" + name;
  std::string temporary = fmt::format(".{}.{}.{}.tmp", name, ::getpid(), serial++);
  ::unlinkat(descriptor, temporary.c_str(), 0); // a killed process of our number may have left one
  Descriptor file(::openat(descriptor, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return systemError(fmt::format("'{}' cannot be written", full), errno);
  auto failed = [&](int error) {
    ::unlinkat(descriptor, temporary.c_str(), 0);
    return systemError(fmt::format("'{}' cannot be written", full), error);
  };
  for (size_t have = 0; have < contents.size();) {
    ssize_t put = ::write(file.get(), contents.data() + have, contents.size() - have);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return failed(put < 0 ? errno : ENOSPC);
    have += size_t(put);
  }
  if (::fsync(file.get()) != 0) return failed(errno);
  if (::close(file.release()) != 0 && errno != EINTR) return failed(errno);
  if (::renameat(descriptor, temporary.c_str(), descriptor, name.c_str()) != 0) return failed(errno);
  ::fsync(descriptor); // the file is whole either way
  return {};
}

CacheFolder::Lock::~Lock() {
  if (descriptor >= 0) ::close(descriptor);
}

Expected<CacheFolder::Lock> CacheFolder::lock(double seconds) const {
  Descriptor file(::openat(descriptor, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (file.get() < 0) return systemError(fmt::format("'{}/.lock' cannot be opened", path), errno);
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (auto pause = std::chrono::microseconds(200);; pause = std::min(pause * 2, std::chrono::microseconds(20000))) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return Lock(file.release());
    if (errno != EWOULDBLOCK && errno != EINTR) return Lock(-1);
    if (std::chrono::steady_clock::now() >= end)
      return Status(PANTILE_TIMEOUT, fmt::format("'{}/.lock' has been held by another process for {} s", path, seconds));
    std::this_thread::sleep_for(pause);
  }
}

void CacheFolder::sweep() const {
  int copy = ::openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = copy < 0 ? nullptr : ::fdopendir(copy);
  if (!folder) {
    if (copy >= 0) ::close(copy);
    return;
  }
  time_t now = ::time(nullptr);
  while (dirent *entry = ::readdir(folder)) {
    std::string_view name = entry->d_name;
    struct stat info;
    if (name.starts_with(".") && name.ends_with(".tmp") && ::fstatat(descriptor, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(info.st_mode) && now - info.st_mtime > 3600)
      ::unlinkat(descriptor, entry->d_name, 0);
  }
  ::closedir(folder);
}

Expected<std::string> readRegularFile(const std::string &path, size_t limit) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info;
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return systemError(fmt::format("'{}'", path), errno);
  if (!S_ISREG(info.st_mode)) return Status(PANTILE_DATA_ERROR, "is not a regular file");
  if (uint64_t(info.st_size) > limit) return Status(PANTILE_DATA_ERROR, fmt::format("is larger than {} bytes", limit));
  return readAll(file.get(), size_t(info.st_size), path);
}

std::vector<std::string> listCacheFiles(const std::string &root) {
  std::vector<std::string> result;
  auto each = [](const std::string &path, auto &&visit) {
    DIR *folder = ::opendir(path.c_str());
    if (!folder) return;
    while (dirent *entry = ::readdir(folder))
      if (entry->d_name[0] != '.') visit(std::string(entry->d_name));
    ::closedir(folder);
  };
  each(root + "/v1", [&](const std::string &hardware) {
    each(root + "/v1/" + hardware, [&](const std::string &file) {
      if (file.ends_with(".toml") && result.size() < kMaxListed) result.push_back(hardware + "/" + file);
    });
  });
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace pantile::tuner
