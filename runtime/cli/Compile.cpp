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
#include "runtime/cli/Shape.h"
#include "runtime/dispatch/Signature.h"
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

/// Facts of row-major arguments of these sizes, as a launch would find them. A size that --shape leaves out counts as one that
/// nothing divides; a kernel with static extents needs them all.
Facts factsOf(const Signature &signature, bool needsAll, const std::string &text) {
  const Shape shape(text, signature.arguments());
  std::vector<std::vector<int64_t>> sizes;
  std::vector<DLTensor> tensors;
  uint64_t scalar = 0;
  for (const KernelArgument &argument : signature.arguments()) {
    auto &of = sizes.emplace_back(argument.shape);
    for (size_t d = 0; d < of.size(); ++d) {
      if (of[d] >= 0) continue;
      of[d] = 7;
      const auto given = argument.sizes.empty() ? std::nullopt : shape.size(argument.sizes[d]);
      if (given) of[d] = *given;
      if (needsAll && !given)
        throw Failure{
            2, fmt::format("--shape lacks {}: the kernel has static sizes", argument.sizes.empty() ? argument.name : argument.sizes[d])};
    }
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    const KernelArgument &argument = signature.arguments()[i];
    const DTypeInfo &dtype = info(argument.dtype);
    DLTensor &tensor = tensors.emplace_back();
    tensor.data = argument.isView() ? nullptr : &scalar;
    tensor.device = {kDLCPU, 0};
    tensor.ndim = int32_t(sizes[i].size());
    tensor.dtype = {uint8_t(dtype.dlpackCode < 0 ? 1 : dtype.dlpackCode), uint8_t(std::max(8u, dtype.bits)), 1};
    tensor.shape = sizes[i].data();
  }
  std::vector<DLTensor *> pointers;
  for (DLTensor &tensor : tensors) pointers.push_back(&tensor);
  auto bound = signature.bind(pointers.data(), pointers.size(), {kDLCPU, 0}, false);
  if (!bound) fail(bound.status());
  return signature.facts(*bound);
}

CompileRequest requestOf(Compilers &compilers, const Options &options) {
  CompileRequest request;
  std::tie(request.backend, request.target) = compilers.backendOf(options.target);
  request.ir = options.kernel.text();
  auto text = readKernelText(request.ir);
  auto signature = Signature::read(request.ir);
  if (!text || !signature) fail(text ? signature.status() : text.status());
  request.facts = factsOf(*signature, !text->header.statics.empty(), options.kernel.shape);
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
  if (!file) throw Failure{1, fmt::format("'{}' cannot be written: {}", path, systemError(errno))};
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
  compile->add_option("-o,--output", options->output, "file; default: standard output (with --json: no code)");
  compile->callback([&program, options] {
    program.run = [&program, options] {
      Compilers compilers;
      auto artifact = compilers.client->compile(requestOf(compilers, *options));
      if (!artifact) fail(Status(artifact.status()).in(options->kernel.kernel));
      if (!program.json || !options->output.empty()) write(options->output, artifact->code);
      if (program.json) {
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
        if (!answer) fail(Status(answer.status()).in(inspected->kernel.kernel));
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
