//===- ir/specialize/Specialize.cpp - the order of the passes -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Parse.h"
#include "ir/specialize/Passes.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace pantile {

using namespace specialization;

Expected<OwningOpRef<ModuleOp>> specialize(ModuleOp portable, const Facts &facts, const Configuration &configuration,
                                           const SpecializeOptions &options) {
  OwningOpRef<ModuleOp> module(portable.clone());
  for (auto kernel : module->getOps<tile::KernelOp>()) {
    if (kernel.isScheduled())
      return Status(PANTILE_INVALID_ARGUMENT, "@" + kernel.getSymName().str() + " is scheduled already")
          .withFix("specialize portable kernels only");
    if (!options.checks)
      kernel.walk([](Operation *op) {
        if (isa<tile::AssertOp, tile::PrintOp>(op)) op->erase();
      });
    auto bind = [&]() -> Status {
      PANTILE_RETURN_IF_ERROR(bindSymbols(kernel, facts, configuration, options));
      labelLoops(kernel, configuration);
      foldSizes(kernel, facts);
      PANTILE_RETURN_IF_ERROR(flattenNests(kernel, configuration, options));
      PANTILE_RETURN_IF_ERROR(rollExtents(kernel, configuration));
      PANTILE_RETURN_IF_ERROR(splitLoops(kernel, configuration));
      foldSizes(kernel, facts);
      PANTILE_RETURN_IF_ERROR(mapPrograms(kernel, configuration, options));
      if (options.clip == SpecializeOptions::Clip::Mask) clipByMask(kernel, facts);
      return {};
    };
    if (Status status = bind(); !status.isOk()) return std::move(status).in("specialize @" + kernel.getSymName().str());
    kernel->setAttr("scheduled", UnitAttr::get(kernel.getContext()));
  }

  tile::DiagnosticCollector diagnostics(*module->getContext());
  bool good = succeeded(verify(*module));
  if (good && options.canonicalize) {
    PassManager passes(module->getContext());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    good = succeeded(passes.run(*module));
  }
  if (!good) {
    Status status = diagnostics.status(PANTILE_INTERNAL);
    if (status.isOk()) status = Status(PANTILE_INTERNAL, "the scheduled kernel does not verify");
    return std::move(status).in("specialize");
  }
  return module;
}

} // namespace pantile
