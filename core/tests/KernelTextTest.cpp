//===- core/tests/KernelTextTest.cpp --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"

#include <algorithm>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <random>

using namespace pantile;

namespace {

const char *const kMatmul = R"(// pantile-ir 1
// A comment.
!a   = tensor<?x?xbf16, #tile.dims<@bm, @bk>>
!acc = tensor<?x?xf32,  #tile.dims<@bm, @bn>>

tile.kernel @matmul(%A: !tile.view<?x64xbf16> {tile.sizes = ["M", "64"], tile.access = "read"},
                    %I: !tile.view<?xi32> {tile.range = ["0", "V"]}, %scale: f32) attributes {static = [@d]} {
  %M = tile.dim %A, 0
  tile.parallel (%i, %j) in (%M, %M) by (@bm, @bn) {
    %o, %m = tile.loop %p in %M by @bk carry(%s = %M : !acc, %t = %M : f32) associative {
      %x = tile.load %A[%i, full 64] : !a
      tile.yield %x, %t : !acc, f32
    }
  }
  tile.parallel %i in %M by @bm {
    %v:2 = tile.reduce (%A, %A) over 1 : !a, !a -> !a, !a {
    ^bb0(%l: f32, %r: i32):
      tile.yield %l, %r : f32, i32
    }
    tile.store %v#1, %A[%i, full 64] {note = 1}
  }
}
)";

TEST(KernelText, ReadsTheHeader) {
  auto text = readKernelText(kMatmul);
  ASSERT_TRUE(text.isOk()) << text.status().message();
  const KernelHeader &header = text->header;
  EXPECT_EQ(header.name, "matmul");
  ASSERT_EQ(header.arguments.size(), 3u);
  EXPECT_EQ(header.arguments[0].name, "A");
  EXPECT_EQ(header.arguments[0].dtype, PANTILE_BF16);
  EXPECT_EQ(header.arguments[0].rank, 2);
  EXPECT_EQ(header.arguments[0].shape, (std::vector<int64_t>{-1, 64}));
  EXPECT_EQ(header.arguments[0].sizes, (std::vector<std::string>{"M", "64"}));
  EXPECT_EQ(header.arguments[0].access, Access::Read);
  EXPECT_EQ(header.arguments[1].access, Access::Update);
  EXPECT_EQ(header.arguments[1].rangeHigh, "V");
  EXPECT_FALSE(header.arguments[2].isView());
  EXPECT_EQ(header.statics, (std::vector<std::string>{"d"}));
}

TEST(KernelText, NamesSpaceAndCommentsDoNotCount) {
  std::string other = kMatmul;
  auto replace = [&](std::string from, std::string to) {
    for (size_t at = 0; (at = other.find(from, at)) != std::string::npos; at += to.size()) other.replace(at, from.size(), to);
  };
  replace("%i", "%row");
  replace("// A comment.", "// Another.");
  replace("  %M = ", "\t%M   =  ");
  replace("!acc", "!sum");
  replace("carry(%s = %M", "carry( %s=%M");
  replace("%A[%row, full 64]", "%A [ %row,\n full 64 ]");
  auto a = readKernelText(kMatmul), b = readKernelText(other);
  ASSERT_TRUE(a.isOk() && b.isOk()) << b.status().message();
  EXPECT_EQ(a->canonical, b->canonical);
  replace("full 64", "full 65");
  auto c = readKernelText(other);
  ASSERT_TRUE(c.isOk());
  EXPECT_NE(a->canonical, c->canonical);
}

TEST(KernelText, CanonicalTextIsAFixedPoint) {
  auto once = readKernelText(kMatmul);
  ASSERT_TRUE(once.isOk());
  auto twice = readKernelText(once->canonical);
  ASSERT_TRUE(twice.isOk()) << twice.status().message();
  EXPECT_EQ(once->canonical, twice->canonical);
  EXPECT_EQ(once->canonical.rfind("// pantile-ir 1\n", 0), 0u);
  EXPECT_NE(once->canonical.find("tensor<?x?xbf16, #tile.dims<@bm, @bk>>"), std::string::npos) << once->canonical;
}

TEST(KernelText, ErrorsSayWhereAndWhat) {
  struct Case {
    const char *text, *says;
  };
  for (auto [text, says] :
       {Case{"", "expected 'tile.kernel'"}, Case{"func.func @f() {}", "expected 'tile.kernel'"}, Case{"tile.kernel f() {}", "name"},
        Case{"tile.kernel @f(%a: !tile.view<?xq7>) {}", "'q7'"}, Case{"tile.kernel @f(%a: f32) {", "never closed"},
        Case{"tile.kernel @f(%a: f32)) {}", "closes nothing"}, Case{"tile.kernel @f() {} tile.kernel @g() {}", "one kernel"},
        Case{"tile.kernel @f(%a: !tile.view<?xf32> {tile.sizes = [\"M\", \"N\"]}) {}", "1 dimensions"},
        Case{"tile.kernel @f(%a: f32 {tile.access = \"steal\"}) {}", "update"}, Case{"tile.kernel @f(\x01) {}", "0x01"}}) {
    auto result = readKernelText(text);
    ASSERT_FALSE(result.isOk()) << text;
    EXPECT_EQ(result.status().code(), PANTILE_INVALID_ARGUMENT);
    EXPECT_NE(result.status().text().find(says), std::string::npos) << text << " -> " << result.status().text();
  }
}

TEST(KernelText, VersionsAreChecked) {
  const std::string kernel = "tile.kernel @f() {}\n";
  for (const char *line : {"", "// pantile-ir 1\n", "\n  // pantile-ir 1  \r\n", "// anything\n"})
    EXPECT_TRUE(readKernelText(line + kernel).isOk()) << line;
  for (const char *line : {"// pantile-ir 2\n", "// pantile-ir \n", "// pantile-ir 1.5\n", "// pantile-ir one\n"}) {
    auto result = readKernelText(line + kernel);
    ASSERT_FALSE(result.isOk()) << line;
    EXPECT_NE(result.status().text().find("version 1"), std::string::npos);
  }
}

TEST(KernelText, DiagnosticsAreToldOfTheSource) {
  auto text = readKernelText(kMatmul);
  ASSERT_TRUE(text.isOk());
  // Every token's place in canonical text leads back to the line that it stood in; names come back as they were.
  auto lineOf = [](std::string_view of, std::string_view part) {
    return 1 + std::count(of.begin(), of.begin() + long(of.find(part)), '\n');
  };
  for (std::string_view part : {"tile.kernel", "tile.dim %", "tile.loop", "tile.load", "tile.reduce", "tile.store"}) {
    const std::string place = std::to_string(lineOf(text->canonical, part)) + ":2: ";
    const std::string expected = std::to_string(lineOf(kMatmul, part)) + ":";
    EXPECT_EQ(text->source.translate(place + "wrong").rfind(expected, 0), 0u) << part << " -> " << text->source.translate(place);
  }
  const std::string line = text->canonical.substr(text->canonical.find("tile.store"), 40);
  EXPECT_EQ(text->source.translate(line).substr(0, 28), "tile.store %v#1, %A[%i, full");
  EXPECT_EQ(text->source.translate("no place, %999 and 100% of it"), "no place, %999 and 100% of it");
  EXPECT_EQ(text->source.translate("999999:1: behind the end\n1:1: before"),
            std::to_string(lineOf(kMatmul, "note = 1") + 2) + ":1: behind the end\n1:1: before");
  EXPECT_EQ(text->source.translate(""), "");
}

TEST(KernelText, DeepNestingAndAliasBombsAreErrors) {
  EXPECT_FALSE(readKernelText("tile.kernel @f() " + std::string(100000, '{')).isOk());
  std::string bomb = "!a0 = tensor<1xf32>\n";
  for (int i = 1; i < 60; ++i)
    bomb += "!a" + std::to_string(i) + " = tuple<!a" + std::to_string(i - 1) + ", !a" + std::to_string(i - 1) + ">\n";
  EXPECT_FALSE(readKernelText(bomb + "tile.kernel @f(%x: !a59) {}").isOk());
}

std::string body(std::string operations) { return "tile.kernel @f(%A: !tile.view<?xf32>) {\n" + operations + "\n}\n"; }

void expectEqual(std::string left, std::string right) {
  auto a = readKernelText(body(left)), b = readKernelText(body(right));
  ASSERT_TRUE(a.isOk()) << left << a.status().message();
  ASSERT_TRUE(b.isOk()) << right << b.status().message();
  EXPECT_EQ(a->canonical, b->canonical);
}

TEST(KernelText, SiblingRegionsHaveNamesOfTheirOwn) {
  expectEqual("tile.parallel %i in %n by 1 { %x = tile.id %i }  tile.parallel %i in %n by 1 { %x = tile.id %i }",
              "tile.parallel %a in %n by 1 { %b = tile.id %a }  tile.parallel %c in %n by 1 { %d = tile.id %c }");
  // A carry's name and the loop's result may be one name: the region ends before the result begins.
  expectEqual("%z = tile.id %A  %s = tile.loop %p in %A by 1 carry(%s = %z) { tile.yield %s }  tile.store %s, %A",
              "%z = tile.id %A  %t = tile.loop %p in %A by 1 carry(%s = %z) { tile.yield %s }  tile.store %t, %A");
  expectEqual("%r = tile.reduce (%A) over 0 { ^bb0(%l: f32, %r2: f32): tile.yield %l }  %q = tile.reduce (%A) over 0 { ^bb0(%l: f32, %r2: "
              "f32): tile.yield %l }",
              "%r = tile.reduce (%A) over 0 { ^one(%a: f32, %b: f32): tile.yield %a }  %q = tile.reduce (%A) over 0 { ^two(%c: f32, %d: "
              "f32): tile.yield %c }");
  // An outer value keeps its meaning within.
  auto text = readKernelText(body("%x = tile.id %A  tile.parallel %i in %x by 1 { tile.store %x, %A }"));
  ASSERT_TRUE(text.isOk());
  EXPECT_NE(text->canonical.find("tile.store %1, %0"), std::string::npos) << text->canonical;
}

TEST(KernelText, ResultsAreNamesOneByOne) {
  expectEqual("%o:2 = tile.split %A  tile.store %o#1, %o#0  tile.store %o, %A",
              "%a, %b = tile.split %A  tile.store %b, %a  tile.store %a, %A");
  expectEqual("%o:2, %p = tile.split %A  tile.store %o#1, %p", "%a, %b, %c = tile.split %A  tile.store %b, %c");
  struct Case {
    const char *text, *says;
  };
  for (auto [text, says] :
       {Case{"%o:2 = tile.split %A  tile.store %o#2, %A", "has 2 results"}, Case{"%o = tile.split %A  tile.store %o#1, %A", "has 1 result"},
        Case{"%o:0 = tile.split %A", "number of results"}, Case{"%o:99999999999999999999999 = tile.split %A", "number of results"},
        Case{"%o = tile.id %A  %o = tile.id %A", "defined once"}, Case{"%A = tile.id %A", "defined once"},
        Case{"%x = tile.id %A  scf.if %x { %x = tile.id %A }", "defined once"}}) {
    auto result = readKernelText(body(text));
    ASSERT_FALSE(result.isOk()) << text;
    EXPECT_NE(result.status().text().find(says), std::string::npos) << text << " -> " << result.status().text();
  }
}

TEST(KernelText, AliasesStayWithinBounds) {
  std::string deep = "!a0 = tensor<1xf32>\n";
  for (int i = 1; i < 300; ++i) deep += fmt::format("!a{} = tuple<!a{}>\n", i, i - 1);
  auto nested = readKernelText(deep + "tile.kernel @f(%x: f32) { tile.id %x : !a299 }");
  ASSERT_FALSE(nested.isOk());
  EXPECT_NE(nested.status().text().find("deeper"), std::string::npos);
  // Many aliases, none of them large by itself.
  std::string wide = "!a0 = tuple<" + std::string(1 << 16, ',') + ">\n";
  for (int i = 1; i < 64; ++i) wide += fmt::format("!a{} = tuple<!a0>\n", i);
  EXPECT_FALSE(readKernelText(wide + "tile.kernel @f(%x: f32) {}").isOk());
  // One long token, many times.
  std::string heavy = "#a = \"" + std::string(1 << 20, 'x') + "\"\ntile.kernel @f(%x: f32) {";
  for (int i = 0; i < 64; ++i) heavy += " tile.id #a";
  EXPECT_FALSE(readKernelText(heavy + "}").isOk());
}

/// Whatever the bytes: a text or an error (sanitizers watch the rest).
TEST(KernelText, MutationsNeverCrash) {
  std::mt19937 random(7);
  std::string seed = kMatmul;
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      size_t at = random() % text.size();
      switch (random() % 3) {
      case 0:
        text[at] = char(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      default:
        text.insert(at, seed.substr(random() % seed.size(), random() % 12));
        break;
      }
    }
    if (auto result = readKernelText(text)) {
      ++accepted;
      auto again = readKernelText(result->canonical);
      ASSERT_TRUE(again.isOk()) << text << "\n" << result->canonical << again.status().message();
      ASSERT_EQ(again->canonical, result->canonical);
    }
  }
  EXPECT_GT(accepted, 100);
}

} // namespace
