//===- ir/simt/tests/TestTarget.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/tests/Machine.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace pantile::simt {

namespace {

constexpr AtomText kAcc{"mn", "n1 m8", "n2 n4 m1 m2 m4", ""};
const DotAtom kAtoms[] = {
    {"bf16.k16",
     16,
     8,
     16,
     PANTILE_BF16,
     PANTILE_BF16,
     PANTILE_F32,
     false,
     {"mk", "k1 m8 k8", "k2 k4 m1 m2 m4", ""},
     {"nk", "k1 k8", "k2 k4 n1 n2 n4", ""},
     kAcc},
    {"bf16.k8",
     16,
     8,
     8,
     PANTILE_BF16,
     PANTILE_BF16,
     PANTILE_F32,
     false,
     {"mk", "k1 m8", "k2 k4 m1 m2 m4", ""},
     {"nk", "k1", "k2 k4 n1 n2 n4", ""},
     kAcc},
    {"i8.k32",
     16,
     8,
     32,
     PANTILE_I8,
     PANTILE_I8,
     PANTILE_I32,
     false,
     {"mk", "k1 k2 m8 k16", "k4 k8 m1 m2 m4", ""},
     {"nk", "k1 k2 k16", "k4 k8 n1 n2 n4", ""},
     kAcc},
};
const MatrixLoadAtom kLoads[] = {
    {"x4", 2, 4, false, {"re", "", "r1 r2 r4 r8 e8", ""}, {"re", "e1 r8 e8", "e2 e4 r1 r2 r4", ""}},
    {"x2", 2, 2, false, {"re", "", "r1 r2 r4 e8 0", ""}, {"re", "e1 e8", "e2 e4 r1 r2 r4", ""}},
    {"x4.trans", 2, 4, true, {"re", "", "r1 r2 r4 r8 e8", ""}, {"re", "r1 r8 e8", "r2 r4 e1 e2 e4", ""}},
    {"x2.trans", 2, 2, true, {"re", "", "r1 r2 r4 r8 0", ""}, {"re", "r1 r8", "r2 r4 e1 e2 e4", ""}},
};

class TestTarget : public SimtTarget {
public:
  explicit TestTarget(bool atoms) : atoms(atoms) {
    constants.sharedBytes = 160 << 10;
    constants.asyncCopyBytes = atoms ? 4 | 8 | 16 : 0;
  }
  const SimtLimits &limits() const override { return constants; }
  ArrayRef<DotAtom> dotAtoms() const override { return atoms ? ArrayRef(kAtoms) : ArrayRef<DotAtom>(); }
  ArrayRef<MatrixLoadAtom> matrixLoads() const override { return atoms ? ArrayRef(kLoads) : ArrayRef<MatrixLoadAtom>(); }

  void prepare(Module &module) const override { module.setTargetTriple(Triple(sys::getProcessTriple())); }
  Function *createKernel(Module &module, StringRef name, ArrayRef<KernelParameter> parameters, const KernelShape &) const override {
    LLVMContext &context = module.getContext();
    SmallVector<Type *> types;
    for (const KernelParameter &parameter : parameters)
      types.push_back(parameter.kind == KernelParameter::Pointer ? (Type *)PointerType::get(context, 1) : Type::getInt64Ty(context));
    auto *kernel = Function::Create(FunctionType::get(Type::getVoidTy(context), types, false), Function::ExternalLinkage, name, module);
    // What the machine calls: arguments from slots.
    auto *entry = Function::Create(FunctionType::get(Type::getVoidTy(context), {PointerType::get(context, 0)}, false),
                                   Function::ExternalLinkage, name + "_entry", module);
    IRBuilder<> b(BasicBlock::Create(context, "", entry));
    SmallVector<Value *> arguments;
    for (auto [i, type] : enumerate(types))
      arguments.push_back(b.CreateLoad(type, b.CreateConstGEP1_64(b.getInt64Ty(), entry->getArg(0), uint64_t(i))));
    b.CreateCall(kernel, arguments);
    b.CreateRetVoid();
    return kernel;
  }
  Value *threadId(Builder &b) const override { return call(b, "sim_thread", b.getInt32Ty(), {}); }
  Value *laneId(Builder &b) const override { return b.CreateAnd(threadId(b), b.getInt32(31)); }
  Value *warpId(Builder &b) const override { return b.CreateLShr(threadId(b), 5); }
  Value *blockId(Builder &b) const override { return call(b, "sim_block", b.getInt32Ty(), {}); }
  Value *sharedMemory(Builder &b, Module &) const override { return call(b, "sim_shared", PointerType::get(b.getContext(), 3), {}); }
  void barrier(Builder &b) const override { call(b, "sim_barrier", b.getVoidTy(), {}); }
  void namedBarrier(Builder &, Value *, unsigned) const override {}
  void warpBarrier(Builder &b) const override { call(b, "sim_warp_barrier", b.getVoidTy(), {}); }
  Value *shuffleXor(Builder &b, Value *value, unsigned mask) const override {
    return shuffle(b, value, b.CreateXor(laneId(b), b.getInt32(mask)));
  }
  Value *shuffle(Builder &b, Value *value, Value *lane) const override { return call(b, "sim_shuffle", b.getInt32Ty(), {value, lane}); }
  Value *shuffleUp(Builder &b, Value *value, unsigned delta) const override {
    Value *lane = laneId(b), *below = b.CreateSub(lane, b.getInt32(delta));
    return shuffle(b, value, b.CreateSelect(b.CreateICmpULT(lane, b.getInt32(delta)), lane, below));
  }
  SmallVector<Value *, 8> emitDot(Builder &b, const DotAtom &atom, ArrayRef<Value *> lhs, ArrayRef<Value *> rhs,
                                  ArrayRef<Value *> acc) const override {
    Value *left = array(b, lhs), *right = array(b, rhs), *sums = array(b, acc);
    call(b, "sim_dot", b.getVoidTy(), {b.getInt32(unsigned(&atom - kAtoms)), left, right, sums});
    SmallVector<Value *, 8> result;
    for (auto [i, value] : enumerate(acc))
      result.push_back(b.CreateLoad(value->getType(), b.CreateConstGEP1_64(b.getInt64Ty(), sums, uint64_t(i))));
    return result;
  }
  SmallVector<Value *, 4> emitMatrixLoad(Builder &b, const MatrixLoadAtom &atom, Value *address) const override {
    Value *out = slots(b, 2);
    call(b, "sim_matrix_load", b.getVoidTy(), {b.getInt32(atom.registers), b.getInt32(atom.transposed), address, out});
    SmallVector<Value *, 4> result;
    for (unsigned i = 0; i < atom.registers; ++i)
      result.push_back(b.CreateLoad(b.getInt32Ty(), b.CreateConstGEP1_64(b.getInt32Ty(), out, uint64_t(i))));
    return result;
  }
  void asyncCopy(Builder &b, Value *shared, Value *global, unsigned bytes, Value *valid) const override {
    call(b, "sim_async_copy", b.getVoidTy(), {shared, global, b.getInt32(bytes), valid});
  }
  void asyncCommit(Builder &b) const override { call(b, "sim_async_commit", b.getVoidTy(), {}); }
  void asyncWait(Builder &b, unsigned pending) const override { call(b, "sim_async_wait", b.getVoidTy(), {b.getInt32(pending)}); }

private:
  static Value *call(Builder &b, StringRef name, Type *result, ArrayRef<Value *> operands) {
    SmallVector<Type *> types;
    for (Value *operand : operands) types.push_back(operand->getType());
    FunctionCallee callee = b.GetInsertBlock()->getModule()->getOrInsertFunction(name, FunctionType::get(result, types, false));
    return b.CreateCall(callee, operands);
  }
  static Value *slots(Builder &b, unsigned count) {
    BasicBlock &entry = b.GetInsertBlock()->getParent()->getEntryBlock();
    IRBuilder<> at(&entry, entry.begin());
    return at.CreateAlloca(ArrayType::get(at.getInt64Ty(), count));
  }
  static Value *array(Builder &b, ArrayRef<Value *> values) {
    Value *memory = slots(b, unsigned(values.size()));
    for (auto [i, value] : enumerate(values)) b.CreateStore(value, b.CreateConstGEP1_64(b.getInt64Ty(), memory, uint64_t(i)));
    return memory;
  }

  SimtLimits constants;
  bool atoms;
};

} // namespace

ArrayRef<DotAtom> testAtoms() { return kAtoms; }
std::unique_ptr<SimtTarget> createTestTarget(bool atoms) { return std::make_unique<TestTarget>(atoms); }

} // namespace pantile::simt
