//===- runtime/cli/Tune.cpp - pantile tune --------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/Paths.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Jobs.h"
#include "tuner/Progress.h"

#include <cstdlib>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pantile::cli {

namespace {

using nlohmann::json;

struct Tune {
  KernelOptions kernel;
  std::string budget = "quick", strategy, journal, shard, fixed;
  double seconds = 0;
  unsigned trials = 0;
  uint64_t seed = 0;
};

json tuneOne(const Tune &options) {
  Session session(options.kernel.backend);
  Workload workload(session, options.kernel);
  tuner::ProgressPrinter printer(2, options.kernel.kernel);
  pantile_tune_options tune{};
  tune.struct_size = sizeof(tune);
  tune.trials = options.trials;
  tune.seconds = options.seconds > 0 ? options.seconds : options.budget == "quick" ? 10 : options.budget == "thorough" ? 60 : 1e9;
  std::string strategy = options.strategy.empty() && options.budget == "exhaustive" ? "exhaustive" : options.strategy;
  tune.strategy = strategy.empty() ? nullptr : strategy.c_str();
  tune.seed = options.seed;
  tune.journal = options.journal.empty() ? nullptr : options.journal.c_str();
  tune.fixed = options.fixed.empty() ? nullptr : options.fixed.c_str();
  tune.user = &printer;
  tune.progress = [](void *user, const pantile_tune_progress *p) {
    tuner::TuneProgress progress;
    progress.tried = p->tried;
    progress.failed = p->failed;
    progress.best = p->best_us;
    progress.elapsed = p->elapsed_s;
    progress.left = p->left_s;
    static_cast<tuner::ProgressPrinter *>(user)->update(progress);
    return 0;
  };
  Check check;
  pantile_string *text;
  check(pantile_tune(workload.kernel, workload.pointers.data(), workload.pointers.size(), &tune, &text, &check));
  json result = json::parse(take(text));
  printer.finish("");
  return result;
}

std::string sentence(const std::string &what, const json &result) {
  return fmt::format("{}: {:.2f} us with {} ({} tried, {} failed, {:.1f} s)", what, result.value("median_us", 0.0),
                     result.value("configuration", "{}"), result.value("tried", 0), result.value("failed", 0),
                     result.value("seconds", 0.0));
}

/// One job's failure costs itself only.
int tuneJobs(const Tune &options, bool isJson) {
  const std::string &path = options.kernel.kernel;
  if (!options.kernel.dtype.empty() || !options.kernel.options.empty() || !options.kernel.shape.empty() || !options.journal.empty())
    throw Failure{2, "--dtype, --options, --shape and --journal do not go with a file of jobs: write them into '" + path + "'"};
  auto text = readFile(path, size_t(16) << 20);
  if (!text) fail(text.status());
  size_t slash = path.rfind('/');
  auto jobs = readJobs(*text, slash == std::string::npos ? "" : path.substr(0, slash));
  if (!jobs) fail(std::move(jobs).status().in(path));
  auto shard = parseShard(options.shard.empty() ? "0/1" : options.shard, [](const char *name) { return ::secure_getenv(name); });
  if (!shard) fail(shard.status());

  json results = json::array();
  size_t done = 0, failed = 0;
  for (size_t i = 0; i < jobs->size(); ++i) {
    if (!shard->has(i)) continue;
    const Job &job = (*jobs)[i];
    Tune one = options;
    one.kernel.kernel = job.kernel, one.kernel.dtype = job.dtype, one.kernel.options = job.options, one.kernel.shape = job.shape;
    if (job.seconds > 0) one.seconds = job.seconds;
    std::string what = fmt::format("item {} of {}: {} {} {}", i, jobs->size(), job.kernel, job.dtype, job.shape);
    json row{{"item", i}, {"kernel", job.kernel}, {"shape", job.shape}};
    try {
      row["result"] = tuneOne(one);
      if (!isJson) fmt::print("{}\n", sentence(what, row["result"]));
    } catch (const Failure &failure) {
      row["error"] = failure.text;
      ++failed;
      std::fprintf(stderr, "pantile: %s: %s\n", what.c_str(), failure.text.c_str());
    }
    std::fflush(stdout);
    results.push_back(std::move(row));
    ++done;
  }
  if (isJson)
    fmt::print("{}\n", json{{"shard", shard->index}, {"shards", shard->count}, {"items", results}}.dump(2));
  else
    fmt::print("{} of {} items tuned, {} failed (shard {} of {})\n", done - failed, jobs->size(), failed, shard->index, shard->count);
  return failed ? 1 : 0;
}

} // namespace

void addTune(Program &program) {
  CLI::App *command = program.app.add_subcommand("tune", "searches for the best configuration and stores it in the configuration cache");
  auto options = std::make_shared<Tune>();
  options->kernel.add(*command, true);
  command->get_option("kernel")->description(
      "an operator of the library (`pantile library`), a file of tile IR, or a file of jobs (.toml)");
  command->add_option("--budget", options->budget, "quick (10 s), thorough (60 s), exhaustive")
      ->check(CLI::IsMember({"quick", "thorough", "exhaustive"}));
  command->add_option("--seconds", options->seconds, "instead of --budget");
  command->add_option("--trials", options->trials, "at most so many configurations");
  command->add_option("--strategy", options->strategy, "model_rf, differential_evolution, pattern, lfbo, random, exhaustive, fixed");
  command->add_option("--seed", options->seed);
  command->add_option("--journal", options->journal, "file of every trial; a run over the same file resumes");
  command->add_option("--fixed", options->fixed, "settings that are not searched, \"{num_threads = 1, bm = [32, 64]}\"");
  command->add_option("--shard", options->shard,
                      "of a file of jobs: i/n, the i-th part (from 0) of n; auto: from the launcher's environment");
  command->callback([&program, options] {
    program.run = [&program, options] {
      if (options->kernel.kernel.ends_with(".toml")) return tuneJobs(*options, program.json);
      if (!options->shard.empty()) throw Failure{2, "--shard goes with a file of jobs (.toml), '" + options->kernel.kernel + "' is none"};
      json result = tuneOne(*options);
      if (program.json)
        fmt::print("{}\n", result.dump(2));
      else
        fmt::print("{}\n", sentence(options->kernel.kernel, result));
      return 0;
    };
  });
}

} // namespace pantile::cli
