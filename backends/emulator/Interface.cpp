//===- emulator/Interface.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Interface.h"

#include "backends/common/Message.h"
#include "backends/emulator/Module.h"

#include <fmt/format.h>
#include <list>
#include <mutex>
#include <new>

namespace pantile::emulator {

namespace {

constexpr size_t kModules = 48;

/// Compiled modules, the last used first.
class ModuleCache {
public:
  Expected<std::shared_ptr<CodeModule>> get(std::string_view code, const Dialect &dialect, const std::string &target) {
    const size_t hash = std::hash<std::string_view>()(code);
    {
      std::lock_guard lock(mutex);
      for (auto at = modules.begin(); at != modules.end(); ++at)
        if (at->hash == hash && at->dialect == &dialect && at->target == target && at->code == code) {
          modules.splice(modules.begin(), modules, at);
          return at->module;
        }
    }
    PANTILE_ASSIGN(auto module, CodeModule::load(code, dialect, target));
    std::lock_guard lock(mutex);
    modules.push_front({hash, &dialect, target, std::string(code), module});
    if (modules.size() > kModules) modules.pop_back();
    return module;
  }
  static ModuleCache &shared() {
    static auto *cache = new ModuleCache; // no destructor at exit
    return *cache;
  }

private:
  struct Entry {
    size_t hash;
    const Dialect *dialect;
    std::string target, code;
    std::shared_ptr<CodeModule> module;
  };
  std::mutex mutex;
  std::list<Entry> modules;
};

Status run(const Dialect &dialect, const pantile_emulate_request &request) {
  PANTILE_ASSIGN(auto module, ModuleCache::shared().get({request.code, request.code_size}, dialect, request.target));
  const KernelInfo *kernel = module->kernel(request.entry);
  if (!kernel) return {PANTILE_DATA_ERROR, fmt::format("the module has no kernel '{}'", request.entry)};
  LaunchDimensions dimensions;
  for (int d = 0; d < 3; ++d) {
    if (request.grid[d] < 0 || request.grid[d] > INT32_MAX || request.block[d] < 1 || request.block[d] > 1024)
      return {PANTILE_INVALID_ARGUMENT, fmt::format("kernel '{}': a grid of {} blocks of {} threads along {}", request.entry,
                                                    request.grid[d], request.block[d], "xyz"[d])};
    dimensions.grid[d] = uint32_t(request.grid[d]);
    dimensions.block[d] = uint32_t(request.block[d]);
  }
  constexpr int64_t most = 1 << 20;
  if (request.shared_bytes < 0 || request.shared_bytes > most)
    return {PANTILE_INVALID_ARGUMENT, fmt::format("kernel '{}': {} bytes of shared memory", request.entry, request.shared_bytes)};
  dimensions.dynamicShared = uint32_t(request.shared_bytes);

  std::vector<char> bytes;
  std::vector<size_t> offsets;
  PANTILE_RETURN_IF_ERROR(
      dialect.packParameters(*kernel, {{request.slots, request.slot_count}, {request.extras, request.extra_count}}, bytes, offsets));
  bytes.resize(bytes.size() + 64); // an aligned start
  char *start = bytes.data();
  if (size_t over = reinterpret_cast<uintptr_t>(start) % 64) {
    std::copy_backward(start, start + bytes.size() - 64, start + bytes.size() - over);
    start += 64 - over;
  }
  std::vector<const void *> parameters;
  for (size_t offset : offsets) parameters.push_back(start + offset);
  const Region region{start, bytes.data() + bytes.size(), false};
  ExecutionOptions options;
  options.seed = request.seed;
  options.threads = request.threads;
  options.checks = request.checks;
  return module->launch(*kernel, dimensions, parameters, {&region, 1}, {request.memory, request.memory_bytes, request.states}, options);
}

} // namespace

int32_t emulate(const Dialect &dialect, const pantile_emulate_request *request, pantile_message **error) noexcept {
  try {
    return report(run(dialect, *request), error);
  } catch (const std::bad_alloc &) { return report({PANTILE_OUT_OF_MEMORY, "the emulator is out of memory"}, error); }
}

} // namespace pantile::emulator
