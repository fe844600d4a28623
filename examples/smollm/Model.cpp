//===- examples/smollm/Model.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include <cmath>
#include <cstring>

namespace smollm {

namespace {

std::string join(std::initializer_list<int64_t> shape) {
  std::string text;
  for (int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

const TensorInfo &expect(const GgufFile &file, const std::string &name, TensorType type, const char *typeName,
                         std::initializer_list<int64_t> shape) {
  const TensorInfo &info = file.tensor(name);
  bool same = info.shape.size() == shape.size() &&
              std::equal(shape.begin(), shape.end(), info.shape.begin(), [](int64_t a, uint64_t b) { return uint64_t(a) == b; });
  if (!same || info.type != type) throw FileError("tensor '" + name + "': expected " + typeName + " of " + join(shape));
  return info;
}

/// Splits an array of blocks {halfs..., bytes} into one array a part: what a tile kernel can load without gaps.
std::vector<std::vector<uint8_t>> split(std::span<const uint8_t> blocks, std::initializer_list<size_t> parts) {
  size_t stride = 0, offset = 0;
  for (size_t part : parts) stride += part;
  size_t count = blocks.size() / stride;
  std::vector<std::vector<uint8_t>> result;
  for (size_t part : parts) {
    auto &bytes = result.emplace_back(count * part);
    for (size_t i = 0; i < count; ++i) std::memcpy(&bytes[i * part], &blocks[i * stride + offset], part);
    offset += part;
  }
  return result;
}

} // namespace

Dimensions dimensionsOf(const GgufFile &file) {
  if (std::string arch = file.text("general.architecture"); arch != "llama")
    throw FileError("the model's architecture is '" + arch + "', expected 'llama'");
  auto count = [&](const char *key, int64_t most) {
    uint64_t value = file.integer(key);
    if (value < 1 || value > uint64_t(most))
      throw FileError(std::string(key) + " is " + std::to_string(value) + ", expected 1 to " + std::to_string(most));
    return int64_t(value);
  };
  Dimensions d;
  d.layers = count("llama.block_count", 1000);
  d.width = count("llama.embedding_length", 1 << 16);
  d.hidden = count("llama.feed_forward_length", 1 << 18);
  d.heads = count("llama.attention.head_count", 1024);
  d.kvHeads = count("llama.attention.head_count_kv", 1024);
  d.context = count("llama.context_length", 1 << 24);
  d.vocabulary = int64_t(file.texts("tokenizer.ggml.tokens").size());
  d.headSize = d.width / d.heads;
  d.epsilon = float(file.number("llama.attention.layer_norm_rms_epsilon"));
  d.ropeTheta = float(file.number("llama.rope.freq_base"));
  if (d.width % d.heads || d.heads % d.kvHeads || d.headSize % 2 || d.width % 32 || d.hidden % 32)
    throw FileError("width " + std::to_string(d.width) + ", heads " + std::to_string(d.heads) + " on " + std::to_string(d.kvHeads) +
                    ", hidden " + std::to_string(d.hidden) + " do not fit together");
  return d;
}

Model::Matrix Model::matrixQ4(const GgufFile &file, const std::string &name, int64_t rows, int64_t columns) const {
  auto parts = split(expect(file, name, TensorType::Q4_1, "Q4_1", {rows, columns}).data, {2, 2, 16});
  return {rows, columns, Tensor::of(context, kI8, {rows, columns / 32, 16}, parts[2].data()),
          Tensor::of(context, kF16, {rows, columns / 32}, parts[0].data()),
          Tensor::of(context, kF16, {rows, columns / 32}, parts[1].data())};
}

Model::Matrix Model::matrixQ8(const GgufFile &file, const std::string &name, int64_t rows, int64_t columns) const {
  auto parts = split(expect(file, name, TensorType::Q8_0, "Q8_0", {rows, columns}).data, {2, 32});
  return {rows,
          columns,
          Tensor::of(context, kI8, {rows, columns / 32, 32}, parts[1].data()),
          Tensor::of(context, kF16, {rows, columns / 32}, parts[0].data()),
          {}};
}

Tensor Model::vectorOf(const GgufFile &file, const std::string &name, int64_t size) const {
  return Tensor::of(context, kF32, {size}, expect(file, name, TensorType::F32, "F32", {size}).data.data());
}

Model::Model(const Context &context, const GgufFile &file, int64_t capacity)
    : context(context), d(dimensionsOf(file)), capacity(capacity), kernels(context),
      embedding(matrixQ8(file, "token_embd.weight", d.vocabulary, d.width)), outputNorm(vectorOf(file, "output_norm.weight", d.width)),
      ids(context, kI32, {capacity}), x(context, kF32, {capacity, d.width}), residual(context, kF32, {capacity, d.width}),
      normed(context, kF32, {capacity, d.width}), q(context, kF32, {capacity, d.width}), attended(context, kF32, {capacity, d.width}),
      gate(context, kF32, {capacity, d.hidden}), up(context, kF32, {capacity, d.hidden}), activated(context, kF32, {capacity, d.hidden}),
      uniform(context, kF32, {1}), index(context, kI32, {1}) {
  int64_t kvWidth = d.kvHeads * d.headSize;
  for (int64_t i = 0; i < d.layers; ++i) {
    std::string block = "blk." + std::to_string(i) + ".";
    layers.push_back(
        {vectorOf(file, block + "attn_norm.weight", d.width), vectorOf(file, block + "ffn_norm.weight", d.width),
         matrixQ4(file, block + "attn_q.weight", d.width, d.width), matrixQ4(file, block + "attn_k.weight", kvWidth, d.width),
         matrixQ4(file, block + "attn_v.weight", kvWidth, d.width), matrixQ4(file, block + "attn_output.weight", d.width, d.width),
         matrixQ4(file, block + "ffn_gate.weight", d.hidden, d.width), matrixQ4(file, block + "ffn_up.weight", d.hidden, d.width),
         matrixQ4(file, block + "ffn_down.weight", d.width, d.hidden), Tensor(context, kF32, {capacity, d.kvHeads, d.headSize}),
         Tensor(context, kF32, {capacity, d.kvHeads, d.headSize})});
  }
}

void Model::multiply(const Matrix &m, const Tensor &in, const Tensor &out) const {
  if (in.size(0) == 1)
    kernels.matvecQ4(in.reshape({m.columns}), m.quants, m.scales, m.mins, out.reshape({m.rows}));
  else
    kernels.matmulQ4(in, m.quants, m.scales, m.mins, out);
}

void Model::multiplyAdd(const Matrix &m, const Tensor &in, const Tensor &added, const Tensor &out) const {
  if (in.size(0) == 1)
    kernels.matvecQ4Residual(in.reshape({m.columns}), m.quants, m.scales, m.mins, added.reshape({m.rows}), out.reshape({m.rows}));
  else
    kernels.matmulQ4Residual(in, m.quants, m.scales, m.mins, added, out);
}

void Model::attend(const Layer &layer, int64_t n) const {
  int64_t total = length + n, kvWidth = d.kvHeads * d.headSize;
  Tensor in = normed.rows(0, n), queries = q.rows(0, n), newKeys = layer.keys.rows(length, total);
  // Keys pass through `up`, which is free until the feed-forward part.
  Tensor rawKeys = up.reshape({capacity * d.hidden}).rows(0, n * kvWidth);
  multiply(layer.query, in, queries);
  multiply(layer.key, in, rawKeys.reshape({n, kvWidth}));
  multiply(layer.value, in, layer.values.rows(length, total).reshape({n, kvWidth}));
  Tensor rotated = attended.rows(0, n).reshape({n, d.heads, d.headSize});
  Scalar start{int32_t(length)}, theta{d.ropeTheta}, scale{1.0f / std::sqrt(float(d.headSize))};
  kernels.rope(queries.reshape({n, d.heads, d.headSize}), start, theta, rotated);
  kernels.rope(rawKeys.reshape({n, d.kvHeads, d.headSize}), start, theta, newKeys);
  Tensor keys = layer.keys.rows(0, total).reshape({1, total, d.kvHeads, d.headSize}).permute({0, 2, 1, 3});
  Tensor values = layer.values.rows(0, total).reshape({1, total, d.kvHeads, d.headSize}).permute({0, 2, 1, 3});
  Tensor out = queries.reshape({1, n, d.heads, d.headSize}); // the queries were rotated out of here
  if (n == 1)
    kernels.attentionDecode(rotated, keys, values, queries.reshape({1, d.heads, d.headSize}), scale);
  else
    kernels.attention(rotated.reshape({1, n, d.heads, d.headSize}).permute({0, 2, 1, 3}), keys, values, out.permute({0, 2, 1, 3}), scale);
}

void Model::feed(const std::vector<int32_t> &tokens) {
  int64_t n = int64_t(tokens.size());
  if (n == 0) return;
  if (length + n > capacity)
    throw std::runtime_error("a sequence of " + std::to_string(length + n) + " tokens, this model was opened for " +
                             std::to_string(capacity));
  for (int32_t token : tokens)
    if (token < 0 || token >= d.vocabulary)
      throw std::runtime_error("token " + std::to_string(token) + " is outside the vocabulary of " + std::to_string(d.vocabulary));
  Tensor fedIds = ids.rows(0, n), now = x.rows(0, n), middle = residual.rows(0, n), in = normed.rows(0, n);
  fedIds.upload(tokens.data(), size_t(n) * 4);
  kernels.embeddingQ8(embedding.quants, embedding.scales, fedIds, now);
  Scalar epsilon(d.epsilon);
  for (const Layer &layer : layers) {
    kernels.rmsNorm(now, layer.attentionNorm, in, epsilon);
    attend(layer, n);
    multiplyAdd(layer.output, q.rows(0, n), now, middle);
    kernels.rmsNorm(middle, layer.feedForwardNorm, in, epsilon);
    Tensor g = gate.rows(0, n), u = up.rows(0, n), a = activated.rows(0, n);
    multiply(layer.gate, in, g);
    multiply(layer.up, in, u);
    kernels.swiglu(g.reshape({n * d.hidden}), u.reshape({n * d.hidden}), a.reshape({n * d.hidden}));
    multiplyAdd(layer.down, a, middle, now);
  }
  length += n;
  fed = n;
}

Tensor Model::project(int64_t first, int64_t rows) {
  Tensor in = x.rows(first, first + rows), out = normed.rows(first, first + rows), logits(context, kF32, {rows, d.vocabulary});
  kernels.rmsNorm(in, outputNorm, out, Scalar(d.epsilon));
  if (rows == 1)
    kernels.matvecQ8(out.reshape({d.width}), embedding.quants, embedding.scales, logits.reshape({d.vocabulary}));
  else
    kernels.matmulQ8(out, embedding.quants, embedding.scales, logits);
  return logits;
}

std::vector<float> Model::logits() {
  std::vector<float> host(size_t(d.vocabulary));
  project(fed - 1, 1).download(host.data(), host.size() * 4);
  return host;
}

std::vector<float> Model::allLogits() {
  std::vector<float> host(size_t(fed * d.vocabulary));
  project(0, fed).download(host.data(), host.size() * 4);
  return host;
}

int32_t Model::greedy() {
  int32_t token;
  kernels.argmax(project(fed - 1, 1).reshape({d.vocabulary}), index);
  index.download(&token, 4);
  return token;
}

int32_t Model::sample(float temperature, float number) {
  int32_t token;
  uniform.upload(&number, 4);
  kernels.sample(project(fed - 1, 1), uniform, index, Scalar(temperature));
  index.download(&token, 4);
  return token;
}

void Model::tune(double seconds, int64_t tokens) {
  // Weighted by the time they take in a generation; attention is tuned at the prefill's length.
  tokens = std::min(tokens, capacity);
  const Layer &l = layers[0];
  double unit = seconds / 16;
  auto vector = [&](const Kernel &k, const Matrix &m, const Tensor &in, const Tensor &out) {
    k.tune(unit, in.reshape({capacity * in.size(1)}).rows(0, m.columns), m.quants, m.scales, m.mins,
           out.reshape({capacity * out.size(1)}).rows(0, m.rows));
  };
  vector(kernels.matvecQ4, l.query, normed, q);
  vector(kernels.matvecQ4, l.gate, normed, gate);
  kernels.matvecQ4Residual.tune(unit, activated.rows(0, 1).reshape({d.hidden}), l.down.quants, l.down.scales, l.down.mins,
                                residual.rows(0, 1).reshape({d.width}), x.rows(0, 1).reshape({d.width}));
  Tensor logits(context, kF32, {d.vocabulary});
  kernels.matvecQ8.tune(2 * unit, normed.rows(0, 1).reshape({d.width}), embedding.quants, embedding.scales, logits);
  kernels.matmulQ4.tune(2 * unit, normed.rows(0, tokens), l.query.quants, l.query.scales, l.query.mins, q.rows(0, tokens));
  kernels.matmulQ4.tune(2 * unit, normed.rows(0, tokens), l.gate.quants, l.gate.scales, l.gate.mins, gate.rows(0, tokens));
  kernels.matmulQ4Residual.tune(2 * unit, activated.rows(0, tokens), l.down.quants, l.down.scales, l.down.mins, residual.rows(0, tokens),
                                x.rows(0, tokens));
  Scalar scale(1.0f / std::sqrt(float(d.headSize)));
  auto heads = [&](const Tensor &t, int64_t n, int64_t h) { return t.rows(0, n).reshape({1, n, h, d.headSize}).permute({0, 2, 1, 3}); };
  kernels.attention.tune(2 * unit, heads(q, tokens, d.heads), heads(l.keys, tokens, d.kvHeads), heads(l.values, tokens, d.kvHeads),
                         heads(attended, tokens, d.heads), scale);
  kernels.attentionDecode.tune(unit, q.rows(0, 1).reshape({1, d.heads, d.headSize}), heads(l.keys, tokens, d.kvHeads),
                               heads(l.values, tokens, d.kvHeads), attended.rows(0, 1).reshape({1, d.heads, d.headSize}), scale);
  kernels.rmsNorm.tune(unit, x.rows(0, tokens), outputNorm, normed.rows(0, tokens), Scalar(d.epsilon));
  kernels.swiglu.tune(unit, gate.rows(0, tokens).reshape({tokens * d.hidden}), up.rows(0, tokens).reshape({tokens * d.hidden}),
                      activated.rows(0, tokens).reshape({tokens * d.hidden}));
  reset();
}

} // namespace smollm
