//===- runtime/helper/Protocol.h - what is said on the socket -------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A request is one frame, its answer another: kDone with the answer's record, or kFailed with a status. Both programs come
// from the same build as the library, so records have no versions; `kHello` compares them.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_HELPER_PROTOCOL_H
#define PANTILE_RUNTIME_HELPER_PROTOCOL_H

#include "core/Artifact.h"
#include "core/Configuration.h"

namespace pantile {

enum FrameKind : uint32_t {
  kDone = 0,
  kFailed = 1,
  // pantile-compiler
  kListTargets = 16,    ///< text backend -> text JSON
  kDescribeTarget = 17, ///< text backend, text target -> text JSON
  kSpace = 18,          ///< CompileRequest -> SpaceDescription
  kCompile = 19,        ///< CompileRequest -> Artifact
  kInspect = 20,        ///< CompileRequest, text stage -> text
  kInterpret = 21,      ///< InterpretRequest, descriptor of the tensors' memory -> nothing
  kEmulate = 22,        ///< EmulateRequest, descriptor of the device's memory -> nothing
  // pantile-worker
  kPrepare = 32, ///< WorkerSetup, descriptor of inputs -> nothing
  kLoad = 33,    ///< WorkerCandidate -> nothing
  kCheck = 34,   ///< nothing -> nothing; kFailed where it is wrong
  kAdopt = 36,   ///< nothing -> nothing: what was last checked becomes the reference
  kTime = 35,    ///< u32 samples -> f64s as a vector of bits
};

struct CompileRequest {
  std::string backend, ir, target, finalStage; ///< finalStage empty: loadable code
  Facts facts;
  Configuration configuration;
  void write(ByteWriter &writer) const;
  static Expected<CompileRequest> read(ByteReader &reader);
};

/// A tensor in shared memory, or a scalar. Offsets are bytes.
struct TensorRecord {
  int32_t dtype = 0, rank = -1;
  uint64_t scalar = 0;
  uint64_t offset = 0, low = 0, high = 0; ///< of element 0; of the bytes that belong to it
  std::vector<int64_t> sizes, strides;    ///< elements
  void write(ByteWriter &writer) const;
  void read(ByteReader &reader);
};

struct InterpretRequest {
  std::string ir;
  std::vector<TensorRecord> tensors;
  uint64_t sampledBlocks = 0, seed = 0;
  void write(ByteWriter &writer) const;
  static Expected<InterpretRequest> read(ByteReader &reader);
};

/// A launch on an emulated device, whose memory is a file in memory: its bytes, then of each byte what it is.
struct EmulateRequest {
  std::string backend, target, code, entry;
  std::array<int64_t, 3> grid{}, block{};
  int64_t sharedBytes = 0;
  std::vector<int64_t> slots, extras;
  uint64_t base = 0, bytes = 0; ///< where device memory lies in the application, and here too
  uint64_t seed = 0;
  uint32_t threads = 0;
  bool checks = true;
  void write(ByteWriter &writer) const;
  static Expected<EmulateRequest> read(ByteReader &reader);
};

std::string writeStatus(const Status &status);
/// `printed` is added to the cause.
Status readStatus(std::string_view payload, std::string_view printed);

} // namespace pantile

#endif // PANTILE_RUNTIME_HELPER_PROTOCOL_H
