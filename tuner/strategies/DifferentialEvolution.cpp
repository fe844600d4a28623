//===- tuner/strategies/DifferentialEvolution.cpp - DE/rand-to-best/1/bin -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Storn and Price, "Differential Evolution" (1997), in its asynchronous (steady state) form, so that no generation waits:
//
//   1. The population starts with the defaults, the seeds, and random legal points.
//   2. For a slot i in turn: donor = a + F (b - c), where a, b, c are distinct members and a is the best one every third
//      time; F is drawn from [0.4, 0.9] ("dither"). Binomial crossover of member i with the donor at rate 0.8, repair.
//   3. The candidate replaces member i once it is measured, if it is not slower.
//   4. After 6 populations' worth of trials without a better best, all but the best member are drawn anew.
//
//===----------------------------------------------------------------------===//

#include "tuner/strategies/Strategies.h"

#include <algorithm>
#include <unordered_map>

namespace pantile::tuner {
namespace {

class DifferentialEvolution final : public SeededStrategy {
public:
  DifferentialEvolution(const Space &space, StrategyOptions given) : SeededStrategy(space, std::move(given)) {
    size_t wanted = std::clamp<size_t>(4 * space.dimensions(), 12, 40);
    if (options.expectedTrials) wanted = std::clamp<size_t>(options.expectedTrials / 6, 8, wanted);
    members.resize(wanted);
  }

  std::vector<Point> ask(size_t count) override {
    std::vector<Point> points;
    if (exhausted) return points;
    std::vector<Point> seeds;
    takeSeeds(seeds, count);
    for (Point &seed : seeds) give(points, std::move(seed), emptySlot());
    while (points.size() < count && !exhausted) {
      size_t slot = emptySlot();
      if (slot < members.size()) {
        if (auto point = fresh())
          give(points, std::move(*point), slot);
        else
          exhausted = true;
        continue;
      }
      if (measured() < 4) break; // the first population is under way
      if (auto candidate = evolve(turn)) give(points, std::move(*candidate), turn);
      turn = (turn + 1) % members.size();
    }
    return points;
  }

  void tell(std::span<const Trial> trials) override {
    for (const Trial &trial : trials) {
      size_t slot = members.size();
      if (auto found = underWay.find(trial.point); found != underWay.end()) {
        slot = found->second;
        underWay.erase(found);
      }
      // Points that were told but not asked (another run's), or that had no slot, replace the worst member.
      if (slot >= members.size())
        slot = size_t(std::max_element(members.begin(), members.end(), [](auto &a, auto &b) { return a.time < b.time; }) - members.begin());
      double time = trial.timed() ? trial.median : std::numeric_limits<double>::infinity();
      Member &member = members[slot];
      if (member.point.empty() || time <= member.time) member = {trial.point, time, true};
      member.claimed = true;
      if (time < best)
        best = time, sinceBest = 0;
      else
        ++sinceBest;
    }
    if (sinceBest > 6 * members.size()) renew();
  }

  bool done() const override { return exhausted; }

private:
  struct Member {
    Point point; ///< empty: not measured yet
    double time = std::numeric_limits<double>::infinity();
    bool claimed = false; ///< its first point has been asked
  };

  size_t measured() const {
    return size_t(std::count_if(members.begin(), members.end(), [](const Member &m) { return !m.point.empty(); }));
  }
  size_t emptySlot() const {
    return size_t(std::find_if(members.begin(), members.end(), [](const Member &m) { return !m.claimed; }) - members.begin());
  }
  void give(std::vector<Point> &points, Point point, size_t slot) {
    if (slot < members.size()) members[slot].claimed = true;
    underWay.emplace(point, slot);
    points.push_back(std::move(point));
  }

  std::optional<Point> evolve(size_t slot) {
    std::vector<size_t> pool;
    for (size_t i = 0; i < members.size(); ++i)
      if (!members[i].point.empty()) pool.push_back(i);
    auto bestSlot = *std::min_element(pool.begin(), pool.end(), [&](size_t a, size_t b) { return members[a].time < members[b].time; });
    if (members[slot].point.empty()) slot = bestSlot;
    for (unsigned attempt = 0; attempt < 20; ++attempt) {
      size_t a = pool[random.below(pool.size())], b = pool[random.below(pool.size())], c = pool[random.below(pool.size())];
      if (random.below(3) == 0) a = bestSlot;
      if (b == c) continue;
      Point donor = space.differential(members[a].point, members[b].point, members[c].point, 0.4 + 0.5 * random.uniform(), random);
      auto candidate = space.crossover(members[slot].point, donor, 0.8, random);
      if (candidate && claim(*candidate)) return candidate;
    }
    // The population has converged here: a mutation keeps it moving.
    for (unsigned attempt = 0; attempt < 50; ++attempt)
      if (auto candidate = space.mutate(members[bestSlot].point, 0.15 + 0.01 * attempt, random); candidate && claim(*candidate))
        return candidate;
    if (auto point = fresh()) return point;
    exhausted = true;
    return std::nullopt;
  }

  void renew() {
    auto keep = std::min_element(members.begin(), members.end(), [](auto &a, auto &b) { return a.time < b.time; });
    for (auto member = members.begin(); member != members.end(); ++member)
      if (member != keep) *member = {};
    sinceBest = 0;
  }

  std::vector<Member> members;
  std::unordered_map<Point, size_t, PointHash> underWay;
  size_t turn = 0, sinceBest = 0;
  double best = std::numeric_limits<double>::infinity();
  bool exhausted = false;
};

} // namespace

std::unique_ptr<Strategy> makeDifferentialEvolution(const Space &space, StrategyOptions options) {
  return std::make_unique<DifferentialEvolution>(space, std::move(options));
}

} // namespace pantile::tuner
