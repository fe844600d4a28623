//===- ir/build/Operations.cpp - values from values -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Builder.h"
#include "ir/build/Spelling.h"

#include <algorithm>
#include <fmt/format.h>
#include <numbers>

namespace pantile::build {

using fmt::format;

static bool isFloat(DType dtype) { return dtype != index_ && info(dtype).kind == DTypeClass::Float; }
static std::string typeOf(const Tile &tile) { return spelling::type(tile.dtype(), tile.dims()); }

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// In how many ways `part` is an ordered subset of `whole` (at most 2 counted); `positions` is the last one found.
static int embeddings(const Dims &part, const Dims &whole, size_t i, size_t j, std::vector<int> &current, std::vector<int> &positions) {
  if (i == part.size()) return positions = current, 1;
  int count = 0;
  for (; j < whole.size() && count < 2; ++j)
    if (part[i] == whole[j]) {
      current.push_back(int(j));
      count += embeddings(part, whole, i + 1, j + 1, current, positions);
      current.pop_back();
    }
  return count;
}

Tile KernelBuilder::broadcastTo(const Tile &tile, const Dims &dims, const char *what, Where where) {
  if (tile.extents == dims || failed()) return tile;
  std::string result = spelling::type(tile.type, dims);
  if (tile.isScalar()) return define(spelling::splat({tile.name, typeOf(tile)}, result), tile.type, dims);
  std::vector<int> current, positions, along;
  int ways = embeddings(tile.extents, dims, 0, 0, current, positions);
  if (ways != 1)
    return fail(format("{}: {} spreads to {} in {}; say it with broadcast() or reshape()", what, typeOf(tile), result,
                       ways ? "more than one way" : "no way"),
                where),
           Tile();
  for (int d = 0; d < int(dims.size()); ++d)
    if (std::ranges::find(positions, d) == positions.end()) along.push_back(d);
  return define(spelling::broadcast({tile.name, typeOf(tile)}, along, result), tile.type, dims);
}

KernelBuilder *KernelBuilder::owner(const std::vector<Operand> &operands) {
  KernelBuilder *kernel = nullptr;
  for (const Operand &o : operands)
    if (!kernel) kernel = o.tile.kernel;
  return kernel && !kernel->failed() ? kernel : nullptr;
}

bool KernelBuilder::unify(const char *what, const std::vector<Operand> &operands, std::vector<Tile> &tiles) {
  DType dtype = PANTILE_DTYPE_INVALID;
  for (const Operand &o : operands)
    if (!o.isLiteral() && dtype == PANTILE_DTYPE_INVALID) dtype = o.tile.type;
  Dims dims;
  for (const Operand &o : operands) {
    tiles.push_back(resolve(o, dtype));
    if (!tiles.back().isValid()) return false;
    if (tiles.back().type != dtype) {
      fail(format("{}: operands of {} and {}; cast one of them", what, typeOf(tiles[0]), typeOf(tiles.back())), o.where);
      return false;
    }
    if (tiles.back().rank() > int(dims.size())) dims = tiles.back().extents;
  }
  for (size_t i = 0; i < tiles.size(); ++i) tiles[i] = broadcastTo(tiles[i], dims, what, operands[i].where);
  return !failed();
}

static spelling::Values valuesOf(const std::vector<Tile> &tiles, const std::function<std::string(const Tile &)> &name) {
  spelling::Values values;
  for (const Tile &tile : tiles) values.push_back({name(tile), typeOf(tile)});
  return values;
}
#define VALUES(tiles) valuesOf(tiles, [](const Tile &t) { return t.name; })
#define VALUE(tile)                                                                                                                        \
  spelling::Value { (tile).name, typeOf(tile) }

Tile KernelBuilder::elementwise(const char *mnemonic, std::vector<Operand> operands, DType result) {
  KernelBuilder *kernel = owner(operands);
  std::vector<Tile> tiles;
  if (!kernel || !kernel->unify(mnemonic, operands, tiles)) return {};
  if (isFloat(tiles[0].type) == std::string_view(mnemonic).ends_with('i')) // every integer operation ends so, no float one does
    return kernel->fail(format("{} of {}", mnemonic, typeOf(tiles[0])), operands[0].where), Tile();
  return kernel->define(spelling::elementwise(mnemonic, VALUES(tiles)), result == PANTILE_DTYPE_INVALID ? tiles[0].type : result,
                        tiles[0].extents);
}

Tile KernelBuilder::binary(const char *floats, const char *integers, Operand a, Operand b) {
  const Tile &typed = a.isLiteral() ? b.tile : a.tile;
  if (!typed.isValid()) return {};
  const char *mnemonic = isFloat(typed.type) ? floats : integers;
  if (!mnemonic) return typed.kernel->fail(format("{} of {}", floats ? floats : integers, typeOf(typed)), a.where), Tile();
  return elementwise(mnemonic, {a, b});
}

Tile KernelBuilder::compare(const char *predicate, Operand a, Operand b) {
  KernelBuilder *kernel = owner({a, b});
  std::vector<Tile> tiles;
  if (!kernel || !kernel->unify("a comparison", {a, b}, tiles)) return {};
  bool floats = isFloat(tiles[0].type);
  std::string_view p = predicate;
  std::string text = floats ? (p == "ne" ? "une" : "o" + std::string(p)) : (p == "eq" || p == "ne" ? std::string(p) : "s" + std::string(p));
  return kernel->define(spelling::compare(floats, text.c_str(), VALUES(tiles)), i1, tiles[0].extents);
}

Tile KernelBuilder::choose(Operand condition, Operand a, Operand b) {
  KernelBuilder *kernel = owner({condition, a, b});
  if (!kernel) return {};
  Tile c = kernel->resolve(condition, i1);
  if (!c.isValid()) return {};
  if (c.type != i1) return kernel->fail(format("select: the condition is {}, not i1", typeOf(c)), condition.where), Tile();
  if (a.isLiteral() && b.isLiteral()) return kernel->fail("select between two literals: give one a dtype with constant()", a.where), Tile();
  std::vector<Tile> tiles;
  if (!kernel->unify("select", {a, b}, tiles)) return {};
  if (!c.isScalar()) {
    const Dims &dims = c.rank() >= tiles[0].rank() ? c.extents : tiles[0].extents;
    Dims target = dims;
    c = kernel->broadcastTo(c, target, "select", condition.where);
    for (Tile &tile : tiles) tile = kernel->broadcastTo(tile, target, "select", a.where);
    if (kernel->failed()) return {};
  }
  return kernel->define(spelling::select(VALUE(c), VALUE(tiles[0]), VALUE(tiles[1])), tiles[0].type, tiles[0].extents);
}

Tile KernelBuilder::convert(Operand x, DType dtype, bool isUnsigned) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  const Tile &tile = x.tile;
  if (tile.type == dtype) return tile;
  return kernel->define(spelling::cast(VALUE(tile), isUnsigned, spelling::type(dtype, tile.extents)), dtype, tile.extents);
}

std::array<Tile, 2> KernelBuilder::greatest(Operand x, std::optional<int64_t> count, Axis axis) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  std::optional<int> dim = kernel->axisOf(x.tile, axis, "topK", x.where);
  if (!dim) return {};
  if (count && *count < 1) return kernel->fail(format("topK: finds 1 or more, not {}", *count), x.where), std::array<Tile, 2>();
  Dims dims = x.tile.extents;
  if (count) dims[size_t(*dim)] = Dim(*count);
  std::string values = format("%{}", kernel->counter++), positions = format("%{}", kernel->counter++);
  kernel->line(format("{}, {} = {}", values, positions,
                      spelling::topk(VALUE(x.tile), *dim, spelling::type(x.tile.type, dims), spelling::type(i32, dims))));
  return {kernel->value(values, x.tile.type, dims), kernel->value(positions, i32, dims)};
}

Tile KernelBuilder::reinterpretBits(Operand x, DType dtype) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  const Tile &tile = x.tile;
  if (tile.type == dtype) return tile;
  if (tile.type == index_ || dtype == index_ || info(tile.type).bits != info(dtype).bits)
    return kernel->fail(format("bitcast: {} and {} differ in width", typeOf(tile), spelling::element(dtype)), x.where), Tile();
  return kernel->define(spelling::bitcast(VALUE(tile), spelling::type(dtype, tile.extents)), dtype, tile.extents);
}

Tile KernelBuilder::randomBits(Operand seed, Operand position, int word) {
  KernelBuilder *kernel = owner({seed, position});
  if (!kernel) return {};
  Tile key = kernel->resolve(seed, i64), at = kernel->resolve(position, i64);
  if (kernel->failed()) return {};
  if (key.type != i64 || !key.isScalar() || (at.type != i32 && at.type != i64) || word < 0 || word > 3)
    return kernel->fail(
               format("random: seed {}, positions {}, word {}: a seed is an i64 scalar, positions are i32 or i64, words are 0 to 3",
                      typeOf(key), typeOf(at), word),
               position.where),
           Tile();
  return kernel->define(spelling::random(key.name, VALUE(at), word, spelling::type(i32, at.extents)), i32, at.extents);
}

Tile KernelBuilder::spreadTo(Operand x, const Dims &dims) {
  KernelBuilder *kernel = owner({x});
  return kernel ? kernel->broadcastTo(x.tile, dims, "broadcast", x.where) : Tile();
}

Tile KernelBuilder::permute(Operand x, const std::vector<int> &permutation) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  std::vector<int> sorted = permutation;
  std::ranges::sort(sorted);
  Dims dims;
  for (int i = 0; i < int(sorted.size()); ++i)
    if (sorted[i] != i || int(sorted.size()) != x.tile.rank())
      return kernel->fail(format("transpose: [{}] is no permutation of {} dimensions", fmt::join(permutation, ", "), x.tile.rank()),
                          x.where),
             Tile();
  for (int from : permutation) dims.push_back(x.tile.extents[from]);
  return kernel->define(spelling::transpose(VALUE(x.tile), permutation, spelling::type(x.tile.type, dims)), x.tile.type, dims);
}

Tile KernelBuilder::reinterpret(Operand x, const Dims &dims) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  auto elements = [](const Dims &dims) {
    std::pair<std::vector<std::string>, int64_t> symbolsAndFactor{{}, 1};
    for (const Dim &d : dims) {
      if (!d.isConstant()) symbolsAndFactor.first.push_back(d.symbol);
      symbolsAndFactor.second *= d.factor;
    }
    return symbolsAndFactor;
  };
  std::string result = spelling::type(x.tile.type, dims);
  if (elements(x.tile.extents) != elements(dims))
    return kernel->fail(format("reshape: {} has not the elements of {}", typeOf(x.tile), result), x.where), Tile();
  return kernel->define(spelling::reshape(VALUE(x.tile), result), x.tile.type, dims);
}

std::optional<int> KernelBuilder::axisOf(const Tile &tile, const Axis &axis, const char *what, Where where) {
  int found = axis.number < 0 ? axis.number + tile.rank() : axis.number;
  if (axis.dim) {
    auto first = std::ranges::find(tile.extents, *axis.dim);
    found = first == tile.extents.end() || std::find(first + 1, tile.extents.end(), *axis.dim) != tile.extents.end()
                ? -1
                : int(first - tile.extents.begin());
  }
  if (found >= 0 && found < tile.rank()) return found;
  std::string name = axis.dim ? "dimension " + spelling::dim(*axis.dim) + " once" : "dimension " + std::to_string(axis.number);
  fail(format("{}: {} has not {}", what, typeOf(tile), name), where);
  return std::nullopt;
}

Tile KernelBuilder::concatenate(std::vector<Operand> sources, Axis axis) {
  KernelBuilder *kernel = owner(sources);
  if (!kernel) return {};
  Where where = sources[0].where;
  std::vector<Tile> tiles;
  for (const Operand &source : sources) {
    tiles.push_back(kernel->resolve(source, f32));
    if (!tiles.back().isValid()) return {};
  }
  std::optional<int> along = kernel->axisOf(tiles[0], axis, "cat", where);
  if (!along) return {};
  Dims dims = tiles[0].extents;
  for (size_t i = 0; i < tiles.size(); ++i) {
    Dims other = tiles[i].extents;
    bool fits = other.size() == dims.size() && other[*along].isConstant() && tiles[i].type == tiles[0].type;
    if (fits && i > 0) {
      dims[*along].factor += other[*along].factor;
      other[*along] = dims[*along];
      fits = other == dims;
    }
    if (!fits)
      return kernel->fail(format("cat: {} and {} do not join along constant dimension {}", typeOf(tiles[0]), typeOf(tiles[i]), *along),
                          where),
             Tile();
  }
  return kernel->define(spelling::cat(VALUES(tiles), *along, spelling::type(tiles[0].type, dims)), tiles[0].type, dims);
}

Tile KernelBuilder::interleave(Operand a, Operand b) {
  KernelBuilder *kernel = owner({a, b});
  if (!kernel) return {};
  Tile x = kernel->resolve(a, f32), y = kernel->resolve(b, f32);
  if (kernel->failed()) return {};
  if (typeOf(x) != typeOf(y) || x.isScalar())
    return kernel->fail(format("join: {} and {} are not equal tiles", typeOf(x), typeOf(y)), a.where), Tile();
  Dims dims = x.extents;
  dims.push_back(2);
  return kernel->define(spelling::join(VALUE(x), VALUE(y), spelling::type(x.type, dims)), x.type, dims);
}

std::array<Tile, 2> KernelBuilder::deinterleave(Operand x) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  const Tile &tile = x.tile;
  if (tile.isScalar() || tile.extents.back() != Dim(2))
    return kernel->fail(format("split: the last dimension of {} is not 2", typeOf(tile)), x.where), std::array<Tile, 2>();
  Dims dims(tile.extents.begin(), tile.extents.end() - 1);
  if (dims.empty()) return kernel->fail("split: a tile of rank 2 or more", x.where), std::array<Tile, 2>();
  std::string a = format("%{}", kernel->counter++), b = format("%{}", kernel->counter++);
  kernel->line(format("{}, {} = {}", a, b, spelling::split(VALUE(tile), spelling::type(tile.type, dims))));
  return {kernel->value(a, tile.type, dims), kernel->value(b, tile.type, dims)};
}

//===----------------------------------------------------------------------===//
// Contractions, reductions, scans
//===----------------------------------------------------------------------===//

Tile KernelBuilder::contract(Operand a, bool transposeA, Operand b, bool transposeB, Operand acc) {
  KernelBuilder *kernel = owner({a, b, acc});
  if (!kernel) return {};
  Tile x = kernel->resolve(a, f32), y = kernel->resolve(b, f32), s = kernel->resolve(acc, f32);
  if (kernel->failed()) return {};
  size_t rank = s.extents.size();
  DType wanted = x.type == i8 ? i32 : x.type == f64 ? f64 : f32;
  bool fits = rank >= 2 && x.extents.size() == rank && y.extents.size() == rank;
  if (fits) {
    Dims left = x.extents, right = y.extents;
    if (transposeA) std::swap(left[rank - 1], left[rank - 2]);
    if (transposeB) std::swap(right[rank - 1], right[rank - 2]);
    fits = left[rank - 1] == right[rank - 2] && left[rank - 2] == s.extents[rank - 2] && right[rank - 1] == s.extents[rank - 1] &&
           std::equal(left.begin(), left.end() - 2, right.begin()) && std::equal(left.begin(), left.end() - 2, s.extents.begin());
  }
  if (!fits)
    return kernel->fail(format("dot: {}{} x {}{} does not give {}", typeOf(x), transposeA ? " transposed" : "", typeOf(y),
                               transposeB ? " transposed" : "", typeOf(s)),
                        a.where),
           Tile();
  if (x.type != y.type || s.type != wanted || (x.type != i8 && !isFloat(x.type)))
    return kernel->fail(format("dot: {} x {} accumulated in {}: operands are two floats or two i8, accumulated in f32, f64 or i32",
                               spelling::element(x.type), spelling::element(y.type), spelling::element(s.type)),
                        a.where),
           Tile();
  return kernel->define(spelling::dot(VALUE(x), transposeA, VALUE(y), transposeB, VALUE(s)), s.type, s.extents);
}

Tile KernelBuilder::reduceBy(const char *floats, const char *integers, Operand x, Axis axis) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  const char *kind = isFloat(x.tile.type) ? floats : integers;
  std::optional<int> dim = kernel->axisOf(x.tile, axis, "reduce", x.where);
  if (!dim) return {};
  Dims dims = x.tile.extents;
  dims.erase(dims.begin() + *dim);
  return kernel->define(spelling::reduce(kind, VALUE(x.tile), *dim, spelling::type(x.tile.type, dims)), x.tile.type, dims);
}

std::vector<Tile> KernelBuilder::reduceWith(std::vector<Operand> sources, Axis axis, std::vector<Operand> identities,
                                            const Combine &combine) {
  KernelBuilder *kernel = owner(sources);
  if (!kernel) return {};
  Where where = sources[0].where;
  std::vector<Tile> tiles, inits, left, right, results;
  for (size_t i = 0; i < sources.size(); ++i) {
    tiles.push_back(kernel->resolve(sources[i], f32));
    if (!tiles.back().isValid()) return {};
    inits.push_back(kernel->resolve(identities[i], tiles.back().type));
    if (!inits.back().isValid()) return {};
    if (tiles.back().extents != tiles[0].extents)
      return kernel->fail(format("reduce: {} and {} differ in shape", typeOf(tiles[0]), typeOf(tiles.back())), where), results;
    if (inits.back().type != tiles.back().type || !inits.back().isScalar())
      return kernel->fail(format("reduce: the identity of {} is {}", typeOf(tiles.back()), typeOf(inits.back())), where), results;
  }
  std::optional<int> dim = kernel->axisOf(tiles[0], axis, "reduce", where);
  if (!dim) return {};
  Dims dims = tiles[0].extents;
  dims.erase(dims.begin() + *dim);
  std::vector<std::string> resultNames, resultTypes;
  for (const Tile &tile : tiles) {
    results.push_back(kernel->value(format("%{}", kernel->counter++), tile.type, dims));
    resultNames.push_back(results.back().name);
    resultTypes.push_back(typeOf(results.back()));
  }
  for (std::vector<Tile> *side : {&left, &right})
    for (const Tile &tile : tiles) side->push_back(kernel->value(format("%{}", kernel->counter++), tile.type, {}));
  std::vector<Tile> blockArguments = left;
  blockArguments.insert(blockArguments.end(), right.begin(), right.end());
  auto [open, block] = spelling::reduceRegion(VALUES(tiles), *dim, VALUES(inits), resultTypes, VALUES(blockArguments));
  kernel->line(spelling::joined(resultNames) + " = " + open);
  kernel->line(block);
  ++kernel->depth;
  std::vector<Tile> combined = combine(left, right);
  if (kernel->failed()) return {};
  for (size_t i = 0; i < tiles.size(); ++i)
    if (!combined[i].isValid() || combined[i].type != tiles[i].type || !combined[i].isScalar())
      return kernel->fail(format("reduce: the combination's result {} is no scalar {}", i, spelling::element(tiles[i].type)), where),
             results;
  kernel->line(spelling::yield(VALUES(combined)));
  --kernel->depth;
  kernel->line("}");
  return results;
}

Tile KernelBuilder::scanBy(const char *floats, const char *integers, Operand x, Axis axis, ScanOrder order) {
  KernelBuilder *kernel = owner({x});
  if (!kernel) return {};
  std::optional<int> dim = kernel->axisOf(x.tile, axis, "scan", x.where);
  if (!dim) return {};
  return kernel->define(spelling::scan(isFloat(x.tile.type) ? floats : integers, VALUE(x.tile), *dim, order), x.tile.type, x.tile.extents);
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

Tile KernelBuilder::positions(const Range &range, DType dtype, Where where) {
  KernelBuilder *kernel = range.kernel;
  if (!kernel || kernel->failed()) return {};
  if (range.isIndex()) return convert(Operand(range, where), dtype, false);
  if (dtype != i32 && dtype != i64 && dtype != index_)
    return kernel->fail(format("index: positions are i32, i64 or index, not {}", spelling::element(dtype)), where), Tile();
  return kernel->define(spelling::index({range.name, spelling::range(range.extent)}, spelling::type(dtype, {range.extent})), dtype,
                        {range.extent});
}

Range KernelBuilder::shift(const Range &range, Operand offset) {
  KernelBuilder *kernel = range.kernel;
  if (!kernel || kernel->failed()) return range;
  if (range.isIndex()) return kernel->range((Operand(range, offset.where) + offset).name, 1);
  Tile distance = kernel->asIndex(offset);
  if (!distance.isValid()) return range;
  return kernel->range(kernel->define(spelling::shift({range.name, spelling::range(range.extent)}, distance.name), index_, {}).name,
                       range.extent);
}

Range KernelBuilder::scale(const Range &range, int64_t factor, Where where) {
  KernelBuilder *kernel = range.kernel;
  if (!kernel || kernel->failed()) return range;
  if (range.isIndex()) return kernel->range((Operand(range, where) * factor).name, 1);
  if (factor < 1) return kernel->fail(format("a range scales by 1 or more, not {}", factor), where), range;
  Dim scaled(range.extent.symbol, range.extent.factor * factor);
  std::string text = spelling::scale({range.name, spelling::range(range.extent)}, factor, spelling::range(scaled));
  return kernel->range(kernel->define(text, index_, {}).name, scaled);
}

//===----------------------------------------------------------------------===//
// The language
//===----------------------------------------------------------------------===//

using K = KernelBuilder;

Tile operator+(Operand a, Operand b) { return K::binary("arith.addf", "arith.addi", a, b); }
Tile operator-(Operand a, Operand b) { return K::binary("arith.subf", "arith.subi", a, b); }
Tile operator*(Operand a, Operand b) { return K::binary("arith.mulf", "arith.muli", a, b); }
Tile operator/(Operand a, Operand b) { return K::binary("arith.divf", "arith.divsi", a, b); }
Tile operator%(Operand a, Operand b) { return K::binary("arith.remf", "arith.remsi", a, b); }
Tile operator-(Operand x) { return isFloat(x.tile.dtype()) ? K::elementwise("arith.negf", {x}) : Operand(0, x.where) - x; }
Tile operator&(Operand a, Operand b) { return K::binary(nullptr, "arith.andi", a, b); }
Tile operator|(Operand a, Operand b) { return K::binary(nullptr, "arith.ori", a, b); }
Tile operator^(Operand a, Operand b) { return K::binary(nullptr, "arith.xori", a, b); }
Tile operator<<(Operand a, Operand b) { return K::binary(nullptr, "arith.shli", a, b); }
Tile operator>>(Operand a, Operand b) { return K::binary(nullptr, "arith.shrui", a, b); }
Tile maximum(Operand a, Operand b) { return K::binary("arith.maximumf", "arith.maxsi", a, b); }
Tile minimum(Operand a, Operand b) { return K::binary("arith.minimumf", "arith.minsi", a, b); }
Tile ceilDiv(Operand a, Operand b) { return (a + (b - 1)) / b; }

Tile operator==(Operand a, Operand b) { return K::compare("eq", a, b); }
Tile operator!=(Operand a, Operand b) { return K::compare("ne", a, b); }
Tile operator<(Operand a, Operand b) { return K::compare("lt", a, b); }
Tile operator<=(Operand a, Operand b) { return K::compare("le", a, b); }
Tile operator>(Operand a, Operand b) { return K::compare("gt", a, b); }
Tile operator>=(Operand a, Operand b) { return K::compare("ge", a, b); }
Tile select(Operand condition, Operand a, Operand b) { return K::choose(condition, a, b); }

Tile exp(Operand x) { return K::elementwise("math.exp", {x}); }
Tile exp2(Operand x) { return K::elementwise("math.exp2", {x}); }
Tile log(Operand x) { return K::elementwise("math.log", {x}); }
Tile log2(Operand x) { return K::elementwise("math.log2", {x}); }
Tile log1p(Operand x) { return K::elementwise("math.log1p", {x}); }
Tile sqrt(Operand x) { return K::elementwise("math.sqrt", {x}); }
Tile rsqrt(Operand x) { return K::elementwise("math.rsqrt", {x}); }
Tile sin(Operand x) { return K::elementwise("math.sin", {x}); }
Tile cos(Operand x) { return K::elementwise("math.cos", {x}); }
Tile tanh(Operand x) { return K::elementwise("math.tanh", {x}); }
Tile erf(Operand x) { return K::elementwise("math.erf", {x}); }
Tile abs(Operand x) { return K::elementwise("math.absf", {x}); }
Tile floor(Operand x) { return K::elementwise("math.floor", {x}); }
Tile ceil(Operand x) { return K::elementwise("math.ceil", {x}); }
Tile pow(Operand x, Operand y) { return K::elementwise("math.powf", {x, y}); }
Tile fma(Operand a, Operand b, Operand c) { return K::elementwise("math.fma", {a, b, c}); }

Tile cast(Operand x, DType dtype) { return K::convert(x, dtype, false); }
Tile castUnsigned(Operand x, DType dtype) { return K::convert(x, dtype, true); }
Tile bitcast(Operand x, DType dtype) { return K::reinterpretBits(x, dtype); }
Tile broadcast(Operand x, const Dims &dims) { return K::spreadTo(x, dims); }
Tile transpose(Operand x, const std::vector<int> &permutation) { return K::permute(x, permutation); }
Tile reshape(Operand x, const Dims &dims) { return K::reinterpret(x, dims); }
Tile cat(Operand a, Operand b, Axis axis) { return K::concatenate({a, b}, axis); }
Tile join(Operand a, Operand b) { return K::interleave(a, b); }
std::array<Tile, 2> split(Operand x) { return K::deinterleave(x); }

Tile dot(Operand a, Operand b, Operand acc) { return K::contract(a, false, b, false, acc); }
Tile dot(Operand a, Transposed b, Operand acc) { return K::contract(a, false, b.tile, true, acc); }
Tile dot(Transposed a, Operand b, Operand acc) { return K::contract(a.tile, true, b, false, acc); }
Tile dot(Transposed a, Transposed b, Operand acc) { return K::contract(a.tile, true, b.tile, true, acc); }

Tile sum(Operand x, Axis axis) { return K::reduceBy("addf", "addi", x, axis); }
Tile product(Operand x, Axis axis) { return K::reduceBy("mulf", "muli", x, axis); }
Tile max(Operand x, Axis axis) { return K::reduceBy("maximumf", "maxsi", x, axis); }
Tile min(Operand x, Axis axis) { return K::reduceBy("minimumf", "minsi", x, axis); }
Tile maxNumber(Operand x, Axis axis) { return K::reduceBy("maxnumf", "maxsi", x, axis); }
std::array<Tile, 2> topK(Operand x, int64_t count, Axis axis) { return K::greatest(x, count, axis); }
std::array<Tile, 2> sorted(Operand x, Axis axis) { return K::greatest(x, std::nullopt, axis); }
Tile cumulativeSum(Operand x, Axis axis, ScanOrder order) { return K::scanBy("addf", "addi", x, axis, order); }

void atomicAdd(Place &&place, Operand value) { K::combineInto("addf", "addi", std::move(place), value, false); }
void atomicMaximum(Place &&place, Operand value) { K::combineInto("maximumf", "maxsi", std::move(place), value, false); }
void atomicMinimum(Place &&place, Operand value) { K::combineInto("minimumf", "minsi", std::move(place), value, false); }
Tile fetchAdd(Place &&place, Operand value) { return K::combineInto("addf", "addi", std::move(place), value, true); }

Tile random(Operand seed, Operand position, int word) { return K::randomBits(seed, position, word); }
Tile uniform(Operand seed, Operand position, int word) { return castUnsigned(random(seed, position, word) >> 8, f32) * 0x1p-24; }
Tile normal(Operand seed, Operand position) {
  // The logarithm's argument is in (0, 1].
  Tile radius = sqrt(log(1.0 - uniform(seed, position, 0)) * -2.0);
  return radius * cos(uniform(seed, position, 1) * (2 * std::numbers::pi));
}

Tile index(const Range &range, DType dtype, Where where) { return K::positions(range, dtype, where); }
Range operator+(const Range &range, Operand offset) { return K::shift(range, offset); }
Range operator*(const Range &range, int64_t factor) { return K::scale(range, factor, Where::current()); }

} // namespace pantile::build
