//===- cuda/device/tests/FakeDriver.cpp - a libcuda.so.1 without a GPU ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/device/tests/FakeDriver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <unistd.h>

namespace pantile::cuda {
struct CUctx_st {
  CUdevice device;
  bool faulted = false;
};
struct CUstream_st {
  CUctx_st *context;
  bool capturing = false, broken = false;
  std::vector<std::function<CUresult()>> recorded;
};
struct CUevent_st {
  uint64_t time = 0;
};
struct CUmod_st {
  std::set<std::string> entries;
};
struct CUfunc_st {
  std::string name;
  std::map<int, int> attributes;
};
struct CUgraph_st {
  std::vector<std::function<CUresult()>> nodes;
};
struct CUgraphExec_st : CUgraph_st {};
struct CUlinkState_st {
  std::string cubin, *errorLog = nullptr;
  char *errorBuffer = nullptr;
  size_t errorSize = 0;
};
struct CUmemPoolHandle_st {
  CUdevice device;
};
} // namespace pantile::cuda

using namespace pantile::cuda;

namespace {

std::recursive_mutex mutex;
FakeDriver &fake() {
  static auto &it = *new FakeDriver;
  return it;
}
bool started = false;
uint64_t ticks = 0;
CUctx_st contexts[8] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
thread_local std::vector<CUctx_st *> stack;
thread_local CUstreamCaptureMode captureMode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
thread_local CUstream_st *capturingHere = nullptr;

/// What a thread must not do while a stream of its captures, unless it says that it knows (CU_STREAM_CAPTURE_MODE_RELAXED).
bool disturbsCapture() {
  if (!capturingHere || captureMode == CU_STREAM_CAPTURE_MODE_RELAXED) return false;
  return capturingHere->broken = true;
}
#define REFUSE_IN_CAPTURE()                                                                                                                \
  if (disturbsCapture()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED

CUresult enter(const char *name) {
  ++fake().calls[name];
  if (auto found = fake().failing.find(name); found != fake().failing.end()) {
    CUresult result = found->second;
    fake().failing.erase(found);
    return result;
  }
  return CUDA_SUCCESS;
}

CUctx_st *current() { return stack.empty() ? nullptr : stack.back(); }
/// The context that a call works in: the stream's, else the current one.
CUresult context(CUstream stream, CUctx_st *&found) {
  found = current();
  if (!found) return CUDA_ERROR_INVALID_CONTEXT;
  if (stream && stream->context != found) return CUDA_ERROR_INVALID_HANDLE;
  return found->faulted ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_SUCCESS;
}

#define ENTER(name)                                                                                                                        \
  std::lock_guard lock(mutex);                                                                                                             \
  if (CUresult injected = enter(#name)) return injected;                                                                                   \
  if (!started) return CUDA_ERROR_NOT_INITIALIZED
#define ENTER_ON(name, stream)                                                                                                             \
  ENTER(name);                                                                                                                             \
  CUctx_st *in = nullptr;                                                                                                                  \
  if (CUresult bad = context(stream, in)) return bad

/// Device memory: addresses that the host cannot touch; the same bytes are mapped elsewhere for the fake itself.
struct Arena {
  static constexpr size_t kBytes = size_t(1) << 30;
  char *device, *host;
  std::map<CUdeviceptr, std::pair<size_t, CUdevice>> blocks;
  Arena() {
    int file = memfd_create("fake device memory", 0);
    if (ftruncate(file, kBytes)) abort();
    device = static_cast<char *>(mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    host = static_cast<char *>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0));
    if (device == MAP_FAILED || host == MAP_FAILED) abort();
    close(file);
  }
  bool owns(CUdeviceptr address) const { return address >= CUdeviceptr(device) && address < CUdeviceptr(device) + kBytes; }
  /// The block around an address.
  auto find(CUdeviceptr address) {
    auto next = blocks.upper_bound(address);
    if (next == blocks.begin()) return blocks.end();
    --next;
    return address - next->first < next->second.first ? next : blocks.end();
  }
  char *at(CUdeviceptr address, size_t bytes) {
    auto block = find(address);
    if (block == blocks.end() || bytes > block->second.first - (address - block->first)) return nullptr;
    return host + (address - CUdeviceptr(device));
  }
  CUresult take(CUdeviceptr *pointer, size_t bytes, CUdevice device_) {
    size_t used = 0;
    CUdeviceptr at = CUdeviceptr(device);
    for (auto &[start, block] : blocks) {
      if (block.second == device_) used += block.first;
      if (start - at < bytes + 512) at = (start + block.first + 511) / 512 * 512;
    }
    if (bytes > fake().memoryBytes || used + bytes > fake().memoryBytes || at + bytes > CUdeviceptr(device) + kBytes)
      return CUDA_ERROR_OUT_OF_MEMORY;
    blocks[at] = {bytes, device_};
    std::memset(host + (at - CUdeviceptr(device)), 0xcd, bytes);
    fake().allocated += bytes;
    *pointer = at;
    return CUDA_SUCCESS;
  }
  CUresult give(CUdeviceptr pointer) {
    auto block = blocks.find(pointer);
    if (block == blocks.end()) return CUDA_ERROR_INVALID_VALUE;
    fake().allocated -= block->second.first;
    blocks.erase(block);
    return CUDA_SUCCESS;
  }
};
Arena &arena() {
  static auto &it = *new Arena;
  return it;
}

/// Runs now, or records where the stream captures.
CUresult enqueue(CUstream stream, std::function<CUresult()> work) {
  if (stream && stream->capturing) {
    stream->recorded.push_back(std::move(work));
    return CUDA_SUCCESS;
  }
  return work();
}

CUresult copyBytes(char *to, const char *from, size_t bytes) {
  if (!to || !from) return CUDA_ERROR_INVALID_VALUE;
  std::memmove(to, from, bytes);
  return CUDA_SUCCESS;
}

struct Implementation {
  static CUresult cuInit(unsigned) {
    std::lock_guard lock(mutex);
    ++fake().calls["cuInit"];
    started = fake().initResult == CUDA_SUCCESS;
    return fake().initResult;
  }
  static CUresult cuGetErrorName(CUresult result, const char **text) {
    *text = result == CUDA_ERROR_ILLEGAL_ADDRESS     ? "CUDA_ERROR_ILLEGAL_ADDRESS"
            : result == CUDA_ERROR_OUT_OF_MEMORY     ? "CUDA_ERROR_OUT_OF_MEMORY"
            : result == CUDA_ERROR_NO_BINARY_FOR_GPU ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
                                                     : "CUDA_ERROR_FAKE";
    return CUDA_SUCCESS;
  }
  static CUresult cuGetErrorString(CUresult result, const char **text) {
    *text = result == CUDA_ERROR_ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : "a fake error";
    return CUDA_SUCCESS;
  }
  static CUresult cuDeviceGetCount(int *count) {
    ENTER(cuDeviceGetCount);
    *count = fake().devices;
    return CUDA_SUCCESS;
  }
  static CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    ENTER(cuDeviceGet);
    *device = ordinal;
    return ordinal >= 0 && ordinal < fake().devices ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
  }
  static CUresult cuDeviceGetName(char *name, int size, CUdevice) {
    ENTER(cuDeviceGetName);
    std::strncpy(name, "NVIDIA Fake 80GB (SXM)", size_t(size));
    return CUDA_SUCCESS;
  }
  static CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device) {
    ENTER(cuDeviceGetUuid);
    std::memset(uuid->bytes, 0xa0 + device, 16);
    return CUDA_SUCCESS;
  }
  static CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) {
    ENTER(cuDeviceTotalMem);
    *bytes = fake().memoryBytes;
    return CUDA_SUCCESS;
  }
  static CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute which, CUdevice) {
    ENTER(cuDeviceGetAttribute);
    const std::map<int, int> values = {{CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 132},
                                       {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1980000},
                                       {CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 2619000},
                                       {CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 5120},
                                       {CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 50 << 20},
                                       {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 2048},
                                       {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, fake().major},
                                       {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, fake().minor},
                                       {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 233472},
                                       {CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 65536},
                                       {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 232448},
                                       {CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 32},
                                       {CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, fake().pools},
                                       {CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH, fake().major >= 9}};
    auto found = values.find(which);
    if (found == values.end()) return CUDA_ERROR_INVALID_VALUE;
    *value = found->second;
    return CUDA_SUCCESS;
  }
  static CUresult cuDeviceCanAccessPeer(int *can, CUdevice a, CUdevice b) {
    ENTER(cuDeviceCanAccessPeer);
    *can = a != b;
    return CUDA_SUCCESS;
  }
  static CUresult cuDevicePrimaryCtxRetain(CUcontext *made, CUdevice device) {
    ENTER(cuDevicePrimaryCtxRetain);
    *made = &contexts[device];
    return CUDA_SUCCESS;
  }
  static CUresult cuDevicePrimaryCtxRelease(CUdevice) {
    ENTER(cuDevicePrimaryCtxRelease);
    return CUDA_SUCCESS;
  }
  static CUresult cuCtxGetCurrent(CUcontext *found) {
    *found = current();
    return CUDA_SUCCESS;
  }
  static CUresult cuCtxGetDevice(CUdevice *device) {
    if (!current()) return CUDA_ERROR_INVALID_CONTEXT;
    *device = current()->device;
    return CUDA_SUCCESS;
  }
  static CUresult cuCtxPushCurrent(CUcontext pushed) {
    stack.push_back(pushed);
    return CUDA_SUCCESS;
  }
  static CUresult cuCtxPopCurrent(CUcontext *popped) {
    if (stack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    *popped = stack.back();
    stack.pop_back();
    return CUDA_SUCCESS;
  }
  static CUresult cuCtxEnablePeerAccess(CUcontext, unsigned) {
    ENTER_ON(cuCtxEnablePeerAccess, nullptr);
    return fake().calls["cuCtxEnablePeerAccess"] > 1 ? CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED : CUDA_SUCCESS;
  }

  static CUresult cuMemAlloc(CUdeviceptr *pointer, size_t bytes) {
    ENTER_ON(cuMemAlloc, nullptr);
    REFUSE_IN_CAPTURE();
    return arena().take(pointer, bytes, in->device);
  }
  static CUresult cuMemFree(CUdeviceptr pointer) {
    ENTER_ON(cuMemFree, nullptr);
    return arena().give(pointer);
  }
  static CUresult cuMemGetInfo(size_t *left, size_t *total) {
    ENTER_ON(cuMemGetInfo, nullptr);
    *total = fake().memoryBytes;
    *left = *total - std::min(*total, fake().allocated);
    return CUDA_SUCCESS;
  }
  static CUresult cuMemPoolCreate(CUmemoryPool *pool, const CUmemPoolProps *properties) {
    ENTER(cuMemPoolCreate);
    *pool = new CUmemPoolHandle_st{properties->location.id};
    return CUDA_SUCCESS;
  }
  static CUresult cuMemPoolDestroy(CUmemoryPool pool) {
    ENTER(cuMemPoolDestroy);
    delete pool;
    return CUDA_SUCCESS;
  }
  static CUresult cuMemPoolSetAttribute(CUmemoryPool, CUmemPool_attribute, void *) {
    ENTER(cuMemPoolSetAttribute);
    return CUDA_SUCCESS;
  }
  static CUresult cuMemPoolSetAccess(CUmemoryPool, const CUmemAccessDesc *, size_t) {
    ENTER(cuMemPoolSetAccess);
    return CUDA_SUCCESS;
  }
  static CUresult cuMemPoolTrimTo(CUmemoryPool, size_t) {
    ENTER(cuMemPoolTrimTo);
    REFUSE_IN_CAPTURE();
    return CUDA_SUCCESS;
  }
  static CUresult cuMemAllocFromPoolAsync(CUdeviceptr *pointer, size_t bytes, CUmemoryPool pool, CUstream stream) {
    ENTER_ON(cuMemAllocFromPoolAsync, stream);
    REFUSE_IN_CAPTURE();
    return arena().take(pointer, bytes, pool->device);
  }
  static CUresult cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
    ENTER_ON(cuMemFreeAsync, stream);
    return arena().give(pointer);
  }
  static CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
    ENTER_ON(cuMemcpyHtoDAsync, stream);
    return enqueue(stream, [=] { return copyBytes(arena().at(to, bytes), static_cast<const char *>(from), bytes); });
  }
  static CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
    ENTER_ON(cuMemcpyDtoHAsync, stream);
    return enqueue(stream, [=] { return copyBytes(static_cast<char *>(to), arena().at(from, bytes), bytes); });
  }
  static CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    ENTER_ON(cuMemcpyDtoDAsync, stream);
    return enqueue(stream, [=] { return copyBytes(arena().at(to, bytes), arena().at(from, bytes), bytes); });
  }
  static CUresult set(CUdeviceptr to, uint32_t pattern, size_t width, size_t count, CUstream stream) {
    return enqueue(stream, [=] {
      char *at = arena().at(to, width * count);
      if (!at || to % width) return CUDA_ERROR_INVALID_VALUE;
      for (size_t i = 0; i < count; ++i) std::memcpy(at + i * width, &pattern, width);
      return CUDA_SUCCESS;
    });
  }
  static CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
    ENTER_ON(cuMemsetD8Async, stream);
    return set(to, value, 1, count, stream);
  }
  static CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
    ENTER_ON(cuMemsetD16Async, stream);
    return set(to, value, 2, count, stream);
  }
  static CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
    ENTER_ON(cuMemsetD32Async, stream);
    return set(to, value, 4, count, stream);
  }
  static CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *which, void **values, CUdeviceptr pointer) {
    ENTER_ON(cuPointerGetAttributes, nullptr);
    auto block = arena().find(pointer);
    const bool known = block != arena().blocks.end();
    for (unsigned i = 0; i < count; ++i) switch (which[i]) {
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
        *static_cast<unsigned *>(values[i]) = known ? CU_MEMORYTYPE_DEVICE : 0;
        break;
      case CU_POINTER_ATTRIBUTE_IS_MANAGED:
        *static_cast<unsigned *>(values[i]) = 0;
        break;
      case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
        *static_cast<int *>(values[i]) = known ? block->second.second : -2;
        break;
      case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
        *static_cast<CUdeviceptr *>(values[i]) = known ? block->first : 0;
        break;
      case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
        *static_cast<size_t *>(values[i]) = known ? block->second.first : 0;
        break;
      default:
        *static_cast<CUdeviceptr *>(values[i]) = pointer;
      }
    return CUDA_SUCCESS;
  }

  static CUresult cuStreamCreate(CUstream *stream, unsigned) {
    ENTER_ON(cuStreamCreate, nullptr);
    *stream = new CUstream_st{in, false, false, {}};
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamDestroy(CUstream stream) {
    ENTER(cuStreamDestroy);
    delete stream;
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamSynchronize(CUstream stream) {
    ENTER_ON(cuStreamSynchronize, stream);
    REFUSE_IN_CAPTURE();
    if (stream && stream->capturing) {
      stream->broken = true;
      return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamGetCtx(CUstream stream, CUcontext *found) {
    ENTER(cuStreamGetCtx);
    *found = stream ? stream->context : current();
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamWaitEvent(CUstream stream, CUevent, unsigned) {
    ENTER_ON(cuStreamWaitEvent, stream);
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status) {
    ENTER_ON(cuStreamIsCapturing, stream);
    *status = stream && stream->capturing ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode) {
    ENTER_ON(cuStreamBeginCapture, stream);
    if (!stream || stream->capturing) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    stream->capturing = true;
    stream->broken = false;
    capturingHere = stream;
    stream->recorded.clear();
    return CUDA_SUCCESS;
  }
  static CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
    ENTER_ON(cuStreamEndCapture, stream);
    if (!stream || !stream->capturing) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    stream->capturing = false;
    capturingHere = nullptr;
    if (stream->broken) return CUresult(901);
    *graph = new CUgraph_st{std::move(stream->recorded)};
    return CUDA_SUCCESS;
  }
  static CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
    std::swap(captureMode, *mode);
    return CUDA_SUCCESS;
  }
  static CUresult cuEventCreate(CUevent *event, unsigned) {
    ENTER_ON(cuEventCreate, nullptr);
    *event = new CUevent_st;
    return CUDA_SUCCESS;
  }
  static CUresult cuEventDestroy(CUevent event) {
    ENTER(cuEventDestroy);
    delete event;
    return CUDA_SUCCESS;
  }
  static CUresult cuEventRecord(CUevent event, CUstream stream) {
    ENTER_ON(cuEventRecord, stream);
    event->time = ticks += 1000;
    return CUDA_SUCCESS;
  }
  static CUresult cuEventSynchronize(CUevent) {
    ENTER_ON(cuEventSynchronize, nullptr);
    return CUDA_SUCCESS;
  }
  static CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent stop) {
    ENTER(cuEventElapsedTime);
    if (!start->time || !stop->time) return CUDA_ERROR_INVALID_HANDLE;
    *milliseconds = float(double(stop->time - start->time) * 1e-6);
    return CUDA_SUCCESS;
  }
  static CUresult cuGraphInstantiateWithFlags(CUgraphExec *made, CUgraph graph, unsigned long long) {
    ENTER(cuGraphInstantiateWithFlags);
    *made = new CUgraphExec_st{*graph};
    return CUDA_SUCCESS;
  }
  static CUresult cuGraphLaunch(CUgraphExec graph, CUstream stream) {
    ENTER_ON(cuGraphLaunch, stream);
    for (auto &node : graph->nodes)
      if (CUresult result = node()) return result;
    return CUDA_SUCCESS;
  }
  static CUresult cuGraphDestroy(CUgraph graph) {
    ENTER(cuGraphDestroy);
    delete graph;
    return CUDA_SUCCESS;
  }
  static CUresult cuGraphExecDestroy(CUgraphExec graph) {
    ENTER(cuGraphExecDestroy);
    delete graph;
    return CUDA_SUCCESS;
  }

  static CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, CUjit_option *, void **) {
    ENTER_ON(cuModuleLoadDataEx, nullptr);
    REFUSE_IN_CAPTURE();
    std::string text(static_cast<const char *>(image));
    if (text.rfind("\x7f"
                   "ELF fake",
                   0) != 0)
      return CUDA_ERROR_INVALID_IMAGE;
    *module = new CUmod_st;
    for (size_t at = text.find('\n'); at != text.npos;) {
      size_t end = text.find('\n', at + 1);
      (*module)->entries.insert(text.substr(at + 1, end == text.npos ? end : end - at - 1));
      at = end;
    }
    return CUDA_SUCCESS;
  }
  static CUresult cuModuleUnload(CUmodule module) {
    ENTER_ON(cuModuleUnload, nullptr);
    delete module;
    return CUDA_SUCCESS;
  }
  static CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
    ENTER_ON(cuModuleGetFunction, nullptr);
    if (!module->entries.count(name)) return CUDA_ERROR_NOT_FOUND;
    *function = new CUfunc_st{name, {}}; // kept, like the real ones as long as their module
    return CUDA_SUCCESS;
  }
  static CUresult cuLinkCreate(unsigned count, CUjit_option *options, void **values, CUlinkState *state) {
    ENTER_ON(cuLinkCreate, nullptr);
    *state = new CUlinkState_st;
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER) (*state)->errorBuffer = static_cast<char *>(values[i]);
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) (*state)->errorSize = reinterpret_cast<size_t>(values[i]);
    }
    return CUDA_SUCCESS;
  }
  static CUresult cuLinkAddData(CUlinkState state, CUjitInputType, void *data, size_t size, const char *, unsigned, CUjit_option *,
                                void **) {
    ENTER_ON(cuLinkAddData, nullptr);
    std::string ptx(static_cast<const char *>(data));
    if (ptx.size() + 1 != size) return CUDA_ERROR_INVALID_VALUE;
    if (!fake().compilerLog.empty()) {
      std::strncpy(state->errorBuffer, fake().compilerLog.c_str(), state->errorSize);
      return CUDA_ERROR_INVALID_PTX;
    }
    state->cubin = "\x7f"
                   "ELF fake";
    for (size_t at = ptx.find(".entry "); at != ptx.npos; at = ptx.find(".entry ", at + 1))
      state->cubin += "\n" + ptx.substr(at + 7, ptx.find('(', at) - at - 7);
    fake().lastLinked = state->cubin;
    return CUDA_SUCCESS;
  }
  static CUresult cuLinkComplete(CUlinkState state, void **cubin, size_t *size) {
    ENTER_ON(cuLinkComplete, nullptr);
    *cubin = state->cubin.data();
    *size = state->cubin.size();
    return CUDA_SUCCESS;
  }
  static CUresult cuLinkDestroy(CUlinkState state) {
    ENTER(cuLinkDestroy);
    delete state;
    return CUDA_SUCCESS;
  }
  static CUresult cuFuncGetAttribute(int *value, CUfunction_attribute which, CUfunction) {
    ENTER(cuFuncGetAttribute);
    *value = which == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? 512 : which == CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES ? 64 : 0;
    return CUDA_SUCCESS;
  }
  static CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute which, int value) {
    ENTER(cuFuncSetAttribute);
    if (which == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES && value > 232448 - 64) return CUDA_ERROR_INVALID_VALUE;
    function->attributes[which] = value;
    return CUDA_SUCCESS;
  }
  static CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction, const CUlaunchConfig *) {
    ENTER(cuOccupancyMaxActiveClusters);
    *clusters = 30;
    return CUDA_SUCCESS;
  }
  static CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction, int, size_t) {
    ENTER(cuOccupancyMaxActiveBlocksPerMultiprocessor);
    *blocks = 2;
    return CUDA_SUCCESS;
  }
  static CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **parameters, void **) {
    ENTER_ON(cuLaunchKernelEx, config->hStream);
    if (int(config->sharedMemBytes) > 48 << 10 &&
        int(config->sharedMemBytes) > function->attributes[CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES])
      return CUDA_ERROR_INVALID_VALUE;
    fake().launches.push_back(*config);
    fake().attributes.assign(config->attrs, config->attrs + config->numAttrs);
    // Bytes of each parameter, copied now: slots first, then maps.
    const std::vector<size_t> sizes = function->name == "scale"  ? std::vector<size_t>{8, 8, 8, 8}
                                      : function->name == "maps" ? std::vector<size_t>{8, 8, 8, 128, 128}
                                                                 : std::vector<size_t>{};
    std::vector<char> bytes;
    for (size_t i = 0; i < sizes.size(); ++i)
      bytes.insert(bytes.end(), static_cast<char *>(parameters[i]), static_cast<char *>(parameters[i]) + sizes[i]);
    return enqueue(config->hStream, [in, bytes, name = function->name] { return run(*in, name, bytes); });
  }
  static CUresult run(CUctx_st &in, const std::string &name, const std::vector<char> &bytes) {
    auto slot = [&](size_t i) {
      uint64_t value = 0;
      if (8 * i + 8 <= bytes.size()) std::memcpy(&value, bytes.data() + 8 * i, 8);
      return value;
    };
    auto fault = [&] {
      in.faulted = true; // reported by what comes next, as on a device
      return CUDA_SUCCESS;
    };
    if (name == "scale") {
      const uint64_t n = slot(2);
      char *x = arena().at(slot(0), 4 * n), *y = arena().at(slot(1), 4 * n);
      if (!x || !y) return fault();
      float factor;
      uint32_t bits = uint32_t(slot(3));
      std::memcpy(&factor, &bits, 4);
      for (uint64_t i = 0; i < n; ++i) {
        float value;
        std::memcpy(&value, x + 4 * i, 4);
        value = value * factor + 1;
        std::memcpy(y + 4 * i, &value, 4);
      }
      return CUDA_SUCCESS;
    }
    if (name == "maps") {
      char *y = arena().at(slot(0), slot(1));
      if (!y || bytes.size() < 24 + slot(1)) return fault();
      std::memcpy(y, bytes.data() + 24, slot(1));
      return CUDA_SUCCESS;
    }
    return fault();
  }
  static CUresult cuTensorMapEncodeTiled(CUtensorMap *map, CUtensorMapDataType type, uint32_t rank, void *address, const uint64_t *sizes,
                                         const uint64_t *strides, const uint32_t *box, const uint32_t *, int, int swizzle, int, int) {
    ENTER(cuTensorMapEncodeTiled);
    if (reinterpret_cast<uintptr_t>(address) % 16) return CUDA_ERROR_INVALID_VALUE;
    *map = {};
    map->opaque[0] = reinterpret_cast<uintptr_t>(address);
    map->opaque[1] = uint64_t(type) << 32 | rank << 8 | uint64_t(swizzle);
    for (uint32_t d = 0; d < rank; ++d) {
      map->opaque[2 + d] = sizes[d];
      if (d) map->opaque[6 + d] = strides[d - 1];
      map->opaque[11 + d] = box[d];
    }
    return CUDA_SUCCESS;
  }
  static CUresult cuTensorMapReplaceAddress(CUtensorMap *map, void *address) {
    ENTER(cuTensorMapReplaceAddress);
    map->opaque[0] = reinterpret_cast<uintptr_t>(address);
    return CUDA_SUCCESS;
  }
};

} // namespace

extern "C" {

__attribute__((visibility("default"))) FakeDriver *fakeDriver() { return &fake(); }

__attribute__((visibility("default"))) void fakeDriverReset() {
  std::lock_guard lock(mutex);
  fake() = FakeDriver{};
  for (CUctx_st &each : contexts) each.faulted = false;
}

__attribute__((visibility("default"))) CUresult cuDriverGetVersion(int *version) {
  // Set by tests that start programs with this library in their way.
  if (const char *text = secure_getenv("FAKE_CUDA_VERSION")) fake().version = atoi(text);
  if (const char *text = secure_getenv("FAKE_CUDA_INIT")) fake().initResult = CUresult(atoi(text));
  if (const char *text = secure_getenv("FAKE_CUDA_COMPUTE")) fake().major = atoi(text) / 10, fake().minor = atoi(text) % 10;
  *version = fake().version;
  return CUDA_SUCCESS;
}

__attribute__((visibility("default"))) CUresult cuGetProcAddress_v2(const char *name, void **address, int version, uint64_t, int *status) {
#define PANTILE_CUDA_SYMBOL(symbol, since, parameters)                                                                                     \
  if (std::strcmp(name, #symbol) == 0 && version == since && since <= fake().version && fake().missing != #symbol) {                       \
    CUresult(*function) parameters = &Implementation::symbol;                                                                              \
    *address = reinterpret_cast<void *>(function);                                                                                         \
    *status = 0;                                                                                                                           \
    return CUDA_SUCCESS;                                                                                                                   \
  }
#include "backends/cuda/device/DriverSymbols.def"
#undef PANTILE_CUDA_SYMBOL
  *address = nullptr;
  *status = 1;
  return CUDA_ERROR_NOT_FOUND;
}
}
