//===- ir/build/tests/DialectTest.cpp - the library under the verifier ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"
#include "ir/build/tests/Variants.h"
#include "ir/dialect/Parse.h"

#include <gtest/gtest.h>

using namespace pantile;

namespace {

TEST(LibraryUnderTheDialect, EveryPairOfOptionsParsesAndVerifies) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  size_t count = 0;
  for (const LibraryOperator &op : libraryOperators())
    for (const std::string &options : pairVariants(op)) {
      if (isRefused(op.name, options)) continue;
      auto text = buildLibraryKernel(op.name, options);
      ASSERT_TRUE(text) << text.status().message();
      auto module = tile::parseKernel(context, *text);
      EXPECT_TRUE(module) << op.name << " " << options << ": " << (module ? "" : module.status().message()) << "\n" << *text;
      if (!module) break;
      ++count;
    }
  EXPECT_GT(count, 1000u);
}

/// What the runtime hashes and what the compiler prints agree: the dialect's own text has the same canonical form.
TEST(LibraryUnderTheDialect, CanonicalTextParsesAndPrintsBack) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  for (const LibraryOperator &op : libraryOperators()) {
    auto read = readKernelText(*buildLibraryKernel(op.name, ""));
    ASSERT_TRUE(read);
    auto module = tile::parseKernel(context, read->canonical);
    ASSERT_TRUE(module) << module.status().message() << "\n" << read->canonical;
    auto again = tile::parseKernel(context, tile::printKernel(**module));
    ASSERT_TRUE(again) << again.status().message() << "\n" << tile::printKernel(**module);
    EXPECT_EQ(tile::printKernel(**module), tile::printKernel(**again));
  }
}

} // namespace
