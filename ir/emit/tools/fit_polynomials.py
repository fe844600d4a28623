#!/usr/bin/env python3
# Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
"""Fits the polynomials of ElementaryMath and prints Polynomials.h. Needs mpmath; takes about a minute.

Weighted minimax by Lawson's iteration on Chebyshev points: least squares whose weights grow where the error is large.
"""

import struct

import mpmath as mp

mp.mp.dps = 50


def points(low, high, count):
    return [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def fit(function, scale, low, high, degree, rounds=25):
    """Coefficients c of sum c_i x^i, minimizing max |scale(x) (p(x) - function(x))|, and that maximum."""
    xs = points(mp.mpf(low), mp.mpf(high), 6 * (degree + 1))
    middle, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    values = [function(x) for x in xs]
    scales = [scale(x) for x in xs]
    # In Chebyshev polynomials of the scaled argument: well conditioned.
    basis = [[mp.chebyt(d, (x - middle) / half) for d in range(degree + 1)] for x in xs]
    weights = [mp.mpf(1)] * len(xs)
    best = None
    for _ in range(rounds):
        normal = mp.zeros(degree + 1)
        right = mp.zeros(degree + 1, 1)
        for row, value, s, weight in zip(basis, values, scales, weights, strict=False):
            w = weight * s * s
            for i in range(degree + 1):
                right[i] += w * row[i] * value
                for j in range(i, degree + 1):
                    normal[i, j] += w * row[i] * row[j]
        for i in range(degree + 1):
            for j in range(i):
                normal[i, j] = normal[j, i]
        c = mp.lu_solve(normal, right)
        errors = [abs(s * (sum(c[i] * row[i] for i in range(degree + 1)) - v)) for row, v, s in zip(basis, values, scales, strict=False)]
        worst = max(errors)
        if best is None or worst < best[0]:
            best = (worst, c)
        weights = [w * (e / worst + mp.mpf("1e-6")) for w, e in zip(weights, errors, strict=False)]
        total = sum(weights)
        weights = [w * len(weights) / total for w in weights]
    worst, c = best
    # To powers of x.
    power = [mp.mpf(0)] * (degree + 1)
    previous, current = [mp.mpf(1)], [-middle / half, 1 / half]
    for d in range(degree + 1):
        for i, p in enumerate(previous):
            power[i] += c[d] * p
        following = [mp.mpf(0)] * (len(current) + 1)
        for i, p in enumerate(current):
            following[i] += -2 * middle / half * p
            following[i + 1] += 2 / half * p
        for i, p in enumerate(previous):
            following[i] -= p
        previous, current = current, following
    return power, worst


def f32(value):
    return struct.unpack("f", struct.pack("f", float(value)))[0]


def emit(name, comment, result, single):
    coefficients, worst = result
    text = ", ".join((f32(c).hex() if single else float(c).hex()) for c in coefficients)
    print(f"/// {comment}; error 2^{float(mp.log(worst, 2)):.1f}")
    print(f"constexpr double k{name}[] = {{{text}}};")


ln2, half_pi = mp.log(2), mp.pi / 4


def one(x):
    return mp.mpf(1)


def near(x):
    return abs(x) < mp.mpf("1e-18")


def expTail(x):
    return mp.mpf("0.5") if near(x) else (mp.exp(x) - 1 - x) / x**2


def exp2Tail(x):
    return ln2 if near(x) else (mp.power(2, x) - 1) / x


def logTail(x):
    return mp.mpf(1) / 3 if near(x) else (mp.log1p(x) - x + x * x / 2) / x**3


def logOdd(z):
    return mp.mpf(2) / 3 if near(z) else (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z


def sinTail(z):
    return mp.mpf(-1) / 6 if near(z) else (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z


def cosTail(z):
    return mp.mpf(1) / 24 if near(z) else (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def erfTail(z):
    return 2 / mp.sqrt(mp.pi) - 1 if near(z) else mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1


def erfLog(t):
    return mp.log(mp.erfc(t)) / t  # erf(t) = 1 - exp(t p(t))


def erfcScaled(q, middle):  # q = (x - middle) / (x + middle): erfc(x) exp(x^2) (1 + 2 x)
    x = middle * (1 + q) / (1 - q)
    return mp.erfc(x) * mp.exp(x * x) * (1 + 2 * x)


print("""//===- ir/emit/Polynomials.h - written by tools/fit_polynomials.py ===//
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
""")
h, top = ln2 / 2 * mp.mpf("1.0005"), mp.mpf("0.5005")
emit("ExpF", "(e^r - 1 - r) / r^2, |r| <= ln2 / 2", fit(expTail, lambda x: x * x, -h, h, 4), True)
emit("Exp2F", "(2^r - 1) / r, |r| <= 1/2", fit(exp2Tail, lambda x: x, -top, top, 5), True)
low, high = mp.sqrt("0.5") - 1, mp.sqrt(2) - 1
emit("LogF", "(log(1 + f) - f + f^2 / 2) / f^3, sqrt 1/2 <= 1 + f < sqrt 2", fit(logTail, lambda x: x * x, low, high, 8), True)
emit("SinF", "(sin(r) / r - 1) / r^2 in z = r^2, |r| <= pi / 4", fit(sinTail, lambda z: z, mp.mpf(0), half_pi**2 * 1.001, 3), True)
emit("CosF", "(cos(r) - 1 + r^2 / 2) / r^4 in z = r^2", fit(cosTail, lambda z: z * z, mp.mpf(0), half_pi**2 * 1.001, 2), True)
cut = mp.mpf("0.921875")
emit("ErfNearF", "erf(x) / x - 1 in z = x^2, |x| <= 0.921875", fit(erfTail, one, mp.mpf(0), cut**2, 6), True)
emit("ErfFarF", "log(erfc t) / t, 0.921875 <= t <= 4", fit(erfLog, lambda t: t * mp.erfc(t), cut, mp.mpf(4), 6), True)
print()
emit("Exp", "(e^r - 1 - r) / r^2, |r| <= ln2 / 2", fit(expTail, lambda x: x * x, -h, h, 10), False)
emit(
    "LogOdd",
    "(log(1 + f) / s - 2) / z in z = s^2, s = f / (2 + f)",
    fit(logOdd, lambda z: z, mp.mpf(0), (high / (2 + high)) ** 2, 7),
    False,
)
emit("Sin", "(sin(r) / r - 1) / r^2 in z = r^2, |r| <= pi / 4", fit(sinTail, lambda z: z, mp.mpf(0), half_pi**2 * 1.001, 6), False)
emit("Cos", "(cos(r) - 1 + r^2 / 2) / r^4 in z = r^2", fit(cosTail, lambda z: z * z, mp.mpf(0), half_pi**2 * 1.001, 6), False)
emit("ErfNear", "erf(x) / x - 1 in z = x^2, |x| <= 1", fit(erfTail, one, mp.mpf(0), mp.mpf(1), 13), False)
m = mp.mpf(3)
emit(
    "Erfc",
    "erfc(x) exp(x^2) (1 + 2 x) in q = (x - 3) / (x + 3), 0 <= x <= 28",
    fit(lambda q: erfcScaled(q, m), one, mp.mpf(-1), (28 - m) / (28 + m), 22, 15),
    False,
)
print("""
// clang-format on
} // namespace pantile

#endif // PANTILE_IR_EMIT_POLYNOMIALS_H""")
