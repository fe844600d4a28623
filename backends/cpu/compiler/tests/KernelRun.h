//===- cpu/compiler/tests/KernelRun.h - compile, run, compare --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Runs a kernel as the runtime would (facts from tensors, defaults from the space, the launch plan's expressions), on one
// thread, in this process, and compares with the interpreter of the portable text.
//
//   KernelRun run("softmax", "bf16", {{"M", 7}, {"N", 131}});
//   EXPECT_EQ(run.compare(1e-2), "");
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CPU_TESTS_KERNELRUN_H
#define PANTILE_CPU_TESTS_KERNELRUN_H

#include "backends/cpu/compiler/Compile.h"
#include "core/KernelText.h"

#include <map>
#include <memory>
#include <random>

namespace pantile::cpu {

/// How the views of a run lie in memory.
enum class Layout { Dense, Padded, Misaligned, Reversed /**< first dimension has stride 1 */ };

/// Memory as the device half gives it: large blocks on huge pages.
template <typename T> struct HugePages {
  using value_type = T;
  T *allocate(size_t count);
  void deallocate(T *pointer, size_t count);
  bool operator==(const HugePages &) const = default;
};

class KernelRun {
public:
  using Sizes = std::map<std::string, int64_t>;
  using Scalars = std::map<std::string, double>;
  KernelRun(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars = {},
            Layout layout = Layout::Dense, uint64_t seed = 1);
  /// From portable text.
  static KernelRun ofText(std::string text, const Sizes &sizes, const Scalars &scalars = {}, Layout layout = Layout::Dense);

  /// Settings over the defaults; before compare or prepare.
  Configuration overrides;
  std::string target;
  /// Facts carry every size.
  bool allStatic = false;
  /// Integer views without a declared range get values in [0, bound).
  std::map<std::string, int64_t> bounds;

  /// "" or what went wrong: an error's message, or the first differing element.
  std::string compare(double tolerance);
  /// Facts, defaults and code for `target`, which need not run here; "" or the error.
  std::string compile();
  /// Compiles, loads and binds; "" or the error.
  std::string prepare();
  /// All launches once, whole grids.
  void launch();
  /// Sum of the launches' program counts.
  int64_t programs() const;
  const Artifact &compiled() const { return artifact; }
  const Configuration &configuration() const { return settings; }
  CompileRequest request() const;

private:
  using Bytes = std::vector<char, HugePages<char>>;
  struct Tensor {
    Bytes storage, before, expected;
    char *data = nullptr;
    std::vector<int64_t> sizes, strides;
    uint64_t scalar = 0;
  };
  explicit KernelRun() = default;
  void read(const std::string &text, const Sizes &sizes, const Scalars &scalars, Layout layout, uint64_t seed);
  Expected<int64_t> value(const std::string &expression) const;

  KernelText kernel;
  std::string error;
  Sizes named;
  std::vector<Tensor> tensors;
  Facts facts;
  Configuration settings;
  std::vector<ParameterDescription> parameters;
  Artifact artifact;
  std::shared_ptr<void> library;
  struct Call {
    void (*entry)(const uint64_t *, int64_t, int64_t, void *);
    std::vector<uint64_t> slots;
    int64_t programs, scratch;
  };
  std::vector<Call> calls;
  Bytes workspace, scratch;
};

} // namespace pantile::cpu

#endif // PANTILE_CPU_TESTS_KERNELRUN_H
