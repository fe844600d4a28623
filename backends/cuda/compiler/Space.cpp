//===- cuda/compiler/Space.cpp - a GPU's configurations of a kernel --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Starts from simtSpace and gives defaults that were measured on an H100 (tests/bench/RESULTS.md):
//
//   dots        blocks of 128 x 256 x 128 bytes on 8 warps, 4 stages, groups of 8 rows; smaller where the grid would leave
//               units idle. Chained dots (attention): 64 queries, 64 keys, 4 warps, 2 stages.
//   whole rows  one row a program; as many warps as give each thread 8 elements (16 where the row is rolled)
//   folded rows a block of 1024 elements by 4 warps, one row a program
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Compile.h"
#include "backends/cuda/compiler/NvvmTarget.h"
#include "ir/dialect/Parse.h"
#include "ir/emit/HostExpression.h"
#include "ir/simt/LowerSimt.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <fmt/format.h>

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cuda {

namespace {

/// What a kernel does with its block symbols.
struct Roles {
  llvm::StringSet<> rows, columns, inner, looped;
  llvm::StringSet<> scaled;             ///< extents that are a multiple of their symbol
  llvm::StringMap<std::string> lengths; ///< of what a symbol steps along, as expressions
  std::string rowLength, columnLength;  ///< of the first dot
  std::string fullLength;               ///< of the first full extent, else of the first loop that folds
  int64_t elementBytes = 2;             ///< of the first dot's operands
  bool hasDot = false, chained = false, loops = false;
};

std::string symbolOf(Type type, unsigned fromLast) {
  auto tile = cast<RankedTensorType>(type);
  if (unsigned(tile.getRank()) <= fromLast) return "";
  Dim dim = dimsOf(tile)[unsigned(tile.getRank()) - 1 - fromLast];
  return dim.isConstant() ? "" : dim.symbol.getValue().str();
}

Roles rolesOf(KernelOp kernel) {
  Roles roles;
  kernel.walk([&](Operation *op) {
    if (auto parallel = dyn_cast<ParallelOp>(op)) {
      for (auto [d, dim] : llvm::enumerate(parallel.getBlocks().getDims()))
        if (!dim.isConstant() && parallel.getLowers().empty())
          if (auto length = hostExpression(parallel.getUppers()[d])) roles.lengths.try_emplace(dim.symbol.getValue(), *length);
    } else if (auto loop = dyn_cast<LoopOp>(op)) {
      Dim dim = loop.getBlocks().getDims()[0];
      roles.loops = true;
      if (dim.isConstant()) return;
      roles.looped.insert(dim.symbol.getValue());
      if (!loop.getLower())
        if (auto length = hostExpression(loop.getUpper())) roles.lengths.try_emplace(dim.symbol.getValue(), *length);
    } else if (auto load = dyn_cast<LoadOp>(op)) {
      auto argument = dyn_cast<BlockArgument>(load.getView());
      if (!argument || !roles.fullLength.empty()) return;
      for (auto [d, kind] : llvm::enumerate(load.getKinds()))
        if (isa<FlatSymbolRefAttr>(kind)) roles.fullLength = fmt::format("s{}.{}", argument.getArgNumber(), d);
    }
  });
  kernel.walk([&](DotOp dot) {
    std::string row = symbolOf(dot.getResult().getType(), 1), column = symbolOf(dot.getResult().getType(), 0);
    std::string inner = symbolOf(dot.getLhs().getType(), dot.getTransposeLhs() ? 1 : 0);
    for (const Dim &dim : dimsOf(cast<RankedTensorType>(dot.getLhs().getType())))
      if (!dim.isConstant() && dim.factor > 1) roles.scaled.insert(dim.symbol.getValue());
    if (!row.empty()) roles.rows.insert(row);
    if (!column.empty()) roles.columns.insert(column);
    if (!inner.empty()) roles.inner.insert(inner);
    if (!roles.hasDot) {
      roles.rowLength = roles.lengths.lookup(row), roles.columnLength = roles.lengths.lookup(column);
      roles.elementBytes = std::max<int64_t>(1, elementOf(dot.getLhs().getType()).getIntOrFloatBitWidth() / 8);
    }
    roles.hasDot = true;
  });
  for (auto &column : roles.columns) roles.chained |= roles.inner.contains(column.getKey());
  return roles;
}

/// A power of two no larger than what the loop needs.
std::string fitted(const std::string &wanted, const std::string &length) {
  return length.empty() ? wanted : length + " 1 max pow2ceil " + wanted + " min";
}

void setDotDefaults(SpaceDescription &space, const Roles &roles, const Target &target) {
  // Rows of 128 bytes and 16 of padding; as many stages as there is room for.
  const int64_t shared = target.row->sharedBlock, wide = shared >= 4 * (128 + 256) * 144 ? 256 : 128;
  const int64_t stages = std::clamp<int64_t>(shared / ((128 + wide) * 144), 1, 4), depth = 128 / roles.elementBytes;
  // Whether blocks of 128 x wide give half of the units one.
  std::string many = roles.rowLength.empty() || roles.columnLength.empty()
                         ? "1"
                         : fmt::format("{} 128 ceildiv {} {} ceildiv * {} >=", roles.rowLength, roles.columnLength, wide, target.units / 2);
  for (ParameterDescription &parameter : space.parameters) {
    llvm::StringRef name = parameter.name;
    const std::string length = roles.lengths.lookup(name);
    if (name == "num_warps") {
      parameter.defaultValue = roles.chained || wide == 128 ? "4" : many + " 8 4 select";
    } else if (name == "num_stages") {
      parameter.defaultValue = fmt::format("{}", roles.chained ? std::min<int64_t>(2, stages) : stages);
    } else if (name.starts_with("l2_groupings")) {
      if (!roles.chained) parameter.defaultValue = "8";
    } else if (parameter.kind != PANTILE_PARAMETER_POW2 || name.contains('.')) {
      continue;
    } else if (roles.chained && (roles.rows.contains(name) || roles.columns.contains(name))) {
      parameter.defaultValue = fitted("64", length) + " 16 max";
    } else if (roles.rows.contains(name)) {
      parameter.defaultValue = fitted(many + " 128 64 select", length) + " 16 max";
    } else if (roles.columns.contains(name)) {
      parameter.defaultValue = fitted(fmt::format("{} {} 64 select", many, wide), length) + " 16 max";
    } else if (roles.inner.contains(name) && !roles.scaled.contains(name)) {
      parameter.defaultValue = fmt::format("{}", depth);
    }
  }
}

void setRowDefaults(SpaceDescription &space, const Roles &roles) {
  const bool whole = !roles.fullLength.empty();
  for (ParameterDescription &parameter : space.parameters) {
    llvm::StringRef name = parameter.name;
    if (name == "num_warps") {
      parameter.defaultValue = whole         ? fmt::format("{0} 16384 > 16 {0} 256 ceildiv 1 max pow2ceil 32 min select", roles.fullLength)
                               : roles.loops ? "4"
                                             : "0";
    } else if (parameter.kind == PANTILE_PARAMETER_POW2 && !name.contains('.')) {
      const bool steps = roles.lengths.contains(name);
      if (roles.looped.contains(name))
        parameter.defaultValue = fitted("1024", roles.lengths.lookup(name));
      else if (steps && (whole || roles.loops))
        parameter.defaultValue = "1";
    }
  }
}

} // namespace

Expected<SpaceDescription> kernelSpace(const CompileRequest &request) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  loadDialects(context);
  PANTILE_ASSIGN(auto module, parseKernel(context, request.ir));
  KernelOp kernel = kernelOf(*module);
  auto target = createNvvmTarget(request.target);
  SpaceDescription space = simt::simtSpace(kernel, request.facts, *target);
  const Roles roles = rolesOf(kernel);
  // Wider elements go by multiply-adds or small atoms: simtSpace's blocks suit those.
  if (roles.hasDot && roles.elementBytes <= 2)
    setDotDefaults(space, roles, request.target);
  else if (!roles.hasDot && (!roles.fullLength.empty() || roles.loops))
    setRowDefaults(space, roles);
  return space;
}

} // namespace pantile::cuda
