//===- ir/specialize/Space.cpp - the knobs of specialize ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A block symbol's domain follows from the tiles it appears in: an extent of a dot, the last dimension of its largest tiles
// (what vectors run along), or an outer dimension (rows).
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pantile::specialization {

namespace {

struct Domain {
  int64_t lowest, highest, usual;
};

/// How a symbol is used, over all tiles of a kernel.
struct Use {
  bool inDot = false, last = false, besideFull = false;
  int64_t rank = 0;
};

Use useOf(tile::KernelOp kernel, const Symbols &symbols, llvm::StringRef symbol) {
  Use use;
  auto visit = [&](Type type, bool dot) {
    if (!tile::isTile(type)) return;
    auto dims = tile::dimsOf(cast<RankedTensorType>(type));
    auto isIt = [&](const tile::Dim &dim) { return !dim.isConstant() && dim.symbol.getValue() == symbol; };
    if (!llvm::any_of(dims, isIt)) return;
    use.inDot |= dot;
    for (const tile::Dim &dim : dims) use.besideFull |= !dim.isConstant() && symbols.fulls.contains(dim.symbol.getValue());
    int64_t rank = int64_t(dims.size());
    if (rank < use.rank) return;
    use.last = isIt(dims.back()) || (rank == use.rank && use.last);
    use.rank = rank;
  };
  kernel.walk([&](Operation *op) {
    bool dot = isa<tile::DotOp>(op);
    for (Type type : op->getResultTypes()) visit(type, dot);
    if (dot)
      for (Type type : op->getOperandTypes()) visit(type, true);
  });
  return use;
}

Domain domainOf(tile::KernelOp kernel, const Symbols &symbols, llvm::StringRef symbol) {
  Use use = useOf(kernel, symbols, symbol);
  if (use.inDot) return {8, 512, 64};
  if (use.last && use.rank == 1) return {64, 16384, 1024};
  if (use.last) return {16, 4096, 128};
  return {1, 128, use.besideFull ? 4 : 16};
}

/// A size as an expression of plugin.h, where it is arithmetic on sizes and scalars; else empty.
std::string expressionOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return isa<tile::KernelOp>(argument.getOwner()->getParentOp()) ? "a" + std::to_string(argument.getArgNumber()) : "";
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<tile::DimOp>(op)) {
    auto view = dyn_cast<BlockArgument>(dim.getView());
    return view ? "s" + std::to_string(view.getArgNumber()) + "." + std::to_string(dim.getDim()) : "";
  }
  llvm::StringRef name = op->getName().getStringRef();
  if (name == "arith.constant") {
    auto number = dyn_cast<IntegerAttr>(op->getAttr("value"));
    return number ? std::to_string(number.getInt()) : "";
  }
  if (name == "arith.index_cast") return expressionOf(op->getOperand(0));
  static const llvm::StringMap<const char *> binary{
      {"arith.addi", "+"},       {"arith.subi", "-"},    {"arith.muli", "*"},   {"arith.ceildivsi", "ceildiv"},
      {"arith.floordivsi", "/"}, {"arith.minsi", "min"}, {"arith.maxsi", "max"}};
  auto found = binary.find(name);
  if (found == binary.end()) return "";
  std::string a = expressionOf(op->getOperand(0)), b = expressionOf(op->getOperand(1));
  return a.empty() || b.empty() ? "" : a + " " + b + " " + found->second;
}

/// The length of the loop dimension that steps by a symbol.
std::string lengthOf(Operation *loop, llvm::StringRef symbol) {
  if (auto sequential = dyn_cast<tile::LoopOp>(loop)) return sequential.getLower() ? "" : expressionOf(sequential.getUpper());
  auto parallel = cast<tile::ParallelOp>(loop);
  for (auto [d, dim] : llvm::enumerate(parallel.getBlocks().getDims()))
    if (!dim.isConstant() && dim.symbol.getValue() == symbol)
      return parallel.getLowers().empty() ? expressionOf(parallel.getUppers()[d]) : "";
  return "";
}

} // namespace

int64_t blockExtent(tile::KernelOp kernel, const Symbols &symbols, llvm::StringRef symbol, const Configuration &configuration) {
  std::string_view name(symbol.data(), symbol.size());
  if (const Setting *setting = configuration.find(name); setting && std::holds_alternative<int64_t>(*setting))
    return std::get<int64_t>(*setting);
  return domainOf(kernel, symbols, symbol).usual;
}

} // namespace pantile::specialization

namespace pantile {

using namespace specialization;

SpaceDescription portableSpace(tile::KernelOp kernel, const Facts &facts, const SpecializeOptions &options) {
  SpaceDescription space;
  Symbols symbols = symbolsOf(kernel);
  auto add = [&](std::string name, pantile_parameter_kind kind, std::vector<int64_t> values, std::string usual) -> ParameterDescription & {
    ParameterDescription &parameter = space.parameters.emplace_back();
    parameter.name = std::move(name);
    parameter.kind = kind;
    parameter.values = std::move(values);
    parameter.defaultValue = std::move(usual);
    return parameter;
  };

  for (auto &[symbol, loops] : symbols.blocks) {
    Domain domain = domainOf(kernel, symbols, symbol);
    std::string usual = std::to_string(domain.usual), length = lengthOf(loops[0], symbol);
    if (!length.empty()) usual = length + " 1 max pow2ceil " + usual + " min " + std::to_string(domain.lowest) + " max";
    add(symbol.str(), PANTILE_PARAMETER_POW2, {domain.lowest, domain.highest}, usual);
  }
  unsigned nests = 0;
  std::string isPersistent; // whether any nest is
  for (auto nest : kernel.getBody().getOps<tile::ParallelOp>()) {
    std::string suffix = "." + std::to_string(nests++);
    size_t rank = nest.getUppers().size();
    bool flattens = options.flattens && canFlatten(nest).isOk();
    std::string unlessFlat = "c.flatten_loops" + suffix + " 0 ==";
    if (rank > 1) {
      ParameterDescription &order = add("loop_orders" + suffix, PANTILE_PARAMETER_PERMUTATION, {}, "0");
      order.length = uint32_t(rank);
      if (flattens) order.activeIf = unlessFlat;
    }
    if (flattens) add("flatten_loops" + suffix, PANTILE_PARAMETER_BOOL, {0, 1}, "0");
    std::vector<std::string> maps = programMaps(rank, options);
    auto is = [&](std::string_view map) {
      return "c.pid_type" + suffix + " " + std::to_string(std::find(maps.begin(), maps.end(), map) - maps.begin());
    };
    if (maps.size() > 1) {
      ParameterDescription &map = add("pid_type" + suffix, PANTILE_PARAMETER_ENUM, {}, "0");
      map.labels = maps;
      for (size_t i = 0; i < maps.size(); ++i) map.values.push_back(int64_t(i));
    }
    if (options.units > 0)
      isPersistent += (isPersistent.empty() ? "" : " ") + is("persistent_blocked") + (isPersistent.empty() ? " >=" : " >= or");
    if (rank > 1) {
      ParameterDescription &grouping = add("l2_groupings" + suffix, PANTILE_PARAMETER_POW2, {1, 64}, "1");
      if (llvm::is_contained(maps, "xyz")) grouping.activeIf = is("xyz") + " !=";
      if (flattens) grouping.activeIf = grouping.activeIf.empty() ? unlessFlat : grouping.activeIf + " " + unlessFlat + " and";
    }
  }
  if (!isPersistent.empty()) add("num_sm_multiplier", PANTILE_PARAMETER_POW2, {1, 16}, "1").activeIf = isPersistent;
  SmallVector<llvm::StringRef, 2> rollable;
  for (auto &[symbol, dimension] : symbols.fulls) {
    if (!canRoll(kernel, symbol).isOk()) continue;
    add("reduction_loops." + symbol.str(), PANTILE_PARAMETER_ORDERED, {0, 64, 128, 256, 512, 1024, 2048, 4096, 8192}, "0");
    for (llvm::StringRef other : rollable)
      if (!canRollBoth(kernel, symbol, other))
        space.constraints.push_back({"c.reduction_loops." + other.str() + " 0 == c.reduction_loops." + symbol.str() + " 0 == or",
                                     "@" + other.str() + " and @" + symbol.str() + " are not rolled both: an operation has both"});
    rollable.push_back(symbol);
  }
  if (loopToSplit(kernel)) add("split_k", PANTILE_PARAMETER_ORDERED, {1, 2, 3, 4, 6, 8, 16}, "1");
  unsigned loops = 0;
  kernel.walk<WalkOrder::PreOrder>(
      [&](tile::LoopOp) { add("range_unroll_factors." + std::to_string(loops++), PANTILE_PARAMETER_INTEGER, {0, 4}, "0"); });
  return space;
}

} // namespace pantile
