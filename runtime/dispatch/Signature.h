//===- runtime/dispatch/Signature.h - a kernel's arguments, checked -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// The kernel's header says what each argument is; a call's tensors are checked against it, and reduced to facts.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_DISPATCH_SIGNATURE_H
#define PANTILE_RUNTIME_DISPATCH_SIGNATURE_H

#include "core/Artifact.h"
#include "core/Hash.h"
#include "core/KernelText.h"

#include <dlpack/dlpack.h>
#include <map>
#include <span>

namespace pantile {

inline constexpr size_t kMaxArguments = 64;

/// One argument of one call, valid.
struct BoundArgument {
  int32_t dtype = 0;
  int32_t rank = -1;
  char *address = nullptr; ///< of element 0
  uint64_t scalar = 0;     ///< integers sign-extended; floats as bits
  int64_t sizes[PANTILE_MAX_RANK];
  int64_t strides[PANTILE_MAX_RANK]; ///< elements; of a dimension of size 1: as if it were dense
  int64_t elements = 1;
  uint64_t span = 0; ///< bytes from `address` to the end of the last element; 0: empty
};
using BoundArguments = std::vector<BoundArgument>;

class Signature {
public:
  static Expected<Signature> read(std::string_view text);

  const std::string &text() const { return kernel.canonical; }
  const std::string &name() const { return kernel.header.name; }
  const Digest &digest() const { return textDigest; }
  /// What a compiler says of `text()`, told of the text that was read, after the kernel's name.
  Status inSource(Status status) const;
  std::span<const KernelArgument> arguments() const { return kernel.header.arguments; }
  bool writes(size_t argument) const {
    return kernel.header.arguments[argument].isView() && kernel.header.arguments[argument].access != Access::Read;
  }

  /// Checks everything but overlap; each failure names the argument. Addresses may be null where `needData` is false.
  Expected<BoundArguments> bind(DLTensor *const *tensors, size_t count, DLDevice device, bool needData) const;
  /// Whether an output shares bytes with another argument.
  Status checkOverlap(std::span<const BoundArgument> bound) const;
  /// True where every output is empty: there is nothing to compute.
  bool nothingToDo(std::span<const BoundArgument> bound) const;

  Facts facts(std::span<const BoundArgument> bound) const;
  /// Canonical text, dtypes, ranks, layout class: names the file of the configuration cache.
  Digest tuningKey(const Facts &facts) const;
  /// Sizes by name ("M"), or "s0.1" where unnamed.
  std::map<std::string, int64_t> shape(std::span<const BoundArgument> bound) const;
  /// The numbers of a call by the names of plugin.h: "s0.1", "t0.1", "a2", "kM".
  std::map<std::string, int64_t, std::less<>> values(std::span<const BoundArgument> bound) const;

private:
  KernelText kernel;
  Digest textDigest;
  std::vector<std::vector<bool>> isStatic; ///< by argument and dimension
};

/// The value of a scalar tensor as `declared`; false where it does not fit (an integer out of range) or is of another kind.
bool readScalar(const DLTensor &tensor, int32_t declared, uint64_t &value) noexcept;
/// Whether code made for `weak` may run where `strong` holds.
bool serves(const Facts &weak, const Facts &strong);
std::string bytesOf(const Facts &facts);

} // namespace pantile

#endif // PANTILE_RUNTIME_DISPATCH_SIGNATURE_H
