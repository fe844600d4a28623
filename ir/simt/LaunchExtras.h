//===- ir/simt/LaunchExtras.h - what a SIMT launch record's extras mean ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// plugin.h leaves the meaning of a launch record's extras to the two halves of a backend. This is what the shared SIMT
// lowering writes and a device half reads; plain C++, nothing of LLVM, so that a device half can include it.
//
//   extras[kExtraVersion]       kLaunchExtrasVersion; a device half refuses any other
//   extras[kExtraCluster]       blocks of a cluster along x; 1: none
//   extras[kExtraDescriptors]   D
//   extras[kExtraFlags]         kLaunch... bits
//   then D records of kDescriptorWords words, each a DescriptorRecord
//
// A kernel's parameters are the slots, 8 bytes each, in order, then the D descriptors by value, aligned to 64 bytes. A descriptor
// (a "tensor map") describes the view whose address is slot `slot`; the device half encodes and caches it. All words are
// expressions like any extra, so sizes and strides are those of the call.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_LAUNCHEXTRAS_H
#define PANTILE_IR_SIMT_LAUNCHEXTRAS_H

#include <cstddef>
#include <cstdint>

namespace pantile::simt {

inline constexpr int64_t kLaunchExtrasVersion = 1;
enum LaunchExtra : unsigned { kExtraVersion = 0, kExtraCluster = 1, kExtraDescriptors = 2, kExtraFlags = 3, kLaunchExtras = 4 };

/// Bits of kExtraFlags; a device half that has no such thing may leave them alone, but for kLaunchPersistent.
enum LaunchFlag : int64_t {
  kLaunchProgrammatic = 1, ///< the kernel may begin before the one in front of it on the stream has ended
  kLaunchPersistent = 2    ///< blocks stride over the work by the grid's size: launch no more along x than are resident at once
};
/// Eight bits from here: 0, or 1 + the percentage of a unit's memory that is to be shared memory.
inline constexpr unsigned kLaunchCarveoutShift = 8;

inline constexpr unsigned kDescriptorRank = 5;

/// Dimensions fastest first; those at or above `rank` are 1. The fastest has stride 1.
struct DescriptorRecord {
  int64_t slot;         ///< whose value is the view's address
  int64_t dtype;        ///< pantile_dtype
  int64_t rank;         ///< 1 .. 5
  int64_t swizzleBytes; ///< 0, 32, 64, 128: of 16-byte units in shared memory
  int64_t sizes[kDescriptorRank];
  int64_t strides[kDescriptorRank]; ///< bytes; strides[0] is the element's size
  int64_t box[kDescriptorRank];     ///< elements one copy moves
};
inline constexpr unsigned kDescriptorWords = sizeof(DescriptorRecord) / sizeof(int64_t);
static_assert(kDescriptorWords == 19);

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_LAUNCHEXTRAS_H
