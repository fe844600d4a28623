//===- cpu/compiler/tests/KernelRun.h - compile, run, compare --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// On one thread, in this process:
//
//   KernelRun run("softmax", "bf16", {{"M", 7}, {"N", 131}});
//   EXPECT_EQ(run.compare(1e-2), "");
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_TESTS_KERNELRUN_H
#define PANTILE_CPU_TESTS_KERNELRUN_H

#include "backends/cpu/compiler/Compile.h"
#include "ir/interpret/tests/OracleRun.h"

namespace pantile::cpu {

using Layout = ViewLayout;

class KernelRun : public OracleRun {
public:
  KernelRun(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars = {},
            Layout layout = Layout::Dense, uint64_t seed = 1);
  /// From portable text.
  static KernelRun ofText(std::string text, const Sizes &sizes, const Scalars &scalars = {}, Layout layout = Layout::Dense);

  std::string target;
  /// All launches once, whole grids; after prepare.
  void launch();
  /// Of a worker, the largest of the launches.
  int64_t scratchBytes() const;
  CompileRequest request() const;

private:
  KernelRun();
  Expected<SpaceDescription> describeSpace() override { return kernelSpace(request()); }
  Expected<Artifact> build() override { return compileKernel(request()); }
  std::string load() override;
  std::string execute() override;

  char *scratchBase() { return scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64; }
  /// As a device half hands scratch to a worker's first task of a launch: the first 64 bytes are zero.
  void startScratch(const Launch &launch);
  using Entry = void (*)(const uint64_t *, int64_t, int64_t, void *);
  std::shared_ptr<void> library;
  std::vector<Entry> entries;
  Bytes scratch;
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_TESTS_KERNELRUN_H
