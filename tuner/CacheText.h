//===- tuner/CacheText.h - writing the pieces of a cache file -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_CACHETEXT_H
#define PANTILE_TUNER_CACHETEXT_H

#include "tuner/CacheEntry.h"

namespace pantile::tuner {

/// A TOML basic string; bytes that are not UTF-8 become '?'.
std::string quoted(std::string_view text);
/// Lines of one `[[entry]]`, without the header. Equal entries have equal text.
std::string printEntry(const CacheEntry &entry);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_CACHETEXT_H
