//===- core/Artifact.cpp --------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Artifact.h"

#include "core/OwnedABI.h"

namespace pantile {

Artifact Artifact::fromABI(const pantile_artifact &artifact) {
  Artifact copy;
  if (artifact.code) copy.code.assign(static_cast<const char *>(artifact.code), artifact.code_size);
  for (uint32_t i = 0; i < artifact.launch_count; ++i) {
    const pantile_launch_record &from = *artifact.launches[i];
    LaunchDescription &to = copy.launches.emplace_back();
    to.entry = textOf(from.entry);
    for (size_t d = 0; d < 3; ++d) {
      to.grid[d] = textOf(from.grid[d], "1");
      to.block[d] = textOf(from.block[d], "1");
    }
    to.sharedBytes = textOf(from.shared_bytes, "0");
    for (uint32_t s = 0; s < from.slot_count; ++s) to.slots.push_back(textOf(from.slots[s], "0"));
    for (uint32_t e = 0; e < from.extra_count; ++e) to.extras.push_back(textOf(from.extras[e], "0"));
  }
  for (uint32_t i = 0; i < artifact.check_count; ++i)
    copy.checks.push_back({textOf(artifact.checks[i].expression, "1"), textOf(artifact.checks[i].text)});
  for (uint32_t i = 0; i < artifact.resource_count; ++i)
    copy.resources.emplace_back(textOf(artifact.resources[i].name), artifact.resources[i].integer);
  copy.workspaceBytes = textOf(artifact.workspace_bytes, "0");
  copy.zeroedWorkspaceBytes = textOf(artifact.zeroed_workspace_bytes, "0");
  copy.log = textOf(artifact.log);
  return copy;
}

namespace {

struct OwnedArtifact : pantile_artifact {
  Artifact data;
  std::vector<pantile_launch_record> launchRows;
  std::vector<const pantile_launch_record *> launchPointers;
  std::vector<std::vector<const char *>> slots, extras;
  std::vector<pantile_check> checkRows;
  std::vector<pantile_property> resourceRows;
};

} // namespace

pantile_artifact *Artifact::toABI() const {
  auto *owned = new OwnedArtifact{};
  owned->data = *this;
  const Artifact &data = owned->data;
  for (const LaunchDescription &launch : data.launches) {
    owned->slots.push_back(pointersOf(launch.slots));
    owned->extras.push_back(pointersOf(launch.extras));
  }
  for (size_t i = 0; i < data.launches.size(); ++i) {
    const LaunchDescription &from = data.launches[i];
    pantile_launch_record &to = owned->launchRows.emplace_back();
    to.struct_size = sizeof(pantile_launch_record);
    to.entry = from.entry.c_str();
    for (size_t d = 0; d < 3; ++d) {
      to.grid[d] = from.grid[d].c_str();
      to.block[d] = from.block[d].c_str();
    }
    to.shared_bytes = from.sharedBytes.c_str();
    to.slots = owned->slots[i].data();
    to.slot_count = uint32_t(owned->slots[i].size());
    to.extras = owned->extras[i].data();
    to.extra_count = uint32_t(owned->extras[i].size());
  }
  for (const pantile_launch_record &row : owned->launchRows) owned->launchPointers.push_back(&row);
  for (const CheckDescription &check : data.checks) owned->checkRows.push_back({check.expression.c_str(), check.text.c_str()});
  for (const auto &[name, value] : data.resources) owned->resourceRows.push_back({name.c_str(), value, nullptr});
  owned->struct_size = sizeof(pantile_artifact);
  owned->code = data.code.data();
  owned->code_size = data.code.size();
  owned->launches = owned->launchPointers.data();
  owned->launch_count = uint32_t(owned->launchPointers.size());
  owned->checks = owned->checkRows.data();
  owned->check_count = uint32_t(owned->checkRows.size());
  owned->resources = owned->resourceRows.data();
  owned->resource_count = uint32_t(owned->resourceRows.size());
  owned->workspace_bytes = data.workspaceBytes.c_str();
  owned->zeroed_workspace_bytes = data.zeroedWorkspaceBytes.c_str();
  owned->log = data.log.empty() ? nullptr : data.log.c_str();
  owned->release = [](pantile_artifact *artifact) { delete static_cast<OwnedArtifact *>(artifact); };
  return owned;
}

void Artifact::write(ByteWriter &writer) const {
  writer.text(code);
  writer.u64(launches.size());
  for (const LaunchDescription &launch : launches) {
    writer.text(launch.entry);
    for (size_t d = 0; d < 3; ++d) {
      writer.text(launch.grid[d]);
      writer.text(launch.block[d]);
    }
    writer.text(launch.sharedBytes);
    writer.texts(launch.slots);
    writer.texts(launch.extras);
  }
  writer.u64(checks.size());
  for (const CheckDescription &check : checks) {
    writer.text(check.expression);
    writer.text(check.text);
  }
  writer.u64(resources.size());
  for (const auto &[name, value] : resources) {
    writer.text(name);
    writer.i64(value);
  }
  writer.text(workspaceBytes);
  writer.text(zeroedWorkspaceBytes);
  writer.text(log);
}

Expected<Artifact> Artifact::read(ByteReader &reader) {
  Artifact artifact;
  artifact.code = reader.text();
  artifact.launches.resize(reader.count(80));
  for (LaunchDescription &launch : artifact.launches) {
    launch.entry = reader.text();
    for (size_t d = 0; d < 3; ++d) {
      launch.grid[d] = reader.text();
      launch.block[d] = reader.text();
    }
    launch.sharedBytes = reader.text();
    launch.slots = reader.texts();
    launch.extras = reader.texts();
  }
  artifact.checks.resize(reader.count(16));
  for (CheckDescription &check : artifact.checks) {
    check.expression = reader.text();
    check.text = reader.text();
  }
  artifact.resources.resize(reader.count(16));
  for (auto &[name, value] : artifact.resources) {
    name = reader.text();
    value = reader.i64();
  }
  artifact.workspaceBytes = reader.text();
  artifact.zeroedWorkspaceBytes = reader.text();
  artifact.log = reader.text();
  PANTILE_RETURN_IF_ERROR(reader.finish("an artifact", false));
  return artifact;
}

void Facts::write(ByteWriter &writer) const {
  writer.u64(arguments.size());
  for (const pantile_argument_facts &a : arguments) {
    writer.u32(uint32_t(a.dtype));
    writer.u32(uint32_t(a.rank));
    writer.u32(uint32_t(a.unit_dim));
    writer.u32(a.alignment);
    writer.u32(a.zero_stride_mask);
    for (int d = 0; d < a.rank; ++d) {
      writer.u32(a.size_divisor[d]);
      writer.u32(a.stride_divisor[d]);
      writer.i64(a.static_size[d]);
    }
  }
}

Expected<Facts> Facts::read(ByteReader &reader) {
  Facts facts;
  facts.arguments.resize(reader.count(20));
  for (pantile_argument_facts &a : facts.arguments) {
    a = {};
    a.struct_size = sizeof(a);
    a.dtype = int32_t(reader.u32());
    a.rank = int32_t(reader.u32());
    a.unit_dim = int32_t(reader.u32());
    a.alignment = reader.u32();
    a.zero_stride_mask = reader.u32();
    if (a.rank < -1 || a.rank > PANTILE_MAX_RANK || a.unit_dim < -1 || (a.unit_dim >= 0 && a.unit_dim >= a.rank)) {
      reader.fail();
      a.rank = -1;
    }
    for (int d = 0; d < a.rank; ++d) {
      a.size_divisor[d] = reader.u32();
      a.stride_divisor[d] = reader.u32();
      a.static_size[d] = reader.i64();
    }
  }
  PANTILE_RETURN_IF_ERROR(reader.finish("facts", false));
  return facts;
}

} // namespace pantile
