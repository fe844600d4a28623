//===- cpu/compiler/tests/KernelRun.cpp -----------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/tests/KernelRun.h"

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::cpu {

KernelRun::KernelRun() {
  target = "x86_64";
  for (const CpuTarget &candidate : allTargets())
    if (runsHere(candidate)) target = std::string(candidate.name);
}

KernelRun::KernelRun(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars, Layout layout,
                     uint64_t seed)
    : KernelRun() {
  readLibrary(name, options, sizes, scalars, layout, seed);
}

KernelRun KernelRun::ofText(std::string text, const Sizes &sizes, const Scalars &scalars, Layout layout) {
  KernelRun run;
  run.read(text, sizes, scalars, layout, 1);
  return run;
}

CompileRequest KernelRun::request() const {
  CompileRequest result{kernel.canonical, facts, settings, {}};
  result.target = *parseTarget(target);
  return result;
}

std::string KernelRun::load() {
  auto loaded = LoadedObject::load(artifact.code);
  if (!loaded) return loaded.status().message();
  auto object = std::make_shared<LoadedObject>(*std::move(loaded));
  library = object;
  entries.clear();
  int64_t most = 0;
  for (const Launch &launch : launches) {
    entries.push_back(object->function<void(const uint64_t *, int64_t, int64_t, void *)>(launch.entry.c_str()));
    if (!entries.back()) return "no entry " + launch.entry;
    most = std::max(most, launch.extras[0]);
  }
  scratch.assign(size_t(most) + 128, char(0xa5));
  return "";
}

void KernelRun::launch() {
  auto base = (reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64;
  for (size_t i = 0; i < launches.size(); ++i) entries[i](launches[i].slots.data(), 0, launches[i].grid, reinterpret_cast<void *>(base));
}

/// In two pieces, with scratch and its guard poisoned.
std::string KernelRun::execute() {
  auto base = (reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64;
  for (size_t i = 0; i < launches.size(); ++i) {
    const Launch &launch = launches[i];
    int64_t middle = launch.grid / 2;
    for (auto [begin, end] : {std::pair{int64_t(0), middle}, {middle, launch.grid}}) {
      std::memset(scratch.data(), 0xff, scratch.size());
      entries[i](launch.slots.data(), begin, end, reinterpret_cast<void *>(base));
      for (const char *p = reinterpret_cast<char *>(base) + launch.extras[0]; p < scratch.data() + scratch.size(); ++p)
        if (*p != char(0xff)) return fmt::format("{} bytes of scratch are too few", launch.extras[0]);
    }
  }
  return "";
}

} // namespace pantile::cpu
