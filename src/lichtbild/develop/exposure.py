"""Exposure — how bright the photograph is: the step from camera light to scene light.

in    scene (3, h, w) float32   proxy, linear Rec.2020, white-balanced, 1.0 = green saturates
out   ExposureTable             `ev`: scene light = camera light · 2^ev, so that mid grey lies near 0.18
The key of a picture is the mean of its *lightness* (a sigmoid of log2 brightness), weighted towards the centre: a
clipped sky or a black corner has a say, but not a louder one than its area. Pure colours look brighter than their luma
(Helmholtz-Kohlrausch), so brightness is the mean of luma and the strongest channel: a red rose is not burnt. Three
things hold the result back, as a photographer would: the exposure that was chosen in the camera, bounds around it, and
the amount of light that was really there — with ISO, time and aperture known, a dim scene stays darker than a bright
one (0.15 EV per halving below 16 cd/m²).
Sources: [ISO12232] for luminance from the settings; own tuning on real scenes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..light import REC2020_LUMA, thin
from ..stage import Stage, param, stage
from ..types import F32, F64, Exposure

MID_GREY = 0.18
_TRUST = 0.8  # how far the key may overrule the camera's own exposure; the rest is the photographer's will
_BOUNDS = (-1.0, 3.0)  # EV around BaselineExposure
_DIM_CD_M2, _DIM_SLOPE, _DIM_MOST = 16.0, 0.15, 1.5  # below the first, EV per stop, at most


@stage("exposure", "overall brightness, from the key of the picture and the light there was")
class ExposureStage(Stage):
    """Parameters of the exposure."""

    mode: str = param("auto", doc="auto: from the picture; fixed: as the camera exposed it", choices=("auto", "fixed"))
    ev: float = param(0.0, -5.0, 5.0, "EV", "brighter or darker than that")
    mood: float = param(1.0, 0.0, 2.0, "", "how much of its darkness a dim scene keeps: 0 lifts it to day, 1 is felt")


@dataclass(frozen=True)
class Key:
    """What was measured: `ev` would bring the mean lightness to mid grey, `mean_ev` is log2(mean brightness / 0.18)."""

    ev: float
    mean_ev: float
    clipped: float  # part of the picture at or above saturation


@dataclass(frozen=True)
class ExposureTable:
    """The decision, with the reasons in words for `info` and `--json`."""

    ev: float
    mood_ev: float = 0.0  # how much darker than day a dim scene shall stay
    reasons: tuple[str, ...] = field(default=())

    @property
    def gain(self) -> float:
        """2^ev."""
        return float(2.0**self.ev)


def luma(rgb: F32) -> F32:
    """Relative luminance (h, w) of linear Rec.2020 (3, h, w)."""
    r, g, b = (np.float32(w) for w in REC2020_LUMA)
    result: F32 = r * rgb[0] + g * rgb[1] + b * rgb[2]
    return result


def weights(height: int, width: int) -> F64:
    """(h, w), sum 1: a Gaussian a little below the centre on an even floor."""
    y = (np.arange(height)[:, None] + 0.5) / height - 0.55
    x = (np.arange(width)[None, :] + 0.5) / width - 0.5
    w = 0.35 + np.exp(-(x * x + y * y) / (2 * 0.25**2))
    result: F64 = w / w.sum()
    return result


def measure(scene: F32) -> Key:
    """The key of a picture. NaN and negative light count as darkness."""
    sample = thin(scene)
    light = np.nan_to_num((luma(sample) + sample.max(0)).astype(np.float64) / 2, nan=0.0, posinf=1e4)
    weight = weights(*light.shape)
    stops = np.log2(np.maximum(light, 2.0**-16) / MID_GREY)
    low, high = -16.0, 20.0
    for _ in range(24):  # bisection; lightness rises with ev
        ev = (low + high) / 2
        lightness = float((weight / (1 + np.exp2(-(stops + ev)))).sum())
        low, high = (ev, high) if lightness < 0.5 else (low, ev)
    mean = math.log2(max(float((weight * np.clip(light, 0.0, 1.0)).sum()), 2.0**-16) / MID_GREY)
    return Key((low + high) / 2, mean, float((light >= 0.99).mean()))


def mean_ev(green: F32) -> float:
    """log2 of the mean of `green` (h, w), camera light, against MID_GREY: how well a frame was exposed."""
    mean = float(np.clip(thin(green[None]), 0.0, 1.0).mean())
    return math.log2(max(mean, 2.0**-16) / MID_GREY)


def luminance_cd_m2(exposure: Exposure, mean_ev: float) -> float | None:
    """Mean luminance of the scene in cd/m², or None where ISO, time or aperture is unknown.

    Saturation is reached at 78 / ISO lx·s and H = 0.65·L·t / N². Source: [ISO12232].
    """
    known = (exposure.iso, exposure.time_s, exposure.aperture)
    if not all(v is not None and math.isfinite(v) and v > 0 for v in known):
        return None
    iso, time_s, aperture = (float(v) for v in known if v is not None)
    return float(78.0 / 0.65 * aperture**2 / (time_s * iso) * MID_GREY * 2.0**mean_ev)


def prepare(
    key: Key, values: dict[str, Any], baseline_ev: float = 0.0, exposure: Exposure | None = None
) -> ExposureTable:
    """Decide the exposure: `baseline_ev` is the file's BaselineExposure, `exposure` what was set on the camera."""
    reasons = [f"baseline {baseline_ev:+.2f} EV"]
    ev, mood = baseline_ev, 0.0
    if values["mode"] == "auto":
        wish = key.ev
        light = luminance_cd_m2(exposure, key.mean_ev) if exposure else None
        if light is not None:
            mood = values["mood"] * min(_DIM_MOST, max(0.0, _DIM_SLOPE * math.log2(_DIM_CD_M2 / light)))
            wish -= mood
            reasons.append(f"scene of {light:.3g} cd/m²: {-mood:+.2f} EV to keep its mood")
        low, high = (baseline_ev + b for b in _BOUNDS)
        ev = min(high, max(low, baseline_ev + _TRUST * (wish - baseline_ev)))
        reasons.append(f"key asks {key.ev:+.2f} EV, got {ev:+.2f} EV within {low:+.1f}..{high:+.1f}")
    if values["ev"]:
        ev += values["ev"]
        reasons.append(f"by hand {values['ev']:+.2f} EV")
    return ExposureTable(ev, mood, tuple(reasons))


def apply(rgb: F32, table: ExposureTable) -> F32:
    """Scene light of camera light; in the pipeline this factor is part of the colour matrix."""
    result: F32 = rgb * np.float32(table.gain)
    return result
