//===- ir/dialect/ParseTest.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/dialect/Parse.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace pantile;
using namespace pantile::tile;

namespace {

struct ParseTest : testing::Test {
  MLIRContext context{MLIRContext::Threading::DISABLED};
  ParseTest() { loadDialects(context); }
  Status statusOf(std::string_view text) { return parseKernel(context, text).status(); }
};

constexpr const char *kCopy = R"(// pantile-ir 1
!t = tensor<?xf32, #tile.dims<@b>>
tile.kernel @copy(%X: !tile.view<?xf32>, %Y: !tile.view<?xf32>) {
  %N = tile.dim %X, 0
  tile.parallel %i in %N by @b {
    %x = tile.load %X[%i] : !t
    tile.store %x, %Y[%i]
  }
}
)";

TEST_F(ParseTest, PrintsWhatItReads) {
  auto module = parseKernel(context, kCopy);
  ASSERT_TRUE(module) << module.status().message();
  EXPECT_EQ(kernelOf(**module).getSymName(), "copy");
  std::string text = printKernel(**module);
  EXPECT_TRUE(text.starts_with("// pantile-ir 1\ntile.kernel @copy("));
  auto again = parseKernel(context, text);
  ASSERT_TRUE(again) << again.status().message();
  EXPECT_EQ(printKernel(**again), text);
}

TEST_F(ParseTest, ErrorsHaveLineAndColumn) {
  std::string text = kCopy;
  text.replace(text.find("%X[%i]"), 6, "%X[%j]");
  Status status = statusOf(text);
  EXPECT_EQ(status.code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(status.text(), "6:23: custom op 'tile.load' use of %j before its definition");
}

TEST_F(ParseTest, VerifierErrorsComeToo) {
  std::string text = kCopy;
  text.replace(text.find("%X[%i] : !t"), 11, "%X[%i] : f32");
  EXPECT_EQ(statusOf(text).text(), "6:10: 'tile.load' op these subscripts give 'tensor<?xf32, #tile.dims<@b>>', found 'f32'");
}

TEST_F(ParseTest, OneKernelWithItsHeader) {
  std::string kernel = kCopy, body = kernel.substr(kernel.find('\n') + 1);
  EXPECT_EQ(statusOf(body).text().substr(0, 58), "1:1: kernel text starts with the line '// pantile-ir 1', f");
  EXPECT_EQ(statusOf("// pantile-ir 2\n" + body).text(),
            "1:1: kernel text starts with the line '// pantile-ir 1', found '// pantile-ir 2'");
  EXPECT_EQ(statusOf("// pantile-ir 1\n").text(), "1:1: the text holds no tile.kernel");
  std::string second = body.substr(body.find("tile.kernel"));
  second.replace(second.find("@copy"), 5, "@more");
  EXPECT_EQ(statusOf(kernel + second).text(), "10:1: a second tile.kernel: the text holds one");
  EXPECT_EQ(statusOf("").code(), PANTILE_INVALID_ARGUMENT);
  EXPECT_EQ(statusOf("// pantile-ir 1\n\xff\x00 {{{").code(), PANTILE_INVALID_ARGUMENT);
}

TEST_F(ParseTest, AnyPrefixIsAnError) {
  std::string text = kCopy;
  for (size_t length = 0; length + 3 < text.size(); ++length) EXPECT_FALSE(parseKernel(context, text.substr(0, length))) << length;
}

TEST(Dims, ConstantsAndSymbols) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  loadDialects(context);
  Dim constant{{}, 32}, multiple{StringAttr::get(&context, "kb"), 32};
  RankedTensorType type = tileOf(Float32Type::get(&context), {multiple, constant});
  EXPECT_TRUE(isTile(type));
  EXPECT_FALSE(isTile(RankedTensorType::get({4}, type.getElementType())));
  EXPECT_EQ(dimsOf(type)[0], multiple);
  EXPECT_TRUE(dimsOf(type)[1].isConstant());
  EXPECT_TRUE(type.isDynamicDim(0));
  EXPECT_EQ(type.getDimSize(1), 32);
  EXPECT_TRUE(blockType(&context, Dim{{}, 1}).isIndex());
  EXPECT_EQ(cast<RangeType>(blockType(&context, multiple, 64)).getExtent(), 64);
}

} // namespace
