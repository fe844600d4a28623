/*===- pantile/capture.h - optional services of a device half -------------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. C99, standard headers only.
 *
 * A second table that a device half may answer to query_interface, with plugin.h's rules: for devices that can record what
 * is enqueued on a stream and run the record again, and that know whose memory an address is.
 *
 *===----------------------------------------------------------------------===*/

#ifndef PANTILE_CAPTURE_H
#define PANTILE_CAPTURE_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PANTILE_INTERFACE_CAPTURE "pantile.capture"

typedef struct pantile_graph_handle pantile_graph_handle;

typedef struct pantile_capture_interface {
  uint32_t struct_size;
  uint32_t reserved;
  /** Whether launches of this device may use `bytes` at `pointer`: PANTILE_INVALID_ARGUMENT says whose memory it is. */
  int32_t (*check_memory)(pantile_device_handle *device, const void *pointer, size_t bytes, pantile_message **error);
  /** Whether what is enqueued on the stream is recorded instead of run. */
  int32_t (*capturing)(pantile_device_handle *device, pantile_stream_handle *stream, uint32_t *capturing, pantile_message **error);
  /** From here on what is enqueued on the stream (not NULL) is recorded; `end` gives the record. */
  int32_t (*begin)(pantile_device_handle *device, pantile_stream_handle *stream, pantile_message **error);
  int32_t (*end)(pantile_device_handle *device, pantile_stream_handle *stream, pantile_graph_handle **graph, pantile_message **error);
  /** Runs a record again. Modules and memory that it uses must still be there. */
  int32_t (*replay)(pantile_graph_handle *graph, pantile_stream_handle *stream, pantile_message **error);
  void (*release)(pantile_graph_handle *graph);
} pantile_capture_interface;

PANTILE_STATIC_ASSERT(sizeof(pantile_capture_interface) == 56, "ABI 1.0");

#ifdef __cplusplus
}
#endif

#endif /* PANTILE_CAPTURE_H */
