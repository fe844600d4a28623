//===- backends/interpreter/Plugin.cpp - the interpreter's table ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/common/Message.h"
#include "core/Artifact.h"
#include "core/InterpreterABI.h"
#include "core/Sanitizer.h"
#include "ir/dialect/Parse.h"
#include "ir/interpret/Interpret.h"
#include "ir/specialize/Specialize.h"

#include <cstring>

using namespace pantile;

namespace {

HostArgument argumentOf(const pantile_interpret_argument &from) {
  if (from.rank < 0) return HostScalar{from.scalar};
  HostView view;
  view.data = from.data;
  view.dtype = DType(from.dtype);
  view.sizes.assign(from.sizes, from.sizes + from.rank);
  view.strides.assign(from.strides, from.strides + from.rank);
  view.low = from.low;
  view.high = from.high;
  return view;
}

/// Block extents decide nothing but the order of sums and the speed: few programs of many elements are fastest.
Configuration largeBlocks(mlir::ModuleOp module) {
  Configuration blocks;
  auto add = [&](tile::DimsAttr dims) {
    for (tile::Dim dim : dims.getDims())
      if (!dim.isConstant()) blocks.set(dim.symbol.getValue().str(), 64);
  };
  module->walk([&](tile::ParallelOp op) { add(op.getBlocks()); });
  module->walk([&](tile::LoopOp op) { add(op.getBlocks()); });
  return blocks;
}

Status run(const pantile_interpret_request &request) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  PANTILE_ASSIGN(auto module, tile::parseKernel(context, {request.ir, request.ir_size}));
  if (request.configuration) {
    Facts facts;
    facts.arguments.assign(request.facts->arguments, request.facts->arguments + request.facts->argument_count);
    SpecializeOptions anything;
    anything.gridRank = 3;
    anything.units = 4;
    anything.flattens = true;
    anything.checks = true;
    PANTILE_ASSIGN(module, specialize(*module, facts, Configuration::fromABI(*request.configuration), anything));
  }
  std::vector<HostArgument> arguments;
  for (uint32_t i = 0; i < request.argument_count; ++i) arguments.push_back(argumentOf(request.arguments[i]));
  InterpretOptions options;
  options.samples = request.sampled_blocks;
  options.seed = request.seed;
  if (!request.configuration) options.blocks = largeBlocks(*module);
  return interpret(*module, arguments, options);
}

int32_t interpretRequest(const pantile_interpret_request *request, pantile_message **error) {
  try {
    return report(run(*request), error);
  } catch (const std::bad_alloc &) { return report({PANTILE_OUT_OF_MEMORY, "the interpreter is out of memory"}, error); }
}

constexpr pantile_interpreter_interface kInterface = {sizeof(pantile_interpreter_interface), 0, interpretRequest};

constexpr pantile_plugin kPlugin = {sizeof(pantile_plugin),
                                    PANTILE_ABI_MAJOR,
                                    PANTILE_ABI_MINOR,
                                    "interpreter",
                                    "interpreter-1",
                                    kSanitizer,
                                    {},
                                    [](const pantile_plugin *, const char *name) -> const void * {
                                      return std::strcmp(name, PANTILE_INTERFACE_INTERPRETER) == 0 ? &kInterface : nullptr;
                                    }};

} // namespace

extern "C" __attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *, uint32_t maxABI) {
  return maxABI >> 16 == PANTILE_ABI_MAJOR ? &kPlugin : nullptr;
}
