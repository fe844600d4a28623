//===- cpu/compiler/codegen/bench/DotBench.cpp - micro-kernels against peak ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// cpu_dot_bench [target]: per cent of one core's peak (measured by a register-only loop in the same run) of a packed tile that
// fits the second cache, with and without packing in the time, and the read bandwidth of matrix-vector products.
// Times are the thread's own, the best of several windows.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/tests/DotCase.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <sys/mman.h>

using namespace llvm;
using namespace pantile;
using namespace pantile::cpu;

static double threadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

template <typename F> static double best(F call) {
  double least = 1e9;
  call();
  for (double start = threadSeconds(); threadSeconds() - start < 0.25;) {
    double begin = threadSeconds();
    call();
    least = std::min(least, threadSeconds() - begin);
  }
  return least;
}

static void *memory(size_t bytes) {
  bytes = (bytes + (4 << 20) - 1) >> 21 << 21;
  void *pointer = mmap(nullptr, bytes + (2 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pointer = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(pointer) + (2 << 20) - 1) >> 21 << 21);
  madvise(pointer, bytes, MADV_HUGEPAGE);
  std::memset(pointer, 1, bytes);
  return pointer;
}

/// Operations a second of the form's instruction from registers: a whole tile without memory is what the kernel approaches.
static double peak(DotElement element, const CpuTarget &target) {
  DotCase test;
  test.lhs = test.rhs = element;
  DotForm form = *dotForm(element, element, target);
  RegisterTile tile = defaultRegisterTile(form, target);
  // One register tile over a k that stays in the first cache, over and over.
  int64_t k = 128 * form.group;
  test.m = tile.mr * 8, test.n = tile.nr, test.k = k;
  Status status;
  Compiled compiled = compileDot(test, target, &status, false);
  auto *function = compiled.load<DotFunction>();
  DotArguments a{memory(1 << 20), nullptr, nullptr,    memory(1 << 20), memory(1 << 20), test.m, test.n, k, k, 1, 0, 0,
                 tile.nr,         0,       tile.nr * k};
  double seconds = best([&] {
    for (int i = 0; i < 2000; ++i) function(&a);
  });
  return 2.0 * test.m * test.n * k * 2000 / seconds;
}

int main(int argc, char **argv) {
  auto parsed = parseTarget(argc > 1 ? argv[1] : "x86_64_v4_bf16");
  if (!parsed.isOk()) return std::puts(parsed.status().message().c_str()), 1;
  CpuTarget target = *parsed;
  struct Type {
    const char *name;
    DotElement element;
    double known;
  } types[] = {{"f32", DotElement::F32, 116e9},
               {"f64", DotElement::F64, 58e9},
               {"bf16", DotElement::BF16, 231e9},
               {"int8", DotElement::S8, 465e9},
               {"f16", DotElement::F16, 116e9}};
  auto scale = target.vectorBits / 512.0;
  for (auto [name, element, known] : types) {
    DotForm form = *dotForm(element, element, target);
    double top = peak(element, target);
    std::printf("%-5s register tile in the first cache %6.1f Gop/s\n", name, top / 1e9);
    unsigned bytes = dotElementBytes(element);
    for (auto [mr, columns] : {std::pair{8u, 2u}, {4u, 4u}, {12u, 2u}, {6u, 2u}})
      for (bool packs : {false, true})
        for (bool whole : {true, false}) {
          DotCase test;
          test.lhs = test.rhs = element;
          test.schedule.mr = mr, test.schedule.nr = columns * form.lanes;
          if (!fitsRegisters({mr, columns * form.lanes}, form, target)) continue;
          // 256 x 256 x 256 tiles (in bytes of k) inside a 1024^3 product: row-major with 1024 columns.
          int64_t m = whole ? 256 : 251, n = whole ? 256 : 249, k = (whole ? 1024 : 1020) / bytes;
          int64_t k1 = 4096 / bytes, n1 = 1024;
          int64_t panel = columns * form.lanes * ((k + form.group - 1) / form.group * form.group);
          Status status;
          test.maxM = 256;
          double emission = 1, optimization = 1, generation = 1;
          size_t size = 0;
          for (int i = 0; i < 4; ++i) {
            double begin = threadSeconds();
            Compiled compiled = compileDot(test, target, &status, packs);
            double emitted = threadSeconds();
            if (!status.isOk()) return std::puts(status.message().c_str()), 1;
            (void)optimizeModule(*compiled.module, target);
            double optimized = threadSeconds();
            EmitOptions options;
            options.optimize = options.verify = false;
            auto object = emitObject(*compiled.module, target, options);
            double done = threadSeconds();
            emission = std::min(emission, emitted - begin), optimization = std::min(optimization, optimized - emitted);
            generation = std::min(generation, done - optimized), size = object->size();
          }
          Compiled again = compileDot(test, target, &status, packs);
          auto *run = again.load<DotFunction>();
          DotArguments a{memory(m * k1 * bytes),
                         memory(k * n1 * bytes),
                         nullptr,
                         memory(8 << 20),
                         memory(m * n1 * 8),
                         m,
                         n,
                         k,
                         k1,
                         1,
                         1,
                         n1,
                         n1,
                         0,
                         panel};
          double seconds = best([&] {
            for (int i = 0; i < 10; ++i) run(&a);
          });
          double rate = 2.0 * m * n * k * 10 / seconds;
          std::printf(
              "%-5s %3ldx%3ldx%4ld tile %2ux%-3u %-9s %6.1f Gop/s  %5.1f %% of %g   IR %4.1f, passes %4.1f, object %4.1f ms, %zu bytes\n",
              name, m, n, k, mr, columns * form.lanes, packs ? "packed" : "", rate / 1e9, 100 * rate / (known * scale), known * scale / 1e9,
              1e3 * emission, 1e3 * optimization, 1e3 * generation, size);
        }
  }
  for (auto [name, element, known] : types)
    for (Operand right : {Operand::InPlaceLine, Operand::InPlaceK})
      for (int64_t m : {1, 4, 16})
        for (unsigned variant : {0u, 1u, 2u, 3u}) {
          if (variant && right == Operand::InPlaceK) continue;
          DotCase test;
          test.lhs = test.rhs = element;
          test.right = right;
          DotForm form = *dotForm(element, element, target);
          unsigned bytes = dotElementBytes(element);
          test.schedule = streamingSchedule(form, target, m);
          if (variant == 1) test.schedule.prefetch = 512;
          if (variant == 2) test.schedule.prefetch = 1024;
          if (variant == 3) test.schedule.kBlock = test.schedule.kUnroll = test.schedule.mr == 1 ? 4 : 8;
          int64_t n = 4096, k = 16384 / bytes;
          Status status;
          Compiled compiled = compileDot(test, target, &status);
          auto *run = compiled.load<DotFunction>();
          if (!run) return std::puts(status.message().c_str()), 1;
          bool columns = right == Operand::InPlaceLine;
          DotArguments a{memory(m * k * bytes),
                         memory(k * n * bytes),
                         nullptr,
                         nullptr,
                         memory(m * n * 8),
                         m,
                         n,
                         k,
                         k,
                         1,
                         columns ? 1 : k,
                         columns ? n : 1,
                         n,
                         0,
                         0};
          double seconds = best([&] { run(&a); });
          std::printf("%-5s %2ldx%ldx%ld rhs along %s variant %u %6.1f GB/s %6.1f Gop/s\n", name, m, n, k, columns ? "n" : "k", variant,
                      double(n) * k * bytes / seconds / 1e9, 2.0 * m * n * k / seconds / 1e9);
        }
}
