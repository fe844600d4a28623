//===- examples/smollm/main.cpp - generates text, or measures itself ------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   smollm MODEL.gguf --tokens 1,2,3 [--steps 64] [--tune SECONDS] [--temperature T --seed N] [--logits FILE] [--bench]
//
// Prints the generated token ids on one line, then a line of figures on standard error. The backend is PANTILE_BACKEND's.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>

using namespace smollm;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Options {
  std::string model, logits;
  std::vector<int32_t> tokens;
  int64_t steps = 64, prefill = 512;
  double tune = 0;
  float temperature = 0;
  uint64_t seed = 0;
  int32_t stop = -1;
  bool bench = false;
  unsigned threads = 0;
};

/// Generates after `options.tokens`; appends every position's logits where `rows` is given.
std::vector<int32_t> generate(const Context &context, Model &model, const Options &options, std::vector<float> *rows) {
  std::mt19937_64 random(options.seed);
  std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
  auto collect = [&] {
    if (!rows) return;
    std::vector<float> all = model.allLogits();
    rows->insert(rows->end(), all.begin(), all.end());
  };
  auto next = [&] { return options.temperature > 0 ? model.sample(options.temperature, uniform(random)) : model.greedy(); };
  double start = now();
  model.feed(options.tokens);
  std::vector<int32_t> generated{next()};
  double prefilled = now();
  collect();
  double decoding = now();
  while (int64_t(generated.size()) < options.steps && generated.back() != options.stop) {
    model.feed({generated.back()});
    generated.push_back(next());
    collect();
  }
  context.synchronize();
  double done = now();
  std::fprintf(stderr, "prefill %zu tokens: %.1f tokens/s; decode: %.1f tokens/s\n", options.tokens.size(),
               double(options.tokens.size()) / (prefilled - start), double(generated.size() - 1) / (done - decoding));
  return generated;
}

/// Medians over rounds; the rivals' script parses the line.
void bench(const Context &context, Model &model, const Options &options) {
  auto best = [&](auto run) {
    double least = 1e30;
    for (int round = 0; round < 5; ++round) {
      double start = now();
      run();
      context.synchronize();
      least = std::min(least, now() - start);
    }
    return least;
  };
  std::vector<int32_t> prompt(size_t(options.prefill));
  for (size_t i = 0; i < prompt.size(); ++i) prompt[i] = int32_t((i * 7919 + 13) % size_t(model.dimensions().vocabulary));
  double prefill = best([&] {
    model.reset();
    model.feed(prompt);
    model.greedy();
  });
  double decode = best([&] {
    model.reset();
    model.feed(options.tokens);
    for (int64_t i = 0; i < options.steps; ++i) model.feed({model.greedy()});
  });
  model.reset();
  double first = best([&] {
    model.reset();
    model.feed(options.tokens);
  });
  std::printf("{\"prefill_tokens_per_s\": %.2f, \"decode_tokens_per_s\": %.2f, \"prefill_length\": %lld}\n",
              double(options.prefill) / prefill, double(options.steps) / (decode - first), static_cast<long long>(options.prefill));
}

int run(const Options &options, double started) {
  GgufFile file(options.model);
  pantile_context_options contextOptions{};
  contextOptions.struct_size = sizeof(contextOptions);
  contextOptions.threads = options.threads;
  Context context(&contextOptions);
  int64_t longest = std::max<int64_t>(options.bench || options.tune > 0 ? options.prefill : 0, int64_t(options.tokens.size()));
  Model model(context, file, longest + options.steps);
  if (options.tune > 0) model.tune(options.tune, options.prefill);
  double ready = now();
  if (options.bench) {
    bench(context, model, options);
    return 0;
  }
  model.feed({options.tokens[0]});
  context.synchronize();
  std::fprintf(stderr, "start-up: %.0f ms to the weights, %.0f ms to the first token fed\n", 1e3 * (ready - started),
               1e3 * (now() - started));
  model.reset();
  std::vector<float> rows;
  std::vector<int32_t> generated = generate(context, model, options, options.logits.empty() ? nullptr : &rows);
  for (size_t i = 0; i < generated.size(); ++i) std::printf("%s%d", i ? "," : "", generated[i]);
  std::printf("\n");
  if (!options.logits.empty()) {
    std::ofstream out(options.logits, std::ios::binary);
    out.write(reinterpret_cast<const char *>(rows.data()), std::streamsize(rows.size() * 4));
    if (!out) throw std::runtime_error("cannot write '" + options.logits + "'");
  }
  return 0;
}

} // namespace

int main(int count, char **arguments) {
  double started = now();
  Options options;
  CLI::App app("Generates text with SmolLM2 on Pantile; PANTILE_BACKEND picks the backend");
  app.add_option("model", options.model, "the GGUF file")->required();
  app.add_option("--tokens", options.tokens, "the prompt as token ids, comma-separated")->delimiter(',')->required();
  app.add_option("--steps", options.steps, "tokens to generate")->check(CLI::Range(1, 1 << 20));
  app.add_option("--prefill", options.prefill, "prompt length that --tune and --bench use")->check(CLI::Range(1, 1 << 20));
  app.add_option("--tune", options.tune, "search configurations for so many seconds first")->check(CLI::NonNegativeNumber);
  app.add_option("--temperature", options.temperature, "0: greedy")->check(CLI::NonNegativeNumber);
  app.add_option("--seed", options.seed);
  app.add_option("--stop", options.stop, "end after this token");
  app.add_option("--threads", options.threads, "0: all");
  app.add_option("--logits", options.logits, "write the logits of every position, f32 [positions, vocabulary]");
  app.add_flag("--bench", options.bench, "measure prefill and decode, print JSON");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError &error) { return app.exit(error) == 0 ? 0 : 2; }
  try {
    return run(options, started);
  } catch (const FileError &error) {
    std::fprintf(stderr, "smollm: %s\n", error.what());
    return 2;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "smollm: %s\n", error.what());
    return 1;
  }
}
