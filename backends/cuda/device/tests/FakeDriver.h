//===- cuda/device/tests/FakeDriver.h - what a test tells the fake driver -===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// FakeDriver.cpp is a libcuda.so.1 without a GPU. It serves the functions of DriverSymbols.def, keeps the driver's rules that
// the plugin must obey (a context must be current, a capturing stream must not be waited for, a fault is sticky in its
// context, device memory cannot be touched by the host), and fails where it is told to.
//
// Its code is the text "ELF fake" behind the ELF mark, then one line an entry, or PTX with `.entry NAME(`:
//   scale   y[i] = x[i] * factor + 1        slots {x, y, elements, factor's bits}
//   maps    the tensor maps, two of them, are copied to y   slots {y, bytes, view}
//   fault   an illegal address
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_DEVICE_TESTS_FAKEDRIVER_H
#define PANTILE_CUDA_DEVICE_TESTS_FAKEDRIVER_H

#include "backends/cuda/device/DriverTypes.h"

#include <map>
#include <string>
#include <vector>

namespace pantile::cuda {

struct FakeDriver {
  int version = 13000;
  int devices = 2;
  int major = 9, minor = 0;
  bool pools = true;
  CUresult initResult = CUDA_SUCCESS;
  size_t memoryBytes = size_t(64) << 20;   ///< of each device
  std::string missing;                     ///< a function that the driver lacks
  std::map<std::string, CUresult> failing; ///< by function: fails once with this
  std::string compilerLog;                 ///< what the driver's compiler says of any PTX it refuses

  std::map<std::string, unsigned> calls; ///< by function
  std::vector<CUlaunchConfig> launches;  ///< without their attributes
  std::vector<CUlaunchAttribute> attributes;
  size_t allocated = 0;
  std::string lastLinked;
};

} // namespace pantile::cuda

// Exported beside the driver's functions: its state, and back to the start (faulted contexts are well again).
extern "C" pantile::cuda::FakeDriver *fakeDriver();
extern "C" void fakeDriverReset();

#endif // PANTILE_CUDA_DEVICE_TESTS_FAKEDRIVER_H
