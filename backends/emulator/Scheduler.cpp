//===- emulator/Scheduler.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Scheduler.h"

#include <bit>
#include <fmt/format.h>
#include <sched.h>
#include <thread>

namespace pantile::emulator {

thread_local Lane *currentLane = nullptr;

namespace {

constexpr uint32_t kBarriers = 16;
/// Polls in a row, of all lanes, before anything is suspected.
constexpr uint64_t kPatientPolls = 20'000;

void laneMain(void *argument) {
  Lane &lane = *static_cast<Lane *>(argument);
  const Execution &execution = *lane.cluster().execution;
  execution.entry(execution.parameters);
  for (auto &[kind, queue] : lane.queues) queue.waitAll();
  lane.state = Lane::State::Done;
  Cluster &cluster = lane.cluster();
  --cluster.running;
  cluster.barrier.check(cluster.running);
  lane.scheduler().progressed();
  while (true) lane.scheduler().driver.resume(lane.fiber);
}

std::unique_ptr<Cluster> makeCluster(Execution &execution, uint64_t number, Scheduler &scheduler) {
  auto cluster = std::make_unique<Cluster>();
  cluster->scheduler = &scheduler;
  cluster->execution = &execution;
  uint64_t rest = number;
  for (int d = 0; d < 3; ++d) {
    const uint64_t count = execution.grid[d] / execution.cluster[d];
    cluster->id[d] = uint32_t(rest % count);
    rest /= count;
  }
  const auto &c = execution.cluster;
  const uint32_t blocks = c[0] * c[1] * c[2];
  const uint32_t lanes = execution.block[0] * execution.block[1] * execution.block[2], width = execution.lanesPerWarp;
  for (uint32_t rank = 0; rank < blocks; ++rank) {
    auto block = std::make_unique<Block>();
    block->cluster = cluster.get();
    block->rank = rank;
    const uint32_t inside[3] = {rank % c[0], rank / c[0] % c[1], rank / (c[0] * c[1])};
    for (int d = 0; d < 3; ++d) block->id[d] = cluster->id[d] * c[d] + inside[d];
    block->shared = std::make_unique<SharedMemory>(execution.sharedBytes, execution.options.checks, cluster->reads);
    block->barriers.resize(kBarriers);
    block->lanes = std::vector<Lane>(lanes);
    block->warps = std::vector<Warp>((lanes + width - 1) / width);
    for (uint32_t w = 0; w < block->warps.size(); ++w) {
      Warp &warp = block->warps[w];
      warp.block = block.get();
      warp.index = w;
      warp.lanes = std::span(block->lanes).subspan(w * width, std::min(width, lanes - w * width));
      warp.actor = cluster->addActor(fmt::format("warp {} of block ({},{},{})", w, block->id[0], block->id[1], block->id[2]));
      warp.knowledge.seen.advance(warp.actor, warp.time);
    }
    for (uint32_t l = 0; l < lanes; ++l) {
      Lane &lane = block->lanes[l];
      lane.warp = &block->warps[l / width];
      lane.index = l % width;
      lane.thread[0] = l % execution.block[0];
      lane.thread[1] = l / execution.block[0] % execution.block[1];
      lane.thread[2] = l / (execution.block[0] * execution.block[1]);
      lane.warp->ready |= uint64_t(1) << lane.index;
      ++cluster->running;
    }
    cluster->blocks.push_back(std::move(block));
  }
  return cluster;
}

} // namespace

void Launch::fail(Status status) {
  std::lock_guard lock(mutex);
  if (!failed.exchange(true)) failure = std::move(status);
}

Scheduler::~Scheduler() {
  for (auto &cluster : resident)
    for (auto &block : cluster->blocks)
      for (Lane &lane : block->lanes) StackPool::shared().give(lane.fiber.stack());
}

bool Scheduler::admit() {
  const uint64_t number = launch.next.fetch_add(1);
  if (number >= launch.clusters) return false;
  auto cluster = makeCluster(launch.execution, number, *this);
  for (auto &block : cluster->blocks) {
    for (Lane &lane : block->lanes) {
      Stack stack = StackPool::shared().take();
      if (!stack) {
        launch.fail({PANTILE_OUT_OF_MEMORY, "no memory for the stacks of an emulated block"});
        return false;
      }
      lane.fiber.start(stack, laneMain, &lane);
    }
    for (Warp &warp : block->warps) ready(warp);
  }
  resident.push_back(std::move(cluster));
  return true;
}

void Scheduler::ready(Warp &warp) {
  if (warp.queued || !warp.ready) return;
  warp.queued = true;
  queue.push_back(&warp);
}

void Scheduler::runWarp(Warp &warp) {
  // Lanes from a drawn one on: nothing may rely on lane 0 being first.
  const uint32_t start = below(uint32_t(warp.lanes.size()));
  uint64_t now = std::exchange(warp.ready, 0);
  now = start ? (now >> start) | (now << (64 - start)) : now;
  while (now && !launch.failed.load(std::memory_order_relaxed)) {
    Lane &lane = warp.lanes[(start + uint32_t(std::countr_zero(now))) & 63];
    now &= now - 1;
    currentLane = &lane;
    lane.fiber.resume(driver);
  }
  currentLane = nullptr;
}

void Scheduler::runBackground() {
  const uint32_t which = below(uint32_t(pending.size()));
  Effect effect = std::move(pending[which]);
  pending[which] = std::move(pending.back());
  pending.pop_back();
  effect();
  progressed();
}

void Scheduler::retire() {
  for (size_t i = 0; i < resident.size();)
    if (resident[i]->running == 0) {
      for (auto &block : resident[i]->blocks)
        for (Lane &lane : block->lanes) StackPool::shared().give(lane.fiber.stack());
      resident.erase(resident.begin() + int64_t(i));
      launch.progress.fetch_add(1);
    } else {
      ++i;
    }
}

Status Scheduler::deadlock(const char *how) {
  // One line for every different wait: instruction, reason, how many.
  std::map<std::string, std::pair<std::string, unsigned>> waits;
  for (auto &cluster : resident)
    for (auto &block : cluster->blocks)
      for (Lane &lane : block->lanes) {
        if (lane.state == Lane::State::Done) continue;
        std::string why = lane.state == Lane::State::Waiting && lane.explain ? "waits for " + lane.explain(lane, lane.waitsFor) : "polls";
        if (lane.site) why += " at `" + lane.site->text + "`" + (lane.site->location.empty() ? "" : " (" + lane.site->location + ")");
        auto &entry = waits[why];
        if (!entry.second++) entry.first = lane.name();
      }
  std::string cause;
  unsigned lines = 0;
  for (auto &[why, entry] : waits) {
    if (++lines > 12) break;
    cause += fmt::format("{}{}{}: {}", cause.empty() ? "" : "\n", entry.first,
                         entry.second > 1 ? fmt::format(" and {} more", entry.second - 1) : "", why);
  }
  return Status(PANTILE_DATA_ERROR, fmt::format("the kernel {}", how)).withCause(std::move(cause));
}

/// All that is resident waits or polls in vain. False: it is over.
bool Scheduler::stuck() {
  if (admit()) {
    idlePolls = 0;
    return true;
  }
  if (launch.failed) return false;
  if (queue.empty()) {
    launch.fail(deadlock("is deadlocked"));
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  const uint64_t progress = launch.progress.load();
  if (progress != lastProgress || idleSince == std::chrono::steady_clock::time_point{} || useful) {
    lastProgress = progress;
    idleSince = now;
    useful = 0;
  }
  if (std::chrono::duration<double>(now - idleSince).count() > launch.execution.options.patience) {
    launch.fail(deadlock("makes no progress: everything polls in vain"));
    return false;
  }
  sched_yield();
  idlePolls = 0;
  return true;
}

void Scheduler::run() {
  while (!launch.failed.load(std::memory_order_relaxed)) {
    if (resident.empty() && !admit()) break;
    if (!pending.empty() && (queue.empty() || below(4) == 0)) {
      runBackground();
      continue;
    }
    if (queue.empty() || idlePolls > kPatientPolls) {
      retire();
      if (resident.empty()) continue;
      if ((queue.empty() || idlePolls > kPatientPolls) && !stuck()) break;
      continue;
    }
    const uint32_t which = below(uint32_t(queue.size()));
    Warp &warp = *queue[which];
    queue[which] = queue.back();
    queue.pop_back();
    warp.queued = false;
    runWarp(warp);
    ready(warp); // lanes that gave way without waiting
  }
}

Status Execution::run() {
  uint64_t blocks = 1, clusters = 1, lanes = 1;
  for (int d = 0; d < 3; ++d) {
    if (!cluster[d] || grid[d] % cluster[d])
      return {PANTILE_INVALID_ARGUMENT, fmt::format("a grid of {}x{}x{} blocks is no multiple of the cluster of {}x{}x{}", grid[0], grid[1],
                                                    grid[2], cluster[0], cluster[1], cluster[2])};
    blocks *= grid[d];
    clusters *= grid[d] / cluster[d];
    lanes *= block[d];
  }
  if (!blocks) return {};
  if (lanes == 0 || lanes > 1024)
    return {PANTILE_INVALID_ARGUMENT, fmt::format("a block of {}x{}x{} threads, allowed are 1 to 1024", block[0], block[1], block[2])};
  Launch launch(*this, clusters);
  unsigned count = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  count = unsigned(std::min<uint64_t>(count, clusters));
  auto drive = [&](unsigned thread) {
    try {
      Scheduler scheduler(launch, options.seed + thread * 0x51ed2701u);
      scheduler.run();
    } catch (const std::bad_alloc &) { launch.fail({PANTILE_OUT_OF_MEMORY, "no memory for an emulated launch"}); }
  };
  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < count; ++thread) others.emplace_back(drive, thread);
  drive(0);
  for (auto &thread : others) thread.join();
  return std::move(launch.failure);
}

} // namespace pantile::emulator
