//===- ir/build/Spelling.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Spelling.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace pantile::build::spelling {

using fmt::format;

std::string joined(const std::vector<std::string> &parts, const char *separator) {
  std::string text;
  for (const std::string &part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

static std::string names(const Values &values) {
  std::vector<std::string> parts;
  for (const Value &value : values) parts.push_back(value.name);
  return joined(parts);
}

static std::string types(const Values &values) {
  std::vector<std::string> parts;
  for (const Value &value : values) parts.push_back(value.type);
  return joined(parts);
}

static std::string numbers(const std::vector<int> &values) { return format("{}", fmt::join(values, ", ")); }

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::string element(DType dtype) { return std::string(info(dtype).irName); }

std::string dim(const Dim &dim) {
  if (dim.isConstant()) return std::to_string(dim.factor);
  return dim.factor == 1 ? "@" + dim.symbol : format("@{} * {}", dim.symbol, dim.factor);
}

static std::string dimList(const Dims &dims) {
  std::vector<std::string> parts;
  for (const Dim &d : dims) parts.push_back(dim(d));
  return joined(parts);
}

std::string type(DType dtype, const Dims &dims) {
  if (dims.empty()) return element(dtype);
  std::string shape;
  for (const Dim &d : dims) shape += (d.isConstant() ? std::to_string(d.factor) : "?") + "x";
  return format("tensor<{}{}, #tile.dims<{}>>", shape, element(dtype), dimList(dims));
}

std::string range(const Dim &d) { return format("!tile.range<{}>", dim(d)); }

std::string view(DType dtype, const std::vector<SizeSpec> &sizes) {
  std::string shape;
  for (const SizeSpec &size : sizes) shape += (size.name.empty() ? std::to_string(size.constant) : "?") + "x";
  return format("!tile.view<{}{}>", shape, element(dtype));
}

std::string literal(double value, DType dtype) {
  if (std::isnan(value) || std::isinf(value)) {
    bool negative = std::signbit(value);
    switch (dtype) {
    case PANTILE_F16:
      return std::isnan(value) ? "0x7E00" : negative ? "0xFC00" : "0x7C00";
    case PANTILE_BF16:
      return std::isnan(value) ? "0x7FC0" : negative ? "0xFF80" : "0x7F80";
    case PANTILE_F64:
      return std::isnan(value) ? "0x7FF8000000000000" : negative ? "0xFFF0000000000000" : "0x7FF0000000000000";
    default:
      return std::isnan(value) ? "0x7FC00000" : negative ? "0xFF800000" : "0x7F800000";
    }
  }
  char buffer[40];
  auto end =
      dtype == PANTILE_F64 ? std::to_chars(buffer, std::end(buffer), value).ptr : std::to_chars(buffer, std::end(buffer), float(value)).ptr;
  std::string text(buffer, end);
  // The IR's floats have a point: 1e-05 is 1.0e-05.
  if (text.find('.') == text.npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

std::string kernel(const std::string &name, const std::vector<ArgumentText> &arguments, const std::vector<std::string> &statics) {
  std::vector<std::string> texts;
  for (const ArgumentText &a : arguments) {
    std::vector<std::string> attributes;
    if (a.isView) {
      std::vector<std::string> sizes;
      for (const SizeSpec &size : a.sizes) sizes.push_back('"' + (size.name.empty() ? std::to_string(size.constant) : size.name) + '"');
      attributes.push_back(format("tile.sizes = [{}]", joined(sizes)));
      attributes.push_back(format("tile.access = \"{}\"", a.access));
    }
    if (!a.low.empty()) attributes.push_back(format("tile.range = [\"{}\", \"{}\"]", a.low, a.high));
    std::string text = format("{}: {}", a.name, a.isView ? view(a.dtype, a.sizes) : element(a.dtype));
    if (!attributes.empty()) text += format(" {{{}}}", joined(attributes));
    texts.push_back(text);
  }
  std::string head = format("tile.kernel @{}({})", name, joined(texts, ",\n    "));
  if (!statics.empty()) head += format(" attributes {{static = [@{}]}}", joined(statics, ", @"));
  return head + " {";
}

std::string parallel(const std::vector<std::string> &names, const std::vector<std::string> &lowers, const std::vector<std::string> &uppers,
                     const Dims &blocks) {
  bool several = names.size() > 1;
  auto list = [&](const std::string &text) { return several ? "(" + text + ")" : text; };
  std::string bounds =
      lowers.empty() ? format("in {}", list(joined(uppers))) : format("from {} to {}", list(joined(lowers)), list(joined(uppers)));
  return format("tile.parallel {} {} by {} {{", list(joined(names)), bounds, list(dimList(blocks)));
}

std::string loop(const std::string &name, const std::string &lower, const std::string &upper, const Dim &block,
                 const std::vector<std::string> &carries, const Values &inits, bool associative) {
  std::string text =
      format("tile.loop {} {} by {}", name, lower.empty() ? "in " + upper : format("from {} to {}", lower, upper), dim(block));
  if (!inits.empty()) {
    std::vector<std::string> parts;
    for (size_t i = 0; i < inits.size(); ++i) parts.push_back(format("{} = {} : {}", carries[i], inits[i].name, inits[i].type));
    text += format(" carry({})", joined(parts));
  }
  return text + (associative ? " associative {" : " {");
}

std::string yield(const Values &values) {
  return values.empty() ? "tile.yield" : format("tile.yield {} : {}", names(values), types(values));
}

//===----------------------------------------------------------------------===//
// Memory and ranges
//===----------------------------------------------------------------------===//

std::string dimOf(const Value &view, unsigned dim) { return format("tile.dim {}, {}", view.name, dim); }

std::string workspace(const std::vector<std::string> &sizes, const std::string &type) {
  return format("tile.workspace({}) : {}", joined(sizes), type);
}

static std::string place(const Value &view, const std::vector<SubscriptText> &subscripts) {
  std::vector<std::string> parts;
  for (const SubscriptText &s : subscripts) parts.push_back(s.operand.name.empty() ? "full " + dim(s.full) : s.operand.name);
  return format("{}[{}]", view.name, joined(parts));
}

std::string load(const Value &view, const std::vector<SubscriptText> &subscripts, const std::optional<Value> &pad,
                 const std::string &result) {
  return format("tile.load {}{} : {}", place(view, subscripts), pad ? " pad " + pad->name : "", result);
}

std::string store(const Value &value, const Value &view, const std::vector<SubscriptText> &subscripts) {
  return format("tile.store {}, {} : {}", value.name, place(view, subscripts), value.type);
}

std::string gather(const Value &view, const std::vector<SubscriptText> &subscripts, const std::optional<Value> &mask,
                   const std::optional<Value> &pad, const std::string &result) {
  return format("tile.gather {}{}{} : {}", place(view, subscripts), mask ? " mask " + mask->name : "", pad ? " pad " + pad->name : "",
                result);
}

std::string scatter(const Value &value, const Value &view, const std::vector<SubscriptText> &subscripts, const std::optional<Value> &mask) {
  return format("tile.scatter {}, {}{} : {}", value.name, place(view, subscripts), mask ? " mask " + mask->name : "", value.type);
}

std::string atomic(const char *kind, const Value &value, const Value &view, const std::vector<SubscriptText> &subscripts,
                   const std::optional<Value> &mask) {
  return format("tile.atomic_rmw {} {}, {}{} : {}", kind, value.name, place(view, subscripts), mask ? " mask " + mask->name : "",
                value.type);
}
std::string ofRange(const char *what, const Value &range) { return format("tile.{} {} : {}", what, range.name, range.type); }
std::string index(const Value &range, const std::string &result) {
  return format("tile.index {} : {} -> {}", range.name, range.type, result);
}
std::string shift(const Value &range, const std::string &offset) {
  return format("tile.shift {} by {} : {}", range.name, offset, range.type);
}
std::string scale(const Value &range, int64_t factor, const std::string &result) {
  return format("tile.scale {} by {} : {} -> {}", range.name, factor, range.type, result);
}
std::string assertion(const Value &condition, const std::string &message) {
  return format("tile.assert {}, \"{}\" : {}", condition.name, message, condition.type);
}
std::string print(const std::string &text, const Values &values) {
  std::vector<std::string> names, types;
  for (const Value &value : values) names.push_back(value.name), types.push_back(value.type);
  return format("tile.print \"{}\"", text) + (values.empty() ? "" : format(", {} : {}", joined(names), joined(types)));
}
std::string topk(const Value &x, int dim, const std::string &values, const std::string &positions) {
  return format("tile.topk {} over {} : {} -> {}, {}", x.name, dim, x.type, values, positions);
}
std::string assume(const std::string &condition, const std::string &message) {
  return format("tile.assume {}, \"{}\"", condition, message);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

std::string constant(const std::string &literal, DType dtype) {
  return dtype == PANTILE_I1 ? format("arith.constant {}", literal) : format("arith.constant {} : {}", literal, element(dtype));
}
std::string elementwise(const char *mnemonic, const Values &operands) {
  return format("{} {} : {}", mnemonic, names(operands), operands[0].type);
}
std::string compare(bool isFloat, const char *predicate, const Values &operands) {
  return format("arith.{} {}, {} : {}", isFloat ? "cmpf" : "cmpi", predicate, names(operands), operands[0].type);
}
std::string select(const Value &condition, const Value &a, const Value &b) {
  std::string type = condition.type == "i1" ? a.type : condition.type + ", " + a.type;
  return format("arith.select {}, {}, {} : {}", condition.name, a.name, b.name, type);
}
std::string splat(const Value &scalar, const std::string &result) { return format("tile.splat {} : {}", scalar.name, result); }
std::string iota(const std::string &result) { return format("tile.iota : {}", result); }
std::string broadcast(const Value &x, const std::vector<int> &along, const std::string &result) {
  return format("tile.broadcast {} along {} : {} -> {}", x.name, along.size() == 1 ? numbers(along) : "[" + numbers(along) + "]", x.type,
                result);
}
std::string transpose(const Value &x, const std::vector<int> &permutation, const std::string &result) {
  return format("tile.transpose {} by [{}] : {} -> {}", x.name, numbers(permutation), x.type, result);
}
std::string reshape(const Value &x, const std::string &result) { return format("tile.reshape {} : {} -> {}", x.name, x.type, result); }
std::string cat(const Values &sources, int along, const std::string &result) {
  return format("tile.cat {} along {} : {} -> {}", names(sources), along, types(sources), result);
}
std::string join(const Value &a, const Value &b, const std::string &result) {
  return format("tile.join {}, {} : {} -> {}", a.name, b.name, a.type, result);
}
std::string split(const Value &x, const std::string &result) { return format("tile.split {} : {} -> {}", x.name, x.type, result); }
std::string cast(const Value &x, bool isUnsigned, const std::string &result) {
  return format("tile.cast {}{} : {} -> {}", x.name, isUnsigned ? " unsigned" : "", x.type, result);
}
std::string bitcast(const Value &x, const std::string &result) { return format("arith.bitcast {} : {} to {}", x.name, x.type, result); }
std::string random(const std::string &seed, const Value &position, int word, const std::string &result) {
  return format("tile.random {}, {}{} : {} -> {}", seed, position.name, word ? format(" word {}", word) : "", position.type, result);
}
std::string dot(const Value &a, bool transposeA, const Value &b, bool transposeB, const Value &acc) {
  auto operand = [](const Value &x, bool transposed) { return transposed ? format("transpose({})", x.name) : x.name; };
  return format("tile.dot {}, {}, {} : {}, {} -> {}", operand(a, transposeA), operand(b, transposeB), acc.name, a.type, b.type, acc.type);
}
std::string reduce(const char *kind, const Value &x, int dim, const std::string &result) {
  return format("tile.reduce {} {} over {} : {} -> {}", kind, x.name, dim, x.type, result);
}
std::array<std::string, 2> reduceRegion(const Values &sources, int dim, const Values &inits, const std::vector<std::string> &results,
                                        const Values &blockArguments) {
  std::vector<std::string> block;
  for (const Value &argument : blockArguments) block.push_back(argument.name + ": " + argument.type);
  return {format("tile.reduce ({}) over {} init({}) : {} -> {} {{", names(sources), dim, names(inits), types(sources), joined(results)),
          format("^bb0({}):", joined(block))};
}
std::string scan(const char *kind, const Value &x, int dim, ScanOrder order) {
  return format("tile.scan {} {} over {}{}{} : {}", kind, x.name, dim, order.reverse ? " reverse" : "", order.exclusive ? " exclusive" : "",
                x.type);
}

} // namespace pantile::build::spelling
