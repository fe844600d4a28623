//===- cpu/compiler/lower/Entry.cpp - slots, scratch, the loop over programs ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/VectorMath.h"
#include "backends/cpu/compiler/lower/PhaseLowering.h"
#include "ir/emit/HostExpression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/IR/Dominators.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Transforms/Utils/PromoteMemToReg.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::cpu {

namespace {

constexpr int64_t kStackBuffer = 2 << 10, kStackTotal = 24 << 10;
constexpr int64_t kScratchHeader = 64; ///< zero when a worker begins a launch; see headerWord

} // namespace

PhaseLowering::PhaseLowering(GridOp grid, const ExtentAnalysis &extents, const Facts &facts, const CpuTarget &target,
                             const CodeKnobs &knobs, llvm::Module &module, std::string name, const WorkspacePlan &workspaces)
    : PhaseScalars(grid, extents, facts, module.getContext(), "the CPU backend", workspaces), target(target), knobs(knobs), module(module),
      name(std::move(name)) {}

llvm::Value *PhaseLowering::extend(llvm::IRBuilderBase &at, llvm::Value *value) { return emitExtend(at, value, target); }

llvm::Value *PhaseLowering::truncate(llvm::IRBuilderBase &at, llvm::Value *value, llvm::Type *element) {
  return emitTruncate(at, value, element, target);
}

llvm::Value *PhaseLowering::math(llvm::IRBuilderBase &at, MathOp op, llvm::ArrayRef<llvm::Value *> operands) {
  return emitMath(at, op, operands, target);
}

llvm::Value *PhaseLowering::slot(const std::string &expression) {
  auto [found, isNew] = slotValues.try_emplace(expression, nullptr);
  if (isNew) {
    llvm::Type *i64 = prologue.getInt64Ty();
    auto *load = prologue.CreateLoad(i64, prologue.CreateConstGEP1_64(i64, slotsArgument, slotExpressions.size()));
    slotExpressions.push_back(expression);
    found->second = load;
  }
  return found->second;
}

llvm::Value *PhaseLowering::address(const std::string &expression) {
  return prologue.CreateIntToPtr(slot(expression), prologue.getPtrTy());
}

llvm::AllocaInst *PhaseLowering::variable(llvm::Type *type, const char *label) {
  llvm::IRBuilder<> at(&entry->front());
  llvm::AllocaInst *result = at.CreateAlloca(type, nullptr, label);
  variables.push_back(result);
  return result;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

std::pair<std::string, llvm::Value *> PhaseLowering::capacity(RankedTensorType type, unsigned dim) {
  if (!type.isDynamicDim(dim)) return {std::to_string(type.getDimSize(dim)), prologue.getInt64(type.getDimSize(dim))};
  Dim entry = dimsOf(type)[dim];
  const ExtentAtom *atom = entry.symbol ? extents.atomOfSymbol(entry.symbol.getValue()) : nullptr;
  if (!atom) {
    fail("the extent of a tile is not known: its symbol is no view's full extent");
    return {"1", prologue.getInt64(1)};
  }
  llvm::Value *size = sizeOf(atom->source, atom->dim);
  std::string text;
  if (auto *constantSize = llvm::dyn_cast<llvm::ConstantInt>(size))
    text = std::to_string(constantSize->getSExtValue());
  else if (auto argument = dyn_cast<BlockArgument>(atom->source))
    text = "s" + std::to_string(argument.getArgNumber()) + "." + std::to_string(atom->dim);
  else if (auto expression = hostExpression(atom->source.getDefiningOp<WorkspaceOp>().getSizes()[dynamicIndex(atom->source, atom->dim)]))
    text = *expression;
  else
    fail("a workspace's size is not an expression of sizes");
  if (entry.factor != 1)
    return {text + " " + std::to_string(entry.factor) + " *", prologue.CreateMul(size, prologue.getInt64(entry.factor))};
  return {text, size};
}

llvm::Value *PhaseLowering::scratch(const std::string &bytes, llvm::Value *bytesHere) {
  // Room for whole vectors past the end, then to the next cache line.
  auto *constantBytes = llvm::dyn_cast<llvm::ConstantInt>(bytesHere);
  llvm::Value *pointer = prologue.CreateGEP(prologue.getInt8Ty(), scratchArgument, scratchOffset);
  llvm::Value *rounded = prologue.CreateAnd(prologue.CreateAdd(bytesHere, prologue.getInt64(64 + 63)), prologue.getInt64(-64));
  scratchOffset = prologue.CreateAdd(scratchOffset, rounded);
  if (constantBytes)
    scratchConstant += (constantBytes->getSExtValue() + 127) / 64 * 64;
  else
    scratchBytes += " " + bytes + " 127 + 64 / 64 * +";
  return pointer;
}

/// A word that keeps its value from call to call of a worker during one launch, and is zero before the first.
llvm::Value *PhaseLowering::headerWord() {
  if (headerWords == kScratchHeader / 8) return nullptr;
  return prologue.CreateConstGEP1_64(prologue.getInt64Ty(), scratchArgument, headerWords++);
}

Buffer PhaseLowering::makeBuffer(Value owner) {
  auto type = cast<RankedTensorType>(owner.getType());
  Buffer buffer;
  buffer.element = type.getElementType();
  llvm::Type *element = memoryType(buffer.element);
  unsigned rank = unsigned(type.getRank());
  buffer.strides.resize(rank);
  std::string text = "1";
  llvm::Value *stride = prologue.getInt64(1);
  bool innermost = true, isStatic = true;
  int64_t elements = 1;
  for (int dim = int(rank) - 1; dim >= 0; --dim) {
    buffer.strides[dim] = stride;
    if (!type.isDynamicDim(dim) && type.getDimSize(dim) == 1) continue;
    auto [extentText, extent] = capacity(type, dim);
    if (innermost) {
      // Rows start at whole vectors of any element type.
      innermost = false;
      if (!type.isDynamicDim(dim)) {
        int64_t size = type.getDimSize(dim);
        size = size < 16 ? int64_t(llvm::PowerOf2Ceil(uint64_t(size))) : (size + 15) / 16 * 16;
        extent = prologue.getInt64(size);
        extentText = std::to_string(size);
      } else {
        extent = prologue.CreateAnd(prologue.CreateAdd(extent, prologue.getInt64(15)), prologue.getInt64(-16));
        extentText += " 15 + 16 / 16 *";
      }
    }
    if (auto *constantExtent = llvm::dyn_cast<llvm::ConstantInt>(extent))
      elements *= constantExtent->getSExtValue();
    else
      isStatic = false;
    stride = prologue.CreateMul(stride, extent);
    text += " " + extentText + " *";
  }
  int64_t bytes = element->getScalarSizeInBits() / 8;
  if (isStatic && elements * bytes <= kStackBuffer && stackBytes + elements * bytes <= kStackTotal) {
    stackBytes += elements * bytes + 64;
    llvm::IRBuilder<> at(&entry->front());
    auto *stack = at.CreateAlloca(llvm::ArrayType::get(element, uint64_t(elements + 64 / bytes)), nullptr, "tile");
    stack->setAlignment(llvm::Align(64));
    buffer.pointer = stack;
  } else {
    buffer.pointer = scratch(text + " " + std::to_string(bytes) + " *", prologue.CreateMul(stride, prologue.getInt64(bytes)));
  }
  return buffer;
}

const Buffer &PhaseLowering::bufferOf(Value tile) {
  Value owner = plan->owner(tile);
  if (auto found = buffers.find(owner); found != buffers.end()) return found->second;
  if (StoreOp store = storeInPlace(owner)) {
    Buffer window = windowOf(store);
    return buffers[owner] = window;
  }
  Buffer made = makeBuffer(owner);
  return buffers[owner] = made;
}

StoreOp PhaseLowering::storeInPlace(Value carry) {
  DotOp dot = overwritingDot(carry);
  if (!dot || plan->owner(carry) != carry) return {};
  auto loop = cast<LoopOp>(dot->getParentOp());
  Value result = loop->getResult(cast<BlockArgument>(carry).getArgNumber() - 1);
  auto store = result.hasOneUse() ? dyn_cast<StoreOp>(*result.getUsers().begin()) : StoreOp();
  if (!store || store.getValue() != result || store->getBlock() != loop->getBlock()) return {};
  Value view = pantile::tile::viewOf(store);
  if (cast<ViewType>(view.getType()).getElementType() != elementOf(carry.getType())) return {};
  bool alone = true;
  grid.walk([&](Operation *op) {
    if (isa<LoadOp, StoreOp, GatherOp, ScatterOp, AtomicRMWOp>(op)) alone &= op == store || pantile::tile::viewOf(op) != view;
  });
  if (!alone) return {};
  // Every logical element inside the view, rows of vectors.
  llvm::Value *lastStride = nullptr;
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(store))) {
    if (subscript.kind == Subscript::Index &&
        !(bounds.isNonNegative(subscript.value) && bounds.isKnownIndex(subscript.value, view, unsigned(dim))))
      return {};
    if (subscript.kind == Subscript::Range && !bounds.insideView(store, unsigned(dim), subscript.value)) return {};
    if (subscript.kind == Subscript::Tile || subscript.kind == Subscript::Full) return {};
    if (subscript.kind == Subscript::Range) lastStride = viewOf(view).strides[dim];
  }
  auto *unit = llvm::dyn_cast_or_null<llvm::ConstantInt>(lastStride);
  if (!unit || !unit->isOne()) return {};
  for (auto [stored, summed] : llvm::zip(plan->domain({Root::Store, store, {}, {}}).extents, extents.of(dot.getResult())))
    if (stored.isWhole() || !(stored == summed)) return {};
  return store;
}

/// The window of the view that the store writes, as a buffer. Made before the loop.
Buffer PhaseLowering::windowOf(StoreOp store) {
  const View &view = viewOf(pantile::tile::viewOf(store));
  Buffer window{view.pointer, view.element, {}};
  for (auto [dim, subscript] : llvm::enumerate(subscriptsOf(store))) {
    bool isIndex = subscript.kind == Subscript::Index;
    llvm::Value *begin = isIndex ? scalar(subscript.value) : range(subscript.value).begin;
    window.pointer = b.CreateGEP(memoryType(view.element), window.pointer, b.CreateMul(begin, view.strides[dim]));
    if (!isIndex) window.strides.push_back(view.strides[dim]);
  }
  return window;
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

Expected<LaunchDescription> PhaseLowering::run() {
  llvm::Type *i64 = llvm::Type::getInt64Ty(context), *pointer = llvm::PointerType::get(context, 0);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, i64, i64, pointer}, false);
  function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  slotsArgument = function->getArg(0);
  scratchArgument = function->getArg(3);
  for (unsigned i : {0u, 3u}) function->addParamAttr(i, llvm::Attribute::NoAlias);
  entry = newBlock("entry");
  llvm::BasicBlock *programs = newBlock("programs");
  prologue.SetInsertPoint(llvm::BranchInst::Create(programs, entry));
  b.SetInsertPoint(programs);
  llvm::FastMathFlags flags;
  flags.setAllowContract();
  prologue.setFastMathFlags(flags);
  b.setFastMathFlags(flags);
  scratchOffset = prologue.getInt64(kScratchHeader);
  auto *zeroType = llvm::ArrayType::get(llvm::Type::getInt8Ty(context), 64);
  auto *zeroBytes = module.getNamedGlobal("zeros");
  if (!zeroBytes) {
    zeroBytes = new llvm::GlobalVariable(module, zeroType, true, llvm::GlobalValue::InternalLinkage,
                                         llvm::ConstantAggregateZero::get(zeroType), "zeros");
    zeroBytes->setAlignment(llvm::Align(64));
  }
  zeros = zeroBytes;

  plan = std::make_unique<Plan>(grid, extents, [&](DotOp, Value operand, bool) { return dotReadsInPlace(operand); });
  Block &body = grid.getBody().front();
  countedLoop(b, function->getArg(1), function->getArg(2), b.getInt64(1), "program", [&](llvm::Value *program) {
    scalars[body.getArgument(0)] = program;
    lowerBlock(&body);
  });
  b.CreateRetVoid();
  if (!failure.isOk()) return failure;

  llvm::DominatorTree dominators(*function);
  std::vector<llvm::AllocaInst *> promotable;
  for (llvm::AllocaInst *slot : variables)
    if (llvm::isAllocaPromotable(slot)) promotable.push_back(slot);
  llvm::PromoteMemToReg(promotable, dominators);

  LaunchDescription launch;
  launch.entry = name;
  auto count = hostExpression(grid.getCount());
  if (!count) return Status(PANTILE_UNSUPPORTED, "the number of programs of phase '" + name + "' is not an expression of sizes");
  launch.grid[0] = *count;
  launch.slots = slotExpressions;
  bool anyScratch = scratchConstant > 0 || scratchBytes != "0";
  std::string total = std::to_string(anyScratch ? kScratchHeader + scratchConstant : 0);
  if (scratchBytes != "0") total += " " + scratchBytes + " +";
  launch.extras = {total, "0", "0", "0"};
  return launch;
}

} // namespace pantile::cpu
