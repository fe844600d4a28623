//===- runtime/capi/Errors.cpp - errors, strings, version -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/capi/Handles.h"

#include <fmt/format.h>

using namespace pantile;

namespace pantile::capi {

pantile_code fail(Status status, pantile_error **error) noexcept {
  const pantile_code code = status.code();
  if (error) *error = new (std::nothrow) pantile_error{std::move(status)};
  return code;
}

pantile_code outOfMemory(pantile_error **error) noexcept {
  if (error) *error = nullptr; // there is no memory to say so
  try {
    if (error) return fail({PANTILE_OUT_OF_MEMORY, "the host is out of memory"}, error);
  } catch (...) {}
  return PANTILE_OUT_OF_MEMORY;
}

pantile_code failInternally(const char *text, pantile_error **error) noexcept {
  try {
    return fail({PANTILE_INTERNAL, text}, error);
  } catch (...) { return outOfMemory(error); }
}

Status missing(const char *what) { return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{} is NULL", what)); }

} // namespace pantile::capi

#define PANTILE_TEXT2(x) #x
#define PANTILE_TEXT(x) PANTILE_TEXT2(x)

extern "C" {

const char *pantile_version(void) {
  return PANTILE_TEXT(PANTILE_VERSION_MAJOR) "." PANTILE_TEXT(PANTILE_VERSION_MINOR) "." PANTILE_TEXT(PANTILE_VERSION_PATCH);
}

// A NULL error is one that found no memory.
pantile_code pantile_error_code(const pantile_error *error) { return error ? error->status.code() : PANTILE_OUT_OF_MEMORY; }
const char *pantile_error_text(const pantile_error *error) { return error ? error->status.text().c_str() : "the host is out of memory"; }
const char *pantile_error_cause(const pantile_error *error) { return error ? error->status.cause().c_str() : ""; }
const char *pantile_error_fix(const pantile_error *error) { return error ? error->status.fix().c_str() : ""; }
void pantile_error_release(pantile_error *error) { delete error; }

const char *pantile_code_name(pantile_code code) {
  switch (code) {
  case PANTILE_OK:
    return "ok";
  case PANTILE_INVALID_ARGUMENT:
    return "invalid argument";
  case PANTILE_NOT_FOUND:
    return "not found";
  case PANTILE_UNSUPPORTED:
    return "unsupported";
  case PANTILE_UNAVAILABLE:
    return "unavailable";
  case PANTILE_OUT_OF_MEMORY:
    return "out of memory";
  case PANTILE_TIMEOUT:
    return "timeout";
  case PANTILE_CANCELLED:
    return "cancelled";
  case PANTILE_COMPILE_ERROR:
    return "compile error";
  case PANTILE_DEVICE_ERROR:
    return "device error";
  case PANTILE_IO_ERROR:
    return "input/output error";
  case PANTILE_DATA_ERROR:
    return "data error";
  case PANTILE_INTERNAL:
    return "internal error";
  case PANTILE_UNIMPLEMENTED:
    return "unimplemented";
  }
  return "unknown code";
}

const char *pantile_string_data(const pantile_string *string) { return string ? string->text.c_str() : ""; }
size_t pantile_string_size(const pantile_string *string) { return string ? string->text.size() : 0; }
void pantile_string_release(pantile_string *string) { delete string; }

} // extern "C"
