"""Grain — the clumps of silver or dye of which a film picture is made, at the size that they have on a frame of film.

How strong it is comes from the RMS granularity G of the look: 1000 times the standard deviation of density 1 seen
through a round hole of 48 µm. How it depends on lightness comes from the Boolean model: discs of light thrown at random
cover the share u of the picture, and points at a distance t are covered together with the covariance

    C(t) = (1-u)² (exp(λ·A(t)) - 1),    A(t) the area that two discs share, λ their number per area, 1-u = exp(-λ·πr²)

The picture's long side stands for 36 mm, so grain has the same size on every export. Noise is a hash of the place:
the same in every tile and with any number of threads.
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

FRAME_UM = 36000.0
HOLE_UM2 = math.pi * 24.0**2
RADIUS = 3  # of the kernel's filter
COLOUR = 0.35
_SEED = 1
_AT_DENSITY_1 = 0.349  # encoded value of display light 0.1
# d encoded / d density there: v·ln 10 / 2.4, as if the display were a power of 2.4.
_PER_DENSITY = _AT_DENSITY_1 * math.log(10) / 2.4


def covariance_area(share: F64) -> F64:
    """Integral of C over the plane, in areas of one disc, where discs cover the share `share` (n,)."""
    t = np.linspace(0.0, 2.0, 401)
    half = np.clip(t / 2.0, 0.0, 1.0)
    shared = (2.0 / math.pi) * (np.arccos(half) - half * np.sqrt(1.0 - half**2))
    bare = 1.0 - share[:, None]
    inner = bare ** (2.0 - shared) - bare**2  # λ·A = -ln(1-u)·shared
    weight = 2.0 * t * np.gradient(t)
    weight[[0, -1]] /= 2.0
    return np.asarray(inner @ weight, np.float64)


@functools.cache
def _shape() -> tuple[F64, float]:
    """The polynomial by which sqrt(v(1-v)) becomes the model's standard deviation, and its value at density 1."""
    v = np.linspace(0.02, 0.98, 97)
    wanted = np.sqrt(covariance_area(v))
    basis = np.stack([v**3, v**2, v, np.ones_like(v)], axis=1)
    powers = np.linalg.lstsq(basis, wanted / np.sqrt(v * (1.0 - v)), rcond=None)[0]
    return np.asarray(powers, np.float64), float(np.sqrt(covariance_area(np.array([_AT_DENSITY_1])))[0])


def prepare(look: Look, long_side_px: int, factor: float = 1.0) -> tuple[F32, F32]:
    """(taps, shape) for the kernel: half of the filter, and the polynomial of the deviation in encoded values."""
    pixel_um = FRAME_UM / long_side_px
    sigma_px = max(look.spatial.grain_um / pixel_um, 0.2)
    taps = np.exp(-0.5 * (np.arange(RADIUS + 1) / sigma_px) ** 2)
    taps /= math.sqrt(taps[0] ** 2 + 2.0 * float(np.sum(taps[1:] ** 2)))  # variance 1 behind the filter
    # A wide hole sees the noise power at frequency 0: the pixel's variance and area times the filter's gain there.
    gain = float(taps[0] + 2.0 * np.sum(taps[1:])) ** 2
    density = look.spatial.grain * factor / 1000.0 * math.sqrt(HOLE_UM2) / (pixel_um * gain)
    powers, there = _shape()
    return taps.astype(np.float32), (powers * density * _PER_DENSITY / there).astype(np.float32)


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
    clump = np.stack([_clumps(height, width, _SEED + k * 0x85EBCA6B, taps.astype(np.float64)) for k in (0, 1)])
    apart = (0.0 if look.mono.film != "none" else COLOUR) * clump[1]
    value = image / 65535.0
    strong = np.sqrt(value * (1.0 - value)) * np.polyval(shape.astype(np.float64), value)
    noise = np.stack([clump[0] + apart, clump[0], clump[0] - apart], axis=-1)
    return np.asarray(np.clip(value + strong * noise, 0.0, 1.0), np.float64)


def _clumps(height: int, width: int, seed: int, taps: F64) -> F64:
    y, x = (np.arange(-RADIUS, n + RADIUS).astype(np.uint32) for n in (height, width))
    word = _scramble(x * np.uint32(0x9E3779B1) ^ _scramble(y + np.uint32(seed & 0xFFFFFFFF))[:, None])
    noise = (word[..., None].view(np.uint8).sum(axis=-1) - 510.0) / 147.7994
    kernel = np.concatenate([taps[:0:-1], taps])
    rows = sum(k * noise[:, i : i + width] for i, k in enumerate(kernel))
    return np.asarray(sum(k * rows[i : i + height] for i, k in enumerate(kernel)), np.float64)


def _scramble(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D)
    value = (value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B)
    return value ^ (value >> np.uint32(16))
