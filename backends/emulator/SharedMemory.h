//===- emulator/SharedMemory.h - a block's shared memory, byte by byte ----===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_SHAREDMEMORY_H
#define PANTILE_EMULATOR_SHAREDMEMORY_H

#include "backends/emulator/Clocks.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pantile::emulator {

struct Site;

/// Who accesses, and what he knows.
struct Accessor {
  uint32_t actor;
  uint32_t time;
  const Knowledge *knowledge;
  bool asynchronous; ///< through an engine that plain stores must be fenced for
  const Site *site;
};

/// The sets of reads that bytes share: a tile read by the same warps is one set. Of one cluster.
class ReadSets {
public:
  static constexpr uint32_t kFlag = 1u << 31;
  /// `set` (0, an epoch, or an earlier answer) with `read` in it; what `reader` has seen is forgotten.
  uint32_t with(uint32_t set, Epoch read, const Clock &reader);
  /// The first epoch of the set that the actor has not seen, 0 where there is none.
  Epoch unseen(uint32_t set, uint32_t actor, const Clock &seen) const;

private:
  std::vector<std::vector<Epoch>> sets;
  std::map<std::vector<Epoch>, uint32_t> ids;
};

/// Addresses are the device's: the first byte is at kFirst, so that null is nobody's.
class SharedMemory {
public:
  static constexpr uint32_t kFirst = 1024;
  enum class Problem { None, OutOfBounds, Uninitialized, ReadRace, WriteRace, Unfenced, BarrierObject };
  struct Finding {
    Problem problem = Problem::None;
    uint32_t address = 0; ///< of the first wrong byte
    Epoch other = 0;      ///< the access it is not ordered after
    const Site *otherSite = nullptr;
  };

  /// `checks`: whether uninitialized reads and races are looked for; bounds always are.
  SharedMemory(uint32_t bytes, bool checks, ReadSets &reads);
  uint32_t size() const { return bytes; }
  bool contains(uint32_t address, uint64_t count) const { return address >= kFirst && count <= bytes && address - kFirst <= bytes - count; }
  char *at(uint32_t address) { return data + (address - kFirst); }

  Finding read(uint32_t address, uint32_t count, const Accessor &who);
  Finding write(uint32_t address, uint32_t count, const Accessor &who);
  /// What an atomic access touches counts as written.
  void initialize(uint32_t address, uint32_t count);
  /// A byte that is the hardware's: plain accesses are a Problem.
  void markBarrierObject(uint32_t address, uint32_t count, bool isOne);

private:
  struct Cell {
    Epoch written = 0;
    uint32_t readBy = 0; ///< an epoch or a set
    const Site *writer = nullptr;
    bool initialized = false, barrierObject = false;
  };
  uint32_t bytes;
  std::unique_ptr<char[]> storage;
  char *data;
  std::vector<Cell> cells;
  ReadSets &reads;
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_SHAREDMEMORY_H
