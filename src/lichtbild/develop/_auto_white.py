"""The light of a scene, estimated from the picture.

Two estimators that look at different things speak in log-chroma: shades of grey (the bright parts average to grey) and
grey edges (so do the differences). Their mean is then drawn to the lights that exist: of the camera's own answers to
lights of 2000..12000 K, at most 0.02 Duv off Planck's locus, the most probable one is taken. Whatever the picture
shows, the answer is such a light: never green, never grey. An uncalibrated camera is held less tightly.
Sources: [Finlayson2004] shades of grey, [vandeWeijer2007] grey edge.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from .. import light
from ..light import Xy
from ..types import F32, F64
from . import _camera, _illuminant

_MIRED = np.linspace(1e6 / 12000, 500.0, 64)
_DUV = np.linspace(-0.02, 0.02, 17)
_SIGMA_CHROMA, _SIGMA_DUV = 0.15, 0.006  # errors of the estimators; of lights about the middle of their locus
_SIGMA_OTHER, _SIGMA_BALANCED = 0.2, 0.5  # log-chroma of an unknown camera about a usual one, and about 1, 1, 1
_MIN_USED = 64  # pixels
_CLEAR = 0.8  # of saturation: in the texture of what is brighter some pixels are clipped

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Lights:
    """Which lights are probable: the mean and spread of 1e6/K and the mean Duv; `power` of both Minkowski means."""

    mired: float
    spread: float
    duv: float
    power: float


# Day: chosen on scenes_ldr under twelve lights and two phone cameras; lights lie around 5300 K, a little on the green
# side as daylight does. Night: chosen on bench/white.py; lamps lie around 2800 K, and the brightest things are signs
# and windows that shine by themselves, so means are taken with less weight on them.
_DAY, _NIGHT = Lights(190.0, 90.0, 0.002, 8.0), Lights(360.0, 75.0, 0.0, 4.0)
_DAY_CD_M2, _NIGHT_CD_M2 = 30.0, 3.0


def lights(luminance_cd_m2: float | None) -> Lights:
    """What is probable where the scene has this mean luminance; day where it is unknown."""
    if luminance_cd_m2 is None or luminance_cd_m2 >= _DAY_CD_M2:
        return _DAY
    n = math.log(_DAY_CD_M2 / max(luminance_cd_m2, _NIGHT_CD_M2)) / math.log(_DAY_CD_M2 / _NIGHT_CD_M2)
    pairs = zip(astuple(_DAY), astuple(_NIGHT), strict=True)
    return Lights(*(day + n * (night - day) for day, night in pairs))


def estimate(camera: _camera.Camera, proxy: F32, luminance_cd_m2: float | None = None) -> Xy | None:
    """Chromaticity of the light in `proxy` (3, h, w), camera light without white balance, 1.0 = saturation.

    `luminance_cd_m2`: mean of the scene, where it is known. None where fewer than 64 block means are neither clipped
    nor black.
    """
    usual = lights(luminance_cd_m2)
    seen = _seen(proxy, usual)
    return None if seen is None else _likeliest(camera, seen, usual)


def neutral(camera: _camera.Camera, proxy: F32, luminance_cd_m2: float | None = None) -> F64 | None:
    """What a neutral is, (3,) with largest 1, in `proxy` of a camera that nobody calibrated; None as above.

    Its sensor is like others, or its raw values have been balanced before, by whatever gains: the answers to both are
    mixed as they are likely.
    """
    lit = lights(luminance_cd_m2)
    seen = _seen(proxy, lit)
    if seen is None:
        return None
    usual = chroma(camera.neutral(_likeliest(camera, seen, lit)))
    places = np.array([usual, np.zeros(2)])
    own = np.array([_SIGMA_OTHER, _SIGMA_BALANCED]) ** 2
    spread = own + _SIGMA_CHROMA**2
    likely = np.exp(-((places - seen) ** 2).sum(1) / (2 * spread)) / spread
    answers = places + (own / spread)[:, None] * (seen - places)
    red, blue = np.exp(likely @ answers / likely.sum() if likely.sum() > 0 else usual)
    found = np.array([red, 1.0, blue])
    return found / found.max() if _camera.good_neutral(found) else None


def _seen(proxy: F32, usual: Lights) -> F64 | None:
    """Log-chroma (2,) of the light by the mean of both estimators; None where too little can be used."""
    rgb, use = _reduce(proxy)
    return (shades(rgb, use, usual.power) + edges(rgb, use, usual.power)) / 2 if int(use.sum()) >= _MIN_USED else None


def _reduce(proxy: F32) -> tuple[F64, Mask]:
    """Block means (about 128 x 192) and which of them hold no clipped pixel and stand clear of black."""
    step = max(1, round(max(proxy.shape[1] / 128, proxy.shape[2] / 192)))
    h, w = (n // step * step for n in proxy.shape[1:])
    blocks = proxy[:, :h, :w].reshape(3, h // step, step, w // step, step)
    rgb = np.asarray(blocks.mean((2, 4)), np.float64)
    clear = blocks.max((0, 2, 4)) < _CLEAR
    floor = max(0.002, 0.01 * float(np.quantile(rgb.max(0), 0.99))) if rgb.size else 1.0
    return rgb, np.asarray(clear & (rgb.max(0) > floor) & (rgb.min(0) > 0), np.bool_)


def chroma(rgb: F64) -> F64:
    """(2,): ln(R/G), ln(B/G) of a colour (3,)."""
    held = np.maximum(rgb, 1e-9)
    return np.array([np.log(held[0] / held[1]), np.log(held[2] / held[1])])


def _mean(samples: F64, power: float) -> F64:
    """Minkowski mean (3,) of samples (3, n); scaled first, so that high powers do not vanish."""
    top = max(float(samples.max()), 1e-12)
    return np.asarray(((samples / top) ** power).mean(1) ** (1 / power), np.float64)


def shades(rgb: F64, use: Mask, power: float) -> F64:
    """Log-chroma (2,) of the Minkowski mean of the used pixels."""
    return chroma(_mean(rgb[:, use], power))


def edges(rgb: F64, use: Mask, power: float) -> F64:
    """Log-chroma (2,) of the Minkowski mean of the gradients between used pixels; `shades` where there are none."""
    whole = use[1:-1, 1:-1] & use[:-2, 1:-1] & use[2:, 1:-1] & use[1:-1, :-2] & use[1:-1, 2:]
    if int(whole.sum()) < _MIN_USED:
        return shades(rgb, use, power)
    down, right = rgb[:, 2:, 1:-1] - rgb[:, :-2, 1:-1], rgb[:, 1:-1, 2:] - rgb[:, 1:-1, :-2]
    found = _mean(np.hypot(right, down)[:, whole], power)
    return chroma(found) if found.min() > 0 else shades(rgb, use, power)


def _likeliest(camera: _camera.Camera, seen: F64, usual: Lights) -> Xy:
    """The light whose neutral lies near `seen` and which is itself probable."""
    best: tuple[float, Xy] = (np.inf, _illuminant.daylight_xy(5500))
    for mired in _MIRED:
        # The camera's matrices change with temperature, hardly with Duv: one mix serves the whole row.
        from_xyz = camera.from_xyz(_illuminant.cct_to_xy(1e6 / mired))
        for duv in _DUV:
            xy = _illuminant.cct_to_xy(1e6 / mired, duv)
            neutral = from_xyz @ light.xyz(xy)
            if not _camera.good_neutral(neutral):
                continue
            cost = float(((chroma(neutral) - seen) ** 2).sum()) / _SIGMA_CHROMA**2
            cost += ((mired - usual.mired) / usual.spread) ** 2 + ((duv - usual.duv) / _SIGMA_DUV) ** 2
            if cost < best[0]:
                best = cost, xy
    return best[1]
