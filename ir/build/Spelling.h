//===- ir/build/Spelling.h - how the builder spells the IR ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The only place that knows the text of types and operations (ir/README.md, "Text"). Each function gives what stands right
// of `=`, without line breaks; regions are opened by a line that ends in `{`.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_BUILD_SPELLING_H
#define PANTILE_IR_BUILD_SPELLING_H

#include "ir/build/Builder.h"

namespace pantile::build::spelling {

/// A value in an operand position: "%x" and its type's text.
struct Value {
  std::string name, type;
};
using Values = std::vector<Value>;

/// One subscript: an operand, or (no name) a full extent.
struct SubscriptText {
  Value operand;
  Dim full{1};
};

// Types.
std::string element(DType dtype);
std::string dim(const Dim &dim);                 ///< @bm, @kb * 32, 32
std::string type(DType dtype, const Dims &dims); ///< tensor<...>, or the element type of a scalar
std::string range(const Dim &dim);               ///< !tile.range<@bm>
std::string view(DType dtype, const std::vector<SizeSpec> &sizes);
std::string literal(double value, DType dtype); ///< a float constant that parses back to the same value
std::string joined(const std::vector<std::string> &parts, const char *separator = ", ");

// Structure.
struct ArgumentText {
  std::string name;
  DType dtype;
  bool isView;
  std::vector<SizeSpec> sizes;
  const char *access;
  std::string low, high;
};
std::string kernel(const std::string &name, const std::vector<ArgumentText> &arguments, const std::vector<std::string> &statics);
std::string parallel(const std::vector<std::string> &names, const std::vector<std::string> &lowers, const std::vector<std::string> &uppers,
                     const Dims &blocks);
std::string loop(const std::string &name, const std::string &lower, const std::string &upper, const Dim &block,
                 const std::vector<std::string> &carries, const Values &inits, bool associative);
std::string yield(const Values &values);

// Memory and ranges.
std::string dimOf(const Value &view, unsigned dim);
std::string workspace(const std::vector<std::string> &sizes, const std::string &type);
std::string load(const Value &view, const std::vector<SubscriptText> &subscripts, const std::optional<Value> &pad,
                 const std::string &result);
std::string store(const Value &value, const Value &view, const std::vector<SubscriptText> &subscripts);
std::string gather(const Value &view, const std::vector<SubscriptText> &subscripts, const std::optional<Value> &mask,
                   const std::optional<Value> &pad, const std::string &result);
std::string scatter(const Value &value, const Value &view, const std::vector<SubscriptText> &subscripts, const std::optional<Value> &mask);
std::string atomic(const char *kind, const Value &value, const Value &view, const std::vector<SubscriptText> &subscripts,
                   const std::optional<Value> &mask);
std::string ofRange(const char *what, const Value &range); ///< begin, end, id
std::string index(const Value &range, const std::string &result);
std::string shift(const Value &range, const std::string &offset);
std::string scale(const Value &range, int64_t factor, const std::string &result);
std::string assertion(const Value &condition, const std::string &message);
std::string print(const std::string &text, const Values &values);
std::string topk(const Value &x, int dim, const std::string &values, const std::string &positions);
std::string assume(const std::string &condition, const std::string &message);

// Tiles.
std::string constant(const std::string &literal, DType dtype);
std::string elementwise(const char *mnemonic, const Values &operands);
std::string compare(bool isFloat, const char *predicate, const Values &operands);
std::string select(const Value &condition, const Value &a, const Value &b);
std::string splat(const Value &scalar, const std::string &result);
std::string iota(const std::string &result);
std::string broadcast(const Value &x, const std::vector<int> &along, const std::string &result);
std::string transpose(const Value &x, const std::vector<int> &permutation, const std::string &result);
std::string reshape(const Value &x, const std::string &result);
std::string cat(const Values &sources, int along, const std::string &result);
std::string join(const Value &a, const Value &b, const std::string &result);
std::string split(const Value &x, const std::string &result);
std::string cast(const Value &x, bool isUnsigned, const std::string &result);
std::string bitcast(const Value &x, const std::string &result);
std::string random(const std::string &seed, const Value &position, int word, const std::string &result);
std::string dot(const Value &a, bool transposeA, const Value &b, bool transposeB, const Value &acc);
std::string reduce(const char *kind, const Value &x, int dim, const std::string &result);
/// The lines that open a general reduction: the operation, then its block's arguments.
std::array<std::string, 2> reduceRegion(const Values &sources, int dim, const Values &inits, const std::vector<std::string> &results,
                                        const Values &blockArguments);
std::string scan(const char *kind, const Value &x, int dim, ScanOrder order);

} // namespace pantile::build::spelling

#endif // PANTILE_IR_BUILD_SPELLING_H
