//===- tuner/ConfigurationCache.h - tuned configurations, on disk as TOML -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// `<root>/v1/<hardware>/<kernel>-<first 12 digits of the tuning key>.toml`. Roots are searched in order: those that the
// application names (read only), the user's (read and written), the system's (read only), built-in texts. The first fresh
// exact entry wins; neighbours come from all.
//
// Promises
//  - A file is replaced as a whole (lock, re-read, merge, temporary file, fsync, rename): a reader sees the old or the new.
//  - A file that is damaged, too large, of another schema, or not a regular file of ours is reported once and left as it
//    is; the others are used. A store into a damaged file keeps its entry in memory.
//  - Where the user's root cannot be written (read only, full, wrong owner, no path) entries stay in this process's memory,
//    with one warning.
//  - The user's root: created 0700, files 0600, opened without following links, owned by the user, and below no folder that
//    others may write (unless sticky, or root's or the user's own with no foreign write bits). Never a shared temporary path.
//
// Thread safe; several processes may share a root.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_CONFIGURATIONCACHE_H
#define PANTILE_TUNER_CONFIGURATIONCACHE_H

#include "tuner/CacheEntry.h"

#include <functional>
#include <memory>

namespace pantile::tuner {

/// Names a file. `hardware` and `kernel` are reduced to [A-Za-z0-9_.-] in file names; the file holds them in full.
struct CacheKey {
  std::string hardware; ///< pantile_device_info::hardware
  std::string kernel;
  std::string tuningKey;                        ///< hexadecimal, at least 12 digits
  std::map<std::string, Setting> hardwareFacts; ///< recorded in new files; not compared
};

/// What is asked of a file.
struct CacheQuery {
  std::map<std::string, int64_t> shape;
  int64_t align = 0;
  std::string facts, regime;
  /// What the caller's builds are; an entry that differs is stale. Empty or 0: not compared.
  std::string space, compiler;
  int64_t codegenABI = 0;
  size_t neighbours = 8; ///< at most so many
  double maxOctaves = 2; ///< no dimension further away than 2^this
};

struct CacheMatch {
  CacheEntry entry;
  bool exact = false;
  double distance = 0; ///< Euclidean in log2 of the sizes (of size + 1)
  std::string stale;   ///< empty: fresh; else what differs, for people
  std::string origin;  ///< path of the file, "memory", or "built in"
};

/// A file of the cache, for `pantile cache list`.
struct CacheListing {
  std::string path, hardware, kernel, signature;
  size_t entries = 0;
  size_t bytes = 0;
  std::string problem; ///< why it is not used; empty: fine
};

struct MergeReport {
  size_t files = 0, added = 0, replaced = 0, kept = 0;
  std::vector<std::string> problems; ///< files that were left out, with reasons
};

struct CacheOptions {
  std::vector<std::string> named;   ///< read-only roots before the user's
  std::string user;                 ///< writable root; empty: memory only
  std::vector<std::string> system;  ///< read-only roots after it
  std::vector<std::string> builtIn; ///< texts of files
  double lockSeconds = 10;
  std::function<void(const std::string &)> warn; ///< one line each; a cause is reported once
  /// That the user's root as a whole is of no use; empty: `warn`. Others may have said so of the folder that holds it.
  std::function<void(const std::string &)> warnUser;
};

class ConfigurationCache {
public:
  explicit ConfigurationCache(CacheOptions options);
  ~ConfigurationCache();
  ConfigurationCache(const ConfigurationCache &) = delete;
  ConfigurationCache &operator=(const ConfigurationCache &) = delete;

  /// Exact matches first (fresh before stale, in the order of roots), then neighbours by distance; same alignment class,
  /// facts and dimension names. Parsed files are kept and read again when they change on disk.
  std::vector<CacheMatch> lookup(const CacheKey &key, const CacheQuery &query);
  /// Merges one entry into the user's file. The entry is found by this process from now on, whatever the disk said; the
  /// status says whether it is on disk too (a failure was also given to `warn`, once).
  Status store(const CacheKey &key, CacheEntry entry);

  /// Every file of every root, sorted by root and path.
  std::vector<CacheListing> list();
  /// The files whose path, kernel or tuning key starts with or contains `name`, as text.
  Expected<std::string> show(const std::string &name);
  /// Merges a file, or all files of another root (`<path>/v1/...`), into the user's root.
  Expected<MergeReport> merge(const std::string &path);

  /// "v1/<hardware>/<kernel>-<12 digits>.toml"
  static std::string relativePath(const CacheKey &key);

private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_CONFIGURATIONCACHE_H
