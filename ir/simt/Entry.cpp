//===- ir/simt/Entry.cpp - the kernel, its parameters, arithmetic ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Which slots a phase needs shows only while it is lowered: the body grows in a function without parameters where each slot
// is a placeholder, and moves into the kernel at the end.
//
//===----------------------------------------------------------------------===//

#include "ir/emit/ElementaryMath.h"
#include "ir/emit/HostExpression.h"
#include "ir/simt/LaunchExtras.h"
#include "ir/simt/PhaseLowering.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

PhaseLowering::PhaseLowering(GridOp grid, const ExtentAnalysis &extents, const Facts &facts, const SimtTarget &target,
                             const SimtSchedule &schedule, llvm::Module &module, std::string name, const WorkspacePlan &workspaces)
    : PhaseScalars(grid, extents, facts, module.getContext(), "this target", workspaces), target(target), limits(target.limits()),
      schedule(schedule), module(module), name(std::move(name)) {
  evaluatesOnHost = true;
  if (schedule.engine && target.engine()) sharedTop = kBarrierBytes;
}

llvm::Value *PhaseLowering::slot(const std::string &expression) {
  auto [found, isNew] = parameterOf.try_emplace(expression, nullptr);
  if (isNew) {
    llvm::Type *i64 = prologue.getInt64Ty();
    auto *placeholder = llvm::cast<llvm::Instruction>(prologue.CreateFreeze(llvm::PoisonValue::get(i64)));
    parameters.push_back({expression, placeholder});
    found->second = placeholder;
  }
  return found->second;
}

llvm::Value *PhaseLowering::address(const std::string &expression) {
  auto [found, isNew] = parameterOf.try_emplace("*" + expression, nullptr);
  if (isNew) {
    llvm::Type *pointer = llvm::PointerType::get(context, limits.globalSpace);
    auto *placeholder = llvm::cast<llvm::Instruction>(prologue.CreateFreeze(llvm::PoisonValue::get(pointer)));
    parameters.push_back({expression, placeholder});
    found->second = placeholder;
  }
  return found->second;
}

llvm::Value *PhaseLowering::extend(llvm::IRBuilderBase &at, llvm::Value *value) {
  return at.CreateFPExt(value, value->getType()->getWithNewType(at.getFloatTy()));
}

llvm::Value *PhaseLowering::truncate(llvm::IRBuilderBase &at, llvm::Value *value, llvm::Type *element) {
  return at.CreateFPTrunc(value, value->getType()->getWithNewType(element));
}

llvm::Value *PhaseLowering::math(llvm::IRBuilderBase &at, MathOp op, llvm::ArrayRef<llvm::Value *> operands) {
  if (llvm::Value *native = target.math(at, op, operands)) return native;
  return emitMath(at, op, operands, MathTarget());
}

llvm::BasicBlock *PhaseLowering::newBlock(const char *label) { return llvm::BasicBlock::Create(context, label, function); }

Expected<LaunchDescription> PhaseLowering::finish(llvm::BasicBlock *entry) {
  SmallVector<KernelParameter, 16> kinds;
  for (auto &[expression, placeholder] : parameters)
    kinds.push_back({placeholder->getType()->isPointerTy() ? KernelParameter::Pointer : KernelParameter::Integer});
  for (size_t i = 0; i < descriptors.size(); ++i) kinds.push_back({KernelParameter::Descriptor});
  KernelShape shape{schedule.warps, 1, schedule.blocksPerUnit, schedule.maxRegisters};
  llvm::Function *kernel = target.createKernel(module, name, kinds, shape);
  kernel->splice(kernel->begin(), function);
  for (auto [i, parameter] : llvm::enumerate(parameters)) {
    parameter.second->replaceAllUsesWith(kernel->getArg(unsigned(i)));
    parameter.second->eraseFromParent();
  }
  for (auto [i, descriptor] : llvm::enumerate(descriptors)) {
    descriptor.placeholder->replaceAllUsesWith(kernel->getArg(unsigned(parameters.size() + i)));
    descriptor.placeholder->eraseFromParent();
  }
  function->eraseFromParent();
  function = kernel;

  LaunchDescription launch;
  launch.entry = name;
  auto count = hostExpression(grid.getCount());
  if (!count) return Status(PANTILE_UNSUPPORTED, "the number of programs of phase '" + name + "' is not an expression of sizes");
  launch.grid[0] = *count;
  launch.block[0] = std::to_string(schedule.warps * limits.lanes);
  launch.sharedBytes = std::to_string(sharedMost);
  for (auto &[expression, placeholder] : parameters) launch.slots.push_back(expression);
  launch.extras.assign(kLaunchExtras, "0");
  launch.extras[kExtraVersion] = std::to_string(kLaunchExtrasVersion);
  launch.extras[kExtraCluster] = "1";
  launch.extras[kExtraDescriptors] = std::to_string(descriptors.size());
  for (const Descriptor &descriptor : descriptors)
    launch.extras.insert(launch.extras.end(), descriptor.words.begin(), descriptor.words.end());
  return launch;
}

Expected<LaunchDescription> PhaseLowering::run() {
  auto pid = dyn_cast_or_null<StringAttr>(grid.getSchedule().get("pid_type"));
  bool persistent = pid && pid.getValue() != "flat";
  if (!schedule.warps) schedule.warps = LayoutChoice::warpsFor(grid, target);
  if (int64_t(schedule.warps) * limits.lanes > limits.threads)
    return Status(PANTILE_UNSUPPORTED, "num_warps " + std::to_string(schedule.warps) + " makes more threads than a block may have (" +
                                           std::to_string(limits.threads) + ")");
  Status dynamic;
  grid->walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tile = dyn_cast<RankedTensorType>(type); tile && !tile.hasStaticShape() && dynamic.isOk())
        for (auto [dim, extent] : llvm::zip(dimsOf(tile), tile.getShape()))
          if (ShapedType::isDynamic(extent))
            dynamic = Status(PANTILE_UNSUPPORTED, "full extent '@" + dim.symbol.getValue().str() + "' is not bound")
                          .withFix("set " + dim.symbol.getValue().str() + " to a size that no call exceeds, or reduction_loops." +
                                   dim.symbol.getValue().str());
  });
  if (!dynamic.isOk()) return dynamic;
  grid->walk([&](Operation *op) {
    if (isa<LoadOp, GatherOp>(op)) loadedViews.insert(tile::viewOf(op));
    if (isa<StoreOp, ScatterOp>(op)) storedViews.insert(tile::viewOf(op));
  });
  choice = std::make_unique<LayoutChoice>(grid, extents, bounds, facts, target, schedule.warps, schedule.engine);

  function = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), false), llvm::Function::InternalLinkage,
                                    name + ".body", module);
  llvm::BasicBlock *entry = newBlock("entry"), *body = newBlock("program");
  setup = newBlock("setup");
  prologue.SetInsertPoint(llvm::BranchInst::Create(setup, entry));
  llvm::BranchInst::Create(body, setup);
  b.SetInsertPoint(body);
  llvm::FastMathFlags flags;
  flags.setAllowContract();
  prologue.setFastMathFlags(flags);
  b.setFastMathFlags(flags);
  thread = target.threadId(prologue);
  lane = target.laneId(prologue);
  warp = target.warpId(prologue);
  llvm::Value *block = prologue.CreateZExt(target.blockId(prologue), prologue.getInt64Ty());

  Block &program = grid.getBody().front();
  std::string count = hostExpression(grid.getCount()).value_or("");
  std::string resident = count + " d.units " + std::to_string(schedule.blocksPerUnit) + " * min 1 max";
  if (!persistent || count.empty()) {
    persistent = false;
    scalars[program.getArgument(0)] = block;
    lowerBlock(&program);
  } else {
    // Blocks stay and take programs: neighbours side by side, or each its own stretch.
    llvm::Value *total = slot(count), *step = slot(resident), *first = block, *last = total, *by = step;
    if (pid.getValue() == "persistent_blocked") {
      llvm::Value *each = slot(count + " " + resident + " ceildiv");
      first = b.CreateMul(block, each);
      last = b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, b.CreateAdd(first, each), total);
      by = b.getInt64(1);
    }
    llvm::BasicBlock *before = b.GetInsertBlock(), *head = newBlock("next"), *inside = newBlock("inside"), *done = newBlock("done");
    b.CreateBr(head);
    b.SetInsertPoint(head);
    llvm::PHINode *at = b.CreatePHI(b.getInt64Ty(), 2, "pid");
    at->addIncoming(first, before);
    b.CreateCondBr(b.CreateICmpULT(at, last), inside, done);
    b.SetInsertPoint(inside);
    scoped([&] {
      scalars[program.getArgument(0)] = at;
      lowerBlock(&program);
    });
    at->addIncoming(b.CreateAdd(at, by), b.GetInsertBlock());
    b.CreateBr(head);
    b.SetInsertPoint(done);
  }
  b.CreateRetVoid();
  initializeBarriers();
  if (!failure.isOk()) {
    function->eraseFromParent();
    return failure;
  }
  if (sharedMost > limits.sharedBytes) {
    function->eraseFromParent();
    return Status(PANTILE_COMPILE_ERROR, "phase '" + name + "' needs " + std::to_string(sharedMost) +
                                             " bytes of shared memory, the target has " + std::to_string(limits.sharedBytes))
        .withFix("smaller blocks or fewer stages");
  }
  auto launch = finish(entry);
  if (launch && persistent) launch->grid[0] = resident;
  return launch;
}

} // namespace pantile::simt
