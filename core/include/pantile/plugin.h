/*===- pantile/plugin.h - the ABI between Pantile and a backend -----------===
 *
 * Part of Pantile, under the Apache License v2.0 with LLVM Exceptions. C99, standard headers only.
 *
 * A backend is up to two shared libraries, `libpantile_<name>_device.so` (loaded into the application; no compiler in
 * it) and `libpantile_<name>_compiler.so` (loaded into the helper program `pantile-compiler`; needs no device). Each
 * exports the one symbol `pantile_plugin_query`, and returns a table that only ever grows at its end.
 *
 * Rules
 *  - Every table and every struct begins with `struct_size`, set by whoever fills it. A reader touches a member only
 *    where `struct_size` covers it; absent function entries are replaced by the host with stubs that answer
 *    PANTILE_UNIMPLEMENTED. The host accepts an equal `abi_major` and a table no smaller than that major's first.
 *  - Memory is released by whoever made it, through the release entry beside it. Strings are UTF-8, NUL-terminated.
 *  - A function that can fail returns a pantile_code and, unless `error` is NULL, sets `*error` to a message owned by
 *    the plugin (released by `error->release`), or leaves it NULL. Success never sets it.
 *  - No exception, signal handler, FILE*, thread-local error or C++ type crosses. Nothing here may abort or exit.
 *  - Unless said otherwise a function may be called from any thread, concurrently.
 *
 * Expressions
 *  Numbers that depend on a call (grid, workspace, constraints, defaults ...) are texts in a small postfix language over
 *  64-bit integers, evaluated by the host: tokens parted by single spaces, e.g. "s0.0 64 ceildiv s1.1 c.bn ceildiv *".
 *    integers   -12, 0, 4096
 *    s<a>.<d>   size of dimension d of view argument a        t<a>.<d>   its stride, in elements
 *    a<a>       scalar argument a (integers; floats only as bits in launch slots)
 *    p<a>       address of view argument a (launch slots only)   w   address of the workspace (launch slots only)
 *    c.<name>   configuration value (enums by ordinal)         d.<name>   device constant (pantile_device_info)
 *    e<i>       extra value i of the same launch               k<s>   size named s in the kernel's `tile.sizes`
 *    + - * / % ceildiv min max shl shr and or not == != < <= > >= select(c a b -> c ? a : b) log2 pow2ceil
 *  `/` and `%` floor; overflow and division by zero are evaluation errors, never wrong numbers.
 *
 *===----------------------------------------------------------------------===*/

#ifndef PANTILE_PLUGIN_H
#define PANTILE_PLUGIN_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PANTILE_ABI_MAJOR 1
#define PANTILE_ABI_MINOR 0
/** `max_abi` and a packed version: major in the high half, minor in the low. */
#define PANTILE_ABI_VERSION ((uint32_t)PANTILE_ABI_MAJOR << 16 | PANTILE_ABI_MINOR)

#define PANTILE_INTERFACE_COMPILER "pantile.compiler"
#define PANTILE_INTERFACE_DEVICE "pantile.device"

/** Which sanitizer a library was built with: both sides must agree. */
enum { PANTILE_SANITIZER_NONE = 0, PANTILE_SANITIZER_ADDRESS = 1, PANTILE_SANITIZER_THREAD = 2 };

/** An error, owned by its maker. `cause` and `fix` may be NULL. */
typedef struct pantile_message {
  uint32_t struct_size;
  int32_t code;      /**< pantile_code */
  const char *text;  /**< one line: what is wrong, with names */
  const char *cause; /**< the underlying report (a driver's, a diagnostic), several lines allowed */
  const char *fix;   /**< one line: what to do */
  void (*release)(struct pantile_message *message);
} pantile_message;

/** What the host offers a plugin; lives as long as the process. */
typedef struct pantile_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  uint32_t sanitizer;
  uint32_t reserved_flags;
  /** Logs one line under the plugin's name. */
  void (*log)(const struct pantile_host *host, int32_t level, const char *plugin, const char *text);
  void *user;
} pantile_host;

typedef struct pantile_plugin {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  const char *name;     /**< [a-z0-9_]+, the backend's name */
  const char *build_id; /**< changes whenever generated code may: enters artifact keys */
  uint32_t sanitizer;
  uint32_t reserved[8];
  /** The table of an interface by name, or NULL. Tables live as long as the process. */
  const void *(*query_interface)(const struct pantile_plugin *plugin, const char *interface_name);
} pantile_plugin;

/** The one exported symbol. `max_abi`: the newest version the host understands. NULL: cannot serve this host. */
typedef const pantile_plugin *(*pantile_plugin_query_fn)(const pantile_host *host, uint32_t max_abi);
#define PANTILE_PLUGIN_QUERY_SYMBOL "pantile_plugin_query"

/*===----------------------------------------------------------------------===*
 * Facts and configuration
 *===----------------------------------------------------------------------===*/

/** What is known of one argument. Divisors and alignment come from {1, 2, 4, 8, 16, 32, 64, 128}. */
typedef struct pantile_argument_facts {
  uint32_t struct_size;
  int32_t dtype;             /**< pantile_dtype */
  int32_t rank;              /**< -1: a scalar */
  int32_t unit_dim;          /**< the dimension of stride 1 (the last such), -1: none */
  uint32_t alignment;        /**< of the address, bytes; scalars: divisor of the value */
  uint32_t zero_stride_mask; /**< bit d: stride d is 0 */
  uint32_t size_divisor[PANTILE_MAX_RANK];
  uint32_t stride_divisor[PANTILE_MAX_RANK]; /**< elements */
  int64_t static_size[PANTILE_MAX_RANK];     /**< -1: dynamic */
} pantile_argument_facts;

typedef struct pantile_facts {
  uint32_t struct_size;
  uint32_t argument_count;
  const pantile_argument_facts *arguments;
} pantile_facts;

typedef enum pantile_setting_kind { PANTILE_SETTING_INTEGER = 0, PANTILE_SETTING_TEXT = 1, PANTILE_SETTING_LIST = 2 } pantile_setting_kind;

/** One configured value: an integer (bools 0/1), an enum's label, or a list (permutations). */
typedef struct pantile_setting {
  uint32_t struct_size;
  int32_t kind;
  const char *name;
  int64_t integer;
  const char *text;
  const int64_t *list;
  size_t list_size;
} pantile_setting;

typedef struct pantile_configuration {
  uint32_t struct_size;
  uint32_t setting_count;
  const pantile_setting *settings; /**< sorted by name */
} pantile_configuration;

/** A named integer or text of a target or device ("units", "l2_bytes", "vector_bits", "features" ...). */
typedef struct pantile_property {
  const char *name;
  int64_t integer;
  const char *text; /**< NULL where the property is a number */
} pantile_property;

/*===----------------------------------------------------------------------===*
 * Compiler interface
 *===----------------------------------------------------------------------===*/

typedef enum pantile_parameter_kind {
  PANTILE_PARAMETER_BOOL = 0,
  PANTILE_PARAMETER_ENUM = 1,       /**< labels; value = ordinal */
  PANTILE_PARAMETER_POW2 = 2,       /**< values = {lowest, highest}, powers of two between */
  PANTILE_PARAMETER_ORDERED = 3,    /**< the listed values, ascending */
  PANTILE_PARAMETER_INTEGER = 4,    /**< values = {lowest, highest} */
  PANTILE_PARAMETER_PERMUTATION = 5 /**< of 0 .. length-1 */
} pantile_parameter_kind;

typedef struct pantile_parameter {
  uint32_t struct_size;
  int32_t kind;
  const char *name;
  uint32_t launch_only; /**< 1: changes the launch, not the code */
  uint32_t length;      /**< of a permutation */
  const int64_t *values;
  size_t value_count;
  const char *const *labels; /**< enum: value_count of them */
  const char *default_value; /**< expression (enum: of the ordinal), rounded into the domain by the host; a permutation's
                                  default is the identity */
  const char *active_if;     /**< expression over c.*, NULL: always; inactive parameters take their default */
} pantile_parameter;

/** A hard constraint: nonzero means legal. */
typedef struct pantile_constraint {
  const char *expression;
  const char *text; /**< what it says, for people */
} pantile_constraint;

/** One input of the cost model, e.g. "flops", "bytes", "programs", "live_bytes". */
typedef struct pantile_feature {
  const char *name;
  const char *expression;
} pantile_feature;

typedef struct pantile_space {
  uint32_t struct_size;
  uint32_t parameter_count;
  const pantile_parameter *const *parameters;
  uint32_t constraint_count, feature_count;
  const pantile_constraint *constraints;
  const pantile_feature *features;
  void (*release)(struct pantile_space *space);
} pantile_space;

typedef struct pantile_compile_request {
  uint32_t struct_size;
  uint32_t reserved;
  const char *ir; /**< portable text; `ir_size` bytes, no NUL needed */
  size_t ir_size;
  const pantile_facts *facts;
  const pantile_configuration *configuration;
  const char *target;      /**< "arch" or "arch:property=value,...", as the device's `target` says; never NULL */
  const char *final_stage; /**< NULL: loadable code; else stop there ("llvm" needs no assembler) */
} pantile_compile_request;

/** One launch of a plan. Strings are expressions unless said otherwise. */
typedef struct pantile_launch_record {
  uint32_t struct_size;
  uint32_t slot_count;
  const char *entry; /**< symbol in the code (a name, not an expression) */
  const char *grid[3];
  const char *block[3];
  const char *shared_bytes;
  const char *const *slots; /**< the packed argument block: one 64-bit value each */
  uint32_t extra_count;
  uint32_t reserved;
  const char *const *extras; /**< values whose meaning the two halves of the backend share */
} pantile_launch_record;

/** A requirement on the arguments, checked before a launch. */
typedef struct pantile_check {
  const char *expression; /**< nonzero: holds */
  const char *text;       /**< said to the caller where it does not */
} pantile_check;

typedef struct pantile_artifact {
  uint32_t struct_size;
  uint32_t launch_count;
  const void *code; /**< what the device half loads, or the text of the final stage asked for */
  size_t code_size;
  const pantile_launch_record *const *launches;
  const pantile_check *checks;
  uint32_t check_count;
  uint32_t resource_count;
  const pantile_property *resources;  /**< "registers", "spill_bytes", "shared_bytes", "scratch_bytes", ... */
  const char *workspace_bytes;        /**< expression; "0" where none */
  const char *zeroed_workspace_bytes; /**< expression: the leading bytes that must be zero before the first launch */
  const char *log;                    /**< warnings, may be NULL */
  void (*release)(struct pantile_artifact *artifact);
} pantile_artifact;

typedef struct pantile_text {
  uint32_t struct_size;
  uint32_t reserved;
  const char *text;
  size_t size;
  void (*release)(struct pantile_text *text);
} pantile_text;

/** Compiles without a device. Reentrant: every call works in a context of its own. */
typedef struct pantile_compiler_interface {
  uint32_t struct_size;
  uint32_t reserved;
  /** The targets this half compiles for, as a JSON array of {name, arch, properties}. Caller releases. */
  int32_t (*list_targets)(pantile_text **targets, pantile_message **error);
  /** One target's data as a JSON object (properties the cost model and tuner use). */
  int32_t (*describe_target)(const char *target, pantile_text **description, pantile_message **error);
  /** The legal configurations of a kernel on a target; depends on facts, never on sizes. */
  int32_t (*space)(const pantile_compile_request *request, pantile_space **space, pantile_message **error);
  int32_t (*compile)(const pantile_compile_request *request, pantile_artifact **artifact, pantile_message **error);
  /** Text of one stage: "portable", "scheduled", "simt", "llvm", "assembly". */
  int32_t (*inspect)(const pantile_compile_request *request, const char *stage, pantile_text **text, pantile_message **error);
} pantile_compiler_interface;

/*===----------------------------------------------------------------------===*
 * Device interface
 *===----------------------------------------------------------------------===*/

typedef struct pantile_device_handle pantile_device_handle;
typedef struct pantile_stream_handle pantile_stream_handle;
typedef struct pantile_event_handle pantile_event_handle;
typedef struct pantile_module_handle pantile_module_handle;

typedef struct pantile_device_info {
  uint32_t struct_size;
  int32_t ordinal;
  char name[128];
  char target[256]; /**< the target string to compile for */
  char uuid[64];
  char hardware[128]; /**< short name of the hardware class: the configuration cache's hard key */
  uint64_t memory_bytes;
  int32_t dlpack_device_type;
  uint32_t property_count;
  const pantile_property *properties; /**< "units", "clock_khz", ...; live as long as the process */
} pantile_device_info;

/** One kernel launch, all numbers evaluated. */
typedef struct pantile_launch_call {
  uint32_t struct_size;
  uint32_t slot_count;
  pantile_module_handle *module;
  uint32_t entry; /**< index into the names given to load */
  uint32_t extra_count;
  int64_t grid[3];
  int64_t block[3];
  int64_t shared_bytes;
  const uint64_t *slots;
  const int64_t *extras;
} pantile_launch_call;

typedef enum pantile_copy_kind { PANTILE_COPY_TO_DEVICE = 0, PANTILE_COPY_TO_HOST = 1, PANTILE_COPY_ON_DEVICE = 2 } pantile_copy_kind;

/** Streams are externally synchronized: one thread at a time uses a stream. A NULL stream is the device's default. */
typedef struct pantile_device_interface {
  uint32_t struct_size;
  uint32_t reserved;
  /** Number of devices; a missing driver is PANTILE_UNAVAILABLE with the reason. */
  int32_t (*count)(uint32_t *count, pantile_message **error);
  int32_t (*describe)(uint32_t ordinal, pantile_device_info *info, pantile_message **error);
  int32_t (*open)(uint32_t ordinal, pantile_device_handle **device, pantile_message **error);
  void (*close)(pantile_device_handle *device);
  /** At least 64-byte aligned; `bytes` 0 gives NULL. */
  int32_t (*allocate)(pantile_device_handle *device, size_t bytes, void **pointer, pantile_message **error);
  void (*free)(pantile_device_handle *device, void *pointer);
  /** Ordered on `stream`; host memory must stay valid until the stream has passed. */
  int32_t (*copy)(pantile_device_handle *device, pantile_stream_handle *stream, int32_t kind, void *to, const void *from, size_t bytes,
                  pantile_message **error);
  /** Repeats the low `pattern_bytes` (1, 2, 4) of pattern. */
  int32_t (*fill)(pantile_device_handle *device, pantile_stream_handle *stream, void *pointer, uint32_t pattern, uint32_t pattern_bytes,
                  size_t bytes, pantile_message **error);
  int32_t (*stream_create)(pantile_device_handle *device, pantile_stream_handle **stream, pantile_message **error);
  /** Wraps the application's own stream (the driver's handle); releasing it leaves the application's alive. */
  int32_t (*stream_wrap)(pantile_device_handle *device, void *native, pantile_stream_handle **stream, pantile_message **error);
  void (*stream_release)(pantile_stream_handle *stream);
  int32_t (*stream_synchronize)(pantile_device_handle *device, pantile_stream_handle *stream, pantile_message **error);
  int32_t (*event_create)(pantile_device_handle *device, pantile_event_handle **event, pantile_message **error);
  void (*event_release)(pantile_event_handle *event);
  int32_t (*event_record)(pantile_event_handle *event, pantile_stream_handle *stream, pantile_message **error);
  int32_t (*event_wait)(pantile_stream_handle *stream, pantile_event_handle *event, pantile_message **error);
  int32_t (*event_synchronize)(pantile_event_handle *event, pantile_message **error);
  /** Nanoseconds between two recorded, completed events. */
  int32_t (*event_elapsed)(pantile_event_handle *start, pantile_event_handle *stop, uint64_t *nanoseconds, pantile_message **error);
  /** Loads verified code and resolves its entries; copies what it needs. */
  int32_t (*load)(pantile_device_handle *device, const void *code, size_t code_size, const char *const *entries, uint32_t entry_count,
                  pantile_module_handle **module, pantile_message **error);
  /** No launch of the module may be in flight. */
  void (*unload)(pantile_module_handle *module);
  /** No allocation, no lock that a compile could hold, no implicit synchronization with other streams. */
  int32_t (*launch)(pantile_device_handle *device, pantile_stream_handle *stream, const pantile_launch_call *call, pantile_message **error);
  /** Sets a named number for launches that follow ("threads": host threads, 0: as many as the device's property of that
      name says, which expressions see as set, `d.threads`). Unknown names are PANTILE_UNSUPPORTED. */
  int32_t (*set_option)(pantile_device_handle *device, const char *name, int64_t value, pantile_message **error);
} pantile_device_interface;

PANTILE_STATIC_ASSERT(sizeof(void *) == 8, "Pantile needs 64-bit pointers");
PANTILE_STATIC_ASSERT(sizeof(pantile_message) == 40, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_host) == 32, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_plugin) == 72, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_argument_facts) == 152, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_facts) == 16, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_setting) == 48, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_configuration) == 16, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_parameter) == 64, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_space) == 48, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_compile_request) == 56, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_launch_record) == 96, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_artifact) == 88, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_compiler_interface) == 48, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_device_info) == 608, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_launch_call) == 96, "ABI 1.0");
PANTILE_STATIC_ASSERT(sizeof(pantile_device_interface) == 184, "ABI 1.0");

#ifdef __cplusplus
}
#endif

#endif /* PANTILE_PLUGIN_H */
