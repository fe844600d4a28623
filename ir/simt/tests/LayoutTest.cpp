//===- ir/simt/tests/LayoutTest.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/Layout.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

using namespace pantile::simt;

namespace {

using Place = std::vector<int64_t>;
Place of(const Coordinates &at) { return Place(at.begin(), at.end()); }

Atom accumulator() { return Atom::of({"mn", "n1 m8", "n2 n4 m1 m2 m4", ""}); }

/// How often each element of a shape is held.
std::map<Place, int> holders(const Layout &layout, llvm::ArrayRef<int64_t> shape) {
  std::map<Place, int> count;
  for (unsigned w = 0; w < layout.warps(); ++w)
    for (unsigned l = 0; l < layout.lanes(); ++l)
      for (unsigned r = 0; r < layout.registers(); ++r) {
        Coordinates at = layout.at(r, l, w);
        bool inside = true;
        for (size_t d = 0; d < shape.size(); ++d) inside &= at[d] < shape[d];
        if (inside) ++count[of(at)];
      }
  return count;
}

int64_t product(llvm::ArrayRef<int64_t> shape) {
  int64_t result = 1;
  for (int64_t extent : shape) result *= extent;
  return result;
}

TEST(Layout, HeaderExample) {
  Layout atom(accumulator(), {});
  EXPECT_EQ(of(atom.ofRegister(3)), (Place{8, 1}));
  EXPECT_EQ(of(atom.ofLane(5)), (Place{1, 2}));
  EXPECT_EQ(of(atom.at(3, 5, 0)), (Place{9, 3}));
  EXPECT_EQ(of(accumulator().box()), (Place{16, 8}));
}

TEST(Layout, RepeatsCoverExtentsThatAreNoPowersOfTwo) {
  Layout layout(accumulator(),
                {{Repeat::Warp, 0, 2, 16}, {Repeat::Warp, 1, 2, 8}, {Repeat::Register, 0, 3, 32}, {Repeat::Register, 1, 11, 16}});
  EXPECT_EQ(layout.registers(), 4u * 33);
  EXPECT_EQ(layout.warps(), 4u);
  EXPECT_EQ(of(layout.covered()), (Place{96, 176}));
  auto count = holders(layout, {96, 176});
  EXPECT_EQ(count.size(), 96u * 176);
  for (auto &[at, times] : count) EXPECT_EQ(times, 1);
}

TEST(Layout, BlockedHoldsEveryElement) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    size_t rank = 1 + random() % 3;
    llvm::SmallVector<int64_t, 4> shape;
    for (size_t d = 0; d < rank; ++d) shape.push_back(1 + int64_t(random() % (rank == 1 ? 700 : rank == 2 ? 60 : 12)));
    if (random() % 2) shape[random() % rank] = std::array<int64_t, 4>{96, 176, 192, 24}[random() % 4];
    llvm::SmallVector<unsigned, 4> order;
    for (unsigned d = 0; d < rank; ++d) order.push_back(d);
    std::shuffle(order.begin(), order.end(), random);
    unsigned vector = 1u << random() % 4, lanes = random() % 2 ? 32 : 64, warps = std::array<unsigned, 5>{1, 2, 3, 4, 8}[random() % 5];
    Layout layout = blockedLayout(shape, order, vector, lanes, warps);
    EXPECT_EQ(layout.lanes(), lanes);
    EXPECT_EQ(layout.warps(), warps);
    auto count = holders(layout, shape);
    EXPECT_EQ(int64_t(count.size()), product(shape)) << layout.toText();
    if (layout.isInjective())
      for (auto &[at, times] : count) EXPECT_EQ(times, 1) << layout.toText();
    // Vectors are what they say.
    unsigned run = layout.contiguous(order[0]);
    for (unsigned l = 0; l < lanes; ++l)
      for (unsigned r = 0; r < layout.registers(); ++r) {
        Coordinates at = layout.at(r, l, warps - 1), first = layout.at(r / run * run, l, warps - 1);
        EXPECT_EQ(first[order[0]] % run, 0);
        EXPECT_EQ(at[order[0]], first[order[0]] + r % run);
      }
  }
}

TEST(Layout, SlicesKeepTheOtherDimensions) {
  Layout layout(accumulator(),
                {{Repeat::Warp, 1, 2, 8}, {Repeat::Warp, 0, 2, 16}, {Repeat::Register, 1, 3, 16}, {Repeat::Register, 0, 2, 32}});
  Layout rows = layout.sliced({1});
  EXPECT_EQ(rows.registers(), 4u); // m8, two repeats of m
  EXPECT_FALSE(rows.isInjective());
  for (unsigned w = 0; w < 4; ++w)
    for (unsigned l = 0; l < 32; ++l) {
      std::set<int64_t> whole, sliced;
      for (unsigned r = 0; r < layout.registers(); ++r) whole.insert(layout.at(r, l, w)[0]);
      for (unsigned r = 0; r < rows.registers(); ++r) sliced.insert(rows.at(r, l, w)[0]);
      EXPECT_EQ(whole, sliced);
    }
  Layout swapped = layout.permuted({1, 0});
  for (unsigned r = 0; r < layout.registers(); ++r) EXPECT_EQ(layout.at(r, 7, 3)[0], swapped.at(r, 7, 3)[1]);
  EXPECT_EQ(of(layout.expanded(0).at(5, 3, 1)), (Place{0, layout.at(5, 3, 1)[0], layout.at(5, 3, 1)[1]}));
}

TEST(Layout, AccumulatorsBecomeLeftOperandsInTheThread) {
  // m16n8 accumulators side by side are m16k16 operands: what attention does with probabilities.
  Layout acc(accumulator(), {{Repeat::Warp, 0, 4, 16}, {Repeat::Register, 1, 8, 8}});
  Layout lhs(Atom::of({"mk", "k1 m8 k8", "k2 k4 m1 m2 m4", ""}), {{Repeat::Warp, 0, 4, 16}, {Repeat::Register, 1, 4, 16}});
  auto map = registerMap(acc, lhs, {64, 64});
  ASSERT_TRUE(map);
  for (unsigned r = 0; r < lhs.registers(); ++r)
    for (unsigned l : {0u, 5u, 31u}) EXPECT_EQ(of(lhs.at(r, l, 2)), of(acc.at((*map)[r], l, 2)));
  // Another split of warps needs a conversion.
  Layout other(accumulator(), {{Repeat::Warp, 1, 4, 8}, {Repeat::Register, 0, 4, 16}, {Repeat::Register, 1, 2, 32}});
  EXPECT_FALSE(registerMap(acc, other, {64, 64}));
}

TEST(Layout, BankConflictsAreCounted) {
  // A lane a row of 32 words: all in one bank, and in 32 with a word of padding.
  Layout columns = blockedLayout({32, 32}, {0, 1}, 1, 32, 1);
  SharedLayout shared{{32, 32}, {1, 0}, 32, 0, 4};
  EXPECT_EQ(bankConflicts(columns, shared, 1, 32, 4), 31u);
  shared.pitch = 33;
  EXPECT_EQ(bankConflicts(columns, shared, 1, 32, 4), 0u);
  EXPECT_EQ(bankConflicts(blockedLayout({32, 32}, {1, 0}, 1, 32, 1), shared, 1, 32, 4), 0u);
}

TEST(SharedLayout, SwizzlesArePermutations) {
  for (unsigned swizzle : {0u, 32u, 64u, 128u}) {
    SharedLayout shared{{24, 192}, {1, 0}, 192, swizzle, 2};
    std::set<int64_t> places;
    for (int64_t row = 0; row < 24; ++row)
      for (int64_t column = 0; column < 192; ++column) {
        int64_t offset = shared.offset({row, column});
        EXPECT_LT(offset, shared.bytes());
        places.insert(offset);
      }
    EXPECT_EQ(places.size(), 24u * 192);
  }
  // 128 bytes: unit 1 of row 1 lies in unit 0.
  SharedLayout shared{{8, 64}, {1, 0}, 64, 128, 2};
  EXPECT_EQ(shared.offset({1, 8}), 128);
  EXPECT_EQ(shared.offset({1, 0}), 128 + 16);
}

} // namespace
