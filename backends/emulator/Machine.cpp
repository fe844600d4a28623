//===- emulator/Machine.cpp - what a lane can do --------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Machine.h"

#include "backends/emulator/Scheduler.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::emulator {

Block &Lane::block() const { return *warp->block; }
Cluster &Lane::cluster() const { return *warp->block->cluster; }
Scheduler &Lane::scheduler() const { return *warp->block->cluster->scheduler; }

std::string Lane::name() const {
  const Block &b = block();
  return fmt::format("thread ({},{},{}) of block ({},{},{})", thread[0], thread[1], thread[2], b.id[0], b.id[1], b.id[2]);
}

void Lane::wait(Explain why, const void *object) {
  state = State::Waiting;
  explain = why;
  waitsFor = object;
  scheduler().driver.resume(fiber);
}

void Lane::wake() {
  if (state != State::Waiting) return;
  state = State::Ready;
  warp->ready |= uint64_t(1) << index;
  scheduler().ready(*warp);
  scheduler().progressed();
}

void Lane::poll() {
  warp->ready |= uint64_t(1) << index;
  scheduler().polled();
  scheduler().driver.resume(fiber);
}

void Lane::fail(pantile_code code, std::string text, std::string cause) const {
  {
    std::string where = site ? fmt::format("at `{}`{}", site->text, site->location.empty() ? "" : " (" + site->location + ")") : "";
    if (!cause.empty()) where += (where.empty() ? "" : "\n") + cause;
    scheduler().launch.fail(Status(code, fmt::format("{}: {}", name(), text)).withCause(std::move(where)));
  }
  // Nothing of this launch goes on: the strings above are freed, the fiber is left behind.
  text = std::string();
  cause = std::string();
  while (true) scheduler().driver.resume(const_cast<Fiber &>(fiber));
}

namespace {

std::string explainRendezvous(const Lane &lane, const void *) {
  for (const auto &open : lane.warp->open)
    if (open.arrived >> lane.index & 1)
      return fmt::format("the other lanes of its warp: {:#x} of {:#x} have arrived", open.arrived, open.members);
  return "its warp";
}

} // namespace

void Lane::converge(uint64_t members, void *given, void (*act)(Warp &, uint64_t)) {
  const uint64_t self = uint64_t(1) << index;
  members &= warp->all();
  if (!(members & self))
    fail(PANTILE_INVALID_ARGUMENT, fmt::format("lane {} is not among the lanes {:#x} it synchronizes with", index, members));
  operand = given;
  size_t found = 0;
  while (found < warp->open.size() && (warp->open[found].act != act || warp->open[found].members != members)) ++found;
  if (found == warp->open.size()) warp->open.push_back({act, members, 0});
  auto &open = warp->open[found];
  open.arrived |= self;
  if (open.arrived != members) {
    wait(explainRendezvous, nullptr);
    return;
  }
  warp->open.erase(warp->open.begin() + int64_t(found));
  act(*warp, members);
  for (Lane &lane : warp->lanes)
    if (members >> lane.index & 1 && &lane != this) lane.wake();
}

namespace {

std::string explainGroup(const Lane &lane, const void *first) {
  return fmt::format("its group of warps: {} lanes have arrived", static_cast<const Warp *>(first)->groupArrived);
}

} // namespace

void Lane::convergeWarps(uint32_t count, void *given, void (*act)(std::span<Warp>)) {
  Block &b = block();
  const uint32_t first = warp->index / count * count;
  if (first + count > b.warps.size())
    fail(PANTILE_INVALID_ARGUMENT, fmt::format("an instruction of {} warps in a block of {}", count, b.warps.size()));
  Warp &keeper = b.warps[first];
  if (keeper.groupArrived && keeper.groupAct != act)
    fail(PANTILE_DATA_ERROR, "the warps of a group are at different collective instructions");
  operand = given;
  keeper.groupAct = act;
  const std::span<Warp> group(&keeper, count);
  uint32_t lanes = 0;
  for (const Warp &member : group) lanes += uint32_t(member.lanes.size());
  if (++keeper.groupArrived < lanes) {
    wait(explainGroup, &keeper);
    return;
  }
  keeper.groupArrived = 0;
  act(group);
  for (Warp &member : group)
    for (Lane &lane : member.lanes)
      if (&lane != this) lane.wake();
}

uint32_t Warp::engine(uint32_t kind) {
  auto [at, fresh] = engines.try_emplace(kind, 0);
  if (fresh) {
    at->second = block->cluster->addActor(
        fmt::format("an asynchronous operation of warp {} of block ({},{},{})", index, block->id[0], block->id[1], block->id[2]));
  }
  return at->second;
}

uint32_t Cluster::addActor(std::string name) {
  if (actors.empty()) actors.push_back("nobody");
  if (actors.size() < kMaxActors) actors.push_back(std::move(name));
  return uint32_t(actors.size() - 1);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

namespace {

const char *verb(Site::Kind kind) { return kind == Site::Kind::Load ? "read" : "write"; }

[[noreturn]] void failShared(Lane &lane, const SharedMemory::Finding &finding, uint64_t address, uint64_t count, Site::Kind kind,
                             uint32_t size) {
  using Problem = SharedMemory::Problem;
  const Cluster &cluster = lane.cluster();
  auto other = [&] {
    std::string text = finding.other ? cluster.actors[actorOf(finding.other)] : "another";
    if (finding.otherSite)
      text += fmt::format(" at `{}`{}", finding.otherSite->text,
                          finding.otherSite->location.empty() ? "" : " (" + finding.otherSite->location + ")");
    return text;
  };
  switch (finding.problem) {
  case Problem::OutOfBounds:
    lane.fail(PANTILE_DATA_ERROR, fmt::format("a {} of {} bytes at shared {:#x} is out of bounds: the block has {:#x} to {:#x}", verb(kind),
                                              count, address, SharedMemory::kFirst, SharedMemory::kFirst + size));
  case Problem::Uninitialized:
    lane.fail(PANTILE_DATA_ERROR, fmt::format("shared {:#x} is read and was never written", finding.address));
  case Problem::BarrierObject:
    lane.fail(PANTILE_DATA_ERROR, fmt::format("a plain {} of shared {:#x}, which is a barrier object", verb(kind), finding.address));
  case Problem::Unfenced:
    lane.fail(
        PANTILE_DATA_ERROR,
        fmt::format("shared {:#x} is accessed through the asynchronous proxy without a proxy fence after it was written", finding.address),
        "it was written by " + other());
  default:
    lane.fail(PANTILE_DATA_ERROR,
              fmt::format("a race on shared {:#x}: this {} is not ordered after an access of another", finding.address, verb(kind)),
              "the other is " + other());
  }
}

} // namespace

char *Lane::sharedAs(const Accessor &who, uint64_t address, uint64_t count, Site::Kind kind) {
  const uint32_t rank = uint32_t(address >> Cluster::kRankShift), offset = uint32_t(address) & ((1u << Cluster::kRankShift) - 1);
  Cluster &c = cluster();
  if (rank >= c.blocks.size() || address >> 32)
    fail(PANTILE_DATA_ERROR,
         fmt::format("a {} of {} bytes at shared {:#x}: the cluster has {} blocks", verb(kind), count, address, c.blocks.size()));
  SharedMemory &memory = *c.blocks[rank]->shared;
  auto finding = kind == Site::Kind::Load ? memory.read(offset, uint32_t(count), who) : memory.write(offset, uint32_t(count), who);
  if (finding.problem != SharedMemory::Problem::None) failShared(*this, finding, address, count, kind, memory.size());
  return memory.at(offset);
}

char *Lane::shared(uint64_t address, uint64_t count, Site::Kind kind, bool ordered) {
  if (!ordered) return sharedAs(warp->accessor(site), address, count, kind);
  const uint32_t rank = uint32_t(address >> Cluster::kRankShift), offset = uint32_t(address) & ((1u << Cluster::kRankShift) - 1);
  Cluster &c = cluster();
  if (rank >= c.blocks.size() || address >> 32 || !c.blocks[rank]->shared->contains(offset, count))
    fail(PANTILE_DATA_ERROR, fmt::format("an atomic access of {} bytes at shared {:#x} is out of bounds", count, address));
  c.blocks[rank]->shared->initialize(offset, uint32_t(count));
  synchronize(kSharedWindow + address, kind);
  return c.blocks[rank]->shared->at(offset);
}

void Lane::synchronize(uint64_t address, Site::Kind kind) {
  Knowledge &released = cluster().releases[address];
  warp->knowledge.join(released);
  if (kind == Site::Kind::Load) {
    poll();
    warp->knowledge.join(cluster().releases[address]);
    return;
  }
  released.join(warp->knowledge);
  warp->tick();
  if (scheduler().coin()) poll();
  scheduler().progressed();
}

char *Lane::global(uint64_t address, uint64_t count, Site::Kind kind, bool ordered) {
  const Execution &execution = *cluster().execution;
  const DeviceMemory &memory = execution.memory;
  const uint64_t offset = address - uint64_t(memory.base);
  char *host = reinterpret_cast<char *>(address);
  if (memory.base && offset < memory.bytes && count <= memory.bytes - offset) {
    uint8_t *states = memory.state + offset;
    const bool reads = kind != Site::Kind::Store, writes = kind != Site::Kind::Load;
    for (uint64_t i = 0; memory.state && i < count; ++i) {
      if (states[i] == DeviceMemory::kInitialized) continue;
      if (states[i] == DeviceMemory::kNotAllocated)
        fail(PANTILE_DATA_ERROR,
             fmt::format("a {} of {} bytes at {:#x} is out of bounds: byte {} belongs to no buffer", verb(kind), count, address, i));
      if (reads && execution.options.checks)
        fail(PANTILE_DATA_ERROR, fmt::format("device memory at {:#x} is read and was never written", address + i));
      if (writes) states[i] = DeviceMemory::kInitialized;
    }
    if (ordered)
      synchronize(address, kind);
    else if (writes)
      scheduler().progressed();
    return host;
  }
  const Stack &stack = fiber.stack();
  if (host >= stack.low && host < stack.low + stack.bytes && count <= uint64_t(stack.low + stack.bytes - host)) return host;
  for (const Region &region : execution.regions)
    if (host >= region.low && host < region.high && count <= uint64_t(region.high - host)) {
      if (kind != Site::Kind::Load && !region.writable)
        fail(PANTILE_DATA_ERROR, fmt::format("a write of {} bytes at {:#x}, which is constant", count, address));
      return host;
    }
  fail(PANTILE_DATA_ERROR, fmt::format("a {} of {} bytes at {:#x} is out of bounds: no buffer is there", verb(kind), count, address));
}

char *Lane::access(uint64_t address, uint64_t count, Site::Kind kind, bool ordered) {
  if (address - kSharedWindow < kSharedWindowBytes) return shared(address - kSharedWindow, count, kind, ordered);
  return global(address, count, kind, ordered);
}

} // namespace pantile::emulator
