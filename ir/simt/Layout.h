//===- ir/simt/Layout.h - which thread holds which element of a tile -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A tile in registers is spread over a block's threads. A thread is a lane of a warp; a lane holds some registers. A
// Layout is the function (register, lane, warp) -> element, as *atom x repeats*.
//
// The atom is what hardware fixes: a linear map over GF(2), written as one basis vector for each bit of the register,
// lane and warp number. The accumulator of a 16x8 matrix instruction of a 32-lane warp, two neighbours in n and rows 8
// apart in a lane's four registers:
//
//   Atom::of({"mn", "n1 m8", "n2 n4 m1 m2 m4", ""})
//
//   register 3 = 0b11     -> n1 + m8                 = (8, 1)
//   lane     5 = 0b00101  -> n2 + m1                 = (1, 2)
//   register 3 of lane 5 holds element (8, 1) xor (1, 2) = (9, 3)
//
// A zero vector ("0") is a bit that changes nothing: the element is there twice (broadcast).
//
// Repeats are what hardware leaves open: an integer grid of copies of the atom, so that extents need not be powers of
// two. Each repeat says along which dimension it steps, how far, how often, and whether registers or warps count it:
//
//   96 x 64 on 2 x 2 warps with the atom above (16x8):
//     repeat m: 3 registers by 32      repeat n: 4 registers by 16      (registers count in this order)
//     repeat m: 2 warps by 16          repeat n: 2 warps by 8
//   register = atom register + 4 * (i + 3 * j), warp = u + 2 * v
//   element  = atom + (32 i + 16 u, 16 j + 8 v)
//
// A warp repeat without a dimension (dim -1) is a copy: those warps hold the same elements. A layout may cover more than
// its tile (a row of 10 on 32 lanes): elements beyond the tile's shape are nobody's, and every use masks them.
//
// What follows from layouts is computed, never written per case: which registers are contiguous in memory (vectors),
// whether a conversion stays in a thread, how many ways a shared-memory access conflicts.
//
// Shared memory has a layout of its own (SharedLayout): row-major in a given order of dimensions, with explicit padding
// of rows (not linear, hence a field) or an xor swizzle of 16-byte units (linear).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_SIMT_LAYOUT_H
#define PANTILE_IR_SIMT_LAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <string>

namespace pantile::simt {

/// A position in a tile, one entry a dimension.
using Coordinates = llvm::SmallVector<int64_t, 4>;

/// An atom as a table has it: the dimensions' letters, then each bit's basis vector, lowest bit first: "n1 m8 0 m1+n2".
struct AtomText {
  const char *dims;
  const char *registers, *lanes, *warps;
};

struct Atom {
  unsigned rank = 0;
  llvm::SmallVector<Coordinates, 4> registers, lanes, warps;

  /// Asserts that the text is well formed (tables are ours).
  static Atom of(const AtomText &text);
  /// The smallest box that holds every element, one entry a dimension.
  Coordinates box() const;
  bool operator==(const Atom &) const = default;
};

struct Repeat {
  enum Owner : uint8_t { Register, Warp } owner;
  int dim; ///< -1: copies
  int64_t count, stride;
  bool operator==(const Repeat &) const = default;
};

class Layout {
public:
  Layout() = default;
  Layout(Atom atom, llvm::SmallVector<Repeat, 6> repeats);

  unsigned rank() const { return atom.rank; }
  unsigned registers() const { return registerCount; }
  unsigned lanes() const { return 1u << atom.lanes.size(); }
  unsigned warps() const { return warpCount; }
  const Atom &atomOf() const { return atom; }
  llvm::ArrayRef<Repeat> repeatsOf() const { return repeats; }

  /// The element of (register, lane, warp) is the sum of the three; dimensions of one layout never carry into each other.
  Coordinates ofRegister(unsigned number) const;
  Coordinates ofLane(unsigned number) const;
  Coordinates ofWarp(unsigned number) const;
  Coordinates at(unsigned number, unsigned lane, unsigned warp) const;
  /// One past the greatest coordinate, one entry a dimension.
  Coordinates covered() const;

  /// Without some dimensions (ascending): what held elements along them holds copies (lanes, warps) or is dropped (registers).
  Layout sliced(llvm::ArrayRef<int64_t> dims) const;
  /// Result dimension i is dimension permutation[i].
  Layout permuted(llvm::ArrayRef<int64_t> permutation) const;
  /// With a new dimension of extent 1 at a position.
  Layout expanded(unsigned position) const;

  /// Register numbers that follow each other along `dim`, as a power of two: registers [v * i, v * i + v) are at v
  /// consecutive coordinates, for every i, starting at a multiple of v.
  unsigned contiguous(unsigned dim) const;
  /// Bits of the lane number whose vector is not zero along `dim`; digits of the warp number likewise.
  uint32_t laneBitsAlong(unsigned dim) const;
  bool warpsAlong(unsigned dim) const;
  /// Whether no two threads hold the same element.
  bool isInjective() const;

  std::string toText() const;
  bool operator==(const Layout &) const = default;

private:
  Atom atom;
  llvm::SmallVector<Repeat, 6> repeats;
  unsigned registerCount = 1, warpCount = 1;
};

/// A plain layout for memory accesses: `vector` consecutive elements of dimension order[0] in registers, then lanes, then
/// warps along the dimensions of `order` (fastest first), registers repeated over what is left of `shape`.
/// `lanes` and `warps`: how many there are.
Layout blockedLayout(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> order, unsigned vector, unsigned lanes, unsigned warps);

/// For each register of `to`, the register of `from` that holds the same element in the same thread, whichever lane and
/// warp; nullopt where some element is elsewhere. Only elements inside `shape` count.
std::optional<llvm::SmallVector<unsigned, 16>> registerMap(const Layout &from, const Layout &to, llvm::ArrayRef<int64_t> shape);

/// A tile in shared memory: row-major, order[0] fastest, a row `pitch` elements. With a swizzle the tile is cut into boxes of
/// `swizzleBytes` bytes of a row, box after box, and units of 16 bytes are exchanged inside a box: bits 4.. of the offset are
/// xored with bits 7.. (as many as a row has units: 3 for 128 bytes, 2 for 64, 1 for 32).
struct SharedLayout {
  llvm::SmallVector<int64_t, 4> shape;
  llvm::SmallVector<unsigned, 4> order;
  int64_t pitch = 0;         ///< elements from one row to the next; at least shape[order[0]]
  unsigned swizzleBytes = 0; ///< 0, 32, 64, 128
  unsigned elementBytes = 0;

  int64_t bytes() const;
  /// Byte offset of an element.
  int64_t offset(llvm::ArrayRef<int64_t> at) const;
  bool operator==(const SharedLayout &) const = default;
};

/// The most lanes' words that one access of `vector` elements by a warp finds in one bank, less one: 0 is conflict free. Counted
/// by construction, over the first eight accesses.
unsigned bankConflicts(const Layout &layout, const SharedLayout &shared, unsigned vector, unsigned banks, unsigned bankBytes);

} // namespace pantile::simt

#endif // PANTILE_IR_SIMT_LAYOUT_H
