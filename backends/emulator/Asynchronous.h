//===- emulator/Asynchronous.h - operations that take effect later --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Hardware may do an asynchronous operation at once or at the last moment. Here a seeded coin decides; in between its result
// is poison. Two shapes: operations in groups that their issuer waits for (OperationQueue, by lane), and operations that
// announce their end by themselves (Scheduler::background).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_ASYNCHRONOUS_H
#define PANTILE_EMULATOR_ASYNCHRONOUS_H

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace pantile::emulator {

/// What an operation does to memory. Runs on any fiber or on none; must not wait.
using Effect = std::function<void()>;

/// Operations of one lane in committed groups, oldest first.
class OperationQueue {
public:
  /// `now`: takes effect at once.
  void add(Effect effect, bool now);
  void commit();
  /// Lets groups take effect until at most `left` are pending.
  void wait(uint32_t left);
  void waitAll();
  uint32_t committed() const { return done + uint32_t(groups.size()); } ///< groups ever
  uint32_t completed() const { return done; }
  bool empty() const { return open.empty() && groups.empty(); }

private:
  std::vector<Effect> open;
  std::deque<std::vector<Effect>> groups;
  uint32_t done = 0;
};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_ASYNCHRONOUS_H
