//===- emulator/SharedMemory.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/SharedMemory.h"

#include <cstring>

namespace pantile::emulator {

uint32_t ReadSets::with(uint32_t set, Epoch read, const Clock &reader) {
  if (!set || set == read) return read;
  const uint32_t self = actorOf(read);
  auto covered = [&](Epoch earlier) { return actorOf(earlier) == self || reader.covers(earlier); };
  if (!(set & kFlag) && covered(set)) return read;
  std::vector<Epoch> grown;
  if (set & kFlag) {
    for (Epoch earlier : sets[set & ~kFlag])
      if (!covered(earlier)) grown.push_back(earlier);
  } else {
    grown.push_back(set);
  }
  grown.push_back(read);
  if (grown.size() == 1) return read;
  std::sort(grown.begin(), grown.end());
  auto [at, fresh] = ids.try_emplace(grown, uint32_t(sets.size()));
  if (fresh) sets.push_back(std::move(grown));
  return at->second | kFlag;
}

Epoch ReadSets::unseen(uint32_t set, uint32_t actor, const Clock &seen) const {
  auto conflicts = [&](Epoch read) { return actorOf(read) != actor && !seen.covers(read); };
  if (!(set & kFlag)) return set && conflicts(set) ? set : 0;
  for (Epoch read : sets[set & ~kFlag])
    if (conflicts(read)) return read;
  return 0;
}

SharedMemory::SharedMemory(uint32_t bytes, bool checks, ReadSets &reads)
    : bytes(bytes), storage(new char[bytes + 2048]), cells(checks ? bytes : 0), reads(reads) {
  // As far aligned as device addresses are, whatever an instruction assumes of them.
  data = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(storage.get()) + 1023) & ~uintptr_t(1023));
  std::memset(data, 0xa5, bytes);
}

SharedMemory::Finding SharedMemory::read(uint32_t address, uint32_t count, const Accessor &who) {
  if (!contains(address, count)) return {Problem::OutOfBounds, address};
  if (cells.empty()) return {};
  const Clock &seen = who.knowledge->seen, &fenced = who.knowledge->fenced;
  const Epoch now = epochOf(who.actor, who.time);
  Cell *cell = &cells[address - kFirst];
  // Bytes of one tile were written and read alike: the last answer is the next one's.
  Epoch lastWritten = 0;
  uint32_t lastRead = 0, lastAnswer = 0;
  bool fresh = true;
  for (uint32_t i = 0; i < count; ++i, ++cell) {
    if (!cell->initialized) return {Problem::Uninitialized, address + i};
    if (cell->barrierObject) return {Problem::BarrierObject, address + i};
    if (fresh || cell->written != lastWritten) {
      if (Epoch w = cell->written; w) {
        if (actorOf(w) != who.actor && !seen.covers(w)) return {Problem::ReadRace, address + i, w, cell->writer};
        if (who.asynchronous && !fenced.covers(w)) return {Problem::Unfenced, address + i, w, cell->writer};
      }
      lastWritten = cell->written;
    }
    if (fresh || cell->readBy != lastRead) {
      lastRead = cell->readBy;
      lastAnswer = reads.with(lastRead, now, seen);
    }
    fresh = false;
    cell->readBy = lastAnswer;
  }
  return {};
}

SharedMemory::Finding SharedMemory::write(uint32_t address, uint32_t count, const Accessor &who) {
  if (!contains(address, count)) return {Problem::OutOfBounds, address};
  if (cells.empty()) return {};
  const Clock &seen = who.knowledge->seen, &fenced = who.knowledge->fenced;
  Cell *cell = &cells[address - kFirst];
  Epoch lastWritten = 0;
  uint32_t lastRead = 0;
  const Cell now{epochOf(who.actor, who.time), 0, who.site, true, false};
  for (uint32_t i = 0; i < count; ++i, ++cell) {
    if (cell->barrierObject) return {Problem::BarrierObject, address + i};
    if (Epoch w = cell->written; w && w != lastWritten) {
      if (actorOf(w) != who.actor && !seen.covers(w)) return {Problem::WriteRace, address + i, w, cell->writer};
      if (who.asynchronous && !fenced.covers(w)) return {Problem::Unfenced, address + i, w, cell->writer};
      lastWritten = w;
    }
    if (cell->readBy && cell->readBy != lastRead) {
      if (Epoch r = reads.unseen(cell->readBy, who.actor, seen)) return {Problem::WriteRace, address + i, r};
      lastRead = cell->readBy;
    }
    *cell = now;
  }
  return {};
}

void SharedMemory::initialize(uint32_t address, uint32_t count) {
  for (uint32_t i = 0; !cells.empty() && i < count; ++i) cells[address - kFirst + i].initialized = true;
}

void SharedMemory::markBarrierObject(uint32_t address, uint32_t count, bool isOne) {
  if (cells.empty() || !contains(address, count)) return;
  for (uint32_t i = 0; i < count; ++i) cells[address - kFirst + i].barrierObject = isOne;
}

} // namespace pantile::emulator
