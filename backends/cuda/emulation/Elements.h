//===- cuda/emulation/Elements.h - element types of matrix instructions ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CUDA_EMULATION_ELEMENTS_H
#define PANTILE_CUDA_EMULATION_ELEMENTS_H

#include <cstdint>
#include <string_view>

namespace pantile::cuda::emulation {

/// As PTX names them.
enum class Element : uint8_t { F16, BF16, TF32, E4M3, E5M2, S8, U8, F64, F32, S32, Unknown };
Element elementNamed(std::string_view ptx);
unsigned bitsOf(Element element);
/// Exact for all but F64.
float toFloat(Element element, uint32_t bits);
uint16_t toHalf(float value);
uint16_t toBFloat(float value);
/// Nearest even; past the largest finite becomes it (`saturate`) or infinity/NaN.
uint8_t toE4M3(float value, bool saturate);
uint8_t toE5M2(float value, bool saturate);
/// To nearest, ties away from zero, as cvt.rna.tf32 does.
uint32_t toTF32(float value);

enum class Combine : uint8_t { Add, Min, Max, And, Or, Xor };
/// *to = combine(*to, *from) for a pantile_dtype.
void reduceInto(char *to, const char *from, uint8_t dtype, Combine how);

} // namespace pantile::cuda::emulation

#endif // PANTILE_CUDA_EMULATION_ELEMENTS_H
