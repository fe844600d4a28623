//===- cpu/compiler/codegen/tests/MicroKernelTest.cpp ---------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Every form, layout and output, on every target this machine runs, over sampled sizes with all remainders. Operands are
// integers, so results are exact; memory ends at inaccessible pages, gaps hold NaN, outputs have red zones.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/tests/DotCase.h"

#include <gtest/gtest.h>

namespace pantile::cpu {

namespace {

struct Elements {
  const char *name;
  DotElement lhs, rhs;
};
const Elements kElements[] = {
    {"f32", DotElement::F32, DotElement::F32},    {"f64", DotElement::F64, DotElement::F64}, {"f16", DotElement::F16, DotElement::F16},
    {"bf16", DotElement::BF16, DotElement::BF16}, {"s8s8", DotElement::S8, DotElement::S8},  {"s8u8", DotElement::S8, DotElement::U8},
    {"u8s8", DotElement::U8, DotElement::S8},     {"u8u8", DotElement::U8, DotElement::U8},
};

/// Every case on the richest target; on the others one in three, in turn (compiling is what takes the time).
bool skips(const CpuTarget &target) {
  static unsigned turn = 0;
  return target.name != runnableTargets().back().name && ++turn % 3 != 0;
}

void check(const DotCase &test, const CpuTarget &target, unsigned samples) {
  if (skips(target)) return;
  Status status;
  Compiled compiled = compileDot(test, target, &status);
  ASSERT_TRUE(status.isOk()) << test.text() << " on " << target.name << ": " << status.message();
  auto *function = compiled.load<DotFunction>();
  ASSERT_TRUE(function) << test.text() << " on " << target.name;
  auto run = [&](int64_t m, int64_t n, int64_t k, unsigned seed) {
    std::string wrong = checkDot(test, target, function, test.m < 0 ? m : test.m, test.n < 0 ? n : test.n, test.k < 0 ? k : test.k, seed);
    ASSERT_EQ(wrong, "");
  };
  for (int64_t extreme : {0, 1})
    for (unsigned bit = 0; bit < 8; ++bit) run(bit & 1 ? extreme : 9, bit & 2 ? extreme : 19, bit & 4 ? extreme : 5, bit);
  unsigned state = 1;
  auto next = [&](unsigned most) {
    state = state * 1103515245u + 12345u;
    return int64_t((state >> 12) % most);
  };
  for (unsigned i = 0; i < samples && !testing::Test::HasFatalFailure(); ++i)
    run(next(21), i % 8 == 0 ? 64 : next(71), i % 5 == 0 ? 64 + next(20) : next(41), i);
}

class MicroKernel : public testing::TestWithParam<Elements> {
protected:
  DotCase with(Operand left, Operand right, Output output, DotSchedule schedule = {}) {
    DotCase test;
    test.lhs = GetParam().lhs, test.rhs = GetParam().rhs;
    test.left = left, test.right = right, test.output = output, test.schedule = schedule;
    return test;
  }
};

TEST_P(MicroKernel, PackedRhs) {
  const Output outputs[] = {Output::Add, Output::Overwrite, Output::PaddedAdd, Output::Finish, Output::FinishUnrolled};
  for (const CpuTarget &target : runnableTargets()) {
    unsigned i = 0;
    for (Operand right : {Operand::PackedLine, Operand::PackedK, Operand::PackedStrided})
      check(with(Operand::InPlaceK, right, outputs[i++ % 5]), target, 40);
    for (Operand left : {Operand::PackedLine, Operand::PackedK, Operand::PackedStrided})
      check(with(left, Operand::PackedLine, outputs[i++ % 5]), target, 40);
    for (Output output : outputs) check(with(Operand::InPlaceK, Operand::PackedK, output), target, 40);
    DotSchedule schedule;
    schedule.prefetchSums = true, schedule.kUnroll = 4;
    check(with(Operand::InPlaceK, Operand::PackedLine, Output::Blocked, schedule), target, 40);
    if (dotForm(GetParam().lhs, GetParam().rhs, target)->group == 1)
      check(with(Operand::InPlaceLine, Operand::PackedLine, Output::Add), target, 40);
  }
}

TEST_P(MicroKernel, RhsInPlaceAlongColumns) {
  for (const CpuTarget &target : runnableTargets()) {
    for (Output output : {Output::Add, Output::Overwrite, Output::Finish})
      check(with(Operand::InPlaceK, Operand::InPlaceLine, output), target, 40);
    for (int64_t maxM : {1, 16})
      for (Output output : {Output::Add, Output::Overwrite}) {
        DotSchedule schedule = streamingSchedule(*dotForm(GetParam().lhs, GetParam().rhs, target), target, maxM);
        check(with(Operand::InPlaceK, Operand::InPlaceLine, output, schedule), target, 40);
        schedule.prefetch = 512;
        check(with(Operand::InPlaceLine, Operand::InPlaceLine, output, schedule), target, 10);
      }
  }
}

TEST_P(MicroKernel, RhsInPlaceAlongK) {
  for (const CpuTarget &target : runnableTargets())
    for (unsigned mr : {1u, 2u, 4u})
      for (Output output : {Output::Add, Output::Overwrite, Output::Finish}) {
        DotSchedule schedule;
        schedule.mr = mr;
        if (mr == 4) schedule.prefetch = 256;
        check(with(Operand::InPlaceK, Operand::InPlaceK, output, schedule), target, 30);
      }
}

TEST_P(MicroKernel, TilesAndUnrolling) {
  for (const CpuTarget &target : runnableTargets()) {
    DotForm form = *dotForm(GetParam().lhs, GetParam().rhs, target);
    for (auto [mr, columns, unroll] : {std::tuple{1u, 1u, 4u}, {4u, 1u, 2u}, {3u, 2u, 1u}, {12u, 2u, 8u}, {6u, 4u, 1u}, {4u, 3u, 2u}}) {
      DotSchedule schedule;
      schedule.mr = mr, schedule.nr = columns * form.lanes, schedule.kUnroll = unroll;
      if (!fitsRegisters({schedule.mr, schedule.nr}, form, target)) continue;
      check(
          with(mr > 4 ? Operand::PackedK : Operand::InPlaceK, Operand::PackedLine, mr % 2 ? Output::FinishUnrolled : Output::Add, schedule),
          target, 30);
    }
  }
}

TEST_P(MicroKernel, KnownSizes) {
  for (const CpuTarget &target : runnableTargets())
    for (auto [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{16, 64, 32}, {5, 33, 7}, {-1, 48, 64}, {7, -1, -1}, {1, 40, 33}})
      for (Operand right : {Operand::PackedLine, Operand::InPlaceLine, Operand::InPlaceK}) {
        DotCase test = with(Operand::InPlaceK, right, right == Operand::PackedLine ? Output::FinishUnrolled : Output::Overwrite);
        test.m = m, test.n = n, test.k = k;
        check(test, target, 4);
      }
}

INSTANTIATE_TEST_SUITE_P(All, MicroKernel, testing::ValuesIn(kElements), [](const auto &info) { return std::string(info.param.name); });

TEST(MicroKernelErrors, NameWhatIsWrong) {
  CpuTarget target = *parseTarget("x86_64_v4");
  auto message = [&](DotCase test) {
    Status status;
    compileDot(test, target, &status);
    EXPECT_FALSE(status.isOk()) << test.text();
    return status.message();
  };
  DotCase large;
  large.schedule.mr = 12, large.schedule.nr = 48;
  EXPECT_NE(message(large).find("12x48"), std::string::npos);
  DotCase mixed;
  mixed.rhs = DotElement::BF16;
  EXPECT_NE(message(mixed).find("no form"), std::string::npos);
  DotCase gathered;
  gathered.lhs = gathered.rhs = DotElement::S8, gathered.left = Operand::InPlaceLine;
  EXPECT_NE(message(gathered).find("contiguous"), std::string::npos);
  DotCase columnwise;
  columnwise.left = Operand::InPlaceLine, columnwise.right = Operand::InPlaceK;
  EXPECT_NE(message(columnwise).find("contiguous"), std::string::npos);
}

TEST(MicroKernelCode, NeedsNoLibraryOnAArch64) {
  CpuTarget target = *parseTarget("aarch64");
  for (const Elements &elements : kElements)
    for (Operand right : {Operand::PackedLine, Operand::PackedK, Operand::InPlaceLine, Operand::InPlaceK}) {
      DotCase test;
      test.lhs = elements.lhs, test.rhs = elements.rhs, test.right = right, test.output = Output::Finish;
      Status status;
      Compiled compiled = compileDot(test, target, &status);
      ASSERT_TRUE(status.isOk()) << status.message();
      auto library = compiled.library();
      EXPECT_TRUE(library.isOk()) << test.text() << ": " << library.status().message();
    }
}

/// Instructions of the default kernel, and that its registers suffice: no vector goes to the stack inside the k loop.
TEST(MicroKernelCode, InstructionsAndNoSpills) {
  struct Expected {
    const char *target;
    DotElement element;
    const char *instruction;
  };
  for (auto [name, element, instruction] : {Expected{"x86_64_v4_bf16", DotElement::F32, "vfmadd"},
                                            {"x86_64_v4_bf16", DotElement::F64, "vfmadd"},
                                            {"x86_64_v4_bf16", DotElement::BF16, "vdpbf16ps"},
                                            {"x86_64_v4_bf16", DotElement::S8, "vpdpbusd"},
                                            {"x86_64_v4", DotElement::S8, "vpmaddwd"},
                                            {"x86_64_v4", DotElement::F32, "vfmadd"},
                                            {"x86_64_v3", DotElement::F32, "vfmadd"},
                                            {"x86_64_v3", DotElement::S8, "vpmaddwd"},
                                            {"x86_64", DotElement::F32, "mulps"},
                                            {"aarch64", DotElement::F32, "fmla"},
                                            {"aarch64", DotElement::F64, "fmla"}}) {
    CpuTarget target = *parseTarget(name);
    DotCase test;
    test.lhs = test.rhs = element;
    DotForm form = *dotForm(element, element, target);
    RegisterTile tile = defaultRegisterTile(form, target);
    test.m = tile.mr, test.n = tile.nr, test.k = 256;
    Status status;
    // Without packing code: the assembly is the kernel's alone.
    Compiled compiled = compileDot(test, target, &status, /*pack=*/false);
    ASSERT_TRUE(status.isOk()) << status.message();
    std::string assembly = compiled.assembly();
    size_t count = 0;
    for (size_t at = assembly.find(instruction); at != std::string::npos; at = assembly.find(instruction, at + 1)) ++count;
    EXPECT_GE(count, tile.mr * tile.nr / form.lanes) << name << " " << test.text() << "\n" << assembly;
    // Whole vector moves to or from the stack (broadcasts of row corrections are not moves).
    for (size_t begin = 0; begin < assembly.size();) {
      size_t end = std::min(assembly.find('\n', begin), assembly.size());
      std::string line = assembly.substr(begin, end - begin);
      begin = end + 1;
      auto has = [&](const char *text) { return line.find(text) != std::string::npos; };
      bool x86Spill = has("mov") && (has("mm") && (has("(%rsp)") || has("(%rbp)"))), armSpill = has("\tq") && has("[sp");
      EXPECT_FALSE(x86Spill || armSpill) << name << " " << test.text() << ": " << line << "\n" << assembly;
    }
  }
}

} // namespace
} // namespace pantile::cpu
