//===- ir/emit/Polynomials.h - written by tools/fit_polynomials.py ===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Coefficients from the constant upward; those named F are rounded to f32.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_IR_EMIT_POLYNOMIALS_H
#define PANTILE_IR_EMIT_POLYNOMIALS_H

namespace pantile {
// clang-format off

/// (e^r - 1 - r) / r^2, |r| <= ln2 / 2; error 2^-28.3
constexpr double kExpF[] = {0x1.0000000000000p-1, 0x1.5554900000000p-3, 0x1.5554520000000p-5, 0x1.123adc0000000p-7, 0x1.6dbcde0000000p-10};
/// (2^r - 1) / r, |r| <= 1/2; error 2^-29.0
constexpr double kExp2F[] = {0x1.62e4300000000p-1, 0x1.ebfbe00000000p-3, 0x1.c6aece0000000p-5, 0x1.3b29c40000000p-7, 0x1.5f48180000000p-10, 0x1.447eb80000000p-13};
/// (log(1 + f) - f + f^2 / 2) / f^3, sqrt 1/2 <= 1 + f < sqrt 2; error 2^-30.4
constexpr double kLogF[] = {0x1.5555460000000p-2, -0x1.ffffee0000000p-3, 0x1.99a5380000000p-3, -0x1.5562ec0000000p-3, 0x1.2334080000000p-3, -0x1.fb446a0000000p-4, 0x1.e63e600000000p-4, -0x1.e2d6c20000000p-4, 0x1.1b52680000000p-4};
/// (sin(r) / r - 1) / r^2 in z = r^2, |r| <= pi / 4; error 2^-37.6
constexpr double kSinF[] = {-0x1.5555560000000p-3, 0x1.1111080000000p-7, -0x1.a00fa00000000p-13, 0x1.6cd8ea0000000p-19};
/// (cos(r) - 1 + r^2 / 2) / r^4 in z = r^2; error 2^-33.3
constexpr double kCosF[] = {0x1.55554a0000000p-5, -0x1.6c0c980000000p-10, 0x1.9a05860000000p-16};
/// erf(x) / x - 1 in z = x^2, |x| <= 0.921875; error 2^-31.2
constexpr double kErfNearF[] = {0x1.06eba80000000p-3, -0x1.8127440000000p-2, 0x1.ce2e300000000p-4, -0x1.b811ba0000000p-6, 0x1.54e60a0000000p-8, -0x1.ab46a40000000p-11, 0x1.6033f40000000p-14};
/// log(erfc t) / t, 0.921875 <= t <= 4; error 2^-30.5
constexpr double kErfFarF[] = {-0x1.20ef700000000p+0, -0x1.452fce0000000p-1, -0x1.b34ae00000000p-4, 0x1.85d5f40000000p-6, -0x1.df70420000000p-9, 0x1.568dee0000000p-12, -0x1.86377e0000000p-17};

/// (e^r - 1 - r) / r^2, |r| <= ln2 / 2; error 2^-64.0
constexpr double kExp[] = {0x1.0000000000000p-1, 0x1.555555555555cp-3, 0x1.555555555555ep-5, 0x1.111111110eb91p-7, 0x1.6c16c16c1347ep-10, 0x1.a01a01b3c8c26p-13, 0x1.a01a01b481382p-16, 0x1.71ddef728dc51p-19, 0x1.27e4bf0295f05p-22, 0x1.af6d047ec908dp-26, 0x1.1f9e086137122p-29};
/// (log(1 + f) / s - 2) / z in z = s^2, s = f / (2 + f); error 2^-65.7
constexpr double kLogOdd[] = {0x1.5555555555555p-1, 0x1.9999999999dfap-2, 0x1.249249242b982p-2, 0x1.c71c7258a4dc4p-3, 0x1.745cde4e56b45p-3, 0x1.3b20a7ba87f83p-3, 0x1.0f5d189884fe2p-3, 0x1.0f606fd99ba73p-3};
/// (sin(r) / r - 1) / r^2 in z = r^2, |r| <= pi / 4; error 2^-68.8
constexpr double kSin[] = {-0x1.5555555555555p-3, 0x1.111111111110bp-7, -0x1.a01a01a018ad9p-13, 0x1.71de3a5338632p-19, -0x1.ae645296b1f31p-26, 0x1.6120919926994p-33, -0x1.aaa4aefb816e7p-41};
/// (cos(r) - 1 + r^2 / 2) / r^4 in z = r^2; error 2^-75.2
constexpr double kCos[] = {0x1.5555555555555p-5, -0x1.6c16c16c16c10p-10, 0x1.a01a01a018dd4p-16, -0x1.27e4fb75fbdcbp-22, 0x1.1eed8ca1bedf5p-29, -0x1.93933601b95e9p-37, 0x1.aac4a51599caep-45};
/// erf(x) / x - 1 in z = x^2, |x| <= 1; error 2^-68.7
constexpr double kErfNear[] = {0x1.06eba8214db69p-3, -0x1.812746b0379e7p-2, 0x1.ce2f21a042bdep-4, -0x1.b82ce312889c1p-6, 0x1.565bcd0e65179p-8, -0x1.c02db3feefc3ap-11, 0x1.f9a326c2cd91fp-14, -0x1.f4d256290a1d6p-17, 0x1.b9e6517dad30dp-20, -0x1.5f6d9c0dd9fc4p-23, 0x1.fc43e6283ccb5p-27, -0x1.4e632b2659891p-30, 0x1.7f1617603c455p-34, -0x1.29dec88acbd71p-38};
/// erfc(x) exp(x^2) (1 + 2 x) in q = (x - 3) / (x + 3), 0 <= x <= 28; error 2^-55.2
constexpr double kErfc[] = {0x1.40c522d7e4987p+0, -0x1.15c084bb9e8dcp-3, -0x1.85a15c58aa51bp-5, 0x1.098366a5b3cf4p-3, -0x1.e88b803a4a6c7p-4, 0x1.17ca28781987ep-4, -0x1.8574c40b5bc17p-6, 0x1.4b884df72cf96p-9, 0x1.ef1bdcecd1433p-10, -0x1.98db46f8c9e69p-11, -0x1.b91248f7678c7p-14, 0x1.0659694cbc3f7p-13, 0x1.4c177edb4966cp-18, -0x1.512688b1df9c1p-16, -0x1.87008bf83fb29p-21, 0x1.d0aef1db6e0ebp-19, 0x1.775e4a1264744p-22, -0x1.4391785fd9902p-21, -0x1.1986b6612c9c1p-23, 0x1.838f842fc2e56p-24, 0x1.173ab8b634283p-25, -0x1.133eed1c1557dp-27, -0x1.12c64d6dc4cf7p-28};

// clang-format on
} // namespace pantile

#endif // PANTILE_IR_EMIT_POLYNOMIALS_H
