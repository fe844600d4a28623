/*===- pantile/types.h - words shared by the C API and the plugin ABI -----===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. C99, standard headers only.
 *
 *===----------------------------------------------------------------------===*/

#ifndef PANTILE_TYPES_H
#define PANTILE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define PANTILE_STATIC_ASSERT(condition, text) static_assert(condition, text)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define PANTILE_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#else
#define PANTILE_ASSERT_NAME2(a, b) a##b
#define PANTILE_ASSERT_NAME(a, b) PANTILE_ASSERT_NAME2(a, b)
#define PANTILE_STATIC_ASSERT(condition, text) typedef char PANTILE_ASSERT_NAME(pantile_static_assert_, __LINE__)[(condition) ? 1 : -1]
#endif

#define PANTILE_MAX_RANK 8

/** Result of every call that can fail. Values never change; new ones are appended. */
typedef enum pantile_code {
  PANTILE_OK = 0,
  PANTILE_INVALID_ARGUMENT = 1, /**< the caller's argument, shape, dtype, or text is wrong */
  PANTILE_NOT_FOUND = 2,        /**< no such backend, device, kernel, file */
  PANTILE_UNSUPPORTED = 3,      /**< correct, but this backend or target cannot do it */
  PANTILE_UNAVAILABLE = 4,      /**< a driver, helper, or device is missing or gone */
  PANTILE_OUT_OF_MEMORY = 5,
  PANTILE_TIMEOUT = 6,
  PANTILE_CANCELLED = 7,
  PANTILE_COMPILE_ERROR = 8, /**< the kernel is legal but could not be compiled under this configuration */
  PANTILE_DEVICE_ERROR = 9,  /**< the device reported a fault */
  PANTILE_IO_ERROR = 10,
  PANTILE_DATA_ERROR = 11, /**< a file or message is damaged or of another version */
  PANTILE_INTERNAL = 12,
  PANTILE_UNIMPLEMENTED = 13 /**< the entry is absent from an older plugin */
} pantile_code;

/** Element types. Values never change; they are stored in caches. */
typedef enum pantile_dtype {
  PANTILE_DTYPE_INVALID = 0,
  PANTILE_I1 = 1,
  PANTILE_I4 = 2,
  PANTILE_I8 = 3,
  PANTILE_I16 = 4,
  PANTILE_I32 = 5,
  PANTILE_I64 = 6,
  PANTILE_U8 = 7,
  PANTILE_U16 = 8,
  PANTILE_U32 = 9,
  PANTILE_U64 = 10,
  PANTILE_F16 = 11,
  PANTILE_BF16 = 12,
  PANTILE_F32 = 13,
  PANTILE_F64 = 14,
  PANTILE_F8E4M3FN = 15,
  PANTILE_F8E5M2 = 16,
  PANTILE_F8E4M3FNUZ = 17,
  PANTILE_F8E5M2FNUZ = 18,
  PANTILE_F4E2M1FN = 19,
  PANTILE_INDEX = 20 /**< scalars only; 64 bits */
} pantile_dtype;

/** Severity of a log line. */
typedef enum pantile_log_level {
  PANTILE_LOG_TRACE = 0,
  PANTILE_LOG_DEBUG = 1,
  PANTILE_LOG_INFO = 2,
  PANTILE_LOG_WARNING = 3,
  PANTILE_LOG_ERROR = 4,
  PANTILE_LOG_OFF = 5
} pantile_log_level;

#ifdef __cplusplus
}
#endif

#endif /* PANTILE_TYPES_H */
