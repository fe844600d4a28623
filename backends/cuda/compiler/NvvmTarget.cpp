//===- cuda/compiler/NvvmTarget.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/NvvmTarget.h"

#include "llvm/IR/IntrinsicsNVPTX.h"

#include <cmath>

using namespace llvm;
using pantile::simt::Builder;

namespace pantile::cuda {

CallInst *callIntrinsic(Builder &b, unsigned intrinsic, ArrayRef<Value *> operands, ArrayRef<Type *> types) {
  Function *function = Intrinsic::getOrInsertDeclaration(b.GetInsertBlock()->getModule(), static_cast<Intrinsic::ID>(intrinsic), types);
  return b.CreateCall(function, operands);
}

namespace {

constexpr const char *kTriple = "nvptx64-nvidia-cuda";
/// LLVM's for nvptx64: checked against its own when code is generated.
constexpr const char *kLayout = "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64";

class NvvmTarget : public simt::SimtTarget {
public:
  explicit NvvmTarget(const Target &target) : target(target) {
    constants.sharedBytes = target.row->sharedBlock;
    constants.asyncCopyBytes = target.has(kAsyncCopy) ? 4 | 8 | 16 : 0;
    for (const DotRow &row : dotRows())
      if ((target.row->features & row.needs) == row.needs) atoms.push_back(row.atom);
    if (target.has(kMatrixLoad))
      for (const MatrixLoadRow &row : matrixLoadRows()) loads.push_back(row.atom);
  }

  const simt::SimtLimits &limits() const override { return constants; }
  ArrayRef<simt::DotAtom> dotAtoms() const override { return atoms; }
  ArrayRef<simt::MatrixLoadAtom> matrixLoads() const override { return loads; }

  //--- Module and kernels
  void prepare(Module &module) const override {
    module.setTargetTriple(Triple(kTriple));
    module.setDataLayout(kLayout);
  }
  Function *createKernel(Module &module, StringRef name, ArrayRef<simt::KernelParameter> parameters,
                         const simt::KernelShape &shape) const override {
    LLVMContext &context = module.getContext();
    SmallVector<Type *> types;
    for (const simt::KernelParameter &parameter : parameters)
      types.push_back(parameter.kind == simt::KernelParameter::Pointer      ? PointerType::get(context, 1)
                      : parameter.kind == simt::KernelParameter::Descriptor ? PointerType::get(context, 0)
                                                                            : cast<Type>(Type::getInt64Ty(context)));
    auto *function =
        Function::Create(FunctionType::get(Type::getVoidTy(context), types, false), GlobalValue::ExternalLinkage, name, module);
    function->setCallingConv(CallingConv::PTX_Kernel);
    for (auto [i, parameter] : enumerate(parameters)) {
      if (parameter.kind != simt::KernelParameter::Descriptor) continue;
      AttrBuilder attributes(context);
      attributes.addByValAttr(ArrayType::get(Type::getInt8Ty(context), 128));
      attributes.addAlignmentAttr(Align(64));
      attributes.addAttribute("nvvm.grid_constant");
      function->addParamAttrs(unsigned(i), attributes);
    }
    const unsigned threads = shape.warps * constants.lanes;
    function->addFnAttr(Attribute::NoUnwind);
    function->addFnAttr("target-cpu", target.row->name);
    function->addFnAttr("target-features", target.row->ptx);
    function->addFnAttr("no-builtins");
    function->addFnAttr("nvvm.maxntid", std::to_string(threads));
    if (shape.blocksPerUnit) function->addFnAttr("nvvm.minctasm", std::to_string(shape.blocksPerUnit));
    if (shape.maxRegisters) function->addFnAttr("nvvm.maxnreg", std::to_string(shape.maxRegisters));
    if (shape.cluster > 1) function->addFnAttr("nvvm.cluster_dim", std::to_string(shape.cluster) + ",1,1");
    return function;
  }

  //--- Who am I
  Value *threadId(Builder &b) const override { return bounded(b, Intrinsic::nvvm_read_ptx_sreg_tid_x, 1024); }
  Value *laneId(Builder &b) const override { return bounded(b, Intrinsic::nvvm_read_ptx_sreg_laneid, 32); }
  Value *warpId(Builder &b) const override {
    // Through a shuffle: the assembler then keeps what follows from it in uniform registers.
    return shuffle(b, b.CreateLShr(threadId(b), b.getInt32(5)), b.getInt32(0));
  }
  Value *blockId(Builder &b) const override { return callIntrinsic(b, Intrinsic::nvvm_read_ptx_sreg_ctaid_x, {}); }
  Value *sharedMemory(Builder &b, Module &module) const override {
    constexpr StringRef name = "pantile_shared";
    GlobalVariable *memory = module.getGlobalVariable(name);
    if (!memory) {
      memory = new GlobalVariable(module, ArrayType::get(b.getInt8Ty(), 0), false, GlobalValue::ExternalLinkage, nullptr, name, nullptr,
                                  GlobalValue::NotThreadLocal, 3);
      memory->setAlignment(Align(1024));
    }
    return memory;
  }

  //--- Together
  void barrier(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_barrier_cta_sync_aligned_all, {b.getInt32(0)}); }
  void namedBarrier(Builder &b, Value *id, unsigned threads) const override {
    callIntrinsic(b, Intrinsic::nvvm_barrier_cta_sync_aligned_count, {id, b.getInt32(threads)});
  }
  void warpBarrier(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_bar_warp_sync, {b.getInt32(~0u)}); }
  Value *shuffleXor(Builder &b, Value *value, unsigned mask) const override {
    return callIntrinsic(b, Intrinsic::nvvm_shfl_sync_bfly_i32, {b.getInt32(~0u), value, b.getInt32(mask), b.getInt32(31)});
  }
  Value *shuffle(Builder &b, Value *value, Value *lane) const override {
    return callIntrinsic(b, Intrinsic::nvvm_shfl_sync_idx_i32, {b.getInt32(~0u), value, lane, b.getInt32(31)});
  }
  Value *shuffleUp(Builder &b, Value *value, unsigned delta) const override {
    return callIntrinsic(b, Intrinsic::nvvm_shfl_sync_up_i32, {b.getInt32(~0u), value, b.getInt32(delta), b.getInt32(0)});
  }

  //--- Elements
  Value *math(Builder &b, MathOp op, ArrayRef<Value *> operands) const override {
    Value *x = operands.front();
    if (!x->getType()->isFloatTy()) return nullptr;
    switch (op) {
    case MathOp::Exp:
      return exponential(b, x);
    case MathOp::Exp2:
      return exp2Approximate(b, x);
    case MathOp::Rsqrt:
      return callIntrinsic(b, Intrinsic::nvvm_rsqrt_approx_f, {x});
    default:
      return nullptr;
    }
  }
  Value *narrowPair(Builder &b, Value *low, Value *high, Type *element) const override {
    if (!low->getType()->isFloatTy()) return nullptr;
    const unsigned intrinsic = element->isBFloatTy() ? unsigned(Intrinsic::nvvm_ff2bf16x2_rn)
                               : element->isHalfTy() ? unsigned(Intrinsic::nvvm_ff2f16x2_rn)
                                                     : 0;
    return intrinsic ? b.CreateBitCast(callIntrinsic(b, intrinsic, {high, low}), b.getInt32Ty()) : nullptr;
  }
  void markInvariant(LoadInst *load) const override {
    load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(load->getContext(), {}));
  }

  //--- Atoms
  SmallVector<Value *, 8> emitDot(Builder &b, const simt::DotAtom &atom, ArrayRef<Value *> lhs, ArrayRef<Value *> rhs,
                                  ArrayRef<Value *> acc) const override {
    const DotRow &row = *find_if(dotRows(), [&](const DotRow &each) { return each.atom.name == atom.name; });
    SmallVector<Value *> operands;
    Type *halves = FixedVectorType::get(b.getHalfTy(), 2);
    for (ArrayRef<Value *> side : {lhs, rhs})
      for (Value *value : side)
        operands.push_back(row.packedHalves              ? b.CreateBitCast(value, halves)
                           : row.atom.lhs == PANTILE_F64 ? b.CreateBitCast(value, b.getDoubleTy())
                                                         : value);
    operands.append(acc.begin(), acc.end());
    return members(b, callIntrinsic(b, row.intrinsic, operands));
  }
  SmallVector<Value *, 4> emitMatrixLoad(Builder &b, const simt::MatrixLoadAtom &atom, Value *address) const override {
    const MatrixLoadRow &row = *find_if(matrixLoadRows(), [&](const MatrixLoadRow &each) { return each.atom.name == atom.name; });
    auto results = members(b, callIntrinsic(b, row.intrinsic, {address}, {address->getType()}));
    return SmallVector<Value *, 4>(results.begin(), results.end());
  }

  //--- Copies beside the program
  void asyncCopy(Builder &b, Value *shared, Value *global, unsigned bytes, Value *valid) const override {
    const unsigned intrinsic = bytes == 16  ? unsigned(Intrinsic::nvvm_cp_async_cg_shared_global_16_s)
                               : bytes == 8 ? unsigned(Intrinsic::nvvm_cp_async_ca_shared_global_8_s)
                                            : unsigned(Intrinsic::nvvm_cp_async_ca_shared_global_4_s);
    callIntrinsic(b, intrinsic, {shared, global, valid});
  }
  void asyncCommit(Builder &b) const override { callIntrinsic(b, Intrinsic::nvvm_cp_async_commit_group, {}); }
  void asyncWait(Builder &b, unsigned pending) const override {
    callIntrinsic(b, Intrinsic::nvvm_cp_async_wait_group, {b.getInt32(pending)});
  }

  const simt::AsyncEngine *engine() const override { return target.has(kGroupDot) ? &hopperEngine() : nullptr; }

private:
  static SmallVector<Value *, 8> members(Builder &b, CallInst *call) {
    auto *structure = dyn_cast<StructType>(call->getType());
    if (!structure) return {call};
    SmallVector<Value *, 8> values;
    for (unsigned i = 0; i < structure->getNumElements(); ++i) values.push_back(b.CreateExtractValue(call, i));
    return values;
  }
  static Value *bounded(Builder &b, unsigned intrinsic, uint32_t limit) {
    CallInst *call = callIntrinsic(b, intrinsic, {});
    call->addRangeRetAttr(ConstantRange(APInt(32, 0), APInt(32, limit)));
    return call;
  }
  static Value *exp2Approximate(Builder &b, Value *x) { return callIntrinsic(b, Intrinsic::nvvm_ex2_approx, {x}, {x->getType()}); }
  /// e^x = 2^n * 2^f with x log2(e) = n + f, |f| <= 1/2: the unit's 2^f is good to 2 ulp there and 2^n is exact, so the error
  /// does not grow with |x|. Bounds keep n finite where the result is 0 or infinity; NaN passes.
  static Value *exponential(Builder &b, Value *x) {
    Type *type = x->getType();
    auto number = [&](double value) { return ConstantFP::get(type, value); };
    auto binary = [&](Intrinsic::ID op, Value *l, Value *r) { return b.CreateBinaryIntrinsic(op, l, r); };
    auto fma = [&](Value *u, Value *v, Value *w) { return b.CreateIntrinsic(Intrinsic::fma, {type}, {u, v, w}); };
    const float high = float(M_LOG2E), low = float(M_LOG2E - double(high));
    x = binary(Intrinsic::minimum, binary(Intrinsic::maximum, x, number(-120)), number(120));
    Value *n = b.CreateUnaryIntrinsic(Intrinsic::rint, b.CreateFMul(x, number(double(high))));
    Value *f = fma(x, number(double(low)), fma(x, number(double(high)), b.CreateFNeg(n)));
    return b.CreateFMul(exp2Approximate(b, f), exp2Approximate(b, n));
  }

  const Target &target;
  simt::SimtLimits constants;
  std::vector<simt::DotAtom> atoms;
  std::vector<simt::MatrixLoadAtom> loads;
};

} // namespace

std::unique_ptr<simt::SimtTarget> createNvvmTarget(const Target &target) { return std::make_unique<NvvmTarget>(target); }

} // namespace pantile::cuda
