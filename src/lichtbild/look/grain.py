"""Grain — the clumps of silver or dye of which a film picture is made, at the size that they have on a frame of film.

It is the Boolean model: discs of light of one radius r, thrown at random, cover the share u of the film, u being the
encoded value of the picture. Points at a distance t are covered together with the covariance

    C(t) = (1-u)² (exp(λ·A(t)) - 1),    A(t) the area that two discs share, λ their number per area, 1-u = exp(-λ·πr²)

A pixel is the mean of C's field over its square. Instead of throwing discs, normal noise is made that has the same
variance in a pixel and the same power at large scale, at every lightness: a filter makes clumps of white noise, and a
share of the white noise itself is added where they are finer (dense layers have small gaps). What lies between follows:
see tests/look/test_grain.py for how nearly. How strong it all is comes from the RMS granularity G of the look: 1000
times the standard deviation of density 1 seen through a round hole of 48 µm.

The picture's long side stands for 36 mm, so grain has the same size on every export. Noise is a hash of the place,
filtered in whole numbers, and every sum of floats is rounded as written: the same bits in every tile, with any number
of threads, on every processor.
Sources: [Newson2017] the Boolean model of grain; [Wellons2018] the hash; ISO 10505 for granularity.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..types import F32, F64, U8, U16
from .spec import Look

I16 = NDArray[np.int16]

FRAME_UM = 36000.0
HOLE_UM = 24.0  # radius of the hole of granularity
RADIUS = 6  # of the kernel's filter
DEGREE = 4  # of the polynomials of strength; they stay within 0.5 % of the model
COLOUR = 0.35
_SEED = 1
_TYPICAL = 0.5  # share at which the filter has the shape of the model
_WHITE_SD, _CLUMP_SD = 147.7994, 4 * 147.7994  # of the kernel's whole numbers
_AT_DENSITY_1 = 0.349  # encoded value of display light 0.1
# d encoded / d density there: v·ln 10 / 2.4, as if the display were a power of 2.4.
_PER_DENSITY = _AT_DENSITY_1 * math.log(10) / 2.4


def shared_area(s: F64) -> F64:
    """The part of a disc that another one covers whose centre is `s` radii away."""
    half = np.clip(s / 2.0, 0.0, 1.0)
    return np.asarray((2.0 / math.pi) * (np.arccos(half) - half * np.sqrt(1.0 - half**2)), np.float64)


def covariance(share: float | F64, s: F64) -> F64:
    """C at distances of `s` radii, where discs cover `share`; shapes broadcast."""
    bare = 1.0 - share
    return np.asarray(bare ** (2.0 - shared_area(s)) - bare**2, np.float64)  # λ·A = -ln(1-u)·shared_area


def _over_plane(share: F64, window: F64, s: F64) -> F64:
    """∫ C(s)·window(s) over the plane, in squared radii; `share` (n,), `window` and `s` (m,)."""
    weight = 2.0 * math.pi * s * np.gradient(s)
    weight[[0, -1]] /= 2.0
    return np.asarray(covariance(share[:, None], s) @ (weight * window), np.float64)


def variances(share: F64, radius_px: float) -> tuple[F64, F64]:
    """Of the coverage of pixels (n,): their variance, and the power of their noise at the largest scale."""
    s = np.linspace(0.0, 2.0, 801)
    angle = (np.arange(64) + 0.5) / 64 * math.pi / 2
    x, y = (np.clip(1.0 - radius_px * np.outer(s, w), 0.0, None) for w in (np.cos(angle), np.sin(angle)))
    within = (x * y).mean(axis=1)  # how much of a pixel's square lies over itself when it is moved that far
    return _over_plane(share, within, s) * radius_px**2, _over_plane(share, np.ones_like(s), s) * radius_px**2


def hole_variance(share: F64, radius_um: float) -> F64:
    """Variance of the coverage (n,) seen through the hole of granularity, by discs of that radius."""
    s = np.linspace(0.0, 2.0, 801)
    seen = shared_area(s * radius_um / HOLE_UM)
    return _over_plane(share, seen, s) * radius_um**2 / (math.pi * HOLE_UM**2)


@functools.lru_cache(maxsize=32)
def _filter(radius_px: float) -> F64:
    """Half of a filter (RADIUS + 1,), its squares summing to 1, that shapes noise as the model at _TYPICAL.

    The power of rows, summed over columns, is one integral; the filter is applied both ways.
    """
    s = np.linspace(0.0, 2.0, 401)
    inner = np.sqrt(np.maximum(4.0 - s**2, 0.0)) * np.linspace(0.0, 1.0, 401)[:, None]
    across: F64 = 2.0 * np.asarray(np.trapezoid(covariance(_TYPICAL, np.hypot(s, inner)), inner, axis=0))
    at = np.concatenate([-s[:0:-1], s]) * radius_px
    lags = np.arange(2 * math.ceil(radius_px) + 2)
    rows = np.clip(1.0 - np.abs(at - lags[:, None]), 0.0, None) @ np.concatenate([across[:0:-1], across])
    turns = np.cos(2 * math.pi * np.outer(np.arange(512) / 512, lags)) * np.where(lags, 2.0, 1.0)
    taps = np.fft.ifft(np.sqrt(np.maximum(turns @ rows, 0.0))).real[: RADIUS + 1]
    return np.asarray(taps / math.sqrt(taps[0] ** 2 + 2.0 * float(np.sum(taps[1:] ** 2))), np.float64)


@functools.lru_cache(maxsize=32)
def _strengths(radius_px: float) -> F64:
    """(2, DEGREE + 1): polynomials of sqrt(1-v), highest power first, that turn sqrt(v(1-v)) into what is wanted of
    clumps and of white noise at the encoded value v."""
    v = 0.5 - 0.48 * np.cos(np.linspace(0.0, math.pi, 97))
    variance, power = variances(v, radius_px)
    taps = _filter(radius_px)
    # Clumps a and white b: a² + 2ab·centre + b² = variance, (a·sum + b)² = power; of two answers, the one with less b.
    centre, total, large = taps[0] ** 2, float(taps[0] + 2.0 * taps[1:].sum()) ** 2, np.sqrt(power)
    square, line, rest = 1 - 2 * centre * total + total**2, 2 * large * (centre - total), power - variance
    root = np.sqrt(np.maximum(line**2 - 4 * square * rest, 0.0))
    either = (np.array([root, -root]) - line) / (2 * square)
    clumps = np.where(np.abs(large - either[0] * total) < np.abs(large - either[1] * total), *either)
    basis = np.stack([np.sqrt(1.0 - v) ** k for k in range(DEGREE, -1, -1)], axis=1)
    wanted = np.stack([clumps, large - clumps * total], axis=1) / np.sqrt(v * (1.0 - v))[:, None]
    even = 1.0 / wanted[:, :1]  # the same relative error everywhere
    return np.asarray(np.linalg.lstsq(basis * even, wanted * even, rcond=None)[0].T, np.float64)


def prepare(look: Look, long_side_px: int, factor: float = 1.0) -> tuple[I16, F32]:
    """(taps, shape) for the kernel: half of the filter in parts of 2^14, and the polynomials of strength."""
    radius_px = _radius_um(look) * long_side_px / FRAME_UM
    shape = _strengths(radius_px) * _strength(look) * factor / np.array([[_CLUMP_SD], [_WHITE_SD]])
    return np.rint(_filter(radius_px) * 2**14).astype(np.int16), np.ascontiguousarray(shape, np.float32)


def _radius_um(look: Look) -> float:
    """Radius of the discs: the standard deviation of the places on a disc is half of it."""
    return 2.0 * look.spatial.grain_um


def _strength(look: Look) -> float:
    """Encoded value per coverage by discs, so that the look has the granularity that it says."""
    seen = hole_variance(np.array([_AT_DENSITY_1]), _radius_um(look))[0]
    return look.spatial.grain / 1000.0 * _PER_DENSITY / math.sqrt(seen)


def apply(image: U16, look: Look, factor: float = 1.0, bits: int = 8, dither: float = 1.0) -> U8 | U16:
    """A finished picture (H, W, 3) uint16 with the look's grain, in 8 or 16 bits."""
    taps, shape = prepare(look, max(image.shape[:2]), factor)
    out = np.empty(image.shape, np.uint8 if bits == 8 else np.uint16)
    kernels.call(
        f"grain_u{bits}", image=image, taps=taps, shape=shape, colour=0.0 if look.mono.film != "none" else COLOUR,
        seed=_SEED, dither=dither, output=out,
    )  # fmt: skip
    return out


def twin(image: U16, look: Look, factor: float = 1.0) -> F64:
    """Encoded values in 0..1 of `apply`, in NumPy float64, before they become integers."""
    taps, shape = prepare(look, max(image.shape[:2]), factor)
    height, width = image.shape[:2]
    colour = 0.0 if look.mono.film != "none" else COLOUR
    noises = [_clumps(height, width, _SEED + k * 0x85EBCA6B, taps.astype(np.int64)) for k in (0, 1)]
    value = image / 65535.0
    added = np.zeros_like(value)
    for part, powers in zip((0, 1), shape.astype(np.float64), strict=True):
        shared, apart = noises[0][part], colour * noises[1][part]
        added += np.polyval(powers, np.sqrt(1.0 - value)) * np.stack([shared + apart, shared, shared - apart], axis=-1)
    return np.asarray(np.clip(value + np.sqrt(value * (1.0 - value)) * added, 0.0, 1.0), np.float64)


def _clumps(height: int, width: int, seed: int, taps: NDArray[np.int64]) -> tuple[F64, F64]:
    """Filtered and white noise (height, width), whole numbers."""
    y, x = (np.arange(-RADIUS, n + RADIUS).astype(np.uint32) for n in (height, width))
    word = _scramble(x * np.uint32(0x9E3779B1) ^ _scramble(y + np.uint32(seed & 0xFFFFFFFF))[:, None])
    noise = word[..., None].view(np.uint8).sum(axis=-1).astype(np.int64) - 510
    kernel = np.concatenate([taps[:0:-1], taps])
    rows = (sum(k * noise[:, i : i + width] for i, k in enumerate(kernel)) + 2**11) >> 12
    clumps = (sum(k * rows[i : i + height] for i, k in enumerate(kernel)) + 2**13) >> 14
    inner = noise[RADIUS : RADIUS + height, RADIUS : RADIUS + width]
    return clumps.astype(np.float64), inner.astype(np.float64)


def _scramble(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D)
    value = (value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B)
    return value ^ (value >> np.uint32(16))
