//===- ir/interpret/Interpreter.h - one run of one kernel -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_INTERPRETER_H
#define PANTILE_IR_INTERPRET_INTERPRETER_H

#include "ir/dialect/Tile.h"
#include "ir/interpret/Interpret.h"
#include "ir/interpret/Memory.h"
#include "ir/interpret/Value.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

namespace pantile::interpreter {

/// An error with the operation's place in the text in front: "matmul.mlir:12:7: tile.load: ...".
Status at(mlir::Operation *op, Status status);
Status errorAt(mlir::Operation *op, std::string text);

class Interpreter {
public:
  Interpreter(tile::KernelOp kernel, const InterpretOptions &options) : kernel(kernel), options(options) {}
  Status run(std::span<const HostArgument> arguments);

private:
  using Handler = Status (Interpreter::*)(mlir::Operation *);
  static const llvm::StringMap<Handler> &handlers();

  // Setting up: arguments, sizes that must be equal, symbols (Bind.cpp).
  Status bindArguments(std::span<const HostArgument> arguments);
  Status bindView(unsigned number, const HostView &host, tile::ViewType type);
  Status bindSymbols();
  /// Full extents named by accesses of `region` whose views are known by now.
  Status bindFullExtents(mlir::Region &region);
  Status bindFullExtent(mlir::Operation *access, llvm::StringRef symbol, int64_t size);
  Expected<int64_t> extentOf(mlir::Operation *op, const tile::Dim &dim, int64_t shape);
  /// A loaded tile as `edges` wants it.
  Expected<TilePtr> atEdges(mlir::Operation *op, TilePtr tile);
  /// The extents of a tile type where nothing clips them.
  Expected<Sizes> blockOf(mlir::Operation *op, mlir::Type type);

  // Control flow.
  Status runBlock(mlir::Block &block);
  Status runOperation(mlir::Operation *op);
  Status parallel(mlir::Operation *op);
  Status grid(mlir::Operation *op);
  Status loop(mlir::Operation *op);
  Status scfIf(mlir::Operation *op);
  Status scfFor(mlir::Operation *op);
  /// Which of a phase's programs run: `classes[d]` is the number of blocks along d.
  std::vector<int64_t> programsOf(mlir::Operation *op, llvm::ArrayRef<int64_t> counts);
  Status checkCarries(tile::LoopOp loop);

  // Memory and ranges.
  Status dim(mlir::Operation *op);
  Status workspace(mlir::Operation *op);
  Status load(mlir::Operation *op);
  Status store(mlir::Operation *op);
  Status gather(mlir::Operation *op);
  Status scatter(mlir::Operation *op);
  Status atomic(mlir::Operation *op);
  Status pack(mlir::Operation *op);
  Status rangeQuery(mlir::Operation *op);
  Status makeRange(mlir::Operation *op);
  Status assume(mlir::Operation *op);
  Status assertion(mlir::Operation *op);
  Status print(mlir::Operation *op);
  Expected<Selectors> selectorsOf(mlir::Operation *access);
  void written(const View &view, const Box &box);

  // Tiles.
  Status constant(mlir::Operation *op);
  Status elementwise(mlir::Operation *op);
  Status shape(mlir::Operation *op);
  Status split(mlir::Operation *op);
  Status cast(mlir::Operation *op);
  Status random(mlir::Operation *op);
  Status topk(mlir::Operation *op);
  Status dot(mlir::Operation *op);
  Status reduce(mlir::Operation *op);
  Status scan(mlir::Operation *op);
  /// Runs a combine region on whole slices.
  Expected<llvm::SmallVector<TilePtr, 2>> combine(mlir::Block &block, llvm::ArrayRef<TilePtr> left, llvm::ArrayRef<TilePtr> right);

  // The environment.
  void set(mlir::Value key, Value value) { values[key] = std::move(value); }
  const TilePtr &tileOf(mlir::Value key) { return std::get<TilePtr>(values.find(key)->second); }
  const Range &rangeOf(mlir::Value key) { return std::get<Range>(values.find(key)->second); }
  const View &viewOf(mlir::Value key) { return *std::get<ViewPtr>(values.find(key)->second); }
  int64_t indexOf(mlir::Value key) { return tileOf(key)->integers[0]; }
  bool padded() const { return options.edges == InterpretOptions::Edges::Padded; }
  bool declared() const { return options.accumulate == InterpretOptions::Accumulate::Declared; }

  tile::KernelOp kernel;
  const InterpretOptions &options;
  llvm::DenseMap<mlir::Value, Value> values;
  llvm::StringMap<int64_t> blocks; ///< block symbols
  llvm::StringMap<int64_t> fulls;  ///< full-extent symbols: the size of the dimensions they name
  llvm::DenseMap<void *, Handler> dispatch;
};

} // namespace pantile::interpreter

#endif // PANTILE_IR_INTERPRET_INTERPRETER_H
