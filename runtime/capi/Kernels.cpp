//===- runtime/capi/Kernels.cpp - kernels, launches, looking --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/capi/Handles.h"

#include "ir/build/Library.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace pantile;
using namespace pantile::capi;

namespace {

Status makeKernel(pantile_context *context, std::string_view text, pantile_kernel **kernel) {
  if (!kernel || !context) return missing(context ? "kernel" : "context");
  *kernel = nullptr;
  PANTILE_RETURN_IF_ERROR(context->context->checkUsable());
  PANTILE_ASSIGN(auto made, Kernel::create(*context->context, text));
  *kernel = new pantile_kernel{std::move(made)};
  return {};
}

std::string describeLibrary() {
  auto list = nlohmann::json::array();
  for (const auto &op : libraryOperators()) {
    auto options = nlohmann::json::array();
    for (const auto &option : op.options)
      options.push_back({{"name", option.name}, {"default", option.defaultValue}, {"summary", option.summary}, {"values", option.values}});
    list.push_back({{"name", op.name}, {"summary", op.summary}, {"arguments", op.arguments}, {"options", options}});
  }
  return list.dump();
}

std::string dump(const nlohmann::json &json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

} // namespace

extern "C" {

pantile_code pantile_kernel_from_library(pantile_context *context, const char *name, const char *options, pantile_kernel **kernel,
                                         pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!name) return missing("name");
    PANTILE_ASSIGN(std::string text, buildLibraryKernel(name, options ? options : ""));
    return makeKernel(context, text, kernel);
  });
}

pantile_code pantile_kernel_from_text(pantile_context *context, const char *text, size_t size, pantile_kernel **kernel,
                                      pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!text) return missing("text");
    return makeKernel(context, {text, size}, kernel);
  });
}

pantile_code pantile_kernel_from_file(pantile_context *context, const char *path, pantile_kernel **kernel, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!path) return missing("path");
    PANTILE_ASSIGN(std::string text, readFile(path, 16u << 20, Links::Follow));
    return makeKernel(context, text, kernel).in(path);
  });
}

void pantile_kernel_release(pantile_kernel *kernel) { delete kernel; }
const char *pantile_kernel_name(const pantile_kernel *kernel) { return kernel ? kernel->kernel->signature().name().c_str() : ""; }
const char *pantile_kernel_text(const pantile_kernel *kernel) { return kernel ? kernel->kernel->signature().text().c_str() : ""; }
uint32_t pantile_kernel_argument_count(const pantile_kernel *kernel) {
  return kernel ? uint32_t(kernel->kernel->signature().arguments().size()) : 0;
}

pantile_code pantile_library_describe(pantile_string **json, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!json) return missing("json");
    *json = new pantile_string{describeLibrary()};
    return {};
  });
}

pantile_code pantile_launch(pantile_kernel *kernel, pantile_stream *stream, DLTensor *const *arguments, size_t count,
                            pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel) [[unlikely]]
      return missing("kernel");
    Context &context = kernel->kernel->context();
    if (stream && &stream->context != &context) [[unlikely]]
      return Status(PANTILE_INVALID_ARGUMENT, "the stream belongs to another context");
    return kernel->kernel->launch(stream ? stream->stream : *context.defaultStream, arguments, count);
  });
}

pantile_code pantile_prepare(pantile_kernel *kernel, DLTensor *const *arguments, size_t count, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel) return missing("kernel");
    return kernel->kernel->prepare(arguments, count);
  });
}

pantile_code pantile_kernel_set_configuration(pantile_kernel *kernel, const char *configuration, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel) return missing("kernel");
    if (!configuration) {
      kernel->kernel->setConfiguration(std::nullopt);
      return {};
    }
    PANTILE_ASSIGN(auto parsed, Configuration::fromText(configuration));
    kernel->kernel->setConfiguration(std::move(parsed));
    return {};
  });
}

pantile_code pantile_kernel_sample_configuration(pantile_kernel *kernel, DLTensor *const *arguments, size_t count, uint64_t seed,
                                                 pantile_string **configuration, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel || !configuration) return missing(kernel ? "configuration" : "kernel");
    PANTILE_ASSIGN(auto drawn, kernel->kernel->sampleConfiguration(arguments, count, seed));
    *configuration = new pantile_string{drawn.toText()};
    return {};
  });
}

pantile_code pantile_kernel_describe(pantile_kernel *kernel, DLTensor *const *arguments, size_t count, pantile_string **json,
                                     pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel || !json) return missing(kernel ? "json" : "kernel");
    PANTILE_ASSIGN(auto description, kernel->kernel->describe(arguments, count));
    nlohmann::json resources = nlohmann::json::object();
    for (const auto &[name, value] : description.resources) resources[name] = value;
    *json = new pantile_string{dump({{"configuration", description.selection.configuration.toText()},
                                     {"source", name(description.selection.source)},
                                     {"compiled", description.compiled},
                                     {"stale", description.selection.stale},
                                     {"artifact_key", description.artifactKey.hex()},
                                     {"resources", resources}})};
    return {};
  });
}

pantile_code pantile_kernel_inspect(pantile_kernel *kernel, DLTensor *const *arguments, size_t count, const char *stage,
                                    pantile_string **text, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel || !stage || !text) return missing(!kernel ? "kernel" : !stage ? "stage" : "text");
    PANTILE_ASSIGN(std::string shown, kernel->kernel->inspect(arguments, count, stage));
    *text = new pantile_string{std::move(shown)};
    return {};
  });
}

pantile_code pantile_kernel_interpret(pantile_kernel *kernel, DLTensor *const *arguments, size_t count, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!kernel) return missing("kernel");
    return kernel->kernel->interpret(arguments, count, {kDLCPU, 0});
  });
}

} // extern "C"
