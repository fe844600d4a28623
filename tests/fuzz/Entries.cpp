//===- tests/fuzz/Entries.cpp - files of the artifact cache, manifests ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The input lies where an entry should be, and where a plugin's manifest should be.
//
//===----------------------------------------------------------------------===//

#include "runtime/artifact/ArtifactCache.h"
#include "runtime/plugin/Catalog.h"
#include "tests/fuzz/Fuzz.h"

#include <filesystem>
#include <fstream>

using namespace pantile;
namespace fs = std::filesystem;

namespace {

struct Place {
  Place() {
    std::string pattern = fs::current_path() / "fuzz-entries-XXXXXX";
    fuzz::require(mkdtemp(pattern.data()), "a folder can be made here");
    root = pattern;
    key = digestOf("a key");
    const std::string hex = key.hex();
    fs::create_directories(root + "/" + hex.substr(0, 2));
    fs::permissions(root + "/" + hex.substr(0, 2), fs::perms::owner_all);
    entry = root + "/" + hex.substr(0, 2) + "/" + hex.substr(2);
    manifest = root + "/libpantile_x_device.manifest";
  }
  ~Place() { fs::remove_all(root); }
  std::string root, entry, manifest;
  Digest key;
};

void write(const std::string &path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), std::streamsize(bytes.size()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Place place;
  static Log log(PANTILE_LOG_OFF, nullptr, nullptr);
  const std::string_view bytes = fuzz::view(data, size);
  write(place.manifest, bytes);
  (void)readManifest(place.manifest);
  write(place.entry, bytes);
  ArtifactCache cache(place.root, 1 << 20, log);
  if (auto payload = cache.get(EntryKind::Artifact, place.key)) fuzz::require(payload->size() < size, "a payload is part of its entry");
  return 0;
}
