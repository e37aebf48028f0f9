"""Burst: several frames of one view become the codes of one, as if it had been taken with much less noise.

The frames go through the front pass, the reference with its best demosaic, the others with the fast one. The code that
comes back has the noise of the merged picture, so that all that follows takes it for a frame of a better sensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..merge import Merge, reference
from ..merge.stack import Stack
from ..types import F32, U16, Encoding, Frame, Noise, Values, White
from . import front, shading

_LEAST_SHARE = 0.02  # of one frame's noise: fifty frames
# Part of the noise power that moving a frame by fractions of a pixel takes away, and all of it fine: denoise may be so
# much gentler. Chosen by CPSNR on SB-1 at ISO 1600 and 6400.
_SMOOTHED = 0.4


@dataclass(frozen=True)
class Burst:
    """A merged burst: codes (3, H, W), how to read them and their noise; `share` (h, w): noise power in units of it."""

    code: U16
    encoding: Encoding
    noise: Noise
    share: F32
    believed: tuple[float, ...]  # part of the picture in which each further frame was believed


def order(frames: Sequence[Frame], values: Values) -> list[Frame]:
    """The frames that are merged, the reference first."""
    chosen = frames[: int(values["merge"]["frames"])]
    first = reference.choose(chosen) if len(chosen) > 1 else 0
    return [chosen[first], *chosen[:first], *chosen[first + 1 :]]


def run(frames: Sequence[Frame], white: White, noise: Noise, values: Values, even: shading.ShadingTable) -> Burst:
    """Merge frames of one size and exposure; the first is the reference. `even` is the shading of all of them."""
    first = frames[0]
    picture, encoding = front.run(first, white, noise, values, even)
    stack = Stack(picture, encoding.sigma, Merge(**values["merge"]))
    quick = {**values, "demosaic": {"method": "fast"}}
    believed = []
    for frame in frames[1:]:
        believed.append(stack.add(lambda out, f=frame: _codes(f, white, noise, quick, even, out)))  # type: ignore[misc]
    merged = stack.result()
    left = merged.share * (1 - np.float32(_SMOOTHED) * (1 - merged.share))
    usual = max(float(np.median(left)), _LEAST_SHARE)
    r, g, b = (s * usual**0.5 for s in encoding.sigma)
    less = Noise(_times(noise.scale, usual), _times(noise.offset, usual), noise.origin)
    share = np.maximum(left / np.float32(usual), np.float32(_LEAST_SHARE))
    return Burst(merged.code, replace(encoding, sigma=(r, g, b)), less, share, tuple(believed))


def _times(three: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    return (three[0] * factor, three[1] * factor, three[2] * factor)


def _codes(frame: Frame, white: White, noise: Noise, values: Values, even: shading.ShadingTable, out: U16) -> None:
    """Codes of a frame into `out` (3, H, W)."""
    front.run(frame, white, noise, values, even, out)
