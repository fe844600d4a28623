//===- examples/smollm/Model.h - SmolLM2 on Pantile's C API ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A llama-architecture model whose every operator is a Pantile kernel: embedding, rms_norm, block-quantized matmul and
// matrix-vector, rope, grouped-query attention over a growing KV cache, swiglu, argmax, sampling. Sizes are dynamic: a
// new sequence length compiles and tunes nothing.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EXAMPLES_SMOLLM_MODEL_H
#define PANTILE_EXAMPLES_SMOLLM_MODEL_H

#include "Gguf.h"
#include "Kernels.h"

namespace smollm {

struct Dimensions {
  int64_t layers, width, hidden, heads, kvHeads, headSize, vocabulary, context;
  float epsilon, ropeTheta;
};

/// Reads the dimensions and checks that they fit together; throws FileError where they do not.
Dimensions dimensionsOf(const GgufFile &file);

class Model {
public:
  /// Copies the weights to the device. `capacity`: the longest sequence the KV cache holds.
  Model(const Context &context, const GgufFile &file, int64_t capacity);

  /// Feeds tokens after those fed before. Throws std::runtime_error for ids outside the vocabulary and past the capacity.
  void feed(const std::vector<int32_t> &tokens);
  /// Logits of the last token fed, [vocabulary].
  std::vector<float> logits();
  /// Logits of every token of the last feed, [tokens, vocabulary].
  std::vector<float> allLogits();
  /// The likeliest next token.
  int32_t greedy();
  /// A token drawn from softmax(logits / temperature) by `uniform` in [0, 1).
  int32_t sample(float temperature, float uniform);
  /// Forgets all tokens.
  void reset() { length = 0; }
  /// Searches configurations for the kernels of decode and of a prefill of `tokens`, `seconds` in all. Resets.
  void tune(double seconds, int64_t tokens);
  const Dimensions &dimensions() const { return d; }

private:
  /// Block-quantized weights [rows, columns], in the parts that kernels take.
  struct Matrix {
    int64_t rows = 0, columns = 0;
    Tensor quants, scales, mins;
  };
  struct Layer {
    Tensor attentionNorm, feedForwardNorm;
    Matrix query, key, value, output, gate, up, down;
    Tensor keys, values; ///< the cache: [capacity, kvHeads, headSize]
  };
  Matrix matrixQ4(const GgufFile &file, const std::string &name, int64_t rows, int64_t columns) const;
  Matrix matrixQ8(const GgufFile &file, const std::string &name, int64_t rows, int64_t columns) const;
  Tensor vectorOf(const GgufFile &file, const std::string &name, int64_t size) const;
  void multiply(const Matrix &matrix, const Tensor &in, const Tensor &out) const;
  void multiplyAdd(const Matrix &matrix, const Tensor &in, const Tensor &residual, const Tensor &out) const;
  void attend(const Layer &layer, int64_t tokens) const;
  Tensor project(int64_t first, int64_t rows);

  const Context &context;
  Dimensions d;
  int64_t capacity, length = 0, fed = 0;
  Kernels kernels;
  Matrix embedding;
  Tensor outputNorm;
  std::vector<Layer> layers;
  // Activations of one feed, [capacity, ...]; a feed of n tokens uses the first n rows.
  Tensor ids, x, residual, normed, q, attended, gate, up, activated, uniform, index;
};

} // namespace smollm

#endif // PANTILE_EXAMPLES_SMOLLM_MODEL_H
