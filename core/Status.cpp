//===- core/Status.cpp ----------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Status.h"

namespace pantile {

const std::string &Status::empty() {
  static const std::string &none = *new std::string; // never destroyed: statuses may outlive static destruction
  return none;
}

std::string Status::message() const {
  if (isOk()) return "ok";
  std::string all = text();
  for (const std::string *more : {&cause(), &fix()})
    if (!more->empty()) all += "\n  " + *more;
  return all;
}

} // namespace pantile
