"""Random numbers that depend on nothing but where they are asked for: the twin of kernels/_random.py.

A word of 32 random bits is a function of a counter (column, row, frame, stream) and a key (seed): no state, so that
threads, tiles and processors cannot change it. Everything after it is float32 with every operation rounded as IEEE 754
says (no fused multiply-add, no approximate division), so that kernel and twin agree to the last bit on every machine.

Sources: [Salmon2011] Philox4x32 with 7 rounds; [Giles2016] expansion of the Poisson quantile about the normal one.
The polynomials are our own minimax fits; tools/fit_random.py makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import F32

U32 = NDArray[np.uint32]

ROUNDS = 7  # the fewest that pass BigCrush with a margin of none; ten are for those who fear attackers
_MULTIPLY = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)  # golden ratio, sqrt(3) - 1

# Lowest power first. Errors: 2e-7, 5e-7, 2e-6, 6e-8.
_LOG = (0.97114828, -0.16651296, 0.03789059, -0.0096833889, 0.0026052347, -0.00073077497, 0.00026259331, -8.2455096e-05)
_CENTRE = (2.1233131, 0.87200782, -0.036911722, -0.027712952, 0.012002061, -0.00058750496, -0.0010971724, 0.00028527529)
_TAIL = (4.7427811, 1.8265335, 0.0074168837, -0.00578859, 0.0035832414, -0.0035157312, 0.0033883951, -0.0013585756)
_EXP = (0.53526142, -0.33453883, 0.10454337, -0.021776349, 0.0034025938, -0.00043235952, 4.5011286e-05)
_TAIL_FROM, _TAIL_TO = 5.0**0.5, 4.8

POISSON_LARGE = 10.0  # electrons: from here on the expansion, below the sum of probabilities
POISSON_TERMS = 36  # more than these have a probability of 2e-10 at POISSON_LARGE
POISSON_LEAST = 2.0**-27  # a probability this small is lost in the rounding of the sum: there the tail ends


def philox(counter: Sequence[Any], key: tuple[int, int]) -> tuple[U32, U32, U32, U32]:
    """Four words of random bits for counters of four words (arrays of uint32, or numbers) under a key of two."""
    x0, x1, x2, x3 = (np.asarray(v, np.uint64) for v in counter)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    k0, k1 = key
    for _ in range(ROUNDS):
        a, b = x0 * np.uint64(_MULTIPLY[0]), x2 * np.uint64(_MULTIPLY[1])
        x0, x1 = (b >> half) ^ x1 ^ np.uint64(k0), b & low
        x2, x3 = (a >> half) ^ x3 ^ np.uint64(k1), a & low
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    w0, w1, w2, w3 = (w.astype(np.uint32) for w in np.broadcast_arrays(x0, x1, x2, x3))
    return w0, w1, w2, w3


def key(seed: int) -> tuple[int, int]:
    """The key of a seed; seeds that differ in their lowest 64 bits give other numbers."""
    return seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF


def _horner(c: tuple[float, ...], t: F32) -> F32:
    value = np.full_like(t, np.float32(c[-1]))
    for k in reversed(c[:-1]):
        value = value * t + np.float32(k)
    return value


def log(v: F32) -> F32:
    """Natural logarithm of positive normal float32, within 3e-7·|ln v| + 1e-7."""
    bits = np.asarray(v, np.float32).view(np.int32)
    # The exponent of v·√2, so that the mantissa lies in √½..√2 and its logarithm about zero.
    e = (bits - np.int32(0x3F3504F3)) >> 23
    f = (bits - (e << 23)).view(np.float32) - np.float32(1)
    t = f * np.float32(2 / 0.72) + np.float32(0.6 / 0.72 - 1)
    return np.asarray(f * _horner(_LOG, t) + e.astype(np.float32) * np.float32(0.6931472), np.float32)


def normal(word: U32) -> F32:
    """Standard normal numbers from words, by the inverse of the normal distribution: within 2e-6, to ±6.2."""
    m = (word & np.uint32(0x7FFFFFFF)).astype(np.int32).astype(np.float32)
    p = (m + np.float32(0.5)) * np.float32(2.0**-32)  # 0..1/2
    w = -log(np.float32(4) * p * (np.float32(1) - p))
    root = np.sqrt(np.maximum(w, np.float32(0)))
    scale = 2 / (_TAIL_TO - _TAIL_FROM)
    centre = _horner(_CENTRE, w * np.float32(0.4) + np.float32(-1))
    tail = _horner(_TAIL, root * np.float32(scale) + np.float32(-_TAIL_FROM * scale - 1))
    z = (np.float32(1) - np.float32(2) * p) * np.where(w < np.float32(5), centre, tail)
    return np.asarray(np.where(word >> np.uint32(31) == 1, z, -z), np.float32)


def uniform(word: U32) -> F32:
    """The upper 23 bits as numbers in 0..1, never 0 nor 1: with one bit more they would be rounded to 1."""
    return ((word >> np.uint32(9)).astype(np.int32).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)


def exponential(word: U32) -> F32:
    """Numbers of the exponential distribution with mean 1."""
    return -log(uniform(word))


def poisson(mean: F32, word: U32, z: F32) -> F32:
    """Poisson numbers of the means (electrons, ≥ 0) from words; `z` must be normal(word)."""
    mean = np.asarray(mean, np.float32)
    return np.asarray(np.where(mean < np.float32(POISSON_LARGE), _few(mean, word), _many(mean, z)), np.float32)


def _few(mean: F32, word: U32) -> F32:
    """Count the probabilities that a uniform number exceeds: exact to the 23 bits of the number."""
    mean = np.minimum(mean, np.float32(POISSON_LARGE))
    u = uniform(word)
    eighth = _horner(_EXP, mean * np.float32(0.2) + np.float32(-1))  # exp(-mean / 8)
    fourth = eighth * eighth
    half = fourth * fourth
    term = half * half
    total, count = term, np.zeros_like(mean)
    for k in range(1, POISSON_TERMS + 1):
        count = count + ((u > total) & (term > np.float32(POISSON_LEAST))).astype(np.float32)
        term = term * (mean * np.float32(1 / k))
        total = total + term
    return count


def _many(mean: F32, z: F32) -> F32:
    """The quantile for large means: variance within 3e-4, the distribution within 3e-4 in total variation."""
    mean = np.maximum(mean, np.float32(POISSON_LARGE))
    root, z2 = np.sqrt(mean), z * z
    first = np.float32(1 / 3) + z2 * np.float32(1 / 6)
    second = z * (np.float32(-1 / 36) + z2 * np.float32(-1 / 72))
    third = np.float32(-8 / 405) + z2 * (np.float32(7 / 810) + z2 * np.float32(1 / 270))
    q = mean + (root * z + (first + (second / root + third / mean)))
    return np.asarray(np.maximum(q, np.float32(0)).astype(np.int32), np.float32)
