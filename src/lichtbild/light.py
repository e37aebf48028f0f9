"""Light as three numbers: RGB spaces, their matrices and encoding, and the adaptation of the eye to another white.

Every matrix is derived from primaries and white in float64, here and nowhere else. XYZ is relative to Y = 1 of white.
Sources: primaries of [BT2020], [BT709], [SMPTE432], [ProPhoto]; adaptation [Lam1985] (Bradford), [Li2017] (CAT16).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .types import F32, F64

Xy = tuple[float, float]

WHITE_D50: Xy = (0.3457, 0.3585)
WHITE_D65: Xy = (0.3127, 0.3290)

PRIMARIES: dict[str, tuple[Xy, Xy, Xy]] = {
    "rec2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "srgb": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "prophoto": ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105)),
}
WHITES: dict[str, Xy] = {"rec2020": WHITE_D65, "srgb": WHITE_D65, "p3": WHITE_D65, "prophoto": WHITE_D50}

# Rows turn XYZ into sharpened cone responses, in which a change of white is a change of three gains.
_CONES = {
    "bradford": ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)),
    "cat16": ((0.401288, 0.650173, -0.051461), (-0.250268, 1.204414, 0.045854), (-0.002079, 0.048952, 0.953127)),
}


def xyz(xy: Xy) -> F64:
    """XYZ (3,) with Y = 1 of a chromaticity. Raises ValueError where y is not positive."""
    x, y = xy
    if not y > 0:
        raise ValueError(f"chromaticity: expected y > 0, got {xy}")
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


def xy(value: F64) -> Xy:
    """Chromaticity of XYZ (3,). Raises ValueError where the sum is not positive."""
    total = float(np.sum(value))
    if not total > 0:
        raise ValueError(f"XYZ: expected a positive sum, got {value}")
    return float(value[0]) / total, float(value[1]) / total


@functools.cache
def _rgb_to_xyz(space: str) -> F64:
    columns = np.array([xyz(p) for p in PRIMARIES[space]]).T
    matrix: F64 = columns * np.linalg.solve(columns, xyz(WHITES[space]))
    matrix.setflags(write=False)
    return matrix


def rgb_to_xyz(space: str) -> F64:
    """(3, 3): linear RGB of `space` → XYZ under the white of that space. (1, 1, 1) becomes its white, Y = 1."""
    if space not in PRIMARIES:
        raise ValueError(f"unknown RGB space '{space}': known: {', '.join(sorted(PRIMARIES))}")
    return _rgb_to_xyz(space)


def adapt(xy_from: Xy, xy_to: Xy, method: str = "bradford") -> F64:
    """(3, 3): XYZ seen under the white `xy_from` → XYZ that look the same under `xy_to`."""
    cones = np.array(_CONES[method])
    gains = (cones @ xyz(xy_to)) / (cones @ xyz(xy_from))
    matrix: F64 = np.linalg.solve(cones, gains[:, None] * cones)
    return matrix


def convert(space_from: str, space_to: str) -> F64:
    """(3, 3): linear RGB of one space → linear RGB of another; white stays (1, 1, 1)."""
    source, target = rgb_to_xyz(space_from), rgb_to_xyz(space_to)
    turned = adapt(WHITES[space_from], WHITES[space_to]) @ source
    return np.asarray(np.linalg.solve(target, turned), np.float64)


REC2020_LUMA: tuple[float, float, float] = tuple(rgb_to_xyz("rec2020")[1].tolist())  # 0.2627, 0.6780, 0.0593


def oetf(linear: NDArray[Any]) -> NDArray[Any]:
    """Display light → sRGB encoding, continued above 1 and, mirrored, below 0. Source: [IEC61966-2-1]."""
    size = np.abs(linear)
    return np.asarray(
        np.sign(linear) * np.where(size <= 0.0031308, 12.92 * size, 1.055 * np.maximum(size, 1e-9) ** (1 / 2.4) - 0.055)
    )


def eotf(code: NDArray[Any]) -> NDArray[Any]:
    """The inverse of `oetf`."""
    size = np.abs(code)
    return np.asarray(np.sign(code) * np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4))


def thin(rgb: F32, samples: int = 1 << 14) -> F32:
    """Every n-th row and column of `rgb` (3, H, W), so that about `samples` pixels are left: enough for statistics."""
    n = max(1, math.isqrt(rgb.shape[1] * rgb.shape[2] // samples))
    return rgb[:, n // 2 :: n, n // 2 :: n] if min(rgb.shape[1:]) > n else rgb
