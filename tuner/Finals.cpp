//===- tuner/Finals.cpp - interleaved rounds, paired comparison -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Finals.h"

#include <algorithm>
#include <cmath>

namespace pantile::tuner {
namespace {

constexpr unsigned kMinimumRounds = 4;
constexpr double kTie = 0.005;

struct Standing {
  std::vector<double> rounds; ///< logarithm of the median of each round; NaN: not timed in it
  bool out = false;
};

/// Mean of the paired differences and the half-width of its 95 % interval.
std::pair<double, double> compare(const Standing &a, const Standing &b) {
  std::vector<double> differences;
  for (size_t i = 0; i < std::min(a.rounds.size(), b.rounds.size()); ++i)
    if (double d = a.rounds[i] - b.rounds[i]; !std::isnan(d)) differences.push_back(d);
  double n = double(differences.size());
  if (n < kMinimumRounds) return {0, std::numeric_limits<double>::infinity()};
  double mean = 0, square = 0;
  for (double d : differences) mean += d / n;
  for (double d : differences) square += (d - mean) * (d - mean) / (n - 1);
  double quantile = 1.96 + 2.6 / (n - 1.5); // Student's t, within a few percent from n = 4 on
  return {mean, quantile * std::sqrt(square / n)};
}

std::array<int64_t, 3> costOf(const CompiledCandidate &candidate) {
  std::array<int64_t, 3> cost{};
  constexpr std::string_view names[] = {"spill_bytes", "scratch_bytes", "registers"};
  for (const auto &[name, value] : candidate.resources)
    for (size_t i = 0; i < cost.size(); ++i)
      if (name == names[i]) cost[i] = value;
  return cost;
}

} // namespace

std::optional<size_t> runFinals(std::vector<Finalist> &finalists, Runner &runner, const FinalsLimits &limits, Random &random) {
  std::vector<Standing> standings(finalists.size());
  auto leader = [&]() -> std::optional<size_t> {
    std::optional<size_t> best;
    double time = 0;
    for (size_t i = 0; i < finalists.size(); ++i) {
      if (standings[i].out || finalists[i].failed) continue;
      double median = finalists[i].samples.empty() ? finalists[i].expected : summarize(finalists[i].samples).median;
      if (!best || median < time) best = i, time = median;
    }
    return best;
  };
  bool stopped = false;
  for (unsigned round = 0; round < limits.rounds && !stopped; ++round) {
    std::vector<size_t> order;
    for (size_t i = 0; i < finalists.size(); ++i)
      if (!standings[i].out && !finalists[i].failed) order.push_back(i);
    if (order.size() < 2) break;
    random.shuffle(order);
    for (size_t i : order) {
      if (Clock::now() >= limits.deadline || (limits.goOn && !limits.goOn())) {
        stopped = true;
        break;
      }
      Finalist &finalist = finalists[i];
      unsigned samples = unsigned(std::clamp(limits.turnSeconds * 1e6 / std::max(finalist.expected, 0.01), 2.0, 20.0));
      auto allowed = std::chrono::duration<double>(2 + 20e-6 * finalist.expected * samples);
      auto times = runner.time(finalist.candidate, samples, Clock::now() + std::chrono::duration_cast<Clock::duration>(allowed));
      if (!times || times->empty()) {
        if (!times && times.status().code() == PANTILE_CANCELLED)
          stopped = true;
        else
          finalist.failed = true;
        if (stopped) break;
        continue;
      }
      standings[i].rounds.resize(round, std::numeric_limits<double>::quiet_NaN());
      standings[i].rounds.push_back(std::log(std::max(summarize(*times).median, 1e-6)));
      finalist.samples.insert(finalist.samples.end(), times->begin(), times->end());
    }
    auto first = leader();
    if (!first) return std::nullopt;
    bool undecided = false;
    for (size_t i = 0; i < finalists.size(); ++i) {
      if (i == *first || standings[i].out || finalists[i].failed) continue;
      auto [mean, width] = compare(standings[i], standings[*first]);
      if (mean - width > 0)
        standings[i].out = true;
      else
        undecided |= mean + width > kTie;
    }
    if (!undecided) break;
  }
  auto first = leader();
  if (!first) return std::nullopt;
  size_t winner = *first;
  for (size_t i = 0; i < finalists.size(); ++i) {
    if (i == *first || standings[i].out || finalists[i].failed) continue;
    auto [mean, width] = compare(standings[i], standings[*first]);
    if (mean + width > kTie) continue; // not shown to be as good
    auto mine = costOf(finalists[i].candidate), theirs = costOf(finalists[winner].candidate);
    if (mine < theirs || (mine == theirs && finalists[i].number < finalists[winner].number)) winner = i;
  }
  return winner;
}

} // namespace pantile::tuner
