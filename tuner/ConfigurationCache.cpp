//===- tuner/ConfigurationCache.cpp - roots, lookups, stores --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/ConfigurationCache.h"

#include "core/Hash.h"
#include "tuner/CacheFolder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <mutex>
#include <set>
#include <sys/stat.h>

namespace pantile::tuner {
namespace {

constexpr size_t kBuildsKept = 4; // of one call, in the user's file

/// A name as part of a path: what is replaced is told apart by a checksum.
std::string fileName(std::string_view name) {
  std::string result;
  for (char c : name) {
    bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                (c == '.' && !result.empty() && result.back() != '.');
    result += good ? c : '_';
  }
  if (result != name || result.size() > 100 || result.empty())
    result = fmt::format("{}-{:08x}", result.substr(0, 80), uint32_t(checksum(name)));
  return result;
}

std::string inOneLine(const Status &status) { return status.text() + (status.fix().empty() ? "" : ": " + status.fix()); }

struct Loaded {
  FileStamp stamp;
  std::shared_ptr<const CacheFile> file; ///< null: not usable
  std::string problem;
};

std::string staleness(const CacheEntry &entry, const CacheQuery &query) {
  const Provenance &p = entry.provenance;
  if (query.codegenABI && p.codegenABI != query.codegenABI)
    return fmt::format("tuned for code generation {}, this is {}", p.codegenABI, query.codegenABI);
  if (!query.space.empty() && p.space != query.space)
    return fmt::format("tuned in space {}, this is {}", p.space.empty() ? "(none)" : p.space, query.space);
  if (!query.compiler.empty() && p.compiler != query.compiler)
    return fmt::format("tuned with compiler '{}', this is '{}'", p.compiler, query.compiler);
  return {};
}

/// Nothing where the shapes do not have the same names, or some dimension is too far away.
std::optional<double> distance(const CacheEntry &entry, const CacheQuery &query) {
  if (entry.shape.size() != query.shape.size()) return std::nullopt;
  double square = 0;
  for (auto a = entry.shape.begin(), b = query.shape.begin(); a != entry.shape.end(); ++a, ++b) {
    if (a->first != b->first) return std::nullopt;
    double octaves = std::log2(double(a->second) + 1) - std::log2(double(b->second) + 1);
    if (std::abs(octaves) > query.maxOctaves) return std::nullopt;
    square += octaves * octaves;
  }
  return std::sqrt(square);
}

/// std::stable_sort, whose buffer this compiler calls deprecated.
template <typename Less> void sortInOrder(std::vector<CacheMatch> &matches, Less less) {
  std::vector<size_t> order(matches.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (less(matches[a], matches[b])) return true;
    return !less(matches[b], matches[a]) && a < b;
  });
  std::vector<CacheMatch> sorted;
  for (size_t i : order) sorted.push_back(std::move(matches[i]));
  matches = std::move(sorted);
}

/// Old builds' entries go when there are many; the newest stay.
void forgetOldBuilds(CacheFile &file, const CacheEntry &newest) {
  std::vector<const CacheEntry *> same;
  std::string call = newest.call(), keep = newest.identity();
  for (const CacheEntry &entry : file.entries)
    if (entry.call() == call && entry.identity() != keep) same.push_back(&entry);
  if (same.size() < kBuildsKept) return;
  std::sort(same.begin(), same.end(), [](auto a, auto b) { return a->provenance.date > b->provenance.date; });
  std::set<std::string> gone;
  for (size_t i = kBuildsKept - 1; i < same.size(); ++i) gone.insert(same[i]->identity());
  std::erase_if(file.entries, [&](const CacheEntry &entry) { return gone.contains(entry.identity()); });
}

} // namespace

struct ConfigurationCache::Implementation {
  explicit Implementation(CacheOptions given) : options(std::move(given)) {
    for (const std::string &text : options.builtIn) {
      auto file = parseCacheFile(text);
      if (file)
        builtIn.push_back(std::make_shared<CacheFile>(*std::move(file)));
      else
        warnOnce("built-in configurations are damaged: " + file.status().text());
    }
  }

  void warnOnce(const std::string &text) {
    if (options.warn && warned.insert(text).second) options.warn(text);
  }

  /// The user's folder as a whole is of no use: said once, whatever finds it out first.
  void warnUser(const Status &status) {
    const auto &tell = options.warnUser ? options.warnUser : options.warn;
    if (!std::exchange(userWarned, true) && tell) tell(inOneLine(status) + "; tuned configurations are kept in memory only");
  }

  /// The parsed file, from memory while it has not changed.
  const Loaded &load(const std::string &root, CacheFolder::Trust trust, const std::string &hardware, const std::string &name) {
    std::string path = root + "/v1/" + hardware + "/" + name;
    Loaded &slot = loaded[path];
    auto unusable = [&](const Status &status) -> const Loaded & {
      slot = {};
      if (status.code() == PANTILE_NOT_FOUND) return slot;
      slot.problem = status.text();
      warnOnce(status.text() + "; it is left as it is and not used");
      return slot;
    };
    auto folder = CacheFolder::open(root, hardware, trust, false);
    if (!folder) {
      if (trust == CacheFolder::Trust::Anyone || folder.status().code() == PANTILE_NOT_FOUND) return unusable(folder.status());
      slot = {};
      slot.problem = folder.status().text();
      warnUser(folder.status());
      return slot;
    }
    auto stamp = folder->stamp(name);
    if (!stamp) return unusable(stamp.status());
    if (*stamp == slot.stamp && (slot.file || !slot.problem.empty())) return slot;
    FileStamp read;
    auto text = folder->read(name, kMaxCacheFileBytes, read);
    if (!text) return unusable(text.status());
    auto file = parseCacheFile(*text);
    if (!file) {
      unusable(Status(PANTILE_DATA_ERROR, fmt::format("'{}' {}", path, file.status().text())));
      slot.stamp = read;
      return slot;
    }
    slot = {read, std::make_shared<CacheFile>(*std::move(file)), {}};
    return slot;
  }

  /// Merges into the user's file; counts what changed. Without `mutex`: it may wait for another process.
  Status publish(const std::string &hardware, const std::string &name, const CacheFile &incoming, const CacheEntry *newest,
                 MergeReport *report) {
    if (options.user.empty()) return Status(PANTILE_IO_ERROR, "no user cache folder is known");
    PANTILE_ASSIGN(CacheFolder folder, CacheFolder::open(options.user, hardware, CacheFolder::Trust::User, true));
    PANTILE_ASSIGN(CacheFolder::Lock lock, folder.lock(options.lockSeconds));
    CacheFile merged = incoming;
    FileStamp stamp;
    auto text = folder.read(name, kMaxCacheFileBytes, stamp);
    if (!text && text.status().code() != PANTILE_NOT_FOUND) return std::move(text).status();
    std::string before = text ? *text : std::string();
    if (text) {
      auto present = parseCacheFile(before);
      std::string path = options.user + "/v1/" + hardware + "/" + name;
      if (!present)
        return Status(PANTILE_DATA_ERROR, fmt::format("'{}' {}", path, present.status().text())).withFix("repair it or move it away");
      auto both = mergeCacheFiles(*present, incoming);
      if (!both) return std::move(both).status().in(path);
      if (report)
        for (const CacheEntry &entry : incoming.entries) {
          auto same = [&](const CacheEntry &other) { return other.identity() == entry.identity(); };
          auto old = std::find_if(present->entries.begin(), present->entries.end(), same);
          auto now = std::find_if(both->entries.begin(), both->entries.end(), same);
          ++(old == present->entries.end() ? report->added : *old == *now ? report->kept : report->replaced);
        }
      merged = *std::move(both);
    } else if (report) {
      report->added += incoming.entries.size();
    }
    if (newest) forgetOldBuilds(merged, *newest);
    std::string after = printCacheFile(merged);
    if (after == before) return {};
    if (after.size() > kMaxCacheFileBytes || merged.entries.size() > kMaxCacheEntries)
      return Status(PANTILE_IO_ERROR, fmt::format("'{}/v1/{}/{}' would be larger than {} MiB or {} entries", options.user, hardware, name,
                                                  kMaxCacheFileBytes >> 20, kMaxCacheEntries))
          .withFix("remove entries from it, or the file");
    PANTILE_RETURN_IF_ERROR(folder.replace(name, after));
    if (++published % 64 == 1) folder.sweep();
    return {};
  }

  struct Root {
    std::string path;
    CacheFolder::Trust trust;
  };
  std::vector<Root> roots() const {
    std::vector<Root> result;
    for (const std::string &root : options.named) result.push_back({root, CacheFolder::Trust::Anyone});
    if (!options.user.empty()) result.push_back({options.user, CacheFolder::Trust::User});
    for (const std::string &root : options.system) result.push_back({root, CacheFolder::Trust::Anyone});
    return result;
  }

  CacheOptions options;
  std::mutex mutex;
  std::set<std::string> warned;
  std::map<std::string, Loaded> loaded;    ///< by path
  std::map<std::string, CacheFile> memory; ///< by relative path: what could not be written
  std::vector<std::shared_ptr<const CacheFile>> builtIn;
  std::atomic<uint64_t> published = 0;
  bool userWarned = false;
};

ConfigurationCache::ConfigurationCache(CacheOptions options) : implementation(std::make_unique<Implementation>(std::move(options))) {}
ConfigurationCache::~ConfigurationCache() = default;

std::string ConfigurationCache::relativePath(const CacheKey &key) {
  return fmt::format("v1/{}/{}-{}.toml", fileName(key.hardware), fileName(key.kernel), fileName(key.tuningKey).substr(0, 12));
}

std::vector<CacheMatch> ConfigurationCache::lookup(const CacheKey &key, const CacheQuery &query) {
  Implementation &state = *implementation;
  std::lock_guard guard(state.mutex);
  std::string relative = relativePath(key);
  size_t slash = relative.find('/', 3);
  std::string hardware = relative.substr(3, slash - 3), name = relative.substr(slash + 1);

  std::vector<CacheMatch> exact, near;
  auto collect = [&](const CacheFile &file, const std::string &origin) {
    // The name holds 12 digits only, and anyone may have put a file there.
    if (file.signature != key.tuningKey || file.hardware != key.hardware) return;
    for (const CacheEntry &entry : file.entries) {
      if (entry.align != query.align || entry.facts != query.facts || entry.regime != query.regime) continue;
      bool same = entry.shape == query.shape;
      std::optional<double> far = same ? std::optional(0.0) : distance(entry, query);
      if (far) (same ? exact : near).push_back({entry, same, *far, staleness(entry, query), origin});
    }
  };
  auto memory = [&] {
    if (auto found = state.memory.find(relative); found != state.memory.end()) collect(found->second, "memory");
  };
  bool seen = false;
  for (const Implementation::Root &root : state.roots()) {
    if (root.trust == CacheFolder::Trust::User) memory(), seen = true;
    const Loaded &found = state.load(root.path, root.trust, hardware, name);
    if (found.file) collect(*found.file, root.path + "/" + relative);
  }
  if (!seen) memory();
  for (const auto &file : state.builtIn) collect(*file, "built in");

  // Stable: the order of roots decides among equals. Stale ones: the newest build's first.
  sortInOrder(exact, [](const CacheMatch &a, const CacheMatch &b) {
    if (a.stale.empty() != b.stale.empty()) return a.stale.empty();
    if (a.stale.empty()) return false;
    return std::pair(a.entry.provenance.codegenABI, a.entry.provenance.date) >
           std::pair(b.entry.provenance.codegenABI, b.entry.provenance.date);
  });
  sortInOrder(near, [](const CacheMatch &a, const CacheMatch &b) {
    return a.distance != b.distance ? a.distance < b.distance : a.stale.empty() > b.stale.empty();
  });
  if (near.size() > query.neighbours) near.resize(query.neighbours);
  std::move(near.begin(), near.end(), std::back_inserter(exact));
  return exact;
}

Status ConfigurationCache::store(const CacheKey &key, CacheEntry entry) {
  Implementation &state = *implementation;
  if (entry.alternatives.size() > 3) entry.alternatives.resize(3);
  // What a text cannot hold is dropped here, so that what is stored is what will be read.
  CacheFile one{key.hardware, key.hardwareFacts, key.kernel, key.tuningKey, {entry}};
  PANTILE_ASSIGN(one, parseCacheFile(printCacheFile(one)));
  std::string relative = relativePath(key);
  size_t slash = relative.find('/', 3);
  Status status = state.publish(relative.substr(3, slash - 3), relative.substr(slash + 1), one, &one.entries.front(), nullptr);
  std::lock_guard guard(state.mutex);
  if (status.isOk()) {
    // On disk; an older copy in memory would hide it.
    if (auto found = state.memory.find(relative); found != state.memory.end()) {
      std::erase_if(found->second.entries, [&](const CacheEntry &other) { return other.identity() == one.entries.front().identity(); });
      if (found->second.entries.empty()) state.memory.erase(found);
    }
    return {};
  }
  auto [at, isNew] = state.memory.emplace(relative, one);
  if (!isNew)
    if (auto merged = mergeCacheFiles(at->second, one)) at->second = *std::move(merged);
  if (status.code() == PANTILE_DATA_ERROR)
    state.warnOnce(inOneLine(status) + "; the configuration just tuned is kept in memory only");
  else
    state.warnUser(status);
  return status;
}

std::vector<CacheListing> ConfigurationCache::list() {
  Implementation &state = *implementation;
  std::lock_guard guard(state.mutex);
  std::vector<CacheListing> result;
  for (const Implementation::Root &root : state.roots())
    for (const std::string &relative : listCacheFiles(root.path)) {
      size_t slash = relative.find('/');
      const Loaded &found = state.load(root.path, root.trust, relative.substr(0, slash), relative.substr(slash + 1));
      CacheListing listing;
      listing.path = root.path + "/v1/" + relative;
      listing.bytes = found.stamp.size;
      listing.problem = found.problem;
      if (found.file) {
        listing.hardware = found.file->hardware;
        listing.kernel = found.file->kernel;
        listing.signature = found.file->signature;
        listing.entries = found.file->entries.size();
      }
      result.push_back(std::move(listing));
    }
  return result;
}

Expected<std::string> ConfigurationCache::show(const std::string &name) {
  std::string result;
  for (const CacheListing &listing : list()) {
    if (listing.path.find(name) == std::string::npos && listing.kernel.find(name) == std::string::npos &&
        !listing.signature.starts_with(name))
      continue;
    std::lock_guard guard(implementation->mutex);
    const Loaded &found = implementation->loaded[listing.path];
    result +=
        fmt::format("# {}\n{}\n", listing.path, found.file ? printCacheFile(*found.file) : fmt::format("# not used: {}\n", found.problem));
  }
  if (result.empty())
    return Status(PANTILE_NOT_FOUND, fmt::format("no configuration file has '{}' in its path, kernel name or tuning key", name))
        .withFix("list them with `pantile cache list`");
  return result;
}

Expected<MergeReport> ConfigurationCache::merge(const std::string &path) {
  Implementation &state = *implementation;
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return Status(PANTILE_NOT_FOUND, fmt::format("'{}' does not exist or cannot be read", path));
  std::vector<std::string> files;
  if (S_ISDIR(info.st_mode)) {
    for (const std::string &relative : listCacheFiles(path)) files.push_back(path + "/v1/" + relative);
    if (files.empty())
      return Status(PANTILE_NOT_FOUND, fmt::format("'{}' holds no configuration files (v1/<hardware>/<kernel>.toml)", path));
  } else {
    files.push_back(path);
  }
  MergeReport report;
  for (const std::string &file : files) {
    auto problem = [&](const Status &status) { report.problems.push_back(fmt::format("'{}' {}", file, status.message())); };
    auto text = readRegularFile(file, kMaxCacheFileBytes);
    if (!text) {
      problem(text.status());
      continue;
    }
    auto parsed = parseCacheFile(*text);
    if (!parsed) {
      problem(parsed.status());
      continue;
    }
    CacheKey key{parsed->hardware, parsed->kernel, parsed->signature, {}};
    if (key.hardware.empty() || key.tuningKey.size() < 12) {
      problem(Status(PANTILE_DATA_ERROR, "names no hardware or tuning key"));
      continue;
    }
    std::string relative = relativePath(key);
    size_t slash = relative.find('/', 3);
    Status published = state.publish(relative.substr(3, slash - 3), relative.substr(slash + 1), *parsed, nullptr, &report);
    // The target's own trouble ends it; a damaged file in the way does not.
    if (published.code() == PANTILE_DATA_ERROR || published.code() == PANTILE_INVALID_ARGUMENT)
      problem(published);
    else if (!published.isOk())
      return published;
    else
      ++report.files;
  }
  return report;
}

} // namespace pantile::tuner
