//===- cuda/compiler/tests/NvvmTargetTest.cpp - every row assembles -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A kernel that uses every function of the target is generated for each architecture and, where ptxas is installed, assembled.
// Atoms are checked as maps: each element of a fragment is held, and the instruction's registers fit.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/NvvmTarget.h"
#include "backends/cuda/compiler/Assembler.h"
#include "backends/cuda/compiler/Ptx.h"

#include "llvm/IR/LLVMContext.h"

#include <gtest/gtest.h>
#include <set>

using namespace pantile;
using namespace pantile::cuda;
using simt::KernelParameter;

namespace {

class NvvmTargetTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    auto parsed = parseTarget(GetParam());
    ASSERT_TRUE(parsed) << parsed.status().message();
    target = *parsed;
    nvvm = createNvvmTarget(target);
    module = std::make_unique<llvm::Module>("test", context);
    nvvm->prepare(*module);
  }
  llvm::Function *kernel(llvm::ArrayRef<KernelParameter> parameters, simt::KernelShape shape = {}) {
    auto *function = nvvm->createKernel(*module, "kernel_0", parameters, shape);
    builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
    return function;
  }
  /// Ends the kernel, generates, assembles; gives the PTX.
  std::string finish() {
    builder.CreateRetVoid();
    Status optimized = optimizeModule(*module, target);
    EXPECT_TRUE(optimized.isOk()) << optimized.message();
    if (!optimized.isOk()) return "";
    auto ptx = emitPtx(*module, target);
    EXPECT_TRUE(ptx) << ptx.status().message();
    if (!ptx) return "";
    if (auto program = findAssembler()) {
      auto assembled = assemble(*program, *ptx, target.row->name, std::chrono::seconds(60));
      EXPECT_TRUE(assembled) << assembled.status().message() << "\n" << *ptx;
    }
    return *ptx;
  }
  void keep(llvm::Value *value, llvm::Value *global) {
    auto *at = builder.CreateGEP(builder.getInt32Ty(), global, builder.getInt32(kept++ * 1024));
    builder.CreateStore(value, builder.CreateGEP(value->getType(), at, nvvm->threadId(builder)));
  }

  Target target;
  std::unique_ptr<simt::SimtTarget> nvvm;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  llvm::IRBuilder<> builder{context};
  unsigned kept = 0;
};

TEST_P(NvvmTargetTest, GeneratesItsBasics) {
  auto *function = kernel({{KernelParameter::Pointer}, {KernelParameter::Integer}}, {8, 1, 2, 0});
  llvm::Value *global = function->getArg(0), *shared = nvvm->sharedMemory(builder, *module);
  auto *thread = nvvm->threadId(builder);
  builder.CreateStore(thread, builder.CreateGEP(builder.getInt32Ty(), shared, thread));
  nvvm->barrier(builder);
  nvvm->namedBarrier(builder, builder.getInt32(1), 128);
  nvvm->warpBarrier(builder);
  auto *lane = nvvm->laneId(builder);
  keep(nvvm->shuffleXor(builder, thread, 4), global);
  keep(nvvm->shuffle(builder, thread, lane), global);
  keep(nvvm->shuffleUp(builder, thread, 2), global);
  keep(nvvm->warpId(builder), global);
  keep(nvvm->blockId(builder), global);
  auto *load = builder.CreateLoad(builder.getFloatTy(), global);
  nvvm->markInvariant(load);
  for (MathOp op : {MathOp::Exp, MathOp::Exp2, MathOp::Rsqrt}) keep(nvvm->math(builder, op, {load}), global);
  keep(nvvm->narrowPair(builder, load, load, builder.getHalfTy()), global);
  keep(nvvm->narrowPair(builder, load, load, llvm::Type::getBFloatTy(context)), global);
  for (unsigned bytes : {4, 8, 16}) nvvm->asyncCopy(builder, shared, global, bytes, lane);
  nvvm->asyncCommit(builder);
  nvvm->asyncWait(builder, 1);
  const std::string ptx = finish();
  for (const char *instruction : {".maxntid 256", ".minnctapersm 2", "bar.sync", "shfl.sync.bfly", "shfl.sync.up", "ex2.approx",
                                  "ld.global.nc", "cp.async.cg.shared.global", "cp.async.wait_group", "cvt.rn.bf16x2.f32", "rsqrt.approx"})
    EXPECT_NE(ptx.find(instruction), std::string::npos) << instruction;
}

TEST_P(NvvmTargetTest, GeneratesItsAtoms) {
  auto *function = kernel({{KernelParameter::Pointer}});
  llvm::Value *global = function->getArg(0), *shared = nvvm->sharedMemory(builder, *module);
  llvm::SmallVector<llvm::Value *> words;
  for (unsigned i = 0; i < 16; ++i)
    words.push_back(builder.CreateLoad(builder.getInt32Ty(), builder.CreateGEP(builder.getInt32Ty(), global, builder.getInt32(i))));
  for (const simt::DotAtom &atom : nvvm->dotAtoms()) {
    auto fragment = [&](const simt::AtomText &map, pantile_dtype type) {
      const unsigned elements = 1u << simt::Atom::of(map).registers.size();
      const unsigned bytes = type == PANTILE_F64 ? 8 : type == PANTILE_F32 ? 4 : type == PANTILE_BF16 || type == PANTILE_F16 ? 2 : 1;
      llvm::SmallVector<llvm::Value *> values;
      for (unsigned i = 0; i < std::max(1u, elements * bytes / 4); ++i)
        if (bytes == 8 && i == 0)
          values.push_back(builder.CreateZExt(words[0], builder.getInt64Ty()));
        else if (bytes < 8)
          values.push_back(words[i]);
      return values;
    };
    llvm::SmallVector<llvm::Value *> acc;
    for (unsigned i = 0; i < 1u << simt::Atom::of(atom.accMap).registers.size(); ++i)
      acc.push_back(atom.acc == PANTILE_F32   ? builder.CreateBitCast(words[i], builder.getFloatTy())
                    : atom.acc == PANTILE_F64 ? builder.CreateUIToFP(words[i], builder.getDoubleTy())
                                              : words[i]);
    auto results = nvvm->emitDot(builder, atom, fragment(atom.lhsMap, atom.lhs), fragment(atom.rhsMap, atom.rhs), acc);
    ASSERT_EQ(results.size(), acc.size()) << atom.name;
    for (auto *result : results) keep(result, global);
  }
  for (const simt::MatrixLoadAtom &atom : nvvm->matrixLoads()) {
    auto results = nvvm->emitMatrixLoad(builder, atom, shared);
    ASSERT_EQ(results.size(), atom.registers) << atom.name;
    for (auto *result : results) keep(result, global);
  }
  const std::string ptx = finish();
  EXPECT_NE(ptx.find("mma.sync.aligned.m16n8k16"), std::string::npos);
  EXPECT_NE(ptx.find("ldmatrix.sync.aligned.m8n8.x4.trans"), std::string::npos);
}

TEST_P(NvvmTargetTest, CoversEveryElementOnce) {
  auto covers = [](const simt::AtomText &map, int64_t first, int64_t second, const char *what) {
    simt::Layout layout(simt::Atom::of(map), {});
    std::set<std::pair<int64_t, int64_t>> seen;
    for (unsigned w = 0; w < (1u << simt::Atom::of(map).warps.size()); ++w)
      for (unsigned l = 0; l < 32; ++l)
        for (unsigned r = 0; r < layout.registers(); ++r) {
          auto at = layout.at(r, l, w);
          EXPECT_TRUE(at[0] < first && at[1] < second && seen.insert({at[0], at[1]}).second) << what;
        }
    EXPECT_EQ(int64_t(seen.size()), first * second) << what;
  };
  auto check = [&](const simt::DotAtom &atom, bool rhs) {
    covers(atom.lhsMap, atom.m, atom.k, atom.name);
    if (rhs) covers(atom.rhsMap, atom.n, atom.k, atom.name);
    covers(atom.accMap, atom.m, atom.n, atom.name);
  };
  for (const simt::DotAtom &atom : nvvm->dotAtoms()) check(atom, true);
  if (nvvm->engine())
    for (const simt::DotAtom &atom : nvvm->engine()->groupAtoms()) check(atom, false);
}

TEST_P(NvvmTargetTest, GeneratesItsEngine) {
  const simt::AsyncEngine *engine = nvvm->engine();
  if (!engine) GTEST_SKIP() << GetParam() << " has none";
  auto *function = kernel({{KernelParameter::Pointer}, {KernelParameter::Descriptor}}, {4, 1, 1, 0});
  llvm::Value *global = function->getArg(0), *map = function->getArg(1), *shared = nvvm->sharedMemory(builder, *module);
  auto *zero = builder.getInt32(0);
  engine->initBarrier(builder, shared, 1);
  engine->fenceBarrierInit(builder);
  nvvm->barrier(builder);
  engine->prefetchDescriptor(builder, map);
  keep(builder.CreateZExt(engine->electOne(builder), builder.getInt32Ty()), global);
  engine->arriveExpecting(builder, shared, builder.getInt32(1024));
  for (unsigned rank = 1; rank <= 5; ++rank) {
    llvm::SmallVector<llvm::Value *> at(rank, zero);
    engine->loadBox(builder, shared, map, at, shared);
    engine->storeBox(builder, map, at, shared);
  }
  engine->wait(builder, shared, zero);
  engine->commitStores(builder);
  engine->waitStoresRead(builder, 1);
  engine->arrive(builder, shared);
  engine->fenceSharedForEngine(builder);
  simt::SharedOperand operand;
  operand.strideBytes = 1024;
  auto *descriptor = engine->operandDescriptor(builder, shared, operand);
  descriptor = engine->advanceDescriptor(builder, descriptor, builder.getInt32(32));
  for (const simt::DotAtom &atom : engine->groupAtoms()) {
    if (atom.n != 8 && atom.n != 64) continue; // the others differ in a number
    engine->fenceDots(builder);
    llvm::SmallVector<llvm::Value *> none;
    auto acc = engine->emitGroupDot(builder, atom, {descriptor}, true, descriptor, true, none, true);
    llvm::SmallVector<llvm::Value *> values(acc.begin(), acc.end()), fragment(4, zero);
    ASSERT_EQ(values.size(), atom.n / 2);
    auto more = engine->emitGroupDot(builder, atom, {descriptor}, true, descriptor, true, values, false);
    auto last = engine->emitGroupDot(builder, atom, fragment, true, descriptor, true,
                                     llvm::SmallVector<llvm::Value *>(more.begin(), more.end()), false);
    engine->commitDots(builder);
    llvm::SmallVector<llvm::Value *> waited(last.begin(), last.end());
    engine->waitDots(builder, 0, waited);
    for (auto *value : waited) keep(value, global);
  }
  const std::string ptx = finish();
  for (const char *instruction :
       {"wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16", "cp.async.bulk.tensor.2d.shared::cta.global", "mbarrier.try_wait.parity",
        "fence.proxy.async", "wgmma.wait_group.sync.aligned 0", "mbarrier.arrive.expect_tx", "elect.sync"})
    EXPECT_NE(ptx.find(instruction), std::string::npos) << instruction;
  EXPECT_EQ(ptx.find(".local"), std::string::npos) << "tensor maps stay where they are";
}

INSTANTIATE_TEST_SUITE_P(Targets, NvvmTargetTest, testing::Values("sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"));

} // namespace
