//===- core/tests/CppHeaderTest.cpp - pantile.hpp over a stand-in library --===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Built as C++17, as an application would. The functions of pantile.h are defined here: they count what lives, keep what
// they were given, and fail when told to.
//
//===----------------------------------------------------------------------===//

#include <pantile/pantile.hpp>

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

struct pantile_error {
  pantile_code code;
  std::string text, cause, fix;
};
struct pantile_string {
  std::string text;
};
struct pantile_context {
  std::string backend;
};
struct pantile_kernel {
  pantile_context *context;
  std::string name, configuration;
};
struct pantile_stream {
  pantile_context *context;
};
struct pantile_event {
  pantile_context *context;
};

namespace {

struct Library {
  int contexts = 0, children = 0, strings = 0, errors = 0;
  bool orphaned = false; ///< a child was released after its context
  bool fail = false, failWithoutError = false;
  std::vector<DLTensor> launched;
  std::vector<std::vector<int64_t>> shapes, strides;
  std::vector<uint64_t> scalars;
  pantile_stream *stream = nullptr;
} library;

pantile_code result(pantile_error **error) {
  if (library.failWithoutError) return PANTILE_INTERNAL;
  if (!library.fail) return PANTILE_OK;
  if (error)
    *error = (++library.errors, new pantile_error{PANTILE_NOT_FOUND, "no kernel 'x'", "the library has no such file", "write 'matmul'"});
  return PANTILE_NOT_FOUND;
}

template <typename Handle> Handle *child(Handle *handle) {
  ++library.children;
  return handle;
}
template <typename Handle> void releaseChild(Handle *handle) {
  if (!handle) return;
  if (library.contexts == 0) library.orphaned = true;
  --library.children;
  delete handle;
}
pantile_string *stringOf(std::string text) {
  ++library.strings;
  return new pantile_string{std::move(text)};
}

} // namespace

extern "C" {
pantile_code pantile_error_code(const pantile_error *error) { return error->code; }
const char *pantile_error_text(const pantile_error *error) { return error->text.c_str(); }
const char *pantile_error_cause(const pantile_error *error) { return error->cause.c_str(); }
const char *pantile_error_fix(const pantile_error *error) { return error->fix.c_str(); }
void pantile_error_release(pantile_error *error) {
  if (error) --library.errors;
  delete error;
}
const char *pantile_string_data(const pantile_string *string) { return string->text.data(); }
size_t pantile_string_size(const pantile_string *string) { return string->text.size(); }
void pantile_string_release(pantile_string *string) {
  if (string) --library.strings;
  delete string;
}
pantile_code pantile_context_create(const pantile_context_options *options, pantile_context **context, pantile_error **error) {
  if (pantile_code code = result(error)) return code;
  ++library.contexts;
  *context = new pantile_context{options && options->backend ? options->backend : "default"};
  return PANTILE_OK;
}
void pantile_context_release(pantile_context *context) {
  if (!context) return;
  --library.contexts;
  delete context;
}
const char *pantile_context_backend(const pantile_context *context) { return context->backend.c_str(); }
DLDevice pantile_context_device(const pantile_context *) { return {kDLCPU, 0}; }
pantile_code pantile_allocate(pantile_context *, size_t bytes, void **pointer, pantile_error **error) {
  if (pantile_code code = result(error)) return code;
  *pointer = bytes ? child(static_cast<char *>(std::malloc(bytes))) : nullptr;
  return PANTILE_OK;
}
void pantile_free(pantile_context *, void *pointer) {
  if (library.contexts == 0) library.orphaned = true;
  --library.children;
  std::free(pointer);
}
pantile_code pantile_copy_to_device(pantile_context *, pantile_stream *, void *to, const void *from, size_t bytes, pantile_error **error) {
  std::memcpy(to, from, bytes);
  return result(error);
}
pantile_code pantile_copy_to_host(pantile_context *, pantile_stream *, void *to, const void *from, size_t bytes, pantile_error **error) {
  std::memcpy(to, from, bytes);
  return result(error);
}
pantile_code pantile_stream_create(pantile_context *context, pantile_stream **stream, pantile_error **error) {
  *stream = child(new pantile_stream{context});
  return result(error);
}
void pantile_stream_release(pantile_stream *stream) { releaseChild(stream); }
pantile_code pantile_synchronize(pantile_context *, pantile_stream *stream, pantile_error **error) {
  library.stream = stream;
  return result(error);
}
pantile_code pantile_event_create(pantile_context *context, pantile_event **event, pantile_error **error) {
  *event = child(new pantile_event{context});
  return result(error);
}
void pantile_event_release(pantile_event *event) { releaseChild(event); }
pantile_code pantile_event_record(pantile_event *, pantile_stream *, pantile_error **error) { return result(error); }
pantile_code pantile_event_synchronize(pantile_event *, pantile_error **error) { return result(error); }
pantile_code pantile_event_elapsed(pantile_event *, pantile_event *, uint64_t *nanoseconds, pantile_error **error) {
  *nanoseconds = 1234;
  return result(error);
}
pantile_code pantile_kernel_from_library(pantile_context *context, const char *name, const char *options, pantile_kernel **kernel,
                                         pantile_error **error) {
  if (pantile_code code = result(error)) return code;
  *kernel = child(new pantile_kernel{context, name + std::string(options ? options : "<none>"), ""});
  return PANTILE_OK;
}
pantile_code pantile_kernel_from_text(pantile_context *context, const char *text, size_t size, pantile_kernel **kernel,
                                      pantile_error **error) {
  *kernel = child(new pantile_kernel{context, std::string(text, size), ""});
  return result(error);
}
void pantile_kernel_release(pantile_kernel *kernel) { releaseChild(kernel); }
pantile_code pantile_launch(pantile_kernel *, pantile_stream *stream, DLTensor *const *arguments, size_t count, pantile_error **error) {
  library.stream = stream;
  library.launched.clear(), library.shapes.clear(), library.strides.clear(), library.scalars.clear();
  for (size_t i = 0; i < count; ++i) {
    const DLTensor &tensor = *arguments[i];
    library.launched.push_back(tensor);
    library.shapes.emplace_back(tensor.shape, tensor.shape + tensor.ndim);
    library.strides.emplace_back(tensor.strides, tensor.strides ? tensor.strides + tensor.ndim : nullptr);
    uint64_t bits = 0;
    if (tensor.ndim == 0) std::memcpy(&bits, tensor.data, tensor.dtype.bits / 8);
    library.scalars.push_back(bits);
  }
  return result(error);
}
pantile_code pantile_kernel_set_configuration(pantile_kernel *kernel, const char *configuration, pantile_error **error) {
  kernel->configuration = configuration ? configuration : "<none>";
  return result(error);
}
pantile_code pantile_tune(pantile_kernel *, DLTensor *const *, size_t, const pantile_tune_options *options, pantile_string **text,
                          pantile_error **error) {
  pantile_tune_progress progress{};
  for (progress.tried = 1; progress.tried < 10; ++progress.tried)
    if (options->progress && options->progress(options->user, &progress)) {
      *error = (++library.errors, new pantile_error{PANTILE_CANCELLED, "cancelled", "", ""});
      return PANTILE_CANCELLED;
    }
  *text = stringOf("tuned");
  return PANTILE_OK;
}
} // extern "C"

namespace {

class CppHeader : public testing::Test {
protected:
  void SetUp() override { library = {}; }
  void TearDown() override {
    EXPECT_EQ(library.contexts, 0);
    EXPECT_EQ(library.children, 0);
    EXPECT_EQ(library.strings, 0);
    EXPECT_EQ(library.errors, 0);
    EXPECT_FALSE(library.orphaned) << "something was released after its context";
  }
};

TEST_F(CppHeader, HandlesMoveAndRelease) {
  pantile::Context context("cpu");
  EXPECT_EQ(context.backend(), "cpu");
  EXPECT_EQ(pantile::Context().backend(), "default");
  pantile::Stream stream(context), other(context);
  EXPECT_EQ(library.children, 2);
  stream = std::move(other);
  EXPECT_EQ(library.children, 1);
  pantile::Kernel kernel(context, "matmul", "bf16"), text = pantile::Kernel::fromText(context, "softmax");
  EXPECT_EQ(kernel.get()->name, "matmulbf16");
  EXPECT_EQ(text.get()->name, "softmax");
  EXPECT_EQ(pantile::Kernel(context, "add").get()->name, "add<none>");
  kernel = std::move(text);
  EXPECT_EQ(library.children, 2);
  context.synchronize(stream.get());
  EXPECT_EQ(library.stream, stream.get());
  pantile::Event start(context), stop(context);
  stop.record(stream);
  stop.synchronize();
  EXPECT_EQ(stop.microsecondsSince(start), 1.234);
}

TEST_F(CppHeader, ErrorsAreExceptionsWithAllTheirParts) {
  pantile::Context context;
  library.fail = true;
  try {
    pantile::Kernel kernel(context, "x");
    FAIL() << "no exception";
  } catch (const pantile::Error &error) {
    EXPECT_EQ(error.code(), PANTILE_NOT_FOUND);
    EXPECT_STREQ(error.what(), "no kernel 'x'\n  the library has no such file\n  write 'matmul'");
  }
  EXPECT_THROW(pantile::Buffer(context, pantile::f32, {2}), std::runtime_error);
  EXPECT_THROW(pantile::Context{}, pantile::Error);
  library.fail = false, library.failWithoutError = true;
  EXPECT_THROW(context.synchronize(), pantile::Error);
}

TEST_F(CppHeader, ArgumentsBecomeTensors) {
  pantile::Context context;
  pantile::Kernel kernel(context, "k");
  pantile::Buffer buffer(context, pantile::bf16, {4, 8});
  pantile::View turned(buffer.dl()->data, context.device(), pantile::bf16, {8, 4}, {1, 8});
  pantile::Stream stream(context);
  kernel(stream, buffer, turned, 2.5f, int64_t(-3), true);
  EXPECT_EQ(library.stream, stream.get());
  ASSERT_EQ(library.launched.size(), 5u);
  EXPECT_EQ(library.launched[0].data, buffer.dl()->data);
  EXPECT_EQ(library.launched[0].dtype.code, kDLBfloat);
  EXPECT_EQ(library.shapes[0], (std::vector<int64_t>{4, 8}));
  EXPECT_EQ(library.launched[0].strides, nullptr);
  EXPECT_EQ(library.strides[1], (std::vector<int64_t>{1, 8}));
  float f = 2.5f;
  uint64_t bits = 0;
  std::memcpy(&bits, &f, 4);
  EXPECT_EQ(library.scalars[2], bits);
  EXPECT_EQ(library.launched[2].dtype.code, kDLFloat);
  EXPECT_EQ(library.launched[2].device.device_type, kDLCPU);
  EXPECT_EQ(int64_t(library.scalars[3]), -3);
  EXPECT_EQ(library.launched[3].dtype.bits, 64);
  EXPECT_EQ(library.launched[4].dtype.code, kDLUInt);
  kernel(buffer);
  EXPECT_EQ(library.stream, nullptr);
  kernel.setConfiguration("{bm = 64}");
  EXPECT_EQ(kernel.get()->configuration, "{bm = 64}");
}

TEST_F(CppHeader, BuffersHoldTheirElements) {
  pantile::Context context;
  pantile::Buffer a(context, pantile::f32, {2, 2}), b(context, pantile::f32, {});
  EXPECT_EQ(b.bytes(), 4u);
  EXPECT_EQ(pantile::Buffer(context, {kDLInt, 4, 1}, {3}).bytes(), 2u); // half a byte counts
  std::array<float, 4> host{1, 2, 3, 4}, back{};
  a.upload(host.data());
  b = std::move(a);
  EXPECT_EQ(library.children, 1);
  b.download(back.data());
  EXPECT_EQ(host, back);
}

TEST_F(CppHeader, TuningReportsAndCancels) {
  pantile::Context context;
  pantile::Kernel kernel(context, "k");
  pantile_tune_options options{};
  EXPECT_EQ(kernel.tune(options, 1), "tuned");
  uint32_t seen = 0;
  options.user = &seen;
  options.progress = [](void *user, const pantile_tune_progress *progress) {
    return int((*static_cast<uint32_t *>(user) = progress->tried) == 3);
  };
  try {
    kernel.tune(options);
    FAIL() << "no exception";
  } catch (const pantile::Error &error) { EXPECT_EQ(error.code(), PANTILE_CANCELLED); }
  EXPECT_EQ(seen, 3u);
}

} // namespace
