//===- ir/interpret/Elementwise.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Every operation is one row of a table: a name and a loop over plain arrays, in which the compiler inlines the arithmetic.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/Elementwise.h"
#include "ir/interpret/Number.h"

#include "llvm/ADT/StringMap.h"

#include <bit>
#include <cmath>
#include <limits>

namespace pantile::interpreter {

namespace {

using FloatUnary = void (*)(const double *, double *, size_t);
using IntegerUnary = void (*)(const int64_t *, int64_t *, size_t, unsigned bits);

template <typename T, typename R, typename F> void loop(Array<T> a, Array<T> b, R *out, size_t count, F f) {
  if (a.step == 1 && b.step == 1) {
    for (size_t i = 0; i < count; ++i) out[i] = f(a.data[i], b.data[i]);
  } else {
    for (size_t i = 0; i < count; ++i) out[i] = f(a.data[ptrdiff_t(i) * a.step], b.data[ptrdiff_t(i) * b.step]);
  }
}

#define FLOAT2(name, expression)                                                                                                           \
  {name, [](Array<double> a, Array<double> b, double *out, size_t n) {                                                                     \
     loop(a, b, out, n, [](double x, double y) -> double { return expression; });                                                          \
   }}
#define FLOAT1(name, expression)                                                                                                           \
  {name, [](const double *a, double *out, size_t n) {                                                                                      \
     for (size_t i = 0; i < n; ++i) {                                                                                                      \
       double x = a[i];                                                                                                                    \
       out[i] = expression;                                                                                                                \
     }                                                                                                                                     \
   }}
/// x, y: as stored; sx, sy signed; ux, uy unsigned.
#define INTEGER2(name, expression)                                                                                                         \
  {name, [](Array<int64_t> a, Array<int64_t> b, int64_t *out, size_t n, unsigned bits) {                                                   \
     loop(a, b, out, n, [bits](int64_t x, int64_t y) -> int64_t {                                                                          \
       [[maybe_unused]] int64_t sx = asSigned(x, bits), sy = asSigned(y, bits);                                                            \
       [[maybe_unused]] uint64_t ux = asUnsigned(x, bits), uy = asUnsigned(y, bits);                                                       \
       return int64_t(expression);                                                                                                         \
     });                                                                                                                                   \
   }}
#define INTEGER1(name, expression)                                                                                                         \
  {name, [](const int64_t *a, int64_t *out, size_t n, unsigned bits) {                                                                     \
     for (size_t i = 0; i < n; ++i) {                                                                                                      \
       [[maybe_unused]] int64_t sx = asSigned(a[i], bits);                                                                                 \
       [[maybe_unused]] uint64_t ux = asUnsigned(a[i], bits);                                                                              \
       out[i] = int64_t(expression);                                                                                                       \
     }                                                                                                                                     \
   }}

double maximum(double x, double y) { return std::isnan(x) ? x : std::isnan(y) ? y : x == y ? (std::signbit(x) ? y : x) : x > y ? x : y; }
double minimum(double x, double y) { return std::isnan(x) ? x : std::isnan(y) ? y : x == y ? (std::signbit(x) ? x : y) : x < y ? x : y; }
double maxnum(double x, double y) { return std::isnan(x) ? y : std::isnan(y) ? x : maximum(x, y); }
double minnum(double x, double y) { return std::isnan(x) ? y : std::isnan(y) ? x : minimum(x, y); }
int64_t divide(int64_t x, int64_t y) { return y == -1 ? int64_t(0 - uint64_t(x)) : x / y; }
int64_t remainder(int64_t x, int64_t y) { return y == -1 ? 0 : x % y; }
int64_t floorDivide(int64_t x, int64_t y) {
  int64_t quotient = divide(x, y);
  return remainder(x, y) != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient;
}
int64_t ceilDivide(int64_t x, int64_t y) {
  int64_t quotient = divide(x, y);
  return remainder(x, y) != 0 && (x < 0) == (y < 0) ? quotient + 1 : quotient;
}
double inverseRoot(double x) { return 1 / std::sqrt(x); }

const llvm::StringMap<FloatBinary> &floatBinaries() {
  static const llvm::StringMap<FloatBinary> table{FLOAT2("arith.addf", x + y),
                                                  FLOAT2("arith.subf", x - y),
                                                  FLOAT2("arith.mulf", x * y),
                                                  FLOAT2("arith.divf", x / y),
                                                  FLOAT2("arith.remf", std::fmod(x, y)),
                                                  FLOAT2("arith.maximumf", maximum(x, y)),
                                                  FLOAT2("arith.minimumf", minimum(x, y)),
                                                  FLOAT2("arith.maxnumf", maxnum(x, y)),
                                                  FLOAT2("arith.minnumf", minnum(x, y)),
                                                  FLOAT2("math.powf", std::pow(x, y)),
                                                  FLOAT2("math.copysign", std::copysign(x, y)),
                                                  FLOAT2("math.atan2", std::atan2(x, y))};
  return table;
}

const llvm::StringMap<FloatUnary> &floatUnaries() {
  static const llvm::StringMap<FloatUnary> table{FLOAT1("arith.negf", -x),
                                                 FLOAT1("math.absf", std::fabs(x)),
                                                 FLOAT1("math.exp", std::exp(x)),
                                                 FLOAT1("math.exp2", std::exp2(x)),
                                                 FLOAT1("math.expm1", std::expm1(x)),
                                                 FLOAT1("math.log", std::log(x)),
                                                 FLOAT1("math.log2", std::log2(x)),
                                                 FLOAT1("math.log10", std::log10(x)),
                                                 FLOAT1("math.log1p", std::log1p(x)),
                                                 FLOAT1("math.sqrt", std::sqrt(x)),
                                                 FLOAT1("math.rsqrt", inverseRoot(x)),
                                                 FLOAT1("math.cbrt", std::cbrt(x)),
                                                 FLOAT1("math.sin", std::sin(x)),
                                                 FLOAT1("math.cos", std::cos(x)),
                                                 FLOAT1("math.tan", std::tan(x)),
                                                 FLOAT1("math.sinh", std::sinh(x)),
                                                 FLOAT1("math.cosh", std::cosh(x)),
                                                 FLOAT1("math.tanh", std::tanh(x)),
                                                 FLOAT1("math.asin", std::asin(x)),
                                                 FLOAT1("math.acos", std::acos(x)),
                                                 FLOAT1("math.atan", std::atan(x)),
                                                 FLOAT1("math.asinh", std::asinh(x)),
                                                 FLOAT1("math.acosh", std::acosh(x)),
                                                 FLOAT1("math.atanh", std::atanh(x)),
                                                 FLOAT1("math.erf", std::erf(x)),
                                                 FLOAT1("math.erfc", std::erfc(x)),
                                                 FLOAT1("math.floor", std::floor(x)),
                                                 FLOAT1("math.ceil", std::ceil(x)),
                                                 FLOAT1("math.round", std::round(x)),
                                                 FLOAT1("math.roundeven", std::nearbyint(x)),
                                                 FLOAT1("math.trunc", std::trunc(x))};
  return table;
}

const llvm::StringMap<IntegerBinary> &integerBinaries() {
  static const llvm::StringMap<IntegerBinary> table{INTEGER2("arith.addi", uint64_t(x) + uint64_t(y)),
                                                    INTEGER2("arith.subi", uint64_t(x) - uint64_t(y)),
                                                    INTEGER2("arith.muli", uint64_t(x) * uint64_t(y)),
                                                    INTEGER2("arith.divsi", divide(sx, sy)),
                                                    INTEGER2("arith.divui", ux / uy),
                                                    INTEGER2("arith.remsi", remainder(sx, sy)),
                                                    INTEGER2("arith.remui", ux % uy),
                                                    INTEGER2("arith.ceildivsi", ceilDivide(sx, sy)),
                                                    INTEGER2("arith.ceildivui", ux / uy + (ux % uy != 0)),
                                                    INTEGER2("arith.floordivsi", floorDivide(sx, sy)),
                                                    INTEGER2("arith.andi", x & y),
                                                    INTEGER2("arith.ori", x | y),
                                                    INTEGER2("arith.xori", x ^ y),
                                                    INTEGER2("arith.shli", uy >= bits ? 0 : ux << uy),
                                                    INTEGER2("arith.shrui", uy >= bits ? 0 : ux >> uy),
                                                    INTEGER2("arith.shrsi", sx >> (uy >= bits ? 63 : uy)),
                                                    INTEGER2("arith.maxsi", sx > sy ? x : y),
                                                    INTEGER2("arith.minsi", sx < sy ? x : y),
                                                    INTEGER2("arith.maxui", ux > uy ? x : y),
                                                    INTEGER2("arith.minui", ux < uy ? x : y)};
  return table;
}

const llvm::StringMap<IntegerUnary> &integerUnaries() {
  static const llvm::StringMap<IntegerUnary> table{
      INTEGER1("math.absi", sx < 0 ? 0 - uint64_t(sx) : uint64_t(sx)), INTEGER1("math.ctpop", std::popcount(ux)),
      INTEGER1("math.ctlz", std::countl_zero(ux) - (64 - int(bits))), INTEGER1("math.cttz", ux ? std::countr_zero(ux) : int(bits))};
  return table;
}

bool compareFloats(int64_t predicate, double x, double y) {
  // arith::CmpFPredicate: 0 false, 1-6 ordered (eq gt ge lt le ne), 7 ord, 8-13 unordered, 14 uno, 15 true.
  bool unordered = std::isnan(x) || std::isnan(y);
  if (predicate == 0) return false;
  if (predicate == 15) return true;
  if (predicate == 7) return !unordered;
  if (predicate == 14) return unordered;
  if (unordered) return predicate >= 8;
  switch (predicate >= 8 ? predicate - 7 : predicate) {
  case 1:
    return x == y;
  case 2:
    return x > y;
  case 3:
    return x >= y;
  case 4:
    return x < y;
  case 5:
    return x <= y;
  default:
    return x != y;
  }
}

bool compareIntegers(int64_t predicate, int64_t x, int64_t y, unsigned bits) {
  // arith::CmpIPredicate: eq ne slt sle sgt sge ult ule ugt uge.
  int64_t sx = asSigned(x, bits), sy = asSigned(y, bits);
  uint64_t ux = asUnsigned(x, bits), uy = asUnsigned(y, bits);
  switch (predicate) {
  case 0:
    return ux == uy;
  case 1:
    return ux != uy;
  case 2:
    return sx < sy;
  case 3:
    return sx <= sy;
  case 4:
    return sx > sy;
  case 5:
    return sx >= sy;
  case 6:
    return ux < uy;
  case 7:
    return ux <= uy;
  case 8:
    return ux > uy;
  default:
    return ux >= uy;
  }
}

unsigned widthOf(DType dtype) { return dtype == PANTILE_INDEX ? 64 : info(dtype).bits; }

Array<double> floatsOf(const Tile &tile, bool repeat) { return {tile.floats.data(), repeat ? 0 : 1}; }
Array<int64_t> integersOf(const Tile &tile, bool repeat) { return {tile.integers.data(), repeat ? 0 : 1}; }

enum class Special : uint8_t { Compare, Select, Fma, FpowI, IsNan, IsInf, IsFinite, CastSigned, CastUnsigned, Bitcast, Clamp };
const llvm::StringMap<Special> &specials() {
  static const llvm::StringMap<Special> table{{"arith.cmpf", Special::Compare},
                                              {"arith.cmpi", Special::Compare},
                                              {"arith.select", Special::Select},
                                              {"math.fma", Special::Fma},
                                              {"math.fpowi", Special::FpowI},
                                              {"math.isnan", Special::IsNan},
                                              {"math.isinf", Special::IsInf},
                                              {"math.isfinite", Special::IsFinite},
                                              {"math.clampf", Special::Clamp},
                                              {"arith.extf", Special::CastSigned},
                                              {"arith.truncf", Special::CastSigned},
                                              {"arith.extsi", Special::CastSigned},
                                              {"arith.extui", Special::CastUnsigned},
                                              {"arith.trunci", Special::CastSigned},
                                              {"arith.sitofp", Special::CastSigned},
                                              {"arith.uitofp", Special::CastUnsigned},
                                              {"arith.fptosi", Special::CastSigned},
                                              {"arith.fptoui", Special::CastUnsigned},
                                              {"arith.index_cast", Special::CastSigned},
                                              {"arith.index_castui", Special::CastUnsigned},
                                              {"arith.bitcast", Special::Bitcast}};
  return table;
}

bool dividesIntegers(llvm::StringRef name) { return name.contains("div") || name.contains("rem"); }

} // namespace

TilePtr crop(const TilePtr &tile, llvm::ArrayRef<int64_t> extents) {
  if (tile->extents.empty() || llvm::ArrayRef<int64_t>(tile->extents) == extents) return tile;
  auto result = std::make_shared<Tile>(tile->dtype, extents);
  int64_t rank = tile->rank(), rows = result->count(), inner = extents.back();
  if (rows == 0) return result;
  rows /= inner;
  Sizes position(rank, 0);
  result->with(*tile, [&](auto &to, const auto &from) {
    for (int64_t row = 0; row < rows; ++row) {
      int64_t at = 0;
      for (int64_t d = 0; d < rank; ++d) at = at * tile->extents[d] + position[d];
      std::copy_n(from.begin() + at, inner, to.begin() + row * inner);
      for (int64_t d = rank - 2; d >= 0 && ++position[d] == extents[d]; --d) position[d] = 0;
    }
  });
  return result;
}

Sizes cropTogether(llvm::MutableArrayRef<TilePtr> tiles) {
  const Tile *first = nullptr;
  bool equal = true;
  Sizes extents;
  for (const TilePtr &tile : tiles) {
    if (tile->extents.empty()) continue;
    if (!first) {
      first = tile.get();
      extents = tile->extents;
      continue;
    }
    if (tile->extents == first->extents) continue;
    equal = false;
    for (auto [to, from] : llvm::zip(extents, tile->extents)) to = std::min(to, from);
  }
  if (!equal)
    for (TilePtr &tile : tiles) tile = crop(tile, extents);
  return extents;
}

bool isElementwise(llvm::StringRef name) {
  return floatBinaries().contains(name) || floatUnaries().contains(name) || integerBinaries().contains(name) ||
         integerUnaries().contains(name) || specials().contains(name);
}

Expected<TilePtr> evaluate(llvm::StringRef name, int64_t predicate, llvm::MutableArrayRef<TilePtr> operands, DType dtype) {
  Sizes extents = cropTogether(operands);
  auto result = std::make_shared<Tile>(dtype, extents);
  size_t count = size_t(result->count());
  bool isTile = !extents.empty();
  auto repeats = [&](size_t i) { return isTile && operands[i]->extents.empty(); };
  const Tile &a = *operands[0];
  unsigned bits = widthOf(a.dtype);

  if (auto f = floatBinaries().find(name); f != floatBinaries().end()) {
    f->second(floatsOf(a, repeats(0)), floatsOf(*operands[1], repeats(1)), result->floats.data(), count);
    roundAll(dtype, result->floats);
    return TilePtr(result);
  }
  if (auto f = integerBinaries().find(name); f != integerBinaries().end()) {
    if (dividesIntegers(name) && count)
      for (int64_t divisor : operands[1]->integers)
        if (divisor == 0) return Status(PANTILE_INVALID_ARGUMENT, "division of an integer by zero");
    f->second(integersOf(a, repeats(0)), integersOf(*operands[1], repeats(1)), result->integers.data(), count, bits);
    wrapAll(dtype, result->integers);
    return TilePtr(result);
  }
  if (auto f = floatUnaries().find(name); f != floatUnaries().end()) {
    f->second(a.floats.data(), result->floats.data(), count);
    roundAll(dtype, result->floats);
    return TilePtr(result);
  }
  if (auto f = integerUnaries().find(name); f != integerUnaries().end()) {
    f->second(a.integers.data(), result->integers.data(), count, bits);
    wrapAll(dtype, result->integers);
    return TilePtr(result);
  }

  auto at = [&](size_t operand, size_t i) { return repeats(operand) ? 0 : i; };
  switch (specials().lookup(name)) {
  case Special::Compare:
    if (a.isFloat())
      loop(floatsOf(a, repeats(0)), floatsOf(*operands[1], repeats(1)), result->integers.data(), count,
           [&](double x, double y) { return int64_t(compareFloats(predicate, x, y)); });
    else
      loop(integersOf(a, repeats(0)), integersOf(*operands[1], repeats(1)), result->integers.data(), count,
           [&](int64_t x, int64_t y) { return int64_t(compareIntegers(predicate, x, y, bits)); });
    break;
  case Special::Select: {
    auto choose = [&](auto &to, const auto &yes, const auto &no) {
      for (size_t i = 0; i < count; ++i) to[i] = a.integers[at(0, i)] ? yes[at(1, i)] : no[at(2, i)];
    };
    if (result->isFloat())
      choose(result->floats, operands[1]->floats, operands[2]->floats);
    else
      choose(result->integers, operands[1]->integers, operands[2]->integers);
    break;
  }
  case Special::Fma:
    for (size_t i = 0; i < count; ++i) {
      double x = a.floats[at(0, i)], y = operands[1]->floats[at(1, i)], z = operands[2]->floats[at(2, i)];
      result->floats[i] = dtype == PANTILE_F32 ? double(std::fma(float(x), float(y), float(z))) : std::fma(x, y, z);
    }
    roundAll(dtype, result->floats);
    break;
  case Special::Clamp:
    for (size_t i = 0; i < count; ++i)
      result->floats[i] = minimum(maximum(a.floats[at(0, i)], operands[1]->floats[at(1, i)]), operands[2]->floats[at(2, i)]);
    break;
  case Special::FpowI:
    for (size_t i = 0; i < count; ++i) result->floats[i] = std::pow(a.floats[at(0, i)], double(operands[1]->integers[at(1, i)]));
    roundAll(dtype, result->floats);
    break;
  case Special::IsNan:
    for (size_t i = 0; i < count; ++i) result->integers[i] = std::isnan(a.floats[i]);
    break;
  case Special::IsInf:
    for (size_t i = 0; i < count; ++i) result->integers[i] = std::isinf(a.floats[i]);
    break;
  case Special::IsFinite:
    for (size_t i = 0; i < count; ++i) result->integers[i] = std::isfinite(a.floats[i]);
    break;
  case Special::CastSigned:
    // arith's own casts extend i1 by its sign.
    if (a.dtype == PANTILE_I1 && name != "arith.trunci") {
      Tile widened(PANTILE_I8, a.extents);
      for (size_t i = 0; i < count; ++i) widened.integers[i] = -a.integers[i];
      return castTo(widened, dtype, false);
    }
    return castTo(a, dtype, false);
  case Special::CastUnsigned:
    return castTo(a, dtype, true);
  case Special::Bitcast:
    return bitcastTo(a, dtype);
  }
  return TilePtr(result);
}

TilePtr castTo(const Tile &source, DType dtype, bool isUnsigned) {
  auto result = std::make_shared<Tile>(dtype, source.extents);
  size_t count = size_t(source.count());
  unsigned from = widthOf(source.dtype), to = widthOf(dtype);
  if (source.isFloat() && result->isFloat()) {
    result->floats = source.floats;
    roundAll(dtype, result->floats);
  } else if (source.isFloat()) {
    for (size_t i = 0; i < count; ++i) result->integers[i] = toInteger(source.floats[i], to, isUnsigned);
  } else if (result->isFloat()) {
    bool viaFloat = dtype == PANTILE_F32 && from > 53; // one rounding, not two
    for (size_t i = 0; i < count; ++i) {
      int64_t value = source.integers[i];
      if (isUnsigned) {
        uint64_t bits = asUnsigned(value, from);
        result->floats[i] = viaFloat ? double(float(bits)) : double(bits);
      } else {
        result->floats[i] = viaFloat ? double(float(value)) : double(value);
      }
    }
    roundAll(dtype, result->floats);
  } else {
    for (size_t i = 0; i < count; ++i)
      result->integers[i] = isUnsigned ? int64_t(asUnsigned(source.integers[i], from)) : source.integers[i];
    wrapAll(dtype, result->integers);
  }
  return result;
}

TilePtr bitcastTo(const Tile &source, DType dtype) {
  auto result = std::make_shared<Tile>(dtype, source.extents);
  size_t count = size_t(source.count());
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits = source.isFloat() ? bitsFromFloat(source.dtype, source.floats[i]) : uint64_t(source.integers[i]);
    if (result->isFloat())
      result->floats[i] = floatFromBits(dtype, bits);
    else
      result->integers[i] = wrapTo(dtype, int64_t(bits));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Kinds of reductions
//===----------------------------------------------------------------------===//

Combine::Combine(llvm::StringRef kind, DType dtype, bool rounds) : dtype(dtype), rounds(rounds && dtype != PANTILE_F64) {
  static const llvm::StringMap<int> kinds{{"addf", 0},    {"mulf", 0},  {"maximumf", 0}, {"minimumf", 0}, {"maxnumf", 0},
                                          {"minnumf", 0}, {"addi", 0},  {"muli", 0},     {"maxsi", 0},    {"minsi", 0},
                                          {"maxui", 0},   {"minui", 0}, {"andi", 0},     {"ori", 0},      {"xori", 0}};
  if (!kinds.contains(kind)) return;
  std::string name = "arith." + kind.str();
  if (info(dtype).kind == DTypeClass::Float)
    floats = floatBinaries().lookup(name);
  else
    integers = integerBinaries().lookup(name);
}

void Combine::operator()(double *into, const double *from, size_t count) const {
  floats({into, 1}, {from, 1}, into, count);
  if (rounds)
    for (size_t i = 0; i < count; ++i) into[i] = roundTo(formatOf(dtype), into[i]);
}

void Combine::operator()(int64_t *into, const int64_t *from, size_t count) const {
  integers({into, 1}, {from, 1}, into, count, widthOf(dtype));
  for (size_t i = 0; i < count; ++i) into[i] = wrapTo(dtype, into[i]);
}

TilePtr identityOf(llvm::StringRef kind, DType dtype) {
  auto result = std::make_shared<Tile>(dtype, llvm::ArrayRef<int64_t>());
  if (result->isFloat()) {
    double infinity = std::numeric_limits<double>::infinity();
    double value = kind == "mulf" ? 1 : kind.starts_with("max") ? -infinity : kind.starts_with("min") ? infinity : 0;
    result->floats[0] = roundTo(formatOf(dtype), value);
    return result;
  }
  unsigned bits = widthOf(dtype);
  int64_t lowest = bits == 1 ? 1 : bits >= 64 ? std::numeric_limits<int64_t>::min() : -(int64_t(1) << (bits - 1));
  int64_t value = 0;
  if (kind == "muli")
    value = 1;
  else if (kind == "maxsi")
    value = lowest;
  else if (kind == "minsi")
    value = ~lowest;
  else if (kind == "minui" || kind == "andi")
    value = -1;
  result->integers[0] = wrapTo(dtype, value);
  return result;
}

} // namespace pantile::interpreter
