//===- cuda/targets/Targets.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/targets/Targets.h"

#include <fmt/format.h>

namespace pantile::cuda {

const std::vector<TargetRow> &targetRows() {
  constexpr uint32_t ampere = kAsyncCopy | kMatrixLoad, ada = ampere | kFloat8Dot, hopper = ada | kBulkTensor | kClusters;
  constexpr int64_t KB = 1024, MB = 1024 * KB, GB = 1'000'000'000;
  // Sources: CUDA C++ Programming Guide, technical specifications by compute capability; the chips' datasheets (dense rates).
  static const std::vector<TargetRow> rows = {
      {"sm_80", "A100 SXM 80GB", 8, 0, "+ptx80", ampere, false, 163 * KB, 164 * KB, 65536, 2048, 32, 108, 1'410'000, 40 * MB, 2039 * GB,
       4500 * GB, 128, 2048},
      {"sm_86", "A40", 8, 6, "+ptx80", ampere, false, 99 * KB, 100 * KB, 65536, 1536, 16, 84, 1'740'000, 6 * MB, 696 * GB, 2000 * GB, 256,
       1024},
      {"sm_89", "L40S", 8, 9, "+ptx84", ada, false, 99 * KB, 100 * KB, 65536, 1536, 24, 142, 2'520'000, 96 * MB, 864 * GB, 3500 * GB, 256,
       1024},
      {"sm_90a", "H100 SXM 80GB", 9, 0, "+ptx86", hopper | kGroupDot | kRegisterMoves, true, 227 * KB, 228 * KB, 65536, 2048, 32, 132,
       1'830'000, 50 * MB, 3350 * GB, 5500 * GB, 256, 4096},
      {"sm_100a", "B200", 10, 0, "+ptx86", hopper | kRegisterMoves | kTensorMemory, true, 227 * KB, 228 * KB, 65536, 2048, 32, 148,
       1'850'000, 126 * MB, 8000 * GB, 10000 * GB, 256, 8192},
      {"sm_120", "RTX 5090", 12, 0, "+ptx87", hopper, false, 99 * KB, 100 * KB, 65536, 1536, 24, 170, 2'410'000, 96 * MB, 1792 * GB,
       5000 * GB, 256, 1024},
  };
  return rows;
}

Expected<const TargetRow *> findTarget(std::string_view name) {
  std::string known;
  for (const TargetRow &row : targetRows()) {
    if (name == row.name) return &row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Status(PANTILE_UNSUPPORTED, fmt::format("there is no code generator for '{}'", name)).withFix("targets: " + known);
}

const TargetRow *targetOfDevice(int major, int minor) {
  const TargetRow *best = nullptr;
  for (const TargetRow &row : targetRows())
    if (row.major == major && (row.exact ? row.minor == minor : row.minor <= minor) && (!best || row.minor > best->minor)) best = &row;
  return best;
}

std::vector<pantile_property> propertiesOf(const TargetRow &row) {
  return {{"units", row.units, nullptr},
          {"compute", row.major * 10 + row.minor, nullptr},
          {"clock_khz", row.clockKhz, nullptr},
          {"flops_per_cycle", row.flopsPerCycle, nullptr},
          {"mma_flops_per_cycle", row.mmaFlopsPerCycle, nullptr},
          {"memory_bytes_per_second", row.memoryBytesPerSecond, nullptr},
          {"cache_bytes_per_cycle", 128, nullptr},
          {"l2_bytes", row.l2Bytes, nullptr},
          {"l2_bytes_per_second", row.l2BytesPerSecond, nullptr},
          {"shared_bytes", row.sharedUnit, nullptr},
          {"shared_block_bytes", row.sharedBlock, nullptr},
          {"register_bytes", 4 * row.registersUnit, nullptr},
          {"max_threads", row.threadsUnit, nullptr},
          {"max_programs", row.blocksUnit, nullptr},
          {"launch_ns", 2500, nullptr},
          {"memory_latency_ns", 600, nullptr},
          {"lanes", 32, nullptr}};
}

} // namespace pantile::cuda
