//===- tests/fuzz/KernelText.cpp - the lexer of portable IR ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/KernelText.h"
#include "runtime/dispatch/Signature.h"
#include "tests/fuzz/Fuzz.h"

using namespace pantile;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text = fuzz::view(data, size);
  auto kernel = readKernelText(text);
  if (!kernel) {
    fuzz::require(!kernel.status().text().empty(), "an error has a text");
    return 0;
  }
  auto again = readKernelText(kernel->canonical);
  fuzz::require(again.isOk(), "canonical text is read");
  fuzz::require(again->canonical == kernel->canonical, "canonical text is a fixed point");
  fuzz::require(again->header.arguments.size() == kernel->header.arguments.size(), "canonical text has the same arguments");
  // What the runtime makes of it.
  auto signature = Signature::read(text);
  if (!signature) return 0;
  std::vector<int64_t> sizes(PANTILE_MAX_RANK, 3);
  std::vector<DLTensor> tensors;
  uint64_t word = 1;
  for (const KernelArgument &argument : signature->arguments()) {
    const DTypeInfo &dtype = info(argument.dtype);
    DLTensor tensor{};
    tensor.data = &word;
    tensor.device = {kDLCPU, 0};
    tensor.ndim = argument.isView() ? argument.rank : 0;
    tensor.dtype = {uint8_t(dtype.dlpackCode), uint8_t(dtype.bits), 1};
    tensor.shape = sizes.data();
    tensors.push_back(tensor);
  }
  std::vector<DLTensor *> pointers;
  for (DLTensor &tensor : tensors) pointers.push_back(&tensor);
  auto bound = signature->bind(pointers.data(), pointers.size(), {kDLCPU, 0}, false);
  if (!bound) return 0;
  Facts facts = signature->facts(*bound);
  (void)signature->tuningKey(facts);
  (void)signature->shape(*bound);
  (void)signature->values(*bound);
  fuzz::require(serves(facts, facts), "facts serve themselves");
  return 0;
}
