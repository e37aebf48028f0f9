"""The light of a scene, estimated from the picture.

By day two estimators that look at different things speak in log-chroma: shades of grey (the bright parts average to
grey) and grey edges (so do the differences). Their mean is drawn to the lights that exist: of the camera's own answers
to lights of 2000..12000 K, at most 0.02 Duv off Planck's locus, the most probable one is taken. At night, under mixed
lamps, the same lights are weighed by what was learnt of places whose light is known (develop/_night_white.py), and the
answer is their mean: an unsure one lies in the middle of the lamps there are. What is sought is the mean light of the
place, weighted by how much of it there is. Whatever the picture shows, the answer is a light that exists: never green,
never grey. An uncalibrated camera is held less tightly, and learnt from by day and night alike.
Sources: [Finlayson2004] shades of grey, [vandeWeijer2007] grey edge.
"""

from __future__ import annotations

import functools
import math
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..light import Xy
from ..types import F32, F64
from . import _camera, _illuminant, _night_white

_MIRED = np.linspace(1e6 / 12000, 500.0, 64)
_DUV = np.linspace(-0.02, 0.02, 17)
_SIGMA_CHROMA, _SIGMA_DUV = 0.15, 0.006  # errors of the estimators; of lights about the middle of their locus
_SIGMA_OTHER, _SIGMA_BALANCED = 0.2, 0.5  # log-chroma of an unknown camera about a usual one, and about 1, 1, 1
_NIGHT_DUV = 0.006  # spread of lamps about the locus, beside what was learnt
MIN_USED = 64  # pixels
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
# side as daylight does. Night, for cameras of unknown colours: chosen on bench/white.py; lamps lie around 2800 K, and
# the brightest things are signs and windows that shine by themselves, so means are taken with less weight on them.
_DAY, _NIGHT = Lights(190.0, 90.0, 0.002, 8.0), Lights(360.0, 75.0, 0.0, 4.0)
_DAY_CD_M2, _NIGHT_CD_M2 = 30.0, 3.0


def darkness(luminance_cd_m2: float | None) -> float:
    """How much a scene of this mean luminance is a night's: 0 by day and where it is unknown, 1 at night."""
    if luminance_cd_m2 is None or luminance_cd_m2 >= _DAY_CD_M2:
        return 0.0
    return math.log(_DAY_CD_M2 / max(luminance_cd_m2, _NIGHT_CD_M2)) / math.log(_DAY_CD_M2 / _NIGHT_CD_M2)


def estimate(camera: _camera.Camera, proxy: F32, luminance_cd_m2: float | None = None) -> Xy | None:
    """Chromaticity of the light in `proxy` (3, h, w), camera light without white balance, 1.0 = saturation.

    `luminance_cd_m2`: mean of the scene, where it is known. None where fewer than 64 block means are neither clipped
    nor black.
    """
    rgb, use = reduce(proxy)
    if int(use.sum()) < MIN_USED:
        return None
    dark, candidates = darkness(luminance_cd_m2), _candidates(camera)
    if not candidates.mired.size:  # a matrix that sees no lamp as light
        return _illuminant.daylight_xy(5500)
    day = candidates.by_day(_seen(rgb, use, _DAY.power), _DAY) if dark < 1 else np.zeros(2)
    night = candidates.at_night(rgb, use, reference(camera)) if dark > 0 else np.zeros(2)
    mired, duv = (1 - dark) * day + dark * night
    return _illuminant.cct_to_xy(1e6 / mired, duv)


def neutral(camera: _camera.Camera, proxy: F32, luminance_cd_m2: float | None = None) -> F64 | None:
    """What a neutral is, (3,) with largest 1, in `proxy` of a camera that nobody calibrated; None as above.

    Its sensor is like others, or its raw values have been balanced before, by whatever gains: the answers to both are
    mixed as they are likely.
    """
    rgb, use = reduce(proxy)
    if int(use.sum()) < MIN_USED:
        return None
    dark = darkness(luminance_cd_m2)
    pairs = zip(astuple(_DAY), astuple(_NIGHT), strict=True)
    lit = Lights(*(day + dark * (night - day) for day, night in pairs))
    seen = _seen(rgb, use, lit.power)
    mired, duv = _candidates(camera).by_day(seen, lit)
    usual = chroma(camera.neutral(_illuminant.cct_to_xy(1e6 / mired, duv)))
    places = np.array([usual, np.zeros(2)])
    own = np.array([_SIGMA_OTHER, _SIGMA_BALANCED]) ** 2
    spread = own + _SIGMA_CHROMA**2
    likely = np.exp(-((places - seen) ** 2).sum(1) / (2 * spread)) / spread
    answers = places + (own / spread)[:, None] * (seen - places)
    red, blue = np.exp(likely @ answers / likely.sum() if likely.sum() > 0 else usual)
    found = np.array([red, 1.0, blue])
    return found / found.max() if _camera.good_neutral(found) else None


def reference(camera: _camera.Camera) -> F64:
    """Log-chroma (2,) of a lamp of 3000 K, from which that of all lights is counted at night."""
    return chroma(camera.neutral(_illuminant.cct_to_xy(_night_white.REFERENCE_K)))


def _seen(rgb: F64, use: Mask, power: float) -> F64:
    """Log-chroma (2,) of the light by the mean of both estimators."""
    return (shades(rgb, use, power) + edges(rgb, use, power)) / 2


def reduce(proxy: F32) -> tuple[F64, Mask]:
    """Block means (about 128 x 192) and which of them hold no clipped pixel and stand clear of black."""
    step = max(1, round(max(proxy.shape[1] / 128, proxy.shape[2] / 192)))
    h, w = (n // step * step for n in proxy.shape[1:])
    # Down first, then one column of all blocks after the other: much faster than over both axes of blocks at once.
    lines = proxy[:, :h, :w].reshape(3, -1, step, w)
    total, most = lines.sum(2), lines.max((0, 2))
    rgb = np.asarray(functools.reduce(np.add, (total[..., j::step] for j in range(step))) / step**2, np.float64)
    clear = functools.reduce(np.maximum, (most[:, j::step] for j in range(step))) < _CLEAR
    floor = max(0.002, 0.01 * float(np.quantile(rgb.max(0), 0.99))) if rgb.size else 1.0
    return rgb, np.asarray(clear & (rgb.max(0) > floor) & (rgb.min(0) > 0), np.bool_)


def chroma(rgb: F64) -> F64:
    """(2,): ln(R/G), ln(B/G) of a colour (3,)."""
    held = np.maximum(rgb, 1e-9)
    return np.array([np.log(held[0] / held[1]), np.log(held[2] / held[1])])


def _mean(samples: F64, power: float) -> F64:
    """Minkowski mean (3,) of samples (3, n); scaled first, so that high powers do not vanish."""
    top = max(float(samples.max()), 1e-12)
    # Five times faster than `**`, which asks of every number whether it is a special one.
    powers = np.exp(power * np.log(np.maximum(samples / top, 1e-30)))
    return np.asarray(powers.mean(1) ** (1 / power), np.float64)


def shades(rgb: F64, use: Mask, power: float) -> F64:
    """Log-chroma (2,) of the Minkowski mean of the used pixels."""
    return chroma(_mean(rgb[:, use], power))


def edges(rgb: F64, use: Mask, power: float) -> F64:
    """Log-chroma (2,) of the Minkowski mean of the gradients between used pixels; `shades` where there are none."""
    whole = use[1:-1, 1:-1] & use[:-2, 1:-1] & use[2:, 1:-1] & use[1:-1, :-2] & use[1:-1, 2:]
    if int(whole.sum()) < MIN_USED:
        return shades(rgb, use, power)
    down, right = rgb[:, 2:, 1:-1] - rgb[:, :-2, 1:-1], rgb[:, 1:-1, 2:] - rgb[:, 1:-1, :-2]
    found = _mean(np.sqrt(right * right + down * down)[:, whole], power)
    return chroma(found) if found.min() > 0 else shades(rgb, use, power)


class _Candidates(NamedTuple):
    """The lights that exist, as a camera sees them: mired (n,), duv (n,) and log-chroma (2, n)."""

    mired: F64
    duv: F64
    chroma: F64

    def by_day(self, seen: F64, usual: Lights) -> F64:
        """Mired and Duv of the light whose neutral lies near `seen` and which is itself probable."""
        cost = ((self.chroma - seen[:, None]) ** 2).sum(0) / _SIGMA_CHROMA**2
        cost += ((self.mired - usual.mired) / usual.spread) ** 2 + ((self.duv - usual.duv) / _SIGMA_DUV) ** 2
        best = int(np.argmin(cost))
        return np.array([self.mired[best], self.duv[best]])

    def at_night(self, rgb: F64, use: Mask, reference: F64) -> F64:
        """Mired and Duv of the mean of the lights, weighted by how probable they are."""
        score = _night_white.scores(_night_white.histograms(rgb, use, reference))
        likely = _night_white.at(score, self.chroma - reference[:, None]) - 0.5 * (self.duv / _NIGHT_DUV) ** 2
        weight = np.exp(likely - likely.max())
        return np.asarray(np.array([self.mired @ weight, self.duv @ weight]) / weight.sum(), np.float64)


def _candidates(camera: _camera.Camera) -> _Candidates:
    mired, duv = np.meshgrid(_MIRED, _DUV, indexing="ij")
    xy = _illuminant.places(mired, duv)
    xyz = np.stack([xy[..., 0], xy[..., 1], 1 - xy.sum(-1)]) / xy[..., 1]
    # The camera's matrices change with temperature, hardly with Duv: one mix serves the whole row.
    locus = _illuminant.places(_MIRED, np.zeros(1)).tolist()
    mixed = np.stack([camera.from_xyz((x, y), 1e6 / m) for (x, y), m in zip(locus, _MIRED, strict=True)])
    answer = np.einsum("mij,jmd->imd", mixed, xyz)
    good = (answer.min(0) > 0) & (answer.max(0) <= _camera.MAX_RATIO * answer.min(0))
    red, green, blue = answer[:, good]
    return _Candidates(mired[good], duv[good], np.log(np.stack([red / green, blue / green])))
