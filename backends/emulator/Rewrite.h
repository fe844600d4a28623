//===- emulator/Rewrite.h - a device's LLVM IR made runnable here ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_REWRITE_H
#define PANTILE_EMULATOR_REWRITE_H

#include "backends/emulator/Dialect.h"

#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Module.h>

namespace pantile::emulator {

/// What rewriting leaves for the loader.
struct Rewritten {
  std::vector<std::unique_ptr<Site>> sites; ///< the code points into them
  std::vector<Emulation> emulations;        ///< kept for what their data points to
  std::vector<KernelInfo> kernels;          ///< entry of the i-th: trampoline "pantile.entry.<i>"
  struct Global {
    std::string symbol;
    uint64_t bytes;
    bool writable;
  };
  std::vector<Global> globals;
  uint32_t staticShared = 0;  ///< bytes
  uint32_t dynamicShared = 0; ///< device address where the dynamic part begins
};

/// Rewrites in place:
///  1. shared variables become offsets in the block's memory, statics first, the dynamic part behind them;
///  2. every load, store, atomic and memory intrinsic asks pantile_emulator_access* for the host address first;
///  3. casts between address spaces become arithmetic;
///  4. calls of the dialect's intrinsics and its assembly pack their operands and call pantile_emulator_call;
///  5. each kernel gets a trampoline that unpacks its parameters; calling conventions, triple and layout become the host's.
/// `traits`: the dialect's, of the text.
Expected<Rewritten> rewrite(llvm::Module &module, const Dialect &dialect, uint64_t traits, const std::string &triple,
                            const llvm::DataLayout &layout);

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_REWRITE_H
