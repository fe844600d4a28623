//===- cpu/compiler/Space.cpp - the CPU's configurations of a kernel -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Starts from portableSpace and gives every block symbol the domain and the default that caches and vectors want:
//
//   rows of a dot               64 (attention: 128), down to the matrix's own size
//   columns of a dot            as many as keep the sums in an eighth of the second cache; where rows are so few that the right
//                               operand is read in place, its whole rows; either way every thread has some
//   inner extent of a dot       256 (bf16, int8: 512), less where a block of the right operand would fill half of that cache
//   pack_b                      in place for very few rows, block by block where one program has all rows, else by columns
//   rows beside a full extent   as many as make some 1024 elements: passes alternate with the memory's prefetching
//   what a loop folds           4096
//   what vectors run along      4096 elements a program
//
// Programs that share a dot's columns follow each other (l2_groupings), so that packed panels serve them all.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/Compile.h"
#include "backends/cpu/compiler/codegen/DotForm.h"
#include "backends/cpu/compiler/lower/LowerKernel.h"
#include "ir/dialect/Parse.h"
#include "ir/emit/HostExpression.h"
#include "ir/specialize/Specialize.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <bit>

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

std::string number(int64_t value) { return std::to_string(value); }

/// What a kernel does with its block symbols.
struct Roles {
  llvm::StringMap<int64_t> rows, columns, inner; ///< of dots, with the symbol's factor
  llvm::StringMap<std::string> lengths;          ///< of the loops that step by a symbol
  llvm::StringMap<std::string> besideFull;       ///< length of the full extent in the same tile
  llvm::StringMap<unsigned> rank;                ///< of the widest tile a symbol appears in
  llvm::StringMap<bool> last, outer;             ///< whether it is the last dimension there (vectors run along it), or another
  llvm::StringSet<> looped;                      ///< symbols that a sequential loop steps by
  bool hasDot = false;
  bool chained = false;  ///< what one dot has as columns another sums over (attention)
  std::string rowLength; ///< of the first dot
  std::string columnLength;
  DotForm form{};
};

std::string symbolOf(RankedTensorType type, unsigned dim) {
  Dim entry = dimsOf(type)[dim];
  return entry.isConstant() ? "" : entry.symbol.getValue().str();
}

Roles rolesOf(KernelOp kernel, const CpuTarget &target) {
  Roles roles;
  llvm::StringMap<std::string> fulls;
  kernel.walk([&](Operation *op) {
    if (auto parallel = dyn_cast<ParallelOp>(op)) {
      for (auto [d, dim] : llvm::enumerate(parallel.getBlocks().getDims()))
        if (!dim.isConstant() && parallel.getLowers().empty())
          if (auto length = hostExpression(parallel.getUppers()[d])) roles.lengths.try_emplace(dim.symbol.getValue(), *length);
    } else if (auto loop = dyn_cast<LoopOp>(op)) {
      Dim dim = loop.getBlocks().getDims()[0];
      if (!dim.isConstant()) roles.looped.insert(dim.symbol.getValue());
      if (!dim.isConstant() && !loop.getLower())
        if (auto length = hostExpression(loop.getUpper())) roles.lengths.try_emplace(dim.symbol.getValue(), *length);
    } else if (isa<LoadOp, StoreOp>(op)) {
      Value view = isa<LoadOp>(op) ? cast<LoadOp>(op).getView() : cast<StoreOp>(op).getView();
      ArrayAttr kinds = isa<LoadOp>(op) ? cast<LoadOp>(op).getKinds() : cast<StoreOp>(op).getKinds();
      if (auto argument = dyn_cast<BlockArgument>(view))
        for (auto [d, kind] : llvm::enumerate(kinds))
          if (auto symbol = dyn_cast<FlatSymbolRefAttr>(kind))
            fulls.try_emplace(symbol.getValue(), "s" + number(argument.getArgNumber()) + "." + number(int64_t(d)));
    }
  });
  kernel.walk([&](Operation *op) {
    if (auto dot = dyn_cast<DotOp>(op)) {
      auto lhs = cast<RankedTensorType>(dot.getLhs().getType()), result = cast<RankedTensorType>(dot.getResult().getType());
      unsigned rank = unsigned(result.getRank());
      unsigned k = dot.getTransposeLhs() ? rank - 2 : rank - 1;
      auto note = [&](llvm::StringMap<int64_t> &role, RankedTensorType type, unsigned dim) {
        std::string symbol = symbolOf(type, dim);
        if (!symbol.empty()) role.try_emplace(symbol, dimsOf(type)[dim].factor);
        return symbol;
      };
      std::string row = note(roles.rows, result, rank - 2), column = note(roles.columns, result, rank - 1);
      note(roles.inner, lhs, k);
      if (!roles.hasDot) {
        if (auto found = roles.lengths.find(row); found != roles.lengths.end()) roles.rowLength = found->second;
        if (auto found = roles.lengths.find(column); found != roles.lengths.end()) roles.columnLength = found->second;
        auto element = [](Type type) {
          Type of = elementOf(type);
          return of.isF64()        ? DotElement::F64
                 : of.isBF16()     ? DotElement::BF16
                 : of.isF16()      ? DotElement::F16
                 : of.isInteger(8) ? DotElement::S8
                                   : DotElement::F32;
        };
        if (auto form = dotForm(element(dot.getLhs().getType()), element(dot.getRhs().getType()), target)) roles.form = *form;
      }
      roles.hasDot = true;
      return;
    }
    for (Type type : op->getResultTypes()) {
      if (!isTile(type)) continue;
      auto tile = cast<RankedTensorType>(type);
      unsigned rank = unsigned(tile.getRank());
      for (unsigned d = 0; d < rank; ++d) {
        std::string symbol = symbolOf(tile, d);
        if (symbol.empty()) continue;
        for (unsigned other = 0; other < rank; ++other)
          if (auto full = fulls.find(symbolOf(tile, other)); other != d && full != fulls.end())
            roles.besideFull.try_emplace(symbol, full->second);
        if (unsigned &widest = roles.rank[symbol]; rank > widest) {
          widest = rank;
          roles.last[symbol] = roles.outer[symbol] = false;
        }
        if (rank == roles.rank[symbol]) (d + 1 == rank ? roles.last : roles.outer)[symbol] = true;
      }
    }
  });
  for (auto &column : roles.columns) roles.chained |= roles.inner.contains(column.getKey());
  return roles;
}

/// What the cost model asks, as far as sizes say it: programs of the first phase, operations and live bytes of the first dot.
void addFeatures(SpaceDescription &space, KernelOp kernel, const Roles &roles) {
  auto nests = kernel.getBody().getOps<ParallelOp>();
  if (nests.empty()) return;
  std::string programs = "1", batches = "2";
  for (auto [d, dim] : llvm::enumerate((*nests.begin()).getBlocks().getDims())) {
    auto length = hostExpression((*nests.begin()).getUppers()[d]);
    if (!length) return;
    programs += " " + *length + " " + (dim.isConstant() ? number(dim.factor) : "c." + dim.symbol.getValue().str()) + " ceildiv *";
    if (dim.isConstant()) batches += " " + *length + " *";
  }
  space.features.push_back({"programs", programs});
  if (roles.rows.size() != 1 || roles.columns.size() != 1 || roles.inner.size() != 1 || roles.rowLength.empty() ||
      roles.columnLength.empty())
    return;
  auto inner = roles.inner.begin();
  auto length = roles.lengths.find(inner->getKey());
  if (length == roles.lengths.end()) return;
  std::string depth = length->second + " " + number(inner->second) + " *";
  space.features.push_back({"flops", batches + " " + roles.rowLength + " * " + roles.columnLength + " * " + depth + " *"});
  std::string m = "c." + roles.rows.begin()->getKey().str(), n = "c." + roles.columns.begin()->getKey().str();
  std::string k = "c." + inner->getKey().str() + " " + number(inner->second) + " *";
  int64_t bytes = dotElementBytes(roles.form.packedRhs);
  space.features.push_back({"live_bytes", m + " " + n + " * 4 * " + m + " " + k + " * " + number(bytes) + " * + " + n + " " + k + " * " +
                                              number(bytes) + " * +"});
}

/// Block extents are powers of two no larger than what the loop needs.
std::string fitted(const std::string &wanted, const std::string &length, int64_t lowest) {
  if (length.empty()) return wanted;
  return length + " 1 max pow2ceil " + wanted + " min " + number(lowest) + " max";
}

} // namespace

Expected<SpaceDescription> kernelSpace(const CompileRequest &request) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  loadDialects(context);
  PANTILE_ASSIGN(OwningOpRef<ModuleOp> module, parseKernel(context, request.ir));
  KernelOp kernel = kernelOf(*module);
  SpaceDescription space = portableSpace(kernel, request.facts);
  Roles roles = rolesOf(kernel, request.target);
  // Rows so few that packing the right operand costs more than it saves.
  std::string few = roles.rowLength.empty() ? "" : roles.rowLength + " 16 <=";

  // Loops unroll by vectors. (Programs are dealt out by the device half: no `pid_type` but flat.)
  llvm::erase_if(space.parameters,
                 [](const ParameterDescription &parameter) { return llvm::StringRef(parameter.name).starts_with("range_unroll_factors"); });
  bool bytes = roles.hasDot && roles.form.group == 4, pairs = roles.hasDot && roles.form.group == 2;
  // A right operand that streams by: whole rows for the memory's sake, enough blocks for every thread.
  std::string streamed = roles.columnLength.empty() ? "1024" : roles.columnLength + " d.threads ceildiv pow2ceil 4096 min";
  const std::string usualRows = roles.chained ? "128" : "64";
  std::string rowBlock = fitted(usualRows, roles.rowLength, 1);
  int64_t l2 = int64_t(std::bit_floor(uint64_t(std::max<int64_t>(request.target.l2Bytes, 256 << 10))));
  std::string columns = number(l2 / 32) + " " + rowBlock + " / 64 max 1024 min";
  if (!roles.columnLength.empty()) columns += " " + roles.columnLength + " d.threads ceildiv 1 max pow2ceil min";
  std::string columnBlock = fitted(columns, roles.columnLength, 16);
  auto innerExtent = [&](int64_t factor) {
    std::string usual = number(l2 / 2 / std::max<int64_t>(1, dotElementBytes(roles.form.packedRhs))) + " " + columnBlock + " / " +
                        number(bytes || pairs ? 512 : 256) + " min " + number(factor) + " / 1 max";
    return few.empty() ? usual : few + " " + number(std::max<int64_t>(1, 256 / factor)) + " " + usual + " select";
  };
  for (ParameterDescription &parameter : space.parameters) {
    llvm::StringRef name = parameter.name;
    std::string length;
    if (auto found = roles.lengths.find(name); found != roles.lengths.end()) length = found->second;
    auto set = [&](int64_t lowest, int64_t highest, const std::string &wanted) {
      parameter.values = {lowest, highest};
      parameter.defaultValue = fitted(wanted, length, lowest);
    };
    if (name.starts_with("l2_groupings")) {
      if (roles.hasDot) parameter.defaultValue = "64";
      continue;
    }
    if (parameter.kind != PANTILE_PARAMETER_POW2 || name.contains('.')) continue;
    if (auto inner = roles.inner.find(name); inner != roles.inner.end() && !roles.columns.contains(name)) {
      set(std::max<int64_t>(1, 16 / inner->second), std::max<int64_t>(1, 4096 / inner->second), innerExtent(inner->second));
    } else if (roles.columns.contains(name) && !roles.rows.contains(name)) {
      // Columns that another dot sums over (attention's keys) stay in cache.
      if (roles.inner.contains(name))
        set(16, 1024, "256");
      else
        set(16, 4096, few.empty() ? columns : few + " " + streamed + " " + columns + " select");
    } else if (roles.rows.contains(name)) {
      set(1, 512, usualRows);
    } else if (auto full = roles.besideFull.find(name); full != roles.besideFull.end()) {
      set(1, 256, "1024 " + full->second + " 1 max / 1 max pow2ceil");
    } else if (roles.looped.contains(name)) {
      // A loop over what a reduction folds: long runs of vectors.
      set(16, 16384, roles.last.lookup(name) ? "4096" : "16");
    } else if (roles.last.lookup(name) && roles.outer.lookup(name)) {
      // Transposed: small squares, so that both sides stay in the first cache.
      set(4, 256, "16");
    } else if (roles.last.lookup(name)) {
      set(16, 65536, roles.rank.lookup(name) == 1 ? "4096" : "1024");
    } else {
      set(1, 256, roles.rank.lookup(name) > 2 ? "8" : "4");
    }
  }

  auto add = [&](std::string name, pantile_parameter_kind kind, std::vector<int64_t> values, std::string usual) -> ParameterDescription & {
    ParameterDescription &parameter = space.parameters.emplace_back();
    parameter.name = std::move(name);
    parameter.kind = kind;
    parameter.values = std::move(values);
    parameter.defaultValue = std::move(usual);
    return parameter;
  };
  add("unroll", PANTILE_PARAMETER_ORDERED, {0, 1, 2, 4, 8}, "0");
  // Streaming pays where the output leaves the caches anyway.
  std::string touched = "0";
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (auto view = dyn_cast<ViewType>(argument.getType())) {
      std::string size = number(std::max<unsigned>(8, view.getElementType().getIntOrFloatBitWidth()) / 8);
      for (int64_t d = 0; d < view.getRank(); ++d) size += " s" + number(argument.getArgNumber()) + "." + number(d) + " *";
      touched += " " + size + " +";
    }
  if (!roles.hasDot) add("streaming_stores", PANTILE_PARAMETER_BOOL, {0, 1}, touched + " " + number(2 * request.target.l3Bytes) + " >");
  if (roles.hasDot) {
    add("mr", PANTILE_PARAMETER_ORDERED, {0, 1, 2, 4, 6, 8, 12, 14}, "0");
    add("nr", PANTILE_PARAMETER_ORDERED, {0, 16, 32, 48, 64}, "0");
    add("pack_b", PANTILE_PARAMETER_ORDERED, {CodeKnobs::InPlace, CodeKnobs::Block, CodeKnobs::Column},
        roles.rowLength.empty() ? number(CodeKnobs::Column)
                                : few + " " + number(CodeKnobs::InPlace) + " " + roles.rowLength + " " + rowBlock +
                                      " <= " + number(CodeKnobs::Block) + " " + number(CodeKnobs::Column) + " select select");
    int64_t lanes = std::max<unsigned>(1, roles.form.lanes);
    space.constraints.push_back({"c.mr c.nr " + number(lanes) + " / * c.nr " + number(lanes) + " / + 1 + " +
                                     number(request.target.registers) + " <= c.mr 0 == or c.nr 0 == or",
                                 "the register tile mr x nr must fit the vector registers"});
  }
  // Threads take programs from runs of their own; the device halves what is left among those that have none.
  ParameterDescription &tasks = add("chunk", PANTILE_PARAMETER_ORDERED, {0, 1, 2, 4, 8, 16, 32, 64, 128, 256}, "0");
  tasks.launchOnly = true;
  ParameterDescription &threads = add("num_threads", PANTILE_PARAMETER_INTEGER, {0, 1024}, "0");
  threads.launchOnly = true;

  space.features.push_back({"bytes", touched});
  addFeatures(space, kernel, roles);
  return space;
}

} // namespace pantile::cpu
