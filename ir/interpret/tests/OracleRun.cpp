//===- ir/interpret/tests/OracleRun.cpp
//------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/interpret/tests/OracleRun.h"

#include "core/Expression.h"
#include "ir/build/Library.h"
#include "ir/dialect/Parse.h"
#include "ir/interpret/Interpret.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>

namespace pantile {

template <> char *HugePages<char>::allocate(size_t count) {
  constexpr size_t kHuge = 2 << 20;
  size_t alignment = count >= kHuge ? kHuge : 64;
  void *pointer = std::aligned_alloc(alignment, (count + alignment - 1) / alignment * alignment);
  if (count >= kHuge) madvise(pointer, count, MADV_HUGEPAGE);
  return static_cast<char *>(pointer);
}
template <> void HugePages<char>::deallocate(char *pointer, size_t) { std::free(pointer); }

namespace {

constexpr size_t kRedZone = 256;

uint32_t lowBit(int64_t value) { return value == 0 ? 128 : uint32_t(std::min<int64_t>(128, value & -value)); }

double toDouble(DType dtype, const char *at) {
  auto as = [&](auto zero) {
    decltype(zero) value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  };
  switch (dtype) {
  case PANTILE_F32:
    return as(float());
  case PANTILE_F64:
    return as(double());
  case PANTILE_F16:
    return f16ToF32(as(uint16_t()));
  case PANTILE_BF16:
    return bf16ToF32(as(uint16_t()));
  case PANTILE_I1:
  case PANTILE_I8:
    return as(int8_t());
  case PANTILE_U8:
    return as(uint8_t());
  case PANTILE_I16:
    return as(int16_t());
  case PANTILE_I32:
    return as(int32_t());
  case PANTILE_I64:
    return double(as(int64_t()));
  default:
    return 0;
  }
}

void fromDouble(DType dtype, double value, char *at) {
  auto put = [&](auto typed) { std::memcpy(at, &typed, sizeof(typed)); };
  switch (dtype) {
  case PANTILE_F32:
    return put(float(value));
  case PANTILE_F64:
    return put(value);
  case PANTILE_F16:
    return put(f32ToF16(float(value)));
  case PANTILE_BF16:
    return put(f32ToBF16(float(value)));
  case PANTILE_I1:
  case PANTILE_I8:
  case PANTILE_U8:
    return put(int8_t(int64_t(value)));
  case PANTILE_I16:
    return put(int16_t(value));
  case PANTILE_I32:
    return put(int32_t(value));
  case PANTILE_I64:
  case PANTILE_INDEX:
    return put(int64_t(value));
  default:
    return;
  }
}

} // namespace

void OracleRun::readLibrary(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars,
                            ViewLayout layout, uint64_t seed) {
  auto text = buildLibraryKernel(name, options);
  if (!text) {
    error = text.status().message();
    return;
  }
  read(*text, sizes, scalars, layout, seed);
}

void OracleRun::read(const std::string &text, const Sizes &sizes, const Scalars &scalars, ViewLayout layout, uint64_t seed) {
  auto parsed = readKernelText(text);
  if (!parsed) {
    error = parsed.status().message();
    return;
  }
  kernel = *std::move(parsed);
  named = sizes;
  std::mt19937_64 random(seed);
  for (const KernelArgument &argument : kernel.header.arguments) {
    Tensor &tensor = tensors.emplace_back();
    if (!argument.isView()) {
      auto found = scalars.find(argument.name);
      if (found == scalars.end()) {
        error = "no value for scalar " + argument.name;
        return;
      }
      fromDouble(argument.dtype, found->second, reinterpret_cast<char *>(&tensor.scalar));
      // The ABI's integers are sign-extended.
      if (argument.dtype == PANTILE_I32) tensor.scalar = uint64_t(int64_t(found->second));
      continue;
    }
    int64_t count = 1;
    for (int d = 0; d < argument.rank; ++d) {
      std::string name = size_t(d) < argument.sizes.size() ? argument.sizes[d] : "";
      int64_t size = argument.shape[d];
      if (size < 0 && !name.empty() && std::isdigit(name[0])) size = std::stoll(name);
      if (size < 0) {
        auto found = sizes.find(name);
        if (found == sizes.end()) {
          error = "no value for size " + name + " of " + argument.name;
          return;
        }
        size = found->second;
      }
      tensor.sizes.push_back(size);
    }
    tensor.strides.resize(argument.rank);
    for (int i = argument.rank - 1; i >= 0; --i) {
      int d = layout == ViewLayout::Reversed ? argument.rank - 1 - i : i;
      tensor.strides[d] = count;
      count *= std::max<int64_t>(1, tensor.sizes[d]);
      if (layout == ViewLayout::Padded || layout == ViewLayout::Misaligned) count += 3;
    }
    size_t bytes = std::max(1u, info(argument.dtype).bits / 8);
    tensor.storage.resize(size_t(count) * bytes + 2 * kRedZone + 128);
    for (char &byte : tensor.storage) byte = char(0xa5);
    auto base = reinterpret_cast<uintptr_t>(tensor.storage.data()) + kRedZone;
    base = (base + 127) / 128 * 128;
    if (layout == ViewLayout::Misaligned) base += bytes;
    tensor.data = reinterpret_cast<char *>(base);
    bool isInput = argument.access != Access::Write;
    std::vector<int64_t> at(argument.rank, 0);
    int64_t total = 1;
    for (int64_t size : tensor.sizes) total *= size;
    for (int64_t i = 0; i < total && isInput; ++i) {
      int64_t offset = 0, rest = i;
      for (int d = argument.rank - 1; d >= 0; --d) {
        offset += rest % tensor.sizes[d] * tensor.strides[d];
        rest /= tensor.sizes[d];
      }
      double value;
      if (info(argument.dtype).kind == DTypeClass::Float) {
        value = double(int64_t(random() % 2001) - 1000) / 500.0;
        if (argument.name == "Scales" || argument.name == "Mins") value *= 0.05;
      } else {
        auto bound = [&](const std::string &text, double fallback) {
          if (text.empty()) return fallback;
          if (std::isdigit(text[0]) || text[0] == '-') return std::stod(text);
          auto found = named.find(text);
          return found == named.end() ? fallback : double(found->second);
        };
        double low = bound(argument.rangeLow, argument.dtype == PANTILE_I8 ? -128 : 0),
               high = bound(argument.rangeHigh, argument.dtype == PANTILE_I8 ? 128 : 7);
        value = low + double(random() % uint64_t(std::max(1.0, high - low)));
      }
      fromDouble(argument.dtype, value, tensor.data + size_t(offset) * bytes);
    }
    // Cumulative lengths ascend to the end of what they index.
    if (argument.name.starts_with("Cu") && argument.dtype == PANTILE_I32 && total > 0) {
      double end = argument.rangeHigh.empty() ? 0 : double(named[argument.rangeHigh]);
      for (int64_t i = 0; i < total; ++i)
        fromDouble(argument.dtype, std::floor(end * double(i) / double(std::max<int64_t>(1, total - 1))),
                   tensor.data + size_t(i * tensor.strides[0]) * 4);
    }
  }
}

Expected<int64_t> OracleRun::value(const std::string &text) const {
  std::vector<int64_t> variables;
  auto resolve = [&](std::string_view name) -> std::optional<uint32_t> {
    auto give = [&](int64_t value) -> std::optional<uint32_t> {
      variables.push_back(value);
      return uint32_t(variables.size() - 1);
    };
    if (name == "w") return give(int64_t(reinterpret_cast<uintptr_t>(workspace.data())));
    if (name.starts_with("c.")) {
      std::string key(name.substr(2));
      if (const Setting *setting = settings.find(key)) {
        if (auto *integer = std::get_if<int64_t>(setting)) return give(*integer);
        for (const ParameterDescription &parameter : parameters)
          if (parameter.name == key)
            for (size_t i = 0; i < parameter.labels.size(); ++i)
              if (parameter.labels[i] == std::get<std::string>(*setting)) return give(int64_t(i));
      }
      return std::nullopt;
    }
    if (name.starts_with("d.")) return give(1);
    if (name.starts_with("k")) {
      auto found = named.find(std::string(name.substr(1)));
      return found == named.end() ? std::nullopt : give(found->second);
    }
    size_t number = size_t(std::stoul(std::string(name.substr(1))));
    if (number >= tensors.size()) return std::nullopt;
    const Tensor &tensor = tensors[number];
    if (name[0] == 'p') return give(int64_t(reinterpret_cast<uintptr_t>(tensor.data)));
    if (name[0] == 'a') return give(int64_t(tensor.scalar));
    size_t dot = name.find('.');
    size_t dim = size_t(std::stoul(std::string(name.substr(dot + 1))));
    return give(name[0] == 's' ? tensor.sizes[dim] : tensor.strides[dim]);
  };
  PANTILE_ASSIGN(Expression expression, Expression::parse(text, resolve));
  return expression.evaluate(variables);
}

std::string OracleRun::compile() {
  if (!error.empty()) return error;
  facts.arguments.clear();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const KernelArgument &argument = kernel.header.arguments[i];
    const Tensor &tensor = tensors[i];
    pantile_argument_facts row{};
    row.struct_size = sizeof(row);
    row.dtype = argument.dtype;
    row.rank = argument.rank;
    row.unit_dim = -1;
    for (int d = 0; d < PANTILE_MAX_RANK; ++d) {
      row.size_divisor[d] = row.stride_divisor[d] = 1;
      row.static_size[d] = -1;
    }
    if (argument.isView()) {
      row.alignment = lowBit(int64_t(reinterpret_cast<uintptr_t>(tensor.data)));
      for (int d = 0; d < argument.rank; ++d) {
        row.size_divisor[d] = lowBit(tensor.sizes[d]);
        row.stride_divisor[d] = lowBit(tensor.strides[d]);
        if (tensor.strides[d] == 1) row.unit_dim = d;
        if (tensor.strides[d] == 0) row.zero_stride_mask |= 1u << d;
        std::string name = size_t(d) < argument.sizes.size() ? argument.sizes[d] : "";
        for (char &c : name) c = char(std::tolower(c));
        bool isStatic = allStatic;
        for (const std::string &known : kernel.header.statics) isStatic |= known == name;
        if (isStatic) row.static_size[d] = tensor.sizes[d];
      }
    } else {
      row.alignment = 1;
    }
    facts.arguments.push_back(row);
  }
  settings = {};
  auto space = describeSpace();
  if (!space) return space.status().message();
  parameters = space->parameters;
  for (const ParameterDescription &parameter : parameters) {
    if (const Setting *setting = overrides.find(parameter.name)) {
      settings.set(parameter.name, *setting);
      continue;
    }
    if (parameter.kind == PANTILE_PARAMETER_PERMUTATION) {
      std::vector<int64_t> identity;
      for (uint32_t d = 0; d < parameter.length; ++d) identity.push_back(d);
      settings.set(parameter.name, identity);
      continue;
    }
    auto usual = value(parameter.defaultValue);
    if (!usual) return parameter.name + ": " + usual.status().message();
    int64_t number = *usual;
    if (parameter.kind == PANTILE_PARAMETER_ENUM) {
      settings.set(parameter.name, parameter.labels[size_t(number)]);
      continue;
    }
    if (parameter.kind != PANTILE_PARAMETER_ORDERED && !parameter.values.empty())
      number = std::clamp(number, parameter.values.front(), parameter.values.back());
    if (parameter.kind == PANTILE_PARAMETER_POW2) number = int64_t(std::bit_floor(uint64_t(number)));
    settings.set(parameter.name, number);
  }
  for (const FeatureDescription &feature : space->features)
    if (auto number = value(feature.expression); !number) return "feature " + feature.name + ": " + number.status().message();
  for (const ConstraintDescription &constraint : space->constraints) {
    auto holds = value(constraint.expression);
    if (!holds) return "constraint: " + holds.status().message();
    if (!*holds) return "the defaults break a constraint: " + constraint.text;
  }
  auto compiledKernel = build();
  if (!compiledKernel) return compiledKernel.status().message();
  artifact = *std::move(compiledKernel);
  return "";
}

std::string OracleRun::prepare() {
  if (std::string failed = compile(); !failed.empty()) return failed;
  auto bytes = value(artifact.workspaceBytes);
  if (!bytes) return "workspace: " + bytes.status().message();
  workspace.assign(size_t(*bytes) + 64, char(0xa5));
  for (const CheckDescription &check : artifact.checks) {
    auto holds = value(check.expression);
    if (!holds) return "check '" + check.expression + "': " + holds.status().message();
    if (!*holds) return "check failed: " + check.text;
  }
  launches.clear();
  for (const LaunchDescription &description : artifact.launches) {
    Launch &launch = launches.emplace_back();
    launch.entry = description.entry;
    for (auto [text, number] : {std::pair{&description.grid[0], &launch.grid},
                                {&description.block[0], &launch.block},
                                {&description.sharedBytes, &launch.shared}}) {
      auto evaluated = value(*text);
      if (!evaluated) return "launch: " + evaluated.status().message();
      *number = *evaluated;
    }
    for (const std::string &slot : description.slots) {
      auto number = value(slot);
      if (!number) return "slot: " + number.status().message();
      launch.slots.push_back(uint64_t(*number));
    }
    for (const std::string &extra : description.extras) {
      auto number = value(extra);
      if (!number) return "extra: " + number.status().message();
      launch.extras.push_back(*number);
    }
  }
  return load();
}

int64_t OracleRun::programs() const {
  int64_t sum = 0;
  for (const Launch &launch : launches) sum += launch.grid;
  return sum;
}

std::string OracleRun::compare(double tolerance) {
  if (std::string failed = prepare(); !failed.empty()) return failed;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  auto module = tile::parseKernel(context, kernel.canonical);
  if (!module) return module.status().message();
  // The interpreter first, on the same tensors; then our code on a fresh copy.
  for (Tensor &tensor : tensors) tensor.before = tensor.storage;
  std::vector<HostArgument> arguments;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const KernelArgument &argument = kernel.header.arguments[i];
    if (argument.isView())
      arguments.push_back(HostView{tensors[i].data, argument.dtype, tensors[i].sizes, tensors[i].strides});
    else
      arguments.push_back(HostScalar{tensors[i].scalar});
  }
  if (Status status = interpret(**module, arguments); !status.isOk()) return "interpreter: " + status.message();
  for (Tensor &tensor : tensors) {
    tensor.expected = tensor.storage;
    if (!tensor.storage.empty()) std::memcpy(tensor.storage.data(), tensor.before.data(), tensor.before.size());
  }
  if (std::string failed = execute(); !failed.empty()) return failed;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const KernelArgument &argument = kernel.header.arguments[i];
    Tensor &tensor = tensors[i];
    if (!argument.isView()) continue;
    size_t bytes = std::max(1u, info(argument.dtype).bits / 8);
    int64_t total = 1;
    for (int64_t size : tensor.sizes) total *= size;
    for (int64_t e = 0; e < total; ++e) {
      int64_t offset = 0, rest = e;
      std::string where;
      for (int d = argument.rank - 1; d >= 0; --d) {
        where = std::to_string(rest % tensor.sizes[d]) + (where.empty() ? "" : ",") + where;
        offset += rest % tensor.sizes[d] * tensor.strides[d];
        rest /= tensor.sizes[d];
      }
      char *at = tensor.data + size_t(offset) * bytes;
      double got = toDouble(argument.dtype, at), want = toDouble(argument.dtype, tensor.expected.data() + (at - tensor.storage.data()));
      bool same = got == want || (std::isnan(got) && std::isnan(want)) || std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want));
      if (!same) return fmt::format("{}[{}] is {}, expected {} (settings {})", argument.name, where, got, want, settings.toText());
      // Compared: what is left must be untouched.
      std::memcpy(at, tensor.expected.data() + (at - tensor.storage.data()), bytes);
    }
    for (size_t byte = 0; byte < tensor.storage.size(); ++byte)
      if (tensor.storage[byte] != tensor.expected[byte])
        return fmt::format("{}: byte {} outside the view was written", argument.name,
                           int64_t(byte) - (tensor.data - tensor.storage.data()));
  }
  return "";
}

} // namespace pantile
