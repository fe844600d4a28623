//===- examples/smollm/tests/GgufTest.cpp - damaged and foreign files -----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "examples/smollm/Gguf.h"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

using namespace smollm;

namespace {

class Writer {
public:
  template <typename T> Writer &add(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
    return *this;
  }
  Writer &text(const std::string &value) {
    add<uint64_t>(value.size());
    bytes += value;
    return *this;
  }
  std::string bytes;
};

/// Two values and two tensors: "norm" f32 [3] and "w" q8_0 [2, 32].
std::string sample() {
  Writer w;
  w.bytes = "GGUF";
  w.add<uint32_t>(3).add<uint64_t>(2).add<uint64_t>(3);
  w.text("general.architecture").add<uint32_t>(8).text("llama");
  w.text("llama.block_count").add<uint32_t>(4).add<uint32_t>(7);
  w.text("tokenizer.ggml.tokens").add<uint32_t>(9).add<uint32_t>(8).add<uint64_t>(2).text("a").text("bc");
  w.text("norm").add<uint32_t>(1).add<uint64_t>(3).add<uint32_t>(0).add<uint64_t>(0);
  w.text("w").add<uint32_t>(2).add<uint64_t>(32).add<uint64_t>(2).add<uint32_t>(8).add<uint64_t>(32);
  w.bytes.resize((w.bytes.size() + 31) / 32 * 32);
  for (float f : {1.5f, -2.0f, 0.25f}) w.add(f);
  w.bytes.resize(w.bytes.size() + 20);
  for (int i = 0; i < 68; ++i) w.add(uint8_t(i));
  return w.bytes;
}

class Gguf : public testing::Test {
protected:
  void SetUp() override { path = testing::TempDir() + "gguf-" + std::to_string(getpid()); }
  void TearDown() override { unlink(path.c_str()); }
  GgufFile read(const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return GgufFile(path);
  }
  std::string errorOf(const std::string &bytes) {
    try {
      std::ofstream(path, std::ios::binary) << bytes;
      GgufFile file(path);
    } catch (const FileError &error) { return error.what(); }
    return "";
  }
  std::string path;
};

TEST_F(Gguf, ReadsWhatWasWritten) {
  GgufFile file = read(sample());
  EXPECT_EQ(file.text("general.architecture"), "llama");
  EXPECT_EQ(file.integer("llama.block_count"), 7u);
  EXPECT_EQ(file.texts("tokenizer.ggml.tokens"), (std::vector<std::string>{"a", "bc"}));
  const TensorInfo &norm = file.tensor("norm"), &w = file.tensor("w");
  EXPECT_EQ(norm.shape, (std::vector<uint64_t>{3}));
  float values[3];
  std::memcpy(values, norm.data.data(), 12);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(w.shape, (std::vector<uint64_t>{2, 32}));
  EXPECT_EQ(w.data.size(), 68u);
  EXPECT_EQ(w.data[67], 67);
}

TEST_F(Gguf, NamesWhatIsMissingOrOfAnotherKind) {
  GgufFile file = read(sample());
  for (auto use : {+[](GgufFile &f) { f.integer("no.such.key"); }, +[](GgufFile &f) { f.tensor("no.such.key"); }}) try {
      use(file);
      FAIL();
    } catch (const FileError &error) { EXPECT_NE(std::string(error.what()).find("no.such.key"), std::string::npos); }
  EXPECT_THROW(file.integer("general.architecture"), FileError);
  EXPECT_THROW(file.text("llama.block_count"), FileError);
}

TEST_F(Gguf, EveryTruncationIsAnError) {
  std::string whole = sample();
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_NE(errorOf(whole.substr(0, size)), "") << "cut at " << size;
}

TEST_F(Gguf, ForeignFiles) {
  EXPECT_NE(errorOf("").find("not a GGUF file"), std::string::npos);
  EXPECT_NE(errorOf(std::string(100, 'x')).find("not a GGUF file"), std::string::npos);
  std::string version = sample();
  version[4] = 9;
  EXPECT_NE(errorOf(version).find("version 9"), std::string::npos);
  try {
    GgufFile file("/no/such/file.gguf");
    FAIL();
  } catch (const FileError &error) { EXPECT_NE(std::string(error.what()).find("/no/such/file.gguf"), std::string::npos); }
}

/// Whatever the bytes: a file or an error, and never memory outside the mapping (sanitizers watch).
TEST_F(Gguf, MutationsNeverCrash) {
  std::string whole = sample();
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (unsigned n = 1 + random() % 4; n > 0; --n) bytes[random() % bytes.size()] = char(random());
    try {
      GgufFile file = read(bytes);
      ++accepted;
      for (const char *name : {"norm", "w"}) try {
          unsigned sum = 0;
          for (uint8_t byte : file.tensor(name).data) sum += byte;
          ASSERT_LT(sum, 1u << 20);
        } catch (const FileError &) {}
    } catch (const FileError &) {}
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 3000);
}

} // namespace
