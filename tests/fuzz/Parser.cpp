//===- tests/fuzz/Parser.cpp - MLIR's parser and our verifiers, in the helper ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// MLIR is not ours to make safe: its parser runs where it may die. The helper answers, or dies and is replaced; this process gets a
// status, in time, and stays whole. What kills a helper is counted, and said at the end.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"
#include "runtime/helper/CompilerClient.h"
#include "tests/fuzz/Fuzz.h"

using namespace pantile;

namespace {

struct Client {
  CompilerClient client{PANTILE_FUZZ_HELPERS, {PANTILE_FUZZ_HELPERS}, 1};
  ~Client() { std::printf("%u helpers were started\n", client.processes().started()); }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Client helper;
  CompileRequest request;
  request.backend = "cpu";
  request.target = "x86_64_v3";
  request.ir = std::string(fuzz::view(data, size));
  if (auto kernel = readKernelText(request.ir))
    for (const KernelArgument &argument : kernel->header.arguments) {
      auto &facts = request.facts.arguments.emplace_back();
      facts.struct_size = sizeof(facts);
      facts.dtype = argument.dtype, facts.rank = std::min(argument.rank, PANTILE_MAX_RANK), facts.unit_dim = facts.rank - 1;
      facts.alignment = 1;
      for (int d = 0; d < PANTILE_MAX_RANK; ++d) facts.size_divisor[d] = facts.stride_divisor[d] = 1, facts.static_size[d] = -1;
    }
  auto artifact = helper.client.compile(request, Clock::now() + std::chrono::seconds(10));
  if (!artifact) fuzz::require(!artifact.status().text().empty(), "an error has a text");
  return 0;
}
