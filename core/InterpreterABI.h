/*===- core/InterpreterABI.h - the interpreter as a plugin ----------------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. C99, standard headers only.
 *
 * The reference interpreter needs MLIR, so it lives in a library of its own, `libpantile_interpreter.so`, which exports
 * `pantile_plugin_query` like any plugin (name "interpreter") and has the one interface below. The helper program
 * pantile-compiler loads it; kernels cross as text, tensors through shared memory. Rules as in pantile/plugin.h.
 *
 *===----------------------------------------------------------------------===*/

#ifndef PANTILE_CORE_INTERPRETERABI_H
#define PANTILE_CORE_INTERPRETERABI_H

#include "pantile/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PANTILE_INTERFACE_INTERPRETER "pantile.interpreter"

/** One argument: a view on host memory, or a scalar. */
typedef struct pantile_interpret_argument {
  uint32_t struct_size;
  int32_t dtype; /**< pantile_dtype */
  int32_t rank;  /**< -1: a scalar */
  uint32_t reserved;
  uint64_t scalar; /**< integers sign-extended; floats as their bits, zero-extended */
  void *data;      /**< address of element 0, at any alignment */
  const void *low; /**< every access must lie in [low, high): checked */
  const void *high;
  int64_t sizes[PANTILE_MAX_RANK];
  int64_t strides[PANTILE_MAX_RANK]; /**< elements */
} pantile_interpret_argument;

typedef struct pantile_interpret_request {
  uint32_t struct_size;
  uint32_t argument_count;
  const char *ir; /**< portable text; `ir_size` bytes, no NUL needed */
  size_t ir_size;
  const pantile_interpret_argument *arguments;
  /** NULL: the portable level. Else the kernel is specialized for `target` under `facts` and this configuration first, and
      the scheduled level is interpreted. */
  const pantile_configuration *configuration;
  const pantile_facts *facts;
  const char *target;
  /** 0: every block of the grid. Else about this many: some of every class of edge block, the others chosen by `seed`. What
      the others would have written is left as it was. */
  uint64_t sampled_blocks;
  uint64_t seed;
} pantile_interpret_request;

typedef struct pantile_interpreter_interface {
  uint32_t struct_size;
  uint32_t reserved;
  /** Runs the kernel on host memory. An access out of bounds, a failed `tile.assume` or a malformed kernel is an error with
      the operation's location. Reentrant. */
  int32_t (*interpret)(const pantile_interpret_request *request, pantile_message **error);
} pantile_interpreter_interface;

PANTILE_STATIC_ASSERT(sizeof(pantile_interpret_argument) == 176, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_interpret_request) == 72, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_interpreter_interface) == 16, "ABI 1.0");

#ifdef __cplusplus
}
#endif

#endif /* PANTILE_CORE_INTERPRETERABI_H */
