//===- ir/interpret/Interpret.h - run tile IR on host memory --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The numeric oracle of every test and of the tuner, and the user's debugger. It executes a kernel of either level, one
// program after another, on host memory:
//
//   HostArgument a = HostView{A.data(), PANTILE_BF16, {13, 7}, {7, 1}}, ...;
//   Status status = interpret(module, std::vector{a, b, c}, {});
//
// Numbers. Values are rounded to their dtype after each operation. Floats are computed in f64 and rounded, which for
// + - * / sqrt equals arithmetic in the dtype itself. Integers wrap by their width. A dot or a float reduction accumulates in f64
// and rounds once at its end (`accumulate = Declared`: in f32 steps, one element after another).
// Extents. A tile holds its logical elements only (ir/extents/Extents.h gives the rule): nothing reads what a clipped
// edge block does not have. Block symbols that `blocks` leaves unbound get small odd extents, so edges are exercised.
// Checks. Every access is checked against its view, equal names of `tile.sizes` must be equal, `tile.assume` must hold. An
// error names the line of the IR, the operation, and the index.
//
// Threads: reentrant; one call uses one thread. Views are read and written in place.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_INTERPRET_H
#define PANTILE_IR_INTERPRET_INTERPRET_H

#include "core/Configuration.h"
#include "core/DType.h"

#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace pantile {

/// A typed window on host memory. i4 and f4 are packed in pairs, the even element in the low nibble; i1 is a byte.
struct HostView {
  void *data = nullptr;
  DType dtype = PANTILE_DTYPE_INVALID;
  std::vector<int64_t> sizes, strides; ///< strides in elements
  /// Where given, the whole view must lie in the bytes [low, high).
  const void *low = nullptr, *high = nullptr;
};
/// The bits of a scalar in the kernel's declared dtype, low bits first.
struct HostScalar {
  uint64_t bits = 0;
};
using HostArgument = std::variant<HostView, HostScalar>;

/// Elements of an argument that a run wrote: begin and count, one entry a dimension.
struct WrittenBox {
  unsigned argument = 0;
  std::vector<int64_t> begin, count;
  bool operator==(const WrittenBox &) const = default;
};

struct InterpretReport {
  uint64_t programs = 0;           ///< programs run, of all phases
  bool sampled = false;            ///< some programs were left out
  std::vector<WrittenBox> written; ///< in order; what the arguments of a sampled run may be compared on
};

struct InterpretOptions {
  /// Which kernel of the module; empty: the only one.
  std::string kernel;
  /// Portable level: extents of block symbols, by name without '@'. Others get 3, 4, 5, 7, ... in order of appearance.
  Configuration blocks;
  /// Padded: the scheduled level as a target computes it that has only whole blocks. Tiles are never clipped; what a load or
  /// gather has beyond the logical elements is zero, and everything sees it. Checks the masks that specialize writes.
  enum class Edges : uint8_t { Clipped, Padded } edges = Edges::Clipped;
  enum class Accumulate : uint8_t { Double, Declared } accumulate = Accumulate::Double;
  /// Sampled run: of the last phase only every class of block (first, inner, last along each dimension) and this many random
  /// programs are run; earlier phases run whole. 0: everything.
  uint64_t samples = 0;
  uint64_t seed = 0;
  InterpretReport *report = nullptr;
  /// Takes a line of tile.print; by default it goes to standard error.
  std::function<void(const std::string &)> print;
};

/// Runs a verified kernel. Errors: InvalidArgument where the arguments do not fit the kernel or the kernel misbehaves.
Status interpret(mlir::ModuleOp module, std::span<const HostArgument> arguments, const InterpretOptions &options = {});

} // namespace pantile

#endif // PANTILE_IR_INTERPRET_INTERPRET_H
