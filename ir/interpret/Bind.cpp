//===- ir/interpret/Bind.cpp - arguments, sizes and symbols of one run ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/extents/Extents.h"
#include "ir/interpret/Interpreter.h"
#include "ir/interpret/Number.h"

#include <array>

using namespace mlir;

namespace pantile::interpreter {

namespace {

std::string number(int64_t value) { return std::to_string(value); }

/// Small, odd, unequal: edge blocks appear at once.
constexpr std::array<int64_t, 8> kDefaultBlocks{3, 4, 5, 7, 6, 9, 2, 11};

} // namespace

Status Interpreter::bindArguments(std::span<const HostArgument> arguments) {
  Block &body = kernel.getBody().front();
  if (arguments.size() != body.getNumArguments())
    return Status(PANTILE_INVALID_ARGUMENT, "@" + kernel.getSymName().str() + " takes " + number(body.getNumArguments()) +
                                                " arguments, given " + number(int64_t(arguments.size())));
  for (auto [i, argument] : llvm::enumerate(body.getArguments())) {
    std::string where = "argument " + number(int64_t(i)) + " of @" + kernel.getSymName().str();
    if (auto type = dyn_cast<tile::ViewType>(argument.getType())) {
      auto *host = std::get_if<HostView>(&arguments[i]);
      if (!host) return Status(PANTILE_INVALID_ARGUMENT, where + " is a view, given a scalar");
      if (Status status = bindView(unsigned(i), *host, type); !status.isOk()) return std::move(status).in(where);
      continue;
    }
    auto *host = std::get_if<HostScalar>(&arguments[i]);
    if (!host) return Status(PANTILE_INVALID_ARGUMENT, where + " is a scalar, given a view");
    auto scalar = std::make_shared<Tile>(dtypeOf(argument.getType()), ArrayRef<int64_t>());
    if (scalar->isFloat())
      scalar->floats[0] = floatFromBits(scalar->dtype, host->bits);
    else
      scalar->integers[0] = wrapTo(scalar->dtype, int64_t(host->bits));
    set(argument, TilePtr(scalar));
  }
  // Sizes of one name are one size.
  llvm::StringMap<std::pair<unsigned, int64_t>> named;
  for (auto [i, argument] : llvm::enumerate(body.getArguments())) {
    auto names = kernel.getArgAttrOfType<ArrayAttr>(unsigned(i), "tile.sizes");
    if (!names || !isa<tile::ViewType>(argument.getType())) continue;
    const View &view = viewOf(argument);
    for (auto [d, name] : llvm::enumerate(names.getAsValueRange<StringAttr>())) {
      int64_t constant;
      if (!name.getAsInteger(10, constant)) {
        if (constant != view.sizes[d])
          return Status(PANTILE_INVALID_ARGUMENT, "argument " + number(int64_t(i)) + ": size " + number(int64_t(d)) + " must be " +
                                                      number(constant) + ", given " + number(view.sizes[d]));
        continue;
      }
      auto [known, isNew] = named.try_emplace(name, unsigned(i), view.sizes[d]);
      if (!isNew && known->second.second != view.sizes[d])
        return Status(PANTILE_INVALID_ARGUMENT, "size " + name.str() + " is " + number(known->second.second) + " in argument " +
                                                    number(known->second.first) + " and " + number(view.sizes[d]) + " in argument " +
                                                    number(int64_t(i)));
    }
  }
  return {};
}

Status Interpreter::bindView(unsigned argument, const HostView &host, tile::ViewType type) {
  auto error = [&](std::string text) { return Status(PANTILE_INVALID_ARGUMENT, std::move(text)); };
  DType declared = dtypeOf(type.getElementType());
  if (!compatible(declared, host.dtype))
    return error("expected " + std::string(info(declared).name) + ", given " + std::string(info(host.dtype).name));
  if (int64_t(host.sizes.size()) != type.getRank() || host.strides.size() != host.sizes.size())
    return error("expected rank " + number(type.getRank()) + ", given " + number(int64_t(host.sizes.size())) + " sizes and " +
                 number(int64_t(host.strides.size())) + " strides");
  auto view = std::make_shared<View>();
  view->data = static_cast<char *>(host.data);
  view->dtype = declared;
  view->sizes.assign(host.sizes.begin(), host.sizes.end());
  view->strides.assign(host.strides.begin(), host.strides.end());
  view->argument = int(argument);
  int64_t first = 0, last = 0;
  bool empty = false;
  for (auto [d, size] : llvm::enumerate(view->sizes)) {
    if (size < 0) return error("size " + number(int64_t(d)) + " is negative: " + number(size));
    if (!ShapedType::isDynamic(type.getShape()[d]) && type.getShape()[d] != size)
      return error("size " + number(int64_t(d)) + " must be " + number(type.getShape()[d]) + ", given " + number(size));
    if (size == 0)
      empty = true;
    else
      (view->strides[d] < 0 ? first : last) += (size - 1) * view->strides[d];
  }
  if (!empty && !host.data) return error("its address is null");
  if (!empty && host.low) {
    int64_t bits = info(declared).bits == 1 ? 8 : info(declared).bits;
    auto base = reinterpret_cast<intptr_t>(host.data), low = reinterpret_cast<intptr_t>(host.low),
         high = reinterpret_cast<intptr_t>(host.high);
    auto floorBytes = [&](int64_t elements) { return (elements * bits) >> 3; };
    if (base + floorBytes(first) < low || base + floorBytes(last) + (bits + 7) / 8 > high)
      return error("its sizes and strides reach outside the memory it was given");
  }
  set(kernel.getBody().front().getArgument(argument), ViewPtr(view));
  return {};
}

Status Interpreter::bindSymbols() {
  // Every symbol that a loop or grid steps by is a block symbol; full extents get theirs from the views they name.
  size_t next = 0;
  auto bind = [&](tile::DimsAttr dims) {
    for (const tile::Dim &dim : dims.getDims()) {
      if (dim.isConstant() || blocks.contains(dim.symbol.getValue())) continue;
      llvm::StringRef name = dim.symbol.getValue();
      blocks[name] = options.blocks.integer({name.data(), name.size()}, kDefaultBlocks[next++ % kDefaultBlocks.size()]);
    }
  };
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto parallel = dyn_cast<tile::ParallelOp>(op))
      bind(parallel.getBlocks());
    else if (auto loop = dyn_cast<tile::LoopOp>(op))
      bind(loop.getBlocks());
  });
  for (auto &entry : blocks)
    if (entry.second < 1)
      return Status(PANTILE_INVALID_ARGUMENT, "block @" + entry.first().str() + " must be at least 1, given " + number(entry.second));
  return {};
}

Status Interpreter::bindFullExtent(Operation *access, llvm::StringRef symbol, int64_t size) {
  auto [known, isNew] = fulls.try_emplace(symbol, size);
  if (!isNew && known->second != size)
    return errorAt(access, "full extent @" + symbol.str() + " is " + number(known->second) + " elsewhere and " + number(size) + " here")
        .withFix("name different sizes by different symbols");
  return {};
}

Status Interpreter::bindFullExtents(Region &region) {
  Status status;
  region.walk([&](Operation *access) {
    Value *known = nullptr;
    mlir::Value view = tile::viewOf(access);
    if (!view) return WalkResult::advance();
    while (auto pack = view.getDefiningOp<tile::PackOp>()) view = pack.getView();
    if (auto found = values.find(view); found != values.end()) known = &found->second;
    if (!known) return WalkResult::advance();
    for (auto [d, subscript] : llvm::enumerate(tile::subscriptsOf(access)))
      if (subscript.kind == tile::Subscript::Full && !subscript.symbol.empty()) {
        status = bindFullExtent(access, subscript.symbol, std::get<ViewPtr>(*known)->sizes[d]);
        if (!status.isOk()) return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return status;
}

Expected<int64_t> Interpreter::extentOf(Operation *op, const tile::Dim &dim, int64_t shape) {
  if (dim.isConstant()) return dim.factor;
  llvm::StringRef name = dim.symbol.getValue();
  if (auto full = fulls.find(name); full != fulls.end()) {
    int64_t size = full->second * dim.factor;
    if (!ShapedType::isDynamic(shape) && size > shape)
      return errorAt(op, "full extent @" + name.str() + " is bound to " + number(shape) + ", but the size is " + number(size))
          .withFix("bind a larger extent, or roll the dimension (reduction_loops)");
    return padded() && !ShapedType::isDynamic(shape) ? shape : size;
  }
  if (!ShapedType::isDynamic(shape)) return shape;
  if (auto block = blocks.find(name); block != blocks.end()) return block->second * dim.factor;
  return errorAt(op, "extent @" + name.str() + " is bound by no loop and no `full` subscript");
}

Expected<Sizes> Interpreter::blockOf(Operation *op, Type type) {
  Sizes extents;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) return extents;
  for (auto [dim, shape] : llvm::zip(tile::dimsOf(tensor), tensor.getShape())) {
    PANTILE_ASSIGN(int64_t extent, extentOf(op, dim, shape));
    extents.push_back(extent);
  }
  return extents;
}

} // namespace pantile::interpreter
