//===- tuner/tests/Spaces.h - spaces with known times ---------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_TESTS_SPACES_H
#define PANTILE_TUNER_TESTS_SPACES_H

#include "tuner/CostModel.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace pantile::tuner {

inline ParameterDescription parameter(std::string name, pantile_parameter_kind kind, std::vector<int64_t> values, std::string standard) {
  ParameterDescription p;
  p.name = std::move(name);
  p.kind = kind;
  p.values = std::move(values);
  p.defaultValue = std::move(standard);
  return p;
}
inline ParameterDescription boolean(std::string name) { return parameter(std::move(name), PANTILE_PARAMETER_BOOL, {}, "0"); }
inline ParameterDescription pow2(std::string name, int64_t low, int64_t high, std::string standard) {
  return parameter(std::move(name), PANTILE_PARAMETER_POW2, {low, high}, std::move(standard));
}
inline ParameterDescription integer(std::string name, int64_t low, int64_t high, std::string standard) {
  return parameter(std::move(name), PANTILE_PARAMETER_INTEGER, {low, high}, std::move(standard));
}
inline ParameterDescription ordered(std::string name, std::vector<int64_t> values, std::string standard) {
  return parameter(std::move(name), PANTILE_PARAMETER_ORDERED, std::move(values), std::move(standard));
}
inline ParameterDescription choiceOf(std::string name, std::vector<std::string> labels, std::string standard) {
  ParameterDescription p = parameter(std::move(name), PANTILE_PARAMETER_ENUM, {}, std::move(standard));
  p.labels = std::move(labels);
  return p;
}
inline ParameterDescription permutation(std::string name, uint32_t length) {
  ParameterDescription p = parameter(std::move(name), PANTILE_PARAMETER_PERMUTATION, {}, "");
  p.length = length;
  return p;
}

inline Space makeSpace(SpaceDescription description, const CallValues &values = {}) {
  auto space = Space::create(std::move(description), values);
  if (!space) {
    std::fprintf(stderr, "%s\n", space.status().message().c_str());
    std::abort();
  }
  return *std::move(space);
}

/// A tiled matrix product as a GPU-like device would offer it.
inline SpaceDescription matmulSpace() {
  SpaceDescription d;
  d.parameters = {pow2("bm", 16, 256, "64"),
                  pow2("bn", 16, 256, "64"),
                  pow2("bk", 16, 128, "32"),
                  integer("stages", 1, 6, "2"),
                  pow2("warps", 1, 16, "4"),
                  choiceOf("map", {"flat", "persistent"}, "0"),
                  pow2("multiplier", 1, 8, "1"),
                  ordered("group", {1, 2, 4, 8, 16}, "1"),
                  boolean("swizzle"),
                  permutation("order", 3)};
  d.parameters[6].activeIf = "c.map 1 ==";
  d.constraints = {{"c.bm c.bk * c.bn c.bk * + 2 * c.stages * 200000 <=", "stages fit on chip"},
                   {"c.bm c.bn * 4 * c.warps 32768 * <=", "accumulators fit in registers"},
                   {"c.bm c.bn * c.warps 256 * >=", "every lane has work"}};
  d.features = {{"mma_flops", "kM c.bm ceildiv c.bm * kN c.bn ceildiv c.bn * * kK c.bk ceildiv c.bk * 2 * *"},
                {"bytes", "kM c.bm ceildiv kN c.bn ceildiv * c.bm c.bn + kK 2 * * *"},
                {"unique_bytes", "kM kK * kK kN * + 2 *"},
                {"programs", "kM c.bm ceildiv kN c.bn ceildiv *"},
                {"iterations", "kK c.bk ceildiv"},
                {"stages", "c.stages"},
                {"threads", "c.warps 32 *"},
                {"live_bytes", "c.bm c.bn * 4 *"},
                {"shared_bytes", "c.bm c.bk * c.bn c.bk * + 2 * c.stages *"}};
  return d;
}

inline CallValues matmulValues(int64_t m, int64_t n, int64_t k) {
  return {{"kM", m},
          {"kN", n},
          {"kK", k},
          {"d.units", 100},
          {"d.clock_khz", 1500000},
          {"d.mma_flops_per_cycle", 4096},
          {"d.flops_per_cycle", 256},
          {"d.memory_bytes_per_second", 2000000000000},
          {"d.l2_bytes", 40 << 20},
          {"d.shared_bytes", 200000},
          {"d.register_bytes", 200000},
          {"d.max_threads", 2048},
          {"d.max_programs", 8}};
}

/// "Hardware": a time in microseconds whose shape the model knows roughly, and whose details it does not.
inline double matmulTime(const Space &space, const Point &point) {
  Configuration c = space.configuration(point);
  auto number = [&](const char *name) { return double(c.integer(name, 1)); };
  auto lg = [&](const char *name) { return std::log2(number(name)); };
  auto bowl = [](double x, double at, double width) { return 1 + (x - at) * (x - at) / (width * width); };
  double bm = number("bm"), bn = number("bn");
  double compute = 180 * (1 + 20 / bm + 20 / bn), memory = 25000 * (1 / bm + 1 / bn);
  double time = std::pow(std::pow(compute, 3) + std::pow(memory, 3), 1.0 / 3);
  if (bm * bn > 32768) time *= 1.7; // spills
  time *= bowl(lg("warps") - lg("bm") - lg("bn"), -12, 2.5) * bowl(lg("bk"), 6, 2.5) * bowl(number("stages"), 4, 4);
  if (c.text("map", "") == "persistent") time *= 0.92 * bowl(lg("multiplier"), 1, 4);
  time *= bowl(lg("group"), 3, 8);
  if (c.integer("swizzle", 0)) time *= c.integer("bk", 0) >= 64 ? 0.85 : 1.1;
  auto order = std::get<std::vector<int64_t>>(*c.find("order"));
  time *= 1 + 0.05 * double(order[0]) + 0.03 * double(order[1] != 0);
  // Bank conflicts and the like: a texture that no smooth model follows.
  uint64_t texture = PointHash()(Point{point[0], point[1], point[2], point[4]}) % 1000;
  return time * (1 + 0.08 * double(texture) / 1000);
}

} // namespace pantile::tuner

#endif // PANTILE_TUNER_TESTS_SPACES_H
