/*===- tests/plugins/FakeCompiler.c - a compiler half, good or hostile ----===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
 *
 * From pantile/plugin.h alone, but for the emulator (FAKE_EMULATES). The kernel's name in the text decides what happens: @sleep, @spin,
 * @spawn, @hoard, @shout,
 * @die, @throw_up, @refuse; any other compiles to FakeDevice.c's "scale" with the configured factor. As an emulator it runs
 * "scale" on the device's memory, and refuses what was never written.
 *
 *===----------------------------------------------------------------------===*/

#define _GNU_SOURCE /* memmem */
#ifdef FAKE_EMULATES
#include "core/EmulatorABI.h" /* of this tree alone */
#else
#include "pantile/plugin.h"
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
static int32_t fail(pantile_message **error, int32_t code, const char *text) {
  if (error && (*error = calloc(1, sizeof(pantile_message)))) {
    (*error)->struct_size = sizeof(pantile_message);
    (*error)->code = code;
    (*error)->text = text;
    (*error)->fix = "do not ask this compiler";
    (*error)->release = release_message;
  }
  return code;
}
static void release_text(pantile_text *text) { free(text); }
static int32_t answer_text(const char *bytes, pantile_text **text) {
  size_t size = strlen(bytes);
  pantile_text *answer = malloc(sizeof(pantile_text) + size + 1);
  memcpy(answer + 1, bytes, size + 1);
  *answer = (pantile_text){sizeof(pantile_text), 0, (const char *)(answer + 1), size, release_text};
  *text = answer;
  return PANTILE_OK;
}

static int32_t list_targets(pantile_text **targets, pantile_message **error) {
  (void)error;
  return answer_text("[{\"name\": \"fake\", \"arch\": \"fake\", \"properties\": {}}]", targets);
}
static int32_t describe_target(const char *target, pantile_text **description, pantile_message **error) {
  if (strcmp(target, "fake") != 0) return fail(error, PANTILE_UNSUPPORTED, "there is no such fake target");
  return answer_text("{\"name\": \"fake\", \"properties\": {\"units\": 3}}", description);
}

static void keep_space(pantile_space *space) { (void)space; }
static int32_t space(const pantile_compile_request *request, pantile_space **answer, pantile_message **error) {
  static const int64_t factors[] = {1, 20}, modes[] = {0, 1};
  static const char *const labels[] = {"slow", "fast"};
  static const pantile_parameter factor = {
      sizeof(pantile_parameter), PANTILE_PARAMETER_INTEGER, "factor", 0, 0, factors, 2, NULL, "2", NULL};
  static const pantile_parameter mode = {sizeof(pantile_parameter), PANTILE_PARAMETER_ENUM, "mode", 0, 0, modes, 2, labels, "1", NULL};
  static const pantile_parameter *const parameters[] = {&factor, &mode};
  static const pantile_constraint constraint = {"c.factor 12 !=", "factor must not be 12"};
  static pantile_space the_space = {sizeof(pantile_space), 2, parameters, 1, 0, &constraint, NULL, keep_space};
  (void)request, (void)error;
  *answer = &the_space;
  return PANTILE_OK;
}

static int has(const pantile_compile_request *request, const char *name) {
  return memmem(request->ir, request->ir_size, name, strlen(name)) != NULL;
}

static void misbehave(const pantile_compile_request *request) {
  static char block[1 << 16];
  size_t i;
  if (has(request, "@sleep")) sleep(1000);
  if (has(request, "@spin"))
    for (volatile int on = 1; on;) {}
  if (has(request, "@spawn")) {
    if (fork() == 0) {
      FILE *file = fopen(getenv("FAKE_CHILD_FILE"), "w");
      fprintf(file, "%d\n", (int)getpid());
      fclose(file);
      sleep(1000);
      _exit(0);
    }
    sleep(1000);
  }
  if (has(request, "@hoard")) {
    for (i = 0; i < 1024; ++i) {
      char *volatile memory = malloc(64u << 20); /* volatile: an optimizer would see that nobody needs it */
      if (!memory) abort();
      if (i < 2) memset(memory, 1, 64u << 20);
    }
  }
  if (has(request, "@shout")) {
    memset(block, 'x', sizeof(block));
    for (i = 0; i < (1u << 30) / sizeof(block); ++i)
      if (write(1, block, sizeof(block)) < 0) break;
  }
  if (has(request, "@die")) {
    /* half an answer: a true header, and fewer bytes than it says */
    static const unsigned char header[] = {'P', 'T', 'L', '1', 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 'h', 'a', 'l', 'f'};
    if (send(3, header, sizeof(header), 0) < 0) _exit(4);
    fprintf(stderr, "famous last words\n");
    raise(SIGSEGV);
  }
  if (has(request, "@throw_up")) {
    static const char garbage[] = "this is not a frame at all, is it?";
    if (send(3, garbage, sizeof(garbage), 0) < 0) _exit(4);
    sleep(1000);
  }
}

static void release_artifact(pantile_artifact *artifact) { free(artifact); }
static int32_t compile(const pantile_compile_request *request, pantile_artifact **answer, pantile_message **error) {
  static const char *const slots[] = {"p0", "p1", "s0.0", "c.factor"};
  static const char *const extras[] = {"s0.0 c.mode *"};
  static const pantile_launch_record launch = {
      sizeof(pantile_launch_record), 4, "scale", {"s0.0 64 ceildiv", "1", "1"}, {"1", "1", "1"}, "0", slots, 1, 0, extras};
  static const pantile_launch_record *const launches[] = {&launch};
  static const pantile_check check = {"s0.0 1000000 <", "the fake device has room for a million elements"};
  static const pantile_property resources[] = {{"registers", 7, NULL}};
  pantile_artifact *artifact;
  if (has(request, "@refuse")) return fail(error, PANTILE_COMPILE_ERROR, "this kernel is refused");
  misbehave(request);
  artifact = calloc(1, sizeof(*artifact));
  if (!artifact) return fail(error, PANTILE_OUT_OF_MEMORY, "no memory");
  artifact->struct_size = sizeof(*artifact);
  artifact->launch_count = 1;
  artifact->code = "fake code";
#ifdef FAKE_EMULATES
  if (request->final_stage && strcmp(request->final_stage, PANTILE_EMULATED_STAGE) == 0) artifact->code = "fake llvm";
#endif
  artifact->code_size = 9;
  artifact->launches = launches;
  artifact->checks = &check;
  artifact->check_count = 1;
  artifact->resource_count = 1;
  artifact->resources = resources;
  artifact->workspace_bytes = "s0.0 4 *";
  artifact->zeroed_workspace_bytes = "64";
  artifact->release = release_artifact;
  *answer = artifact;
  return PANTILE_OK;
}
static int32_t inspect(const pantile_compile_request *request, const char *stage, pantile_text **text, pantile_message **error) {
  (void)request;
  if (strcmp(stage, "assembly") != 0) return fail(error, PANTILE_UNSUPPORTED, "the fake backend has the stage 'assembly' only");
  return answer_text("scale r0, r1", text);
}

static const pantile_compiler_interface compiler = {
    sizeof(pantile_compiler_interface), 0, list_targets, describe_target, space, compile, inspect};
#ifdef FAKE_EMULATES
static int32_t emulate(const pantile_emulate_request *request, pantile_message **error) {
  const float *x = (const float *)request->slots[0];
  float *y = (float *)request->slots[1];
  uint64_t i;
  if (request->code_size != 9 || memcmp(request->code, "fake llvm", 9) != 0)
    return fail(error, PANTILE_DATA_ERROR, "this is no code for an emulator");
  if (strcmp(request->target, "fake") != 0 || strcmp(request->entry, "scale") != 0)
    return fail(error, PANTILE_DATA_ERROR, "a launch of something else");
  for (i = 0; i < request->slots[2]; ++i) {
    const uint64_t at = (uint64_t)((const char *)(x + i) - request->memory), to = (uint64_t)((char *)(y + i) - request->memory);
    if (at >= request->memory_bytes || request->states[at] != PANTILE_BYTE_INITIALIZED)
      return fail(error, PANTILE_DATA_ERROR, "x was never written");
    if (to >= request->memory_bytes || request->states[to] == PANTILE_BYTE_NOT_ALLOCATED)
      return fail(error, PANTILE_DATA_ERROR, "y is out of bounds");
    y[i] = x[i] * (float)request->slots[3] + 1;
    memset(request->states + to, PANTILE_BYTE_INITIALIZED, sizeof(float));
  }
  return PANTILE_OK;
}
static const pantile_emulator_interface emulator = {sizeof(pantile_emulator_interface), 0, emulate};
#endif

static const void *query_interface(const pantile_plugin *plugin, const char *name) {
  (void)plugin;
#ifdef FAKE_EMULATES
  if (strcmp(name, PANTILE_INTERFACE_EMULATOR) == 0) return &emulator;
#endif
  return strcmp(name, PANTILE_INTERFACE_COMPILER) == 0 ? &compiler : NULL;
}
static const pantile_plugin plugin = {
    sizeof(pantile_plugin), PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR, "fake", "fake-compiler-1", FAKE_BUILT_WITH, {0}, query_interface};

__attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *host, uint32_t max_abi) {
  (void)host;
  return max_abi >> 16 == PANTILE_ABI_MAJOR ? &plugin : NULL;
}
