//===- cpu/device/Processor.h - what this machine's processor is ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_DEVICE_PROCESSOR_H
#define PANTILE_CPU_DEVICE_PROCESSOR_H

#include <cstdint>
#include <string>

namespace pantile::cpu {

struct Processor {
  std::string name;     ///< the brand string
  std::string arch;     ///< the richest target this processor and its system support: "x86_64_v4_bf16", ...
  std::string target;   ///< arch with this machine's properties, as the compiler half parses it
  std::string hardware; ///< arch, brand and units as a file name: the configuration cache's key
  int64_t units;        ///< processors this process may run on
  int64_t l1Bytes, l2Bytes, l3Bytes;
  uint64_t memoryBytes;
};

/// Read once.
const Processor &processor();

} // namespace pantile::cpu

#endif // PANTILE_CPU_DEVICE_PROCESSOR_H
