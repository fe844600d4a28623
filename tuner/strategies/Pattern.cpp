//===- tuner/strategies/Pattern.cpp - local search from several centres ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Pattern search (Hooke and Jeeves, 1961) in the asynchronous form that Helion's tuner has made familiar:
//
//   1. Start: the defaults, the seeds, the cost model's best, and random legal points (30 together, fewer for a small budget).
//   2. The fastest 4 become centres. Of each, all neighbours in one parameter are asked, in random order, one step away.
//   3. A neighbour that is faster than its centre by 0.3 % takes its place at once; what was left of the old neighbours is
//      dropped. A centre without a faster neighbour looks two steps away, once, and is then done.
//   4. When all centres are done, others start from new random points, until these are used up too.
//
//===----------------------------------------------------------------------===//

#include "tuner/strategies/Strategies.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace pantile::tuner {
namespace {

constexpr size_t kStart = 30, kCentres = 4;
constexpr double kProgress = 0.003;

class Pattern final : public SeededStrategy {
public:
  Pattern(const Space &space, StrategyOptions given) : SeededStrategy(space, std::move(given)) {
    wanted = options.expectedTrials ? std::clamp<size_t>(options.expectedTrials / 3, 4, kStart) : kStart;
    if (options.model && options.model->known())
      for (Point &point : options.model->rank(wanted / 2, 4000, random)) options.seeds.push_back(std::move(point));
  }

  std::vector<Point> ask(size_t count) override {
    std::vector<Point> points;
    takeSeeds(points, count);
    while (points.size() < count && !exhausted) {
      if (centres.empty() && round.size() + starts.size() < wanted) {
        auto point = fresh();
        exhausted = !point;
        if (point) starts.insert(*point), points.push_back(std::move(*point));
        continue;
      }
      if (centres.empty() && !starts.empty()) break; // the start is under way
      if (centres.empty()) chooseCentres();
      Centre *next = nextCentre();
      if (!next) {
        if (outstanding + points.size() > 0) break; // their neighbours are under way
        centres.clear();
        round.clear();
        askers.clear();
        continue;
      }
      Point point = std::move(next->neighbours.front());
      next->neighbours.pop_front();
      claim(point);
      askers.emplace(point, size_t(next - centres.data()));
      points.push_back(std::move(point));
    }
    outstanding += points.size();
    return points;
  }

  void tell(std::span<const Trial> trials) override {
    for (const Trial &trial : trials) {
      if (outstanding > 0) --outstanding;
      starts.erase(trial.point);
      double time = trial.timed() ? trial.median : std::numeric_limits<double>::infinity();
      if (centres.empty()) {
        round.push_back({trial.point, time, 1, {}});
        continue;
      }
      auto asker = askers.find(trial.point);
      if (asker == askers.end() || asker->second >= centres.size()) continue;
      if (Centre &centre = centres[asker->second]; time < centre.time * (1 - kProgress)) {
        centre = {trial.point, time, 1, {}};
        look(centre);
      }
      askers.erase(asker);
    }
  }

  bool done() const override { return exhausted; }

private:
  struct Centre {
    Point point;
    double time;
    unsigned radius;
    std::deque<Point> neighbours; ///< not asked yet
  };

  void look(Centre &centre) {
    std::vector<Point> all = space.neighbours(centre.point, centre.radius);
    for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
    centre.neighbours.assign(all.begin(), all.end());
  }

  void chooseCentres() {
    std::sort(round.begin(), round.end(),
              [](const Centre &a, const Centre &b) { return a.time != b.time ? a.time < b.time : a.point < b.point; });
    centres.assign(round.begin(), round.begin() + ptrdiff_t(std::min(kCentres, round.size())));
    for (Centre &centre : centres) look(centre);
  }

  /// In turns; one that has run out looks farther once.
  Centre *nextCentre() {
    for (size_t i = 0; i < centres.size(); ++i) {
      Centre &centre = centres[(turn + i) % centres.size()];
      std::erase_if(centre.neighbours, [&](const Point &point) { return claimed(point); });
      if (centre.neighbours.empty() && outstanding == 0 && centre.radius == 1) {
        centre.radius = 2;
        look(centre);
        std::erase_if(centre.neighbours, [&](const Point &point) { return claimed(point); });
      }
      if (centre.neighbours.empty()) continue;
      turn = (turn + i + 1) % centres.size();
      return &centre;
    }
    return nullptr;
  }

  std::vector<Centre> round, centres;                  ///< what this start measured; what is searched around
  std::unordered_set<Point, PointHash> starts;         ///< under way
  std::unordered_map<Point, size_t, PointHash> askers; ///< of neighbours under way: their centre
  size_t wanted = kStart, outstanding = 0, turn = 0;
  bool exhausted = false;
};

} // namespace

std::unique_ptr<Strategy> makePattern(const Space &space, StrategyOptions options) {
  return std::make_unique<Pattern>(space, std::move(options));
}

} // namespace pantile::tuner
