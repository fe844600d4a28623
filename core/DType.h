//===- core/DType.h - element types as data -------------------------------===//

#ifndef PANTILE_CORE_DTYPE_H
#define PANTILE_CORE_DTYPE_H

#include "core/Status.h"

#include <span>
#include <string_view>

namespace pantile {

using DType = pantile_dtype;

enum class DTypeClass : uint8_t { Signed, Unsigned, Float };

/// One row of the table: the IR's name ("bf16", "i32", "f8E4M3FN" as MLIR spells it), the options' name ("f8e4m3fn"),
/// width, and DLPack's code (types that DLPack 0.6 lacks have no code and travel as their bits).
struct DTypeInfo {
  DType dtype;
  std::string_view irName; ///< MLIR's spelling; unsigned types share their signed type's ("i8")
  std::string_view name;   ///< the user's spelling ("u8", "bf16")
  unsigned bits;
  DTypeClass kind;
  int dlpackCode; ///< -1: none
};

std::span<const DTypeInfo> allDTypes();
const DTypeInfo &info(DType dtype);
/// By user's name or IR name; the error lists the known ones.
Expected<DType> dtypeFromName(std::string_view name);
/// From DLPack's {code, bits, lanes}; lanes other than 1 are an error.
Expected<DType> dtypeFromDLPack(uint8_t code, uint8_t bits, uint16_t lanes);
/// Whether a tensor of `given` may be bound to a kernel's `declared` (equal, or the same bits with a declared signless type).
bool compatible(DType declared, DType given);

/// Round-to-nearest-even conversions on bits (the reference for every test).
uint16_t f32ToF16(float value);
float f16ToF32(uint16_t bits);
uint16_t f32ToBF16(float value);
float bf16ToF32(uint16_t bits);

} // namespace pantile

#endif // PANTILE_CORE_DTYPE_H
