//===- cpu/compiler/codegen/tests/VectorMathTest.cpp ----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Sweeps of f32 bit patterns against libm in double, on every target this machine runs. The bounds are VectorMath.h's.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/VectorMath.h"
#include "backends/cpu/compiler/codegen/tests/Compiled.h"
#include "core/DType.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

using namespace llvm;

namespace pantile::cpu {

namespace {

/// void entry(in*, in2*, out*, count): `lanes` elements at a time, count a multiple.
template <typename T> struct Applied {
  using Function = void(const T *, const T *, T *, int64_t);
  Applied(const CpuTarget &target, MathOp op, unsigned operands, unsigned lanes, bool load = true)
      : compiled(
            target,
            [](LLVMContext &c) {
              return std::vector<Type *>{PointerType::get(c, 0), PointerType::get(c, 0), PointerType::get(c, 0), Type::getInt64Ty(c)};
            },
            [&](IRBuilder<> &b, llvm::Function *f) {
              Type *element = sizeof(T) == 8 ? b.getDoubleTy() : b.getFloatTy();
              Type *type = lanes == 1 ? element : FixedVectorType::get(element, lanes);
              BasicBlock *entry = b.GetInsertBlock(), *loop = BasicBlock::Create(b.getContext(), "loop", f),
                         *done = BasicBlock::Create(b.getContext(), "done", f);
              b.CreateBr(loop);
              b.SetInsertPoint(loop);
              PHINode *i = b.CreatePHI(b.getInt64Ty(), 2);
              i->addIncoming(b.getInt64(0), entry);
              SmallVector<Value *, 3> values;
              for (unsigned k = 0; k < operands; ++k)
                values.push_back(b.CreateAlignedLoad(type, b.CreateGEP(element, f->getArg(k), i), Align(sizeof(T))));
              b.CreateAlignedStore(emitMath(b, op, values, target), b.CreateGEP(element, f->getArg(2), i), Align(sizeof(T)));
              Value *next = b.CreateAdd(i, b.getInt64(lanes));
              i->addIncoming(next, b.GetInsertBlock());
              b.CreateCondBr(b.CreateICmpSLT(next, f->getArg(3)), loop, done);
              b.SetInsertPoint(done);
            }),
        function(load ? compiled.load<Function>() : nullptr) {}
  std::vector<T> operator()(std::vector<T> x, std::vector<T> y = {}) {
    size_t count = x.size(), padded = (count + 63) / 64 * 64;
    x.resize(padded), y.resize(padded);
    std::vector<T> out(padded);
    function(x.data(), y.data(), out.data(), padded);
    out.resize(count);
    return out;
  }
  Compiled compiled;
  Function *function;
};

/// Distance in units in the last place of the f32 nearest to the exact value; subnormal results count in the least unit.
double ulps(float got, double exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : INFINITY;
  float rounded = float(exact);
  if (std::isinf(rounded)) return got == rounded || (std::fabs(exact) < 3.41e38 && std::fabs(got) > 3.4e38f) ? 0 : INFINITY;
  if (!std::isfinite(got)) return std::fabs(exact) > 3.402823e38 ? 1 : INFINITY;
  int exponent;
  std::frexp(rounded, &exponent);
  return std::fabs(double(got) - exact) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

struct Case {
  const char *name;
  MathOp op;
  double (*exact)(double);
  double bound, baselineBound;
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double rsqrt(double x) { return 1 / std::sqrt(x); }
double roundEven(double x) { return std::nearbyint(x); }

const Case kCases[] = {
    {"exp", MathOp::Exp, std::exp, 1.5, 2.5},
    {"exp2", MathOp::Exp2, std::exp2, 1.5, 2.5},
    {"expm1", MathOp::Expm1, std::expm1, 3, 4},
    {"log", MathOp::Log, std::log, 1.5, 2.5},
    {"log2", MathOp::Log2, std::log2, 1.5, 2.5},
    {"log10", MathOp::Log10, std::log10, 2, 3},
    {"log1p", MathOp::Log1p, std::log1p, 3, 4},
    {"tanh", MathOp::Tanh, std::tanh, 3, 4},
    {"sigmoid", MathOp::Sigmoid, sigmoid, 3, 4},
    {"erf", MathOp::Erf, std::erf, 3, 4},
    {"erfc", MathOp::Erfc, std::erfc, 1, 1},
    {"sin", MathOp::Sin, std::sin, 2, 2, -0x1p20f, 0x1p20f},
    {"cos", MathOp::Cos, std::cos, 2, 2, -0x1p20f, 0x1p20f},
    {"tan", MathOp::Tan, std::tan, 4, 4, -0x1p20f, 0x1p20f},
    {"sqrt", MathOp::Sqrt, std::sqrt, 0.5001, 0.5001},
    {"rsqrt", MathOp::Rsqrt, rsqrt, 1.5, 1.5},
    {"floor", MathOp::Floor, std::floor, 0, 0},
    {"ceil", MathOp::Ceil, std::ceil, 0, 0},
    {"trunc", MathOp::Trunc, std::trunc, 0, 0},
    {"round", MathOp::Round, std::round, 0, 0},
    {"roundeven", MathOp::RoundEven, roundEven, 0, 0},
    {"abs", MathOp::Abs, std::fabs, 0, 0},
};

class VectorMath : public testing::TestWithParam<Case> {};

TEST_P(VectorMath, SweepF32) {
  const Case &c = GetParam();
  std::vector<float> inputs;
  for (uint64_t bits = 0; bits < 1ull << 32; bits += 9001) inputs.push_back(std::bit_cast<float>(uint32_t(bits)));
  // Where functions change: densely around zero, one and the ends of exp.
  for (float centre : {0.0f, 1.0f, -1.0f, 0.5f, 0.921875f, 88.0f, -87.5f, -103.5f, 3.5f, -20.0f, 10.0f, 100.0f})
    for (int i = -4000; i < 4000; ++i) inputs.push_back(centre + i * 3e-4f);
  for (uint32_t special : {0u, 0x80000000u, 1u, 0x80000001u, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0x7f7fffffu, 0xff7fffffu, 0x3effffffu})
    inputs.push_back(std::bit_cast<float>(special));
  std::erase_if(inputs, [&](float x) { return !std::isnan(x) && !std::isinf(x) && (x < c.low || x > c.high); });
  std::vector<double> exact;
  for (float x : inputs) exact.push_back(c.exact(x));
  for (const CpuTarget &target : runnableTargets()) {
    Applied<float> applied(target, c.op, 1, target.lanes(32));
    ASSERT_TRUE(applied.function) << target.name;
    std::vector<float> got = applied(inputs);
    double worst = 0;
    float at = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      double distance = ulps(got[i], exact[i]);
      if (exact[i] == 0 && c.op != MathOp::Cos && std::signbit(got[i]) != std::signbit(float(exact[i]))) distance = INFINITY;
      if (distance > worst || std::isnan(distance)) worst = distance, at = inputs[i];
    }
    double bound = target.hasFma ? c.bound : c.baselineBound;
    EXPECT_LE(worst, bound) << c.name << " on " << target.name << " at " << at << " = " << std::hexfloat << at;
    RecordProperty(std::string(target.name), std::to_string(worst));
    if (getenv("PANTILE_TEST_VERBOSE")) printf("%-10s %-16s %.3f ulp at %g\n", c.name, std::string(target.name).c_str(), worst, at);
  }
}

TEST_P(VectorMath, OtherWidthsAgree) {
  const Case &c = GetParam();
  std::vector<float> inputs;
  for (uint64_t bits = 0; bits < 1ull << 32; bits += 7654321) inputs.push_back(std::bit_cast<float>(uint32_t(bits)));
  std::erase_if(inputs, [&](float x) { return !(x >= c.low && x <= c.high); });
  for (const CpuTarget &target : runnableTargets())
    for (unsigned lanes : {1u, 2u, 4u, 8u, 32u}) {
      Applied<float> applied(target, c.op, 1, lanes);
      ASSERT_TRUE(applied.function) << target.name << " x " << lanes;
      std::vector<float> got = applied(inputs);
      for (size_t i = 0; i < inputs.size(); ++i)
        ASSERT_LE(ulps(got[i], c.exact(inputs[i])), target.hasFma ? c.bound : c.baselineBound)
            << c.name << " x " << lanes << " on " << target.name << " at " << inputs[i];
    }
}

TEST_P(VectorMath, F64) {
  const Case &c = GetParam();
  std::vector<double> inputs;
  for (int i = -30000; i < 30000; ++i) inputs.push_back(std::sinh(i * 7e-4) + 1e-9 * i);
  for (double special : {0.0, 1.0, -1.0, double(INFINITY), -double(INFINITY), double(NAN), 1e300, -1e300, 1e-310, 700.0, -700.0, -740.0})
    inputs.push_back(special);
  std::erase_if(inputs, [&](double x) { return std::isfinite(x) && (x < c.low || x > c.high); });
  for (const CpuTarget &target : runnableTargets()) {
    Applied<double> applied(target, c.op, 1, target.lanes(64));
    ASSERT_TRUE(applied.function) << target.name;
    std::vector<double> got = applied(inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      double exact = c.exact(inputs[i]);
      if (std::isnan(exact)) {
        EXPECT_TRUE(std::isnan(got[i])) << c.name << " at " << inputs[i];
        continue;
      }
      if (std::isinf(exact)) {
        EXPECT_EQ(got[i], exact) << c.name << " at " << inputs[i];
        continue;
      }
      double bound = 2e-13 * std::fabs(exact) + 1e-307;
      // Near their zeros sin, cos and tan are measured against the argument's reduction.
      if (c.op == MathOp::Sin || c.op == MathOp::Cos || c.op == MathOp::Tan) bound = 2e-13 * (1 + exact * exact);
      if (std::fabs(exact) < 1e-300) bound = 1e-307; // subnormal
      ASSERT_NEAR(got[i], exact, bound) << c.name << " on " << target.name << " at " << inputs[i];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, VectorMath, testing::ValuesIn(kCases), [](const auto &info) { return std::string(info.param.name); });

TEST(VectorMathBinary, Pow) {
  std::vector<float> xs, ys;
  const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN,   2.0f,        -2.0f,
                           0.5f, -0.5f, 3.0f, -3.0f, 2.5f,     1e-40f,    3e38f, 16777216.0f, -7.0f};
  for (float x : special)
    for (float y : special) xs.push_back(x), ys.push_back(y);
  for (int i = 0; i < 200000; ++i) {
    xs.push_back(std::exp2f(float((i * 7919) % 20001 - 10000) / 300));
    ys.push_back(float((i * 104729) % 20001 - 10000) / 700);
  }
  for (const CpuTarget &target : runnableTargets()) {
    Applied<float> applied(target, MathOp::Pow, 2, target.lanes(32));
    ASSERT_TRUE(applied.function);
    std::vector<float> got = applied(xs, ys);
    for (size_t i = 0; i < xs.size(); ++i) {
      double exact = std::pow(double(xs[i]), double(ys[i]));
      ASSERT_LE(ulps(got[i], exact), 1) << xs[i] << " ^ " << ys[i] << " on " << target.name << " is " << got[i];
      if (!std::isnan(exact)) ASSERT_EQ(std::signbit(got[i]), std::signbit(float(exact))) << xs[i] << " ^ " << ys[i];
    }
  }
}

TEST(VectorMathBinary, Rem) {
  std::vector<float> xs, ys;
  for (float x : {0.0f, -0.0f, 5.0f, -5.0f, INFINITY, NAN, 7.5f, 1e6f, -1e6f})
    for (float y : {1.0f, -1.0f, 3.0f, 0.1f, INFINITY, 0.0f, NAN, 2.5f}) xs.push_back(x), ys.push_back(y);
  for (int i = 1; i < 100000; ++i) xs.push_back(std::sin(float(i)) * i), ys.push_back(std::cos(float(i)) * 13);
  for (const CpuTarget &target : runnableTargets()) {
    Applied<float> applied(target, MathOp::Rem, 2, target.lanes(32));
    ASSERT_TRUE(applied.function);
    std::vector<float> got = applied(xs, ys);
    for (size_t i = 0; i < xs.size(); ++i) {
      float exact = std::fmod(xs[i], ys[i]);
      if (std::isnan(exact))
        EXPECT_TRUE(std::isnan(got[i])) << xs[i] << " rem " << ys[i];
      else
        ASSERT_EQ(got[i], exact) << xs[i] << " rem " << ys[i] << " on " << target.name;
    }
  }
}

/// Linking refuses undefined symbols: no function becomes a call on AArch64 either, which this machine may not run.
TEST(VectorMathCode, NeedsNoLibraryOnAArch64) {
  CpuTarget target = *parseTarget("aarch64");
  for (const Case &c : kCases)
    for (unsigned lanes : {1u, 4u, 8u}) {
      EXPECT_TRUE(Applied<float>(target, c.op, 1, lanes, false).compiled.library().isOk()) << c.name << " f32 x " << lanes;
      EXPECT_TRUE(Applied<double>(target, c.op, 1, lanes, false).compiled.library().isOk()) << c.name << " f64 x " << lanes;
    }
  EXPECT_TRUE(Applied<float>(target, MathOp::Pow, 2, 4, false).compiled.library().isOk());
}

/// f16 and bf16, every bit pattern, vectors and scalars.
TEST(Conversions, ExtendAndTruncate) {
  for (const CpuTarget &target : runnableTargets())
    for (bool brain : {false, true})
      for (unsigned lanes : {1u, 8u}) {
        auto types = [](LLVMContext &c) { return std::vector<Type *>{PointerType::get(c, 0), PointerType::get(c, 0)}; };
        auto typed = [&](Type *element) -> Type * { return lanes == 1 ? element : FixedVectorType::get(element, lanes); };
        auto narrow = [&](IRBuilder<> &b) { return brain ? b.getBFloatTy() : b.getHalfTy(); };
        Compiled extend(target, types, [&](IRBuilder<> &b, Function *f) {
          b.CreateAlignedStore(emitExtend(b, b.CreateAlignedLoad(typed(narrow(b)), f->getArg(0), Align(2)), target), f->getArg(1),
                               Align(4));
        });
        Compiled truncate(target, types, [&](IRBuilder<> &b, Function *f) {
          b.CreateAlignedStore(emitTruncate(b, b.CreateAlignedLoad(typed(b.getFloatTy()), f->getArg(0), Align(4)), narrow(b), target),
                               f->getArg(1), Align(2));
        });
        auto *up = extend.load<void(const uint16_t *, float *)>();
        auto *down = truncate.load<void(const float *, uint16_t *)>();
        ASSERT_TRUE(up && down) << target.name;
        for (uint32_t begin = 0; begin < 65536; begin += lanes) {
          uint16_t in[8];
          float out[8];
          for (unsigned i = 0; i < lanes; ++i) in[i] = begin + i;
          up(in, out);
          for (unsigned i = 0; i < lanes; ++i) {
            float want = brain ? bf16ToF32(in[i]) : f16ToF32(in[i]);
            ASSERT_TRUE(std::isnan(want) ? std::isnan(out[i]) : std::bit_cast<uint32_t>(want) == std::bit_cast<uint32_t>(out[i]))
                << target.name << " " << in[i];
          }
        }
        for (uint64_t bits = 0; bits < 1ull << 32; bits += 77777) {
          float in[8];
          uint16_t out[8];
          for (unsigned i = 0; i < lanes; ++i) in[i] = std::bit_cast<float>(uint32_t(bits + i * 6007));
          down(in, out);
          for (unsigned i = 0; i < lanes; ++i) {
            if (brain && target.hasBF16Dot && std::fabs(in[i]) < 1.2e-38f) continue; // the instruction flushes subnormals
            uint16_t want = brain ? f32ToBF16(in[i]) : f32ToF16(in[i]);
            bool isNaN = std::isnan(in[i]);
            ASSERT_TRUE(isNaN ? std::isnan(brain ? bf16ToF32(out[i]) : f16ToF32(out[i])) : want == out[i])
                << target.name << " " << in[i] << " " << brain;
          }
        }
      }
}

} // namespace
} // namespace pantile::cpu
