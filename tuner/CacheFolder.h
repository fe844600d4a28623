//===- tuner/CacheFolder.h - files that others may write too --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// One folder `<root>/v1/<hardware>` of a configuration cache: opened step by step without following links, so that what
// was checked is what is used.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_CACHEFOLDER_H
#define PANTILE_TUNER_CACHEFOLDER_H

#include "core/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pantile::tuner {

/// What tells whether a file has changed since it was read.
struct FileStamp {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t seconds = 0, nanoseconds = 0;
  bool operator==(const FileStamp &) const = default;
};

class CacheFolder {
public:
  enum class Trust {
    Anyone, ///< a root that the application named: regular files are all that is asked for
    User,   ///< the user's own: owner and permissions are checked from the root of the file system down
  };
  CacheFolder(CacheFolder &&other) noexcept
      : descriptor(std::exchange(other.descriptor, -1)), trust(other.trust), path(std::move(other.path)) {}
  CacheFolder &operator=(CacheFolder &&other) noexcept;
  ~CacheFolder();

  /// PANTILE_NOT_FOUND where it does not exist; with `create` (User) it is made, 0700.
  static Expected<CacheFolder> open(const std::string &root, const std::string &hardware, Trust trust, bool create);

  /// PANTILE_NOT_FOUND, PANTILE_DATA_ERROR for a file that must not be used (a link, a device, too large, another's).
  Expected<FileStamp> stamp(const std::string &name) const;
  Expected<std::string> read(const std::string &name, size_t limit, FileStamp &stamp) const;
  /// Replaces a file as a whole: temporary file, fsync, rename, fsync of the folder.
  Status replace(const std::string &name, std::string_view contents) const;

  /// Held until destroyed. File systems without locks grant it to everyone.
  class Lock {
  public:
    explicit Lock(int descriptor) : descriptor(descriptor) {}
    Lock(Lock &&other) noexcept : descriptor(std::exchange(other.descriptor, -1)) {}
    Lock &operator=(Lock &&) = delete;
    ~Lock();

  private:
    int descriptor;
  };
  Expected<Lock> lock(double seconds) const;
  /// Temporary files of processes that were killed, older than an hour.
  void sweep() const;

private:
  CacheFolder(int descriptor, Trust trust, std::string path) : descriptor(descriptor), trust(trust), path(std::move(path)) {}
  int descriptor;
  Trust trust;
  std::string path;
};

/// Any regular file, links followed: one that a person named.
Expected<std::string> readRegularFile(const std::string &path, size_t limit);

/// Paths "<hardware>/<file>.toml" below `<root>/v1`, sorted; at most 100,000.
std::vector<std::string> listCacheFiles(const std::string &root);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_CACHEFOLDER_H
