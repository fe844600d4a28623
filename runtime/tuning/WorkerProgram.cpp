//===- runtime/tuning/WorkerProgram.cpp - pantile-worker ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Owns a device and runs candidates that may crash, hang, or write where they should not. Each tensor has red zones at its
// ends on the device; outputs are poisoned before a check. A device with memory of its own is timed by its events, with its
// shared cache overwritten before every launch.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Device.h"
#include "runtime/dispatch/LaunchPlan.h"
#include "runtime/dispatch/SharedTensors.h"
#include "runtime/emulation/Emulation.h"
#include "runtime/helper/Server.h"
#include "runtime/tuning/Inputs.h"
#include "runtime/tuning/WorkerProtocol.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <time.h>

using namespace pantile;

namespace {

uint64_t nanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1'000'000'000u + uint64_t(t.tv_nsec);
}

class Worker {
public:
  explicit Worker(std::vector<std::string> folders) : folders(std::move(folders)) {}

  Status prepare(ByteReader &reader, Descriptor memory);
  Status load(ByteReader &reader);
  Status check();
  Status adopt();
  Expected<std::string> time(ByteReader &reader);

private:
  struct Buffer {
    char *base = nullptr; ///< on the device, red zone first
    uint64_t bytes = 0;
    bool mutated = false; ///< read and written: restored before every run
  };
  Status restoreMutated();
  Status launchOnce() { return plan.launch(evaluated, {words.data(), module}, *stream); }
  Status timeOnHost(uint32_t samples, std::vector<double> &times);
  Status timeOnDevice(uint32_t samples, std::vector<double> &times);
  pantile_stream_handle *queue() { return stream->handle; }

  std::vector<std::string> folders;
  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> stream;
  std::optional<Signature> signature;
  BoundArguments bound;
  std::optional<SharedMemory> shared;
  WorkerSetup setup;
  std::vector<Buffer> buffers;
  std::vector<uint64_t> words;
  LaunchPlan plan;
  LaunchPlan::Evaluated evaluated;
  pantile_module_handle *module = nullptr;
  static constexpr uint32_t kBatch = 32;                                         ///< launches enqueued before the first is waited for
  std::vector<std::pair<pantile_event_handle *, pantile_event_handle *>> events; ///< start and stop
  void *flushed = nullptr;                                                       ///< as large as twice the shared cache
  uint64_t flushedBytes = 0;
  bool warm = false, host = false, anyMutated = false;
};

Status Worker::prepare(ByteReader &reader, Descriptor memory) {
  PANTILE_ASSIGN(setup, WorkerSetup::read(reader));
  if (isEmulated(setup.backend)) {
    PANTILE_ASSIGN(device, openEmulated(setup.backend.substr(kEmulatedBackend.size() + 1), ownFolder(), folders));
  } else {
    PANTILE_ASSIGN(auto file, findPlugin(findPlugins(folders), setup.backend, "device"));
    PANTILE_ASSIGN(auto plugin, loadPlugin(file));
    PANTILE_ASSIGN(device, Device::open(std::move(plugin), setup.ordinal));
  }
  host = device->info().dlpack_device_type == kDLCPU;
  pantile_message *message = nullptr;
  if (setup.threads >= 0) PANTILE_RETURN_IF_ERROR(device->setThreads(uint32_t(setup.threads)));
  stream = std::unique_ptr<Stream>(new Stream{*device});
  PANTILE_ASSIGN(signature, Signature::read(setup.ir));
  PANTILE_ASSIGN(shared, SharedMemory::map(std::move(memory)));
  if (setup.tensors.size() != signature->arguments().size())
    return {PANTILE_DATA_ERROR, "a worker's setup has the wrong number of tensors"};
  buffers.assign(setup.tensors.size(), {});
  words.assign(setup.tensors.size(), 0);
  bound.resize(setup.tensors.size());
  for (size_t i = 0; i < setup.tensors.size(); ++i) {
    const auto &record = setup.tensors[i];
    if (record.high > setup.inputBytes || setup.referenceOffset + record.high > shared->size())
      return {PANTILE_DATA_ERROR, "a tensor lies outside its memory"};
    auto &b = bound[i];
    b.dtype = record.dtype;
    b.rank = record.rank;
    b.scalar = record.scalar;
    words[i] = record.scalar;
    if (b.rank < 0) continue;
    b.elements = 1;
    for (int d = 0; d < b.rank; ++d)
      b.sizes[d] = record.sizes[size_t(d)], b.strides[d] = record.strides[size_t(d)], b.elements *= b.sizes[d];
    b.span = record.high - record.offset;
    auto &buffer = buffers[i];
    buffer.bytes = (b.span + 63) / 64 * 64 + 2 * kRedZoneBytes;
    buffer.mutated = signature->arguments()[i].access == Access::Update;
    PANTILE_ASSIGN(void *data, device->allocate(buffer.bytes));
    buffer.base = static_cast<char *>(data);
    b.address = buffer.base + kRedZoneBytes;
    words[i] = reinterpret_cast<uintptr_t>(b.address);
    PANTILE_RETURN_IF_ERROR(device->fill(queue(), buffer.base, kRedZone, buffer.bytes));
    PANTILE_RETURN_IF_ERROR(device->copy(queue(), PANTILE_COPY_TO_DEVICE, b.address, shared->data() + record.offset, b.span));
  }
  anyMutated = std::any_of(buffers.begin(), buffers.end(), [](const Buffer &b) { return b.mutated && b.bytes; });
  if (!host) {
    events.resize(kBatch);
    for (auto &[start, stop] : events)
      for (auto *event : {&start, &stop})
        PANTILE_RETURN_IF_ERROR(statusOf(device->table().event_create(device->handle(), event, &message), message, "no event"));
    const auto constants = device->constants();
    if (auto l2 = constants.find("l2_bytes"); l2 != constants.end() && l2->second > 0) {
      flushedBytes = uint64_t(2 * l2->second);
      PANTILE_ASSIGN(flushed, device->allocate(flushedBytes));
    }
  }
  return device->synchronize(queue());
}

Status Worker::load(ByteReader &reader) {
  PANTILE_ASSIGN(auto candidate, WorkerCandidate::read(reader));
  if (!device) return {PANTILE_DATA_ERROR, "a candidate before the setup"};
  if (module) device->table().unload(module);
  module = nullptr;
  warm = false;
  PANTILE_ASSIGN(plan, LaunchPlan::create(candidate.artifact, *signature, candidate.values, device->constants()));
  std::vector<const char *> entries;
  for (const auto &entry : plan.entries()) entries.push_back(entry.c_str());
  pantile_message *message = nullptr;
  int32_t code = device->table().load(device->handle(), candidate.artifact.code.data(), candidate.artifact.code.size(), entries.data(),
                                      uint32_t(entries.size()), &module, &message);
  PANTILE_RETURN_IF_ERROR(statusOf(code, message, "the compiled code cannot be loaded"));
  return plan.evaluate(bound, evaluated);
}

Status Worker::restoreMutated() {
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].mutated && bound[i].span)
      PANTILE_RETURN_IF_ERROR(
          device->copy(queue(), PANTILE_COPY_TO_DEVICE, bound[i].address, shared->data() + setup.tensors[i].offset, bound[i].span));
  return {};
}

Status Worker::check() {
  if (!module) return {PANTILE_DATA_ERROR, "a check before a candidate"};
  PANTILE_RETURN_IF_ERROR(restoreMutated());
  for (size_t i = 0; i < buffers.size(); ++i)
    if (signature->writes(i) && !buffers[i].mutated)
      PANTILE_RETURN_IF_ERROR(device->fill(queue(), bound[i].address, kPoison, bound[i].span));
  PANTILE_RETURN_IF_ERROR(launchOnce());
  PANTILE_RETURN_IF_ERROR(device->synchronize(queue()));
  std::string copy;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (!buffers[i].base) continue;
    copy.resize(buffers[i].bytes);
    PANTILE_RETURN_IF_ERROR(device->copy(queue(), PANTILE_COPY_TO_HOST, copy.data(), buffers[i].base, buffers[i].bytes));
    PANTILE_RETURN_IF_ERROR(device->synchronize(queue()));
    const std::string &name = signature->arguments()[i].name;
    auto intact = [&](uint64_t from, uint64_t to) {
      return std::all_of(copy.begin() + int64_t(from), copy.begin() + int64_t(to),
                         [](char c) { return static_cast<unsigned char>(c) == kRedZone; });
    };
    if (!intact(0, kRedZoneBytes)) return {PANTILE_DATA_ERROR, fmt::format("something was written before '{}'", name)};
    if (!intact(kRedZoneBytes + bound[i].span, buffers[i].bytes)) {
      // Put it back: the next candidate is not to blame.
      PANTILE_RETURN_IF_ERROR(device->fill(queue(), buffers[i].base + kRedZoneBytes + bound[i].span, kRedZone,
                                           buffers[i].bytes - kRedZoneBytes - bound[i].span));
      return {PANTILE_DATA_ERROR, fmt::format("something was written behind '{}'", name)};
    }
    const char *result = copy.data() + kRedZoneBytes, *input = shared->data() + setup.tensors[i].offset;
    if (signature->writes(i)) {
      PANTILE_RETURN_IF_ERROR(compareView(name, result, shared->data() + setup.referenceOffset + setup.tensors[i].offset, bound[i]));
    } else if (std::memcmp(result, input, bound[i].span) != 0) {
      PANTILE_RETURN_IF_ERROR(device->copy(queue(), PANTILE_COPY_TO_DEVICE, bound[i].address, input, bound[i].span));
      return {PANTILE_DATA_ERROR, fmt::format("the input '{}' was changed", name)};
    }
  }
  return {};
}

Status Worker::adopt() {
  if (!module) return {PANTILE_DATA_ERROR, "a reference before a candidate"};
  for (size_t i = 0; i < buffers.size(); ++i)
    if (signature->writes(i))
      PANTILE_RETURN_IF_ERROR(device->copy(queue(), PANTILE_COPY_TO_HOST, shared->data() + setup.referenceOffset + setup.tensors[i].offset,
                                           bound[i].address, bound[i].span));
  return device->synchronize(queue());
}

Status Worker::timeOnHost(uint32_t samples, std::vector<double> &times) {
  auto once = [&](unsigned calls) -> Expected<double> { // microseconds a call
    if (anyMutated) PANTILE_RETURN_IF_ERROR(restoreMutated());
    const uint64_t from = nanoseconds();
    for (unsigned c = 0; c < calls; ++c) PANTILE_RETURN_IF_ERROR(launchOnce());
    return double(nanoseconds() - from) / 1e3 / calls;
  };
  if (!warm) PANTILE_RETURN_IF_ERROR(once(1).status());
  PANTILE_ASSIGN(const double guess, once(1));
  // Short kernels are timed several at a time, so that reading the clock does not count.
  const unsigned calls = anyMutated ? 1 : unsigned(std::clamp(20.0 / std::max(guess, 0.01), 1.0, 200.0));
  for (uint32_t s = 0; s < samples; ++s) {
    PANTILE_ASSIGN(double microseconds, once(calls));
    times.push_back(microseconds);
  }
  return {};
}

Status Worker::timeOnDevice(uint32_t samples, std::vector<double> &times) {
  const auto &table = device->table();
  pantile_message *message = nullptr;
  if (!warm) PANTILE_RETURN_IF_ERROR(launchOnce());
  while (times.size() < samples) {
    const uint32_t batch = std::min<uint32_t>(kBatch, samples - uint32_t(times.size()));
    for (uint32_t i = 0; i < batch; ++i) {
      if (anyMutated) PANTILE_RETURN_IF_ERROR(restoreMutated());
      PANTILE_RETURN_IF_ERROR(device->fill(queue(), flushed, 0, flushedBytes));
      PANTILE_RETURN_IF_ERROR(statusOf(table.event_record(events[i].first, queue(), &message), message, "an event failed"));
      PANTILE_RETURN_IF_ERROR(launchOnce());
      PANTILE_RETURN_IF_ERROR(statusOf(table.event_record(events[i].second, queue(), &message), message, "an event failed"));
    }
    PANTILE_RETURN_IF_ERROR(device->synchronize(queue()));
    for (uint32_t i = 0; i < batch; ++i) {
      uint64_t elapsed = 0;
      PANTILE_RETURN_IF_ERROR(statusOf(table.event_elapsed(events[i].first, events[i].second, &elapsed, &message), message, "no time"));
      times.push_back(double(elapsed) / 1e3);
    }
  }
  return {};
}

Expected<std::string> Worker::time(ByteReader &reader) {
  const uint32_t samples = std::clamp<uint32_t>(reader.u32(), 1, 10000);
  if (!module) return Status(PANTILE_DATA_ERROR, "a measurement before a candidate");
  std::vector<double> times;
  PANTILE_RETURN_IF_ERROR(host ? timeOnHost(samples, times) : timeOnDevice(samples, times));
  warm = true;
  ByteWriter writer;
  writer.u64(times.size());
  for (double value : times) writer.f64(value);
  return writer.take();
}

} // namespace

int main(int argc, char **argv) {
  HelperArguments arguments = startHelper(argc, argv);
  Log log;
  setHostLog(&log);
  Worker worker(arguments.pluginFolders);
  return serve([&](Frame &frame) -> Expected<std::string> {
    ByteReader reader(frame.payload);
    Status status;
    switch (frame.kind) {
    case kPrepare:
      status = worker.prepare(reader, std::move(frame.descriptor));
      break;
    case kLoad:
      status = worker.load(reader);
      break;
    case kCheck:
      status = worker.check();
      break;
    case kAdopt:
      status = worker.adopt();
      break;
    case kTime:
      return worker.time(reader);
    default:
      status = {PANTILE_DATA_ERROR, fmt::format("unknown request {}", frame.kind)};
    }
    if (!status.isOk()) return status;
    return std::string();
  });
}
