//===- runtime/cli/Jobs.h - many things to tune, shared by machines -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A file of jobs:
//
//   [[job]]
//   kernel = "matmul"                    # an operator of the library, or a file of tile IR (relative to this one)
//   dtype = "bf16"                       # dtype and options: of operators
//   options = "transpose_b=1"
//   shape = ["m=512,n=512,k=512", "m=1,n=512,k=512"]   # one or several
//   seconds = 20                         # instead of the command's budget
//
// Every shape is an item; items count from 0 in the order of the file. Shard i of n (i from 0) has the items whose number is i
// modulo n, so that the same file and n shards, on as many machines, tune every item once; `pantile cache merge` unites them.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_CLI_JOBS_H
#define PANTILE_RUNTIME_CLI_JOBS_H

#include "core/Status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pantile::cli {

struct Job {
  std::string kernel, dtype, options, shape;
  double seconds = 0; ///< 0: the command's budget
};

/// The items of a file's text. Errors name the line or the job and the key. `folder`: where files of IR are sought.
Expected<std::vector<Job>> readJobs(std::string_view text, const std::string &folder);

struct Shard {
  uint64_t index = 0, count = 1;
  bool has(uint64_t item) const { return item % count == index; }
};
/// "i/n", or "auto": rank and size as Slurm, Open MPI, PMI launchers, torchrun or an indexed Kubernetes job (with
/// JOB_COMPLETIONS set to their number) put them into the environment. `get` looks a variable up; null: not set.
Expected<Shard> parseShard(const std::string &text, const std::function<const char *(const char *)> &get);

} // namespace pantile::cli

#endif // PANTILE_RUNTIME_CLI_JOBS_H
