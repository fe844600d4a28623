//===- tuner/tests/Entries.h - entries for tests of the cache -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_TESTS_ENTRIES_H
#define PANTILE_TUNER_TESTS_ENTRIES_H

#include "tuner/ConfigurationCache.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace pantile::tuner {

inline CacheEntry makeEntry(std::map<std::string, int64_t> shape, const std::string &configuration, double median) {
  CacheEntry entry;
  entry.shape = std::move(shape);
  auto parsed = Configuration::fromText(configuration);
  if (!parsed) std::abort();
  entry.configuration = *parsed;
  entry.time.median = median;
  return entry;
}

inline CacheKey makeKey(const std::string &kernel, unsigned number) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%012x", number);
  return {"emulated-a1", kernel, std::string(digits) + "00112233445566778899", {{"units", int64_t(4)}}};
}

inline std::string readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}
inline void writeFile(const std::string &path, std::string_view text) { std::ofstream(path, std::ios::binary | std::ios::trunc) << text; }

} // namespace pantile::tuner

#endif // PANTILE_TUNER_TESTS_ENTRIES_H
