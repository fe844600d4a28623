//===- core/SpaceDescription.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/SpaceDescription.h"

#include "core/OwnedABI.h"

namespace pantile {

SpaceDescription SpaceDescription::fromABI(const pantile_space &space) {
  SpaceDescription description;
  for (uint32_t i = 0; i < space.parameter_count; ++i) {
    const pantile_parameter &p = *space.parameters[i];
    ParameterDescription &to = description.parameters.emplace_back();
    to.name = textOf(p.name);
    to.kind = pantile_parameter_kind(p.kind);
    to.launchOnly = p.launch_only != 0;
    to.length = p.length;
    if (p.values) to.values.assign(p.values, p.values + p.value_count);
    for (size_t l = 0; p.labels && l < p.value_count; ++l) to.labels.push_back(textOf(p.labels[l]));
    to.defaultValue = textOf(p.default_value);
    to.activeIf = textOf(p.active_if);
  }
  for (uint32_t i = 0; i < space.constraint_count; ++i)
    description.constraints.push_back({textOf(space.constraints[i].expression), textOf(space.constraints[i].text)});
  for (uint32_t i = 0; i < space.feature_count; ++i)
    description.features.push_back({textOf(space.features[i].name), textOf(space.features[i].expression)});
  return description;
}

namespace {

struct OwnedSpace : pantile_space {
  SpaceDescription data;
  std::vector<pantile_parameter> rows;
  std::vector<const pantile_parameter *> pointers;
  std::vector<std::vector<const char *>> labels;
  std::vector<pantile_constraint> constraintRows;
  std::vector<pantile_feature> featureRows;
};

} // namespace

pantile_space *SpaceDescription::toABI() const {
  auto *owned = new OwnedSpace{};
  owned->data = *this;
  for (const ParameterDescription &p : owned->data.parameters) owned->labels.push_back(pointersOf(p.labels));
  for (size_t i = 0; i < owned->data.parameters.size(); ++i) {
    const ParameterDescription &p = owned->data.parameters[i];
    owned->rows.push_back({sizeof(pantile_parameter), p.kind, p.name.c_str(), p.launchOnly, p.length, p.values.data(),
                           p.labels.empty() ? p.values.size() : p.labels.size(), p.labels.empty() ? nullptr : owned->labels[i].data(),
                           p.defaultValue.c_str(), p.activeIf.empty() ? nullptr : p.activeIf.c_str()});
    // An enum's values are its ordinals: the reader takes `value_count` of them.
    if (!p.labels.empty()) owned->rows.back().values = p.values.size() == p.labels.size() ? p.values.data() : nullptr;
  }
  for (const pantile_parameter &row : owned->rows) owned->pointers.push_back(&row);
  for (const ConstraintDescription &c : owned->data.constraints) owned->constraintRows.push_back({c.expression.c_str(), c.text.c_str()});
  for (const FeatureDescription &f : owned->data.features) owned->featureRows.push_back({f.name.c_str(), f.expression.c_str()});
  owned->struct_size = sizeof(pantile_space);
  owned->parameter_count = uint32_t(owned->pointers.size());
  owned->parameters = owned->pointers.data();
  owned->constraint_count = uint32_t(owned->constraintRows.size());
  owned->constraints = owned->constraintRows.data();
  owned->feature_count = uint32_t(owned->featureRows.size());
  owned->features = owned->featureRows.data();
  owned->release = [](pantile_space *space) { delete static_cast<OwnedSpace *>(space); };
  return owned;
}

void SpaceDescription::write(ByteWriter &writer) const {
  writer.u64(parameters.size());
  for (const ParameterDescription &p : parameters) {
    writer.text(p.name);
    writer.u32(uint32_t(p.kind));
    writer.u8(p.launchOnly);
    writer.u32(p.length);
    writer.integers(p.values);
    writer.texts(p.labels);
    writer.text(p.defaultValue);
    writer.text(p.activeIf);
  }
  writer.u64(constraints.size());
  for (const ConstraintDescription &c : constraints) {
    writer.text(c.expression);
    writer.text(c.text);
  }
  writer.u64(features.size());
  for (const FeatureDescription &f : features) {
    writer.text(f.name);
    writer.text(f.expression);
  }
}

Expected<SpaceDescription> SpaceDescription::read(ByteReader &reader) {
  SpaceDescription description;
  description.parameters.resize(reader.count(49));
  for (ParameterDescription &p : description.parameters) {
    p.name = reader.text();
    uint32_t kind = reader.u32();
    if (kind > PANTILE_PARAMETER_PERMUTATION) reader.fail();
    p.kind = pantile_parameter_kind(kind);
    p.launchOnly = reader.u8() != 0;
    p.length = reader.u32();
    p.values = reader.integers();
    p.labels = reader.texts();
    p.defaultValue = reader.text();
    p.activeIf = reader.text();
  }
  description.constraints.resize(reader.count(16));
  for (ConstraintDescription &c : description.constraints) {
    c.expression = reader.text();
    c.text = reader.text();
  }
  description.features.resize(reader.count(16));
  for (FeatureDescription &f : description.features) {
    f.name = reader.text();
    f.expression = reader.text();
  }
  PANTILE_RETURN_IF_ERROR(reader.finish("a description of a space", false));
  return description;
}

} // namespace pantile
