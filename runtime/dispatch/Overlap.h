//===- runtime/dispatch/Overlap.h - do two views share a byte? ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_OVERLAP_H
#define PANTILE_RUNTIME_DISPATCH_OVERLAP_H

#include <cstdint>

namespace pantile {

struct BoundArgument;

/// Whether an element of `a` and one of `b` share a byte. Exact for views that interleave (columns of one matrix, heads of
/// one buffer) as far as a bounded search goes; beyond it the answer is true.
bool overlap(const BoundArgument &a, const BoundArgument &b, unsigned bitsOfA, unsigned bitsOfB);

/// Whether two elements of one argument lie at one place.
bool overlapsItself(const BoundArgument &a);

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_OVERLAP_H
