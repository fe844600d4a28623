//===- runtime/Paths.h - which files and folders are trusted --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Code is loaded, and caches are kept, only where no other user could have put something: every folder from the root down
// belongs to root or to this user, and nobody else may write it (a sticky folder may be shared: what lies in it is checked).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_PATHS_H
#define PANTILE_RUNTIME_PATHS_H

#include "core/Status.h"

#include <string>
#include <vector>

namespace pantile {

/// The folder of the library (or program) that contains this code, links resolved; empty where it cannot be found.
std::string ownFolder();

/// `path` with links resolved, if it exists and is trusted.
Expected<std::string> trustedPath(const std::string &path);

/// A file descriptor closed at the end.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number(number) {}
  Descriptor(Descriptor &&other) noexcept : number(other.release()) {}
  Descriptor &operator=(Descriptor &&other) noexcept;
  ~Descriptor();
  int get() const { return number; }
  bool valid() const { return number >= 0; }
  int release() { return std::exchange(number, -1); }

private:
  int number;
};

/// The names in a folder but "." and "..", unsorted; none where it cannot be read. `folder` is not consumed.
std::vector<std::string> namesIn(int folder);

/// Opens a private folder, made where missing (0700, parents too): trusted, ours, not open to others.
Expected<Descriptor> openPrivateFolder(const std::string &path);

enum class Links : bool { Refuse, Follow };
/// The whole of a regular file of at most `limit` bytes. Links at its end are followed for files that the user names.
Expected<std::string> readFile(const std::string &path, size_t limit, Links links = Links::Refuse);
/// The text of errno.
std::string systemError(int number);

} // namespace pantile

#endif // PANTILE_RUNTIME_PATHS_H
