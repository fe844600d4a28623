//===- cuda/compiler/Hopper.cpp - phases, tensor copies, warp-group dots --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Intrinsics, but for the dots: LLVM has no wgmma, so they are assembly, with the accumulators tied to their registers. A wait
// for dots is assembly too, and ties what it waits for: nothing may read an accumulator before it.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/NvvmTarget.h"

#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicsNVPTX.h"

#include <deque>

using namespace llvm;
using pantile::simt::Builder;

namespace pantile::cuda {

namespace {

/// One family of warp-group dots; n is 8 to 256.
struct GroupRow {
  pantile_dtype lhs, rhs, acc;
  unsigned k;
  const char *types;   ///< in the instruction's name
  const char *lhsText; ///< registers of the left operand, where it is in registers
  const char *lanes;
  bool transposes, scales; ///< whether the instruction says transpositions, and factors
  bool tf32;
};
constexpr GroupRow kGroups[] = {
    {PANTILE_BF16, PANTILE_BF16, PANTILE_F32, 16, "f32.bf16.bf16", "k1 m8 k8", "k2 k4 m1 m2 m4", true, true, false},
    {PANTILE_F16, PANTILE_F16, PANTILE_F32, 16, "f32.f16.f16", "k1 m8 k8", "k2 k4 m1 m2 m4", true, true, false},
    {PANTILE_F8E4M3FN, PANTILE_F8E4M3FN, PANTILE_F32, 32, "f32.e4m3.e4m3", "k1 k2 m8 k16", "k4 k8 m1 m2 m4", false, true, false},
    {PANTILE_F8E4M3FN, PANTILE_F8E5M2, PANTILE_F32, 32, "f32.e4m3.e5m2", "k1 k2 m8 k16", "k4 k8 m1 m2 m4", false, true, false},
    {PANTILE_F8E5M2, PANTILE_F8E4M3FN, PANTILE_F32, 32, "f32.e5m2.e4m3", "k1 k2 m8 k16", "k4 k8 m1 m2 m4", false, true, false},
    {PANTILE_F8E5M2, PANTILE_F8E5M2, PANTILE_F32, 32, "f32.e5m2.e5m2", "k1 k2 m8 k16", "k4 k8 m1 m2 m4", false, true, false},
    {PANTILE_I8, PANTILE_I8, PANTILE_I32, 32, "s32.s8.s8", "k1 k2 m8 k16", "k4 k8 m1 m2 m4", false, false, false},
    {PANTILE_F32, PANTILE_F32, PANTILE_F32, 8, "f32.tf32.tf32", "m8 k4", "k1 k2 m1 m2 m4", false, true, true},
};

struct Atoms {
  std::vector<simt::DotAtom> atoms;
  std::vector<const GroupRow *> rows;
  std::deque<std::string> texts;
  Atoms() {
    for (const GroupRow &row : kGroups)
      for (unsigned n = 256; n >= 8; n /= 2) {
        std::string &name = texts.emplace_back("wgmma.m64n" + std::to_string(n) + "k" + std::to_string(row.k) + "." + row.types);
        std::string &held = texts.emplace_back("n1 m8");
        for (unsigned bit = 8; bit < n; bit *= 2) held += " n" + std::to_string(bit);
        atoms.push_back({name.c_str(),
                         64,
                         n,
                         row.k,
                         row.lhs,
                         row.rhs,
                         row.acc,
                         row.tf32,
                         {"mk", row.lhsText, row.lanes, "m16 m32"},
                         {nullptr, nullptr, nullptr, nullptr},
                         {"mn", held.c_str(), "n2 n4 m1 m2 m4", "m16 m32"}});
        rows.push_back(&row);
      }
  }
};
const Atoms &allAtoms() {
  static const auto &it = *new Atoms;
  return it;
}

std::string list(unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i) text += (i ? ", $" : "$") + std::to_string(first + i);
  return text + "}";
}

/// A call of assembly that all lanes of the warp must reach together.
CallInst *callAssembly(Builder &b, Type *result, ArrayRef<Value *> operands, const std::string &text, const std::string &constraints) {
  SmallVector<Type *> types;
  for (Value *operand : operands) types.push_back(operand->getType());
  CallInst *call =
      b.CreateCall(InlineAsm::get(FunctionType::get(result, types, false), text, constraints, /*hasSideEffects=*/true), operands);
  call->setConvergent();
  return call;
}

/// Results of an assembly that replaces `values`, which are tied to them.
struct Tied {
  Type *type;
  std::string constraints; ///< outputs, then whatever stands between, then (added by `end`) the ties
  unsigned count;
  Tied(Builder &b, Type *element, unsigned count) : count(count) {
    type = count == 1 ? element : StructType::get(b.getContext(), SmallVector<Type *>(count, element));
    for (unsigned i = 0; i < count; ++i) constraints += element->isFloatTy() ? (i ? ",=f" : "=f") : (i ? ",=r" : "=r");
  }
  void tie() {
    for (unsigned i = 0; i < count; ++i) constraints += "," + std::to_string(i);
  }
  Value *get(Builder &b, CallInst *call, unsigned i) const { return count == 1 ? call : b.CreateExtractValue(call, i); }
};

class HopperEngine : public simt::AsyncEngine {
public:
  //--- Barriers with phases
  void initBarrier(Builder &b, Value *barrier, unsigned arrivals) const override {
    callIntrinsic(b, Intrinsic::nvvm_mbarrier_init_shared, {barrier, b.getInt32(arrivals)});
  }
  void fenceBarrierInit(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_fence_mbarrier_init_release_cluster, {}); }
  void arrive(Builder &b, Value *barrier) const override {
    callIntrinsic(b, Intrinsic::nvvm_mbarrier_arrive_scope_cta_space_cta, {barrier, b.getInt32(1)});
  }
  void arriveExpecting(Builder &b, Value *barrier, Value *bytes) const override {
    callIntrinsic(b, Intrinsic::nvvm_mbarrier_arrive_expect_tx_scope_cta_space_cta, {barrier, bytes});
  }
  void wait(Builder &b, Value *barrier, Value *parity) const override {
    BasicBlock *before = b.GetInsertBlock();
    Function *function = before->getParent();
    BasicBlock *after;
    if (b.GetInsertPoint() == before->end()) {
      after = BasicBlock::Create(b.getContext(), "waited", function);
      after->moveAfter(before);
    } else {
      after = before->splitBasicBlock(b.GetInsertPoint(), "waited");
      before->getTerminator()->eraseFromParent();
    }
    BasicBlock *loop = BasicBlock::Create(b.getContext(), "wait", function, after);
    b.SetInsertPoint(before);
    b.CreateBr(loop);
    b.SetInsertPoint(loop);
    Value *done = callIntrinsic(b, Intrinsic::nvvm_mbarrier_try_wait_parity_scope_cta_space_cta, {barrier, parity});
    b.CreateCondBr(done, after, loop);
    b.SetInsertPoint(after, after->begin());
    if (after->empty()) b.SetInsertPoint(after);
  }

  //--- Copies of boxes
  void loadBox(Builder &b, Value *shared, Value *descriptor, ArrayRef<Value *> coordinates, Value *barrier) const override {
    constexpr unsigned intrinsics[] = {
        Intrinsic::nvvm_cp_async_bulk_tensor_g2s_cta_tile_1d, Intrinsic::nvvm_cp_async_bulk_tensor_g2s_cta_tile_2d,
        Intrinsic::nvvm_cp_async_bulk_tensor_g2s_cta_tile_3d, Intrinsic::nvvm_cp_async_bulk_tensor_g2s_cta_tile_4d,
        Intrinsic::nvvm_cp_async_bulk_tensor_g2s_cta_tile_5d};
    SmallVector<Value *> operands = {shared, barrier, descriptor};
    operands.append(coordinates.begin(), coordinates.end());
    operands.append({b.getInt64(0), b.getFalse()}); // no cache hint
    callIntrinsic(b, intrinsics[coordinates.size() - 1], operands);
  }
  void storeBox(Builder &b, Value *descriptor, ArrayRef<Value *> coordinates, Value *shared) const override {
    constexpr unsigned intrinsics[] = {Intrinsic::nvvm_cp_async_bulk_tensor_s2g_tile_1d, Intrinsic::nvvm_cp_async_bulk_tensor_s2g_tile_2d,
                                       Intrinsic::nvvm_cp_async_bulk_tensor_s2g_tile_3d, Intrinsic::nvvm_cp_async_bulk_tensor_s2g_tile_4d,
                                       Intrinsic::nvvm_cp_async_bulk_tensor_s2g_tile_5d};
    SmallVector<Value *> operands = {shared, descriptor};
    operands.append(coordinates.begin(), coordinates.end());
    operands.append({b.getInt64(0), b.getFalse()});
    callIntrinsic(b, intrinsics[coordinates.size() - 1], operands);
  }
  void commitStores(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_cp_async_bulk_commit_group, {}); }
  void waitStoresRead(Builder &b, unsigned pending) const override {
    callIntrinsic(b, Intrinsic::nvvm_cp_async_bulk_wait_group_read, {b.getInt32(pending)});
  }
  void prefetchDescriptor(Builder &b, Value *descriptor) const override {
    callIntrinsic(b, Intrinsic::nvvm_prefetch_tensormap, {descriptor}, {descriptor->getType()});
  }
  void fenceSharedForEngine(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_fence_proxy_async_shared_cta, {}); }

  //--- Dots of warp groups
  ArrayRef<simt::DotAtom> groupAtoms() const override { return allAtoms().atoms; }
  Value *operandDescriptor(Builder &b, Value *shared, const simt::SharedOperand &operand) const override {
    const uint64_t kind = operand.swizzleBytes == 128 ? 1 : operand.swizzleBytes == 64 ? 2 : operand.swizzleBytes == 32 ? 3 : 0;
    const uint64_t fixed =
        uint64_t(operand.leadingBytes >> 4 & 0x3fff) << 16 | uint64_t(operand.strideBytes >> 4 & 0x3fff) << 32 | kind << 62;
    // In a cluster an address carries the block's rank above its 18 bits.
    Value *address = b.CreateAnd(b.CreatePtrToInt(shared, b.getInt32Ty()), b.getInt32(0x3ffff));
    return b.CreateOr(b.CreateZExt(b.CreateLShr(address, b.getInt32(4)), b.getInt64Ty()), b.getInt64(fixed));
  }
  Value *advanceDescriptor(Builder &b, Value *descriptor, Value *bytes) const override {
    Value *wide = b.CreateZExtOrTrunc(bytes, b.getInt64Ty());
    return b.CreateAdd(descriptor, b.CreateLShr(wide, b.getInt64(4)));
  }
  void fenceDots(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_wgmma_fence_sync_aligned, {}); }
  SmallVector<Value *, 8> emitGroupDot(Builder &b, const simt::DotAtom &atom, ArrayRef<Value *> lhs, bool lhsAlongK, Value *rhs,
                                       bool rhsAlongK, ArrayRef<Value *> acc, bool clear) const override {
    const Atoms &all = allAtoms();
    const GroupRow &row =
        *all.rows[size_t(find_if(all.atoms, [&](const simt::DotAtom &each) { return each.name == atom.name; }) - all.atoms.begin())];
    Type *element = row.acc == PANTILE_F32 ? b.getFloatTy() : b.getInt32Ty();
    const unsigned count = atom.n / 2, shared = lhs.size() == 1 && lhs[0]->getType()->isIntegerTy(64);
    Tied tied(b, element, count);
    const unsigned next = count;
    SmallVector<Value *> operands(lhs.begin(), lhs.end());
    operands.push_back(rhs);
    std::string left = shared ? "$" + std::to_string(next) : list(next, unsigned(lhs.size()));
    for (size_t i = 0; i < lhs.size(); ++i) tied.constraints += shared ? ",l" : ",r";
    tied.constraints += ",l";
    std::string text = std::string("{\n.reg .pred p;\nsetp.ne.b32 p, ") + (clear ? "0" : "1") + ", 0;\nwgmma.mma_async.sync.aligned.m64n" +
                       std::to_string(atom.n) + "k" + std::to_string(atom.k) + "." + row.types + " " + list(0, count) + ", " + left +
                       ", $" + std::to_string(next + lhs.size()) + ", p";
    if (row.scales) text += ", 1, 1";
    if (row.transposes && shared) text += lhsAlongK ? ", 0" : ", 1";
    if (row.transposes) text += rhsAlongK ? ", 0" : ", 1";
    text += ";\n}";
    if (!clear) {
      tied.tie();
      operands.append(acc.begin(), acc.end());
    }
    CallInst *call = callAssembly(b, tied.type, operands, text, tied.constraints);
    SmallVector<Value *, 8> results;
    for (unsigned i = 0; i < count; ++i) results.push_back(tied.get(b, call, i));
    return results;
  }
  void commitDots(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_wgmma_commit_group_sync_aligned, {}); }
  void waitDots(Builder &b, unsigned pending, MutableArrayRef<Value *> values) const override {
    const std::string text = "wgmma.wait_group.sync.aligned " + std::to_string(pending) + ";";
    if (values.empty()) {
      callAssembly(b, b.getVoidTy(), {}, text, "~{memory}");
      return;
    }
    Tied tied(b, values[0]->getType(), unsigned(values.size()));
    tied.tie();
    CallInst *call = callAssembly(b, tied.type, SmallVector<Value *>(values.begin(), values.end()), text, tied.constraints + ",~{memory}");
    for (unsigned i = 0; i < values.size(); ++i) values[i] = tied.get(b, call, i);
  }

  //--- Roles
  Value *electOne(Builder &b) const override {
    return b.CreateExtractValue(callIntrinsic(b, Intrinsic::nvvm_elect_sync, {b.getInt32(~0u)}), 1);
  }
  void setRegisters(Builder &b, unsigned count, bool raise) const override {
    callIntrinsic(
        b, raise ? unsigned(Intrinsic::nvvm_setmaxnreg_inc_sync_aligned_u32) : unsigned(Intrinsic::nvvm_setmaxnreg_dec_sync_aligned_u32),
        {b.getInt32(count)});
  }
};

} // namespace

const simt::AsyncEngine &hopperEngine() {
  static const auto &engine = *new HopperEngine;
  return engine;
}

} // namespace pantile::cuda
