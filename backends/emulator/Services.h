//===- emulator/Services.h - what rewritten code calls --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_SERVICES_H
#define PANTILE_EMULATOR_SERVICES_H

#include <span>

namespace pantile::emulator {

struct HostSymbol {
  const char *name;
  void *address;
};
/// All that emulated code may refer to: nothing else of the process is visible to it.
std::span<const HostSymbol> hostSymbols();

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_SERVICES_H
