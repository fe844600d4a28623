//===- emulator/Services.cpp ----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Services.h"

#include "backends/emulator/Machine.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>

using namespace pantile::emulator;

namespace {

void checkAlignment(Lane &lane, const Site &site, uint64_t address) {
  if (address % site.alignment)
    lane.fail(PANTILE_DATA_ERROR, fmt::format("address {:#x} is no multiple of {}, as this access needs", address, site.alignment));
}

// Kept out of the tables' way: rewritten code calls these by name.
char *accessGeneric(const Site *site, uint64_t address, uint64_t count) {
  Lane &lane = *currentLane;
  lane.site = site;
  checkAlignment(lane, *site, address);
  return lane.access(address, count, site->kind, site->ordered);
}
char *accessGlobal(const Site *site, uint64_t address, uint64_t count) {
  Lane &lane = *currentLane;
  lane.site = site;
  checkAlignment(lane, *site, address);
  return lane.global(address, count, site->kind, site->ordered);
}
char *accessShared(const Site *site, uint64_t address, uint64_t count) {
  Lane &lane = *currentLane;
  lane.site = site;
  checkAlignment(lane, *site, address);
  return lane.shared(address, count, site->kind, site->ordered);
}
uint64_t sharedAddress(uint64_t offset) { return Cluster::sharedAddress(currentLane->block().rank, uint32_t(offset)); }

void call(const Site *site, const uint64_t *in, uint64_t *out) {
  Lane &lane = *currentLane;
  lane.site = site;
  site->run(lane, {*site, in, out, site->data});
}

// Conversions that code generators call where the processor has none (half and bfloat pass in vector registers).
float extendHalf(_Float16 value) { return float(value); }
_Float16 truncateToHalf(float value) { return _Float16(value); }
_Float16 truncateDoubleToHalf(double value) { return _Float16(value); }
__bf16 truncateToBFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  uint16_t half = uint16_t(bits >> 16);
  if (std::isnan(value))
    half |= 0x40;
  else
    half = uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  __bf16 result;
  std::memcpy(&result, &half, 2);
  return result;
}
__bf16 truncateDoubleToBFloat(double value) {
  // Round to odd on the way, so that two roundings are one.
  float narrow = float(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, 4);
  if (double(narrow) != value && !std::isnan(value)) {
    if (std::fabs(double(narrow)) > std::fabs(value)) --bits;
    bits |= 1;
    std::memcpy(&narrow, &bits, 4);
  }
  return truncateToBFloat(narrow);
}

#define HOST(name, function) {name, reinterpret_cast<void *>(function)}
#define MATH1(f) HOST(#f, static_cast<double (*)(double)>(std::f)), HOST(#f "f", static_cast<float (*)(float)>(std::f))
#define MATH2(f) HOST(#f, static_cast<double (*)(double, double)>(std::f)), HOST(#f "f", static_cast<float (*)(float, float)>(std::f))

const HostSymbol kSymbols[] = {
    HOST("pantile_emulator_access", accessGeneric),
    HOST("pantile_emulator_access_global", accessGlobal),
    HOST("pantile_emulator_access_shared", accessShared),
    HOST("pantile_emulator_shared_address", sharedAddress),
    HOST("pantile_emulator_call", call),
    HOST("memcpy", static_cast<void *(*)(void *, const void *, size_t)>(std::memcpy)),
    HOST("memmove", static_cast<void *(*)(void *, const void *, size_t)>(std::memmove)),
    HOST("memset", static_cast<void *(*)(void *, int, size_t)>(std::memset)),
    HOST("__extendhfsf2", extendHalf),
    HOST("__truncsfhf2", truncateToHalf),
    HOST("__truncdfhf2", truncateDoubleToHalf),
    HOST("__truncsfbf2", truncateToBFloat),
    HOST("__truncdfbf2", truncateDoubleToBFloat),
    MATH1(exp),
    MATH1(exp2),
    MATH1(log),
    MATH1(log2),
    MATH1(log10),
    MATH1(sin),
    MATH1(cos),
    MATH1(tan),
    MATH1(tanh),
    MATH1(sinh),
    MATH1(cosh),
    MATH1(asin),
    MATH1(acos),
    MATH1(atan),
    MATH1(erf),
    MATH1(sqrt),
    MATH1(floor),
    MATH1(ceil),
    MATH1(trunc),
    MATH1(rint),
    MATH1(nearbyint),
    MATH1(round),
    MATH1(cbrt),
    MATH1(expm1),
    MATH1(log1p),
    MATH2(pow),
    MATH2(fmod),
    MATH2(fmax),
    MATH2(fmin),
    MATH2(atan2),
    HOST("roundeven", static_cast<double (*)(double)>(std::nearbyint)),
    HOST("roundevenf", static_cast<float (*)(float)>(std::nearbyint)),
    HOST("fma", static_cast<double (*)(double, double, double)>(std::fma)),
    HOST("fmaf", static_cast<float (*)(float, float, float)>(std::fma)),
    HOST("ldexp", static_cast<double (*)(double, int)>(std::ldexp)),
    HOST("ldexpf", static_cast<float (*)(float, int)>(std::ldexp)),
};

#undef HOST
#undef MATH1
#undef MATH2

} // namespace

namespace pantile::emulator {
std::span<const HostSymbol> hostSymbols() { return kSymbols; }
} // namespace pantile::emulator
