//===- runtime/capi/Tuning.cpp - pantile_tune -----------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/capi/Handles.h"
#include "runtime/tuning/TuneCall.h"

#include <cstring>
#include <nlohmann/json.hpp>

using namespace pantile;
using namespace pantile::capi;

extern "C" pantile_code pantile_tune(pantile_kernel *kernel, DLTensor *const *arguments, size_t count, const pantile_tune_options *given,
                                     pantile_string **result, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel) return missing("kernel");
    pantile_tune_options wanted{};
    if (given) {
      if (given->struct_size < sizeof(uint32_t) * 2)
        return Status(PANTILE_INVALID_ARGUMENT, "pantile_tune_options.struct_size is not set")
            .withFix("set it to sizeof(pantile_tune_options), and zero the rest");
      std::memcpy(&wanted, given, std::min<size_t>(given->struct_size, sizeof(wanted)));
    }
    TuneCallOptions options;
    // Trials alone bound a run too.
    options.seconds = wanted.seconds > 0 ? wanted.seconds : wanted.trials ? 0 : 10;
    options.trials = wanted.trials;
    if (wanted.strategy) options.strategy = wanted.strategy;
    options.seed = wanted.seed;
    if (wanted.journal) options.journal = wanted.journal;
    if (wanted.fixed) { PANTILE_ASSIGN(options.fixed, Configuration::fromText(wanted.fixed)); }
    if (wanted.progress)
      options.progress = [&](const tuner::TuneProgress &progress) {
        std::string best = progress.configuration ? progress.configuration->toText() : "";
        pantile_tune_progress abi = {
            sizeof(abi), uint32_t(progress.tried), uint32_t(progress.failed), progress.best, progress.elapsed, progress.left, best.c_str()};
        return wanted.progress(wanted.user, &abi) == 0;
      };
    PANTILE_ASSIGN(auto tuned, kernel->kernel->tune(arguments, count, options));
    if (result)
      *result = new pantile_string{nlohmann::json({{"configuration", tuned.configuration.toText()},
                                                   {"median_us", tuned.time.median},
                                                   {"low_us", tuned.time.low},
                                                   {"high_us", tuned.time.high},
                                                   {"baseline_us", tuned.baseline},
                                                   {"tried", tuned.tried},
                                                   {"failed", tuned.failed},
                                                   {"seconds", tuned.seconds},
                                                   {"cancelled", tuned.cancelled}})
                                       .dump()};
    return {};
  });
}
