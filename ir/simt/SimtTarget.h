//===- ir/simt/SimtTarget.h - what a device plugin tells the lowering ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The one interface between the shared SIMT lowering and a vendor. Everything is data where it can be: limits, dot atoms
// and copy atoms are tables; the rest emits a few LLVM instructions. A plugin implements it once a target.
//
// Words: a *warp* is the group of lanes that runs together (warp, wave, subgroup); a *block* is the threads that share
// shared memory (block, work group). All ids and counts are i32. Pointers to shared memory are `ptr addrspace(shared)`.
//
// Registers of narrow types: an operand of a dot is passed as i32 values with the elements of consecutive register
// numbers packed from the low bits up (two f16, four f8); f32, tf32 and i32 as one i32 each, f64 as i64.
//
// Threads: const and stateless; one object may serve several compilations.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_SIMTTARGET_H
#define PANTILE_IR_SIMT_SIMTTARGET_H

#include "ir/emit/MathOp.h"
#include "ir/simt/Layout.h"
#include "pantile/types.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace pantile::simt {

struct SimtLimits {
  unsigned lanes = 32;
  unsigned globalSpace = 1, sharedSpace = 3; ///< LLVM address spaces
  unsigned banks = 32, bankBytes = 4;
  int64_t sharedBytes = 48 << 10; ///< most that a block may use
  unsigned threads = 1024;        ///< most of a block
  unsigned vectorBytes = 16;      ///< widest access of one lane
  unsigned registers = 255;       ///< 32-bit registers a thread may use
  unsigned asyncCopyBytes = 0;    ///< bit mask of sizes asyncCopy takes (4 | 8 | 16); 0: none
};

/// One matrix instruction.
struct DotAtom {
  const char *name;
  unsigned m, n, k;
  pantile_dtype lhs, rhs, acc;
  bool tf32; ///< f32 operands rounded to tf32: only for dots whose precision says so
  /// (register, lane, warp) -> element; an operand in shared memory has no map (dims NULL).
  AtomText lhsMap; ///< over "mk"
  AtomText rhsMap; ///< over "nk"
  AtomText accMap; ///< over "mn"
};

/// A load of a matrix fragment from shared memory by all lanes of a warp. Each lane gives the address of `rowBytes` contiguous
/// bytes; `addresses` maps a lane to the (row, unit) whose address it gives, `result` maps (register, lane) to (row, element)
/// for elements of `elementBytes`. With `transposed`, rows run along the other dimension.
struct MatrixLoadAtom {
  const char *name;
  unsigned elementBytes, registers; ///< i32 results
  bool transposed;
  AtomText addresses; ///< registers unused; lanes over "re" (e: elements)
  AtomText result;    ///< over "re"
};

/// A kernel's parameter.
struct KernelParameter {
  enum Kind : uint8_t { Pointer /**< to global memory */, Integer /**< i64 */, Descriptor /**< opaque, by value */ } kind;
};
struct KernelShape {
  unsigned warps = 4;
  unsigned cluster = 1;
  unsigned blocksPerUnit = 1; ///< wanted resident at once; bounds registers
  unsigned maxRegisters = 0;  ///< 0: the target's choice
};

using Builder = llvm::IRBuilderBase;

/// Waits on phases in shared memory, tensor copies by descriptor, dots of warp groups: the specialized schedule needs all.
class AsyncEngine;

class SimtTarget {
public:
  virtual ~SimtTarget() = default;

  virtual const SimtLimits &limits() const = 0;
  virtual llvm::ArrayRef<DotAtom> dotAtoms() const { return {}; }
  virtual llvm::ArrayRef<MatrixLoadAtom> matrixLoads() const { return {}; }

  //--- Module and kernels
  /// Triple and data layout.
  virtual void prepare(llvm::Module &module) const = 0;
  /// A function without a body, with the calling convention and attributes of a kernel. A Descriptor's argument is a pointer.
  virtual llvm::Function *createKernel(llvm::Module &module, llvm::StringRef name, llvm::ArrayRef<KernelParameter> parameters,
                                       const KernelShape &shape) const = 0;

  //--- Who am I: i32
  virtual llvm::Value *threadId(Builder &b) const = 0;
  virtual llvm::Value *laneId(Builder &b) const = 0;
  /// The same value in every lane, and known to be so where the target can say it.
  virtual llvm::Value *warpId(Builder &b) const = 0;
  virtual llvm::Value *blockId(Builder &b) const = 0;
  /// The dynamic shared memory: `ptr addrspace(shared)`, aligned to 1024.
  virtual llvm::Value *sharedMemory(Builder &b, llvm::Module &module) const = 0;

  //--- Together
  /// All threads of the block; orders shared and global memory among them.
  virtual void barrier(Builder &b) const = 0;
  /// `threads` threads that name the same id, 1 .. 15; orders shared memory among them.
  virtual void namedBarrier(Builder &b, llvm::Value *id, unsigned threads) const = 0;
  /// All lanes of the warp; orders shared memory among them.
  virtual void warpBarrier(Builder &b) const = 0;
  /// Of i32; all lanes take part. The lane whose number differs by `mask`; the lane of that number; `delta` lanes below (own
  /// value where there is none).
  virtual llvm::Value *shuffleXor(Builder &b, llvm::Value *value, unsigned mask) const = 0;
  virtual llvm::Value *shuffle(Builder &b, llvm::Value *value, llvm::Value *lane) const = 0;
  virtual llvm::Value *shuffleUp(Builder &b, llvm::Value *value, unsigned delta) const = 0;

  //--- Elements
  /// A float or double function in the target's own way, or NULL: then the lowering writes a polynomial (ir/emit).
  virtual llvm::Value *math(Builder &b, MathOp op, llvm::ArrayRef<llvm::Value *> operands) const { return nullptr; }
  /// Two floats to a pair of `element` (half or bfloat) in an i32, low first; NULL: one by one.
  virtual llvm::Value *narrowPair(Builder &b, llvm::Value *low, llvm::Value *high, llvm::Type *element) const { return nullptr; }
  /// Load of memory that nothing writes during the launch may be marked so.
  virtual void markInvariant(llvm::LoadInst *load) const {}

  //--- Atoms
  /// acc + lhs x rhs by one atom; acc and the result are elements in register order (float, double or i32).
  virtual llvm::SmallVector<llvm::Value *, 8> emitDot(Builder &b, const DotAtom &atom, llvm::ArrayRef<llvm::Value *> lhs,
                                                      llvm::ArrayRef<llvm::Value *> rhs, llvm::ArrayRef<llvm::Value *> acc) const {
    return {};
  }
  /// `registers` i32 values; `address` points into shared memory.
  virtual llvm::SmallVector<llvm::Value *, 4> emitMatrixLoad(Builder &b, const MatrixLoadAtom &atom, llvm::Value *address) const {
    return {};
  }

  //--- Copies that run beside the program: global to shared
  /// `bytes` of which the first `valid` (i32) come from memory and the rest are zero.
  virtual void asyncCopy(Builder &b, llvm::Value *shared, llvm::Value *global, unsigned bytes, llvm::Value *valid) const {}
  /// Ends a group of copies; waits until at most `pending` groups of this thread are not done.
  virtual void asyncCommit(Builder &b) const {}
  virtual void asyncWait(Builder &b, unsigned pending) const {}

  /// NULL: only the simple and multistage schedules.
  virtual const AsyncEngine *engine() const { return nullptr; }
};

/// How a warp group reads an operand in shared memory: rows of `swizzleBytes` bytes, eight to a core matrix.
struct SharedOperand {
  bool alongK = true;          ///< the contiguous dimension is k
  unsigned swizzleBytes = 128; ///< 0, 32, 64, 128
  int64_t leadingBytes = 0;    ///< to the next group of `swizzleBytes` in the contiguous dimension
  int64_t strideBytes = 0;     ///< to the next eight rows
};

class AsyncEngine {
public:
  virtual ~AsyncEngine() = default;

  //--- Barriers with phases, 8 bytes in shared memory
  virtual void initBarrier(Builder &b, llvm::Value *barrier, unsigned arrivals) const = 0;
  /// After initBarrier by one thread, before the block's barrier.
  virtual void fenceBarrierInit(Builder &b) const = 0;
  virtual void arrive(Builder &b, llvm::Value *barrier) const = 0;
  /// Arrives, and the phase also waits for `bytes` of tensor copies.
  virtual void arriveExpecting(Builder &b, llvm::Value *barrier, llvm::Value *bytes) const = 0;
  /// Until the phase of this parity (i32) is complete.
  virtual void wait(Builder &b, llvm::Value *barrier, llvm::Value *parity) const = 0;

  //--- Copies of boxes by descriptor (a kernel parameter); coordinates i32, fastest dimension first
  virtual void loadBox(Builder &b, llvm::Value *shared, llvm::Value *descriptor, llvm::ArrayRef<llvm::Value *> coordinates,
                       llvm::Value *barrier) const = 0;
  virtual void storeBox(Builder &b, llvm::Value *descriptor, llvm::ArrayRef<llvm::Value *> coordinates, llvm::Value *shared) const = 0;
  virtual void commitStores(Builder &b) const = 0;
  /// Until at most `pending` groups of this thread's stores still read shared memory.
  virtual void waitStoresRead(Builder &b, unsigned pending) const = 0;
  virtual void prefetchDescriptor(Builder &b, llvm::Value *descriptor) const {}
  /// Orders this thread's writes to shared memory before box copies and warp-group dots that read them.
  virtual void fenceSharedForEngine(Builder &b) const = 0;

  //--- Dots of warp groups; operands in shared memory as descriptors (i64)
  virtual llvm::ArrayRef<DotAtom> groupAtoms() const = 0;
  virtual llvm::Value *operandDescriptor(Builder &b, llvm::Value *shared, const SharedOperand &operand) const = 0;
  /// The descriptor of what lies `bytes` further.
  virtual llvm::Value *advanceDescriptor(Builder &b, llvm::Value *descriptor, llvm::Value *bytes) const = 0;
  virtual void fenceDots(Builder &b) const = 0;
  /// acc + lhs x rhs. `lhs`: one i64 descriptor, or registers; `clear`: acc counts as zero (and need not be given).
  virtual llvm::SmallVector<llvm::Value *, 8> emitGroupDot(Builder &b, const DotAtom &atom, llvm::ArrayRef<llvm::Value *> lhs,
                                                           bool lhsAlongK, llvm::Value *rhs, bool rhsAlongK,
                                                           llvm::ArrayRef<llvm::Value *> acc, bool clear) const = 0;
  virtual void commitDots(Builder &b) const = 0;
  /// Until at most `pending` groups are not done; ties `values` (replaced) so that nothing reads them earlier.
  virtual void waitDots(Builder &b, unsigned pending, llvm::MutableArrayRef<llvm::Value *> values) const = 0;

  //--- Roles
  virtual llvm::Value *electOne(Builder &b) const = 0;
  /// Registers a thread of this warp group owns from here on: raised or lowered.
  virtual void setRegisters(Builder &b, unsigned count, bool raise) const = 0;
};

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_SIMTTARGET_H
