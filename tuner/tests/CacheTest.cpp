//===- tuner/tests/CacheTest.cpp - entries, files, lookups ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Transfer.h"
#include "tuner/tests/Entries.h"
#include "tuner/tests/Spaces.h"
#include "tuner/tests/TemporaryFolder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace pantile::tuner {
namespace {

//===--- Text ------------------------------------------------------------===//

TEST(CacheText, ReadsTheSchemaOfTheNotes) {
  auto file = parseCacheFile(R"(
schema = 1
[hardware]  # any facts
key = "emulated-a1"
units = 132
name = "A1"
[kernel]
name = "gemm_bias"
sig = "b71e00000000"
space = "44d0"
codegen_abi = 7
[[entry]]
shape = {M=4096, N=4096, K=4096}
bucket = "m12n12k12"
align = 16
regime = "cold"
config = {bm=128, bn=256, fast=true, map="flat", order=[1,0]}
time = {med_us=163.2, lo=162.7, hi=163.9, n=120, baseline_us=171}
alt = [{config={bm=128, bn=128}, ratio=1.012}]
prov = {mode="thorough", strategy="model_rf", evals=58, seconds=31.4, tool="0.1.0", compiler="x 13.1", driver="590.12", gpu="G", date=2026-09-10T10:11:12Z, verified=true}
)");
  ASSERT_TRUE(file.isOk()) << file.status().message();
  EXPECT_EQ(file->hardware, "emulated-a1");
  EXPECT_EQ(std::get<int64_t>(file->hardwareFacts.at("units")), 132);
  ASSERT_EQ(file->entries.size(), 1u);
  const CacheEntry &e = file->entries[0];
  EXPECT_EQ(e.shape.at("K"), 4096);
  EXPECT_EQ(e.configuration.toText(), "{bm = 128, bn = 256, fast = 1, map = \"flat\", order = [1, 0]}");
  EXPECT_EQ(e.time.baseline, 171);
  EXPECT_EQ(e.alternatives.at(0).ratio, 1.012);
  EXPECT_EQ(e.provenance.space, "44d0");
  EXPECT_EQ(e.provenance.codegenABI, 7);
  EXPECT_EQ(e.provenance.date, "2026-09-10T10:11:12Z");
  EXPECT_TRUE(e.provenance.verified);
  auto again = parseCacheFile(printCacheFile(*file));
  ASSERT_TRUE(again.isOk()) << again.status().message();
  EXPECT_EQ(*again, *file);
}

TEST(CacheText, RejectsWhatIsNotOne) {
  const std::string head = "schema = 1\n[hardware]\nkey = \"h\"\n[kernel]\nname = \"k\"\nsig = \"abcdefabcdef\"\n";
  auto failure = [](const std::string &text) {
    auto file = parseCacheFile(text);
    EXPECT_FALSE(file.isOk()) << text.substr(0, 200);
    if (!file.isOk()) EXPECT_EQ(file.status().code(), PANTILE_DATA_ERROR);
    return file.isOk() ? std::string() : file.status().text();
  };
  ASSERT_TRUE(parseCacheFile(head).isOk());
  EXPECT_NE(failure("").find("schema"), std::string::npos);
  EXPECT_NE(failure("schema = 2").find("newer"), std::string::npos);
  EXPECT_NE(failure("schema = 1").find("'hardware' is missing"), std::string::npos);
  EXPECT_NE(failure("schema = = 1").find("line 1"), std::string::npos);
  EXPECT_NE(failure(head + "[[entry]]\nshape = {M = -1}\nconfig = {}").find("line 8"), std::string::npos);
  EXPECT_NE(failure(head + "[[entry]]\nshape = {M = 1}").find("'config' is missing"), std::string::npos);
  failure(head + "[[entry]]\nshape = {M = 1.5}\nconfig = {}");
  failure(head + "[[entry]]\nshape = 3\nconfig = {}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {a = 1.5}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {a = {b = 1}}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {a = [1, \"x\"]}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\ntime = {med_us = nan}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\ntime = {med_us = inf}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\ntime = {med_us = -1.0}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\ntime = {n = \"many\"}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\nalt = 3");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\nprov = {verified = 1}");
  failure("[.a]\n" + head); // toml++ 3.3 asserts on it
  failure("entry = 3\n" + head);
  failure("entry = [1]\n" + head);
  failure(head + "[[entry]]\nshape = {}\nconfig = {a = \"" + std::string(5000, 'x') + "\"}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {" + std::string(500, 'x') + " = 1}");
  failure(head + "[[entry]]\nshape = {}\nconfig = {}\nalign = 99999999999999999999");
}

TEST(CacheText, HostileDepthAndSizeAreRefusedBeforeParsing) {
  std::string dots = "a";
  for (int i = 0; i < 200000; ++i) dots += ".a";
  for (const std::string &text : {dots + " = 1", "[" + dots + "]", std::string(100000, '['), "x = " + std::string(100000, '['),
                                  "x = " + std::string(50000, '{'), "x = '''\n'''\n" + dots + " = 1", "x = \"\\\"\" # \"\n" + dots + " = 1",
                                  "x = \"\"\"a\\\"\"\"\"\n" + dots + " = 1", "x = \"\"\"\"\"\"\n" + dots + "= 1"}) {
    auto file = parseCacheFile(text);
    ASSERT_FALSE(file.isOk());
    EXPECT_NE(file.status().text().find("nested too deeply"), std::string::npos) << text.substr(0, 40);
  }
  EXPECT_NE(parseCacheFile(std::string(kMaxCacheFileBytes + 1, ' ')).status().text().find("at most 8 MiB"), std::string::npos);
  // Dots and brackets in strings and comments are none.
  EXPECT_TRUE(parseCacheFile("# " + dots + "\nschema = 1\n[hardware]\nkey = \"" + std::string(60, '.') + std::string(60, '[') +
                             "\"\n[kernel]\nname = '''" + std::string(60, '.') + "'''\nsig = \"abcdefabcdef\"\n")
                  .isOk());
}

TEST(CacheText, TextsSurviveWhateverTheyHold) {
  CacheFile file{"h", {{"odd \"key\"\n", std::string("a\x01\\\"\t\x7f")}}, "k", "abcdefabcdef", {}};
  CacheEntry entry = makeEntry({{"M", 1}}, "{bm = 8}", 5);
  entry.configuration.set("weird.key = \"", std::string("\xf0\x9f\x98\x80 ok"));
  entry.provenance.device = "naïve";
  entry.provenance.date = "2026-02-31T99:99:99Z"; // no date: a text
  file.entries = {entry};
  auto back = parseCacheFile(printCacheFile(file));
  ASSERT_TRUE(back.isOk()) << back.status().message() << printCacheFile(file);
  EXPECT_EQ(*back, file);
  // Bytes that are no UTF-8 do not make a file that cannot be read.
  for (const char *bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf5\x80\x80\x80", "\xe0\x80\x80"}) {
    file.entries[0].provenance.device = bad;
    EXPECT_TRUE(parseCacheFile(printCacheFile(file)).isOk());
  }
}

TEST(CacheText, AFileOfManyEntriesIsReadInTime) {
  CacheFile file{"h", {}, "k", "abcdefabcdef", {}};
  for (int i = 0; i < 2000; ++i)
    file.entries.push_back(makeEntry({{"M", i}, {"N", i * 7}, {"K", 64}}, "{bm = 64, bn = 64, warps = 4}", 10 + i));
  file = *mergeCacheFiles(file, file);
  auto back = parseCacheFile(printCacheFile(file));
  ASSERT_TRUE(back.isOk());
  EXPECT_EQ(*back, file);
}

TEST(CacheText, MutantsAreReadOrRefused) {
  CacheFile file{"h", {{"units", int64_t(3)}}, "k", "abcdefabcdef", {}};
  for (int i = 0; i < 3; ++i) {
    CacheEntry e = makeEntry({{"M", i}}, "{bm = 8, order = [1, 0], map = \"flat\"}", 5 + i);
    e.alternatives.push_back({e.configuration, 1.01});
    e.provenance.date = "2026-09-10T10:11:12Z";
    file.entries.push_back(e);
  }
  std::string whole = printCacheFile(file);
  constexpr std::string_view pieces[] = {"[",  "]", "{",  "}", "\"", "'",  "\"\"\"", "'''",  "=",           ",",     ".",
                                         "\n", "#", "\\", "-", "e9", "0x", "nan",    "\xff", "[[entry]]\n", "schema"};
  Random random(1);
  unsigned read = 0;
  const char *more = ::getenv("PANTILE_MUTANTS"); // for a longer run by hand
  for (int i = 0, count = more ? std::atoi(more) : 5000; i < count; ++i) {
    std::string text = whole;
    for (uint64_t n = 1 + random.below(3); n > 0; --n) {
      size_t at = random.below(text.size());
      if (random.chance(0.4))
        text[at] = char(random.below(256));
      else if (random.chance(0.5))
        text.insert(at, pieces[random.below(std::size(pieces))]);
      else
        text.erase(at, random.below(40));
    }
    auto parsed = parseCacheFile(text);
    if (!parsed) continue;
    ++read;
    auto again = parseCacheFile(printCacheFile(*parsed));
    ASSERT_TRUE(again.isOk()) << again.status().message() << "\n" << text;
    ASSERT_EQ(*again, *parsed) << text;
  }
  EXPECT_GT(read, 100u);
}

//===--- Merging ---------------------------------------------------------===//

/// Files over a small universe, so that entries collide.
CacheFile arbitraryFile() {
  CacheFile file{"h", {}, *rc::gen::element(std::string("k"), std::string("kk")), "abcdefabcdef", {}};
  if (*rc::gen::arbitrary<bool>()) file.hardwareFacts["units"] = int64_t(*rc::gen::inRange(0, 3));
  int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    CacheEntry e = makeEntry({{"M", *rc::gen::inRange(0, 3)}}, *rc::gen::element(std::string("{bm = 8}"), std::string("{bm = 16}")),
                             0.5 * *rc::gen::inRange(0, 5) + 0.005 * *rc::gen::inRange(0, 4));
    e.time.samples = *rc::gen::inRange(0, 3);
    e.provenance.verified = *rc::gen::arbitrary<bool>();
    e.provenance.codegenABI = *rc::gen::inRange(0, 2);
    e.regime = *rc::gen::element(std::string(), std::string("cold"));
    file.entries.push_back(e);
  }
  return *mergeCacheFiles({"h", file.hardwareFacts, file.kernel, file.signature, {}}, file);
}

RC_GTEST_PROP(CacheMerge, IsCommutative, ()) {
  CacheFile a = arbitraryFile(), b = arbitraryFile();
  RC_ASSERT(*mergeCacheFiles(a, b) == *mergeCacheFiles(b, a));
}
RC_GTEST_PROP(CacheMerge, IsAssociative, ()) {
  CacheFile a = arbitraryFile(), b = arbitraryFile(), c = arbitraryFile();
  RC_ASSERT(*mergeCacheFiles(*mergeCacheFiles(a, b), c) == *mergeCacheFiles(a, *mergeCacheFiles(b, c)));
}
RC_GTEST_PROP(CacheMerge, IsIdempotent, ()) {
  CacheFile a = arbitraryFile(), b = arbitraryFile();
  RC_ASSERT(*mergeCacheFiles(a, a) == a);
  CacheFile both = *mergeCacheFiles(a, b);
  RC_ASSERT(*mergeCacheFiles(both, b) == both);
}
RC_GTEST_PROP(CacheMerge, LosesNoCall, ()) {
  CacheFile a = arbitraryFile(), b = arbitraryFile();
  CacheFile both = *mergeCacheFiles(a, b);
  for (const CacheFile *file : {&a, &b})
    for (const CacheEntry &e : file->entries)
      RC_ASSERT(std::any_of(both.entries.begin(), both.entries.end(), [&](const CacheEntry &other) {
        return other.identity() == e.identity() && (other == e || preferred(other, e));
      }));
}
RC_GTEST_PROP(CacheMerge, SurvivesText, ()) {
  CacheFile a = arbitraryFile();
  auto back = parseCacheFile(printCacheFile(a));
  RC_ASSERT(back.isOk());
  RC_ASSERT(*back == a);
}

TEST(CacheMerge, PrefersAsDocumented) {
  CacheEntry slow = makeEntry({{"M", 1}}, "{bm = 8}", 10), fast = makeEntry({{"M", 1}}, "{bm = 16}", 8);
  EXPECT_TRUE(preferred(fast, slow));
  slow.provenance.verified = true;
  EXPECT_TRUE(preferred(slow, fast));
  CacheEntry few = makeEntry({{"M", 1}}, "{bm = 8}", 10.00), many = makeEntry({{"M", 1}}, "{bm = 8}", 10.01);
  many.time.samples = 100;
  EXPECT_TRUE(preferred(many, few));
  CacheEntry unmeasured = makeEntry({{"M", 1}}, "{bm = 8}", 0);
  EXPECT_TRUE(preferred(few, unmeasured));
}

TEST(CacheMerge, RefusesOtherHardwareAndKernels) {
  CacheFile a{"h", {}, "k", "abcdefabcdef", {}}, b = a;
  b.hardware = "g";
  EXPECT_NE(mergeCacheFiles(a, b).status().text().find("hardware differs"), std::string::npos);
  b = a;
  b.signature = "fedcba987654";
  EXPECT_NE(mergeCacheFiles(a, b).status().text().find("signatures differ"), std::string::npos);
}

//===--- Lookups ---------------------------------------------------------===//

struct Cached : testing::Test {
  TemporaryFolder folder;
  std::vector<std::string> warnings;
  CacheOptions options;
  CacheKey key = makeKey("gemm", 1);
  Cached() {
    options.user = folder.path() + "/user/pantile";
    options.warn = [this](const std::string &text) { warnings.push_back(text); };
  }
  CacheQuery query(int64_t m, int64_t n) {
    CacheQuery q;
    q.shape = {{"M", m}, {"N", n}};
    return q;
  }
};

TEST_F(Cached, StoresAndFinds) {
  EXPECT_EQ(ConfigurationCache::relativePath(key), "v1/emulated-a1/gemm-000000000001.toml");
  {
    ConfigurationCache cache(options);
    EXPECT_TRUE(cache.lookup(key, query(64, 64)).empty());
    ASSERT_TRUE(cache.store(key, makeEntry({{"M", 64}, {"N", 64}}, "{bm = 32}", 5)).isOk());
    ASSERT_EQ(cache.lookup(key, query(64, 64)).size(), 1u);
  }
  ConfigurationCache other(options);
  auto found = other.lookup(key, query(64, 64));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].exact);
  EXPECT_TRUE(found[0].stale.empty());
  EXPECT_EQ(found[0].entry.configuration.integer("bm", 0), 32);
  EXPECT_EQ(found[0].origin, options.user + "/v1/emulated-a1/gemm-000000000001.toml");
  EXPECT_TRUE(warnings.empty());
  // Another key, of the same 12 digits, does not get it.
  CacheKey twin = key;
  twin.tuningKey += "ff";
  EXPECT_TRUE(other.lookup(twin, query(64, 64)).empty());
}

TEST_F(Cached, SeesWhatAnotherProcessWrote) {
  ConfigurationCache reader(options), writer(options);
  EXPECT_TRUE(reader.lookup(key, query(1, 1)).empty());
  for (int i = 1; i < 5; ++i) {
    ASSERT_TRUE(writer.store(key, makeEntry({{"M", i}, {"N", 1}}, "{bm = 32}", 5)).isOk());
    EXPECT_EQ(reader.lookup(key, query(1, 1)).size(), size_t(i));
  }
}

TEST_F(Cached, NearestShapesComeByDistance) {
  ConfigurationCache cache(options);
  for (int64_t m : {64, 128, 1024, 100000}) ASSERT_TRUE(cache.store(key, makeEntry({{"M", m}, {"N", 64}}, "{bm = 32}", double(m))).isOk());
  auto found = cache.lookup(key, query(100, 64));
  ASSERT_EQ(found.size(), 2u); // 1024 is more than two octaves away
  EXPECT_EQ(found[0].entry.shape.at("M"), 128);
  EXPECT_EQ(found[1].entry.shape.at("M"), 64);
  EXPECT_FALSE(found[0].exact);
  EXPECT_LT(found[0].distance, found[1].distance);
  CacheQuery one = query(100, 64);
  one.neighbours = 1;
  EXPECT_EQ(cache.lookup(key, one).size(), 1u);
  CacheQuery aligned = query(100, 64);
  aligned.align = 16;
  EXPECT_TRUE(cache.lookup(key, aligned).empty()) << "another alignment class";
  CacheQuery renamed;
  renamed.shape = {{"M", 100}, {"Z", 64}};
  EXPECT_TRUE(cache.lookup(key, renamed).empty());
  EXPECT_EQ(cache.lookup(key, query(0, 0)).size(), 0u);
}

TEST_F(Cached, StalenessSaysWhatDiffers) {
  ConfigurationCache cache(options);
  CacheEntry entry = makeEntry({{"M", 64}, {"N", 64}}, "{bm = 32}", 5);
  entry.provenance.space = "aaaa";
  entry.provenance.codegenABI = 3;
  entry.provenance.compiler = "cc 1";
  ASSERT_TRUE(cache.store(key, entry).isOk());
  CacheQuery q = query(64, 64);
  q.space = "aaaa", q.codegenABI = 3, q.compiler = "cc 1";
  EXPECT_EQ(cache.lookup(key, q)[0].stale, "");
  q.compiler = "cc 2";
  EXPECT_EQ(cache.lookup(key, q)[0].stale, "tuned with compiler 'cc 1', this is 'cc 2'");
  q.space = "bbbb";
  EXPECT_EQ(cache.lookup(key, q)[0].stale, "tuned in space aaaa, this is bbbb");
  q.codegenABI = 4;
  EXPECT_EQ(cache.lookup(key, q)[0].stale, "tuned for code generation 3, this is 4");
  // Tuned again, slower: the fresh one is found, however fast the stale one was.
  entry.provenance.space = "bbbb", entry.provenance.codegenABI = 4, entry.provenance.compiler = "cc 2";
  entry.configuration = *Configuration::fromText("{bm = 16}");
  entry.time.median = 7;
  ASSERT_TRUE(cache.store(key, entry).isOk());
  auto found = cache.lookup(key, q);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].stale, "");
  EXPECT_EQ(found[0].entry.configuration.integer("bm", 0), 16);
  // Many builds later the file has not grown without bound.
  for (int i = 5; i < 30; ++i) {
    entry.provenance.codegenABI = i;
    entry.provenance.date = "2026-01-" + std::to_string(10 + i % 20) + "T00:00:00Z";
    ASSERT_TRUE(cache.store(key, entry).isOk());
  }
  EXPECT_LE(cache.lookup(key, q).size(), 4u);
}

TEST_F(Cached, RootsAreSearchedInOrder) {
  auto fill = [&](const std::string &root, int bm) {
    CacheOptions own;
    own.user = root;
    ConfigurationCache cache(own);
    ASSERT_TRUE(cache.store(key, makeEntry({{"M", 64}, {"N", 64}}, "{bm = " + std::to_string(bm) + "}", 5)).isOk());
  };
  fill(folder.path() + "/system", 64);
  options.builtIn = {printCacheFile({key.hardware, {}, key.kernel, key.tuningKey, {makeEntry({{"M", 64}, {"N", 64}}, "{bm = 128}", 5)}})};
  options.system = {folder.path() + "/system"};
  options.named = {folder.path() + "/project", folder.path() + "/missing"};
  auto first = [&] { return ConfigurationCache(options).lookup(key, query(64, 64)).at(0); };
  EXPECT_EQ(first().entry.configuration.integer("bm", 0), 64);
  fill(options.user, 32);
  EXPECT_EQ(first().entry.configuration.integer("bm", 0), 32);
  fill(folder.path() + "/project", 16);
  EXPECT_EQ(first().entry.configuration.integer("bm", 0), 16);
  EXPECT_EQ(ConfigurationCache(options).lookup(key, query(64, 64)).size(), 4u);
  EXPECT_EQ(ConfigurationCache(options).lookup(key, query(64, 64)).back().origin, "built in");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Cached, ListShowAndMerge) {
  ConfigurationCache cache(options);
  ASSERT_TRUE(cache.store(key, makeEntry({{"M", 64}, {"N", 64}}, "{bm = 32}", 5)).isOk());
  ASSERT_TRUE(cache.store(makeKey("softmax", 2), makeEntry({{"M", 64}}, "{rows = 2}", 5)).isOk());
  auto list = cache.list();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].kernel, "gemm");
  EXPECT_EQ(list[0].entries, 1u);
  EXPECT_TRUE(list[0].problem.empty());
  EXPECT_GT(list[0].bytes, 100u);
  EXPECT_NE(cache.show("softmax")->find("rows = 2"), std::string::npos);
  EXPECT_EQ(cache.show("softmax")->find("bm = 32"), std::string::npos);
  EXPECT_NE(cache.show("000000000001")->find("bm = 32"), std::string::npos);
  EXPECT_EQ(cache.show("conv").status().code(), PANTILE_NOT_FOUND);

  CacheOptions another;
  another.user = folder.path() + "/another";
  ConfigurationCache target(another);
  ASSERT_TRUE(target.store(key, makeEntry({{"M", 64}, {"N", 64}}, "{bm = 64}", 9)).isOk());
  auto report = target.merge(options.user);
  ASSERT_TRUE(report.isOk()) << report.status().message();
  EXPECT_EQ(report->files, 2u);
  EXPECT_EQ(report->added, 1u);
  EXPECT_EQ(report->replaced, 1u);
  EXPECT_EQ(target.lookup(key, query(64, 64))[0].entry.configuration.integer("bm", 0), 32);
  auto again = target.merge(options.user);
  EXPECT_EQ(again->kept, 2u);
  EXPECT_EQ(again->added + again->replaced, 0u);
  // One damaged file does not keep the others out.
  writeFile(options.user + "/v1/emulated-a1/gemm-000000000001.toml", "schema = ");
  auto partly = target.merge(options.user);
  ASSERT_TRUE(partly.isOk());
  EXPECT_EQ(partly->files, 1u);
  ASSERT_EQ(partly->problems.size(), 1u);
  EXPECT_NE(partly->problems[0].find("line 1"), std::string::npos);
  EXPECT_EQ(target.merge(folder.path() + "/nowhere").status().code(), PANTILE_NOT_FOUND);
  EXPECT_EQ(target.merge(options.user + "/v1/emulated-a1/softmax-000000000002.toml")->files, 1u);
}

TEST_F(Cached, NamesCannotLeaveTheFolder) {
  CacheKey hostile;
  hostile.hardware = "../../etc";
  hostile.kernel = "a/b\n.toml";
  hostile.tuningKey = "../../../../passwd";
  std::string path = ConfigurationCache::relativePath(hostile);
  EXPECT_EQ(std::count(path.begin(), path.end(), '/'), 2);
  EXPECT_EQ(path.find(".."), std::string::npos) << path;
  CacheKey other = hostile;
  other.kernel = "a/b_.toml";
  EXPECT_NE(ConfigurationCache::relativePath(other), path);
  ConfigurationCache cache(options);
  ASSERT_TRUE(cache.store(hostile, makeEntry({{"M", 1}, {"N", 1}}, "{bm = 8}", 1)).isOk());
  EXPECT_EQ(cache.lookup(hostile, query(1, 1)).size(), 1u);
}

//===--- Transfer --------------------------------------------------------===//

struct Transfers : Cached {
  Space space = makeSpace(matmulSpace(), matmulValues(1000, 1000, 1000));
  CostModel model{space};
  CacheMatch match(const std::string &configuration, bool exact, double distance, std::string stale = "") {
    return {makeEntry({{"M", 1}}, configuration, 5), exact, distance, std::move(stale), "file"};
  }
};

TEST_F(Transfers, ExactThenNeighbourThenDefault) {
  auto none = choose({}, space, &model);
  ASSERT_TRUE(none.isOk());
  EXPECT_EQ(none->source, ChoiceSource::Default);
  EXPECT_EQ(none->configuration, space.configuration(*space.defaults()));
  Configuration good =
      space.configuration(*space.repair(space.nearest(*Configuration::fromText("{bm = 128, bn = 128, bk = 64, warps = 8}"))));
  auto exact = choose({match(good.toText(), true, 0)}, space, &model);
  EXPECT_EQ(exact->source, ChoiceSource::Tuned);
  EXPECT_EQ(exact->configuration, good);
  auto stale = choose({match(good.toText(), true, 0, "tuned in space a, this is b")}, space, &model);
  EXPECT_EQ(stale->source, ChoiceSource::Stale);
  EXPECT_EQ(stale->stale, "tuned in space a, this is b");
  // Fresh by its stamps, but its values are none of this space: not trusted as exact.
  auto changed = choose({match("{bm = 77, bn = 64}", true, 0)}, space, &model);
  EXPECT_EQ(changed->source, ChoiceSource::Stale);
  EXPECT_TRUE(space.legal(*space.point(changed->configuration)));
  auto near = choose({match(good.toText(), false, 0.5)}, space, &model);
  EXPECT_EQ(near->source, ChoiceSource::Neighbour);
  EXPECT_EQ(near->configuration, good);
  EXPECT_EQ(near->origin, "file");
}

TEST_F(Transfers, NeighboursAreRepairedAndRankedHere) {
  // Not legal: three operands of this size do not fit. It is repaired.
  auto repaired = choose({match("{bm = 256, bn = 128, bk = 128, stages = 6, warps = 8}", false, 1)}, space, nullptr);
  ASSERT_TRUE(repaired.isOk());
  EXPECT_EQ(repaired->source, ChoiceSource::Neighbour);
  EXPECT_TRUE(space.legal(*space.point(repaired->configuration)));
  // The nearer one is bad at this shape, by the model: the farther one is taken.
  auto ranked =
      choose({match("{bm = 16, bn = 16, bk = 16, warps = 1}", false, 0.1), match("{bm = 128, bn = 128, bk = 64, warps = 8}", false, 0.5)},
             space, &model);
  EXPECT_EQ(ranked->configuration.integer("bm", 0), 128);
  EXPECT_EQ(ranked->seeds.size(), 2u);
  // One that the model thinks far worse than the defaults is not used, only kept as a seed.
  auto refused = choose({match("{bm = 16, bn = 16, bk = 16, warps = 1}", false, 0.1)}, space, &model);
  EXPECT_EQ(refused->source, ChoiceSource::Default);
  EXPECT_EQ(refused->seeds.size(), 1u);
}

} // namespace
} // namespace pantile::tuner
