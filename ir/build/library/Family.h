//===- ir/build/library/Family.h - what a family of operators offers ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A family is a file: its entries name an operator, its options, and the function that writes the kernel. A new family is
// declared here and listed in Library.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_BUILD_LIBRARY_FAMILY_H
#define PANTILE_IR_BUILD_LIBRARY_FAMILY_H

#include "ir/build/Builder.h"
#include "ir/build/Library.h"

#include <cmath>

namespace pantile::build {

/// The options of one request: every option of the operator has a value, and values are among those it lists.
class Options {
public:
  void set(const std::string &name, std::string value) { values[name] = std::move(value); }
  const std::string &text(const std::string &name) const { return values.at(name); }
  bool flag(const std::string &name) const { return text(name) == "1"; }
  /// A dtype; where the option was left empty, that of `fallback`.
  DType dtype(const std::string &name = "dtype", const std::string &fallback = "dtype") const;
  int rank() const { return std::stoi(text("rank")); }
  /// `axis` as 0 .. rank-1 (empty: the last); an error names the range.
  Expected<int> axis() const;
  /// An integer option; an error names the range.
  Expected<int> number(const std::string &name, int lowest, int highest) const;

private:
  std::map<std::string, std::string> values;
};

struct Entry {
  LibraryOperator description;
  std::function<Status(KernelBuilder &k, const Options &options)> write;
};

std::vector<Entry> elementwiseFamily();
std::vector<Entry> matmulFamily();
std::vector<Entry> quantizedFamily();
std::vector<Entry> softmaxFamily();
std::vector<Entry> normFamily();
std::vector<Entry> reductionFamily();
std::vector<Entry> attentionFamily();
std::vector<Entry> embeddingFamily();
std::vector<Entry> randomFamily();

// Options that many operators share.
LibraryOption dtypeOption(std::vector<std::string> more = {});
/// A dtype that defaults to another's value.
LibraryOption dtypeLike(const std::string &name, const std::string &summary);
LibraryOption outOption();
LibraryOption flagOption(const std::string &name, const std::string &summary, bool byDefault = false);
LibraryOption rankOption(int byDefault);
LibraryOption axisOption();
LibraryOption formatOption(const std::string &byDefault);
std::vector<LibraryOption> epilogueOptions();

/// A view of an input: one of integers declares that it takes every value.
View input(KernelBuilder &k, const char *name, std::vector<SizeSpec> sizes, DType dtype);
/// The names of a view's sizes by rank: [N], [M,N], [B0,M,N], [B0,B1,M,N].
std::vector<std::string> sizeNames(int rank);
std::vector<SizeSpec> specs(const std::vector<std::string> &names);

// Activations on f32 values.
Tile sigmoid(Operand x);
Tile relu(Operand x);
Tile gelu(Operand x);
Tile geluTanh(Operand x);
Tile silu(Operand x);
/// By an option's value; "none": x.
Tile activate(const std::string &name, const Tile &x);

/// act(x + Bias) + Residual, as options say; views are declared by the constructor in that order, of dtype `out`.
class Epilogue {
public:
  Epilogue(KernelBuilder &k, const Options &o, const std::vector<SizeSpec> &outputSizes);
  /// The finished value in `out`; `at`: where the output is stored (Bias by the last subscript).
  Tile operator()(Tile x, const std::vector<Subscript> &at);
  DType out;

private:
  std::string activation;
  std::optional<View> bias, residual;
};

/// Block-quantized rows: quants, scales and mins as the README says.
class QuantizedRows {
public:
  static constexpr int block = 32;
  /// Declares the views with sizes [rows, blocks, ...].
  QuantizedRows(KernelBuilder &k, const std::string &format, const std::string &rows, const std::string &blocks);
  /// [row's extents, blocks', 32] in f32; `row` may be a tile of row numbers.
  Tile values(Subscript row, const Range &blocks);

private:
  View quants, scales;
  std::optional<View> mins;
};

} // namespace pantile::build

#endif // PANTILE_IR_BUILD_LIBRARY_FAMILY_H
