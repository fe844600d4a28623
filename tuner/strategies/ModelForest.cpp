//===- tuner/strategies/ModelForest.cpp - cost model, then random forest --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   1. Start: the defaults, the seeds, the cost model's best (24, fewer for a small budget), and points that fill the space
//      (8, each as far as possible from all before it). Without a model: 16 points that fill the space.
//   2. Loop in batches of 8. A random forest learns to tell the best tenth (at least 4) of what was measured from the rest,
//      failures included, from encoded parameters and the model's terms; a better time weighs more. It ranks a pool: the
//      neighbours of the best 4 in one parameter (radius 2), mutations of them in two or three, and 400 points from all over
//      the space, of which the model keeps the better half. A batch takes the likeliest, spread out: each pick makes points
//      that land in the same region less attractive.
//   3. Three batches without 0.3 % of progress: the next one fills the space again, far from everything tried, and the
//      search goes on from there. Three such restarts in vain: done.
//
// Why a classifier, and so few initial points: notes in the README.
//
//===----------------------------------------------------------------------===//

#include "tuner/Forest.h"
#include "tuner/strategies/Strategies.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace pantile::tuner {
namespace {

constexpr size_t kBatch = 8, kModelSeeds = 24, kFill = 8, kFillWithoutModel = 16, kPool = 400;
constexpr double kProgress = 0.003;
constexpr unsigned kPatience = 3, kRestarts = 3;

class ModelForest final : public SeededStrategy {
public:
  ModelForest(const Space &space, StrategyOptions given) : SeededStrategy(space, std::move(given)) {
    if (options.model && !tellsApart(*options.model)) options.model = nullptr;
  }

  std::vector<Point> ask(size_t count) override {
    std::vector<Point> points;
    if (finished) return points;
    takeSeeds(points, count);
    if (!started && points.size() < count) start();
    while (points.size() < count) {
      takeQueued(points, count);
      if (points.size() >= count) break;
      // Learning needs something to learn from; until then what is asked fills the space.
      if (rows.size() >= 6 && best < std::numeric_limits<double>::infinity())
        nextBatch();
      else if (pending() < 2 * kBatch)
        fill(kBatch / 2);
      if (queue.empty()) {
        finished = pending() == 0 || spaceUsedUp;
        break;
      }
    }
    outstanding += points.size();
    return points;
  }

  void tell(std::span<const Trial> trials) override {
    for (const Trial &trial : trials) {
      if (outstanding > 0) --outstanding;
      double time = trial.timed() ? trial.median : std::numeric_limits<double>::infinity();
      rows.push_back({trial.point, time});
      encode(trial.point, encoded);
      if (time < best * (1 - kProgress)) lastProgress = rows.size();
      best = std::min(best, time);
    }
  }

  bool done() const override { return finished; }

private:
  struct Row {
    Point point;
    double time;
  };

  /// Whether the model sees differences between points: features that do not depend on the configuration rank nothing.
  bool tellsApart(const CostModel &model) const {
    if (!model.known() || !space.defaults()) return false;
    Random own(1);
    double standard = model.score(*space.defaults());
    for (int i = 0; i < 32; ++i)
      if (auto point = space.sample(own); point && std::abs(model.score(*point) - standard) > 1e-6 * standard) return true;
    return false;
  }

  size_t width() const { return space.encodedSize() + (options.model ? CostModel::kTerms : 0); }
  size_t pending() const { return outstanding; }
  void encode(const Point &point, std::vector<float> &out) const {
    space.encode(point, out);
    if (options.model) options.model->encode(point, out);
  }

  void takeQueued(std::vector<Point> &points, size_t count) {
    for (; !queue.empty() && points.size() < count; queue.pop_front()) points.push_back(std::move(queue.front()));
  }

  void start() {
    started = true;
    size_t budget = options.expectedTrials ? options.expectedTrials : SIZE_MAX;
    if (options.model) {
      size_t wanted = std::clamp<size_t>(budget / 2, 4, kModelSeeds);
      for (Point &point : options.model->rank(wanted, 4000, random))
        if (claim(point)) queue.push_back(std::move(point));
      fill(std::clamp<size_t>(budget / 8, 2, kFill));
    } else {
      fill(std::clamp<size_t>(budget / 3, 4, kFillWithoutModel));
    }
  }

  /// Queues points far from everything asked: the farthest of a few samples, in encoded distance scaled to [0, 1].
  void fill(size_t count) {
    for (size_t n = 0; n < count; ++n) {
      std::optional<Point> farthest;
      double distance = -1;
      for (int i = 0; i < 24; ++i) {
        auto point = space.sample(random);
        if (!point || claimed(*point)) continue;
        double nearest = std::numeric_limits<double>::infinity();
        for (const Row &row : rows) nearest = std::min(nearest, distanceBetween(*point, row.point));
        for (const Point &other : queue) nearest = std::min(nearest, distanceBetween(*point, other));
        if (nearest > distance) distance = nearest, farthest = std::move(point);
      }
      if (!farthest)
        farthest = fresh();
      else
        claim(*farthest);
      if (!farthest) {
        spaceUsedUp = true;
        return;
      }
      queue.push_back(std::move(*farthest));
    }
  }

  double distanceBetween(const Point &a, const Point &b) const {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      pantile_parameter_kind kind = space.description().parameters[i].kind;
      bool scaled = kind == PANTILE_PARAMETER_POW2 || kind == PANTILE_PARAMETER_ORDERED || kind == PANTILE_PARAMETER_INTEGER;
      sum += scaled ? std::abs(double(a[i]) - double(b[i])) / double(space.cardinality(i) - 1) : 1;
    }
    return sum;
  }

  void nextBatch() {
    if (rows.size() >= std::max(lastProgress, lastRestart) + kPatience * kBatch && rows.size() >= 4 * kBatch) {
      if (best < bestAtRestart * (1 - kProgress)) restarts = 0;
      bestAtRestart = best;
      if (restarts == kRestarts) return; // done, unless a trial under way is a surprise
      ++restarts;
      lastRestart = rows.size();
      return fill(kBatch);
    }
    learn();
    std::vector<Point> pool = candidates();
    if (pool.empty()) return fill(kBatch);
    pick(pool);
  }

  void learn() {
    std::vector<double> times;
    for (const Row &row : rows) times.push_back(row.time);
    std::vector<double> sorted = times;
    size_t positives = std::min(sorted.size(), std::max<size_t>(4, sorted.size() / 10));
    std::nth_element(sorted.begin(), sorted.begin() + ptrdiff_t(positives - 1), sorted.end());
    double limit = sorted[positives - 1];
    std::vector<bool> labels;
    std::vector<float> weights;
    for (double time : times) {
      bool good = time <= limit && !std::isinf(time);
      labels.push_back(good);
      weights.push_back(good ? float(1 + 2 * best / time) : 1.f);
    }
    forest.fit(encoded, width(), labels, weights, {}, random);
  }

  /// The pool: unasked points near the best, and from all over.
  std::vector<Point> candidates() {
    std::vector<size_t> order(rows.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    size_t leaders = std::min<size_t>(4, order.size());
    std::partial_sort(order.begin(), order.begin() + ptrdiff_t(leaders), order.end(),
                      [&](size_t a, size_t b) { return rows[a].time != rows[b].time ? rows[a].time < rows[b].time : a < b; });
    std::vector<Point> pool;
    std::unordered_set<Point, PointHash> seen;
    auto add = [&](Point point) {
      if (!claimed(point) && seen.insert(point).second) pool.push_back(std::move(point));
    };
    for (size_t i = 0; i < leaders; ++i) {
      const Point &leader = rows[order[i]].point;
      if (std::isinf(rows[order[i]].time)) break;
      for (Point &other : space.neighbours(leader, 2)) add(std::move(other));
      for (int n = 0; n < 40; ++n)
        if (auto other = space.mutate(leader, 1.5 / double(std::max<size_t>(1, space.dimensions())), random)) add(std::move(*other));
    }
    std::vector<std::pair<double, Point>> distant;
    for (size_t n = 0; n < kPool; ++n)
      if (auto point = space.sample(random)) distant.push_back({options.model ? options.model->score(*point) : 0, std::move(*point)});
    if (options.model) {
      std::sort(distant.begin(), distant.end());
      distant.resize(distant.size() / 2);
    }
    for (auto &[score, point] : distant) add(std::move(point));
    return pool;
  }

  void pick(std::vector<Point> &pool) {
    size_t columns = width();
    std::vector<float> probability;
    std::vector<float> row;
    for (const Point &point : pool) {
      row.clear();
      encode(point, row);
      probability.push_back(forest.predict({row.data(), columns}));
    }
    std::vector<bool> taken(pool.size());
    std::vector<float> crowding(pool.size(), 0.f);
    for (size_t n = 0; n < std::min(kBatch, pool.size()); ++n) {
      size_t chosen = pool.size();
      for (size_t i = 0; i < pool.size(); ++i)
        if (!taken[i] && (chosen == pool.size() || probability[i] - crowding[i] > probability[chosen] - crowding[chosen])) chosen = i;
      taken[chosen] = true;
      for (size_t i = 0; i < pool.size(); ++i)
        if (!taken[i]) crowding[i] += 0.15f * float(std::exp(-distanceBetween(pool[i], pool[chosen])));
      if (claim(pool[chosen])) queue.push_back(pool[chosen]);
    }
  }

  std::vector<Row> rows;
  std::vector<float> encoded; ///< of `rows`
  std::deque<Point> queue;    ///< claimed, to be asked
  Forest forest;
  size_t outstanding = 0, lastProgress = 0, lastRestart = 0;
  double best = std::numeric_limits<double>::infinity(), bestAtRestart = std::numeric_limits<double>::infinity();
  unsigned restarts = 0;
  bool started = false, finished = false, spaceUsedUp = false;
};

} // namespace

std::unique_ptr<Strategy> makeModelForest(const Space &space, StrategyOptions options) {
  return std::make_unique<ModelForest>(space, std::move(options));
}

} // namespace pantile::tuner
