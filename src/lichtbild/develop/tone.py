"""Tone — local tone mapping: the range of a scene fitted to what a picture can show, without losing its light.

in    scene (3, h, w) float32   proxy (4x4 binned), linear Rec.2020; with 2^ev: 1.0 = diffuse white, mid grey 0.18
out   ToneMap                   coarse maps a, b (h, w): log2 gain of a pixel = a·log2(Y) + b
A curve draws deep shadows and bright highlights of the *large scale* together, just as far as the scene asks; textures
keep their contrast because the curve is applied by a fast local Laplacian filter (kernel `local_laplacian`). The gain
is fitted linearly to log luma in small windows, so the full-size picture evaluates it with its own edges: no halos.
Noise sets two bounds: below the light at which it equals the signal the gain no longer follows the pixel, and shadows
are not opened into it.
Sources: [Paris2011], [Aubry2014] (filter), [He2015] (guided upsampling); the curve is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import kernels
from ..light import REC2020_LUMA, thin
from ..stage import Stage, param, stage
from ..types import F32, F64, Noise
from . import _tonecurve as tonecurve
from ._tonetwin import twin, twin_map
from .exposure import MID_GREY, luma

__all__ = ["Tone", "ToneMap", "apply", "floor_of", "prepare", "twin", "twin_map"]

REACH_EV = 1.2  # differences well below this are texture, beyond twice this an edge
EPSILON = 0.05  # EV²: flat windows share one gain, windows with more contrast than this follow their edges
STEP_EV = 1.4  # distance of the reference levels of the filter; near REACH_EV, see [Aubry2014] §4
LEAST_LIGHT = 2.0**-14
_MID = math.log2(MID_GREY)
_CAP_LOW_EV = -6.0


@stage("tone", "local tone mapping that keeps the mood of the light")
class Tone(Stage):
    """Parameters of tone mapping; with `strength` 0 nothing happens."""

    strength: float = param(0.8, 0.0, 1.0, "", "how much of all the following is done")
    shadows: float = param(0.0, -1.0, 2.0, "EV", "more or less light in the shadows than the scene asks for")
    highlights: float = param(0.0, -2.0, 1.0, "EV", "more or less light in the highlights than the scene asks for")
    clarity: float = param(0.15, -0.5, 1.0, "", "contrast of textures: 0 = as it is")
    most_lift: float = param(2.0, 0.0, 4.0, "EV", "the most that shadows are opened on their own")


@dataclass(frozen=True)
class ToneMap:
    """Tables of the stage: gain = 2^clamp(a·log2(max(Y, floor)) + b, low, high), a and b (h, w) upsampled ×4."""

    a: F32
    b: F32
    floor: float
    low: float
    high: float
    lift_ev: float = 0.0
    cut_ev: float = 0.0

    @property
    def scalars(self) -> dict[str, float]:
        """The three scalars by the names that kernels use."""
        return {"floor": self.floor, "low": self.low, "high": self.high}


def floor_of(noise: Noise | None, ev: float, gains: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> float:
    """Scene light at which luma noise of one pixel equals the signal; LEAST_LIGHT where noise is unknown or less."""
    if noise is None:
        return LEAST_LIGHT
    s = sum(w * w * g * a for w, g, a in zip(REC2020_LUMA, gains, noise.scale, strict=True))
    o = sum(w * w * g * g * b for w, g, b in zip(REC2020_LUMA, gains, noise.offset, strict=True))
    level = 0.5 * (s + math.sqrt(max(s * s + 4 * o, 0.0)))  # the root of x² = s·x + o
    return float(max(LEAST_LIGHT, level * 2.0**ev))


def prepare(
    scene: F32,
    values: dict[str, Any],
    ev: float = 0.0,
    noise: Noise | None = None,
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0),
    mood_ev: float = 0.0,
) -> ToneMap:
    """Measure the proxy and make the maps for scene light = `scene`·2^ev.

    `noise` is that of camera light, `gains` the white balance that was applied to it.
    `mood_ev` ≥ 0 (ExposureTable) says how much darker than day the picture shall stay; its shadows stay closed too.
    """
    floor = floor_of(noise, ev, gains)
    strength = float(values["strength"])
    light = np.nan_to_num(luma(thin(scene)), nan=0.0, posinf=1e4)
    stops = np.log2(np.maximum(light, floor * 2.0**-ev)) + (ev - _MID)
    at = (0.3, 10.0, 50.0, 95.0, 99.7)
    percentiles = dict(zip(at, (float(v) for v in np.percentile(stops, at)), strict=True))
    # Denoising leaves room for about 2 EV below the level where noise equals signal.
    most = min(float(values["most_lift"]), max(0.0, 0.6 * (-3.0 - (math.log2(floor) - _MID))))
    wish = tonecurve.wanted(percentiles, most * 2.0**-mood_ev)
    asked = tonecurve.Range(strength * wish.lift, strength * wish.cut, wish.bright)
    knees = tonecurve.knees(asked, strength * values["shadows"], strength * values["highlights"])
    detail = 1.0 + strength * float(values["clarity"])
    if detail == 1.0 and not knees[:, 2].any():
        nothing = np.zeros(scene.shape[1:], np.float32)
        return ToneMap(nothing, nothing, floor, 0.0, 0.0)
    high = max(0.0, float(tonecurve.bend(knees, np.float64(-8.0))) + 8.0) + 0.5
    maps = _measure(scene, knees, floor, ev, detail, (percentiles[0.3], percentiles[99.7]))
    return ToneMap(maps[0], maps[1], floor, _CAP_LOW_EV, high, asked.lift, asked.cut)


def _measure(scene: F32, knees: F64, floor: float, ev: float, detail: float, span: tuple[float, float]) -> F32:
    out = np.empty((2, *scene.shape[1:]), np.float32)
    kernels.call("local_laplacian", proxy=scene, output=out, **arguments(knees, floor, ev, detail, span))
    return out


def arguments(knees: F64, floor: float, ev: float, detail: float, span: tuple[float, float]) -> dict[str, Any]:
    """Knees and scalars of the kernel `local_laplacian` (and of its twin). `span`: the EV that matter, low and high."""
    low, high = max(span[0], -8.0), min(span[1], 7.0)
    levels = min(12, max(2, math.ceil((high - low) / STEP_EV) + 1))
    r, g, b = (w * 2.0**ev for w in REC2020_LUMA)
    around = knees.copy()
    around[:-1, 0] += _MID  # from EV around mid grey to log2 luma
    return {
        "knees": around.astype(np.float32), "weight_r": r, "weight_g": g, "weight_b": b, "floor": floor,
        "levels": levels,
        "first": low + _MID, "step": max((high - low) / (levels - 1), 0.1), "reach": 1 / (2 * REACH_EV),
        "detail": detail, "epsilon": EPSILON,
    }  # fmt: skip


def enlarged(tone: ToneMap, shape: tuple[int, ...], times: float) -> ToneMap:
    """The maps for a picture of `shape`, `times` as large as the one they were made for; bilinear."""
    if times == 1.0:
        return tone
    found = []
    for plane in (tone.a, tone.b):
        for axis in (0, 1):
            have, want = plane.shape[axis], -(-shape[axis] // 4)
            at = np.clip((np.arange(want) + 0.5) / times - 0.5, 0, have - 1).astype(np.float32)
            low = at.astype(np.intp)
            part = (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
            first, second = plane.take(low, axis), plane.take(np.minimum(low + 1, have - 1), axis)
            plane = first + part * (second - first)
        found.append(np.ascontiguousarray(plane))
    return replace(tone, a=found[0], b=found[1])


def stops(scene: F32, tone: ToneMap) -> F32:
    """(h, w): the gain in EV that each pixel of the proxy gets, of scene light (3, h, w)."""
    gain = tone.a * np.log2(np.maximum(luma(scene), np.float32(tone.floor))) + tone.b
    return np.asarray(np.clip(gain, tone.low, tone.high), np.float32)


def apply(rgb: F32, tone: ToneMap) -> F32:
    """Tone-mapped scene light of scene light (3, H, W), H ≤ 4h, W ≤ 4w."""
    out = np.empty_like(rgb)
    kernels.call("tone", rgb=rgb, a=tone.a, b=tone.b, output=out, **tone.scalars)
    return out
