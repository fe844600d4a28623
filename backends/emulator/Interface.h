//===- emulator/Interface.h - "pantile.emulator" over a dialect -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A backend's compiler half answers query_interface(PANTILE_INTERFACE_EMULATOR) with `&kEmulator<its dialect>`.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_EMULATOR_INTERFACE_H
#define PANTILE_EMULATOR_INTERFACE_H

#include "backends/emulator/Dialect.h"
#include "core/EmulatorABI.h"

namespace pantile::emulator {

/// Thread safe. Modules stay compiled, the latest few dozen.
int32_t emulate(const Dialect &dialect, const pantile_emulate_request *request, pantile_message **error) noexcept;

template <const Dialect &(*Get)()>
inline constexpr pantile_emulator_interface kEmulator = {
    sizeof(pantile_emulator_interface), 0,
    [](const pantile_emulate_request *request, pantile_message **error) -> int32_t { return emulate(Get(), request, error); }};

} // namespace pantile::emulator

#endif // PANTILE_EMULATOR_INTERFACE_H
