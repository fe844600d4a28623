//===- tuner/tests/SpaceTest.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Narrow.h"
#include "tuner/tests/Spaces.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace pantile::tuner {
namespace {

SpaceDescription everyKind() {
  SpaceDescription d;
  d.parameters.push_back(boolean("pack"));
  d.parameters.push_back(choiceOf("map", {"flat", "xyz", "persistent"}, "2"));
  d.parameters.push_back(pow2("bm", 8, 256, "kM 2 /"));
  d.parameters.push_back(ordered("nr", {16, 32, 48, 64}, "40"));
  d.parameters.push_back(integer("threads", 1, 1000, "d.units"));
  d.parameters.push_back(permutation("order", 3));
  return d;
}

TEST(Space, EvaluatesDefaultsForTheSizesAndRoundsThem) {
  Space space = makeSpace(everyKind(), {{"kM", 100}, {"d.units", 4000}});
  Configuration c = space.configuration(*space.defaults());
  EXPECT_EQ(c.integer("bm", 0), 64); // 50 is nearer to 64 than to 32, in octaves
  EXPECT_EQ(c.integer("nr", 0), 32); // 40 is as near to 32 as to 48: the lower
  EXPECT_EQ(c.integer("threads", 0), 1000);
  EXPECT_EQ(c.text("map", ""), "persistent");
  EXPECT_EQ(std::get<std::vector<int64_t>>(*c.find("order")), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(space.size(), 2u * 3 * 6 * 4 * 1000 * 6);
}

TEST(Space, NarrowingLeavesWhatIsSaid) {
  SpaceDescription d = everyKind();
  ASSERT_TRUE(narrow(d, *Configuration::fromText("{pack = 1, map = \"xyz\", bm = [32, 128, 32], threads = 7}")).isOk());
  Space space = makeSpace(d, {{"kM", 100}, {"d.units", 4}});
  EXPECT_EQ(space.size(), 2u * 4 * 6); // bm, nr, order
  EXPECT_EQ(space.configuration(*space.defaults()).toText(), "{bm = 32, map = \"xyz\", nr = 32, order = [0, 1, 2], pack = 1, threads = 7}");
  auto error = [](const char *text) {
    SpaceDescription one = everyKind();
    return narrow(one, *Configuration::fromText(text)).message();
  };
  auto contains = [](const std::string &text, const char *part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(contains(error("{bq = 1}"), "fixed setting 'bq': the kernel's space has no such parameter"));
  EXPECT_TRUE(contains(error("{bm = 7}"), "fixed setting 'bm': 7 is outside its domain"));
  EXPECT_TRUE(contains(error("{map = \"round\"}"), "'round' is none of its values: flat, xyz, persistent"));
  EXPECT_TRUE(contains(error("{map = 1}"), "is one of: flat, xyz, persistent"));
  EXPECT_TRUE(contains(error("{order = [0, 1, 2]}"), "a permutation cannot be narrowed"));
}

TEST(Space, DefaultThatCannotBeEvaluatedIsTheLowest) {
  SpaceDescription d;
  d.parameters.push_back(pow2("bm", 8, 256, "64 kM /"));
  Space space = makeSpace(d, {{"kM", 0}});
  EXPECT_EQ(space.configuration(*space.defaults()).integer("bm", 0), 8);
}

TEST(Space, ConfigurationsAndPointsRoundTrip) {
  Space space = makeSpace(everyKind(), {{"kM", 100}, {"d.units", 8}});
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    Point point = *space.sample(random);
    auto back = space.point(space.configuration(point));
    ASSERT_TRUE(back.isOk()) << back.status().message();
    EXPECT_EQ(*back, point);
    auto parsed = Configuration::fromText(space.configuration(point).toText());
    ASSERT_TRUE(parsed.isOk());
    EXPECT_EQ(*space.point(*parsed), point);
  }
}

TEST(Space, StrictPointNamesWhatIsWrong) {
  Space space = makeSpace(everyKind(), {{"kM", 100}, {"d.units", 8}});
  auto failure = [&](const char *text) {
    auto configuration = Configuration::fromText(text);
    EXPECT_TRUE(configuration.isOk()) << text;
    auto point = space.point(*configuration);
    EXPECT_FALSE(point.isOk()) << text;
    return point.isOk() ? std::string() : point.status().message();
  };
  EXPECT_NE(failure("{bq = 1}").find("no parameter 'bq'"), std::string::npos);
  EXPECT_NE(failure("{bq = 1}").find("pack, map, bm"), std::string::npos);
  EXPECT_NE(failure("{bm = 48}").find("a power of two from 8 to 256"), std::string::npos);
  EXPECT_NE(failure("{map = \"zyx\"}").find("\"flat\", \"xyz\", \"persistent\""), std::string::npos);
  EXPECT_NE(failure("{map = 1}").find("one of"), std::string::npos);
  EXPECT_NE(failure("{order = [0, 0, 1]}").find("a permutation of 0 to 2"), std::string::npos);
  EXPECT_NE(failure("{nr = 17}").find("16, 32, 48, 64"), std::string::npos);
  EXPECT_NE(failure("{threads = 0}").find("an integer from 1 to 1000"), std::string::npos);
  EXPECT_NE(failure("{pack = 2}").find("0 or 1"), std::string::npos);
}

TEST(Space, NearestAcceptsWhatAnotherSpaceHad) {
  Space space = makeSpace(everyKind(), {{"kM", 100}, {"d.units", 8}});
  Configuration c = space.configuration(
      space.nearest(*Configuration::fromText("{gone = 3, bm = 1024, nr = 50, map = \"old\", threads = -5, order = [1, 0]}")));
  EXPECT_EQ(c.integer("bm", 0), 256);
  EXPECT_EQ(c.integer("nr", 0), 48);
  EXPECT_EQ(c.text("map", ""), "persistent");
  EXPECT_EQ(c.integer("threads", 0), 1);
}

TEST(Space, RejectsIllFormedDescriptions) {
  auto failure = [](ParameterDescription p) {
    SpaceDescription d;
    d.parameters.push_back(std::move(p));
    auto space = Space::create(d, {});
    EXPECT_FALSE(space.isOk());
    return space.isOk() ? std::string() : space.status().message();
  };
  EXPECT_NE(failure(pow2("a", 3, 8, "")).find("parameter 'a'"), std::string::npos);
  EXPECT_NE(failure(pow2("a", 16, 8, "")).find("in this order"), std::string::npos);
  EXPECT_NE(failure(ordered("a", {}, "")).find("at least one value"), std::string::npos);
  EXPECT_NE(failure(ordered("a", {2, 2}, "")).find("ascend"), std::string::npos);
  EXPECT_NE(failure(choiceOf("a", {}, "")).find("label"), std::string::npos);
  EXPECT_NE(failure(choiceOf("a", {"x", "x"}, "")).find("two labels 'x'"), std::string::npos);
  EXPECT_NE(failure(integer("a", INT64_MIN, INT64_MAX, "")).find("too wide"), std::string::npos);
  EXPECT_NE(failure(permutation("a", 0)).find("1 to 20"), std::string::npos);
  EXPECT_NE(failure(pow2("a", 1, 8, "kQ")).find("default of parameter 'a'"), std::string::npos);
  SpaceDescription twice;
  twice.parameters = {boolean("a"), boolean("a")};
  EXPECT_NE(Space::create(twice, {}).status().message().find("two parameters named 'a'"), std::string::npos);
  SpaceDescription unknown;
  unknown.parameters = {boolean("a")};
  unknown.constraints = {{"c.b 1 ==", "b is set"}};
  EXPECT_NE(Space::create(unknown, {}).status().message().find("constraint 'b is set'"), std::string::npos);
}

TEST(Space, InactiveParametersAreTheirDefaults) {
  SpaceDescription d;
  d.parameters = {choiceOf("map", {"flat", "persistent"}, "0"), pow2("multiplier", 1, 16, "4"), boolean("extra")};
  d.parameters[1].activeIf = "c.map 1 ==";
  d.parameters[2].activeIf = "c.multiplier 8 ==";
  Space space = makeSpace(d);
  // multiplier = 8 does not count under "flat"; then extra does not either.
  EXPECT_EQ(space.canonical({0, 3, 1}), (Point{0, 2, 0}));
  EXPECT_EQ(space.canonical({1, 3, 1}), (Point{1, 3, 1}));
  EXPECT_EQ(space.canonical({1, 2, 1}), (Point{1, 2, 0}));
  std::set<Point> seen;
  for (Point p(3, 0);;) {
    seen.insert(space.canonical(p));
    EXPECT_EQ(space.canonical(space.canonical(p)), space.canonical(p));
    if (!space.advance(p)) break;
  }
  EXPECT_EQ(seen.size(), 1u + 5 + 1); // flat; persistent x 5 multipliers, one of them with extra twice
}

TEST(Space, CheckSaysWhichConstraintFails) {
  SpaceDescription d;
  d.parameters = {pow2("bm", 8, 256, "64")};
  d.constraints = {{"c.bm kM <=", "bm is at most M"}, {"kM c.bm % 0 ==", "bm divides M"}, {"1 kZ /", "Z is not 0"}};
  Space space = makeSpace(d, {{"kM", 96}, {"kZ", 1}});
  EXPECT_TRUE(space.check(space.nearest(*Configuration::fromText("{bm = 32}"))).isOk());
  EXPECT_NE(space.check(space.nearest(*Configuration::fromText("{bm = 64}"))).message().find("bm divides M"), std::string::npos);
  EXPECT_NE(space.check(space.nearest(*Configuration::fromText("{bm = 128}"))).message().find("bm is at most M"), std::string::npos);
  Space division = makeSpace(d, {{"kM", 96}, {"kZ", 0}});
  EXPECT_FALSE(division.defaults().has_value());
  EXPECT_FALSE(division.check({2}).isOk());
}

TEST(Space, RepairsWithTheSmallestChange) {
  SpaceDescription d;
  d.parameters = {pow2("bm", 8, 256, "64"), pow2("bn", 8, 256, "64"), pow2("bk", 8, 256, "64"), boolean("pack")};
  d.constraints = {{"c.bm c.bn * 4096 <=", "the accumulator fits"}, {"c.bm c.bk * 2 * c.bn c.bk * 2 * + 16384 <=", "the operands fit"}};
  Space space = makeSpace(d);
  // One step of one parameter is enough.
  auto repaired = space.repair(space.nearest(*Configuration::fromText("{bm = 128, bn = 64, bk = 16, pack = 1}")));
  ASSERT_TRUE(repaired);
  EXPECT_TRUE(space.legal(*repaired));
  Configuration c = space.configuration(*repaired);
  EXPECT_EQ(c.integer("pack", 0), 1);
  EXPECT_EQ(c.integer("bk", 0), 16);
  EXPECT_EQ(c.integer("bm", 0) * c.integer("bn", 0), 4096);
  // From the far corner too.
  EXPECT_TRUE(space.legal(*space.repair({5, 5, 5, 1})));
}

TEST(Space, RepairFindsRareLegalPoints) {
  // A sum that must be exact: no single change helps from most points.
  SpaceDescription d;
  for (const char *name : {"a", "b", "c"}) d.parameters.push_back(integer(name, 0, 31, "31"));
  d.constraints = {{"c.a c.b + c.c + 40 ==", "they add up to 40"}, {"c.a c.b ==", "a is b"}, {"c.c 7 % 0 ==", "7 divides c"}};
  Space space = makeSpace(d);
  EXPECT_TRUE(space.defaults().has_value());
}

TEST(Space, SaysSoWhereNothingIsLegal) {
  SpaceDescription d;
  for (int i = 0; i < 12; ++i) d.parameters.push_back(pow2("p" + std::to_string(i), 1, 1 << 20, "1"));
  d.constraints = {{"c.p0 c.p1 + 0 <", "impossible"}};
  Space space = makeSpace(d);
  EXPECT_FALSE(space.defaults().has_value());
  Random random(0);
  EXPECT_FALSE(space.sample(random).has_value());
}

TEST(Space, NeighboursDependOnTheKind) {
  Space space = makeSpace(everyKind(), {{"kM", 100}, {"d.units", 8}});
  Point at = space.nearest(*Configuration::fromText("{pack = 0, map = \"flat\", bm = 64, nr = 48, threads = 100, order = [0, 1, 2]}"));
  std::map<std::string, std::set<std::string>> changed;
  for (const Point &other : space.neighbours(at, 1))
    for (size_t i = 0; i < at.size(); ++i)
      if (other[i] != at[i]) {
        Configuration one;
        const std::string &name = space.description().parameters[i].name;
        one.set(name, *space.configuration(other).find(name));
        changed[name].insert(one.toText());
      }
  EXPECT_EQ(changed["pack"], (std::set<std::string>{"{pack = 1}"}));
  EXPECT_EQ(changed["map"], (std::set<std::string>{"{map = \"xyz\"}", "{map = \"persistent\"}"}));
  EXPECT_EQ(changed["bm"], (std::set<std::string>{"{bm = 32}", "{bm = 128}"}));
  EXPECT_EQ(changed["nr"], (std::set<std::string>{"{nr = 32}", "{nr = 64}"}));
  EXPECT_EQ(changed["threads"], (std::set<std::string>{"{threads = 99}", "{threads = 101}", "{threads = 50}", "{threads = 200}"}));
  EXPECT_EQ(changed["order"], (std::set<std::string>{"{order = [1, 0, 2]}", "{order = [2, 1, 0]}", "{order = [0, 2, 1]}"}));
}

TEST(Space, EverythingThatSearchReturnsIsLegalAndCanonical) {
  SpaceDescription d = matmulSpace();
  Space space = makeSpace(d, matmulValues(1000, 700, 300));
  Random random(3);
  auto fine = [&](const Point &p) { return space.legal(p) && space.canonical(p) == p; };
  Point a = *space.sample(random), b = *space.sample(random), c = *space.sample(random);
  for (int i = 0; i < 300; ++i) {
    if (auto p = space.sample(random)) EXPECT_TRUE(fine(*p)), c = b, b = a, a = *p;
    if (auto p = space.mutate(a, 0.3, random)) EXPECT_TRUE(fine(*p));
    if (auto p = space.crossover(a, space.differential(a, b, c, 0.7, random), 0.8, random)) EXPECT_TRUE(fine(*p));
    for (const Point &p : space.neighbours(a, 2)) ASSERT_TRUE(fine(p));
    std::vector<float> code;
    space.encode(a, code);
    EXPECT_EQ(code.size(), space.encodedSize());
  }
}

TEST(Space, SamplesAreSpreadEvenly) {
  SpaceDescription d;
  d.parameters = {pow2("a", 1, 8, "1"), pow2("b", 1, 8, "1")};
  d.constraints = {{"c.a c.b <=", "a is at most b"}};
  Space space = makeSpace(d);
  Random random(5);
  std::map<Point, int> counts;
  for (int i = 0; i < 10000; ++i) ++counts[*space.sample(random)];
  EXPECT_EQ(counts.size(), 10u);
  for (auto &[point, count] : counts) EXPECT_NEAR(count, 1000, 200);
}

TEST(Space, WideIntegersAreDrawnByMagnitude) {
  SpaceDescription d;
  d.parameters = {integer("chunk", 0, 1 << 20, "0")};
  Space space = makeSpace(d);
  Random random(2);
  int small = 0, large = 0;
  for (int i = 0; i < 1000; ++i) {
    uint64_t chunk = (*space.sample(random))[0];
    small += chunk < 64;
    large += chunk > 100000;
  }
  EXPECT_GT(small, 150);
  EXPECT_GT(large, 150);
}

TEST(Space, HashFollowsParametersAndConstraints) {
  SpaceDescription a = matmulSpace(), b = a;
  EXPECT_EQ(spaceHash(a), spaceHash(b));
  EXPECT_EQ(spaceHash(a).size(), 16u);
  b.features.clear();
  EXPECT_EQ(spaceHash(a), spaceHash(b));
  b.constraints[0].text = "said otherwise";
  EXPECT_EQ(spaceHash(a), spaceHash(b));
  b.parameters[0].values[1] *= 2;
  EXPECT_NE(spaceHash(a), spaceHash(b));
  b = a;
  b.constraints[0].expression += " 1 *";
  EXPECT_NE(spaceHash(a), spaceHash(b));
}

TEST(CostModel, RanksBySensibleTerms) {
  Space space = makeSpace(matmulSpace(), matmulValues(4096, 4096, 4096));
  CostModel model(space);
  ASSERT_TRUE(model.known());
  auto score = [&](const char *text) { return model.score(space.nearest(*Configuration::fromText(text))); };
  // Too small tiles move too many bytes; too large ones spill.
  EXPECT_LT(score("{bm = 64, bn = 128, bk = 64}"), score("{bm = 16, bn = 16, bk = 64}"));
  auto spilled = model.estimate(space.nearest(*Configuration::fromText("{bm = 256, bn = 256, bk = 64}")));
  ASSERT_TRUE(spilled);
  EXPECT_GT(spilled->pressure, 1);
  Random random(1);
  std::vector<Point> best = model.rank(24, 2000, random);
  ASSERT_GE(best.size(), 8u); // distinct to the model: what it does not see is at its defaults
  std::vector<double> scores;
  for (const Point &p : best) {
    EXPECT_TRUE(space.legal(p));
    scores.push_back(model.score(p));
  }
  double sampled = 0;
  for (int i = 0; i < 100; ++i) sampled += model.score(*space.sample(random)) / 100;
  EXPECT_LT(scores.front(), 0.7 * sampled);
  EXPECT_EQ(std::set<Point>(best.begin(), best.end()).size(), best.size());
}

TEST(CostModel, KnowsWhatItDoesNotKnow) {
  SpaceDescription d = matmulSpace();
  d.features.clear();
  Space space = makeSpace(d, matmulValues(64, 64, 64));
  CostModel model(space);
  Random random(0);
  EXPECT_FALSE(model.known());
  EXPECT_FALSE(model.estimate(*space.defaults()));
  EXPECT_TRUE(model.rank(10, 100, random).empty());
}

TEST(Random, IsTheSameEverywhere) {
  Random random(42);
  uint64_t first = random.next();
  EXPECT_EQ(first, 0x15780b2e0c2ec716u); // of the published reference
  Random a(7), b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.below(1000), b.below(1000));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(a.below(3), 3u);
    double u = a.uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
  }
}

} // namespace
} // namespace pantile::tuner
