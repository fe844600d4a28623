//===- cpu/compiler/codegen/tests/Compiled.h - IR to a callable function ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_TESTS_COMPILED_H
#define PANTILE_CPU_CODEGEN_TESTS_COMPILED_H

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

#include <functional>
#include <memory>
#include <vector>

namespace pantile::cpu {

/// One function `entry` of `parameters`, whose body the callback emits; the callback leaves the builder at the end.
struct Compiled {
  using Body = std::function<void(llvm::IRBuilder<> &, llvm::Function *)>;

  /// Builds the module only.
  Compiled(const CpuTarget &target, std::function<std::vector<llvm::Type *>(llvm::LLVMContext &)> parameters, const Body &body);

  Expected<std::string> library();
  /// Compiles, links, loads; NULL and a test failure where that does not work.
  template <typename Function> Function *load() { return reinterpret_cast<Function *>(loadSymbol()); }
  std::string assembly();

  CpuTarget target;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;

private:
  void *loadSymbol();
  std::vector<LoadedObject> loaded;
};

/// The targets whose code runs on this machine.
std::vector<CpuTarget> runnableTargets();

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_TESTS_COMPILED_H
