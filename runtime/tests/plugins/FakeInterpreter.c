/*===- tests/plugins/FakeInterpreter.c - knows one kernel -----------------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
 *
 * Whatever the text, y[i] = 2 * x[i] + 1.
 *
 *===----------------------------------------------------------------------===*/

#include "core/InterpreterABI.h"

#include <stdlib.h>
#include <string.h>

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

static void release_message(pantile_message *message) { free(message); }

static int32_t interpret(const pantile_interpret_request *request, pantile_message **error) {
  const pantile_interpret_argument *x = request->arguments, *y = x + 1;
  int64_t i;
  if (request->argument_count != 2 || x->rank != 1 || (const char *)x->data + x->sizes[0] * 4 > (const char *)x->high) {
    if (error && (*error = calloc(1, sizeof(pantile_message)))) {
      (*error)->struct_size = sizeof(pantile_message);
      (*error)->code = PANTILE_INVALID_ARGUMENT;
      (*error)->text = "two vectors are expected";
      (*error)->release = release_message;
    }
    return PANTILE_INVALID_ARGUMENT;
  }
  for (i = 0; i < x->sizes[0]; ++i) ((float *)y->data)[i * y->strides[0]] = 2 * ((const float *)x->data)[i * x->strides[0]] + 1;
  return PANTILE_OK;
}

static const pantile_interpreter_interface interpreter = {sizeof(pantile_interpreter_interface), 0, interpret};
static const void *query_interface(const pantile_plugin *plugin, const char *name) {
  (void)plugin;
  return strcmp(name, PANTILE_INTERFACE_INTERPRETER) == 0 ? &interpreter : NULL;
}
static const pantile_plugin plugin = {
    sizeof(pantile_plugin), PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR, "interpreter", "fake-interpreter-1", FAKE_BUILT_WITH, {0},
    query_interface};

__attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *host, uint32_t max_abi) {
  (void)host;
  return max_abi >> 16 == PANTILE_ABI_MAJOR ? &plugin : NULL;
}
