/*===- core/EmulatorABI.h - a target's code run without the target --------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. C99, standard headers only.
 *
 * A compiler half that can emulate its targets has this interface beside "pantile.compiler". It needs LLVM, so it runs in the
 * helper program pantile-compiler; device memory is shared memory, mapped there at the address it has in the application, so
 * that pointers in arguments mean the same. Rules as in pantile/plugin.h.
 *
 *===----------------------------------------------------------------------===*/

#ifndef PANTILE_CORE_EMULATORABI_H
#define PANTILE_CORE_EMULATORABI_H

#include "pantile/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PANTILE_INTERFACE_EMULATOR "pantile.emulator"
/** The final stage that an emulated device loads. */
#define PANTILE_EMULATED_STAGE "llvm"

/** What a byte of device memory is, one byte each. */
enum { PANTILE_BYTE_NOT_ALLOCATED = 0, PANTILE_BYTE_UNINITIALIZED = 1, PANTILE_BYTE_INITIALIZED = 2 };

/** One launch, all numbers evaluated. */
typedef struct pantile_emulate_request {
  uint32_t struct_size;
  uint32_t threads; /**< of the host, 0: all */
  const char *code; /**< text of the final stage "llvm"; `code_size` bytes, no NUL needed */
  size_t code_size;
  const char *target;
  const char *entry;
  int64_t grid[3];
  int64_t block[3];
  int64_t shared_bytes;
  const uint64_t *slots;
  const int64_t *extras;
  uint32_t slot_count, extra_count;
  char *memory; /**< device memory, and of each byte what it is; writes mark theirs */
  uint8_t *states;
  uint64_t memory_bytes;
  uint64_t seed;   /**< of the order of warps and of when asynchronous operations take effect */
  uint32_t checks; /**< 1: races and uninitialized reads are looked for; bounds and deadlocks always are */
  uint32_t reserved;
} pantile_emulate_request;

typedef struct pantile_emulator_interface {
  uint32_t struct_size;
  uint32_t reserved;
  /** Runs the kernel to its end. A wrong access, a race, a deadlock or an instruction that is not emulated is an error that
      names it. Code is kept compiled for later launches. */
  int32_t (*emulate)(const pantile_emulate_request *request, pantile_message **error);
} pantile_emulator_interface;

PANTILE_STATIC_ASSERT(sizeof(pantile_emulate_request) == 160, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_emulator_interface) == 16, "ABI 1.0");

#ifdef __cplusplus
}
#endif

#endif /* PANTILE_CORE_EMULATORABI_H */
