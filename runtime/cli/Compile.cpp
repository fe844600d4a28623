//===- runtime/cli/Compile.cpp - targets, compile and print ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// No device is needed: the helper compiles for any target it has a compiler half for.
//
//===----------------------------------------------------------------------===//

#include "core/Configuration.h"
#include "runtime/Environment.h"
#include "runtime/Paths.h"
#include "runtime/cli/Command.h"
#include "runtime/helper/CompilerClient.h"
#include "runtime/plugin/Catalog.h"

#include <cstdio>
#include <fmt/core.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <unistd.h>

namespace pantile::cli {

using nlohmann::json;

namespace {

/// The helper of this installation: in `pantile/` beside the library, which lies in `../lib` of this program.
class Compilers {
public:
  Compilers() {
    auto environment = readEnvironment();
    if (!environment) fail(environment.status());
    std::string helper = ownFolder() + "/../lib/pantile";
    folders.push_back(helper);
    folders.insert(folders.end(), environment->pluginPaths.begin(), environment->pluginPaths.end());
    client.emplace(helper, folders, 1);
    for (const PluginFile &plugin : findPlugins(folders))
      if (plugin.half == "compiler" && plugin.problem.isOk()) backends.insert(plugin.name);
  }

  /// The backend that compiles for `target` ("cpu", "x86_64_v4:units=8"), and the target's full name.
  std::pair<std::string, std::string> backendOf(const std::string &target) {
    std::string arch = target.substr(0, target.find(':')), known;
    for (const std::string &backend : backends)
      for (const json &row : targetsOf(backend)) {
        std::string name = row.value("name", "");
        if (name == arch || backend == target) return {backend, backend == target ? name : target};
        known += (known.empty() ? "" : ", ") + name;
      }
    throw Failure{2, fmt::format("no compiler here knows the target '{}': there are {}", target, known.empty() ? "none" : known)};
  }

  json targetsOf(const std::string &backend) {
    auto targets = client->listTargets(backend);
    if (!targets) fail(targets.status());
    return json::parse(*targets);
  }

  std::vector<std::string> folders;
  std::set<std::string> backends;
  std::optional<CompilerClient> client;
};

struct Options {
  KernelOptions kernel;
  std::string target, stage = "portable", output;
};

/// Facts of row-major arguments: what is known without tensors. Sizes given by --shape count for divisibility.
Facts factsOf(const KernelHeader &header, const std::map<std::string, int64_t> &sizes) {
  Facts facts;
  for (const KernelArgument &argument : header.arguments) {
    pantile_argument_facts &row = facts.arguments.emplace_back();
    row = {};
    row.struct_size = sizeof(row);
    row.dtype = argument.dtype;
    row.rank = argument.rank;
    row.unit_dim = argument.rank > 0 ? argument.rank - 1 : -1;
    row.alignment = argument.isView() ? 64 : 1;
    int64_t stride = 1;
    for (int d = argument.rank; d-- > 0;) {
      int64_t size = argument.shape[size_t(d)];
      if (size < 0 && !argument.sizes.empty()) {
        auto found = sizes.find(argument.sizes[size_t(d)]);
        if (found != sizes.end()) size = found->second;
      }
      auto divisor = [](int64_t n) { return n <= 0 ? 1u : uint32_t(std::min<int64_t>(n & -n, 128)); };
      row.static_size[d] = argument.shape[size_t(d)];
      row.size_divisor[d] = divisor(size);
      row.stride_divisor[d] = divisor(stride);
      stride = size < 0 || stride < 0 ? -1 : stride * size;
    }
  }
  return facts;
}

CompileRequest requestOf(Compilers &compilers, const Options &options) {
  CompileRequest request;
  std::tie(request.backend, request.target) = compilers.backendOf(options.target);
  request.ir = options.kernel.text();
  auto read = readKernelText(request.ir);
  if (!read) fail(read.status());
  std::map<std::string, int64_t> sizes;
  for (const std::string &item : split(options.kernel.shape, ','))
    if (size_t equals = item.find('='); equals != std::string::npos)
      for (const KernelArgument &argument : read->header.arguments)
        for (const std::string &name : argument.sizes)
          if (strcasecmp(name.c_str(), item.substr(0, equals).c_str()) == 0) sizes[name] = std::atoll(item.c_str() + equals + 1);
  request.facts = factsOf(read->header, sizes);
  // Static sizes come from --shape too.
  if (!options.kernel.configuration.empty()) {
    auto configuration = Configuration::fromText(options.kernel.configuration);
    if (!configuration) fail(configuration.status());
    request.configuration = *configuration;
  }
  return request;
}

void write(const std::string &path, const std::string &bytes) {
  if (path.empty() || path == "-") {
    if (path.empty() && isatty(1) && bytes.find('\0') != std::string::npos) throw Failure{2, "code on a terminal: name a file with -o"};
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) throw Failure{1, fmt::format("cannot write '{}'", path)};
}

} // namespace

void addCompile(Program &program) {
  CLI::App *targets = program.app.add_subcommand("targets", "what the compilers here compile for; no device is needed");
  targets->callback([&program] {
    program.run = [&program] {
      Compilers compilers;
      json all = json::array();
      for (const std::string &backend : compilers.backends)
        for (json row : compilers.targetsOf(backend)) {
          row["backend"] = backend;
          if (!program.json) fmt::print("{:<10} {}\n", backend, row.value("name", "?"));
          all.push_back(row);
        }
      if (program.json) fmt::print("{}\n", all.dump(2));
      return 0;
    };
  });

  auto options = std::make_shared<Options>();
  CLI::App *compile = program.app.add_subcommand("compile", "compiles a kernel for a target into a file");
  options->kernel.add(*compile, false);
  compile->add_option("--target", options->target, "a target (`pantile targets`)")->required();
  compile->add_option("-o,--output", options->output, "file; default: standard output");
  compile->callback([&program, options] {
    program.run = [&program, options] {
      Compilers compilers;
      auto artifact = compilers.client->compile(requestOf(compilers, *options));
      if (!artifact) fail(artifact.status());
      write(options->output, artifact->code);
      if (program.json && !options->output.empty()) {
        json resources = json::object();
        for (auto &[name, value] : artifact->resources) resources[name] = value;
        fmt::print("{}\n",
                   json{{"bytes", artifact->code.size()}, {"launches", artifact->launches.size()}, {"resources", resources}}.dump(2));
      }
      return 0;
    };
  });

  auto inspected = std::make_shared<Options>();
  CLI::App *print = program.app.add_subcommand("print", "prints a stage of a kernel: portable, scheduled, simt, llvm, assembly");
  inspected->kernel.add(*print, false);
  print->add_option("--target", inspected->target, "a target (`pantile targets`); not needed for portable");
  print->add_option("--stage", inspected->stage, "portable, scheduled, simt, llvm, assembly (asm)");
  print->callback([&program, inspected] {
    program.run = [&program, inspected] {
      auto stage = parseStage(inspected->stage);
      if (!stage) fail(stage.status());
      std::string text;
      if (*stage == Stage::Portable) {
        text = inspected->kernel.text();
      } else {
        if (inspected->target.empty()) throw Failure{2, "--stage " + inspected->stage + " needs --target (`pantile targets`)"};
        Compilers compilers;
        auto answer = compilers.client->inspect(requestOf(compilers, *inspected), std::string(name(*stage)));
        if (!answer) fail(answer.status());
        text = *answer;
      }
      if (program.json)
        fmt::print("{}\n", json{{"stage", std::string(name(*stage))}, {"text", text}}.dump(2));
      else
        fmt::print("{}{}", text, text.empty() || text.back() == '\n' ? "" : "\n");
      return 0;
    };
  });
}

} // namespace pantile::cli
