//===- runtime/emulation/Emulation.h - targets as devices without hardware ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The backend "emulated:<target>": a target of any compiler half that has the interface "pantile.emulator" becomes a device.
// Kernels are compiled by that half to its stage "llvm" and run in a helper process (core/EmulatorABI.h). A launch returns when
// it is done; what it did wrong is its error.
//
// Device properties say so to the runtime: "emulated" 1, "compiler" (whose compiler half) and "final_stage" (what is loaded).
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_EMULATION_EMULATION_H
#define PANTILE_RUNTIME_EMULATION_EMULATION_H

#include "runtime/dispatch/Device.h"

#include <string>
#include <string_view>
#include <vector>

namespace pantile {

inline constexpr std::string_view kEmulatedBackend = "emulated";

/// Whether a backend's name asks for an emulated target: "emulated" or "emulated:<target>".
bool isEmulated(std::string_view backend);
/// `target` empty: an error that lists the targets there are.
Expected<std::unique_ptr<Device>> openEmulated(const std::string &target, const std::string &helperFolder,
                                               const std::vector<std::string> &pluginFolders);

} // namespace pantile

#endif // PANTILE_RUNTIME_EMULATION_EMULATION_H
