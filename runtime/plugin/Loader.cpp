//===- runtime/plugin/Loader.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/plugin/Loader.h"

#include "core/DynamicLibrary.h"
#include "core/Sanitizer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fmt/format.h>

namespace pantile {

namespace {

std::atomic<Log *> hostLog{nullptr};

// One stub a signature: every entry that may fail ends in `pantile_message **error`, which a stub leaves alone.
template <typename Function> struct Stub;
template <typename... Arguments> struct Stub<int32_t (*)(Arguments...)> {
  static int32_t call(Arguments...) { return PANTILE_UNIMPLEMENTED; }
};
template <typename... Arguments> struct Stub<void (*)(Arguments...)> {
  static void call(Arguments...) {}
};
template <typename Function> void orStub(Function &entry) {
  if (!entry) entry = &Stub<Function>::call;
}

void fillStubs(pantile_compiler_interface &t) {
  orStub(t.list_targets), orStub(t.describe_target), orStub(t.space), orStub(t.compile), orStub(t.inspect);
}
void fillStubs(pantile_device_interface &t) {
  orStub(t.count), orStub(t.describe), orStub(t.open), orStub(t.close), orStub(t.allocate), orStub(t.free), orStub(t.copy), orStub(t.fill);
  orStub(t.stream_create), orStub(t.stream_wrap), orStub(t.stream_release), orStub(t.stream_synchronize);
  orStub(t.event_create), orStub(t.event_release), orStub(t.event_record), orStub(t.event_wait), orStub(t.event_synchronize),
      orStub(t.event_elapsed);
  orStub(t.load), orStub(t.unload), orStub(t.launch), orStub(t.set_option);
}
void fillStubs(pantile_interpreter_interface &t) { orStub(t.interpret); }
void fillStubs(pantile_emulator_interface &t) { orStub(t.emulate); }
void fillStubs(pantile_capture_interface &t) {
  orStub(t.check_memory), orStub(t.capturing), orStub(t.begin), orStub(t.end), orStub(t.replay), orStub(t.release);
}

/// The sizes of the tables of ABI 1.0: what every plugin of this major has.
template <typename Table> constexpr uint32_t kFirstSize = 0;
template <> constexpr uint32_t kFirstSize<pantile_compiler_interface> = 48;
template <> constexpr uint32_t kFirstSize<pantile_device_interface> = 184;
template <> constexpr uint32_t kFirstSize<pantile_interpreter_interface> = 16;
template <> constexpr uint32_t kFirstSize<pantile_emulator_interface> = 16;
template <> constexpr uint32_t kFirstSize<pantile_capture_interface> = 56;

template <typename Table> Status readTable(const pantile_plugin *plugin, const char *interface, std::optional<Table> &table) {
  const void *given = plugin->query_interface(plugin, interface);
  if (!given) return {};
  uint32_t size;
  std::memcpy(&size, given, sizeof(size));
  if (size < kFirstSize<Table>)
    return {PANTILE_UNSUPPORTED, fmt::format("its table '{}' has {} bytes, at least {} are needed", interface, size, kFirstSize<Table>)};
  Table copy{};
  std::memcpy(&copy, given, std::min<size_t>(size, sizeof(Table)));
  copy.struct_size = sizeof(Table);
  fillStubs(copy);
  table = copy;
  return {};
}

bool isName(const char *text) {
  if (!text || !*text) return false;
  for (const char *c = text; *c; ++c)
    if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '_') return false;
  return true;
}

} // namespace

void setHostLog(Log *log) { hostLog.store(log); }
void clearHostLog(Log *log) { hostLog.compare_exchange_strong(log, nullptr); }

const pantile_host *hostTable() {
  static const pantile_host host = {sizeof(pantile_host),
                                    PANTILE_ABI_MAJOR,
                                    PANTILE_ABI_MINOR,
                                    kSanitizer,
                                    0,
                                    [](const pantile_host *, int32_t level, const char *plugin, const char *text) {
                                      Log *log = hostLog.load();
                                      if (log && level >= 0 && level <= PANTILE_LOG_ERROR)
                                        log->write(pantile_log_level(level),
                                                   fmt::format("{}: {}", plugin ? plugin : "plugin", text ? text : ""));
                                    },
                                    nullptr};
  return &host;
}

Status statusOf(int32_t code, pantile_message *message, std::string_view fallback) {
  if (code == PANTILE_OK) return {};
  // A code this host does not know is still a failure.
  auto known = code > 0 && code <= PANTILE_UNIMPLEMENTED ? pantile_code(code) : PANTILE_INTERNAL;
  std::string text(fallback), cause, fix;
  if (message) {
    if (message->text) text = message->text;
    if (message->cause) cause = message->cause;
    if (message->fix) fix = message->fix;
    if (message->release) message->release(message);
  } else if (code == PANTILE_UNIMPLEMENTED) {
    text += ": this plugin is older and cannot do it";
  }
  return Status(known, std::move(text)).withCause(std::move(cause)).withFix(std::move(fix));
}

Expected<LoadedPlugin> queryPlugin(pantile_plugin_query_fn query, const std::string &name) {
  const pantile_plugin *plugin = query(hostTable(), PANTILE_ABI_VERSION);
  if (!plugin) return Status(PANTILE_UNSUPPORTED, fmt::format("it does not serve ABI {}.{}", PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR));
  constexpr uint32_t firstSize = 72;
  if (plugin->struct_size < firstSize)
    return Status(PANTILE_UNSUPPORTED, fmt::format("its table has {} bytes, at least {} are needed", plugin->struct_size, firstSize));
  if (plugin->abi_major != PANTILE_ABI_MAJOR)
    return Status(PANTILE_UNSUPPORTED, fmt::format("its ABI is {}.{}, this is {}.{}", plugin->abi_major, plugin->abi_minor,
                                                   PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR));
  if (plugin->sanitizer != kSanitizer) return Status(PANTILE_UNSUPPORTED, "it was built with another sanitizer");
  if (!isName(plugin->name) || plugin->name != name)
    return Status(PANTILE_DATA_ERROR, fmt::format("it calls itself '{}', its file '{}'", plugin->name ? plugin->name : "", name));
  if (!plugin->query_interface) return Status(PANTILE_DATA_ERROR, "it has no query_interface");
  LoadedPlugin loaded;
  loaded.name = plugin->name;
  loaded.buildId = plugin->build_id ? plugin->build_id : "";
  PANTILE_RETURN_IF_ERROR(readTable(plugin, PANTILE_INTERFACE_COMPILER, loaded.compiler));
  PANTILE_RETURN_IF_ERROR(readTable(plugin, PANTILE_INTERFACE_DEVICE, loaded.device));
  PANTILE_RETURN_IF_ERROR(readTable(plugin, PANTILE_INTERFACE_INTERPRETER, loaded.interpreter));
  PANTILE_RETURN_IF_ERROR(readTable(plugin, PANTILE_INTERFACE_EMULATOR, loaded.emulator));
  PANTILE_RETURN_IF_ERROR(readTable(plugin, PANTILE_INTERFACE_CAPTURE, loaded.capture));
  return loaded;
}

Expected<LoadedPlugin> loadPlugin(const PluginFile &file) {
  if (!file.problem.isOk()) return Status(file.problem).in(file.path);
  PANTILE_ASSIGN(std::string checksum, checksumOfFile(file.path));
  if (checksum != file.manifest.checksum)
    return Status(PANTILE_DATA_ERROR, fmt::format("{}: its checksum is not its manifest's", file.path)).withFix("install the plugin again");
  auto library = DynamicLibrary::open(file.path);
  if (!library) return std::move(library).status().in(file.path);
  auto query = library->function<pantile_plugin_query_fn>(PANTILE_PLUGIN_QUERY_SYMBOL);
  if (!query) return std::move(query).status().in(file.path);
  auto loaded = queryPlugin(*query, file.name);
  if (!loaded) return std::move(loaded).status().in(file.path);
  const bool present = file.half == "device"     ? loaded->device.has_value()
                       : file.half == "compiler" ? loaded->compiler.has_value()
                                                 : loaded->interpreter.has_value();
  if (!present) return Status(PANTILE_UNSUPPORTED, fmt::format("{}: it has no {} interface", file.path, file.half));
  return loaded;
}

} // namespace pantile
