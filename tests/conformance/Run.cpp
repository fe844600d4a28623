//===- tests/conformance/Run.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// 1. Text of the operator from the library; tensors of the case's sizes, layout and contents (seeded, of a size that keeps
//    results away from overflow), outputs poisoned.
// 2. A copy of all arguments goes to the interpreter, another through the device's own memory.
// 3. Outputs agree within the tolerance of their dtype and of the length of the sums behind them; nothing else changed.
//
//===----------------------------------------------------------------------===//

#include "tests/conformance/Run.h"

#include "ir/build/Library.h"
#include "tests/conformance/Tensors.h"

#include <algorithm>
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

/// Arguments in the device's memory, as long as this lives.
class OnDevice {
public:
  OnDevice(pantile_context *context, Arguments &host) : context(context), host(host) {
    for (size_t i = 0; i < host.pointers.size(); ++i) {
      DLTensor view = *host.pointers[i];
      memory.push_back(nullptr);
      if (host.tensors[i]) {
        auto &bytes = host.tensors[i]->storage();
        Call allocate("allocate"), upload("copy to the device");
        allocate(pantile_allocate(context, bytes.size(), &memory.back(), &allocate));
        upload(pantile_copy_to_device(context, nullptr, memory.back(), bytes.data(), bytes.size(), &upload));
        view.data = memory.back();
        view.device = pantile_context_device(context);
      }
      views.push_back(view);
    }
    for (DLTensor &view : views) pointers.push_back(&view);
  }
  ~OnDevice() {
    pantile_synchronize(context, nullptr, nullptr);
    for (void *pointer : memory) pantile_free(context, pointer);
  }
  OnDevice(const OnDevice &) = delete;

  void fetch() {
    for (size_t i = 0; i < memory.size(); ++i) {
      if (!memory[i]) continue;
      auto &bytes = host.tensors[i]->storage();
      Call download("copy from the device");
      download(pantile_copy_to_host(context, nullptr, bytes.data(), memory[i], bytes.size(), &download));
    }
    Call finish("finish");
    finish(pantile_synchronize(context, nullptr, &finish));
  }
  std::vector<DLTensor *> pointers;

private:
  pantile_context *context;
  Arguments &host;
  std::vector<void *> memory;
  std::vector<DLTensor> views;
};

class Runner {
public:
  Runner(pantile_context *context, Case &one)
      : context(context), one(one), variant(*one.variant), random(one.seed * 0x9e3779b97f4a7c15u + 1) {}

  void run(const ChooseConfiguration &choose) {
    const bool both = !one.dtype.empty() && !variant.options.empty();
    auto text = buildLibraryKernel(variant.op, one.dtype + (both ? "," : "") + variant.options);
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
    if (choose) one.configuration = choose(samples(handle, device));
    if (!one.configuration.empty()) {
      Call set("set the configuration");
      set(pantile_kernel_set_configuration(handle, one.configuration.c_str(), &set));
    }
    Call interpret("interpret"), launch("launch");
    interpret(pantile_kernel_interpret(handle, expected.pointers.data(), expected.pointers.size(), &interpret));
    launch(pantile_launch(handle, nullptr, device.pointers.data(), device.pointers.size(), &launch));
    device.fetch();
    for (size_t i = 0; i < header.arguments.size(); ++i) compare(i, actual, expected);
  }

private:
  void makeArguments() {
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
      tensor = std::make_unique<Tensor>(argument, shape, one.layout);
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
    return name.find_first_not_of("0123456789") == std::string::npos ? std::stoll(name) : one.sizes.at(name);
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
      return name.find_first_not_of("-0123456789") == std::string::npos ? std::stoll(name) : one.sizes.at(name);
    };
    int64_t low = argument.rangeLow.empty() ? -128 : bound(argument.rangeLow),
            high = argument.rangeHigh.empty() ? 128 : bound(argument.rangeHigh);
    std::normal_distribution<double> normal;
    static const double kSpecials[] = {INFINITY, -INFINITY, NAN, 0.0, -0.0, 1e-30, 60000.0, -60000.0};
    for (int64_t i = 0, n = tensor.elements(); i < n; ++i) {
      double value = isFloat ? (one.contents == Contents::Equal ? 0.75 : normal(random))
                             : double(low + int64_t(random() % uint64_t(std::max<int64_t>(high - low, 1))));
      if (isFloat && one.contents == Contents::Specials && random() % 8 == 0) value = kSpecials[random() % std::size(kSpecials)];
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
      tensor = std::make_unique<Tensor>(header.arguments[i], shape, one.layout);
      tensor->copyFrom(*arguments.tensors[i]);
      result.pointers.push_back(tensor->dl());
    }
    return result;
  }

  /// Some legal configurations for the arguments, without repetition.
  std::vector<std::string> samples(pantile_kernel *kernel, OnDevice &device) {
    std::set<std::string> drawn;
    for (int i = 0; i < 12; ++i) {
      pantile_string *text;
      Call sample("sample a configuration");
      sample(pantile_kernel_sample_configuration(kernel, device.pointers.data(), device.pointers.size(), one.seed * 16 + uint64_t(i) + 1,
                                                 &text, &sample));
      drawn.emplace(pantile_string_data(text), pantile_string_size(text));
      pantile_string_release(text);
    }
    return {drawn.begin(), drawn.end()};
  }

  void compare(size_t i, const Arguments &actual, const Arguments &expected) const {
    if (!actual.tensors[i]) return;
    const Tensor &a = *actual.tensors[i], &e = *expected.tensors[i], &before = *arguments.tensors[i];
    const KernelArgument &argument = header.arguments[i];
    if (int64_t stray = a.firstStrayWrite(before); stray >= 0)
      throw Failure{{Outcome::Failed, fmt::format("'{}': byte {} outside the view was written", argument.name, stray)}};
    int64_t n = a.elements();
    if (argument.access == Access::Read) {
      if (a.storage() != before.storage()) throw Failure{{Outcome::Failed, fmt::format("input '{}' was written", argument.name)}};
      return;
    }
    bool exact = info(argument.dtype).kind != DTypeClass::Float;
    // The sums behind an output: at most the product of the sizes that it does not have. Values are of order 1, so rounding
    // in f32 adds in the square root of the length, on the scale of the largest result; operands that were rounded to the
    // inputs' dtype on the way (attention's probabilities) count like one more rounding.
    int64_t length = 1;
    for (auto &[name, value] : one.sizes)
      if (std::find(argument.sizes.begin(), argument.sizes.end(), name) == argument.sizes.end()) length *= std::max<int64_t>(value, 1);
    // An angle that grows with the row, computed in f32, is off by its own rounding.
    double angle = 0;
    if (variant.options.find("tables=0") != std::string::npos) angle = 4 * 0x1p-24 * double(one.sizes.at("S"));
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
                      angle * scale +
                      (variant.op.rfind("attention", 0) == 0 || variant.op.find("quantized") != std::string::npos ? 2 * narrow * scale : 0);
      if (!(std::fabs(x - y) <= tolerance))
        throw Failure{{Outcome::Failed, fmt::format("'{}' element {} of {}: {} expected, {} found (tolerance {:.3g})", argument.name, k, n,
                                                    y, x, tolerance)}};
    }
  }

  pantile_context *context;
  Case &one;
  const Variant &variant;
  std::mt19937_64 random;
  KernelHeader header;
  Arguments arguments;
};

} // namespace

Result runCase(pantile_context *context, Case &one, const ChooseConfiguration &choose) {
  try {
    Runner(context, one).run(choose);
    return {Outcome::Passed, ""};
  } catch (Failure &failure) { return std::move(failure.result); }
}

} // namespace conformance
