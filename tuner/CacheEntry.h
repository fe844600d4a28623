//===- tuner/CacheEntry.h - one tuned shape, and files full of them -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A file of the configuration cache holds what is known of one kernel (one tuning key) on one class of hardware:
//
//   schema = 1
//   [hardware]
//   key = "emulated-a1"                      # the folder's name; hard: another class of hardware is never exact
//   units = 132                              # and whatever else the device says of itself
//   [kernel]
//   name = "gemm_bias"
//   sig = "b71e..."                          # the tuning key, all of it; hard
//   [[entry]]
//   shape = {K = 4096, M = 4096, N = 4096}
//   align = 16
//   regime = "cold"
//   config = {bk = 64, bm = 128, bn = 256, order = [1, 0]}
//   time = {baseline_us = 171.0, hi = 163.9, lo = 162.7, med_us = 163.2, n = 120}
//   alt = [{config = {...}, ratio = 1.012}]  # up to 3; feeds neighbouring shapes
//   prov = {codegen_abi = 7, space = "44d0...", compiler = "...", mode = "thorough", strategy = "model_rf", evals = 58, ...}
//
// `space`, `codegen_abi` and `compiler` are kept per entry, since a merged file may hold entries of several builds; in
// [kernel] they are read as the default of entries that lack them.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_CACHEENTRY_H
#define PANTILE_TUNER_CACHEENTRY_H

#include "core/Configuration.h"

#include <compare>
#include <map>

namespace pantile::tuner {

struct CacheTime {
  double median = 0, low = 0, high = 0, baseline = 0; ///< microseconds; 0: unknown
  int64_t samples = 0;
  auto operator<=>(const CacheTime &) const = default;
};

struct CacheAlternative {
  Configuration configuration;
  double ratio = 1;
  bool operator==(const CacheAlternative &) const = default;
};

struct Provenance {
  std::string mode, strategy, tool, compiler, driver, device, space;
  int64_t codegenABI = 0, evaluations = 0;
  double seconds = 0;
  std::string date; ///< "2026-09-10T10:11:12Z", UTC
  bool verified = false;
  bool operator==(const Provenance &) const = default;
};

struct CacheEntry {
  std::map<std::string, int64_t> shape; ///< names of `tile.sizes` (or "s0.1" where unnamed) -> sizes
  int64_t align = 0;                    ///< alignment class in bytes, 0: does not matter
  std::string facts;                    ///< what else must be equal (divisibility flags ...), the runtime's text
  std::string regime;                   ///< "cold", "warm"
  Configuration configuration;
  CacheTime time;
  std::vector<CacheAlternative> alternatives;
  Provenance provenance;
  bool operator==(const CacheEntry &) const = default;

  /// Equal for entries about the same call: shape, alignment class, facts, regime.
  std::string call() const;
  /// Equal for entries about the same call by the same build (space, code-generation ABI, compiler), of which a merge keeps
  /// one. Another build's entry does not compete: it may be stale, and must not hide a fresh one that is slower.
  std::string identity() const;
};

struct CacheFile {
  std::string hardware; ///< key
  std::map<std::string, Setting> hardwareFacts;
  std::string kernel, signature;
  std::vector<CacheEntry> entries; ///< sorted by identity, unique
  bool operator==(const CacheFile &) const = default;
};

/// Bounds on what is read from a file: it may come from anyone.
inline constexpr size_t kMaxCacheFileBytes = 8u << 20;
inline constexpr size_t kMaxCacheEntries = 20000;

/// PANTILE_DATA_ERROR with line and column for malformed TOML, an unknown schema, missing or ill-typed members, numbers that
/// are not finite or negative where that has no meaning, names or lists beyond the bounds.
Expected<CacheFile> parseCacheFile(std::string_view text);
/// The text of a file: entries and keys sorted, so equal files have equal text.
std::string printCacheFile(const CacheFile &file);

/// Whether `a` is to be kept rather than `b` (same identity): verified > faster > more samples > smaller text. Times are
/// compared in steps of 2 %: intervals that overlap or not are no total order, and without one merging would not be
/// commutative, associative and idempotent.
bool preferred(const CacheEntry &a, const CacheEntry &b);
/// Entries of both, one per identity. Both must be about the same hardware key
/// and signature (PANTILE_INVALID_ARGUMENT otherwise).
Expected<CacheFile> mergeCacheFiles(const CacheFile &a, const CacheFile &b);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_CACHEENTRY_H
