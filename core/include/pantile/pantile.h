/*===- pantile/pantile.h - the C API of Pantile ---------------------------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. C99; needs <dlpack/dlpack.h> for tensors.
 *
 *   pantile_error *error = NULL;
 *   pantile_context *context;
 *   pantile_kernel *matmul;
 *   if (pantile_context_create(NULL, &context, &error) ||
 *       pantile_kernel_from_library(context, "matmul", "bf16", &matmul, &error)) return report(error);
 *   DLTensor *arguments[] = {&a, &b, &c};
 *   if (pantile_launch(matmul, NULL, arguments, 3, &error)) return report(error);
 *
 * Conventions
 *  - Every function that can fail returns a pantile_code (0 is success). Where `error` is not NULL, a failure sets
 *    `*error` to an object the caller releases with pantile_error_release; success leaves it untouched.
 *  - Handles are released by the function named for it; releasing NULL does nothing. A context must outlive what was made
 *    from it. Strings given out live as long as the handle they came from.
 *  - Structs begin with `struct_size`: set it to sizeof, zero the rest, fill what you need.
 *  - Threads: functions may be called from any thread; one stream is used by one thread at a time. Launching one kernel
 *    from several threads is safe.
 *  - Fork: a context made before fork() answers PANTILE_UNAVAILABLE in the child; make a new one there.
 *  - No function aborts, exits, throws, or installs signal handlers. Nothing is global.
 *
 *===----------------------------------------------------------------------===*/

#ifndef PANTILE_PANTILE_H
#define PANTILE_PANTILE_H

#include <dlpack/dlpack.h>

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define PANTILE_API
#else
#define PANTILE_API __attribute__((visibility("default")))
#endif

#define PANTILE_VERSION_MAJOR 0
#define PANTILE_VERSION_MINOR 1
#define PANTILE_VERSION_PATCH 0

typedef struct pantile_error pantile_error;
typedef struct pantile_context pantile_context;
typedef struct pantile_kernel pantile_kernel;
typedef struct pantile_stream pantile_stream;
typedef struct pantile_event pantile_event;
typedef struct pantile_graph pantile_graph;
typedef struct pantile_string pantile_string;

/** "0.1.0". */
PANTILE_API const char *pantile_version(void);

/*--- Errors ---------------------------------------------------------------*/

PANTILE_API pantile_code pantile_error_code(const pantile_error *error);
/** One line that names the thing and what was expected. Never NULL. */
PANTILE_API const char *pantile_error_text(const pantile_error *error);
/** The underlying report, or "". */
PANTILE_API const char *pantile_error_cause(const pantile_error *error);
/** One line: what to do, or "". */
PANTILE_API const char *pantile_error_fix(const pantile_error *error);
PANTILE_API void pantile_error_release(pantile_error *error);
/** "invalid argument", ... */
PANTILE_API const char *pantile_code_name(pantile_code code);

/*--- Strings the library made ---------------------------------------------*/

PANTILE_API const char *pantile_string_data(const pantile_string *string);
PANTILE_API size_t pantile_string_size(const pantile_string *string);
PANTILE_API void pantile_string_release(pantile_string *string);

/*--- Contexts -------------------------------------------------------------*/

/** How much tuning a launch of an untuned kernel may do. */
typedef enum pantile_tune_mode {
  PANTILE_TUNE_DEFAULT = 0,  /**< PANTILE_TUNE, else instant */
  PANTILE_TUNE_OFF = 1,      /**< the kernel's default configuration, always */
  PANTILE_TUNE_INSTANT = 2,  /**< cache, nearest shape, default; runs nothing */
  PANTILE_TUNE_QUICK = 3,    /**< a new shape is tuned for up to 10 s at its first launch */
  PANTILE_TUNE_THOROUGH = 4, /**< up to 60 s */
  PANTILE_TUNE_EXHAUSTIVE = 5
} pantile_tune_mode;

typedef void (*pantile_log_fn)(void *user, pantile_log_level level, const char *text);

/** Every member may be zero: the environment variable beside it decides, then the default. */
typedef struct pantile_context_options {
  uint32_t struct_size;
  uint32_t tune;           /**< pantile_tune_mode; PANTILE_TUNE */
  const char *backend;     /**< preference list, "cuda:1,cpu"; PANTILE_BACKEND */
  const char *plugin_path; /**< more plugin folders, colon-separated, absolute; PANTILE_PLUGIN_PATH */
  const char *cache_dir;   /**< root of the artifact cache and the user's configuration cache; PANTILE_CACHE_DIR */
  const char *config_path; /**< more configuration roots, colon-separated, read before the user's; PANTILE_CONFIG_PATH */
  const char *helper_dir;  /**< folder of pantile-compiler and pantile-worker; default: beside libpantile */
  uint32_t never_compile;  /**< 1: what is not cached is an error (PANTILE_NOT_FOUND) instead of a compilation */
  uint32_t interpret;      /**< 1: kernels run in the reference interpreter; PANTILE_INTERPRET */
  uint32_t threads;        /**< CPU devices: number of threads, 0: all; PANTILE_THREADS */
  uint32_t log_level;      /**< pantile_log_level + 1, 0: PANTILE_LOG, else warnings */
  pantile_log_fn log;      /**< NULL: standard error */
  void *log_user;
  uint64_t artifact_cache_bytes; /**< bound of the artifact cache, 0: 1 GiB */
} pantile_context_options;

/** Opens the best device of the backend asked for. Unknown backends list what there is and why the rest is absent. */
PANTILE_API pantile_code pantile_context_create(const pantile_context_options *options, pantile_context **context, pantile_error **error);
/** Waits for launches in flight. */
PANTILE_API void pantile_context_release(pantile_context *context);
/** "cpu", "cuda", ... */
PANTILE_API const char *pantile_context_backend(const pantile_context *context);
/** The device's name, target and hardware class as a JSON object. Caller releases. */
PANTILE_API pantile_code pantile_context_describe(pantile_context *context, pantile_string **json, pantile_error **error);
/** The device to put into DLTensors of this context. */
PANTILE_API DLDevice pantile_context_device(const pantile_context *context);
/** Changes a CPU device's threads for launches that follow (0: all). */
PANTILE_API pantile_code pantile_context_set_threads(pantile_context *context, uint32_t threads, pantile_error **error);
/** Every backend found and every one that could not be loaded, with reasons: a JSON array. Needs no context. */
PANTILE_API pantile_code pantile_list_backends(const pantile_context_options *options, pantile_string **json, pantile_error **error);

/*--- Memory ---------------------------------------------------------------*/

/** Device memory, at least 64-byte aligned. 0 bytes gives NULL. */
PANTILE_API pantile_code pantile_allocate(pantile_context *context, size_t bytes, void **pointer, pantile_error **error);
PANTILE_API void pantile_free(pantile_context *context, void *pointer);
/** Ordered on `stream` (NULL: the default stream). Host memory must stay valid until the stream has passed. */
PANTILE_API pantile_code pantile_copy_to_device(pantile_context *context, pantile_stream *stream, void *to, const void *from, size_t bytes,
                                                pantile_error **error);
PANTILE_API pantile_code pantile_copy_to_host(pantile_context *context, pantile_stream *stream, void *to, const void *from, size_t bytes,
                                              pantile_error **error);
PANTILE_API pantile_code pantile_copy_on_device(pantile_context *context, pantile_stream *stream, void *to, const void *from, size_t bytes,
                                                pantile_error **error);
/** Sets every byte. */
PANTILE_API pantile_code pantile_fill(pantile_context *context, pantile_stream *stream, void *to, uint8_t value, size_t bytes,
                                      pantile_error **error);

/*--- Streams and events ---------------------------------------------------*/

PANTILE_API pantile_code pantile_stream_create(pantile_context *context, pantile_stream **stream, pantile_error **error);
/** Wraps the application's own stream (a CUstream, hipStream_t ...), which stays the application's. */
PANTILE_API pantile_code pantile_stream_wrap(pantile_context *context, void *native, pantile_stream **stream, pantile_error **error);
PANTILE_API void pantile_stream_release(pantile_stream *stream);
/** Waits until everything on the stream (NULL: the context's default stream) is done. */
PANTILE_API pantile_code pantile_synchronize(pantile_context *context, pantile_stream *stream, pantile_error **error);
PANTILE_API pantile_code pantile_event_create(pantile_context *context, pantile_event **event, pantile_error **error);
PANTILE_API void pantile_event_release(pantile_event *event);
PANTILE_API pantile_code pantile_event_record(pantile_event *event, pantile_stream *stream, pantile_error **error);
PANTILE_API pantile_code pantile_event_wait(pantile_stream *stream, pantile_event *event, pantile_error **error);
PANTILE_API pantile_code pantile_event_synchronize(pantile_event *event, pantile_error **error);
PANTILE_API pantile_code pantile_event_elapsed(pantile_event *start, pantile_event *stop, uint64_t *nanoseconds, pantile_error **error);

/*--- Records of launches --------------------------------------------------*/

/** What is enqueued on the stream (not NULL) from here on is recorded instead of run, where the device can
    (PANTILE_UNIMPLEMENTED, PANTILE_UNSUPPORTED). A launch that would have to compile or allocate is an error before it is
    recorded: launch each call once before. An application that captures a stream by the driver's own functions needs neither. */
PANTILE_API pantile_code pantile_capture_begin(pantile_context *context, pantile_stream *stream, pantile_error **error);
PANTILE_API pantile_code pantile_capture_end(pantile_context *context, pantile_stream *stream, pantile_graph **graph,
                                             pantile_error **error);
/** Runs a record again: on the addresses and scalars that it was recorded with. Its kernels, tensors and stream must live. */
PANTILE_API pantile_code pantile_graph_launch(pantile_graph *graph, pantile_stream *stream, pantile_error **error);
PANTILE_API void pantile_graph_release(pantile_graph *graph);

/*--- Kernels --------------------------------------------------------------*/

/** A standard operator. `options`: comma-separated, e.g. "bf16", "dtype=bf16,transpose_b=1,activation=gelu"; NULL: defaults.
    `pantile library` and pantile_library_describe list names and options. */
PANTILE_API pantile_code pantile_kernel_from_library(pantile_context *context, const char *name, const char *options,
                                                     pantile_kernel **kernel, pantile_error **error);
/** Portable tile IR; `size` bytes, no NUL needed. One kernel. */
PANTILE_API pantile_code pantile_kernel_from_text(pantile_context *context, const char *text, size_t size, pantile_kernel **kernel,
                                                  pantile_error **error);
PANTILE_API pantile_code pantile_kernel_from_file(pantile_context *context, const char *path, pantile_kernel **kernel,
                                                  pantile_error **error);
PANTILE_API void pantile_kernel_release(pantile_kernel *kernel);
PANTILE_API const char *pantile_kernel_name(const pantile_kernel *kernel);
/** Canonical text of the portable IR. */
PANTILE_API const char *pantile_kernel_text(const pantile_kernel *kernel);
PANTILE_API uint32_t pantile_kernel_argument_count(const pantile_kernel *kernel);
/** The operators of the library, their options and arguments: a JSON array. */
PANTILE_API pantile_code pantile_library_describe(pantile_string **json, pantile_error **error);

/** Launches on `stream` (NULL: default). Arguments in the kernel's order: views as tensors on the context's device,
    scalars as 0-dimensional tensors on the CPU. Strides may be NULL (row-major). Compiles at the first call of new facts.
    Asynchronous where the device is. Outputs must not overlap each other or inputs (PANTILE_INVALID_ARGUMENT). */
PANTILE_API pantile_code pantile_launch(pantile_kernel *kernel, pantile_stream *stream, DLTensor *const *arguments, size_t argument_count,
                                        pantile_error **error);
/** Does all but the launch, so that the next launch of such arguments neither compiles nor allocates. Addresses may be
    NULL (taken as 64-byte aligned). */
PANTILE_API pantile_code pantile_prepare(pantile_kernel *kernel, DLTensor *const *arguments, size_t argument_count, pantile_error **error);
/** Pins a configuration, TOML inline table "{bm=64, bn=256}"; members left out take their default. NULL: back to the caches. */
PANTILE_API pantile_code pantile_kernel_set_configuration(pantile_kernel *kernel, const char *configuration, pantile_error **error);
/** A legal configuration for these arguments, drawn by `seed` (0: the default), as the text that
    pantile_kernel_set_configuration takes: for tests, and for searches of one's own. Caller releases. */
PANTILE_API pantile_code pantile_kernel_sample_configuration(pantile_kernel *kernel, DLTensor *const *arguments, size_t argument_count,
                                                             uint64_t seed, pantile_string **configuration, pantile_error **error);
/** What a launch of these arguments would use: a JSON object {configuration, source: pinned|tuned|neighbour|default,
    compiled, stale, artifact_key, resources}. */
PANTILE_API pantile_code pantile_kernel_describe(pantile_kernel *kernel, DLTensor *const *arguments, size_t argument_count,
                                                 pantile_string **json, pantile_error **error);
/** Text of a stage for these arguments: portable, scheduled, simt, llvm, assembly. */
PANTILE_API pantile_code pantile_kernel_inspect(pantile_kernel *kernel, DLTensor *const *arguments, size_t argument_count,
                                                const char *stage, pantile_string **text, pantile_error **error);
/** Runs the reference interpreter on host tensors (addresses as they are). The oracle. */
PANTILE_API pantile_code pantile_kernel_interpret(pantile_kernel *kernel, DLTensor *const *arguments, size_t argument_count,
                                                  pantile_error **error);

/*--- Tuning ---------------------------------------------------------------*/

typedef struct pantile_tune_progress {
  uint32_t struct_size;
  uint32_t tried, failed;
  double best_us, elapsed_s, left_s;
  const char *configuration; /**< best so far */
} pantile_tune_progress;

/** Return nonzero to cancel. Called from the tuning thread. */
typedef int (*pantile_tune_progress_fn)(void *user, const pantile_tune_progress *progress);

typedef struct pantile_tune_options {
  uint32_t struct_size;
  uint32_t trials;      /**< 0: no bound */
  double seconds;       /**< 0: 10 */
  const char *strategy; /**< "model_rf", "differential_evolution", "pattern", "lfbo", "random", "exhaustive", "fixed"; NULL: the default */
  uint64_t seed;
  pantile_tune_progress_fn progress;
  void *user;
  const char *journal; /**< path: every trial as a JSON line; a run over the same journal resumes. NULL: in the cache */
  const char *fixed;   /**< TOML inline table of settings that are not searched, a value or a list of those allowed:
                            "{num_threads = 1, bm = [32, 64]}". NULL: none */
} pantile_tune_options;

/** Searches for a configuration of this kernel at these sizes in worker processes and stores it in the user's
    configuration cache. Tensor contents are not touched: workers make their own inputs of the same shapes (integer views
    need a `tile.range`, or their contents are copied). `result`: JSON {configuration, median_us, low_us, high_us, tried,
    failed, seconds}; may be NULL. */
PANTILE_API pantile_code pantile_tune(pantile_kernel *kernel, DLTensor *const *arguments, size_t argument_count,
                                      const pantile_tune_options *options, pantile_string **result, pantile_error **error);

#ifdef __cplusplus
}
#endif

#endif /* PANTILE_PANTILE_H */
