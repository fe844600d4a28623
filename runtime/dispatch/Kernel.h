//===- runtime/dispatch/Kernel.h - arguments to a launch ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A launch of a known shape: the tensors' shapes, strides, dtypes and alignment classes are written down as words, hashed,
// and compared with what one of 16 slots remembers. On a hit only addresses and scalars are new: overlap is checked on
// address ranges, the few expressions that need them are evaluated, and the device is called. No allocation, no lock (a slot
// that another thread holds is a miss), no string.
//
// Otherwise: everything is checked with a message for each fault; then shape -> selection (Selection.h) -> code, compiled
// once by whoever comes first while others wait.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_KERNEL_H
#define PANTILE_RUNTIME_DISPATCH_KERNEL_H

#include "runtime/dispatch/Selection.h"
#include "runtime/tuning/TuneCall.h"

#include <shared_mutex>

namespace pantile {

struct SharedTensors;

/// Loaded code and its plan. Lives as long as its kernel.
struct CompiledKernel {
  Selection selection;
  Digest key;
  int64_t threads = 0; ///< Device::threads() it was selected for
  LaunchPlan plan;
  Artifact artifact; ///< without its code
  Device *device = nullptr;
  pantile_module_handle *module = nullptr;
  ~CompiledKernel();
};

class Kernel {
public:
  static Expected<std::unique_ptr<Kernel>> create(Context &context, std::string_view text);
  ~Kernel();

  Status launch(Stream &stream, DLTensor *const *tensors, size_t count);
  Status prepare(DLTensor *const *tensors, size_t count);
  /// NULL-able: nullopt returns to the caches. Checked against the space at the next call.
  void setConfiguration(std::optional<Configuration> configuration);
  /// Forgets what was selected (after tuning).
  void forgetSelections();

  /// What a launch would use; compiles nothing.
  struct Description {
    Selection selection;
    Digest artifactKey;
    bool compiled = false; ///< loaded or in the cache
    std::vector<std::pair<std::string, int64_t>> resources;
  };
  Expected<Description> describe(DLTensor *const *tensors, size_t count);
  /// A legal configuration for these arguments, drawn by `seed` (0: the default).
  Expected<Configuration> sampleConfiguration(DLTensor *const *tensors, size_t count, uint64_t seed);
  Expected<std::string> inspect(DLTensor *const *tensors, size_t count, std::string_view stage);
  Status interpret(DLTensor *const *tensors, size_t count, DLDevice device);
  /// Stores the winner; launches that follow use it.
  Expected<tuner::TuneResult> tune(DLTensor *const *tensors, size_t count, const TuneCallOptions &options);

  const Signature &signature() const { return kernelSignature; }
  Context &context() { return owner; }

private:
  struct Words;
  struct Slot;
  Kernel(Context &context, Signature signature);

  bool describeCall(DLTensor *const *tensors, size_t count, Words &words) const noexcept;
  bool launchFromSlot(const Words &words, Stream &stream, Status &status);
  void remember(const Words &words, const CompiledKernel *compiled, const LaunchPlan::Evaluated &evaluated,
                std::span<const BoundArgument> bound);
  /// Compiled code for a valid call.
  Expected<const CompiledKernel *> resolve(std::span<const BoundArgument> bound, bool mayTune, Stream *stream = nullptr);
  Expected<const CompiledKernel *> load(Selection selection);
  Status interpretShared(SharedTensors &shared);
  Status launchInterpreted(Stream &stream, std::span<const BoundArgument> bound);
  Status explain(const Selection &selection);
  /// Of a call on as many host threads as the device uses now.
  std::string shapeKey(const Facts &facts, std::span<const BoundArgument> bound) const;

  Context &owner;
  const Signature kernelSignature;
  std::unique_ptr<Slot[]> slots;
  std::atomic<uint64_t> epoch{1};
  std::shared_mutex mutex; ///< of the maps
  std::mutex compiling;    ///< one compilation a kernel at a time
  std::map<std::string, const CompiledKernel *> byShape;
  std::vector<std::unique_ptr<CompiledKernel>> compiledKernels;
  std::optional<Configuration> pinned;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_KERNEL_H
