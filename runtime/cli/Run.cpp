//===- runtime/cli/Run.cpp - run and bench --------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Command.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pantile::cli {

using nlohmann::json;

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Median and best microseconds of one call, over samples of at least a millisecond.
std::pair<double, double> timeOf(Workload &workload, double budget) {
  workload.launch();
  workload.synchronize();
  double start = seconds();
  workload.launch();
  workload.synchronize();
  int repeat = std::clamp(int(1e-3 / std::max(seconds() - start, 1e-7)), 1, 10000);
  std::vector<double> samples;
  for (double begun = seconds(); samples.size() < 5 || (seconds() - begun < budget && samples.size() < 1000);) {
    start = seconds();
    for (int i = 0; i < repeat; ++i) workload.launch();
    workload.synchronize();
    samples.push_back(1e6 * (seconds() - start) / repeat);
  }
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples.front()};
}

json descriptionOf(Workload &workload) {
  Check check;
  pantile_string *text;
  check(pantile_kernel_describe(workload.kernel, workload.pointers.data(), workload.pointers.size(), &text, &check));
  return json::parse(take(text));
}

} // namespace

void addRun(Program &program) {
  CLI::App *command = program.app.add_subcommand("run", "runs a kernel on seeded inputs; --check compares with the interpreter");
  auto options = std::make_shared<KernelOptions>();
  auto check = std::make_shared<bool>(false);
  options->add(*command, true);
  command->add_flag("--check", *check, "compare with the reference interpreter");
  command->callback([&program, options, check] {
    program.run = [&program, options, check] {
      Session session(options->backend);
      Workload workload(session, *options);
      workload.launch();
      workload.synchronize();
      Workload::Difference difference;
      bool wrong = false;
      if (*check) {
        difference = workload.compareWithInterpreter();
        wrong = !(difference.relative <= difference.allowed);
      }
      auto [median, best] = timeOf(workload, 0.2);
      json description = descriptionOf(workload);
      if (program.json) {
        json result{{"kernel", options->kernel}, {"median_us", median}, {"best_us", best}, {"selection", description}};
        if (*check)
          result["check"] = {{"argument", difference.argument},
                             {"relative_difference", difference.relative},
                             {"allowed", difference.allowed},
                             {"passed", !wrong}};
        fmt::print("{}\n", result.dump(2));
      } else {
        fmt::print("{} on {}: {:.2f} us (best {:.2f}), configuration {} ({})\n", options->kernel, pantile_context_backend(session.context),
                   median, best, description.value("configuration", "{}"), description.value("source", "?"));
        if (*check)
          fmt::print("check: {} differs by {:.3g} of its largest value, {:.3g} allowed: {}\n", difference.argument, difference.relative,
                     difference.allowed, wrong ? "WRONG" : "good");
      }
      return wrong ? 1 : 0;
    };
  });
}

void addBench(Program &program) {
  CLI::App *command = program.app.add_subcommand("bench", "times standard workloads on every backend present, beside the device's limits");
  auto only = std::make_shared<std::string>();
  auto seconds = std::make_shared<double>(0.5);
  command->add_option("--only", *only, "workloads whose name begins so");
  command->add_option("--seconds", *seconds, "time for each")->check(CLI::PositiveNumber);
  command->callback([&program, only, seconds] {
    program.run = [&program, only, seconds] {
      struct Row {
        const char *kernel, *dtype, *shape;
        double flops; ///< 0: a matter of bytes
      };
      static const Row rows[] = {{"matmul", "f32", "m=1024,n=1024,k=1024", 2.0 * 1024 * 1024 * 1024},
                                 {"matmul", "bf16", "m=1024,n=1024,k=1024", 2.0 * 1024 * 1024 * 1024},
                                 {"matmul", "f32", "m=1000,n=700,k=1300", 2.0 * 1000 * 700 * 1300},
                                 {"matmul", "f32", "m=16,n=4096,k=4096", 2.0 * 16 * 4096 * 4096},
                                 {"softmax", "f32", "m=4096,n=1024", 0},
                                 {"layer_norm", "f32", "m=4096,n=1024", 0},
                                 {"rms_norm", "f32", "m=4096,n=1024", 0},
                                 {"add", "f32", "n=16777216", 0},
                                 {"gelu_tanh", "f32", "n=16777216", 0},
                                 {"sum", "f32", "m=4096,n=4096", 0}};
      Check list;
      pantile_string *text;
      list(pantile_list_backends(nullptr, &text, &list));
      json result = json::array();
      if (!program.json)
        fmt::print("{:<12} {:<5} {:<26} {:<8} {:>12} {:>16}\n", "kernel", "dtype", "shape", "backend", "median us", "rate");
      for (const json &backend : json::parse(take(text))) {
        if (backend.value("half", "") != "device") continue;
        std::string name = backend.value("name", "?");
        if (!backend.value("usable", false) || backend["devices"].empty()) {
          result.push_back({{"backend", name}, {"absent", backend.value("reason", "no device")}});
          if (!program.json) fmt::print("{} is absent: {}\n", name, backend.value("reason", "no device"));
          continue;
        }
        Session session(name);
        for (const Row &row : rows) {
          if (std::string(row.kernel).rfind(*only, 0) != 0) continue;
          KernelOptions options;
          options.kernel = row.kernel, options.dtype = row.dtype, options.shape = row.shape;
          Workload workload(session, options);
          auto [median, best] = timeOf(workload, *seconds);
          double rate = (row.flops > 0 ? row.flops : double(workload.bytes())) / median * 1e-3;
          std::string unit = row.flops > 0 ? "GFLOP/s" : "GB/s";
          result.push_back({{"backend", name},
                            {"kernel", row.kernel},
                            {"dtype", row.dtype},
                            {"shape", row.shape},
                            {"median_us", median},
                            {"best_us", best},
                            {"rate", rate},
                            {"unit", unit}});
          if (!program.json)
            fmt::print("{:<12} {:<5} {:<26} {:<8} {:>12.1f} {:>8.1f} {}\n", row.kernel, row.dtype, row.shape, name, median, rate, unit);
        }
      }
      if (program.json) fmt::print("{}\n", result.dump(2));
      return 0;
    };
  });
}

} // namespace pantile::cli
