//===- ir/build/Builder.h - write portable kernels from C++ ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A KernelBuilder writes the canonical text of one `tile.kernel`; there is no MLIR behind it. C = gelu(A B + bias):
//
//   KernelBuilder k("matmul");
//   auto [M, N, K] = k.sizes("M", "N", "K");                        // named: equal in every view that uses them
//   View A = k.view("A", {M, K}, bf16), B = k.view("B", {K, N}, bf16), bias = k.view("Bias", {N}, f32), C = k.view("C", {M, N}, bf16);
//   k.parallel({{"i", M, "bm"}, {"j", N, "bn"}}, [&](Range i, Range j) {       // a grid over blocks @bm x @bn
//     Tile sum = k.loop({"p", K, "bk"}, k.zeros({i, j}, f32), associative,     // carries a tile; split-K is legal
//                       [&](Range p, Tile s) { return dot(A(i, p), B(p, j), s); });
//     Tile x = sum + bias(j);                                       // [bn] spreads over [bm, bn]: matched by name
//     C(i, j) = cast(0.5 * x * (1.0 + erf(x * std::sqrt(0.5))), bf16);
//   });
//   Expected<std::string> text = k.finish();                        // or the first error, with the line that made it
//
// Values. A `Tile` is an SSA value: a tile (extents named by block symbols), or a scalar (rank 0; sizes and positions are
// scalars of dtype `index`). Handles are cheap to copy and die with their builder. Literals take the other operand's
// dtype; dtypes never convert silently (`cast`). A `Place`, view(subscripts), reads where it is used as a value and writes
// where it is assigned to. Each mention reads again, so name the value: `Tile x = X(i, j);`.
//
// Subscripts. A range or `full("d")` (the whole dimension, as symbol @d) or `full(32)` (a constant extent) keeps the
// dimension; an index (or a range whose block is the literal 1) drops it; a tile of integers gathers or scatters. Ranges
// move by `r + offset` and scale by `r * 32` (@b becomes @b * 32).
//
// Broadcasting. Where the extents of one operand are an ordered subset of the other's, and in one way only, it spreads
// along the rest. Everything else is said with `broadcast(x, {i, j})`.
//
// Extents. A loop's last block is clipped: loads, stores and reductions see logical elements only, so kernels need no
// masks for ragged sizes. `tile.access` of each view follows from its use.
//
// Errors. The first mistake is kept with its source line and returned by finish(); what follows it is ignored.
// Threads: a builder and its handles belong to one thread.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_BUILD_BUILDER_H
#define PANTILE_IR_BUILD_BUILDER_H

#include "core/DType.h"

#include <array>
#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <source_location>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace pantile::build {

using Where = std::source_location;

inline constexpr DType i1 = PANTILE_I1, i8 = PANTILE_I8, i16 = PANTILE_I16, i32 = PANTILE_I32, i64 = PANTILE_I64, f16 = PANTILE_F16,
                       bf16 = PANTILE_BF16, f32 = PANTILE_F32, f64 = PANTILE_F64, index_ = PANTILE_INDEX;

class KernelBuilder;
class Range;
struct Full;

/// One extent of a tile: the constant `factor`, or the block symbol times `factor`.
struct Dim {
  std::string symbol;
  int64_t factor = 1;
  Dim(int64_t constant) : factor(constant) {}
  Dim(int constant) : factor(constant) {}
  Dim(std::string symbol, int64_t factor) : symbol(std::move(symbol)), factor(factor) {}
  Dim(const Range &range);
  Dim(const Full &full);
  bool isConstant() const { return symbol.empty(); }
  bool operator==(const Dim &) const = default;
};
using Dims = std::vector<Dim>;

/// A whole dimension of a view: `full("d")` names its extent @d, `full(32)` says what it is.
struct Full {
  Dim dim;
};
inline Full full(std::string symbol) { return {Dim(std::move(symbol), 1)}; }
inline Full full(int64_t extent) { return {Dim(extent)}; }

/// A value: a tile or (rank 0) a scalar. A default-made Tile is what follows an error.
class Tile {
public:
  Tile() = default;
  bool isValid() const { return kernel; }
  DType dtype() const { return type; }
  const Dims &dims() const { return extents; }
  int rank() const { return int(extents.size()); }
  bool isScalar() const { return extents.empty(); }

private:
  friend class KernelBuilder;
  KernelBuilder *kernel = nullptr;
  std::string name;
  DType type = PANTILE_DTYPE_INVALID;
  Dims extents;
};

/// A named size of the kernel's views; as a value, an index.
class Size {
public:
  const std::string &name() const { return text; }

private:
  friend class KernelBuilder;
  friend struct Operand;
  friend struct SizeSpec;
  KernelBuilder *kernel = nullptr;
  std::string text;
};

/// A size of a view as it is declared: named, or a constant.
struct SizeSpec {
  std::string name; ///< empty: constant
  int64_t constant = -1;
  SizeSpec(const Size &size) : name(size.text) {}
  SizeSpec(const char *name) : name(name) {}
  SizeSpec(std::string name) : name(std::move(name)) {}
  SizeSpec(int64_t constant) : constant(constant) {}
  SizeSpec(int constant) : constant(constant) {}
};

/// A block of a loop's extent. With the literal block 1 it is a plain index and usable as one.
class Range {
public:
  Tile begin(Where where = Where::current()) const;
  Tile end(Where where = Where::current()) const; ///< clipped by the loop's bound
  Tile id(Where where = Where::current()) const;  ///< ordinal in the loop
  bool isIndex() const { return extent.isConstant() && extent.factor == 1; }
  const Dim &dim() const { return extent; }

private:
  friend class KernelBuilder;
  friend struct Operand;
  KernelBuilder *kernel = nullptr;
  std::string name;
  Dim extent{1};
};

class Place;

/// An argument of an operation: a value, a literal, or a place to read; remembers the caller's line.
struct Operand {
  Tile tile;
  std::variant<std::monostate, int64_t, double> literal;
  KernelBuilder *kernel = nullptr;
  Where where;

  Operand(const Tile &tile, Where where = Where::current());
  Operand(const Size &size, Where where = Where::current());
  Operand(const Range &range, Where where = Where::current());
  Operand(Place &&place, Where where = Where::current());
  template <std::integral T> Operand(T value, Where where = Where::current()) : literal(int64_t(value)), where(where) {}
  template <std::floating_point T> Operand(T value, Where where = Where::current()) : literal(double(value)), where(where) {}
  bool isLiteral() const { return literal.index() != 0; }
};

/// One subscript of a view.
struct Subscript {
  std::variant<std::monostate, Range, Full, Operand> value;
  Where where;
  Subscript(std::monostate) {}
  Subscript(const Range &range, Where where = Where::current()) : value(range), where(where) {}
  Subscript(const Full &full, Where where = Where::current()) : value(full), where(where) {}
  Subscript(const Tile &position, Where where = Where::current()) : value(Operand(position, where)), where(where) {}
  Subscript(const Size &position, Where where = Where::current()) : value(Operand(position, where)), where(where) {}
  Subscript(int position, Where where = Where::current()) : value(Operand(position, where)), where(where) {}
  Subscript(Place &&positions, Where where = Where::current());
};

/// view(subscripts): reads as a value, writes when assigned. Not a variable: `Tile x = X(i);`.
class Place {
public:
  Place(const Place &) = delete;
  /// The value of elements inside the range but outside the view.
  Place &&pad(Operand value) &&;
  /// Of a gather or scatter: where the mask is false, nothing is read (pad instead) or written.
  Place &&mask(const Tile &mask) &&;
  operator Tile() &&;
  void operator=(Operand value) &&;
  void operator=(Place &&value) &&;

private:
  friend class KernelBuilder;
  friend class View;
  friend struct Operand;
  Place(KernelBuilder *kernel, size_t view, std::vector<Subscript> subscripts)
      : kernel(kernel), view(view), subscripts(std::move(subscripts)) {}
  KernelBuilder *kernel;
  size_t view;
  std::vector<Subscript> subscripts;
  std::optional<Operand> padding;
  Tile maskTile;
};

/// A typed window on device memory.
class View {
public:
  using S = Subscript;
  Place operator()(S a, S b = nil, S c = nil, S d = nil, S e = nil, S f = nil, S g = nil, S h = nil) const;
  /// The same for a rank known at run time.
  Place at(std::vector<Subscript> subscripts) const { return Place(kernel, index, std::move(subscripts)); }
  /// Declares that this integer view's values lie in [low, high).
  View &values(SizeSpec low, SizeSpec high);
  DType dtype() const { return type; }

private:
  static constexpr std::monostate nil{};
  friend class KernelBuilder;
  KernelBuilder *kernel = nullptr;
  size_t index = 0;
  DType type = PANTILE_DTYPE_INVALID;
};

/// One loop: name, upper bound, block (a symbol's name or a constant), lower bound.
struct Extent {
  std::string name;
  Operand upper;
  Dim block;
  Operand lower;
  Extent(std::string name, Operand upper, const char *symbol, Operand lower = 0)
      : name(std::move(name)), upper(upper), block(symbol, 1), lower(lower) {}
  Extent(std::string name, Operand upper, std::string symbol, Operand lower = 0)
      : name(std::move(name)), upper(upper), block(std::move(symbol), 1), lower(lower) {}
  Extent(std::string name, Operand upper, int block, Operand lower = 0) : name(std::move(name)), upper(upper), block(block), lower(lower) {}
};

/// A dimension of a tile: by number (negative: from the end), or by the range or full extent that made it.
struct Axis {
  int number = 0;
  std::optional<Dim> dim;
  Axis(int number) : number(number) {}
  Axis(const Range &range) : dim(range) {}
  Axis(const Full &full) : dim(full) {}
};

struct Associative {};
/// A loop whose iterations may be regrouped: every carry is a sum of what iterations add.
inline constexpr Associative associative;

struct ScanOrder {
  bool reverse = false, exclusive = false;
};

class KernelBuilder {
public:
  explicit KernelBuilder(std::string name);
  KernelBuilder(const KernelBuilder &) = delete;

  // Arguments, in order.
  View view(std::string name, std::vector<SizeSpec> sizes, DType dtype, Where where = Where::current());
  Tile scalar(std::string name, DType dtype, Where where = Where::current());
  Size size(std::string name);
  template <typename... Names> auto sizes(Names... names) { return std::array<Size, sizeof...(Names)>{size(names)...}; }
  /// The full extent @symbol is a compile-time constant, a fact of the call.
  void makeStatic(const Full &extent);

  // Constants.
  Tile constant(Operand literal, DType dtype, Where where = Where::current());
  Tile filled(const Dims &dims, Operand value, DType dtype, Where where = Where::current());
  Tile zeros(const Dims &dims, DType dtype, Where where = Where::current()) { return filled(dims, 0, dtype, where); }
  /// 0, 1, 2, ... along a dimension.
  Tile iota(const Dim &dim, DType dtype = i32, Where where = Where::current());

  // Grid loops, one after another: phases.
  template <size_t N, typename Body> void parallel(const Extent (&extents)[N], Body &&body, Where where = Where::current()) {
    parallelOver(extents, [&](std::span<const Range> r) { spread<N>(body, r); }, where);
  }
  template <typename Body> void parallel(const Extent &extent, Body &&body, Where where = Where::current()) {
    parallelOver({&extent, 1}, [&](std::span<const Range> r) { body(r[0]); }, where);
  }
  void parallelOver(std::span<const Extent> extents, const std::function<void(std::span<const Range>)> &body,
                    Where where = Where::current());

  // Sequential loops: no carry, one carry, several (`{a, b}` in, an array out, the body returns `carry(x, y)`).
  template <typename Body> void loop(const Extent &extent, Body &&body, Where where = Where::current()) {
    loopOver(extent, {}, false, [&](Range r, std::span<const Tile>) { return body(r), std::vector<Tile>(); }, where);
  }
  template <typename Body> Tile loop(const Extent &extent, Operand init, Body &&body, Where where = Where::current()) {
    return first(
        loopOver(extent, {init}, false, [&](Range r, std::span<const Tile> c) { return std::vector<Tile>{body(r, c[0])}; }, where));
  }
  template <typename Body> Tile loop(const Extent &extent, Operand init, Associative, Body &&body, Where where = Where::current()) {
    return first(loopOver(extent, {init}, true, [&](Range r, std::span<const Tile> c) { return std::vector<Tile>{body(r, c[0])}; }, where));
  }
  template <size_t N, typename Body>
  std::array<Tile, N> loop(const Extent &extent, const Tile (&inits)[N], Body &&body, Where where = Where::current()) {
    return array<N>(loopOver(extent, operands(inits, where), false, carrying<N>(body), where));
  }
  template <size_t N, typename Body>
  std::array<Tile, N> loop(const Extent &extent, const Tile (&inits)[N], Associative, Body &&body, Where where = Where::current()) {
    return array<N>(loopOver(extent, operands(inits, where), true, carrying<N>(body), where));
  }
  using LoopBody = std::function<std::vector<Tile>(Range, std::span<const Tile>)>;
  std::vector<Tile> loopOver(const Extent &extent, std::vector<Operand> inits, bool isAssociative, const LoopBody &body,
                             Where where = Where::current());

  /// Scratch device memory that lives through all phases of a call.
  View workspace(std::string name, std::vector<Operand> sizes, DType dtype, Where where = Where::current());
  /// The author's promise, checked by the interpreter.
  void assume(Operand condition, const std::string &message);
  /// For debugging: the interpreter reports where an i1, or a tile's element, is false; compiled code has no check.
  void check(Operand condition, const std::string &message);
  /// For debugging: the interpreter prints; compiled code does not.
  void print(const std::string &text, const std::vector<Operand> &values = {});

  /// The kernel's text, or the first error. Ends the builder's life: call it once.
  Expected<std::string> finish(Where where = Where::current());

  /// Names of the arguments so far, in order.
  std::vector<std::string> argumentNames() const;

  /// Keeps the first error.
  void fail(const std::string &text, Where where);
  bool failed() const { return !failure.isOk(); }

  // What the free functions below are made of.
  /// An operation of equal operand types after broadcasting ("arith.addf"); `result` invalid: the operands' dtype.
  static Tile elementwise(const char *mnemonic, std::vector<Operand> operands, DType result = PANTILE_DTYPE_INVALID);
  static Tile binary(const char *floats, const char *integers, Operand a, Operand b);
  static Tile compare(const char *predicate, Operand a, Operand b);
  static Tile choose(Operand condition, Operand a, Operand b);
  static Tile convert(Operand x, DType dtype, bool isUnsigned);
  static Tile spreadTo(Operand x, const Dims &dims);
  static Tile permute(Operand x, const std::vector<int> &permutation);
  static Tile reinterpret(Operand x, const Dims &dims);
  static Tile concatenate(std::vector<Operand> sources, Axis axis);
  static Tile interleave(Operand a, Operand b);
  static std::array<Tile, 2> deinterleave(Operand x);
  static Tile contract(Operand a, bool transposeA, Operand b, bool transposeB, Operand acc);
  static Tile reduceBy(const char *floats, const char *integers, Operand x, Axis axis);
  using Combine = std::function<std::vector<Tile>(std::span<const Tile> left, std::span<const Tile> right)>;
  static std::vector<Tile> reduceWith(std::vector<Operand> sources, Axis axis, std::vector<Operand> identities, const Combine &combine);
  static Tile scanBy(const char *floats, const char *integers, Operand x, Axis axis, ScanOrder order);
  static Tile positions(const Range &range, DType dtype, Where where);
  static std::array<Tile, 2> greatest(Operand x, std::optional<int64_t> count, Axis axis);
  static Tile reinterpretBits(Operand x, DType dtype);
  static Tile randomBits(Operand seed, Operand position, int word);
  static Tile combineInto(const char *floats, const char *integers, Place &&place, const Operand &value, bool fetches);
  static Range shift(const Range &range, Operand offset);
  static Range scale(const Range &range, int64_t factor, Where where);

  template <size_t N> static std::vector<Operand> operands(const Tile (&tiles)[N], Where where) {
    std::vector<Operand> result;
    for (const Tile &tile : tiles) result.push_back(Operand(tile, where));
    return result;
  }
  template <size_t N> static std::array<Tile, N> array(const std::vector<Tile> &tiles) {
    std::array<Tile, N> result;
    for (size_t i = 0; i < N && i < tiles.size(); ++i) result[i] = tiles[i];
    return result;
  }

private:
  friend class Place;
  friend class View;
  friend class Range;
  friend struct Operand;
  friend struct Subscript;

  struct Argument {
    std::string name;
    DType dtype;
    bool isView = false, isWorkspace = false, loaded = false, stored = false;
    std::vector<SizeSpec> sizes;
    std::string low, high;
  };

  template <size_t N, typename Body> static void spread(Body &body, std::span<const Range> r) {
    [&]<size_t... I>(std::index_sequence<I...>) { body(r[I]...); }(std::make_index_sequence<N>());
  }
  template <size_t N, typename Body> static LoopBody carrying(Body &body) {
    return [&body](Range r, std::span<const Tile> c) {
      std::array<Tile, N> next = [&]<size_t... I>(std::index_sequence<I...>) { return body(r, c[I]...); }(std::make_index_sequence<N>());
      return std::vector<Tile>(next.begin(), next.end());
    };
  }
  static Tile first(const std::vector<Tile> &tiles) { return tiles.empty() ? Tile() : tiles[0]; }

  Tile value(std::string name, DType dtype, Dims dims);
  Range range(std::string name, Dim extent);
  /// Writes `%n = text` in the body and returns %n.
  Tile define(const std::string &text, DType dtype, Dims dims);
  void line(const std::string &text);
  std::string fresh(const std::string &wanted);
  /// A literal becomes a constant of `dtype`; a value is checked to belong to this builder.
  Tile resolve(const Operand &operand, DType dtype);
  Tile asIndex(const Operand &operand);
  Tile broadcastTo(const Tile &tile, const Dims &dims, const char *what, Where where);
  /// Gives values one dtype and one shape; false after an error.
  bool unify(const char *what, const std::vector<Operand> &operands, std::vector<Tile> &tiles);
  Tile load(Place &place, Where where);
  void store(Place &place, const Operand &value);
  /// `kind`: combined by atomic_rmw; null: stored.
  Tile write(Place &place, const Operand &value, const char *kind, bool fetches);
  struct Subscripts;
  bool read(const Place &place, Where where, Subscripts &subscripts);
  Tile sizeValue(const std::string &name, Where where);
  std::optional<int> axisOf(const Tile &tile, const Axis &axis, const char *what, Where where);
  /// The builder of the operands, or null where none has one or an error has happened.
  static KernelBuilder *owner(const std::vector<Operand> &operands);

  std::string kernelName, prologue, body;
  std::vector<Argument> arguments;
  std::vector<std::string> statics;
  std::map<std::string, Tile> constants, sizeValues;
  std::set<std::string> taken;
  unsigned counter = 0, depth = 1;
  Status failure;
  bool finished = false;
};

/// The carries of a loop body, the results of a combine.
template <typename... Tiles> std::array<Tile, sizeof...(Tiles)> carry(Tiles &&...tiles) { return {Tile(std::forward<Tiles>(tiles))...}; }

// Arithmetic: floats, integers and indices alike.
Tile operator+(Operand a, Operand b);
Tile operator-(Operand a, Operand b);
Tile operator*(Operand a, Operand b);
Tile operator/(Operand a, Operand b); ///< integers: signed, towards zero
Tile operator%(Operand a, Operand b);
Tile operator-(Operand x);
Tile operator&(Operand a, Operand b);
Tile operator|(Operand a, Operand b);
Tile operator^(Operand a, Operand b);
Tile operator<<(Operand a, Operand b);
/// Logical: zeros come in.
Tile operator>>(Operand a, Operand b);
Tile maximum(Operand a, Operand b); ///< propagates NaN
Tile minimum(Operand a, Operand b);
Tile ceilDiv(Operand a, Operand b);

// Comparisons give i1; with a NaN only != holds.
Tile operator==(Operand a, Operand b);
Tile operator!=(Operand a, Operand b);
Tile operator<(Operand a, Operand b);
Tile operator<=(Operand a, Operand b);
Tile operator>(Operand a, Operand b);
Tile operator>=(Operand a, Operand b);
Tile select(Operand condition, Operand a, Operand b);

// Mathematics on floats.
Tile exp(Operand x);
Tile exp2(Operand x);
Tile log(Operand x);
Tile log2(Operand x);
Tile log1p(Operand x);
Tile sqrt(Operand x);
Tile rsqrt(Operand x);
Tile sin(Operand x);
Tile cos(Operand x);
Tile tanh(Operand x);
Tile erf(Operand x);
Tile abs(Operand x);
Tile floor(Operand x);
Tile ceil(Operand x);
Tile pow(Operand x, Operand y);
Tile fma(Operand a, Operand b, Operand c);

// Form.
Tile cast(Operand x, DType dtype);
/// Integers extended and converted as unsigned.
Tile castUnsigned(Operand x, DType dtype);
/// The same bits as another dtype of the same width.
Tile bitcast(Operand x, DType dtype);
Tile broadcast(Operand x, const Dims &dims);
Tile transpose(Operand x, const std::vector<int> &permutation = {1, 0});
Tile reshape(Operand x, const Dims &dims);
Tile cat(Operand a, Operand b, Axis axis);
Tile join(Operand a, Operand b);
std::array<Tile, 2> split(Operand x);

/// acc + a b over the last two dimensions; leading ones are batches.
Tile dot(Operand a, Operand b, Operand acc);
struct Transposed {
  Operand tile;
};
/// A dot's operand the other way round.
inline Transposed transposed(Operand x) { return {x}; }
Tile dot(Operand a, Transposed b, Operand acc);
Tile dot(Transposed a, Operand b, Operand acc);
Tile dot(Transposed a, Transposed b, Operand acc);

// Reductions of the logical elements along one dimension; to rank 0: a scalar.
Tile sum(Operand x, Axis axis);
Tile product(Operand x, Axis axis);
Tile max(Operand x, Axis axis);
Tile min(Operand x, Axis axis);
Tile maxNumber(Operand x, Axis axis); ///< passes NaNs over
/// Any associative and commutative combination of several tiles at once: combine(left, right) gives carry(...).
template <size_t N, typename Body>
std::array<Tile, N> reduce(const Tile (&sources)[N], Axis axis, const Tile (&identities)[N], Body &&combine,
                           Where where = Where::current()) {
  auto body = [&](std::span<const Tile> l, std::span<const Tile> r) {
    std::array<Tile, N> left, right;
    for (size_t i = 0; i < N; ++i) left[i] = l[i], right[i] = r[i];
    std::array<Tile, N> result = combine(left, right);
    return std::vector<Tile>(result.begin(), result.end());
  };
  return KernelBuilder::array<N>(
      KernelBuilder::reduceWith(KernelBuilder::operands(sources, where), axis, KernelBuilder::operands(identities, where), body));
}
/// The `count` greatest along one dimension, in descending order, and their positions (i32); equal ones in their order, NaN first.
std::array<Tile, 2> topK(Operand x, int64_t count, Axis axis);
/// All of them: a stable descending sort.
std::array<Tile, 2> sorted(Operand x, Axis axis);
Tile cumulativeSum(Operand x, Axis axis, ScanOrder order = {});

// Memory that several programs write: each element is combined indivisibly, in any order. `fetchAdd` gives what was there.
void atomicAdd(Place &&place, Operand value);
void atomicMaximum(Place &&place, Operand value);
void atomicMinimum(Place &&place, Operand value);
Tile fetchAdd(Place &&place, Operand value);

/// 32 random bits (i32) for each position (i32 or i64) by Philox 4x32-10: word 0 .. 3 of the counter `position` under the key
/// `seed` (an i64 scalar).
Tile random(Operand seed, Operand position, int word = 0);
/// Uniform in [0, 1), f32, in steps of 2^-24.
Tile uniform(Operand seed, Operand position, int word = 0);
/// Normal, mean 0 and deviation 1, f32 (Box and Muller, of words 0 and 1).
Tile normal(Operand seed, Operand position);

/// The positions of a range as a tile.
Tile index(const Range &range, DType dtype = i32, Where where = Where::current());
Range operator+(const Range &range, Operand offset);
Range operator*(const Range &range, int64_t factor);
inline Range operator*(const Range &range, int factor) { return range * int64_t(factor); }

inline constexpr double infinity = std::numeric_limits<double>::infinity();
/// The lowest finite f32: where a maximum starts that will be subtracted (infinities would give NaN).
inline constexpr double lowest = double(std::numeric_limits<float>::lowest());

} // namespace pantile::build

#endif // PANTILE_IR_BUILD_BUILDER_H
