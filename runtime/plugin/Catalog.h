//===- runtime/plugin/Catalog.h - which plugins there are -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Looking runs nothing of a plugin: file names, owners, and manifests are read. A manifest `libpantile_<name>_<half>.manifest`
// lies beside its library and is written by the build (cmake/PluginManifest.cmake), a JSON object:
//
//   {"name": "cpu", "half": "device", "abi": "1.0", "sanitizer": "none", "checksum": "<SHA-256 of the library, hexadecimal>"}
//
// The helper program has one too (name "compiler_program", half "program"): a release has its compiler halves in it, named in
// "contains".
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_PLUGIN_CATALOG_H
#define PANTILE_RUNTIME_PLUGIN_CATALOG_H

#include "core/Status.h"

#include <string>
#include <vector>

namespace pantile {

struct Manifest {
  std::string name, half, checksum;
  uint32_t abiMajor = 0, abiMinor = 0, sanitizer = 0;
  std::vector<std::string> contains;
};
Expected<Manifest> readManifest(const std::string &path);

struct PluginFile {
  std::string name; ///< "cpu"
  std::string half; ///< "device", "compiler", "interpreter"
  std::string path; ///< of the library; for halves inside the helper program the program's
  Manifest manifest;
  bool builtIn = false; ///< inside the helper program
  Status problem;       ///< why it cannot be used
};

/// Everything in `folders` (absolute; an unusable folder is listed as one problem), sorted by name, first folder first. Of
/// two usable plugins of one name and half the first is used; the other is listed with that reason.
std::vector<PluginFile> findPlugins(const std::vector<std::string> &folders);
/// The usable one, or an error that says what was found and why it cannot be used.
Expected<PluginFile> findPlugin(const std::vector<PluginFile> &plugins, const std::string &name, const std::string &half);

/// SHA-256 of a file, hexadecimal.
Expected<std::string> checksumOfFile(const std::string &path);

} // namespace pantile

#endif // PANTILE_RUNTIME_PLUGIN_CATALOG_H
