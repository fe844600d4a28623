//===- cuda/device/Description.cpp ----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/Description.h"

#include "backends/cuda/targets/Targets.h"

#include <algorithm>
#include <fmt/format.h>

namespace pantile::cuda {

namespace {

/// "NVIDIA H100 80GB HBM3" -> "nvidia-h100-80gb-hbm3": names of files and of cache keys.
std::string hardwareName(const std::string &name) {
  std::string text;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      text += c;
    else if (!text.empty() && text.back() != '-')
      text += '-';
  }
  while (!text.empty() && text.back() == '-') text.pop_back();
  return text;
}

} // namespace

Expected<Description> describeDevice(const Driver &driver, uint32_t ordinal) {
  Description d;
  CUresult result = driver.cuDeviceGet(&d.device, int(ordinal));
  if (result != CUDA_SUCCESS) return driver.failure(result, fmt::format("GPU {} cannot be asked", ordinal));
  char name[256] = "";
  CUuuid uuid{};
  size_t bytes = 0;
  if ((result = driver.cuDeviceGetName(name, sizeof(name), d.device)) != CUDA_SUCCESS ||
      (result = driver.cuDeviceGetUuid(&uuid, d.device)) != CUDA_SUCCESS ||
      (result = driver.cuDeviceTotalMem(&bytes, d.device)) != CUDA_SUCCESS)
    return driver.failure(result, fmt::format("GPU {} cannot be asked", ordinal));
  name[sizeof(name) - 1] = 0;
  auto attribute = [&](CUdevice_attribute which) -> int64_t {
    int value = 0;
    return driver.cuDeviceGetAttribute(&value, which, d.device) == CUDA_SUCCESS ? value : 0;
  };
  d.name = name;
  d.hardware = hardwareName(d.name);
  d.memoryBytes = bytes;
  for (unsigned i = 0; i < 16; ++i)
    d.uuid += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", static_cast<unsigned char>(uuid.bytes[i]));
  const int major = int(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)),
            minor = int(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  const TargetRow *row = targetOfDevice(major, minor);
  // An architecture without a row is named as it is: the compiler half says that it has none.
  d.target = row ? row->name : fmt::format("sm_{}{}", major, minor);
  d.units = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  d.sharedPerBlock = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  d.memoryPools = attribute(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED) != 0;
  d.clusters = attribute(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) != 0;

  // The table's figures (rates that the driver does not tell), overridden by what this device says of itself.
  if (row) d.properties = propertiesOf(*row);
  auto set = [&](const char *property, int64_t value) {
    if (value <= 0) return;
    auto known = std::find_if(d.properties.begin(), d.properties.end(),
                              [&](const pantile_property &p) { return std::string_view(p.name) == property; });
    if (known == d.properties.end())
      d.properties.push_back({property, value, nullptr});
    else
      known->integer = value;
  };
  set("units", d.units);
  set("compute", major * 10 + minor);
  set("clock_khz", attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE));
  set("l2_bytes", attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
  set("shared_bytes", attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR));
  set("shared_block_bytes", d.sharedPerBlock);
  set("register_bytes", 4 * attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR));
  set("max_threads", attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR));
  set("max_programs", attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR));
  // Two transfers a clock on a bus of so many bits.
  set("memory_bytes_per_second",
      attribute(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE) * 1000 * 2 * attribute(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH) / 8);
  set("driver", driver.version);
  return d;
}

} // namespace pantile::cuda
