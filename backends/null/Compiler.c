/*===- null/Compiler.c - the compiler half of a backend that never runs ---===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
 *
 * The "code" it produces is the portable text it was given. One target, "null", one tunable parameter, no device half.
 *
 *===----------------------------------------------------------------------===*/

#include "pantile/plugin.h"

#include <stdlib.h>
#include <string.h>

/*--- Messages and texts: made here, released here -------------------------*/

static void release_message(pantile_message *message) { free(message); }

/* `text` and `fix` are literals, so that a message is one block. */
static int32_t fail(pantile_message **error, pantile_code code, const char *text, const char *fix) {
  if (error && (*error = calloc(1, sizeof(pantile_message)))) {
    (*error)->struct_size = sizeof(pantile_message);
    (*error)->code = code;
    (*error)->text = text;
    (*error)->fix = fix;
    (*error)->release = release_message;
  }
  return code;
}

static int32_t out_of_memory(pantile_message **error) { return fail(error, PANTILE_OUT_OF_MEMORY, "no memory for the answer", NULL); }

static void release_text(pantile_text *text) { free(text); }

static int32_t answer_text(const char *bytes, size_t size, pantile_text **text, pantile_message **error) {
  pantile_text *answer = malloc(sizeof(pantile_text) + size + 1);
  char *copy = (char *)(answer + 1);
  if (!answer) return out_of_memory(error);
  memcpy(copy, bytes, size);
  copy[size] = 0;
  *answer = (pantile_text){sizeof(pantile_text), 0, copy, size, release_text};
  *text = answer;
  return PANTILE_OK;
}

/*--- The compiler interface -----------------------------------------------*/

static int32_t check_target(const char *target, pantile_message **error) {
  if (strcmp(target, "null") == 0) return PANTILE_OK;
  return fail(error, PANTILE_UNSUPPORTED, "the null backend compiles for the target 'null' only", "name the target 'null'");
}

static int32_t list_targets(pantile_text **targets, pantile_message **error) {
  static const char answer[] = "[{\"name\": \"null\", \"arch\": \"null\", \"properties\": {}}]";
  return answer_text(answer, sizeof(answer) - 1, targets, error);
}

static int32_t describe_target(const char *target, pantile_text **description, pantile_message **error) {
  static const char answer[] = "{\"name\": \"null\", \"arch\": \"null\", \"properties\": {\"units\": 1}}";
  int32_t code = check_target(target, error);
  return code ? code : answer_text(answer, sizeof(answer) - 1, description, error);
}

static void release_space(pantile_space *space) { (void)space; /* static */ }

static int32_t space(const pantile_compile_request *request, pantile_space **answer, pantile_message **error) {
  static const int64_t domain[] = {1, 64};
  static const pantile_parameter block = {sizeof(pantile_parameter), PANTILE_PARAMETER_POW2, "block", 0, 0, domain, 2, NULL, "16", NULL};
  static const pantile_parameter *const parameters[] = {&block};
  static pantile_space the_space = {sizeof(pantile_space), 1, parameters, 0, 0, NULL, NULL, release_space};
  int32_t code = check_target(request->target, error);
  if (!code) *answer = &the_space;
  return code;
}

static void release_artifact(pantile_artifact *artifact) { free(artifact); }

static int32_t compile(const pantile_compile_request *request, pantile_artifact **answer, pantile_message **error) {
  static const pantile_launch_record launch = {
      sizeof(pantile_launch_record), 0, "nothing", {"1", "1", "1"}, {"1", "1", "1"}, "0", NULL, 0, 0, NULL};
  static const pantile_launch_record *const launches[] = {&launch};
  int32_t code = check_target(request->target, error);
  pantile_artifact *artifact;
  if (code) return code;
  artifact = calloc(1, sizeof(pantile_artifact) + request->ir_size);
  if (!artifact) return out_of_memory(error);
  memcpy(artifact + 1, request->ir, request->ir_size);
  artifact->struct_size = sizeof(pantile_artifact);
  artifact->launch_count = 1;
  artifact->code = artifact + 1;
  artifact->code_size = request->ir_size;
  artifact->launches = launches;
  artifact->workspace_bytes = "0";
  artifact->zeroed_workspace_bytes = "0";
  artifact->release = release_artifact;
  *answer = artifact;
  return PANTILE_OK;
}

static int32_t inspect(const pantile_compile_request *request, const char *stage, pantile_text **text, pantile_message **error) {
  int32_t code = check_target(request->target, error);
  if (code) return code;
  if (strcmp(stage, "portable") != 0)
    return fail(error, PANTILE_UNSUPPORTED, "the null backend has the stage 'portable' only", "ask for 'portable'");
  return answer_text(request->ir, request->ir_size, text, error);
}

/*--- The table ------------------------------------------------------------*/

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PANTILE_BUILT_WITH PANTILE_SANITIZER_ADDRESS
#elif __has_feature(thread_sanitizer)
#define PANTILE_BUILT_WITH PANTILE_SANITIZER_THREAD
#endif
#endif
#ifndef PANTILE_BUILT_WITH
#define PANTILE_BUILT_WITH PANTILE_SANITIZER_NONE
#endif

static const pantile_compiler_interface compiler = {
    sizeof(pantile_compiler_interface), 0, list_targets, describe_target, space, compile, inspect};

static const void *query_interface(const pantile_plugin *plugin, const char *name) {
  (void)plugin;
  return strcmp(name, PANTILE_INTERFACE_COMPILER) == 0 ? &compiler : NULL;
}

static const pantile_plugin plugin = {
    sizeof(pantile_plugin), PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR, "null", "null-1", PANTILE_BUILT_WITH, {0}, query_interface};

__attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *host, uint32_t max_abi) {
  (void)host;
  return max_abi >> 16 == PANTILE_ABI_MAJOR ? &plugin : NULL;
}
