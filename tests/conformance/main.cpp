//===- tests/conformance/main.cpp - the conformance suite -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   pantile-conformance [--backend cpu]... [--others] [--seed N] [--seconds S] [--shard I/N] [--only OP] [--product] [--case TEXT]
//
// Runs a pairwise cover of operators, dtypes, sizes, layouts, contents and schedules (Cover.h), or their product, on each
// backend against the interpreter, until it is complete or the time is up. What a backend cannot do is listed with the reason.
// Exit codes: 0 good, 1 something was wrong, 77 there was no backend to run on.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Library.h"
#include "tests/conformance/Cover.h"
#include "tests/conformance/Run.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

using namespace conformance;
using nlohmann::json;

namespace {

struct Settings {
  std::vector<std::string> backends;
  std::string only, shard = "0/1", text, cache;
  uint64_t seed = 1;
  double seconds = 600;
  bool product = false, others = false;
};

/// The application's process never maps a compiler: what this suite promises on every run.
bool compilerIsMapped() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    for (const char *name : {"libLLVM", "libMLIR", "_compiler.so", "libpantile_interpreter", "libpantile_emulator"})
      if (line.find(name) != std::string::npos) {
        std::printf("FAILED mapped into the application: %s\n", line.c_str());
        return true;
      }
  return false;
}

/// An operator that nobody lists here would be tested by nobody.
bool everyOperatorIsListed(const std::vector<Variant> &variants) {
  bool all = true;
  for (const auto &op : pantile::libraryOperators()) {
    if (std::any_of(variants.begin(), variants.end(), [&](const Variant &variant) { return variant.op == op.name; })) continue;
    std::printf("FAILED the library's operator '%s' has no line in tests/conformance/Case.cpp\n", op.name.c_str());
    all = false;
  }
  return all;
}

/// One device of each kind, as PANTILE_BACKEND names it; what cannot be used, with the reason, to standard output.
std::vector<std::string> backendsFound() {
  std::vector<std::string> found;
  pantile_string *text = nullptr;
  if (pantile_list_backends(nullptr, &text, nullptr)) return found;
  for (const json &row : json::parse(pantile_string_data(text))) {
    if (row["half"] != "device") continue;
    const std::string name = row["name"];
    if (!row["usable"].get<bool>()) std::printf("%s is absent: %s\n", name.c_str(), row["reason"].get<std::string>().c_str());
    std::set<std::string> targets;
    if (row["usable"].get<bool>() && row.contains("devices"))
      for (const json &device : row["devices"])
        if (targets.insert(device["target"]).second)
          found.push_back(device["ordinal"] == 0 ? name : name + ":" + std::to_string(device["ordinal"].get<int>()));
  }
  pantile_string_release(text);
  return found;
}

/// Elements in the product of a case's sizes: fewer where every work-item is emulated.
int64_t budgetOf(pantile_context *context) {
  pantile_string *text = nullptr;
  if (pantile_context_describe(context, &text, nullptr)) return 1 << 20;
  const bool emulated = json::parse(pantile_string_data(text))["properties"].contains("emulated");
  pantile_string_release(text);
  return emulated ? 1 << 14 : 1 << 20;
}

class Suite {
public:
  Suite(const Settings &settings, const std::vector<Variant> &variants) : settings(settings), variants(variants) {}

  /// Whether all that ran was right.
  bool run(const std::string &backend) {
    pantile_context_options options{};
    options.struct_size = sizeof(options);
    options.backend = backend.c_str();
    options.cache_dir = settings.cache.c_str();
    options.tune = PANTILE_TUNE_INSTANT;
    pantile_error *error = nullptr;
    if (pantile_context_create(&options, &context, &error)) {
      std::printf("FAILED %s\n%s\n%s\n", pantile_error_text(error), pantile_error_cause(error), pantile_error_fix(error));
      pantile_error_release(error);
      return false;
    }
    passed = failed = unsupported = 0;
    start = std::chrono::steady_clock::now();
    if (!settings.text.empty())
      one();
    else if (settings.product)
      product();
    else
      cover();
    pantile_context_release(context);
    if (compilerIsMapped()) ++failed;
    std::printf("%s: %llu passed, %llu failed, %llu unsupported in %.0f s\n", backend.c_str(), passed, failed, unsupported, elapsed());
    std::fflush(stdout);
    return !failed && passed;
  }

private:
  double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  bool timeIsUp() const { return elapsed() > settings.seconds; }

  void count(const Case &one, const Result &result) {
    ++(result.outcome == Outcome::Passed ? passed : result.outcome == Outcome::Failed ? failed : unsupported);
    if (result.outcome == Outcome::Passed) return;
    std::printf("%s --case '%s'\n    %s\n", result.outcome == Outcome::Failed ? "FAILED" : "unsupported", textOf(one).c_str(),
                result.text.c_str());
    std::fflush(stdout);
  }

  std::vector<Factors> operators() const {
    std::vector<Factors> list;
    unsigned long part = 0, parts = 1;
    std::sscanf(settings.shard.c_str(), "%lu/%lu", &part, &parts);
    for (size_t i = 0; i < variants.size(); ++i)
      if ((variants[i].op + " " + variants[i].options).rfind(settings.only, 0) == 0 && i % parts == part)
        list.push_back(factorsOf(variants[i]));
    return list;
  }

  void cover() {
    Cover plan(operators(), budgetOf(context), settings.seed);
    std::optional<Row> row;
    while (!timeIsUp() && (row = plan.next())) {
      ChooseConfiguration choose;
      if (row->drawn) choose = [&](const std::vector<std::string> &configurations) { return plan.choose(*row, configurations); };
      Result result = runCase(context, row->one, choose);
      count(row->one, result);
    }
    std::printf("pairwise: %zu of %zu pairs met, and %zu with a knob%s\n", plan.met(), plan.wanted(), plan.knobPairs(),
                row ? "; the time was up" : "; the rest exceeds the budget of a case, or an operator's share of cases");
  }

  void product() {
    Product plan(operators(), budgetOf(context), settings.seed);
    uint64_t done = 0;
    std::optional<Row> row;
    while (!timeIsUp() && (row = plan.next())) {
      ++done;
      ChooseConfiguration choose;
      if (row->drawn) choose = [](const std::vector<std::string> &configurations) { return configurations.back(); };
      Result result = runCase(context, row->one, choose);
      count(row->one, result);
    }
    std::printf("product: %llu of %llu combinations%s\n", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(plan.size()), row ? "; the time was up" : "");
  }

  void one() {
    auto one = parseCase(variants, settings.text);
    if (!one) {
      std::printf("FAILED '%s' is no case\n", settings.text.c_str());
      ++failed;
      return;
    }
    Result result = runCase(context, *one);
    count(*one, result);
  }

  const Settings &settings;
  const std::vector<Variant> &variants;
  pantile_context *context = nullptr;
  unsigned long long passed = 0, failed = 0, unsupported = 0;
  std::chrono::steady_clock::time_point start;
};

/// A folder of compiled code that ends with the run: a run depends on nothing that came before.
struct Folder {
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "pantile-conformance-XXXXXX";
    if (mkdtemp(pattern.data())) path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

} // namespace

int main(int count, char **arguments) {
  Settings settings;
  CLI::App app("Pantile's conformance suite");
  app.add_option("--backend", settings.backends, "as PANTILE_BACKEND; default: every device found");
  app.add_flag("--others", settings.others, "every device found but those of --backend");
  app.add_option("--seed", settings.seed);
  app.add_option("--seconds", settings.seconds, "stop after so long, for each backend");
  app.add_option("--shard", settings.shard, "i/n: every n-th operator");
  app.add_option("--only", settings.only, "operators whose name, or 'name options', begins so");
  app.add_flag("--product", settings.product, "all combinations instead of all pairs");
  app.add_option("--case", settings.text, "one case, as a failure prints it");
  app.add_option("--cache", settings.cache, "folder of compiled code; default: a fresh one");
  CLI11_PARSE(app, count, arguments);

  Folder fresh;
  if (settings.cache.empty()) settings.cache = fresh.path;
  const auto variants = allVariants();
  bool good = everyOperatorIsListed(variants);
  std::vector<std::string> backends = settings.backends;
  if (settings.others || backends.empty()) {
    backends = backendsFound();
    std::erase_if(backends, [&](const std::string &one) {
      return std::find(settings.backends.begin(), settings.backends.end(), one) != settings.backends.end();
    });
  }
  if (backends.empty()) {
    std::printf("there is no backend to run on\n");
    return good ? 77 : 1;
  }
  Suite suite(settings, variants);
  for (const std::string &backend : backends) good &= suite.run(backend);
  return good ? 0 : 1;
}
