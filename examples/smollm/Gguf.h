//===- examples/smollm/Gguf.h - reading a GGUF file -----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// GGUF version 2 and 3, little endian (the format: ggml's docs/gguf.md). The file is mapped read-only and never trusted:
// every length is checked against the file before it is used, and a damaged or foreign file is an exception that says so.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EXAMPLES_SMOLLM_GGUF_H
#define PANTILE_EXAMPLES_SMOLLM_GGUF_H

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace smollm {

/// What is wrong with the file, in one line.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// ggml's element types that this model family uses; the values are the format's.
enum class TensorType : uint32_t { F32 = 0, F16 = 1, Q4_1 = 3, Q8_0 = 8, BF16 = 30 };

/// Weights in one block of a type, and its bytes.
struct BlockFormat {
  uint64_t weights, bytes;
};
BlockFormat formatOf(TensorType type);

struct TensorInfo {
  TensorType type;
  std::vector<uint64_t> shape; ///< row-major: the last is contiguous (the file lists them the other way round)
  std::span<const uint8_t> data;
};

using Value = std::variant<uint64_t, int64_t, double, bool, std::string, std::vector<std::string>, std::vector<double>>;

class GgufFile {
public:
  /// Throws FileError naming the file and what is wrong with it.
  explicit GgufFile(const std::string &path);

  /// Throws FileError naming the key, or the tensor, where it is absent or of another kind.
  uint64_t integer(const std::string &key) const;
  double number(const std::string &key) const;
  const std::string &text(const std::string &key) const;
  const std::vector<std::string> &texts(const std::string &key) const;
  const TensorInfo &tensor(const std::string &name) const;
  bool has(const std::string &key) const { return values.count(key) != 0; }

private:
  void read();
  const Value &value(const std::string &key) const;
  std::string path;
  std::shared_ptr<void> mapping;
  size_t size = 0;
  std::map<std::string, Value> values;
  std::map<std::string, TensorInfo> tensors;
};

} // namespace smollm

#endif // PANTILE_EXAMPLES_SMOLLM_GGUF_H
