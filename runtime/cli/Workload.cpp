//===- runtime/cli/Workload.cpp - arguments for a kernel ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/Library.h"
#include "runtime/Environment.h"
#include "runtime/Paths.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Shape.h"

#include <cmath>
#include <cstring>
#include <fmt/core.h>
#include <random>

namespace pantile::cli {

void Check::operator()(pantile_code code) {
  if (code == PANTILE_OK) return;
  std::string text = error ? pantile_error_text(error) : pantile_code_name(code);
  if (error)
    for (const char *more : {pantile_error_cause(error), pantile_error_fix(error)})
      if (*more) text += std::string("\n  ") + more;
  pantile_error_release(error);
  throw Failure{code == PANTILE_INVALID_ARGUMENT || code == PANTILE_NOT_FOUND ? 2 : 1, text};
}

void fail(const Status &status) {
  throw Failure{status.code() == PANTILE_INVALID_ARGUMENT || status.code() == PANTILE_NOT_FOUND ? 2 : 1, status.message()};
}

std::string take(pantile_string *string) {
  std::string text(pantile_string_data(string), pantile_string_size(string));
  pantile_string_release(string);
  return text;
}

void KernelOptions::add(CLI::App &command, bool needsDevice) {
  command.add_option("kernel", kernel, "an operator of the library (`pantile library`), or a file of tile IR")->required();
  command.add_option("--dtype", dtype, "the operator's dtype: f32, f16, bf16");
  command.add_option("--options", options, "the operator's options, name=value,...");
  command.add_option("--shape", shape, "sizes by name, m=512,n=512,k=512; scalars too");
  command.add_option("--config", configuration, "pin a configuration, \"{bm = 64}\"");
  if (needsDevice) command.add_option("--backend", backend, "backend, or a list by preference; default: PANTILE_BACKEND, else the best");
}

std::string KernelOptions::text() const {
  bool file = kernel.find('/') != std::string::npos || kernel.find('.') != std::string::npos;
  if (file) {
    if (!dtype.empty() || !options.empty())
      throw Failure{2, "--dtype and --options belong to operators of the library, '" + kernel + "' is a file"};
    auto text = readFile(kernel, size_t(16) << 20);
    if (!text) fail(text.status());
    if (auto read = readKernelText(*text); !read) fail(Status(read.status()).in(kernel));
    return *text;
  }
  auto text = buildLibraryKernel(kernel, dtype + (dtype.empty() || options.empty() ? "" : ",") + options);
  if (!text) fail(text.status());
  return *text;
}

Session::Session(const std::string &backend, pantile_tune_mode tune) {
  pantile_context_options options{};
  options.struct_size = sizeof(options);
  options.backend = backend.empty() ? nullptr : backend.c_str();
  options.tune = uint32_t(tune);
  Check check;
  check(pantile_context_create(&options, &context, &check));
}

Session::~Session() { pantile_context_release(context); }

namespace {

double unitRoundoff(DType dtype) {
  switch (dtype) {
  case PANTILE_F16:
    return 0x1p-11;
  case PANTILE_BF16:
    return 0x1p-8;
  case PANTILE_F32:
    return 0x1p-24;
  default:
    return 0;
  }
}

double valueAt(const void *data, DType dtype, size_t i) {
  switch (dtype) {
  case PANTILE_F32:
    return static_cast<const float *>(data)[i];
  case PANTILE_F64:
    return static_cast<const double *>(data)[i];
  case PANTILE_F16:
    return f16ToF32(static_cast<const uint16_t *>(data)[i]);
  case PANTILE_BF16:
    return bf16ToF32(static_cast<const uint16_t *>(data)[i]);
  case PANTILE_I8:
    return static_cast<const int8_t *>(data)[i];
  case PANTILE_I16:
    return static_cast<const int16_t *>(data)[i];
  case PANTILE_I32:
    return static_cast<const int32_t *>(data)[i];
  case PANTILE_I64:
    return double(static_cast<const int64_t *>(data)[i]);
  default:
    return 0;
  }
}

void store(void *data, DType dtype, size_t i, double value) {
  switch (dtype) {
  case PANTILE_F32:
    static_cast<float *>(data)[i] = float(value);
    break;
  case PANTILE_F64:
    static_cast<double *>(data)[i] = value;
    break;
  case PANTILE_F16:
    static_cast<uint16_t *>(data)[i] = f32ToF16(float(value));
    break;
  case PANTILE_BF16:
    static_cast<uint16_t *>(data)[i] = f32ToBF16(float(value));
    break;
  case PANTILE_I8:
    static_cast<int8_t *>(data)[i] = int8_t(value);
    break;
  case PANTILE_I16:
    static_cast<int16_t *>(data)[i] = int16_t(value);
    break;
  case PANTILE_I32:
    static_cast<int32_t *>(data)[i] = int32_t(value);
    break;
  case PANTILE_I64:
    static_cast<int64_t *>(data)[i] = int64_t(value);
    break;
  default:
    break;
  }
}

} // namespace

struct Workload::Argument {
  KernelArgument declared;
  std::vector<int64_t> shape;
  size_t elements = 1, bytes = 0;
  std::vector<uint8_t> host; ///< contents at the start
  void *device = nullptr;
  uint64_t scalar = 0;
  DLTensor view{};
};

Workload::Workload(Session &session, const KernelOptions &options, uint64_t seed) : session(session) {
  std::string text = options.text();
  auto read = readKernelText(text);
  if (!read) fail(read.status());
  Check load, configure;
  load(pantile_kernel_from_text(session.context, text.data(), text.size(), &kernel, &load));
  if (!options.configuration.empty()) configure(pantile_kernel_set_configuration(kernel, options.configuration.c_str(), &configure));
  const Shape shape(options.shape, read->header.arguments);
  std::string missing;
  for (const KernelArgument &argument : read->header.arguments) {
    for (const std::string &name : argument.sizes) {
      if (isLiteral(name) || sizes.count(name)) continue;
      auto size = shape.size(name);
      if (!size) missing += (missing.empty() ? "" : ", ") + name;
      sizes[name] = size.value_or(0);
    }
    if (argument.isView() && argument.sizes.empty() && argument.rank > 0)
      throw Failure{2,
                    fmt::format("'{}' does not name the sizes of '{}': give it the attribute tile.sizes", options.kernel, argument.name)};
  }
  if (!missing.empty()) throw Failure{2, fmt::format("--shape lacks {}", missing)};
  for (const KernelArgument &argument : read->header.arguments) make(argument, shape, seed++);
}

void Workload::make(const KernelArgument &declared, const Shape &shape, uint64_t seed) {
  auto &argument = *arguments.emplace_back(std::make_unique<Argument>());
  argument.declared = declared;
  const DTypeInfo &dtype = info(declared.dtype);
  DLTensor &view = argument.view;
  view.dtype = {uint8_t(dtype.dlpackCode < 0 ? 1 : dtype.dlpackCode), uint8_t(std::max(8u, dtype.bits)), 1};
  pointers.push_back(&view);
  if (!declared.isView()) {
    const double value = shape.scalar(declared.name).value_or(1.0);
    if (dtype.kind == DTypeClass::Float)
      store(&argument.scalar, declared.dtype, 0, value);
    else
      argument.scalar = uint64_t(int64_t(value));
    view.data = &argument.scalar;
    view.device = {kDLCPU, 0};
    return;
  }
  for (int d = 0; d < declared.rank; ++d) {
    const std::string &name = declared.sizes[size_t(d)];
    argument.shape.push_back(isLiteral(name) ? std::stoll(name) : sizes.at(name));
    if (__builtin_mul_overflow(argument.elements, size_t(argument.shape.back()), &argument.elements)) argument.elements = SIZE_MAX;
  }
  if (argument.elements > size_t(1) << 55)
    throw Failure{2, fmt::format("--shape: the sizes of '{}' overflow: it would have 2^55 elements or more", declared.name)};
  argument.bytes = argument.elements * std::max(8u, dtype.bits) / 8;
  totalBytes += argument.bytes;
  Check allocate, upload;
  allocate(pantile_allocate(session.context, argument.bytes, &argument.device, &allocate));
  try {
    argument.host.resize(argument.bytes);
  } catch (const std::exception &) {
    throw Failure{1, fmt::format("this machine has no memory for the {} bytes of '{}'", argument.bytes, declared.name)};
  }
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  auto bound = [&](const std::string &name, int64_t fallback) {
    return name.empty() ? fallback : isLiteral(name) ? std::stoll(name) : sizes.count(name) ? sizes.at(name) : fallback;
  };
  int64_t low = bound(declared.rangeLow, -64), high = std::max<int64_t>(low + 1, bound(declared.rangeHigh, 64));
  if (declared.access == Access::Write)
    std::memset(argument.host.data(), 0xff, argument.bytes);
  else
    for (size_t i = 0; i < argument.elements; ++i)
      store(argument.host.data(), declared.dtype, i,
            dtype.kind == DTypeClass::Float ? normal(random) : double(low + int64_t(random() % uint64_t(high - low))));
  upload(pantile_copy_to_device(session.context, nullptr, argument.device, argument.host.data(), argument.bytes, &upload));
  synchronize();
  view.data = argument.device;
  view.device = pantile_context_device(session.context);
  view.ndim = declared.rank;
  view.shape = argument.shape.data();
}

Workload::~Workload() {
  for (auto &argument : arguments) pantile_free(session.context, argument->device);
  pantile_kernel_release(kernel);
}

void Workload::launch() {
  Check check;
  check(pantile_launch(kernel, nullptr, pointers.data(), pointers.size(), &check));
}

void Workload::synchronize() {
  Check check;
  check(pantile_synchronize(session.context, nullptr, &check));
}

Workload::Difference Workload::compareWithInterpreter() {
  std::vector<std::vector<uint8_t>> expected;
  std::vector<DLTensor> views;
  for (auto &argument : arguments) {
    expected.push_back(argument->host);
    views.push_back(argument->view);
    if (argument->declared.isView()) {
      views.back().data = expected.back().data();
      views.back().device = {kDLCPU, 0};
    }
  }
  std::vector<DLTensor *> list;
  for (DLTensor &view : views) list.push_back(&view);
  Check interpret;
  interpret(pantile_kernel_interpret(kernel, list.data(), list.size(), &interpret));
  Difference worst;
  for (size_t a = 0; a < arguments.size(); ++a) {
    Argument &argument = *arguments[a];
    if (!argument.declared.isView() || argument.declared.access == Access::Read) continue;
    std::vector<uint8_t> found(argument.bytes);
    Check download;
    download(pantile_copy_to_host(session.context, nullptr, found.data(), argument.device, argument.bytes, &download));
    synchronize();
    DType dtype = argument.declared.dtype;
    double scale = 0, difference = 0;
    for (size_t i = 0; i < argument.elements; ++i) {
      double e = valueAt(expected[a].data(), dtype, i), f = valueAt(found.data(), dtype, i);
      if (std::isfinite(e)) scale = std::max(scale, std::fabs(e));
      if (e == f || (std::isnan(e) && std::isnan(f))) continue;
      difference = std::max(difference, std::isfinite(e - f) ? std::fabs(e - f) : INFINITY);
    }
    double relative = difference / std::max(scale, 1e-30);
    // Sums of any length round in f32; their error grows with the square root of the longest.
    int64_t longest = 1;
    for (auto &[name, size] : sizes) longest = std::max(longest, size);
    double allowed = unitRoundoff(dtype) == 0 ? 0 : 4 * unitRoundoff(dtype) + 16 * 0x1p-24 * std::sqrt(double(longest));
    if (worst.argument.empty() || relative - allowed > worst.relative - worst.allowed) worst = {relative, allowed, argument.declared.name};
  }
  return worst;
}

} // namespace pantile::cli
