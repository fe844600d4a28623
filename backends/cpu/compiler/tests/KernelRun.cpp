//===- cpu/compiler/tests/KernelRun.cpp -----------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/tests/KernelRun.h"

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"

#include <algorithm>
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
  for (const Launch &launch : launches) {
    entries.push_back(object->function<void(const uint64_t *, int64_t, int64_t, void *)>(launch.entry.c_str()));
    if (!entries.back()) return "no entry " + launch.entry;
  }
  scratch.assign(size_t(scratchBytes()) + 128, char(0xa5));
  return "";
}

int64_t KernelRun::scratchBytes() const {
  int64_t most = 0;
  for (const Launch &launch : launches) most = std::max(most, launch.extras[0]);
  return most;
}

void KernelRun::startScratch(const Launch &launch) { std::memset(scratchBase(), 0, size_t(std::min<int64_t>(64, launch.extras[0]))); }

void KernelRun::launch() {
  for (size_t i = 0; i < launches.size(); ++i) {
    startScratch(launches[i]);
    entries[i](launches[i].slots.data(), 0, launches[i].grid, scratchBase());
  }
}

/// In three pieces: two of one worker, one of another, each worker with scratch and its guard poisoned.
std::string KernelRun::execute() {
  for (size_t i = 0; i < launches.size(); ++i) {
    const Launch &launch = launches[i];
    int64_t third = (launch.grid + 2) / 3, cuts[] = {0, std::min(third, launch.grid), std::min(2 * third, launch.grid), launch.grid};
    for (int piece = 0; piece < 3; ++piece) {
      if (piece != 1) {
        std::memset(scratch.data(), 0xff, scratch.size());
        startScratch(launch);
      }
      entries[i](launch.slots.data(), cuts[piece], cuts[piece + 1], scratchBase());
      for (const char *p = scratchBase() + launch.extras[0]; p < scratch.data() + scratch.size(); ++p)
        if (*p != char(0xff)) return fmt::format("{} bytes of scratch are too few", launch.extras[0]);
    }
  }
  return "";
}

} // namespace pantile::cpu
