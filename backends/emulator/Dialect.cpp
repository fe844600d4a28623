//===- emulator/Dialect.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Dialect.h"

namespace pantile::emulator {

const Row *findRow(std::span<const Row> rows, std::string_view name) {
  for (const Row &row : rows)
    if (row.name.ends_with('*') ? name.starts_with(row.name.substr(0, row.name.size() - 1)) : name == row.name) return &row;
  return nullptr;
}

} // namespace pantile::emulator
