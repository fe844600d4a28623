//===- cuda/device/Launch.cpp - numbers to one call of the driver ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/Device.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda {

namespace {

constexpr size_t kMostSlots = 256, kMostDescriptors = 16;

int64_t extra(const pantile_launch_call &call, unsigned which) { return which < call.extra_count ? call.extras[which] : 0; }

std::string describeLaunch(const Function &function, const pantile_launch_call &call) {
  return fmt::format("launch of '{}' (grid {}x{}x{}, block {}x{}x{}, {} bytes of shared memory, cluster {})", function.name, call.grid[0],
                     call.grid[1], call.grid[2], call.block[0], call.block[1], call.block[2], call.shared_bytes,
                     std::max<int64_t>(1, extra(call, simt::kExtraCluster)));
}

/// What the driver would only call an invalid value.
Status checkLimits(const Function &function, const pantile_launch_call &call, int64_t cluster) {
  constexpr int64_t mostGrid[] = {INT32_MAX, 65535, 65535}, mostBlock[] = {1024, 1024, 64};
  auto wrong = [&](std::string why) { return Status(PANTILE_UNSUPPORTED, describeLaunch(function, call) + ": " + std::move(why)); };
  for (int d = 0; d < 3; ++d) {
    if (call.grid[d] < 1 || call.grid[d] > mostGrid[d])
      return wrong(fmt::format("the grid may have 1 to {} blocks along {}", mostGrid[d], "xyz"[d]));
    if (call.block[d] < 1 || call.block[d] > mostBlock[d])
      return wrong(fmt::format("a block may have 1 to {} threads along {}", mostBlock[d], "xyz"[d]));
  }
  if (call.block[0] * call.block[1] * call.block[2] > function.mostThreads)
    return wrong(fmt::format("its code allows {} threads", function.mostThreads));
  if (call.shared_bytes < 0 || call.shared_bytes > function.mostDynamicShared)
    return wrong(fmt::format("the device has {} bytes of shared memory a block", function.mostDynamicShared));
  if (cluster > 16 || call.grid[0] % cluster) return wrong("the grid is no multiple of its cluster, which has at most 16 blocks");
  return {};
}

} // namespace

Expected<uint32_t> Device::residentBlocks(const Function &function, const CUlaunchConfig &config) const {
  const uint32_t cluster =
      config.numAttrs && config.attrs[0].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION ? config.attrs[0].value.clusterDim.x : 1;
  const uint32_t threads = config.blockDimX * config.blockDimY * config.blockDimZ;
  // 40 bits of what it is for: shared memory in units of 16 bytes, threads, cluster.
  const uint64_t key = (uint64_t(config.sharedMemBytes / 16) << 16 | uint64_t(threads) << 5 | cluster) + 1;
  uint64_t known = function.resident.load(std::memory_order_relaxed);
  if (known >> 24 == key) return uint32_t(known & 0xffffff);
  int number = 0;
  if (cluster > 1) {
    PANTILE_RETURN_IF_ERROR(check(api.cuOccupancyMaxActiveClusters(&number, function.handle, &config), "occupancy is unknown"));
    number *= int(cluster);
  } else {
    PANTILE_RETURN_IF_ERROR(
        check(api.cuOccupancyMaxActiveBlocksPerMultiprocessor(&number, function.handle, int(threads), config.sharedMemBytes),
              "occupancy is unknown"));
    number *= int(what.units);
  }
  if (number < 1) return Status(PANTILE_UNSUPPORTED, fmt::format("no block of '{}' fits on '{}'", function.name, what.name));
  number = std::min(number, 0xffffff);
  function.resident.store(key << 24 | uint64_t(number), std::memory_order_relaxed);
  return uint32_t(number);
}

Status Device::launch(CUstream stream, const Module &module, const pantile_launch_call &call) {
  if (fault.load(std::memory_order_relaxed)) [[unlikely]]
    return faulted();
  const Function *function = module.entry(call.entry);
  if (!function) return {PANTILE_INVALID_ARGUMENT, fmt::format("entry {} of a module of {}", call.entry, module.size())};
  const int64_t version = extra(call, simt::kExtraVersion), descriptors = extra(call, simt::kExtraDescriptors);
  if (version != simt::kLaunchExtrasVersion)
    return Status(PANTILE_DATA_ERROR, fmt::format("'{}' was compiled for version {} of launches, this is {}", function->name, version,
                                                  simt::kLaunchExtrasVersion))
        .withFix("clear the artifact cache: `pantile cache clear`");
  const int64_t cluster = std::max<int64_t>(1, extra(call, simt::kExtraCluster)), flags = extra(call, simt::kExtraFlags);
  PANTILE_RETURN_IF_ERROR(checkLimits(*function, call, cluster));

  if (call.slot_count > kMostSlots || descriptors < 0 || descriptors > int64_t(kMostDescriptors) ||
      call.extra_count < simt::kLaunchExtras + uint64_t(descriptors) * simt::kDescriptorWords)
    return {PANTILE_DATA_ERROR,
            fmt::format("'{}' has {} slots and {} descriptors, too many", function->name, call.slot_count, descriptors)};
  // Each parameter by its address: the driver knows their offsets, which differ by architecture where some are aligned to 64 bytes.
  void *parameters[kMostSlots + kMostDescriptors];
  CUtensorMap described[kMostDescriptors];
  for (uint32_t i = 0; i < call.slot_count; ++i) parameters[i] = const_cast<uint64_t *>(call.slots + i);
  for (int64_t i = 0; i < descriptors; ++i) {
    simt::DescriptorRecord record;
    std::memcpy(&record, call.extras + simt::kLaunchExtras + i * simt::kDescriptorWords, sizeof(record));
    if (record.slot < 0 || record.slot >= call.slot_count)
      return {PANTILE_DATA_ERROR, fmt::format("'{}' describes slot {} of {}", function->name, record.slot, call.slot_count)};
    if (Status status = maps.encode(record, call.slots[record.slot], described[i]); !status.isOk())
      return std::move(status).in(function->name);
    parameters[call.slot_count + uint32_t(i)] = &described[i];
  }

  CUlaunchAttribute attributes[3];
  CUlaunchConfig config{unsigned(call.grid[0]),
                        unsigned(call.grid[1]),
                        unsigned(call.grid[2]),
                        unsigned(call.block[0]),
                        unsigned(call.block[1]),
                        unsigned(call.block[2]),
                        unsigned(call.shared_bytes),
                        stream,
                        attributes,
                        0};
  if (cluster > 1) {
    auto &attribute = attributes[config.numAttrs++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attribute.value.clusterDim = {unsigned(cluster), 1, 1};
  }
  if (flags & simt::kLaunchProgrammatic) {
    auto &attribute = attributes[config.numAttrs++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
  }
  if (const int64_t carveout = flags >> simt::kLaunchCarveoutShift & 0xff) {
    auto &attribute = attributes[config.numAttrs++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT;
    attribute.value.sharedMemCarveout = unsigned(std::min<int64_t>(carveout - 1, 100));
  }
  Current current(api, ctx);
  if (flags & simt::kLaunchPersistent) {
    PANTILE_ASSIGN(uint32_t resident, residentBlocks(*function, config));
    config.gridDimX = std::min(config.gridDimX, std::max(resident / unsigned(cluster) * unsigned(cluster), unsigned(cluster)));
  }
  CUresult result = api.cuLaunchKernelEx(&config, function->handle, parameters, nullptr);
  if (result != CUDA_SUCCESS) [[unlikely]]
    return check(result, describeLaunch(*function, call));
  return {};
}

} // namespace pantile::cuda
