/*===- tests/plugins/FakeDevice.c - a device made of host memory ----------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
 *
 * From pantile/plugin.h alone. Its code is the text "fake"; the entry "scale" computes y[i] = x[i] * factor + 1 from the
 * slots {address of x, address of y, elements, factor}. Macros make the broken variants that the loader must refuse.
 *
 * FAKE_OWN_MEMORY: its memory has addresses that the host cannot touch (a tag above those of the processor), it knows which
 * addresses are its own, and it records launches. Factor 17 then faults: the next call says so.
 *
 *===----------------------------------------------------------------------===*/

#include "pantile/capture.h"
#include "pantile/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef FAKE_NAME
#define FAKE_NAME "fake"
#endif
#ifndef FAKE_MAJOR
#define FAKE_MAJOR PANTILE_ABI_MAJOR
#endif
#ifndef FAKE_MINOR
#define FAKE_MINOR PANTILE_ABI_MINOR
#endif
#ifndef FAKE_SIZE
#define FAKE_SIZE sizeof(pantile_plugin)
#endif
#ifndef FAKE_TABLE_SIZE
#define FAKE_TABLE_SIZE sizeof(pantile_device_interface)
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAKE_BUILT_WITH PANTILE_SANITIZER_ADDRESS
#elif __has_feature(thread_sanitizer)
#define FAKE_BUILT_WITH PANTILE_SANITIZER_THREAD
#endif
#endif
#ifndef FAKE_BUILT_WITH
#define FAKE_BUILT_WITH PANTILE_SANITIZER_NONE
#endif
#ifdef FAKE_SANITIZER
#undef FAKE_BUILT_WITH
#define FAKE_BUILT_WITH FAKE_SANITIZER
#endif

#ifdef FAKE_OWN_MEMORY
#define TAG ((uintptr_t)1 << 60)
#define DLPACK_TYPE 12 /* kDLExtDev */
#else
#define TAG ((uintptr_t)0)
#define DLPACK_TYPE 1
#endif

struct pantile_device_handle {
  int faulted;
};
struct pantile_module_handle {
  int entries;
};
struct pantile_stream_handle {
  int capturing;
  uint64_t slots[64][4];
  int recorded;
};
struct pantile_graph_handle {
  pantile_device_handle *device;
  uint64_t slots[64][4];
  int recorded;
};
struct pantile_event_handle {
  struct timespec time;
};

static void release_message(pantile_message *message) { free(message); }
static int32_t fail(pantile_message **error, int32_t code, const char *text) {
  if (error && (*error = calloc(1, sizeof(pantile_message)))) {
    (*error)->struct_size = sizeof(pantile_message);
    (*error)->code = code;
    (*error)->text = text;
    (*error)->release = release_message;
  }
  return code;
}

static int32_t count(uint32_t *number, pantile_message **error) {
  (void)error;
  *number = 1;
  return PANTILE_OK;
}
static int32_t describe(uint32_t ordinal, pantile_device_info *info, pantile_message **error) {
  static const pantile_property properties[] = {{"units", 2, NULL}, {"vector", 0, "none"}, {"threads", 4, NULL}};
  (void)ordinal, (void)error;
  memset(info, 0, sizeof(*info));
  info->struct_size = sizeof(*info);
  strcpy(info->name, "a fake device");
  strcpy(info->target, "fake");
  strcpy(info->hardware, "fake-1");
  strcpy(info->uuid, "fake-0");
  info->memory_bytes = 1 << 20;
  info->dlpack_device_type = DLPACK_TYPE;
  info->property_count = 3;
  info->properties = properties;
  return PANTILE_OK;
}
static int32_t open_device(uint32_t ordinal, pantile_device_handle **device, pantile_message **error) {
  (void)ordinal;
  return (*device = calloc(1, sizeof(**device))) ? PANTILE_OK : fail(error, PANTILE_OUT_OF_MEMORY, "no memory");
}
static void close_device(pantile_device_handle *device) { free(device); }
static int32_t allocate(pantile_device_handle *device, size_t bytes, void **pointer, pantile_message **error) {
  (void)device;
  *pointer = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
  if (*pointer) *pointer = (void *)((uintptr_t)*pointer | TAG);
  return bytes && !*pointer ? fail(error, PANTILE_OUT_OF_MEMORY, "the fake device is full") : PANTILE_OK;
}
static void free_memory(pantile_device_handle *device, void *pointer) {
  (void)device;
  free((void *)((uintptr_t)pointer & ~TAG));
}
static void *on_host(const void *pointer) { return (void *)((uintptr_t)pointer & ~TAG); }
static int is_own(const void *pointer) { return ((uintptr_t)pointer & TAG) == TAG; }
static int32_t copy(pantile_device_handle *device, pantile_stream_handle *stream, int32_t kind, void *to, const void *from, size_t bytes,
                    pantile_message **error) {
  (void)stream;
  if (device->faulted) return fail(error, PANTILE_DEVICE_ERROR, "the fake device has faulted");
  if (bytes && ((kind != PANTILE_COPY_TO_HOST && !is_own(to)) || (kind != PANTILE_COPY_TO_DEVICE && !is_own(from))))
    return fail(error, PANTILE_DEVICE_ERROR, "a copy of the wrong memory");
  memmove(kind == PANTILE_COPY_TO_HOST ? to : on_host(to), kind == PANTILE_COPY_TO_DEVICE ? from : on_host(from), bytes);
  return PANTILE_OK;
}
static int32_t fill(pantile_device_handle *device, pantile_stream_handle *stream, void *pointer, uint32_t pattern, uint32_t pattern_bytes,
                    size_t bytes, pantile_message **error) {
  size_t i;
  (void)device, (void)stream;
  if (bytes && !is_own(pointer)) return fail(error, PANTILE_DEVICE_ERROR, "a fill of the wrong memory");
  for (i = 0; i < bytes; i += pattern_bytes) memcpy((char *)on_host(pointer) + i, &pattern, pattern_bytes);
  return PANTILE_OK;
}
static int32_t stream_create(pantile_device_handle *device, pantile_stream_handle **stream, pantile_message **error) {
  (void)device, (void)error;
  *stream = calloc(1, sizeof(**stream));
  return PANTILE_OK;
}
static void stream_release(pantile_stream_handle *stream) { free(stream); }
static int32_t stream_synchronize(pantile_device_handle *device, pantile_stream_handle *stream, pantile_message **error) {
  (void)stream;
  if (device->faulted) return fail(error, PANTILE_DEVICE_ERROR, "the fake device has faulted");
  return PANTILE_OK;
}
static int32_t event_create(pantile_device_handle *device, pantile_event_handle **event, pantile_message **error) {
  (void)device, (void)error;
  *event = calloc(1, sizeof(**event));
  return PANTILE_OK;
}
static void event_release(pantile_event_handle *event) { free(event); }
static int32_t event_record(pantile_event_handle *event, pantile_stream_handle *stream, pantile_message **error) {
  (void)stream, (void)error;
  clock_gettime(CLOCK_MONOTONIC, &event->time);
  return PANTILE_OK;
}
static int32_t event_wait(pantile_stream_handle *stream, pantile_event_handle *event, pantile_message **error) {
  (void)stream, (void)event, (void)error;
  return PANTILE_OK;
}
static int32_t event_synchronize(pantile_event_handle *event, pantile_message **error) {
  (void)event, (void)error;
  return PANTILE_OK;
}
static int32_t event_elapsed(pantile_event_handle *start, pantile_event_handle *stop, uint64_t *nanoseconds, pantile_message **error) {
  (void)error;
  *nanoseconds =
      (uint64_t)(stop->time.tv_sec - start->time.tv_sec) * 1000000000u + (uint64_t)stop->time.tv_nsec - (uint64_t)start->time.tv_nsec;
  return PANTILE_OK;
}
static int32_t load(pantile_device_handle *device, const void *code, size_t code_size, const char *const *entries, uint32_t entry_count,
                    pantile_module_handle **module, pantile_message **error) {
  (void)device;
  if (code_size < 4 || memcmp(code, "fake", 4) != 0) return fail(error, PANTILE_DATA_ERROR, "this is no fake code");
  if (entry_count != 1 || strcmp(entries[0], "scale") != 0)
    return fail(error, PANTILE_NOT_FOUND, "the fake code has the entry 'scale' only");
  *module = calloc(1, sizeof(**module));
  return PANTILE_OK;
}
static void unload(pantile_module_handle *module) { free(module); }
static int32_t run(pantile_device_handle *device, const uint64_t *slots, pantile_message **error) {
  const char *x = (const char *)on_host((void *)(uintptr_t)slots[0]);
  char *y = (char *)on_host((void *)(uintptr_t)slots[1]);
  int64_t elements = (int64_t)slots[2], factor = (int64_t)slots[3], i;
  if (!is_own((void *)(uintptr_t)slots[0]) || !is_own((void *)(uintptr_t)slots[1]) || (TAG && factor == 17)) {
    device->faulted = 1;
    return PANTILE_OK;
  }
  if (factor == 13) return fail(error, PANTILE_DEVICE_ERROR, "this device is superstitious");
  if (factor == 14) abort();
  for (i = 0; i < elements + (factor == 15) /* out of bounds */; ++i) {
    float value;
    memcpy(&value, x + 4 * (i < elements ? i : 0), 4); /* at any alignment */
    value = value * (float)factor + 1 + (float)(factor == 16 && i == elements / 2) /* wrong */;
    memcpy(y + 4 * i, &value, 4);
  }
  return PANTILE_OK;
}

static int32_t launch(pantile_device_handle *device, pantile_stream_handle *stream, const pantile_launch_call *call,
                      pantile_message **error) {
  if (call->slot_count != 4) return fail(error, PANTILE_DEVICE_ERROR, "four slots are expected");
  if (!stream || !stream->capturing) return run(device, call->slots, error);
  memcpy(stream->slots[stream->recorded++ % 64], call->slots, sizeof(stream->slots[0]));
  return PANTILE_OK;
}

#ifdef FAKE_OWN_MEMORY
static int32_t check_memory(pantile_device_handle *device, const void *pointer, size_t bytes, pantile_message **error) {
  (void)device;
  return !bytes || is_own(pointer) ? PANTILE_OK : fail(error, PANTILE_INVALID_ARGUMENT, "the address is host memory");
}
static int32_t is_capturing(pantile_device_handle *device, pantile_stream_handle *stream, uint32_t *capturing, pantile_message **error) {
  (void)device, (void)error;
  *capturing = stream && stream->capturing;
  return PANTILE_OK;
}
static int32_t capture_begin(pantile_device_handle *device, pantile_stream_handle *stream, pantile_message **error) {
  (void)device, (void)error;
  stream->capturing = 1;
  stream->recorded = 0;
  return PANTILE_OK;
}
static int32_t capture_end(pantile_device_handle *device, pantile_stream_handle *stream, pantile_graph_handle **graph,
                           pantile_message **error) {
  stream->capturing = 0;
  if (!(*graph = calloc(1, sizeof(**graph)))) return fail(error, PANTILE_OUT_OF_MEMORY, "no memory");
  (*graph)->device = device;
  (*graph)->recorded = stream->recorded;
  memcpy((*graph)->slots, stream->slots, sizeof(stream->slots));
  return PANTILE_OK;
}
static int32_t replay(pantile_graph_handle *graph, pantile_stream_handle *stream, pantile_message **error) {
  int i, code = PANTILE_OK;
  (void)stream;
  for (i = 0; i < graph->recorded && !code; ++i) code = run(graph->device, graph->slots[i], error);
  return code;
}
static void graph_release(pantile_graph_handle *graph) { free(graph); }
static const pantile_capture_interface capture = {
    sizeof(pantile_capture_interface), 0, check_memory, is_capturing, capture_begin, capture_end, replay, graph_release};
#endif

static int32_t set_option(pantile_device_handle *device, const char *name, int64_t value, pantile_message **error) {
  (void)device, (void)value;
  return strcmp(name, "threads") == 0 ? PANTILE_OK : fail(error, PANTILE_UNSUPPORTED, "the fake device has the option 'threads' only");
}

static pantile_device_interface device = {FAKE_TABLE_SIZE,
                                          0,
                                          count,
                                          describe,
                                          open_device,
                                          close_device,
                                          allocate,
                                          free_memory,
                                          copy,
                                          fill,
                                          stream_create,
                                          NULL /* stream_wrap: a stub answers */,
                                          stream_release,
                                          stream_synchronize,
                                          event_create,
                                          event_release,
                                          event_record,
                                          event_wait,
                                          event_synchronize,
                                          event_elapsed,
                                          load,
                                          unload,
                                          launch,
                                          set_option};

static const void *query_interface(const pantile_plugin *plugin, const char *name) {
  (void)plugin;
#ifdef FAKE_OWN_MEMORY
  if (strcmp(name, PANTILE_INTERFACE_CAPTURE) == 0) return &capture;
#endif
  return strcmp(name, PANTILE_INTERFACE_DEVICE) == 0 ? &device : NULL;
}

static const pantile_plugin plugin = {FAKE_SIZE, FAKE_MAJOR, FAKE_MINOR, FAKE_NAME, "fake-device-1", FAKE_BUILT_WITH, {0}, query_interface};

#ifdef FAKE_SYMBOL
#define ENTRY FAKE_SYMBOL
#else
#define ENTRY pantile_plugin_query
#endif
__attribute__((visibility("default"))) const pantile_plugin *ENTRY(const pantile_host *host, uint32_t max_abi) {
  (void)max_abi;
  host->log(host, PANTILE_LOG_DEBUG, FAKE_NAME, "loaded");
#ifdef FAKE_NULL
  return host ? NULL : &plugin;
#else
  return &plugin;
#endif
}
