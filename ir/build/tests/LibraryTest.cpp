//===- ir/build/tests/LibraryTest.cpp - operators by name -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"
#include "ir/build/tests/Variants.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace pantile;

namespace {

TEST(Library, EveryOperatorBuildsUnderAllOptions) {
  size_t count = 0;
  for (const LibraryOperator &op : libraryOperators())
    for (const std::string &options : allVariants(op)) {
      auto text = buildLibraryKernel(op.name, options);
      EXPECT_EQ(bool(text), !isRefused(op.name, options)) << op.name << " " << options << ": " << text.status().message();
      ++count;
    }
  EXPECT_GT(count, 1000u);
}

TEST(Library, EveryPairOfOptionsReadsAndIsCanonicalAtOnce) {
  size_t count = 0;
  for (const LibraryOperator &op : libraryOperators())
    for (const std::string &options : pairVariants(op)) {
      auto text = buildLibraryKernel(op.name, options);
      if (isRefused(op.name, options)) {
        EXPECT_FALSE(text);
        continue;
      }
      ASSERT_TRUE(text) << op.name << " " << options << ": " << text.status().message();
      auto once = readKernelText(*text);
      ASSERT_TRUE(once) << op.name << " " << options << ": " << once.status().message() << "\n" << *text;
      auto twice = readKernelText(once->canonical);
      ASSERT_TRUE(twice) << once->canonical;
      ASSERT_EQ(once->canonical, twice->canonical);
      EXPECT_EQ(once->header.name, op.name);
      for (const KernelArgument &a : once->header.arguments) {
        if (!a.isView()) continue;
        EXPECT_EQ(a.sizes.size(), size_t(a.rank)) << op.name << " " << a.name;
        EXPECT_EQ(a.access == Access::Update, op.name == "index_add" && a.name == "Table")
            << op.name << " " << a.name << ": the library's views are read or written";
        bool isInteger = info(a.dtype).kind != DTypeClass::Float;
        EXPECT_TRUE(a.access == Access::Write || !isInteger || !a.rangeHigh.empty()) << op.name << " " << a.name << " has no tile.range";
      }
      ++count;
    }
  EXPECT_GT(count, 1000u);
}

TEST(Library, ArgumentsAreTheHeaders) {
  for (const LibraryOperator &op : libraryOperators()) {
    auto text = readKernelText(*buildLibraryKernel(op.name, ""));
    ASSERT_TRUE(text);
    std::vector<std::string> names;
    for (const KernelArgument &a : text->header.arguments) names.push_back(a.name);
    EXPECT_EQ(names, op.arguments) << op.name;
  }
}

TEST(Library, OptionsChangeWhatTheySay) {
  auto header = [](const char *name, const char *options) { return readKernelText(*buildLibraryKernel(name, options))->header; };
  KernelHeader matmul = header("matmul", "bf16, out=f32, transpose_a=1, bias=1, residual=1");
  ASSERT_EQ(matmul.arguments.size(), 5u);
  EXPECT_EQ(matmul.arguments[0].dtype, PANTILE_BF16);
  EXPECT_EQ(matmul.arguments[0].sizes, (std::vector<std::string>{"K", "M"}));
  EXPECT_EQ(matmul.arguments[2].name, "Bias");
  EXPECT_EQ(matmul.arguments[3].name, "Residual");
  EXPECT_EQ(matmul.arguments[4].dtype, PANTILE_F32);
  EXPECT_EQ(header("matmul_int8", "scales=0").arguments[2].dtype, PANTILE_I32);
  EXPECT_EQ(header("sum", "rank=3,axis=1").arguments[1].sizes, (std::vector<std::string>{"B0", "N"}));
  EXPECT_EQ(header("sum", "rank=1").arguments[1].shape, std::vector<int64_t>{1});
  EXPECT_EQ(header("attention", "").statics, std::vector<std::string>{"d"});
  EXPECT_EQ(header("attention", "window=1,kv_length=1").arguments.back().name, "kv_length");
}

/// The message of an error, which must be one.
std::string refusal(const char *name, const char *options, pantile_code code) {
  auto text = buildLibraryKernel(name, options);
  EXPECT_FALSE(text) << name << " " << options;
  if (text) return "";
  EXPECT_EQ(text.status().code(), code);
  return text.status().message();
}
void expectIn(const std::string &text, const char *part) { EXPECT_NE(text.find(part), text.npos) << text; }

TEST(LibraryErrors, SayWhatThereIs) {
  expectIn(refusal("matmull", "", PANTILE_NOT_FOUND), "did you mean 'matmul'?");
  expectIn(refusal("convolution", "", PANTILE_NOT_FOUND), "there are: add, sub");
  expectIn(refusal("matmul", "transpose_c=1", PANTILE_INVALID_ARGUMENT), "did you mean 'transpose_a'?");
  expectIn(refusal("matmul", "bf15", PANTILE_INVALID_ARGUMENT), "did you mean 'bf16'? there are: f32, f16, bf16");
  expectIn(refusal("matmul", "activation=swish", PANTILE_INVALID_ARGUMENT), "option 'activation' of operator 'matmul' cannot be 'swish'");
  expectIn(refusal("matmul", "transpose_b=yes", PANTILE_INVALID_ARGUMENT), "there are: 0, 1");
  expectIn(refusal("sum", "axis=2", PANTILE_INVALID_ARGUMENT), "from -2 to 1");
  expectIn(refusal("sum", "axis=x", PANTILE_INVALID_ARGUMENT), "cannot be 'x'");
  expectIn(refusal("count_below", "f32", PANTILE_INVALID_ARGUMENT), "has no option 'dtype'");
  expectIn(refusal("attention", "varlen=1,kv_length=1", PANTILE_INVALID_ARGUMENT), "exclude each other");
}

TEST(Library, TheTableNamesEveryOperatorAndOption) {
  std::ifstream file(PANTILE_LIBRARY_README);
  std::stringstream buffer;
  buffer << file.rdbuf();
  std::string readme = buffer.str();
  ASSERT_FALSE(readme.empty());
  for (const LibraryOperator &op : libraryOperators()) {
    EXPECT_NE(readme.find("`" + op.name + "`"), readme.npos) << op.name;
    for (const LibraryOption &option : op.options) EXPECT_NE(readme.find("`" + option.name), readme.npos) << op.name << " " << option.name;
  }
}

} // namespace
