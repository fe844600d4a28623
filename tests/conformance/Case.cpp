//===- tests/conformance/Case.cpp -----------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Case.h"

namespace conformance {

namespace {

const char *const kFloats[] = {"f32", "f16", "bf16"};

/// Adds the variant for each float dtype.
void forFloats(std::vector<Variant> &all, Variant variant) {
  std::string options = variant.options;
  for (const char *dtype : kFloats) {
    variant.options = dtype + (options.empty() ? "" : "," + options);
    all.push_back(variant);
  }
}

} // namespace

std::vector<Variant> allVariants() {
  std::vector<Variant> all;
  for (const char *op : {"add", "sub", "mul", "div", "maximum", "minimum"}) {
    forFloats(all, {op, "", {}, {}, true, {}});
    forFloats(all, {op, "rank=3", {}, {}, true, {}});
  }
  for (const char *op : {"exp", "exp2", "sigmoid", "tanh", "erf", "relu", "gelu", "gelu_tanh", "silu", "softplus", "abs", "neg", "square"})
    forFloats(all, {op, "", {}, {}, true, {}});
  for (const char *op : {"log", "sqrt", "rsqrt", "reciprocal", "sin", "cos"}) forFloats(all, {op, "rank=2", {}, {}, true, {}});
  for (const char *op : {"add_scalar", "mul_scalar"}) forFloats(all, {op, "", {}, {}, true, {}});
  forFloats(all, {"clamp", "", {}, {}, true, {{"low", {-0.5}}, {"high", {0.5}}}});
  forFloats(all, {"where", "", {}, {}, true, {}});
  forFloats(all, {"swiglu", "", {}, {}, true, {}});
  for (const char *options : {"", "out=bf16", "out=f16", "out=f32"}) forFloats(all, {"copy", options, {}, {}, true, {}});
  forFloats(all, {"transpose", "", {}, {}, true, {}});

  for (const char *options : {"", "transpose_a=1", "transpose_b=1", "transpose_a=1,transpose_b=1", "bias=1,activation=gelu",
                              "activation=relu,residual=1", "out=f32,bias=1,activation=silu,residual=1"})
    forFloats(all, {"matmul", options, {}, {}, false, {}});
  forFloats(all, {"batched_matmul", "", {}, {{"B0", {0, 1, 2, 3}}}, false, {}});
  forFloats(all, {"batched_matmul", "transpose_b=1", {}, {{"B0", {1, 2, 3}}}, false, {}});
  forFloats(all, {"matvec", "", {}, {}, false, {}});
  forFloats(all, {"matvec", "bias=1,activation=relu,residual=1", {}, {}, false, {}});
  all.push_back({"matmul_int8", "scales=0", {}, {}, false, {}});
  all.push_back({"matmul_int8", "", {}, {}, false, {}});
  all.push_back({"matmul_int8", "transpose_b=1", {}, {}, false, {}});
  for (const char *format : {"q4_1", "q8_0"}) {
    std::map<std::string, std::vector<int64_t>> blocks{{"KB", {1, 2, 3, 5, 8, 18}}};
    forFloats(all, {"matmul_quantized", std::string("format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
    forFloats(all, {"matmul_quantized", std::string("residual=1,format=") + format, {{"K", "KB", 32}}, blocks, false, {}});
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
  all.push_back({"count_below", "", {}, {{"N", {1, 2, 17, 64}}}, false, {}});
  return all;
}

Sizes drawSizes(const Variant &variant, const std::vector<std::string> &names, int64_t budget, std::mt19937_64 &random) {
  static const std::vector<int64_t> kRagged{0,  1,  2,  3,  5,  7,   8,   13,  16,  17,  31,  32,
                                            33, 61, 64, 67, 97, 127, 128, 131, 251, 257, 509, 1021};
  Sizes sizes;
  for (;;) {
    sizes.clear();
    auto draw = [&](const std::string &name) {
      auto domain = variant.domains.find(name);
      const auto &values = domain == variant.domains.end() ? kRagged : domain->second;
      // Zero extents matter and hide everything else: few of them.
      int64_t value = values[random() % values.size()];
      if (value == 0 && random() % 4) value = values[random() % values.size()];
      sizes[name] = value;
    };
    for (const auto &derived : variant.derived) draw(derived.from);
    for (const std::string &name : names)
      if (!sizes.count(name)) draw(name);
    for (const auto &derived : variant.derived) sizes[derived.size] = sizes[derived.from] * derived.factor;
    int64_t product = 1;
    for (const std::string &name : names) product *= std::max<int64_t>(1, std::min<int64_t>(sizes[name], 1 << 20));
    if (product <= budget) return sizes;
  }
}

} // namespace conformance
