//===- cpu/compiler/codegen/Target.h - CPUs as data -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A target is a row of a table (an instruction set with the register counts and multiply-accumulate instructions that
// code generation asks about), with the machine's numbers as properties:
//
//   auto target = parseTarget("x86_64_v4_bf16:units=2,l1=32768,l2=1048576,l3=33554432");
//
// Properties: units (processors), l1, l2, l3 (bytes of the data caches as one core sees them). Those left out keep the
// row's typical values. Nothing here needs the CPU to be present.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_CODEGEN_TARGET_H
#define PANTILE_CPU_CODEGEN_TARGET_H

#include "core/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pantile::cpu {

struct CpuTarget {
  std::string_view name;     ///< x86_64, x86_64_v3, x86_64_v4, x86_64_v4_bf16, aarch64
  std::string_view triple;   ///< LLVM's
  std::string_view cpu;      ///< LLVM's processor name
  std::string_view features; ///< added to the processor's, LLVM's spelling; may be empty
  unsigned vectorBits;       ///< of the widest vector register
  unsigned registers;        ///< vector registers
  bool hasFma;               ///< fused multiply-add; without it products are rounded
  bool hasMasks;             ///< masked loads and stores at full speed (AVX-512)
  bool hasRound;             ///< rounding instructions (SSE4.1 and later)
  bool hasF16;               ///< conversions between half and float
  bool hasBF16Dot;           ///< vdpbf16ps
  bool hasInt8Dot;           ///< vpdpbusd
  unsigned l1Ways;           ///< associativity of the first cache
  int64_t units = 1;
  int64_t l1Bytes = 32 << 10, l2Bytes = 1 << 20, l3Bytes = 16 << 20;

  bool isX86() const { return name.starts_with("x86_64"); }
  bool isAArch64() const { return name == "aarch64"; }
  unsigned vectorBytes() const { return vectorBits / 8; }
  /// Elements of `bits` bits in one register.
  unsigned lanes(unsigned bits) const { return vectorBits / bits; }
};

/// The rows, baseline first within an architecture.
std::span<const CpuTarget> allTargets();

/// "name" or "name:property=value,...". The error names the unknown name or property and lists the known ones.
Expected<CpuTarget> parseTarget(std::string_view text);

/// JSON array of {"name", "arch", "properties": {...}}: the answer to plugin.h's list_targets.
std::string targetsAsJson();
/// JSON object of one target: name, arch, units, l1_bytes ... : the answer to describe_target.
std::string targetAsJson(const CpuTarget &target);

/// Whether the processor this process runs on executes the target's code (tests; the device half has its own probe).
bool runsHere(const CpuTarget &target);

} // namespace pantile::cpu

#endif // PANTILE_CPU_CODEGEN_TARGET_H
