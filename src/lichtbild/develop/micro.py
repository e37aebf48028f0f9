"""Micro — contrast of textures, octave by octave, as the look asks for it; edges are left alone.

in    scene (3, h, w) float32   proxy (4x4 binned), linear Rec.2020
out   coarse maps a, b (h, w), added to those of `tone`: log2 gain of a pixel += a·log2(Y) + b
Log2 luma is taken apart into octaves (a Laplacian pyramid), and of each a part is added. Where the luma around spreads
over more than what textures do, nothing is: edges get no halo (below 1 % from 1.5 EV on, with every octave raised by a
half). Octaves are counted in periods per millimetre on a frame whose long side is 36 mm, so a look does the same on
every size of picture. What is finer than two pixels of the proxy is for `detail`, the capture sharpening; what is
finer than eight follows the texture it lies in.
Sources: [Burt1983] the pyramid; [He2015] the fit of a gain to luma; the mask of edges is our own.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .. import kernels
from ..light import REC2020_LUMA
from ..look import Look
from ..look.grain import FRAME_UM
from ..types import F32, F64
from . import _tonetwin as pyramid
from ._tonetwin import LEVELS
from .tone import ToneMap

PROXY = 4  # pixels per sample of the proxy, each way
EDGE_EV = 0.6  # a spread of luma that halves what is added
EPSILON = 0.002  # EV²: textures weaker than its root are raised less
_PERIOD = 5.0  # samples in a period to which the finest level answers most
_NODES = (1.0, 2.0, 4.0, 8.0)  # periods per mm that a look has a say in; an octave below the first nothing is done


def octaves(look: Look, long_side_px: int, factor: float = 1.0) -> F32:
    """What is added of each level of the pyramid (LEVELS,), finest first, for a picture of that size."""
    m = look.micro
    asked = factor * (np.array([m.per_mm_1, m.per_mm_2, m.per_mm_4, m.per_mm_8]) - 1.0)
    sample_mm = FRAME_UM / 1000.0 / long_side_px * PROXY
    per_mm = 1.0 / (_PERIOD * 2.0 ** np.arange(LEVELS) * sample_mm)
    stops = np.log2(np.array([_NODES[0] / 2, *_NODES]))
    return np.asarray(np.interp(np.log2(per_mm), stops, [0.0, *asked]), np.float32)


def apply(tone: ToneMap, scene: F32, look: Look, long_side_px: int, ev: float, factor: float = 1.0) -> ToneMap:
    """The tone map with the look's contrast of textures, times `factor`. Light is `scene`·2^ev."""
    added = octaves(look, long_side_px, factor)
    if not added.any():
        return tone
    maps = measure(scene, added, tone.floor, ev)
    most = float(np.abs(added).max()) * EDGE_EV
    return dataclasses.replace(tone, a=tone.a + maps[0], b=tone.b + maps[1], low=tone.low - most, high=tone.high + most)


def measure(scene: F32, added: F32, floor: float, ev: float = 0.0) -> F32:
    """The maps a, b (2, h, w) of `scene`·2^ev; `added` (LEVELS,) of each octave, luma is held to `floor` and more."""
    r, g, b = (w * 2.0**ev for w in REC2020_LUMA)
    light: list[F32] = [np.empty(scene.shape[1:], np.float32)]
    kernels.call("micro_light", proxy=scene, weight_r=r, weight_g=g, weight_b=b, floor=floor, output=light[0])
    for _ in range(LEVELS):
        light.append(np.empty(((len(light[-1]) + 1) // 2, (light[-1].shape[1] + 1) // 2), np.float32))
        kernels.call("micro_halve", fine=light[-2], output=light[-1])
    more = np.zeros_like(light[LEVELS])
    for n in reversed(range(LEVELS)):
        coarser, more = more, np.empty_like(light[n])
        kernels.call(
            "micro_add", fine=light[n], coarse=light[n + 1], more=coarser, octave=added[n], edge=EDGE_EV, output=more
        )
    maps = np.empty((2, *scene.shape[1:]), np.float32)
    kernels.call("micro_fit", light=light[0], gain=more, epsilon=EPSILON, output=maps)
    return maps


def twin(scene: F32, added: F32, floor: float, ev: float = 0.0) -> F64:
    """The maps (2, h, w) in NumPy."""
    weight = np.array(REC2020_LUMA) * 2.0**ev
    light = [np.log2(np.maximum(np.tensordot(weight, scene.astype(np.float64), 1), floor))]
    for _ in range(LEVELS):
        light.append(pyramid.along(pyramid.halve, light[-1]))
    more = np.zeros_like(light[LEVELS])
    for n in reversed(range(LEVELS)):
        own = light[n] - pyramid.doubled(light[n + 1], light[n])
        more = pyramid.doubled(more, light[n]) + added[n] * own / (1.0 + (_spread(light[n]) / EDGE_EV) ** 4)
    return pyramid.fit(light[0], more, EPSILON)


def _spread(a: F64) -> F64:
    """Most less least over 7x7 samples."""
    edged = np.pad(a, 3, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(edged, (7, 7))
    return np.asarray(windows.max((2, 3)) - windows.min((2, 3)), np.float64)
