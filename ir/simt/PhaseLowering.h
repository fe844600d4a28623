//===- ir/simt/PhaseLowering.h - one phase as one kernel -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Lowers a `tile.grid` to a function that a block of threads runs for one program. Every tile is held in registers in a
// layout (one LLVM value a register); the layouts that values are computed in are chosen beforehand (LayoutChoice.h), any
// other is made on demand, in a thread where the element is already there, else through shared memory:
//
//   registersOf(%x, layout)      the registers of %x in this layout, computed at most once a scope
//
// Lazy values (splats, positions, broadcasts, transposes and arithmetic on them alone) have no layout of their own: they
// are computed wherever somebody wants them.
//
// Shared memory is handed out as a stack. A write to it is preceded by a barrier if somebody may still read what lay
// there, and reads are preceded by one if somebody wrote (SharedUse).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_PHASELOWERING_H
#define PANTILE_IR_SIMT_PHASELOWERING_H

#include "ir/emit/PhaseScalars.h"
#include "ir/simt/LayoutChoice.h"
#include "ir/simt/LowerSimt.h"

#include "llvm/ADT/SmallSet.h"

namespace mlir::scf {
class IfOp;
}

namespace pantile::simt {

using Registers = llvm::SmallVector<llvm::Value *, 16>;

/// A layout in use: its register offsets, and this thread's part of the coordinates in the prologue.
struct PlacedLayout {
  Layout layout;
  std::vector<Coordinates> offsets; ///< of each register
  /// i32 a dimension: what lane and warp add; what the warp alone adds. Made on demand.
  llvm::SmallVector<llvm::Value *, 4> thread, warp;
  /// i1: this thread is the first that holds its elements; NULL: all are.
  llvm::Value *owner = nullptr;
  bool ownerKnown = false;
};

/// A tile in shared memory.
struct SharedTile {
  SharedLayout layout;
  llvm::Value *pointer = nullptr; ///< to shared memory
  mlir::Type element;
  llvm::SmallVector<int64_t, 4> strides; ///< bytes, of each dimension; meaningless with a swizzle
  unsigned alignment = 16;               ///< of the pointer, bytes
};

/// At the bottom of shared memory, where the target has an engine.
inline constexpr int64_t kBarrierBytes = 128;

class PhaseLowering : private tile::PhaseScalars {
public:
  PhaseLowering(tile::GridOp grid, const tile::ExtentAnalysis &extents, const Facts &facts, const SimtTarget &target,
                const SimtSchedule &schedule, llvm::Module &module, std::string name, const tile::WorkspacePlan &workspaces);
  /// The kernel, and the launch record that calls it.
  Expected<LaunchDescription> run();
  int64_t sharedBytes() const { return sharedMost; }
  unsigned warpsUsed() const { return schedule.warps; }

private:
  using Values = llvm::SmallVector<llvm::Value *, 8>;
  /// How the elements of a tile are reached in a view, for one layout.
  struct Access;
  struct Loaded {
    mlir::Value tile;
    const PlacedLayout *layout;
    Registers registers;
  };

  //--- Entry.cpp: the kernel, its parameters, arithmetic
  llvm::Value *slot(const std::string &expression) override;
  llvm::Value *address(const std::string &expression) override;
  llvm::Value *extend(llvm::IRBuilderBase &at, llvm::Value *value) override;
  llvm::Value *truncate(llvm::IRBuilderBase &at, llvm::Value *value, llvm::Type *element) override;
  llvm::Value *math(llvm::IRBuilderBase &at, MathOp op, llvm::ArrayRef<llvm::Value *> operands) override;
  llvm::BasicBlock *newBlock(const char *name);
  Expected<LaunchDescription> finish(llvm::BasicBlock *entry);

  //--- Placement.cpp: tiles in layouts
  const PlacedLayout *placed(const Layout &layout);
  llvm::Value *threadCoordinate(const PlacedLayout *layout, unsigned dim);
  llvm::Value *warpCoordinate(const PlacedLayout *layout, unsigned dim);
  llvm::Value *coordinatePart(llvm::ArrayRef<Coordinates> bases, llvm::Value *bits, unsigned dim);
  llvm::Value *warpDigits(const Layout &layout, unsigned dim);
  /// i32: where register `number` of this thread lies.
  llvm::Value *coordinate(const PlacedLayout *layout, unsigned number, unsigned dim);
  llvm::Value *ownerOf(const PlacedLayout *layout);
  const PlacedLayout *home(mlir::Value tile);
  Registers registersOf(mlir::Value tile, const PlacedLayout *layout);
  void define(mlir::Value tile, const PlacedLayout *layout, Registers registers);
  /// The layout a value was computed in; of a lazy value: its home.
  const PlacedLayout *baseOf(mlir::Value tile);
  Registers computeLazy(mlir::Value tile, const PlacedLayout *layout);
  Registers computeElementwise(mlir::Operation *op, const PlacedLayout *layout);
  Registers convertLayout(const Registers &registers, const PlacedLayout *from, const PlacedLayout *to, mlir::RankedTensorType type);
  /// For each register whether it is a logical element (i1; NULL: always), by these extents and the tile's shape.
  Registers logicalMask(const tile::Extents &extents, mlir::RankedTensorType type, const PlacedLayout *layout);
  llvm::Value *countOf(const tile::Extent &extent, int64_t size);
  llvm::Value *conjunction(llvm::Value *left, llvm::Value *right);
  /// Runs `body`; tiles placed in it are forgotten after it.
  void scoped(llvm::function_ref<void()> body);

  //--- Accesses.cpp: views
  Access accessOf(mlir::Operation *op, const PlacedLayout *layout, mlir::Value value);
  /// `given`, or a layout whose lanes follow memory where those of `given` hop about.
  const PlacedLayout *accessLayout(mlir::Operation *op, mlir::Value value, const PlacedLayout *given);
  Registers lowerLoad(mlir::Operation *op, const PlacedLayout *layout);
  void lowerStore(mlir::Operation *op);
  /// Starts asynchronous copies of a load's tile.
  void copyToShared(tile::LoadOp load, const PlacedLayout *layout, const SharedTile &to);
  llvm::Value *lowerScalarLoad(tile::LoadOp load);
  void lowerScalarStore(tile::StoreOp store);
  std::pair<llvm::Value *, llvm::Value *> scalarAddress(mlir::Operation *op);
  llvm::Value *loadVector(llvm::Value *pointer, llvm::Type *element, unsigned count, int64_t alignment, bool invariant, Registers &out);
  void storeVector(llvm::Value *pointer, llvm::ArrayRef<llvm::Value *> values, llvm::Type *element, int64_t alignment);
  llvm::Value *toMemory(llvm::Value *value, mlir::Type element);
  llvm::Value *fromMemory(llvm::Value *value, mlir::Type element);
  /// Emits `body` under a condition.
  void guarded(llvm::Value *condition, llvm::function_ref<void()> body);
  void orderMemory(mlir::Operation *op);
  bool isReadOnly(mlir::Value view);

  //--- Shared.cpp: shared memory
  llvm::Value *allocateShared(int64_t bytes, int64_t alignment = 16);
  void beforeSharedWrite();
  void beforeSharedRead();
  void blockBarrier();
  SharedTile makeShared(mlir::Type element, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> order, int64_t padding);
  SharedTile sharedForConversion(mlir::Type element, llvm::ArrayRef<int64_t> shape, const PlacedLayout *from, const PlacedLayout *to);
  /// What a layout of shared memory means for addresses.
  static SharedTile sharedTile(SharedLayout layout, llvm::Value *pointer, mlir::Type element);
  unsigned sharedVector(const SharedTile &tile, const Layout &layout, llvm::ArrayRef<int64_t> at);
  /// Only what lies inside the shape; `at` moves the coordinates.
  void storeShared(const SharedTile &tile, const Registers &registers, const PlacedLayout *layout, llvm::ArrayRef<int64_t> at = {});
  Registers loadShared(const SharedTile &tile, const PlacedLayout *layout, llvm::ArrayRef<int64_t> at = {});
  llvm::Value *sharedPointer(const SharedTile &tile, const PlacedLayout *layout, llvm::ArrayRef<int64_t> at, bool warpOnly = false);
  void zeroShared(const SharedTile &tile);
  //--- Engine.cpp: what warp groups and boxes need
  SharedTile swizzledTile(mlir::Type element, llvm::ArrayRef<int64_t> shape, unsigned fastest);
  void storeSwizzled(const SharedTile &tile, const Registers &registers, const PlacedLayout *layout);
  Registers dotByGroups(tile::DotOp dot, const DotPlan &plan, Registers acc);
  /// A parameter that describes the view of a load for boxes of this tile; NULL: facts do not allow it.
  llvm::Value *descriptorFor(tile::LoadOp load, const SharedTile &tile);
  bool mayLoadBoxes(tile::LoadOp load, unsigned fastest, mlir::ArrayRef<unsigned> contracted);
  void loadBoxes(tile::LoadOp load, const SharedTile &to, llvm::Value *descriptor, llvm::Value *barrier);
  void initializeBarriers();

  //--- Reductions.cpp
  void lowerReduce(tile::ReduceOp reduce);
  void lowerScan(tile::ScanOp scan);
  Values shuffled(llvm::ArrayRef<llvm::Value *> values, llvm::function_ref<llvm::Value *(llvm::Value *)> move);
  /// Sources in accumulation type, what is not logical replaced by the identity: [source][register].
  llvm::SmallVector<Registers, 2> maskedSources(mlir::Operation *op, unsigned dim, const PlacedLayout *layout);

  //--- Shapes.cpp: reshape, join, cat
  void lowerReshape(tile::ReshapeOp reshape);
  void lowerJoin(tile::JoinOp join);
  void lowerCat(tile::CatOp cat);

  //--- Dots.cpp
  void lowerDot(tile::DotOp dot);
  /// Rows of an operand that the plan's fragments cover; 0: the tile's own.
  static int64_t rowsOf(const DotPlan &plan, bool lhs);
  Registers dotByLoop(tile::DotOp dot, const DotPlan &plan, Registers acc);
  Registers dotByAtoms(tile::DotOp dot, const DotPlan &plan, Registers acc);
  /// An operand: the tile to read and where the dot's dimensions (batches, row or column, k) are in it.
  struct Operand {
    mlir::Value source;
    llvm::SmallVector<int64_t, 4> dims;
  };
  static Operand operandOf(tile::DotOp dot, bool lhs);
  Registers operandRegisters(const Operand &operand, const PlacedLayout *layout);
  /// Shared memory for an operand, at least `rows` rows; with the operand in it.
  SharedTile operandTile(const Operand &operand, int64_t rows, const PlacedLayout *writer, bool swizzled);
  SharedTile shareOperand(const Operand &operand, int64_t rows, bool swizzled);
  /// One k-step of an operand's fragments, packed as the atom wants them, piece by piece.
  Values loadFragments(const SharedTile &tile, const Layout &fragment, llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> at);
  bool loadByMatrix(const SharedTile &tile, const PlacedLayout *layout, llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> at,
                    Values &packed);
  Values pack(llvm::ArrayRef<llvm::Value *> elements, mlir::Type element);

  //--- Blocks.cpp: operations in order, control flow
  void lowerBlock(mlir::Block *block);
  void lowerOperation(mlir::Operation *op);
  void lowerLoop(tile::LoopOp loop);
  void lowerIf(mlir::scf::IfOp choice);
  /// Places what the body of a loop will want of values defined before it.
  void placeForLoop(tile::LoopOp loop, llvm::SmallVectorImpl<mlir::Value> &kept);
  /// Flattens tiles and scalars to LLVM values, in the home layouts of `like`, and back.
  void flatten(mlir::ValueRange values, mlir::ValueRange like, Values &to);
  void bind(mlir::ValueRange values, llvm::ArrayRef<llvm::Value *> from);
  llvm::SmallVector<llvm::Type *, 8> flatTypes(mlir::ValueRange values);

  //--- Pipeline.cpp: loads that run ahead of a loop's dots
  struct Ring {
    tile::LoadOp load;
    SharedTile buffer; ///< of stage 0
    int64_t stageBytes;
    const PlacedLayout *layout;        ///< of the copies
    llvm::Value *descriptor = nullptr; ///< of boxes; NULL: copies by threads
  };
  struct Pipeline {
    tile::LoopOp loop;
    llvm::SmallVector<Ring, 2> rings;
    llvm::SmallVector<mlir::Operation *, 8> scalarOps; ///< what the loads' subscripts need of the body
    llvm::PHINode *stage = nullptr, *parity = nullptr;
    llvm::Value *firstStage = nullptr, *firstParity = nullptr;
    llvm::Value *barriers = nullptr;      ///< one a stage, for boxes
    llvm::AllocaInst *position = nullptr; ///< stages used so far, all executions of the loop
    int64_t mark = 0, boxBytes = 0;
    bool copies = false;
    unsigned distance = 0;               ///< iterations that loads run ahead
    mlir::Operation *inFlight = nullptr; ///< a dot that is waited for in the next iteration
  };
  std::optional<Pipeline> planPipeline(tile::LoopOp loop);
  void issueCopies(Pipeline &pipeline, llvm::Value *index, llvm::Value *lower, llvm::Value *upper, llvm::Value *stage);
  void startPipeline(Pipeline &pipeline, llvm::Value *lower, llvm::Value *upper, int64_t step);
  llvm::Value *nextStage(llvm::Value *stage);
  void enterPipeline(Pipeline &pipeline, llvm::BasicBlock *before);
  void advancePipeline(Pipeline &pipeline, llvm::Value *index, llvm::Value *lower, llvm::Value *upper, int64_t step);
  void leavePipeline(Pipeline &pipeline);
  void drainPipeline(Pipeline &pipeline, llvm::MutableArrayRef<llvm::Value *> results);

  const SimtTarget &target;
  const SimtLimits &limits;
  SimtSchedule schedule;
  llvm::Module &module;
  std::string name;
  std::unique_ptr<LayoutChoice> choice;

  llvm::Function *function = nullptr;
  llvm::Value *lane = nullptr, *warp = nullptr, *thread = nullptr;
  std::vector<std::pair<std::string, llvm::Instruction *>> parameters; ///< expression, placeholder (pointer or i64)
  std::map<std::string, llvm::Value *> parameterOf;
  std::vector<std::unique_ptr<PlacedLayout>> layouts;
  std::map<std::string, std::vector<const PlacedLayout *>> layoutsByText;
  struct Placement {
    const PlacedLayout *layout;
    Registers registers;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Placement, 1>> placements;
  std::vector<mlir::Value> placementLog;
  /// Operands that a pipelined loop keeps in shared memory for its body.
  llvm::DenseMap<mlir::Value, SharedTile> inShared;

  struct Descriptor {
    llvm::Instruction *placeholder;
    std::vector<std::string> words; ///< of a DescriptorRecord
  };
  std::vector<Descriptor> descriptors;
  std::vector<llvm::Value *> barriersToInitialize;
  llvm::BasicBlock *setup = nullptr; ///< between prologue and program
  llvm::SmallPtrSet<mlir::Operation *, 2> dotsInFlight;
  int64_t sharedTop = 0, sharedMost = 0;
  llvm::Value *sharedBase = nullptr;
  bool mayRead = false, wroteShared = false; ///< since the last barrier
  llvm::GlobalVariable *zeros = nullptr;     ///< what a masked access reads instead
  llvm::SmallPtrSet<mlir::Value, 4> loadedViews, storedViews;
};

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_PHASELOWERING_H
