//===- tuner/CacheEntry.cpp - which entry to keep, and merging ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/CacheEntry.h"

#include "tuner/CacheText.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <tuple>

namespace pantile::tuner {

std::string CacheEntry::call() const {
  std::string text;
  for (const auto &[name, size] : shape) text += fmt::format("{}={},", quoted(name), size);
  return text + fmt::format(";{};{};{}", align, quoted(facts), quoted(regime));
}

std::string CacheEntry::identity() const {
  return call() + fmt::format(";{};{};{}", quoted(provenance.space), provenance.codegenABI, quoted(provenance.compiler));
}

bool preferred(const CacheEntry &a, const CacheEntry &b) {
  auto rank = [](const CacheEntry &e) {
    // Not measured counts as slowest.
    double step = e.time.median > 0 ? std::floor(std::log(e.time.median) / std::log(1.02)) : std::numeric_limits<double>::infinity();
    return std::tuple(!e.provenance.verified, step, -e.time.samples);
  };
  auto ra = rank(a), rb = rank(b);
  if (ra != rb) return ra < rb;
  return printEntry(a) < printEntry(b);
}

Expected<CacheFile> mergeCacheFiles(const CacheFile &a, const CacheFile &b) {
  if (a.hardware != b.hardware)
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("configurations for '{}' and for '{}' are not merged: the hardware differs", a.hardware, b.hardware));
  if (a.signature != b.signature)
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("kernels '{}' and '{}' are not merged: their signatures differ", a.kernel, b.kernel));
  CacheFile result{a.hardware, {}, std::min(a.kernel, b.kernel), a.signature, {}};
  // Facts are for people; of two values of one name either would do, as long as it is always the same.
  result.hardwareFacts = a.hardwareFacts;
  for (const auto &[name, setting] : b.hardwareFacts) {
    auto [at, isNew] = result.hardwareFacts.emplace(name, setting);
    if (!isNew) at->second = std::min(at->second, setting);
  }
  std::map<std::string, const CacheEntry *> chosen;
  for (const CacheFile *file : {&a, &b})
    for (const CacheEntry &entry : file->entries) {
      auto [at, isNew] = chosen.emplace(entry.identity(), &entry);
      if (!isNew && preferred(entry, *at->second)) at->second = &entry;
    }
  for (const auto &[identity, entry] : chosen) result.entries.push_back(*entry);
  return result;
}

} // namespace pantile::tuner
