//===- pantile/pantile.hpp - C++17 over pantile.h -------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. Header only; needs <dlpack/dlpack.h>.
//
//   pantile::Context context;                                   // PANTILE_BACKEND, else the best device
//   pantile::Kernel add(context, "add", "f32");
//   pantile::Buffer x(context, pantile::f32, {1000}), y(context, pantile::f32, {1000}), out(context, pantile::f32, {1000});
//   x.upload(host.data());
//   add(x, y, out);                                             // scalars are plain numbers: rms_norm(x, w, y, 1e-5f)
//   out.download(host.data());
//
// Failed calls throw pantile::Error. Handles own what they name and move. Threads: as pantile.h says of each function.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_PANTILE_HPP
#define PANTILE_PANTILE_HPP

#include "pantile.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pantile {
inline namespace api {

/// A failed call: what() is one line, then the cause and the fix where there are any.
class Error : public std::runtime_error {
public:
  /// Takes the error over.
  explicit Error(pantile_error *error) : std::runtime_error(message(error)), code_(error ? pantile_error_code(error) : PANTILE_INTERNAL) {
    pantile_error_release(error);
  }
  pantile_code code() const noexcept { return code_; }

private:
  static std::string message(pantile_error *error) {
    if (!error) return "unknown error";
    std::string text = pantile_error_text(error);
    for (const char *more : {pantile_error_cause(error), pantile_error_fix(error)})
      if (*more) text += std::string("\n  ") + more;
    return text;
  }
  pantile_code code_;
};

namespace detail {

/// check(pantile_...(..., check)): throws where the call failed.
class Check {
public:
  operator pantile_error **() { return &error; }
  void operator()(pantile_code code) {
    if (code != PANTILE_OK) throw Error(std::exchange(error, nullptr));
  }

private:
  pantile_error *error = nullptr;
};

template <typename Handle, void (*Release)(Handle *)> struct Releaser {
  void operator()(Handle *handle) const { Release(handle); }
};
template <typename Handle, void (*Release)(Handle *)> using Owned = std::unique_ptr<Handle, Releaser<Handle, Release>>;

inline std::string take(pantile_string *string) {
  std::string text(pantile_string_data(string), pantile_string_size(string));
  pantile_string_release(string);
  return text;
}

} // namespace detail

inline constexpr DLDataType f64{kDLFloat, 64, 1}, f32{kDLFloat, 32, 1}, f16{kDLFloat, 16, 1}, bf16{kDLBfloat, 16, 1};
inline constexpr DLDataType i8{kDLInt, 8, 1}, i16{kDLInt, 16, 1}, i32{kDLInt, 32, 1}, i64{kDLInt, 64, 1}, u8{kDLUInt, 8, 1};

class Context {
public:
  /// The environment decides.
  Context() : Context(nullptr) {}
  explicit Context(const char *backend) : Context(withBackend(backend)) {}
  explicit Context(const pantile_context_options &options) {
    detail::Check check;
    pantile_context *made;
    check(pantile_context_create(&options, &made, check));
    handle.reset(made);
  }
  pantile_context *get() const { return handle.get(); }
  std::string backend() const { return pantile_context_backend(get()); }
  DLDevice device() const { return pantile_context_device(get()); }
  void setThreads(unsigned threads) {
    detail::Check check;
    check(pantile_context_set_threads(get(), threads, check));
  }
  void synchronize(pantile_stream *stream = nullptr) const {
    detail::Check check;
    check(pantile_synchronize(get(), stream, check));
  }

private:
  static pantile_context_options withBackend(const char *backend) {
    pantile_context_options options{};
    options.struct_size = sizeof(options);
    options.backend = backend;
    return options;
  }
  detail::Owned<pantile_context, pantile_context_release> handle;
};

class Stream {
public:
  explicit Stream(const Context &context) {
    detail::Check check;
    pantile_stream *made;
    check(pantile_stream_create(context.get(), &made, check));
    handle.reset(made);
  }
  /// Wraps the driver's own stream, which stays the application's.
  Stream(const Context &context, void *native) {
    detail::Check check;
    pantile_stream *made;
    check(pantile_stream_wrap(context.get(), native, &made, check));
    handle.reset(made);
  }
  pantile_stream *get() const { return handle.get(); }

private:
  detail::Owned<pantile_stream, pantile_stream_release> handle;
};

class Event {
public:
  explicit Event(const Context &context) {
    detail::Check check;
    pantile_event *made;
    check(pantile_event_create(context.get(), &made, check));
    handle.reset(made);
  }
  void record(const Stream &stream) {
    detail::Check check;
    check(pantile_event_record(handle.get(), stream.get(), check));
  }
  void synchronize() {
    detail::Check check;
    check(pantile_event_synchronize(handle.get(), check));
  }
  /// Both recorded and passed.
  double microsecondsSince(const Event &start) const {
    detail::Check check;
    uint64_t nanoseconds;
    check(pantile_event_elapsed(start.handle.get(), handle.get(), &nanoseconds, check));
    return double(nanoseconds) / 1e3;
  }

private:
  detail::Owned<pantile_event, pantile_event_release> handle;
};

/// A tensor argument: a window on memory that somebody else owns. Strides in elements; empty: row-major.
class View {
public:
  View(void *data, DLDevice device, DLDataType dtype, std::vector<int64_t> shape, std::vector<int64_t> strides = {})
      : shape_(std::move(shape)), strides_(std::move(strides)) {
    tensor.data = data;
    tensor.device = device;
    tensor.dtype = dtype;
  }
  const std::vector<int64_t> &shape() const { return shape_; }
  int64_t elements() const {
    int64_t product = 1;
    for (int64_t extent : shape_) product *= extent;
    return product;
  }
  /// Lives as long as this view.
  DLTensor *dl() const {
    tensor.ndim = int32_t(shape_.size());
    tensor.shape = const_cast<int64_t *>(shape_.data());
    tensor.strides = strides_.empty() ? nullptr : const_cast<int64_t *>(strides_.data());
    return &tensor;
  }

protected:
  mutable DLTensor tensor{};
  std::vector<int64_t> shape_, strides_;
};

/// A row-major tensor in memory of its own on the context's device. The context must outlive it.
class Buffer : public View {
public:
  Buffer(const Context &context, DLDataType dtype, std::vector<int64_t> shape)
      : View(nullptr, context.device(), dtype, std::move(shape)), context(context.get()) {
    detail::Check check;
    void *pointer;
    check(pantile_allocate(this->context, bytes(), &pointer, check));
    memory = {pointer, [owner = this->context](void *released) { pantile_free(owner, released); }};
    tensor.data = pointer;
  }
  size_t bytes() const { return (size_t(elements()) * tensor.dtype.bits + 7) / 8; }
  /// Whole buffers, waited for.
  void upload(const void *host) {
    detail::Check copy, wait;
    copy(pantile_copy_to_device(context, nullptr, memory.get(), host, bytes(), copy));
    wait(pantile_synchronize(context, nullptr, wait));
  }
  void download(void *host) const {
    detail::Check copy, wait;
    copy(pantile_copy_to_host(context, nullptr, host, memory.get(), bytes(), copy));
    wait(pantile_synchronize(context, nullptr, wait));
  }

private:
  pantile_context *context;
  std::shared_ptr<void> memory;
};

namespace detail {

/// A number as a 0-dimensional tensor on the host.
template <typename T> class Number {
public:
  explicit Number(T value) : value(value) {
    tensor.data = &this->value;
    tensor.device = {kDLCPU, 0};
    tensor.dtype = {uint8_t(std::is_floating_point_v<T> ? kDLFloat : std::is_unsigned_v<T> ? kDLUInt : kDLInt), uint8_t(sizeof(T) * 8), 1};
  }
  Number(const Number &) = delete;
  DLTensor *dl() { return &tensor; }

private:
  T value;
  DLTensor tensor{};
};

inline DLTensor *dlOf(const View &view) { return view.dl(); }
template <typename T> DLTensor *dlOf(Number<T> &number) { return number.dl(); }
template <typename T> decltype(auto) argument(const T &value) {
  if constexpr (std::is_arithmetic_v<T>)
    return Number<T>(value);
  else
    return static_cast<const View &>(value);
}

} // namespace detail

class Kernel {
public:
  /// An operator of the library.
  Kernel(const Context &context, const char *name, const char *options = nullptr) {
    detail::Check check;
    pantile_kernel *made;
    check(pantile_kernel_from_library(context.get(), name, options, &made, check));
    handle.reset(made);
  }
  static Kernel fromText(const Context &context, const std::string &text) {
    detail::Check check;
    pantile_kernel *made;
    check(pantile_kernel_from_text(context.get(), text.data(), text.size(), &made, check));
    return Kernel(made);
  }
  static Kernel fromFile(const Context &context, const std::string &path) {
    detail::Check check;
    pantile_kernel *made;
    check(pantile_kernel_from_file(context.get(), path.c_str(), &made, check));
    return Kernel(made);
  }

  /// Launches on the default stream; views and numbers in the kernel's order.
  template <typename... Arguments> void operator()(const Arguments &...arguments) const { launch(nullptr, arguments...); }
  template <typename... Arguments> void operator()(const Stream &stream, const Arguments &...arguments) const {
    launch(stream.get(), arguments...);
  }
  /// Searches for a configuration of these arguments; the answer is JSON.
  template <typename... Arguments> std::string tune(const pantile_tune_options &options, const Arguments &...arguments) const {
    return with(
        [&](DLTensor **list, size_t count) {
          detail::Check check;
          pantile_string *result;
          check(pantile_tune(handle.get(), list, count, &options, &result, check));
          return detail::take(result);
        },
        detail::argument(arguments)...);
  }
  void setConfiguration(const char *configuration) {
    detail::Check check;
    check(pantile_kernel_set_configuration(handle.get(), configuration, check));
  }
  pantile_kernel *get() const { return handle.get(); }

private:
  explicit Kernel(pantile_kernel *made) : handle(made) {}
  template <typename Function, typename... Views> static auto with(Function function, Views &&...views) {
    std::array<DLTensor *, sizeof...(Views)> list{detail::dlOf(views)...};
    return function(list.data(), list.size());
  }
  template <typename... Arguments> void launch(pantile_stream *stream, const Arguments &...arguments) const {
    with(
        [&](DLTensor **list, size_t count) {
          detail::Check check;
          check(pantile_launch(handle.get(), stream, list, count, check));
          return 0;
        },
        detail::argument(arguments)...);
  }
  detail::Owned<pantile_kernel, pantile_kernel_release> handle;
};

} // namespace api
} // namespace pantile

#endif // PANTILE_PANTILE_HPP
