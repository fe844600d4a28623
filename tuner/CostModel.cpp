//===- tuner/CostModel.cpp - waves, roofline, fill, pressure --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/CostModel.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace pantile::tuner {

CostModel::CostModel(const Space &space) : space(space), anyFeature(false) {
  for (const FeatureDescription &feature : space.description().features)
    for (std::string_view used :
         {"flops", "mma_flops", "bytes", "cache_bytes", "programs", "calls", "iterations", "live_bytes", "shared_bytes"})
      anyFeature |= feature.name == used;
  // Fallbacks are the middle of what today's devices have; only their ratios matter.
  device.units = constant("d.units", 8);
  device.clock = constant("d.clock_khz", 2e6) * 1e3;
  device.flops = constant("d.flops_per_cycle", 32) * device.clock;
  device.mmaFlops = constant("d.mma_flops_per_cycle", device.flops / device.clock) * device.clock;
  device.memory = constant("d.memory_bytes_per_second", device.units * device.flops / 10);
  device.cache = constant("d.cache_bytes_per_cycle", 64) * device.clock;
  device.l2 = constant("d.l2_bytes_per_second", device.memory * 3);
  device.l2Bytes = constant("d.l2_bytes", 1 << 20);
  device.shared = constant("d.shared_bytes", 0);
  device.registers = constant("d.register_bytes", 0);
  device.threads = constant("d.max_threads", 0);
  device.programs = constant("d.max_programs", 1);
  device.launch = constant("d.launch_ns", 2000) * 1e-9;
  device.latency = constant("d.memory_latency_ns", 300) * 1e-9;
  device.call = constant("d.call_ns", 5) * 1e-9;
}

double CostModel::constant(std::string_view name, double fallback) const {
  auto value = space.value(name);
  return value && *value > 0 ? double(*value) : fallback;
}

std::optional<CostModel::Estimate> CostModel::estimate(const Point &point) const {
  if (!anyFeature) return std::nullopt;
  auto get = [&](std::string_view name, double fallback) {
    auto value = space.feature(name, point);
    return value ? std::max(0.0, double(*value)) : fallback;
  };
  double programs = std::max(1.0, get("programs", device.units)), iterations = std::max(1.0, get("iterations", 1));
  double threads = get("threads", 0), stages = get("stages", 2), live = get("live_bytes", 0), shared = get("shared_bytes", 0);
  double mma = get("mma_flops", 0), flops = std::max(0.0, get("flops", 0) - mma);
  double bytes = get("bytes", 0), unique = std::min(get("unique_bytes", bytes), bytes), cacheBytes = get("cache_bytes", 0);
  double efficiency = std::clamp(get("efficiency", 100) / 100, 0.01, 1.0);

  Estimate e;
  // Programs that fit on a unit at once; the on-chip limits bound them, a device without such limits runs one.
  e.occupancy = std::max(1.0, device.programs);
  if (device.shared && shared) e.occupancy = std::min(e.occupancy, std::max(1.0, std::floor(device.shared / shared)));
  if (device.registers && live) e.occupancy = std::min(e.occupancy, std::max(1.0, std::floor(device.registers / live)));
  if (device.threads && threads) e.occupancy = std::min(e.occupancy, std::max(1.0, std::floor(device.threads / threads)));
  if (device.registers) e.pressure = std::max(e.pressure, live / device.registers);
  if (device.shared) e.pressure = std::max(e.pressure, shared / device.shared);
  double slots = device.units * e.occupancy;
  e.waves = std::ceil(programs / slots);
  // Units that work during an average wave; a unit shares its rate among the programs on it.
  double busy = std::min(device.units, programs);
  double balance = programs / (e.waves * slots);              // 1: the last wave is full
  double tail = programs > slots ? (1 + 1 / balance) / 2 : 1; // overlapping waves hide about half of it

  e.compute = (flops / device.flops + mma / device.mmaFlops) / busy * tail / efficiency;
  e.cache = cacheBytes / (device.cache * busy) * tail;
  // Traffic beyond one read of everything comes from the shared cache: all of it where everything fits there; else programs
  // that run together share what they read, in two dimensions as a rule, so each byte serves the square root of them.
  double cached = unique > 0 ? std::min(1.0, device.l2Bytes / unique) : 1;
  double reuse = unique > 0 ? std::min(bytes / unique, std::sqrt(std::min(programs, slots))) : 1;
  double dram = std::max(unique, std::min(bytes / std::max(1.0, reuse), unique + (bytes - unique) * (1 - 0.9 * cached)));
  // One unit alone does not saturate memory; about a quarter of the units do.
  double share = std::min(1.0, busy / std::max(1.0, device.units / 4));
  e.memory = dram / (device.memory * share) + (bytes - dram) / (device.l2 * share);
  // What does not fit in registers is stored and loaded again in every iteration.
  if (e.pressure > 1) {
    e.cache += (e.pressure - 1) * device.registers * 2 * iterations * programs / (device.cache * busy);
    e.compute *= 1 + 0.25 * std::min(4.0, e.pressure - 1);
  }
  double fill = device.latency * std::max(1.0, stages - iterations) * e.waves;
  e.overhead = device.launch * std::max(1.0, get("launches", 1)) + fill + get("calls", programs) * device.call / busy +
               get("reduce_bytes", 0) / device.memory;
  double seconds = e.overhead;
  if (stages <= 1 && device.programs > 1 && e.occupancy <= 1)
    seconds += e.compute + std::max(e.memory, e.cache); // nothing overlaps
  else
    seconds += std::max({e.compute, e.memory, e.cache}) + 0.1 * (e.compute + e.memory + e.cache);
  for (double *part : {&e.compute, &e.memory, &e.cache, &e.overhead}) *part *= 1e6;
  e.microseconds = seconds * 1e6;
  return e;
}

double CostModel::score(const Point &point) const {
  auto e = estimate(point);
  return e ? e->microseconds : std::numeric_limits<double>::infinity();
}

std::vector<Point> CostModel::rank(size_t count, size_t samples, Random &random) const {
  std::vector<Point> result;
  if (!anyFeature || count == 0) return result;
  std::vector<std::pair<double, Point>> scored;
  std::unordered_set<Point, PointHash> seen;
  auto consider = [&](Point point) {
    if (seen.insert(point).second) scored.push_back({score(point), std::move(point)});
  };
  if (space.defaults()) consider(*space.defaults());
  for (size_t i = 0; i < samples; ++i)
    if (auto point = space.sample(random)) consider(std::move(*point));
  std::sort(scored.begin(), scored.end());

  // What the model does not see is left at its default: a point of each kind of program is enough, and the defaults are the
  // best guess for the rest.
  auto plain = [&](Point point, double time) {
    if (!space.defaults()) return point;
    for (size_t i = 0; i < point.size(); ++i) {
      if (point[i] == (*space.defaults())[i]) continue;
      Point other = point;
      other[i] = (*space.defaults())[i];
      other = space.canonical(std::move(other));
      if (space.legal(other) && score(other) <= time * (1 + 1e-9)) point = std::move(other);
    }
    return point;
  };
  std::vector<std::pair<double, Point>> best;
  seen.clear();
  auto keep = [&](const Point &raw, double time) {
    Point point = plain(raw, time);
    if (seen.insert(point).second) best.push_back({score(point), std::move(point)});
  };
  for (size_t i = 0; i < std::min(scored.size(), std::max<size_t>(64, 4 * count)); ++i) keep(scored[i].second, scored[i].first);
  // A few rounds of improving the best: samples of a large space rarely contain its optimum.
  for (int round = 0; round < 4; ++round) {
    std::sort(best.begin(), best.end());
    std::vector<Point> leaders;
    for (size_t i = 0; i < std::min<size_t>(best.size(), 8); ++i) leaders.push_back(best[i].second);
    for (const Point &leader : leaders)
      for (const Point &other : space.neighbours(leader, 2)) keep(other, score(other));
  }
  std::sort(best.begin(), best.end());
  for (size_t i = 0; i < best.size() && result.size() < count; ++i)
    if (!std::isinf(best[i].first)) result.push_back(std::move(best[i].second));
  return result;
}

void CostModel::encode(const Point &point, std::vector<float> &out) const {
  auto e = estimate(point);
  if (!e) {
    out.insert(out.end(), kTerms, 0.f);
    return;
  }
  for (double term : {e->microseconds, e->compute, e->memory, e->cache, e->overhead, e->waves, e->pressure})
    out.push_back(float(std::log2(term + 1e-6)));
}

} // namespace pantile::tuner
