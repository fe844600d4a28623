//===- tests/fuzz/Records.cpp - what crosses to helpers and disk ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The first byte chooses the record. What is read is written and read again, crosses the C ABI, and becomes a launch plan and a
// space, which evaluate.
//
//===----------------------------------------------------------------------===//

#include "core/Artifact.h"
#include "core/SpaceDescription.h"
#include "runtime/dispatch/LaunchPlan.h"
#include "runtime/helper/Protocol.h"
#include "runtime/tuning/WorkerProtocol.h"
#include "tests/fuzz/Fuzz.h"
#include "tuner/CostModel.h"
#include "tuner/Space.h"

using namespace pantile;

namespace {

const char *const kText = "// pantile-ir 1\ntile.kernel @k(%X: !tile.view<?x?xf32> {tile.sizes = [\"M\", \"N\"], tile.access = \"read\"}, "
                          "%Y: !tile.view<?xf32> {tile.sizes = [\"M\"], tile.access = \"write\"}, %f: i32) {\n}\n";

template <typename Record> std::optional<Record> readTwice(std::string_view bytes) {
  ByteReader reader(bytes);
  auto record = Record::read(reader);
  if (!record || reader.failed()) return std::nullopt;
  ByteWriter writer;
  record->write(writer);
  ByteReader back(writer.data());
  auto again = Record::read(back);
  fuzz::require(again.isOk() && back.finish("a record").isOk(), "what is written is read");
  ByteWriter second;
  again->write(second);
  fuzz::require(second.data() == writer.data(), "writing is a fixed point");
  return *std::move(record);
}

void plan(const Artifact &artifact) {
  static const Signature signature = *Signature::read(kText);
  auto made = LaunchPlan::create(artifact, signature, {{"bm", 64}}, {{"units", 4}});
  if (!made) return;
  BoundArguments bound(3);
  for (int i = 0; i < 2; ++i) {
    bound[size_t(i)].rank = 2 - i;
    for (int d = 0; d < 2 - i; ++d) bound[size_t(i)].sizes[d] = 7, bound[size_t(i)].strides[d] = 1;
  }
  LaunchPlan::Evaluated evaluated;
  (void)made->evaluate(bound, evaluated);
}

void search(const SpaceDescription &description) {
  auto space = tuner::Space::create(description, {{"s0.0", 7}, {"s0.1", 9}, {"d.units", 4}});
  if (!space) return;
  tuner::Random random(1);
  if (auto point = space->sample(random)) fuzz::require(space->legal(*point), "a sample is legal");
  if (const auto &point = space->defaults()) {
    fuzz::require(space->legal(*point), "the defaults are legal");
    auto back = space->point(space->configuration(*point));
    fuzz::require(back.isOk() && *back == *point, "a configuration is a point again");
    tuner::CostModel model(*space);
    if (model.known()) (void)model.score(*point);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::view(data + 1, size - 1);
  switch (data[0] % 8) {
  case 0:
    if (auto artifact = readTwice<Artifact>(bytes)) {
      pantile_artifact *abi = artifact->toABI();
      if (abi) {
        (void)Artifact::fromABI(*abi);
        abi->release(abi);
      }
      plan(*artifact);
    }
    break;
  case 1:
    if (auto space = readTwice<SpaceDescription>(bytes)) {
      pantile_space *abi = space->toABI();
      if (abi) {
        (void)SpaceDescription::fromABI(*abi);
        abi->release(abi);
      }
      search(*space);
    }
    break;
  case 2:
    readTwice<Facts>(bytes);
    break;
  case 3:
    readTwice<CompileRequest>(bytes);
    break;
  case 4:
    readTwice<InterpretRequest>(bytes);
    break;
  case 5:
    fuzz::require(!readStatus(bytes, "printed").isOk(), "what a failure says is a failure");
    break;
  case 6:
    readTwice<WorkerSetup>(bytes);
    break;
  case 7:
    readTwice<WorkerCandidate>(bytes);
    break;
  }
  return 0;
}
