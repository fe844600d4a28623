//===- cpu/compiler/codegen/ObjectEmitter.h - LLVM module to shared object -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   PANTILE_ASSIGN(std::string object, emitObject(module, target));
//   PANTILE_ASSIGN(std::string library, linkSharedObject(object, {"matmul"}));
//
// The pass list is short on purpose: our IR is already in the form it should have, and LLVM's default pipeline with its
// two machine schedulers takes six times as long for the same speed.
//
// Threads: every function may be called from several threads, each with a module and context of its own. Linking is
// serialized by a mutex (lld keeps global state).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_OBJECTEMITTER_H
#define PANTILE_CPU_CODEGEN_OBJECTEMITTER_H

#include "backends/cpu/compiler/codegen/Target.h"

#include <string>
#include <vector>

namespace llvm {
class Module;
}

namespace pantile::cpu {

struct EmitOptions {
  bool verify = true;             ///< run LLVM's verifier first; its report becomes the error
  bool optimize = true;           ///< early-cse, instcombine, licm, simplifycfg
  bool keepIntermediates = false; ///< emit value names and comments into assembly
};

/// Sets the module's triple and data layout, and every defined function's target-cpu, target-features, nounwind and
/// frame attributes. Call it before building IR that asks the data layout; emitObject calls it in any case.
Status prepareModule(llvm::Module &module, const CpuTarget &target);

/// Runs the short pass list in place. Part of emitObject; separate for inspection of the final IR.
Status optimizeModule(llvm::Module &module, const CpuTarget &target);

/// A relocatable ELF object, position independent. Changes the module (optimizes it). Code generation errors (LLVM
/// diagnostics) are COMPILE_ERROR.
Expected<std::string> emitObject(llvm::Module &module, const CpuTarget &target, const EmitOptions &options = {});
Expected<std::string> emitAssembly(llvm::Module &module, const CpuTarget &target, const EmitOptions &options = {});

/// An ELF shared object that exports exactly `entries`. An undefined symbol (a libm or compiler-rt call that code
/// generation inserted) is a COMPILE_ERROR that names it, as is a missing entry. x86-64 and AArch64.
Expected<std::string> linkSharedObject(const std::string &object, const std::vector<std::string> &entries);

/// Maps a shared object's bytes into this process (memfd, RTLD_NOW | RTLD_LOCAL): tests and benchmarks only. The
/// library is closed with the object.
class LoadedObject {
public:
  static Expected<LoadedObject> load(const std::string &library);
  LoadedObject(LoadedObject &&other) noexcept;
  LoadedObject &operator=(LoadedObject &&other) noexcept;
  ~LoadedObject();
  /// NULL where the symbol is absent.
  void *symbol(const char *name) const;
  template <typename Function> Function *function(const char *name) const { return reinterpret_cast<Function *>(symbol(name)); }

private:
  explicit LoadedObject(void *handle) : handle(handle) {}
  void *handle;
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_OBJECTEMITTER_H
