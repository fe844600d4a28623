//===- tuner/Transfer.h - a configuration without measuring anything ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// `instant`: a fresh exact entry of the cache; else the winners and runners-up of neighbouring shapes, repaired to this
// shape's constraints and ranked again by the cost model here (one predicted far worse than the defaults is refused: it
// belongs to another regime); else the defaults.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_TRANSFER_H
#define PANTILE_TUNER_TRANSFER_H

#include "tuner/ConfigurationCache.h"
#include "tuner/CostModel.h"

namespace pantile::tuner {

enum class ChoiceSource : uint8_t { Tuned, Stale, Neighbour, Default };
std::string_view name(ChoiceSource source); ///< "tuned", "stale", "neighbour", "default"

struct Choice {
  Configuration configuration;
  ChoiceSource source = ChoiceSource::Default;
  std::string origin;               ///< of the entry it came from
  std::string stale;                ///< why the exact entry is stale; empty: it is not, or there is none
  std::vector<Configuration> seeds; ///< worth measuring first, best first: what `tune` takes as seeds
};

/// `model` may be null: neighbours are then taken by distance. PANTILE_UNSUPPORTED where the space has no legal point.
Expected<Choice> choose(const std::vector<CacheMatch> &matches, const Space &space, const CostModel *model);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_TRANSFER_H
