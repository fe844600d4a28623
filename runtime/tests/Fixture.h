//===- runtime/tests/Fixture.h - a context on the fake backend ------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_TESTS_FIXTURE_H
#define PANTILE_RUNTIME_TESTS_FIXTURE_H

#include "pantile/pantile.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace pantile::test {

/// A folder of its own under the build tree, removed at the end. (Shared temporary folders are not trusted.)
class Folder {
public:
  Folder() {
    std::string pattern = std::string(PANTILE_TEST_FOLDER) + "/run-XXXXXX";
    std::filesystem::create_directories(PANTILE_TEST_FOLDER);
    path = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
  std::string operator/(const std::string &name) const { return path + "/" + name; }
};

/// Text, cause and fix of an error, which it releases.
inline std::string take(pantile_error *error) {
  if (!error) return "";
  std::string text = pantile_error_text(error);
  if (*pantile_error_cause(error)) text += std::string("\n") + pantile_error_cause(error);
  if (*pantile_error_fix(error)) text += std::string("\n") + pantile_error_fix(error);
  pantile_error_release(error);
  return text;
}

class Tensor {
public:
  Tensor(void *data, std::vector<int64_t> sizes, DLDataType dtype = {kDLFloat, 32, 1}, std::vector<int64_t> given = {})
      : shape(std::move(sizes)), strides(std::move(given)) {
    tensor.data = data;
    tensor.device = {kDLCPU, 0};
    tensor.ndim = int(shape.size());
    tensor.dtype = dtype;
    tensor.shape = shape.data();
    tensor.strides = strides.empty() ? nullptr : strides.data();
    tensor.byte_offset = 0;
  }
  Tensor(const Tensor &) = delete;
  operator DLTensor *() { return &tensor; }
  std::vector<int64_t> shape, strides;
  DLTensor tensor;
};

using KernelHandle = std::unique_ptr<pantile_kernel, void (*)(pantile_kernel *)>;

class Fake : public ::testing::Test {
protected:
  void SetUp() override {
    for (const char *name : {"BACKEND", "PLUGIN_PATH", "CACHE_DIR", "CONFIG_PATH", "TUNE", "INTERPRET", "PRINT", "REPRO", "LOG", "THREADS"})
      unsetenv((std::string("PANTILE_") + name).c_str());
    options.struct_size = sizeof(options);
    options.backend = "fake";
    options.plugin_path = PANTILE_TEST_PLUGINS;
    options.helper_dir = PANTILE_TEST_HELPERS;
    cachePath = folder / "cache";
    options.cache_dir = cachePath.c_str();
    remake();
  }
  void TearDown() override { pantile_context_release(context); }
  void remake() {
    pantile_context_release(context);
    context = nullptr;
    pantile_error *error = nullptr;
    pantile_code code = pantile_context_create(&options, &context, &error);
    ASSERT_EQ(code, PANTILE_OK) << take(error);
  }
  KernelHandle kernelOf(const std::string &text) {
    pantile_kernel *kernel = nullptr;
    pantile_error *error = nullptr;
    pantile_code code = pantile_kernel_from_text(context, text.data(), text.size(), &kernel, &error);
    EXPECT_EQ(code, PANTILE_OK) << take(error);
    return KernelHandle(kernel, pantile_kernel_release);
  }
  /// Y = X * factor + 1, of one dimension.
  static std::string text(const std::string &name) {
    return "// pantile-ir 1\ntile.kernel @" + name +
           "(%X: !tile.view<?xf32> {tile.sizes = [\"N\"], tile.access = \"read\"}, %Y: !tile.view<?xf32> {tile.sizes = [\"N\"], "
           "tile.access = \"write\"}) {\n"
           "  %N = tile.dim %X, 0\n  tile.parallel %i in %N by @b {\n    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>\n    "
           "tile.store %x, %Y[%i]\n  }\n}\n";
  }
  KernelHandle scale(const std::string &name = "scale") { return kernelOf(text(name)); }
  std::string launch(const KernelHandle &kernel, DLTensor **arguments, size_t count) {
    pantile_error *error = nullptr;
    pantile_code code = pantile_launch(kernel.get(), nullptr, arguments, count, &error);
    std::string said = take(error);
    return code && said.empty() ? "an error without a text" : said;
  }
  std::string describe(const KernelHandle &kernel, DLTensor **arguments, size_t count) {
    pantile_string *json = nullptr;
    pantile_error *error = nullptr;
    pantile_code code = pantile_kernel_describe(kernel.get(), arguments, count, &json, &error);
    EXPECT_EQ(code, PANTILE_OK) << take(error);
    std::string text = pantile_string_data(json);
    pantile_string_release(json);
    return text;
  }
  Folder folder;
  std::string cachePath;
  pantile_context_options options{};
  pantile_context *context = nullptr;
};

} // namespace pantile::test

#endif // PANTILE_RUNTIME_TESTS_FIXTURE_H
