//===- cpu/compiler/codegen/Target.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/Target.h"

#include <fmt/format.h>

#include <charconv>

namespace pantile::cpu {

namespace {

constexpr std::string_view kX86 = "x86_64-unknown-linux-gnu";

// clang-format off
constexpr CpuTarget kTargets[] = {
  // name, triple, cpu, features, bits, registers, fma, masks, round, f16, bf16 dot, int8 dot, l1 ways
  {"x86_64",         kX86, "x86-64",    "",                                          128, 16, false, false, false, false, false, false, 8},
  {"x86_64_v3",      kX86, "x86-64-v3", "",                                          256, 16, true,  false, true,  true,  false, false, 8},
  {"x86_64_v4",      kX86, "x86-64-v4", "",                                          512, 32, true,  true,  true,  true,  false, false, 8},
  {"x86_64_v4_bf16", kX86, "x86-64-v4", "+avx512bf16,+avx512vnni",       512, 32, true,  true,  true,  true,  true,  true,  8},
  {"aarch64", "aarch64-unknown-linux-gnu", "generic", "",                            128, 32, true,  false, true,  true,  false, false, 4},
};
// clang-format on

struct Property {
  std::string_view name;
  int64_t CpuTarget::*field;
  int64_t least;
};
constexpr Property kProperties[] = {
    {"units", &CpuTarget::units, 1}, {"l1", &CpuTarget::l1Bytes, 4096}, {"l2", &CpuTarget::l2Bytes, 0}, {"l3", &CpuTarget::l3Bytes, 0}};

Status setProperty(CpuTarget &target, std::string_view text) {
  size_t equals = text.find('=');
  std::string_view key = text.substr(0, equals);
  for (const Property &property : kProperties) {
    if (property.name != key) continue;
    std::string_view digits = equals == text.npos ? std::string_view() : text.substr(equals + 1);
    int64_t number = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty() || number < property.least)
      return Status(PANTILE_INVALID_ARGUMENT,
                    fmt::format("property '{}' of a CPU target is '{}', not an integer of at least {}", key, digits, property.least));
    target.*property.field = number;
    return Status::ok();
  }
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("unknown property '{}' of a CPU target", key)).withFix("use units, l1, l2, l3");
}

} // namespace

std::span<const CpuTarget> allTargets() { return kTargets; }

Expected<CpuTarget> parseTarget(std::string_view text) {
  size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  for (const CpuTarget &row : kTargets) {
    if (row.name != name) continue;
    CpuTarget target = row;
    while (colon != text.npos) {
      size_t next = text.find(',', colon + 1);
      PANTILE_RETURN_IF_ERROR(setProperty(target, text.substr(colon + 1, next == text.npos ? next : next - colon - 1)));
      colon = next;
    }
    return target;
  }
  std::string known;
  for (const CpuTarget &row : kTargets) known += (known.empty() ? "" : ", ") + std::string(row.name);
  return Status(PANTILE_NOT_FOUND, fmt::format("unknown CPU target '{}'", name)).withFix("use one of " + known);
}

static std::string propertiesAsJson(const CpuTarget &t) {
  return fmt::format("\"units\":{},\"vector_bits\":{},\"vector_registers\":{},\"l1_bytes\":{},\"l2_bytes\":{},\"l3_bytes\":{},\"fma\":{},"
                     "\"masks\":{},\"f16\":{},\"bf16_dot\":{},\"int8_dot\":{}",
                     t.units, t.vectorBits, t.registers, t.l1Bytes, t.l2Bytes, t.l3Bytes, int(t.hasFma), int(t.hasMasks), int(t.hasF16),
                     int(t.hasBF16Dot), int(t.hasInt8Dot));
}

std::string targetsAsJson() {
  std::string text = "[";
  for (const CpuTarget &t : kTargets)
    text += fmt::format("{}{{\"name\":\"{}\",\"arch\":\"{}\",\"properties\":{{{}}}}}", text.size() > 1 ? "," : "", t.name, t.name,
                        propertiesAsJson(t));
  return text + "]";
}

std::string targetAsJson(const CpuTarget &target) {
  return fmt::format("{{\"name\":\"{}\",\"arch\":\"{}\",{}}}", target.name, target.name, propertiesAsJson(target));
}

bool runsHere(const CpuTarget &target) {
#if defined(__x86_64__)
  if (target.name == "x86_64") return true;
  if (target.name == "x86_64_v3") return __builtin_cpu_supports("x86-64-v3");
  if (target.name == "x86_64_v4") return __builtin_cpu_supports("x86-64-v4");
  if (target.name == "x86_64_v4_bf16")
    return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
  return false;
#elif defined(__aarch64__)
  return target.isAArch64();
#else
  return false;
#endif
}

} // namespace pantile::cpu
