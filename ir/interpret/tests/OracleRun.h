//===- ir/interpret/tests/OracleRun.h - run a kernel, compare
//--------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Runs a kernel as the runtime would (facts from tensors, defaults from the
// space, the launch plan's expressions), in this process, and compares with the
// interpreter of the portable text. How it is compiled and executed is the
// deriver's.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_INTERPRET_TESTS_ORACLERUN_H
#define PANTILE_IR_INTERPRET_TESTS_ORACLERUN_H

#include "core/Artifact.h"
#include "core/Configuration.h"
#include "core/KernelText.h"
#include "core/SpaceDescription.h"

#include <map>
#include <memory>
#include <random>

namespace pantile {

/// How the views of a run lie in memory.
enum class ViewLayout {
  Dense,
  Padded,
  Misaligned,
  Reversed /**< first dimension has stride 1 */
};

/// Memory as a device half gives it: large blocks on huge pages.
template <typename T> struct HugePages {
  using value_type = T;
  T *allocate(size_t count);
  void deallocate(T *pointer, size_t count);
  bool operator==(const HugePages &) const = default;
};

class OracleRun {
public:
  using Sizes = std::map<std::string, int64_t>;
  using Scalars = std::map<std::string, double>;
  virtual ~OracleRun() = default;

  /// Settings over the defaults; before compare or prepare.
  Configuration overrides;
  /// Facts carry every size.
  bool allStatic = false;

  /// "" or what went wrong: an error's message, or the first differing element.
  std::string compare(double tolerance);
  /// Facts, defaults and code, for a target that need not run here; "" or the error.
  std::string compile();
  /// Compiles, loads and binds; "" or the error.
  std::string prepare();
  /// Sum of the launches' program counts.
  int64_t programs() const;
  const Artifact &compiled() const { return artifact; }
  const Configuration &configuration() const { return settings; }

protected:
  using Bytes = std::vector<char, HugePages<char>>;
  /// A launch with all numbers evaluated.
  struct Launch {
    std::string entry;
    int64_t grid, block, shared;
    std::vector<uint64_t> slots;
    std::vector<int64_t> extras;
  };
  OracleRun() = default;
  void readLibrary(const std::string &name, const std::string &options, const Sizes &sizes, const Scalars &scalars, ViewLayout layout,
                   uint64_t seed);
  void read(const std::string &text, const Sizes &sizes, const Scalars &scalars, ViewLayout layout, uint64_t seed);

  virtual Expected<SpaceDescription> describeSpace() = 0;
  virtual Expected<Artifact> build() = 0;
  /// Once after build, then any number of executions of all launches: "" or the
  /// error.
  virtual std::string load() = 0;
  virtual std::string execute() = 0;

  KernelText kernel;
  Facts facts;
  Configuration settings;
  Artifact artifact;
  std::vector<Launch> launches;

private:
  struct Tensor {
    Bytes storage, before, expected;
    char *data = nullptr;
    std::vector<int64_t> sizes, strides;
    uint64_t scalar = 0;
  };
  Expected<int64_t> value(const std::string &expression) const;

  std::string error;
  Sizes named;
  std::vector<Tensor> tensors;
  std::vector<ParameterDescription> parameters;
  Bytes workspace;
};

} // namespace pantile

#endif // PANTILE_IR_INTERPRET_TESTS_ORACLERUN_H
