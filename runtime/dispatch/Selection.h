//===- runtime/dispatch/Selection.h - which configuration a call gets -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_SELECTION_H
#define PANTILE_RUNTIME_DISPATCH_SELECTION_H

#include "runtime/dispatch/Context.h"
#include "runtime/dispatch/LaunchPlan.h"
#include "tuner/Transfer.h"

namespace pantile {

enum class Source : uint8_t { Pinned, Tuned, Stale, Neighbour, Default };
std::string_view name(Source source); ///< "pinned", "tuned", ...

/// What is compiled for a call, and how it came about.
struct Selection {
  Configuration configuration;
  Numbers values; ///< the configuration as expressions see it
  Facts facts;    ///< compiled for: the call's, or weaker ones that serve it
  Source source = Source::Default;
  std::string stale;
  std::vector<int64_t> shape; ///< all sizes of the call that it was made for
};

/// A call's shape on a context, with what selecting needs.
struct Question {
  Context &context;
  const Signature &signature;
  std::span<const BoundArgument> bound;
  Facts facts;
};

/// The request that compiles `signature` under these facts; configuration left empty.
CompileRequest requestFor(const Context &context, const Signature &signature, const Facts &facts);
/// From the cache, else asked of the compiler and kept.
Expected<SpaceDescription> spaceOf(Context &context, const Signature &signature, const Facts &facts);
/// The numbers of a call that expressions of a space may name, the device's included.
tuner::CallValues callValues(const Question &question);
Numbers valuesOf(const SpaceDescription &description, const Configuration &configuration);
tuner::CacheKey cacheKey(const Question &question);
/// What beyond sizes an entry of the configuration cache holds for: the number of host threads, where the device has them. The
/// best configuration for one is not the best for two, nor near it (the tasks that one worker runs in a row).
std::string cacheFacts(const Context &context);
tuner::CacheQuery cacheQuery(const Question &question, const SpaceDescription &description);

/// Selections made for other shapes of this kernel, whose code exists.
using Existing = std::vector<const Selection *>;

/// `pinned` decides; else what the caches say of this shape or its neighbours; else the kernel's defaults. A guess (a
/// neighbour's, the defaults) gives way to an existing selection that is as good, so that a new shape compiles nothing: the
/// same configuration for weaker facts, or that of a shape much like this one. Remembered beside the artifacts while the
/// configuration files stay as they are.
Expected<Selection> select(const Question &question, const std::optional<Configuration> &pinned, const Existing &existing);
/// The kernel's defaults, whatever the caches say.
Expected<Selection> selectDefaults(const Question &question);
/// A legal configuration drawn by `seed`; 0: the default one.
Expected<Configuration> sampleConfiguration(const Question &question, uint64_t seed);
/// Whether a selection of this shape is remembered or would be `tuned`.
std::optional<Selection> remembered(const Question &question);

Digest artifactKey(const Context &context, const Signature &signature, const Selection &selection);

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_SELECTION_H
