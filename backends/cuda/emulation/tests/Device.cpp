//===- cuda/emulation/tests/Device.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/tests/Device.h"

#include <gtest/gtest.h>
#include <sstream>

namespace pantile::cuda::emulation::tests {

std::string without(const std::string &text, const std::string &what, int which) {
  std::istringstream lines(text);
  std::string line, result;
  int found = 0;
  while (std::getline(lines, line)) {
    const bool hit = line.find(what) != line.npos && line.find("declare") == line.npos;
    if (hit && (which < 0 || found == which)) line.clear();
    found += hit;
    result += line + "\n";
  }
  EXPECT_GT(found, which < 0 ? 0 : which) << "nothing to leave out: " << what;
  return result;
}

std::string replaced(std::string text, const std::string &what, const std::string &by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << "nothing to replace: " << what;
  if (at != text.npos) text.replace(at, what.size(), by);
  return text;
}

} // namespace pantile::cuda::emulation::tests
