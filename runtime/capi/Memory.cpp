//===- runtime/capi/Memory.cpp - memory, streams, events ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/capi/Handles.h"

using namespace pantile;
using namespace pantile::capi;

namespace {

/// The stream's handle, if it may be used on this context.
Expected<pantile_stream_handle *> handleOf(pantile_context *context, pantile_stream *stream) {
  if (!context) return missing("context");
  PANTILE_RETURN_IF_ERROR(context->context->checkUsable());
  if (stream && &stream->context != context->context.get())
    return Status(PANTILE_INVALID_ARGUMENT, "the stream belongs to another context");
  return stream ? stream->stream.handle : nullptr;
}

pantile_code copy(pantile_context *context, pantile_stream *stream, pantile_copy_kind kind, void *to, const void *from, size_t bytes,
                  pantile_error **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(auto *handle, handleOf(context, stream));
    if (bytes && (!to || !from)) return missing(to ? "the source" : "the destination");
    return context->context->device->copy(handle, kind, to, from, bytes);
  });
}

pantile_code makeStream(pantile_context *context, bool wrap, void *native, pantile_stream **stream, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!stream) return missing("stream");
    *stream = nullptr;
    PANTILE_RETURN_IF_ERROR(handleOf(context, nullptr).status());
    Device &device = *context->context->device;
    pantile_message *message = nullptr;
    pantile_stream_handle *handle = nullptr;
    int32_t code = wrap ? device.table().stream_wrap(device.handle(), native, &handle, &message)
                        : device.table().stream_create(device.handle(), &handle, &message);
    PANTILE_RETURN_IF_ERROR(statusOf(code, message, "the stream cannot be made"));
    *stream = new pantile_stream{*context->context, {device, handle}};
    return {};
  });
}

template <typename Function> pantile_code onEvent(pantile_event *event, pantile_error **error, const char *what, Function function) {
  return guarded(error, [&]() -> Status {
    if (!event) return missing("event");
    PANTILE_RETURN_IF_ERROR(event->context.checkUsable());
    pantile_message *message = nullptr;
    int32_t code = function(event->context.device->table(), &message);
    return event->context.device->explain(statusOf(code, message, what));
  });
}

/// The context's recording table and a stream that may be recorded.
Expected<const pantile_capture_interface *> recorder(pantile_context *context, pantile_stream *stream) {
  PANTILE_RETURN_IF_ERROR(handleOf(context, stream).status());
  if (!stream) return missing("stream");
  const auto *table = context->context->device->capture();
  if (!table) return Status(PANTILE_UNSUPPORTED, "this device records no launches").withFix("launch each time");
  return table;
}

} // namespace

extern "C" {

pantile_code pantile_allocate(pantile_context *context, size_t bytes, void **pointer, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!pointer) return missing("pointer");
    *pointer = nullptr;
    PANTILE_RETURN_IF_ERROR(handleOf(context, nullptr).status());
    PANTILE_ASSIGN(*pointer, context->context->device->allocate(bytes));
    return {};
  });
}

void pantile_free(pantile_context *context, void *pointer) {
  if (context && pointer && context->context->usable()) context->context->device->free(pointer);
}

pantile_code pantile_copy_to_device(pantile_context *context, pantile_stream *stream, void *to, const void *from, size_t bytes,
                                    pantile_error **error) {
  return copy(context, stream, PANTILE_COPY_TO_DEVICE, to, from, bytes, error);
}
pantile_code pantile_copy_to_host(pantile_context *context, pantile_stream *stream, void *to, const void *from, size_t bytes,
                                  pantile_error **error) {
  return copy(context, stream, PANTILE_COPY_TO_HOST, to, from, bytes, error);
}
pantile_code pantile_copy_on_device(pantile_context *context, pantile_stream *stream, void *to, const void *from, size_t bytes,
                                    pantile_error **error) {
  return copy(context, stream, PANTILE_COPY_ON_DEVICE, to, from, bytes, error);
}
pantile_code pantile_fill(pantile_context *context, pantile_stream *stream, void *to, uint8_t value, size_t bytes, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(auto *handle, handleOf(context, stream));
    if (bytes && !to) return missing("the destination");
    return context->context->device->fill(handle, to, value, bytes);
  });
}

pantile_code pantile_stream_create(pantile_context *context, pantile_stream **stream, pantile_error **error) {
  return makeStream(context, false, nullptr, stream, error);
}
pantile_code pantile_stream_wrap(pantile_context *context, void *native, pantile_stream **stream, pantile_error **error) {
  return makeStream(context, true, native, stream, error);
}
void pantile_stream_release(pantile_stream *stream) {
  if (!stream) return;
  if (stream->context.usable()) {
    Device &device = stream->stream.device;
    (void)device.synchronize(stream->stream.handle);
    device.table().stream_release(stream->stream.handle);
  } else {
    stream->stream.workspaces.abandon();
  }
  delete stream;
}
pantile_code pantile_synchronize(pantile_context *context, pantile_stream *stream, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(auto *handle, handleOf(context, stream));
    return context->context->device->synchronize(handle);
  });
}

pantile_code pantile_event_create(pantile_context *context, pantile_event **event, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!event) return missing("event");
    *event = nullptr;
    PANTILE_RETURN_IF_ERROR(handleOf(context, nullptr).status());
    Device &device = *context->context->device;
    pantile_message *message = nullptr;
    pantile_event_handle *handle = nullptr;
    PANTILE_RETURN_IF_ERROR(statusOf(device.table().event_create(device.handle(), &handle, &message), message, "the event cannot be made"));
    *event = new pantile_event{*context->context, handle};
    return {};
  });
}
void pantile_event_release(pantile_event *event) {
  if (event && event->context.usable()) event->context.device->table().event_release(event->handle);
  delete event;
}
pantile_code pantile_event_record(pantile_event *event, pantile_stream *stream, pantile_error **error) {
  return onEvent(event, error, "the event cannot be recorded", [&](const auto &table, pantile_message **message) {
    return table.event_record(event->handle, stream ? stream->stream.handle : nullptr, message);
  });
}
pantile_code pantile_event_wait(pantile_stream *stream, pantile_event *event, pantile_error **error) {
  return onEvent(event, error, "the stream cannot wait", [&](const auto &table, pantile_message **message) {
    return table.event_wait(stream ? stream->stream.handle : nullptr, event->handle, message);
  });
}
pantile_code pantile_event_synchronize(pantile_event *event, pantile_error **error) {
  return onEvent(event, error, "the event failed",
                 [&](const auto &table, pantile_message **message) { return table.event_synchronize(event->handle, message); });
}
pantile_code pantile_event_elapsed(pantile_event *start, pantile_event *stop, uint64_t *nanoseconds, pantile_error **error) {
  return onEvent(start, error, "the events have no time", [&](const auto &table, pantile_message **message) {
    if (!stop || !nanoseconds) return int32_t(PANTILE_INVALID_ARGUMENT);
    return table.event_elapsed(start->handle, stop->handle, nanoseconds, message);
  });
}

pantile_code pantile_capture_begin(pantile_context *context, pantile_stream *stream, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    PANTILE_ASSIGN(const auto *table, recorder(context, stream));
    pantile_message *message = nullptr;
    return statusOf(table->begin(context->context->device->handle(), stream->stream.handle, &message), message, "the capture cannot begin");
  });
}
pantile_code pantile_capture_end(pantile_context *context, pantile_stream *stream, pantile_graph **graph, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!graph) return missing("graph");
    *graph = nullptr;
    PANTILE_ASSIGN(const auto *table, recorder(context, stream));
    pantile_message *message = nullptr;
    pantile_graph_handle *handle = nullptr;
    int32_t code = table->end(context->context->device->handle(), stream->stream.handle, &handle, &message);
    PANTILE_RETURN_IF_ERROR(statusOf(code, message, "the capture failed"));
    *graph = new pantile_graph{*context->context, handle};
    return {};
  });
}
pantile_code pantile_graph_launch(pantile_graph *graph, pantile_stream *stream, pantile_error **error) {
  return guarded(error, [&]() -> Status {
    if (!graph) return missing("graph");
    Device &device = *graph->context.device;
    PANTILE_RETURN_IF_ERROR(graph->context.checkUsable());
    if (stream && &stream->context != &graph->context) return Status(PANTILE_INVALID_ARGUMENT, "the stream belongs to another context");
    pantile_message *message = nullptr;
    int32_t code = device.capture()->replay(graph->handle, stream ? stream->stream.handle : nullptr, &message);
    return device.explain(statusOf(code, message, "the record cannot be run"));
  });
}
void pantile_graph_release(pantile_graph *graph) {
  if (graph && graph->context.usable()) graph->context.device->capture()->release(graph->handle);
  delete graph;
}

} // extern "C"
