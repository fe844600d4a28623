//===- core/OwnedABI.h - C strings in and out of plugin.h's structs -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_OWNEDABI_H
#define PANTILE_CORE_OWNEDABI_H

#include <string>
#include <vector>

namespace pantile {

/// A text that a plugin may have left out.
inline std::string textOf(const char *text, const char *absent = "") { return text ? text : absent; }

/// Pointers to strings that stay where they are.
inline std::vector<const char *> pointersOf(const std::vector<std::string> &texts) {
  std::vector<const char *> pointers;
  for (const std::string &text : texts) pointers.push_back(text.c_str());
  return pointers;
}

} // namespace pantile

#endif // PANTILE_CORE_OWNEDABI_H
