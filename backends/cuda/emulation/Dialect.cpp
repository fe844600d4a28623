//===- cuda/emulation/Dialect.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Dialect.h"

#include "backends/cuda/emulation/Families.h"
#include "backends/cuda/emulation/TensorMap.h"
#include "core/DType.h"
#include "ir/simt/LaunchExtras.h"

#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

namespace {

using emulator::KernelInfo;
using emulator::Space;

/// "4,1,1" -> 4 1 1; what is absent stays.
void readNumbers(std::string_view text, uint32_t *to, unsigned count) {
  const char *at = text.data(), *end = at + text.size();
  for (unsigned i = 0; i < count && at < end; ++i) {
    at = std::from_chars(at, end, to[i]).ptr;
    if (at < end) ++at;
  }
}

Status makeMap(const simt::DescriptorRecord &r, uint64_t address, TensorMap &map) {
  const auto dtype = DType(r.dtype);
  if (r.rank < 1 || r.rank > int64_t(simt::kDescriptorRank) || r.dtype < 0 || info(dtype).bits < 8)
    return {PANTILE_INVALID_ARGUMENT, fmt::format("no tensor map has rank {} and dtype {}", r.rank, r.dtype)};
  map.rank = uint8_t(r.rank);
  map.elementBytes = uint8_t(info(dtype).bits / 8);
  map.swizzleBytes = uint8_t(r.swizzleBytes);
  map.dtype = uint8_t(r.dtype);
  map.address = address;
  for (int d = 0; d < map.rank; ++d) {
    if (r.sizes[d] < 0 || r.sizes[d] > int64_t(1) << 32 || r.box[d] < 1 || r.box[d] > 256)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a tensor map of size {} and box {} in dimension {}", r.sizes[d], r.box[d], d)};
    map.last[d] = uint32_t(std::max<int64_t>(r.sizes[d], 1) - 1);
    map.box[d] = uint16_t(r.box[d]);
    // What is never stepped along may have any stride.
    if (d) map.strides[d - 1] = uint64_t(r.sizes[d] <= 1 ? std::max<int64_t>(16, (r.strides[d] + 15) / 16 * 16) : r.strides[d]);
  }
  return checkTensorMap(map);
}

class NvvmDialect final : public emulator::Dialect {
public:
  Space space(unsigned addressSpace) const override {
    switch (addressSpace) {
    case 0:
      return Space::Generic;
    case 1:
      return Space::Global;
    case 3: // of the block
    case 7: // of the cluster
      return Space::Shared;
    case 4:
      return Space::Constant;
    case 5:
      return Space::Private;
    case 101:
      return Space::Parameter;
    default:
      return Space::Unknown;
    }
  }

  std::optional<Emulation> function(std::string_view name) const override {
    for (auto rows : {identityIntrinsics(), synchronizationIntrinsics(), exchangeIntrinsics(), copyIntrinsics(), tensorCopyIntrinsics(),
                      matrixMoveIntrinsics(), warpDotIntrinsics(), groupDotIntrinsics(), arithmeticIntrinsics()})
      if (const Row *row = emulator::findRow(rows, name)) return Emulation{row->run, row->data, nullptr};
    return std::nullopt;
  }

  uint64_t traits(std::string_view text) const override { return deliversAccumulators(text) ? kDelivers : 0; }

  Expected<Emulation> assembly(std::string_view text, std::string_view constraints, uint64_t traits) const override {
    return assemble(text, constraints, traits);
  }

  uint32_t lanesPerWarp(const std::string &) const override { return 32; }

  Status describeKernel(KernelInfo &kernel) const override {
    for (auto &[name, value] : kernel.attributes) {
      if (name == "nvvm.cluster_dim") readNumbers(value, kernel.cluster, 3);
      if (name == "nvvm.maxntid" || name == "nvvm.reqntid") {
        uint32_t threads[3] = {1, 1, 1};
        readNumbers(value, threads, 3);
        kernel.maxThreads = threads[0] * threads[1] * threads[2];
      }
    }
    return {};
  }

  Status packParameters(const KernelInfo &kernel, const emulator::PackedArguments &arguments, std::vector<char> &bytes,
                        std::vector<size_t> &offsets) const override {
    auto extra = [&](size_t which) { return which < arguments.extras.size() ? arguments.extras[which] : 0; };
    if (extra(simt::kExtraVersion) != simt::kLaunchExtrasVersion)
      return Status(PANTILE_DATA_ERROR, fmt::format("'{}' was compiled for version {} of launches, this is {}", kernel.name,
                                                    extra(simt::kExtraVersion), simt::kLaunchExtrasVersion))
          .withFix("clear the artifact cache: `pantile cache clear`");
    const size_t descriptors = size_t(extra(simt::kExtraDescriptors));
    if (descriptors > 64 || arguments.extras.size() < simt::kLaunchExtras + descriptors * simt::kDescriptorWords ||
        kernel.parameters.size() != arguments.slots.size() + descriptors)
      return {PANTILE_DATA_ERROR, fmt::format("'{}' has {} parameters, the launch {} slots and {} descriptors", kernel.name,
                                              kernel.parameters.size(), arguments.slots.size(), descriptors)};
    bytes.assign((arguments.slots.size() + descriptors * 2) * 64, 0);
    size_t at = 0;
    for (uint64_t slot : arguments.slots) {
      std::memcpy(bytes.data() + at, &slot, sizeof(slot));
      offsets.push_back(at);
      at += 64;
    }
    for (size_t i = 0; i < descriptors; ++i) {
      simt::DescriptorRecord record;
      std::memcpy(&record, arguments.extras.data() + simt::kLaunchExtras + i * simt::kDescriptorWords, sizeof(record));
      if (record.slot < 0 || size_t(record.slot) >= arguments.slots.size())
        return {PANTILE_DATA_ERROR, fmt::format("'{}' describes slot {} of {}", kernel.name, record.slot, arguments.slots.size())};
      TensorMap map;
      PANTILE_RETURN_IF_ERROR(makeMap(record, arguments.slots[size_t(record.slot)], map));
      std::memcpy(bytes.data() + at, &map, sizeof(map));
      offsets.push_back(at);
      at += 128;
    }
    return {};
  }
};

} // namespace

const emulator::Dialect &dialect() {
  static const NvvmDialect nvvm;
  return nvvm;
}

} // namespace pantile::cuda::emulation
