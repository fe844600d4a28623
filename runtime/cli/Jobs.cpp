//===- runtime/cli/Jobs.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Jobs.h"

#include "core/Toml.h"

#include <charconv>
#include <cmath>
#include <fmt/core.h>

namespace pantile::cli {

namespace {

Status wrong(std::string text) { return {PANTILE_INVALID_ARGUMENT, std::move(text)}; }

std::string placeOf(const toml::node &node, size_t number) { return fmt::format("job {} (line {})", number, node.source().begin.line); }

Status readJob(const toml::table &table, size_t number, const std::string &folder, std::vector<Job> &jobs) {
  Job job;
  std::vector<std::string> shapes;
  for (auto &&[key, value] : table) {
    std::string_view name = key.str();
    auto text = value.value_exact<std::string>();
    auto expected = [&](const char *what) { return wrong(fmt::format("{}: '{}' is {}", placeOf(value, number), name, what)); };
    if (name == "kernel" || name == "dtype" || name == "options") {
      if (!text) return expected("a string");
      (name == "kernel" ? job.kernel : name == "dtype" ? job.dtype : job.options) = *text;
    } else if (name == "shape") {
      if (text) shapes.push_back(*text);
      if (const toml::array *list = value.as_array())
        for (const toml::node &one : *list) {
          auto shape = one.value_exact<std::string>();
          if (!shape) return expected("a string or a list of strings");
          shapes.push_back(*shape);
        }
      if (shapes.empty()) return expected("a string or a list of strings, at least one");
    } else if (name == "seconds") {
      job.seconds = value.value<double>().value_or(0);
      if (!(job.seconds > 0) || std::isinf(job.seconds)) return expected("a number above 0");
    } else {
      return wrong(fmt::format("{}: unknown key '{}'", placeOf(value, number), name))
          .withFix("known: kernel, dtype, options, shape, seconds");
    }
  }
  if (job.kernel.empty()) return wrong(fmt::format("{} has no kernel", placeOf(table, number)));
  bool isFile = job.kernel.find('/') != std::string::npos || job.kernel.find('.') != std::string::npos;
  if (isFile && job.kernel[0] != '/' && !folder.empty()) job.kernel = folder + "/" + job.kernel;
  if (shapes.empty()) shapes.emplace_back();
  for (std::string &shape : shapes) {
    job.shape = std::move(shape);
    jobs.push_back(job);
  }
  return {};
}

std::optional<uint64_t> numberOf(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number) : std::nullopt;
}

/// Who starts the processes, and what it says of them.
constexpr struct {
  const char *launcher, *rank, *size;
} kLaunchers[] = {
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS"},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"PMI", "PMI_RANK", "PMI_SIZE"},
    {"torchrun", "RANK", "WORLD_SIZE"},
    {"Kubernetes", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"},
};

} // namespace

Expected<std::vector<Job>> readJobs(std::string_view text, const std::string &folder) {
  toml::table root;
  TomlProblem problem;
  if (!parseToml(text, root, problem)) return wrong(fmt::format("line {}, column {}: {}", problem.line, problem.column, problem.text));
  std::vector<Job> jobs;
  for (auto &&[key, value] : root) {
    const toml::array *list = value.as_array();
    if (key.str() != "job" || !list)
      return wrong(fmt::format("line {}: '{}' is unknown here", value.source().begin.line, key.str())).withFix("write tables [[job]]");
    for (size_t i = 0; i < list->size(); ++i) {
      const toml::table *table = (*list)[i].as_table();
      if (!table) return wrong(fmt::format("{} is no table", placeOf((*list)[i], i))).withFix("write [[job]]");
      PANTILE_RETURN_IF_ERROR(readJob(*table, i, folder, jobs));
    }
  }
  if (jobs.empty()) return wrong("no jobs").withFix("write tables [[job]] with kernel and shape");
  return jobs;
}

Expected<Shard> parseShard(const std::string &text, const std::function<const char *(const char *)> &get) {
  auto make = [](std::string_view what, std::string_view index, std::string_view count) -> Expected<Shard> {
    auto i = numberOf(index), n = numberOf(count);
    if (i && n && *i < *n) return Shard{*i, *n};
    return wrong(fmt::format("{} is shard '{}' of '{}'", what, index, count)).withFix("shards count from 0: 0/4, 1/4, 2/4, 3/4");
  };
  if (text == "auto") {
    std::string known;
    for (const auto &one : kLaunchers) {
      const char *rank = get(one.rank), *size = get(one.size);
      if (rank && size) return make(fmt::format("{} ({}, {})", one.launcher, one.rank, one.size), rank, size);
      known += fmt::format("{}{} and {}", known.empty() ? "" : "; ", one.rank, one.size);
    }
    return wrong("--shard auto: nothing in the environment says which shard this is").withFix("set " + known + "; or write --shard i/n");
  }
  size_t slash = text.find('/');
  if (slash == std::string::npos) return wrong("--shard '" + text + "' is not i/n").withFix("write --shard 0/4, or --shard auto");
  return make("--shard " + text, std::string_view(text).substr(0, slash), std::string_view(text).substr(slash + 1));
}

} // namespace pantile::cli
