//===- cmake/static/lld.cpp - lld without link-time optimization ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A release links lld statically to join finished objects. As a whole it can also optimize bitcode for every target that LLVM
// was built with, and so asks for all of LLVM: twice the size promised. What that part is reached by is defined here, before
// the archives are searched: no bitcode is ever among the inputs.
//
//===----------------------------------------------------------------------===//

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/ErrorHandling.h"

#include <memory>

// Its driver registers all targets; those that no backend links (PANTILE_ABSENT_TARGETS: X(ARM) X(AVR) ...) have nothing to
// register.
#define X(target)                                                                                                                          \
  extern "C" void LLVMInitialize##target##TargetInfo() {}                                                                                  \
  extern "C" void LLVMInitialize##target##Target() {}                                                                                      \
  extern "C" void LLVMInitialize##target##TargetMC() {}                                                                                    \
  extern "C" void LLVMInitialize##target##AsmPrinter() {}                                                                                  \
  extern "C" void LLVMInitialize##target##AsmParser() {}
PANTILE_ABSENT_TARGETS
#undef X

namespace lld::elf {
struct Ctx;
class BitcodeFile;
class InputFile {};

/// lld's own header is not installed: the declaration repeats the names by which its driver calls.
class BitcodeCompiler {
public:
  explicit BitcodeCompiler(Ctx &);
  ~BitcodeCompiler();
  void add(BitcodeFile &);
  llvm::SmallVector<std::unique_ptr<InputFile>, 0> compile();
};

BitcodeCompiler::BitcodeCompiler(Ctx &) {}
BitcodeCompiler::~BitcodeCompiler() = default;
void BitcodeCompiler::add(BitcodeFile &) { llvm::reportFatalInternalError("this lld links objects, no bitcode"); }
llvm::SmallVector<std::unique_ptr<InputFile>, 0> BitcodeCompiler::compile() { return {}; }
} // namespace lld::elf
