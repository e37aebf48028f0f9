"""Highlights: rebuild the channels that the sensor clipped from those that still see.

In and out: white-balanced camera light (3, H, W), 1.0 = green saturation; channel c clips at gains[c] times the lens
shading, which only raises it. A clipped channel is at least what it reads, and about a weighted mean of the other two;
a clipped one of these is itself raised to its neighbour first. So a neutral stays neutral through all three clip
levels, a burnt-out sky pales to white without magenta, and where all three are clipped the light is white. The weights
are measured on the proxy, on bright light that is just not clipped: what colour do the highlights of this picture have?
Once one channel is clipped, light pales as the least saturated one nears its own limit: everything is smooth, so no
ring shows where a channel begins to clip.
Before that, in the front pass, clipped samples of the mosaic are raised to the samples of the other colours beside
them: balanced, a clipped lamp is magenta, and demosaicing, merging and denoising would mix that with the dark around it
where nobody can tell any more that it was clipped. A sample that is clipped alone is a defect and stays.
Idea: [Inpaint-opposed] rebuilding by opposed channels; the weights and the raised neighbours are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..light import thin
from ..stage import Stage, param, stage
from ..types import F32, F64, U16, White
from .defects import phase

_SURE = 0.99  # of the clip level: from here on a channel counts as clipped for certain
_PALES = 0.6  # of its clip level: from here on the least saturated channel draws clipped light to white
_HELD = (0.25, 0.75)  # a weight beyond this would trust one channel alone
_PRIOR = 0.02  # share of the proxy that speaks for weights of 1/2


@stage("highlights", "rebuild clipped channels from the ones that still see")
class Highlights(Stage):
    strength: float = param(1.0, 0.0, 1.0, "", "how much of the light above the lowest clip level is kept")
    threshold: float = param(0.92, 0.5, 0.98, "", "part of saturation from where a channel is doubted")


@dataclass(frozen=True)
class HighlightTable:
    """Clip levels and weights for R, G, B; `array` is what kernels read.

    `clip`: white-balanced light at saturation. `weight`: part of channel c+1 against c+2 in a rebuilt channel c.
    """

    clip: tuple[float, float, float]
    weight: tuple[float, float, float]
    strength: float
    threshold: float

    @property
    def array(self) -> F32:
        """(4, 3) float32: slope and bias of the ramp of certainty, weights, (level, strength, pale)."""
        clip = np.asarray(self.clip, np.float64)
        slope = 1 / (clip * (_SURE - self.threshold))
        bias = np.full(3, -self.threshold / (_SURE - self.threshold))
        pale = (_SURE - self.threshold) / (_SURE - _PALES)
        return np.array([slope, bias, self.weight, (clip.min(), self.strength, pale)], np.float32)


def measure(proxy: F32, white: White, values: Mapping[str, Any] | None = None) -> HighlightTable:
    """Clip levels of a white balance, and weights from `proxy` (3, h, w), camera light without white balance."""
    chosen = Highlights(**dict(values or {}))
    gains = np.asarray(white.gains, np.float64)
    sample = thin(proxy)
    brightest = sample.max(0)
    near = (brightest > 0.5) & (brightest < min(chosen.threshold, 0.9)) & (sample.min(0) > 0)
    light = sample[:, near].astype(np.float64) * gains[:, None]
    weight = [_weight(light, c, _PRIOR * brightest.size) for c in range(3)]
    clip = (float(gains[0]), float(gains[1]), float(gains[2]))
    return HighlightTable(clip, (weight[0], weight[1], weight[2]), chosen.strength, chosen.threshold)


def _weight(light: F64, c: int, prior: float) -> float:
    """The w that best makes light[c] = w·light[c+1] + (1-w)·light[c+2], in the sense of relative least squares.

    `prior`: how many pixels of a clear colour (0.2 between the other channels) would speak for 1/2.
    """
    scale = 1 / np.maximum(light.max(0), 1e-6)
    target, first, second = (light[i % 3] * scale for i in (c, c + 1, c + 2))
    across = first - second
    above = float(across @ (target - (first + second) / 2))
    return float(np.clip(0.5 + above / (float(across @ across) + prior * 0.2**2 + 1e-12), *_HELD))


def apply(rgb: F32, table: HighlightTable) -> F32:
    """White-balanced camera light (3, H, W) float32 → the same with clipped channels rebuilt."""
    out = np.empty(rgb.shape, np.float32)
    kernels.call("highlights", rgb=rgb, table=table.array, output=out)
    return out


def unclip(half: U16, clipped: NDArray[np.bool_], cfa: str) -> U16:
    """Half codes (H, W) of a mosaic whose `clipped` samples are raised, fully where two like them are clipped too."""
    out = np.empty(half.shape, np.uint16)
    dx, dy = phase(cfa)
    kernels.call("clipped", mosaic=half | (clipped.astype(np.uint16) << 15), dx=dx, dy=dy, output=out)
    return out


def twin_unclip(half: U16, clipped: NDArray[np.bool_], cfa: str) -> U16:
    """`unclip` in NumPy, to the last bit."""
    height, width = half.shape
    codes, flags = (np.pad(a.astype(np.int32), 2, mode="reflect") for a in (half, clipped))

    def at(a: NDArray[np.int32], *places: tuple[int, int]) -> list[NDArray[np.int32]]:
        return [a[2 + y : 2 + y + height, 2 + x : 2 + x + width] for x, y in places]

    rows, columns = _mean(*at(codes, (-1, 0), (1, 0))), _mean(*at(codes, (0, -1), (0, 1)))
    corners, apart = ((-1, -1), (1, -1), (-1, 1), (1, 1)), ((-2, 0), (2, 0), (0, -2), (0, 2))
    dx, dy = phase(cfa)
    y, x = np.mgrid[:height, :width] + np.array([dy, dx])[:, None, None]
    green = (y - x) % 2 == 1
    sides = _mean(rows, columns)
    guess = np.where(green, sides, _mean(sides, _mean(*at(codes, *corners))))
    beside = np.where(green, sum(at(flags, *corners)), sum(at(flags, *apart)))
    rise = np.maximum(guess - half, 0)
    rise = np.where(beside >= 2, rise, np.where(beside == 1, rise >> 1, 0))
    return (half + np.where(clipped, rise, 0)).astype(np.uint16)


def _mean(*terms: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rounding mean of 2^n, pair by pair, as the kernel does it."""
    if len(terms) == 1:
        return terms[0]
    return _mean(*[(a + b + 1) >> 1 for a, b in zip(terms[::2], terms[1::2], strict=True)])


def twin(rgb: F32, table: HighlightTable) -> F32:
    """`apply` in NumPy float64, slow and obviously right."""
    light = rgb.astype(np.float64)
    clip = np.asarray(table.clip, np.float64)[:, None, None]
    sure = _smooth(light / clip, table.threshold)
    full = np.empty_like(light)
    for c in range(3):
        p, q = (c + 1) % 3, (c + 2) % 3
        first = light[p] + sure[p] * np.maximum(light[q] - light[p], 0)
        second = light[q] + sure[q] * np.maximum(light[p] - light[q], 0)
        guess = table.weight[c] * first + (1 - table.weight[c]) * second
        full[c] = light[c] + sure[c] * np.maximum(guess - light[c], 0)
    pale = sure.max(0) * _smooth((light / clip).min(0), _PALES)
    full += pale * (full.max(0) - full)
    level = min(table.clip)
    return np.where(full > level, level + table.strength * (full - level), full).astype(np.float32)


def _smooth(part: F64, start: float) -> F64:
    """0 below `start` → 1 from `_SURE` on, without a corner at either end."""
    ramp = np.clip((part - start) / (_SURE - start), 0, 1)
    smooth: F64 = ramp * ramp * (3 - 2 * ramp)
    return smooth
