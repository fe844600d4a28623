//===- runtime/capi/Handles.h - what the C API's handles are --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_CAPI_HANDLES_H
#define PANTILE_RUNTIME_CAPI_HANDLES_H

#include "pantile/pantile.h"
#include "runtime/dispatch/Kernel.h"

#include <new>

struct pantile_error {
  pantile::Status status;
};
struct pantile_string {
  std::string text;
};
struct pantile_context {
  std::unique_ptr<pantile::Context> context;
};
struct pantile_kernel {
  std::unique_ptr<pantile::Kernel> kernel;
};
struct pantile_stream {
  pantile::Context &context;
  pantile::Stream stream;
};
struct pantile_event {
  pantile::Context &context;
  pantile_event_handle *handle;
};
struct pantile_graph {
  pantile::Context &context;
  pantile_graph_handle *handle;
};

namespace pantile::capi {

/// Sets *error (where there is a place for it) and returns the code. Never throws.
pantile_code fail(Status status, pantile_error **error) noexcept;
pantile_code outOfMemory(pantile_error **error) noexcept;
pantile_code failInternally(const char *text, pantile_error **error) noexcept;

/// Runs a function that returns a Status; nothing that it throws crosses.
template <typename Function> pantile_code guarded(pantile_error **error, Function function) noexcept {
  try {
    Status status = function();
    if (status.isOk()) [[likely]]
      return PANTILE_OK;
    return fail(std::move(status), error);
  } catch (const std::bad_alloc &) { return outOfMemory(error); } catch (const std::exception &exception) {
    return failInternally(exception.what(), error);
  } catch (...) { return failInternally("an exception of unknown type", error); }
}

Status missing(const char *what);
Expected<Settings> settingsFrom(const pantile_context_options *options);

} // namespace pantile::capi

#endif // PANTILE_RUNTIME_CAPI_HANDLES_H
