//===- tests/fuzz/Api.cpp - sequences of C API calls ----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Bytes choose calls and arguments, valid and not, on the fake backend. Every failure has a code and a text, nothing leaks (with
// LeakSanitizer), kernels and streams end in any order before their context. Tensors point at one arena with room for what their
// spans may be; what would reach outside is not launched.
//
//===----------------------------------------------------------------------===//

#include "pantile/pantile.h"
#include "tests/fuzz/Fuzz.h"

#include <filesystem>
#include <vector>

namespace {

constexpr size_t kArena = 1 << 16;
alignas(64) char arena[kArena];

struct Session {
  Session() {
    for (const char *name : {"BACKEND", "PLUGIN_PATH", "CACHE_DIR", "CONFIG_PATH", "TUNE", "INTERPRET", "PRINT", "REPRO", "LOG", "THREADS"})
      unsetenv((std::string("PANTILE_") + name).c_str());
    options.struct_size = sizeof(options);
    options.backend = "fake";
    options.plugin_path = PANTILE_FUZZ_PLUGINS;
    options.helper_dir = PANTILE_FUZZ_HELPERS;
    options.log_level = PANTILE_LOG_OFF + 1;
    std::string pattern = std::filesystem::current_path() / "fuzz-api-XXXXXX";
    fuzz::require(mkdtemp(pattern.data()), "a folder can be made here");
    cache = pattern;
    options.cache_dir = cache.c_str();
    pantile_error *error = nullptr;
    if (pantile_context_create(&options, &context, &error)) {
      std::fprintf(stderr, "%s\n", pantile_error_text(error));
      std::abort();
    }
  }
  ~Session() {
    pantile_context_release(context);
    std::filesystem::remove_all(cache);
  }
  pantile_context_options options{};
  std::string cache;
  pantile_context *context = nullptr;
};

/// Checks an answer and releases its error.
struct Answer {
  pantile_error *error = nullptr;
  void operator()(pantile_code code) {
    fuzz::require((code != PANTILE_OK) == (error != nullptr), "an error object comes with a failure, and only with one");
    if (error) {
      fuzz::require(pantile_error_code(error) == code && pantile_error_text(error)[0], "it has the code and a text");
      fuzz::require(code != PANTILE_INTERNAL, "no exception came so far");
    }
    pantile_error_release(error);
    error = nullptr;
  }
};

std::string kernelText(const std::string &name) {
  return "// pantile-ir 1\ntile.kernel @" + name +
         "(%X: !tile.view<?xf32> {tile.sizes = [\"N\"], tile.access = \"read\"}, %Y: !tile.view<?xf32> {tile.sizes = [\"N\"], "
         "tile.access = \"write\"}) {\n  %N = tile.dim %X, 0\n  tile.parallel %i in %N by @b {\n"
         "    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>\n    tile.store %x, %Y[%i]\n  }\n}\n";
}

/// A tensor of anything; `inside`: whether all it can reach lies in the arena.
struct Tensor {
  int64_t shape[8], strides[8];
  DLTensor dl{};
  bool inside = true;

  void draw(fuzz::Bytes &bytes) {
    dl.ndim = bytes.byte() < 200 ? 1 : int(bytes.number() % 12);
    dl.device = {bytes.byte() < 240 ? kDLCPU : DLDeviceType(bytes.byte()), int(bytes.byte() < 240 ? 0 : bytes.number())};
    dl.dtype = bytes.byte() < 230 ? DLDataType{kDLFloat, 32, 1} : DLDataType{bytes.byte(), bytes.byte(), bytes.byte()};
    for (int64_t &size : shape) size = bytes.number();
    for (int64_t &stride : strides) stride = bytes.number();
    dl.shape = bytes.byte() < 250 ? shape : nullptr;
    dl.strides = bytes.byte() % 2 ? strides : nullptr;
    dl.byte_offset = bytes.byte() < 240 ? bytes.below(64) : uint64_t(bytes.number());
    dl.data = bytes.byte() < 250 ? arena + bytes.below(255) * 64 : nullptr;
    __int128 reach = 16, dense = 16;
    for (int d = std::min(dl.ndim, 8) - 1; d >= 0; --d) {
      const __int128 stride = dl.strides ? __int128(strides[d]) * 16 : dense;
      if (shape[d] > 0) reach += (shape[d] - 1) * stride;
      if (reach > __int128(kArena) || shape[d] > int64_t(kArena)) inside = false, reach = 0;
      dense = dense > __int128(kArena) ? dense : dense * (shape[d] > 0 ? shape[d] : 1);
    }
    const char *from = static_cast<const char *>(dl.data);
    if (from && (reach > __int128(kArena) || dl.byte_offset > kArena || from + dl.byte_offset + uint64_t(reach) > arena + kArena))
      inside = false;
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Session session;
  pantile_context *context = session.context;
  fuzz::Bytes bytes(data, size);
  std::vector<pantile_kernel *> kernels;
  std::vector<pantile_stream *> streams{nullptr};
  std::vector<pantile_event *> events;
  Answer answer;
  auto any = [&](auto &list) { return list.empty() ? nullptr : list[bytes.below(uint32_t(list.size()))]; };
  for (int calls = 0; calls < 64 && !bytes.empty(); ++calls) {
    pantile_string *string = nullptr;
    switch (bytes.below(16)) {
    case 0:
    case 1: {
      static const char *const names[] = {"scale", "refuse", "other", "third"};
      const std::string text = bytes.byte() < 200 ? kernelText(names[bytes.below(4)]) : bytes.text(200);
      pantile_kernel *kernel = nullptr;
      answer(pantile_kernel_from_text(context, text.data(), text.size(), &kernel, &answer.error));
      if (kernel && kernels.size() < 8)
        kernels.push_back(kernel);
      else
        pantile_kernel_release(kernel);
      break;
    }
    case 2: {
      const std::string name = bytes.byte() < 128 ? "add" : bytes.text(20), options = bytes.text(30);
      pantile_kernel *kernel = nullptr;
      answer(pantile_kernel_from_library(context, name.c_str(), options.c_str(), &kernel, &answer.error));
      pantile_kernel_release(kernel);
      break;
    }
    case 3:
    case 4:
    case 5:
    case 6: {
      Tensor tensors[3];
      DLTensor *list[3];
      bool inside = true;
      for (int i = 0; i < 3; ++i) {
        tensors[i].draw(bytes);
        inside &= tensors[i].inside;
        list[i] = bytes.byte() < 250 ? &tensors[i].dl : nullptr;
      }
      pantile_kernel *kernel = any(kernels);
      const size_t count = bytes.byte() < 230 ? 2 : bytes.below(4);
      switch (bytes.below(4)) {
      case 0:
        if (inside) answer(pantile_launch(kernel, any(streams), list, count, &answer.error));
        break;
      case 1:
        answer(pantile_prepare(kernel, list, count, &answer.error));
        break;
      case 2:
        answer(pantile_kernel_describe(kernel, list, count, &string, &answer.error));
        break;
      case 3:
        answer(pantile_kernel_sample_configuration(kernel, list, count, bytes.byte(), &string, &answer.error));
        break;
      }
      break;
    }
    case 7: {
      static const char *const good[] = {"{factor = 3}", "{factor = 12}", "{mode = \"slow\"}", "{x = 1}"};
      const std::string text = bytes.byte() < 128 ? good[bytes.below(4)] : bytes.text(60);
      answer(pantile_kernel_set_configuration(any(kernels), bytes.byte() < 200 ? text.c_str() : nullptr, &answer.error));
      break;
    }
    case 8: {
      pantile_stream *stream = nullptr;
      answer(pantile_stream_create(context, &stream, &answer.error));
      if (stream) streams.push_back(stream);
      break;
    }
    case 9:
      if (streams.size() > 1) {
        answer(pantile_synchronize(context, streams.back(), &answer.error));
        pantile_stream_release(streams.back());
        streams.pop_back();
      }
      break;
    case 10: {
      pantile_event *event = nullptr;
      answer(pantile_event_create(context, &event, &answer.error));
      if (event && events.size() < 8)
        events.push_back(event);
      else
        pantile_event_release(event);
      break;
    }
    case 11: {
      uint64_t time = 0;
      answer(pantile_event_record(any(events), any(streams), &answer.error));
      answer(pantile_event_wait(any(streams), any(events), &answer.error));
      answer(pantile_event_elapsed(any(events), any(events), &time, &answer.error));
      break;
    }
    case 12: {
      void *memory = nullptr;
      const size_t most = size_t(bytes.number());
      answer(pantile_allocate(context, most > (1 << 20) && most < (size_t(1) << 50) ? 1 << 20 : most, &memory, &answer.error));
      if (memory && most <= kArena) {
        answer(pantile_fill(context, any(streams), memory, bytes.byte(), most, &answer.error));
        answer(pantile_copy_to_host(context, any(streams), arena, memory, most, &answer.error));
        answer(pantile_synchronize(context, nullptr, &answer.error));
      }
      pantile_free(context, memory);
      break;
    }
    case 13:
      if (!kernels.empty()) {
        pantile_kernel_release(kernels.back());
        kernels.pop_back();
      }
      break;
    case 14:
      answer(pantile_context_describe(context, &string, &answer.error));
      break;
    case 15: {
      const std::string text = bytes.text(40);
      pantile_context_options options = session.options;
      options.struct_size = uint32_t(bytes.number());
      if (options.struct_size > sizeof(options)) options.struct_size = sizeof(options);
      (bytes.byte() % 2 ? options.backend : options.config_path) = text.c_str();
      options.tune = uint32_t(bytes.byte() % 9);
      if (options.tune >= PANTILE_TUNE_QUICK && options.tune <= PANTILE_TUNE_EXHAUSTIVE) options.tune = PANTILE_TUNE_OFF;
      options.cache_dir = session.options.cache_dir;
      pantile_context *other = nullptr;
      if (options.struct_size >= sizeof(options)) answer(pantile_context_create(&options, &other, &answer.error));
      pantile_context_release(other);
      break;
    }
    }
    pantile_string_release(string);
  }
  for (pantile_kernel *kernel : kernels) pantile_kernel_release(kernel);
  for (pantile_stream *stream : streams) pantile_stream_release(stream);
  for (pantile_event *event : events) pantile_event_release(event);
  return 0;
}
