//===- cuda/compiler/Target.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/compiler/Target.h"

#include <charconv>
#include <fmt/format.h>

namespace pantile::cuda {

namespace {

Status setProperty(Target &target, std::string_view text) {
  const size_t equals = text.find('=');
  const std::string_view key = text.substr(0, equals), value = equals == text.npos ? std::string_view() : text.substr(equals + 1);
  auto number = [&](int64_t &to) -> Status {
    int64_t read = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
    if (error != std::errc() || end != value.data() + value.size() || read < 1 || read > 1'000'000)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("the target property {} is '{}', not a number of at least 1", key, value)};
    to = read;
    return {};
  };
  if (key == "units") return number(target.units);
  if (key == "ptxas_seconds") return number(target.ptxasSeconds);
  if (key == "ptxas") {
    if (value != "none" && (value.empty() || value[0] != '/'))
      return Status(PANTILE_INVALID_ARGUMENT, fmt::format("the target property ptxas is '{}', not an absolute path", value))
          .withFix("give its whole path, or 'none' for the driver's own compiler");
    target.ptxas = value;
    return {};
  }
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("unknown target property '{}'", key)).withFix("use units, ptxas, ptxas_seconds");
}

std::string properties(const TargetRow &row, int64_t units) {
  std::string text;
  for (const pantile_property &property : propertiesOf(row))
    text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", property.name,
                        std::string_view(property.name) == "units" ? units : property.integer);
  return text;
}

} // namespace

Expected<Target> parseTarget(std::string_view text) {
  const size_t colon = text.find(':');
  Target target;
  PANTILE_ASSIGN(target.row, findTarget(text.substr(0, colon)));
  target.units = target.row->units;
  for (size_t at = colon; at != text.npos;) {
    const size_t next = text.find(',', at + 1);
    PANTILE_RETURN_IF_ERROR(setProperty(target, text.substr(at + 1, next == text.npos ? next : next - at - 1)));
    at = next;
  }
  return target;
}

std::string targetsAsJson() {
  std::string text;
  for (const TargetRow &row : targetRows())
    text += fmt::format("{}{{\"name\":\"{}\",\"arch\":\"{}\",\"properties\":{{{},\"chip\":\"{}\"}}}}", text.empty() ? "" : ",", row.name,
                        row.name, properties(row, row.units), row.chip);
  return "[" + text + "]";
}

std::string targetAsJson(const Target &target) {
  return fmt::format("{{\"name\":\"{0}\",\"arch\":\"{0}\",{1}}}", target.row->name, properties(*target.row, target.units));
}

} // namespace pantile::cuda
