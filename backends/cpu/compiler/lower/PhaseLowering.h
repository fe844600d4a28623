//===- cpu/compiler/lower/PhaseLowering.h - one phase as one function ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   void entry(const uint64_t *slots, int64_t begin, int64_t end, void *scratch)
//
// runs programs [begin, end) of a `tile.grid`. Slots hold what the launch record's expressions say: addresses, sizes and
// strides of the views the phase touches, and scalars. Scratch is per worker; it outlives the call, but not the launch: its
// first 64 bytes are zero when a worker begins, so a call knows what the worker's last one left (packed panels).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_LOWER_PHASELOWERING_H
#define PANTILE_CPU_LOWER_PHASELOWERING_H

#include "backends/cpu/compiler/codegen/DotForm.h"
#include "backends/cpu/compiler/codegen/Target.h"
#include "backends/cpu/compiler/lower/Address.h"
#include "backends/cpu/compiler/lower/LowerKernel.h"
#include "backends/cpu/compiler/lower/NestShape.h"
#include "backends/cpu/compiler/lower/Plan.h"
#include "backends/cpu/compiler/lower/Values.h"
#include "core/Artifact.h"
#include "core/Configuration.h"
#include "ir/emit/PhaseScalars.h"

#include "llvm/IR/Module.h"

#include <functional>

namespace mlir::scf {
class IfOp;
}

namespace pantile::cpu {

class PhaseLowering : private tile::PhaseScalars {
public:
  PhaseLowering(tile::GridOp grid, const tile::ExtentAnalysis &extents, const Facts &facts, const CpuTarget &target, const CodeKnobs &knobs,
                llvm::Module &module, std::string name, const tile::WorkspacePlan &workspaces);
  /// The function, and the launch record that calls it.
  Expected<LaunchDescription> run();

private:
  /// Partial results of the reductions of one nest, one set an unrolled copy.
  struct Accumulator {
    mlir::Operation *op;
    tile::Combine combine;
    llvm::SmallVector<llvm::SmallVector<llvm::AllocaInst *, 2>, 4> copies;
  };
  using Accumulators = llvm::SmallVector<Accumulator, 2>;
  /// An operand of a dot in memory.
  struct Matrix {
    llvm::Value *pointer, *lineStride, *kStride;
  };
  struct Panels {
    llvm::Value *pointer = nullptr, *panelStride = nullptr;
    unsigned width = 0;
    int64_t blockElements = 0; ///< of the panels of one block
    llvm::Value *rowSums = nullptr;
  };

  //--- Entry.cpp: slots, scratch, buffers
  llvm::Value *slot(const std::string &expression) override;
  llvm::Value *address(const std::string &expression) override;
  llvm::Value *extend(llvm::IRBuilderBase &at, llvm::Value *value) override;
  llvm::Value *truncate(llvm::IRBuilderBase &at, llvm::Value *value, llvm::Type *element) override;
  llvm::Value *math(llvm::IRBuilderBase &at, MathOp op, llvm::ArrayRef<llvm::Value *> operands) override;
  /// A variable in the entry block; promoted to registers at the end.
  llvm::AllocaInst *variable(llvm::Type *type, const char *name);
  /// 64-byte aligned scratch of `bytes` (an expression for the host, a value here).
  llvm::Value *scratch(const std::string &bytes, llvm::Value *bytesHere);
  llvm::Value *headerWord();
  Buffer makeBuffer(mlir::Value owner);
  Buffer windowOf(tile::StoreOp store);
  const Buffer &bufferOf(mlir::Value tile);
  /// The most elements of a dimension: host expression, and value in the prologue.
  std::pair<std::string, llvm::Value *> capacity(mlir::RankedTensorType type, unsigned dim);

  //--- Blocks.cpp: steps, scalars, control flow
  void lowerBlock(mlir::Block *block);
  void lowerScalar(mlir::Operation *op);
  void lowerControl(mlir::Operation *op);
  void lowerLoop(mlir::Operation *loop, llvm::Value *lower, llvm::Value *upper, llvm::Value *step, mlir::ValueRange inits,
                 mlir::ValueRange carries, llvm::function_ref<void(llvm::Value *)> bind);
  void lowerIf(mlir::scf::IfOp choice);

  //--- Nests.cpp: loop nests over a step's domain
  void lowerNest(Step step);
  void outerLoops(const Step &step, const NestShape &shape, unsigned level, Positions &at, Scope &parent, bool column);
  void vectors(const Step &step, const NestShape &shape, Positions &at, Scope &parent);
  void columns(const Step &step, const NestShape &shape, Positions &at, Scope &parent);
  void vectorLoop(const NestShape &shape,
                  llvm::function_ref<void(llvm::Value *base, int64_t multiple, unsigned copies, llvm::Value *mask, int64_t offset)> chunk);
  llvm::Value *tailMask(llvm::Value *remaining, unsigned lanes);
  llvm::BasicBlock *newBlock(const char *name);
  /// `for (i = begin; i < end; i += step) body(i)`; `body` leaves the builder in the block that ends the iteration.
  void countedLoop(llvm::IRBuilder<> &at, llvm::Value *begin, llvm::Value *end, llvm::Value *step, const char *name,
                   llvm::function_ref<void(llvm::Value *)> body);
  llvm::Value *extentValue(const tile::Extent &extent, mlir::RankedTensorType type, unsigned dim);
  llvm::Value *atomValue(const tile::ExtentAtom &atom);
  unsigned lanesFor(const Step &step);
  unsigned bodyCost(const Step &step);
  /// The dimension along which an access, or what a lazy value loads, is contiguous; -1: none known.
  int unitDimension(mlir::Value value, unsigned depth);
  int unitDimensionOfAccess(mlir::Operation *access);
  Accumulators makeAccumulators(const Step &step, unsigned lanes, unsigned copies);
  void emitRoots(const Step &step, llvm::ArrayRef<Positions> copies, Scope &scope, Accumulators &accumulators);

  //--- Reductions.cpp: combining lanes, scans
  llvm::SmallVector<llvm::Value *, 2> foldLanes(const tile::Combine &combine, llvm::SmallVector<llvm::Value *, 2> values);
  void lowerScan(tile::ScanOp scan);
  void lowerTopK(tile::TopKOp op);

  //--- Evaluate.cpp: lazy values at positions
  llvm::Value *evaluate(mlir::Value value, const Positions &at, Scope &current);
  /// From its operation, whether or not it is (about to be) buffered; the second remembers it.
  llvm::Value *compute(mlir::Value value, const Positions &at, Scope &scope);
  llvm::Value *computeInto(mlir::Value value, const Positions &at, Scope &current);
  Scope &scopeOf(const Positions &at);
  llvm::Value *uniform(const Position &position);
  llvm::Value *laneIndices(const Position &position, llvm::Type *element, Scope &scope);
  /// Of every lane: position / c, position % c, and the row-major combination of several.
  Position divided(const Position &position, int64_t c);
  Position remainder(const Position &position, int64_t c);
  Position merged(llvm::ArrayRef<Position> positions, llvm::ArrayRef<int64_t> extents);
  llvm::Value *computeReshape(tile::ReshapeOp op, const Positions &at, Scope &scope);
  llvm::Value *computeCat(tile::CatOp op, const Positions &at, Scope &scope);
  llvm::Value *selectLanes(llvm::Value *condition, llvm::Value *yes, llvm::Value *no, Scope &scope);

  //--- Accesses.cpp: views and buffers in memory
  Address addressOf(mlir::Operation *access, const Positions &at, Scope &scope);
  Address bufferAddress(const Buffer &buffer, const Positions &at, Scope &scope);
  llvm::Value *loadElements(const Address &address, mlir::Type element, Scope &scope, llvm::Value *pad);
  void storeElements(const Address &address, llvm::Value *value, mlir::Type element, Scope &scope, bool streaming);
  /// Combines lanes into memory by a kind of tile.atomic_rmw, one after another. What was there, of a scalar.
  llvm::Value *combineElements(const Address &address, llvm::Value *value, mlir::Type element, llvm::StringRef kind, Scope &scope);
  llvm::Value *laneMask(const Address &address, Scope &scope);
  void addCondition(Address &address, llvm::Value *condition, Scope &scope);

  //--- Dots.cpp
  void lowerDot(tile::DotOp dot);
  bool dotReadsInPlace(mlir::Value operand);
  Matrix matrixOf(mlir::Value operand, Positions at, unsigned line, unsigned k, Scope &scope);
  std::optional<DotForm> formOf(tile::DotOp dot);
  RegisterTile registerTileOf(tile::DotOp dot, const DotForm &form);
  /// What the loop around a dot walks of its right operand: blocks of k or of lines, `length` in all.
  struct Walk {
    bool alongK;
    int64_t block;
    std::string lengthText;
    llvm::Value *length;
  };
  std::optional<Walk> hoistsPacking(tile::DotOp dot);
  void hoistPacking(tile::LoopOp loop);
  /// What compensates for flipped signs of the right operand, once for all passes of the loop; null: not here.
  llvm::Value *hoistRowSums(tile::DotOp dot, const DotForm &form);
  /// The first row and column that the program reads of an operand, the loop's range at its beginning.
  Matrix matrixBefore(tile::LoadOp load, unsigned line, unsigned k);
  /// The store that is all that becomes of the sums a loop carries, to memory that can hold them meanwhile; else null.
  tile::StoreOp storeInPlace(mlir::Value carry);
  /// Whether the sums start at zero (else its buffer already holds them).
  bool overwritesSums(tile::DotOp dot);
  /// i1: whether a pass of the loop adds to what the first one wrote; null: `overwritesSums` says it.
  llvm::Value *accumulates(tile::DotOp dot);

  const CpuTarget &target;
  CodeKnobs knobs;
  llvm::Module &module;
  std::string name;
  std::unique_ptr<Plan> plan;

  llvm::Function *function = nullptr;
  llvm::BasicBlock *entry = nullptr;
  llvm::Value *slotsArgument = nullptr, *scratchArgument = nullptr;
  std::vector<llvm::AllocaInst *> variables;
  std::vector<std::string> slotExpressions;
  std::map<std::string, llvm::Value *> slotValues;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  std::string scratchBytes = "0";
  int64_t scratchConstant = 0;
  llvm::DenseMap<mlir::Operation *, Panels> hoistedPanels;
  llvm::Value *scratchOffset = nullptr;
  unsigned headerWords = 0; ///< of the scratch header that are taken
  int64_t stackBytes = 0;
  Scope *nestRoot = nullptr;
  llvm::Value *zeros = nullptr; ///< 64 readable zero bytes, what an access outside a view is redirected to
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_LOWER_PHASELOWERING_H
