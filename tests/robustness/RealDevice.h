//===- tests/robustness/RealDevice.h - a context on the CPU backend -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_ROBUSTNESS_REALDEVICE_H
#define PANTILE_TESTS_ROBUSTNESS_REALDEVICE_H

#include "runtime/tests/Fixture.h"

namespace pantile::test {

constexpr DLDataType kF32{kDLFloat, 32, 1}, kF16{kDLFloat, 16, 1}, kI8{kDLInt, 8, 1}, kI32{kDLInt, 32, 1};

/// The public surface and nothing else: a real plugin, the real helper, a cache folder of the test's.
class RealDevice : public ::testing::Test {
protected:
  void SetUp() override {
    for (const char *name : {"BACKEND", "PLUGIN_PATH", "CACHE_DIR", "CONFIG_PATH", "TUNE", "INTERPRET", "PRINT", "REPRO", "LOG", "THREADS"})
      unsetenv((std::string("PANTILE_") + name).c_str());
    options.struct_size = sizeof(options);
    options.backend = "cpu";
    options.cache_dir = cachePath.c_str();
    pantile_error *error = nullptr;
    pantile_code code = pantile_context_create(&options, &context, &error);
    ASSERT_EQ(code, PANTILE_OK) << take(error);
  }
  void TearDown() override { pantile_context_release(context); }

  KernelHandle library(const char *name, const char *text) {
    pantile_kernel *kernel = nullptr;
    pantile_error *error = nullptr;
    pantile_code code = pantile_kernel_from_library(context, name, text, &kernel, &error);
    EXPECT_EQ(code, PANTILE_OK) << take(error);
    return KernelHandle(kernel, pantile_kernel_release);
  }
  /// "" or the error's text, cause and fix; its code stays in `code`.
  std::string launch(const KernelHandle &kernel, std::vector<DLTensor *> arguments) {
    pantile_error *error = nullptr;
    code = pantile_launch(kernel.get(), nullptr, arguments.data(), arguments.size(), &error);
    EXPECT_EQ(code != PANTILE_OK, error != nullptr);
    std::string said = take(error);
    if (!code) {
      pantile_code waited = pantile_synchronize(context, nullptr, &error);
      EXPECT_EQ(waited, PANTILE_OK) << take(error);
    }
    return said;
  }

  Folder folder;
  std::string cachePath = folder / "cache";
  pantile_context_options options{};
  pantile_context *context = nullptr;
  pantile_code code = PANTILE_OK;
};

} // namespace pantile::test

#endif // PANTILE_TESTS_ROBUSTNESS_REALDEVICE_H
