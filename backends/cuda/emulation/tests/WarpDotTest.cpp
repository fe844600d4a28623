//===- cuda/emulation/tests/WarpDotTest.cpp - mma.sync and ldmatrix against the ISA's tables ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The layouts are spelled here as the PTX ISA prints them, case by case, and not by the formula that the emulation uses.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Elements.h"
#include "backends/cuda/emulation/tests/Device.h"

#include <bit>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace pantile;
using namespace pantile::cuda::emulation;
using namespace pantile::cuda::emulation::tests;

namespace {

struct At {
  int row, column;
};
using Map = std::function<At(int lane, int i)>; ///< of the i-th element a lane holds

struct Shape {
  const char *opcode;
  int k, bits; ///< of an element of a and b
  Element element;
  bool integers;
  Map a, b;
};

int g(int lane) { return lane >> 2; }
int t(int lane) { return lane % 4; }

const Shape kShapes[] = {
    {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, 16, Element::BF16, false,
     [](int l, int i) { return At{(i < 2) || (i >= 4 && i < 6) ? g(l) : g(l) + 8, t(l) * 2 + (i & 1) + (i < 4 ? 0 : 8)}; },
     [](int l, int i) { return At{t(l) * 2 + (i & 1) + (i < 2 ? 0 : 8), g(l)}; }},
    {"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", 8, 16, Element::F16, false,
     [](int l, int i) { return At{i < 2 ? g(l) : g(l) + 8, t(l) * 2 + (i & 1)}; }, [](int l, int i) { return At{t(l) * 2 + i, g(l)}; }},
    {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 8, 32, Element::TF32, false,
     [](int l, int i) { return At{i == 0 || i == 2 ? g(l) : g(l) + 8, i < 2 ? t(l) : t(l) + 4}; },
     [](int l, int i) { return At{i == 0 ? t(l) : t(l) + 4, g(l)}; }},
    {"mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", 32, 8, Element::S8, true,
     [](int l, int i) { return At{i < 4 || (i >= 8 && i < 12) ? g(l) : g(l) + 8, t(l) * 4 + (i & 3) + (i < 8 ? 0 : 16)}; },
     [](int l, int i) { return At{t(l) * 4 + (i & 3) + (i < 4 ? 0 : 16), g(l)}; }},
    {"mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32", 32, 8, Element::E4M3, false,
     [](int l, int i) { return At{i < 4 || (i >= 8 && i < 12) ? g(l) : g(l) + 8, t(l) * 4 + (i & 3) + (i < 8 ? 0 : 16)}; },
     [](int l, int i) { return At{t(l) * 4 + (i & 3) + (i < 4 ? 0 : 16), g(l)}; }},
};

/// A kernel whose lanes load `words` registers, run `assembly` on them, and store four.
std::string kernelOf(const std::string &assembly, int words) {
  std::string text =
      "define ptx_kernel void @k(ptr addrspace(1) %in, ptr addrspace(1) %out) {\n  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
  text += fmt::format("  %first = mul i32 %t, {}\n", words);
  std::string operands, constraints = "=r,=r,=r,=r";
  for (int i = 0; i < words; ++i) {
    text += fmt::format("  %i{0} = add i32 %first, {0}\n  %p{0} = getelementptr i32, ptr addrspace(1) %in, i32 %i{0}\n  %v{0} = load i32, "
                        "ptr addrspace(1) %p{0}\n",
                        i);
    operands += fmt::format("{}i32 %v{}", i ? ", " : "", i);
    constraints += ",r";
  }
  text += fmt::format("  %r = call {{i32, i32, i32, i32}} asm sideeffect \"{}\", \"{}\"({})\n  %o = mul i32 %t, 4\n", assembly, constraints,
                      operands);
  for (int i = 0; i < 4; ++i)
    text += fmt::format("  %o{0} = add i32 %o, {0}\n  %q{0} = getelementptr i32, ptr addrspace(1) %out, i32 %o{0}\n  %x{0} = extractvalue "
                        "{{i32, i32, i32, i32}} %r, {0}\n  "
                        "store i32 %x{0}, ptr addrspace(1) %q{0}\n",
                        i);
  return text + "  ret void\n}\ndeclare i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
}

TEST(WarpDot, MultipliesAsTheTablesSay) {
  for (const Shape &shape : kShapes) {
    const int per = 32 / shape.bits, aWords = 16 * shape.k / 32 / per, bWords = 8 * shape.k / 32 / per, words = aWords + bWords + 4;
    const Element right = shape.element == Element::E4M3 ? Element::E5M2 : shape.element;
    std::mt19937 random(3);
    auto draw = [&](Element element) -> uint32_t {
      const float value = float(int(random() % 17) - 8) / 4;
      switch (element) {
      case Element::F16:
        return toHalf(value);
      case Element::BF16:
        return toBFloat(value);
      case Element::TF32:
        return toTF32(value);
      case Element::E4M3:
        return toE4M3(value, true);
      case Element::E5M2:
        return toE5M2(value, true);
      default:
        return uint8_t(random());
      }
    };
    std::vector<uint32_t> a(size_t(16 * shape.k)), b(size_t(shape.k * 8)), in(size_t(32 * words));
    for (auto &value : a) value = draw(shape.element);
    for (auto &value : b) value = draw(right);
    for (int lane = 0; lane < 32; ++lane) {
      uint32_t *own = in.data() + lane * words;
      for (int i = 0; i < aWords * per; ++i) {
        At at = shape.a(lane, i);
        own[i / per] |= a[size_t(at.row * shape.k + at.column)] << (i % per * shape.bits);
      }
      for (int i = 0; i < bWords * per; ++i) {
        At at = shape.b(lane, i);
        own[aWords + i / per] |= b[size_t(at.row * 8 + at.column)] << (i % per * shape.bits);
      }
      for (int i = 0; i < 4; ++i) own[aWords + bWords + i] = shape.integers ? uint32_t(i) : std::bit_cast<uint32_t>(float(i));
    }
    auto list = [](int from, int count) {
      std::string text;
      for (int i = 0; i < count; ++i) text += fmt::format("{}${}", i ? "," : "", from + i);
      return text;
    };
    const std::string assembly = fmt::format("{} {{$0,$1,$2,$3}}, {{{}}}, {{{}}}, {{{}}};", shape.opcode, list(4, aWords),
                                             list(4 + aWords, bWords), list(4 + aWords + bWords, 4));
    Device device;
    uint32_t *pin = device.filled(in), *pout = device.empty<uint32_t>(128);
    Status status = device.run(kernelOf(assembly, words), "k", {}, {&pin, &pout});
    ASSERT_TRUE(status.isOk()) << shape.opcode << ": " << status.message();
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) {
        const int row = i < 2 ? g(lane) : g(lane) + 8, column = t(lane) * 2 + (i & 1);
        double sum = i;
        for (int x = 0; x < shape.k; ++x)
          sum += double(toFloat(shape.element, a[size_t(row * shape.k + x)])) * toFloat(right, b[size_t(x * 8 + column)]);
        const uint32_t got = pout[lane * 4 + i];
        EXPECT_EQ(shape.integers ? double(int32_t(got)) : double(std::bit_cast<float>(got)), sum)
            << shape.opcode << " lane " << lane << " value " << i;
      }
  }
}

TEST(WarpDot, NeedsTheWholeWarp) {
  Device device;
  std::vector<uint32_t> in(16 * 10);
  uint32_t *pin = device.filled(in), *pout = device.empty<uint32_t>(64);
  const std::string assembly =
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};";
  Status status = device.run(kernelOf(assembly, 10), "k", {1, 16, 0}, {&pin, &pout});
  EXPECT_NE(status.message().find("needs all 32 lanes"), std::string::npos) << status.message();
}

/// Assembly with registers, predicates and a loop: $0 = sum of 1 .. $4, $1 = 7 where $5 is odd, else 5.
TEST(Ptx, RunsPrograms) {
  Device device;
  std::vector<uint32_t> in(64);
  for (uint32_t lane = 0; lane < 32; ++lane) in[2 * lane] = lane, in[2 * lane + 1] = lane;
  uint32_t *pin = device.filled(in), *pout = device.empty<uint32_t>(128);
  const std::string assembly =
      "{ .reg .pred p, q; .reg .b32 n<2>; mov.u32 $0, 0; mov.u32 n0, $4; NEXT: setp.eq.s32 p, n0, 0; @p bra DONE; add.u32 $0, $0, n0; "
      "sub.u32 n0, n0, 1; bra NEXT; "
      "DONE: and.b32 n1, $5, 1; setp.ne.b32 q, n1, 0; selp.b32 $1, 7, 5, q; @!q mov.b32 $1, 5; mov.b32 $2, 0x10; shl.b32 $3, $2, 2; }";
  Status status = device.run(kernelOf(assembly, 2), "k", {}, {&pin, &pout});
  ASSERT_TRUE(status.isOk()) << status.message();
  for (uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(pout[4 * lane], lane * (lane + 1) / 2);
    EXPECT_EQ(pout[4 * lane + 1], lane % 2 ? 7u : 5u);
    EXPECT_EQ(pout[4 * lane + 2], 16u);
    EXPECT_EQ(pout[4 * lane + 3], 64u);
  }
}

} // namespace
