//===- tuner/tests/TemporaryFolder.h --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_TESTS_TEMPORARYFOLDER_H
#define PANTILE_TUNER_TESTS_TEMPORARYFOLDER_H

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace pantile::tuner {

/// A folder of one's own, 0700, removed with all that is in it. In memory where there is such a file system: thousands of
/// fsyncs on a busy disk take minutes.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = "/dev/shm/pantile-tuner-XXXXXX";
    if (!::mkdtemp(name.data())) {
      name = (std::filesystem::temp_directory_path() / "pantile-tuner-XXXXXX").string();
      if (!::mkdtemp(name.data())) std::abort();
    }
    folder = std::filesystem::canonical(name).string();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  const std::string &path() const { return folder; }
  std::vector<std::string> files() const {
    std::vector<std::string> result;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) result.push_back(entry.path().string());
    std::sort(result.begin(), result.end());
    return result;
  }

private:
  std::string folder;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_TESTS_TEMPORARYFOLDER_H
