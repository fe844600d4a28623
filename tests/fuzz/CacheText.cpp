//===- tests/fuzz/CacheText.cpp - configuration files and configurations --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Configuration.h"
#include "tests/fuzz/Fuzz.h"
#include "tuner/CacheEntry.h"

using namespace pantile;
using namespace pantile::tuner;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text = fuzz::view(data, size);
  if (auto configuration = Configuration::fromText(text)) {
    auto again = Configuration::fromText(configuration->toText());
    fuzz::require(again.isOk() && *again == *configuration, "a configuration survives its text");
  }
  auto file = parseCacheFile(text);
  if (!file) {
    fuzz::require(!file.status().text().empty(), "an error has a text");
    return 0;
  }
  const std::string printed = printCacheFile(*file);
  auto again = parseCacheFile(printed);
  fuzz::require(again.isOk(), "what is printed is read");
  fuzz::require(printCacheFile(*again) == printed, "printing is a fixed point");
  if (auto merged = mergeCacheFiles(*again, *again))
    fuzz::require(printCacheFile(*merged) == printed, "a merge with itself changes nothing");
  return 0;
}
