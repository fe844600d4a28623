//===- runtime/helper/CompilerProgram.cpp - pantile-compiler --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Loads compiler halves when they are first asked for, and the interpreter. Launches on emulated devices run here too.
//
//===----------------------------------------------------------------------===//

#include "core/SpaceDescription.h"
#include "runtime/Paths.h"
#include "runtime/helper/Protocol.h"
#include "runtime/helper/Server.h"
#include "runtime/plugin/Loader.h"

#include <cerrno>
#include <fmt/format.h>
#include <map>
#include <sys/mman.h>
#include <sys/stat.h>

#ifdef PANTILE_STATIC_PLUGINS // X(cpu) X(interpreter) ...: what a release has inside
#define X(name) extern "C" const pantile_plugin *pantile_plugin_query_##name(const pantile_host *host, uint32_t max_abi);
PANTILE_STATIC_PLUGINS
#undef X
#endif

using namespace pantile;

namespace {

struct StaticPlugin {
  std::string_view name;
  pantile_plugin_query_fn query;
};
const StaticPlugin kStaticPlugins[] = {
#ifdef PANTILE_STATIC_PLUGINS
#define X(name) {#name, pantile_plugin_query_##name},
    PANTILE_STATIC_PLUGINS
#undef X
#endif
    {"", nullptr}};

class Plugins {
public:
  explicit Plugins(std::vector<std::string> folders) : folders(std::move(folders)) {}

  Expected<const LoadedPlugin *> get(const std::string &name, const std::string &half) {
    auto [at, fresh] = loaded.try_emplace(name);
    if (!fresh) return &at->second;
    auto plugin = open(name, half);
    if (!plugin) {
      loaded.erase(at);
      return std::move(plugin).status();
    }
    at->second = *std::move(plugin);
    return &at->second;
  }

private:
  Expected<LoadedPlugin> open(const std::string &name, const std::string &half) {
    for (const auto &plugin : kStaticPlugins)
      if (plugin.query && plugin.name == name) return queryPlugin(plugin.query, name);
    auto file = findPlugin(findPlugins(folders), name, half);
    if (!file) return std::move(file).status();
    return loadPlugin(*file);
  }

  std::vector<std::string> folders;
  std::map<std::string, LoadedPlugin> loaded;
};

Expected<std::string> takeText(int32_t code, pantile_text *text, pantile_message *message, const char *what) {
  PANTILE_RETURN_IF_ERROR(statusOf(code, message, what));
  if (!text) return Status(PANTILE_INTERNAL, fmt::format("{}: the plugin answered nothing", what));
  std::string copy(text->text, text->size);
  if (text->release) text->release(text);
  return copy;
}

Expected<std::string> answerCompile(Plugins &plugins, uint32_t kind, ByteReader &reader) {
  PANTILE_ASSIGN(auto request, CompileRequest::read(reader));
  std::string stage = kind == kInspect ? reader.text() : "";
  PANTILE_RETURN_IF_ERROR(reader.finish("a compile request"));
  PANTILE_ASSIGN(const LoadedPlugin *plugin, plugins.get(request.backend, "compiler"));
  if (!plugin->compiler) return Status(PANTILE_UNSUPPORTED, fmt::format("'{}' has no compiler", request.backend));
  const auto &compiler = *plugin->compiler;
  pantile_facts facts = request.facts.abi();
  ConfigurationABI configuration(request.configuration);
  pantile_compile_request abi = {sizeof(abi),
                                 0,
                                 request.ir.c_str(),
                                 request.ir.size(),
                                 &facts,
                                 configuration.get(),
                                 request.target.c_str(),
                                 request.finalStage.empty() ? nullptr : request.finalStage.c_str()};
  pantile_message *message = nullptr;
  ByteWriter writer;
  if (kind == kSpace) {
    pantile_space *space = nullptr;
    PANTILE_RETURN_IF_ERROR(statusOf(compiler.space(&abi, &space, &message), message, "the kernel has no space"));
    if (!space) return Status(PANTILE_INTERNAL, "the plugin answered no space");
    SpaceDescription::fromABI(*space).write(writer);
    if (space->release) space->release(space);
  } else if (kind == kCompile) {
    pantile_artifact *artifact = nullptr;
    PANTILE_RETURN_IF_ERROR(statusOf(compiler.compile(&abi, &artifact, &message), message, "the kernel could not be compiled"));
    if (!artifact) return Status(PANTILE_INTERNAL, "the plugin answered no artifact");
    Artifact::fromABI(*artifact).write(writer);
    if (artifact->release) artifact->release(artifact);
  } else {
    pantile_text *text = nullptr;
    int32_t code = compiler.inspect(&abi, stage.c_str(), &text, &message);
    return takeText(code, text, message, "the stage cannot be shown");
  }
  return writer.take();
}

Expected<std::string> answerTargets(Plugins &plugins, uint32_t kind, ByteReader &reader) {
  std::string backend = reader.text(), target = kind == kDescribeTarget ? reader.text() : "";
  PANTILE_RETURN_IF_ERROR(reader.finish("a request about targets"));
  PANTILE_ASSIGN(const LoadedPlugin *plugin, plugins.get(backend, "compiler"));
  if (!plugin->compiler) return Status(PANTILE_UNSUPPORTED, fmt::format("'{}' has no compiler", backend));
  pantile_text *text = nullptr;
  pantile_message *message = nullptr;
  int32_t code = kind == kListTargets ? plugin->compiler->list_targets(&text, &message)
                                      : plugin->compiler->describe_target(target.c_str(), &text, &message);
  return takeText(code, text, message, "the targets cannot be described");
}

Expected<std::string> answerInterpret(Plugins &plugins, Frame &frame, ByteReader &reader) {
  PANTILE_ASSIGN(auto request, InterpretRequest::read(reader));
  PANTILE_ASSIGN(const LoadedPlugin *plugin, plugins.get("interpreter", "interpreter"));
  if (!plugin->interpreter) return Status(PANTILE_UNSUPPORTED, "the interpreter's library has no interpreter");
  struct stat info;
  if (!frame.descriptor.valid() || fstat(frame.descriptor.get(), &info))
    return Status(PANTILE_DATA_ERROR, "no memory came with an interpret request");
  size_t bytes = size_t(info.st_size);
  char *memory = nullptr;
  if (bytes) {
    void *mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, frame.descriptor.get(), 0);
    if (mapped == MAP_FAILED)
      return Status(PANTILE_OUT_OF_MEMORY, fmt::format("{} bytes of tensors cannot be mapped: {}", bytes, systemError(errno)));
    memory = static_cast<char *>(mapped);
  }
  struct Unmap {
    char *memory;
    size_t bytes;
    ~Unmap() {
      if (memory) munmap(memory, bytes);
    }
  } unmap{memory, bytes};
  std::vector<pantile_interpret_argument> arguments(request.tensors.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto &tensor = request.tensors[i];
    if (tensor.high > bytes) return Status(PANTILE_DATA_ERROR, "a tensor lies outside its memory");
    auto &argument = arguments[i];
    argument = {};
    argument.struct_size = sizeof(argument);
    argument.dtype = tensor.dtype;
    argument.rank = tensor.rank;
    argument.scalar = tensor.scalar;
    argument.data = memory + tensor.offset;
    argument.low = memory + tensor.low;
    argument.high = memory + tensor.high;
    for (size_t d = 0; d < tensor.sizes.size(); ++d) argument.sizes[d] = tensor.sizes[d], argument.strides[d] = tensor.strides[d];
  }
  pantile_interpret_request abi{};
  abi.struct_size = sizeof(abi);
  abi.argument_count = uint32_t(arguments.size());
  abi.ir = request.ir.c_str();
  abi.ir_size = request.ir.size();
  abi.arguments = arguments.data();
  abi.sampled_blocks = request.sampledBlocks;
  abi.seed = request.seed;
  pantile_message *message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(plugin->interpreter->interpret(&abi, &message), message, "the kernel could not be interpreted"));
  return std::string();
}

/// The memory of the emulated device that was used last stays mapped: launches come in rows.
class DeviceMemory {
public:
  Status map(const EmulateRequest &request, int descriptor) {
    struct stat info;
    if (descriptor < 0 || fstat(descriptor, &info) || uint64_t(info.st_size) != 2 * request.bytes)
      return {PANTILE_DATA_ERROR, "no memory came with a launch to emulate"};
    if (address == request.base && file == info.st_ino) return {};
    if (address) munmap(reinterpret_cast<void *>(address), 2 * bytes);
    address = 0;
    void *mapped = mmap(reinterpret_cast<void *>(request.base), 2 * request.bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, descriptor, 0);
    if (mapped == MAP_FAILED)
      return Status(PANTILE_OUT_OF_MEMORY, fmt::format("the emulated device's memory cannot be mapped: {}", systemError(errno)));
    address = request.base;
    bytes = request.bytes;
    file = info.st_ino;
    return {};
  }

private:
  uint64_t address = 0, bytes = 0;
  ino_t file = 0;
};

Expected<std::string> answerEmulate(Plugins &plugins, DeviceMemory &memory, Frame &frame, ByteReader &reader) {
  PANTILE_ASSIGN(auto request, EmulateRequest::read(reader));
  PANTILE_ASSIGN(const LoadedPlugin *plugin, plugins.get(request.backend, "compiler"));
  if (!plugin->emulator)
    return Status(PANTILE_UNSUPPORTED, fmt::format("the compiler half of '{}' cannot emulate its targets", request.backend));
  PANTILE_RETURN_IF_ERROR(memory.map(request, frame.descriptor.get()));
  pantile_emulate_request abi{};
  abi.struct_size = sizeof(abi);
  abi.threads = request.threads;
  abi.code = request.code.data();
  abi.code_size = request.code.size();
  abi.target = request.target.c_str();
  abi.entry = request.entry.c_str();
  for (size_t d = 0; d < 3; ++d) abi.grid[d] = request.grid[d], abi.block[d] = request.block[d];
  abi.shared_bytes = request.sharedBytes;
  abi.slots = reinterpret_cast<const uint64_t *>(request.slots.data());
  abi.extras = request.extras.data();
  abi.slot_count = uint32_t(request.slots.size());
  abi.extra_count = uint32_t(request.extras.size());
  abi.memory = reinterpret_cast<char *>(request.base);
  abi.states = reinterpret_cast<uint8_t *>(request.base + request.bytes);
  abi.memory_bytes = request.bytes;
  abi.seed = request.seed;
  abi.checks = request.checks;
  pantile_message *message = nullptr;
  PANTILE_RETURN_IF_ERROR(statusOf(plugin->emulator->emulate(&abi, &message), message, "the kernel could not be emulated"));
  return std::string();
}

} // namespace

int main(int argc, char **argv) {
  HelperArguments arguments = startHelper(argc, argv);
  Log log;
  setHostLog(&log);
  Plugins plugins(arguments.pluginFolders);
  DeviceMemory memory;
  return serve([&](Frame &frame) -> Expected<std::string> {
    ByteReader reader(frame.payload);
    switch (frame.kind) {
    case kListTargets:
    case kDescribeTarget:
      return answerTargets(plugins, frame.kind, reader);
    case kSpace:
    case kCompile:
    case kInspect:
      return answerCompile(plugins, frame.kind, reader);
    case kInterpret:
      return answerInterpret(plugins, frame, reader);
    case kEmulate:
      return answerEmulate(plugins, memory, frame, reader);
    default:
      return Status(PANTILE_DATA_ERROR, fmt::format("unknown request {}", frame.kind));
    }
  });
}
