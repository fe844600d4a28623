//===- ir/build/tests/DialectTest.cpp - the library under the verifier ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"
#include "ir/build/Builder.h"
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

/// What the library has no use for yet: two phases over a workspace, scatter, masks, batched dots, unsigned casts, a scan.
TEST(BuilderUnderTheDialect, TheRestOfTheLanguageVerifies) {
  using namespace build;
  KernelBuilder k("rest");
  auto [B, M, N, P] = k.sizes("B", "M", "N", "P");
  View X = k.view("X", {B, M, N}, bf16), Ids = k.view("Ids", {M}, i32).values(-1, P), Picked = k.view("Picked", {P, N}, f32);
  View Y = k.view("Y", {M}, f32), Flags = k.view("Flags", {M}, i8);
  View partial = k.workspace("partial", {B, M}, f32);
  k.assume(Operand(N) >= 0, "sizes count");
  k.parallel({{"b", B, 2}, {"i", M, "bm"}}, [&](Range b, Range i) {
    Tile gram = k.loop({"j", N, "bn"}, k.zeros({b, i, 4}, f32), associative, [&](Range j, Tile s) {
      Tile x = X(b, i, j), w = cast(k.filled({b, j, 4}, 0.5, f32), bf16);
      return dot(x, w, s);
    });
    partial(b, i) = max(gram, -1);
  });
  k.parallel({{"i", M, "bm", 1}, {"j", N, "bn", 0}}, [&](Range i, Range j) {
    Tile ids = Ids(i), valid = (ids >= 0) & (Tile(Flags(i)) != 0);
    Tile rows = k.loop({"b", B, 1}, k.zeros({i}, f32), [&](Range b, Tile s) { return s + partial(b, i); });
    Tile spread = broadcast(rows, {i, j}) * cast(castUnsigned(Flags(i), i32), f32);
    Picked(ids, j).mask(valid) = spread + cast(k.iota(j), f32);
    Tile old = Ids(index(i)).mask(valid).pad(-1);
    Tile scanned = cumulativeSum(select(old < 0, 0.0, rows), 0, {.reverse = true, .exclusive = true});
    auto [even, odd] = split(reshape(cast(k.iota(8), f32), {4, 2}));
    Tile both = reshape(join(even, odd), {8}), longer = cat(both, both, 0);
    Y(i) = scanned + log2(maximum(sum(longer, 0), 1.0)) + product(floor(longer), 0);
  });
  auto text = k.finish();
  ASSERT_TRUE(text) << text.status().message();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  auto module = tile::parseKernel(context, *text);
  EXPECT_TRUE(module) << module.status().message() << "\n" << *text;
}

} // namespace
