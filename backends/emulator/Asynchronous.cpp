//===- emulator/Asynchronous.cpp ------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Asynchronous.h"

namespace pantile::emulator {

void OperationQueue::add(Effect effect, bool now) {
  if (now)
    effect();
  else
    open.push_back(std::move(effect));
}

void OperationQueue::commit() {
  groups.push_back(std::move(open));
  open.clear();
}

void OperationQueue::wait(uint32_t left) {
  while (groups.size() > left) {
    for (auto &effect : groups.front()) effect();
    groups.pop_front();
    ++done;
  }
}

void OperationQueue::waitAll() {
  wait(0);
  for (auto &effect : open) effect();
  open.clear();
}

} // namespace pantile::emulator
