//===- ir/specialize/tests/Equivalence.cpp --------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/specialize/tests/Equivalence.h"

#include "core/KernelText.h"
#include "ir/interpret/tests/HostArray.h"
#include "ir/specialize/Specialize.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>

namespace pantile::testing {

namespace {

/// A target that has use for every knob.
SpecializeOptions everyKnob() {
  SpecializeOptions options;
  options.gridRank = 3;
  options.units = 3;
  options.flattens = true;
  return options;
}

} // namespace

Configuration randomConfiguration(const std::string &text, Random &random, bool &reorders) {
  Context context;
  Configuration configuration;
  reorders = text.find("tile.atomic_rmw") != text.npos;
  auto module = tile::parseKernel(context.mlir, text);
  if (!module) return configuration;
  SpaceDescription space = portableSpace(tile::kernelOf(**module), {}, everyKnob());
  // Whether a constraint keeps a full extent whole because of one that is rolled already.
  auto mustStay = [&](const std::string &name) {
    return std::any_of(space.constraints.begin(), space.constraints.end(), [&](const ConstraintDescription &constraint) {
      if (constraint.expression.find("c." + name + " ") == std::string::npos) return false;
      return std::any_of(configuration.map().begin(), configuration.map().end(), [&](const auto &setting) {
        return setting.first.starts_with("reduction_loops.") && constraint.expression.find("c." + setting.first + " ") != std::string::npos;
      });
    });
  };
  for (const ParameterDescription &parameter : space.parameters) {
    const std::string &name = parameter.name;
    if (name.starts_with("reduction_loops.") || name == "split_k") {
      if (random() % 2 || mustStay(name)) {
        // A bound instead: no size of these tests is larger.
        if (name != "split_k" && random() % 2) configuration.set(name.substr(name.find('.') + 1), int64_t(100));
        continue;
      }
      configuration.set(name, pick(random, name == "split_k" ? 2 : 1, 5));
      reorders = true;
    } else if (name.starts_with("l2_groupings.")) {
      bool isGrouped = configuration.text("pid_type" + name.substr(name.find('.')), "flat") != "xyz";
      configuration.set(name, isGrouped ? pick(random, 1, 3) : 1);
    } else if (name.starts_with("range_unroll_factors.")) {
      configuration.set(name, pick(random, 1, 3));
    } else if (parameter.kind == PANTILE_PARAMETER_ENUM) {
      configuration.set(name, parameter.labels[random() % parameter.labels.size()]);
    } else if (parameter.kind == PANTILE_PARAMETER_BOOL) {
      bool isOn = random() % 3 == 0;
      configuration.set(name, int64_t(isOn));
      if (std::string order = "loop_orders" + name.substr(name.find('.')); isOn && configuration.find(order)) {
        auto inOrder = std::get<std::vector<int64_t>>(*configuration.find(order));
        std::sort(inOrder.begin(), inOrder.end());
        configuration.set(order, inOrder);
      }
    } else if (parameter.kind == PANTILE_PARAMETER_PERMUTATION) {
      std::vector<int64_t> order(parameter.length);
      std::iota(order.begin(), order.end(), 0);
      std::shuffle(order.begin(), order.end(), random);
      configuration.set(name, order);
    } else {
      configuration.set(name, pick(random, 1, 7));
    }
  }
  return configuration;
}

namespace {

std::vector<HostArray> makeArrays(const KernelHeader &header, const Problem &problem, Random &random) {
  std::map<std::string, int64_t> sizes = problem.sizes;
  auto sizeOf = [&](const std::string &name) {
    int64_t constant = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), constant).ec == std::errc()) return constant;
    return sizes.try_emplace(name, pick(random, 0, 13)).first->second;
  };
  std::vector<HostArray> arrays;
  for (const KernelArgument &argument : header.arguments) {
    std::vector<int64_t> shape;
    for (const std::string &size : argument.sizes) shape.push_back(sizeOf(size));
    HostArray &array = arrays.emplace_back(argument.dtype, argument.isView() ? shape : std::vector<int64_t>());
    int64_t low = -8, high = 8;
    if (!argument.rangeLow.empty()) {
      low = sizeOf(argument.rangeLow);
      high = std::max(low, sizeOf(argument.rangeHigh) - 1);
    }
    for (int64_t i = 0; i < array.count(); ++i)
      array.set(i, array.isFloat() ? double(pick(random, -64, 64)) / 32 : double(pick(random, low, high)));
  }
  return arrays;
}

std::vector<HostArgument> hostOf(const KernelHeader &header, const Problem &problem, std::vector<HostArray> &arrays) {
  std::vector<HostArgument> host;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const KernelArgument &argument = header.arguments[i];
    if (argument.isView()) {
      host.push_back(arrays[i].view());
      continue;
    }
    auto known = problem.scalars.find(argument.name);
    double value = known == problem.scalars.end() ? 1 : known->second;
    bool isFloat = info(argument.dtype).kind == DTypeClass::Float;
    host.push_back(HostScalar{isFloat ? interpreter::bitsFromFloat(argument.dtype, value) : uint64_t(int64_t(value))});
  }
  return host;
}

Facts factsOf(const KernelHeader &header, const std::vector<HostArray> &arrays) {
  Facts facts;
  for (size_t i = 0; i < arrays.size(); ++i) {
    pantile_argument_facts &argument = facts.arguments.emplace_back();
    argument.struct_size = sizeof(argument);
    argument.dtype = header.arguments[i].dtype;
    argument.rank = header.arguments[i].rank;
    std::fill(std::begin(argument.static_size), std::end(argument.static_size), -1);
    std::copy(arrays[i].sizes.begin(), arrays[i].sizes.end(), argument.static_size);
  }
  return facts;
}

void expectClose(const HostArray &found, const HostArray &expected, const std::string &name) {
  double scale = 1;
  for (double value : expected.values())
    if (std::isfinite(value)) scale = std::max(scale, std::fabs(value));
  double unit = found.isFloat() ? std::ldexp(1.0, 1 - interpreter::formatOf(found.dtype).precision) : 0;
  for (int64_t i = 0; i < found.count(); ++i) {
    double a = found.at(i), b = expected.at(i);
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b) continue;
    ASSERT_LE(std::fabs(a - b), 64 * std::max(unit, 1e-7) * scale) << name << " at " << i << ": " << a << ", expected " << b;
  }
}

void checkArguments(const KernelHeader &header, const std::vector<HostArray> &found, const std::vector<HostArray> &expected, bool reorders,
                    const std::string &scheduled) {
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string &name = header.arguments[i].name;
    if (reorders)
      expectClose(found[i], expected[i], name);
    else
      EXPECT_EQ(found[i].bytes, expected[i].bytes) << name << "\n" << scheduled;
  }
}

} // namespace

void expectEquivalent(const Problem &problem, const Configuration &configuration, bool reorders, uint64_t seed) {
  SCOPED_TRACE("configuration " + configuration.toText() + "\n" + problem.text);
  auto read = readKernelText(problem.text);
  ASSERT_TRUE(read.isOk()) << read.status().message();
  Context context;
  auto module = tile::parseKernel(context.mlir, problem.text);
  ASSERT_TRUE(module.isOk()) << module.status().message();
  Random random(seed);
  std::vector<HostArray> expected = makeArrays(read->header, problem, random), found = expected, start = expected;
  // Sizes are facts half of the time, and where the kernel wants them to be.
  bool areFacts = !read->header.statics.empty() || random() % 2;
  SpecializeOptions target = everyKnob();
  if (random() % 2) target.gridRank = 2;
  auto scheduled = specialize(**module, areFacts ? factsOf(read->header, expected) : Facts{}, configuration, target);
  ASSERT_TRUE(scheduled.isOk()) << scheduled.status().message();

  InterpretOptions options;
  options.blocks = configuration;
  Status portable = interpret(**module, hostOf(read->header, problem, expected), options);
  ASSERT_TRUE(portable.isOk()) << portable.message();
  Status status = interpret(**scheduled, hostOf(read->header, problem, found));
  ASSERT_TRUE(status.isOk()) << status.message() << "\n" << tile::printKernel(**scheduled);
  checkArguments(read->header, found, expected, reorders, tile::printKernel(**scheduled));

  // The same with masks, on a machine that has only whole blocks.
  SpecializeOptions masks = target;
  masks.clip = SpecializeOptions::Clip::Mask;
  auto masked = specialize(**module, areFacts ? factsOf(read->header, start) : Facts{}, configuration, masks);
  ASSERT_TRUE(masked.isOk()) << masked.status().message();
  InterpretOptions whole;
  whole.edges = InterpretOptions::Edges::Padded;
  status = interpret(**masked, hostOf(read->header, problem, start), whole);
  ASSERT_TRUE(status.isOk()) << status.message() << "\n" << tile::printKernel(**masked);
  checkArguments(read->header, start, expected, reorders, tile::printKernel(**masked));
}

} // namespace pantile::testing
