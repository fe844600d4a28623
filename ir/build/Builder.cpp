//===- ir/build/Builder.cpp - structure and memory ------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Text is written as calls are made: constants and sizes into a prologue, the rest into the body, indented by depth.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Builder.h"
#include "ir/build/Spelling.h"

#include <cmath>
#include <fmt/format.h>

namespace pantile::build {

using fmt::format;

//===----------------------------------------------------------------------===//
// Handles
//===----------------------------------------------------------------------===//

Dim::Dim(const Range &range) : Dim(range.dim()) {}
Dim::Dim(const Full &full) : Dim(full.dim) {}

Operand::Operand(const Tile &tile, Where where) : tile(tile), where(where) {}
Operand::Operand(const Size &size, Where where) : where(where) {
  if (size.kernel) tile = size.kernel->sizeValue(size.text, where);
}
Operand::Operand(const Range &range, Where where) : where(where) {
  if (!range.kernel) return;
  if (range.isIndex())
    tile = range.kernel->value(range.name, index_, {});
  else
    range.kernel->fail(
        format("range {} is used as a value: say index({}) for its positions, .begin() or .end()", range.name, range.name.substr(1)),
        where);
}
Operand::Operand(Place &&place, Where where) : tile(place.kernel->load(place, where)), where(where) {}

Subscript::Subscript(Place &&positions, Where where) : value(Operand(std::move(positions), where)), where(where) {}

Tile Range::begin(Where where) const {
  if (!kernel || kernel->failed()) return {};
  return isIndex() ? kernel->value(name, index_, {})
                   : kernel->define(spelling::ofRange("begin", {name, spelling::range(extent)}), index_, {});
}
Tile Range::end(Where where) const {
  if (!kernel || kernel->failed()) return {};
  return isIndex() ? Operand(*this, where) + 1 : kernel->define(spelling::ofRange("end", {name, spelling::range(extent)}), index_, {});
}
Tile Range::id(Where where) const {
  if (!kernel || kernel->failed()) return {};
  if (!isIndex()) return kernel->define(spelling::ofRange("id", {name, spelling::range(extent)}), index_, {});
  kernel->fail(format("{} has the literal block 1 and is its own ordinal: subtract the loop's lower bound", name), where);
  return {};
}

Place View::operator()(S a, S b, S c, S d, S e, S f, S g, S h) const {
  std::vector<Subscript> subscripts;
  for (S *s : {&a, &b, &c, &d, &e, &f, &g, &h})
    if (s->value.index() != 0) subscripts.push_back(std::move(*s));
  return Place(kernel, index, std::move(subscripts));
}
View &View::values(SizeSpec low, SizeSpec high) {
  auto text = [](const SizeSpec &s) { return s.name.empty() ? std::to_string(s.constant) : s.name; };
  kernel->arguments[index].low = text(low);
  kernel->arguments[index].high = text(high);
  return *this;
}

Place &&Place::pad(Operand value) && { return padding = std::move(value), std::move(*this); }
Place &&Place::mask(const Tile &mask) && { return maskTile = mask, std::move(*this); }
Place::operator Tile() && { return kernel->load(*this, subscripts.empty() ? Where() : subscripts[0].where); }
void Place::operator=(Operand value) && { kernel->store(*this, value); }
void Place::operator=(Place &&value) && {
  Where where = subscripts.empty() ? Where() : subscripts[0].where;
  kernel->store(*this, Operand(std::move(value), where));
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

KernelBuilder::KernelBuilder(std::string name) : kernelName(std::move(name)) {}

void KernelBuilder::fail(const std::string &text, Where where) {
  if (!failure.isOk()) return;
  std::string_view file = where.file_name();
  if (size_t slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  failure = Status(PANTILE_INVALID_ARGUMENT, format("kernel '{}': {} ({}:{})", kernelName, text, file, where.line()));
}

std::string KernelBuilder::fresh(const std::string &wanted) {
  std::string name = "%" + wanted;
  for (unsigned i = 1; !taken.insert(name).second; ++i) name = format("%{}_{}", wanted, i);
  return name;
}

void KernelBuilder::line(const std::string &text) { body += std::string(2 * depth, ' ') + text + "\n"; }

Tile KernelBuilder::value(std::string name, DType dtype, Dims dims) {
  Tile tile;
  tile.kernel = this;
  tile.name = std::move(name);
  tile.type = dtype;
  tile.extents = std::move(dims);
  return tile;
}

Range KernelBuilder::range(std::string name, Dim extent) {
  Range result;
  result.kernel = this;
  result.name = std::move(name);
  result.extent = std::move(extent);
  return result;
}

Tile KernelBuilder::define(const std::string &text, DType dtype, Dims dims) {
  Tile result = value(format("%{}", counter++), dtype, std::move(dims));
  line(format("{} = {}", result.name, text));
  return result;
}

//===----------------------------------------------------------------------===//
// Arguments and constants
//===----------------------------------------------------------------------===//

View KernelBuilder::view(std::string name, std::vector<SizeSpec> sizes, DType dtype, Where where) {
  View view;
  view.kernel = this;
  view.index = arguments.size();
  view.type = dtype;
  if (sizes.empty() || sizes.size() > PANTILE_MAX_RANK)
    fail(format("view '{}' has rank {}: 1 to {} are possible", name, sizes.size(), PANTILE_MAX_RANK), where);
  arguments.push_back({fresh(name), dtype, true, false, false, false, std::move(sizes), {}, {}});
  return view;
}

Tile KernelBuilder::scalar(std::string name, DType dtype, Where where) {
  arguments.push_back({fresh(name), dtype, false, false, false, false, {}, {}, {}});
  return value(arguments.back().name, dtype, {});
}

Size KernelBuilder::size(std::string name) {
  Size size;
  size.kernel = this;
  size.text = std::move(name);
  return size;
}

void KernelBuilder::makeStatic(const Full &extent) { statics.push_back(extent.dim.symbol); }

Tile KernelBuilder::sizeValue(const std::string &name, Where where) {
  if (auto known = sizeValues.find(name); known != sizeValues.end()) return known->second;
  for (const Argument &a : arguments)
    for (unsigned d = 0; a.isView && !a.isWorkspace && d < a.sizes.size(); ++d)
      if (a.sizes[d].name == name) {
        Tile result = value(fresh(name), index_, {});
        prologue += format("  {} = {}\n", result.name, spelling::dimOf({a.name, spelling::view(a.dtype, a.sizes)}, d));
        return sizeValues[name] = result;
      }
  fail(format("size '{}' is no size of a view: declare a view that has it before using it", name), where);
  return {};
}

Tile KernelBuilder::constant(Operand literal, DType dtype, Where where) {
  if (failed()) return {};
  if (!literal.isLiteral()) return fail("constant: not a literal", where), Tile();
  double number = literal.literal.index() == 1 ? double(std::get<1>(literal.literal)) : std::get<2>(literal.literal);
  std::string text;
  if (dtype != index_ && info(dtype).kind == DTypeClass::Float)
    text = spelling::literal(number, dtype);
  else if (literal.literal.index() == 2 && number != std::floor(number))
    return fail(format("{} is no {}", number, spelling::element(dtype)), where), Tile();
  else {
    int64_t integer = literal.literal.index() == 1 ? std::get<1>(literal.literal) : int64_t(number);
    text = dtype == i1 ? (integer ? "true" : "false") : std::to_string(integer);
  }
  text = spelling::constant(text, dtype);
  auto [known, isNew] = constants.try_emplace(text);
  if (isNew) {
    known->second = value(fresh(format("c{}", constants.size() - 1)), dtype, {});
    prologue += format("  {} = {}\n", known->second.name, text);
  }
  return known->second;
}

Tile KernelBuilder::resolve(const Operand &operand, DType dtype) {
  if (failed()) return {};
  if (operand.isLiteral()) return constant(operand, dtype, operand.where);
  if (operand.tile.kernel != this) {
    fail(operand.tile.isValid() ? "a value of another kernel" : "a value that was never made", operand.where);
    return {};
  }
  return operand.tile;
}

Tile KernelBuilder::asIndex(const Operand &operand) {
  Tile tile = resolve(operand, index_);
  if (!tile.isValid() || (tile.type == index_ && tile.isScalar())) return tile;
  if (tile.isScalar() && info(tile.type).kind != DTypeClass::Float) return cast(Operand(tile, operand.where), index_);
  fail(format("a bound or position is a scalar integer, not {}", spelling::type(tile.type, tile.extents)), operand.where);
  return {};
}

Tile KernelBuilder::filled(const Dims &dims, Operand fill, DType dtype, Where where) {
  Tile scalar = resolve(fill, dtype);
  if (!scalar.isValid()) return {};
  if (scalar.type != dtype || !scalar.isScalar())
    return fail(format("filled: the value is {}, not a scalar {}", spelling::type(scalar.type, scalar.extents), spelling::element(dtype)),
                where),
           Tile();
  return broadcastTo(scalar, dims, "filled", where);
}

Tile KernelBuilder::iota(const Dim &dim, DType dtype, Where where) {
  if (failed()) return {};
  if (dtype != index_ && info(dtype).kind == DTypeClass::Float)
    return fail(format("iota counts in integers, not {}", spelling::element(dtype)), where), Tile();
  return define(spelling::iota(spelling::type(dtype, {dim})), dtype, {dim});
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

static bool isZero(const Operand &o) { return o.isLiteral() && o.literal.index() == 1 && std::get<1>(o.literal) == 0; }

void KernelBuilder::parallelOver(std::span<const Extent> extents, const std::function<void(std::span<const Range>)> &inside, Where where) {
  if (failed()) return;
  if (depth != 1) return fail("parallel inside a loop: grid loops stand at the kernel's top, one after another", where);
  if (extents.empty()) return fail("parallel over nothing", where);
  std::vector<std::string> names, lowers, uppers;
  std::vector<Range> ranges;
  Dims blocks;
  bool anyLower = false;
  for (const Extent &e : extents) anyLower |= !isZero(e.lower);
  for (const Extent &e : extents) {
    Tile upper = asIndex(e.upper), lower = anyLower ? asIndex(e.lower) : upper;
    if (failed()) return;
    uppers.push_back(upper.name);
    if (anyLower) lowers.push_back(lower.name);
  }
  for (const Extent &e : extents) {
    names.push_back(fresh(e.name));
    blocks.push_back(e.block);
    ranges.push_back(range(names.back(), e.block));
  }
  line(spelling::parallel(names, lowers, uppers, blocks));
  ++depth;
  inside(ranges);
  --depth;
  line("}");
}

std::vector<Tile> KernelBuilder::loopOver(const Extent &extent, std::vector<Operand> inits, bool isAssociative, const LoopBody &inside,
                                          Where where) {
  if (failed()) return {};
  Tile upper = asIndex(extent.upper);
  std::string lower = isZero(extent.lower) ? "" : asIndex(extent.lower).name;
  spelling::Values initTexts;
  std::vector<std::string> carryNames, resultNames;
  std::vector<Tile> carries, results;
  for (const Operand &init : inits) {
    if (init.isLiteral())
      return fail("a loop's carry starts from a literal: give it a dtype with constant() or filled()", init.where), results;
    Tile tile = resolve(init, f32);
    if (!tile.isValid()) return {};
    initTexts.push_back({tile.name, spelling::type(tile.type, tile.extents)});
    results.push_back(value(format("%{}", counter++), tile.type, tile.extents));
    carries.push_back(value(format("%{}", counter++), tile.type, tile.extents));
    resultNames.push_back(results.back().name);
    carryNames.push_back(carries.back().name);
  }
  if (failed()) return {};
  std::string name = fresh(extent.name);
  line((resultNames.empty() ? "" : spelling::joined(resultNames) + " = ") +
       spelling::loop(name, lower, upper.name, extent.block, carryNames, initTexts, isAssociative));
  ++depth;
  std::vector<Tile> next = inside(range(name, extent.block), carries);
  if (failed()) return {};
  spelling::Values yielded;
  for (size_t i = 0; i < carries.size(); ++i) {
    if (!next[i].isValid()) return fail(format("loop {}: carry {} is a value that was never made", name, i), where), results;
    std::string type = spelling::type(next[i].type, next[i].extents);
    if (type != initTexts[i].type)
      return fail(format("loop {}: carry {} starts as {} and comes back as {}", name, i, initTexts[i].type, type), where), results;
    yielded.push_back({next[i].name, type});
  }
  if (!yielded.empty()) line(spelling::yield(yielded));
  --depth;
  line("}");
  return results;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

View KernelBuilder::workspace(std::string name, std::vector<Operand> sizes, DType dtype, Where where) {
  View view;
  view.kernel = this;
  view.index = arguments.size();
  view.type = dtype;
  std::vector<std::string> names;
  std::vector<SizeSpec> dynamic;
  for (const Operand &size : sizes) {
    names.push_back(asIndex(size).name);
    dynamic.push_back(SizeSpec("?"));
  }
  arguments.push_back({fresh(name), dtype, true, true, false, false, dynamic, {}, {}});
  if (!failed()) line(format("{} = {}", arguments.back().name, spelling::workspace(names, spelling::view(dtype, dynamic))));
  return view;
}

void KernelBuilder::assume(Operand condition, const std::string &message) {
  Tile tile = resolve(condition, i1);
  if (!tile.isValid()) return;
  if (tile.type != i1 || !tile.isScalar()) return fail("assume: the condition is no scalar i1", condition.where);
  line(spelling::assume(tile.name, message));
}

void KernelBuilder::check(Operand condition, const std::string &message) {
  Tile tile = resolve(condition, i1);
  if (!tile.isValid()) return;
  if (tile.type != i1) return fail("check: the condition is no i1", condition.where);
  line(spelling::assertion({tile.name, spelling::type(i1, tile.extents)}, message));
}

void KernelBuilder::print(const std::string &text, const std::vector<Operand> &values) {
  spelling::Values given;
  for (const Operand &value : values) {
    Tile tile = resolve(value, f32);
    if (!tile.isValid()) return;
    given.push_back({tile.name, spelling::type(tile.type, tile.extents)});
  }
  if (!failed()) line(spelling::print(text, given));
}

/// The subscripts of a place as text, and the shape they select.
struct KernelBuilder::Subscripts {
  std::vector<spelling::SubscriptText> texts;
  Dims dims, positions; ///< positions: the shape of tiles of positions
  bool byTiles = false;
};

bool KernelBuilder::read(const Place &place, Where where, Subscripts &result) {
  const Argument &argument = arguments[place.view];
  if (place.subscripts.size() != argument.sizes.size()) {
    fail(format("view {} has rank {} and is given {} subscripts", argument.name, argument.sizes.size(), place.subscripts.size()), where);
    return false;
  }
  for (const Subscript &s : place.subscripts) {
    if (failed()) return false;
    if (auto *full = std::get_if<Full>(&s.value)) {
      result.texts.push_back({{}, full->dim});
      result.dims.push_back(full->dim);
    } else if (auto *r = std::get_if<Range>(&s.value)) {
      result.texts.push_back({{r->name, r->isIndex() ? "index" : spelling::range(r->extent)}});
      if (!r->isIndex()) result.dims.push_back(r->extent);
    } else {
      const Operand &operand = std::get<Operand>(s.value);
      Tile tile = resolve(operand, index_);
      if (!tile.isValid()) return false;
      if (tile.isScalar()) {
        result.texts.push_back({{asIndex(operand).name, "index"}});
        continue;
      }
      if (tile.type != index_ && info(tile.type).kind == DTypeClass::Float)
        return fail("a tile of positions is of integers", s.where), false;
      if (result.byTiles && result.positions != tile.extents)
        return fail("tiles of positions in one place have different shapes", s.where), false;
      if (!result.byTiles) result.dims.insert(result.dims.end(), tile.extents.begin(), tile.extents.end());
      result.byTiles = true;
      result.positions = tile.extents;
      result.texts.push_back({{tile.name, spelling::type(tile.type, tile.extents)}});
    }
  }
  return !failed();
}

Tile KernelBuilder::load(Place &place, Where where) {
  Subscripts s;
  if (failed() || !read(place, where, s)) return {};
  Argument &argument = arguments[place.view];
  argument.loaded = true;
  spelling::Value view{argument.name, spelling::view(argument.dtype, argument.sizes)};
  std::optional<spelling::Value> pad, mask;
  if (place.padding) {
    Tile tile = resolve(*place.padding, argument.dtype);
    if (!tile.isValid()) return {};
    if (tile.type != argument.dtype || !tile.isScalar())
      return fail(format("pad of {} is no scalar {}", argument.name, spelling::element(argument.dtype)), place.padding->where), Tile();
    pad = spelling::Value{tile.name, spelling::element(tile.type)};
  }
  if (place.maskTile.isValid()) {
    if (!s.byTiles || place.maskTile.type != i1 || place.maskTile.extents != s.positions)
      return fail(format("a mask of {} is an i1 tile of the shape of its tiles of positions", argument.name), where), Tile();
    mask = spelling::Value{place.maskTile.name, spelling::type(i1, s.positions)};
  }
  std::string type = spelling::type(argument.dtype, s.dims);
  return define(s.byTiles ? spelling::gather(view, s.texts, mask, pad, type) : spelling::load(view, s.texts, pad, type), argument.dtype,
                s.dims);
}

void KernelBuilder::store(Place &place, const Operand &operand) { write(place, operand, nullptr, false); }

Tile KernelBuilder::combineInto(const char *floats, const char *integers, Place &&place, const Operand &operand, bool fetches) {
  KernelBuilder *kernel = place.kernel;
  bool isFloat = info(kernel->arguments[place.view].dtype).kind == DTypeClass::Float;
  return kernel->write(place, operand, isFloat ? floats : integers, fetches);
}

Tile KernelBuilder::write(Place &place, const Operand &operand, const char *kind, bool fetches) {
  Subscripts s;
  if (failed() || !read(place, operand.where, s)) return {};
  Argument &argument = arguments[place.view];
  argument.stored = true;
  Tile tile = resolve(operand, argument.dtype);
  if (!tile.isValid()) return {};
  if (tile.isScalar() && !s.dims.empty()) tile = broadcastTo(tile, s.dims, "store", operand.where);
  std::string wanted = spelling::type(argument.dtype, s.dims), given = spelling::type(tile.type, tile.extents);
  if (wanted != given) return fail(format("{} takes {} here and is given {}", argument.name, wanted, given), operand.where), Tile();
  spelling::Value view{argument.name, spelling::view(argument.dtype, argument.sizes)};
  std::optional<spelling::Value> mask;
  if (place.maskTile.isValid()) {
    if (!s.byTiles || place.maskTile.type != i1 || place.maskTile.extents != s.positions)
      return fail(format("a mask of {} is an i1 tile of the shape of its tiles of positions", argument.name), operand.where), Tile();
    mask = spelling::Value{place.maskTile.name, spelling::type(i1, s.positions)};
  }
  if (kind) {
    argument.loaded = true;
    std::string text = spelling::atomic(kind, {tile.name, given}, view, s.texts, mask);
    if (fetches) return define(text, tile.type, tile.extents);
    line(text);
  } else {
    line(s.byTiles ? spelling::scatter({tile.name, given}, view, s.texts, mask) : spelling::store({tile.name, given}, view, s.texts));
  }
  return {};
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

std::vector<std::string> KernelBuilder::argumentNames() const {
  std::vector<std::string> names;
  for (const Argument &a : arguments)
    if (!a.isWorkspace) names.push_back(a.name.substr(1));
  return names;
}

Expected<std::string> KernelBuilder::finish(Where where) {
  if (finished) fail("finish() was called twice", where);
  finished = true;
  if (failed()) return failure;
  std::vector<spelling::ArgumentText> texts;
  for (const Argument &a : arguments)
    if (!a.isWorkspace)
      texts.push_back({a.name, a.dtype, a.isView, a.sizes, a.stored ? (a.loaded ? "update" : "write") : "read", a.low, a.high});
  return "// pantile-ir 1\n" + spelling::kernel(kernelName, texts, statics) + "\n" + prologue + body + "}\n";
}

} // namespace pantile::build
