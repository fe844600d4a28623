//===- tuner/Transfer.cpp - re-ranking what neighbours use ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Transfer.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace pantile::tuner {
namespace {

constexpr size_t kSeeds = 6;
/// A neighbour that the model thinks this much slower than the defaults belongs to another regime.
constexpr double kRefused = 1.15;

} // namespace

std::string_view name(ChoiceSource source) {
  switch (source) {
  case ChoiceSource::Tuned:
    return "tuned";
  case ChoiceSource::Stale:
    return "stale";
  case ChoiceSource::Neighbour:
    return "neighbour";
  case ChoiceSource::Default:
    return "default";
  }
  return "default";
}

Expected<Choice> choose(const std::vector<CacheMatch> &matches, const Space &space, const CostModel *model) {
  if (!space.defaults())
    return Status(PANTILE_UNSUPPORTED, "no configuration of this kernel satisfies the target's constraints for these sizes");
  if (model && !model->known()) model = nullptr;
  Choice choice;

  struct Candidate {
    Point point;
    double score; ///< lower is better
    const CacheMatch *from;
  };
  std::vector<Candidate> exact, near;
  std::unordered_set<Point, PointHash> seen;
  for (const CacheMatch &match : matches) {
    auto consider = [&](const Configuration &configuration, double ratio) {
      auto point = space.repair(space.nearest(configuration));
      if (!point || !seen.insert(*point).second) return;
      double time = model ? model->score(*point) : 1;
      // A neighbour's own measured loss counts, and so does how far it is: a third of an octave is about as bad as 5 %.
      double score = time * ratio * (match.exact ? 1 : 1 + 0.15 * match.distance);
      (match.exact ? exact : near).push_back({std::move(*point), score, &match});
    };
    consider(match.entry.configuration, 1);
    for (const CacheAlternative &alternative : match.entry.alternatives)
      consider(alternative.configuration, std::max(1.0, alternative.ratio));
  }

  // An entry that no longer fits the space as it stands is as good as stale.
  auto unchanged = [&](const Candidate &candidate) {
    auto point = space.point(candidate.from->entry.configuration);
    return point && space.legal(*point) && *point == candidate.point;
  };
  std::sort(near.begin(), near.end(),
            [](const Candidate &a, const Candidate &b) { return a.score != b.score ? a.score < b.score : a.point < b.point; });
  double limit = model ? kRefused * model->score(*space.defaults()) : std::numeric_limits<double>::infinity();
  auto take = [&](const Candidate &candidate, ChoiceSource source) {
    choice.configuration = space.configuration(candidate.point);
    choice.source = source;
    choice.origin = candidate.from->origin;
  };
  if (!exact.empty()) {
    const Candidate &first = exact.front();
    bool fresh = first.from->stale.empty() && unchanged(first);
    take(first, fresh ? ChoiceSource::Tuned : ChoiceSource::Stale);
    if (!fresh) choice.stale = first.from->stale.empty() ? "its configuration is not in this kernel's space" : first.from->stale;
  } else if (!near.empty() && (!model || model->score(near.front().point) <= limit)) {
    take(near.front(), ChoiceSource::Neighbour);
  } else {
    choice.configuration = space.configuration(*space.defaults());
  }
  for (const std::vector<Candidate> *list : {&exact, &near})
    for (const Candidate &candidate : *list)
      if (choice.seeds.size() < kSeeds) choice.seeds.push_back(space.configuration(candidate.point));
  return choice;
}

} // namespace pantile::tuner
