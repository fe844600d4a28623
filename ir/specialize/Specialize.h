//===- ir/specialize/Specialize.h - portable kernel to scheduled kernel ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Binds a kernel to the facts of a call and to a configuration:
//
//   tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn)      tile.grid %pid in %count
//     tile.load %A[%i, %p]                            ->    %i = tile.make_range %r at %begin to %M : !tile.range<@bm, 64>
//       : tensor<?x?xf32, #tile.dims<@bm, @bk>>             tile.load ... : tensor<64x32xf32, #tile.dims<@bm, @bk>>
//
// What happens, in order (one pass a file; each begins with its algorithm):
//   BindSymbols    block symbols get their extents; full extents get a fact's size, a bound, or stay dynamic
//   FoldSizes      tile.dim of a size that is a fact becomes a constant
//   FlattenNests   `flatten_loops.N`: the ranges of a parallel nest become one over all their elements
//   RollExtents    `reduction_loops.<symbol>`: a full extent becomes a loop over chunks, cut in passes at reductions
//   SplitLoops     `split_k`: an associative loop is spread over programs; a second phase adds their sums
//   MapPrograms    tile.parallel becomes tile.grid: order, grouping, program-id map; loops get their unroll factors
//   ClipByMask     option: elements that are not logical become the identity before what would read them
// and then canonicalization. A knob that the configuration lacks takes its default: what portableSpace says without sizes.
//
// Threads: reentrant; the module's context must not be in use elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SPECIALIZE_SPECIALIZE_H
#define PANTILE_IR_SPECIALIZE_SPECIALIZE_H

#include "core/Artifact.h"
#include "core/Configuration.h"
#include "core/SpaceDescription.h"
#include "core/Status.h"
#include "ir/dialect/Tile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace pantile {

struct SpecializeOptions {
  /// Full extents that are neither facts nor bound by the configuration (a setting named as the symbol: a size no call may
  /// exceed) stay `?`. Without it they are an error.
  bool dynamicFullExtents = true;
  /// Who keeps what is not logical from being seen: the lowering's loop bounds, or masks that specialize writes.
  enum class Clip : uint8_t { Loop, Mask } clip = Clip::Loop;
  /// Dimensions of the target's launch grid, 1 to 3: `pid_type` is `xyz` only above 1.
  int gridRank = 1;
  /// The target's compute units: persistent maps launch `num_sm_multiplier` programs on each. 0: it has no persistent programs.
  int64_t units = 0;
  /// Whether `flatten_loops` is a choice: a flattened nest gathers and scatters.
  bool flattens = false;
  /// Keep tile.assert and tile.print, which only an interpreter executes.
  bool checks = false;
  /// Upstream folding and simplification at the end.
  bool canonicalize = true;
};

/// `portable` is left as it is. Errors: InvalidArgument where a setting is not legal for the kernel, with the accepted values.
Expected<mlir::OwningOpRef<mlir::ModuleOp>> specialize(mlir::ModuleOp portable, const Facts &facts, const Configuration &configuration,
                                                       const SpecializeOptions &options = {});

/// The knobs that specialize reads, for this kernel (README.md lists them), as far as `options` say that the target has use for
/// them. Plugins narrow the domains and add their own knobs and constraints.
SpaceDescription portableSpace(tile::KernelOp kernel, const Facts &facts, const SpecializeOptions &options = {});

} // namespace pantile

#endif // PANTILE_IR_SPECIALIZE_SPECIALIZE_H
