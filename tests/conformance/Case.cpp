//===- tests/conformance/Case.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Case.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace conformance {

namespace {

/// For each float dtype.
void forFloats(std::vector<Variant> &all, Variant variant) {
  variant.dtypes = {"f32", "f16", "bf16"};
  all.push_back(std::move(variant));
}

/// What a size is like: what matters is how it meets blocks, vectors and their tails.
struct SizeClass {
  const char *name;
  std::vector<int64_t> values;
};
const std::vector<SizeClass> &sizeClasses() {
  static const std::vector<SizeClass> classes{{"zero", {0}},
                                              {"one", {1}},
                                              {"few", {2, 3, 5, 7}},
                                              {"vector", {8, 16, 32, 64, 128}},
                                              {"edge", {9, 15, 17, 31, 33, 63, 65, 127, 129}},
                                              {"prime", {13, 29, 61, 67, 97, 131}},
                                              {"large", {251, 257, 509, 1000, 1021}}};
  return classes;
}

int64_t product(const Sizes &sizes) {
  int64_t product = 1;
  for (auto &[name, value] : sizes) product *= std::max<int64_t>(1, std::min<int64_t>(value, 1 << 20));
  return product;
}

} // namespace

std::string_view name(Layout layout) {
  static constexpr std::string_view names[] = {"rows", "padded", "transposed", "misaligned", "broadcast"};
  return names[size_t(layout)];
}
std::string_view name(Contents contents) {
  static constexpr std::string_view names[] = {"ordinary", "equal", "specials"};
  return names[size_t(contents)];
}

std::vector<Variant> allVariants() {
  std::vector<Variant> all;
  for (const char *op : {"add", "sub", "mul", "maximum", "minimum"}) {
    all.push_back({op, "", {}, {}, true, {}, {"f32", "f16", "bf16", "i32"}});
    forFloats(all, {op, "rank=3", {}, {}, true, {}});
  }
  forFloats(all, {"div", "", {}, {}, true, {}});
  forFloats(all, {"div", "rank=4", {}, {}, true, {}});
  forFloats(all, {"pow", "", {}, {}, false, {}});
  forFloats(all, {"pow_scalar", "", {}, {}, false, {}});
  for (const char *op : {"exp", "exp2", "sigmoid", "tanh", "erf", "relu", "gelu", "gelu_tanh", "silu", "softplus", "abs", "neg", "square"})
    forFloats(all, {op, "", {}, {}, true, {}});
  for (const char *op : {"log", "sqrt", "rsqrt", "reciprocal", "sin", "cos"}) forFloats(all, {op, "rank=2", {}, {}, true, {}});
  for (const char *op : {"add_scalar", "mul_scalar"}) forFloats(all, {op, "", {}, {}, true, {}});
  forFloats(all, {"clamp", "", {}, {}, true, {{"low", {-0.5}}, {"high", {0.5}}}});
  forFloats(all, {"where", "", {}, {}, true, {}});
  forFloats(all, {"swiglu", "", {}, {}, true, {}});
  all.push_back({"copy", "", {}, {}, true, {}, {"f32", "f16", "bf16", "i8", "i32", "i64"}});
  for (const char *options : {"out=bf16", "out=f16,rank=2", "out=f32,rank=4"}) forFloats(all, {"copy", options, {}, {}, true, {}});
  forFloats(all, {"transpose", "", {}, {}, true, {}});

  for (const char *options : {"", "transpose_a=1", "transpose_b=1", "transpose_a=1,transpose_b=1", "bias=1,activation=gelu",
                              "activation=relu,residual=1", "out=f32,bias=1,activation=silu,residual=1"})
    forFloats(all, {"matmul", options, {}, {}, false, {}});
  forFloats(all, {"batched_matmul", "", {}, {{"B0", {0, 1, 2, 3}}}, false, {}});
  forFloats(all, {"batched_matmul", "transpose_b=1", {}, {{"B0", {1, 2, 3}}}, false, {}});
  forFloats(all, {"matvec", "", {}, {}, false, {}});
  forFloats(all, {"matvec", "bias=1,activation=relu,residual=1", {}, {}, false, {}});
  forFloats(all, {"matvec", "x=f32", {}, {}, false, {}});
  all.push_back({"matmul_int8", "scales=0", {}, {}, false, {}});
  all.push_back({"matmul_int8", "", {}, {}, false, {}});
  all.push_back({"matmul_int8", "transpose_b=1", {}, {}, false, {}});
  for (const char *format : {"q4_1", "q8_0"}) {
    std::map<std::string, std::vector<int64_t>> blocks{{"KB", {1, 2, 3, 5, 8, 18}}};
    forFloats(all, {"matmul_quantized", std::string("format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
    forFloats(all, {"matmul_quantized", std::string("residual=1,format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
    forFloats(
        all,
        {"matmul_quantized", std::string("compute=bf16,bias=1,activation=silu,format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
    forFloats(all, {"matvec_quantized", std::string("format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
    forFloats(all, {"matvec_quantized", std::string("residual=1,format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
    forFloats(
        all,
        {"embedding_quantized", std::string("format=") + format, {{"D", "DB", 32}}, {{"DB", {1, 2, 3, 5}}, {"V", {1, 7, 64}}}, false, {}});
  }

  for (const char *op : {"softmax", "log_softmax"}) {
    forFloats(all, {op, "", {}, {}, true, {}});
    forFloats(all, {op, "temperature=1", {}, {}, false, {}});
  }
  std::map<std::string, std::vector<double>> epsilon{{"eps", {1e-5}}};
  forFloats(all, {"layer_norm", "", {}, {}, false, epsilon});
  forFloats(all, {"layer_norm", "weights=f32", {}, {}, false, epsilon});
  forFloats(all, {"rms_norm", "", {}, {}, false, epsilon});
  forFloats(all, {"rms_norm", "residual=1", {}, {}, false, epsilon});
  for (const char *op : {"sum", "mean", "max", "min", "variance"})
    for (const char *options : {"rank=2", "rank=2,axis=0", "rank=3,axis=1", "rank=1"}) forFloats(all, {op, options, {}, {}, false, {}});
  for (const char *options : {"rank=2", "rank=2,axis=0", "rank=1"})
    forFloats(all, {"argmax", options, {}, {{"N", {1, 2, 17, 64, 131}}, {"M", {1, 3, 33}}}, false, {}});
  for (const char *options : {"k=1", "k=5"}) forFloats(all, {"topk", options, {}, {{"N", {5, 6, 17, 64, 131}}}, false, {}});
  for (const char *options : {"rank=2", "rank=2,axis=0", "rank=2,reverse=1", "rank=2,exclusive=1", "rank=1"})
    forFloats(all, {"cumsum", options, {}, {}, false, {}});
  forFloats(all, {"cross_entropy", "", {}, {{"V", {1, 2, 17, 64, 131, 1000}}}, false, {}});

  std::map<std::string, std::vector<int64_t>> heads{
      {"B", {1, 2}}, {"HK", {1, 2, 3}}, {"D", {8, 16, 40, 64}}, {"S", {1, 2, 7, 33, 65}}, {"T", {1, 3, 17, 64, 67}}};
  for (const char *options : {"", "causal=1", "window=1", "causal=1,window=1"}) {
    forFloats(all, {"attention", options, {{"H", "HK", 1}}, heads, false, {{"window", {1, 5, 40}}}});
    forFloats(all, {"attention", options, {{"H", "HK", 3}}, heads, false, {{"window", {1, 5, 40}}}});
  }
  // Lengths of a cache that is not full; varlen=1 needs running sums as inputs: ir/build/tests has its cases.
  std::map<std::string, std::vector<int64_t>> cached = heads;
  cached["T"] = {33, 64, 67};
  for (const char *options : {"kv_length=1", "kv_length=1,causal=1"})
    forFloats(all, {"attention", options, {{"H", "HK", 2}}, cached, false, {{"kv_length", {1, 17, 33}}}});
  forFloats(all, {"attention_decode", "kv_length=1", {{"H", "HK", 2}}, cached, false, {{"kv_length", {1, 17, 33}}}});
  forFloats(all, {"attention_decode", "", {{"H", "HK", 3}}, heads, false, {}});
  forFloats(all, {"attention_decode", "window=1", {{"H", "HK", 2}}, heads, false, {{"window", {1, 5, 40}}}});
  forFloats(all, {"embedding", "", {}, {{"V", {1, 7, 64}}}, false, {}});
  forFloats(all, {"index_add", "out=f32", {}, {{"V", {1, 7, 64}}}, false, {}});
  std::map<std::string, std::vector<double>> seeds{{"seed", {0, 1, 1e15}}, {"rate", {0, 0.3, 1}}, {"low", {-1}},
                                                   {"high", {2}},          {"mean", {0, -3}},     {"deviation", {1, 0.25}}};
  for (const char *op : {"dropout", "random_uniform", "random_normal"})
    for (const char *options : {"", "rank=3"}) forFloats(all, {op, options, {}, {}, false, seeds});
  std::map<std::string, std::vector<int64_t>> rotary{{"DH", {1, 4, 16, 33}}, {"P", {64}}};
  for (const char *style : {"style=half", "style=interleaved"}) {
    forFloats(all, {"rope", style, {{"D", "DH", 2}}, rotary, false, {}});
    forFloats(all,
              {"rope", std::string(style) + ",start=1,tables=0", {{"D", "DH", 2}}, rotary, false, {{"start", {0, 3}}, {"theta", {10000}}}});
  }
  forFloats(all, {"sample", "", {}, {{"N", {1, 2, 17, 64}}}, false, {}});
  all.push_back({"count_below", "", {}, {{"N", {1, 2, 17, 64}}}, false, {}});
  return all;
}

std::vector<std::string> levelsOf(const Variant &variant, const std::string &size) {
  for (const auto &derived : variant.derived)
    if (derived.size == size) return {};
  std::vector<std::string> levels;
  if (auto domain = variant.domains.find(size); domain != variant.domains.end())
    for (int64_t value : domain->second) levels.push_back(std::to_string(value));
  else
    for (const SizeClass &one : sizeClasses()) levels.push_back(one.name);
  return levels;
}

std::optional<Sizes> drawSizes(const Variant &variant, const std::map<std::string, std::string> &levels, int64_t budget,
                               std::mt19937_64 &random) {
  for (int attempt = 0; attempt < 16; ++attempt) {
    Sizes sizes;
    for (auto &[name, level] : levels) {
      auto found = std::find_if(sizeClasses().begin(), sizeClasses().end(), [&](const SizeClass &one) { return one.name == level; });
      sizes[name] = found == sizeClasses().end() ? std::stoll(level) : found->values[random() % found->values.size()];
    }
    for (const auto &derived : variant.derived) sizes[derived.size] = sizes[derived.from] * derived.factor;
    if (product(sizes) <= budget) return sizes;
  }
  return std::nullopt;
}

std::string textOf(const Case &one) {
  std::string text = one.variant->op + " | " + one.variant->options + " | " + one.dtype + " |";
  for (auto &[name, value] : one.sizes) text += " " + name + "=" + std::to_string(value);
  return text + " | " + std::string(name(one.layout)) + " | " + std::string(name(one.contents)) + " | " + std::to_string(one.seed) + " | " +
         one.configuration;
}

std::optional<Case> parseCase(const std::vector<Variant> &variants, const std::string &text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    size_t end = parts.size() == 7 ? text.size() : std::min(text.find('|', at), text.size());
    std::string part = text.substr(at, end - at);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    parts.push_back(part);
    at = end + 1;
  }
  if (parts.size() != 8) return std::nullopt;
  Case one;
  for (const Variant &variant : variants)
    if (variant.op == parts[0] && variant.options == parts[1]) one.variant = &variant;
  if (!one.variant) return std::nullopt;
  one.dtype = parts[2];
  std::istringstream sizes(parts[3]);
  for (std::string item; sizes >> item;)
    if (size_t equals = item.find('='); equals != item.npos) one.sizes[item.substr(0, equals)] = std::atoll(item.c_str() + equals + 1);
  bool known = false;
  for (Layout layout : kLayouts)
    if (name(layout) == parts[4]) one.layout = layout, known = true;
  if (!known) return std::nullopt;
  known = false;
  for (Contents contents : kContents)
    if (name(contents) == parts[5]) one.contents = contents, known = true;
  if (!known) return std::nullopt;
  one.seed = std::strtoull(parts[6].c_str(), nullptr, 10);
  one.configuration = parts[7];
  return one;
}

} // namespace conformance
