//===- ir/simt/tests/SimtRun.h - lower, run on the test machine, compare ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_TESTS_SIMTRUN_H
#define PANTILE_IR_SIMT_TESTS_SIMTRUN_H

#include "ir/interpret/tests/OracleRun.h"
#include "ir/simt/tests/Machine.h"

namespace llvm::orc {
class LLJIT;
}

namespace pantile::simt {

class SimtRun : public OracleRun {
public:
  SimtRun(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars = {},
          ViewLayout layout = ViewLayout::Dense, bool atoms = true);
  ~SimtRun() override;

private:
  Expected<SpaceDescription> describeSpace() override;
  Expected<Artifact> build() override;
  std::string load() override;
  std::string execute() override;

  std::unique_ptr<SimtTarget> target;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<void (*)(const uint64_t *)> entries;
};

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_TESTS_SIMTRUN_H
