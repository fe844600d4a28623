//===- runtime/artifact/ArtifactCache.h - content by its key, on disk -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// One file an entry, `<root>/<first 2 digits>/<other 62>`; its key is stored inside, with a checksum over all of it:
//
//   "PTLENTRY" | version u32 | kind u32 | key 32 bytes | payload size u64 | XXH3 of what precedes and of the payload u64 | payload
//
// Promises
//  - A reader sees a whole entry or none: temporary file, then rename. A damaged, swapped, truncated or foreign entry is a
//    miss (and is removed).
//  - Files are 0600 in folders 0700, opened without following links, and ours; never a shared temporary folder. Where that
//    cannot be had (read only, full, another's) entries live in this process's memory, with one warning.
//  - At most `maxBytes` on disk: the least recently used leave. At most 256 MiB in memory.
//
// Thread safe; several processes may share a root. The content is code: whoever may write the folder may run code as you.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_ARTIFACT_ARTIFACTCACHE_H
#define PANTILE_RUNTIME_ARTIFACT_ARTIFACTCACHE_H

#include "core/Hash.h"
#include "runtime/Log.h"
#include "runtime/Paths.h"

#include <map>
#include <mutex>

namespace pantile {

enum class EntryKind : uint32_t { Artifact = 1, Space = 2, Selection = 3 };

class ArtifactCache {
public:
  /// An empty root: memory only, without a warning.
  ArtifactCache(std::string root, uint64_t maxBytes, Log &log);

  std::optional<std::string> get(EntryKind kind, const Digest &key);
  void put(EntryKind kind, const Digest &key, std::string_view payload);
  void remove(EntryKind kind, const Digest &key);

  struct Statistics {
    uint64_t entries = 0, bytes = 0, hits = 0, misses = 0, damaged = 0;
    bool onDisk = false;
  };
  Statistics statistics();
  /// Removes every entry. For `pantile cache clear`.
  void clear();
  const std::string &path() const { return root; }

private:
  Status openRoot();
  Status store(EntryKind kind, const Digest &key, std::string_view payload);
  Expected<Descriptor> openShard(const std::string &shard, bool make);
  /// Removes the least recently used until `keep` bytes are left; counts what there is.
  void collect(uint64_t keep);
  void warn(const Status &reason);

  const std::string root;
  const uint64_t maxBytes;
  Log &log;
  std::mutex mutex;
  Descriptor folder;
  bool opened = false, onDisk = false, writable = false;
  uint64_t written = 0; ///< since the folder was last measured
  bool measured = false;
  uint64_t measuredBytes = 0, measuredEntries = 0;
  std::map<std::string, std::string> memory; ///< kind and key -> payload
  uint64_t memoryBytes = 0;
  uint64_t hits = 0, misses = 0, damaged = 0;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_ARTIFACT_ARTIFACTCACHE_H
