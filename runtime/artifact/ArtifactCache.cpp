//===- runtime/artifact/ArtifactCache.cpp ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/artifact/ArtifactCache.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pantile {

namespace {

constexpr char kMagic[8] = {'P', 'T', 'L', 'E', 'N', 'T', 'R', 'Y'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kMaxEntryBytes = uint64_t(1) << 30, kMaxMemoryBytes = uint64_t(256) << 20;

struct EntryHeader {
  char magic[8];
  uint32_t version, kind;
  std::array<uint8_t, 32> key;
  uint64_t size, checksum;
};
static_assert(sizeof(EntryHeader) == 64);

uint64_t checksumOf(EntryHeader header, std::string_view payload) {
  header.checksum = checksum(payload);
  return checksum({reinterpret_cast<const char *>(&header), sizeof(header)});
}

std::string memoryKey(EntryKind kind, const Digest &key) {
  return std::string(1, char(kind)) + std::string(reinterpret_cast<const char *>(key.bytes.data()), key.bytes.size());
}

Status failure(const char *what) { return {PANTILE_IO_ERROR, fmt::format("{}: {}", what, systemError(errno))}; }

Status writeAll(int file, const void *data, size_t size) {
  auto *at = static_cast<const char *>(data);
  while (size) {
    ssize_t wrote = write(file, at, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return failure("write");
    at += wrote;
    size -= size_t(wrote);
  }
  return {};
}

bool isShard(const std::string &name) { return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == name.npos; }

} // namespace

ArtifactCache::ArtifactCache(std::string root, uint64_t maxBytes, Log &log) : root(std::move(root)), maxBytes(maxBytes), log(log) {}

Status ArtifactCache::openRoot() {
  if (opened) return {};
  opened = true;
  if (root.empty()) return {};
  PANTILE_ASSIGN(folder, openPrivateFolder(root));
  onDisk = writable = true;
  return {};
}

void ArtifactCache::warn(const Status &reason) {
  log.warnOnce(kCacheWarning, fmt::format("the cache '{}' cannot be written ({}); what is compiled and tuned is kept in memory only{}",
                                          root, reason.text(), reason.fix().empty() ? "" : ": " + reason.fix()));
}

Expected<Descriptor> ArtifactCache::openShard(const std::string &shard, bool make) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int number = openat(folder.get(), shard.c_str(), flags);
  if (number < 0 && errno == ENOENT && make) {
    if (mkdirat(folder.get(), shard.c_str(), 0700) && errno != EEXIST) return failure("mkdir");
    number = openat(folder.get(), shard.c_str(), flags);
  }
  if (number < 0) return failure("open");
  Descriptor opened(number);
  struct stat info;
  if (fstat(number, &info) || info.st_uid != geteuid() || (info.st_mode & 022))
    return Status(PANTILE_UNAVAILABLE, "a folder in it is not ours alone");
  return opened;
}

std::optional<std::string> ArtifactCache::get(EntryKind kind, const Digest &key) {
  std::lock_guard lock(mutex);
  if (Status status = openRoot(); !status.isOk()) warn(status);
  if (auto found = memory.find(memoryKey(kind, key)); found != memory.end()) {
    ++hits;
    return found->second;
  }
  auto miss = [&]() -> std::optional<std::string> {
    ++misses;
    return std::nullopt;
  };
  if (!onDisk) return miss();
  std::string hex = key.hex();
  auto shard = openShard(hex.substr(0, 2), false);
  if (!shard) return miss();
  std::string name = hex.substr(2);
  Descriptor file(openat(shard->get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info;
  if (!file.valid() || fstat(file.get(), &info)) return miss();
  auto bad = [&]() -> std::optional<std::string> {
    ++damaged;
    unlinkat(shard->get(), name.c_str(), 0);
    return miss();
  };
  if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022)) return miss();
  EntryHeader header;
  if (info.st_size < off_t(sizeof(header)) || uint64_t(info.st_size) > kMaxEntryBytes) return bad();
  std::string payload(size_t(info.st_size) - sizeof(header), '\0');
  auto readAll = [&](void *to, size_t size, off_t at) {
    size_t have = 0;
    while (have < size) {
      ssize_t got = pread(file.get(), static_cast<char *>(to) + have, size - have, at + off_t(have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      have += size_t(got);
    }
    return true;
  };
  if (!readAll(&header, sizeof(header), 0) || !readAll(payload.data(), payload.size(), sizeof(header))) return miss();
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) || header.version != kVersion || header.kind != uint32_t(kind) ||
      header.key != key.bytes || header.size != payload.size() || header.checksum != checksumOf(header, payload))
    return bad();
  // What is used stays: remember it, but write only now and then.
  if (time(nullptr) - info.st_mtime > 3600) futimens(file.get(), nullptr);
  ++hits;
  return payload;
}

Status ArtifactCache::store(EntryKind kind, const Digest &key, std::string_view payload) {
  std::string hex = key.hex();
  PANTILE_ASSIGN(Descriptor shard, openShard(hex.substr(0, 2), true));
  static std::atomic<uint64_t> counter{0};
  std::string temporary = fmt::format(".{}-{}-{}", getpid(), counter.fetch_add(1), hex.substr(2, 8));
  Descriptor file(openat(shard.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return failure("create");
  EntryHeader header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.kind = uint32_t(kind);
  header.key = key.bytes;
  header.size = payload.size();
  header.checksum = checksumOf(header, payload);
  Status status = writeAll(file.get(), &header, sizeof(header));
  if (status.isOk()) status = writeAll(file.get(), payload.data(), payload.size());
  // No fsync: an entry that a power failure tears is a miss by its checksum.
  if (status.isOk() && renameat(shard.get(), temporary.c_str(), shard.get(), hex.c_str() + 2)) status = failure("rename");
  if (!status.isOk()) unlinkat(shard.get(), temporary.c_str(), 0);
  return status;
}

void ArtifactCache::put(EntryKind kind, const Digest &key, std::string_view payload) {
  std::lock_guard lock(mutex);
  if (Status status = openRoot(); !status.isOk()) warn(status);
  if (onDisk && writable && payload.size() < kMaxEntryBytes - sizeof(EntryHeader)) {
    Status status = store(kind, key, payload);
    if (status.isOk()) {
      written += payload.size() + sizeof(EntryHeader);
      // Measured at the first store, then whenever a sixteenth of the bound was written.
      if (!measured || measuredBytes + written > maxBytes || written > maxBytes / 16) collect(maxBytes);
      return;
    }
    writable = false; // what is there can still be read
    warn(status);
  }
  if (payload.size() > kMaxMemoryBytes / 4) return;
  if (memoryBytes + payload.size() > kMaxMemoryBytes) memory.clear(), memoryBytes = 0;
  auto [at, fresh] = memory.insert_or_assign(memoryKey(kind, key), std::string(payload));
  if (fresh) memoryBytes += payload.size();
}

void ArtifactCache::remove(EntryKind kind, const Digest &key) {
  std::lock_guard lock(mutex);
  if (auto found = memory.find(memoryKey(kind, key)); found != memory.end()) {
    memoryBytes -= found->second.size();
    memory.erase(found);
  }
  if (!openRoot().isOk() || !onDisk) return;
  std::string hex = key.hex();
  if (auto shard = openShard(hex.substr(0, 2), false)) unlinkat(shard->get(), hex.c_str() + 2, 0);
}

void ArtifactCache::collect(uint64_t keep) {
  struct Item {
    int64_t used;
    uint64_t bytes;
    std::string shard, name;
  };
  std::vector<Item> items;
  uint64_t total = 0;
  const int64_t now = time(nullptr);
  for (const auto &shardName : namesIn(folder.get())) {
    if (!isShard(shardName)) continue;
    auto shard = openShard(shardName, false);
    if (!shard) continue;
    for (const auto &name : namesIn(shard->get())) {
      struct stat info;
      if (fstatat(shard->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode)) continue;
      if (name[0] == '.') { // what a killed process left behind
        if (now - info.st_mtime > 3600) unlinkat(shard->get(), name.c_str(), 0);
        continue;
      }
      total += uint64_t(info.st_size);
      items.push_back({info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, uint64_t(info.st_size), shardName, name});
    }
  }
  if (total > keep) {
    std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) { return a.used < b.used; });
    const uint64_t target = keep - keep / 8; // some room, so that not every store collects
    for (auto &item : items) {
      if (total <= target) break;
      auto shard = openShard(item.shard, false);
      if (shard && unlinkat(shard->get(), item.name.c_str(), 0) == 0) {
        total -= item.bytes;
        item.bytes = 0;
      }
    }
  }
  measuredEntries = size_t(std::count_if(items.begin(), items.end(), [](const Item &item) { return item.bytes != 0; }));
  measuredBytes = total;
  measured = true;
  written = 0;
}

ArtifactCache::Statistics ArtifactCache::statistics() {
  std::lock_guard lock(mutex);
  if (Status status = openRoot(); !status.isOk()) warn(status);
  if (onDisk) collect(maxBytes);
  return {measuredEntries + memory.size(), measuredBytes + memoryBytes, hits, misses, damaged, onDisk};
}

void ArtifactCache::clear() {
  std::lock_guard lock(mutex);
  memory.clear();
  memoryBytes = 0;
  if (openRoot().isOk() && onDisk) collect(0);
}

} // namespace pantile
