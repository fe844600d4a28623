//===- runtime/dispatch/LaunchPlan.cpp ------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/LaunchPlan.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace pantile {

namespace {

/// Reads "12" or "1.3" at the start of `text`, whole.
bool readNumbers(std::string_view text, size_t &first, size_t *second) {
  auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), first);
  if (problem != std::errc()) return false;
  std::string_view rest(stop, size_t(text.data() + text.size() - stop));
  if (!second) return rest.empty();
  if (rest.size() < 2 || rest[0] != '.') return false;
  auto [end, bad] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), *second);
  return bad == std::errc() && end == rest.data() + rest.size();
}

} // namespace

Expected<LaunchPlan> LaunchPlan::create(const Artifact &artifact, const Signature &signature, const Numbers &configuration,
                                        const Numbers &device) {
  LaunchPlan plan;
  plan.kernel = signature.name();
  uint32_t next = 0;
  for (const auto &argument : signature.arguments()) {
    plan.base.push_back(next);
    next += argument.isView() ? 2 * uint32_t(argument.rank) + 1 : 1;
    plan.wordVariable.push_back(next - 1);
  }
  plan.workspaceVariable = next++;
  plan.extraVariables = next;
  size_t mostExtras = 0;
  for (const auto &launch : artifact.launches) mostExtras = std::max(mostExtras, launch.extras.size());
  next += uint32_t(mostExtras);
  plan.constants.assign(next, 0);
  std::map<std::string, uint32_t, std::less<>> constantVariables;
  std::vector<uint8_t> extraNeeds;

  auto add = [&](const std::string &text, const std::string &what) -> Status {
    Number number;
    auto resolve = [&](std::string_view name) -> std::optional<uint32_t> {
      size_t a = 0, d = 0;
      auto arguments = signature.arguments();
      const char kind = name.empty() ? 0 : name[0];
      std::string_view rest = name.substr(name.empty() ? 0 : 1);
      if ((kind == 's' || kind == 't') && readNumbers(rest, a, &d) && a < arguments.size() && arguments[a].isView() &&
          d < size_t(arguments[a].rank))
        return plan.base[a] + uint32_t(kind == 's' ? d : size_t(arguments[a].rank) + d);
      if (kind == 'p' && readNumbers(rest, a, nullptr) && a < arguments.size() && arguments[a].isView()) {
        number.needs |= kAddress;
        return plan.wordVariable[a];
      }
      if (kind == 'a' && readNumbers(rest, a, nullptr) && a < arguments.size() && !arguments[a].isView()) {
        number.needs |= kScalar;
        return plan.wordVariable[a];
      }
      if (name == "w") {
        number.needs |= kWorkspace;
        return plan.workspaceVariable;
      }
      if (kind == 'e' && readNumbers(rest, a, nullptr) && a < extraNeeds.size()) {
        number.needs |= extraNeeds[a];
        return plan.extraVariables + uint32_t(a);
      }
      if (kind == 'k')
        for (size_t i = 0; i < arguments.size(); ++i)
          for (size_t k = 0; k < arguments[i].sizes.size(); ++k)
            if (arguments[i].sizes[k] == rest) return plan.base[i] + uint32_t(k);
      if (auto known = constantVariables.find(name); known != constantVariables.end()) return known->second;
      if (name.starts_with("c.") || name.starts_with("d.")) {
        const Numbers &table = kind == 'c' ? configuration : device;
        auto found = table.find(name.substr(2));
        if (found == table.end()) return std::nullopt;
        plan.constants.push_back(found->second);
        uint32_t variable = uint32_t(plan.constants.size() - 1);
        constantVariables.emplace(std::string(name), variable);
        return variable;
      }
      return std::nullopt;
    };
    auto parsed = Expression::parse(text, resolve);
    if (!parsed) return std::move(parsed).status().in(fmt::format("{}: {} of the compiled code", plan.kernel, what));
    number.expression = *std::move(parsed);
    if (text.find(' ') == text.npos && !number.expression.isConstant())
      if (auto variable = resolve(text)) number.variable = int32_t(*variable);
    plan.all.push_back(std::move(number));
    plan.texts.push_back(what + " '" + text + "'");
    return {};
  };

  for (const auto &launch : artifact.launches) {
    Launch record{};
    auto known = std::find(plan.entryNames.begin(), plan.entryNames.end(), launch.entry);
    record.entry = uint32_t(known - plan.entryNames.begin());
    if (known == plan.entryNames.end()) plan.entryNames.push_back(launch.entry);
    record.firstNumber = uint32_t(plan.all.size());
    record.extraCount = uint32_t(launch.extras.size());
    record.slotCount = uint32_t(launch.slots.size());
    extraNeeds.clear();
    for (const auto &extra : launch.extras) {
      PANTILE_RETURN_IF_ERROR(add(extra, "extra value"));
      extraNeeds.push_back(plan.all.back().needs);
    }
    for (const auto &text : launch.grid) PANTILE_RETURN_IF_ERROR(add(text, "grid"));
    for (const auto &text : launch.block) PANTILE_RETURN_IF_ERROR(add(text, "block"));
    PANTILE_RETURN_IF_ERROR(add(launch.sharedBytes, "shared memory"));
    for (const auto &text : launch.slots) PANTILE_RETURN_IF_ERROR(add(text, "slot"));
    for (uint32_t n = record.firstNumber; n < plan.all.size(); ++n)
      if (plan.all[n].needs != kShape) record.late.push_back(n);
    plan.launches.push_back(std::move(record));
  }
  extraNeeds.clear();
  for (const auto &check : artifact.checks) {
    PANTILE_RETURN_IF_ERROR(add(check.expression, "requirement"));
    if (plan.all.back().needs != kShape) plan.lateChecks.push_back(uint32_t(plan.checks.size()));
    plan.checks.push_back({uint32_t(plan.all.size() - 1), check.text});
  }
  plan.workspaceNumber = uint32_t(plan.all.size());
  PANTILE_RETURN_IF_ERROR(add(artifact.workspaceBytes, "workspace"));
  plan.zeroedNumber = uint32_t(plan.all.size());
  PANTILE_RETURN_IF_ERROR(add(artifact.zeroedWorkspaceBytes, "zeroed workspace"));
  if (plan.all.size() > kMaxNumbers || plan.constants.size() > kMaxVariables)
    return Status(PANTILE_UNSUPPORTED, fmt::format("{}: its launch plan is too large", plan.kernel));
  return plan;
}

Status LaunchPlan::failure(size_t number) const {
  return Status(PANTILE_INVALID_ARGUMENT,
                fmt::format("{}: {} cannot be evaluated for these sizes (overflow or division by zero)", kernel, texts[number]));
}

inline bool LaunchPlan::compute(size_t number, int64_t *variables, int64_t *numbers) const noexcept {
  const Number &n = all[number];
  if (n.variable >= 0) {
    numbers[number] = variables[n.variable];
    return true;
  }
  return n.expression.evaluate({variables, constants.size()}, numbers[number]);
}

Status LaunchPlan::evaluate(std::span<const BoundArgument> bound, Evaluated &result) const {
  result.variables = constants;
  result.numbers.assign(all.size(), 0);
  int64_t *variables = result.variables.data(), *numbers = result.numbers.data();
  for (size_t i = 0; i < bound.size(); ++i) {
    const auto &b = bound[i];
    for (int d = 0; d < b.rank; ++d) {
      variables[base[i] + uint32_t(d)] = b.sizes[d];
      variables[base[i] + uint32_t(b.rank + d)] = b.strides[d];
    }
    variables[wordVariable[i]] = b.rank < 0 ? int64_t(b.scalar) : int64_t(reinterpret_cast<uintptr_t>(b.address));
  }
  for (const auto &launch : launches) {
    const uint32_t count = launch.extraCount + 7 + launch.slotCount;
    for (uint32_t n = launch.firstNumber; n < launch.firstNumber + count; ++n) {
      // Late ones are computed here as well, so that what cannot be evaluated is found early; the workspace is not known yet.
      if (!compute(n, variables, numbers) && !(all[n].needs & kWorkspace)) return failure(n);
      if (n < launch.firstNumber + launch.extraCount) variables[extraVariables + n - launch.firstNumber] = numbers[n];
    }
  }
  for (const auto &check : checks) {
    if (!compute(check.number, variables, numbers)) return failure(check.number);
    if (!numbers[check.number]) return {PANTILE_INVALID_ARGUMENT, fmt::format("{}: {}", kernel, check.text)};
  }
  for (uint32_t n : {workspaceNumber, zeroedNumber}) {
    if (!compute(n, variables, numbers)) return failure(n);
    if (numbers[n] < 0) return {PANTILE_INVALID_ARGUMENT, fmt::format("{}: its workspace has a negative size", kernel)};
  }
  result.workspaceBytes = uint64_t(numbers[workspaceNumber]);
  result.zeroedBytes = uint64_t(numbers[zeroedNumber]);
  return {};
}

Status LaunchPlan::prepare(const Evaluated &evaluated, Stream &stream) const {
  if (!evaluated.workspaceBytes) return {};
  PANTILE_ASSIGN(auto *block, stream.workspaces.take(evaluated.workspaceBytes, stream.handle));
  stream.workspaces.give(block);
  return {};
}

Status LaunchPlan::launch(const Evaluated &evaluated, const Call &call, Stream &stream) const {
  // No initializers: only what is used is written.
  int64_t variables[kMaxVariables], numbers[kMaxNumbers];
  std::memcpy(variables, evaluated.variables.data(), evaluated.variables.size() * sizeof(int64_t));
  std::memcpy(numbers, evaluated.numbers.data(), evaluated.numbers.size() * sizeof(int64_t));
  for (size_t i = 0; i < wordVariable.size(); ++i) variables[wordVariable[i]] = int64_t(call.words[i]);
  for (uint32_t c : lateChecks) {
    if (!compute(checks[c].number, variables, numbers)) return failure(checks[c].number);
    if (!numbers[checks[c].number]) return {PANTILE_INVALID_ARGUMENT, fmt::format("{}: {}", kernel, checks[c].text)};
  }
  uint64_t workspaceBytes = evaluated.workspaceBytes, zeroedBytes = evaluated.zeroedBytes;
  if (all[workspaceNumber].needs || all[zeroedNumber].needs) {
    for (uint32_t n : {workspaceNumber, zeroedNumber})
      if (!compute(n, variables, numbers) || numbers[n] < 0) return failure(n);
    workspaceBytes = uint64_t(numbers[workspaceNumber]);
    zeroedBytes = uint64_t(numbers[zeroedNumber]);
  }
  Workspaces::Block *block = nullptr;
  if (workspaceBytes) {
    PANTILE_ASSIGN(block, stream.workspaces.take(workspaceBytes, stream.handle));
    variables[workspaceVariable] = int64_t(reinterpret_cast<uintptr_t>(block->data));
  }
  if (label) stream.device.launched(label);
  Status status;
  if (zeroedBytes) status = stream.device.fill(stream.handle, block->data, 0, std::min(zeroedBytes, workspaceBytes));
  for (size_t l = 0; l < launches.size() && status.isOk(); ++l) {
    const Launch &launch = launches[l];
    if (launches.size() > 1) // extras are variables: put back this launch's
      for (uint32_t e = 0; e < launch.extraCount; ++e) variables[extraVariables + e] = numbers[launch.firstNumber + e];
    for (uint32_t n : launch.late) {
      if (!compute(n, variables, numbers)) {
        status = failure(n);
        break;
      }
      if (n < launch.firstNumber + launch.extraCount) variables[extraVariables + n - launch.firstNumber] = numbers[n];
    }
    if (!status.isOk()) break;
    const int64_t *grid = numbers + launch.firstNumber + launch.extraCount;
    if (grid[0] <= 0 || grid[1] <= 0 || grid[2] <= 0) continue; // an empty grid launches nothing
    pantile_launch_call record;
    record.struct_size = sizeof(record);
    record.slot_count = launch.slotCount;
    record.module = call.module;
    record.entry = launch.entry;
    record.extra_count = launch.extraCount;
    for (int i = 0; i < 3; ++i) record.grid[i] = grid[i], record.block[i] = grid[3 + i];
    record.shared_bytes = grid[6];
    record.slots = reinterpret_cast<const uint64_t *>(grid + 7);
    record.extras = numbers + launch.firstNumber;
    pantile_message *message = nullptr;
    if (int32_t code = stream.device.table().launch(stream.device.handle(), stream.handle, &record, &message); code) [[unlikely]]
      status = stream.device.explain(statusOf(code, message, "the launch failed")).in(kernel);
  }
  if (block) stream.workspaces.give(block);
  return status;
}

} // namespace pantile
