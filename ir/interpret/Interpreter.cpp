//===- ir/interpret/Interpreter.cpp - control flow and dispatch -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/Interpreter.h"
#include "ir/interpret/Elementwise.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

#include <random>
#include <set>

using namespace mlir;

namespace pantile::interpreter {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Tile::Tile(DType dtype, ArrayRef<int64_t> extents) : dtype(dtype), extents(extents) {
  size_t count = size_t(product(extents));
  if (isFloat())
    floats.resize(count);
  else
    integers.resize(count);
}

TilePtr integerScalar(int64_t value, DType dtype) {
  auto result = std::make_shared<Tile>(dtype, ArrayRef<int64_t>());
  result->integers[0] = value;
  return result;
}

DType dtypeOf(Type type) {
  type = tile::elementOf(type);
  if (type.isIndex()) return PANTILE_INDEX;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    switch (integer.getWidth()) {
    case 1:
      return PANTILE_I1;
    case 4:
      return PANTILE_I4;
    case 8:
      return PANTILE_I8;
    case 16:
      return PANTILE_I16;
    case 32:
      return PANTILE_I32;
    default:
      return PANTILE_I64;
    }
  }
  if (isa<Float16Type>(type)) return PANTILE_F16;
  if (isa<BFloat16Type>(type)) return PANTILE_BF16;
  if (isa<Float64Type>(type)) return PANTILE_F64;
  if (isa<Float8E4M3FNType>(type)) return PANTILE_F8E4M3FN;
  if (isa<Float8E5M2Type>(type)) return PANTILE_F8E5M2;
  if (isa<Float8E4M3FNUZType>(type)) return PANTILE_F8E4M3FNUZ;
  if (isa<Float8E5M2FNUZType>(type)) return PANTILE_F8E5M2FNUZ;
  if (isa<Float4E2M1FNType>(type)) return PANTILE_F4E2M1FN;
  return PANTILE_F32;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

Status at(Operation *op, Status status) {
  std::string where;
  if (auto line = op->getLoc()->findInstanceOf<FileLineColLoc>()) {
    where = line.getFilename().str() + ":" + std::to_string(line.getLine()) + ":" + std::to_string(line.getColumn()) + ": ";
  }
  return std::move(status).in(where + op->getName().getStringRef().str());
}

Status errorAt(Operation *op, std::string text) { return at(op, Status(PANTILE_INVALID_ARGUMENT, std::move(text))); }

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

const llvm::StringMap<Interpreter::Handler> &Interpreter::handlers() {
  static const llvm::StringMap<Handler> table{{"tile.parallel", &Interpreter::parallel},   {"tile.grid", &Interpreter::grid},
                                              {"tile.loop", &Interpreter::loop},           {"scf.if", &Interpreter::scfIf},
                                              {"scf.for", &Interpreter::scfFor},           {"tile.dim", &Interpreter::dim},
                                              {"tile.workspace", &Interpreter::workspace}, {"tile.load", &Interpreter::load},
                                              {"tile.store", &Interpreter::store},         {"tile.gather", &Interpreter::gather},
                                              {"tile.scatter", &Interpreter::scatter},     {"tile.atomic_rmw", &Interpreter::atomic},
                                              {"tile.pack", &Interpreter::pack},           {"tile.begin", &Interpreter::rangeQuery},
                                              {"tile.end", &Interpreter::rangeQuery},      {"tile.id", &Interpreter::rangeQuery},
                                              {"tile.index", &Interpreter::rangeQuery},    {"tile.shift", &Interpreter::rangeQuery},
                                              {"tile.scale", &Interpreter::rangeQuery},    {"tile.make_range", &Interpreter::makeRange},
                                              {"tile.assume", &Interpreter::assume},       {"tile.assert", &Interpreter::assertion},
                                              {"tile.print", &Interpreter::print},         {"tile.topk", &Interpreter::topk},
                                              {"arith.constant", &Interpreter::constant},  {"tile.splat", &Interpreter::shape},
                                              {"tile.iota", &Interpreter::shape},          {"tile.broadcast", &Interpreter::shape},
                                              {"tile.transpose", &Interpreter::shape},     {"tile.reshape", &Interpreter::shape},
                                              {"tile.cat", &Interpreter::shape},           {"tile.join", &Interpreter::shape},
                                              {"tile.split", &Interpreter::split},         {"tile.cast", &Interpreter::cast},
                                              {"tile.random", &Interpreter::random},       {"tile.dot", &Interpreter::dot},
                                              {"tile.reduce", &Interpreter::reduce},       {"tile.scan", &Interpreter::scan}};
  return table;
}

Status Interpreter::runOperation(Operation *op) {
  Handler &handler = dispatch[op->getName().getAsOpaquePointer()];
  if (!handler) {
    llvm::StringRef name = op->getName().getStringRef();
    handler = handlers().lookup(name);
    if (!handler && isElementwise(name)) handler = &Interpreter::elementwise;
    if (!handler) return errorAt(op, "is no operation of kernels").withFix("use the operations that ir/README.md lists");
  }
  Handler run = handler; // `dispatch` may grow meanwhile
  return (this->*run)(op);
}

Status Interpreter::runBlock(Block &block) {
  for (Operation &op : block.without_terminator()) PANTILE_RETURN_IF_ERROR(runOperation(&op));
  return {};
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

std::vector<int64_t> Interpreter::programsOf(Operation *op, ArrayRef<int64_t> counts) {
  int64_t total = product(counts);
  std::vector<int64_t> all;
  // Later phases and atomics need what all programs do.
  bool isLast = !op->getNextNode() || op->getNextNode()->hasTrait<OpTrait::IsTerminator>();
  isLast &= !op->walk([](tile::AtomicRMWOp) { return WalkResult::interrupt(); }).wasInterrupted();
  int64_t classes = 1;
  for (int64_t count : counts) classes *= std::min<int64_t>(count, 3);
  if (options.samples == 0 || !isLast || total <= classes + int64_t(options.samples)) {
    all.resize(size_t(total));
    for (int64_t i = 0; i < total; ++i) all[size_t(i)] = i;
    return all;
  }
  // Of each dimension the first, some inner, and the last block, in every combination; then random programs.
  std::mt19937_64 random(options.seed);
  std::set<int64_t> chosen;
  for (int64_t one = 0; one < classes; ++one) {
    int64_t program = 0, rest = one;
    for (int64_t count : counts) {
      int64_t kinds = std::min<int64_t>(count, 3), kind = rest % kinds;
      rest /= kinds;
      int64_t block = kind == 0 ? 0 : kind == 1 ? count - 1 : 1 + int64_t(random() % uint64_t(count - 2));
      program = program * count + block;
    }
    chosen.insert(program);
  }
  for (uint64_t i = 0; i < options.samples; ++i) chosen.insert(int64_t(random() % uint64_t(total)));
  if (options.report) options.report->sampled = true;
  return {chosen.begin(), chosen.end()};
}

Status Interpreter::parallel(Operation *op) {
  auto parallel = llvm::cast<tile::ParallelOp>(op);
  PANTILE_RETURN_IF_ERROR(bindFullExtents(parallel.getBody()));
  Block &body = parallel.getBody().front();
  Sizes lowers, uppers, extents, counts;
  for (auto [d, dim] : llvm::enumerate(parallel.getBlocks().getDims())) {
    PANTILE_ASSIGN(int64_t extent, extentOf(op, dim, ShapedType::kDynamic));
    lowers.push_back(parallel.getLowers().empty() ? 0 : indexOf(parallel.getLowers()[d]));
    uppers.push_back(indexOf(parallel.getUppers()[d]));
    extents.push_back(extent);
    int64_t length = std::max<int64_t>(0, uppers[d] - lowers[d]);
    counts.push_back(length / extent + (length % extent != 0));
  }
  for (int64_t program : programsOf(op, counts)) {
    int64_t rest = program;
    for (int64_t d = int64_t(counts.size()) - 1; d >= 0; --d) {
      int64_t id = rest % counts[d], begin = lowers[d] + id * extents[d];
      rest /= counts[d];
      BlockArgument argument = body.getArgument(unsigned(d));
      if (argument.getType().isIndex())
        set(argument, integerScalar(begin));
      else
        set(argument, Range{begin, std::min(begin + extents[d], uppers[d]), extents[d], id});
    }
    if (options.report) ++options.report->programs;
    PANTILE_RETURN_IF_ERROR(runBlock(body));
  }
  return {};
}

Status Interpreter::grid(Operation *op) {
  auto grid = llvm::cast<tile::GridOp>(op);
  PANTILE_RETURN_IF_ERROR(bindFullExtents(grid.getBody()));
  Block &body = grid.getBody().front();
  Sizes counts; // slowest first, as programsOf numbers them
  for (mlir::Value count : llvm::reverse(grid.getCounts())) counts.push_back(std::max<int64_t>(0, indexOf(count)));
  for (int64_t program : programsOf(op, counts)) {
    int64_t rest = program;
    for (auto [argument, count] : llvm::zip(body.getArguments(), llvm::reverse(counts))) {
      set(argument, integerScalar(rest % count));
      rest /= count;
    }
    if (options.report) ++options.report->programs;
    PANTILE_RETURN_IF_ERROR(runBlock(body));
  }
  return {};
}

Status Interpreter::checkCarries(tile::LoopOp loop) {
  // A carried tile clipped by the loop's own range would lose elements in its last iteration.
  const tile::Dim &block = loop.getBlocks().getDims()[0];
  if (block.isConstant()) return {};
  Block &body = loop.getBody().front();
  for (auto [i, yielded] : llvm::enumerate(body.getTerminator()->getOperands())) {
    auto type = dyn_cast<RankedTensorType>(yielded.getType());
    if (!type) continue;
    const Tile &before = *tileOf(body.getArgument(unsigned(i) + 1)), &after = *tileOf(yielded);
    for (auto [d, dim] : llvm::enumerate(tile::dimsOf(type)))
      if (dim.symbol == block.symbol && after.extents[d] < before.extents[d])
        return errorAt(loop, "carry " + std::to_string(i) + " has the extent @" + dim.symbol.getValue().str() +
                                 " of the loop's own range, whose last block is clipped, so its tail would be lost")
            .withFix("reduce it inside the loop");
  }
  return {};
}

Status Interpreter::loop(Operation *op) {
  auto loop = llvm::cast<tile::LoopOp>(op);
  Block &body = loop.getBody().front();
  const tile::Dim &dim = loop.getBlocks().getDims()[0];
  auto range = dyn_cast<tile::RangeType>(body.getArgument(0).getType());
  PANTILE_ASSIGN(int64_t extent, extentOf(op, dim, range ? range.getExtent() : ShapedType::kDynamic));
  int64_t lower = loop.getLower() ? indexOf(loop.getLower()) : 0, upper = indexOf(loop.getUpper());
  for (auto [argument, init] : llvm::zip(body.getArguments().drop_front(), loop.getInits())) set(argument, Value(tileOf(init)));
  int64_t id = 0;
  for (int64_t begin = lower; begin < upper; begin += extent, ++id) {
    if (range)
      set(body.getArgument(0), Range{begin, std::min(begin + extent, upper), extent, id});
    else
      set(body.getArgument(0), integerScalar(begin));
    PANTILE_RETURN_IF_ERROR(runBlock(body));
    if (begin + extent > upper) PANTILE_RETURN_IF_ERROR(checkCarries(loop));
    SmallVector<TilePtr, 4> next;
    for (mlir::Value yielded : body.getTerminator()->getOperands()) next.push_back(tileOf(yielded));
    for (auto [argument, value] : llvm::zip(body.getArguments().drop_front(), next)) set(argument, value);
  }
  for (auto [result, argument] : llvm::zip(loop.getResults(), body.getArguments().drop_front())) set(result, Value(tileOf(argument)));
  return {};
}

Status Interpreter::scfIf(Operation *op) {
  const Tile &condition = *tileOf(op->getOperand(0));
  if (condition.rank() != 0) return errorAt(op, "its condition is a tile").withFix("use arith.select inside a combine region");
  Region &region = op->getRegion(condition.integers[0] ? 0 : 1);
  if (region.empty()) return {};
  Block &block = region.front();
  PANTILE_RETURN_IF_ERROR(runBlock(block));
  for (auto [result, yielded] : llvm::zip(op->getResults(), block.getTerminator()->getOperands())) {
    Value value = values.find(yielded)->second;
    set(result, std::move(value));
  }
  return {};
}

Status Interpreter::scfFor(Operation *op) {
  int64_t lower = indexOf(op->getOperand(0)), upper = indexOf(op->getOperand(1)), step = indexOf(op->getOperand(2));
  if (step <= 0) return errorAt(op, "its step must be positive, is " + std::to_string(step));
  Block &body = op->getRegion(0).front();
  DType dtype = dtypeOf(body.getArgument(0).getType());
  SmallVector<Value, 4> carries;
  for (mlir::Value init : op->getOperands().drop_front(3)) carries.push_back(values.find(init)->second);
  for (int64_t i = lower; i < upper; i += step) {
    set(body.getArgument(0), integerScalar(i, dtype));
    for (auto [argument, carry] : llvm::zip(body.getArguments().drop_front(), carries)) set(argument, carry);
    PANTILE_RETURN_IF_ERROR(runBlock(body));
    for (auto [carry, yielded] : llvm::zip(carries, body.getTerminator()->getOperands())) carry = values.find(yielded)->second;
  }
  for (auto [result, carry] : llvm::zip(op->getResults(), carries)) set(result, carry);
  return {};
}

Status Interpreter::run(std::span<const HostArgument> arguments) {
  PANTILE_RETURN_IF_ERROR(bindArguments(arguments));
  PANTILE_RETURN_IF_ERROR(bindSymbols());
  return runBlock(kernel.getBody().front());
}

} // namespace pantile::interpreter

namespace pantile {

Status interpret(ModuleOp module, std::span<const HostArgument> arguments, const InterpretOptions &options) {
  if (options.report) *options.report = {};
  tile::KernelOp found;
  std::string known;
  for (auto kernel : module.getOps<tile::KernelOp>()) {
    known += (known.empty() ? "@" : ", @") + kernel.getSymName().str();
    if (!options.kernel.empty() && kernel.getSymName() != options.kernel) continue;
    if (found) return Status(PANTILE_INVALID_ARGUMENT, "the module has several kernels").withFix("name one: " + known);
    found = kernel;
  }
  if (!found) return Status(PANTILE_NOT_FOUND, "the module has no kernel @" + options.kernel).withFix("known: " + known);
  return interpreter::Interpreter(found, options).run(arguments);
}

} // namespace pantile
