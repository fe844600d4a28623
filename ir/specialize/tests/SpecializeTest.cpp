//===- ir/specialize/tests/SpecializeTest.cpp - what each knob does -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/Specialize.h"
#include "ir/dialect/Parse.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace pantile;

namespace {

const char *kMatmul = R"(// pantile-ir 1
!a = tensor<?x?xf32, #tile.dims<@bm, @bk>>
!b = tensor<?x?xf32, #tile.dims<@bk, @bn>>
!c = tensor<?x?xf32, #tile.dims<@bm, @bn>>
tile.kernel @matmul(%A: !tile.view<?x?xf32> {tile.sizes = ["M", "K"]}, %B: !tile.view<?x?xf32> {tile.sizes = ["K", "N"]},
                    %C: !tile.view<?x?xf32> {tile.sizes = ["M", "N"]}) {
  %M = tile.dim %C, 0
  %N = tile.dim %C, 1
  %K = tile.dim %A, 1
  tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn) {
    %zero = arith.constant 0.0 : f32
    %init = tile.splat %zero : !c
    %sum = tile.loop %p in %K by @bk carry(%s = %init : !c) associative {
      %x = tile.load %A[%i, %p] : !a
      %y = tile.load %B[%p, %j] : !b
      %d = tile.dot %x, %y, %s : !a, !b -> !c
      tile.yield %d : !c
    }
    tile.store %sum, %C[%i, %j]
  }
})";

const char *kRows = R"(// pantile-ir 1
!r = tensor<?x?xf32, #tile.dims<@br, @n>>
!c = tensor<?xf32, #tile.dims<@br>>
tile.kernel @rows(%X: !tile.view<?x?xf32>, %Y: !tile.view<?x?xf32>) attributes {STATIC} {
  %M = tile.dim %X, 0
  tile.parallel %i in %M by @br {
    %x = tile.load %X[%i, full @n] : !r
    %s = BODY
    %w = tile.broadcast %s along 1 : !c -> !r
    %y = arith.subf %x, %w : !r
    tile.store %y, %Y[%i, full @n]
  }
})";

std::string rows(const std::string &body = "tile.reduce addf %x over 1 : !r -> !c", const std::string &attributes = "") {
  std::string text = kRows;
  text.replace(text.find("BODY"), 4, body);
  if (attributes.empty())
    text.replace(text.find(" attributes {STATIC}"), 20, "");
  else
    text.replace(text.find("STATIC"), 6, attributes);
  return text;
}

struct Result {
  Status status;
  std::string text;
};

Result specialized(const std::string &text, const std::string &configuration, const Facts &facts = {}, SpecializeOptions options = {}) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  auto module = tile::parseKernel(context, text);
  if (!module) return {std::move(module).status(), ""};
  auto result = specialize(**module, facts, *Configuration::fromText(configuration), options);
  if (!result) return {std::move(result).status(), ""};
  std::string printed = tile::printKernel(**result);
  // What specialize writes is text that parses.
  auto again = tile::parseKernel(context, printed);
  EXPECT_TRUE(again.isOk()) << again.status().message() << printed;
  return {{}, printed};
}

bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }
size_t countOf(const std::string &text, const std::string &part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

Facts factsOf(std::vector<std::vector<int64_t>> sizes) {
  Facts facts;
  for (auto &view : sizes) {
    pantile_argument_facts argument = {};
    argument.struct_size = sizeof(argument);
    argument.dtype = PANTILE_F32;
    argument.rank = int32_t(view.size());
    std::fill(std::begin(argument.static_size), std::end(argument.static_size), -1);
    std::copy(view.begin(), view.end(), argument.static_size);
    facts.arguments.push_back(argument);
  }
  return facts;
}

} // namespace

TEST(Specialize, BindsBlocksAndKeepsSymbols) {
  Result result = specialized(kMatmul, "{bm = 48, bn = 32, bk = 96}");
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_TRUE(contains(result.text, "tensor<48x96xf32, #tile.dims<@bm, @bk>>"));
  EXPECT_TRUE(contains(result.text, "!tile.range<@bn, 32>"));
  EXPECT_TRUE(contains(result.text, "by @bk = 96"));
  EXPECT_TRUE(contains(result.text, "attributes {scheduled}"));
  EXPECT_FALSE(contains(result.text, "tile.parallel"));
  EXPECT_FALSE(contains(result.text, "pantile.nest"));
}

TEST(Specialize, LastDimensionVariesFastestUnlessOrdered) {
  // The fastest dimension takes the remainder by its own count.
  Result flat = specialized(kMatmul, "{bm = 48, bn = 32, bk = 96}"),
         swapped = specialized(kMatmul, "{bm = 48, bn = 32, bk = 96, \"loop_orders.0\" = [1, 0]}");
  ASSERT_TRUE(flat.status.isOk() && swapped.status.isOk());
  EXPECT_NE(flat.text, swapped.text);
  auto fastestCount = [](const std::string &text) {
    size_t at = text.find("arith.remui ");
    size_t comma = text.find(", ", at), colon = text.find(" :", comma);
    std::string count = text.substr(comma + 2, colon - comma - 2);
    size_t line = text.find(count + " = arith.ceildivsi");
    return text.substr(line, text.find('\n', line) - line);
  };
  EXPECT_TRUE(contains(fastestCount(flat.text), "%c32")) << flat.text;
  EXPECT_TRUE(contains(fastestCount(swapped.text), "%c48")) << swapped.text;
}

TEST(Specialize, UnrollingIsData) {
  Result result = specialized(kMatmul, "{bm = 8, bn = 8, bk = 8, \"range_unroll_factors.0\" = 4}");
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_TRUE(contains(result.text, "attributes {unroll = 4 : i64}")) << result.text;
}

TEST(Specialize, PersistentProgramsLoopOverBlocks) {
  SpecializeOptions target;
  target.units = 6;
  for (const char *map : {"persistent_blocked", "persistent_interleaved"}) {
    Result result =
        specialized(kMatmul, std::string("{bm = 8, bn = 8, bk = 8, num_sm_multiplier = 2, \"pid_type.0\" = \"") + map + "\"}", {}, target);
    ASSERT_TRUE(result.status.isOk()) << result.status.message();
    EXPECT_TRUE(contains(result.text, std::string("schedule {pid_type = \"") + map + "\"}"));
    EXPECT_EQ(countOf(result.text, "attributes {persistent}"), 1u) << result.text;
    EXPECT_TRUE(contains(result.text, "constant 12 : index")) << result.text;
  }
  // One program where there is one block.
  Result one = specialized(kMatmul, "{bm = 8, bn = 8, bk = 8, \"pid_type.0\" = \"persistent_blocked\"}",
                           factsOf({{8, -1}, {-1, 8}, {8, 8}}), target);
  EXPECT_TRUE(contains(one.text, "tile.grid %arg3 in %c1 schedule")) << one.text;
}

TEST(Specialize, GridsOfSeveralDimensionsNeedNoDivision) {
  SpecializeOptions target;
  target.gridRank = 3;
  Result result = specialized(kMatmul, "{bm = 8, bn = 8, bk = 8, \"pid_type.0\" = \"xyz\"}", {}, target);
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_TRUE(contains(result.text, "tile.grid (%arg3, %arg4) in (")) << result.text;
  EXPECT_FALSE(contains(result.text, "arith.div")) << result.text;
  EXPECT_TRUE(contains(specialized(kMatmul, "{\"pid_type.0\" = \"xyz\", \"l2_groupings.0\" = 2}", {}, target).status.message(),
                       "setting l2_groupings.0: grids of several dimensions are not grouped"));
}

TEST(Specialize, FactsFoldSizesByName) {
  Result result = specialized(kMatmul, "{bm = 48, bn = 32, bk = 96}", factsOf({{100, -1}, {-1, -1}, {-1, 64}}));
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_EQ(countOf(result.text, "tile.dim "), 1u) << result.text; // K
  EXPECT_TRUE(contains(result.text, "constant 100 : index"));
}

TEST(Specialize, FullExtentsBindByFactThenSettingOrStay) {
  Result stays = specialized(rows(), "{br = 4}");
  ASSERT_TRUE(stays.status.isOk()) << stays.status.message();
  EXPECT_TRUE(contains(stays.text, "tensor<4x?xf32, #tile.dims<@br, @n>>"));
  EXPECT_TRUE(contains(specialized(rows(), "{br = 4}", factsOf({{-1, 77}, {-1, 77}})).text, "tensor<4x77xf32, #tile.dims<@br, @n>>"));
  EXPECT_TRUE(contains(specialized(rows(), "{br = 4, n = 128}").text, "tensor<4x128xf32, #tile.dims<@br, @n>>"));
  SpecializeOptions bound;
  bound.dynamicFullExtents = false;
  EXPECT_TRUE(contains(specialized(rows(), "{br = 4}", {}, bound).status.message(), "full extent @n has no bound"));
  EXPECT_TRUE(contains(specialized(rows("tile.reduce addf %x over 1 : !r -> !c", "static = [@n]"), "{br = 4}").status.message(),
                       "@n is static, but the facts"));
}

TEST(Specialize, RollingCutsAtReductions) {
  Result result = specialized(rows(), "{br = 4, \"reduction_loops.n\" = 64}");
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_EQ(countOf(result.text, "by @n = 64"), 2u);
  EXPECT_EQ(countOf(result.text, "tile.load"), 2u);
  EXPECT_FALSE(contains(result.text, "full @n"));
}

TEST(Specialize, RolledSumsOfExponentialsShareThePassOfTheirMaximum) {
  std::string text = rows("tile.reduce maximumf %x over 1 : !r -> !c\n    %b = tile.broadcast %s along 1 : !c -> !r\n"
                          "    %d = arith.subf %x, %b : !r\n    %e = math.exp %d : !r\n    %t = tile.reduce addf %e over 1 : !r -> !c");
  auto replace = [&](std::string from, const std::string &to) { text.replace(text.find(from), from.size(), to); };
  replace("%w = tile.broadcast %s", "%w = tile.broadcast %t");
  replace("arith.subf %x, %w", "arith.divf %e, %w");
  Result online = specialized(text, "{br = 4, \"reduction_loops.n\" = 64}");
  ASSERT_TRUE(online.status.isOk()) << online.status.message();
  EXPECT_EQ(countOf(online.text, "tile.loop"), 2u) << online.text;
  EXPECT_EQ(countOf(online.text, "tile.load"), 2u) << online.text;
  // Of another tile than the one that is summed the maximum comes first: its running value might be too small.
  replace("tile.reduce maximumf %x over", "tile.reduce maximumf %q over");
  replace("    %s = ", "    %q = math.absf %x : !r\n    %s = ");
  EXPECT_EQ(countOf(specialized(text, "{br = 4, \"reduction_loops.n\" = 64}").text, "tile.loop"), 3u);
}

TEST(Specialize, RollingRefusesScans) {
  std::string text = rows();
  text.replace(text.find("arith.subf %x, %w"), 17, "tile.scan addf %x over 1");
  EXPECT_TRUE(
      contains(specialized(text, "{br = 4, \"reduction_loops.n\" = 64}").status.message(), "@n cannot be rolled: a scan runs along it"));
  EXPECT_TRUE(specialized(text, "{br = 4}").status.isOk());
}

TEST(Specialize, FlatteningGathers) {
  const char *scaled = R"(// pantile-ir 1
!t = tensor<?x?xf32, #tile.dims<@bm, @bn>>
!u = tensor<?x?xf32, #tile.dims<@bn, @bm>>
!w = tensor<?xf32, #tile.dims<@bn>>
tile.kernel @scaled(%X: !tile.view<?x?xf32>, %W: !tile.view<?xf32>, %Y: !tile.view<?x?xf32>) {
  %M = tile.dim %X, 0
  %N = tile.dim %X, 1
  tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn) {
    %x = tile.load %X[%i, %j] : !t
    %w = tile.load %W[%j] : !w
    %b = tile.broadcast %w along 0 : !w -> !t
    %y = arith.mulf %x, %b : !t
    %z = tile.transpose %y by [1, 0] : !t -> !u
    tile.store %z, %Y[%j, %i]
  }
})";
  SpecializeOptions target;
  target.flattens = true;
  Result result = specialized(scaled, "{bm = 4, bn = 8, \"flatten_loops.0\" = 1}", {}, target);
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_EQ(countOf(result.text, "tile.gather"), 2u) << result.text;
  EXPECT_EQ(countOf(result.text, "tile.scatter"), 1u);
  EXPECT_TRUE(contains(result.text, "tensor<32xf32, #tile.dims<@flat>>"));
  EXPECT_FALSE(contains(result.text, "tile.broadcast")) << result.text;
  EXPECT_FALSE(contains(result.text, "tile.transpose")) << result.text;
  EXPECT_TRUE(contains(result.text, "i64, #tile.dims<@flat>")) << result.text;
  EXPECT_FALSE(contains(specialized(scaled, "{bm = 4, bn = 8, \"flatten_loops.0\" = 1}", factsOf({{9, 5}, {5}, {5, 9}}), target).text,
                        "i64, #tile.dims<@flat>"));
  EXPECT_TRUE(contains(specialized(scaled, "{\"flatten_loops.0\" = 1}").status.message(), "setting flatten_loops.0: this target does not"));
  EXPECT_TRUE(contains(specialized(kMatmul, "{\"flatten_loops.0\" = 1}", {}, target).status.message(),
                       "setting flatten_loops.0: the nest cannot be flattened: 'tile.dot' has one of its blocks"));
  EXPECT_TRUE(contains(specialized(scaled, "{\"flatten_loops.0\" = 1, \"loop_orders.0\" = [1, 0]}", {}, target).status.message(),
                       "setting loop_orders.0: a flattened nest has no order"));
}

TEST(Specialize, ChecksAreDroppedUnlessAsked) {
  std::string text = rows();
  text.replace(text.find("    %w = "), 0, "    tile.print \"sums\", %s : !c\n");
  SpecializeOptions debugging;
  debugging.checks = true;
  EXPECT_EQ(countOf(specialized(text, "{br = 4}").text, "tile.print"), 0u);
  EXPECT_EQ(countOf(specialized(text, "{br = 4}", {}, debugging).text, "tile.print"), 1u);
}

TEST(Specialize, SplitsTheAssociativeLoop) {
  Result result = specialized(kMatmul, "{bm = 8, bn = 8, bk = 8, split_k = 3}");
  ASSERT_TRUE(result.status.isOk()) << result.status.message();
  EXPECT_EQ(countOf(result.text, "tile.grid"), 2u);
  EXPECT_TRUE(contains(result.text, "tile.workspace"));
  EXPECT_TRUE(contains(specialized(rows(), "{br = 4, split_k = 2}").status.message(),
                       "setting split_k: splits the one associative loop of a kernel; this one has 0"));
}

TEST(Specialize, MasksOnlyWhatFactsDoNotProve) {
  SpecializeOptions masks;
  masks.clip = SpecializeOptions::Clip::Mask;
  const char *squares = "tile.reduce mulf %x over 1 : !r -> !c";
  EXPECT_EQ(countOf(specialized(rows(squares), "{br = 4, n = 128}", {}, masks).text, "arith.select"), 1u);
  EXPECT_EQ(countOf(specialized(rows(squares), "{br = 4, \"reduction_loops.n\" = 32}", {}, masks).text, "arith.select"), 1u);
  // A sum of what a load gave has zeros outside; a dynamic extent and a fact's are whole.
  EXPECT_EQ(countOf(specialized(rows(), "{br = 4, n = 128}", {}, masks).text, "arith.select"), 0u);
  EXPECT_EQ(countOf(specialized(rows(squares), "{br = 4}", {}, masks).text, "arith.select"), 0u);
  EXPECT_EQ(countOf(specialized(rows(squares), "{br = 4}", factsOf({{-1, 128}, {-1, 128}}), masks).text, "arith.select"), 0u);
  EXPECT_EQ(countOf(specialized(rows(squares), "{br = 4, \"reduction_loops.n\" = 32}", factsOf({{-1, 128}, {-1, 128}}), masks).text,
                    "arith.select"),
            0u);
  EXPECT_EQ(countOf(specialized(rows(squares), "{br = 4, \"reduction_loops.n\" = 32}", factsOf({{-1, 100}, {-1, 100}}), masks).text,
                    "arith.select"),
            1u);
}

TEST(Specialize, WrongSettingsSayWhatIsAccepted) {
  EXPECT_TRUE(contains(specialized(kMatmul, "{bm = 0}").status.message(), "setting bm: a block has at least 1 element, given 0"));
  EXPECT_TRUE(contains(specialized(kMatmul, "{\"loop_orders.0\" = [0, 0]}").status.message(),
                       "setting loop_orders.0: must be a permutation of 0 .. 1"));
  EXPECT_TRUE(contains(specialized(kMatmul, "{\"pid_type.0\" = \"xyz\"}").status.message(),
                       "setting pid_type.0: accepted for this nest and target: flat; given xyz"));
  EXPECT_TRUE(contains(specialized(kMatmul, "{\"l2_groupings.0\" = 0}").status.message(), "a group has at least 1 block"));
}

TEST(Specialize, SpaceNamesEveryKnob) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  auto module = tile::parseKernel(context, kMatmul);
  ASSERT_TRUE(module.isOk());
  auto namesOf = [](const SpaceDescription &space) {
    std::vector<std::string> names;
    for (auto &parameter : space.parameters) names.push_back(parameter.name);
    return names;
  };
  SpaceDescription space = portableSpace(tile::kernelOf(**module), {});
  EXPECT_EQ(namesOf(space),
            (std::vector<std::string>{"bm", "bn", "bk", "loop_orders.0", "l2_groupings.0", "split_k", "range_unroll_factors.0"}));
  SpecializeOptions target;
  target.gridRank = 3;
  target.units = 8;
  SpaceDescription wide = portableSpace(tile::kernelOf(**module), {}, target);
  EXPECT_EQ(namesOf(wide), (std::vector<std::string>{"bm", "bn", "bk", "loop_orders.0", "pid_type.0", "l2_groupings.0", "num_sm_multiplier",
                                                     "split_k", "range_unroll_factors.0"}));
  EXPECT_EQ(wide.parameters[4].labels, (std::vector<std::string>{"flat", "xyz", "persistent_blocked", "persistent_interleaved"}));
  EXPECT_EQ(wide.parameters[5].activeIf, "c.pid_type.0 1 !=");
  EXPECT_EQ(wide.parameters[6].activeIf, "c.pid_type.0 2 >=");
  EXPECT_EQ(space.parameters[0].defaultValue, "s2.0 1 max pow2ceil 64 min 8 max");
  EXPECT_EQ(space.parameters[3].length, 2u);
}
