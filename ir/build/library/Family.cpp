//===- ir/build/library/Family.cpp - options and pieces operators share ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/library/Family.h"

#include <charconv>
#include <fmt/format.h>
#include <numbers>

namespace pantile::build {

DType Options::dtype(const std::string &name, const std::string &fallback) const {
  const std::string &value = text(name).empty() ? text(fallback) : text(name);
  auto dtype = dtypeFromName(value);
  return dtype ? *dtype : PANTILE_DTYPE_INVALID;
}

Expected<int> Options::axis() const {
  const std::string &value = text("axis");
  if (value.empty()) return rank() - 1;
  int axis = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), axis);
  if (error != std::errc() || end != value.data() + value.size() || axis < -rank() || axis >= rank())
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("option 'axis' cannot be '{}' at rank {}", value, rank()))
        .withFix(fmt::format("say an axis from {} to {}, or a higher rank", -rank(), rank() - 1));
  return axis < 0 ? axis + rank() : axis;
}

Expected<int> Options::number(const std::string &name, int lowest, int highest) const {
  const std::string &value = text(name);
  int number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && number >= lowest && number <= highest) return number;
  return Status(PANTILE_INVALID_ARGUMENT, fmt::format("option '{}' cannot be '{}'", name, value))
      .withFix(fmt::format("say a number from {} to {}", lowest, highest));
}

static const std::vector<std::string> floats = {"f32", "f16", "bf16"};

LibraryOption dtypeOption(std::vector<std::string> more) {
  std::vector<std::string> values = floats;
  values.insert(values.end(), more.begin(), more.end());
  return {"dtype", "f32", "element type of the inputs", values};
}
LibraryOption dtypeLike(const std::string &name, const std::string &summary) { return {name, "", summary + " (default: dtype)", floats}; }
LibraryOption outOption() { return dtypeLike("out", "element type of the output"); }
LibraryOption flagOption(const std::string &name, const std::string &summary, bool byDefault) {
  return {name, byDefault ? "1" : "0", summary, {"0", "1"}};
}
LibraryOption rankOption(int byDefault) { return {"rank", std::to_string(byDefault), "rank of the views", {"1", "2", "3", "4"}}; }
LibraryOption axisOption() { return {"axis", "", "the axis, negative from the end (default: the last)", {}}; }
LibraryOption formatOption(const std::string &byDefault) { return {"format", byDefault, "block format of the weights", {"q4_1", "q8_0"}}; }
std::vector<LibraryOption> epilogueOptions() {
  return {flagOption("bias", "adds Bias[N]"),
          {"activation", "none", "applied after the bias", {"none", "relu", "gelu", "gelu_tanh", "silu"}},
          flagOption("residual", "adds Residual, of the output's shape, at the end")};
}

View input(KernelBuilder &k, const char *name, std::vector<SizeSpec> sizes, DType dtype) {
  View view = k.view(name, std::move(sizes), dtype);
  if (info(dtype).kind == DTypeClass::Float) return view;
  uint64_t half = uint64_t(1) << (info(dtype).bits - 1);
  return view.values(int64_t(0 - half), int64_t(std::min<uint64_t>(half, std::numeric_limits<int64_t>::max())));
}

std::vector<std::string> sizeNames(int rank) {
  std::vector<std::string> names = {"B0", "B1", "M", "N"};
  if (rank < 4) names.erase(names.begin() + 1);
  while (int(names.size()) > rank) names.erase(names.begin());
  return names;
}
std::vector<SizeSpec> specs(const std::vector<std::string> &names) { return {names.begin(), names.end()}; }

Tile sigmoid(Operand x) { return 1.0 / (1.0 + exp(-x)); }
Tile relu(Operand x) { return maximum(x, 0.0); }
Tile gelu(Operand x) { return 0.5 * x * (1.0 + erf(x * std::numbers::sqrt2 * 0.5)); }
Tile geluTanh(Operand x) { return 0.5 * x * (1.0 + tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * (x * x * x)))); }
Tile silu(Operand x) { return x / (1.0 + exp(-x)); }

Tile activate(const std::string &name, const Tile &x) {
  return name == "relu" ? relu(x) : name == "gelu" ? gelu(x) : name == "gelu_tanh" ? geluTanh(x) : name == "silu" ? silu(x) : x;
}

Epilogue::Epilogue(KernelBuilder &k, const Options &o, const std::vector<SizeSpec> &outputSizes)
    : out(o.dtype("out")), activation(o.text("activation")) {
  if (o.flag("bias")) bias = k.view("Bias", {outputSizes.back()}, out);
  if (o.flag("residual")) residual = k.view("Residual", outputSizes, out);
}

Tile Epilogue::operator()(Tile x, const std::vector<Subscript> &at) {
  if (bias) x = x + cast(bias->at({at.back()}), f32);
  x = activate(activation, x);
  if (residual) x = x + cast(residual->at(at), f32);
  return cast(x, out);
}

} // namespace pantile::build
