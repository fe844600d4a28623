//===- tests/conformance/Run.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Text of the operator from the library; sizes by name, then tensors in a random layout.
// 2. Inputs: seeded, of the size that keeps results away from overflow; infinities and NaNs where the variant takes them.
// 3. A copy of all arguments goes to the interpreter, the originals to the device, both with poisoned outputs.
// 4. Outputs agree within the tolerance of their dtype and of the length of the sums behind them; nothing else changed.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Run.h"

#include "ir/build/Library.h"
#include "tests/conformance/Tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/core.h>
#include <memory>
#include <set>

namespace conformance {

using namespace pantile;

namespace {

struct Failure {
  Result result;
};

/// Throws the Failure that a call's error means.
class Call {
public:
  explicit Call(const char *what) : what(what) {}
  pantile_error **operator&() { return &error; }
  void operator()(pantile_code code) {
    if (code == PANTILE_OK) return;
    std::string text = fmt::format("{}: {}\n    {}", what, pantile_error_text(error), pantile_error_cause(error));
    pantile_error_release(error);
    throw Failure{{code == PANTILE_UNSUPPORTED ? Outcome::Unsupported : Outcome::Failed, text}};
  }

private:
  const char *what;
  pantile_error *error = nullptr;
};

using KernelHandle = std::unique_ptr<pantile_kernel, decltype(&pantile_kernel_release)>;

struct Scalar {
  union {
    float f;
    int32_t i;
    int64_t l;
  } bits{};
  DLTensor view{};
};

double unitRoundoff(DType dtype) {
  switch (dtype) {
  case PANTILE_F16:
    return 0x1p-11;
  case PANTILE_BF16:
    return 0x1p-8;
  case PANTILE_F64:
    return 0x1p-53;
  default:
    return 0x1p-24;
  }
}

/// One run's arguments.
struct Arguments {
  std::vector<std::unique_ptr<Tensor>> tensors; // null for scalars
  std::vector<std::unique_ptr<Scalar>> scalars; // null for views
  std::vector<DLTensor *> pointers;
};

/// Copies of a call's tensors, whole with their red zones, in the device's memory while it lives; nothing where that is the host's.
class OnDevice {
public:
  OnDevice(pantile_context *context, Arguments &arguments) : context(context), arguments(arguments) {
    const DLDevice device = pantile_context_device(context);
    if (device.device_type == kDLCPU) return;
    places.resize(arguments.tensors.size());
    for (size_t i = 0; i < places.size(); ++i) {
      if (!arguments.tensors[i]) continue;
      Tensor &tensor = *arguments.tensors[i];
      Call allocate("allocate"), upload("upload");
      allocate(pantile_allocate(context, tensor.storage().size(), &places[i], &allocate));
      upload(pantile_copy_to_device(context, nullptr, places[i], tensor.storage().data(), tensor.storage().size(), &upload));
      tensor.placeAt(places[i], device);
    }
  }
  ~OnDevice() {
    for (void *place : places) pantile_free(context, place);
  }
  OnDevice(const OnDevice &) = delete;
  /// What the device holds goes into the tensors.
  void bringBack() {
    for (size_t i = 0; i < places.size(); ++i) {
      if (!places[i]) continue;
      Call download("download");
      auto &bytes = arguments.tensors[i]->storage();
      download(pantile_copy_to_host(context, nullptr, bytes.data(), places[i], bytes.size(), &download));
    }
    Call finish("finish");
    finish(pantile_synchronize(context, nullptr, &finish));
  }

private:
  pantile_context *context;
  Arguments &arguments;
  std::vector<void *> places;
};

class Runner {
public:
  Runner(pantile_context *context, const Variant &variant, uint64_t seed)
      : context(context), variant(variant), seed(seed), random(seed * 0x9e3779b97f4a7c15u + 1) {}

  void run() {
    auto text = buildLibraryKernel(variant.op, variant.options);
    if (!text) throw Failure{{Outcome::Failed, "library: " + text.status().message()}};
    auto read = readKernelText(*text);
    if (!read) throw Failure{{Outcome::Failed, "text: " + read.status().message()}};
    header = read->header;
    pantile_kernel *handle;
    Call load("load");
    load(pantile_kernel_from_text(context, text->data(), text->size(), &handle, &load));
    KernelHandle kernel(handle, pantile_kernel_release);

    makeArguments();
    Arguments expected = copy(), actual = copy();
    OnDevice device(context, actual);
    if (seed % 2) configure(handle, actual);
    Call interpret("interpret"), launch("launch");
    interpret(pantile_kernel_interpret(handle, expected.pointers.data(), expected.pointers.size(), &interpret));
    launch(pantile_launch(handle, nullptr, actual.pointers.data(), actual.pointers.size(), &launch));
    device.bringBack();
    for (size_t i = 0; i < header.arguments.size(); ++i) compare(i, actual, expected);
  }

  std::string describe() const {
    std::string text = fmt::format("{} {} --seed {}:", variant.op, variant.options.empty() ? "(no options)" : variant.options, seed);
    for (auto &[name, value] : sizes) text += fmt::format(" {}={}", name, value);
    return text + fmt::format(" layout={}{}", int(layout), configuration.empty() ? "" : " configuration=" + configuration);
  }

private:
  void makeArguments() {
    std::vector<std::string> names;
    for (const KernelArgument &argument : header.arguments)
      for (const std::string &name : argument.sizes)
        if (name.find_first_not_of("0123456789") != std::string::npos) names.push_back(name);
    std::set<std::string> unique(names.begin(), names.end());
    // The largest view decides the work; matmul-like kernels multiply all names.
    sizes = drawSizes(variant, {unique.begin(), unique.end()}, 1 << 20, random);
    layout = Layout(random() % 4);
    useSpecials = variant.specials && random() % 4 == 0;
    for (const KernelArgument &argument : header.arguments) {
      auto &tensor = arguments.tensors.emplace_back();
      auto &scalar = arguments.scalars.emplace_back();
      if (!argument.isView()) {
        scalar = makeScalar(argument);
        arguments.pointers.push_back(&scalar->view);
        continue;
      }
      std::vector<int64_t> shape;
      for (int d = 0; d < argument.rank; ++d) shape.push_back(sizeOf(argument, size_t(d)));
      tensor = std::make_unique<Tensor>(argument, shape, layout);
      if (argument.access == Access::Write)
        tensor->poison();
      else
        fill(*tensor);
      arguments.pointers.push_back(tensor->dl());
    }
  }

  int64_t sizeOf(const KernelArgument &argument, size_t d) const {
    if (argument.shape[d] >= 0) return argument.shape[d];
    if (argument.sizes.empty()) return 7;
    const std::string &name = argument.sizes[d];
    return name.find_first_not_of("0123456789") == std::string::npos ? std::stoll(name) : sizes.at(name);
  }

  std::unique_ptr<Scalar> makeScalar(const KernelArgument &argument) {
    auto scalar = std::make_unique<Scalar>();
    auto listed = variant.scalars.find(argument.name);
    double value =
        listed == variant.scalars.end() ? 0.5 + double(random() % 1000) / 1000 : listed->second[random() % listed->second.size()];
    const DTypeInfo &dtype = info(argument.dtype);
    if (argument.dtype == PANTILE_F32)
      scalar->bits.f = float(value);
    else if (dtype.bits == 32)
      scalar->bits.i = int32_t(value);
    else
      scalar->bits.l = int64_t(value);
    scalar->view.data = &scalar->bits;
    scalar->view.device = {kDLCPU, 0};
    scalar->view.dtype = {uint8_t(dtype.dlpackCode), uint8_t(dtype.bits), 1};
    return scalar;
  }

  void fill(Tensor &tensor) {
    const KernelArgument &argument = tensor.argument();
    bool isFloat = info(argument.dtype).kind == DTypeClass::Float;
    auto bound = [&](const std::string &name) {
      return name.find_first_not_of("-0123456789") == std::string::npos ? std::stoll(name) : sizes.at(name);
    };
    int64_t low = argument.rangeLow.empty() ? -128 : bound(argument.rangeLow),
            high = argument.rangeHigh.empty() ? 128 : bound(argument.rangeHigh);
    std::normal_distribution<double> normal;
    static const double kSpecials[] = {INFINITY, -INFINITY, NAN, 0.0, -0.0, 1e-30, 60000.0, -60000.0};
    for (int64_t i = 0, n = tensor.elements(); i < n; ++i) {
      double value = isFloat ? normal(random) : double(low + int64_t(random() % uint64_t(std::max<int64_t>(high - low, 1))));
      if (isFloat && useSpecials && random() % 8 == 0) value = kSpecials[random() % std::size(kSpecials)];
      tensor.set(i, value);
    }
  }

  Arguments copy() const {
    Arguments result;
    for (size_t i = 0; i < arguments.pointers.size(); ++i) {
      auto &tensor = result.tensors.emplace_back();
      result.scalars.emplace_back();
      if (!arguments.tensors[i]) {
        result.pointers.push_back(arguments.pointers[i]);
        continue;
      }
      std::vector<int64_t> shape(arguments.pointers[i]->shape, arguments.pointers[i]->shape + arguments.pointers[i]->ndim);
      tensor = std::make_unique<Tensor>(header.arguments[i], shape, layout);
      tensor->copyFrom(*arguments.tensors[i]);
      result.pointers.push_back(tensor->dl());
    }
    return result;
  }

  void configure(pantile_kernel *kernel, Arguments &call) {
    pantile_string *text;
    Call sample("sample a configuration"), set("set the configuration");
    sample(pantile_kernel_sample_configuration(kernel, call.pointers.data(), call.pointers.size(), seed, &text, &sample));
    configuration.assign(pantile_string_data(text), pantile_string_size(text));
    pantile_string_release(text);
    set(pantile_kernel_set_configuration(kernel, configuration.c_str(), &set));
  }

  void compare(size_t i, const Arguments &actual, const Arguments &expected) const {
    if (!actual.tensors[i]) return;
    const Tensor &a = *actual.tensors[i], &e = *expected.tensors[i], &before = *arguments.tensors[i];
    const KernelArgument &argument = header.arguments[i];
    if (int64_t stray = a.firstStrayWrite(before); stray >= 0)
      throw Failure{{Outcome::Failed, fmt::format("'{}': byte {} outside the view was written", argument.name, stray)}};
    int64_t n = a.elements();
    if (argument.access == Access::Read) {
      for (int64_t k = 0; k < n; ++k)
        if (std::bit_cast<uint64_t>(a.get(k)) != std::bit_cast<uint64_t>(before.get(k)))
          throw Failure{{Outcome::Failed, fmt::format("input '{}' was written at element {}", argument.name, k)}};
      return;
    }
    bool exact = info(argument.dtype).kind != DTypeClass::Float;
    // The sums behind an output: at most the product of the sizes that it does not have. Values are of order 1, so rounding
    // in f32 adds in the square root of the length, on the scale of the largest result; operands that were rounded to the
    // inputs' dtype on the way (attention's probabilities) count like one more rounding.
    int64_t length = 1;
    for (auto &[name, value] : sizes)
      if (std::find(argument.sizes.begin(), argument.sizes.end(), name) == argument.sizes.end()) length *= std::max<int64_t>(value, 1);
    double scale = 0, narrow = unitRoundoff(argument.dtype);
    for (const KernelArgument &other : header.arguments)
      if (other.isView() && info(other.dtype).kind == DTypeClass::Float && other.dtype != PANTILE_F16)
        narrow = std::max(narrow, unitRoundoff(other.dtype));
    for (int64_t k = 0; k < n; ++k)
      if (double v = std::fabs(e.get(k)); std::isfinite(v)) scale = std::max(scale, v);
    for (int64_t k = 0; k < n; ++k) {
      double x = a.get(k), y = e.get(k);
      if (x == y || (std::isnan(x) && std::isnan(y))) continue;
      double tolerance =
          exact ? 0
                : 2 * unitRoundoff(argument.dtype) * std::fabs(y) + 16 * 0x1p-24 * std::sqrt(double(length)) * std::max(scale, 1.0) +
                      (variant.op.rfind("attention", 0) == 0 || variant.op.find("quantized") != std::string::npos ? 2 * narrow * scale : 0);
      if (!(std::fabs(x - y) <= tolerance))
        throw Failure{{Outcome::Failed, fmt::format("'{}' element {} of {}: {} expected, {} found (tolerance {:.3g})", argument.name, k, n,
                                                    y, x, tolerance)}};
    }
  }

  pantile_context *context;
  const Variant &variant;
  uint64_t seed;
  std::mt19937_64 random;
  KernelHeader header;
  Sizes sizes;
  Layout layout = Layout::RowMajor;
  bool useSpecials = false;
  std::string configuration;
  Arguments arguments;
};

} // namespace

Result runCase(pantile_context *context, const Variant &variant, uint64_t seed) {
  Runner runner(context, variant, seed);
  try {
    runner.run();
    return {Outcome::Passed, ""};
  } catch (Failure &failure) {
    failure.result.text = runner.describe() + "\n    " + failure.result.text;
    return failure.result;
  }
}

} // namespace conformance
