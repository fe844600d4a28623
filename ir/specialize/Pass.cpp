//===- ir/specialize/Pass.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/Pass.h"
#include "ir/specialize/Specialize.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace pantile {

namespace {

struct SpecializePass : PassWrapper<SpecializePass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SpecializePass)
  SpecializePass() = default;
  SpecializePass(const SpecializePass &other) : PassWrapper(other) {}
  StringRef getArgument() const final { return "tile-specialize"; }
  StringRef getDescription() const final { return "Bind a portable kernel to a configuration"; }

  void runOnOperation() final {
    // The options' parser takes one pair of braces away.
    std::string text = configuration.getValue();
    if (!StringRef(text).starts_with("{")) text = "{" + text + "}";
    auto settings = Configuration::fromText(text);
    if (!settings) return fail(settings.status());
    SpecializeOptions options;
    options.dynamicFullExtents = !boundFullExtents;
    options.gridRank = int(gridRank);
    options.units = units;
    options.flattens = true;
    options.clip = mask ? SpecializeOptions::Clip::Mask : SpecializeOptions::Clip::Loop;
    auto scheduled = specialize(getOperation(), {}, *settings, options);
    if (!scheduled) return fail(scheduled.status());
    getOperation().getBodyRegion().takeBody((*scheduled)->getBodyRegion());
  }
  void fail(const Status &status) {
    getOperation().emitError() << status.message();
    signalPassFailure();
  }

  Option<std::string> configuration{*this, "configuration", llvm::cl::desc("settings, as a TOML inline table"), llvm::cl::init("{}")};
  Option<bool> boundFullExtents{*this, "bound-full-extents", llvm::cl::desc("full extents need a bound"), llvm::cl::init(false)};
  Option<unsigned> gridRank{*this, "grid-rank", llvm::cl::desc("dimensions of the target's grid"), llvm::cl::init(1)};
  Option<int64_t> units{*this, "units", llvm::cl::desc("the target's compute units, for persistent maps"), llvm::cl::init(0)};
  Option<bool> mask{*this, "mask", llvm::cl::desc("clip by masks"), llvm::cl::init(false)};
};

} // namespace

void registerSpecializePass() { PassRegistration<SpecializePass>(); }

} // namespace pantile
