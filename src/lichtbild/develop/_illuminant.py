"""What a light looks like: correlated colour temperature and Duv ↔ chromaticity, and the light sources of EXIF.

The Planckian locus is kept as two Chebyshev series in mired (1e6 / K), fitted by us to Planck's law integrated over the
CIE 1931 2° observer at 1 nm: within 1.8e-7 in CIE 1960 (u, v), 0.04 K between 1700 and 12000 K.
Duv is the signed distance from the locus in (u, v), positive towards green; `tint` = 1000·Duv.
Sources: [CIE15], [Ohno2014] (Duv), [DNG1.7.1] and [EXIF2.32] (light sources), c2 = 1.4388e-2 m·K.
"""

from __future__ import annotations

import functools

import numpy as np

from ..light import Xy
from ..types import F64, Calibration

CCT_MIN_K, CCT_MAX_K = 1000.0, 25000.0
_MIRED = (1e6 / CCT_MAX_K, 1e6 / CCT_MIN_K)
_CENTRE, _HALF = (_MIRED[0] + _MIRED[1]) / 2, (_MIRED[1] - _MIRED[0]) / 2

_LOCUS = np.array(
    [
        (0.31166944, 0.33727876), (0.13914152, 0.03431882), (0.00197713, -0.02315305), (-0.00633997, 0.00699724),
        (0.00188833, -0.00038125), (-0.00033733, -0.00080972), (-2.26e-05, 0.00054391), (5.82e-05, -0.00022629),
        (-3.535e-05, 6.937e-05), (1.612e-05, -1.22e-05), (-5.9e-06, -3.86e-06), (1.29e-06, 5.88e-06),
        (3.5e-07, -4.12e-06), (-6.3e-07, 2.09e-06), (4.4e-07, -7.7e-07), (-2e-07, 1.4e-07), (6e-08, 7e-08),
    ]
)  # fmt: skip


def _derivative(series: F64) -> F64:
    """Chebyshev series of the derivative. (numpy.polynomial would cost 30 ms at the start of every command.)"""
    out = np.zeros_like(series)
    for k in range(len(series) - 1, 0, -1):
        out[k - 1] = 2 * k * series[k] + (out[k + 1] if k + 1 < len(series) else 0.0)
    out[0] /= 2
    return out[:-1]


_SLOPE = _derivative(_LOCUS) / _HALF
_BEND = _derivative(_SLOPE) / _HALF
_ALL = np.hstack([np.pad(s, [(0, len(_LOCUS) - len(s)), (0, 0)]) for s in (_LOCUS, _SLOPE, _BEND)])

# EXIF LightSource → colour temperature (K) by which DNG interpolates, and chromaticity; None: on the locus of daylight
# (from 4000 K) or of Planck.
LIGHT_SOURCES: dict[int, tuple[float, Xy | None]] = {
    1: (5500, (0.33243, 0.34744)),  # daylight = D55
    2: (4150, None),  # fluorescent
    3: (2850, (0.44758, 0.40745)),  # tungsten = A
    4: (5500, (0.33243, 0.34744)),  # flash
    9: (5500, (0.33243, 0.34744)),  # fine weather
    10: (6500, (0.3127, 0.3290)),  # cloudy
    11: (7500, (0.29903, 0.31488)),  # shade
    12: (6400, None),  # daylight fluorescent
    13: (5050, None),  # day white fluorescent
    14: (4150, None),  # cool white fluorescent
    15: (3525, None),  # white fluorescent
    16: (2925, None),  # warm white fluorescent
    17: (2850, (0.44758, 0.40745)),  # standard light A
    18: (5500, (0.34842, 0.35161)),  # standard light B
    19: (6500, (0.31006, 0.31616)),  # standard light C
    20: (5500, (0.33243, 0.34744)),  # D55
    21: (6500, (0.3127, 0.3290)),  # D65
    22: (7500, (0.29903, 0.31488)),  # D75
    23: (5000, (0.3457, 0.3585)),  # D50
    24: (3200, None),  # ISO studio tungsten
}


def xy_to_uv(xy: Xy) -> tuple[float, float]:
    """CIE 1931 (x, y) → CIE 1960 (u, v)."""
    d = -2 * xy[0] + 12 * xy[1] + 3
    return 4 * xy[0] / d, 6 * xy[1] / d


def uv_to_xy(uv: tuple[float, float]) -> Xy:
    """CIE 1960 (u, v) → CIE 1931 (x, y)."""
    d = 2 * uv[0] - 8 * uv[1] + 4
    return 3 * uv[0] / d, 2 * uv[1] / d


def _at(series: F64, mired: float | F64) -> F64:
    """(…, 2): both series at `mired`, by T_k(cos t) = cos kt."""
    angle = np.arccos(np.clip((np.asarray(mired) - _CENTRE) / _HALF, -1.0, 1.0))
    value: F64 = np.cos(np.multiply.outer(angle, np.arange(len(series)))) @ series
    return value


def places(mired: F64, duv: F64) -> F64:
    """(…, 2): chromaticities of lights of `mired` (1e6 / K), `duv` away from the Planckian locus; both broadcast."""
    at, slope = _at(_LOCUS, mired), _at(_SLOPE, mired)
    # u grows with mired, so the normal on the green side (v larger) is the tangent turned to the left.
    slope = slope / np.hypot(slope[..., :1], slope[..., 1:])
    u, v = at[..., 0] - duv * slope[..., 1], at[..., 1] + duv * slope[..., 0]
    return np.stack([3 * u, 2 * v], -1) / (2 * u - 8 * v + 4)[..., None]


def cct_to_xy(cct_k: float, duv: float = 0.0) -> Xy:
    """Chromaticity of a light of `cct_k` (held to 1000..25000 K), `duv` away from the Planckian locus."""
    x, y = places(np.array(1e6 / min(max(cct_k, CCT_MIN_K), CCT_MAX_K)), np.array(duv))
    return float(x), float(y)


@functools.cache
def _sampled() -> tuple[F64, F64]:
    """Mired (n,) and (u, v) (n, 2) of points all along the locus."""
    grid = np.linspace(*_MIRED, 97)
    return grid, _at(_LOCUS, grid)


@functools.lru_cache(maxsize=64)
def xy_to_cct(xy: Xy) -> tuple[float, float]:
    """Colour temperature (K, held to 1000..25000) and Duv of a chromaticity: its nearest point of the locus."""
    p = np.array(xy_to_uv(xy))
    grid, locus = _sampled()
    mired = float(grid[np.argmin(((locus - p) ** 2).sum(1))])
    for _ in range(12):
        at, slope, bend = _at(_ALL, mired).reshape(3, 2)
        away = at - p
        step = float(away @ slope) / max(float(slope @ slope + away @ bend), float(slope @ slope) / 4)
        mired = min(max(mired - step, _MIRED[0]), _MIRED[1])
        if abs(step) < 1e-9 * mired:
            break
    away, slope = p - _at(_LOCUS, mired), _at(_SLOPE, mired)
    side = float(slope[0] * away[1] - slope[1] * away[0])
    return 1e6 / mired, float(np.copysign(np.hypot(*away), side))


def daylight_xy(cct_k: float) -> Xy:
    """Chromaticity of CIE daylight, held to 4000..25000 K. Source: [CIE15]."""
    t = min(max(cct_k, 4000.0), 25000.0)
    if t <= 7000:
        x = -4.6070e9 / t**3 + 2.9678e6 / t**2 + 0.09911e3 / t + 0.244063
    else:
        x = -2.0064e9 / t**3 + 1.9018e6 / t**2 + 0.24748e3 / t + 0.237040
    return x, -3.0 * x * x + 2.870 * x - 0.275


def light_source(code: int, white_xy: Xy | None = None) -> tuple[float, Xy] | None:
    """Temperature (K) and chromaticity of an EXIF LightSource; `white_xy` is that of code 255 (other).

    None for an unknown light: code 0, an unassigned code, or 255 without a chromaticity.
    """
    if white_xy is not None and code in (0, 255):
        return xy_to_cct(white_xy)[0], white_xy
    if code not in LIGHT_SOURCES:
        return None
    cct, known = LIGHT_SOURCES[code]
    return cct, known or (daylight_xy(cct) if cct >= 4000 else cct_to_xy(cct))


def of(calibration: Calibration) -> tuple[float, Xy] | None:
    """`light_source` of a calibration."""
    return light_source(calibration.illuminant, calibration.white_xy)
