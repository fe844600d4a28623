//===- cpu/device/Processor.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/device/Processor.h"

#include <cctype>
#include <cstring>
#include <sched.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace pantile::cpu {

namespace {

#if defined(__x86_64__)
std::string brand() {
  unsigned words[12];
  if (__get_cpuid_max(0x80000000u, nullptr) < 0x80000004u) return "x86-64";
  for (unsigned i = 0; i < 3; ++i) __get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  char text[49] = {};
  std::memcpy(text, words, 48);
  std::string name(text);
  while (!name.empty() && name.back() == ' ') name.pop_back();
  return name.empty() ? "x86-64" : name.substr(name.find_first_not_of(' '));
}

/// The x86-64 micro-architecture levels, and above them the bf16 and int8 dot products. __builtin_cpu_supports also asks
/// whether the system saves the registers.
const char *arch() {
  __builtin_cpu_init();
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
            __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  bool dots = v4 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
  return dots ? "x86_64_v4_bf16" : v4 ? "x86_64_v4" : v3 ? "x86_64_v3" : "x86_64";
}
#elif defined(__aarch64__)
std::string brand() { return "AArch64"; }
const char *arch() { return "aarch64"; }
#else
#error "the CPU backend knows x86-64 and AArch64"
#endif

int64_t cacheBytes(int name, int64_t fallback) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : fallback;
}

int64_t usableProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? online : 1;
}

Processor read() {
  Processor p;
  p.name = brand();
  p.arch = arch();
  p.units = usableProcessors();
  p.l1Bytes = cacheBytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  p.l2Bytes = cacheBytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
  p.l3Bytes = cacheBytes(_SC_LEVEL3_CACHE_SIZE, 8 << 20);
  p.memoryBytes = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
  p.target = p.arch + ":units=" + std::to_string(p.units) + ",l1=" + std::to_string(p.l1Bytes) + ",l2=" + std::to_string(p.l2Bytes) +
             ",l3=" + std::to_string(p.l3Bytes);
  p.hardware = p.arch;
  char last = '-';
  p.hardware += last;
  for (char c : p.name) {
    char kept = std::isalnum(static_cast<unsigned char>(c)) ? char(std::tolower(static_cast<unsigned char>(c))) : '_';
    if (kept == '_' && (last == '_' || last == '-')) continue;
    p.hardware += last = kept;
  }
  while (p.hardware.back() == '_') p.hardware.pop_back();
  p.hardware += "-" + std::to_string(p.units);
  return p;
}

} // namespace

const Processor &processor() {
  static const Processor read_ = read();
  return read_;
}

} // namespace pantile::cpu
